// 站点: every station and node with those to be looked at first; one place's measurements over hours
// to years; what was not taken in.

import { ask, clock, onChange, part, picture } from "./live.js";
import { axis, ink, plot } from "./chart.js";
import { age, el, of, random, t, time } from "./words.js";

const SPANS = [[6, "6 小时", "6 h"], [24, "1 天", "1 day"], [168, "7 天", "7 days"], [720, "30 天", "30 days"], [8784, "1 年", "1 year"], [43920, "5 年", "5 years"]];
const WHAT = { rain: ["雨量", "rain"], stage: ["水位", "stage"], frame: ["图像", "camera"], battery: ["电量", "battery"], soil_moisture: ["土壤含水", "soil moisture"], discharge: ["流量", "discharge"] };
const DAY = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" });
const SHOWN = 250, LOW = 30, POOR = 0.8;
const g = () => picture.ground;

let root = null, table = null, one = null, dead = null, text = "", kind = "stations", open = "", hours = 24, token = 0, chart = null, shownService = "null";

export const keys = [["/", "找站点", "Find a station", () => document.getElementById("station-text")?.focus()]];

export function show(into) {
  table = el("div");
  one = el("section", { class: "detail", "aria-label": t("一个站点", "One place") });
  dead = el("div", { class: "dead" });
  const tabs = el("p", { class: "fields", role: "group", "aria-label": t("看什么", "What to look at") }, ...[["stations", "监测站", "Stations"], ["nodes", "大喇叭", "Loudspeakers"], ["outside", "外来预警", "Other authorities"], ["dead", "坏数据", "Dead letters"]].map(([k, zh, en]) =>
    el("button", { type: "button", "data-tab": k, "aria-pressed": String(k === kind), onclick: () => { kind = k; for (const b of tabs.children) b.setAttribute("aria-pressed", String(b.dataset.tab === k)); paint(); } }, t(zh, en))));
  root = el("section", { class: "queue-side wide", "aria-label": t("站点", "Stations and nodes") }, el("h2", {}, t("站点", "Stations and nodes")), tabs,
    el("input", { id: "station-text", type: "search", value: text, placeholder: t("找站点 /", "Find a place /"), "aria-label": t("找站点", "Find a place"), oninput: (e) => { text = e.target.value; paint(); } }), table);
  into.append(root, one);
  let waiting = null;
  const off = onChange((parts) => {
    const mine = kind === "nodes" ? ["nodes", "sounded", "health"] : kind === "dead" || kind === "outside" ? ["line"] : ["stations", "health"];
    if (!waiting && mine.some((p) => parts.has(p))) waiting = setTimeout(() => { waiting = null; paint(); }, 1000);
    const now = open && (part("nodes")[open] || part("stations")[open]) && JSON.stringify(service(open) || null);
    if (open && now !== shownService) choose(open);
  });
  paint();
  choose(open || rows()[0]?.id || "");
  return () => { off(); clearTimeout(waiting); if (chart) chart.destroy(); chart = null; };
}

