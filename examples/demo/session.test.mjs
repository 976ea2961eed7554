// The page's session module against a server made of functions: `node session.test.mjs`.
// The module runs as it is; only what a browser provides is put in its place.

import assert from "node:assert/strict";
import { test } from "node:test";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const until = async (check) => {
  while (!check()) await wait(1);
};

// One lock, taken in turn, and a count of who holds it.
let turn = Promise.resolve();
let holders = 0;
let mostHolders = 0;
const locks = {
  request(_name, work) {
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
Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
globalThis.document = Object.assign(new EventTarget(), { hidden: false, cookie: "" });
globalThis.location = new URL("https://app.example/page");
// Events of the window: "online", "pagehide", "pageshow".
const view = new EventTarget();
globalThis.addEventListener = view.addEventListener.bind(view);
const happen = (name, what = {}) => view.dispatchEvent(Object.assign(new Event(name), what));
let otherTab;
let told = []; // What the other tabs heard.
globalThis.BroadcastChannel = class {
  constructor() {
    otherTab = (data) => this.onmessage({ data });
  }
  postMessage(data) {
    told.push(data);
  }
};
// Chance, where a test wants to know what comes of it.
const { random } = Math;
let chance = null;
Math.random = () => chance ?? random();

// The server: for each path an answer, or a function that makes one. What changes something is
// refused without the CSRF token that the server holds good.
let calls = [];
let activity = []; // Each refresh said this in `X-Session-Activity`.
let tokens = []; // What came in `X-CSRF-Token`, with the path in front.
let csrf = "c1";
const server = { "/auth/csrf": () => ({ status: 200, body: { csrf_token: csrf } }) };
globalThis.fetch = async (address, options) => {
  const { origin, pathname: path } = new URL(address); // It is absolute, so no `<base>` matters.
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
// The API refuses the tokens in here.
let refused = new Set();
server["/api"] = ({ headers }) => {
  const sent = headers.get("Authorization").replace("Bearer ", "");
  return refused.has(sent) ? { status: 401, body: {} } : { status: 200, body: { sent } };
};
const asked = (path) => calls.filter((call) => call === path).length;

const page = await import("./static/session.js");
let changes = []; // Each state that is another than the one before.
page.session.addEventListener("change", () => {
  const { status } = page.session.state;
  if (changes.at(-1) !== status) changes.push(status);
});
const state = () => page.session.state;

async function signIn() {
  server["/auth/login"] = () => token();
  server["/auth/refresh"] = () => token();
  refused = new Set();
  csrf = "c1";
  document.cookie = "theme=dark; __Host-csrf=c1";
  await page.signIn("a", "b");
  calls = [];
  tokens = [];
  told = [];
  changes = ["signed-in"];
}

test("without a session the page is signed out", async () => {
  assert.equal(state().status, "checking");
  server["/auth/refresh"] = { status: 401, body: { code: "no_session" } };
  await assert.rejects(page.resume(), { name: "Error", reason: "no_session" });
  assert.deepEqual(changes, ["checking", "signed-out"]);
  assert.equal(state().reason, "no_session");
});

test("a wrong password is told", async () => {
  server["/auth/login"] = { status: 401, body: { title: "wrong" } };
  await assert.rejects(page.signIn("a", "b"), { status: 401, message: "wrong" });
});

test("two refused calls share one refresh, and each is tried once more", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const [one, two] = await Promise.all([page.api("/api"), page.api("/api")]);
  assert.deepEqual([one.sent, two.sent], [`t${issued}`, `t${issued}`]);
  assert.equal(asked("/auth/refresh"), 1);
  assert.equal(asked("/api"), 4);
  assert.deepEqual(changes, ["signed-in", "renewing", "signed-in"]);
});

test("a call that stays refused is tried twice and no more", async () => {
  await signIn();
  refused = { has: () => true };
  await assert.rejects(page.api("/api"), { status: 401 });
  assert.equal(asked("/api"), 2);
});

test("a server that is down and a network that is away sign nobody out", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const answers = [{ status: 503, body: { title: "down" } }, new TypeError("away")];
  server["/auth/refresh"] = () => answers.shift() ?? token();
  const call = page.api("/api");
  await until(() => state().problem?.message === "down");
  assert.equal(state().status, "renewing");
  assert.equal((await call).sent, `t${issued}`);
  assert.equal(asked("/auth/refresh"), 3);
  assert.deepEqual(changes, ["signed-in", "renewing", "signed-in"]);
  assert.equal(state().problem, null);
});

test("a tab that comes late after a step-up or a new sign-in is not signed out", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const answers = [{ status: 409, body: { code: "superseded" } }];
  server["/auth/refresh"] = () => answers.shift() ?? token();
  assert.equal((await page.api("/api")).sent, `t${issued}`);
  assert.equal(asked("/auth/refresh"), 2);
  assert.deepEqual(changes, ["signed-in", "renewing", "signed-in"]);
});

