// The page's session module against a server made of functions: `node session.test.mjs`.
// The module runs as it is; only what a browser provides is put in its place.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

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
let otherTab;
globalThis.BroadcastChannel = class {
  constructor() {
    otherTab = (data) => this.onmessage({ data });
  }
  postMessage() {}
};

// The server: for each path an answer, or a function that makes one. What changes something is
// refused without the CSRF token that the server holds good.
let calls = [];
let tokens = []; // What came in `X-CSRF-Token`, with the path in front.
let csrf = "c1";
const server = { "/auth/csrf": () => ({ status: 200, body: { csrf_token: csrf } }) };
globalThis.fetch = async (path, options) => {
  calls.push(path);
  const guarded = path.startsWith("/auth") && options.method !== undefined;
  const copy = new Headers(options.headers).get("X-CSRF-Token");
  if (copy !== null) tokens.push(`${options.method} ${path} ${copy}`);
  await wait(5);
  if (guarded && copy !== csrf) return new Response(null, { status: 403 });
  const made = server[path];
  const answer = typeof made === "function" ? made(options) : made;
  if (answer instanceof Error) throw answer;
  const body = answer.body === undefined ? null : JSON.stringify(answer.body);
  return new Response(body, { status: answer.status });
};
let issued = 0;
const token = (life = 900) => ({
  status: 200,
  body: { access_token: `t${(issued += 1)}`, token_type: "Bearer", expires_in: life },
});
// The API refuses the tokens in here.
let refused = new Set();
server["/api"] = ({ headers }) => {
  const sent = headers.get("Authorization").replace("Bearer ", "");
  return refused.has(sent) ? { status: 401, body: {} } : { status: 200, body: { sent } };
};
const asked = (path) => calls.filter((call) => call === path).length;

const file = new URL("static/session.js", import.meta.url);
const source = encodeURIComponent(readFileSync(file, "utf8"));
const page = await import(`data:text/javascript,${source}`);
const changes = [];
page.session.addEventListener("change", ({ detail }) => changes.push(detail));

async function signIn() {
  server["/auth/login"] = () => token();
  server["/auth/refresh"] = () => token();
  refused = new Set();
  csrf = "c1";
  document.cookie = "theme=dark; __Host-csrf=c1";
  await page.signIn("a", "b");
  calls = [];
  tokens = [];
}

test("without a session the page is signed out", async () => {
  server["/auth/refresh"] = { status: 401, body: {} };
  await assert.rejects(page.resume(), page.SignedOut);
  assert.deepEqual(changes, ["signed-out"]);
});

test("a wrong password is told", async () => {
  server["/auth/login"] = { status: 401, body: { title: "wrong" } };
  await assert.rejects(page.signIn("a", "b"), { status: 401, message: "wrong" });
});

test("two refused calls share one refresh, and each is tried once more", async () => {
  await signIn();
  assert.equal(changes.at(-1), "signed-in");
  refused.add(`t${issued}`);
  const [one, two] = await Promise.all([page.api("/api"), page.api("/api")]);
  assert.deepEqual([one.sent, two.sent], [`t${issued}`, `t${issued}`]);
  assert.equal(asked("/auth/refresh"), 1);
  assert.equal(asked("/api"), 4);
  assert.equal(changes.at(-1), "renewed");
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
  const before = changes.length;
  assert.equal((await page.api("/api")).sent, `t${issued}`);
  assert.equal(asked("/auth/refresh"), 3);
  assert.deepEqual(changes.slice(before), ["renewed"]);
});

test("a tab that comes late after a step-up or a new sign-in is not signed out", async () => {
  await signIn();
  refused.add(`t${issued}`);
  const answers = [{ status: 409, body: { code: "superseded" } }];
  server["/auth/refresh"] = () => answers.shift() ?? token();
  const before = changes.length;
  assert.equal((await page.api("/api")).sent, `t${issued}`);
  assert.equal(asked("/auth/refresh"), 2);
  assert.deepEqual(changes.slice(before), ["renewed"]);
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
  server["/auth/login"] = () => token(1);
  await page.signIn("a", "b");
  calls = [];
  await wait(400);
  assert.equal(asked("/auth/refresh"), 0);
  await wait(300);
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
  const before = changes.length;
  server["/auth/csrf"] = { status: 200, body: { csrf_token: "of no use" } };
  csrf = "c2";
  const refusal = { name: "Error", status: 403, message: /cookies/ };
  await assert.rejects(page.resume(), refusal);
  assert.deepEqual(calls, ["/auth/refresh", "/auth/csrf", "/auth/refresh"]);
  await assert.rejects(page.signOut(), refusal);
  await assert.rejects(page.signIn("a", "b"), { status: 403 });
  assert.equal(changes.length, before);
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

test("no two requests that change the cookie were under way at once", () => {
  assert.equal(mostHolders, 1);
  setImmediate(() => process.exit()); // The module's timer for the next refresh is still set.
});
