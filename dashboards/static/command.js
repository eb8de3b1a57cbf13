// The command centre: where it gets worse and who is late, live. Whoever commands starts and stops drills here.

import { command, newKey, Problem } from "./api.js";
import { effect, html, render, signal } from "./lib.js";
import { notice, now, ready, startOf } from "./live.js";
import { followSituation } from "./situation.js";
import { Counts, Left, Level, Load, sentenceOf, Since, Storm } from "./situation-parts.js";
import { language, t, tOr, when } from "./words.js";
import "./types.js";

const start = startOf();
const mayCommand = start.viewer.role === "commander";
const { rows, shown, waiting, situation, storm, stale, late, reloadSoon } = followSituation(start);
/** The area that was picked on the map, "" for all. */
const area = signal("");
const MOST_LISTED = 12;
/** Keys of commands whose answer never came: sent again, it is the same command. @type {Map<string, string>} */
const keys = new Map();

function Worst() {
  const within = shown.value.filter((row) => row.place.startsWith(area.value));
  const listed = within.slice(0, MOST_LISTED);
  return html`<section class="sheet block" id="worst">
    <h2>${t("command.worst")} <small>${t("queue.unacknowledged", { n: waiting.value.length })}</small></h2>
    ${listed.length === 0 && html`<p class="quiet">${t("queue.empty")}</p>`}
    <ul class="cases">
      ${listed.map(
        (row) => html`<li key=${row.id} data-incident=${row.id}>
          <${Level} level=${row.level} grade=${row.grade} />
          <div>
            <a href="/incidents/${row.id}">${sentenceOf(row)}</a>
            <p class="quiet">
              ${row.place_name} · ${t(`state.${row.state}`)} · ${when(row.opened_at, now.peek())}
              ${row.drill && html` <span class="tag strong">${t("queue.drill")}</span>`}
            </p>
          </div>
          <div class="stand">
            ${row.acknowledged_at ? html`<span class="quiet">${row.acknowledged_by}</span>` : html`<b>${t("command.waits")}</b> <${Since} at=${row.opened_at} />`}
          </div>
        </li>`,
      )}
    </ul>
    ${within.length > listed.length && html`<p class="quiet"><a href="/">${t("command.more", { n: within.length - listed.length })}</a></p>`}
  </section>`;
}

