// The queue: rows by urgency, live, worked with the keyboard.

import { act, Problem, read } from "./api.js";
import { batch, computed, html, render, signal } from "./lib.js";
import { follow, notice, now, ready, startOf } from "./live.js";
import { byUrgency, isEnded, isWaiting } from "./order.js";
import { ago, language, ROMAN, t, timeLeft, toMs, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Row} Row */

const start = startOf();
const internal = new Set(start.internal);
/** Grid workers see cases and do not decide them; the store says so too. */
const mayAct = ["officer", "commander"].includes(start.viewer.role);
const SOON_MS = 5 * 60 * 1000;

/** @param {Row[]} list @returns {Map<string, Row>} */
const byId = (list) => new Map(list.map((row) => [row.id, row]));

const rows = signal(byId(start.incidents));
/** Whether there are older cases than those listed. */
const more = signal(start.more);
const filter = signal(start.state);
const chosen = signal("");
const fresh = signal(new Set());
const busy = signal(new Set());

const shown = computed(() =>
  [...rows.value.values()].filter((row) => filter.value === "all" || !isEnded(row)).sort(byUrgency),
);
const waiting = computed(() => shown.value.filter(isWaiting).length);

/** The alert's sentence; a case without one is named by its title. @param {Row} row */
const sentenceOf = (row) => (language === "en" ? row.en : row.zh) || row.title;

/** @param {Row} row */
function take(row) {
  const known = rows.value.get(row.id);
  if (known && known.version > row.version) return;
  rows.value = new Map(rows.value).set(row.id, row);
}

/** @param {Row} row */
function arrived(row) {
  if (!rows.value.has(row.id) && !isEnded(row)) {
    fresh.value = new Set(fresh.value).add(row.id);
    notice(t("queue.new_one", { level: t(`level.${row.level}`), title: sentenceOf(row) }));
    setTimeout(() => {
      fresh.value = new Set([...fresh.value].filter((id) => id !== row.id));
    }, 4000);
  }
  take(row);
}

/** Read the whole list anew: after a filter, or when the stream says that we missed too much. */
async function reload() {
  try {
    const found = await read(`/api/v1/incidents?state=${filter.value}&limit=${start.limit}`);
    rows.value = byId(found.incidents);
    more.value = found.more;
  } catch (fault) {
    notice(/** @type {Error} */ (fault).message, true);
  }
}

/** @param {string} state */
function choose(state) {
  if (filter.value === state) return;
  filter.value = state;
  history.replaceState(null, "", state === "all" ? "/?state=all" : "/");
  reload();
}

/** @param {Row} row */
async function acknowledge(row) {
  if (!mayAct || busy.value.has(row.id) || row.acknowledged_at || isEnded(row)) return;
  busy.value = new Set(busy.value).add(row.id);
  try {
    take((await act(row.id, "acknowledge")).incident);
    notice(t("act.done", { what: t("act.acknowledge") }));
  } catch (fault) {
    notice(t("act.failed", { why: /** @type {Error} */ (fault).message }), true);
    if (fault instanceof Problem && fault.status === 409) reload();
  } finally {
    busy.value = new Set([...busy.value].filter((id) => id !== row.id));
  }
}

/** @param {{row: Row}} props */
function Level({ row }) {
  return html`<span class="level level-${row.level}"
    ><b>${t(`level.${row.level}`)}</b><i title=${t(`grade.${row.grade}`)}>${ROMAN[row.grade]}</i></span
  >`;
}

/** @param {{row: Row}} props */
function Next({ row }) {
  if (!row.next_at) return html`<span class="quiet">${isEnded(row) ? "—" : t("queue.stopped")}</span>`;
  const left = toMs(row.next_at) - now.value;
  if (left <= 0) return html`<span class="count soon">${t("queue.due_now")}</span>`;
  return html`<span class="count ${left < SOON_MS ? "soon" : ""}">${timeLeft(left)}</span>
    <small>${t("queue.climbed", { n: row.step + 1 })}</small>`;
}

/** Cells that show time are components of their own: only they are drawn anew as it passes. @param {{row: Row}} props */
function OpenedAt({ row }) {
  return html`${when(row.opened_at, now.value)}<small>${ago(row.opened_at, now.value)}</small>`;
}

/** @param {{row: Row}} props */
function Acknowledged({ row }) {
  if (row.acknowledged_at)
    return html`${row.acknowledged_by}<small>${when(row.acknowledged_at, now.peek())}</small>`;
  if (isEnded(row) || !mayAct) return html`<span class="quiet">—</span>`;
  return html`<button
    class="primary acknowledge"
    disabled=${busy.value.has(row.id)}
    onClick=${(/** @type {Event} */ event) => {
      event.stopPropagation();
      acknowledge(row);
    }}
  >
    ${t("act.acknowledge")}
  </button>`;
}

