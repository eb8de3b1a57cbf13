// Call-backs to the people concerned (回访): what is asked, and how it is sent.

import { command, newKey } from "./api.js";
import { t } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Form} Form @typedef {import("./types.js").FormField} FormField */

/** The three answers to a question that may not have been asked. */
const ASKED = /** @type {[string, string][]} */ ([["yes", t("form.yes")], ["no", t("form.no")], ["", t("satisfied.not_asked")]]);
const SAID = { yes: true, no: false };

/** @param {string} word */
const said = (word) => SAID[/** @type {"yes" | "no"} */ (word)] ?? null;

/** The questions of a call-back. @param {boolean} again whether it corrects an earlier one @returns {FormField[]} */
export function callBack(again) {
  const reached = (/** @type {Record<string, any>} */ values) => values.reached === "yes";
  return [
    { name: "reached", label: t("rating.reached"), kind: "choice", options: ASKED.slice(0, 2), required: true },
    { name: "responded", label: t("rating.responded"), kind: "choice", options: ASKED, when: reached },
    { name: "resolved", label: t("rating.resolved"), kind: "choice", options: ASKED, when: reached },
    {
      name: "satisfied",
      label: t("rating.satisfied"),
      kind: "choice",
      options: ["yes", "no", "not_asked"].map((each) => [each, t(`satisfied.${each}`)]),
      value: "not_asked",
      when: reached,
    },
    { name: "note", label: t("act.note"), kind: "note", hint: t("act.note_hint") },
    ...(again ? [/** @type {FormField} */ ({ name: "corrects", label: t("rating.corrects"), kind: "check", value: true })] : []),
  ];
}

/** @param {Record<string, any>} values */
export const asCallBack = ({ reached, responded = "", resolved = "", satisfied = "not_asked", note, corrects = false }) => ({
  reached: said(reached),
  responded: said(responded),
  resolved: said(resolved),
  satisfied,
  note,
  corrects,
});

/** Call back about one task. @param {{view: import("./types.js").View}} sight @param {import("./types.js").Task} task @returns {Form} */
export function rateTaskForm({ view }, task) {
  const key = newKey();
  return {
    id: `rate-${task.id}`,
    title: t("rating.of_task", { unit: task.unit }),
    fields: callBack(view.ratings.some((rating) => rating.task === task.id)),
    send: async (values) => {
      await command(`/api/v1/tasks/${task.id}/rating`, asCallBack(values), key);
      return t("act.done", { what: t("rating.title") });
    },
  };
}
