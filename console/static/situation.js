// 一张图: the map, how it came to this in the last hours, and what one place measures.

import { board, tick, valleys } from "./board.js";
import { chart } from "./chart.js";
import { apart, names } from "./labels.js";
import { ask, clock, onChange, part, picture } from "./live.js";
import { COLOUR, LEVEL, SHAPE, age, badge, el, lang, of, t, time } from "./words.js";

export const name = "situation";
export const words = ["一张图", "Situation"];
export const keys = [
  ["/", "找监测站或村", "Find a station or village", () => document.getElementById("find")?.focus()],
];
const flip = ([x, y]) => [y, x];
const rainShade = (mm) => (mm >= 50 ? "#0b7285" : mm >= 20 ? "#1098ad" : mm >= 5 ? "#3bc9db" : mm > 0 ? "#99e9f2" : "#f1f3f5");

let live = true, past = null; // `past`: one frame of the slider

export function show(root) {
  live = true; past = null;
  const map = el("div", { id: "map", role: "group", "aria-label": t("地图；同样的内容在右边的列表里", "Map; the list beside it says the same") });
  const slider = el("input", { type: "range", min: 0, max: 0, value: 0, id: "past", "aria-label": t("过去六小时", "The last six hours") });
  const sliderWords = el("output", { for: "past" });
  const find = el("input", { id: "find", type: "search", list: "places", placeholder: t("找站点、村 /", "Find a place /"), "aria-label": t("找监测站或村", "Find a station or village") });
  const top = el("div", { class: "now" }), list = el("div", { class: "areas" }), one = el("div", { class: "one", role: "status" });
  const g = picture.ground;
  const options = el("datalist", { id: "places" });
  find.onfocus = () => { // not before somebody looks for one: there may be thousands
    if (!options.firstChild) options.append(...Object.entries({ ...g.areas, ...g.stations }).map(([id, x]) => el("option", { value: `${id} ${t(x.name, x.en)}` })));
  };
  root.append(
    el("section", { class: "map-side", "aria-label": t("地图", "Map") }, map,
      el("div", { class: "past" }, slider, sliderWords, el("button", { type: "button", class: "to-now", onclick: now }, t("回到现在", "Now"))), legend()),
    el("section", { class: "list-side", "aria-label": t("各区情况", "Areas") }, top, find, options, one, list));
  const drawn = draw(map, pick);
  find.onchange = () => {
    const hits = lookUp(find.value);
    if (hits.length === 1) { pick(hits[0]); return; }
    picked = "";
    one.replaceChildren(el("p", { role: "status" }, hits.length ? t(`有 ${hits.length} 处，请选：`, `${hits.length} places, choose one:`) : t("没有这个地方", "There is no such place")),
      ...hits.slice(0, 12).map((id) => el("button", { type: "button", class: "row", "data-hit": id, onclick: () => pick(id) }, el("span", { class: "what" }, `${id} ${nameOf(id)}`))));
  };
  let frames = [];
  slider.oninput = () => {
    const n = Number(slider.value);
    if (n >= frames.length) { now(); return; }
    live = false; past = frames[n];
    sliderWords.textContent = `${t("过去：", "past: ")}${time(past.at, clock())}`;
    document.body.classList.add("past-shown");
    drawn.paint();
  };
  function now() {
    live = true; past = null;
    slider.value = slider.max;
    sliderWords.textContent = t("现在", "now");
    document.body.classList.remove("past-shown");
    drawn.paint();
    ask("/api/past").then((found) => { frames = found; slider.max = frames.length; if (live) slider.value = frames.length; });
  }
  let picked = "";
  async function pick(id) {
    picked = id;
    const made = await place(id);
    if (picked !== id) return; // another was picked meanwhile
    one.replaceChildren(closer(), ...made);
    drawn.mark(id);
    if (sheets()) one.scrollTop = 0; else one.scrollIntoView({ block: "nearest" });
  }
  const closer = () => el("button", { type: "button", class: "close", "aria-label": t("收起", "Close"), onclick: () => { picked = ""; one.replaceChildren(); } }, "✕");
  const paintList = board(top, list, pick);
  now();
  paintList();
  const ticking = setInterval(tick, 1000);
  let unturn = () => {};
  if (document.body.classList.contains("wall")) import("./wall.js").then(({ wall }) => { unturn = wall(top, list); }, () => {});
  let alive = true, lastBin = 0;
  onChange((parts) => {
    if (!alive) return;
    if (live) drawn.paint(parts);
    if (["areas", "warnings", "tasks", "roll", "duty", "storm", "ahead"].some((p) => parts.has(p))) paintList();
    if (picked && Math.floor(clock() / 300000) !== lastBin) {
      lastBin = Math.floor(clock() / 300000);
      const id = picked;
      place(id).then((made) => { if (alive && picked === id) one.replaceChildren(closer(), ...made); });
    }
  });
  return () => { alive = false; unturn(); clearInterval(ticking); document.body.classList.remove("past-shown"); drawn.map.remove(); };
}

