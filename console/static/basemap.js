// The operator's own base map: a PMTiles archive that this server hands out in parts. Loaded where there is one;
// with it come the libraries that read it (console/static/vendor). Nothing is asked of any other host.

const URL_ = "/api/map.pmtiles", BASE = "/static/vendor/";
const FLAVOUR = { night: "dark", day: "light" };
// layers of the basemap of Protomaps, for which its library has styles; others are drawn plainly
const PROTOMAPS = ["earth", "water", "roads"];
const PLAIN = {
  night: { fill: "#2b3540", line: "#6f8296", label: "#dfe7ef", halo: "#11161c" },
  day: { fill: "#e4e8de", line: "#74879a", label: "#22303c", halo: "#ffffff" },
};

const loaded = (name) => new Promise((done, failed) => {
  const e = document.createElement("script");
  Object.assign(e, { src: `${BASE}${name}`, onload: done, onerror: () => failed(new Error(name)) });
  document.head.append(e);
});

// map: what /api/ground says of it. Returns the layer, in the pane `pane`.
export async function basemap(L, map, theme, pane, lang) {
  const shared = { pane, minNativeZoom: map.lowest, maxNativeZoom: map.highest, bounds: [[map.bounds[1], map.bounds[0]], [map.bounds[3], map.bounds[2]]], attribution: "" };
  return map.kind === "mvt" ? vector(L, map, theme, shared, lang) : raster(L, shared, map.kind);
}

async function raster(L, shared, kind) {
  if (!window.pmtiles) await loaded("pmtiles.js");
  const archive = new window.pmtiles.PMTiles(URL_);
  const Tiles = L.GridLayer.extend({
    createTile(at, done) {
      const tile = L.DomUtil.create("canvas", "leaflet-tile raster-tile"), size = this.getTileSize();
      [tile.width, tile.height] = [size.x * 2, size.y * 2];
      archive.getZxy(at.z, at.x, at.y).then((found) => found && createImageBitmap(new Blob([found.data], { type: `image/${kind}` })))
        .then((picture) => { if (picture) tile.getContext("2d").drawImage(picture, 0, 0, tile.width, tile.height); done(null, tile); }, (error) => done(error, tile));
      return tile;
    },
  });
  return new Tiles(shared);
}

async function vector(L, map, theme, shared, lang) {
  if (!window.protomapsL) await loaded("protomaps-leaflet.js");
  const P = window.protomapsL, given = { ...shared, url: URL_, maxDataZoom: map.highest, lang: lang === "en" ? "en" : "zh-Hans" };
  if (PROTOMAPS.every((name) => map.layers.includes(name))) return P.leafletLayer({ ...given, flavor: FLAVOUR[theme] || "dark" });
  const ink = PLAIN[theme] || PLAIN.night, of = (kind) => (_, f) => f.geomType === kind;
  const paintRules = [3, 2].flatMap((kind) => map.layers.map((dataLayer) => ({ dataLayer, filter: of(kind),
    symbolizer: kind === 3 ? new P.PolygonSymbolizer({ fill: ink.fill, stroke: ink.line, width: 1 }) : new P.LineSymbolizer({ color: ink.line, width: 1.5 }) })));
  const labelRules = map.layers.map((dataLayer) => ({ dataLayer, filter: of(1),
    symbolizer: new P.CenteredTextSymbolizer({ labelProps: [lang === "en" ? "name:en" : "name:zh", "name"], fill: ink.label, stroke: ink.halo, width: 2, font: "600 12px sans-serif" }) }));
  return P.leafletLayer({ ...given, paintRules, labelRules });
}
