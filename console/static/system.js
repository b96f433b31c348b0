// 系统: is every stage keeping up, what can the auditor not explain, which ways out work and which are
// proven, is there room on the disk.

import { ask, clock, now, onChange, part, picture } from "./live.js";
import { CHANNEL, table } from "./tables.js";
import { age, el, of, t, time } from "./words.js";

const STAGE = { detect: ["检测", "detect"], decide: ["决策", "decide"], address: ["定向", "address"], send: ["发送", "send"], archive: ["归档", "archive"], "ledger-alerts": ["台账（预警）", "ledger of warnings"], "ledger-deliveries": ["台账（发送）", "ledger of deliveries"] };
const CHECK = { line_stands: ["全线停住", "the line stands still"], not_decided: ["检测未成预警", "not decided"], overdue: ["超期未决", "overdue"], not_addressed: ["没有接收者", "addressed to nobody"], stuck: ["发送停住", "stuck"], wrong_status: ["实况演练混淆", "wrong status"], wrong_run: ["日志属于别的运行", "wrong run"], unproven: ["未证明是本人的操作", "not proved"] };
const TERMINAL = { 1: ["正常", "on"], 2: ["关闭", "off"], 3: ["故障", "fault"], 4: ["已恢复", "recovered"], 5: ["播发中", "broadcasting"], "": ["状态未报", "not told"] };
const LISTED = 200; // terminals that are off or at fault
const BEHIND = 1000; // records; a stage further behind shows it
const EVERY_MS = 5000;
const gb = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;

export function show(root) {
  const stages = el("div"), findings = el("div"), ways = el("div"), speakers = el("div"), rest = el("div");
  root.append(el("section", { class: "sheet", tabindex: 0, "aria-label": t("系统", "System") },
    el("h2", {}, t("处理环节", "Stages")), stages,
    el("h2", {}, t("稽核", "Auditor")), findings,
    el("h2", {}, t("发送通道", "Ways out")), ways,
    speakers,
    el("h2", {}, t("坏数据、磁盘、服务器", "Dead letters, disk, servers")), rest));
  let alive = true, timer = 0;
  const quiet = onChange((parts) => {
    if (parts.has("ways")) ways.replaceChildren(wayTable());
    if (parts.has("terminals")) speakers.replaceChildren(...terminalTables());
  });
  ways.replaceChildren(wayTable());
  speakers.replaceChildren(...terminalTables());
  async function look() {
    try {
      const [found, unexplained] = await Promise.all([ask("/api/asked/system"), ask("/api/findings")]);
      if (!alive) return;
      stages.replaceChildren(stageTable(found.stages));
      findings.replaceChildren(findingTable(unexplained));
      rest.replaceChildren(...restOf(found));
    } catch (e) {
      if (alive) stages.replaceChildren(el("p", { class: "fault", role: "alert" }, `${t("读不到", "cannot be read")}: ${e.message}`));
    }
    if (alive) timer = setTimeout(look, EVERY_MS);
  }
  look();
  return () => { alive = false; clearTimeout(timer); quiet(); };
}

function stageTable(stages) {
  return table([t("环节", "stage"), t("读", "reads"), [t("积压", "behind")], [t("分区有人", "owned")], [t("待命", "standby")], t("状态", "state")], stages.map((s) => [
    of(STAGE[s.stage]), s.topic, [String(s.lag)], [`${s.owned}/${s.partitions}`], [String(s.standby)],
    el("span", {}, ...s.alone.map((words) => el("div", { class: "fault" }, of(words))), !s.begun ? el("span", { class: s.lag ? "fault" : "note" }, t("从未读过", "has read nothing yet"))
      : s.lag > BEHIND ? el("span", { class: "fault" }, t("跟不上", "is behind")) : el("span", { class: "well" }, t("✓ 跟得上", "✓ keeps up")))]));
}

