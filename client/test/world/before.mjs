// The session module of commit 9f553fc in this world: it was one module with globals, and no package.

import { execFileSync } from "node:child_process";

export const COMMIT = "9f553fc";
const FOLDER = "examples/axum_spa/static";

let source = null;

function text() {
  source ??= ["request.js", "session.js"]
    .map((file) => execFileSync("git", ["show", `${COMMIT}:${FOLDER}/${file}`], { encoding: "utf8" }))
    .join("\n")
    .replace(/^import [^;]*;$/gm, "")
    .replace(/^export \{[^}]*\};$/gm, "")
    .replace(/^export /gm, "");
  return source;
}

/** Whether the history is there: a shallow clone has none. */
export function isThere() {
  try {
    text();
    return true;
  } catch {
    return false;
  }
}

const GLOBALS = [
  "location", "document", "navigator", "BroadcastChannel", "fetch", "setTimeout", "clearTimeout", "Date", "Math",
  "addEventListener", "removeEventListener", "Headers", "Request", "AbortSignal", "ReadableStream",
];

/**
 * The old module, with the methods of today's session as far as it had them.
 * @param {object} here
 * @param {{ base?: string }} options
 */
export function create(here, { base = "/auth" } = {}) {
  const globals = { ...here, ReadableStream, AbortSignal: limits(here) };
  const body = text().replace('const BASE = "/auth"', `const BASE = ${JSON.stringify(base)}`);
  const made = new Function(
    ...GLOBALS,
    `"use strict";${body}\nreturn { session, signIn, resume, signOut, sessions, revoke, apiFetch, api };`,
  )(...GLOBALS.map((name) => globals[name]));
  const { session } = made;
  return {
    get state() {
      const { status, ...rest } = session.state;
      const names = { checking: "unknown", "signed-in": "in", "signed-out": "out" };
      return { status: names[status] ?? status, ...rest };
    },
    subscribe(listener) {
      session.addEventListener("change", listener);
      return () => session.removeEventListener("change", listener);
    },
    resume: made.resume,
    signIn: ({ email, password }) => made.signIn(email, password),
    signOut: made.signOut,
    sessions: made.sessions,
    revoke: made.revoke,
    keepAlive() {}, // It refreshed with or without a person.
    fetch: made.apiFetch,
    json: made.api,
  };
}

/** `AbortSignal` whose time is the page's. */
function limits(here) {
  return {
    timeout(ms) {
      const control = new AbortController();
      here.setTimeout(() => control.abort(new DOMException("too slow", "TimeoutError")), ms);
      return control.signal;
    },
  };
}
