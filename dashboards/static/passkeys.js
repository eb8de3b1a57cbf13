// Passkeys: made on the page of one's own account, used at the sign-in. Texts come from the page; without a passkey to be had, nothing is shown.

/** @param {ArrayBuffer} buffer */
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

/** @param {string} text */
const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

/** @param {string} path @param {object} body */
async function send(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

/** Write a credential as the server reads it. @param {any} credential */
function plain(credential) {
  /** @type {Record<string, unknown>} */
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    const value = credential.response[name];
    if (value) response[name] = toText(value);
  }
  return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response, clientExtensionResults: {} };
}

/** @param {string} name */
async function make(name) {
  const options = await send("/account/passkeys/begin", {});
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      user: { ...options.user, id: toBytes(options.user.id) },
      excludeCredentials: (options.excludeCredentials ?? []).map((/** @type {any} */ one) => ({ ...one, id: toBytes(one.id) })),
    },
  });
  return send("/account/passkeys", { name, credential: plain(credential) });
}

/** @param {string} next */
async function use(next) {
  const options = await send("/sign-in/passkey/begin", { next });
  const credential = await navigator.credentials.get({ publicKey: { ...options, challenge: toBytes(options.challenge), allowCredentials: [] } });
  return send("/sign-in/passkey", { credential: plain(credential) });
}

/** Do it, go where it leads, and tell a fault; turning the browser's question down is none. @param {HTMLElement} from @param {() => Promise<{goal: string}>} act */
async function attempt(from, act) {
  const fault = /** @type {HTMLElement} */ (document.getElementById("passkey-fault"));
  fault.hidden = true;
  try {
    location.assign((await act()).goal);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotAllowedError") return;
    fault.textContent = (error instanceof Error && !(error instanceof DOMException) && error.message) || from.dataset.fault || "";
    fault.hidden = false;
  }
}

if (window.isSecureContext && "PublicKeyCredential" in window) {
  const button = document.getElementById("passkey-use");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => attempt(button, () => use(button.dataset.next ?? "/")));
  }
  const form = /** @type {HTMLFormElement | null} */ (document.getElementById("passkey-new"));
  if (form) {
    form.hidden = false;
    document.getElementById("passkey-missing")?.remove();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = /** @type {HTMLInputElement} */ (form.elements.namedItem("name")).value;
      attempt(form, () => make(name));
    });
  }
}
document.documentElement.dataset.ready = "";
