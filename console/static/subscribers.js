// 订阅者: how many are on the list, by area, category and way; who in a danger zone is covered by nothing
// or hangs on one thing; what residents chose. Counts for everybody; one person, by id, for an
// administrator alone, and each look stands on record.

import { ask, picture } from "./live.js";
import { table } from "./tables.js";
import { LEVEL, SHAPE, el, of, random, t } from "./words.js";
import { CHANNEL, KIND, ROLE } from "./words_sent.js";

const LANG = { zh: ["中文", "Chinese"], en: ["英文", "English"] };
const SHORT = 350, LONG = 5000; // ms: the second press counts after the one and before the other
const place = (id) => { const a = picture.ground.areas[id]; return a ? `${id} ${t(a.town, a.town_en)} ${t(a.name, a.en)}` : id; };
const listed = (counts, words) => Object.entries(counts).sort((a, b) => b[1] - a[1]).map(([k, n]) => `${of(words[k]) || k} ${n}`).join(t("，", ", ")) || "–";
const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);

export function show(root) {
  const counts = el("div", {}, el("p", { class: "note", role: "status" }, t("正在清点…", "Counting…")));
  let alive = true;
  const look = () => ask("/api/subscribers").then(
    (found) => { if (alive) counts.replaceChildren(...words(found)); },
    (e) => { if (alive) counts.replaceChildren(el("p", { class: "fault", role: "alert" }, e.message)); });
  root.append(el("section", { class: "sheet", tabindex: 0, "aria-label": t("订阅者", "Subscribers") }, one(look), counts));
  look();
  return () => { alive = false; };
}

function words(s) {
  const figure = (n, what, bad) => el("span", { class: bad ? "figure bad" : "figure" }, el("b", {}, String(n)), what);
  return [
    el("h2", {}, t("名单", "The list")),
    s.stored ? "" : el("p", { class: "doubt" }, t("还没有联系人库，下面是配置里的名单", "There is no contact store yet: this is the list of the configuration")),
    s.recipients ? "" : el("p", { class: "fault", role: "alert" }, t("✗ 名单是空的，谁也收不到：请系统管理员导入名单", "✗ Nobody is on the list, so nobody is told: ask whoever runs the system to import it")),
    el("p", { class: "sums" },
      figure(s.uncovered, t("人毫无覆盖（估计）", "people covered by nothing (estimate)"), s.uncovered),
      figure(s.gaps.length, t("处缺口", "gaps in coverage")), figure(s.recipients, t("个接收者", "recipients")),
      figure(s.people, t(`名居民在名单上（各区人口 ${s.population}）`, `residents on the list (${s.population} live in the areas)`)),
      s.in_units ? figure(s.in_units, t("人在学校、营地等单位或是游客，不在各区人口内", "people of schools, camps and the like, or visitors: not among those who live there")) : ""),
    s.people > s.population ? el("p", { class: "note" }, t("名单上的居民多于人口：一户登记了几个号码的，按号码重复计", "More residents on the list than live there: a household with several numbers counts once for each")) : "",
    el("h2", {}, t("覆盖检查", "Coverage")), audit(s),
    el("h2", {}, t("各区", "By area")),
    el("p", { class: "note" }, t("红色山洪预警时的估计；覆盖最差的在前", "An estimate for a red flash-flood warning; the worst covered first")),
    areas(s),
    el("h2", {}, t("各类", "By category")),
    table([t("类别", "category"), [t("接收者", "recipients")], [t("代表人数", "people behind")], t("首选渠道", "first way"), t("全部渠道", "all ways")],
      Object.entries(s.kinds).map(([k, x]) => [of(KIND[k]) || k, [String(x.recipients)], [String(x.people)], listed(x.first, CHANNEL), listed(x.ways, CHANNEL)])),
    el("h2", {}, t("居民的选择", "What residents chose")), choices(s.choices),
    el("h2", {}, t("自己订阅和退订的", "Who subscribed and left by themselves")), wishes(s.wishes || []),
  ];
}

