// 转移清点: who should move, who has, who has not, who needs help: those who need help first. People by
// their opaque ids. Where nobody has said a number it is unknown, not zero.

import { ask, clock, part, picture } from "./live.js";
import { isProven, isSaid, moves, woken } from "./proven.js";
import { ACTION, age, count, el, of, random, t, time } from "./words.js";

const SAID = { moved: ["已转移", "moved"], witnessed: ["证实", "bears it out"], help: ["求助", "needs help"], safe: ["平安", "safe"], received: ["收到", "received"] };
// how strong an answer is: proven, only said, nothing
const STRENGTH = { "": ["无回音", "silent"], received: ["已送到", "delivered"], read: ["说收到，无码", "said so, no code"], code: ["码对", "code right"], acted: ["已办", "done, proved"] };
const HOW = { shelter: ["安置点", "shelter"], relatives: ["投亲靠友", "relatives"], upstairs: ["上楼", "upstairs"], "": ["未写去处", "place not named"] };
const WHY = { "": ["缺证人", "no witness"], no_photo: ["没有照片", "no photo"], used: ["照片用过", "photo used before"], alike: ["照片与以前的相同", "photo of before"], blank: ["照片看不出什么", "photo shows nothing"], no_time: ["照片没有时间", "photo without time"], old: ["不是预警以后拍的", "photo before the warning"], no_place: ["照片没有位置", "photo without place"], far: ["不在安置点附近", "photo of elsewhere"], unsafe: ["这里上楼不安全", "upstairs is not safe here"], recheck: ["抽查未应", "no answer to the re-check"] };
const CAME = { open: ["未答", "not answered yet"], passed: ["✓ 码对", "✓ code right"], failed: ["✗ 未应，已告诉上级", "✗ not answered, superiors told"] };
const WRONG = { wrong: ["码不对", "wrong code"], late: ["码过期", "code over"], locked: ["错太多，请打电话", "too many wrong, call"] };
const opened = new Set(); // areas whose answers somebody looks at
const placeOf = (id) => { const a = picture.ground.areas[id]; return `${t(a.town, a.town_en)} ${t(a.name, a.en)}`; };
const left = (r) => r.should - (r.moved || 0);
const word = (w) => `${of(SAID[w.what])}${w.people === null ? "" : t(` ${w.people} 人`, ` ${w.people} people`)} ${w.person} ${time(w.at, clock())} (${age(clock() - w.at)})`;

// past their time, as the policy has it
const isLate = (o) => picture.ground.check_back_min > 0 && clock() >= o.last_at + picture.ground.check_back_min * 60000;

const rows = () => Object.values(part("roll")).sort((a, b) =>
  (b.help.length > 0) - (a.help.length > 0) || b.action - a.action || left(b) - left(a) || a.area.localeCompare(b.area));

export function paintRoll(into) {
  const found = rows(), crying = found.filter((r) => r.help.length), ordered = found.filter((r) => r.action);
  const sum = (of_, what) => of_.reduce((n, r) => n + (what(r) || 0), 0), ready = sum(ordered.filter((r) => r.action === 1), (r) => r.should), mute = ordered.filter((r) => r.moved === null).length;
  const focus = document.activeElement?.dataset?.answers;
  into.replaceChildren(
    crying.length ? el("div", { class: "cry", role: "alert", "data-help": crying.length }, el("strong", {}, t(`⚠ ${sum(crying, (r) => r.help.length)} 人求助`, `⚠ ${sum(crying, (r) => r.help.length)} ask for help`)),
      ...crying.flatMap((r) => r.help.map((w) => el("p", {}, el("b", {}, placeOf(r.area)), ` ${word(w)}`)))) : "",
    el("h3", {}, t("转移清点", "Who has moved")),
    found.length ? el("p", { class: mute ? "doubt" : "" }, t(`应转移 ${sum(ordered, (r) => r.should)} 人${ready ? `（其中准备转移 ${ready}）` : ""}，报已转移 ${sum(ordered, (r) => r.moved)} 人${mute ? `；${mute} 个村还无人报告` : ""}`, `${sum(ordered, (r) => r.should)} should move${ready ? ` (${ready} of them get ready to)` : ""}, ${sum(ordered, (r) => r.moved)} said to have moved${mute ? `; nobody has said of ${count(mute, "area")}` : ""}`))
      : el("p", { class: "empty" }, t("没有在办的预警，也没有人求助", "No warning is open and nobody asks for help")),
    glance(found),
    found.length ? el("table", { class: "grid stack" },
      el("thead", {}, el("tr", {}, ...HEAD().map((x) => el("th", { scope: "col" }, x)))),
      el("tbody", {}, ...found.map(row))) : "");
  if (focus) into.querySelector(`[data-answers="${focus}"]`)?.focus();
}

