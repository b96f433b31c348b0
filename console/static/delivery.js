// 送达: how far the newest word of every warning came. First the sums, then area by area with those
// first where somebody who must answer was not reached; one area's missed beside the list.

import { ask, clock, onChange, part, picture } from "./live.js";
import { age, badge, el, named, of, random, t, time } from "./words.js";
import { paintRoll } from "./roll.js";
import { CHANNEL, KIND, STATE_OF } from "./words_sent.js";

let kept = {}, open = "", area = null, told = null, speakerTable = null, list = null, sums = null, roll = null, shown = "", token = 0;
const g = () => picture.ground;
const placeOf = (id) => { const a = g().areas[id]; return a ? `${t(a.town, a.town_en)} ${t(a.name, a.en)}` : id; };
const may = () => picture.me.acts.length > 0;
// the way that a message stopped on, which ones were tried before it and which are left
const tried = (m) => {
  const say = (some) => some.map((c) => of(CHANNEL[c]) || c).join(t("、", ", ")), at = m.ways.indexOf(m.channel), before = m.ways.slice(0, Math.max(0, at)), after = m.ways.slice(at + 1).filter((c) => c !== m.channel);
  const rest = [before.length ? t(`先试过${say(before)}`, `tried before: ${say(before)}`) : "", after.length ? t(`还有${say(after)}`, `left: ${say(after)}`) : ""].filter(Boolean).join(t("；", "; "));
  return `${say([m.channel])}${rest ? t(`（${rest}）`, ` (${rest})`) : ""}`;
};

export const keys = [
  ["j", "下一个区", "Next area", () => step(1)],
  ["k", "上一个区", "Previous area", () => step(-1)],
];

export function show(root) {
  sums = el("p", { class: "sums" });
  roll = el("div");
  speakerTable = el("div");
  told = el("summary");
  list = el("div", { class: "sent-list" });
  area = el("section", { class: "detail", "aria-label": t("一个区的送达", "One area") });
  root.append(el("section", { class: "queue-side wide", "aria-label": t("各区送达", "Areas") }, el("h2", {}, t("送达", "Delivery")), roll, sums, list, el("details", { class: "nodes" }, told, speakerTable)), area);
  shown = "";
  kept = {};
  const off = onChange((parts) => {
    if (parts.has("reach") || parts.has("areas")) paint();
    if (parts.has("roll") || Math.floor(clock() / 60000) !== minute) people();
    if (parts.has("nodes") || parts.has("sounded")) speakers();
  });
  paint();
  people();
  speakers();
  return off;
}

// a word grows older without a record
let minute = 0;
function people() {
  minute = Math.floor(clock() / 60000);
  paintRoll(roll);
}

const rows = () => Object.entries(part("reach")).sort(([x, a], [y, b]) =>
  b.must_missed.length - a.must_missed.length || b.missed - a.missed || b.of - a.of || x.localeCompare(y));

function step(by) {
  const ids = rows().map(([id]) => id);
  if (ids.length) { open = ids[Math.min(ids.length - 1, Math.max(0, ids.indexOf(open) + by))]; shown = ""; paint(); }
}

function paint() {
  const found = rows(), sum = (k) => found.reduce((n, [, r]) => n + r[k], 0);
  const speakers = found.reduce((n, [, r]) => ({ all: n.all + total(r.channels.broadcast), on: n.on + (r.channels.broadcast?.played || 0) }), { all: 0, on: 0 });
  const missed = sum("missed"), must = new Set(found.flatMap(([, r]) => r.must_missed)).size;
  sums.replaceChildren(
    figure(t("责任人叫应（人次）", "answered (person and area)"), sum("answered"), sum("must"), must),
    figure(t("大喇叭已播", "loudspeakers played"), speakers.on, speakers.all, 0),
    figure(t("全部接收者已达", "all recipients reached"), sum("reached"), sum("of"), 0),
    el("span", { class: missed ? "figure bad" : "figure" }, el("b", {}, String(missed)), t("未送达（人次）", "not reached (recipient and area)"), must ? el("strong", {}, t(`其中 ${must} 人必须叫应：打电话`, `${must} of them must answer: telephone`)) : ""));
  if (!part("reach")[open]) open = found[0]?.[0] || "";
  const focus = document.activeElement?.dataset?.reach;
  // a warning in force of which nothing was sent: the worst that this page can show
  const unsent = Object.entries(part("areas")).filter(([id, a]) => (a.level || a.action) && !part("reach")[id]).map(([id]) => placeOf(id));
  const alarm = unsent.length ? el("p", { class: "doubt", role: "alert", "data-unsent": unsent.length }, t(`⚠ ${unsent.length} 个区有预警，却没有发送记录：${unsent.slice(0, 10).join("、")}`, `⚠ ${unsent.length} areas under warning of which nothing was sent: ${unsent.slice(0, 10).join(", ")}`)) : "";
  list.replaceChildren(alarm, found.length ? table(found) : unsent.length ? "" : el("p", { class: "empty" }, t("没有发出预警", "No warning has been sent")));
  if (focus) list.querySelector(`[data-reach="${focus}"]`)?.focus();
  const r = part("reach")[open], key = r ? `${open}/${r.missed}/${r.rev}` : "";
  if (key !== shown || !r) { shown = key; one(open, r); }
}

