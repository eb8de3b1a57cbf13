// Texts, times and numbers as people read them. Texts come from the catalogue of the page's language.

const root = document.documentElement;

/** The language of the page: "zh" or "en". */
export const language = root.lang.slice(0, 2);

/** @type {Record<string, string>} */
const texts = await (await fetch(/** @type {string} */ (root.dataset.texts))).json();

/**
 * Tell a text of the catalogue; a key that is not in it is shown as it is, so that nobody overlooks it.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * Tell a text if the catalogue has it, else the word itself (a channel or a reason that came later than this release).
 * @param {string} key
 * @param {string} word
 */
export const tOr = (key, word) => texts[key] ?? word;

export const ROMAN = ["", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ"];

const zone = "Asia/Shanghai";
const parts = new Intl.DateTimeFormat("en-GB", {
  timeZone: zone,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/**
 * @param {number} ms Unix milliseconds
 * @returns {Record<string, string>}
 */
function split(ms) {
  return Object.fromEntries(parts.formatToParts(ms).map((part) => [part.type, part.value]));
}

/** @param {string | number} at ISO text or Unix milliseconds */
export const toMs = (at) => (typeof at === "number" ? at : Date.parse(at));

/** @param {string | number} at */
export function clockTime(at) {
  const p = split(toMs(at));
  return `${p.hour}:${p.minute}:${p.second}`;
}

/** @param {string | number} at */
export function hourMinute(at) {
  const p = split(toMs(at));
  return `${p.hour}:${p.minute}`;
}

/** @param {string | number} at */
export function day(at) {
  const p = split(toMs(at));
  return language === "zh" ? `${Number(p.month)}月${Number(p.day)}日` : `${p.day}/${p.month}`;
}

/** @param {string | number} at */
export function fullDay(at) {
  const p = split(toMs(at));
  return `${p.year}-${p.month}-${p.day}`;
}

/**
 * Date and time, without the day when it is the same one.
 * @param {string | number} at
 * @param {number} now
 */
export function when(at, now) {
  return fullDay(at) === fullDay(now) ? hourMinute(at) : `${day(at)} ${hourMinute(at)}`;
}

/**
 * How long ago something was, in words.
 * @param {string | number} at
 * @param {number} now
 */
export function ago(at, now) {
  const minutes = Math.floor((now - toMs(at)) / 60000);
  if (minutes < 1) return t("clock.just_now");
  if (minutes < 60) return t("clock.ago_minutes", { n: minutes });
  if (minutes < 48 * 60) return t("clock.ago_hours", { n: Math.floor(minutes / 60) });
  return t("clock.ago_days", { n: Math.floor(minutes / 1440) });
}

/**
 * Time left as m:ss or h:mm:ss.
 * @param {number} ms
 */
export function timeLeft(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** @param {number | null | undefined} value */
export function number(value) {
  if (value === null || value === undefined) return "—";
  const size = Math.abs(value);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString("en-GB", { maximumFractionDigits: digits }).replaceAll(",", "\u202f");
}

/**
 * A share as a percentage, without places after the point.
 * @param {number} share
 */
export const percent = (share) => `${Math.round(share * 100)}%`;

/**
 * A small probability as a power of ten.
 * @param {number} p
 */
export function probability(p) {
  if (p >= 0.001) return number(p);
  if (p <= 0) return "< 10⁻³⁰⁰";
  const power = Math.floor(Math.log10(p));
  const raised = [...String(power)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("");
  return `${(p / 10 ** power).toFixed(1)}×10${raised}`;
}
