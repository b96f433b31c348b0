// 值班日志: every event and act, newest first; notes; handing over; reports to print.

import { ask, clock, onChange, part, picture } from "./live.js";
import { SHAPE, age, el, lang, of, random, t, time } from "./words.js";

const KIND = { "": ["全部", "all"], warning: ["预警", "warnings"], decision: ["决定", "decisions"], report: ["报告", "reports"], missed: ["未送达", "not reached"], task: ["任务逾期", "task overdue"], people: ["群众、责任人", "people"], alone: ["自主播出", "acted alone"], silence: ["静默", "silence"], service: ["维护", "service"], route: ["通道", "ways out"], note: ["备注", "notes"], handover: ["交接班", "hand-over"], desk: ["登录和查看", "the door"] };
const NOTE = 2000, AGAIN_MS = 2000, EVERY_MS = 20000;
const DRAFTS = { note: "draft-of-a-note", handover: "draft-of-a-handover", verify: "draft-of-a-verification" };
const canWrite = () => picture.me.role !== "viewer", onDuty = () => picture.me.acts.length > 0;

let soon = () => {}, lines = null, open = null, reports = null, found = null, text = "", kind = "", token = 0;

export const keys = [
  ["/", "搜索", "Search", () => document.getElementById("shift-text")?.focus()],
  ["n", "写备注", "Write a note", () => document.getElementById("note")?.focus()],
];

export function show(root) {
  lines = el("ol", { class: "events", "aria-label": t("事件，新的在前", "Events, newest first") });
  open = el("div");
  reports = el("div");
  const search = el("input", { id: "shift-text", type: "search", value: text, placeholder: t("搜索 /", "Search /"), "aria-label": t("搜索值班日志", "Search the log"), oninput: (e) => { text = e.target.value; soon(); } });
  const choose = el("select", { id: "shift-kind", "aria-label": t("哪一类", "Which kind"), onchange: (e) => { kind = e.target.value; read(); } },
    ...Object.entries(KIND).map(([k, words]) => el("option", { value: k, selected: k === kind }, of(words))));
  root.append(
    el("section", { class: "queue-side wide", "aria-label": t("值班日志", "Shift log") },
      el("h2", {}, t("值班日志", "Shift log")),
      el("p", { class: "fields" }, search, choose, el("a", { class: "button", id: "csv", download: "" }, t("导出 CSV", "Export CSV"))), lines),
    el("section", { class: "detail", "aria-label": t("交接班", "Hand-over") }, open, canWrite() ? noteForm() : "", onDuty() ? handForm() : "", reports, onDuty() ? ownWords() : ""));
  let timer = null;
  soon = () => { clearTimeout(timer); timer = setTimeout(read, 300); };
  let waiting = null;
  const off = onChange((parts) => {
    if ((parts.has("log") || parts.has("warnings") || parts.has("reach")) && !waiting) waiting = setTimeout(() => { waiting = null; read(); }, AGAIN_MS);
    if (parts.has("incidents")) paintReports();
  });
  const every = setInterval(read, EVERY_MS); // notes of the other desk
  read();
  paintReports();
  return () => { off(); clearInterval(every); clearTimeout(timer); clearTimeout(waiting); lines = null; };
}

async function read() {
  const mine = (token += 1), query = new URLSearchParams({ text, kind });
  const answer = await ask(`/api/shift?${query}`).catch(() => null);
  if (!answer || !lines || mine !== token) return;
  found = answer;
  document.getElementById("csv").href = `/api/shift.csv?${query}`;
  lines.replaceChildren(...found.entries.map((e) => el("li", { class: `event kind-${e.kind}${e.who === "policy" ? " by-rule" : ""}`, "data-event": e.kind },
    el("time", { datetime: new Date(e.at).toISOString() }, time(e.at, clock())),
    el("span", { class: `badge level-${e.level}` }, `${e.level ? `${SHAPE[e.level]} ` : ""}${of(KIND[e.kind])}`),
    el("span", { class: "words" }, e.place ? el("b", {}, `${t(e.place, e.place_en)} `) : "", e.who === "policy" ? el("b", {}, t("按规定 ", "by rule ")) : e.who ? el("b", {}, `${e.who} `) : "", t(e.zh, e.en)))));
  if (!found.entries.length) lines.append(el("li", { class: "empty" }, t("没有符合的记录", "Nothing found")));
  if (found.count > found.entries.length) lines.append(el("li", { class: "empty" }, t(`还有 ${found.count - found.entries.length} 条更早的：搜索，或导出`, `${found.count - found.entries.length} older ones: search or export`)));
  paintOpen();
}

