// What somebody has typed and not sent yet: kept for the tab, so that neither a reload nor an ended session loses it.

import { useState } from "./lib.js";

const PREFIX = "draft:";

/** @param {string} name @returns {Record<string, any>} */
export function draftOf(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {string} name @param {Record<string, any>} values nothing in them forgets the draft */
export function keepDraft(name, values) {
  try {
    if (Object.keys(values).length) sessionStorage.setItem(PREFIX + name, JSON.stringify(values));
    else sessionStorage.removeItem(PREFIX + name);
  } catch {
    // Storage is full or forbidden: what is typed still stands on the page.
  }
}

/**
 * State that survives a reload: the values, a way to set some of them, and one to forget them all.
 * @param {string} name
 * @param {Record<string, any>} initial
 * @returns {[Record<string, any>, (part: Record<string, any>) => void, () => void]}
 */
export function useDraft(name, initial) {
  const [values, setValues] = useState({ ...initial, ...draftOf(name) });
  return [
    values,
    (part) => {
      keepDraft(name, { ...draftOf(name), ...part });
      setValues((/** @type {Record<string, any>} */ before) => ({ ...before, ...part }));
    },
    () => {
      keepDraft(name, {});
      setValues(initial);
    },
  ];
}
