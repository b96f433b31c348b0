// For the map of Situation: teams, shelters and risk sources, switched on by hand. Loaded after the map
// is drawn.

import { ask } from "./live.js";
import { of, t } from "./words.js";

const LAYERS = [["teams", "队", ["队伍", "Teams"]], ["shelters", "避", ["避难场所", "Shelters"]], ["risks", "险", ["风险源", "Risk sources"]]];

export async function layers(map) {
  const L = window.L, found = await ask("/api/resources");
  if (!map.getPane("mapPane") || !LAYERS.some(([k]) => Object.keys(found[k]).length)) return;
  const groups = {};
  for (const [key, sign, words] of LAYERS) {
    const group = L.layerGroup(Object.values(found[key]).map((r) => L.marker([r.lat, r.lon], { keyboard: false, icon: L.divIcon({ className: `resource ${key}`, html: sign, iconSize: [18, 18] }) })
      .bindTooltip(`${r.id} ${t(r.name, r.name_en)} ${r.capacity ? t(`容量 ${r.capacity}`, `holds ${r.capacity}`) : r.people ? t(`${r.people} 人`, `${r.people} people`) : ""}`)));
    groups[`<span class="resource ${key}">${sign}</span> ${of(words)}`] = group;
  }
  L.control.layers(null, groups, { collapsed: true, position: "topright" }).addTo(map);
}
