// The first screen's answers: what waits for whom and until when, how bad it is, what nobody sees; then
// where, valley by valley with its townships, the worst first, and in each a row a village whatever the
// hazards. What the map shows beside it is the same.

import { clock, part, picture } from "./live.js";
import { moves, woken } from "./proven.js";
import { ACTION, LEVEL, SHAPE, count, el, left, listed, named, of, t, time, worse } from "./words.js";
import { confirm, deadline, nextFor, verbOf, waits, whyNot } from "./warnings.js";

const ALL_OPEN = 10; // so many villages at most are shown without pressing
const open = new Map(); // valley -> what somebody chose
let nextHour = () => "";
const ahead = import("./storm.js").then(({ line }) => { nextHour = line; }, () => {}); // without it all the rest stands

const asked = (w) => ({ level: Math.max(w.level, w.asks_level), action: Math.max(w.action, w.asks_action) });
const most = (all) => all.reduce((a, b) => ({ level: Math.max(a.level, b.level), action: Math.max(a.action, b.action) }), { level: 0, action: 0 });
const people = (villages) => villages.reduce((n, v) => n + v.people, 0);
// whether a red or an order to move waits here: whoever looks decides on that first
const hot = (v) => v.waiting.some(([, w]) => w.questions.some((q) => q.what === "red" || q.what === "move"));
// the first three by name
const some = (vs) => `${vs.slice(0, 3).map((v) => v.name).join(t("、", ", "))}${vs.length > 3 ? t(` 等 ${vs.length} 村`, ` and ${vs.length - 3} more`) : ""}`;
const soonest = (pairs) => Math.min(Infinity, ...pairs.map(([, w]) => deadline(w)));

// Every village with a warning, a question or no eyes on it.
function villages() {
  const g = picture.ground, by = {};
  for (const [id, w] of Object.entries(part("warnings"))) (by[w.area] ||= []).push([id, w]);
  return Object.entries(part("areas")).filter(([id, a]) => a.level || a.action || a.waits || a.dark || by[id]).map(([id, a]) => {
    const mine = by[id] || [], waiting = mine.filter(([, w]) => waits(w));
    return { id, a, name: named(g.areas[id]), people: g.areas[id].people, at: { level: a.level, action: a.action }, waiting,
      worst: most([a, ...mine.map(([, w]) => asked(w))]), until: soonest(waiting), key: `${g.areas[id].basin}|${g.areas[id].town}` };
  });
}

export function valleys() {
  const g = picture.ground, found = new Map();
  for (const v of villages()) found.set(v.key, [...(found.get(v.key) || []), v]);
  return [...found].map(([key, all]) => {
    const [basin] = key.split("|"), area = g.areas[all[0].id], b = g.basins[basin];
    all.sort((x, y) => hot(y) - hot(x) || worse(x.worst, y.worst) || y.waiting.length - x.waiting.length || x.id.localeCompare(y.id));
    const waiting = all.flatMap((v) => v.waiting);
    return { key, all, waiting, name: `${b ? `${t(b.name, b.en)} · ` : ""}${t(area.town, area.town_en)}`, worst: most(all.map((v) => v.worst)), at: most(all.map((v) => v.at)), until: soonest(waiting) };
  }).sort((x, y) => hot(y) - hot(x) || worse(x.worst, y.worst) || (y.waiting.length > 0) - (x.waiting.length > 0) || x.until - y.until || people(y.all) - people(x.all));
}

const grade = ({ level, action }) => `${level ? `${SHAPE[level]} ${of(LEVEL[level])}` : ""}${level && action ? " " : ""}${action ? of(ACTION[action]) : ""}` || "·";
// what is asked for above what is in force
const above = (x) => ({ level: x.worst.level > x.at.level ? x.worst.level : 0, action: x.worst.action > x.at.action ? x.worst.action : 0 });
const colour = ({ level, action }) => Math.max(level, [0, 3, 4][action]);
const ticking = (until, more = "") => (Number.isFinite(until) ? el("span", { class: `countdown${more}`, "data-until": until }, left(until - clock())) : "");