function audit(s) {
  if (!s.gaps.length) return el("p", { class: "well" }, t("✓ 没有缺口", "✓ no gap"));
  return table([t("检查", "check"), [t("处", "gaps")], [t("人数或接收者", "people or recipients")], t("哪些区", "which areas")], Object.entries(s.checks).map(([check, said]) => {
    const those = s.gaps.filter((g) => g.check === check), people = those.reduce((n, g) => n + g.people, 0);
    if (!those.length) return [said, ["0"], ["–"], el("span", { class: "well" }, "✓")];
    return [el("span", { class: check === "uncovered" ? "fault" : "doubt", "data-check": check }, said), [String(those.length)], [people ? String(people) : "–"],
      el("details", {}, el("summary", {}, t(`${those.length} 个`, `${those.length} of them`)), el("ul", { class: "matters" }, ...those.map((g) => el("li", {}, `${place(g.area)}${g.people ? ` ${g.people}` : ""}${g.detail ? ` (${of(g.detail)})` : ""}`))))];
  }));
}

function areas(s) {
  const rows = Object.entries(s.areas).sort(([x, a], [y, b]) => b.none - a.none || x.localeCompare(y));
  const none = (n) => (n ? el("span", { class: "fault" }, `✗ ${n}`) : "0");
  return table([t("区", "area"), [t("毫无覆盖", "by nothing")], [t("人口", "people")], [t("在名单", "on lists")], [t("听到喇叭", "in sound")], [t("不止一路", "more ways than one")], t("接收者", "recipients"), t("渠道", "ways")],
    rows.map(([id, a]) => [place(id), [none(a.none)], ...[a.people, a.on_list, a.in_sound, a.several].map((n) => [String(n)]),
      `${a.recipients}: ${listed(a.kinds, KIND)}`, `${listed(a.ways, CHANNEL)} · ${of(CHANNEL.broadcast)} ${a.loudspeakers}`]));
}

function choices(c) {
  const quiet = sum(c.quiet);
  return table([t("选择", "choice"), t("居民接收者", "residents' recipients")], [
    [t("合计", "together"), String(c.residents)],
    [t("免扰时段", "quiet hours"), `${t(`有 ${quiet}，无 ${c.residents - quiet}`, `with ${quiet}, without ${c.residents - quiet}`)}${quiet ? ` (${listed(c.quiet, {})})` : ""}`],
    [t("语言", "language"), listed(c.lang, LANG)],
    [t("最低等级", "least level"), Object.entries(c.level).map(([n, x]) => `${SHAPE[n]} ${of(LEVEL[n])} ${x}`).join(t("，", ", ")) || "–"],
    [t("灾种", "hazards"), [`${t("全部", "all")} ${c.every_hazard}`, ...c.hazards.map(([zh, en, n]) => `${t(zh, en)} ${n}`)].join(t("，", ", "))],
    [t("红色和指令", "red and every order"), t("不受选择限制，立即发给全区", "go to everybody of the area at once, whatever was chosen")],
  ]);
}

// of a day: who came and left, by village and language, and what the limits refused
const LIMIT = { number: ["一个号码的短信", "messages to one number"], page: ["网页的验证码", "codes of the page"], host: ["一个网络地址", "one network address"], all: ["一天的短信总数", "all messages of a day"], tries: ["试码", "tries of a code"] };
function wishes(days) {
  const count = (d, what) => d.rows.reduce((n, r) => n + r[what], 0);
  if (!days.length) return el("p", { class: "empty" }, t("还没有", "None yet"));
  return table([t("日期", "day"), [t("订阅", "subscribed")], [t("退订", "left")], t("各村、语言", "by village and language"), t("因上限没有发的", "refused by the limits")], days.map((d) => [d.day, [String(count(d, "came"))], [String(count(d, "left"))],
    d.rows.length ? el("details", { "data-day": d.day }, el("summary", {}, t(`${d.rows.length} 行`, `${d.rows.length} rows`)), el("ul", { class: "matters" }, ...d.rows.map((r) => el("li", {}, `${r.area ? place(r.area) : t("不明", "not known")} ${of(LANG[r.lang])}：+${r.came} −${r.left}`)))) : "–",
    listed(d.refused, LIMIT)]));
}