const nameOf = (id) => { const g = picture.ground, x = g.areas[id] || g.stations[id]; return `${x.town ? `${t(x.town, x.town_en)} ` : ""}${t(x.name, x.en)}`; };

// A place by its id, or by its name in either language: the very name before what begins so, before what
// holds it; a village before its stations.
function lookUp(text) {
  const g = picture.ground, wanted = text.trim().toLowerCase(), all = { ...g.areas, ...g.stations };
  if (!wanted) return [];
  const names = (x) => [x.name, x.en, x.town, `${x.town || ""}${x.name}`, `${x.town || ""} ${x.name}`].filter(Boolean).map((n) => n.toLowerCase());
  const ways = [([id, x]) => wanted === id.toLowerCase() || names(x).some((n) => wanted === `${id} ${n}`.toLowerCase()),
    ([, x]) => names(x).includes(wanted), ([, x]) => names(x).some((n) => n.startsWith(wanted)), ([, x]) => names(x).some((n) => n.includes(wanted))];
  for (const way of ways) {
    const hits = Object.entries(all).filter(way).map(([id]) => id), villages = hits.filter((id) => g.areas[id]);
    if (hits.length) return villages.length === 1 ? villages : hits;
  }
  return [];
}

// on a narrow screen what is pressed comes up as a sheet over what is there
const sheets = () => matchMedia("(max-width: 800px)").matches;

function legend() {
  return el("details", { class: "legend-box" }, el("summary", {}, t("图例", "Legend")), el("p", { class: "legend" },
    ...[4, 3, 2, 1].map((n) => el("span", { class: `badge level-${n}` }, `${SHAPE[n]} ${of(LEVEL[n])}`)),
    el("span", { class: "badge level-0" }, t("· 无预警", "· no warning")),
    el("span", { class: "badge dark" }, t("▨ 无数据，不等于平安", "▨ no data: not the same as safe")),
    el("span", { class: "badge rain" }, t("● 雨量 mm/小时", "● rain mm/h")),
    el("span", {}, t("■ 水位 ▲ 图像 紫点 喇叭；空心＝静默，虚线＝维护中。蓝线河道，蓝雾雨区（推算）。！＝立即转移。", "■ stage ▲ camera, purple dot loudspeaker; hollow = silent, dashed = in service; blue line channel, blue haze rain (between gauges). ! = move now. ")),
    el("small", {}, t("地形、轮廓、河道、流域、乡镇界为示意，不作划界依据", "relief, outline, channels, basins and townships are schematic")),
    picture.ground.map?.attribution ? el("small", { class: "credit" }, t("底图：", "base map: "), picture.ground.map.attribution.replace(/<[^>]*>/g, "")) : ""));
}