const total = (states) => Object.values(states || {}).reduce((a, b) => a + b, 0);
const figure = (words, n, all, bad) => el("span", { class: bad ? "figure bad" : "figure" }, el("b", {}, `${n}/${all}`), words);

function table(found) {
  return el("table", { class: "grid" },
    el("thead", {}, el("tr", {}, ...[t("预警区", "Area"), t("未达", "Missed"), t("叫应", "Answered"), t("各渠道：走到哪一步", "How far, by channel")].map((x) => el("th", { scope: "col" }, x)))),
    el("tbody", {}, ...found.map(([id, r]) => {
      const a = part("areas")[id];
      return el("tr", { class: `${id === open ? "on" : ""}`, "data-sent": id },
        el("th", { scope: "row" }, el("button", { type: "button", "data-reach": id, "aria-pressed": String(id === open), onclick: () => { open = id; shown = ""; paint(); } }, placeOf(id)), " ", a.level || a.action ? badge(a.level, a.action) : ""),
        el("td", { class: r.missed ? "bad" : "" }, r.missed ? `✗ ${r.missed}` : r.reached < r.of ? "…" : "✓"),
        el("td", { class: r.must_missed.length ? "bad" : "" }, r.must ? `${r.answered}/${r.must}` : "–"),
        el("td", {}, ...Object.entries(r.channels).map(([c, states]) => el("span", { class: "way" }, el("b", {}, of(CHANNEL[c]) || c), " ",
          Object.entries(states).map(([s, n]) => `${of(STATE_OF[s])} ${n}`).join(t("、", ", "))))));
    })));
}

async function one(id, r) {
  if (!r) { area.replaceChildren(el("p", { class: "empty" }, t("没有要查看的区", "Nothing to look at"))); return; }
  const mine = (token += 1);
  const found = await ask(`/api/missed/${encodeURIComponent(id)}`).catch((error) => ({ fault: error.message }));
  if (mine !== token) return;
  if (!found.missed) { area.replaceChildren(el("p", { class: "doubt" }, found.fault)); return; }
  const missed = found.missed;
  if (kept.id !== id) kept = { id, said: el("p", { role: "status", class: "said" }), calls: el("div", { class: "calls" }) };
  const { said, calls } = kept; // whoever is on the telephone keeps the list
  const people = missed.filter((m) => m.role !== "node");
  area.replaceChildren(
    el("h2", {}, `${placeOf(id)} `, r.missed ? el("span", { class: "badge level-4" }, t(`✗ ${r.missed} 未送达`, `✗ ${r.missed} not reached`)) : el("span", { class: "badge level-0" }, r.reached < r.of ? t("… 还在路上", "… under way") : t("✓ 全部送达", "✓ all reached"))),
    el("p", {}, t(`已达 ${r.reached}/${r.of}，还在路上 ${found.under_way}`, `reached ${r.reached} of ${r.of}, under way ${found.under_way}`)),
    may() ? el("p", { class: "acts" },
      missed.length ? el("button", { type: "button", class: "main-act", "data-calls": id, onclick: () => call(id, calls, missed) }, t("电话名单（查看留痕）", "Call list (each look is on record)")) : "",
      missed.length ? el("button", { type: "button", "data-resend": "missed", onclick: (e) => again(e.target, id, missed.map((m) => m.id), said) }, t(`重发未达的 ${missed.length} 条`, `Send the ${missed.length} that missed again`)) : "",
      el("button", { type: "button", "data-resend": "all", onclick: (e) => again(e.target, id, [], said) }, t("全区重发…", "Send again to the whole area…"))) : "",
    said, calls,
    missed.length ? el("table", { class: "grid" }, el("thead", {}, el("tr", {}, ...[t("谁（代号）", "Who (id)"), t("渠道", "Way"), t("停在", "Stopped at"), t("时间", "Time"), t("原因", "Why")].map((x) => el("th", { scope: "col" }, x)))),
      el("tbody", {}, ...missed.map((m) => el("tr", { "data-missed": m.who },
        el("th", { scope: "row" }, `${m.who} ${m.node ? named(g().nodes[m.who]) : ""}`, el("small", {}, ` ${of(KIND[m.category === "downstream" ? m.category : m.role]) || m.role}${m.must ? t(" · 必须叫应", " · must answer") : ""} · ${t(m.hazard, m.hazard_en)}`)),
        el("td", {}, tried(m)),
        el("td", { class: "short" }, of(STATE_OF[m.state]), m.again ? t(`（第 ${m.again} 次重发）`, ` (sent again ${m.again}×)`) : ""),
        el("td", { class: "short" }, `${time(m.at, clock())} · ${age(clock() - m.at)}`),
        el("td", {}, of(m.why) || (m.must ? t("没有应答", "no answer yet") : "")))))) : "",
    people.length && !may() ? el("p", { class: "note" }, t("号码只给值班和批准人员看", "Numbers are for duty officers and approvers only")) : "");
}

