// The next hour: where the rain moves, when heavy rain may come to whom, and what forecasts say of a village.
// What is not known is said to be unknown, never shown as nothing. Loaded after the first screen is drawn.

import { clock, part, picture } from "./live.js";
import { age, el, named, t, time } from "./words.js";

const TOWARDS = [["北", "north"], ["东北", "north-east"], ["东", "east"], ["东南", "south-east"], ["南", "south"], ["西南", "south-west"], ["西", "west"], ["西北", "north-west"]];
const WHY = {
  dry: ["没有雨", "no rain"], sparse: ["移动不明：有雨的雨量站太少", "motion not known: too few gauges are wet"],
  short: ["移动不明：雨量记录还太短", "motion not known: the rain is known for too short a time"],
  unclear: ["移动不明：各站的雨对不上", "motion not known: the gauges do not agree"],
  standing: ["雨区停留，或慢得测不出方向", "the rain stands, or too slowly to have a direction"],
};
const OLD_MS = 20 * 60000, SHOWN = 3;

export const now = () => part("storm").now;
const stale = (s) => !s?.at || clock() - s.at > OLD_MS;
const coming = (s) => (s.reaches || []).filter(([, , , latest]) => latest >= clock());
const when = ([, first, at, last]) => t(`约 ${time(at, clock())}（${time(first, clock())}–${time(last, clock())}）`, `about ${time(at, clock())} (${time(first, clock())}–${time(last, clock())})`);

function moves(s) {
  const [zh, en] = TOWARDS[Math.round(s.bearing / 45) % 8];
  return t(`雨区向${zh}移动 ${s.kmh}±${s.error_kmh} 公里/小时（${s.sure ? "较可靠" : "把握不大"}）`, `the rain moves ${en} at ${s.kmh}±${s.error_kmh} km/h (${s.sure ? "fairly sure" : "not sure"})`);
}

// The line of the first screen; "" where it does not rain and nothing is forecast.
export function line() {
  const s = now(), ahead = Object.entries(part("ahead"));
  const parts = [];
  if (stale(s)) parts.push(t("移动不明：雨量不新", "motion not known: the rain is not new"));
  else if (s.why) parts.push(t(...WHY[s.why]));
  else {
    const to = coming(s);
    parts.push(moves(s), to.length ? to.slice(0, SHOWN).map((r) => `${named(picture.ground.areas[r[0]])} ${when(r)}`).join(t("、", ", ")) + (to.length > SHOWN ? t(` 等 ${to.length} 村`, ` and ${to.length - SHOWN} more`) : "")
      : s.heavy ? t("照此一小时内没有村新遇强雨", "at that no village comes under heavy rain within the hour") : t("没有强雨", "no heavy rain"));
  }
  parts.push(ahead.length ? t(`${ahead.length} 村有预报`, `forecasts for ${ahead.length} villages`) : t("没有临近预报", "no forecast"));
  return s?.why === "dry" && !ahead.length ? "" : parts.join(t("；", "; "));
}

// What is known of a village's next hours.
export function village(id) {
  const s = now(), to = stale(s) || s.why ? null : coming(s).find(([a]) => a === id), told = part("ahead")[id];
  const rows = [
    to ? t(`强雨 ${when(to)}到，来处约 ${to[4]} mm/小时`, `heavy rain comes ${when(to)}, about ${to[4]} mm/h where it comes from`) : "",
    ...(told?.rain || []).map((r) => t(`${time(r.issued, clock())} 起 ${r.minutes} 分钟预报 ${r.mm} mm`, `${r.mm} mm forecast within ${r.minutes} min of ${time(r.issued, clock())}`)),
    ...(told?.levels || []).map((l) => t(`${l.station} ${l.minutes} 分钟内到 ${l.reach ?? "?"} ${l.unit} 的可能 ${l.chance}%（${age(clock() - l.at)}）`, `${l.station} reaches ${l.reach ?? "?"} ${l.unit} within ${l.minutes} min: ${l.chance} % (${age(clock() - l.at)})`)),
  ].filter(Boolean);
  return el("p", { class: "ahead", "data-ahead": id }, el("strong", {}, t("下一小时：", "Next hour: ")), rows.length ? rows.join(t("；", "; "))
    : stale(s) || (s.why && s.why !== "dry") ? t("不知：没有预报，雨区移动也不明", "not known: no forecast, and the motion of the rain is not known")
      : s.why === "dry" ? t("没有雨；没有预报", "no rain; no forecast") : t("照雨区现在的移动，强雨不到；没有预报", "as the rain moves, no heavy rain comes here; no forecast"));
}

// The arrow on the map, from the heaviest rain to where it is in an hour, with the angle that it may be off.
export function arrow(L, into, map) {
  map.createPane("storm").style.zIndex = 450; // above the areas, below what waits
  map.getPane("storm").style.pointerEvents = "none";
  const layer = L.layerGroup().addTo(into), renderer = L.canvas({ pane: "storm", padding: 0.3 });
  let shown = "";
  return (hidden) => {
    const s = now(), says = hidden || stale(s) || s.why ? "" : JSON.stringify(s.path);
    if (says === shown) return;
    shown = says;
    layer.clearLayers();
    if (!says) return;
    const [[x0, y0], [x1, y1]] = s.path, squeeze = Math.cos(y0 * Math.PI / 180), dx = (x1 - x0) * squeeze, dy = y1 - y0;
    const at = (share, off) => { const a = off * Math.PI / 180; return [y0 + share * (dy * Math.cos(a) - dx * Math.sin(a)), x0 + share * (dx * Math.cos(a) + dy * Math.sin(a)) / squeeze]; };
    const wide = Math.min(60, s.bearing_error), arc = [-1, -0.5, 0, 0.5, 1].map((n) => at(1, n * wide));
    const line = { renderer, pane: "storm", interactive: false };
    L.polygon([[y0, x0], ...arc], { ...line, stroke: false, fillColor: "#d63af9", fillOpacity: 0.18 }).addTo(layer);
    for (const [color, weight] of [["#ffffff", 7], ["#a800c8", 4]]) {
      L.polyline([[y0, x0], [y1, x1]], { ...line, color, weight }).addTo(layer);
      L.polyline([at(0.86, 9), [y1, x1], at(0.86, -9)], { ...line, color, weight }).addTo(layer);
    }
    L.marker([y1, x1], { pane: "storm", interactive: false, keyboard: false, icon: L.divIcon({ className: "storm-speed", html: el("span", {}, t(`${s.kmh}±${s.error_kmh} 公里/小时 · ${time(s.at + 3600000, clock())}`, `${s.kmh}±${s.error_kmh} km/h · ${time(s.at + 3600000, clock())}`)), iconSize: [150, 20], iconAnchor: [75, 32] }) }).addTo(layer);
  };
}
