// 帐号: one's own log-in; for administrators, everybody's; for who reads the record, the record.

import { ask, clock, picture } from "./live.js";
import { chosen, newPassword, offer } from "./door.js";
import { table } from "./tables.js";
import { age, el, of, random, t, time } from "./words.js";

const ROLE = { viewer: ["只看", "viewer"], duty: ["值班", "duty"], approver: ["批准", "approver"], administrator: ["管理员", "administrator"], security: ["安全管理员", "security"], auditor: ["审计管理员", "auditor"] };
const FACTOR = { "": ["无", "none"], app: ["手机验证器", "app"], card: ["码卡", "card"] };
const may = (what) => picture.me.may.includes(what);

export function show(root) {
  const own = el("div"), all = el("div"), record = el("div"), said = el("div", { role: "status" });
  let alive = true;
  const look = () => {
    if (!picture.me.may.length) return;
    ask("/api/accounts").then((found) => { if (alive) all.replaceChildren(...everybody(found, said, look)); }, (e) => { if (alive) all.replaceChildren(el("p", { class: "fault", role: "alert" }, e.message)); });
  };
  root.append(el("section", { class: "sheet", tabindex: 0, "aria-label": t("帐号", "Accounts") }, own, all, record));
  mine(own);
  look();
  if (may("record")) ask("/api/record").then((found) => { if (alive) record.replaceChildren(...theRecord(found)); }, (e) => { if (alive) record.replaceChildren(el("p", { class: "fault", role: "alert" }, e.message)); });
  return () => { alive = false; };
}

function mine(box, words = "") {
  const me = picture.me, said = el("p", { role: "status", class: words ? "well" : "said" }, words);
  const here = el("div");
  const fresh = async (text) => { picture.me = await ask("/api/me"); mine(box, text); };
  const old = el("input", { id: "own-old", type: "password", autocomplete: "current-password", required: true });
  const change = el("form", { class: "write", onsubmit: async (e) => {
    e.preventDefault();
    try { await ask("/api/login/change", { old: old.value, password: chosen() }); await fresh(t("✓ 口令已换，别处的登录都已退出", "✓ changed; your other sessions are over")); } catch (error) { said.textContent = `✗ ${error.message}`; }
  } }, el("label", {}, el("span", {}, t("原口令", "Old password")), old), ...newPassword(), el("button", { "data-own": "password" }, t("换口令", "Change it")));
  box.replaceChildren(el("h2", {}, t("我的登录", "My log-in")),
    el("p", {}, `${me.name} · ${of(ROLE[me.role])}${me.officer ? ` · ${me.officer}` : ""} · ${t(`这次登录到 ${time(me.ends_at)} 为止`, `this session ends at ${time(me.ends_at)}`)}`),
    el("p", { class: me.factor || !me.codes ? "" : "doubt" }, t(`第二把钥匙：${of(FACTOR[me.factor])}`, `Second key: ${of(FACTOR[me.factor])}`), me.factor ? t(`，卡上还有 ${me.codes} 个码`, `, ${me.codes} codes left on the card`) : "",
      me.factor && me.codes <= 3 ? el("strong", { class: "doubt" }, t(" 快用完了，请做一张新的", " nearly used up: make a new one")) : ""),
    el("p", { class: "acts" }, el("button", { type: "button", "data-own": "factor", onclick: () => offer(here, () => fresh(t("✓ 新的第二把钥匙已生效，旧的作废", "✓ the new key counts, the old one no longer"))) }, me.factor ? t("换第二把钥匙…", "Another second key…") : t("设第二把钥匙…", "Make a second key…"))), here,
    el("details", { class: "hand" }, el("summary", {}, t("换口令…", "Another password…")), change), said);
}

