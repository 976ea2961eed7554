// The session of this tab: an access token in memory and the work of keeping it fresh.
//
// The token lives in a variable of this module and nowhere else: not in storage, not in a cookie,
// not on `window`. A reload loses it, and the HttpOnly cookie brings back the next one.

const BASE = "/auth";
const MARGIN = 60_000; // Refresh this long before expiry, in milliseconds.
const PATIENCE = 15_000; // A request that takes longer is given up and tried again.
const ATTEMPTS = 4; // How often a caller's refresh is tried before the caller hears of it.
const SLOWEST = 30_000; // The longest pause of the back-off.
const LONGEST_TIMER = 2 ** 31 - 1; // What a browser's timer can hold.

let access = null; // { token, expiresAt, renewAt }, times in milliseconds of `Date.now()`
let refreshing = null; // { era, done }: the refresh under way in this tab, shared by all who need one
let timer = 0;
let era = 0; // Counts sign-ins and sign-outs: an answer from an earlier era is thrown away.

/** Fires "change" with `detail` "signed-in", "signed-out" or "renewed". */
export const session = new EventTarget();

/** The session is over: only a 401 from the server says so. */
export class SignedOut extends Error {}

/** The server, or what stands before it, did not do what it was asked. */
export class Failed extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Other tabs have tokens of their own; what they share is the cookie, so they must hear of its end.
const tabs = new BroadcastChannel("session");
tabs.onmessage = ({ data }) => {
  if (data === "signed-out") forget();
  // Somebody signed in elsewhere: this tab's token may be another user's.
  if (data === "signed-in") {
    drop();
    refresh().catch(() => {});
  }
};

// Timers sleep with the machine. Look at the clock when somebody looks at the page.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && access && Date.now() >= access.renewAt) refresh().catch(() => {});
});

/** Signs in. Rejects with `Failed`, of status 401 when address or password is wrong. */
export async function signIn(email, password) {
  await alone(async () => {
    const response = await change(`${BASE}/login`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email, password }),
    });
    if (!response.ok) throw await failure(response);
    era += 1;
    keep(await response.json());
  });
  tabs.postMessage("signed-in");
  announce("signed-in");
}

/** Picks up the session that the browser's cookie names. Rejects with `SignedOut` if there is none. */
export function resume() {
  return refresh();
}

/** Ends this session on the server, or every session of the user. */
export async function signOut({ everywhere = false } = {}) {
  const path = everywhere ? `${BASE}/logout-all` : `${BASE}/logout`;
  const response = await alone(() => change(path, { method: "POST" }));
  const { ok, status } = response;
  // 503: the store is down. The cookie is gone all the same, and the server ends the session later.
  // 401: the session had ended before, and so could not speak for the others.
  if (ok || status === 401 || (status === 503 && !everywhere)) {
    tabs.postMessage("signed-out");
    forget();
  }
  if (status === 401) throw new Failed(401, "Sign in again to sign out everywhere.");
  if (!ok) throw await failure(response);
}

/** The user's sessions; the list needs the cookie, not the access token. */
export async function sessions() {
  const response = await withCookie(() => request(`${BASE}/sessions`));
  if (!response.ok) throw await failure(response);
  return (await response.json()).sessions;
}

/** Ends one session. One that is gone already is as good. */
export async function revoke(id) {
  const path = `${BASE}/sessions/${encodeURIComponent(id)}`;
  const response = await withCookie(() => alone(() => change(path, { method: "DELETE" })));
  if (!response.ok && response.status !== 404) throw await failure(response);
}

/** A call that the cookie answers for: a 401 says what it says to a refresh, that it is over. */
async function withCookie(ask) {
  let response = await ask();
  if (response.status === 409) {
    // Another tab was quicker, or the browser has changed its signature: a refresh settles both.
    await refresh();
    response = await ask();
  }
  if (response.status === 401) {
    forget();
    throw new SignedOut();
  }
  return response;
}

/** `fetch` with the access token. A 401 is answered by one refresh and one more try. */
export async function api(path, options = {}) {
  let token = await fresh();
  let response = await send(path, options, token);
  if (response.status === 401) {
    // Another call may have refreshed meanwhile.
    if (access?.token === token) await refresh();
    token = await fresh();
    response = await send(path, options, token);
  }
  if (!response.ok) throw await failure(response);
  return response.json();
}

async function fresh() {
  if (!access || Date.now() >= access.expiresAt) await refresh();
  if (!access) throw new SignedOut();
  return access.token;
}

