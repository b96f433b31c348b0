// 资源和预案: what the plan asks for now (late first), what the water may come to, and the teams,
// supplies, shelters and risk sources. A task is done in two presses: the button, and the one beside
// the note.

import { ask, clock, onChange, part, picture } from "./live.js";
import { count } from "./supplies.js";
import { el, left, listed, named, of, random, t, time } from "./words.js";

const STATE = { overdue: ["逾期", "OVERDUE"], open: ["待办", "open"], done: ["已完成", "done"], revoked: ["已撤销", "revoked"] };
const KIND = {
  rescue: ["抢险", "rescue"], medical: ["医疗", "medical"], road: ["道路", "road"], gully: ["沟道", "gully"], slope: ["边坡", "slope"],
  dam: ["坝", "dam"], school: ["学校", "school"], care_home: ["养老院", "care home"], camp: ["营地", "camp"], mine: ["矿山", "mine"], construction: ["工地", "construction site"],
};
const TABLES = [["teams", ["队伍", "Teams"]], ["supplies", ["物资", "Supplies"]], ["shelters", ["避难场所", "Shelters"]], ["risks", ["风险源", "Risk sources"]]];
const RANK = { overdue: 0, open: 1, done: 2, revoked: 2 };
const drafts = new Map(); // id of a task -> its form, with what was half written
// how the tasks are listed: by when they are due, or together by village or by person
const LISTS = { time: ["按期限", "By time"], village: ["按村", "By village"], person: ["按人", "By person"] };
let base = null, shown = "teams", list = "time", root = null, water = null, told = "";

export function show(into) {
  root = el("div", { "data-tasks": "" });
  water = el("div", { "data-water": "" });
  const tables = el("div", { "data-base": "" });
  into.append(el("section", { class: "task-side", "aria-label": t("预案任务", "Tasks of the plan") }, root),
    el("section", { class: "base-side", "aria-label": t("波及范围和资源", "What is downstream, and resources") }, water, tables));
  told = "";
  let alive = true;
  const off = onChange((parts) => { if (alive && (parts.has("tasks") || parts.has("warnings"))) { paint(); below(); } if (alive && parts.has("stock") && base && shown === "supplies") table(tables); });
  paint();
  below();
  ask("/api/resources").then((found) => { base = found; if (alive) table(tables); });
  const timer = setInterval(countdown, 1000);
  return () => { alive = false; off(); clearInterval(timer); };
}

const rows = () => Object.entries(part("tasks")).sort(([x, a], [y, b]) => RANK[a.state] - RANK[b.state] || a.due - b.due || x.localeCompare(y));
const place = (id) => { const a = picture.ground.areas[id]; return `${t(a.town, a.town_en)} ${t(a.name, a.en)}`; };

function countdown() {
  for (const e of document.querySelectorAll("[data-due]")) e.textContent = left(Number(e.dataset.due) - clock());
}

function paint() {
  const all = rows(), todo = all.filter(([, x]) => RANK[x.state] < 2), over = all.filter(([, x]) => RANK[x.state] === 2);
  const late = todo.filter(([, x]) => x.state === "overdue").length;
  const focus = root.contains(document.activeElement) && document.activeElement.dataset?.note || "", was = root.querySelector("details")?.open;
  root.replaceChildren(
    el("h2", {}, t(`未办任务 ${todo.length}`, `Tasks to do ${todo.length}`), late ? el("strong", { class: "order" }, t(`逾期 ${late}`, `${late} overdue`)) : ""),
    todo.length ? "" : el("p", { class: "empty" }, t("没有未办任务", "Nothing is to be done")),
    el("p", { class: "many", role: "group", "aria-label": t("任务怎样排", "How the tasks are listed") }, ...Object.entries(LISTS).map(([key, w]) => el("button", { type: "button", "data-list": key, "aria-pressed": String(key === list), onclick: () => { list = key; paint(); root.querySelector(`[data-list="${key}"]`).focus(); } }, of(w)))),
    ...(list === "time" ? todo.map(row) : together(todo)),
    el("details", { open: was }, el("summary", {}, t(`已完成、已撤销 ${over.length}`, `Done or revoked ${over.length}`)), ...over.map(row)));
  if (focus) root.querySelector(`[data-note="${focus}"]`)?.focus();
  countdown();
}

