// 预警: first what waits for a decision, with its countdown; then what is in force; then what was
// decided. One warning's evidence and exact words stand beside the list. An act takes two presses:
// the button, and the button of the box that says once more what it will do.

import { chart } from "./chart.js";
import { ask, clock, onChange, part, picture } from "./live.js";
import { ACT, ACTION, LEVEL, SHAPE, STATE, age, badge, el, left, listed, named, of, random, t, time, what, worse } from "./words.js";
import { CHANNEL, KIND } from "./words_sent.js";

export const name = "warnings";
export const words = ["预警", "Warnings"];
export const keys = [
  ["j", "下一个", "Next", () => step(1)],
  ["k", "上一个", "Previous", () => step(-1)],
  ["x", "选中或取消选中", "Select or not", () => document.querySelector(`[data-pick="${part("warnings")[open]?.area}"]`)?.click()],
  ["r", "发布", "Release", () => document.querySelector('[data-act="release"]:not(:disabled)')?.click()],
];
const AUDIENCE = { ...KIND, public: ["居民", "residents"], organisation: ["单位", "organisations"], responsible: ["责任人（须应答）", "responsible persons"], observer: ["观察员", "observers"], duty: ["值班台", "duty room"] };
// what is good enough to let a warning out; taking something back asks for a reason of its own
const READY = { release: ["依据实况，同意发布", "As measured, released"], approve: ["依据实况，同意发布", "As measured, approved"] };
const DRAFT = "draft-of-a-decision";
const CAME = { happened: ["成灾", "it happened"], quiet: ["未成灾", "it did not"], unknown: ["不明", "not known"] };
// What takes protection away from people in danger is asked once more; what gives it is not: there the
// second press and the second person are the guard, and no red waits for a PIN.
const TAKES_BACK = ["cancel", "lower", "reject"];
const grave = (w) => Math.max(w.level, w.asks_level) >= 3 || Math.max(w.action, w.asks_action) === 2;
const mine = (q) => q.signed.includes(picture.me.officer);
// what this officer can do next for a warning, the server says: what protects people before what ends it
const NEXT = ["release", "approve", "cancel", "lower"];
const nextOf = (w) => NEXT.find((a) => picture.me.acts.includes(a) && w.questions.some((q) => q.next[picture.me.officer] === a)) || "";
// The one act that does the next thing for each of these warnings for which this officer can do one, and
// which they are. A release by the first of two persons is their approval, so it goes for both.
export function nextFor(pairs) {
  const can = pairs.map(([id, w]) => [id, w, nextOf(w)]).filter(([, , a]) => a);
  const out = can.filter(([, , a]) => a === "release" || a === "approve");
  const act = out.some(([, , a]) => a === "release") ? "release" : out.length ? "approve" : can[0]?.[2] || "";
  return [act, (out.length ? out : can.filter(([, , a]) => a === act)).map(([id, w]) => [id, w])];
}
// the words of a button: which of two persons presses it, and for how many
export function verbOf(act, ws) {
  const qs = ws.flatMap((w) => w.questions).filter((q) => q.next[picture.me.officer]), two = qs.filter((q) => q.two);
  const first = qs.some((q) => q.joint && q.awaited.length) ? t("本单位同意（联合发布）", "Agree for your office (joint release)") : t("批准（第一人，再由另一人发布）", "Approve (first of two; another releases)");
  if (act === "release") {
    const only = ws.filter((w) => nextOf(w) === "approve").length;
    const verb = qs.length && qs.every((q) => q.joint && q.agreed.length) ? t("本单位同意并联合发布", "Agree for your office and release jointly") : two.length && two.every((q) => q.signed.length && !mine(q)) ? t("第二人发布", "Release as the second person") : of(ACT[act]);
    return only && only < ws.length ? `${verb} ${ws.length - only}${t("、", ", ")}${first} ${only}${t("，共", ", in all")}` : only ? first : verb;
  }
  if (act === "approve" && ws.every((w) => phones(w) && nextOf(w) !== "approve")) return t("记录电话批准", "Record an approval by telephone");
  if (act === "approve" && two.length) return first;
  if (ws.length && ws.every((w) => w.questions.some((q) => q.what === act && q.next[picture.me.officer] === act))) return t(`第二人${of(ACT[act])}`, `${of(ACT[act])} as the second person`);
  return of(ACT[act]);
}
const phones = (w) => w.questions.some((q) => q.next[picture.me.officer] === "phone");
// what a button may be pressed for by this officer: no press that can only be refused
const can = (act, w) => act === "release" ? nextOf(w) === "release"
  : act === "approve" ? w.questions.some((q) => ["approve", "phone"].includes(q.next[picture.me.officer]))
    : act !== "hold" || w.questions.some((q) => q.decide.includes(picture.me.officer));
