// Live events and county time: one stream, the header's clock and the connection lamp.

import { effect, signal } from "./lib.js";
import { openStream } from "./stream.js";
import { clockTime, fullDay, t } from "./words.js";
import "./types.js";

/** County time in Unix milliseconds, in whole seconds: what shows it is drawn once a second, and faster on a fast clock. */
export const now = signal(Date.now());

/** When the server was last heard, in county time. */
const heard = signal(0);

const lamp = signal(/** @type {"connecting" | "live" | "lost"} */ ("connecting"));

let anchor = { county: Date.now(), factor: 1, at: performance.now() };

/** @param {import("./types.js").ClockNow} clock */
export function setClock(clock) {
  anchor = { ...clock, at: performance.now() };
  move();
}

function move() {
  const exact = anchor.county + (performance.now() - anchor.at) * anchor.factor;
  now.value = Math.floor(exact / 1000) * 1000;
}

function hear() {
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
 * Join the stream that all pages of this browser share; where there are no shared workers, open one of our own.
 * @param {string} login names the worker: another account never shares a stream
 * @param {number} after
 * @param {(news: import("./stream.js").News) => void} deliver
 * @returns {() => void} leaves it
 */
function join(login, after, deliver) {
  if (typeof SharedWorker === "undefined") return openStream(after, deliver).close;
  const worker = new SharedWorker(new URL("./stream-worker.js", import.meta.url), { type: "module", name: login });
  worker.port.onmessage = ({ data }) => deliver(data);
  worker.port.postMessage({ after });
  return () => worker.port.postMessage({ leave: true });
}

/**
 * Follow the server's events from a change on. `on` maps kinds of events to what happens; `resync` means: read anew.
 * @param {{viewer: import("./types.js").Viewer, change: number}} start
 * @param {Record<string, (data: any, id: number) => void>} on
 */
export function follow(start, on) {
  effect(showClock);
  effect(() => {
    const at = heard.value ? clockTime(heard.value) : "--:--:--";
    element("lamp").dataset.state = lamp.value;
    element("lamp").textContent = t(`lamp.${lamp.value}`, { at });
  });
  setInterval(move, 250);

  let last = start.change;
  /** @param {import("./stream.js").News} news */
  function deliver({ kind, data, id }) {
    if (kind === "lost") {
      lamp.value = "lost";
      return;
    }
    if (kind === "clock") setClock(data);
    hear();
    last = Math.max(last, id);
    on[kind]?.(data, id);
    if (kind === "incident") document.dispatchEvent(new CustomEvent("incident-news", { detail: data })); // head.js sounds
  }

  let leave = join(start.viewer.login, last, deliver);
  // Leaving frees the connection at once, also when the page is kept for the way back.
  addEventListener("pagehide", () => leave());
  addEventListener("pageshow", (event) => {
    if (event.persisted) leave = join(start.viewer.login, last, deliver);
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
