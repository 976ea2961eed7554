// The session against a server made of functions. A stand-in provides the parts of a browser.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Failed, SignedOut } from "../src/index.js";
import { create } from "../src/session.js";
import "./world/listeners.mjs";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const until = async (check) => {
  while (!check()) await wait(1);
};

// One lock, taken in turn, and a count of who holds it.
let turn = Promise.resolve();
let holders = 0;
let mostHolders = 0;
const locks = {
  request(_name, _options, work) {
    const mine = turn.then(async () => {
      holders += 1;
      mostHolders = Math.max(mostHolders, holders);
      try {
        return await work();
      } finally {
        holders -= 1;
      }
    });
    turn = mine.catch(() => {});
    return mine;
  },
};
const document = Object.assign(new EventTarget(), { hidden: false, cookie: "" });
const location = new URL("https://app.example/page");
const Clock = { now: () => Date.now() };
// Chance, where a test wants to know what comes of it.
let chance = null;
// Events of the window: "online", "pagehide", "pageshow".
const here = Object.assign(new EventTarget(), {
  AbortController,
  Date: Clock,
  Headers,
  Math: { random: () => chance ?? Math.random() },
  Request,
  clearTimeout: (timer) => clearTimeout(timer),
  document,
  location,
  navigator: { locks },
  setTimeout: (work, ms) => setTimeout(work, ms),
});
const happen = (name, what = {}) => here.dispatchEvent(Object.assign(new Event(name), what));
let otherTab;
let told = []; // What the other tabs heard.
here.BroadcastChannel = class {
  constructor() {
    otherTab = (type, more = {}) => this.onmessage({ data: { type, ...more } });
  }
  postMessage(data) {
    told.push(data);
  }
  close() {}
};

// The server: for each path an answer, or a function that makes one. It refuses a change without the CSRF token that
// it accepts.
let calls = [];
let activity = []; // Each refresh said this in `X-Session-Activity`.
let tokens = []; // What came in `X-CSRF-Token`, with the path in front.
let csrf = "c1";
const server = { "/auth/csrf": () => ({ status: 200, body: { csrf_token: csrf } }) };
here.fetch = async (input, options) => {
  if (input instanceof Request) options = { headers: input.headers, method: input.method === "GET" ? undefined : input.method, body: input.body };
  const { origin, pathname: path } = new URL(input.url ?? input); // It is absolute, so no `<base>` matters.
  assert.equal(origin, location.origin);
  calls.push(path);
  const guarded = path.startsWith("/auth") && options.method !== undefined;
  const copy = new Headers(options.headers).get("X-CSRF-Token");
  if (path === "/auth/refresh") activity.push(new Headers(options.headers).get("X-Session-Activity"));
  if (copy !== null) tokens.push(`${options.method} ${path} ${copy}`);
  await wait(5);
  if (guarded && copy !== csrf) return new Response(null, { status: 403 });
  const made = server[path];
  const answer = typeof made === "function" ? made(options) : made;
  if (answer instanceof Error) throw answer;
  const isText = typeof answer.body === "string";
  const body = answer.body === undefined ? null : isText ? answer.body : JSON.stringify(answer.body);
  return new Response(body, { status: answer.status, headers: answer.headers });
};
let issued = 0;
let id = "s1"; // The session that the cookie names.
const token = (life = 900) => ({
  status: 200,
  body: {
    access_token: `t${(issued += 1)}`,
    token_type: "Bearer",
    expires_in: life,
    session: id,
    session_expires_in: 604_800,
  },
});
const INVALID = { "WWW-Authenticate": 'Bearer realm="api", error="invalid_token"' };
// The API refuses the tokens in here.
let refused = new Set();
server["/api"] = ({ headers }) => {
  const sent = headers.get("Authorization").replace("Bearer ", "");
  return refused.has(sent) ? { status: 401, body: {}, headers: INVALID } : { status: 200, body: { sent } };
};
const asked = (path) => calls.filter((call) => call === path).length;

let events = [];
const page = create(here, { onEvent: (event) => events.push(event) });
after(() => page.dispose());
let changes = []; // Each state that is another than the one before.
page.subscribe(() => {
  const { status, renewing } = page.state;
  const seen = renewing ? `${status}, renewing` : status;
  if (changes.at(-1) !== seen) changes.push(seen);
});
const state = () => page.state;

