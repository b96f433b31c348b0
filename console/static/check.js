// 配置检查: what this run started with, whether the folder has changed since, and what would be refused
// or warned of if it started now.

import { ask } from "./live.js";
import { table } from "./tables.js";
import { el, of, t } from "./words.js";

export function show(root) {
  const box = el("section", { class: "sheet", tabindex: 0, "aria-label": t("配置检查", "Config check") });
  root.append(box);
  let alive = true;
  async function look() {
    box.replaceChildren(el("p", { class: "note", role: "status" }, t("正在检查…", "Checking…")));
    try {
      const found = await ask("/api/asked/check");
      if (alive) box.replaceChildren(...words(found, look));
    } catch (e) {
      if (alive) box.replaceChildren(el("p", { class: "fault", role: "alert" }, e.message));
    }
  }
  look();
  return () => { alive = false; };
}

function words(c, again) {
  const changed = c.now !== c.running, n = c.counts;
  return [
    el("h2", {}, t("目录现在", "The folder now")),
    c.problems.length
      ? el("p", { class: "fault", role: "alert" }, t(`✗ ${c.problems.length} 处问题：现在启动会被拒绝`, `✗ ${c.problems.length} problems: a start now would be refused`))
      : el("p", { class: "well" }, t("✓ 没有错误", "✓ no problem")),
    el("ul", {}, ...c.problems.map((p) => el("li", { class: "fault" }, p))),
    changed ? el("p", { class: "doubt" }, t("目录已改动，本次运行仍用启动时的配置；重启后生效", "The folder has changed; this run still uses what it started with, until it is started again")) : "",
    el("p", {}, el("button", { type: "button", onclick: again }, t("再查一遍", "Check again")), " ",
      el("small", { class: "note" }, t("情景演算：fengsui check", "scenarios are played by: fengsui check"))),
    el("h2", {}, t("阈值由谁负责", "Who answers for the thresholds")),
    c.proved ? el("p", { class: "well" }, `✓ ${of(c.proof)}`) : el("p", { class: "fault" }, t("✗ 未经评分，也无人签字", "✗ neither scored nor signed")),
    el("h2", {}, t("提醒", "Warnings")),
    c.warnings.length ? el("ul", {}, ...c.warnings.map((w) => el("li", { class: "doubt" }, w))) : el("p", { class: "note" }, t("没有", "none")),
    el("h2", {}, t("本次运行所用", "What this run uses")),
    table([t("项", "what"), t("值", "value")], [
      [t("目录", "folder"), c.folder], [t("配置版本", "version"), c.running], [t("阈值版本", "version of the thresholds"), c.rules_version],
      [t("规则", "rules in force"), c.rules.join(" · ")],
      [t("阈值行", "rows of thresholds"), t(`雨量 ${n.rain}，水位 ${n.stage}`, `rain ${n.rain}, stage ${n.stage}`)],
      [t("数目", "counts"), t(`${n.stations} 站，${n.areas} 区，${n.nodes} 终端，${n.contacts} 联系人，${n.officers} 决定人`, `${n.stations} stations, ${n.areas} areas, ${n.nodes} nodes, ${n.contacts} contacts, ${n.officers} officers`)],
    ])];
}
