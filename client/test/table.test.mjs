// Each fault of the table in the contract, as a test. It passes with the package, and fails with the session module of
// commit 9f553fc, as `npm run test:before` shows. Rows that are about the server are in `elsewhere.test.mjs`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { HOUR, MINUTE, SECOND, World } from "./world.mjs";
import { Server } from "./world/server.mjs";
import { error, forgetTokens, resumed, signedIn, signIn, userOf, value } from "./world/steps.mjs";

const refreshes = (server) => server.count("/auth/refresh");
const stream = (text) =>
  new ReadableStream({
    start(control) {
      control.enqueue(new TextEncoder().encode(text));
      control.close();
    },
  });

test("row 1: a Request to another origin gets no token", async () => {
  const { world, server, browser, session } = await signedIn();
  const elsewhere = ["https://evil.example/steal", "//evil.example/", "http://app.example/api"];
  for (const address of elsewhere) {
    const absolute = new URL(address, "https://app.example/").href;
    for (const input of [address, new URL(absolute), new Request(absolute, { method: "POST" })]) {
      const sent = browser.net.sent.length;
      assert.ok((await error(world, session.fetch(input))) instanceof TypeError);
      assert.equal(browser.net.sent.length, sent, "nothing is sent");
    }
  }
  assert.deepEqual(server.stranger, []);
});

test("row 1: a Request keeps its method, headers, body and signal, also when it is sent twice", async () => {
  const { world, server, session } = await signedIn();
  const control = new AbortController();
  const make = () =>
    new Request("https://app.example/api/x", {
      method: "PUT",
      headers: { "X-Mine": "1", "Content-Type": "text/plain" },
      body: "hello",
      signal: control.signal,
    });
  forgetTokens(server);
  const answer = await value(world, session.fetch(make()));
  assert.deepEqual([answer.status, (await value(world, answer.json())).body], [200, "hello"]);
  const arrived = server.requests.filter(({ path }) => path === "/api/x");
  assert.deepEqual(
    arrived.map(({ method, body, headers, status }) => [method, body, headers.get("X-Mine"), status]),
    [["PUT", "hello", "1", 401], ["PUT", "hello", "1", 200]],
  );
  const call = session.fetch(make());
  control.abort();
  assert.equal((await error(world, call)).name, "AbortError");
});

test("row 2: a suspended tab that holds the lock stops no other tab", async () => {
  const { world, browser, page } = await signedIn();
  const other = await resumed(world, browser);
  page.session.resume().catch(() => {});
  await world.until(() => browser.locks.isHeldBy(page), 10 * SECOND);
  page.freeze();
  const began = world.clock.now;
  await value(world, other.session.resume(), MINUTE);
  assert.ok(world.clock.now - began < 8 * SECOND, `${world.clock.now - began}`);
  assert.equal(other.session.state.status, "in");
  const late = world.page(browser);
  await value(world, late.session.resume(), MINUTE);
  await value(world, late.session.signOut(), MINUTE);
  page.thaw();
  await world.pass(MINUTE);
  assert.deepEqual([page, other, late].map(({ session }) => session.state.status), ["out", "out", "out"]);
});

test("row 2: locks and channels that are refused are done without", async () => {
  for (const lacks of [{ locks: "refused" }, { channel: "refused" }, { locks: "none", channel: "none" }]) {
    const { world, session, browser } = await signedIn({ lacks });
    await value(world, session.resume(), MINUTE);
    const other = await resumed(world, browser, { lacks });
    assert.equal(other.session.state.status, "in");
    await value(world, other.session.signOut(), MINUTE);
    assert.equal(other.session.state.status, "out");
  }
});

test("row 4: a <base> element takes no password along", async () => {
  const world = new World();
  const page = world.page(world.browser(), { address: "https://app.example/deep/page" });
  page.base = "https://evil.example/";
  await signIn(world, page);
  await value(world, page.session.fetch("/api/profile"));
  assert.deepEqual(world.server.stranger, []);
  assert.ok(page.browser.net.sent.every(({ url }) => url.origin === "https://app.example"));
});