async function signIn() {
  server["/auth/login"] = () => token();
  server["/auth/refresh"] = () => token();
  refused = new Set();
  csrf = "c1";
  document.cookie = "theme=dark; __Host-csrf=c1";
  await page.signIn({ email: "a", password: "b" });
  calls = [];
  tokens = [];
  told = [];
  changes = ["in"];
}

test("without a session the page is signed out", async () => {
  assert.equal(state().status, "unknown");
  server["/auth/refresh"] = { status: 401, body: { code: "no_session" } };
  await assert.rejects(page.resume(), { name: "SignedOut", reason: "no_session" });
  assert.deepEqual(changes, ["unknown, renewing", "out"]);
  assert.equal(state().reason, "no_session");
});

test("a wrong password is told", async () => {
  server["/auth/login"] = { status: 401, body: { title: "wrong" } };
  await assert.rejects(page.signIn({ email: "a", password: "b" }), { status: 401, message: "wrong" });
});

test("two refused calls share one refresh, and each is tried once more", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const [one, two] = await Promise.all([page.json("/api"), page.json("/api")]);
  assert.deepEqual([one.sent, two.sent], [`t${issued}`, `t${issued}`]);
  assert.equal(asked("/auth/refresh"), 1);
  assert.equal(asked("/api"), 4);
  assert.deepEqual(changes, ["in", "in, renewing", "in"]);
});

test("a call that stays refused is tried twice and no more", async () => {
  await signIn();
  refused = { has: () => true };
  await assert.rejects(page.json("/api"), { status: 401 });
  assert.equal(asked("/api"), 2);
});

test("a server that is down and a network that is away sign no user out", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const answers = [{ status: 503, body: { title: "down" } }, new TypeError("away")];
  server["/auth/refresh"] = () => answers.shift() ?? token();
  const call = page.json("/api");
  await until(() => state().problem?.message === "down");
  assert.ok(state().renewing);
  assert.equal((await call).sent, `t${issued}`);
  assert.equal(asked("/auth/refresh"), 3);
  assert.deepEqual(changes, ["in", "in, renewing", "in"]);
  assert.equal(state().problem, null);
});

test("a tab that comes late after a step-up or a new sign-in is not signed out", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const answers = [{ status: 409, body: { code: "superseded" } }];
  server["/auth/refresh"] = () => answers.shift() ?? token();
  assert.equal((await page.json("/api")).sent, `t${issued}`);
  assert.equal(asked("/auth/refresh"), 2);
  assert.deepEqual(changes, ["in", "in, renewing", "in"]);
});

test("a newer cookie is tried at once, without a word to the user, and then when the server says", async () => {
  await signIn();
  const newer = { status: 409, body: { title: "newer" }, headers: { "Retry-After": "1" } };
  const answers = [newer];
  server["/auth/refresh"] = () => answers.shift() ?? token();
  let said = null;
  const listen = () => (said ??= state().problem);
  const unsubscribe = page.subscribe(listen);
  const waits = await timers(() => page.resume());
  // The next renewal, and no pause.
  assert.equal(waits.length, 1);
  assert.deepEqual([asked("/auth/refresh"), said], [2, null]);
  unsubscribe();

  answers.push(newer, newer);
  const began = Date.now();
  await page.resume();
  assert.ok(Date.now() - began >= 1000);
  assert.equal(asked("/auth/refresh"), 5);
});

test("a sign-out while the store is down forgets the token and says so", async () => {
  await signIn();
  server["/auth/logout"] = { status: 503, body: { title: "down" } };
  await assert.rejects(page.signOut(), { status: 503, message: "down" });
  assert.equal(changes.at(-1), "out");
});

test("signing out everywhere with a dead session is no success", async () => {
  await signIn();
  server["/auth/logout-all"] = { status: 401, body: {} };
  server["/auth/logout"] = { status: 204 };
  await assert.rejects(page.signOut({ everywhere: true }), { status: 401 });
  // The server says so to a late tab as well: its session ends at least.
  assert.deepEqual(calls, ["/auth/logout-all", "/auth/logout"]);
  assert.equal(state().status, "out");
});

