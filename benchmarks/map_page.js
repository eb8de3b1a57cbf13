// The page that `fenghuo bench map` measures: the console's map, and as many changes as asked for.

import { mountMap } from "/static/map.js";

const element = document.getElementById("map");
const begun = performance.now();
const map = mountMap(element);
await map.ready;
const readyMs = performance.now() - begun;

const shapes = await (await fetch("/api/v1/map")).json();
const places = shapes.features.map(({ id }) => id).filter((id) => id.length === 15);
const rows = new Map(
  places.map((place, n) => [
    place,
    { id: place, place, level: 1 + (n % 4), grade: 4, state: "detected", acknowledged_at: null, drill: false, opened_at: "2026-03-02T00:20:00Z" },
  ]),
);
map.show([...rows.values()]);

globalThis.measure = async (rate, ms) => {
  const painted = map.painted();
  const gaps = [];
  let updates = 0;
  let at = 0;
  const start = performance.now();
  let last = start;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - start) / 1000) * rate) - updates;
    for (let n = 0; n < due; n++) {
      const place = places[(at = (at * 16807 + 7919) % 2147483647) % places.length];
      const row = rows.get(place);
      rows.set(place, { ...row, level: 1 + (row.level % 4) });
    }
    updates += due;
    map.show([...rows.values()]);
  }, 100); // as the hub gathers changes
  await new Promise((done) => {
    const frame = (now) => {
      gaps.push(now - last);
      last = now;
      if (now - start < ms) requestAnimationFrame(frame);
      else done();
    };
    requestAnimationFrame(frame);
  });
  clearInterval(timer);
  const seconds = (performance.now() - start) / 1000;
  gaps.sort((a, b) => a - b);
  const share = (p) => gaps[Math.min(gaps.length - 1, Math.floor(p * gaps.length))];
  return {
    updates_per_second: updates / seconds,
    repainted_per_second: (map.painted() - painted) / seconds,
    ready_ms: readyMs,
    frames_per_second: gaps.length / seconds,
    gap_p50: share(0.5),
    gap_p99: share(0.99),
    gap_longest: gaps[gaps.length - 1],
  };
};
document.documentElement.dataset.ready = "";
