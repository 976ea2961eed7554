// How the session module asks the server: with patience, with the CSRF token, and with errors that say
// something.

// Where the page is. A proxy may have put it below a path of its own. With the origin in front: a path that
// begins with two slashes, as a link can make it, names another server to `fetch`.
const HERE = location.origin + new URL(".", location.href).pathname;
/** Where the refresh cookie goes. */
export const BASE = `${HERE}auth`;
/** Where the access token goes. */
export const API = `${HERE}api`;
/** The longest pause of the back-off, in milliseconds. */
export const SLOWEST = 30_000;
/** The codes of guards in front; a page that has none of these was refused by the application itself. */
const GUARDS = new Set(["csrf", "foreign_origin", "https_required"]);
const PATIENCE = 15_000; // A request that takes longer is given up and tried again.

/** The server, or what stands before it, did not do what it was asked. */
export class Failed extends Error {
  /**
   * @param {number} status 0 if there was no answer
   * @param {string} message
   * @param {string} [code] the server's name for it
   */
  constructor(status, message, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * A request that changes something, with a copy of the CSRF cookie: no page of another site can read
 * that. Sign-ins and sign-outs of other tabs replace the cookie, so this runs under the lock, and looks
 * at it each time.
 * @param {string} url
 * @param {RequestInit} options
 */
export async function change(url, options) {
  /** @param {string} copy */
  const ask = (copy) => {
    const headers = new Headers(options.headers);
    headers.set("X-CSRF-Token", copy);
    return request(url, { ...options, headers });
  };
  let response = await ask(csrfCookie() ?? (await csrfToken()));
  // The cookie is of a session that ended, or of keys that were replaced.
  if (await isByGuard(response)) response = await ask(await csrfToken());
  if (await isByGuard(response)) {
    throw new Failed(403, "The server refuses this page. Allow cookies for it, and reload.");
  }
  return response;
}

/**
 * Whether a guard refuses the page. Refusals of the application itself are the caller's.
 * @param {Response} response
 */
async function isByGuard(response) {
  if (response.status !== 403) return false;
  const { code } = await failure(response.clone());
  return code === undefined || GUARDS.has(code);
}

function csrfCookie() {
  return document.cookie.match(/(?:^|; )(?:__Host-)?csrf=([^;]+)/)?.[1];
}

/**
 * Has the server look at the cookie, and replace it if it is not good.
 * @returns {Promise<string>}
 */
async function csrfToken() {
  const response = await request(`${BASE}/csrf`);
  if (!response.ok) throw await failure(response);
  /** @type {{ csrf_token: string }} */
  const answer = await response.json();
  return answer.csrf_token;
}

/**
 * @param {string | URL} url
 * @param {RequestInit} [options]
 */
export async function request(url, options = {}) {
  const signal = options.signal ?? AbortSignal.timeout(PATIENCE);
  try {
    return await fetch(url, { credentials: "same-origin", cache: "no-store", ...options, signal });
  } catch (error) {
    // What browsers say here ("Failed to fetch") helps nobody. A caller that gave up knows why.
    if (options.signal?.aborted) throw error;
    throw new Failed(0, "The server cannot be reached.");
  }
}

/**
 * 0.5 s, 1 s, 2 s, ... with chance in it, so that many tabs do not come back together.
 * @param {number} attempt
 */
export function backOff(attempt) {
  return Math.min(500 * 2 ** (attempt - 1), SLOWEST) * (0.5 + Math.random());
}

/** @param {Response} response */
export function retryAfter(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, SLOWEST) : 0;
}

/** @param {Response} response */
export async function failure(response) {
  const said = await response.json().catch(() => ({}));
  return new Failed(response.status, said.title ?? `the server answered ${response.status}`, said.code);
}