// why this officer can do nothing for what waits, and who can
const jointly = (q) => q.agreed.length
  ? t(`${what(q.what)}联合发布：${offices(q.agreed)}已同意，待${offices(q.awaited)}：${listed(Object.keys(q.next))}`, `${what(q.what)}, joint release: ${offices(q.agreed)} agreed, waiting for ${offices(q.awaited)}: ${listed(Object.keys(q.next))}`)
  : t(`${what(q.what)}联合发布：${offices(q.awaited)}都须同意：${listed(Object.keys(q.next))}`, `${what(q.what)}, joint release: ${offices(q.awaited)} must all agree: ${listed(Object.keys(q.next))}`);
const offices = (those) => those.map(of).join(t("、", ", "));
export function whyNot(w) {
  const signed = w.questions.find(mine), q = w.questions.at(-1);
  if (q.joint && q.awaited.length) return jointly(q);
  if (signed) return t(`您已署名，须另一人${signed.what === "cancel" || signed.what === "lower" ? "确认" : "发布"}：${listed(Object.keys(signed.next))}`, `You have signed; another person must ${signed.what === "cancel" || signed.what === "lower" ? "confirm" : "release"} it: ${listed(Object.keys(signed.next))}`);
  if (q.may) return t(`${what(q.what)}由${of(q.may)}决定`, `${of(q.may)} decides on ${what(q.what)}`);
  return t(`须由 ${listed(Object.keys(q.next))} 确认`, `${listed(Object.keys(q.next))} must confirm it`);
}

let open = "";
const picked = new Set();
let root = null, detail = null, shownVersion = "";

const all = () => Object.entries(part("warnings"));
export const waits = (w) => w.questions.length > 0;
export const deadline = (w) => Math.min(...w.questions.map((q) => q.until || Infinity));
function order() {
  const asked = (w) => ({ level: Math.max(w.level, w.asks_level), action: Math.max(w.action, w.asks_action) });
  return all().sort(([x, a], [y, b]) => waits(b) - waits(a) || worse(asked(a), asked(b)) ||
    (waits(a) && deadline(a) !== deadline(b) ? deadline(a) - deadline(b) : x.localeCompare(y)));
}
const placeOf = (w) => { const a = picture.ground.areas[w.area]; return `${t(a.town, a.town_en)} ${t(a.name, a.en)}`; };

export function show(into) {
  root = el("div", { class: "queue", "data-queue": "" });
  detail = el("section", { class: "detail", "aria-label": t("一份预警", "One warning") });
  into.append(el("section", { class: "queue-side", "aria-label": t("预警列表", "Warnings") }, root), detail);
  shownVersion = "";
  let alive = true;
  onChange((parts) => { if (alive && (parts.has("warnings") || parts.has("decisions"))) paint(); });
  paint();
  const timer = setInterval(countdown, 1000);
  return () => { alive = false; clearInterval(timer); };
}

function step(by) {
  const ids = order().map(([id]) => id);
  if (ids.length) choose(ids[Math.min(ids.length - 1, Math.max(0, ids.indexOf(open) + by))]);
}

