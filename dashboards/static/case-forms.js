// What an officer can do with a case, as forms: each says when it is offered, what it asks, and how it is told afterwards.

import { act, command, newKey, read } from "./api.js";
import { isEnded } from "./order.js";
import { placesWithin } from "./places.js";
import { asCallBack, callBack } from "./rating.js";
import { t } from "./words.js";
import { sentenceOf } from "./queue-rows.js";
import "./types.js";

/**
 * @typedef {import("./types.js").Form} Form @typedef {import("./types.js").FormField} FormField
 * @typedef {import("./types.js").Row} Row @typedef {import("./types.js").View} View
 * @typedef {{view: View, area: string, commander: boolean, names: Record<string, string>}} Sight what one sees of a case
 */

/** @type {FormField} */
const REASON = { name: "reason", label: t("form.reason"), kind: "note", required: true };
/** @type {FormField} */
const NOTE = { name: "note", label: t("act.note"), kind: "note", hint: t("act.note_hint") };
const GRADES = /** @type {[string, string][]} */ ([1, 2, 3, 4].map((grade) => [String(grade), t(`grade.${grade}`)]));
const LEVELS = /** @type {[string, string][]} */ ([["red", t("level.4")], ["orange", t("level.3")], ["yellow", t("level.2")], ["blue", t("level.1")]]);
const VERDICTS = /** @type {[string, string][]} */ (["true", "false", "duplicate", "drill"].map((each) => [each, t(`verdict.${each}`)]));
const MINUTES = /** @type {[string, string][]} */ ([30, 60, 120, 240, 480, 720].map((n) => [String(n), t("form.minutes", { n })]));
/** @returns {Promise<[string, string][]>} */
async function categories() {
  const found = await read("/api/v1/seat/categories");
  return found.categories.map((/** @type {string} */ slug) => [slug, t(`category.${slug}`)]);
}

/** The fields that describe a case in an officer's words. @param {string} area @returns {Promise<FormField[]>} */
async function described(area) {
  const [slugs, places] = await Promise.all([categories(), placesWithin(area)]);
  return [
    { name: "category", label: t("case.category"), kind: "list", options: slugs, required: true },
    { name: "place", label: t("queue.place"), kind: "list", options: places, required: true },
    { name: "level", label: t("queue.level"), kind: "choice", options: LEVELS, required: true },
    { name: "text", label: t("new_case.text"), kind: "note", required: true, hint: t("new_case.text_hint") },
  ];
}

/** Open a case by hand. @param {string} area the viewer's @returns {Promise<Form>} */
export async function openCaseForm(area) {
  const key = newKey();
  return {
    id: "new-case",
    title: t("new_case.title"),
    intro: t("new_case.intro"),
    fields: await described(area),
    send: async (values) => {
      const { incident } = await command("/api/v1/incidents", values, key);
      return t("new_case.opened", { title: sentenceOf(incident) });
    },
  };
}

/** Say what a case was, from the queue. @param {Row} row @param {(row: Row) => void} take @returns {Form} */
export function decideForm(row, take) {
  return {
    id: `decide-${row.id}`,
    title: t("act.decide"),
    intro: sentenceOf(row),
    fields: [{ name: "verdict", label: t("act.decide"), kind: "choice", options: VERDICTS, required: true }, NOTE],
    button: t("act.save"),
    send: async (values) => {
      take((await act(row.id, "disposition", values)).incident);
      return t("act.decided", { verdict: t(`verdict.${values.verdict}`) });
    },
  };
}

/**
 * A form whose command goes to the case.
 * @param {Sight} sight
 * @param {string} name of the form
 * @param {string} path of the command
 * @param {string} title
 * @param {FormField[]} fields
 * @param {(values: Record<string, any>) => object} [body]
 * @param {string} [intro]
 * @returns {Form}
 */
const toCase = ({ view }, name, path, title, fields, body = (values) => values, intro = "") => ({
  id: `${name}-${view.row.id}`,
  title,
  intro,
  fields,
  send: async (values) => {
    await act(view.row.id, path, body(values));
    return t("act.done", { what: title });
  },
});

/** The other open cases that one may merge into. @param {Sight} sight @returns {Promise<[string, string][]>} */
async function otherCases({ view }) {
  const { incidents } = await read("/api/v1/incidents?state=open&limit=1000");
  const others = incidents.filter((/** @type {Row} */ row) => row.id !== view.row.id && row.drill === view.row.drill);
  others.sort((/** @type {Row} */ a, /** @type {Row} */ b) => Number(b.category === view.row.category) - Number(a.category === view.row.category));
  return others.map((/** @type {Row} */ row) => [row.id, `${t(`level.${row.level}`)} · ${row.place_name} · ${sentenceOf(row)}`]);
}

/**
 * The commands beside the plain ones, in the order in which they are offered: name, its words, when, and its form.
 * @type {{name: string, title: string, when: (sight: Sight) => boolean, form: (sight: Sight, title: string) => Form | Promise<Form>}[]}
 */
