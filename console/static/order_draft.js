// 指令草稿: what the plan says of a warning, and a draft order made by rule, each sentence with its source. It is
// nobody's word until somebody has read it, mended it and pressed twice; then it is signed like any act.

import { ask, picture } from "./live.js";
import { el, listed, of, random, t } from "./words.js";

const half = new Map(); // warning -> what was half written
const sourced = (x) => el("li", {}, of(x.words), el("small", { class: "note" }, t(`（出处：${of(x.source)}）`, ` (source: ${of(x.source)})`)));

// found: of /api/texts. Returns what stands under a warning's words.
export function order(id, w, found) {
  const made = [];
  if (found.plan.length) made.push(el("h3", {}, t("应急预案原文", "What the plan says")), el("ul", { class: "sourced", "data-plan": id }, ...found.plan.map(sourced)));
  if (!found.draft.length) return made;
  made.push(el("h3", {}, t("指令草稿（按规则生成，未发送）", "Draft of an order (by rule, not sent)")), el("ul", { class: "sourced", "data-draft": id }, ...found.draft.map(sourced)));
  if (!picture.me.acts.includes("instruct")) return made;
  if (!found.to.length) return [...made, el("p", { class: "note" }, t("还没有打开的任务，或责任人都没有联系方式：没有人可签发", "No task is open, or nobody can be reached: there is nobody to send it to"))];
  const box = el("div", {});
  const begin = () => box.replaceChildren(writing(id, w, found, () => box.replaceChildren(start())));
  const start = () => el("button", { type: "button", "data-write": id, onclick: () => { begin(); box.querySelector("textarea").focus(); } }, t("改后签发…", "Mend and sign…"));
  if (half.has(id)) begin(); else box.append(start());
  return [...made, box];
}

function writing(id, w, found, over) {
  const text = el("textarea", { rows: 9, maxlength: 2000, required: true, "data-order": id }, half.get(id) ?? found.draft.map((x) => of(x.words)).join("\n"));
  const said = el("p", { role: "status", class: "said" }), go = el("button", { class: "main-act", "data-sign": id, disabled: true }, t(`签发给 ${found.to.length} 人`, `Sign, to ${found.to.length}`));
  const key = random();
  text.oninput = () => half.set(id, text.value);
  half.set(id, text.value);
  setTimeout(() => { go.disabled = false; }, 350); // a double press is one press
  return el("form", { onsubmit: send, class: "write" }, el("label", {}, el("span", {}, t("指令全文，签发后照此发送", "The order, sent as it stands")), text),
    el("p", { class: "note" }, t(`收到的人：${listed(found.to)}；须应答`, `It goes to ${listed(found.to)}, who must answer`)), said,
    el("p", { class: "fields" }, go, el("button", { type: "button", onclick: () => { half.delete(id); over(); } }, t("不签发", "Do not sign"))));

  async function send(e) {
    e.preventDefault();
    go.disabled = true;
    said.textContent = t("正在送出…", "Sending…");
    try {
      const [answer] = await ask("/api/acts", { act: "instruct", key, reason: text.value, places: [{ area: w.area, hazard: w.hazard, alert: id, version: w.version }] });
      said.textContent = of(answer.words);
      if (["done", "already"].includes(answer.outcome)) { half.delete(id); text.disabled = true; return; }
    } catch (error) {
      said.textContent = `${t("没有送出：", "Not sent: ")}${error.message}`;
    }
    go.disabled = false;
  }
}