test("a newer cookie is tried at once, without a word to the user, and then when the server says", async () => {
  await signIn();
  const newer = { status: 409, body: { title: "newer" }, headers: { "Retry-After": "1" } };
  const answers = [newer];
  server["/auth/refresh"] = () => answers.shift() ?? token();
  let said = null;
  const listen = () => (said ??= state().problem);
  page.session.addEventListener("change", listen);
  const waits = await timers(() => page.resume());
  // The next renewal, and no pause.
  assert.equal(waits.length, 1);
  assert.deepEqual([asked("/auth/refresh"), said], [2, null]);
  page.session.removeEventListener("change", listen);

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
  assert.equal(changes.at(-1), "signed-out");
});

test("signing out everywhere with a dead session is no success", async () => {
  await signIn();
  server["/auth/logout-all"] = { status: 401, body: {} };
  await assert.rejects(page.signOut({ everywhere: true }), { status: 401 });
});

test("a session that was ended elsewhere is found out by the list", async () => {
  await signIn();
  server["/auth/sessions"] = { status: 401, body: {} };
  server["/auth/refresh"] = { status: 401, body: {} };
  await assert.rejects(page.sessions(), page.SignedOut);
  assert.equal(changes.at(-1), "signed-out");
});

test("a token that arrives after the sign-out is thrown away", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const call = page.api("/api");
  await wait(8); // The refresh is under way.
  otherTab("signed-out");
  await assert.rejects(call, page.SignedOut);
  assert.equal(changes.at(-1), "signed-out");
});

test("a sign-in in another tab is picked up here", async () => {
  await signIn();
  const before = issued;
  otherTab("signed-in");
  await wait(30);
  assert.equal(issued, before + 1);
  assert.equal(changes.at(-1), "signed-in");
});

test("a short-lived token is renewed at half its life", async () => {
  await signIn();
  server["/auth/login"] = () => token(2);
  chance = 0;
  await page.signIn("a", "b");
  chance = null;
  calls = [];
  await wait(600);
  assert.equal(asked("/auth/refresh"), 0);
  await wait(900);
  assert.equal(asked("/auth/refresh"), 1);
});

test("what changes something carries a copy of the cookie, and nothing else does", async () => {
  await signIn();
  server["/auth/sessions"] = { status: 200, body: { sessions: [] } };
  server["/auth/sessions/7"] = { status: 204 };
  server["/auth/logout"] = { status: 204 };
  refused.add(`t${issued}`);
  await page.api("/api");
  await page.sessions();
  await page.revoke("7");
  await page.signOut();
  await page.signIn("a", "b");
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
  document.cookie = "theme=dark; not-csrf=c1; csrf=";
  await page.resume();
  assert.deepEqual(calls, ["/auth/csrf", "/auth/refresh"]);
  assert.deepEqual(tokens, ["POST /auth/refresh c1"]);
  // Over plain http the cookie has no prefix.
  document.cookie = "csrf=c1";
  await page.resume();
  assert.equal(asked("/auth/csrf"), 1);
});

test("a refused token is replaced once, and the request sent again", async () => {
  await signIn();
  csrf = "c2";
  await page.signIn("a", "b");
  assert.deepEqual(calls, ["/auth/login", "/auth/csrf", "/auth/login"]);
  assert.deepEqual(tokens, ["POST /auth/login c1", "POST /auth/login c2"]);
});