function choose(id) {
  open = id;
  detail.classList.add("up"); // on a narrow screen: over the list, until it is put back
  shownVersion = "";
  paint();
  document.querySelector(`[data-open="${id}"]`)?.focus();
}

function countdown() {
  for (const e of document.querySelectorAll("[data-until]")) e.textContent = left(Number(e.dataset.until) - clock());
}

function paint() {
  const rows = order(), known = part("warnings");
  for (const id of picked) if (!known[id] || !waits(known[id])) picked.delete(id);
  if (!known[open]) open = rows[0]?.[0] || "";
  const waiting = rows.filter(([, w]) => waits(w)), rest = rows.filter(([, w]) => !waits(w));
  const at = document.activeElement?.dataset || {}, mark = ["open", "pick", "many"].find((k) => at[k]);
  const focus = mark && `[data-${mark}="${at[mark]}"]`;
  root.replaceChildren(
    el("h2", {}, t(`待决定 ${waiting.length}`, `To be decided ${waiting.length}`)),
    waiting.length ? many(waiting) : el("p", { class: "empty" }, t("没有等待决定的预警", "Nothing waits for a decision")),
    ...grouped(waiting),
    el("h2", {}, t(`已发布、暂缓 ${rest.length}`, `In force or held ${rest.length}`)), ...grouped(rest),
    el("h2", {}, t("最近的决定", "Newest decisions")), ledger());
  if (focus) document.querySelector(focus)?.focus();
  countdown();
  const w = known[open];
  // a version that is put to somebody anew has other people to ask, and another time
  const version = w ? `${open}/${w.version}/${JSON.stringify(w.questions)}` : "";
  if (version !== shownVersion || !w) { shownVersion = version; one(open, w); }
}

// Each button is for the warnings that it was drawn with, as they were then: what comes in later is for
// the next press.
function many(waiting) {
  const pairs = picked.size ? waiting.filter(([id]) => picked.has(id)) : waiting;
  const which = (n) => picked.size ? t(`所选 ${n} 份`, `${n} selected`) : t(`${n} 份`, `${n}`);
  const [main, first] = nextFor(pairs);
  const rows = main ? [[main, first]] : [];
  for (const act of ["release", "approve", "hold"]) {
    const some = pairs.filter(([, w]) => can(act, w));
    if (act !== main && picture.me.acts.includes(act) && some.length) rows.push([act, some]);
  }
  const left_ = pairs.filter(([id]) => !first.some(([x]) => x === id));
  return el("div", {}, el("p", { class: "many" }, ...rows.map(([a, some]) =>
    el("button", { type: "button", class: a === main ? "main-act" : "", "data-many": a, onclick: () => confirm(a, some) }, `${verbOf(a, some.map(([, w]) => w))} ${which(some.length)}…`))),
    picture.me.acts.length && left_.length ? el("p", { class: "note", "data-not-mine": left_.length }, t(`另 ${left_.length} 份：`, `${left_.length} others: `), listed([...new Set(left_.map(([, w]) => whyNot(w)))].slice(0, 3))) : "");
}

// By valley and township, and in each a row a village whatever the hazards: the same decision is asked for
// once, and each village's can still be made by itself.
function grouped(rows) {
  const g = picture.ground, found = new Map();
  for (const one_ of rows) {
    const area = g.areas[one_[1].area], key = `${area.basin}|${area.town}`;
    if (!found.has(key)) found.set(key, new Map());
    const places = found.get(key);
    places.set(one_[1].area, [...(places.get(one_[1].area) || []), one_]);
  }
  return [...found].flatMap(([key, places]) => [valley(key, [...places.values()].flat()), ...[...places].map(village)]);
}