test("row 5: a stream goes out with a token that lasts", async () => {
  const { world, server, browser, session } = await signedIn();
  // The timers have slept: the token has ten seconds left by the page's clock.
  browser.skew += 890 * SECOND;
  const upload = () => session.fetch("/api/files", { method: "POST", body: stream("file"), duplex: "half" });
  assert.equal((await value(world, upload())).status, 200);
  const paths = server.requests.map(({ path }) => path);
  assert.ok(paths.indexOf("/auth/refresh") >= 0 && paths.indexOf("/auth/refresh") < paths.indexOf("/api/files"), paths);
});

test("row 5: a stream that is refused brings the caller the 401, and the next one a new token", async () => {
  const { world, server, session } = await signedIn();
  const upload = () => session.fetch("/api/files", { method: "POST", body: stream("file"), duplex: "half" });
  forgetTokens(server);
  assert.equal((await value(world, upload())).status, 401);
  assert.equal((await value(world, upload())).status, 200);
  assert.equal(server.count("/api/files"), 2);
});

test("row 6: the CSRF cookie is the one with the exact name", async () => {
  const world = new World();
  const browser = world.browser();
  for (const name of ["csrf", "not-__Host-csrf", "x__Host-csrf"]) browser.jar.plant({ name, value: `planted-${name}` });
  const page = world.page(browser);
  await signIn(world, page);
  await value(world, page.session.resume());
  await value(world, page.session.signOut());
  const copies = world.server.requests.map(({ csrf }) => csrf).filter((copy) => copy !== null);
  assert.ok(copies.length >= 3);
  assert.ok(copies.every((copy) => /^v1[as]\./.test(copy)), copies);
  // One that is refused costs a request more each time.
  assert.ok(world.server.requests.every(({ status }) => status !== 403));
  assert.equal(world.server.count("/auth/csrf"), 1, "the token is asked for once, and then read");
});

test("row 7: a 401 with any body is the end of the session", async () => {
  for (const body of ["null", "", "<html>", "[]", '"no"', "7"]) {
    const { world, server, session } = await signedIn();
    server.instead = ({ url }) =>
      url.pathname === "/auth/refresh" ? { status: 401, headers: { "Content-Type": "application/json" }, body } : undefined;
    const { message, reason } = await error(world, session.resume(), 5 * SECOND);
    assert.deepEqual([message, reason], ["signed out", "invalid_session"], body);
    assert.deepEqual([session.state.status, session.state.reason], ["out", "invalid_session"], body);
  }
});

test("row 7: a service worker that caches the CSRF token locks no page out, and a null body is tolerated", async () => {
  const world = new World();
  const browser = world.browser();
  browser.net.worker = ({ url, cache }) =>
    url.pathname === "/auth/csrf" && cache !== "no-store"
      ? new Response('{"csrf_token":"v1a.old.mac"}', { headers: { "Content-Type": "application/json" } })
      : null;
  const page = world.page(browser);
  await signIn(world, page);
  world.server.instead = ({ url, method }) =>
    url.pathname === "/auth/sessions" && method === "GET" ? { status: 500, body: "null" } : undefined;
  assert.equal((await error(world, page.session.sessions(), MINUTE)).status, 500);
});

test("row 8: after a return as another user, nothing goes out with the other one's token", async () => {
  const { world, server, browser, page, session } = await signedIn();
  server.signIn(browser.jar, "bob");
  // The old page's token is refused, and the refresh brings the other user's.
  for (const [token, { user }] of server.sessions.tokens) if (user === "alice") server.sessions.tokens.delete(token);
  const call = session.fetch("/api/profile", { method: "POST", body: "alice's" });
  assert.match((await error(world, call, MINUTE)).message, /signed out/);
  const withBobs = server.requests.filter((request) => userOf(server, request) === "bob");
  assert.deepEqual(withBobs, []);
  // The cookie may be planted: the user is asked, and then it is another session.
  assert.deepEqual([session.state.status, session.state.reason], ["out", "other_session"]);
  await value(world, session.resume(), MINUTE);
  assert.equal(session.state.session, server.sessionOf(browser.jar).id);
  assert.deepEqual(page.events.slice(0, 2).map(({ type }) => type), ["signed-in", "signed-out"]);
  assert.equal(page.events.at(-1).session, session.state.session);
  // A call that begins now is the new user's.
  assert.equal((await value(world, session.json("/api/profile"))).user, "bob");
});

