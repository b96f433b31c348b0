// The frame: header, login, pages, keyboard, and the banner that says when the picture is old.
//
// A page is one module with `name`, `words` and `show(root)` (which may return a function that is
// called when it is left), a line in PAGES here, and one module on the server that makes its parts
// (PAGES in console/pages/feed.py). All but the first two are loaded when they are opened: `load`.

import { enter } from "./door.js";
import * as live from "./live.js";
import * as sound from "./sound.js";
import * as situation from "./situation.js";
import * as warnings from "./warnings.js";
import { COLOUR, LEVEL, SHAPE, age, el, lang, named, of, setLang, t, time } from "./words.js";

const PAGES = [situation, warnings,
  { name: "resources", words: ["资源和预案", "Resources and plans"], load: () => import("./resources.js") },
  { name: "delivery", words: ["送达", "Delivery"], key: "d", load: () => import("./delivery.js") },
  { name: "shift", words: ["值班日志", "Shift log"], key: "l", load: () => import("./shift.js") },
  { name: "stations", words: ["站点", "Stations"], key: "s", load: () => import("./stations.js") },
  { name: "subscribers", words: ["订阅者", "Subscribers"], key: "u", load: () => import("./subscribers.js") },
  { name: "drills", words: ["演练", "Drills"], key: "e", load: () => import("./drills.js") },
  { name: "skill", words: ["技巧", "Skill"], key: "p", load: () => import("./skill.js") },
  { name: "system", words: ["系统", "System"], key: "y", load: () => import("./system.js") },
  { name: "check", words: ["配置检查", "Config check"], key: "c", load: () => import("./check.js") },
  { name: "account", words: ["帐号", "Accounts"], load: () => import("./account.js") },
];
const WALL = location.pathname === "/wall";
const STOPPED_MS = 15000, LINE_MS = 90000, AHEAD_MS = 60000, SOON_MS = 1800000;
const $ = (id) => document.getElementById(id);
let leave = null, wasLost = false, going = 0;

live.onLogin(enter);
$("login").addEventListener("cancel", (e) => e.preventDefault());

async function go() {
  const name = location.hash.slice(2).split("/")[0];
  const page = WALL ? situation : PAGES.find((p) => p.name === name) || PAGES[0];
  const mine = (going += 1);
  if (leave) leave();
  leave = null;
  const root = $("main");
  $("more").open = false;
  root.replaceChildren();
  document.body.dataset.page = page.name;
  $("pages").replaceChildren(...PAGES.map((p) =>
    el("a", { href: `#/${p.name}`, "aria-current": p === page ? "page" : null }, of(p.words))));
  header();
  if (page.load && !page.show) {
    try {
      const { show, keys } = await page.load();
      Object.assign(page, { show, keys });
    } catch {
      root.replaceChildren(el("p", { class: "empty" }, t("这一页没有取到，连接恢复后刷新 F5", "This page could not be fetched: reload (F5) when the connection is back")));
      return;
    }
    if (mine !== going) return; // another page was opened meanwhile
  }
  leave = page.show(root) || null;
}

function header() {
  const { ground, run, me } = live.picture;
  $("place").textContent = `${t(ground.name, ground.name_en)} ${t("山洪泥石流预警", "flood and debris-flow warning")}`;
  document.title = `${t(ground.name, ground.name_en)} ${t("烽燧", "Fengsui")}`;
  $("drill").hidden = run.kind === "live";
  document.body.classList.toggle("drill", run.kind !== "live");
  const silent = Object.values(live.part("stations")).filter((s) => s.late).length;
  $("clock").textContent = `${time(live.clock())} ${t("北京时间", "Beijing time")} · ` +
    t(`监测站静默 ${silent}/${Object.keys(ground.stations).length}`, `${silent} of ${Object.keys(ground.stations).length} stations silent`);
  const minutes = Math.round(Math.abs(live.state().aheadMs) / 60000), ahead = live.state().aheadMs > 0;
  if (minutes * 60000 >= AHEAD_MS) {
    $("clock").textContent += t(` · 本机时钟${ahead ? "快" : "慢"} ${minutes} 分钟，这里是服务器的时间`, ` · this computer's clock is ${minutes} min ${ahead ? "fast" : "slow"}; times here are the server's`);
  }
  const counts = [0, 0, 0, 0, 0];
  const areas = Object.values(live.part("areas")), blind = areas.filter((a) => a.dark).length;
  for (const a of areas) counts[a.level] += 1;
  const waiting = Object.values(live.part("warnings")).filter((w) => w.questions.length).length;
  const guessed = Object.entries(live.part("door"));
  const crying = Object.values(live.part("roll")).reduce((n, r) => n + r.help.length, 0);
  $("counts").replaceChildren(
    crying ? el("a", { href: "#/delivery", class: "waiting cry-link" }, t(`⚠ ${crying} 人求助`, `⚠ ${crying} ask for help`)) : "",
    ...[4, 3, 2, 1].filter((n) => counts[n]).map((n) => el("span", { class: `badge level-${n}` }, `${SHAPE[n]} ${of(LEVEL[n])} ${counts[n]}`)),
    counts.slice(1).some(Boolean) ? "" : el("span", { class: blind ? "doubt" : "" }, t("无生效预警", "no warning in force")),
    blind ? el("span", { class: "badge dark", "data-blind": blind }, blind === areas.length ? t("▨ 全区无数据，不等于平安", "▨ no data at all: not the same as safe") : t(`▨ ${blind} 个区无数据，不等于平安`, `▨ no data of ${blind} areas: not the same as safe`)) : "",
    guessed.length ? el("a", { href: "#/shift", class: "waiting", "data-guessed": "" }, t(`⚠ 有人在试口令 ${guessed.map(([n]) => n).join("、")}`, `⚠ someone guesses passwords: ${guessed.map(([n]) => n).join(", ")}`)) : "",
    waiting ? el("a", { href: "#/warnings", class: "waiting" }, t(`${waiting} 个待决定`, `${waiting} to be decided`)) : "");
  const unheard = sound.listen(live.part("warnings"), (w) => (ground.areas[w.area] ? named(ground.areas[w.area]) : ""));
  $("sound").textContent = sound.on() ? (unheard ? t(`确认收到 ${unheard}`, `Acknowledge ${unheard}`) : t("声音已开", "Sound on")) : t("开始值班（声音未启用）", "Start duty (sound is off)");
  $("sound").className = sound.on() ? (unheard ? "unheard" : "") : "mute";
  const soon = me.ends_at - live.now();
  if (soon < SOON_MS) $("clock").textContent += t(` · ${Math.max(0, Math.ceil(soon / 60000))} 分钟后须重新登录`, ` · log in again within ${Math.max(0, Math.ceil(soon / 60000))} min`);
  $("who").textContent = `${me.name}${me.officer ? ` ${me.officer}` : ""} · ${t("退出", "log out")}`;
  $("theme").textContent = theme() === "day" ? t("夜间", "Night") : t("日间", "Day");
  $("lang").textContent = lang() === "zh" ? "English" : "中文";
  $("lang").lang = lang() === "zh" ? "en" : "zh";
}

