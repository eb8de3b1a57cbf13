// Notifications of this phone: subscribed from a tap, ended on signing out.

import { Problem, read } from "./api.js";

/** Whether this browser can, and whether the worker told us that it does. */
export const canPush = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** @param {string} key base64url @returns {Uint8Array<ArrayBuffer>} */
function bytesOf(key) {
  const text = atob(key.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** @param {string} method @param {object} body */
async function tell(method, body) {
  const answer = await fetch("/api/v1/push", {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Problem(answer.status, (await answer.json().catch(() => ({}))).detail ?? "");
}

/** @returns {Promise<PushSubscription | null>} */
export async function subscription() {
  if (!canPush()) return null;
  const registration = await navigator.serviceWorker.getRegistration("/field");
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Ask for leave and subscribe; must come from a tap. @returns {Promise<"on" | "denied">} */
export async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  const { key, channel } = await read("/api/v1/push");
  const { pushManager } = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: bytesOf(key) };
  /** @type {PushSubscription} */
  let made;
  try {
    made = await pushManager.subscribe(options);
  } catch (fault) {
    const old = await pushManager.getSubscription();
    if (!old) throw fault;
    await old.unsubscribe(); // of a key that is ours no more
    made = await pushManager.subscribe(options);
  }
  const { endpoint, keys, expirationTime } = made.toJSON();
  await tell("POST", { endpoint, keys, expirationTime: expirationTime ?? null, channel });
  return "on";
}

/** End notifications on this phone, here and there. */
export async function unsubscribe() {
  const made = await subscription();
  if (!made) return;
  await tell("DELETE", { endpoint: made.endpoint });
  await made.unsubscribe();
}
