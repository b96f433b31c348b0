// What the map of Situation shows, switched on and off by hand; teams, supplies, shelters and risk
// sources are off at first. Loaded after the map is drawn.

import { ask, picture } from "./live.js";
import { of, t } from "./words.js";

const LAYERS = [["teams", "队", ["队伍", "Teams"]], ["supplies", "物", ["物资", "Supplies"]], ["shelters", "避", ["避难场所", "Shelters"]], ["risks", "险", ["风险源", "Risk sources"]]];

// own: [layer, its words] of those on the map
export async function layers(map, own) {
  const L = window.L, found = await ask("/api/resources");
  if (!map.getPane("mapPane")) return; // the page was left meanwhile
  const groups = Object.fromEntries(own.filter(([g], n) => g.getLayers().length || (picture.ground.map && !n)).map(([g, ...words]) => [of(words), g]));
  for (const [key, sign, words] of LAYERS) {
    if (!Object.keys(found[key]).length) continue;
    const group = L.layerGroup(Object.values(found[key]).map((r) => L.marker([r.lat, r.lon], { keyboard: false, icon: L.divIcon({ className: `resource ${key}`, html: sign, iconSize: [18, 18] }) })
      .bindTooltip(`${r.id} ${t(r.name, r.name_en)} ${r.capacity ? t(`容量 ${r.capacity}`, `holds ${r.capacity}`) : r.people ? t(`${r.people} 人`, `${r.people} people`) : ""}`)));
    groups[`<span class="resource ${key}">${sign}</span> ${of(words)}`] = group;
  }
  const box = L.control.layers(null, groups, { collapsed: true, position: "topright" }).addTo(map).getContainer();
  const toggle = box.querySelector(".leaflet-control-layers-toggle");
  toggle.textContent = toggle.title = t("图层", "Layers");
}
