// Signing in again when a session has ended in the middle of something: in a tab of its own, and this page waits as it is.

import { t } from "./words.js";

const LOOK_MS = 2000;
const start = JSON.parse(document.getElementById("app")?.dataset.start ?? "null");

/** @type {Promise<void> | undefined} */
let waiting;

/** Wait until the same account is signed in again; several that ask wait together. @returns {Promise<void>} */
export function signedInAgain() {
  waiting ??= wait().finally(() => {
    waiting = undefined;
  });
  return waiting;
}

/** @returns {Promise<string | null>} who is signed in at present */
async function login() {
  try {
    const answer = await fetch("/api/v1/session", { signal: AbortSignal.timeout(8000) });
    return answer.ok ? (await answer.json()).viewer.login : null;
  } catch {
    return null;
  }
}

/** @returns {Promise<void>} */
async function wait() {
  const dialog = show();
  const note = /** @type {HTMLElement} */ (dialog.querySelector("[role=status]"));
  try {
    for (;;) {
      await new Promise((look) => {
        setTimeout(look, LOOK_MS);
        addEventListener("focus", look, { once: true });
      });
      const present = await login();
      if (present === start?.viewer.login) return;
      note.textContent = present ? t("again.other") : "";
    }
  } finally {
    dialog.remove();
  }
}

/** The dialog; Escape does not close it, since nothing works before. */
function show() {
  const dialog = document.createElement("dialog");
  dialog.id = "sign-in-again";
  dialog.className = "form-dialog";
  const title = document.createElement("h2");
  title.id = "again-title";
  title.textContent = t("again.title");
  dialog.setAttribute("aria-labelledby", title.id);
  const what = document.createElement("p");
  what.textContent = t("again.what");
  const note = document.createElement("p");
  note.setAttribute("role", "status");
  const link = document.createElement("a");
  link.className = "button primary";
  link.href = "/sign-in";
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = t("again.button");
  const foot = document.createElement("div");
  foot.className = "dialog-foot";
  foot.append(link);
  dialog.append(title, what, note, foot);
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
