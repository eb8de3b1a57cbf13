// The libraries that pages build on, by names of our own: preact with htm and signals, no build step.
import { Component, h, render } from "./vendor/preact.js";
import { useEffect, useRef, useState } from "./vendor/hooks.js";
import { batch, computed, effect, signal } from "./vendor/signals.js";
import htm from "./vendor/htm.js";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);
export { Component, batch, computed, effect, render, signal, useEffect, useRef, useState };

/** Keep a dialog open in front of everything else for as long as it is on the page; gives the `ref` for it. */
export function useModal() {
  const node = useRef(null);
  useEffect(() => {
    const dialog = /** @type {any} */ (node.current);
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return node;
}
