// Requests of a page, the answers that it hears, and the options.

import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";

import { create, HOUR, MINUTE, SECOND, World } from "./world.mjs";
import { error, resumed, signedIn, signIn, value } from "./world/steps.mjs";

const quiet = (promise) => void promise.catch(() => {});
const refreshes = (server) => server.count("/auth/refresh");

/** Notes each input and init that a page gives to `fetch`. */
function noting(sent) {
  return (here) => {
    const { fetch } = here;
    here.fetch = (input, init) => (sent.push({ input, init }), fetch(input, init));
  };
}

test("the end of a session is not said to be revoked beside another user's 404", async () => {
  const { world, server, browser, session } = await signedIn();
  const phone = world.browser();
  await signIn(world, world.page(phone));
  const stolen = server.sessionOf(phone.jar);
  assert.equal(await value(world, session.revoke("gone"), MINUTE), undefined, "one that is gone is as good");
  server.signIn(browser.jar, "bob");
  assert.equal((await error(world, session.revoke(stolen.id), MINUTE)).reason, "other_session");
  assert.ok(server.sessions.isLive(stolen));
});

test("an answer that is no list of sessions is a failure", async () => {
  for (const answer of [{ status: 404, body: "<html>" }, { status: 200, body: "<html>" }, { status: 204 }]) {
    const { world, server, session } = await signedIn();
    server.instead = ({ url }) => (url.pathname === "/auth/sessions" ? answer : undefined);
    assert.equal((await error(world, session.sessions(), MINUTE)).status, answer.status);
  }
});

test("a page that ends its own session asks, and is out", async () => {
  const { world, session } = await signedIn();
  await value(world, session.revoke(session.state.session), MINUTE);
  await world.pass(SECOND);
  assert.equal(session.state.status, "out");
});

/** Another tab holds the lock for three seconds. */
async function busy(world, browser) {
  const other = await resumed(world, browser);
  browser.net.weather = ({ url }) => (url.pathname === "/auth/refresh" ? { slow: 3 * SECOND } : undefined);
  quiet(other.session.resume());
  await world.until(() => browser.locks.isHeldBy(other), SECOND);
  return other;
}

test("a step-up that waits is not sent after the sign-out, and a sign-in not after dispose()", async () => {
  for (const end of ["signOut", "dispose"]) {
    const { world, browser, page, session } = await signedIn();
    const other = await busy(world, browser);
    let sent = 0;
    const call = session.begin((headers) => {
      sent += 1;
      return page.here.fetch("/auth/login", { method: "POST", headers, body: '{"email":"bob","password":"right"}' });
    });
    await world.pass(50);
    if (end === "signOut") quiet(other.session.signOut());
    else session.dispose();
    assert.match((await error(world, call, MINUTE)).message, /^(signed out|disposed)$/);
    await world.pass(MINUTE);
    assert.equal(sent, 0, end);
  }
});

test("a sign-in that waits is not sent after dispose()", async () => {
  const world = new World();
  const browser = world.browser();
  const page = world.page(browser);
  await error(world, page.session.resume(), MINUTE);
  const other = world.page(browser);
  browser.net.weather = ({ url }) => (url.pathname === "/auth/login" ? { slow: 3 * SECOND } : undefined);
  quiet(other.session.signIn({ email: "alice", password: "right" }));
  await world.until(() => browser.locks.isHeldBy(other), SECOND);
  let sent = 0;
  const call = page.session.begin((headers) => {
    sent += 1;
    return page.here.fetch("/auth/login", { method: "POST", headers, body: '{"email":"bob","password":"right"}' });
  });
  await world.pass(50);
  page.session.dispose();
  assert.equal((await error(world, call, MINUTE)).message, "disposed");
  await world.pass(MINUTE);
  assert.equal(sent, 0);
});

test("a step-up that is to be sent again is not sent as the next user", async () => {
  for (const [status, code] of [[403, "csrf"], [409, "superseded"]]) {
    const given = { lacks: { locks: "none" } };
    const { world, browser, session } = await signedIn(given);
    const other = await resumed(world, browser, given);
    let sent = 0;
    const call = session.begin(async () => {
      sent += 1;
      await other.session.signIn({ email: "bob", password: "right" });
      await new Promise((done) => other.soon(done, SECOND));
      return Response.json({ code }, { status });
    });
    assert.equal((await error(world, call, MINUTE)).message, "signed out", code);
    assert.equal(sent, 1, code);
  }
});

test("a sign-in whose answer is lost makes the page ask whose the cookie is", async () => {
  const { world, server, browser, session } = await signedIn();
  browser.net.weather = ({ url }) => (url.pathname === "/auth/login" ? { body: MINUTE } : undefined);
  assert.equal((await error(world, session.signIn({ email: "bob", password: "right" }), MINUTE)).status, 0);
  browser.net.weather = () => undefined;
  await world.pass(5 * SECOND);
  assert.equal(server.sessionOf(browser.jar).user, "bob");
  assert.notEqual(session.state.session, "s1");
  assert.equal(session.state.reason, "other_session");
});