test("a page that stays refused says so, and is not signed out", async () => {
  await signIn();
  server["/auth/csrf"] = { status: 200, body: { csrf_token: "of no use" } };
  csrf = "c2";
  const refusal = { name: "Error", status: 403, message: /cookies/ };
  await assert.rejects(page.resume(), refusal);
  assert.deepEqual(calls, ["/auth/refresh", "/auth/csrf", "/auth/refresh"]);
  await assert.rejects(page.signOut(), refusal);
  await assert.rejects(page.signIn("a", "b"), { status: 403 });
  assert.ok(!changes.includes("signed-out"));
  // No token to be had is not the same thing.
  server["/auth/csrf"] = { status: 503, body: { title: "down" } };
  await assert.rejects(page.revoke("7"), { status: 503, message: "down" });
  server["/auth/csrf"] = () => ({ status: 200, body: { csrf_token: csrf } });
});

test("a cookie that another tab's sign-in replaced is looked at anew", async () => {
  await signIn();
  let done;
  const signingIn = locks.request("", () => new Promise((resolve) => (done = resolve)));
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
  const { setTimeout: known } = globalThis;
  const waits = [];
  globalThis.setTimeout = (done, ms) => (ms > 100 ? waits.push(ms) : known(done, ms));
  try {
    await work();
  } finally {
    globalThis.setTimeout = known;
  }
  return waits;
}

test("a token is renewed a minute before it ends, or by chance up to a quarter of one earlier", async () => {
  await signIn();
  for (const [luck, seconds] of [[0, 840], [1, 825]]) {
    chance = luck;
    const [wait] = await timers(() => page.signIn("a", "b"));
    assert.ok(Math.abs(wait - seconds * 1000) < 1000, `${wait}`);
  }
  chance = null;
});

test("a call gets the answer itself, and its second refusal too", async () => {
  await signIn();
  const answer = await page.apiFetch("/api");
  assert.equal(answer.status, 200);
  refused = { has: () => true };
  assert.equal((await page.apiFetch("/api")).status, 401);
  assert.equal(asked("/api"), 3);
  assert.equal(state().status, "signed-in");
});

test("a body that cannot be sent twice is sent once", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const body = new ReadableStream();
  assert.equal((await page.apiFetch("/api", { method: "POST", body })).status, 401);
  assert.deepEqual(calls, ["/api"]);
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
  await assert.rejects(page.api("/api/export"), refusal);
  assert.deepEqual(calls, ["/api/export"]);
  assert.deepEqual(changes, ["signed-in"]);
});

test("a step-up brings the token that the route is asked with again", async () => {
  await signIn();
  const before = `t${issued}`;
  let sent;
  server["/auth/step-up"] = ({ headers, body }) => {
    sent = [headers.get("Authorization"), body];
    return token();
  };
  await page.stepUp("secret");
  assert.deepEqual(sent, [`Bearer ${before}`, '{"password":"secret"}']);
  assert.deepEqual(tokens, ["POST /auth/step-up c1"]);
  assert.equal((await page.api("/api")).sent, `t${issued}`);
  assert.notEqual(`t${issued}`, before);
  assert.equal(asked("/auth/refresh"), 0);
  assert.deepEqual(changes, ["signed-in"]);
});

test("a wrong password at a step-up is told, and is sent once", async () => {
  await signIn();
  server["/auth/step-up"] = { status: 403, body: { code: "wrong_password", title: "wrong" } };
  await assert.rejects(page.stepUp("x"), { status: 403, code: "wrong_password", message: "wrong" });
  assert.deepEqual(calls, ["/auth/step-up"]);
  // One that the guard refuses is asked for anew.
  server["/auth/step-up"] = () => token();
  csrf = "c2";
  await page.stepUp("secret");
  assert.deepEqual(calls.slice(1), ["/auth/step-up", "/auth/csrf", "/auth/step-up"]);
});