export const COMMANDS = [
  {
    name: "grade",
    title: t("casework.grade"),
    when: ({ view }) => !isEnded(view.row),
    form: (sight, title) =>
      toCase(
        sight,
        "grade",
        "grade",
        title,
        [{ name: "grade", label: t("casework.grade"), kind: "choice", options: GRADES, value: String(sight.view.row.grade), required: true }, { ...REASON, required: false, hint: t("casework.grade_hint") }],
        ({ grade, reason }) => ({ grade: Number(grade), reason }),
      ),
  },
  {
    name: "task",
    title: t("casework.task"),
    when: ({ view }) => !isEnded(view.row),
    form: async (sight, title) =>
      toCase(
        sight,
        "task",
        "tasks",
        title,
        [
          { name: "area", label: t("casework.area"), kind: "list", options: (await placesWithin("")).filter(([code]) => code.length <= 9), required: true },
          { name: "post", label: t("casework.post"), kind: "list", options: await posts() },
          NOTE,
        ],
        ({ area, post, note }) => ({ area, post: post || null, note }),
      ),
  },
  {
    name: "shelve",
    title: t("casework.shelve"),
    when: ({ view }) => !isEnded(view.row) && !view.row.acknowledged_at && view.held?.kind !== "shelved",
    form: (sight, title) =>
      toCase(
        sight,
        "shelve",
        "shelve",
        title,
        [{ name: "minutes", label: t("casework.minutes"), kind: "list", options: MINUTES, required: true }, REASON],
        ({ minutes, reason }) => ({ minutes: Number(minutes), reason }),
        t("casework.shelve_intro"),
      ),
  },
  {
    name: "unshelve",
    title: t("casework.unshelve"),
    when: ({ view }) => view.held?.kind === "shelved",
    form: (sight, title) => toCase(sight, "unshelve", "unshelve", title, [], () => ({}), t("casework.unshelve_intro")),
  },
  {
    name: "join",
    title: t("casework.join"),
    when: ({ view }) => !isEnded(view.row),
    form: async (sight, title) =>
      toCase(sight, "join", "parties", title, [
        { name: "area", label: t("casework.area"), kind: "list", options: (await placesWithin("")).filter(([code]) => code.length <= 9), required: true },
        NOTE,
      ]),
  },
  {
    name: "leave",
    title: t("casework.leave"),
    when: ({ view }) => !isEnded(view.row) && view.parties.length > 0,
    form: (sight, title) => leaveForm(sight, title),
  },
  {
    name: "merge",
    title: t("casework.merge"),
    when: ({ view }) => !isEnded(view.row),
    form: async (sight, title) =>
      toCase(sight, "merge", "merge", title, [{ name: "into", label: t("casework.into"), kind: "list", options: await otherCases(sight), required: true }, NOTE], undefined, t("casework.merge_intro")),
  },
  {
    name: "split",
    title: t("casework.split"),
    when: ({ view }) => !isEnded(view.row),
    form: splitForm,
  },
  {
    name: "reopen",
    title: t("casework.reopen"),
    when: ({ view }) => ["closed", "reviewed", "false_alarm"].includes(view.row.state),
    form: (sight, title) => toCase(sight, "reopen", "reopen", title, [REASON], ({ reason }) => ({ note: reason })),
  },
  {
    name: "rating",
    title: t("rating.title"),
    when: ({ view }) => ["closed", "reviewed"].includes(view.row.state),
    form: (sight, title) => toCase(sight, "rating", "rating", title, callBack(sight.view.ratings.some((rating) => !rating.task)), asCallBack, t("rating.intro")),
  },
];

/** Stand behind a shelf as the second person. @param {string} incident @param {string} title @returns {Form} */
export const consentForm = (incident, title) => ({
  id: `consent-${incident}`,
  title: t("casework.consent"),
  intro: t("casework.consent_intro", { title }),
  fields: [],
  send: async () => {
    await act(incident, "shelve/consent");
    return t("act.done", { what: t("casework.consent") });
  },
});

/** The desks' posts that the roster knows; the first is whoever answers for the category. @returns {Promise<[string, string][]>} */
export async function posts() {
  const { roster } = await read("/api/v1/roster");
  const known = new Map(roster.desks.map((/** @type {{post: string, post_name: string}} */ desk) => [desk.post, desk.post_name]));
  known.delete("");
  return [["", t("casework.any_post")], .../** @type {[string, string][]} */ ([...known])];
}

/** @param {Sight} sight @param {string} title @returns {Form} */
function leaveForm(sight, title) {
  const options = /** @type {[string, string][]} */ (sight.view.parties.map((party) => [party.area, party.area_name]));
  return {
    id: `leave-${sight.view.row.id}`,
    title,
    fields: [{ name: "area", label: t("casework.area"), kind: "choice", options, required: true, value: options[0][0] }, NOTE],
    send: async ({ area, note }) => {
      await act(sight.view.row.id, `parties/${area}/leave`, { note });
      return t("act.done", { what: title });
    },
  };
}

/** @param {Sight} sight @param {string} title @returns {Promise<Form>} */
async function splitForm(sight, title) {
  const { alerts, row } = sight.view;
  const several = alerts.length > 1;
  const ways = /** @type {[string, string][]} */ ([["alerts", t("casework.split_alerts")], ["part", t("casework.split_part")]]);
  const part = (/** @type {Record<string, any>} */ values) => !several || values.way === "part";
  const rest = (await described(sight.area)).map((field) => ({ ...field, when: part }));
  return toCase(
    sight,
    "split",
    "split",
    title,
    [
      ...(several
        ? /** @type {FormField[]} */ ([
            { name: "way", label: t("casework.split_what"), kind: "choice", options: ways, value: "alerts", required: true },
            {
              name: "alerts",
              label: t("joined.alerts"),
              kind: "many",
              options: alerts.map((alert) => [alert.id, `${t(`level.${alert.level}`)} · ${alert.place_name} · ${sentenceOf({ ...alert, title: row.title })}`]),
              when: (values) => values.way !== "part",
            },
          ])
        : []),
      ...rest,
      NOTE,
    ],
    ({ alerts: chosen = [], category, place, level, text, note }) => ({ alerts: chosen, part: category ? { category, place, level, text } : null, note }),
  );
}
