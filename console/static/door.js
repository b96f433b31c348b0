// The door: name and password, and whatever is asked for after them, in one box over the page. What was
// half written stays below it.

import { picture } from "./live.js";
import { el, lang, refused, t } from "./words.js";

const $ = (id) => document.getElementById(id);

async function send(path, body) {
  const given = { method: "POST", headers: { "accept-language": lang(), "content-type": "application/json", "x-fengsui": "1", "x-csrf": picture.me?.csrf || "" }, body: JSON.stringify(body) };
  const answer = await fetch(path, given), found = await answer.json();
  if (!answer.ok) throw refused(found, answer);
  return found;
}

// resolves when somebody is in
export function enter() {
  const box = $("login");
  return new Promise((done) => {
    let over = false;
    const isIn = (me) => { over = true; picture.me = me; $("login-password").value = ""; first(); box.close(); done(); };
    const next = (found) => (found.step ? step(found, next, isIn, begin) : isIn(found));
    const begin = (words) => { first(); $("login-why").textContent = words || ""; };
    begin(picture.me ? t("登录已过期；写了一半的内容还在", "The session is over; what you were writing is kept") : "");
    $("login-form").onsubmit = async (e) => {
      e.preventDefault();
      const button = $("login-form").querySelector("button");
      button.disabled = over = true;
      try { next(await send("/api/login", { name: $("login-name").value, password: $("login-password").value })); } catch (error) { $("login-why").textContent = error.message; }
      button.disabled = false;
    };
    if (!box.open) box.showModal();
    // a log-in that was begun goes on where it was left, unless somebody begins another meanwhile
    fetch("/api/login/step").then((a) => (a.ok ? a.json() : null), () => null).then((half) => { if (half?.step && !over) next(half); });
  });
}

function first() {
  $("login-form").hidden = false;
  $("login-step").replaceChildren();
}

function step(found, next, isIn, begin) {
  $("login-form").hidden = true;
  const more = { code, change, factor }[found.step];
  const back = el("p", {}, el("button", { type: "button", class: "quiet", "data-again": "", onclick: () => begin("") }, t("换个人登录", "Somebody else logs in")));
  const failed = (error) => { if (error.status === 401) begin(t("隔得太久，请重新登录", "That took too long: log in again")); };
  $("login-step").replaceChildren(more(found, next, failed), back);
  $("login-step").querySelector("input, button")?.focus();
}

// a form that says what is wrong and can be sent again
function form(title, fields, button, act, failed, ...more) {
  const said = el("p", { role: "status", class: "said" }), go = el("button", { class: "main-act" }, button);
  return el("form", { onsubmit: async (e) => {
    e.preventDefault();
    go.disabled = true;
    try { await act(); } catch (error) { said.textContent = `✗ ${error.message}`; failed(error); }
    go.disabled = false;
  } }, el("h2", {}, title), ...fields, said, go, ...more);
}

const codeField = (id, label) => el("label", {}, el("span", {}, label), el("input", { id, required: true, autocomplete: "one-time-code", inputmode: "text", maxlength: 20, spellcheck: "false" }));

function code(found, next, failed) {
  return form(t(`${found.name}：验证码`, `${found.name}: the code`),
    [el("p", {}, t("手机验证器上的 6 位数，或卡片上没用过的一个码", "The six figures of the authenticator app, or a code of your card that was not used")), codeField("login-code", t("验证码", "Code"))],
    t("继续", "Go on"), async () => next(await send("/api/login/code", { code: $("login-code").value })), failed,
    el("p", { class: "note" }, t("手机和卡片都不在：请管理员发一个登录链接，15 分钟内有效", "Neither is at hand: an administrator can make a link that lets you in, good for 15 minutes")));
}

function change(found, next, failed) {
  return form(t(`${found.name}：换一个自己的口令`, `${found.name}: choose a password of your own`), newPassword(),
    t("换口令并继续", "Change it and go on"), async () => next(await send("/api/login/change", { password: chosen() })), failed);
}

