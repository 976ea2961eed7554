// The session of this tab: an access token in memory and the work of keeping it fresh.
//
// The token lives in a variable of this module and nowhere else: not in storage, not in a cookie,
// not on `window`. A reload loses it, and the HttpOnly cookie brings back the next one.

import { BASE, Failed, SLOWEST, backOff, change, failure, request, retryAfter } from "./request.js";

export { Failed };

const MARGIN = 60_000; // Refresh this long before expiry, in milliseconds,
const JITTER = 0.25; // or up to this part of it earlier, so that many tabs do not come at once.
const ATTEMPTS = 4; // How often a caller's refresh is tried before the caller hears of it.
const LONGEST_TIMER = 2 ** 31 - 1; // What a browser's timer can hold.

/**
 * Why nobody is signed in. `no_session`: nobody was, and the browser has no cookie. `invalid_session`:
 * the session was ended, has run out, or was used elsewhere; the server does not say which to whoever
 * holds a dead cookie. `signed_out`: another tab of this browser signed out. `other_session`: the browser has the cookie
 * of another session now, and this tab has not heard of a sign-in: another host of the domain may have planted it.
 * @typedef {"no_session" | "invalid_session" | "signed_out" | "other_session"} Reason
 */

/**
 * `checking`: not known yet. `renewing`: signed in, and the next token is on its way.
 * @typedef {object} State
 * @property {"checking" | "signed-in" | "renewing" | "signed-out"} status
 * @property {number | null} expiresAt when the access token ends, in milliseconds of `Date.now()`
 * @property {Reason | null} reason why nobody is signed in
 * @property {Error | null} problem why the last refresh got no answer; it is tried again
 */

/** @type {{ token: string, session: string, expiresAt: number, renewAt: number, tellAt: number } | null} */
let access = null; // Times in milliseconds of `Date.now()`; after input it is renewed at `tellAt`.
/** @type {{ era: number, done: Promise<void> } | null} */
let refreshing = null; // The refresh under way in this tab, shared by all who need one.
/** @type {Reason | null} */
let over = null;
/** @type {Error | null} */
let problem = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let begun = false; // Whether anybody has asked for a session.
let known = false; // Whether this tab has had one, and nobody has told it of the end.
let inputs = 0; // Counts what the user did,
let heard = -1; // and up to where the server has heard of it: opening the page is the first it hears of.
let era = 0; // Counts sign-ins and sign-outs: an answer from an earlier era is thrown away.

class Session extends EventTarget {
  /** @returns {State} */
  get state() {
    const expiresAt = access && access.expiresAt;
    if (over) return { status: "signed-out", expiresAt, reason: over, problem };
    if (!access) return { status: "checking", expiresAt, reason: null, problem };
    return { status: refreshing?.era === era ? "renewing" : "signed-in", expiresAt, reason: null, problem };
  }
}

/** Fires "change" when its `state` may be another. */
export const session = new Session();

/** The session is over: only a 401 from the server says so. */
export class SignedOut extends Error {
  /** @param {Reason} reason */
  constructor(reason) {
    super("signed out");
    this.reason = reason;
  }
}

// Other tabs have tokens of their own; what they share is the cookie, so they must hear of its end.
const tabs = new BroadcastChannel("session");
tabs.onmessage = ({ data }) => {
  if (data === "signed-out") forget("signed_out");
  // Somebody signed in elsewhere: this tab's token may be another user's.
  if (data === "signed-in") {
    drop();
    look();
  }
  // A tab was told that the session is over. That may be old news: each asks for itself.
  if (data === "look" && access) look();
};

// Timers sleep with the machine, and give up without a network. Look at the clock when somebody looks
// at the page, and when the network is back.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) wake();
});
addEventListener("online", wake);

// A refresh by a timer alone says so: the session of a page that is left open, visible or not, then ends unused.
for (const kind of ["keydown", "pointerdown", "pointermove", "touchstart", "wheel"]) {
  addEventListener(kind, keepAlive, { capture: true, passive: true });
}

