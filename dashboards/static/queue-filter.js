// What the queue shows: a filter as data, kept in the page's address and in saved views. Pure.
import { isEnded } from "./order.js";
import "./types.js";

/** @typedef {import("./types.js").Row} Row @typedef {import("./types.js").QueueFilter} QueueFilter */

/** @type {QueueFilter} */
export const PLAIN = { state: "open", levels: [], category: null, township: "", mine: false, drill: "with", text: "" };
const DRILLS = ["with", "only", "without"];

/**
 * Say whether a case is shown; `me` is the post before the screen, `words` names what is searched besides the case's own texts.
 * @param {Row} row
 * @param {QueueFilter} filter
 * @param {string} me
 * @param {string[]} [words]
 */
export function matches(row, filter, me, words = []) {
  if (filter.state === "open" && isEnded(row)) return false;
  if (filter.levels.length && !filter.levels.includes(row.level)) return false;
  if (filter.category && row.category !== filter.category) return false;
  if (filter.township && !row.place.startsWith(filter.township)) return false;
  if (filter.mine && row.holder !== me) return false;
  if (filter.drill !== "with" && row.drill !== (filter.drill === "only")) return false;
  const sought = filter.text.trim().toLowerCase();
  return !sought || [row.title, row.zh, row.en, row.place_name, row.holder ?? "", ...words].some((text) => text.toLowerCase().includes(sought));
}

/** Whether anything but the choice between open and all is restricted. @param {QueueFilter} filter */
export const isNarrow = (filter) => searchOf({ ...filter, state: "open" }) !== "";

/** Write a filter for the page's address; the plain one is nothing. @param {QueueFilter} filter */
export function searchOf(filter) {
  const query = new URLSearchParams();
  if (filter.state === "all") query.set("state", "all");
  if (filter.levels.length) query.set("levels", filter.levels.join("."));
  if (filter.category) query.set("category", filter.category);
  if (filter.township) query.set("township", filter.township);
  if (filter.mine) query.set("mine", "1");
  if (filter.drill !== "with") query.set("drill", filter.drill);
  if (filter.text.trim()) query.set("text", filter.text.trim());
  const text = query.toString();
  return text && `?${text}`;
}

/** Read a filter from the page's address; what is no filter is left out. @param {string} search @returns {QueueFilter} */
export function filterOf(search) {
  const query = new URLSearchParams(search);
  const drill = query.get("drill") ?? "";
  const township = query.get("township") ?? "";
  return {
    state: query.get("state") === "all" ? "all" : "open",
    levels: (query.get("levels") ?? "").split(".").map(Number).filter((level) => level >= 1 && level <= 4),
    category: query.get("category") || null,
    township: /^\d{9}$/.test(township) ? township : "",
    mine: query.get("mine") === "1",
    drill: /** @type {QueueFilter["drill"]} */ (DRILLS.includes(drill) ? drill : "with"),
    text: (query.get("text") ?? "").slice(0, 100),
  };
}