/** @param {{row: Row}} props */
function Line({ row }) {
  const state = isEnded(row) ? "closed" : isWaiting(row) ? `waiting-row level-${row.level}` : "taken";
  return html`<tr
    data-incident=${row.id}
    class="${state} ${fresh.value.has(row.id) ? "fresh" : ""}"
    aria-selected=${row.id === chosen.value}
    onClick=${(/** @type {MouseEvent} */ event) => {
      if (!(/** @type {Element} */ (event.target).closest("a, button"))) open(row);
    }}
  >
    <td class="head-cell"><${Level} row=${row} /></td>
    <td class="title-cell">
      <a class="title" href="/incidents/${row.id}" title=${sentenceOf(row)}>${sentenceOf(row)}</a>
      <span class="under">
        <span class="phone-only">${row.place_name}</span>
        <span>${t(`category.${row.category}`)}</span>
        <span>${t(`state.${row.state}`)}</span>
        ${internal.has(row.category) && html`<span class="tag">${t("queue.internal")}</span>`}
        ${row.drill && html`<span class="tag strong">${t("queue.drill")}</span>`}
        ${!row.alert_open && !isEnded(row) && html`<span class="tag">${t("queue.alert_over")}</span>`}
      </span>
    </td>
    <td class="place">${row.place_name}</td>
    <td class="opened"><${OpenedAt} row=${row} /></td>
    <td class="next"><${Next} row=${row} /></td>
    <td class="ack"><${Acknowledged} row=${row} /></td>
  </tr>`;
}

function Empty() {
  return html`<div class="empty">
    <svg viewBox="0 0 32 32" aria-hidden="true"><path fill="currentColor" d="M9 30 11.2 16h9.6L23 30zM9.5 12h13v3h-13z" /></svg>
    <p>${t(filter.value === "all" ? "queue.empty_all" : "queue.empty")}</p>
    <p class="quiet">${t("queue.empty_more")}</p>
  </div>`;
}

function Counts() {
  return html`<span class="counts"
    >${[4, 3, 2, 1].map((level) => {
      const n = shown.value.filter((row) => row.level === level && !isEnded(row)).length;
      return html`<span class="level level-${level} ${n ? "" : "none"}"><b>${t(`level.${level}`)}</b><i>${n}</i></span>`;
    })}</span
  >`;
}

function Board() {
  const list = shown.value;
  return html`<section>
    <div class="board-head">
      <h1>${t("queue.title")}</h1>
      <${Counts} />
      <span class="quiet" id="waiting">${t("queue.unacknowledged", { n: waiting.value })}</span>
      <span class="segments" role="group" aria-label=${t("queue.filter")}>
        ${["open", "all"].map(
          (state) =>
            html`<button aria-pressed=${filter.value === state} data-filter=${state} onClick=${() => choose(state)}>
              ${t(`queue.${state}`)}
            </button>`,
        )}
      </span>
    </div>
    <div class="sheet queue">
      ${list.length === 0
        ? html`<${Empty} />`
        : html`<table>
            <thead>
              <tr>
                ${["level", "what", "place", "opened", "next", "acknowledged"].map(
                  (name) => html`<th scope="col">${t(`queue.${name}`)}</th>`,
                )}
              </tr>
            </thead>
            <tbody>
              ${list.map((row) => html`<${Line} key=${row.id} row=${row} />`)}
            </tbody>
          </table>`}
    </div>
    ${more.value && html`<p class="more quiet">${t("queue.more", { n: list.length })}</p>`}
  </section>`;
}

/** @param {Row} row */
const open = (row) => location.assign(`/incidents/${row.id}`);

/** @param {number} by */
function moveChoice(by) {
  const list = shown.value;
  if (!list.length) return;
  const at = list.findIndex((row) => row.id === chosen.value);
  const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + by));
  chosen.value = list[next].id;
  requestAnimationFrame(() =>
    document.querySelector('tr[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }),
  );
}

addEventListener("keydown", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select")) return;
  const row = rows.value.get(chosen.value);
  if (event.key === "j") moveChoice(1);
  else if (event.key === "k") moveChoice(-1);
  else if (event.key === "Enter" && row && !target.closest("a, button")) open(row);
  else if (event.key === "a" && row) acknowledge(row);
  else return;
  event.preventDefault();
});

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
app.replaceChildren();
render(html`<${Board} />`, app);
const plain = document.title;
waiting.subscribe((/** @type {number} */ n) => {
  document.title = n ? `(${n}) ${plain}` : plain;
});
follow(start, {
  incident: (row) => batch(() => arrived(row)),
  gone: ({ ref }) => {
    rows.value = new Map([...rows.value].filter(([id]) => id !== ref));
  },
  resync: reload,
});
ready();