/**
 * Counts as input: the user is there without touching anything. Call it now and then while a video plays or an upload
 * runs, from their events.
 */
export function keepAlive() {
  const isFirst = inputs === heard;
  inputs += 1;
  // Only the first one: the refresh that tells of it, or its next try, tells of the others.
  if (isFirst && access) wake();
}

// The browser may keep a page that is left, and bring it back as it was (the back/forward cache), long
// after the user has signed out. So it is put away without a user, and asks when it comes back.
addEventListener("pagehide", ({ persisted }) => {
  if (persisted && access) drop();
});
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  keepAlive();
  wake();
});

function wake() {
  const due = access && (inputs === heard ? access.renewAt : access.tellAt);
  if (begun && !over && (due === null || Date.now() >= due)) look();
}

/** A refresh that nobody waits for; the state tells how it went. */
function look() {
  refresh().catch(() => {});
}

/**
 * Signs in. Rejects with `Failed`, of status 401 when address or password is wrong.
 * @param {string} email
 * @param {string} password
 * @param {boolean} remember whether the session outlives the browser
 */
export async function signIn(email, password, remember = true) {
  await alone(async () => {
    const response = await change(`${BASE}/login`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email, password, remember }),
    });
    if (!response.ok) throw await failure(response);
    era += 1;
    keep(await response.json(), inputs);
    tabs.postMessage("signed-in");
    announce();
  });
}

/**
 * Tells the server that the user is still the same: the session goes on with a new token, and one from before is worth
 * nothing. Rejects with `Failed`, of the code `wrong_password` when it is wrong.
 * @param {string} password
 */
export async function stepUp(password) {
  const [began, seen] = [era, inputs];
  /** @param {string} token */
  const ask = (token) =>
    alone(() =>
      change(`${BASE}/step-up`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
        body: JSON.stringify({ password }),
      }),
    );
  let response = await withToken(ask);
  if (response.status === 409) {
    // Another tab was quicker: a refresh brings the newer cookie.
    await refresh();
    response = await withToken(ask);
  }
  if (!response.ok) throw await failure(response);
  const answer = await response.json();
  stillIn(began);
  keep(answer, seen);
  announce();
}

/**
 * Picks up the session that the browser's cookie names. Rejects with `SignedOut` if there is none.
 * Later it asks the server whether the session still stands.
 */
export function resume() {
  return refresh();
}

/**
 * Ends this session on the server, or every session of the user.
 * @param {{ everywhere?: boolean }} [which]
 */
export async function signOut({ everywhere = false } = {}) {
  const url = everywhere ? `${BASE}/logout-all` : `${BASE}/logout`;
  await alone(async () => {
    const response = await change(url, { method: "POST" });
    const { ok, status } = response;
    // 503: the store is down. The cookie is gone all the same, and the server ends the session later.
    // 401: the session had ended before, and so could not speak for the others.
    if (ok || status === 401 || (status === 503 && !everywhere)) {
      // Under the lock, so that it cannot arrive after the news of the next sign-in.
      tabs.postMessage("signed-out");
      forget("signed_out");
    }
    if (status === 401) throw new Failed(401, "Sign in again to sign out everywhere.");
    if (!ok) throw await failure(response);
  });
}

/**
 * @typedef {object} Entry one session of the user; times in seconds since 1970
 * @property {string} id
 * @property {boolean} current
 * @property {number} created_at
 * @property {number} last_seen_at
 * @property {number} expires_at
 * @property {string} client
 */

/**
 * The user's sessions; the list needs the cookie, not the access token.
 * @returns {Promise<Entry[]>}
 */
export async function sessions() {
  const response = await withCookie(() => request(`${BASE}/sessions`));
  if (!response.ok) throw await failure(response);
  return (await response.json()).sessions;
}

/**
 * Ends one session. One that is gone already is as good.
 * @param {string} id
 */
export async function revoke(id) {
  const url = `${BASE}/sessions/${encodeURIComponent(id)}`;
  const response = await withCookie(() => alone(() => change(url, { method: "DELETE" })));
  if (!response.ok && response.status !== 404) throw await failure(response);
}