test("a session that was ended elsewhere is found out by the list", async () => {
  await signIn();
  server["/auth/sessions"] = { status: 401, body: {} };
  server["/auth/refresh"] = { status: 401, body: {} };
  await assert.rejects(page.sessions(), SignedOut);
  assert.equal(changes.at(-1), "out");
});

test("a token that arrives after the sign-out is thrown away", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const call = page.json("/api");
  await wait(8); // The refresh is under way.
  otherTab("signed-out");
  await assert.rejects(call, SignedOut);
  assert.equal(changes.at(-1), "out");
});

test("a sign-in in another tab is picked up here", async () => {
  await signIn();
  const before = issued;
  otherTab("signed-in");
  await wait(30);
  assert.equal(issued, before + 1);
  assert.equal(changes.at(-1), "in");
});

test("a short-lived token is renewed at half its life, and odd ones at no shorter pace than half a minute", async () => {
  await signIn();
  chance = 0;
  for (const [life, seconds] of [
    [100, 50],
    [6, 30],
    [0, 240],
    [-5, 240],
    ["x", 240],
    [null, 240],
    [undefined, 270 - 30],
  ]) {
    server["/auth/login"] = () => {
      const answer = token();
      answer.body.expires_in = life;
      return answer;
    };
    const [wait] = await timers(() => page.signIn({ email: "a", password: "b" }));
    assert.ok(Math.abs(wait - seconds * 1000) < 1000, `${life}: ${wait}`);
  }
  chance = null;
});

test("what changes something carries a copy of the cookie, and nothing else does", async () => {
  await signIn();
  server["/auth/sessions"] = { status: 200, body: { sessions: [] } };
  server["/auth/sessions/7"] = { status: 204 };
  server["/auth/logout"] = { status: 204 };
  refused.add(`t${issued}`);
  await page.json("/api");
  await page.sessions();
  await page.revoke("7");
  await page.signOut();
  await page.signIn({ email: "a", password: "b" });
  assert.deepEqual(tokens, [
    "POST /auth/refresh c1",
    "DELETE /auth/sessions/7 c1",
    "POST /auth/logout c1",
    "POST /auth/login c1",
  ]);
  assert.equal(asked("/auth/csrf"), 0);
});

test("without a cookie the page asks for a token first", async () => {
  await signIn();
  // A sibling host can plant any name but the one with the prefix.
  for (const cookie of ["theme=dark; not-csrf=c1; csrf=", "csrf=planted", "__Host-csrf=c1; __Host-csrf=c2"]) {
    calls = [];
    tokens = [];
    document.cookie = cookie;
    await page.resume();
    assert.deepEqual(calls, ["/auth/csrf", "/auth/refresh"], cookie);
    assert.deepEqual(tokens, ["POST /auth/refresh c1"], cookie);
  }
  // Over plain http the cookie may have no prefix.
  calls = [];
  here.location = { protocol: "http:" };
  document.cookie = "csrf=c1";
  await page.resume();
  document.cookie = "csrf=planted; __Host-csrf=c1";
  await page.resume();
  assert.equal(asked("/auth/csrf"), 0);
  document.cookie = "csrf=c1; csrf=planted";
  await page.resume();
  assert.equal(asked("/auth/csrf"), 1);
  here.location = location;
});

test("a refused token is replaced once, and the request sent again", async () => {
  await signIn();
  csrf = "c2";
  await page.signIn({ email: "a", password: "b" });
  assert.deepEqual(calls, ["/auth/login", "/auth/csrf", "/auth/login"]);
  assert.deepEqual(tokens, ["POST /auth/login c1", "POST /auth/login c2"]);
});

test("a page that stays refused says so, and is not signed out", async () => {
  await signIn();
  server["/auth/csrf"] = { status: 200, body: { csrf_token: "of no use" } };
  csrf = "c2";
  const refusal = { name: "Failed", status: 403, message: /cookies/ };
  await assert.rejects(page.resume(), refusal);
  assert.deepEqual(calls, ["/auth/refresh", "/auth/csrf", "/auth/refresh"]);
  await assert.rejects(page.signIn({ email: "a", password: "b" }), { status: 403 });
  assert.ok(!changes.includes("out"));
  // No token to be had is not the same thing.
  server["/auth/csrf"] = { status: 503, body: { title: "down" } };
  await assert.rejects(page.revoke("7"), { status: 503, message: "down" });
  server["/auth/csrf"] = () => ({ status: 200, body: { csrf_token: csrf } });
});

