// The steps of a walk.

const HOUR = 3_600_000;

/** Which page can do something: not one that is frozen. */
const runs = (page) => !page.frozen;

const user = { userOf: (value) => value?.user ?? null };

/** A call that gets a Response: its status may be any. */
function fetches(tabs, page, name, input, init = {}, more = {}) {
  const { rules } = tabs;
  const ask = (call) => {
    const headers = new Headers(init.headers);
    headers.set("X-Call", call.id);
    const made = input instanceof Function ? input(headers) : [input, { ...init, headers }];
    return page.session.fetch(...made);
  };
  // The answer is judged as it arrives: a head says whose it is.
  const userOf = (response) => (response.status === 200 ? response.headers.get("X-User") : null);
  return rules.call(page, name, ask, { userOf, ...more });
}

const ACTS = {
  fetch: (tabs, page) => fetches(tabs, page, "fetch", "/api/profile"),
  post: (tabs, page) => fetches(tabs, page, "post", "/api/items", { method: "POST", body: "text" }),
  request: (tabs, page) =>
    fetches(tabs, page, "request", (headers) => [
      new Request("https://app.example/api/items", { method: "POST", body: "text", headers }),
    ]),
  stream: (tabs, page) =>
    fetches(tabs, page, "stream", (headers) => [
      "/api/files",
      { method: "POST", headers, duplex: "half", body: new Response("a stream").body },
    ]),
  keptAlive: (tabs, page) =>
    fetches(tabs, page, "keptAlive", "/api/log", { method: "POST", body: "text", keepalive: true }),
  json: ({ rules }, page) =>
    rules.call(
      page,
      "json",
      (call) => page.session.json("/api/profile", { headers: { "X-Call": call.id } }),
      user,
    ),
  otherApi: (tabs, page) => fetches(tabs, page, "otherApi", "https://api.example/profile"),
  foreign: (tabs, page) =>
    fetches(tabs, page, "foreign", new Request("https://evil.example/"), {}, { errors: ["TypeError"] }),
  needsRecent: (tabs, page) => fetches(tabs, page, "needsRecent", "/api/recent"),
  token: (tabs, page) =>
    tabs.rules.call(
      page,
      "token",
      async () => {
        const token = await page.session.token({ atLeast: 30_000 });
        const known = tabs.world.server.sessions.tokens.get(token) ?? tabs.rules.forgotten?.get(token);
        return { user: known?.user ?? "no user" };
      },
      user,
    ),
  aborted(tabs, page, { number }) {
    const control = new AbortController();
    const call = fetches(tabs, page, "aborted", "/api/profile", { signal: control.signal }, { errors: ["AbortError"] });
    page.soon(() => {
      control.abort();
      // Heard at once: no later than a page can do anything.
      page.soon(() => call.isSettled || tabs.rules.breaks("an abort is not heard at once"), 5);
    }, number * 400);
  },
  signIn: ({ rules }, page, { user: email }) =>
    rules.call(page, "signIn", () => page.session.signIn({ email, password: "right" })),
  wrongPassword: ({ rules }, page, { user: email }) =>
    rules.call(page, "wrongPassword", () => page.session.signIn({ email, password: "wrong" })),
  providerReturn(tabs, page, { user: email, slot }, open) {
    const { browser, world } = tabs;
    if (!browser.net.isUp) return;
    world.server.signIn(browser.jar, email, browser.agent);
    open(tabs, slot);
  },
  stepUp({ rules }, page) {
    const { session, here } = page;
    rules.call(
      page,
      "stepUp",
      async () => {
        const token = await session.token({ atLeast: 5000 });
        await session.begin((headers) => {
          headers.set("Authorization", `Bearer ${token}`);
          headers.set("Content-Type", "application/json");
          return here.fetch("/auth/step-up", { method: "POST", headers, body: '{"password":"right"}' });
        });
      },
    );
  },
  signOut({ rules }, page) {
    rules.wantsOut(page, false);
    rules.call(page, "signOut", () => page.session.signOut());
  },
  signOutEverywhere({ rules }, page) {
    const wish = rules.wantsOut(page, true);
    rules.call(page, "signOutEverywhere", async () => {
      await page.session.signOut({ everywhere: true });
      wish.isTaken = true;
    });
  },
  resume: ({ rules }, page) => rules.call(page, "resume", () => page.session.resume()),
  sessions: ({ rules, world }, page) =>
    rules.call(page, "sessions", () => page.session.sessions(), {
      userOf: ([first]) => world.server.sessions.byId.get(first.id).user,
    }),
  revokeOwn({ rules }, page) {
    const { session } = page.session.state;
    if (session) rules.call(page, "revokeOwn", () => page.session.revoke(session));
  },
  input: (tabs, page) => page.fire("pointerdown"),
  hide: (tabs, page) => page.hide(),
  show: (tabs, page) => page.hide(false),
  suspend: (tabs, page) => page.freeze(),
  leave({ rules }, page) {
    if (!page.leave()) return;
    rules.forgets(page);
    // The next user of this computer may bring it back.
    if (page.session.state.status === "in") rules.breaks("the browser keeps a page with its user");
  },
};