/**
 * A call that the cookie answers for: a 401 says what it says to a refresh, that it is over.
 * @param {() => Promise<Response>} ask
 */
async function withCookie(ask) {
  const began = era;
  let response = await ask();
  if (response.status === 409) {
    // Another tab was quicker, or this browser calls itself something new: a refresh settles both.
    await refresh();
    response = await ask();
  }
  if (response.status === 401) {
    const reason = await reasonOf(response);
    // A sign-in meanwhile is another session, of which this answer says nothing.
    if (era === began) end(reason);
    throw new SignedOut(reason);
  }
  stillIn(began);
  return response;
}

/**
 * `fetch` with the access token, for the page's own server. A 401 is answered by one refresh and one
 * more try; what then comes is the caller's, whatever it is. Rejects with `SignedOut` when the session
 * is over and with `Failed` when there is no answer within 15 seconds: what may take longer brings a
 * `signal` of its own.
 * @param {string | URL} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export async function apiFetch(path, options = {}) {
  // Sent as it was checked: a `<base>` in the page has no say in it.
  const url = new URL(path, location.href);
  if (url.origin !== location.origin) {
    throw new TypeError("The access token is for the page's own server and for no other.");
  }
  // A body that is a stream has been read, and cannot be sent again.
  return withToken((token) => send(url, options, token), !(options.body instanceof ReadableStream));
}

/**
 * Asks with the access token, and once more with another one where that is refused.
 * @param {(token: string) => Promise<Response>} ask
 * @param {boolean} again whether it can be asked twice
 */
async function withToken(ask, again = true) {
  const began = era;
  const token = await fresh();
  let response = await ask(token);
  if (response.status === 401 && again && !wantsRecent(response)) {
    // Another call may have refreshed meanwhile.
    if (access?.token === token) await refresh();
    stillIn(began);
    response = await ask(await fresh());
  }
  stillIn(began);
  return response;
}

/**
 * Whether the user has to authenticate again (RFC 9470): a refresh does not help.
 * @param {Response} response
 */
function wantsRecent(response) {
  return response.headers.get("WWW-Authenticate")?.includes('error="insufficient_user_authentication"') ?? false;
}

/**
 * What one user asked for is not for the next one to see, nor for a page that shows nobody's account.
 * @param {number} began
 */
function stillIn(began) {
  if (era !== began) throw new SignedOut(over ?? "signed_out");
}

/**
 * `apiFetch` for JSON: what is not a success rejects with `Failed`.
 * @param {string | URL} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export async function api(path, options) {
  const response = await apiFetch(path, options);
  const began = era;
  if (!response.ok) throw await failure(response);
  const body = response.status === 204 ? null : await response.json();
  stillIn(began);
  return body;
}

/** A token that has not ended. */
async function fresh() {
  if (!access || Date.now() >= access.expiresAt) await refresh();
  if (!access) throw new SignedOut(over ?? "no_session");
  return access.token;
}

/** One refresh at a time in this tab, and by Web Locks one at a time in this browser. */
function refresh() {
  begun = true;
  if (refreshing?.era !== era) {
    const mine = { era, done: renew() };
    const settled = () => {
      if (refreshing !== mine) return;
      refreshing = null;
      announce();
    };
    mine.done.then(settled, settled);
    refreshing = mine;
    announce();
  }
  return refreshing.done;
}