// why somebody should look at it, the worst first
function doubts(id) {
  const h = part("health")[id] || {}, node = part("nodes")[id], station = part("stations")[id], found = [];
  const late = (node || station).late, service = (node || station).service;
  if (service) found.push(t(`维护至 ${time(service.until, clock())}`, `in service until ${time(service.until, clock())}`));
  for (const f of station?.flags || []) found.push(t(f.zh, f.en));
  if (late) found.push(t("静默", "silent"));
  if (node) {
    if (node.mains === 0) found.push(t("停电", "no mains"));
    if (node.battery !== undefined && node.battery < LOW) found.push(t(`电量 ${node.battery}%`, `battery ${node.battery}%`));
    if (node.self_test === 0) found.push(t("自检失败", "self-test failed"));
    if (node.door === 1) found.push(t("箱门开", "door open"));
    if (node.voice === 0) found.push(t("不能播音", "cannot sound"));
    if (node.refused_commands) found.push(t(`拒绝指令 ${node.refused_commands}`, `refused ${node.refused_commands} commands`));
  }
  if (station?.overdue > 0) found.push(t(`检定过期 ${station.overdue} 天`, `calibration ${station.overdue} days overdue`));
  if (station?.overdue < 0) found.push(t("检定日期在将来", "calibration dated in the future"));
  if (h.failed) found.push(t(`无效 ${h.failed}`, `${h.failed} failed`));
  if (h.suspect) found.push(t(`可疑 ${h.suspect}`, `${h.suspect} suspect`));
  if (h.dead) found.push(t(`坏数据 ${h.dead}`, `${h.dead} dead letters`));
  if (!late && !service && h.share !== undefined && h.share < POOR) found.push(t(`到报 ${Math.round(h.share * 100)}%`, `${Math.round(h.share * 100)}% came`));
  return found;
}

const silent = (id) => (part("nodes")[id] || part("stations")[id]).late;
const service = (id) => (part("nodes")[id] || part("stations")[id]).service;

function rows() {
  const known = kind === "nodes" ? g().nodes : g().stations, wanted = text.trim().toLowerCase();
  return Object.entries(known).filter(([id, s]) => !wanted || `${id} ${s.name} ${s.en}`.toLowerCase().includes(wanted))
    .map(([id, s]) => ({ id, s, why: doubts(id) }))
    .sort((a, b) => silent(b.id) - silent(a.id) || Boolean(service(b.id)) - Boolean(service(a.id)) || b.why.length - a.why.length || a.id.localeCompare(b.id));
}

function paint() {
  if (kind === "dead") { letters(); return; }
  if (kind === "outside") { others(); return; }
  const found = rows(), bad = found.filter((r) => r.why.length).length, focus = document.activeElement?.dataset?.station;
  const node = kind === "nodes";
  const heads = node ? [t("终端", "Node"), t("要看的", "To look at"), t("电量", "Battery"), t("市电", "Mains"), t("箱门", "Door"), t("自检", "Self-test"), t("最近播出", "Last played"), t("最近来信", "Heard")]
    : [t("监测站", "Station"), t("要看的", "To look at"), t("测什么", "What"), t("最新", "Newest"), t("何时", "When"), t("24 小时到报", "24 h came")];
  table.replaceChildren(
    el("p", { class: bad ? "doubt" : "note" }, t(`${found.length} 处，${bad} 处要看`, `${found.length} places, ${bad} to look at`)),
    el("table", { class: "grid stack" }, el("thead", {}, el("tr", {}, ...heads.map((x) => el("th", { scope: "col" }, x)))),
      el("tbody", {}, ...found.slice(0, SHOWN).map((r) => el("tr", { class: r.id === open ? "on" : "", "data-row": r.id },
        el("th", { scope: "row" }, el("button", { type: "button", "data-station": r.id, "aria-pressed": String(r.id === open), onclick: () => choose(r.id) }, `${r.id} ${t(r.s.name, r.s.en)}`)),
        el("td", { class: r.why.length ? "bad" : "", "data-head": heads[1] }, r.why.length ? `⚠ ${r.why.join(t("，", ", "))}` : "✓"),
        ...(node ? nodeCells(r.id) : stationCells(r.id, r.s)).map((x, n) => el("td", { class: "short", "data-head": heads[n + 2] }, x)))))),
    found.length > SHOWN ? el("p", { class: "note" }, t(`只列前 ${SHOWN} 处，其余用搜索`, `the first ${SHOWN} are listed; search for the others`)) : "");
  if (focus) table.querySelector(`[data-station="${focus}"]`)?.focus();
}

function stationCells(id, s) {
  const now = part("stations")[id], h = part("health")[id];
  return [t(...(WHAT[s.what] || [s.what, s.what])),
    now.value === null ? "–" : `${now.value} ${s.what === "rain" ? t("mm/小时", "mm/h") : s.unit}`,
    now.seen ? age(clock() - now.seen) : t("从未", "never"), h ? `${Math.round(h.share * 100)}%` : "–"];
}