function paintOpen() {
  const h = found.handover;
  const mine = h && h.to === picture.me.name;
  open.replaceChildren(
    h ? el("div", { class: "question", "data-handover": h.n }, el("strong", {}, t(`${h.from} 交班给 ${h.to}`, `${h.from} hands over to ${h.to}`)), ` ${age(clock() - h.at)}`,
      mine ? el("p", { class: "acts" }, el("button", { type: "button", class: "main-act", "data-takeover": "", onclick: () => takeOver(h.n) }, t("接班：我已看过未了事项", "Take over: I have read what is open"))) : el("p", {}, t("等对方接班", "not taken over yet")),
      el("p", { class: "note" }, h.text)) : "",
    el("h2", {}, t(`未了事项 ${found.matters.length}`, `Open ${found.matters.length}`)),
    found.matters.length ? el("ul", { class: "matters" }, ...found.matters.map((m) => el("li", {}, of(m)))) : el("p", { class: "empty" }, t("没有未了事项", "Nothing is open")));
  const to = document.getElementById("handover-to");
  if (to && to.options.length !== found.people.filter((p) => p !== picture.me.name).length + 1) {
    const chosen = to.value;
    to.replaceChildren(el("option", { value: "" }, t("选接班人", "who takes over")), ...found.people.filter((p) => p !== picture.me.name).map((p) => el("option", { value: p, selected: p === chosen }, p)));
  }
}

// What is half written stays in the tab, whatever becomes of the session.
function writing(name, id, label, button, extra, send) {
  const box = el("textarea", { id, rows: 2 }, sessionStorage.getItem(DRAFTS[name]) || "");
  const said = el("p", { role: "status", class: "said" }), go = el("button", { "data-send": name }, button);
  let key = random();
  const check = () => {
    const size = [...box.value.trim()].length;
    const long = size > NOTE;
    if (long) said.textContent = t(`太长：${size} 字，最多 ${NOTE} 字，请分开写`, `Too long: ${size} characters, ${NOTE} at most: write it in parts`);
    else if (said.dataset.long) said.textContent = "";
    said.dataset.long = long ? "1" : "";
    go.disabled = long;
  };
  box.oninput = () => {
    check();
    try { sessionStorage.setItem(DRAFTS[name], box.value.slice(0, 20 * NOTE)); } catch { /* the tab has no room: the text stands on the page */ }
  };
  check();
  return el("form", { class: "write", onsubmit: async (e) => {
    e.preventDefault();
    go.disabled = true;
    try {
      said.textContent = await send(box.value, key);
      sessionStorage.removeItem(DRAFTS[name]);
      box.value = "";
      key = random();
      read();
    } catch (error) { said.textContent = `✗ ${t("没有保存：", "Not kept: ")}${error.message}`; }
    go.disabled = false;
  } }, el("label", {}, el("span", {}, label), box), extra, go, said);
}

// what people wrote themselves, and strangers: names and numbers may stand in it, so each look is on record
function ownWords() {
  const list = el("div", { class: "calls", role: "status" });
  const look = async () => {
    const got = await ask("/api/words", {}).catch((e) => ({ fault: e.message }));
    if (got.fault) { list.replaceChildren(el("p", { class: "fault", role: "alert" }, got.fault)); return; }
    list.replaceChildren(got.words.length ? el("ol", { class: "events" }, ...got.words.map((w) => el("li", { class: "event", "data-word": w.id },
      el("time", { datetime: new Date(w.at).toISOString() }, time(w.at, clock())),
      el("span", { class: "words" }, el("b", {}, `${w.who.startsWith("X-") ? t("陌生号码，未核实", "a stranger, unverified") : w.who} ${w.area || t("没写明地点", "no place named")} `), w.text))))
      : el("p", { class: "empty" }, t("三天内没有", "none within three days")));
  };
  return el("section", { "aria-label": t("来信原话", "People's own words") }, el("h2", {}, t("来信原话", "People's own words")),
    el("p", { class: "note" }, t("没看懂的来信和陌生号码的来信；加密另存，三天后删", "messages that were not understood, and strangers'; kept apart, encrypted, erased after three days")),
    el("button", { type: "button", "data-words": "", onclick: look }, t("查看（留痕）", "Show (each look is on record)")), list);
}