test("what the caller says of a request goes out", async () => {
  const sent = [];
  const { world, session } = await signedIn({ prepare: noting(sent) });
  await value(world, session.fetch("/api/x", { referrerPolicy: "no-referrer", redirect: "error", credentials: "omit", mode: "same-origin" }));
  const { referrerPolicy, redirect, credentials, mode } = sent.at(-1).input;
  assert.deepEqual([referrerPolicy, redirect, credentials, mode], ["no-referrer", "error", "omit", "same-origin"]);
  await value(world, session.fetch(new Request("https://app.example/api/x", { referrer: "", referrerPolicy: "origin" })));
  const { input } = sent.at(-1);
  assert.deepEqual([input.referrer, input.referrerPolicy], ["", "origin"]);
});

test("an API that refuses every token costs a refresh each half minute, and not each call", async () => {
  const { world, server, session } = await signedIn({ options: { api: ["https://api.example"] } });
  const refusal = { status: 401, headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' }, body: {} };
  server.instead = ({ url }) => (url.pathname === "/api/x" ? refusal : undefined);
  for (const [path, address] of [["/api/x", "/api/x"], ["/mine", "https://api.example/mine"]]) {
    const before = refreshes(server);
    for (let second = 0; second < 300; second += 1) {
      assert.equal((await value(world, session.fetch(address))).status, 401);
      await world.pass(SECOND);
    }
    const made = refreshes(server) - before;
    assert.ok(made > 1 && made <= 12, `${path}: ${made} refreshes in five minutes`);
    assert.ok(server.count(path) <= 330, `${server.count(path)} calls for 300`);
  }
});

test("a visible page in an outage asks once a round", async () => {
  for (const fault of [{ lost: true }, { answer: { status: 503, body: {} } }]) {
    const { world, browser, session } = await signedIn();
    browser.net.weather = () => fault;
    await world.pass(20 * MINUTE);
    const before = browser.net.sent.length;
    await world.pass(HOUR);
    const sent = browser.net.sent.length - before;
    assert.ok(sent >= 60 && sent <= 120, `${sent} requests in an hour`);
    // A caller is still given a few tries.
    const calls = browser.net.sent.length;
    await error(world, session.resume(), MINUTE);
    assert.equal(browser.net.sent.length - calls, 4);
  }
});

test("a machine that slept does not wait for a Retry-After that has passed", async () => {
  const { world, server, browser, page, session } = await signedIn();
  server.instead = ({ url }) =>
    url.pathname === "/auth/refresh" ? { status: 503, headers: { "Retry-After": "3600" }, body: {} } : undefined;
  await error(world, session.resume(), MINUTE);
  server.instead = () => undefined;
  const before = refreshes(server);
  page.fire("online");
  await world.pass(SECOND);
  assert.equal(refreshes(server), before);
  browser.skew += 8 * HOUR; // Timers and `performance.now()` stood still.
  page.fire("online");
  await world.pass(SECOND);
  assert.deepEqual([session.state.status, session.state.problem], ["in", null]);
});

test("a page without a channel finds a sign-in when its user returns, and asks once", async () => {
  const given = { lacks: { channel: "none" } };
  const world = new World();
  const { server } = world;
  const browser = world.browser();
  const page = world.page(browser, given);
  await error(world, page.session.resume(), MINUTE);
  const look = async () => {
    page.hide();
    page.hide(false);
    await world.pass(SECOND);
    return page.session.state.status;
  };
  assert.equal(await look(), "out");
  assert.equal(refreshes(server), 0);
  await signIn(world, world.page(browser, given));
  assert.equal(await look(), "in");
  // Another application of this origin has a session, and this one has none.
  await value(world, page.session.signOut(), MINUTE);
  browser.jar.set({ name: server.name, value: "v1s.other.mac" });
  const before = refreshes(server);
  assert.equal(await look(), "out");
  browser.jar.set({ name: server.name, value: "v1s.another.mac" });
  assert.equal(await look(), "out");
  assert.equal(await look(), "out");
  assert.ok(refreshes(server) - before <= 4, `${refreshes(server) - before}`);
  // A session that was ended leaves its cookie.
  await signIn(world, page);
  server.sessions.end(server.sessionOf(browser.jar), "revoked");
  await error(world, page.session.resume(), MINUTE);
  assert.match(browser.jar.value(server.name), /^v1s/);
  const asked = refreshes(server);
  for (let times = 0; times < 3; times += 1) assert.equal(await look(), "out");
  assert.equal(refreshes(server), asked);
});

test("`ending` names the end that comes", async () => {
  const { world, page } = await signedIn({ server: { idle: 1800, absolute: 3600 } });
  const end = world.clock.now + HOUR;
  for (let minute = 0; minute < 60; minute += 1) {
    page.fire("keydown");
    await world.pass(MINUTE);
  }
  const endings = page.events.filter(({ type }) => type === "ending");
  assert.deepEqual(endings.map(({ cause }) => cause), ["session"]);
  assert.ok(Math.abs(endings[0].at - end) < 2 * SECOND);
});

test("events come in their order, whatever a listener does", async () => {
  const world = new World();
  const page = world.page(world.browser());
  page.session.subscribe(() => page.session.state.status === "in" && quiet(page.session.signOut()));
  await world.settled(page.session.signIn({ email: "alice", password: "right" }), MINUTE);
  await world.pass(MINUTE);
  assert.deepEqual(page.events.map(({ type }) => type), ["signed-in", "signed-out"]);
});

test("a function that is subscribed twice is heard until both are taken back", async () => {
  const { world, session } = await signedIn();
  let heard = 0;
  const listener = () => (heard += 1);
  const stops = [session.subscribe(listener), session.subscribe(listener)];
  stops[0]();
  await value(world, session.resume());
  assert.ok(heard > 0);
  stops[1]();
  const before = heard;
  await value(world, session.resume());
  assert.equal(heard, before);
});

test("options that would send the token elsewhere, or nowhere, throw", async () => {
  const refused = [
    ...["localhost:8080", "https://api.example/v1", "https://*.example", "*", "api.example", "https://u:p@api.example"].map((one) => ({ api: [one] })),
    ...["blob:https://app.example/auth", "https://evil.example/"].map((base) => ({ base })),
  ];
  for (const options of refused) {
    const world = new World();
    const browser = world.browser();
    const { session } = world.page(browser);
    session.dispose();
    const other = create(browser.open().here, options);
    assert.ok((await error(world, other.resume())) instanceof TypeError, JSON.stringify(options));
    assert.equal(browser.net.sent.length, 0);
  }
  for (const one of ["https://api.example", "https://api.example/", "HTTPS://API.example:443"]) {
    const { world, session } = await signedIn({ options: { api: [one] } });
    assert.equal((await value(world, session.fetch("https://api.example/x"))).status, 200);
  }
});

test("odd durations do no harm", async () => {
  const world = new World();
  const browser = world.browser();
  world.server.signIn(browser.jar, "alice");
  const page = world.page(browser);
  for (const atLeast of [-1, NaN, undefined]) assert.match(await value(world, page.session.token({ atLeast }), MINUTE), /^t/);
  for (const lockTimeout of [Infinity, 2 ** 31]) {
    const patient = await resumed(world, browser, { options: { lockTimeout } });
    await busy(world, browser);
    await world.pass(100);
    const before = refreshes(world.server);
    quiet(patient.session.resume());
    await world.pass(SECOND);
    assert.equal(refreshes(world.server), before, "it waits for the lock");
    await world.pass(MINUTE);
  }
});

test("messages that are none of this client's are passed over", async () => {
  const { world, browser, session } = await signedIn();
  const channel = new (browser.channels.of(browser.open()))("tower-bearer /auth");
  for (const message of [null, undefined, 7, "x", {}, { type: "signed-out", session: "another" }]) {
    channel.postMessage(message);
    await world.pass(20);
    assert.equal(session.state.status, "in");
  }
});

test("after dispose() nothing is shown", async () => {
  const { session } = await signedIn();
  session.dispose();
  assert.deepEqual([session.state.status, session.state.session, session.state.renewing], ["unknown", null, false]);
  await assert.rejects(session.fetch("/api/profile"), /disposed/);
});

test("with a real fetch a body is cut off when the user changes, and no password follows a redirect", async () => {
  let sessions = 0;
  const leaked = [];
  const server = http.createServer((request, response) => {
    const { url, headers } = request;
    const elsewhere = `http://localhost:${server.address().port}/elsewhere`;
    if (url === "/slow") {
      response.write("alice's ");
      setTimeout(() => response.end("secret"), 1000).unref();
    } else if (url === "/auth/login") {
      sessions += 1;
      response.end(JSON.stringify({ access_token: "t", session: `s${sessions}`, expires_in: 900, session_expires_in: 9000 }));
    } else if (url === "/auth/hop" || url === "/hop") {
      response.writeHead(307, { Location: elsewhere }).end();
    } else {
      if (url === "/elsewhere") leaked.push([headers.authorization, headers["x-csrf-token"]]);
      response.end("{}");
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const location = new URL(`http://127.0.0.1:${server.address().port}/`);
  const document = Object.assign(new EventTarget(), { hidden: false, cookie: "csrf=v1s.x" });
  const { AbortController, Date, Headers, Math, Request, clearTimeout, fetch, performance, setTimeout } = globalThis;
  const here = { AbortController, Date, Headers, Math, Request, clearTimeout, fetch, performance, setTimeout, document, location, navigator: {} };
  const session = create(Object.assign(new EventTarget(), here));
  try {
    await session.signIn({});
    const response = await session.fetch("/slow");
    const body = response.text();
    body.catch(() => {});
    await session.signIn({});
    await assert.rejects(body, { name: "SignedOut" });
    // The Fetch standard takes the token away where a redirect leaves the origin.
    await session.fetch("/hop");
    assert.deepEqual(leaked, [[undefined, undefined]]);
    await assert.rejects(session.signIn({ password: "secret" }, "hop"), { status: 0 });
    assert.equal(leaked.length, 1);
  } finally {
    session.dispose();
    server.close();
    server.closeAllConnections();
  }
});
