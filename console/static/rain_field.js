// Rain between the gauges, drawn beneath everything: a schematic field, for the eye. Each point is the mean of
// the gauges within REACH_KM, weighted by the inverse square of their distance; where none is near there is
// nothing. What is judged is judged by the gauges themselves.

const REACH_KM = 9, WIDE = 96, EVERY_MS = 5000, KM_DEG = 111.2;
const HEAVY = 60, MOST = 0.45; // mm/h from which on the blue is at its deepest, and how deep that is

// values: gauge -> mm/h. bounds: [[south, west], [north, east]]; rings: the district's outline, (lon, lat).
function drawn(gauges, values, bounds, rings) {
  const [[south, west], [north, east]] = bounds, squeeze = Math.cos(((south + north) / 2) * Math.PI / 180);
  const high = Math.max(8, Math.round(WIDE * (north - south) / ((east - west) * squeeze)));
  const small = document.createElement("canvas");
  small.width = WIDE;
  small.height = high;
  const image = small.getContext("2d").createImageData(WIDE, high);
  const known = gauges.filter(([id]) => values[id] > 0 || values[id] === 0).map(([id, [lon, lat]]) => [lon, lat, values[id]]);
  // from each gauge to the points that it reaches: a large district has many gauges, and few are near
  const sum = new Float64Array(WIDE * high), weight = new Float64Array(WIDE * high), nearest = new Float64Array(WIDE * high).fill(REACH_KM);
  const across = (east - west) / WIDE, down = (north - south) / high, far = REACH_KM / KM_DEG;
  for (const [a, b, mm] of known) {
    const x0 = Math.max(0, Math.floor((a - far / squeeze - west) / across)), x1 = Math.min(WIDE - 1, Math.ceil((a + far / squeeze - west) / across));
    const y0 = Math.max(0, Math.floor((north - b - far) / down)), y1 = Math.min(high - 1, Math.ceil((north - b + far) / down));
    for (let y = y0; y <= y1; y += 1) {
      for (let x = x0; x <= x1; x += 1) {
        const km = Math.hypot((a - west - (x + 0.5) * across) * squeeze, b - north + (y + 0.5) * down) * KM_DEG, at = y * WIDE + x;
        if (km >= REACH_KM) continue;
        const w = 1 / Math.max(km, 0.5) ** 2;
        sum[at] += w * mm;
        weight[at] += w;
        nearest[at] = Math.min(nearest[at], km);
      }
    }
  }
  for (let at = 0; at < WIDE * high; at += 1) {
    if (!weight[at]) continue;
    const faint = Math.min(1, (1 - nearest[at] / REACH_KM) * 3); // it ends without an edge
    image.data.set([48, 142, 240, 255 * MOST * faint * Math.sqrt(Math.min(1, sum[at] / weight[at] / HEAVY))], 4 * at);
  }
  small.getContext("2d").putImageData(image, 0, 0);
  const canvas = document.createElement("canvas");
  canvas.width = WIDE * 4;
  canvas.height = high * 4;
  const ctx = canvas.getContext("2d");
  ctx.beginPath();
  for (const ring of rings) {
    ring.forEach(([lon, lat], n) => ctx[n ? "lineTo" : "moveTo"]((lon - west) / (east - west) * canvas.width, (north - lat) / (north - south) * canvas.height));
    ctx.closePath();
  }
  if (rings.length) ctx.clip("evenodd");
  ctx.drawImage(small, 0, 0, canvas.width, canvas.height);
  return canvas;
}

// into: a group of layers. Returns what draws it anew, at most every few seconds.
export function field(L, into, ground, bounds) {
  const gauges = Object.entries(ground.stations).filter(([, s]) => s.what === "rain").map(([id, s]) => [id, s.at]);
  if (!gauges.length) return () => {};
  let layer = null, at = -Infinity;
  return (values, must) => {
    if (!must && performance.now() - at < EVERY_MS) return;
    at = performance.now();
    const url = drawn(gauges, values, bounds, ground.outline).toDataURL();
    if (layer) layer.setUrl(url);
    else layer = L.imageOverlay(url, bounds, { pane: "rain", interactive: false, alt: "" }).addTo(into);
  };
}
