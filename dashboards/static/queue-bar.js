// The bar over the queue: filters, the search, and the views that an officer keeps under names.

import { command, newKey, read } from "./api.js";
import { openForm } from "./form.js";
import { html, signal } from "./lib.js";
import { placesWithin } from "./places.js";
import { PLAIN, isNarrow } from "./queue-filter.js";
import { t } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").QueueFilter} QueueFilter @typedef {import("./types.js").SavedView} SavedView */

/** @type {{value: SavedView[]}} */
const views = signal([]);
/** @type {{value: [string, string][]}} */
const townships = signal([]);

/** Read what the bar offers; the queue stands before it. @param {string} area the viewer's */
export async function loadBar(area) {
  const [kept, places] = await Promise.all([read("/api/v1/seat/views"), placesWithin(area, 9)]);
  views.value = kept.views;
  townships.value = places;
}

/** @param {string} path @param {object} body @param {string} said */
async function change(path, body, said) {
  views.value = (await command(path, body, newKey())).views;
  return said;
}

/** @param {QueueFilter} filter */
function save(filter) {
  openForm({
    id: "save-view",
    title: t("views.save"),
    fields: [{ name: "name", label: t("views.name"), kind: "text", required: true, most: 40 }],
    send: ({ name }) => change("/api/v1/seat/views", { name: name.trim(), filter }, t("views.saved", { name: name.trim() })),
  });
}

/** @param {SavedView} view */
function forget(view) {
  openForm({
    id: "forget-view",
    title: t("views.forget"),
    intro: t("views.forget_what", { name: view.name }),
    fields: [],
    send: () => change("/api/v1/seat/views/forget", { name: view.name }, t("views.forgotten", { name: view.name })),
  });
}

/** @param {QueueFilter} one @param {QueueFilter} other */
const same = (one, other) => JSON.stringify({ ...PLAIN, ...one }) === JSON.stringify({ ...PLAIN, ...other });

/** @param {{filter: QueueFilter, set: (filter: QueueFilter) => void}} props */
function Views({ filter, set }) {
  const present = views.value.find((view) => same(view.filter, filter));
  return html`<span class="views">
    <select
      id="views"
      aria-label=${t("views.title")}
      onChange=${(/** @type {any} */ event) => set(views.value.find((view) => view.name === event.target.value)?.filter ?? PLAIN)}
    >
      <option value="" selected=${!present}>${t(isNarrow(filter) ? "views.unsaved" : "views.none")}</option>
      ${views.value.map((view) => html`<option key=${view.name} value=${view.name} selected=${view === present}>${view.name}</option>`)}
    </select>
    ${present
      ? html`<button id="forget-view" onClick=${() => forget(present)}>${t("views.forget")}</button>`
      : html`<button id="save-view" disabled=${!isNarrow(filter)} onClick=${() => save(filter)}>${t("views.save")}</button>`}
  </span>`;
}

/**
 * @param {{filter: QueueFilter, set: (filter: QueueFilter) => void, categories: string[]}} props `categories` are those that occur
 */
export function FilterBar({ filter, set, categories }) {
  /** @param {Partial<QueueFilter>} part */
  const narrow = (part) => set({ ...filter, ...part });
  /** @param {number} level */
  const toggled = (level) => (filter.levels.includes(level) ? filter.levels.filter((each) => each !== level) : [...filter.levels, level].sort());
  const offered = [...new Set([...categories, ...(filter.category ? [filter.category] : [])])].sort((a, b) => t(`category.${a}`).localeCompare(t(`category.${b}`)));
  return html`<div class="filters" role="search" aria-label=${t("queue.filter")}>
    <span class="chips" role="group" aria-label=${t("queue.level")}>
      ${[4, 3, 2, 1].map(
        (level) =>
          html`<button class="chip level-${level}" data-level=${level} aria-pressed=${filter.levels.includes(level)} onClick=${() => narrow({ levels: toggled(level) })}>
            ${t(`level.${level}`)}
          </button>`,
      )}
    </span>
    <select id="by-category" aria-label=${t("case.category")} onChange=${(/** @type {any} */ event) => narrow({ category: event.target.value || null })}>
      <option value="">${t("filter.any_category")}</option>
      ${offered.map((slug) => html`<option key=${slug} value=${slug} selected=${slug === filter.category}>${t(`category.${slug}`)}</option>`)}
    </select>
    ${townships.value.length > 1 &&
    html`<select id="by-township" aria-label=${t("filter.township")} onChange=${(/** @type {any} */ event) => narrow({ township: event.target.value })}>
      <option value="">${t("filter.any_township")}</option>
      ${townships.value.map(([code, name]) => html`<option key=${code} value=${code} selected=${code === filter.township}>${name}</option>`)}
    </select>`}
    <select id="by-drill" aria-label=${t("filter.drill")} onChange=${(/** @type {any} */ event) => narrow({ drill: event.target.value })}>
      ${["with", "without", "only"].map((each) => html`<option key=${each} value=${each} selected=${each === filter.drill}>${t(`filter_drill.${each}`)}</option>`)}
    </select>
    <label class="check"><input type="checkbox" id="mine" checked=${filter.mine} onChange=${() => narrow({ mine: !filter.mine })} />${t("filter.mine")}</label>
    <input
      type="search"
      id="search"
      maxlength="100"
      placeholder=${t("filter.search")}
      aria-label=${t("filter.search")}
      value=${filter.text}
      onInput=${(/** @type {any} */ event) => narrow({ text: event.target.value })}
    />
    <${Views} filter=${filter} set=${set} />
  </div>`;
}