test("a cookie that another tab's sign-in replaced is looked at anew", async () => {
  await signIn();
  let done;
  const signingIn = locks.request("", {}, () => new Promise((resolve) => (done = resolve)));
  const revoked = page.revoke("7");
  await wait(10);
  assert.deepEqual(tokens, [], "the other tab has the lock");
  csrf = "c2";
  document.cookie = "__Host-csrf=c2";
  done();
  await Promise.all([signingIn, revoked]);
  assert.deepEqual(tokens, ["DELETE /auth/sessions/7 c2"]);
});

// Runs `work` with the timers written down instead of set.
async function timers(work) {
  const { setTimeout: known } = here;
  const waits = [];
  here.setTimeout = (done, ms) => (ms > 100 && ms !== 15_000 && ms !== 5_000 ? waits.push(ms) : known(done, ms));
  try {
    await work();
  } finally {
    here.setTimeout = known;
  }
  return waits;
}

test("a token is renewed a minute before it ends, or by chance up to a quarter of one earlier", async () => {
  await signIn();
  for (const [luck, seconds] of [[0, 840], [1, 825]]) {
    chance = luck;
    const [wait] = await timers(() => page.signIn({ email: "a", password: "b" }));
    assert.ok(Math.abs(wait - seconds * 1000) < 1000, `${wait}`);
  }
  chance = null;
});

test("a call gets the answer itself, and its second refusal too", async () => {
  await signIn();
  const answer = await page.fetch("/api");
  assert.equal(answer.status, 200);
  refused = { has: () => true };
  assert.equal((await page.fetch("/api")).status, 401);
  assert.equal(asked("/api"), 3);
  assert.equal(state().status, "in");
});

test("a body that cannot be sent twice is sent once", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const body = new ReadableStream();
  assert.equal((await page.fetch("/api", { method: "POST", body, duplex: "half" })).status, 401);
  // And the next one goes out with a new token.
  assert.deepEqual(calls, ["/api", "/auth/refresh"]);
});

// The answer of a route that asks for a password that was typed recently.
const tooOld = {
  status: 401,
  body: { code: "insufficient_user_authentication", title: "again", max_age: 300 },
  headers: { "WWW-Authenticate": 'Bearer realm="api", error="insufficient_user_authentication", max_age="300"' },
};

test("a route that wants a recent authentication is not answered by a refresh", async () => {
  await signIn();
  server["/api/export"] = tooOld;
  const refusal = { status: 401, code: "insufficient_user_authentication" };
  await assert.rejects(page.json("/api/export"), refusal);
  assert.deepEqual(calls, ["/api/export"]);
  assert.deepEqual(changes, ["in"]);
});

/** A page's step-up. */
async function stepUp(password) {
  const bearer = await page.token();
  await page.begin((headers) => {
    headers.set("Authorization", `Bearer ${bearer}`);
    return here.fetch("https://app.example/auth/step-up", { method: "POST", headers, body: JSON.stringify({ password }) });
  });
}

test("a step-up brings the token that the route is asked with again", async () => {
  await signIn();
  const before = `t${issued}`;
  let sent;
  server["/auth/step-up"] = ({ headers, body }) => {
    sent = [headers.get("Authorization"), body];
    return token();
  };
  await stepUp("secret");
  assert.deepEqual(sent, [`Bearer ${before}`, '{"password":"secret"}']);
  assert.deepEqual(tokens, ["POST /auth/step-up c1"]);
  assert.equal((await page.json("/api")).sent, `t${issued}`);
  assert.notEqual(`t${issued}`, before);
  assert.equal(asked("/auth/refresh"), 0);
  assert.deepEqual(changes, ["in"]);
});

test("a wrong password at a step-up is told, and is sent once", async () => {
  await signIn();
  server["/auth/step-up"] = { status: 403, body: { code: "wrong_password", title: "wrong" } };
  await assert.rejects(stepUp("x"), { status: 403, code: "wrong_password", message: "wrong" });
  assert.deepEqual(calls, ["/auth/step-up"]);
  // One that the guard refuses is asked for anew.
  server["/auth/step-up"] = () => token();
  csrf = "c2";
  await stepUp("secret");
  assert.deepEqual(calls.slice(1), ["/auth/step-up", "/auth/csrf", "/auth/step-up"]);
});