test("row 8: a token that ended by the clock is not replaced by another user's either", async () => {
  const { world, server, browser, session } = await signedIn();
  server.signIn(browser.jar, "bob");
  browser.skew += HOUR;
  const call = session.fetch("/api/profile", { method: "POST", body: "alice's" });
  assert.match((await error(world, call, MINUTE)).message, /signed out/);
  assert.deepEqual(server.requests.filter((request) => userOf(server, request) === "bob"), []);
});

test("row 8: an answer or a body that comes after the change of the user is not shown", async () => {
  const { world, server, browser, page, session } = await signedIn();
  const other = await resumed(world, browser);
  const slow = { "/api/profile": { body: 5 * SECOND }, "/api/log": { slow: 5 * SECOND } };
  browser.net.weather = ({ url }) => slow[url.pathname];
  const call = session.json("/api/profile");
  // Nothing cuts this one off: it may outlive the page.
  const kept = session.fetch("/api/log", { method: "POST", body: "x", keepalive: true });
  kept.catch(() => {});
  await world.pass(SECOND);
  const began = world.clock.now;
  await signIn(world, other, "bob");
  assert.match((await error(world, call, MINUTE)).message, /signed out/);
  assert.match((await error(world, kept, MINUTE)).message, /signed out/);
  assert.ok(world.clock.now - began < 2 * SECOND, "it is not waited for");
  await world.pass(MINUTE);
  assert.deepEqual([session.state.status, session.state.session], ["in", server.sessionOf(browser.jar).id]);
  assert.equal(page.events.at(-1).type, "user-changed");
});

test("row 9: resume() in one tab tells the others", async () => {
  const world = new World();
  const browser = world.browser();
  const old = world.page(browser);
  await error(world, old.session.resume(), MINUTE);
  assert.equal(old.session.state.status, "out");
  // A return from the provider brings the cookies and a new page.
  world.server.signIn(browser.jar, "alice");
  await resumed(world, browser);
  assert.ok(await world.until(() => old.session.state.status === "in", 10 * SECOND), old.session.state.status);
});

test("row 10: the limit is for the refresh, not for an upload", async () => {
  const { world, browser, session } = await signedIn();
  browser.net.weather = ({ url }) => (url.pathname === "/api/files" ? { slow: 5 * MINUTE } : undefined);
  const answer = await value(world, session.fetch("/api/files", { method: "POST", body: "large" }), 10 * MINUTE);
  assert.equal(answer.status, 200);
  // A refresh is given up, and made again.
  let isFirst = true;
  browser.net.weather = ({ url }) => {
    if (url.pathname !== "/auth/refresh" || !isFirst) return undefined;
    isFirst = false;
    return { slow: 5 * MINUTE };
  };
  const began = world.clock.now;
  await value(world, session.resume(), 10 * MINUTE);
  assert.ok(world.clock.now - began < 20 * SECOND);
});

test("row 11: a refresh under way is a flag beside the status", async () => {
  const { world, page, session } = await signedIn();
  page.states.length = 0;
  await world.pass(15 * MINUTE);
  await value(world, session.resume());
  assert.ok(page.states.some(({ renewing }) => renewing));
  assert.deepEqual([...new Set(page.states.map(({ status }) => status))], ["in"]);
  assert.equal(session.state.renewing, false);
});

test("row 12: no usable expires_in causes no storm of refreshes", async () => {
  for (const odd of [undefined, null, 0, -5, 0.001, "soon", "900x", {}, true, 1e300, "Infinity"]) {
    const world = new World();
    const { token } = world.server.sessions;
    world.server.sessions.token = function (session) {
      return { ...token.call(this, session), expires_in: odd };
    };
    const page = world.page(world.browser());
    await signIn(world, page);
    await world.pass(5 * MINUTE);
    assert.ok(refreshes(world.server) <= 10, `${JSON.stringify(odd)}: ${refreshes(world.server)} refreshes`);
    assert.equal(page.session.state.status, "in", JSON.stringify(odd));
    assert.ok(page.session.state.expiresAt > 0, JSON.stringify(odd));
    assert.equal((await value(world, page.session.json("/api/profile"), MINUTE)).user, "alice");
  }
});