async function call(id, box, missed) {
  try {
    const found = await ask("/api/calls", { area: id });
    const seen = new Set();
    const those = missed.filter((m) => found.people[m.who] && !seen.has(m.who) && seen.add(m.who));
    box.replaceChildren(el("h3", {}, t("打电话", "Telephone")), el("ol", {},
      ...those.map((m) => el("li", { "data-call": m.who }, el("strong", {}, found.people[m.who].phone || t("无号码", "no number")), ` ${found.people[m.who].name} ${m.who}${m.must ? t(" · 必须叫应", " · must answer") : ""} · ${t(m.hazard, m.hazard_en)}`)),
      el("li", {}, el("strong", {}, found.village.phone), ` ${t(g().areas[id].name, g().areas[id].en)} ${t("村里电话", "the village's own number")}`)));
  } catch (error) { box.replaceChildren(el("p", { role: "alert", class: "bad" }, error.message)); }
}

// The whole area is a loud thing: it takes a second press on the same button, within five seconds.
async function again(button, id, deliveries, said) {
  if (!deliveries.length && !button.dataset.sure) {
    button.dataset.sure = "1";
    button.textContent = t("再按一次：全区重发", "Press again: the whole area");
    setTimeout(() => { delete button.dataset.sure; if (button.isConnected) button.textContent = t("全区重发…", "Send again to the whole area…"); }, 5000);
    return;
  }
  button.disabled = true;
  said.textContent = t("正在送出…", "Sending…");
  try {
    const found = await ask("/api/resend", { area: id, deliveries, key: random() });
    said.textContent = t(`✓ 已排队重发 ${found.queued} 个`, `✓ ${found.queued} queued again`);
  } catch (error) { said.textContent = `✗ ${error.message}`; button.disabled = false; }
}

function speakers() {
  const found = Object.entries(part("nodes")), sounded = part("sounded");
  const bad = ([, n]) => n.late || n.mains === 0 || (n.battery !== undefined && n.battery < 30) || n.self_test === 0;
  found.sort((a, b) => bad(b) - bad(a) || a[0].localeCompare(b[0]));
  told.textContent = t(`大喇叭 ${found.length} 台，需看 ${found.filter(bad).length} 台`, `${found.length} loudspeakers, ${found.filter(bad).length} to look at`);
  speakerTable.replaceChildren(el("table", { class: "grid" }, el("thead", {}, el("tr", {}, ...[t("终端", "Node"), t("电量", "Battery"), t("市电", "Mains"), t("最近播出", "Last played"), t("最近来信", "Last heard")].map((x) => el("th", { scope: "col" }, x)))),
      el("tbody", {}, ...found.map(([id, n]) => el("tr", { class: bad([id, n]) ? "bad-row" : "" },
        el("th", { scope: "row" }, `${id} ${t(g().nodes[id].name, g().nodes[id].en)}`),
        el("td", {}, n.battery === undefined ? "–" : `${n.battery} %`),
        el("td", {}, n.mains === undefined ? "–" : n.mains ? t("有", "on") : t("停电", "OFF")),
        el("td", {}, sounded[id] ? `${time(sounded[id], clock())} (${age(clock() - sounded[id])})` : t("从未", "never")),
        el("td", {}, `${n.seen ? age(clock() - n.seen) : t("从未", "never")}${n.late ? t(" 静默", " silent") : ""}`))))));
}