test("a step-up behind another tab's refreshes first", async () => {
  await signIn();
  const answers = [{ status: 409, body: { code: "superseded" } }];
  server["/auth/step-up"] = () => answers.shift() ?? token();
  await stepUp("secret");
  assert.deepEqual(calls, ["/auth/step-up", "/auth/refresh", "/auth/step-up"]);
  assert.equal(state().status, "in");
});

test("a step-up that is answered after a sign-out changes nothing", async () => {
  await signIn();
  server["/auth/step-up"] = () => token();
  const step = stepUp("secret");
  await wait(2);
  otherTab("signed-out");
  await assert.rejects(step, SignedOut);
  assert.equal(state().status, "out");
});

test("ending others may want it too, and says so", async () => {
  await signIn();
  const refusal = { status: 403, code: "insufficient_user_authentication" };
  server["/auth/sessions/7"] = { ...tooOld, status: 403, headers: {} };
  server["/auth/logout-all"] = server["/auth/sessions/7"];
  await assert.rejects(page.revoke("7"), refusal);
  await assert.rejects(page.signOut({ everywhere: true }), refusal);
  assert.deepEqual(calls, ["/auth/sessions/7", "/auth/logout-all"]);
  assert.equal(state().status, "in");
});

test("the token goes to no other server", async () => {
  await signIn();
  for (const path of ["https://evil.example/api", "//evil.example/api", "http://app.example/api"]) {
    await assert.rejects(page.fetch(path), TypeError);
  }
  assert.deepEqual(calls, []);
});

test("an answer to a user who has signed out since is shown to no other", async () => {
  await signIn();
  const call = page.json("/api");
  await wait(1);
  otherTab("signed-in"); // Another user, perhaps.
  await assert.rejects(call, SignedOut);
  await until(() => state().status === "in");
});

test("the server says that the session is over: the others are to ask, and why is told", async () => {
  await signIn();
  server["/auth/refresh"] = { status: 401, body: { code: "invalid_session" } };
  await assert.rejects(page.resume(), { reason: "invalid_session" });
  assert.equal(state().reason, "invalid_session");
  assert.deepEqual(told.map(({ type }) => type), ["look"]);
  // A signed-out page has nothing to ask.
  calls = [];
  otherTab("look");
  await wait(20);
  assert.deepEqual(calls, []);
});

test("a tab that is told to look asks, and stays signed in if the session lives", async () => {
  await signIn();
  otherTab("look");
  await until(() => state().status === "in");
  assert.equal(asked("/auth/refresh"), 1);
});

test("a tab that finds the cookie gone had a session that was ended", async () => {
  await signIn();
  server["/auth/refresh"] = { status: 401, body: { code: "no_session" } };
  await assert.rejects(page.resume(), SignedOut);
  assert.equal(state().reason, "invalid_session");
});

test("who signs out is told so", async () => {
  await signIn();
  server["/auth/logout"] = { status: 204 };
  await page.signOut();
  assert.deepEqual(told.map(({ type }) => type), ["signed-out", "left"]);
  assert.ok(told.every((news) => !JSON.stringify(news).includes(`t${issued}`)), "no token is told");
  assert.equal(state().reason, "signed_out");
  assert.equal(state().expiresAt, null);
});

test("a page that the browser keeps is kept without a user, and asks when it comes back", async () => {
  await signIn();
  happen("pagehide", { persisted: false });
  assert.equal(state().status, "in");
  happen("pagehide", { persisted: true });
  assert.equal(state().status, "unknown");
  assert.deepEqual(calls, []);
  happen("pageshow", { persisted: true });
  await until(() => state().status === "in");
  assert.equal(asked("/auth/refresh"), 1);
  happen("pagehide", { persisted: true });
  server["/auth/refresh"] = { status: 401, body: { code: "no_session" } };
  happen("pageshow", { persisted: true });
  await until(() => state().status === "out");
});