function valley(key, pairs) {
  const g = picture.ground, area = g.areas[pairs[0][1].area], b = g.basins[area.basin], waiting = pairs.filter(([, w]) => waits(w));
  const name_ = `${b ? `${t(b.name, b.en)} · ` : ""}${t(area.town, area.town_en)}`;
  const [act, mine_] = nextFor(waiting);
  return el("h3", { class: "valley-head", "data-valley": key }, waiting.length && picture.me.acts.length ? pick(key, waiting, `${t("选中", "Select")} ${name_}`) : "", el("span", { class: "what" }, name_),
    act ? el("button", { type: "button", "data-valley-act": key, onclick: () => confirm(act, mine_) }, t(`只办这条沟 ${mine_.length} 份…`, `this valley only, ${mine_.length}…`)) : "");
}

function pick(key, waiting, words_) {
  const every = waiting.every(([id]) => picked.has(id));
  return el("input", { type: "checkbox", "data-pick": key, checked: every, "aria-label": words_, onclick: (e) => { for (const [id] of waiting) if (e.target.checked) picked.add(id); else picked.delete(id); paint(); } });
}

function village([area, mine_]) {
  const waiting = mine_.filter(([, w]) => waits(w)), until = Math.min(...waiting.map(([, w]) => deadline(w)));
  return el("div", { class: `row${mine_.some(([id]) => id === open) ? " on" : ""}`, "data-village": area },
    waiting.length && picture.me.acts.length ? pick(area, waiting, `${t("选中", "Select")} ${placeOf(mine_[0][1])}`) : "",
    el("div", { class: "hazards" }, ...mine_.map(hazard)),
    Number.isFinite(until) ? el("span", { class: "countdown", "data-until": until }) : "");
}

function hazard([id, w], n) {
  const asked = w.questions.map((q) => q.what);
  return el("div", { "data-warning": id, "data-state": w.state },
    el("button", { type: "button", "data-open": id, "aria-pressed": String(id === open), onclick: () => choose(id) },
      el("span", { class: "what" }, el("span", { class: n ? "unseen" : "" }, named(picture.ground.areas[w.area])), ` ${t(w.hazard_zh, w.hazard_en)}`),
      el("span", { class: "badges" }, badge(w.level, w.action),
        waits(w) ? el("span", { class: "asks" }, " → ", el("strong", {}, asked.filter((c) => c !== "red").map(what).join(" ")), asked.includes("red") ? el("span", { class: "badge level-4" }, what("red")) : "", ` ${w.questions.some((q) => q.joint && q.agreed.length) ? t(`待${offices(w.questions.find((q) => q.agreed.length).awaited)}`, `waits for ${offices(w.questions.find((q) => q.agreed.length).awaited)}`) : w.questions.some((q) => q.signed.length) ? t("已有一人", "one signed") : ""}`) : el("span", { class: "asks" }, ` ${of(STATE[w.state])}`))));
}

function ledger() {
  const acts = Object.values(part("decisions")).sort((a, b) => b.at - a.at).slice(0, 12);
  return el("ol", { class: "ledger" }, ...acts.map((d) => el("li", { class: d.outcome },
    `${time(d.at, clock())} ${{ done: "✓", already: "=", refused: "✗" }[d.outcome]} ${d.by === "policy" ? t("按规定", "by rule") : d.by} ${of(ACT[d.act]) || d.act} ${d.area ? (picture.ground.areas[d.area] ? named(picture.ground.areas[d.area]) : d.area) : ""}${t("：", ": ")}${of(d.words)}`)));
}