async function place(id) {
  const g = picture.ground;
  if (g.stations[id]) return station(id);
  const a = g.areas[id], s = part("areas")[id];
  if (!a) return [el("p", {}, t("没有这个地方", "There is no such place"))];
  const ahead = await import("./storm.js").then(({ village }) => village(id), () => "");
  const charts = await Promise.all(a.stations.filter((x) => ["rain", "stage"].includes(g.stations[x].what)).slice(0, 2).map(station));
  return [el("h2", {}, `${t(a.town, a.town_en)} ${t(a.name, a.en)} `, badge(s.level, s.action)),
    el("p", {}, t(`${a.people} 人；安置点 ${a.shelter}；可用监测站 ${s.live}/${s.of}`, `${a.people} people; shelter ${a.shelter}; stations ${s.live}/${s.of}`)),
    ahead, ...charts.flat()];
}

async function station(id) {
  const s = picture.ground.stations[id], now = part("stations")[id];
  const head = el("h3", {}, `${id} ${t(s.name, s.en)} `, el("span", { class: now.late ? "late" : "" },
    now.value === null || now.value === undefined ? t("无数据", "no data") : `${now.value} ${s.what === "rain" ? t("mm/小时", "mm/h") : s.unit}`,
    ` · ${age(clock() - now.seen)}${now.late ? t(" 静默", " silent") : ""}`), now.service ? el("strong", {}, t(` 维护中，至 ${time(now.service.until, clock())}`, ` in service until ${time(now.service.until, clock())}`)) : "");
  if (!["rain", "stage"].includes(s.what)) return [head];
  const data = await ask(`/api/series/${id}`);
  return [head, chart(data, s)];
}

// Points other than circles, on the same canvas: a square for water level, a triangle for a camera.
const pointed = (corners) => window.L.CircleMarker.extend({
  _updatePath() {
    const { _ctx: ctx, _drawing } = this._renderer, { x, y } = this._point, r = this._radius;
    if (!_drawing || this._empty()) return;
    ctx.beginPath();
    for (const [dx, dy] of corners) ctx.lineTo(x + dx * r, y + dy * r);
    ctx.closePath();
    this._renderer._fillStroke(ctx, this);
  },
});

// what hides an area: bright stripes on grey
function stripes(ink) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const ctx = tile.getContext("2d");
  ctx.fillStyle = ink.veil;
  ctx.fillRect(0, 0, 8, 8);
  ctx.strokeStyle = ink.stripe;
  ctx.lineWidth = 2.5;
  for (const x of [-8, 0, 8]) { ctx.beginPath(); ctx.moveTo(x - 1, 9); ctx.lineTo(x + 9, -1); ctx.stroke(); }
  return ctx.createPattern(tile, "repeat");
}