const noteForm = () => writing("note", "note", t("备注（电话、现场、处置）", "Note (calls, the field, what was done)"), t("记入日志", "Write down"), "",
  async (words, key) => { await ask("/api/notes", { text: words, key }); return t("✓ 已记入", "✓ written down"); });

function handForm() {
  const to = el("select", { id: "handover-to", required: true, "aria-label": t("接班人", "Who takes over") }, el("option", { value: "" }, t("选接班人", "who takes over")));
  return el("details", { class: "hand" }, el("summary", {}, t("交班…", "Hand over…")),
    writing("handover", "handover", t("嘱托（未了事项自动列入）", "What else to know (open matters are listed by themselves)"), t("交班", "Hand over"), to,
      async (words, key) => { await ask("/api/handover", { to: to.value, text: words, key }); return t("✓ 已交班，等对方接", "✓ handed over; waits to be taken"); }));
}

async function takeOver(n) {
  try { await ask("/api/takeover", { n, key: random() }); } catch (error) { open.append(el("p", { role: "alert", class: "bad" }, error.message)); return; }
  read();
}

function paintReports() {
  const all = Object.entries(part("incidents")).sort((a, b) => b[1].at(-1)[2] - a[1].at(-1)[2]);
  if (document.activeElement?.id === "verify") return; // somebody is writing there
  const page = (name, what, words) => el("a", { class: "button", href: `/print/${name}?incident=${encodeURIComponent(what)}&lang=${lang()}`, target: "_blank", rel: "noopener" }, words);
  // a report, and how many of those whom the district names have it
  const one = (id, [n, kind, at, there, to]) => { const words = `${t(`第${n}报`, `report ${n}`)} ${of(kind)} ${time(at, clock())}`; return el("li", { "data-report": n },
    el("a", { href: `/print/report?incident=${encodeURIComponent(`${id}:${n}`)}&lang=${lang()}`, target: "_blank", rel: "noopener", "aria-label": t(`打印${words}`, `Print ${words}`) }, words),
    to ? el("span", { class: there < to ? "late" : "note" }, ` ${t(`上级收到 ${there}/${to}`, `received by ${there} of ${to}`)}`) : el("span", { class: "doubt" }, ` ${t("还没有发给上级", "not sent to a superior yet")}`)); };
  reports.replaceChildren(el("h2", {}, t("报告", "Reports")),
    ...(all.length ? all.slice(0, 5).map(([id, made]) => el("div", { class: "incident", "data-incident": id },
      el("h3", {}, t(`${time(made[0][2])} 起`, `since ${time(made[0][2])}`)),
      el("ul", { class: "reports" }, ...(made.length > 6 ? [made[0], ...made.slice(-5)] : made).map((r) => one(id, r))),
      el("p", { class: "acts" }, page("report", id, t("打印最新一报", "Print the newest")), page("after-action", id, t("打印复盘", "After-action report")), page("report", `${id}:annex`, t("连附件打印", "With the annex")), page("report-text", id, t("文字（企业微信）", "As text (WeCom)"))))) : [el("p", { class: "empty" }, t("还没有事件报告", "No report yet"))]),
    all.length && onDuty() ? el("details", {}, el("summary", {}, t("核报…", "Correct the facts…")),
      writing("verify", "verify", t(`核实的情况，如伤亡、房屋、道路（${time(all[0][1][0][2])} 起的事件）`, `The facts, as dead and injured, houses, roads (event since ${time(all[0][1][0][2])})`), t("作为核报上报", "Report as verified"), "",
        async (words, key) => {
          const a = await ask("/api/verify", { incident: all[0][0], text: words, key });
          if (a.outcome === "refused") throw new Error(of(a.words));
          return `✓ ${of(a.words)}`;
        })) : "");
}
