// 一张图: the map, how it came to this in the last hours, and what one place measures.

import { chart } from "./chart.js";
import { ask, clock, onChange, part, picture } from "./live.js";
import { layers } from "./resources.js";
import { COLOUR, LEVEL, SHAPE, age, badge, el, of, t, time } from "./words.js";

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
  const list = el("div", { class: "areas" }), one = el("div", { class: "one" });
  const g = picture.ground;
  const options = el("datalist", { id: "places" },
    ...Object.entries(g.areas).map(([id, a]) => el("option", { value: `${id} ${t(a.name, a.en)}` })),
    ...Object.entries(g.stations).map(([id, s]) => el("option", { value: `${id} ${t(s.name, s.en)}` })));
  root.append(
    el("section", { class: "map-side", "aria-label": t("地图", "Map") }, map,
      el("div", { class: "past" }, slider, sliderWords, el("button", { type: "button", onclick: now }, t("回到现在", "Now"))), legend()),
    el("section", { class: "list-side", "aria-label": t("各区情况", "Areas") }, find, options, one, el("h2", {}, t("预警区", "Areas under warning")), list));
  const drawn = draw(map, pick);
  find.onchange = () => pick(find.value.split(" ")[0]);
  let frames = [];
  ask("/api/past").then((found) => {
    frames = found;
    slider.max = frames.length;
    slider.value = frames.length;
  });
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
    one.replaceChildren(...(await place(id)));
    drawn.mark(id);
  }
  function fresh() {
    if (live) drawn.paint();
    list.replaceChildren(...areaRows(pick));
  }
  now();
  fresh();
  let alive = true, lastBin = 0;
  onChange((parts) => {
    if (!alive) return;
    if (parts.has("areas") || parts.has("stations") || parts.has("warnings")) fresh();
    if (picked && Math.floor(clock() / 300000) !== lastBin) {
      lastBin = Math.floor(clock() / 300000);
      place(picked).then((made) => { if (alive) one.replaceChildren(...made); });
    }
  });
  return () => { alive = false; document.body.classList.remove("past-shown"); drawn.map.remove(); };
}

function legend() {
  return el("p", { class: "legend" },
    ...[4, 3, 2, 1].map((n) => el("span", { class: `badge level-${n}` }, `${SHAPE[n]} ${of(LEVEL[n])}`)),
    el("span", { class: "badge level-0" }, t("· 无预警", "· no warning")),
    el("span", { class: "badge dark" }, t("▨ 无数据，不等于平安", "▨ no data: not the same as safe")),
    el("span", { class: "badge rain" }, t("● 雨量 mm/小时", "● rain mm/h")),
    el("span", {}, t("■ 水位 ▲ 图像 紫点 喇叭；空心＝静默。！＝立即转移。", "■ stage ▲ camera, purple dot loudspeaker; hollow = silent. ! = move now. ")),
    el("small", {}, t("轮廓、流域、乡镇界为示意，不作划界依据", "outline, basins and townships are schematic")));
}

function areaRows(pick) {
  const g = picture.ground;
  const rows = Object.entries(part("areas")).filter(([, a]) => a.level || a.action || a.waits || a.dark);
  rows.sort(([x, a], [y, b]) => b.action - a.action || b.level - a.level || b.waits - a.waits || x.localeCompare(y));
  if (!rows.length) return [el("p", { class: "empty" }, t(`没有预警。最近一次数据 ${time(clock())}`, `No warning. Newest data ${time(clock())}`))];
  return rows.map(([id, a]) => el("button", { type: "button", class: "row", "data-area": id, onclick: () => pick(id) },
    a.level || a.action ? badge(a.level, a.action) : a.dark ? el("span", { class: "badge dark" }, t("▨ 无数据", "▨ no data")) : el("span", { class: "badge level-0" }, "·"),
    el("span", { class: "what" }, `${t(g.areas[id].town, g.areas[id].town_en)} ${t(g.areas[id].name, g.areas[id].en)}`),
    el("span", { class: "note" }, a.waits ? t("有待决定", "waits") : "", ` ${t("站", "stations")} ${a.live}/${a.of}`)));
}

async function place(id) {
  const g = picture.ground;
  if (g.stations[id]) return station(id);
  const a = g.areas[id], s = part("areas")[id];
  if (!a) return [el("p", {}, t("没有这个地方", "There is no such place"))];
  const charts = await Promise.all(a.stations.filter((x) => ["rain", "stage"].includes(g.stations[x].what)).slice(0, 2).map(station));
  return [el("h2", {}, `${a.town}${t(a.name, a.en)} `, badge(s.level, s.action)),
    el("p", {}, t(`${a.people} 人；安置点 ${a.shelter}；可用监测站 ${s.live}/${s.of}`, `${a.people} people; shelter ${a.shelter}; stations ${s.live}/${s.of}`)),
    ...charts.flat()];
}

async function station(id) {
  const s = picture.ground.stations[id], now = part("stations")[id];
  const head = el("h3", {}, `${id} ${t(s.name, s.en)} `, el("span", { class: now.late ? "late" : "" },
    now.value === null || now.value === undefined ? t("无数据", "no data") : `${now.value} ${s.what === "rain" ? t("mm/小时", "mm/h") : s.unit}`,
    ` · ${age(clock() - now.seen)}${now.late ? t(" 静默", " silent") : ""}`));
  if (!["rain", "stage"].includes(s.what)) return [head];
  const data = await ask(`/api/series/${id}`);
  return [head, chart(data, s)];
}