function nodeCells(id) {
  const n = part("nodes")[id], yes = (v, good, bad) => (v === undefined ? "–" : v ? good : bad), played = part("sounded")[id];
  return [n.battery === undefined ? "–" : `${n.battery}%`, yes(n.mains, t("有", "on"), t("停电", "OFF")), yes(n.door, t("开着", "OPEN"), t("关", "shut")),
    yes(n.self_test, t("正常", "good"), t("失败", "FAILED")), played ? age(clock() - played) : t("从未", "never"), n.seen ? age(clock() - n.seen) : t("从未", "never")];
}

async function letters() {
  const found = await ask("/api/dead").catch(() => null);
  if (kind !== "dead" || !found) return;
  const wanted = text.trim().toLowerCase();
  const heads = [t("时间", "Time"), t("来自", "From"), t("代码", "Code"), t("怎么办", "What to do")];
  const some = found.filter((x) => !wanted || `${x.source} ${x.reason} ${of(x.detail)}`.toLowerCase().includes(wanted));
  table.replaceChildren(el("p", { class: "note" }, t(`共 ${part("line").dead || 0} 条，列出最近 ${some.length} 条；原文留在日志里`, `${part("line").dead || 0} in all, the newest ${some.length} shown; what was sent stands in the log`)),
    el("table", { class: "grid stack" }, el("thead", {}, el("tr", {}, ...heads.map((x) => el("th", { scope: "col" }, x)))),
      el("tbody", {}, ...some.map((x) => el("tr", { "data-letter": x.reason }, ...[["short", time(x.at, clock())], ["long", x.source], ["short", x.reason], ["", of(x.detail)]].map(([c, words], n) => el("td", { class: c, "data-head": heads[n] }, words)))))));
}

// other authorities: what came from each, and how their messages deviate from CAP
async function others() {
  const found = await ask("/api/outside").catch(() => null);
  if (kind !== "outside" || !found) return;
  const wanted = text.trim().toLowerCase(), name = Object.fromEntries(found.sources.map((s) => [s.id, t(s.name, s.en)]));
  const some = found.messages.filter((m) => !wanted || `${m.source} ${name[m.source] || ""} ${m.identifier} ${m.headline} ${m.deviations.map(of).join(" ")}`.toLowerCase().includes(wanted));
  const grid = (heads, body) => el("table", { class: "grid stack" }, el("thead", {}, el("tr", {}, ...heads.map((x) => el("th", { scope: "col" }, x)))),
    el("tbody", {}, ...body.map(([row, cells]) => el("tr", row, ...cells.map(([c, words], n) => el("td", { class: c, "data-head": heads[n] }, words))))));
  table.replaceChildren(
    found.sources.length ? "" : el("p", { class: "note" }, t("没有配置外来预警的来源：不听任何一家", "no source of others' warnings is configured: nobody is heard")),
    grid([t("来源", "Source"), t("消息", "Messages"), t("有偏差", "Deviating"), t("最近", "Newest")], found.sources.map((s) => [{ "data-source": s.id },
      [["", s.name === s.id ? s.id : `${s.id} ${t(s.name, s.en)}`], ["short", String(s.count)], [s.deviating ? "short bad" : "short", String(s.deviating)], ["short", s.at ? time(s.at, clock()) : t("从未", "never")]]])),
    grid([t("时间", "Time"), t("来源", "From"), t("消息", "Message"), t("涉及", "Areas"), t("与规范不符、没读懂的", "Not as CAP has it, or not read")], some.map((m) => [{ "data-message": m.identifier },
      [["short", time(m.at, clock())], ["short", name[m.source] || m.source], ["long", `${m.identifier} ${m.headline}`], ["short", String(m.areas.length)], [m.deviations.length ? "bad" : "", m.deviations.length ? m.deviations.map(of).join(t("；", "; ")) : "✓"]]])));
}