test("row 13: Retry-After is honoured in seconds and as a date", async () => {
  for (const form of [() => "600", (now) => new Date(now + 600_000).toUTCString()]) {
    const { world, server, session } = await signedIn();
    server.instead = ({ url }) =>
      url.pathname === "/auth/refresh"
        ? { status: 503, headers: { "Retry-After": form(world.clock.now) }, body: { title: "down" } }
        : undefined;
    assert.ok(await world.until(() => refreshes(server) > 0, 15 * MINUTE));
    await world.pass(9.8 * MINUTE);
    assert.equal(refreshes(server), 1, "the timer waits");
    assert.equal(session.state.status, "in");
    assert.equal(session.state.problem.message, "down");
    server.instead = () => undefined;
    assert.ok(await world.until(() => refreshes(server) > 1, 4 * MINUTE));
    await world.pass(MINUTE);
    assert.equal(session.state.problem, null);
  }
});

test("row 13: a caller waits for a few tries, not for ten minutes", async () => {
  const { world, server, session } = await signedIn();
  server.instead = ({ url }) =>
    url.pathname === "/auth/refresh"
      ? { status: 503, headers: { "Retry-After": "600" }, body: { title: "down" } }
      : undefined;
  forgetTokens(server);
  const failed = await error(world, session.fetch("/api/profile"), 2 * MINUTE);
  assert.deepEqual([failed.status, failed.message], [503, "down"]);
  const tries = refreshes(server);
  assert.ok(tries >= 1 && tries <= 5, `${tries}`);
  await world.pass(5 * MINUTE);
  assert.equal(refreshes(server), tries);
});

test("row 13: a hidden page tries minutes apart while the network is away", async () => {
  const { world, browser, page, session } = await signedIn({ options: { idle: "renew" } });
  page.hide();
  browser.network(false);
  await world.pass(15 * MINUTE);
  const sent = browser.net.sent.length;
  await world.pass(HOUR);
  const tries = browser.net.sent.length - sent;
  assert.ok(tries >= 1 && tries <= 13, `${tries} tries`);
  browser.network(true);
  await world.pass(10 * MINUTE);
  assert.deepEqual([session.state.status, session.state.problem], ["in", null]);
  assert.deepEqual(page.events.map(({ type }) => type).filter((type) => type !== "signed-in"), ["outage", "recovered"]);
});

const idle = { idle: 1800 };

test("row 14: a page that is left open, visible or hidden, keeps no session alive", async () => {
  for (const isHidden of [false, true]) {
    for (const mode of ["renew", "sleep-when-hidden"]) {
      const { world, server, page, session } = await signedIn({ server: idle, options: { idle: mode } });
      page.hide(isHidden);
      await world.pass(35 * MINUTE);
      assert.ok(!server.sessions.isLive([...server.sessions.byId.values()][0]), `${isHidden} ${mode}`);
      const said = server.requests.filter(({ path }) => path === "/auth/refresh").map(({ activity }) => activity);
      assert.ok(said.every((activity) => activity === "passive"), `${said}`);
      const isAsleep = isHidden && mode === "sleep-when-hidden";
      assert.ok(isAsleep ? said.length <= 1 : said.length >= 2, `${isHidden} ${mode}: ${said.length}`);
      page.hide(false);
      await world.pass(MINUTE);
      assert.equal(session.state.status, "out");
    }
  }
});

/** The last token ends with the session: input is told at once, and not when that token would be renewed. */
async function inputBeforeTheEnd() {
  const { world, server, browser, page } = await signedIn({ server: idle });
  await world.pass(29 * MINUTE);
  page.fire("keydown");
  await world.pass(2 * MINUTE);
  assert.ok(server.sessionOf(browser.jar), "input a minute before the idle end keeps the session");
}