// of all who must answer with a code, in one line; nothing where no district asks for one
function glance(found) {
  const m = moves(found), w = woken(found);
  return el("div", {},
    w ? el("p", { class: "proof", "data-proof": `${w.proven} ${w.said} ${w.silent}` }, t("叫应：", "Answered: "),
      el("strong", { class: "ok" }, t(`✓ 有据 ${w.proven}`, `✓ proven ${w.proven}`)), " ", el("strong", { class: w.said ? "doubt" : "" }, t(`？ 只说 ${w.said}`, `? only said ${w.said}`)), " ",
      el("strong", { class: w.silent ? "bad" : "" }, t(`✗ 无声 ${w.silent}`, `✗ silent ${w.silent}`))) : "",
    m ? el("p", { class: "proof", "data-moves": `${m.proven} ${m.unproven} ${m.gone}` }, t("转移：", "Moved: "), el("strong", { class: "ok" }, t(`✓ 有据 ${m.proven}`, `✓ proven ${m.proven}`)), " ",
      el("strong", { class: m.unproven ? "doubt" : "" }, t(`？ 未证实 ${m.unproven}`, `? unproven ${m.unproven}`)), " ", el("strong", { class: m.gone ? "bad" : "" }, t(`✗ 未到 ${m.gone}`, `✗ not reached ${m.gone}`)),
      m.unsafe ? el("strong", { class: "bad" }, t(` ⚠ 上楼不安全 ${m.unsafe}`, ` ⚠ upstairs, not safe ${m.unsafe}`)) : "") : "");
}

// 抽查: the draw is the record's, not the presser's; said in one line what came of it
const asked = new Map(); // area -> what came of the last press
function again(r) {
  const open = Object.entries(part("warnings")).find(([, w]) => w.area === r.area);
  if (!(r.heard || []).length || !open || !picture.me.acts.includes("recheck")) return "";
  const said = el("span", { role: "status", class: "note" }, asked.get(r.area) || "");
  const go = el("button", { type: "button", "data-again": r.area, onclick: send }, t("随机抽查", "Re-check at random"));
  async function send() {
    go.disabled = true;
    try {
      const [id, w] = open;
      const [answer] = await ask("/api/acts", { act: "recheck", key: random(), reason: t("值班台随机抽查", "re-check at random"), places: [{ area: w.area, hazard: w.hazard, alert: id, version: w.version }] });
      asked.set(r.area, of(answer.words));
    } catch (error) {
      asked.set(r.area, `${t("没有送出：", "Not sent: ")}${error.message}`);
    }
    said.textContent = asked.get(r.area);
    go.disabled = false;
  }
  return el("p", {}, go, " ", said);
}

const strong = (h) => `${h.person} ${of(STRENGTH[h.strength])}${WRONG[h.verdict] && !isProven(h) ? ` · ${of(WRONG[h.verdict])}` : ""}${h.wrong ? t(`（错 ${h.wrong} 次）`, ` (${h.wrong} wrong)`) : ""}${h.at ? ` ${time(h.at, clock())}` : ""}`;

const HEAD = () => [t("预警区", "Area"), t("应转移", "Should move"), t("已转移", "Moved"), t("未转移", "Not yet"), t("求助", "Help"), t("最近的话", "Newest word"), t("谁说的", "Who said so")];

