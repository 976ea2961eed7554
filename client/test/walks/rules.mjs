// Rules that hold at every step of a walk, and at its end.

const MINUTE = 60_000;
/** As many refreshes of one page a minute as the steps and faults of a walk can ask for. */
const MOST_A_MINUTE = 40;
const HOSTS = new Set(["https://app.example", "https://api.example"]);

/** A rule that the client broke. */
export class Broken extends Error {}

export class Rules {
  calls = []; // Each call of a page on its session.
  signOuts = []; // Each sign-out that a user asked for.
  broken = null; // The first rule that did not hold.

  /** @param {boolean} hasLocks whether the browser has Web Locks */
  constructor(world, hasLocks) {
    this.world = world;
    this.hasLocks = hasLocks;
    this.server = world.server;
    this.server.onSignOut = (request, session) => this.#onSignOut(request, session);
  }

  /** Watches a page from its first moment. */
  watch(page) {
    let before = page.session.state;
    page.refreshes = [];
    page.session.subscribe(() => {
      const { state } = page.session;
      if (state === before) return;
      this.#onState(page, before, state);
      before = state;
    });
  }

  /** The user whom a page shows, or null. */
  shown(page) {
    const { status, session } = page.session.state;
    return status === "in" ? (this.server.sessions.byId.get(session)?.user ?? null) : null;
  }

  /**
   * A call on the session of a page. It settles, with nothing that the page's user may not see.
   * @param {(call: object) => Promise<any>} work
   * @param {(value: any) => string | null} userOf whose answer it is
   */
  call(page, name, work, { userOf = () => null, errors = [] } = {}) {
    const call = { id: String(this.calls.length), page, name, shown: this.shown(page), isSettled: false };
    this.calls.push(call);
    const settle = (check) => (outcome) => {
      call.isSettled = true;
      call.outcome = outcome;
      if (!page.isGone) check(outcome);
    };
    let promise;
    try {
      promise = Promise.resolve(work(call));
    } catch (error) {
      this.breaks(`${name} throws instead of rejecting: ${error}`);
      return call;
    }
    promise.then(
      settle((value) => this.#onAnswer(call, userOf(value))),
      settle((error) => this.#onError(call, error, errors)),
    );
    return call;
  }

  breaks(what) {
    this.broken ??= new Broken(what);
  }

  /** A request leaves a page. */
  onRequest(request) {
    const { page, url, headers, method } = request;
    const token = headers.get("Authorization")?.replace("Bearer ", "") ?? null;
    if (!HOSTS.has(url.origin)) this.breaks(`a request leaves for ${url.origin}`);
    if (url.origin !== "https://app.example" && headers.has("X-CSRF-Token")) this.breaks("a CSRF token leaves");
    if (method === "POST" && url.pathname === "/auth/refresh") this.#onRefresh(page, request);
    if (token === null) return;
    const known = this.server.sessions.tokens.get(token) ?? this.forgotten?.get(token);
    if (!known) return this.breaks(`a token that never was: ${token}`);
    const shown = this.shown(page);
    if (shown !== known.user) this.breaks(`a request goes out with the token of ${known.user}, and the tab shows ${shown}`);
    const call = this.calls[headers.get("X-Call") ?? -1];
    if (call?.shown && call.shown !== known.user) {
      this.breaks(`a request of ${call.shown} goes out with the token of ${known.user}`);
    }
  }

  #onRefresh(page, request) {
    const { now } = this.world.clock;
    page.lastRefresh = request;
    page.refreshes = page.refreshes.filter((at) => now - at < MINUTE);
    page.refreshes.push(now);
    if (page.refreshes.length > MOST_A_MINUTE) this.breaks(`${page.refreshes.length} refreshes of one page in a minute`);
  }

  #onAnswer(call, user) {
    if (user === null) return;
    const { page, name, shown } = call;
    if (shown !== null && user !== shown) this.breaks(`${name} of ${shown} gets the answer of ${user}`);
    const now = this.shown(page);
    // The list needs no token: a page may ask for it before anything else.
    if (name === "sessions" && page.session.state.status === "unknown") return;
    if (user !== now) this.breaks(`${name} gets the answer of ${user}, and the tab shows ${now}`);
  }

