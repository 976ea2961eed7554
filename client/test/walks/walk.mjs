// One walk: three tabs of one browser, two users, faults, and time that passes.

import { World } from "../world.mjs";
import { SLOTS, told } from "./plan.mjs";
import { Rules } from "./rules.mjs";
import { act } from "./steps.mjs";

const MINUTE = 60_000;

/**
 * Walks the steps.
 * @param {number} seed
 * @param {object[]} steps
 * @returns {Promise<{ broken: Error | null, calls: number, log: string[], sent?: string[] }>} `sent` tells each request
 */
export async function walk(seed, steps) {
  const world = new World({ seed, server: limits(seed) });
  const browser = world.browser();
  const lacks = seed % 7 === 0 ? { locks: seed % 2 ? "none" : "refused" } : {};
  const rules = new Rules(world, !lacks.locks);
  const given = {
    lacks,
    options: { api: ["https://api.example"], idle: seed % 5 === 0 ? "renew" : "sleep-when-hidden" },
  };
  browser.net.watch = (request) => rules.onRequest(request);
  const tabs = { world, rules, browser, given, pages: [], began: world.clock.now };
  // Most walks begin where a user has been before.
  if (seed % 4) world.server.signIn(browser.jar, "alice", browser.agent);
  for (let slot = 0; slot < SLOTS; slot += 1) open(tabs, slot);
  const log = [];
  try {
    for (const step of steps) {
      log.push(told({ ...step, at: world.clock.now - tabs.began }));
      act(tabs, step, open);
      await world.until(() => rules.broken !== null, step.wait);
      if (rules.broken) break;
    }
    if (!rules.broken) await end(tabs);
  } catch (error) {
    // A client for which time stands still, for instance.
    rules.breaks(error.message);
  }
  return { broken: rules.broken, calls: rules.calls.length, log, sent: browser.net.sent.map(({ at, url, status }) => `${at} ${url.pathname} ${status}`) };
}

/** Some servers have an idle lifetime, a short absolute one, or tokens that end soon; in seconds. */
function limits(seed) {
  return {
    ...(seed % 3 === 0 && { idle: 1800 }),
    ...(seed % 11 === 0 && { absolute: 3600 }),
    ...(seed % 13 === 0 && { life: 90 }),
  };
}

/** Opens a page in a tab, in place of the one that was there. */
function open(tabs, slot) {
  const { world, rules, browser, given, pages } = tabs;
  if (pages[slot]) {
    rules.forgets(pages[slot]);
    pages[slot].close();
  }
  const page = world.page(browser, given);
  page.slot = slot;
  pages[slot] = page;
  rules.watch(page);
  rules.call(page, "resume", () => page.session.resume());
  return page;
}

/** Every fault passes, every tab is looked at, and a person is there for a while. */
async function end({ world, rules, browser, pages }) {
  const isBroken = () => rules.broken !== null;
  browser.net.weather = () => undefined;
  world.server.isDown = false;
  browser.network(true);
  for (const page of pages) {
    if (page.frozen === "cached") page.comeBack();
    else if (page.frozen) page.thaw();
    page.hide(false);
  }
  // A server may have asked for ten minutes of patience.
  await world.until(isBroken, 15 * MINUTE);
  const refreshes = () => world.server.requests.filter(({ path }) => path === "/auth/refresh").length;
  const before = refreshes();
  for (let minutes = 0; minutes < 40 && !isBroken(); minutes += 5) {
    for (const page of pages) page.fire("keydown");
    await world.until(isBroken, 5 * MINUTE);
  }
  const most = Math.ceil(2400 / Math.max(30, world.server.sessions.limits.life - 75)) + 2;
  const made = refreshes() - before;
  if (made > most * pages.length) rules.breaks(`${made} refreshes in forty quiet minutes`);
  for (const page of pages) if (rules.waits(page)) page.session.resume().catch(() => {});
  await world.until(isBroken, MINUTE);
  // A session may have run out a moment ago.
  await world.until(() => isBroken() || rules.agree(browser), 2 * MINUTE);
  rules.atEnd(browser);
  const sent = browser.net.sent.length;
  for (const { session } of pages) {
    rules.call(pages[0], "resume", () => session.resume(), { errors: ["Error", "AbortError"] });
    session.dispose();
  }
  await world.until(isBroken, MINUTE);
  for (const page of pages) rules.afterDisposal(page);
  if (browser.net.sent.length > sent + 2 * pages.length) rules.breaks("requests leave after the end");
}