// The tasks of a village, or of a person, with one press for all of them.
function together(todo) {
  const groups = new Map(), mine = picture.me.acts.includes("task");
  for (const one of todo) {
    const key = list === "village" ? place(one[1].area) : `${of(one[1].owner)} ${one[1].officers[0] || ""}`;
    groups.set(key, [...(groups.get(key) || []), one]);
  }
  return [...groups].flatMap(([key, all]) => {
    const late = all.filter(([, x]) => x.state === "overdue").length, id = `all:${list}:${key}`;
    const head = el("h3", { class: "valley-head", "data-group": key }, el("span", { class: "what" }, `${key} `, el("small", {}, t(`${all.length} 项${late ? `，逾期 ${late}` : ""}`, `${all.length}${late ? `, ${late} overdue` : ""}`))));
    if (mine) head.append(el("button", { type: "button", "data-all": key, onclick: () => { drafts.set(id, writing(id, all)); paint(); root.querySelector(`[data-note="${CSS.escape(id)}"]`)?.focus(); } }, t(`完成 ${all.length} 项…`, `${all.length} done…`)));
    return [head, drafts.get(id) || "", ...all.map(row)];
  });
}

function row([id, x]) {
  const open = RANK[x.state] < 2, mine = picture.me.acts.includes("task");
  const box = el("div", { class: `task ${x.state}`, "data-task": id, "data-state": x.state },
    el("p", { class: "what" }, el("strong", {}, `${place(x.area)} · ${of(x.title)}`)),
    el("p", { class: "note" }, `${of(STATE[x.state])} · ${t("期限", "due")} ${time(x.due, clock())} `, open ? el("span", { class: "countdown", "data-due": x.due }) : "",
      ` ${of(x.step)} ${of(x.hazard_words)} · ${of(x.owner)} ${listed(x.officers)}`, x.needs.length ? ` · ${x.needs.map((n) => `${n[0]} ${t(n[1], n[2])}`).join(t("、", ", "))}` : "",
      x.done ? ` · ✓ ${x.done[0]} ${time(x.done[1], clock())} ${of(x.done[2])}` : ""));
  if (open && mine) box.append(drafts.get(id) || el("button", { type: "button", "data-done": id, onclick: () => { drafts.set(id, writing(id, [[id, x]])); paint(); root.querySelector(`[data-note="${id}"]`)?.focus(); } }, t("完成…", "Done…")));
  return box;
}

// all: the tasks that it is about
function writing(id, all) {
  const note = el("input", { "data-note": id, value: t("已完成", "done"), "aria-label": t("办理情况", "What was done"), required: true, maxlength: 200 });
  const said = el("span", { role: "status", class: "said" }), go = el("button", { class: "main-act", "data-go-task": id }, t("确认完成", "It is done"));
  const key = random();
  return el("form", { class: "fields", onsubmit: send }, note, go, el("button", { type: "button", onclick: () => { drafts.delete(id); paint(); } }, t("不做了", "Do nothing")), said);

  async function send(e) {
    e.preventDefault();
    go.disabled = true;
    said.textContent = t("正在送出…", "Sending…");
    try {
      const found = await ask("/api/acts", { act: "task", key, reason: note.value, places: all.map(([task, x]) => ({ task, area: x.area, hazard: x.hazard, alert: x.alert, version: x.version })) });
      const bad = found.filter((one) => !["done", "already"].includes(one.outcome));
      if (!bad.length) { drafts.delete(id); paint(); return; }
      said.textContent = (found.length > 1 ? t(`${found.length - bad.length} 项已办，${bad.length} 项未办：`, `${found.length - bad.length} done, ${bad.length} not: `) : "") + [...new Set(bad.map((one) => of(one.words)))].slice(0, 3).join(t("；", "; "));
    } catch (error) {
      said.textContent = `${t("没有送出：", "Not sent: ")}${error.message}`;
    }
    go.disabled = false;
  }
}