test("a page that wakes up looks at the clock", async () => {
  await signIn();
  const wakes = [
    () => document.dispatchEvent(new Event("visibilitychange")),
    () => happen("online"),
  ];
  const { now } = Clock;
  for (const wake of wakes) {
    wake();
    await wait(20);
    assert.equal(asked("/auth/refresh"), 0, "there is time");
    Clock.now = () => now() + 850_000;
    wake();
    await until(() => asked("/auth/refresh") === 1);
    Clock.now = now;
    await signIn();
  }
  // And does not ask about a session that is over.
  server["/auth/logout"] = { status: 204 };
  await page.signOut();
  calls = [];
  happen("online");
  await wait(20);
  assert.deepEqual(calls, []);
});

test("a refresh is passive without input since the last one that was answered", async () => {
  await signIn();
  activity = [];
  const resumed = () => page.resume();
  await resumed();
  for (const kind of ["keydown", "pointerdown", "pointermove", "touchstart", "wheel"]) {
    happen(kind);
    await resumed();
    await resumed();
  }
  page.keepAlive();
  // Not answered, so the next one says it again.
  server["/auth/refresh"] = { status: 403, body: {} };
  csrf = "none";
  await assert.rejects(page.resume(), { status: 403 });
  await signIn();
  const passive = "passive";
  assert.deepEqual(activity.slice(0, 11), [passive, ...Array(5).fill([null, passive]).flat()]);
  assert.ok(activity.length > 11);
  assert.ok(activity.slice(11).every((said) => said === null));
  // A hidden page is no other: what counts is input.
  activity = [];
  document.hidden = true;
  await resumed();
  page.keepAlive();
  await resumed();
  document.hidden = false;
  // Coming back to a page is.
  happen("pageshow", { persisted: true });
  await resumed();
  assert.deepEqual(activity, [passive, null, null]);
});

// A session whose idle lifetime is half an hour, and a clock that stands still between two steps.
async function idleSession(work) {
  const { now } = Clock;
  const began = now();
  let minutes = 0;
  let end = 30;
  const answer = () => {
    if (activity.at(-1) === null) end = minutes + 30;
    const left = (end - minutes) * 60;
    const made = token(activity.at(-1) === null ? 900 : Math.min(900, left));
    made.body.idle_expires_in = left;
    return left < 1 ? { status: 401, body: { code: "invalid_session" } } : made;
  };
  Clock.now = () => began + minutes * 60_000;
  chance = 0;
  try {
    await signIn();
    server["/auth/refresh"] = answer;
    activity = [];
    page.keepAlive();
    let waits = await timers(() => page.resume());
    // In how many minutes the page refreshes by itself, and how it then does.
    const planned = () => Math.floor(waits.at(-1) / 60_000);
    const pass = async () => {
      minutes += waits.at(-1) / 60_000;
      waits = await timers(() => page.resume());
    };
    const at = async (minute, does) => {
      minutes = minute;
      const before = activity.length;
      const more = await timers(async () => {
        does();
        await wait(30);
        await until(() => !state().renewing);
      });
      if (more.length) waits = more;
      return activity.slice(before);
    };
    await work({ planned, pass, at });
  } finally {
    Clock.now = now;
    chance = null;
  }
}

test("input after the last refresh before the idle end is told at once, and keeps the session", async () => {
  await idleSession(async ({ planned, pass, at }) => {
    assert.equal(planned(), 14);
    await pass();
    assert.deepEqual([planned(), activity.at(-1)], [14, "passive"]);
    await pass();
    // At minute 28: the token ends with the session.
    assert.deepEqual([planned(), activity.at(-1)], [2, "passive"]);
    assert.deepEqual(await at(29, () => happen("keydown")), [null]);
    assert.equal(planned(), 14);
    // Told is told.
    assert.deepEqual(await at(29.1, () => happen("keydown")), []);
    await pass();
    assert.deepEqual([planned(), activity.at(-1)], [14, null]);
    assert.equal(state().status, "in");
  });
});

test("input while the last refresh is under way is told behind it", async () => {
  await idleSession(async ({ planned, pass, at }) => {
    await pass();
    const said = await at(28, () => {
      page.resume();
      page.keepAlive();
    });
    assert.deepEqual(said, ["passive", null]);
    assert.equal(planned(), 14);
  });
});

test("a page without input asks once more at the idle end, in no shorter steps", async () => {
  await idleSession(async ({ planned, pass }) => {
    await pass();
    await pass();
    assert.equal(planned(), 2);
    await assert.rejects(pass(), SignedOut);
    assert.deepEqual(activity, [null, "passive", "passive", "passive"]);
    assert.equal(state().status, "out");
  });
});

