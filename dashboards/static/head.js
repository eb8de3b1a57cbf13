// What stands in the head of every page: the sound of this seat, notifications of the browser, and one's load of today.

import { alarmOf, canSound, sound, unlock } from "./alarm.js";
import { read } from "./api.js";
import { html, render, signal } from "./lib.js";
import { number, t } from "./words.js";
import { sentenceOf } from "./queue-rows.js";
import "./types.js";

/** @typedef {import("./types.js").Row} Row @typedef {import("./types.js").Burden} Burden */

const start = JSON.parse(document.getElementById("app")?.dataset.start ?? "null");
const [WISH, MUTE, HEARD] = ["sound", "sound-mute", "sound-heard"];
const MOST_HEARD = 500;
const REPEAT_MS = 20000;
const LOAD_MS = 60000;
const FLASH_MS = 6000;

/** Whether somebody at this seat once asked for sound; the browser may still want a click on each page. */
const wished = signal(localStorage.getItem(WISH) === "on");
const muted = signal(localStorage.getItem(MUTE) === "on");
const running = signal(false);
/** The level that sounded last, shown for some seconds: who cannot hear sees it. */
const flashed = signal(0);
/** @type {{value: Burden | null}} */
const load = signal(null);
/** Red cases that nobody has acknowledged: they sound again and again. @type {Map<string, Row>} */
const red = new Map();

/** @returns {[string, number][]} what this seat has heard, oldest first */
const heardBefore = () => JSON.parse(localStorage.getItem(HEARD) ?? "[]");

/** Remember that this seat heard a case at a level; answers the level before. @param {Row} row */
function hear(row) {
  const before = new Map(heardBefore());
  const level = before.get(row.id);
  before.delete(row.id);
  before.set(row.id, Math.max(row.level, level ?? 0));
  localStorage.setItem(HEARD, JSON.stringify([...before].slice(-MOST_HEARD)));
  return level;
}

/** @param {Row} row */
function announce(row) {
  flashed.value = row.level;
  setTimeout(() => {
    flashed.value = 0;
  }, FLASH_MS);
  if (wished.value) sound(row.level);
  if (typeof Notification === "undefined" || Notification.permission !== "granted" || !document.hidden) return;
  const told = new Notification(t("sound.notification", { level: t(`level.${row.level}`), place: row.place_name }), {
    body: sentenceOf(row),
    tag: row.id,
    requireInteraction: row.level === 4,
  });
  told.onclick = () => {
    focus();
    location.assign(`/incidents/${row.id}`);
  };
}

/** One tab of a browser sounds for all: the first that marks the case as heard. @param {() => void} then */
const alone = (then) => (navigator.locks ? navigator.locks.request(HEARD, then) : then());

/** @param {Row} row */
function arrived(row) {
  if (row.level === 4 && !row.acknowledged_at && !["closed", "reviewed", "false_alarm", "merged"].includes(row.state)) red.set(row.id, row);
  else red.delete(row.id);
  alone(() => {
    const alarm = alarmOf(row, hear(row), muted.value);
    if (alarm === "sounds") announce(row);
  });
}

/** Allow sound and notifications: browsers ask for a click. */
async function enable() {
  localStorage.setItem(WISH, "on");
  wished.value = true;
  await resume();
  sound(1);
  if (typeof Notification !== "undefined" && Notification.permission === "default") await Notification.requestPermission();
}

async function resume() {
  await unlock();
  running.value = canSound();
}

function toggleMute() {
  muted.value = !muted.value;
  localStorage.setItem(MUTE, muted.value ? "on" : "");
}

function Bell() {
  const level = flashed.value;
  const told = level ? html`<b class="bell-level level-${level}" role="status">${t("sound.level", { level: t(`level.${level}`) })}</b>` : null;
  if (!wished.value) return html`${told}<button id="sound-enable" data-sounded=${level} onClick=${enable}>${t("sound.enable")}</button>`;
  return html`${told}<button id="sound-mute" data-sounded=${level} aria-pressed=${muted.value} title=${t("sound.mute_what")} onClick=${toggleMute}>
    ${t(muted.value ? "sound.muted" : running.value ? "sound.on" : "sound.waits")}
  </button>`;
}

function Load() {
  const found = load.value;
  if (!found) return null;
  const { own, budget, over } = found;
  const facts = ["messages", "taps", "forms", "peak"].map((name) => t(`load_of.${name}`, { n: own[name], most: budget[name] })).join(" · ");
  return html`<span id="own-load" class="own-load ${over.length ? "over" : ""}" title=${facts}>
    <span>${t("load_of.title")}</span>
    <meter min="0" max=${budget.messages} high=${budget.messages * 0.8} value=${own.messages} aria-label=${facts}></meter>
    <b>${number(own.messages)}/${number(budget.messages)}</b>
    ${over.length > 0 && html`<span class="tag strong">${t("load_of.over")}</span>`}
  </span>`;
}

async function readLoad() {
  try {
    load.value = await read("/api/v1/burden");
  } catch {
    // The meter is not worth a message: it keeps its last figures and is read again in a minute.
  }
}

if (["grid", "officer", "commander"].includes(start?.viewer.role)) {
  for (const row of start.incidents ?? []) {
    hear(row);
    if (row.level === 4 && !row.acknowledged_at) red.set(row.id, row);
  }
  render(html`<${Load} /><${Bell} />`, /** @type {HTMLElement} */ (document.getElementById("seat-tools")));
  document.addEventListener("incident-news", (event) => arrived(/** @type {CustomEvent} */ (event).detail));
  setInterval(() => red.size && wished.value && sound(4), REPEAT_MS);
  if (wished.value) {
    resume();
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => !running.value && resume());
  }
  readLoad();
  setInterval(readLoad, LOAD_MS);
}
