// 物资: how much of each supply is free, reserved and out, and the form by which it is reserved, issued and
// brought back. Decide counts: what is not there cannot be had twice.

import { ask, part, picture } from "./live.js";
import { el, of, random, t } from "./words.js";

const WAYS = { reserve: ["预留", "Reserve"], issue: ["领出", "Issue"], restore: ["归还、取消预留", "Bring back, or give up"] };
const half = new Map(); // supply -> its form

// The cells that go with a supply's row. after: paints the table anew.
export function count(r, after) {
  const now = part("stock")[r.id] || { free: r.quantity, reserved: 0, out: 0, held: {} };
  const may = picture.me.acts.includes("reserve");
  const box = el("td", {}, `${now.reserved} / ${now.out}`);
  if (may) box.append(half.get(r.id) || el("button", { type: "button", "data-supply": r.id, "aria-label": t(`动用 ${r.name}`, `Use ${r.name_en}`), onclick: () => { half.set(r.id, form(r, after)); after(); half.get(r.id).querySelector("input").focus(); } }, t("动用…", "Use…")));
  return [el("td", {}, `${now.free} / ${r.quantity} ${t(r.unit, r.unit_en || r.unit)}`), box];
}

function form(r, after) {
  const way = el("select", { "aria-label": t("做什么", "What") }, ...Object.entries(WAYS).map(([k, w]) => el("option", { value: k }, of(w))));
  const n = el("input", { type: "number", min: 1, max: 10000000, required: true, value: 1, "aria-label": t("数量", "How many"), "data-count": r.id });
  const incident = el("select", { "aria-label": t("哪一次事件的", "Of which incident") }, ...Object.keys((part("stock")[r.id] || { held: {} }).held).map((i) => el("option", { value: i }, i)));
  const said = el("span", { role: "status", class: "said" }), go = el("button", { class: "main-act", "data-go-supply": r.id }, t("确认", "Confirm"));
  let key = random();
  way.onchange = () => { incident.hidden = way.value !== "restore" || incident.options.length < 2; };
  incident.hidden = true;
  return el("form", { class: "fields", onsubmit: send }, way, n, incident, go, el("button", { type: "button", onclick: () => { half.delete(r.id); after(); } }, t("不做了", "Do nothing")), said);

  async function send(e) {
    e.preventDefault();
    go.disabled = true;
    said.textContent = t("正在送出…", "Sending…");
    try {
      const of_ = way.value === "restore" ? incident.value : "";
      const [found] = await ask("/api/acts", { act: way.value, key, supply: r.id, count: Number(n.value), incident: of_, reason: `${of(WAYS[way.value])} ${n.value}`, places: [{ area: "", hazard: "" }] });
      if (found.outcome === "done") { half.delete(r.id); after(); return; }
      said.textContent = of(found.words);
      key = random();
    } catch (error) {
      said.textContent = `${t("没有送出：", "Not sent: ")}${error.message}`;
    }
    go.disabled = false;
  }
}
