// The big screen: what is late, by how much, under what waits; and the valleys turn over by themselves, so
// that nobody has to touch it.

import { clock, onChange, part } from "./live.js";
import { el, t, time } from "./words.js";

const TURN_MS = 12000;

// Questions that nobody answered, since when; loudspeakers that say nothing; people who were not reached.
// A question that is put anew has a new time to answer by, so what counts is since when its warning stands.
function late() {
  const over = Object.values(part("warnings")).filter((w) => w.questions.length), first = Math.min(...over.map((w) => w.onset));
  const mute = Object.values(part("nodes")).filter((n) => n.late && !n.service).length;
  const missed = Object.values(part("reach")).reduce((n, r) => n + r.missed, 0);
  return [[over.length, t(`已问未答${over.length ? `，最早 ${time(first, clock())} 起` : ""}`, `asked, not answered${over.length ? `, since ${time(first, clock())}` : ""}`)],
    [mute, t("大喇叭静默", "loudspeakers silent")], [missed, t("人次未送达", "not reached")]];
}

// top: what stands above the valleys; side: what is longer than the screen. Returns what ends it.
export function wall(top, side) {
  const box = el("div", { class: "late-clock", role: "status" });
  top.after(box);
  let says = "";
  const paint = () => {
    const found = late();
    if (JSON.stringify(found) === says) return;
    says = JSON.stringify(found);
    box.replaceChildren(...found.map(([n, words]) => el("div", { class: n ? "is-late" : "" }, el("b", {}, String(n)), words)));
  };
  paint();
  let alive = true;
  onChange((parts) => { if (alive && ["warnings", "nodes", "reach"].some((p) => parts.has(p))) paint(); });
  const second = setInterval(paint, 1000);
  const turn = setInterval(() => {
    const end = side.scrollTop + side.clientHeight >= side.scrollHeight - 4;
    side.scrollTop = end ? 0 : side.scrollTop + side.clientHeight * 0.9;
  }, TURN_MS);
  return () => { alive = false; clearInterval(second); clearInterval(turn); };
}