function Below() {
  const busy = situation.value.below
    .map((one) => ({ ...one, open: one.levels.reduce((sum, n) => sum + n, 0), behind: one.late + one.climbed }))
    .filter((one) => one.open || one.tasks)
    .sort((a, b) => b.behind - a.behind || b.levels[3] - a.levels[3] || b.open + b.tasks - a.open - a.tasks || (a.area < b.area ? -1 : 1));
  return html`<section class="sheet block" id="below">
    <h2>${t("command.below")} <small>${t("command.below_hint")}</small></h2>
    ${busy.length === 0
      ? html`<p class="quiet">${t("command.none_busy")}</p>`
      : html`<div class="scroll"><table class="facts">
          <thead>
            <tr>
              <th scope="col">${t("command.area")}</th>
              ${["late", "climbed", "unacknowledged", "open", "tasks"].map((name) => html`<th scope="col" class="number">${t(`command.${name}`)}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${busy.map(
              (one) => html`<tr key=${one.area} data-area=${one.area} class=${one.behind ? "behind" : ""}>
                <td>${(language === "en" && one.name_en) || one.name}</td>
                <td class="number">${one.late ? html`<b>✕ ${one.late}</b>` : "0"}</td>
                <td class="number">${one.climbed ? html`<b>△ ${one.climbed}</b>` : "0"}</td>
                <td class="number">${one.unacknowledged}</td>
                <td class="number">${one.open}</td>
                <td class="number">${one.tasks}</td>
              </tr>`,
            )}
          </tbody>
        </table></div>`}
  </section>`;
}

function Clocks() {
  const { owed, owed_total } = situation.value;
  return html`<section class="sheet block" id="clocks">
    <h2>${t("command.clocks")} <small>${t("command.owed", { n: owed_total })}</small></h2>
    ${owed.length === 0 && html`<p class="quiet">${t("command.none_owed")}</p>`}
    <ul class="due">
      ${owed.map(
        ({ incident, title, level, drill, clock }) => html`<li key=${`${incident}-${clock.clock}-${clock.by}-${clock.to}-${clock.kind}-${clock.number}-${clock.form}`}>
          <${Left} at=${clock.due_at} missed=${clock.kept === "missed"} />
          <div>
            <a href="/incidents/${incident}#clocks">${title}</a>${drill && html` <span class="tag strong">${t("queue.drill")}</span>`}
            <p class="quiet">
              ${clock.desk} → ${clock.addressee} · ${t(`report_kind.${clock.kind}`)}${clock.form === "phone" ? ` · ${t("report.phone")}` : ""}
            </p>
          </div>
          <${Level} level=${level} />
        </li>`,
      )}
    </ul>
    ${owed_total > owed.length && html`<p class="quiet">${t("command.more_owed", { n: owed_total - owed.length })}</p>`}
  </section>`;
}

function Joint() {
  const { joint, joint_total } = situation.value;
  return html`<section class="sheet block" id="joint">
    <h2>${t("command.joint")} <small>${t("command.joint_count", { n: joint_total })}</small></h2>
    ${joint.length === 0 && html`<p class="quiet">${t("command.none_joint")}</p>`}
    <ul class="cases">
      ${joint.map(
        (one) => html`<li key=${one.id}>
          <${Level} level=${one.level} grade=${one.grade} />
          <div>
            <a href="/incidents/${one.id}">${one.title}</a>${one.drill && html` <span class="tag strong">${t("queue.drill")}</span>`}
            <p class="quiet">${t("command.leads", { area: one.coordinator })} · ${t("command.with", { areas: one.parties.join(language === "en" ? ", " : "、") })}</p>
          </div>
          <span class="quiet stand">${t(`state.${one.state}`)}</span>
        </li>`,
      )}
    </ul>
  </section>`;
}

/**
 * Send a command of a drill, once however often it is pressed.
 * @param {string} path
 * @param {object} body
 * @param {string} done
 */
async function order(path, body, done) {
  const intention = path + JSON.stringify(body);
  const key = keys.get(intention) ?? newKey();
  keys.set(intention, key);
  try {
    await command(path, body, key);
    keys.delete(intention);
    notice(done);
  } catch (fault) {
    if (fault instanceof Problem && fault.status >= 400 && fault.status < 500) keys.delete(intention);
    notice(t("act.failed", { why: /** @type {Error} */ (fault).message }), true);
  }
  reloadSoon();
}

/** @param {SubmitEvent} event */
function begin(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const scenario = String(new FormData(form).get("scenario"));
  form.reset();
  order("/api/v1/drills", { scenario, county: start.viewer.area.slice(0, 6) }, t("command.drill_begun"));
}

/** @param {SubmitEvent} event @param {string} drill */
function stop(event, drill) {
  event.preventDefault();
  order(`/api/v1/drills/${drill}/stop`, {}, t("command.drill_stopped"));
}

function Drills() {
  const { drills } = situation.value;
  return html`<section class="sheet block" id="drills">
    <h2>${t("command.drills")} <small><a href="/drills">${t("command.all_drills")}</a></small></h2>
    ${drills.length === 0 && html`<p class="quiet">${t("command.none_drills")}</p>`}
    ${drills.map(
      (one) => html`<div key=${one.id} class="running">
        <p><span class="tag strong">${t("queue.drill")}</span> <a href="/drills/${one.id}">${language === "en" ? one.en : one.zh}</a></p>
        <p class="quiet">${one.county_name} · ${t("command.drill_steps", { taken: one.taken, steps: one.steps, open: one.open })}</p>
        ${mayCommand &&
        html`<details class="form">
          <summary>${t("drills.stop")}</summary>
          <form onSubmit=${(/** @type {SubmitEvent} */ event) => stop(event, one.id)}>
            <label class="check"><input type="checkbox" required /> ${t("drills.stop_sure")}</label>
            <button class="primary">${t("drills.stop")}</button>
          </form>
        </details>`}
      </div>`,
    )}
    ${mayCommand &&
    start.viewer.area.length >= 6 &&
    html`<details class="form" id="begin">
      <summary>${t("drills.start")}</summary>
      <form onSubmit=${begin}>
        <label>${t("drills.scenario")}
          <select name="scenario">
            ${start.scenarios.map((/** @type {{slug: string, zh: string, en: string}} */ one) => html`<option value=${one.slug}>${language === "en" ? one.en : one.zh}</option>`)}
          </select>
        </label>
        <label class="check"><input type="checkbox" required /> ${t("drills.told")}</label>
        <button class="primary">${t("drills.start")}</button>
      </form>
    </details>`}
  </section>`;
}

function Head() {
  return html`<div class="board-head">
      <h1>${start.situation.area_name || t("command.everywhere")} · ${t("command.title")}</h1>
      <${Counts} rows=${shown.value} />
      ${stale.value && html`<span class="tag strong" role="status">${t("command.stale")}</span>`}
      <a href="/wall" class="button">${t("command.wall")}</a>
    </div>
    <${Storm} situation=${situation.value} storm=${storm.value} />
    ${situation.value.drills.length > 0 && html`<p class="drill-band">${t("command.drill_band")}</p>`}`;
}

function LoadBlock() {
  return html`<section class="sheet block" id="load">
    <h2>${t("load.title")} <small>${t("load.hint")}</small></h2>
    <${Load} load=${situation.value.load} />
  </section>`;
}

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
const mapped = document.createElement("section");
mapped.className = "sheet";
mapped.id = "map";
app.replaceChildren();
/** @param {string} className @param {any} content */
function put(className, content) {
  const part = document.createElement("div");
  part.className = className;
  render(content, part);
  return part;
}
const grid = document.createElement("div");
grid.className = "command";
const [left, right] = [document.createElement("div"), document.createElement("div")];
left.append(mapped, put("column", html`<${Worst} /><${Below} />`));
right.append(put("column", html`<${Clocks} /><${Joint} /><${LoadBlock} /><${Drills} />`));
grid.append(left, right);
app.append(put("top", html`<${Head} />`), grid);
ready();

// After the first paint: the map's library is the largest part of the page.
const { mountMap } = await import("./map.js");
const map = mountMap(mapped, {
  choose: (code) => {
    area.value = code;
  },
});
effect(() => map.show(rows.value.values(), late.value));
await map.ready;
document.documentElement.dataset.mapped = "";