function findingTable(found) {
  if (!found.length) return el("p", { class: "well" }, t("✓ 皆有交代：每次检测都有决定，每份预警都有接收者，每条发送都在动", "✓ all explained: every detection decided, every warning addressed, every delivery moving"));
  return table([t("查的", "question"), t("对象", "of"), t("说明", "in words")], found.map((f) => [el("span", { class: "fault" }, of(CHECK[f.check]) || f.check), f.subject, f.words]));
}

function wayTable() {
  const rows = Object.entries(part("ways")).map(([name, w]) => [
    `${of(CHANNEL[name.split("/")[0]]) || name} ${name}`, w.kind,
    w.up === null ? el("span", { class: "note" }, w.kind === "file" ? t("本机文件", "a file here") : t("未巡检", "not probed yet"))
      : w.up ? el("span", { class: "well" }, t("✓ 正常", "✓ up")) : el("span", { class: "fault" }, `${t("✗ 中断", "✗ DOWN")} ${of(w.detail)}`),
    w.at ? `${time(w.at, clock())} · ${age(clock() - w.at)}` : "–",
    w.proven ? `${t("已验证：", "proven: ")}${of(w.proven)}` : el("span", { class: "doubt" }, t("未经验证", "unproven"))]);
  return table([t("通道", "way"), t("种类", "kind"), t("状态", "state"), t("最近巡检", "last probed"), t("验证", "proof")], rows);
}

// the terminals of broadcast platforms: how many in which state, and each that is off or at fault
function terminalTables() {
  const all = Object.entries(part("terminals") || {}), platforms = {};
  if (!all.length) return [];
  for (const [name, row] of all) {
    const states = platforms[name.split("/")[0]] ||= {};
    states[row.state] = (states[row.state] || 0) + 1;
  }
  const bad = all.filter(([, row]) => row.state === "2" || row.state === "3");
  const head = table([t("平台", "platform"), [t("终端", "terminals")], ...Object.values(TERMINAL).map((w) => [of(w)])],
    Object.entries(platforms).map(([name, states]) => [name, [String(Object.values(states).reduce((a, b) => a + b, 0))],
      ...Object.keys(TERMINAL).map((s) => [String(states[s] || 0)])]));
  const list = table([t("终端", "terminal"), t("名称", "name"), t("状态", "state"), t("平台报告于", "told at")],
    bad.slice(0, LISTED).map(([name, row]) => [name, row.name || "–", el("span", { class: "fault" }, of(TERMINAL[row.state])), time(row.at, clock())]));
  const more = bad.length > LISTED ? [el("p", { class: "note" }, t(`另有 ${bad.length - LISTED} 个`, `and ${bad.length - LISTED} more`))] : [];
  return [el("h2", {}, t("应急广播终端", "Terminals of the broadcast platform")), head, ...(bad.length ? [list, ...more] : [])];
}

function restOf(found) {
  const dead = Object.entries(part("dead")), full = found.disk.free / found.disk.total < 0.1;
  const behind = picture.run.kind === "live" ? now() - clock() : 0;
  return [table([t("项", "what"), t("现在", "now")], [
    [t("坏数据", "dead letters"), dead.length ? dead.map(([reason, n]) => `${reason} ${n}`).join(" · ") : "0"],
    [t("读数", "readings"), String(part("line").readings || 0)],
    ...(part("line").unread ? [[t("⚠ 网页略过（程序出错）", "⚠ passed over by these pages (a program error)"), String(part("line").unread)]] : []),
    [t("运行时钟", "the run's clock"), `${time(clock())}${behind ? ` · ${age(behind)}` : ""}`],
    [t("磁盘", "disk"), el("span", { class: full ? "fault" : "" }, `${found.disk.folder}: ${t("剩余", "free")} ${gb(found.disk.free)} / ${gb(found.disk.total)} · ${t("本运行", "this run")} ${gb(found.disk.ours)}`)],
    ["MQTT", found.servers.broker], [t("日志", "log"), found.servers.log], [t("历史库", "history"), found.servers.history],
  ])];
}