async function one(id, w) {
  if (!w) { detail.replaceChildren(el("p", { class: "empty" }, t(`没有预警。最近一次数据 ${time(clock())}`, `No warning. Newest data ${time(clock())}`))); return; }
  const texts = el("div", { class: "texts" }, t("正在取文字…", "Loading the words…"));
  const why = el("div", { class: "why" }), plan = el("div", {});
  detail.replaceChildren(
    el("button", { type: "button", class: "back", onclick: () => { detail.classList.remove("up"); document.querySelector(`[data-open="${open}"]`)?.focus(); } }, t("← 返回列表", "← Back to the list")),
    el("h2", {}, `${placeOf(w)} ${t(w.hazard_zh, w.hazard_en)} `, badge(w.level, w.action), el("small", {}, ` ${t("第", "version ")}${w.version}${t("版", "")} · ${of(STATE[w.state])}`)),
    ...w.questions.map(question),
    buttons(id, w),
    el("h3", {}, t("依据", "Evidence")), why,
    el("h3", {}, t("发布后各方收到的原文", "Exact words each audience would get")), texts, plan);
  countdown();
  why.append(...evidence(w));
  const found = await ask(`/api/texts/${id}`).catch((error) => ({ fault: error.message }));
  if (!texts.isConnected) return; // another warning or version was opened meanwhile
  if (!found.texts) { texts.replaceChildren(el("p", { class: "doubt" }, found.fault)); return; }
  why.append(before(found.before));
  import("./order_draft.js").then(({ order: made }) => { if (plan.isConnected) plan.replaceChildren(...made(id, w, found)); }, () => {});
  const reach = Object.entries(found.reach).map(([c, n]) => `${of(CHANNEL[c]) || c} ${n}`).join(t("、", ", "));
  texts.replaceChildren(el("p", { class: "reach" }, t(`涉及 ${found.people} 人；将送达 ${reach}`, `${found.people} people concerned; goes to ${reach}`)),
    el("p", { class: found.none ? "doubt" : "note" }, t(`估计：名单上 ${found.on_list} 人，喇叭可及 ${found.in_sound} 人，毫无覆盖 ${found.none} 人${found.later ? `；${found.later} 个接收者免扰时段后才收到` : ""}`, `estimate: ${found.on_list} on lists, ${found.in_sound} in sound, ${found.none} reached by nothing${found.later ? `; ${found.later} recipients only after their quiet hours` : ""}`)),
    ...found.texts.map((x) => el("article", {}, el("h4", {}, `${of(AUDIENCE[x.audience]) || x.audience} · ${x.channels.map((c) => of(CHANNEL[c]) || c).join("/")} · ${x.lang === "en" ? t("英文", "English") : t("中文", "Chinese")}${x.segments ? t(` · 短信 ${x.segments} 条`, ` · ${x.segments} SMS`) : ""}`),
      el("blockquote", { lang: x.lang }, x.title ? el("strong", {}, `${of(x.title)} `) : "", x.text))));
}

function before(b) {
  const all_ = b.happened + b.quiet + b.unknown;
  if (!all_ && !b.missed) return el("p", { class: "whole note" }, t("本区本灾种没有过往预警", "No earlier warning of this area and hazard"));
  return el("details", { class: "whole" }, el("summary", {}, t(`过往同类 ${all_} 次：成灾 ${b.happened}，未成灾 ${b.quiet}，不明 ${b.unknown}；未预警而成灾 ${b.missed}`, `${all_} earlier: it happened ${b.happened}, did not ${b.quiet}, not known ${b.unknown}; happened without a warning ${b.missed}`)),
    el("ul", {}, ...b.rows.map((r) => el("li", {}, `${time(r.at)} `, badge(r.level, r.action), ` ${of(CAME[r.came])} ${r.notes.map(of).join(t("；", "; "))}`))));
}

// the picture with nobody hidden: a reason is asked for and kept with the look
function asTaken(digest) {
  const why = el("input", { maxlength: 200, placeholder: t("看原图的理由", "why you need it as taken"), "aria-label": t("看原图的理由", "why you need it as taken") });
  const open = el("button", { type: "button" }, t("看原图", "As taken"));
  open.onclick = () => { if (why.value.trim().length > 1) window.open(`/api/frame/${digest()}?as_taken=${encodeURIComponent(why.value.trim())}`, "_blank", "noopener"); else why.focus(); };
  return el("p", { class: "note" }, t("画面中的人已遮去。", "Persons in it are hidden. "), why, open);
}

