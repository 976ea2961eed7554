// How the server hears of a sign-out: late, through another tab, from everywhere, and beside another user's cookie.

import assert from "node:assert/strict";
import { test } from "node:test";

import { HOUR, MINUTE, SECOND } from "./world.mjs";
import { error, resumed, signedIn, signIn, value } from "./world/steps.mjs";

const quiet = (promise) => void promise.catch(() => {});

/** The user's phone, with a session of its own. */
async function phone(world, user = "alice") {
  const browser = world.browser();
  browser.agent = "phone";
  await signIn(world, world.page(browser), user);
  const session = world.server.sessionOf(browser.jar);
  return { isLive: () => world.server.sessions.isLive(session) };
}

test("a sign-out from everywhere that waits behind another user's sign-in ends no session of that user", async () => {
  // It has its turn before it hears of the sign-in, or after another tab's turn.
  for (const isThird of [false, true]) {
    const { world, server, browser, session } = await signedIn();
    const [other, third] = [await resumed(world, browser), await resumed(world, browser)];
    const bobs = await phone(world, "bob");
    const slow = ["/auth/login", "/auth/refresh"];
    browser.net.weather = ({ url }) => (slow.includes(url.pathname) ? { slow: SECOND } : undefined);
    quiet(other.session.signIn({ email: "bob", password: "right" }));
    await world.until(() => browser.locks.isHeldBy(other), SECOND);
    await world.pass(100);
    if (isThird) quiet(third.session.resume());
    await world.pass(100);
    const { message } = await error(world, session.signOut({ everywhere: true }), MINUTE);
    assert.equal(message, "signed out");
    await world.pass(10 * SECOND);
    assert.ok(bobs.isLive(), `${isThird}`);
    assert.equal(server.sessionOf(browser.jar).user, "bob");
  }
});

test("a sign-out from everywhere ends no session of a user whose cookie came from elsewhere", async () => {
  const { world, server, browser, session } = await signedIn();
  const bobs = await phone(world, "bob");
  server.signIn(browser.jar, "bob");
  const { reason } = await error(world, session.signOut({ everywhere: true }), MINUTE);
  assert.equal(reason, "other_session");
  assert.ok(bobs.isLive());
  assert.equal(server.sessionOf(browser.jar).user, "bob");
});

test("a sign-out beside another user's cookie does not end that user's session", async () => {
  const { world, server, browser, session } = await signedIn();
  server.signIn(browser.jar, "bob");
  await value(world, session.signOut(), MINUTE);
  await world.pass(MINUTE);
  assert.equal(server.sessionOf(browser.jar).user, "bob");
});

test("a remembered sign-out from everywhere stays one, whichever tab sends it", async () => {
  for (const signsOut of [0, 1]) {
    const { world, server, browser, page } = await signedIn();
    const pages = [page, await resumed(world, browser)];
    const stolen = await phone(world);
    browser.network(false);
    await error(world, pages[signsOut].session.signOut({ everywhere: true }), MINUTE);
    await world.pass(MINUTE);
    browser.network(true);
    await world.pass(MINUTE);
    assert.ok(!stolen.isLive(), `${signsOut}`);
    assert.equal(server.sessionOf(browser.jar), null);
  }
});

test("a remembered sign-out from everywhere that has to refresh first does so", async () => {
  const { world, server, browser, session } = await signedIn();
  const stolen = await phone(world);
  await world.pass(2 * MINUTE);
  // The refresh arrives, and its answer is lost with the network.
  browser.net.weather = ({ url }) => (url.pathname === "/auth/refresh" ? { unheard: true } : undefined);
  quiet(session.resume());
  await world.until(() => server.count("/auth/refresh") > 0, MINUTE);
  browser.network(false);
  quiet(session.signOut({ everywhere: true }));
  await world.pass(2 * MINUTE);
  browser.net.weather = () => undefined;
  browser.network(true);
  const before = server.requests.length;
  await world.pass(HOUR);
  assert.ok(!stolen.isLive());
  assert.equal(server.sessionOf(browser.jar), null);
  assert.ok(server.requests.length - before < 10, `${server.requests.length - before}`);
  assert.equal(session.state.problem, null);
});

test("a sign-out from everywhere by a browser with a new name refreshes, and is asked for again", async () => {
  const { world, server, browser, session } = await signedIn();
  const stolen = await phone(world);
  await world.pass(2 * MINUTE);
  browser.agent = "browser 2";
  await value(world, session.signOut({ everywhere: true }), MINUTE);
  assert.ok(!stolen.isLive());
  assert.equal(server.sessionOf(browser.jar), null);
});

test("a sign-in tells the server first of a sign-out from everywhere that waits", async () => {
  const { world, server, session } = await signedIn();
  const stolen = await phone(world);
  let refused = 0;
  server.instead = ({ url }) =>
    url.pathname === "/auth/logout-all" && (refused += 1) <= 2 ? { status: 503, body: {} } : undefined;
  assert.equal((await error(world, session.signOut({ everywhere: true }), MINUTE)).status, 503);
  assert.equal(session.state.status, "out");
  await signIn(world, { session });
  assert.ok(!stolen.isLive());
  await world.pass(HOUR);
  assert.equal(session.state.status, "in");
});