// Below each area with an order, an orange or a red: what the water may come to, and who has no warning.
async function below() {
  const worst = Object.entries(part("areas")).filter(([, a]) => a.action || a.level >= 3).sort(([x, a], [y, b]) => b.action - a.action || b.level - a.level || x.localeCompare(y)).map(([id]) => id).slice(0, 12);
  const levels = JSON.stringify([worst, Object.entries(part("areas")).map(([id, a]) => [id, a.level, a.action])]);
  if (levels === told) return;
  told = levels;
  const found = await Promise.all(worst.map((id) => ask(`/api/downstream/${id}`)));
  if (told !== levels) return; // a newer look may have been answered before
  const made = worst.map((id, n) => [id, found[n].filter((h) => h.what === "area")]).filter(([, hits]) => hits.length);
  water.replaceChildren(el("h2", {}, t("影响和波及范围（推算，供研判）", "What is downstream (an estimate, to be judged)")),
    made.length ? "" : el("p", { class: "empty" }, t("没有转移指令或橙、红预警，或其下游没有预警区", "No order, orange or red, or nothing below it")),
    ...made.map(([id, hits]) => el("p", { "data-below": id }, el("strong", {}, `${place(id)} → `), ...hits.map((h) => {
      const s = part("areas")[h.id], warned = s.level || s.action;
      return el("span", { class: warned ? "hit" : "hit unwarned" }, `${t(picture.ground.areas[h.id].name, picture.ground.areas[h.id].en)} ${h.earliest_min}–${h.latest_min} ${t("分钟", "min")} ${warned ? t("已有预警", "warned") : t("尚无预警", "NO WARNING")}`);
    }))));
}

function table(into) {
  const columns = {
    teams: [["人数", "people", "people"], ["类别", "kind", "kind"], ["负责", "for", "areas"], ["队长", "leader", "leader"]],
    supplies: [["可用 / 共有", "free / all", "free"], ["预留 / 领出", "reserved / out", "out"], ["存放", "depot", "place"], ["保管", "keeper", "keeper"]],
    shelters: [["容量", "holds", "capacity"], ["预警区", "areas", "areas"], ["灾种", "against", "hazards"], ["管理", "keeper", "keeper"]],
    risks: [["类别", "kind", "kind"], ["预警区", "area", "area"], ["人数", "people", "people"], ["监视", "watched by", "watcher"]],
  }[shown];
  const where = (a) => (picture.ground.areas[a] ? named(picture.ground.areas[a]) : picture.ground.towns[a] ? named(picture.ground.towns[a]) : picture.ground.hazards[a] || a);
  const both = (r, key) => (r[`${key}_en`] ? [r[key], r[`${key}_en`]] : r[key]);
  const counted = shown === "supplies" ? ["free", "out"] : [];
  const cell = (v, key) => (key === "kind" ? of(KIND[v]) || v : key === "areas" || key === "hazards" ? listed(v.map(where)) : key === "area" ? of(where(v)) : of(v) || String(v));
  into.replaceChildren(
    el("p", { class: "many", role: "group", "aria-label": t("资源表", "Tables") }, ...TABLES.map(([key, zh]) => el("button", { type: "button", "data-table": key, "aria-pressed": String(key === shown), onclick: () => { shown = key; table(into); into.querySelector(`[data-table="${key}"]`).focus(); } }, `${of(zh)} ${Object.keys(base[key]).length}`))),
    el("table", { class: "base" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("名称", "name")), ...columns.map(([zh, en]) => el("th", { scope: "col" }, t(zh, en))), el("th", { scope: "col" }, t("经纬度", "lon, lat")))),
      el("tbody", {}, ...Object.values(base[shown]).map((r) => el("tr", {}, el("th", { scope: "row" }, `${r.id} ${t(r.name, r.name_en)}`), ...(counted.length ? count(r, () => table(into)) : []), ...columns.filter(([, , key]) => !counted.includes(key)).map(([, , key]) => el("td", {}, cell(both(r, key), key))), el("td", {}, `${r.lon}, ${r.lat}`))))));
}