function watch() {
  const { connected, quietMs } = live.state();
  const { run } = live.picture;
  const seconds = Math.floor(quietMs / 1000);
  const behind = run.kind === "live" && live.clock() ? live.now() - live.clock() : 0;
  let words = "";
  if (quietMs > STOPPED_MS) words = t(`数据已停 ${seconds} 秒`, `No data for ${seconds} s`);
  else if (!connected) words = t("连接断开，正在重连", "Connection lost, reconnecting");
  else if (behind > LINE_MS) words = t(`处理环节已停 ${age(behind)}`, `The line stopped ${age(behind)}`);
  if (words) words += ` · ${t("画面是", "this is")} ${time(live.clock())} ${t("的情况，不是现在", ", not now")}`;
  const box = $("alarm");
  box.hidden = !words;
  if (box.textContent !== words) box.textContent = words;
  document.body.classList.toggle("stale", Boolean(words));
  if (words && !wasLost) sound.lost();
  wasLost = Boolean(words);
}

const KEYS = [
  ["m", "一张图", "Situation", () => { location.hash = "#/situation"; }],
  ["w", "预警", "Warnings", () => { location.hash = "#/warnings"; }],
  ...PAGES.filter((p) => p.key).map((p) => [p.key, ...p.words, () => { location.hash = `#/${p.name}`; }]),
  ["a", "确认收到（停止响铃）", "Acknowledge (stop the sound)", () => $("sound").click()],
  ["?", "键盘说明", "This help", () => help()],
];

function help() {
  const page = PAGES.find((p) => p.name === document.body.dataset.page);
  $("keys").replaceChildren(...[...KEYS, ...(page.keys || [])].flatMap(([k, zh, en]) =>
    [el("dt", {}, el("kbd", {}, k)), el("dd", {}, t(zh, en))]));
  $("help").showModal();
}

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.altKey || e.metaKey || e.target.closest("input, textarea, select, dialog")) return;
  const page = PAGES.find((p) => p.name === document.body.dataset.page);
  const found = [...KEYS, ...(page?.keys || [])].find(([k]) => k === e.key);
  if (found) { e.preventDefault(); found[3](); }
});
// night unless somebody chose the day: a duty room is dark
const theme = () => localStorage.getItem("theme") || "night";
const dress = () => { document.documentElement.dataset.theme = theme(); };
$("theme").onclick = () => { localStorage.setItem("theme", theme() === "day" ? "night" : "day"); dress(); go(); };
dress();
$("lang").onclick = () => { setLang(lang() === "zh" ? "en" : "zh"); go(); };
$("sound").onclick = async () => {
  if (!sound.on()) await sound.start(); else sound.acknowledge(live.part("warnings"));
  header();
};
$("who").onclick = async () => { await live.ask("/api/logout", {}); location.reload(); };

setLang(lang());
document.body.classList.toggle("wall", WALL);
document.documentElement.style.setProperty("--red", COLOUR[4]);
$("main").append(el("p", { class: "empty" }, t("正在读取记录…", "Reading the records…")));
await live.begin();
addEventListener("hashchange", go);
live.onChange(header);
go();
setInterval(watch, 1000);
document.body.dataset.ready = "1";
