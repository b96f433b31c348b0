// The picture and its stream. Every page reads `picture`; `onChange` tells which parts are new.
// However the connection ends, the page says so at once and reads everything anew when it is back.

import { lang, refused, t } from "./words.js";

const RETRY_MS = 1000;
// the server says something every 5 s: a stream that is silent for longer is dead, whatever the browser
// thinks of it (half open, asleep, given up by a proxy)
const DEAD_MS = 12000;
const READ_MS = 30000, ACT_MS = 60000;

export const picture = { rev: -1, run: null, parts: {}, ground: null, me: null };
const hearers = new Set();
// returns what ends it
export const onChange = (f) => { hearers.add(f); return () => hearers.delete(f); };
export const part = (name) => picture.parts[name] || {};
export const clock = () => part("line").clock || 0;

let source = null, opening = 0;
let eventAt = performance.now(); // when the stream last said anything, or was opened anew
let heardAt = performance.now(); // when the log itself was last known to be read
let connected = false, listened = false;
let aheadMs = 0; // of the server's clock, this computer's
// the server's time, whatever this computer's clock says
export const now = () => Date.now() - aheadMs;
export const state = () => ({ connected, quietMs: performance.now() - heardAt, aheadMs });

let needLogin = () => Promise.resolve();
export const onLogin = (f) => { needLogin = f; };
// whatever asks while somebody logs in waits for the one login
let entering = null, entries = 0;
const enter = () => (entering ||= needLogin().finally(() => { entering = null; entries += 1; }));

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// A request; when the session is over the person logs in over the page, and it is sent again. A read
// waits for a lost connection to come back, under the banner that says so; an act fails at once, for
// only a person may send it a second time.
export async function ask(path, body) {
  for (;;) {
    const given = { headers: { "accept-language": lang() }, signal: AbortSignal.timeout(body === undefined ? READ_MS : ACT_MS) };
    if (body !== undefined) {
      given.method = "POST";
      given.body = JSON.stringify(body);
      given.headers = { ...given.headers, "content-type": "application/json", "x-fengsui": "1", "x-csrf": picture.me?.csrf || "" };
    }
    let answer, found;
    const before = entries; // a refusal that was under way during a login asks for no second one
    try { answer = await fetch(path, given); found = await answer.json(); } catch (error) {
      if (body !== undefined) throw error.name === "TimeoutError" ? new Error(t("没有答复；可能已经记录，请看最近的决定", "No answer; it may have been recorded: look at the newest decisions")) : error;
      await pause(RETRY_MS);
      continue;
    }
    if (answer.status === 401) { if (before === entries) await enter(); continue; }
    if (answer.status === 503 && path === "/api/snapshot") { // the server reads the log; it has no picture yet
      await pause(RETRY_MS);
      continue;
    }
    if (!answer.ok) throw refused(found, answer);
    return found;
  }
}

// parts: the name of each part that is new -> the keys in it that are
// What is under a finger is not drawn anew before it is let go: the press would be lost with its button,
// or fall on another.
let pressed = false, late = 0;
const news = new Map();
function tell(parts) {
  for (const [name, keys] of parts) news.set(name, [...(news.get(name) || []), ...keys]);
  if (pressed) return;
  const found = new Map(news);
  news.clear();
  for (const f of hearers) f(found);
}
function press(down) {
  clearTimeout(late);
  if (down) { pressed = true; late = setTimeout(() => press(false), 2000); return; }
  late = setTimeout(() => { pressed = false; if (news.size) tell(new Map()); }); // after the click
}
addEventListener("pointerdown", () => press(true), true);
addEventListener("keydown", (e) => { if (e.key === " ") press(true); }, true);
for (const up of ["pointerup", "pointercancel", "keyup", "blur"]) addEventListener(up, () => { if (pressed) press(false); }, true);
const keysOf = (parts) => new Map(Object.entries(parts).map(([name, news]) => [name, Object.keys(news)]));

let reading = null; // one at a time: a picture that does not come is not asked for by every beat
const whole = () => (reading ||= readWhole().finally(() => { reading = null; }));
async function readWhole() {
  const found = await ask("/api/snapshot");
  aheadMs = Date.now() - found.now;
  picture.rev = found.rev;
  picture.run = found.run;
  picture.parts = found.parts;
  heardAt = performance.now() - Math.min(found.age_ms, 1e7);
  document.body.dataset.rev = found.rev;
  tell(keysOf(found.parts));
}

function take(change) {
  if (change.rev <= picture.rev) return;
  if (change.rev !== picture.rev + 1) { whole(); return; } // something was missed
  for (const [name, news] of Object.entries(change.parts)) {
    const into = (picture.parts[name] ||= {});
    for (const [key, value] of Object.entries(news)) {
      if (value === null) delete into[key]; else into[key] = value;
    }
  }
  picture.rev = change.rev;
  document.body.dataset.rev = change.rev;
  tell(keysOf(change.parts));
}

export async function begin() {
  const pieces = Promise.all([ask("/api/ground"), whole()]);
  picture.me = await ask("/api/me");
  [picture.ground] = await pieces;
  listen();
}

function listen() {
  clearTimeout(opening);
  if (source) source.close();
  const mine = source = new EventSource("/api/stream");
  eventAt = performance.now();
  // the first stream begins with a beat that tells whether anything came in between; a later one may
  // be another server's, which counts anew
  source.onopen = () => { eventAt = performance.now(); connected = true; if (listened) whole().catch(() => {}); listened = true; };
  source.addEventListener("change", (e) => { eventAt = heardAt = performance.now(); take(JSON.parse(e.data)); });
  source.addEventListener("beat", (e) => {
    const beat = JSON.parse(e.data);
    eventAt = performance.now();
    heardAt = performance.now() - beat.age_ms;
    aheadMs = Date.now() - beat.now;
    if (beat.rev !== picture.rev) whole().catch(() => {});
  });
  source.onerror = () => {
    connected = false;
    if (mine !== source || source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    eventAt = performance.now();
    opening = setTimeout(() => ask("/api/me").then((me) => { picture.me = me; listen(); }, listen), 2000);
  };
}

// A dead stream is opened anew: by the clock, and at once when the computer wakes, the network is back or
// somebody looks at the page again.
function heal() {
  if (!source || performance.now() - eventAt < DEAD_MS) return;
  connected = false;
  listen();
}
setInterval(heal, 1000);
for (const back of ["online", "pageshow", "focus"]) addEventListener(back, heal);
document.addEventListener("visibilitychange", heal);