function draw(box, pick) {
  const g = picture.ground, L = window.L;
  const map = L.map(box, { zoomControl: true, attributionControl: false, zoomSnap: 0.25 });
  const svg = L.svg({ padding: 0.5 });
  const bounds = L.latLngBounds([]);
  for (const ring of g.outline) {
    const line = L.polygon(ring.map(flip), { renderer: svg, color: "#aeb8c4", weight: 2, fillColor: "#1c222a", fillOpacity: 1, interactive: false }).addTo(map);
    bounds.extend(line.getBounds());
  }
  for (const town of Object.values(g.towns)) {
    const shape = L.polygon(town.ring.map(flip), { renderer: svg, color: "#56606c", weight: 1, dashArray: "4 4", fill: false, interactive: false }).addTo(map);
    L.marker(shape.getBounds().getNorthWest(), { interactive: false, keyboard: false, icon: L.divIcon({ className: "town", html: el("span", {}, town.name), iconSize: [80, 16], iconAnchor: [10, 18] }) }).addTo(map);
  }
  for (const basin of Object.values(g.basins)) {
    L.polygon(basin.ring.map(flip), { renderer: svg, color: "#3f6f8f", weight: 1, dashArray: "1 5", fill: false, interactive: false }).addTo(map);
  }
  const areas = {}, marks = {}, stations = {}, nodes = {};
  for (const [id, a] of Object.entries(g.areas)) {
    if (!a.ring.length) continue;
    const shape = L.polygon(a.ring.map(flip), { renderer: svg, weight: 1.5 }).addTo(map);
    shape.bindTooltip(() => tip(id, a));
    shape.on("click", () => pick(id));
    areas[id] = shape;
    bounds.extend(shape.getBounds());
  }
  for (const [id, s] of Object.entries(g.stations)) {
    const dot = s.what === "rain" ? L.circleMarker(flip(s.at), { renderer: svg, radius: 5 })
      : L.marker(flip(s.at), { icon: L.divIcon({ className: `thing ${s.what === "stage" ? "stage" : "camera"}`, iconSize: [12, 12] }), keyboard: false });
    dot.bindTooltip(() => `${id} ${t(s.name, s.en)} ${part("stations")[id].value ?? t("无数据", "no data")} · ${age(clock() - part("stations")[id].seen)}`);
    dot.on("click", () => pick(id)).addTo(map);
    stations[id] = dot;
  }
  for (const [id, n] of Object.entries(g.nodes)) {
    nodes[id] = L.circleMarker(flip(n.at), { renderer: svg, radius: 2.5, weight: 1, color: "#c9a6ff" }).addTo(map)
      .bindTooltip(() => `${t("喇叭", "loudspeaker")} ${id} ${t(n.name, n.en)}`);
    nodes[id].on("click", () => pick(n.area));
  }
  map.fitBounds(bounds, { padding: [8, 8] });
  layers(map);
  new ResizeObserver(() => { if (map.getPane("mapPane")) map.invalidateSize(); }).observe(box);
  const chosen = L.circleMarker([0, 0], { renderer: svg, radius: 14, color: "#fff", weight: 3, fill: false, interactive: false });

  function tip(id, a) {
    const s = part("areas")[id];
    return `${a.town}${t(a.name, a.en)} ${SHAPE[s.level]} ${of(LEVEL[s.level])}${s.dark ? t(" 无数据", " no data") : ""}`;
  }
  function paint() {
    const nowAreas = part("areas"), nowStations = part("stations");
    for (const [id, shape] of Object.entries(areas)) {
      const s = nowAreas[id];
      const [level, action] = past ? past.areas[id] || [0, 0] : [s.level, s.action];
      const dark = !past && s.dark && !level;
      shape.setStyle({
        color: action === 2 ? "#ffffff" : level ? COLOUR[level] : dark ? "#9aa4b0" : "#7d8896", weight: action === 2 ? 3 : level ? 2 : 1,
        fillColor: dark ? "url(#dark-area)" : level ? COLOUR[level] : "#39424d", fillOpacity: dark ? 1 : level ? 0.9 : 0.5,
      });
      const mark = level || action ? `${SHAPE[level]}${action === 2 ? "!" : ""}` : "";
      if (mark && !marks[id]) {
        marks[id] = L.marker(flip(g.areas[id].at), { interactive: false, keyboard: false, icon: L.divIcon({ className: "mark", html: "", iconSize: [20, 20] }) }).addTo(map);
      }
      if (marks[id]) {
        const e = marks[id].getElement();
        e.textContent = mark;
        e.className = e.className.replace(/ (on-\d|moves)/g, "") + ` on-${level}${action === 2 ? " moves" : ""}`;
      }
    }
    for (const [id, dot] of Object.entries(stations)) {
      const value = past ? past.stations[id] : nowStations[id].value;
      const late = past ? value === undefined : nowStations[id].late;
      if (dot.setStyle) dot.setStyle({ color: late ? "#f1f3f5" : "#10202a", weight: 1.5, fillColor: rainShade(value || 0), fillOpacity: late ? 0 : 1, radius: late ? 5 : 4 + Math.min(6, Math.sqrt(value || 0)) });
      else dot.getElement()?.classList.toggle("late", late);
    }
    for (const [id, dot] of Object.entries(nodes)) {
      const late = part("nodes")[id].late;
      dot.setStyle({ fillColor: "#c9a6ff", fillOpacity: late ? 0 : 1 });
    }
  }
  function mark(id) {
    const at = g.areas[id]?.at || g.stations[id]?.at;
    if (at) { chosen.setLatLng(flip(at)).addTo(map); map.panInside(flip(at), { padding: [40, 40] }); }
  }
  return { map, paint, mark };
}