test("input that cannot be told is told again later, and not with each touch", async () => {
  await idleSession(async ({ pass, at }) => {
    await pass();
    await pass();
    const answers = server["/auth/refresh"];
    server["/auth/refresh"] = { status: 403, body: {} };
    csrf = "none";
    const touch = () => happen("pointermove");
    const tries = await at(28.5, touch);
    assert.ok(tries.length > 0 && tries.every((said) => said === null));
    assert.deepEqual(await at(28.6, touch), []);
    csrf = "c1";
    server["/auth/refresh"] = answers;
    // The network is back.
    assert.deepEqual(await at(28.7, () => happen("online")), [null]);
    assert.deepEqual(await at(28.8, touch), []);
  });
});

test("input near the absolute end is told once, and not with each touch", async () => {
  await signIn();
  server["/auth/refresh"] = () => {
    const answer = token(100);
    answer.body.session_expires_in = 100;
    answer.body.idle_expires_in = 99;
    return answer;
  };
  activity = [];
  await page.resume();
  for (let touch = 0; touch < 5; touch += 1) {
    page.keepAlive();
    await wait(30);
  }
  assert.deepEqual(activity, ["passive", null]);
});

test("a refresh that answers with another session is no refresh: the user is asked", async () => {
  await signIn();
  refused.add(`t${issued}`);
  id = "s2";
  await assert.rejects(page.json("/api"), { name: "SignedOut", reason: "other_session" });
  assert.deepEqual([state().status, state().reason], ["out", "other_session"]);
  assert.equal(state().expiresAt, null);
  assert.deepEqual(changes, ["in", "in, renewing", "out"]);
  assert.equal(asked("/api"), 1, "nothing goes out with the other session's token");
  // The other tabs look for themselves.
  assert.deepEqual(told.map(({ type }) => type), ["look"]);
  happen("online");
  await wait(20);
  assert.equal(asked("/auth/refresh"), 1);
  // A sign-in is the user's own word, here or in another tab.
  await signIn();
  id = "s3";
  otherTab("signed-in");
  await until(() => state().status === "in");
  assert.equal(asked("/auth/refresh"), 1);
  id = "s1";
});

test("the last token of a session is not renewed before its end", async () => {
  await signIn();
  server["/auth/refresh"] = () => {
    const answer = token(100);
    answer.body.session_expires_in = 100;
    return answer;
  };
  const waits = await timers(() => page.resume());
  assert.ok(waits.length === 1 && waits[0] > 100_000 && waits[0] <= 101_000, `${waits}`);
});

test("a page asks its own server at the base that it names, whatever that looks like", async () => {
  const asks = async (base, href = "https://app.example/page") => {
    const place = { ...here, addEventListener() {}, removeEventListener() {}, location: new URL(href) };
    let other;
    const first = await new Promise((done) => {
      const fetch = async (url) => (done(url), Response.json({}));
      other = create(place, { base, fetch });
      other.resume().catch(done);
    });
    other.dispose();
    return first;
  };
  document.cookie = "";
  for (const [base, url] of [
    ["/auth", "https://app.example/auth/csrf"],
    ["/auth/", "https://app.example/auth/csrf"],
    ["/app/auth", "https://app.example/app/auth/csrf"],
    ["https://app.example//evil.example/auth", "https://app.example//evil.example/auth/csrf"],
    ["/.//evil.example/auth", "https://app.example//evil.example/auth/csrf"],
    ["/%2fevil.example", "https://app.example/%2fevil.example/csrf"],
    ["/https://evil.example", "https://app.example/https://evil.example/csrf"],
    [undefined, "https://app.example/auth/csrf"],
  ]) {
    assert.equal(await asks(base), url);
    // A link may hold the name of another server.
    assert.equal(await asks(base, "https://app.example//evil.example/x?//evil.example/"), url);
  }
  for (const base of ["//evil.example/auth", "https://evil.example", "http://app.example/auth", "/\\evil.example", "javascript:x"]) {
    assert.ok((await asks(base)) instanceof TypeError, base);
  }
});

test("no two requests that change the cookie were under way at once", () => {
  assert.equal(mostHolders, 1);
});