// a camera's pictures, one at a time: the arrow keys turn them over
function clip(frames, words) {
  const img = el("img", { src: `/api/frame/${frames.at(-1)}`, alt: words, class: "frame" });
  const at = el("input", { type: "range", min: 0, max: frames.length - 1, value: frames.length - 1, "aria-label": t(`翻看 ${frames.length} 张图像`, `Turn over ${frames.length} pictures`) });
  at.oninput = () => { img.src = `/api/frame/${frames[Number(at.value)]}`; };
  const made = el("div", { class: "clip" }, img, frames.length > 1 ? at : "");
  fetch(img.src, { method: "HEAD" }).then((r) => { if (r.headers.get("fengsui-persons")) made.append(asTaken(() => frames[Number(at.value)])); }).catch(() => {});
  return made;
}

function question(q) {
  const who = q.called.length ? listed(q.called) : t("无人", "nobody");
  return el("p", { class: "question" }, el("strong", {}, `${t("待决定：", "To be decided: ")}${what(q.what)}`),
    q.until ? el("span", { class: "countdown", "data-until": q.until }) : "",
    ` ${t("在问", "asked")} ${who}`, q.mute.length ? el("strong", { class: "doubt" }, t(`（${q.mute.join("、")} 没有联系方式，收不到通知，请打电话）`, ` (no message can reach ${q.mute.join(", ")}: telephone)`)) : "", q.joint ? el("strong", { class: "joint" }, ` · ${jointly(q)}`) : q.signed.length ? el("strong", {}, ` · ${t("第一人已署名", "first name")} ${listed(q.signed)}${t("，须另一人发布", ", another must release")}`) : "");
}

function evidence(w) {
  const g = picture.ground, made = [];
  if (w.suspect) made.push(el("p", { class: "doubt" }, t("⚠ 只有可疑数据支持", "⚠ rests on suspect values alone")));
  if (w.thin) made.push(el("p", { class: "doubt" }, t("⚠ 可用监测站太少", "⚠ too few stations speak")));
  if (w.coverage) made.push(el("p", {}, t(`可用监测站 ${w.coverage[0]}/${w.coverage[1]}`, `stations ${w.coverage[0]}/${w.coverage[1]}`), w.service.length ? el("strong", {}, t(`，${w.service.join("、")} 维护中`, `, in service: ${w.service.join(", ")}`)) : ""));
  if (w.arrives) made.push(el("p", { class: "doubt" }, t(`预计 ${time(w.arrives[0], clock())}–${time(w.arrives[1], clock())} 到达`, `expected ${time(w.arrives[0], clock())}–${time(w.arrives[1], clock())}`)));
  if (w.released) made.push(el("p", { class: "released" }, `${t("发布单位：", "Released by: ")}${of(w.released)}`));
  made.push(el("p", { class: "whole" }, w.reason));
  const charted = new Set();
  for (const e of w.evidence) {
    if (e.what === "upstream") { // a fact that a person told, and no value of a station
      made.push(el("div", { class: "cell" }, el("p", { class: "rule" }, `${t("上游", "upstream")} ${named(g.areas[e.station])} ${e.at ? `${time(e.at, clock())} (${age(clock() - e.at)})` : ""} ${t("发生", "it happened")}`)));
      continue;
    }
    const s = g.stations[e.station], name_ = s ? `${e.station} ${t(s.name, s.en)}` : e.station;
    const limit = e.limit === null ? "" : ` ≥ ${t("阈值", "threshold")} ${e.limit} ${e.unit}`;
    const cell = el("div", { class: "cell" }, el("p", { class: "rule" }, e.chance === null ? "" : el("strong", {}, t(`未来 ${e.window} 分钟达到 ${e.reach} ${e.of} 的可能性 ${e.chance}%`, `chance of ${e.reach} ${e.of} within ${e.window} min: ${e.chance}%`), " · "), `${name_} ${of(e.rule)} ${e.window && !e.ahead ? t(`${e.window} 分钟`, `${e.window} min`) : ""} ${e.value} ${e.unit}${limit} · ${e.at ? `${time(e.at, clock())} (${age(clock() - e.at)})` : ""} ${of(e.note)}`));
    made.push(cell);
    if (e.frames.length) cell.append(clip(e.frames, `${name_} ${t("图像", "picture")}`));
    if (s && ["rain", "stage"].includes(s.what) && !charted.has(e.station) && charted.size < 2) {
      charted.add(e.station);
      const limits = w.evidence.filter((x) => x.station === e.station && x.window === e.window && x.limit !== null && x.unit === x.of).map((x) => ({ value: x.limit, words: `${t("阈值", "threshold")} ${x.limit}` }));
      const curve = cell.appendChild(el("div", { class: "doubt" }));
      ask(`/api/series/${e.station}`).then((data) => curve.replaceWith(chart(data, s, limits, e.window || 60)), (error) => curve.append(error.message));
    }
  }
  return made;
}

