// What one does with the roster, as forms: standing in, exchanges and their answers, signing for a hand-over.

import { command, newKey, read } from "./api.js";
import { atCounty, fieldTime } from "./form-fields.js";
import { now } from "./live.js";
import { t, toMs, when } from "./words.js";
import "./types.js";

/**
 * @typedef {import("./types.js").Form} Form @typedef {import("./types.js").FormField} FormField
 * @typedef {import("./types.js").DeskView} DeskView @typedef {import("./types.js").SwapView} SwapView
 * @typedef {import("./types.js").HandOver} HandOver @typedef {import("./types.js").OnDuty} OnDuty
 */

const SHIFT_MS = 12 * 3600 * 1000;

/** @type {FormField} */
const NOTE = { name: "note", label: t("act.note"), kind: "note", hint: t("roster.note_hint") };

/** @param {DeskView} desk */
export const deskName = (desk) => `${desk.area_name} · ${desk.post_name || t("roster.general")}`;

/** @param {DeskView} desk */
const deskKey = (desk) => `${desk.area} ${desk.post}`;

/** @param {string} key @returns {{area: string, post: string}} */
function deskOf(key) {
  const [area, ...post] = key.split(" ");
  return { area, post: post.join(" ") };
}

/** @param {DeskView[]} desks @returns {FormField} */
const deskField = (desks) => ({
  name: "desk",
  field: "area",
  label: t("roster.desk"),
  kind: "list",
  options: desks.map((desk) => [deskKey(desk), deskName(desk)]),
  value: desks.length === 1 ? deskKey(desks[0]) : "",
  required: true,
});

/** Those who are on duty at any desk shown. @param {DeskView[]} desks @returns {[string, string][]} */
const onDuty = (desks) => [...new Map(desks.flatMap((desk) => desk.spans).map((span) => /** @type {[string, string]} */ ([span.user, span.display])))];

/** @returns {Promise<[string, string][]>} */
const colleagues = async () =>
  (await read("/api/v1/seat/colleagues")).colleagues.map((/** @type {{id: string, display: string}} */ one) => [one.id, one.display]);

/** @param {string} name @param {string} label @param {number} at @param {string} [field] @returns {FormField} */
const time = (name, label, at, field) => ({ name, field, label, kind: "time", value: fieldTime(at), required: true });

/** Let somebody stand in. @param {DeskView[]} desks @returns {Promise<Form>} */
export async function substitutionForm(desks) {
  const key = newKey();
  const at = now.peek();
  return {
    id: "substitution",
    title: t("roster.substitute"),
    intro: t("roster.substitute_intro"),
    fields: [
      deskField(desks),
      { name: "away", label: t("roster.away"), kind: "list", options: onDuty(desks), required: true },
      { name: "instead", label: t("roster.instead"), kind: "list", options: await colleagues(), required: true },
      time("starts_at", t("holding.from"), at),
      time("ends_at", t("holding.until"), at + SHIFT_MS),
      NOTE,
    ],
    send: async ({ desk, starts_at, ends_at, ...rest }) => {
      const body = { ...deskOf(desk), ...rest, starts_at: atCounty(starts_at), ends_at: atCounty(ends_at) };
      await command("/api/v1/roster/substitutions", body, key);
      return t("act.done", { what: t("roster.substitute") });
    },
  };
}

/** Offer an exchange of one's own time. @param {DeskView[]} desks @param {string} me @returns {Form} */
export function swapForm(desks, me) {
  const key = newKey();
  const own = desks.filter((desk) => desk.spans.some((span) => span.user === me));
  const at = now.peek();
  return {
    id: "swap",
    title: t("roster.swap"),
    intro: t("roster.swap_intro"),
    fields: [
      deskField(own),
      time("mine_from", t("roster.mine_from"), at, "mine"),
      time("mine_until", t("roster.mine_until"), at + SHIFT_MS),
      { name: "other", label: t("roster.other"), kind: "list", options: onDuty(desks).filter(([user]) => user !== me), required: true },
      time("theirs_from", t("roster.theirs_from"), at + SHIFT_MS, "theirs"),
      time("theirs_until", t("roster.theirs_until"), at + 2 * SHIFT_MS),
      NOTE,
    ],
    send: async ({ desk, other, note, mine_from, mine_until, theirs_from, theirs_until }) => {
      const mine = { starts_at: atCounty(mine_from), ends_at: atCounty(mine_until) };
      const theirs = { starts_at: atCounty(theirs_from), ends_at: atCounty(theirs_until) };
      await command("/api/v1/roster/swaps", { ...deskOf(desk), mine, other, theirs, note }, key);
      return t("roster.swap_asked");
    },
  };
}

/** Answer an exchange that one is asked for. @param {SwapView} swap @returns {Form} */
export function answerForm(swap) {
  const key = newKey();
  return {
    id: `swap-${swap.id}`,
    title: t("roster.swap"),
    intro: swapSentence(swap),
    fields: [{ name: "agreed", label: t("roster.answer"), kind: "choice", options: [["yes", t("plea.granted")], ["no", t("plea.denied")]], required: true }],
    send: async ({ agreed }) => {
      await command(`/api/v1/roster/swaps/${swap.id}/answer`, { agreed: agreed === "yes" }, key);
      return t("act.done", { what: t(agreed === "yes" ? "plea.granted" : "plea.denied") });
    },
  };
}

/** @param {SwapView} swap */
export const swapSentence = (swap) =>
  t("roster.swap_what", {
    asker: swap.asker_name,
    mine: `${when(swap.asker_from, now.peek())}–${when(swap.asker_until, now.peek())}`,
    other: swap.other_name,
    theirs: `${when(swap.other_from, now.peek())}–${when(swap.other_until, now.peek())}`,
  });

/** Sign for a hand-over. @param {HandOver} one @param {string} desk its name @returns {Form} */
export function signForm(one, desk) {
  const key = newKey();
  return {
    id: `sign-${one.id}`,
    title: t("roster.sign"),
    intro: t("roster.sign_what", { desk, open: one.note.open_cases, overdue: one.note.overdue_tasks, held: one.note.held_pages }),
    fields: [{ name: "remark", label: t("roster.remark"), kind: "note", hint: t("roster.note_hint") }],
    send: async ({ remark }) => {
      await command(`/api/v1/roster/hand-overs/${one.id}/sign`, { remark }, key);
      return t("roster.signed_now");
    },
  };
}

/** How late a hand-over is, 0 while there is time. @param {HandOver} one */
export const lateMs = (one) => (one.signed_at ? 0 : Math.max(0, now.value - toMs(one.sign_by)));
