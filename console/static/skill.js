// 技巧: what came of every warning and of every silence, by area and by rule, as people and gauges told
// afterwards. What nobody has told of is open: it is neither a hit nor a false alarm.

import { ask, clock, picture } from "./live.js";
import { table } from "./tables.js";
import { badge, el, of, t, time } from "./words.js";

const OUTCOME = { hit: ["✓ 命中", "✓ hit"], late: ["△ 过迟", "△ late"], false: ["○ 空报", "○ false alarm"], open: ["？ 未核", "? open"], miss: ["✗ 漏报", "✗ miss"] };
const MEASURE = [["pod", "命中率 POD", "POD, events warned of in time"], ["far", "空报率 FAR", "FAR, warnings without an event"], ["csi", "临界成功指数 CSI", "CSI"]];
const MANY = 200; // rows of a table
const share = (x) => (x === null || x === undefined ? "–" : x.toFixed(2));
const place = (id) => { const a = picture.ground.areas[id]; return a ? `${id} ${t(a.town, a.town_en)} ${t(a.name, a.en)}` : id; };
const lead = (r) => (r.lead_minutes === null ? "–" : t(`${Math.round(r.lead_minutes)} 分钟`, `${Math.round(r.lead_minutes)} min`));
const outcome = (x) => el("span", { class: x === "hit" ? "well" : x === "open" ? "note" : x === "miss" || x === "late" ? "fault" : "doubt" }, of(OUTCOME[x]));

export function show(root) {
  const box = el("section", { class: "sheet", tabindex: 0, "aria-label": t("技巧", "Skill") }, el("p", { class: "note", role: "status" }, t("正在核对…", "Looking…")));
  root.append(box);
  let alive = true;
  ask("/api/asked/skill").then(
    (found) => { if (alive) box.replaceChildren(...words(found)); },
    (e) => { if (alive) box.replaceChildren(el("p", { class: "fault", role: "alert" }, e.message)); });
  return () => { alive = false; };
}

function words(s) {
  const areas = Object.entries(s.areas).filter(([, a]) => a.warned || a.hits || a.misses || a.quiet_days);
  const told = s.hits + s.misses + s.false_alarms;
  return [
    el("h2", {}, t("合计", "All together")),
    told ? "" : el("p", { class: "doubt" }, t("还没有人报告实情，也没有水位可证：分数还不存在。请系统管理员记入发生或没有发生。", "Nobody has told yet what happened, and no gauge shows it: there is no score yet. Ask whoever runs the system to enter what happened and what did not.")),
    table([t("量", "measure"), [t("值", "value")], [t("95 % 区间", "95 % interval")]], MEASURE.map(([key, zh, en]) => [t(zh, en), [share(s[key])],
      [s.intervals[key] ? `${share(s.intervals[key][0])} – ${share(s.intervals[key][1])}` : "–"]])),
    el("p", {}, t(`预警 ${s.warned}（未核 ${s.open}）· 命中 ${s.hits} · 漏报 ${s.misses}（其中过迟 ${s.late}）· 空报 ${s.false_alarms} · 平静日 ${s.quiet_days}；命中须至少提前 ${s.lead_min} 分钟`,
      `${s.warned} warnings (${s.open} open) · ${s.hits} hits · ${s.misses} misses (${s.late} late) · ${s.false_alarms} false alarms · ${s.quiet_days} quiet days; a hit has a lead of ${s.lead_min} min or more`)),
    ...s.notes.map((n) => el("p", { class: "doubt" }, n)),
    el("h2", {}, t("各区", "By area")),
    table([t("区", "area"), [t("预警", "warnings")], [t("未核", "open")], [t("命中", "hits")], [t("漏报", "misses")], [t("空报", "false")], ["POD"], ["FAR"], ["CSI"]],
      areas.map(([id, a]) => [place(id), [a.warned], [a.open], [a.hits], [a.misses], [a.false_alarms], [share(a.pod)], [share(a.far)], [share(a.csi)]].map(number))),
    el("h2", {}, t("各规则", "By rule")),
    table([t("规则", "rule"), t("阈值版本", "version"), ...["hit", "late", "false", "open"].map((x) => [of(OUTCOME[x])])],
      s.rules.map((r) => [r.rule === "person" ? t("人工", "a person") : r.rule, r.version.slice(0, 8) || "–", [r.hit], [r.late], [r.false], [r.open]].map(number))),
    el("h2", {}, t("漏报和过迟", "Missed and late")),
    rows(s.events.filter((e) => e.outcome !== "hit"), (e) => [place(e.area), time(Date.parse(e.start), clock()), outcome(e.outcome), lead(e), e.because]),
    el("h2", {}, t("每份预警", "Every warning")),
    rows(s.warnings, (w) => [place(w.area), time(Date.parse(w.start), clock()), outcome(w.outcome), lead(w), el("span", {}, badge(w.level, w.action), " ", of(w.because))]),
  ];
}

const number = (x) => (Array.isArray(x) ? [String(x[0])] : x);

function rows(found, row) {
  if (!found.length) return el("p", { class: "note" }, t("没有", "none"));
  const newest = [...found].sort((a, b) => Date.parse(b.start) - Date.parse(a.start)).slice(0, MANY);
  const made = table([t("区", "area"), t("开始", "from"), t("结果", "outcome"), t("提前", "lead"), t("依据", "because")], newest.map(row));
  return found.length > MANY ? el("div", {}, made, el("p", { class: "note" }, t(`最近 ${MANY} 条，共 ${found.length} 条`, `the newest ${MANY} of ${found.length}`))) : made;
}
