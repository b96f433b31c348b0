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
  for (let y = 0; y < high; y += 1) {
    for (let x = 0; x < WIDE; x += 1) {
      const lon = west + (x + 0.5) * (east - west) / WIDE, lat = north - (y + 0.5) * (north - south) / high;
      let sum = 0, weight = 0, nearest = REACH_KM;
      for (const [a, b, mm] of known) {
        const km = Math.hypot((a - lon) * squeeze, b - lat) * KM_DEG;
        if (km >= REACH_KM) continue;
        const w = 1 / Math.max(km, 0.5) ** 2;
        sum += w * mm;
        weight += w;
        nearest = Math.min(nearest, km);
      }
      if (!weight) continue;
      const faint = Math.min(1, (1 - nearest / REACH_KM) * 3); // it ends without an edge
      image.data.set([48, 142, 240, 255 * MOST * faint * Math.sqrt(Math.min(1, sum / weight / HEAVY))], 4 * (y * WIDE + x));
    }
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