// how long is left, and until when by the clock: digits alone are taken for a time of day
const remaining = (until) => (Number.isFinite(until) ? el("span", { class: "remaining" }, el("small", {}, t(`还剩（到 ${time(until, clock())}）`, `left, until ${time(until, clock())}`)), ticking(until, " huge")) : "");

// what waits, the highest of it named, and large the soonest deadline of all that the act decides: a red may have
// longer than an orange beside it; and the one act of whoever looks
function now(all) {
  const waiting = all.flatMap((v) => v.waiting), [act, mine] = nextFor(waiting);
  const worst = most(waiting.map(([, w]) => ({ level: w.asks_level, action: w.asks_action })));
  const red = waiting.filter(([, w]) => w.asks_level === worst.level && w.asks_action === worst.action || w.questions.some((q) => q.what === "red"));
  const first = red.length ? red : waiting, there = all.filter((v) => first.some(([, w]) => w.area === v.id)), places = there.length;
  if (!waiting.length) return el("p", { class: "empty" }, t("没有等待决定的预警", "Nothing waits for a decision"));
  return el("div", { class: `wait level-${worst.level}`, "data-waits": waiting.length },
    el("p", { class: "wait-what" }, el("strong", {}, `${worst.level ? `${SHAPE[worst.level]} ${of(LEVEL[worst.level])}` : of(ACTION[worst.action])} ${t(`${places} 村待批`, `waits in ${places} villages`)}`),
      first.length > places ? t(`共 ${first.length} 份（有的村两种灾害）`, `${first.length} in all, some villages by two hazards`) : "",
      waiting.length > first.length ? t(`，另 ${waiting.length - first.length} 份`, `, ${waiting.length - first.length} others`) : "", el("span", { class: "wait-where" }, `${some(there)} · ${t(`${people(there)} 人`, `${people(there)} people`)}`), remaining(soonest(waiting))),
    act ? el("button", { type: "button", class: "main-act", "data-now": act, onclick: () => confirm(act, mine) }, `${verbOf(act, mine.map(([, w]) => w))} ${t(`${mine.length} 份`, `${mine.length}`)}…`)
      : el("p", {}, picture.me.acts.length ? listed([...new Set(waiting.map(([, w]) => whyNot(w)))].slice(0, 2)) : t("您的角色只能查看", "Your role may look only")),
    el("a", { href: "#/warnings" }, t("逐村看", "Village by village")));
}

function sums(all) {
  const bad = all.filter((v) => v.at.level || v.at.action), dark = all.filter((v) => v.a.dark), thin = all.filter((v) => !v.a.dark && v.a.live * 2 < v.a.of);
  const moving = bad.filter((v) => v.at.action === 2), ready = bad.filter((v) => v.at.action === 1);
  return el("dl", { class: "sums-of" },
    el("dt", {}, t("生效", "in force")), el("dd", {}, bad.length ? [moving.length ? t(`立即转移 ${moving.length} 村 ${people(moving)} 人`, `move now: ${count(moving.length, "village")}, ${people(moving)} people`) : "", ready.length ? t(`准备转移 ${ready.length} 村 ${people(ready)} 人`, `prepare: ${count(ready.length, "village")}, ${people(ready)} people`) : "", ...[4, 3, 2, 1].map((n) => { const k = bad.filter((v) => v.at.level === n).length; return k ? `${SHAPE[n]} ${of(LEVEL[n])} ${k}` : ""; })].filter(Boolean).join(" · ") : t("无", "nothing")),
    el("dt", {}, t("看不见", "unseen")), el("dd", { class: dark.length ? "blind" : "" }, dark.length ? t(`▨ ${dark.length} 村无数据：`, `▨ no data of ${dark.length}: `) : "", dark.length ? some(dark) : "", thin.length ? t(` 数据不足一半：${some(thin)}`, ` less than half: ${some(thin)}`) : dark.length ? "" : silent().length ? t("各村都还有数据", "every village still has data") : t("各村都有数据", "every village has data"), ...(silent().length ? [t("；", "; "), el("a", { href: "#/stations" }, t(`静默 ${silent().length} 站（${where(silent())}）`, `${count(silent().length, "silent station")} (${where(silent())})`))] : [])),
    ...(done() ? [el("dt", {}, t("转移", "moved")), el("dd", {}, el("a", { href: "#/delivery", "data-done": "" }, done()))] : []),
    ...(nextHour() ? [el("dt", {}, t("下一小时", "next hour")), el("dd", { class: "next-hour" }, nextHour())] : []),
    ...(todo() ? [el("dt", {}, t("要办", "to do")), el("dd", {}, todo())] : []),
    ...(duty().length ? [el("dt", {}, t("值班", "on duty")), el("dd", { class: "on-duty" }, ...duty())] : []));
}

