// Calls that cross on the way, and what a page keeps of them.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";

import { HOUR, MINUTE, SECOND, World } from "./world.mjs";
import { error, forgetTokens, resumed, signedIn, signIn, value } from "./world/steps.mjs";

test("a sign-out from everywhere beside a sign-in that finds no network is sent later", async () => {
  const { world, server, browser, session } = await signedIn();
  const live = server.sessionOf(browser.jar);
  browser.network(false);
  const entering = session.signIn({ email: "alice", password: "right" });
  const leaving = session.signOut({ everywhere: true });
  assert.equal((await error(world, entering, MINUTE)).status, 0);
  assert.equal((await error(world, leaving, MINUTE)).status, 0);
  assert.equal(session.state.status, "out");
  browser.network(true);
  await world.pass(MINUTE);
  assert.equal(live.end?.reason, "revoked");
});

test("a date in Retry-After is one of the server's clock, however wrong the page's is", async () => {
  for (const skew of [-HOUR, HOUR]) {
    const { world, server, browser, session } = await signedIn();
    browser.skew = skew;
    const date = () => new Date(world.clock.now + 5 * MINUTE).toUTCString();
    server.instead = ({ url }) =>
      url.pathname === "/auth/refresh" ? { status: 503, headers: { "Retry-After": date() }, body: {} } : undefined;
    assert.equal((await error(world, session.resume(), MINUTE)).status, 503);
    const tries = server.count("/auth/refresh");
    await world.pass(4 * MINUTE);
    assert.equal(server.count("/auth/refresh"), tries, `${skew}`);
    server.instead = () => undefined;
    await world.pass(3 * MINUTE);
    assert.deepEqual([session.state.status, session.state.problem], ["in", null], `${skew}`);
  }
});

/** `GET csrf` that was asked for without a session is answered after the next sign-in, with the cookie of no session. */
async function lateHint(world, browser, page) {
  browser.net.weather = ({ url }) => (url.pathname === "/auth/csrf" ? { slow: 2 * SECOND } : undefined);
  page.session.resume().catch(() => {});
  await world.pass(100);
  browser.net.weather = () => undefined;
}

const hint = (server, { jar }) => jar.value(server.name).slice(0, 4);

test("a page that hears of a sign-in while it asks for the hint does not believe the hint", async () => {
  const world = new World();
  const { server } = world;
  const browser = world.browser();
  const lacks = { locks: "none" };
  const old = world.page(browser, { lacks });
  await lateHint(world, browser, old);
  const page = world.page(browser, { lacks });
  await signIn(world, page);
  await world.pass(5 * SECOND);
  assert.deepEqual([old.session.state.status, page.session.state.status], ["in", "in"]);
  assert.equal(hint(server, browser), "v1s.");
});

test("a hint of no session beside a session is replaced with the first input, by one request", async () => {
  const world = new World();
  const { server } = world;
  const browser = world.browser();
  const lacks = { locks: "none", channel: "none" };
  await lateHint(world, browser, world.page(browser, { lacks }));
  const page = world.page(browser, { lacks });
  await signIn(world, page);
  await world.pass(5 * SECOND);
  assert.equal(hint(server, browser), "v1a.");
  const asked = server.count("/auth/csrf");
  for (let touch = 0; touch < 5; touch += 1) page.fire("keydown");
  await world.pass(SECOND);
  page.hide();
  page.hide(false);
  await world.pass(SECOND);
  assert.equal(hint(server, browser), "v1s.");
  assert.equal(server.count("/auth/csrf"), asked + 1);
  assert.equal((await resumed(world, browser, { lacks })).session.state.status, "in");
});

test("a page that the hint misled is in again with the word of its user", async () => {
  const world = new World();
  const { server } = world;
  const browser = world.browser();
  await lateHint(world, browser, world.page(browser));
  // A return from the provider brings the cookies and a new page, which waits for the lock.
  server.signIn(browser.jar, "alice");
  const page = world.page(browser);
  assert.equal((await error(world, page.session.resume(), MINUTE)).reason, "no_session");
  await error(world, page.session.signIn({ email: "alice", password: "wrong" }), MINUTE);
  await value(world, page.session.resume(), MINUTE);
  assert.equal(page.session.state.status, "in");
});

test("no call leaves a listener behind", async () => {
  const signals = [];
  const world = new World();
  const browser = world.browser();
  const lacks = {};
  const page = world.page(browser, {
    lacks,
    prepare: (here) => {
      here.AbortController = class extends AbortController {
        constructor() {
          super();
          signals.push(this.signal);
        }
      };
    },
  });
  await signIn(world, page);
  const { session } = page;
  // One that has aborted is done with.
  const live = () => signals.filter((signal) => !signal.aborted);
  const count = () => live().map((signal) => getEventListeners(signal, "abort").length);
  const round = async () => {
    forgetTokens(world.server);
    await value(world, session.fetch("/api/profile"), MINUTE);
    await value(world, session.json("/api/profile"), MINUTE);
    await value(world, session.token({ atLeast: HOUR, signal: new AbortController().signal }), MINUTE);
    await value(world, session.sessions(), MINUTE);
    await value(world, session.resume(), MINUTE);
    await error(world, session.signIn({ email: "alice", password: "wrong" }), MINUTE);
    browser.network(false);
    await error(world, session.resume(), MINUTE);
    await error(world, session.fetch("/api/profile"), MINUTE);
    browser.network(true);
    await world.pass(MINUTE);
  };
  await round();
  const before = count();
  for (let rounds = 0; rounds < 20; rounds += 1) await round();
  const after = count();
  assert.equal(after.length, before.length);
  // Node holds some of them weakly, and counts fewer after a collection.
  after.forEach((listeners, index) => assert.ok(listeners <= before[index], `${before} became ${after}`));
});

test("a browser whose scripts see a new cookie late is not asked for a session that it does not have", async () => {
  const world = new World();
  const browser = world.browser();
  browser.lag = 50;
  const { session } = world.page(browser);
  const { reason } = await error(world, session.resume(), MINUTE);
  assert.equal(reason, "no_session");
  assert.deepEqual(world.server.requests.map(({ path }) => path), ["/auth/csrf"]);
});
