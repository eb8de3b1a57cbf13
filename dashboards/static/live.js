// Live events and county time: one stream, the header's clock and the connection lamp.

import { effect, signal } from "./lib.js";
import { clockTime, fullDay, t } from "./words.js";
import "./types.js";

/** County time in Unix milliseconds, moved on four times a second. */
export const now = signal(Date.now());

/** When the server was last heard, in county time. */
const heard = signal(0);

const lamp = signal(/** @type {"connecting" | "live" | "lost"} */ ("connecting"));

let anchor = { county: Date.now(), factor: 1, at: performance.now() };

/** Longer without a word than this and the line is dead, whatever the browser believes: the server beats every 15 s. */
const SILENCE_MS = 35000;
let heardAt = performance.now();

/** @param {import("./types.js").ClockNow} clock */
export function setClock(clock) {
  anchor = { ...clock, at: performance.now() };
  move();
}

function move() {
  now.value = anchor.county + (performance.now() - anchor.at) * anchor.factor;
}

function hear() {
  heardAt = performance.now();
  move();
  heard.value = now.value;
  lamp.value = "live";
}

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

function showClock() {
  element("date").textContent = fullDay(now.value);
  element("clock").textContent = clockTime(now.value);
  const factor = Math.round(anchor.factor * 10) / 10;
  element("pace").textContent = factor === 0 ? t("clock.still") : factor === 1 ? "" : t("clock.pace", { factor });
}

/**
 * Follow the server's events from a change on. `on` maps kinds of events to what happens; `resync` means: read anew.
 * @param {number} after
 * @param {Record<string, (data: any, id: number) => void>} on
 */
export function follow(after, on) {
  effect(showClock);
  effect(() => {
    const at = heard.value ? clockTime(heard.value) : "--:--:--";
    element("lamp").dataset.state = lamp.value;
    element("lamp").textContent = t(`lamp.${lamp.value}`, { at });
  });
  setInterval(() => {
    move();
    if (performance.now() - heardAt > SILENCE_MS) {
      heardAt = performance.now();
      lamp.value = "lost";
      connect();
    }
  }, 250);

  let last = after;
  /** @type {EventSource | undefined} */
  let source;

  function connect() {
    source?.close();
    source = new EventSource(`/api/v1/events?after=${last}`);
    source.onopen = hear;
    source.onerror = () => {
      lamp.value = "lost";
      // A refused stream (signed out, database away) is not tried again by the browser itself.
      if (source?.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
    };
    source.addEventListener("clock", (event) => {
      setClock(JSON.parse(event.data));
      hear();
    });
    for (const kind of Object.keys(on)) {
      source.addEventListener(kind, (event) => {
        last = Number(event.lastEventId) || last;
        hear();
        on[kind](JSON.parse(event.data), last);
      });
    }
  }
  connect();
  // Leaving frees the connection at once: browsers allow six per host.
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) connect();
  });
}

/**
 * Tell the viewer something for a few seconds.
 * @param {string} text
 * @param {boolean} [fault]
 */
export function notice(text, fault = false) {
  const note = document.createElement("p");
  note.className = fault ? "notice fault" : "notice";
  note.textContent = text;
  element("notices").append(note);
  setTimeout(() => note.remove(), fault ? 9000 : 4500);
}

/** @returns {any} what the page starts from */
export function startOf() {
  const start = JSON.parse(/** @type {string} */ (element("app").dataset.start));
  setClock(start.clock);
  return start;
}

/** Say that the page shows what it has: tests and screenshots wait for it. */
export function ready() {
  document.documentElement.dataset.ready = "";
}
