// The field app: tasks, a report, and what was sent; works without a network from what this phone keeps.

import { canPush, subscribe, subscription, unsubscribe } from "./field-push.js";
import { ReportForm, draft, restore, write } from "./field-report.js";
import { begin, countyNow, day, network, others, refused, said, signedOut, waiting } from "./field-state.js";
import { look } from "./field-state.js";
import { drop, forget, keep } from "./field-store.js";
import { Tasks, chosen } from "./field-tasks.js";
import { html, render, signal, useEffect, useState } from "./lib.js";
import { hourMinute, language, t, when } from "./words.js";

const TABS = ["tasks", "report", "mine"];
const page = /** @type {HTMLElement} */ (document.getElementById("app"));
const fromHash = () => (TABS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "tasks");
const tab = signal(fromHash());

/** @param {string} name */
function go(name) {
  tab.value = name;
  said.value = "";
  history.replaceState(null, "", name === "tasks" ? location.pathname + location.search : `#${name}`);
  scrollTo({ top: 0 });
}

function Head() {
  const at = day.value ? hourMinute(day.value.clock.county) : "--:--";
  const words = { connecting: "field.connecting", live: "field.online", lost: "field.offline" };
  return html`<header class="field-head">
    <h1>${day.value?.viewer.display ?? t("field.name")}</h1>
    <span class="lamp" id="lamp" role="status" data-state=${network.value}>${t(words[network.value], { at })}</span>
  </header>`;
}

/** @param {import("./field-store.js").Item} item */
async function dismiss(item) {
  await drop(item);
  await look();
}

/** @param {import("./field-store.js").Item} item */
async function rewrite(item) {
  const { category, area, level, text } = item.body;
  write({ category, area, level, text, photo: item.photo });
  await dismiss(item);
  go("report");
}

function Notes() {
  return html`<div aria-live="polite" id="notes">
    ${signedOut.value &&
    html`<p class="field-say">${t("field.signed_out")} <a class="button" href=${`/sign-in?next=${encodeURIComponent("/field")}`}>${t("field.sign_in")}</a></p>`}
    ${said.value && html`<p class="field-say" id="said">${said.value}</p>`}
    ${waiting.value.length > 0 && html`<p class="field-say" id="waiting">${t("field.waiting", { n: waiting.value.length })}</p>`}
    ${others.value > 0 && html`<p class="field-say">${t("field.others", { n: others.value })}</p>`}
    ${refused.value.map(
      (item) => html`<div class="field-say refused" role="alert" key=${item.id}>
        <b>${t("field.not_sent")}：</b>${item.about}<br />${item.refused}
        <div class="field-row">
          ${item.kind === "report" && html`<button onClick=${() => rewrite(item)}>${t("field.rewrite")}</button>`}
          <button onClick=${() => dismiss(item)}>${t("field.dismiss")}</button>
        </div>
      </div>`,
    )}
  </div>`;
}

function Notifications() {
  const [state, setState] = useState("");
  const [why, setWhy] = useState("");
  useEffect(() => {
    subscription().then((found) => setState(found ? "on" : "off"));
  }, []);
  if (!canPush() || !day.value?.push || !state) return null;
  /** @param {() => Promise<string | void>} work @param {string} after */
  const change = async (work, after) => {
    setWhy("");
    try {
      setState((await work()) || after);
    } catch (fault) {
      setWhy(t("field.push_failed", { why: /** @type {Error} */ (fault).message }));
    }
  };
  return html`<section class="field-card" id="push">
    <h2>${t("field.push")}</h2>
    ${state === "on" && html`<p>${t("field.push_on")}</p><button onClick=${() => change(unsubscribe, "off")}>${t("field.push_end")}</button>`}
    ${state === "off" && html`<button class="primary" onClick=${() => change(subscribe, "on")}>${t("field.push_off")}</button>`}
    ${state === "denied" && html`<p>${t("field.push_denied")}</p>`}
    ${why && html`<p class="field-fault" role="alert">${why}</p>`}
  </section>`;
}

