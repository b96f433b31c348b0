// 演练: the exercises that were held and what came of them, each with its after-action page, and how to
// start one. The page itself is framed as a drill, in a live run too.

import { ask, picture } from "./live.js";
import { table } from "./tables.js";
import { el, lang, of, t, time } from "./words.js";

const RESULT = { met: ["✓ 达到", "✓ met"], not_met: ["✗ 未达到", "✗ not met"], not_measured: ["– 未测得", "– not measured"] };
const CLASS = { met: "well", not_met: "fault", not_measured: "note" };
const HELD = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" });

export function show(root) {
  const rest = el("div", {}, el("p", { class: "note", role: "status" }, t("正在读取…", "Reading…")));
  root.append(el("section", { class: "sheet of-drills", tabindex: 0, "aria-label": t("演练", "Drills") },
    el("p", { class: "drill-mark" }, t("演练：这一页都不是真实灾情，演练碰不到实况的喇叭和手机", "DRILL: nothing on this page is real; a drill reaches no real loudspeaker or phone")), rest));
  let alive = true;
  ask("/api/asked/drills").then(
    (found) => { if (alive) rest.replaceChildren(...held(found), ...how(found)); },
    (e) => { if (alive) rest.replaceChildren(el("p", { class: "fault", role: "alert" }, e.message)); });
  return () => { alive = false; };
}

function held({ drills, count }) {
  const head = [t("演练", "drill"), t("情景", "scenario"), t("何时", "held"), t("情景时间", "the scenario's time"), t("对照目标", "against the plan"), t("总结评估", "after-action report")];
  const made = table(head, drills.map(row));
  made.className = "grid stack"; // cards where it is narrow
  for (const line of made.tBodies[0].rows) [...line.cells].forEach((c, n) => { if (n) c.dataset.head = head[n]; });
  return [el("h2", {}, t(`演练记录 ${count}`, `Drills held: ${count}`)),
    drills.length ? made : el("p", { class: "empty" }, t("还没有演练过", "No drill was held yet")),
    count > drills.length ? el("p", { class: "note" }, t(`只列最近 ${drills.length} 次`, `the newest ${drills.length} are listed`)) : ""];
}

const row = (d) => [
  el("span", { "data-drill": d.run }, el("span", { class: "badge drill-badge" }, t("演练", "DRILL")), ` ${d.run}`, d.run === picture.run.name ? el("small", { class: "note" }, t(" 本次运行", " this run")) : ""),
  d.scenario || "–", HELD.format(d.held_at),
  d.assessed ? `${time(d.begin_at)} – ${time(d.end_at)}` : "–",
  el("span", {}, d.problem ? el("p", { class: "fault" }, d.problem) : "", d.assessed ? results(d) : el("span", { class: "note" }, t("未评估：还没结束，或结果存在别处", "not assessed: it has not ended, or its report lies elsewhere"))),
  el("a", { class: "button", href: `/print/drill?run=${encodeURIComponent(d.run)}&lang=${lang()}`, target: "_blank", rel: "noopener", "aria-label": t(`打开 ${d.run} 的总结评估`, `Open the after-action report of ${d.run}`) }, d.assessed ? t("打开", "Open") : t("评估并打开", "Assess and open"))];

function results(d) {
  const met = d.targets.filter((x) => x.result === "met").length, measured = d.targets.filter((x) => x.result !== "not_measured").length;
  return el("div", {},
    d.broken_off ? el("p", { class: "fault" }, t(`中止：${of(d.broken_off)}`, `broken off: ${of(d.broken_off)}`)) : "",
    el("details", {}, el("summary", {}, el("span", { class: CLASS[d.result] }, of(RESULT[d.result])), d.result === "not_measured" ? "" : t(` ${met}/${measured} 项`, ` ${met} of ${measured}`)),
      ...d.targets.map((x) => el("p", {}, el("span", { class: CLASS[x.result] }, of(RESULT[x.result])), ` ${t(x.zh, x.en)} ${x.due ? `${x.in_time}/${x.due}` : t("没有应做的", "nothing was due")}`))));
}

function how({ command, scenarios }) {
  return [el("h2", {}, t("怎样开始演练", "How to start a drill")),
    el("p", {}, t("在服务器的终端输入。演练用自己的服务、密钥和新目录；实况有红色或立即转移时不开始，进行中出现时中止。", "Type it in a terminal of the server. A drill has services, keys and a new folder of its own; a real red or order to move forbids it, or breaks it off.")),
    el("p", {}, t("机器放一场，结束后自动评估：", "Played by the machine and assessed at its end:")), el("pre", { class: "command" }, `${command} drill yanqing-night`),
    el("p", {}, t("由人决定（开始时打印参演人员用的命令）：", "Persons decide (the commands for those who take part are printed at its start):")), el("pre", { class: "command" }, `${command} drill yanqing-storm --people --speed 20`),
    table([t("情景", "scenario"), t("内容", "what"), [t("小时", "hours")]], scenarios.map((s) => [s.name, of(s.title), [String(s.hours)]]))];
}