const silent = () => Object.entries(part("stations")).filter(([, s]) => s.late).map(([id]) => id);

// in which townships most of these stations stand, the worst three
function where(ids) {
  const g = picture.ground, of = {};
  for (const a of Object.values(g.areas)) for (const s of a.stations) if (ids.includes(s)) (of[t(a.town, a.town_en)] ||= new Set()).add(s);
  const rows = Object.entries(of).map(([town, some]) => [town, some.size]).sort((x, y) => y[1] - x[1]);
  return `${rows.slice(0, 3).map(([town, n]) => `${town} ${n}`).join(t("、", ", "))}${rows.length > 3 ? t(" 等", " …") : ""}`;
}

// how many have moved and how many were woken, and how much of it is proved
function done() {
  const rows = Object.values(part("roll")).filter((r) => r.action), m = moves(rows), w = woken(rows);
  return [m ? t(`✓ 有据 ${m.proven} 人，？ 只说 ${m.unproven}，✗ 未到 ${m.gone}`, `✓ ${m.proven} proven, ? ${m.unproven} only said, ✗ ${m.gone} not reached`) : "",
    w ? t(`叫应：✓ 有据 ${w.proven} 人，？ 只说 ${w.said}，✗ 无声 ${w.silent}`, `answered: ✓ ${w.proven} proven, ? ${w.said} only said, ✗ ${w.silent} silent`) : ""].filter(Boolean).join(" · ");
}

// what is to be done beside decisions: people who ask for help, tasks of the plan
function todo() {
  const tasks = Object.values(part("tasks")).filter((x) => x.state === "open" || x.state === "overdue"), late = tasks.filter((x) => x.state === "overdue").length;
  const crying = Object.entries(part("roll")).filter(([, r]) => r.help.length).map(([id]) => named(picture.ground.areas[id]));
  return [crying.length ? t(`求助：${crying.join("、")}`, `help asked for: ${crying.join(", ")}`) : "", tasks.length ? t(`预案任务 ${tasks.length} 项未办${late ? `，其中逾期 ${late}` : ""}`, `${count(tasks.length, "task")} of the plan not done${late ? `, ${late} overdue` : ""}`) : ""].filter(Boolean).join(" · ");
}

// who is on duty, and which office has nobody
function duty() {
  return Object.values(part("duty")).map((r) => el("span", { class: r.officers.length ? "" : "blind" }, `${of(r.office)} ${r.officers.length ? r.officers.join(t("、", ", ")) : t("无人值班", "NOBODY")}`));
}

function village(v, pick) {
  const g = picture.ground.areas[v.id], more = above(v).level + above(v).action > 0;
  const says = [v.at.level || v.at.action ? grade(v.at) : v.a.dark ? t("▨ 无数据", "▨ no data") : "·", more ? t(` → 待批 ${grade(above(v))}`, ` → asked: ${grade(above(v))}`) : v.waiting.length ? t(" 有待决定", " waits") : ""].join("");
  return el("button", { type: "button", class: "row village", "data-area": v.id, onclick: () => pick(v.id) },
    el("span", { class: `dot level-${colour(v.at)}${v.a.dark ? " dark" : ""}`, "aria-hidden": "true" }), el("span", { class: "what" }, `${v.name} `, el("small", {}, says)),
    el("span", { class: "note" }, t(`${g.people} 人`, `${g.people} people`), ` ${t("站", "stations")} ${v.a.live}/${v.a.of}`), ticking(v.until));
}

