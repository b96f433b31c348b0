// One station's last hours: rain as bars with the running sum, water level as a line; thresholds as
// labelled lines. 24-hour Beijing time.

import { lang, t, time } from "./words.js";

// colours of the theme, as the page has them now
export const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
export const axis = () => ({ stroke: ink("axis"), grid: { stroke: ink("grid"), width: 1 }, ticks: { stroke: ink("grid") }, font: "12px sans-serif" });

// what draws curves is fetched when the first one is drawn
let fetching = null;
export const plot = () => (fetching ||= window.uPlot ? Promise.resolve() : new Promise((well, ill) => {
  const script = document.createElement("script");
  Object.assign(script, { src: "/static/vendor/uPlot.iife.min.js", onload: well, onerror: () => { fetching = null; ill(new Error(t("图没有取到", "the chart could not be fetched"))); } });
  document.head.append(script);
}));

// data: {at: [s], value: []}; limits: [{value, words}] of the sum over window_min, or of the level
export function chart(data, station, limits = [], windowMin = 60) {
  const box = document.createElement("div");
  box.className = "chart";
  box.setAttribute("role", "img");
  if (!data.at.length) {
    box.textContent = t("最近六小时没有数据", "No data in the last six hours");
    return box;
  }
  const rain = station.what === "rain";
  const at = [], bars = [], line = [];
  if (rain) {
    const known = new Map(data.at.map((s, n) => [s, data.value[n]]));
    const bins = Math.max(1, Math.round(windowMin / 5));
    for (let s = data.at[0]; s <= data.at.at(-1); s += 300) {
      at.push(s);
      bars.push(known.has(s) ? known.get(s) : null);
      line.push(Number(bars.slice(-bins).reduce((a, b) => a + (b || 0), 0).toFixed(1)));
    }
  } else {
    at.push(...data.at);
    line.push(...data.value);
  }
  const newest = line.at(-1), top = Math.max(...line, ...limits.map((x) => x.value)) * 1.1 || 1;
  const label = rain ? t(`${windowMin} 分钟累计 mm`, `sum of ${windowMin} min, mm`) : t("水位 m", "stage m");
  box.setAttribute("aria-label", `${t(station.name, station.en)} ${label} ${newest}`);
  const series = [{ value: (_, v) => (v ? time(v * 1000) : "") },
    { label, stroke: ink("curve"), width: 2.5, points: { show: false } }];
  const columns = [at, line];
  if (rain) columns.push(bars);
  const draw = (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.textAlign = "left";
    ctx.font = `${12 * devicePixelRatio}px sans-serif`;
    for (const x of limits) {
      const y = u.valToPos(x.value, "y", true);
      ctx.strokeStyle = ctx.fillStyle = x.colour || ink("doubt");
      ctx.setLineDash([6, 4]);
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.fillText(x.words, bbox.left + 6, y - 5);
    }
    ctx.restore();
  };
  // drawn when the box has its place and width on the page
  const sized = new ResizeObserver(async ([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (!width) return;
    sized.disconnect();
    await plot().catch((error) => { box.textContent = error.message; });
    if (!window.uPlot) return;
    if (rain) series.push({ label: t("5 分钟 mm", "5 min, mm"), stroke: "#2f6f86", fill: "#2f6f86", paths: window.uPlot.paths.bars({ size: [0.8] }), points: { show: false } });
    new window.uPlot({
      width, height: 170, series, cursor: { drag: { x: false, y: false } }, legend: { show: false },
      scales: { x: { time: true }, y: { range: [rain ? 0 : Math.min(...line, 0), top] } },
      axes: [{ ...axis(), values: (_, s) => s.map((v) => time(v * 1000, v * 1000)) }, { ...axis(), size: 44, label: undefined }],
      hooks: { draw: [draw] },
    }, columns, box);
    const note = document.createElement("p");
    note.className = "chart-words";
    note.lang = lang() === "en" ? "en" : "zh-CN";
    note.textContent = rain ? t(`线：${label}；柱：5 分钟雨量`, `line: ${label}; bars: 5 min`) : label;
    box.append(note);
  });
  sized.observe(box);
  return box;
}