async function choose(id) {
  if (!id) return;
  open = id;
  shownService = JSON.stringify(service(id) || null);
  for (const row of table.querySelectorAll("[data-row]")) row.classList.toggle("on", row.dataset.row === id);
  for (const b of table.querySelectorAll("[data-station]")) b.setAttribute("aria-pressed", String(b.dataset.station === id));
  const node = g().nodes[id], s = g().stations[id] || node, why = doubts(id), h = part("health")[id];
  const box = el("div", { class: "years" }, t("正在取…", "Loading…"));
  const spans = el("p", { class: "fields", role: "group", "aria-label": t("看多久", "How long") }, ...SPANS.map(([n, zh, en]) =>
    el("button", { type: "button", "data-hours": n, "aria-pressed": String(n === hours), onclick: () => { hours = n; for (const b of spans.children) b.setAttribute("aria-pressed", String(Number(b.dataset.hours) === n)); draw(id, node ? "battery" : s.what, box, s); } }, t(zh, en))));
  one.replaceChildren(el("h2", {}, `${id} ${t(s.name, s.en)}`),
    el("p", { class: why.length ? "doubt" : "note" }, why.length ? `⚠ ${why.join(t("，", ", "))}` : t("✓ 正常", "✓ well")),
    h ? el("p", {}, t(`最近 24 小时 ${h.count} 条，可疑 ${h.suspect}，无效 ${h.failed}${h.test ? `（检验 ${h.test}）` : ""}`, `last 24 h: ${h.count} readings, ${h.suspect} suspect, ${h.failed} failed${h.test ? ` (test ${h.test})` : ""}`)) : "",
    node ? "" : el("p", {}, s.calibrated ? t(`最近检定 ${s.calibrated}，有效 ${s.counts} 天`, `calibrated ${s.calibrated}, which counts for ${s.counts} days`) : t("没有登记检定日期", "no calibration on record")), serviceBox(id), spans, box);
  await draw(id, node ? "battery" : s.what, box, s);
}

// Out of judgement while it is cleaned, calibrated or swapped: who, why, until when; and the way back.
function serviceBox(id) {
  const now = service(id), mayAct = picture.me.acts.length > 0;
  const said = el("p", { role: "status", class: "said" });
  const send = async (minutes, reason) => {
    try {
      await ask("/api/service", { thing: id, minutes, reason, key: random() });
      said.textContent = t("✓ 已记入，几秒内生效", "✓ on record, in force within seconds");
    } catch (error) { said.textContent = `✗ ${error.message}`; }
  };
  if (now) {
    return el("div", { class: "question", "data-service": id }, el("strong", {}, t(`维护中，至 ${time(now.until, clock())}`, `In service until ${time(now.until, clock())}`)),
      el("p", {}, t(`${now.by}：${of(now.reason)}。读数留存，不研判；所在各区按数据不足处理`, `${now.by}: ${of(now.reason)}. Its values are kept and judged by nobody; its areas count as thin`)),
      mayAct ? el("p", { class: "acts" }, el("button", { type: "button", "data-back": id, onclick: () => send(0, t("维护完毕", "done")) }, t("结束维护，恢复研判", "Done: judge it again"))) : "", said);
  }
  if (!mayAct) return "";
  const long = el("select", { id: "service-minutes" }, ...[[30, "30 分钟", "30 min"], [60, "1 小时", "1 hour"], [120, "2 小时", "2 hours"], [240, "4 小时", "4 hours"], [480, "8 小时", "8 hours"], [1440, "1 天", "1 day"]].map(([n, zh, en]) => el("option", { value: n, selected: n === 120 }, t(zh, en))));
  const why = el("input", { id: "service-reason", required: true, maxlength: 200, list: "service-reasons", autocomplete: "off", placeholder: t("做什么：清洗、滴定校准、更换", "what is done: cleaning, drip test, swap") });
  return el("details", { class: "hand" }, el("summary", {}, t("维护：暂不研判…", "Service: out of judgement…")),
    el("form", { class: "write", onsubmit: (e) => { e.preventDefault(); send(Number(long.value), why.value); } },
      el("label", {}, el("span", {}, t("多久", "How long")), long), el("label", {}, el("span", {}, t("做什么（留痕）", "What is done (on record)")), why),
      el("button", { "data-serve": id }, t(`${id} 开始维护`, `${id} in service from now`)), said));
}