function buttons(id, w) {
  const [main] = nextFor([[id, w]]);
  const may = w.acts.filter((a) => picture.me.acts.includes(a) && (!waits(w) || can(a, w)));
  may.sort((a, b) => (b === main) - (a === main));
  const box = el("p", { class: "acts" }, ...may.map((a) =>
    el("button", { type: "button", "data-act": a, class: a === main ? "main-act" : "", onclick: () => confirm(a, [[id, w]]) }, `${verbOf(a, [w])}…`)));
  if (!picture.me.acts.length) box.append(t("您的角色只能查看", "Your role may look only"));
  else if (waits(w) && !main) box.append(el("strong", {}, whyNot(w)));
  return box;
}

// The second press. What was half written stays here until it is sent or thrown away.
export function confirm(act, chosen) {
  const key = random();
  const old = JSON.parse(sessionStorage.getItem(DRAFT) || "{}");
  const reason = el("textarea", { id: "reason", rows: 2, required: true }, old.act === act ? old.reason : of(READY[act]) || "");
  const fall = act === "lower" ? chosen.map(([, w]) => w.questions.find((q) => q.what === "lower" && q.next[picture.me.officer])).filter(Boolean) : [];
  const second = chosen.length > 0 && fall.length === chosen.length; // confirms a fall as the first person asked for it
  const level = el("select", { id: "level" }, ...[0, 1, 2, 3, 4].map((n) => el("option", { value: n }, n ? `${SHAPE[n]} ${of(LEVEL[n])}` : t("颜色不变", "colour as it is"))));
  const action = el("select", { id: "action" }, ...[0, 1, 2].map((n) => el("option", { value: n }, n ? of(ACTION[n]) : t("指令不变", "order as it is"))));
  const facts = chosen.length && chosen.every(([, w]) => ["dam_break", "reservoir_release"].includes(w.hazard)) && ["raise", "override"].includes(act);
  const happened = el("input", { id: "happened", type: "time" });
  const approver = el("input", { id: "approver" }), reference = el("input", { id: "reference" });
  const said = el("p", { role: "status", class: "said" });
  const risky = TAKES_BACK.includes(act) ? chosen.filter(([, w]) => grave(w)).length : 0;
  const sure = el("input", { type: "checkbox", id: "sure", required: true });
  sure.oninvalid = () => sure.setCustomValidity(t("先看清楚，再打勾", "Look first, then tick"));
  sure.oninput = () => sure.setCustomValidity("");
  const verb = `${verbOf(act, chosen.map(([, w]) => w))} ${chosen.length} ${t("份", chosen.length === 1 ? "warning" : "warnings")}`;
  const go = el("button", { class: "main-act", "data-go": act, disabled: true }, verb);
  const box = el("dialog", { class: `confirm act-${act}`, "aria-labelledby": "confirm-title" },
    el("form", { onsubmit: send },
      el("h2", { id: "confirm-title" }, `${verb}${t("？", "?")}`),
      el("ul", { class: "which" }, ...chosen.map(([, w]) => el("li", {}, `${placeOf(w)} ${t(w.hazard_zh, w.hazard_en)} `, badge(w.level, w.action), waits(w) ? ` → ${w.questions.map((q) => what(q.what)).join(" ")}` : "", act === "release" && nextOf(w) === "approve" ? t("，第一人批准", ", approved as the first") : ""))),
      ["raise", "lower", "override"].includes(act) && !second ? el("p", { class: "fields" }, label(t("颜色", "Colour"), level), label(t("指令", "Order"), action)) : "",
      facts ? el("p", { class: "fields" }, label(t("发生时刻（不填：此刻）；下游到达时刻从它算起", "When it happened (empty: now); arrivals downstream count from it"), happened)) : "",
      ["approve", "release", "propose"].includes(act) ? el("details", { open: act === "approve" && chosen.every(([, w]) => phones(w)) }, el("summary", {}, t("电话批准", "Approved by telephone")), el("p", { class: "fields" }, label(t("批准人代号", "Approver"), approver), label(t("文号", "Reference"), reference))) : "",
      risky ? el("label", { class: "sure" }, sure, el("span", {}, t(`我看过了：其中 ${risky} 个是橙色以上或立即转移，${of(ACT[act])}后不再有效`, `I have looked: ${risky} of them are orange or red or an order to move, and will no longer hold`))) : "",
      label(t("理由", "Reason"), reason), said,
      el("p", { class: "fields" }, go, el("button", { type: "button", onclick: () => box.close() }, t("不做了", "Do nothing")))));
  reason.oninput = () => sessionStorage.setItem(DRAFT, JSON.stringify({ act, reason: reason.value }));
  box.addEventListener("close", () => { box.remove(); if (root?.isConnected) paint(); });
  document.body.append(box);
  box.showModal();
  setTimeout(() => { go.disabled = false; (reason.value ? go : reason).focus(); }, 350); // a double press is one press

  async function send(e) {
    e.preventDefault();
    go.disabled = true;
    said.textContent = t("正在送出…", "Sending…");
    try {
      const found = await ask("/api/acts", {
        act, key, reason: reason.value, level: Number(level.value), action: Number(action.value),
        approver: approver.value, reference: reference.value, happened: facts ? happened.value : "",
        places: chosen.map(([id, w]) => ({ area: w.area, hazard: w.hazard, alert: id, version: w.version, ...shown(act, w, second) })),
      });
      for (const [id] of chosen) picked.delete(id);
      const bad = found.filter((x) => !["done", "already"].includes(x.outcome)), queued = bad.filter((x) => x.outcome === "queued").length;
      if (!bad.length) { sessionStorage.removeItem(DRAFT); box.close(); return; } // else it is said again with a look
      said.replaceChildren(el("strong", {}, t(`${found.length - bad.length} 份已办，${bad.length - queued} 份未办${queued ? `，${queued} 份已记录、尚无答复` : ""}：`, `${found.length - bad.length} done, ${bad.length - queued} not${queued ? `, ${queued} recorded and not answered yet` : ""}: `)),
        el("ul", {}, ...bad.map((x) => el("li", { class: x.outcome }, `${named(picture.ground.areas[x.area])}: ${of(x.words)}`))));
    } catch (error) {
      said.textContent = `${t("没有送出：", "Not sent: ")}${error.message}`;
      go.disabled = false;
    }
  }
}

// as far as this page showed it: what is asked since waits for somebody who has seen it
function shown(act, w, second) {
  if (act === "lower" && second) { const [level, action] = w.questions.find((q) => q.what === "lower").to; return { level, action }; }
  if (act !== "release" && act !== "approve") return {};
  const asks = (all) => Math.max(0, ...all.map((code) => w.questions.some((q) => q.what === code) ? all.indexOf(code) : 0));
  return { level: asks(["", "blue", "yellow", "orange", "red"]), action: asks(["", "prepare", "move"]) };
}

const label = (words_, field) => el("label", {}, el("span", {}, words_), field);