function row(r) {
  const head = HEAD(), words = [...r.help.filter((w) => !r.answers.some((a) => a.person === w.person && a.what === w.what && a.at === w.at)), ...r.answers.filter((w) => !(r.transfers && w.what === "moved"))];
  const newest = Math.max(0, ...words.map((w) => w.at));
  const cell = (n, given, ...inside) => el("td", { "data-head": head[n], ...given }, ...inside);
  return el("tr", { class: r.help.length ? "crying" : "", "data-roll": r.area },
    el("th", { scope: "row" }, placeOf(r.area), " ", r.action ? el("strong", { class: "order" }, of(ACTION[r.action])) : el("span", { class: "note" }, t("未令转移", "no order")),
      r.closed ? el("p", { class: "note", "data-closed": r.area }, t(`封沟到 ${time(r.closed.until_at, clock())}，${r.closed.by} ${time(r.closed.at, clock())}${r.closed.photo ? "，有照片" : ""}`, `closed until ${time(r.closed.until_at, clock())}, by ${r.closed.by} ${time(r.closed.at, clock())}${r.closed.photo ? ", with a photo" : ""}`)) : "",
      ...(r.field || []).map((o) => el("p", { class: isLate(o) ? "bad" : "note", "data-out": o.person }, isLate(o) ? t(`✗ ${o.person} 在外过时，最后消息 ${age(clock() - o.last_at)}`, `✗ ${o.person} is out and silent, last word ${age(clock() - o.last_at)}`) : t(`${o.person} ${time(o.out_at, clock())} 出发，最后消息 ${age(clock() - o.last_at)}`, `${o.person} out since ${time(o.out_at, clock())}, last word ${age(clock() - o.last_at)}`)))),
    cell(1, {}, r.action ? String(r.should) : "–", r.guests === null ? "" : t(`（今晚游客 ${r.guests}）`, ` (${r.guests} guests tonight)`)),
    cell(2, {}, r.moved === null ? (r.action ? t("无人报告", "nobody has said") : "–") : String(r.moved), r.transfers ? el("p", { class: "note" }, t(`有据 ${r.transfers.proven}；所报：`, `proven ${r.transfers.proven}; said: `), Object.entries(r.transfers.ways).map(([h, n]) => `${of(HOW[h])} ${n}`).join(t("、", ", "))) : ""),
    cell(3, { class: r.action && (r.moved === null || r.not_yet) ? "bad" : "" }, r.action ? (r.moved === null ? t("？ 未知", "? unknown") : r.not_yet ? `✗ ${r.not_yet}` : "✓ 0") : "–"),
    cell(4, { class: r.help.length ? "bad" : "" }, r.help.length ? `⚠ ${r.help.map((w) => w.person).join(" ")}` : "–"),
    cell(5, {}, newest ? age(clock() - newest) : t("从未", "never")),
    cell(6, {}, el("details", { open: opened.has(r.area), ontoggle: (e) => { if (e.target.open) opened.add(r.area); else opened.delete(r.area); } },
      el("summary", { "data-answers": r.area }, t(`${words.length} 条，${r.unanswered.length} 人未答`, `${words.length} words, ${r.unanswered.length} have not answered`)),
      ...(r.rechecks || []).map((x) => el("p", { class: x.state === "failed" ? "bad" : "", "data-recheck": x.person }, `${t("抽查", "re-check")} ${time(x.at, clock())} ${x.person} ${of(CAME[x.state])}`)),
      again(r),
      ...words.map((w) => el("p", {}, word(w))),
      ...(r.transfers ? r.transfers.rows.map((m) => el("p", { class: m.proven ? "" : "bad", "data-move": m.person }, `${m.proven ? "✓" : "✗"} ${of(HOW[m.how])} ${m.people} ${m.person}${m.proven ? "" : ` · ${of(WHY[m.why])}`}${m.witnesses.length ? t(` · 证人 ${m.witnesses.join(" ")}`, ` · witness ${m.witnesses.join(" ")}`) : ""}`,
        ...(m.photo && picture.me.acts.length ? [" ", el("a", { href: `/api/frame/${m.photo}`, target: "_blank", rel: "noopener", "data-photo": m.person }, t("看照片（留痕）", "photograph (on record)"))] : []))) : []),
      ...(r.heard || []).map((h) => el("p", { class: isProven(h) ? "" : "bad", "data-heard": h.person }, `${isProven(h) ? "✓" : isSaid(h) ? "？" : "✗"} ${strong(h)}`)),
      r.unanswered.length ? el("p", {}, t(`未答复：${r.unanswered.join(" ")}`, `not answered: ${r.unanswered.join(" ")}`)) : "")));
}