test("row 14: a person's input keeps it, visible or not, and a hidden page refreshes on return", async () => {
  const kinds = ["keydown", "pointerdown", "pointermove", "touchstart", "wheel"];
  for (const kind of [...kinds, null]) {
    const { world, server, browser, page, session } = await signedIn({ server: idle });
    page.hide(kind === null); // No user can touch a hidden page, but a video may play.
    for (let minutes = 0; minutes < 120; minutes += 5) {
      if (kind) page.fire(kind);
      else session.keepAlive();
      await world.pass(5 * MINUTE);
    }
    assert.equal(session.state.status, "in", kind);
    assert.ok(server.sessionOf(browser.jar), kind);
    assert.ok(server.requests.some(({ path, activity }) => path === "/auth/refresh" && activity === null));
  }
  await inputBeforeTheEnd();
  const { world, server, page, session } = await signedIn();
  page.hide();
  await world.pass(2 * HOUR);
  const asleep = refreshes(server);
  assert.ok(asleep <= 1, `${asleep}`);
  page.hide(false);
  await world.pass(10 * SECOND);
  assert.deepEqual([session.state.status, refreshes(server)], ["in", asleep + 1]);
});

test("row 15: an abort is heard at once", async () => {
  const { world, browser, page, server, session } = await signedIn();
  const other = await resumed(world, browser);
  const abortsAt = async (what, ms) => {
    const control = new AbortController();
    const call = session.fetch("/api/profile", { signal: control.signal });
    call.catch(() => {});
    await world.pass(ms);
    control.abort(new Error("enough"));
    const began = world.clock.now;
    assert.equal((await error(world, call, MINUTE)).message, "enough", what);
    assert.ok(world.clock.now - began < 10, `${what}: ${world.clock.now - began} ms`);
  };
  forgetTokens(server);
  browser.net.weather = ({ url }) => (url.pathname === "/auth/refresh" ? { slow: 14 * SECOND } : undefined);
  await abortsAt("while the refresh is under way", SECOND);
  await world.pass(MINUTE);
  forgetTokens(server);
  browser.net.weather = ({ url }) => (url.pathname === "/auth/refresh" ? { lost: true } : undefined);
  await abortsAt("between two tries", SECOND);
  browser.net.weather = () => undefined;
  await world.pass(2 * MINUTE);
  other.session.resume().catch(() => {});
  await world.until(() => browser.locks.isHeldBy(other), SECOND);
  other.freeze();
  forgetTokens(server);
  await abortsAt("while another tab has the lock", SECOND);
  assert.equal(page.session.state.status, "in");
});

test("row 16: only a token that is refused costs a refresh", async () => {
  const { world, server, browser, session } = await signedIn();
  const bare = { status: 401, body: {} };
  server.instead = ({ url }) => (url.pathname === "/api/bare" ? bare : undefined);
  await world.pass(6 * MINUTE);
  for (const path of ["/api/mine", "/api/recent", "/api/bare"]) {
    assert.equal((await value(world, session.fetch(path), MINUTE)).status, 401, path);
    assert.deepEqual([refreshes(server), server.count(path)], [0, 1], path);
  }
  forgetTokens(server);
  assert.equal((await value(world, session.fetch("/api/profile"), MINUTE)).status, 200);
  assert.deepEqual([refreshes(server), server.count("/api/profile")], [1, 2]);
  assert.ok(browser.net.sent.length < 12);
});

test("row 16: a challenge that cannot be read counts as one, once", async () => {
  const { world, server, session } = await signedIn({ options: { api: ["https://api.example"] } });
  forgetTokens(server);
  assert.equal((await value(world, session.fetch("https://api.example/x"), MINUTE)).status, 200);
  assert.deepEqual([refreshes(server), server.count("/x")], [1, 2]);
  assert.equal((await value(world, session.fetch("https://api.example/mine"), MINUTE)).status, 401);
  assert.deepEqual([refreshes(server), server.count("/mine")], [2, 2]);
  server.isExposed = true;
  assert.equal((await value(world, session.fetch("https://api.example/mine"), MINUTE)).status, 401);
  assert.deepEqual([refreshes(server), server.count("/mine")], [2, 3]);
});

test("row 17: a sign-out without a network is shown at once, and sent before any refresh", async () => {
  const { world, server, browser, session } = await signedIn();
  const other = await resumed(world, browser);
  const live = server.sessionOf(browser.jar);
  browser.network(false);
  const done = session.signOut();
  done.catch(() => {});
  await world.pass(50);
  assert.deepEqual([session.state.status, other.session.state.status], ["out", "out"]);
  assert.equal(session.state.reason, "signed_out");
  assert.ok(!("value" in (await world.settled(session.fetch("/api/profile"), MINUTE))));
  await world.pass(3 * MINUTE);
  const before = server.requests.length;
  browser.network(true);
  other.session.resume().catch(() => {});
  await world.pass(MINUTE);
  assert.equal(live.end?.reason, "revoked");
  const later = server.requests.slice(before).map(({ path }) => path);
  assert.ok(later.includes("/auth/logout"), `${later}`);
  const first = later.find((path) => path !== "/auth/csrf");
  assert.equal(first, "/auth/logout", `${later}`);
  assert.deepEqual([session.state.status, other.session.state.status], ["out", "out"]);
});

