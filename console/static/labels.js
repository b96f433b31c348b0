// Names on the map without one over another: who comes first gets its place, whoever has none waits for a closer
// look. Pure but for the map that it asks where things lie.

import { lang, t } from "./words.js";

const HIGH = 17, AIR = 3;
const wide = (words) => [...words].reduce((n, c) => n + (c.charCodeAt(0) > 0x2e80 ? 13.5 : 7.2), 6);

// all: [{ at: [lat, lon], words, dx, dy }], first those that matter most; dx, dy: of the label's middle from its
// place, in pixels. taken: boxes that are there already, [left, top, right, bottom]. Returns those that have room.
export function uncrowded(map, all, most = 60, taken = []) {
  const boxes = [...taken], kept = [];
  for (const one of all) {
    if (kept.length >= most) break;
    const p = map.latLngToContainerPoint(one.at), w = wide(one.words) / 2;
    const box = [p.x + one.dx - w, p.y + one.dy - HIGH / 2, p.x + one.dx + w, p.y + one.dy + HIGH / 2];
    if (boxes.some((b) => box[0] < b[2] + AIR && b[0] < box[2] + AIR && box[1] < b[3] && b[1] < box[3])) continue;
    boxes.push(box);
    kept.push(one);
  }
  return { kept, boxes };
}

// Marks of a fixed size that would lie over one another are moved apart, down or up, the first where it is. all:
// [{ at, w, h }], in pixels; each gets `dy`. Returns the boxes that they take.
export function apart(map, all) {
  const boxes = [];
  for (const one of all) {
    const p = map.latLngToContainerPoint(one.at);
    for (const dy of [0, 1, -1, 2, -2, 3, -3].map((n) => n * (one.h + AIR))) {
      const box = [p.x - one.w / 2, p.y + dy - one.h / 2, p.x + one.w / 2, p.y + dy + one.h / 2];
      one.dy = dy;
      if (boxes.some((b) => box[0] < b[2] && b[0] < box[2] && box[1] < b[3] && b[1] < box[3])) continue;
      boxes.push(box);
      break;
    }
  }
  return boxes;
}

// Townships and, closer, villages and rivers; `rank` tells how bad it is in an area, the higher the worse. Returns what writes
// them anew; near: whether villages have names; taken: boxes of marks that no name may lie under.
export function names(L, map, g, into, townsInto, rank) {
  let shown = "";
  const write = (group, one, kind) => L.marker(one.at, { interactive: false, keyboard: false, zIndexOffset: kind === "village-name" ? 10002 : 0,
    icon: L.divIcon({ className: kind, html: Object.assign(document.createElement("span"), { textContent: one.words }), iconSize: [140, HIGH], iconAnchor: [70 - one.dx, HIGH / 2 - one.dy] }) }).addTo(group);
  return (near, taken) => {
    const inside = map.getBounds().pad(0.05);
    const villages = !near ? [] : Object.entries(g.areas).map(([id, a]) => ({ at: [a.at[1], a.at[0]], words: t(a.name, a.en), dx: 0, dy: 19, rank: rank(id), people: a.people })).filter((v) => inside.contains(v.at))
      .sort((x, y) => y.rank - x.rank || y.people - x.people);
    const first = uncrowded(map, villages, 60, taken);
    const towns = Object.values(g.towns).map((town) => {
      const north = town.ring.reduce((m, p) => (p[1] > m[1] ? p : m)), west = Math.min(...town.ring.map((p) => p[0]));
      return { at: [north[1], west], words: t(town.name, town.en), dx: 22, dy: -9 };
    });
    const others = uncrowded(map, towns, 60, first.boxes);
    const streams = !near ? [] : g.rivers.map((r) => ({ at: [r.course[Math.floor(r.course.length / 2)][1], r.course[Math.floor(r.course.length / 2)][0]], words: t(r.name, r.en), dx: 0, dy: -11 })).filter((r) => inside.contains(r.at));
    const named = uncrowded(map, streams, 30, others.boxes);
    const says = JSON.stringify([lang(), map.getZoom(), map.getCenter(), first.kept.map((v) => v.words), [...others.kept, ...named.kept].map((v) => v.words)]);
    if (says === shown) return;
    shown = says;
    into.clearLayers();
    townsInto.clearLayers();
    for (const one of first.kept) write(into, one, "village-name");
    for (const one of others.kept) write(townsInto, one, "town");
    for (const one of named.kept) write(into, one, "river-name");
  };
}