// the map's own colours, by the theme; what means something keeps its colour in both
const INK = {
  night: { land: "#222a33", edge: "#aeb8c4", town: "#56606c", basin: "#3f6f8f", river: "#3f9fe0", quiet: "#39424d", rim: "#7d8896", moves: "#ffffff", veil: "#2a2f36", stripe: "#9aa4b0", hollow: "#f1f3f5", speaker: "#c9a6ff" },
  day: { land: "#f7f5ee", edge: "#5a6673", town: "#8b95a1", basin: "#5f8fae", river: "#1f7fc4", quiet: "#d3dbe3", rim: "#7d8896", moves: "#10151a", veil: "#8d97a3", stripe: "#2a2f36", hollow: "#10202a", speaker: "#6a3fb5" },
};
function draw(box, pick) {
  const g = picture.ground, L = window.L, ink = INK[document.documentElement.dataset.theme] || INK.night;
  const map = L.map(box, { zoomControl: false, attributionControl: false, zoomSnap: 0.25 });
  L.control.zoom({ zoomInTitle: t("放大", "Zoom in"), zoomOutTitle: t("缩小", "Zoom out") }).addTo(map);
  const renderer = L.canvas({ padding: 0.3 });
  map.createPane("basemap").style.zIndex = 90; // the operator's own, below all
  map.createPane("ground").style.zIndex = 100; // below the relief
  map.createPane("rain").style.zIndex = 250; // above it, below all else
  const shown = [...g.outline.flat(), ...Object.values(g.areas).flatMap((a) => [a.at, ...a.ring])];
  const fit = () => map.fitBounds(L.latLngBounds(shown.map(flip)), { padding: [8, 8], animate: false });
  fit();
  let whole = true; // until somebody looks closer: a header that takes another line cuts nothing off
  for (const by of ["wheel", "pointerdown", "keydown"]) box.addEventListener(by, () => { whole = false; });
  // what may be taken off the map; areas and their warnings may not
  const layer = () => L.layerGroup().addTo(map);
  const base = layer(), relief = layer(), rivers = layer(), towns = layer(), basins = layer(), gauges = layer(), speakers = layer(), rain = layer();
  if (g.terrain) L.imageOverlay("/api/terrain", g.terrain, { pane: "tilePane", className: "terrain", interactive: false }).addTo(relief);
  const under = L.canvas({ pane: "ground", padding: 0.3 }); // the relief lies on it as light and shadow
  for (const ring of g.outline) {
    if (!g.map) L.polygon(ring.map(flip), { pane: "ground", renderer: under, stroke: false, fillColor: ink.land, fillOpacity: 1, interactive: false }).addTo(map);
    L.polygon(ring.map(flip), { renderer, color: ink.edge, weight: 2, fill: false, interactive: false }).addTo(map);
  }
  for (const town of Object.values(g.towns)) {
    L.polygon(town.ring.map(flip), { renderer, color: ink.town, weight: 1, dashArray: "4 4", fill: false, interactive: false }).addTo(towns);
  }
  for (const basin of Object.values(g.basins)) {
    L.polygon(basin.ring.map(flip), { renderer, color: ink.basin, weight: 1, dashArray: "1 5", fill: false, interactive: false }).addTo(basins);
  }
  for (const r of g.rivers) {
    L.polyline(r.course.map(flip), { renderer, color: ink.river, weight: 2.5 }).addTo(rivers).bindTooltip(t(r.name, r.en), { sticky: true });
  }
  const areas = {}, marks = {}, stations = {}, nodes = {};
  for (const [id, a] of Object.entries(g.areas)) {
    if (!a.ring.length) continue;
    const shape = L.polygon(a.ring.map(flip), { renderer, weight: 1.5 }).addTo(map);
    shape.bindTooltip(() => tip(id, a));
    shape.on("click", () => pick(id));
    areas[id] = shape;
  }
  const Square = pointed([[-1, -1], [1, -1], [1, 1], [-1, 1]]), Triangle = pointed([[0, -1], [1, 0.8], [-1, 0.8]]);
  for (const [id, s] of Object.entries(g.stations)) {
    const dot = s.what === "rain" ? L.circleMarker(flip(s.at), { renderer, radius: 5 })
      : s.what === "stage" ? new Square(flip(s.at), { renderer, radius: 6 }) : new Triangle(flip(s.at), { renderer, radius: 7 });
    dot.bindTooltip(() => `${id} ${t(s.name, s.en)} ${part("stations")[id].value ?? t("无数据", "no data")} · ${age(clock() - part("stations")[id].seen)}`);
    dot.on("click", () => pick(id)).addTo(gauges);
    stations[id] = dot;
  }
  for (const [id, n] of Object.entries(g.nodes)) {
    nodes[id] = L.circleMarker(flip(n.at), { renderer, radius: 2.5, weight: 1, color: ink.speaker }).addTo(speakers)
      .bindTooltip(() => `${t("喇叭", "loudspeaker")} ${id} ${t(n.name, n.en)}`);
    nodes[id].on("click", () => pick(n.area));
  }
  if (g.map) { // the relief would lie over it
    relief.remove();
    import("./basemap.js").then(({ basemap }) => basemap(L, g.map, document.documentElement.dataset.theme, "basemap", lang())).then((found) => { if (map.getPane("mapPane")) found.addTo(base); }, () => {});
  }
  const own = [...(g.map ? [[base, "底图", "Base map"]] : []), [relief, "地形（示意）", "Relief (schematic)"], [rain, "雨区（由雨量站推算）", "Rain field (between gauges)"], [rivers, "河道", "Channels"], [towns, "乡镇", "Townships"], [basins, "小流域", "Basins"],
    [gauges, "监测站、摄像机", "Stations, cameras"], [speakers, "喇叭", "Loudspeakers"]];
  import("./layers.js").then(({ layers }) => layers(map, own), () => {}); // without them the map is still the map
  new ResizeObserver(() => {
    if (!map.getPane("mapPane")) return; // the page was left
    const was = map.getSize();
    map.invalidateSize({ pan: false });
    if (whole && !map.getSize().equals(was)) { fit(); home = map.getZoom(); paintValleys(); paintNames(); }
  }).observe(box);
  // from afar a mark a valley, with how many villages; closer a mark a village, with its name
  let home = map.getZoom();
  const near = () => box.classList.toggle("near", map.getZoom() > home + 0.9);
  map.on("zoomend", near);
  const villageNames = layer(), townNames = L.layerGroup().addTo(towns);
  // what is asked for counts as what is in force: the worst gets its name first
  const rank = (id) => { const s = part("areas")[id]; return s ? Math.max(s.level, [0, 3, 4][s.action]) * 4 + (s.waits ? 3 : 0) + (s.dark ? 1 : 0) : 0; };
  const name_ = names(L, map, g, villageNames, townNames, rank);
  let taken = [];
  const paintNames = () => name_(map.getZoom() > home + 0.9, taken);
  map.on("moveend", () => { paintValleys(); paintNames(); });
  const span = L.latLngBounds(shown.map(flip)).pad(0.05), corners = [[span.getSouth(), span.getWest()], [span.getNorth(), span.getEast()]];
  let paintRain = () => {};
  import("./rain_field.js").then(({ field }) => { paintRain = field(L, rain, g, corners); rains(true); }, () => {});
  let paintArrow = () => {};
  import("./storm.js").then(({ arrow }) => { paintArrow = arrow(L, rain, map); paintArrow(past); }, () => {});
  const rains = (must) => paintRain(past ? past.stations : Object.fromEntries(Object.entries(part("stations")).filter(([, s]) => !s.late).map(([id, s]) => [id, s.value])), must);
  const valleyMarks = L.layerGroup().addTo(map);
  let valleysShown = "";
  function paintValleys() {
    if (past) { valleyMarks.clearLayers(); valleysShown = ""; taken = []; box.classList.add("near"); return; }
    near();
    const marks_ = box.classList.contains("near") ? [] : valleys().map((x) => {
      const at = x.all.map((v) => g.areas[v.id].at), mid = [0, 1].map((n) => at.reduce((s, p) => s + p[n], 0) / at.length);
      const hidden = x.all.some((v) => v.a.dark) && !x.at.level && !x.at.action, asks = x.worst.level > x.at.level ? x.worst.level : 0;
      // what waits is what the officer looks for: it stands in its own colour, with a dashed edge
      const words = asks ? `${SHAPE[asks]}${x.all.filter((v) => v.worst.level === asks && v.at.level < asks).length} ${t("待批", "asked")}` : `${hidden ? "▨" : SHAPE[x.at.level]}${x.at.action === 2 ? "!" : ""}${x.all.length}`;
      return { at: flip(mid), words, kind: `valley-mark on-${asks || (hidden ? "dark" : x.at.level)}${asks ? ` asks asks-${asks}` : ""}`, w: asks ? 92 : 46, h: asks ? 34 : 26, size: [asks ? 84 : 46, 26] };
    });
    taken = apart(map, marks_);
    const says = JSON.stringify([marks_, map.getZoom(), map.getCenter()]);
    if (says === valleysShown) return;
    valleysShown = says;
    valleyMarks.clearLayers();
    for (const one of marks_) L.marker(one.at, { interactive: false, keyboard: false, zIndexOffset: 10001, icon: L.divIcon({ className: one.kind, html: el("span", {}, one.words), iconSize: one.size, iconAnchor: [one.size[0] / 2, one.size[1] / 2 - one.dy] }) }).addTo(valleyMarks);
  }
  const chosen = L.circleMarker([0, 0], { renderer, radius: 14, color: ink.moves, weight: 3, fill: false, interactive: false });
  const dark = stripes(ink);

  function tip(id, a) {
    const s = part("areas")[id];
    return `${t(a.town, a.town_en)} ${t(a.name, a.en)} ${SHAPE[s.level]} ${of(LEVEL[s.level])}${s.dark ? t(" 无数据", " no data") : ""}`;
  }
  function paintArea(id) {
    const s = part("areas")[id], shape = areas[id];
    if (!shape) return;
    const [level, action] = past ? past.areas[id] || [0, 0] : [s.level, s.action];
    const hidden = !past && s.dark && !level;
    shape.setStyle({
      color: action === 2 ? ink.moves : level ? COLOUR[level] : hidden ? ink.stripe : ink.rim, weight: action === 2 ? 3 : level ? 2 : 1,
      fillColor: hidden ? dark : level ? COLOUR[level] : ink.quiet, fillOpacity: hidden ? 1 : level ? 0.9 : 0.5,
    });
    const mark = level || action ? `${SHAPE[level]}${action === 2 ? "!" : ""}` : hidden ? "▨" : ""; // seen at any zoom
    if (mark && !marks[id]) {
      marks[id] = L.marker(flip(g.areas[id].at), { interactive: false, keyboard: false, zIndexOffset: 10000, icon: L.divIcon({ className: "mark", html: "", iconSize: [20, 20] }) }).addTo(map);
    }
    if (!marks[id]) return;
    const e = marks[id].getElement();
    e.textContent = mark;
    e.className = e.className.replace(/ (on-\w+|moves)/g, "") + ` on-${hidden && !action ? "dark" : level}${action === 2 ? " moves" : ""}`;
  }
  function paintStation(id) {
    const s = part("stations")[id], dot = stations[id], kind = g.stations[id].what;
    const value = past ? past.stations[id] : s.value;
    const late = past ? value === undefined : s.late;
    const colour = kind === "rain" ? rainShade(value || 0) : kind === "stage" ? "#4dd4ff" : "#ffd8a8";
    const away = !past && Boolean(s.service), hollow = late || away;
    const style = { color: hollow ? ink.hollow : "#10202a", weight: 1.5, dashArray: away ? "2 2" : null, fillColor: colour, fillOpacity: hollow ? 0 : 1 };
    if (kind === "rain") style.radius = late ? 5 : 4 + Math.min(6, Math.sqrt(value || 0));
    dot.setStyle(style);
  }
  const paintNode = (id) => nodes[id].setStyle({ fillColor: ink.speaker, fillOpacity: part("nodes")[id].late || part("nodes")[id].service ? 0 : 1 });
  // parts: which keys are new (of onChange); without it all is drawn
  function paint(parts) {
    const fresh = (name, all) => (parts ? parts.get(name) || [] : Object.keys(all));
    fresh("areas", areas).forEach(paintArea);
    fresh("stations", stations).forEach(paintStation);
    fresh("nodes", nodes).forEach(paintNode);
    if (!parts || parts.has("areas") || parts.has("warnings")) { paintValleys(); paintNames(); }
    if (!parts || parts.has("stations")) rains(!parts);
    paintArrow(past);
  }
  function mark(id) {
    const at = g.areas[id]?.at || g.stations[id]?.at;
    if (at) { chosen.setLatLng(flip(at)).addTo(map); map.panInside(flip(at), { padding: [40, 40] }); }
  }
  return { map, paint, mark };
}
