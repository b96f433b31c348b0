// Plain tables of the pages that have nothing to press, and the names of the ways out.

import { el } from "./words.js";

export const CHANNEL = { broadcast: ["大喇叭", "loudspeaker"], broadcast_platform: ["应急广播平台", "broadcast platform"], sms: ["短信", "SMS"], app: ["应用", "app"], voice: ["语音电话", "call"], email: ["邮件", "mail"], webhook: ["接口", "webhook"], console: ["值班台", "duty room"], cap: ["CAP", "CAP"], cap_push: ["邻县", "neighbours"], release: ["12379", "12379"] };

// head, rows: words, pairs of words or elements; in a list of one: a number, set to the right
export function table(head, rows) {
  const cell = (tag, x, more) => (Array.isArray(x) && x.length === 1 ? el(tag, { class: "number", ...more }, x[0]) : el(tag, more, x));
  return el("table", {}, el("thead", {}, el("tr", {}, ...head.map((x) => cell("th", x, { scope: "col" })))),
    el("tbody", {}, ...rows.map((r) => el("tr", {}, ...r.map((x, n) => (n ? cell("td", x, {}) : cell("th", x, { scope: "row" })))))));
}