  #onError({ name }, error, expected) {
    const isKnown =
      (error?.message === "signed out" && "reason" in error) ||
      typeof error?.status === "number" ||
      error?.message === "Failed to fetch" ||
      expected.includes(error?.name);
    if (!isKnown) this.breaks(`${name} rejects with what no page expects: ${error?.stack ?? error}`);
  }

  #onState(page, before, state) {
    if (!Object.isFrozen(state)) this.breaks("a state that is not frozen");
    if (state.reason !== before.reason) page.isMisled = state.reason === "no_session" && this.#misleads(page.browser.jar);
    if (state.status === "in" && !this.server.sessions.byId.has(state.session)) {
      this.breaks(`signed in to no session: ${state.session}`);
    }
    if (state.status !== "out" || before.status !== "in") return;
    const session = this.server.sessions.byId.get(before.session);
    if (state.reason === "signed_out") {
      if (this.signOuts.length === 0) this.breaks("signed out, and no user wanted it");
    } else if (this.#lostTheCookie(page)) {
      return;
    } else if (this.server.sessionOf(page.browser.jar) === session && this.server.sessions.isLive(session)) {
      this.breaks(`an honest user is signed out: ${state.reason}, session ${before.session} lives`);
    }
  }

  /**
   * Whether the cookie says that there is no session beside one that lives. An answer that was asked for before a
   * sign-in and comes after it puts it back. A page that is loaded then cannot know better.
   */
  #misleads(jar) {
    return this.server.sessionOf(jar) !== null && Boolean(jar.value(this.server.name)?.startsWith("v1a."));
  }

  /**
   * Whether the page asked without the session's cookie. Without Web Locks requests of two tabs cross. The answer of a
   * sign-out takes the cookie of a sign-in away. The answer of a refresh that left before puts it back.
   */
  #lostTheCookie({ lastRefresh }) {
    return !this.hasLocks && !lastRefresh.cookies.some(([name]) => name === "refresh");
  }

  /** A user wants to be signed out. One from everywhere is taken only once the call says so: until then the user is in. */
  wantsOut(page, everywhere) {
    const { session } = page.session.state;
    // An answer that came late may have put an older session's cookie back: then no request can end this one.
    const { session: kept } = this.server.sessions.read(page.browser.jar.value("refresh", "/auth"));
    const isThere = session !== null && kept?.id === session;
    // Only a tab that shows the session knows for certain whose sign-out it hears of: the keys may be new.
    const others = page.browser.pages.filter((other) => !other.frozen && other.session.state.session === session);
    const witnesses = new Set([page, ...others]);
    const user = this.shown(page);
    const wish = { at: this.world.clock.now, user, session: isThere ? session : null, witnesses, isTaken: !everywhere, everywhere };
    this.signOuts.push(wish);
    return wish;
  }

  /** A page that is left or closed may forget that a sign-out is to be sent. */
  forgets(page) {
    for (const { witnesses } of this.signOuts) witnesses.delete(page);
  }

  /** A sign-out that comes late ends no session that began later. */
  #onSignOut(request, session) {
    const { now } = this.world.clock;
    if (request.url.pathname === "/auth/logout-all") {
      // A page that does not know its user yet may ask as well.
      const isTheirs = this.signOuts.some(({ user, everywhere }) => everywhere && (user ?? session.user) === session.user);
      if (!isTheirs) this.breaks(`every session of ${session.user} ends, and only others wanted that`);
    }
    if (request.url.pathname !== "/auth/logout") return;
    const isMeant = this.signOuts.some(({ at }) => session.createdAt <= at + 10_000);
    if (!isMeant) {
      const last = this.signOuts.at(-1);
      this.breaks(
        `a late sign-out ends the next session ${session.id} of ${session.user}, ${now - session.createdAt} ms after its beginning, ${now - last?.at} ms after the sign-out`,
      );
    }
  }

  /** The events of a page end where its state does. */
  #onEvents({ slot, events, session: { state } }) {
    const last = (...types) => events.findLast(({ type }) => types.includes(type));
    const user = last("signed-in", "user-changed", "signed-out");
    const isTold = state.status === "in" ? user?.session === state.session : user?.type === "signed-out";
    if (!isTold) this.breaks(`the last event of tab ${slot} is ${JSON.stringify(user)}, and its state ${state.status}`);
    if (last("outage", "recovered")?.type === "outage") this.breaks(`no event tells tab ${slot} that the outage is over`);
  }

  /** After a session was disposed of. */
  afterDisposal(page) {
    if (page.timers > 0) this.breaks(`tab ${page.slot} is disposed of, and keeps ${page.timers} timers`);
    if (page.browser.channels.count(page) > 0) this.breaks(`tab ${page.slot} is disposed of, and keeps its channel`);
    for (const call of this.calls) {
      if (!call.isSettled && call.page === page) this.breaks(`${call.name} does not hear that tab ${page.slot} is disposed of`);
    }
  }

  /** The event that a tab has to send. One that the cookie misled says `out` as long as it does. */
  #wanted(page) {
    const { jar } = page.browser;
    if (page.isMisled && this.#misleads(jar)) return "out";
    const live = this.server.sessionOf(jar);
    return live ? `in ${live.id}` : "out";
  }

  /** Whether every tab says what the server says. */
  agree(browser) {
    return browser.pages.every((page) => {
      const { problem, renewing } = page.session.state;
      return !problem && !renewing && this.#wanted(page) === said(page);
    });
  }

  /** Whether a page waits for a word of its user: it met another user's session, or the cookie misled it. */
  waits({ isMisled, session: { state } }) {
    return isMisled || state.reason === "other_session";
  }

  /** After the network is back and time has passed. */
  atEnd(browser) {
    for (const page of browser.pages) {
      const wanted = this.#wanted(page);
      const { problem, renewing, reason } = page.session.state;
      if (wanted !== said(page)) {
        this.breaks(`tab ${page.slot} says ${said(page)}, and the server ${wanted} (${reason})`);
      }
      if (problem || renewing) this.breaks(`tab ${page.slot} still has a problem, or is renewing: ${problem}`);
      this.#onEvents(page);
    }
    for (const call of this.calls) {
      if (!call.isSettled && !call.page.isGone) this.breaks(`${call.name} of tab ${call.page.slot} never settles`);
    }
    for (const { session, witnesses, isTaken } of this.signOuts) {
      const known = this.server.sessions.byId.get(session);
      if (known && isTaken && witnesses.size > 0 && this.server.sessions.isLive(known)) {
        this.breaks(`the sign-out of ${session} is lost`);
      }
    }
  }
}

function said({ session: { state } }) {
  return state.status === "in" ? `in ${state.session}` : state.status;
}