test("a step-up behind another tab's refreshes first, and one with a dead token likewise", async () => {
  await signIn();
  const answers = [{ status: 409, body: { code: "superseded" } }];
  server["/auth/step-up"] = () => answers.shift() ?? token();
  await page.stepUp("secret");
  assert.deepEqual(calls, ["/auth/step-up", "/auth/refresh", "/auth/step-up"]);
  calls = [];
  answers.push({ status: 401, body: { code: "invalid_token" } });
  await page.stepUp("secret");
  assert.deepEqual(calls, ["/auth/step-up", "/auth/refresh", "/auth/step-up"]);
  assert.equal(state().status, "signed-in");
});

test("a step-up that is answered after a sign-out changes nothing", async () => {
  await signIn();
  server["/auth/step-up"] = () => token();
  const step = page.stepUp("secret");
  await wait(2);
  otherTab("signed-out");
  await assert.rejects(step, page.SignedOut);
  assert.equal(state().status, "signed-out");
});

test("ending others may want it too, and says so", async () => {
  await signIn();
  const refusal = { status: 403, code: "insufficient_user_authentication" };
  server["/auth/sessions/7"] = { ...tooOld, status: 403, headers: {} };
  server["/auth/logout-all"] = server["/auth/sessions/7"];
  await assert.rejects(page.revoke("7"), refusal);
  await assert.rejects(page.signOut({ everywhere: true }), refusal);
  assert.deepEqual(calls, ["/auth/sessions/7", "/auth/logout-all"]);
  assert.equal(state().status, "signed-in");
});

test("the token goes to no other server", async () => {
  await signIn();
  for (const path of ["https://evil.example/api", "//evil.example/api", "http://app.example/api"]) {
    await assert.rejects(page.apiFetch(path), TypeError);
  }
  assert.deepEqual(calls, []);
});

test("an answer to somebody who has signed out since is shown to nobody", async () => {
  await signIn();
  const call = page.api("/api");
  await wait(1);
  otherTab("signed-in"); // Somebody else, perhaps.
  await assert.rejects(call, page.SignedOut);
  await until(() => state().status === "signed-in");
});

test("the server says that the session is over: the others are to ask, and why is told", async () => {
  await signIn();
  server["/auth/refresh"] = { status: 401, body: { code: "invalid_session" } };
  await assert.rejects(page.resume(), { reason: "invalid_session" });
  assert.equal(state().reason, "invalid_session");
  assert.deepEqual(told, ["look"]);
  // Who is signed out has nothing to ask.
  calls = [];
  otherTab("look");
  await wait(20);
  assert.deepEqual(calls, []);
});

test("a tab that is told to look asks, and stays signed in if the session lives", async () => {
  await signIn();
  otherTab("look");
  await until(() => state().status === "signed-in");
  assert.equal(asked("/auth/refresh"), 1);
});

test("a tab that finds the cookie gone had a session that was ended", async () => {
  await signIn();
  server["/auth/refresh"] = { status: 401, body: { code: "no_session" } };
  await assert.rejects(page.resume(), page.SignedOut);
  assert.equal(state().reason, "invalid_session");
});

test("who signs out is told so", async () => {
  await signIn();
  server["/auth/logout"] = { status: 204 };
  await page.signOut();
  assert.deepEqual(told, ["signed-out"]);
  assert.equal(state().reason, "signed_out");
  assert.equal(state().expiresAt, null);
});

test("a page that the browser keeps is kept without a user, and asks when it comes back", async () => {
  await signIn();
  happen("pagehide", { persisted: false });
  assert.equal(state().status, "signed-in");
  happen("pagehide", { persisted: true });
  assert.equal(state().status, "checking");
  assert.deepEqual(calls, []);
  happen("pageshow", { persisted: true });
  await until(() => state().status === "signed-in");
  assert.equal(asked("/auth/refresh"), 1);
  happen("pagehide", { persisted: true });
  server["/auth/refresh"] = { status: 401, body: { code: "no_session" } };
  happen("pageshow", { persisted: true });
  await until(() => state().status === "signed-out");
});