function Leave() {
  const [sure, setSure] = useState(false);
  /** @param {any} event */
  async function leave(event) {
    event.preventDefault();
    if (waiting.value.length && !sure) {
      setSure(true);
      return;
    }
    await unsubscribe().catch(() => {}); // the server forgets a browser that is gone
    await forget("day");
    await forget("draft");
    event.target.submit();
  }
  return html`<div>
    ${sure && html`<p class="field-say">${t("field.sign_out_waiting", { n: waiting.value.length })}</p>`}
    <form method="post" action="/sign-out" onSubmit=${leave}><button>${t("field.sign_out")}</button></form>
  </div>`;
}

function Mine() {
  const reports = day.value?.day.reports ?? [];
  return html`<section id="mine" aria-label=${t("field.mine")}>
    <ul>
      ${waiting.value.map((item) => html`<li class="field-card queued" key=${item.id}><p><b>${t("field.queued")}</b></p><p>${item.about}</p></li>`)}
      ${reports.map(
        (report) => html`<li class="field-card level-${report.level}" key=${report.id}>
          <p class="quiet">${when(report.observed_at, countyNow())} · ${(language === "en" && report.area_name_en) || report.area_name}</p>
          <h2>${t(`category.${report.category}`)} · ${t(`field.level_${report.level}`)}</h2>
          <p class="text">${report.text}</p>
          ${report.photo && html`<p class="quiet">${t("field.with_photo")}</p>`}
        </li>`,
      )}
    </ul>
    ${!reports.length && !waiting.value.length && html`<p class="waiting">${t("field.no_reports")}</p>`}
    <${Notifications} />
    <div class="field-foot">
      <a class="button" href="/?state=open">${t("field.cases")}</a>
      <a class="button" href=${page.dataset.switch} lang=${page.dataset.other} hreflang=${page.dataset.other}>${t("app.other_language")}</a>
      <${Leave} />
    </div>
  </section>`;
}

function Tabs() {
  const counts = /** @type {Record<string, number>} */ ({ mine: waiting.value.length, tasks: day.value?.day.tasks.filter((task) => task.state !== "done").length ?? 0 });
  return html`<nav class="field-tabs" aria-label=${t("field.parts")}>
    ${TABS.map(
      (name) => html`<button id=${`tab-${name}`} aria-current=${tab.value === name ? "page" : undefined} onClick=${() => go(name)}>
        ${t(`field.${name}`)}${counts[name] > 0 && html`<span class="count">${counts[name]}</span>`}
      </button>`,
    )}
  </nav>`;
}

function App() {
  const open = { tasks: Tasks, report: ReportForm, mine: Mine }[tab.value] ?? Tasks;
  return html`<${Head} /><${Notes} />
    ${day.value ? html`<${open} />` : html`<p class="waiting">${network.value === "lost" ? t("field.never") : t("app.loading")}</p>`}
    <${Tabs} />`;
}

/** Install the worker of this release; the page comes anew when it takes over from an older one, with what was being written. */
async function install() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return; // plain HTTP, or an old browser: the page works while there is a network
  const had = serviceWorker.controller;
  serviceWorker.addEventListener("controllerchange", () => had && location.reload());
  serviceWorker.addEventListener("message", ({ data }) => {
    if (data?.kind !== "open") return;
    chosen.value = data.incident;
    go("tasks");
  });
  const registration = await serviceWorker.register("/field/app/worker.js", {
    scope: "/field",
    type: "module",
    updateViaCache: "none",
  });
  document.addEventListener("visibilitychange", () => document.hidden || registration.update().catch(() => {}));
}

await restore();
render(html`<${App} />`, page);
install().catch((fault) => console.warn("worker not installed", fault));
await keep("language", language).catch(() => {});
await begin();
addEventListener("hashchange", () => (tab.value = fromHash()));
if (chosen.value) document.querySelector("[data-chosen]")?.scrollIntoView();
if (draft.value.text && !location.hash) go("report");
document.documentElement.dataset.ready = "";