function stepWords(min) {
  if (min < 60) return t(`${min} 分钟`, `${min} min`);
  return min < 1440 ? t(`${min / 60} 小时`, `${min / 60} h`) : t(`${min / 1440} 天`, `${min / 1440} d`);
}

async function draw(id, what, box, s) {
  const mine = (token += 1);
  let data = null;
  box.removeAttribute("role");
  box.removeAttribute("aria-label");
  try { data = await ask(`/api/history/${encodeURIComponent(id)}?hours=${hours}`); await plot(); } catch (error) {
    if (mine === token) box.textContent = error.message;
    return;
  }
  if (mine !== token || !box.isConnected) return;
  if (chart) { chart.destroy(); chart = null; }
  box.replaceChildren();
  if (!data.at.length) { box.textContent = t("这段时间没有数据", "No data in this time"); return; }
  const words = t(...(WHAT[what] || [what, what])), step = stepWords(data.step_min);
  const label = data.sum ? t(`每 ${step}合计`, `sum of each ${step}`) : t(`每 ${step}最高、最低`, `highest and lowest of each ${step}`);
  const top = Math.max(...data.value), sum = data.value.reduce((a, b) => a + b, 0);
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", `${t(s.name, s.en)} ${words} ${label}: ${t("最大", "largest")} ${top} ${data.unit}`);
  // what is missing is a gap, not a line across it
  const at = [], high = [], low = [], width = data.step_min * 60;
  data.at.forEach((x, n) => {
    if (n && x - data.at[n - 1] > Math.max(3 * width, 3600)) { at.push(data.at[n - 1] + width); high.push(null); low.push(null); }
    at.push(x); high.push(data.value[n]); low.push(data.low[n] ?? null);
  });
  const end = clock() / 1000, days = hours > 30, stroke = ink("curve");
  const line = { label, stroke, width: 2, points: { show: at.length < 3 } };
  chart = new window.uPlot({
    width: Math.max(280, box.clientWidth), height: 260, cursor: { drag: { x: true, y: false } }, legend: { show: false },
    scales: { x: { time: true, min: end - hours * 3600, max: end }, y: { range: (_, a, b) => (data.sum ? [0, b * 1.1 || 1] : [a - (b - a || 1) * 0.1, b + (b - a || 1) * 0.1]) } },
    series: [{}, data.sum ? { ...line, fill: "#2f6f86", paths: window.uPlot.paths.bars({ size: [0.9] }) } : line, ...(data.sum ? [] : [{ ...line, stroke: "#7f9db0", width: 1 }])],
    axes: [{ ...axis(), space: days ? 100 : 60, values: (_, v) => v.map((x) => (days ? hours > 800 ? DAY.format(x * 1000) : time(x * 1000) : time(x * 1000, x * 1000))) }, { ...axis(), size: 54 }],
  }, data.sum ? [at, high] : [at, high, low], box);
  box.append(el("p", { class: "chart-words" }, `${words} ${data.unit} · ${label} · ${t("最大", "largest")} ${top}${data.sum ? ` · ${t("合计", "sum")} ${sum.toFixed(1)}` : ` · ${t("最小", "smallest")} ${Math.min(...data.low)}`} · ${t(`${data.count} 个读数；空白是没有数据，不是零`, `${data.count} readings; a blank is no data, not zero`)}`));
}