// one person, by id
function one(look) {
  if (picture.me.role !== "administrator") return el("p", { class: "note" }, t("姓名、号码不在本页；管理员可按代号看一个人，每次留痕", "No names or numbers here; an administrator may see one person by id, and each look is on record"));
  const field = el("input", { id: "person-id", required: true, maxlength: 80, autocomplete: "off", spellcheck: "false" });
  const box = el("div", { "data-person": "" });
  const form = el("form", { class: "fields", onsubmit: async (e) => {
    e.preventDefault();
    box.replaceChildren();
    try {
      const found = await ask("/api/person", { id: field.value.trim() });
      box.replaceChildren(person(found), erasing(found.id, box, look));
    } catch (error) { box.replaceChildren(el("p", { class: "fault", role: "alert" }, error.message)); }
  } }, el("label", {}, el("span", {}, `${t("联系人代号", "Person's id")} `), field), el("button", {}, t("查看（留痕）", "Look (on record)")),
  el("button", { type: "button", onclick: () => { box.replaceChildren(); field.value = ""; } }, t("合上", "Close")));
  return el("div", {}, el("h2", {}, t("一个联系人", "One person")), form, box);
}

function person(p) {
  const all = (ids) => ids.map((a) => (a === "*" ? t("全区县", "the whole district") : place(a))).join(t("，", ", "));
  return table([t("项", "what"), p.id], [
    [t("姓名", "name"), p.name || "–"], [t("电话", "telephone"), p.phone || "–"], [t("应用", "app"), p.app || "–"], [t("邮箱", "mail"), p.email || "–"],
    [t("身份", "role"), `${of(ROLE[p.role])}${p.category ? ` · ${of(KIND[p.category])}` : ""}`], [t("区", "areas"), all(p.areas)],
    [t("渠道", "ways"), p.channels.map((c) => of(CHANNEL[c]) || c).join(" → ")], [t("语言", "language"), of(LANG[p.lang])],
    [t("最低等级", "least level"), `${SHAPE[p.min_level]} ${of(LEVEL[p.min_level])}`], [t("免扰时段", "quiet hours"), p.quiet || "–"], [t("代表人数", "people behind"), String(p.people)],
  ]);
}

// It cannot be undone: a reason that stays on record, and a second press on the same button.
function erasing(id, box, look) {
  const key = random(), idle = t(`删除 ${id}…`, `Erase ${id}…`);
  const reason = el("input", { id: "erase-reason", required: true, maxlength: 300, autocomplete: "off" });
  const said = el("p", { role: "status", class: "said" });
  const button = el("button", { class: "act-cancel", "data-erase": id }, idle);
  let pressed = 0, timer = 0;
  const rest = () => { pressed = 0; button.textContent = idle; };
  const send = async (e) => {
    e.preventDefault();
    if (!pressed) {
      pressed = performance.now();
      button.textContent = t(`再按一次：永久删除 ${id}`, `Press again: erase ${id} for good`);
      timer = setTimeout(rest, LONG);
      return;
    }
    if (performance.now() - pressed < SHORT) return; // a double press is one press
    clearTimeout(timer);
    button.disabled = true;
    try {
      const found = await ask("/api/erase", { id, reason: reason.value, key });
      box.replaceChildren(el("p", { class: "well", role: "status", "data-erased": id }, t(`✓ ${id} 已删除：内容和密钥都已覆盖，此代号不再使用`, `✓ ${id} is erased: row and key are overwritten, and nobody gets this id again`)),
        found.plain ? el("p", { class: "doubt", role: "alert" }, t("⚠ 目录里的 contacts.csv 仍有此人：请删行", "⚠ contacts.csv of the folder still holds this person: remove the row")) : "");
      look();
    } catch (error) {
      said.textContent = `✗ ${error.message}`;
      button.disabled = false;
      rest();
    }
  };
  return el("form", { onsubmit: send },
    el("p", { class: "fields" }, el("label", {}, el("span", {}, `${t("删除理由（留痕，不写姓名号码）", "Reason (stays on record: no name, no number)")} `), reason), button), said);
}
