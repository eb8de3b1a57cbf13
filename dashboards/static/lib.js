// The libraries that pages build on, by names of our own: preact with htm and signals, no build step.
import { Component, h, render } from "./vendor/preact.js";
import { useEffect, useRef, useState } from "./vendor/hooks.js";
import { batch, computed, effect, signal } from "./vendor/signals.js";
import htm from "./vendor/htm.js";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);
export { Component, batch, computed, effect, render, signal, useEffect, useRef, useState };