/** One refresh at a time in this tab, and by Web Locks one at a time in this browser. */
function refresh() {
  if (refreshing?.era !== era) {
    const mine = { era, done: renew() };
    const over = () => {
      if (refreshing === mine) refreshing = null;
    };
    mine.done.then(over, over);
    refreshing = mine;
  }
  return refreshing.done;
}

async function renew() {
  const began = era;
  for (let attempt = 1; ; attempt += 1) {
    let pause = backOff(attempt);
    let problem;
    try {
      // Only the request is under the lock: a tab that waits to try again holds nobody up.
      const response = await alone(() => change(`${BASE}/refresh`, { method: "POST" }));
      if (era !== began) throw new SignedOut();
      if (response.ok) {
        const what = access ? "renewed" : "signed-in";
        keep(await response.json());
        announce(what);
        return;
      }
      if (response.status === 401) {
        forget();
        throw new SignedOut();
      }
      problem = await failure(response);
      pause = Math.max(pause, retryAfter(response));
    } catch (error) {
      if (error instanceof SignedOut) throw error;
      problem = error;
    }
    // The network, a restart, a store that is down: the session is as good as before. A refusal of the
    // page itself (403) has been tried with a new token and does not pass by waiting.
    if (attempt >= ATTEMPTS || problem.status === 403) {
      schedule(Date.now() + SLOWEST);
      throw problem;
    }
    await new Promise((done) => setTimeout(done, pause));
  }
}

function keep({ access_token: token, expires_in: seconds }) {
  const life = seconds * 1000;
  // A token of two minutes or less is renewed at half its life.
  const renewAt = Date.now() + life - Math.min(MARGIN, life / 2);
  access = { token, expiresAt: Date.now() + life, renewAt };
  schedule(renewAt);
}

function schedule(at) {
  clearTimeout(timer);
  const wait = Math.min(Math.max(at - Date.now(), 0), LONGEST_TIMER);
  timer = setTimeout(() => refresh().catch(() => {}), wait);
}

function drop() {
  era += 1;
  access = null;
  clearTimeout(timer);
}

function forget() {
  drop();
  announce("signed-out");
}

function announce(what) {
  session.dispatchEvent(new CustomEvent("change", { detail: what }));
}

/** Runs `work` while no other tab does. Without Web Locks (plain http) the server copes as well. */
function alone(work) {
  return navigator.locks ? navigator.locks.request("tower-bearer-session", work) : work();
}

/**
 * A request that changes something, with a copy of the CSRF cookie: no foreign page can read that.
 * Sign-ins and sign-outs of other tabs replace the cookie, so this runs under the lock, and looks
 * at it each time.
 */
async function change(path, options) {
  const ask = (csrf) => {
    const headers = new Headers(options.headers);
    headers.set("X-CSRF-Token", csrf);
    return request(path, { ...options, headers });
  };
  let response = await ask(csrfCookie() ?? (await csrfToken()));
  // The cookie is of a session that ended, or of keys that were replaced.
  if (response.status === 403) response = await ask(await csrfToken());
  if (response.status === 403) {
    throw new Failed(403, "The server refuses this page. Allow cookies for it, and reload.");
  }
  return response;
}

function csrfCookie() {
  return document.cookie.match(/(?:^|; )(?:__Host-)?csrf=([^;]+)/)?.[1];
}

/** Has the server look at the cookie, and replace it if it is not good. */
async function csrfToken() {
  const response = await request(`${BASE}/csrf`);
  if (!response.ok) throw await failure(response);
  return (await response.json()).csrf_token;
}

function send(path, options, token) {
  const headers = new Headers(options.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return request(path, { ...options, headers });
}

async function request(path, options = {}) {
  const signal = options.signal ?? AbortSignal.timeout(PATIENCE);
  try {
    return await fetch(path, { credentials: "same-origin", cache: "no-store", ...options, signal });
  } catch (error) {
    // What browsers say here ("Failed to fetch") helps nobody. A caller that gave up knows why.
    if (options.signal?.aborted) throw error;
    throw new Failed(0, "The server cannot be reached.");
  }
}

/** 0.5 s, 1 s, 2 s, ... with chance in it, so that many tabs do not come back together. */
function backOff(attempt) {
  return Math.min(500 * 2 ** (attempt - 1), SLOWEST) * (0.5 + Math.random());
}

function retryAfter(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, SLOWEST) : 0;
}

async function failure(response) {
  const problem = await response.json().catch(() => ({}));
  return new Failed(response.status, problem.title ?? `the server answered ${response.status}`);
}