function valley(x, pick, opened) {
  const dark = x.all.filter((v) => v.a.dark).length, more = above(x).level + above(x).action > 0;
  const moving = x.all.filter((v) => v.at.action === 2), rest = x.all.length - moving.length;
  const says = [moving.length ? t(`立即转移 ${moving.length} 村 ${people(moving)} 人`, `move now ${count(moving.length, "village")}, ${people(moving)} people`) : "", !moving.length && (x.at.level || x.at.action) ? t(`现为 ${grade(x.at)}`, `now ${grade(x.at)}`) : "", rest ? t(`${moving.length ? "另 " : ""}${rest} 村`, moving.length ? count(rest, "other") : count(rest, "village")) : "", dark ? t(`▨ ${dark} 村无数据`, `▨ ${dark} without data`) : ""].filter(Boolean).join(" · ");
  const asking = x.all.filter((v) => v.worst.level === x.worst.level && v.at.level < x.worst.level || v.worst.action === x.worst.action && v.at.action < x.worst.action).length;
  const shown = open.has(x.key) ? open.get(x.key) : opened;
  const box = el("details", { class: `valley level-edge-${colour(x.worst)}`, "data-valley": x.key, open: shown },
    el("summary", {}, el("span", { class: `badge level-${x.worst.level}` }, `${SHAPE[x.worst.level]}${x.worst.action === 2 ? "!" : ""}`),
      el("span", { class: "what" }, x.name, el("small", {}, `${more ? t(`待批 ${grade(above(x))} ${asking} 村；`, `asked: ${grade(above(x))} for ${asking}; `) : ""}${says}`)), ticking(x.until)),
    ...x.all.map((v) => village(v, pick)));
  box.addEventListener("toggle", () => { if (box.isConnected && box.open !== shown) open.set(x.key, box.open); });
  return box;
}

// top: what waits and how bad it is, which stays above whatever is opened; root: the valleys. pick(id): a
// village was pressed. Returns what paints both anew; the keyboard stays where it was.
export function board(top, root, pick) {
  let last = "";
  const paint = () => {
    const found = valleys(), all = found.flatMap((x) => x.all), few = all.length <= ALL_OPEN;
    const says = JSON.stringify([silent().length, found.map((x) => [x.key, x.waiting.map(([id, w]) => [id, w.version, w.questions]), x.all.map((v) => [v.id, v.a, v.worst])]), todo(), done(), part("duty"), nextHour()]);
    if (says === last && root.firstChild) return;
    last = says;
    const at = document.activeElement, inside = root.contains(at) || top.contains(at), focus = inside && (at.dataset.area ? `[data-area="${at.dataset.area}"]` : at.dataset.now ? "[data-now]" : at.closest("[data-valley]") ? `[data-valley="${at.closest("[data-valley]").dataset.valley}"] summary` : "");
    top.replaceChildren(now(all), sums(all));
    root.replaceChildren(
      all.length ? el("h2", {}, t("各沟各村，最急的在前", "Valleys, the most pressing first")) : el("p", { class: "empty" }, t(`没有预警。最近一次数据 ${time(clock())}`, `No warning. Newest data ${time(clock())}`)),
      ...found.map((x) => valley(x, pick, few)));
    if (focus) document.querySelector(focus)?.focus();
  };
  ahead.then(() => { if (root.firstChild && root.isConnected) paint(); });
  return paint;
}

export function tick() {
  for (const e of document.querySelectorAll("[data-until]")) e.textContent = left(Number(e.dataset.until) - clock());
}