/** Events of the world, or to a page that may be frozen. */
const EVENTS = {
  reload: (tabs, page, { slot }, open) => open(tabs, slot),
  thaw: (tabs, page) => page.frozen === "suspended" && page.thaw(),
  comeBack: (tabs, page) => page.frozen === "cached" && page.comeBack(),
  networkOff: ({ browser }) => browser.network(false),
  networkOn: ({ browser }) => browser.network(true),
  weather: ({ browser, world }, page, { number }) => (browser.net.weather = weather(world.random, number)),
  calm: ({ browser }) => (browser.net.weather = () => undefined),
  storeDown: ({ world }) => (world.server.isDown = true),
  storeUp: ({ world }) => (world.server.isDown = false),
  newKeys: ({ world }) => world.server.rotateKeys(),
  newAgent: ({ browser }, page, { number }) => (browser.agent = `browser ${Math.floor(number * 1e6)}`),
  clockJump: ({ browser }, page, { number }) => (browser.skew = [0, 5, -5, 60, -60, 600][Math.floor(number * 6)] * 60_000),
  ended({ browser, world }) {
    const live = world.server.sessionOf(browser.jar);
    if (live) world.server.sessions.end(live, "revoked");
  },
  forgetTokens({ rules, world }) {
    const { tokens } = world.server.sessions;
    rules.forgotten = new Map([...(rules.forgotten ?? []), ...tokens]);
    tokens.clear();
  },
  sleep({ world, pages }, page, { number }) {
    const awake = pages.filter(runs);
    for (const one of awake) one.freeze();
    world.clock.after(number * 3 * HOUR, () => {
      for (const one of awake) if (one.frozen === "suspended" && !one.isGone) one.thaw();
    });
  },
};

/** Faults by chance, more or less of them. */
function weather(random, number) {
  const part = 0.05 + number * 0.5;
  return (request) => {
    if (random() > part) return undefined;
    switch (random.weighed({ lost: 3, unheard: 3, slow: 3, late: 1, body: 2, busy: 2, date: 1, guard: 1 })) {
      case "lost":
        return { lost: true };
      case "unheard":
        return { unheard: true };
      case "slow":
        return { slow: random.between(500, 8000) };
      case "late":
        return { slow: random.between(10_000, 60_000) };
      case "body":
        return { body: random.between(10, 3000) };
      case "busy":
        return { answer: busy(String(random.pick([0, 1, 5, 30, 600]))) };
      case "date":
        return { answer: busy(new Date(request.at + random.pick([1000, 30_000])).toUTCString()) };
      default:
        return request.url.pathname.startsWith("/auth/") ? { answer: { status: 403, body: { code: "csrf" } } } : undefined;
    }
  };
}

const busy = (after) => ({ status: 503, headers: { "Retry-After": after }, body: { title: "busy", code: "unavailable" } });

/** Does a step. */
export function act(tabs, step, open) {
  const page = tabs.pages[step.slot];
  if (EVENTS[step.does]) EVENTS[step.does](tabs, page, step, open);
  else if (runs(page)) ACTS[step.does](tabs, page, step, open);
}