test("a remembered sign-out survives new keys of the server", async () => {
  const { world, server, browser, session } = await signedIn();
  const live = server.sessionOf(browser.jar);
  browser.network(false);
  await error(world, session.signOut(), MINUTE);
  server.rotateKeys();
  // Another application of this origin, or a page without a channel, has the cookie made anew.
  const cookies = browser.jar.sentTo("/auth/csrf");
  const { cookies: made } = server.answer({ method: "GET", url: new URL("https://app.example/auth/csrf"), headers: new Headers(), cookies });
  for (const cookie of made) browser.jar.set(cookie);
  browser.network(true);
  await world.pass(MINUTE);
  assert.equal(live.end?.reason, "revoked");
});

test("a sign-out is remembered where the page cannot read the CSRF cookie, and ends no other session", async () => {
  for (const isNext of [false, true]) {
    const { world, server, browser, session } = await signedIn({ server: { isHidden: true } });
    const live = server.sessionOf(browser.jar);
    browser.network(false);
    await error(world, session.signOut(), MINUTE);
    if (isNext) server.signIn(browser.jar, "bob");
    browser.network(true);
    await world.pass(2 * MINUTE);
    assert.ok(live.end, `${isNext}`);
    assert.equal(server.sessionOf(browser.jar)?.user, isNext ? "bob" : undefined);
  }
});

test("a sign-out beside a sign-in that never ends is remembered", async () => {
  const { world, server, browser, session } = await signedIn();
  const live = server.sessionOf(browser.jar);
  quiet(session.begin(() => new Promise(() => {})));
  browser.network(false);
  await error(world, session.signOut(), MINUTE);
  browser.network(true);
  await world.pass(MINUTE);
  assert.ok(live.end);
});

test("a page that comes back with an older sign-out does not make the others forget theirs", async () => {
  const { world, server, browser, session } = await signedIn();
  const old = await resumed(world, browser);
  browser.network(false);
  quiet(session.signOut());
  await world.pass(100);
  assert.ok(old.leave());
  browser.network(true);
  await world.pass(MINUTE);
  await signIn(world, { session });
  const live = server.sessionOf(browser.jar);
  browser.network(false);
  await error(world, session.signOut(), MINUTE);
  // The old page alone has a network for a while.
  const { weather } = browser.net;
  browser.net.isUp = true;
  browser.net.weather = ({ page }) => (page === old ? undefined : { lost: true });
  old.comeBack();
  await world.pass(5 * SECOND);
  browser.net.weather = weather;
  await world.pass(2 * MINUTE);
  assert.ok(live.end);
});

test("the page may be closed while the server is told", async () => {
  const sent = [];
  const { world, session } = await signedIn({
    prepare(here) {
      const { fetch } = here;
      here.fetch = (input, init) => (sent.push([input, init.keepalive]), fetch(input, init));
    },
  });
  await value(world, session.signOut(), MINUTE);
  assert.deepEqual(sent.filter(([input]) => input.endsWith("/logout")), [["https://app.example/auth/logout", true]]);
});

test("a second sign-out without a network takes nothing back of the first", async () => {
  for (const order of [[true, false], [false, true]]) {
    const { world, server, browser, session } = await signedIn();
    const stolen = await phone(world);
    browser.network(false);
    for (const everywhere of order) await error(world, session.signOut({ everywhere }), MINUTE);
    browser.network(true);
    await world.pass(2 * MINUTE);
    assert.equal(server.sessionOf(browser.jar), null);
    assert.ok(!stolen.isLive(), `${order}`);
  }
});

test("a sign-out ends no other session, although the CSRF cookie is the one of its own", async () => {
  for (const everywhere of [false, true]) {
    const { world, server, browser, session } = await signedIn();
    const bobs = await phone(world, "bob");
    // Without Web Locks the cookies of two answers may mix.
    const value = browser.jar.value(server.name);
    server.signIn(browser.jar, "bob");
    browser.jar.set({ name: server.name, value });
    await world.settled(session.signOut({ everywhere }), MINUTE);
    await world.pass(MINUTE);
    assert.ok(bobs.isLive(), `${everywhere}`);
    assert.equal(server.sessionOf(browser.jar)?.user, "bob", `${everywhere}`);
  }
});

test("a tab that is shown while another signs out does not tell the server again", async () => {
  for (let moment = 0; moment < 20; moment += 1) {
    const { world, server, browser, session } = await signedIn();
    const other = await resumed(world, browser);
    other.hide();
    const before = server.requests.length;
    quiet(session.signOut());
    await world.pass(moment);
    // The lock is free, and the word that the server knows may be on its way.
    for (let shown = 0; shown < 20; shown += 1) {
      other.hide(shown % 2 === 0);
      await world.pass(1);
    }
    await world.pass(MINUTE);
    const paths = server.requests.slice(before).map(({ path }) => path);
    assert.deepEqual(paths, ["/auth/logout"], `${moment}`);
  }
});

test("a tab that took over a sign-out tells the server before its own refresh, also at once", async () => {
  const { world, server, browser, page, session } = await signedIn();
  const other = await resumed(world, browser);
  const live = server.sessionOf(browser.jar);
  browser.network(false);
  quiet(session.signOut());
  await world.pass(100);
  page.close();
  browser.network(true);
  const before = server.requests.length;
  const { reason } = await error(world, other.session.resume(), MINUTE);
  assert.match(reason, /^(no_session|signed_out)$/);
  assert.equal(server.requests[before].path, "/auth/logout");
  assert.equal(live.end?.reason, "revoked");
});