function everybody(found, said, look) {
  const act = async (given, words) => {
    try {
      const answer = await ask("/api/account", { key: random(), ...given });
      said.replaceChildren(el("p", { class: "well" }, `✓ ${given.name} ${words}`),
        answer.password ? el("p", {}, t("一次性口令，当面交给本人，首次登录须换：", "A password for once, to be handed over in person; they choose their own when they enter: "), el("code", { id: "once-password", translate: "no" }, answer.password)) : "",
        answer.link ? el("p", {}, t("登录链接，一次有效，15 分钟：", "A link that lets in once, for 15 minutes: "), el("code", { id: "once-link", translate: "no" }, location.origin + answer.link)) : "");
      look();
    } catch (error) { said.replaceChildren(el("p", { class: "fault", role: "alert" }, `✗ ${given.name}: ${error.message}`)); }
  };
  const rows = found.users.map((u) => [`${u.name}`, `${of(ROLE[u.role])}${u.officer ? ` ${u.officer}` : ""}`, `${of(FACTOR[u.factor])}${u.factor ? ` (${u.codes})` : ""}`,
    u.held ? el("span", { class: "fault" }, t(`⚠ ${u.held} 处限次`, `⚠ held up at ${u.held} places`)) : u.change ? t("首次登录须换口令", "chooses a password when they enter") : "✓",
    u.name === picture.me.name ? t("（自己）", "(you)") : el("span", { class: "acts" }, ...buttons(u, act))]);
  return [el("h2", {}, t("所有帐号", "All accounts")), table([t("用户", "user"), t("角色", "role"), t("第二把钥匙", "second key"), t("状态", "state"), t("可做", "may be done")], rows), said, may("add") ? adding(found, act) : ""];
}

function buttons(u, act) {
  const press = (what, zh, en, done) => (may(what) ? el("button", { type: "button", [`data-${what}`]: u.name, onclick: () => act({ act: what, name: u.name }, done) }, t(zh, en)) : "");
  return [u.held ? press("unlock", "解除限次", "Let in again", t("已解除", "may log in from everywhere")) : "",
    press("password", "新口令", "New password", t("有新口令，原登录已退出", "has a new password; their sessions are over")), press("link", "登录链接", "Link", t("的链接", "has a link")),
    u.factor ? press("factor", "清第二把钥匙", "Take the second key", t("下次登录重设", "makes a new one at the next log-in")) : "",
    may("role") ? roleOf(u, act) : "", may("remove") ? removing(u, act) : ""];
}

function roleOf(u, act) {
  const role = el("select", { "aria-label": t(`${u.name} 的角色`, `role of ${u.name}`) }, ...Object.entries(ROLE).map(([k, w]) => el("option", { value: k, selected: k === u.role }, of(w))));
  const officer = el("input", { value: u.officer, size: 6, "aria-label": t(`${u.name} 的代号`, `officer id of ${u.name}`), placeholder: "D-01" });
  return el("details", { class: "inline" }, el("summary", {}, t("改角色…", "Role…")), role, officer, el("button", { type: "button", "data-role": u.name, onclick: () => act({ act: "role", name: u.name, role: role.value, officer: officer.value.trim() }, t("角色已改，原登录已退出", "has the new role; their sessions are over")) }, t("改", "Change")));
}

function removing(u, act) {
  return el("details", { class: "inline" }, el("summary", {}, t("删除…", "Remove…")), el("button", { type: "button", class: "act-cancel", "data-remove": u.name, onclick: () => act({ act: "remove", name: u.name }, t("已删除", "is removed")) }, t(`删除 ${u.name}`, `Remove ${u.name}`)));
}

function adding(found, act) {
  const name = el("input", { id: "account-name", required: true, maxlength: 40, autocomplete: "off" });
  const role = el("select", { id: "account-role" }, ...found.roles.map((k) => el("option", { value: k }, of(ROLE[k]))));
  const officer = el("input", { id: "account-officer", size: 8, maxlength: 32, placeholder: "D-01", autocomplete: "off" });
  return el("details", { class: "hand" }, el("summary", {}, t("新用户…", "A new user…")), el("form", { class: "fields", onsubmit: (e) => { e.preventDefault(); act({ act: "add", name: name.value.trim(), role: role.value, officer: officer.value.trim() }, t("已建", "is added")); } },
    el("label", {}, el("span", {}, `${t("用户名", "Name")} `), name), el("label", {}, el("span", {}, `${t("角色", "Role")} `), role), el("label", {}, el("span", {}, `${t("officers.csv 代号", "officer id")} `), officer), el("button", { "data-add": "" }, t("建立", "Add"))));
}

function theRecord(found) {
  return [el("h2", {}, t("操作记录", "The record")), el("p", { class: found.wrong ? "fault" : "well", "data-record": "" }, found.wrong || t(`✓ ${found.count} 条，链和签名都对，同台账一致`, `✓ ${found.count} entries, chain and signatures are right and agree with the ledger`)),
    table([t("时间", "when"), t("谁", "who"), t("做了什么", "what"), t("细节", "detail")], found.entries.map((e) => [`${time(e.at)} · ${age(clock() - e.at)}`, e.who, e.what, e.detail]))];
}