export const newPassword = () => [
  el("p", {}, t("至少 10 个字符，越长越好，比如几个不相干的词；不要用户名、常见词、连续或重复的字符", "10 characters or more, the longer the better, such as a few unrelated words; not your name, common words, rows of keys or repetitions")),
  el("label", {}, el("span", {}, t("新口令", "New password")), el("input", { id: "login-new", type: "password", autocomplete: "new-password", required: true, minlength: 10 })),
  el("label", {}, el("span", {}, t("再输一次", "Once more")), el("input", { id: "login-new2", type: "password", autocomplete: "new-password", required: true })),
];
export function chosen() {
  if ($("login-new").value !== $("login-new2").value) throw new Error(t("两次不一样", "They are not the same"));
  return $("login-new").value;
}

function factor(found, next, failed) {
  const box = el("div");
  offer(box, next, failed, found.later ? el("p", {}, el("button", { type: "button", "data-later": "", onclick: () => send("/api/login/later", {}).then(next, (e) => { box.append(el("p", { role: "alert", class: "bad" }, e.message)); failed(e); }) },
    t(`这次先进去（还可 ${found.later} 次）`, `Not this time (${found.later} more)`))) : "");
  return box;
}

// an app or a card, until a code of it was shown; `next` hears the answer
export function offer(box, next, failed = () => {}, more = "") {
  const choose = (kind) => async () => {
    try { show(box, await send("/api/login/offer", { kind }), next, failed, () => offer(box, next, failed, more)); } catch (error) { box.append(el("p", { role: "alert", class: "bad" }, error.message)); failed(error); }
  };
  box.replaceChildren(el("h2", {}, t("登录的第二把钥匙", "A second key to the door")),
    el("p", {}, t("口令之外再要一样：手机验证器，或一张码卡。现在就能设，一分钟。", "Beside the password one thing more: an authenticator app, or a card of codes. It takes a minute, now.")),
    el("p", { class: "acts" }, el("button", { type: "button", class: "main-act", "data-offer": "app", onclick: choose("app") }, t("用手机验证器", "An authenticator app")),
      el("button", { type: "button", class: "main-act", "data-offer": "card", onclick: choose("card") }, t("手机不在：用码卡", "No telephone here: a card"))), more);
}

function show(box, found, next, failed, back) {
  const codes = el("ol", { class: "codes", translate: "no" }, ...found.codes.map((c) => el("li", {}, c)));
  const app = found.kind === "app";
  box.replaceChildren(form(app ? t("扫一扫，再输入 6 位数", "Scan it, then type the six figures") : t("抄下或打印，再输入其中一个", "Write it down or print it, then type one of them"), [
    app ? el("p", { class: "qr" }, el("img", { src: found.picture, width: 200, height: 200, alt: t("验证器二维码", "QR code for the authenticator app") })) : "",
    app ? el("p", { class: "note" }, t("不能扫就手工输入密钥：", "If it cannot be scanned, type the key: "), el("code", { id: "factor-secret", translate: "no" }, found.secret.replace(/(.{4})(?=.)/g, "$1 ")), el("br"), el("code", { class: "uri" }, found.uri)) : "",
    el("p", {}, app ? t("手机丢了用这些码，每个一次；收好，只显示这一次：", "For the day when the telephone is lost, each works once; keep them, they are shown once only:") : t("每次登录用一个，每个一次；只显示这一次：", "One for each log-in, each works once; they are shown once only:")), codes,
    codeField("factor-code", app ? t("手机上的 6 位数", "The six figures") : t("其中一个码", "One of the codes"))],
  t("确认", "Confirm"), async () => next(await send("/api/login/confirm", { code: document.getElementById("factor-code").value })), failed,
  el("p", {}, el("button", { type: "button", class: "quiet", onclick: back }, t("返回", "Back")))));
  box.querySelector("#factor-code").focus();
}
