// Words, times and marks that every page shares. t(zh, en) picks the language, of(said) of what the
// server says: a pair [zh, en], or a string that is the same in both. What a page shows is one of them.

export const SHAPE = ["·", "○", "△", "◇", "⬟"];
export const LEVEL = [["无", "none"], ["蓝色", "blue"], ["黄色", "yellow"], ["橙色", "orange"], ["红色", "red"]];
export const ACTION = [["", ""], ["准备转移", "prepare to move"], ["立即转移", "move now"]];
export const COLOUR = ["#5b6b7a", "#1e6fd9", "#f2c200", "#f57c00", "#d50000"];
export const ACT = {
  propose: ["提请", "propose"], approve: ["批准", "approve"], release: ["发布", "release"],
  return: ["退回补正", "return"], hold: ["暂缓", "hold"], reject: ["驳回", "reject"],
  raise: ["升级", "raise"], lower: ["降级", "lower"], cancel: ["解除", "cancel"],
  escalate: ["上报下一级", "escalate"], override: ["紧急先行发布", "override"], task: ["任务销号", "task done"],
  recheck: ["抽查", "re-check"], instruct: ["签发指令", "order in writing"], reserve: ["预留物资", "supplies reserved"], issue: ["领出物资", "supplies issued"], restore: ["归还物资", "supplies brought back"],
};
export const STATE = {
  proposed: ["待决定", "to be decided"], returned: ["退回补正", "returned"], held: ["暂缓", "held"],
  rejected: ["已驳回", "rejected"], released: ["已发布", "in force"],
};
const CODES = { blue: 1, yellow: 2, orange: 3, red: 4 };

// a link that a program printed in English ends in #en
let language = location.hash === "#en" ? "en" : localStorage.getItem("lang") || "zh";
export const lang = () => language;
export const t = (zh, en) => (language === "en" ? en : zh);
export const of = (said) => (Array.isArray(said) ? t(said[0], said[1]) : said || "");
export const named = (x) => t(x.name, x.en || x.name);
// in English: one village, two villages
export const count = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;
// what is listed, with the comma of the language between
export const listed = (all) => all.map(of).join(t("、", ", "));
// why a request was refused, as an error whose message is shown
export const refused = (found, answer) => Object.assign(new Error(found.zh ? t(found.zh, found.en) : of(found.words) || answer.statusText), { status: answer.status });

export function setLang(next) {
  language = next;
  localStorage.setItem("lang", next);
  document.title = t("烽燧 值班台", "Fengsui duty room"); // until the district is known
  document.documentElement.lang = next === "en" ? "en" : "zh-CN";
  for (const e of document.querySelectorAll("[data-zh]")) e.textContent = t(e.dataset.zh, e.dataset.en);
  for (const e of document.querySelectorAll("[data-label-zh]")) e.setAttribute("aria-label", t(e.dataset.labelZh, e.dataset.labelEn));
}

export const what = (code) =>
  code === "prepare" ? of(ACTION[1]) : code === "move" ? of(ACTION[2])
    : code in CODES ? `${SHAPE[CODES[code]]} ${of(LEVEL[CODES[code]])}` : of(ACT[code]);

// an element: el("p", {class: "x", onclick: f}, "text", ["文字", "text"], child, …)
export function el(tag, given = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(given)) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (k === "checked" || k === "disabled" || k === "value") e[k] = v;
    else e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined && c !== false).map((c) => (Array.isArray(c) ? of(c) : c)));
  return e;
}

export function badge(level, action) {
  const words = `${SHAPE[level]} ${level ? of(LEVEL[level]) : t("无颜色", "no colour")}`;
  const e = el("span", { class: `badge level-${level}` }, words);
  return action ? el("span", { class: "badges" }, e, el("strong", { class: "order" }, of(ACTION[action]))) : e;
}

// how bad: an order to move is as bad as a red, one to prepare as an orange; then the order, then the colour
export const worse = (a, b) => rank(b.level, b.action) - rank(a.level, a.action) || b.action - a.action || b.level - a.level;
const rank = (level, action) => Math.max(level, [0, 3, 4][action]);

const part = (o) => new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour12: false, ...o });
const HM = part({ hour: "2-digit", minute: "2-digit" });
const DAY = part({ month: "2-digit", day: "2-digit" });
const day = (ms) => { const [d, m] = DAY.format(ms).split("/"); return `${m}-${d}`; };

// Beijing time; with the day where it is not the day of `now`
export function time(ms, now) {
  if (!ms) return t("从未", "never");
  const hm = HM.format(ms);
  return now && day(ms) === day(now) ? hm : `${day(ms)} ${hm}`;
}

export function age(ms) {
  const min = Math.max(0, Math.floor(ms / 60000));
  if (min < 1) return t("刚刚", "now");
  if (min < 120) return t(`${min} 分钟前`, `${min} min ago`);
  if (min < 2880) return t(`${Math.floor(min / 60)} 小时前`, `${Math.floor(min / 60)} h ago`);
  return t(`${Math.floor(min / 1440)} 天前`, `${Math.floor(min / 1440)} d ago`);
}

export function left(ms) {
  const s = Math.round(ms / 1000);
  if (s <= 0) return t("已到期", "overdue");
  return `${String(Math.floor(s / 60)).padStart(2, "0")}:${String(s % 60).padStart(2, "0")}`;
}

// a key that makes the same press sent twice one act
export const random = () => [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");
