// Sound and a notice of the desktop, by level, until somebody acknowledges. Browsers are mute until
// a person has pressed something: "开始值班" does that, and until then the page says that it is mute.

import { LEVEL, of, t } from "./words.js";

let audio = null;
const seen = new Map(Object.entries(JSON.parse(localStorage.getItem("acknowledged") || "{}")));
let repeat = 0;

export const on = () => audio !== null && audio.state === "running";

export async function start() {
  audio ||= new AudioContext();
  await audio.resume();
  if ("Notification" in window && Notification.permission === "default") Notification.requestPermission();
  tones([[660, 0.15]]);
}

function tones(list) {
  if (!on()) return;
  let at = audio.currentTime;
  for (const [hz, s] of list) {
    const o = audio.createOscillator(), g = audio.createGain();
    o.frequency.value = hz;
    g.gain.setValueAtTime(0.25, at);
    g.gain.exponentialRampToValueAtTime(0.001, at + s);
    o.connect(g).connect(audio.destination);
    o.start(at);
    o.stop(at + s);
    at += s + 0.08;
  }
}

// told apart by rhythm, not only by pitch
const RHYTHM = [
  [], [[520, 0.3]], [[620, 0.25], [620, 0.25]], [[720, 0.2], [720, 0.2], [720, 0.2]],
  [[800, 0.3], [1000, 0.3], [800, 0.3], [1000, 0.3]],
];
const EVERY_S = [0, 0, 0, 60, 3];
const height = (w) => Math.max(w.level, w.asks_level, w.action ? 3 : 0, w.action === 2 ? 4 : 0);

export const fresh = (id, w) => height(w) > 0 && (seen.get(id) || 0) < height(w);

export function acknowledge(warnings) {
  for (const [id, w] of Object.entries(warnings)) seen.set(id, height(w));
  for (const id of seen.keys()) if (!(id in warnings)) seen.delete(id);
  localStorage.setItem("acknowledged", JSON.stringify(Object.fromEntries(seen)));
}

let told = new Set();
export function listen(warnings, names) {
  const open = Object.entries(warnings).filter(([id, w]) => fresh(id, w));
  const worst = Math.max(0, ...open.map(([, w]) => height(w)));
  const news = open.filter(([id, w]) => !told.has(`${id}/${height(w)}`));
  const now = Date.now();
  if (worst && (news.length || (EVERY_S[worst] && now - repeat > EVERY_S[worst] * 1000))) {
    tones(RHYTHM[worst]);
    repeat = now;
  }
  if (news.length && "Notification" in window && Notification.permission === "granted" && told.size) {
    const [, w] = news[0];
    new Notification(`${of(LEVEL[worst])} ${names(w)}`, { body: t(`新预警 ${news.length} 个`, `${news.length} new`), tag: "fengsui" });
  }
  told = new Set(open.map(([id, w]) => `${id}/${height(w)}`));
  return open.length;
}

export const lost = () => tones([[300, 0.2], [300, 0.2], [300, 0.2]]);