test("row 18: an event comes before the session ends, once", async () => {
  const { world, page } = await signedIn({ server: { absolute: 3600 } });
  const end = world.clock.now + HOUR;
  const endings = () => page.events.filter(({ type }) => type === "ending");
  for (let minute = 0; minute < 57; minute += 1) {
    page.fire("keydown");
    await world.pass(MINUTE);
  }
  assert.deepEqual(endings(), []);
  await world.pass(2 * MINUTE);
  assert.equal(endings().length, 1);
  const [{ cause, at }] = endings();
  assert.equal(cause, "session");
  assert.ok(Math.abs(at - end) < 2 * SECOND, `${at - end}`);
  await world.pass(50 * SECOND);
  assert.equal(endings().length, 1);
});

test("row 18: an event comes before the idle end, as early as the page wants, and again where it moved", async () => {
  const { world, page } = await signedIn({ server: idle, options: { endingNotice: 5 * MINUTE } });
  const endings = () => page.events.filter(({ type }) => type === "ending");
  const began = world.clock.now;
  await world.pass(24 * MINUTE);
  assert.deepEqual(endings(), []);
  await world.pass(2 * MINUTE);
  assert.equal(endings().length, 1);
  const [{ cause, at }] = endings();
  assert.equal(cause, "idle");
  assert.ok(Math.abs(at - began - 30 * MINUTE) < 2 * SECOND, `${at - began}`);
  // The user says that they are there.
  page.session.keepAlive();
  await value(world, page.session.resume());
  await world.pass(24 * MINUTE);
  assert.equal(endings().length, 1);
  await world.pass(2 * MINUTE);
  assert.equal(endings().length, 2);
});

test("row 19: node imports it, and is kept alive by nothing", async () => {
  const file = fileURLToPath(new URL("world/bare.mjs", import.meta.url));
  // The limit ends a process that is kept alive: that is a failure.
  await promisify(execFile)(process.execPath, [file], { timeout: 10_000 });
});

test("row 19: the state is the same object until it changes", async () => {
  const { world, session, page } = await signedIn();
  const { state } = session;
  assert.equal(session.state, state);
  assert.ok(Object.isFrozen(state));
  page.fire("keydown");
  await world.pass(SECOND);
  assert.equal(session.state, state);
  await value(world, session.resume());
  assert.notEqual(session.state, state);
  assert.equal(session.state, session.state);
});

test("row 19: two applications of one origin do not sign each other out", async () => {
  const { world, server, browser, session } = await signedIn();
  const second = new Server(world.clock, { base: "/shop/auth" });
  const first = server.answer.bind(server);
  server.answer = (request) => (request.url.pathname.startsWith("/shop/") ? second.answer(request) : first(request));
  const other = world.page(browser, { options: { base: "/shop/auth" } });
  await signIn(world, other, "bob");
  await world.pass(SECOND);
  await value(world, other.session.signOut(), MINUTE);
  await world.pass(SECOND);
  assert.deepEqual([session.state.status, other.session.state.status], ["in", "out"]);
  assert.equal((await value(world, session.json("/api/profile"))).user, "alice");
});

test("row 20: an anonymous visit costs one request at most, and none in red", async () => {
  const world = new World();
  const browser = world.browser();
  for (const requests of [1, 0]) {
    const sent = browser.net.sent.length;
    const page = world.page(browser);
    const { reason } = await error(world, page.session.resume(), MINUTE);
    assert.equal(reason, "no_session");
    assert.deepEqual([page.session.state.status, page.session.state.reason], ["out", "no_session"]);
    assert.equal(browser.net.sent.length - sent, requests);
    page.close();
  }
  assert.ok(world.server.requests.every(({ status }) => status < 400));
});