async function renew() {
  const began = era;
  for (let attempt = 1; ; attempt += 1) {
    let pause = backOff(attempt);
    const seen = inputs;
    /** @type {Record<string, string>} */
    const headers = seen === heard ? { "X-Session-Activity": "passive" } : {};
    try {
      // Only the request is under the lock: a tab that waits to try again holds nobody up.
      const response = await alone(() => change(`${BASE}/refresh`, { method: "POST", headers }));
      stillIn(began);
      if (response.ok) {
        const answer = await response.json();
        stillIn(began);
        if (access && answer.session !== access.session) {
          end("other_session");
          throw new SignedOut("other_session");
        }
        return keep(answer, seen);
      }
      if (response.status === 401) {
        const reason = await reasonOf(response);
        end(reason);
        throw new SignedOut(reason);
      }
      // A newer cookie came with this answer or with another tab's, and works at once. Where it does not, it is
      // still on its way.
      if (response.status === 409 && attempt === 1) continue;
      pause = Math.max(pause, retryAfter(response));
      problem = await failure(response);
    } catch (error) {
      if (error instanceof SignedOut) throw error;
      problem = error instanceof Error ? error : new Failed(0, String(error));
    }
    // The network, a restart, a store that is down: the session is as good as before. A refusal of the
    // page itself (403) has been tried with a new token and does not pass by waiting.
    if (attempt >= ATTEMPTS || (problem instanceof Failed && problem.status === 403)) {
      schedule(Date.now() + SLOWEST * (1 + JITTER * Math.random()));
      throw problem;
    }
    announce();
    await new Promise((done) => setTimeout(done, pause));
  }
}

/**
 * @typedef {object} Answer the durations in seconds
 * @property {string} access_token
 * @property {string} session
 * @property {number} expires_in
 * @property {number} session_expires_in
 * @property {number} [idle_expires_in] until the session ends unless an active refresh comes
 */

/**
 * @param {Answer} answer
 * @param {number} seen how much of the user's input the server knows by it
 */
function keep(answer, seen) {
  const { access_token: token, session, expires_in: seconds, session_expires_in: left } = answer;
  const { idle_expires_in: unused = left } = answer;
  const wasPassive = seen === heard;
  heard = seen;
  const life = seconds * 1000;
  // A token of two minutes or less is renewed at half its life, and one that ends with its session not before.
  const isLast = Math.min(left, unused) <= seconds;
  const lead = isLast ? 0 : Math.min(MARGIN, life / 2) * (1 + JITTER * Math.random());
  const expiresAt = Date.now() + life;
  const renewAt = expiresAt - lead;
  // The idle end would come before the next refresh tells of input: it is told at once. Not after an active refresh,
  // which moved that end: a session whose absolute end is near would be refreshed with each touch.
  const tellAt = isLast && wasPassive ? 0 : renewAt;
  access = { token, session, expiresAt, renewAt, tellAt };
  over = null;
  problem = null;
  begun = true;
  known = true;
  schedule(inputs === heard ? renewAt : tellAt);
}

/** @param {number} at */
function schedule(at) {
  clearTimeout(timer);
  const wait = Math.min(Math.max(at - Date.now(), 0), LONGEST_TIMER);
  timer = setTimeout(look, wait);
}

/** Forgets the token, and whatever answer is on its way: nothing is known any more. */
function drop() {
  era += 1;
  access = null;
  over = null;
  problem = null;
  clearTimeout(timer);
  announce();
}

/** @param {Reason} reason */
function forget(reason) {
  era += 1;
  access = null;
  // A tab that was quicker has had the dead cookie cleared: this one sends none, and had a session.
  over = known && reason === "no_session" ? "invalid_session" : reason;
  known = false;
  problem = null;
  clearTimeout(timer);
  announce();
}

/**
 * The server says that it is over: the other tabs had better ask, too.
 * @param {Reason} reason
 */
function end(reason) {
  tabs.postMessage("look");
  forget(reason);
}

function announce() {
  session.dispatchEvent(new Event("change"));
}

/**
 * Runs `work` while no other tab does. Without Web Locks (plain http) the server copes as well.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function alone(work) {
  return navigator.locks ? navigator.locks.request("tower-bearer-session", work) : work();
}

/**
 * @param {URL} url
 * @param {RequestInit} options
 * @param {string} token
 */
function send(url, options, token) {
  const headers = new Headers(options.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return request(url, { ...options, headers });
}

/**
 * @param {Response} response
 * @returns {Promise<Reason>}
 */
async function reasonOf(response) {
  return (await failure(response)).code === "no_session" ? "no_session" : "invalid_session";
}