test("a page that wakes up looks at the clock", async () => {
  await signIn();
  const wakes = [
    () => document.dispatchEvent(new Event("visibilitychange")),
    () => happen("online"),
  ];
  const { now } = Date;
  for (const wake of wakes) {
    wake();
    await wait(20);
    assert.equal(asked("/auth/refresh"), 0, "there is time");
    Date.now = () => now() + 850_000;
    wake();
    await until(() => asked("/auth/refresh") === 1);
    Date.now = now;
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
  const { now } = Date;
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
  Date.now = () => began + minutes * 60_000;
  chance = 0;
  try {
    await signIn();
    server["/auth/refresh"] = answer;
    activity = [];
    page.keepAlive();
    let waits = await timers(() => page.resume());
    // In how many minutes the page refreshes by itself, and how it then does.
    const planned = () => waits.at(-1) / 60_000;
    const pass = async () => {
      minutes += planned();
      waits = await timers(() => page.resume());
    };
    const at = async (minute, does) => {
      minutes = minute;
      const before = activity.length;
      const more = await timers(async () => {
        does();
        await wait(30);
        await until(() => state().status !== "renewing");
      });
      if (more.length) waits = more;
      return activity.slice(before);
    };
    await work({ planned, pass, at });
  } finally {
    Date.now = now;
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
    assert.equal(state().status, "signed-in");
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
    await assert.rejects(pass(), page.SignedOut);
    assert.deepEqual(activity, [null, "passive", "passive", "passive"]);
    assert.equal(state().status, "signed-out");
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
  await assert.rejects(page.api("/api"), { name: "Error", reason: "other_session" });
  assert.deepEqual([state().status, state().reason], ["signed-out", "other_session"]);
  assert.equal(state().expiresAt, null);
  assert.deepEqual(changes, ["signed-in", "renewing", "signed-out"]);
  assert.equal(asked("/api"), 1, "nothing goes out with the other session's token");
  // The other tabs look for themselves.
  assert.deepEqual(told, ["look"]);
  happen("online");
  await wait(20);
  assert.equal(asked("/auth/refresh"), 1);
  // A sign-in is the user's own word, here or in another tab.
  await signIn();
  id = "s3";
  otherTab("signed-in");
  await until(() => state().status === "signed-in");
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
  assert.ok(waits.length === 1 && waits[0] > 99_000 && waits[0] <= 100_000, `${waits}`);
});

test("a page asks its own server below its own path, whatever that is", async () => {
  const { location } = globalThis;
  for (const [index, [path, below]] of [
    ["/", "/"],
    ["/page?next=//evil.example/#//evil.example/", "/"],
    ["/app/", "/app/"],
    // Another server's name in a link, which a proxy may have answered with the page.
    ["//evil.example/x/", "//evil.example/x/"],
    ["//evil.example/..%2fapp/", "//evil.example/..%2fapp/"],
    ["//evil.example", "//"],
    ["/\\evil.example/", "//evil.example/"],
    ["/%2fevil.example/", "/%2fevil.example/"],
    ["/%5cevil.example/", "/%5cevil.example/"],
    ["///evil.example/", "///evil.example/"],
    ["//", "//"],
    ["///", "///"],
    ["/.//evil.example/", "//evil.example/"],
    ["/app/..//evil.example/", "//evil.example/"],
    ["//user@evil.example:8443/", "//user@evil.example:8443/"],
    ["/https://evil.example/", "/https://evil.example/"],
    ["/javascript:x/", "/javascript:x/"],
  ].entries()) {
    globalThis.location = new URL(`https://app.example${path}`);
    // Another address is another module.
    const { API, BASE } = await import(`./static/request.js?${index}`);
    for (const [url, name] of [
      [API, "api"],
      [BASE, "auth"],
    ]) {
      assert.equal(url, `https://app.example${below}${name}`);
      // A path is all that comes behind it.
      const asked = new URL(`${url}/x`, "https://base.example/");
      assert.deepEqual([asked.origin, asked.username], ["https://app.example", ""], path);
      assert.equal(asked.href, `${url}/x`);
    }
  }
  globalThis.location = location;
});

test("no two requests that change the cookie were under way at once", () => {
  assert.equal(mostHolders, 1);
  setImmediate(() => process.exit()); // The module's timer for the next refresh is still set.
});
