// The access token lives in a variable here and nowhere else. A reload loses it; the HttpOnly cookie brings the next one.

import { asking, failed, hear } from "./ask.js";
import { UNKNOWN, board } from "./board.js";
import { calls } from "./calls.js";
import { SignedOut } from "./errors.js";
import { leaving } from "./leaving.js";
import { FLOOR, backOff, grant, retryAfter, stopwatch } from "./pace.js";
import { places } from "./places.js";
import { LONGEST, alone, noop, sleep, until } from "./wait.js";

const ATTEMPTS = 4; // How often a caller's refresh is tried,
const PATIENCE = 10_000; // and the longest pause between.

/**
 * @param {any} here the page's globals
 * @param {import("./types.js").Options} [options]
 * @returns {import("./types.js").Session}
 */
export function create(here, options = {}) {
  const { base = "/auth", api = [], lockTimeout = 5_000, endingNotice = 120_000, idle, fetch: own, onEvent } = options;
  const page = board(onEvent, (error) => here.reportError?.(error));
  const luck = () => here.Math.random();
  const send = (input, init) => (own ?? here.fetch)(input, init);
  const life = new here.AbortController();
  const disposed = life.signal;

  let place, name, server, exit, channel, timer, refreshed, tries;
  let access, over, problem; // The server's grant, why the user is out, and why no answer came.
  let era; // Of one user. Its end ends all that was asked for in it.
  let refreshing = null; // The era whose refresh is under way.
  let current; // The session that this tab believes in, also before it has a token of it.
  let shunned; // The cookie that was there as the user went out.
  let begun = false;
  let inputs = 0;
  let heard = -1; // How much of the input the server knows: opening the page is the first.
  let hold; // For how long, by the server's word.
  let warned = 0;
  access = over = problem = null;

  /** Returns the signal of the era that a call begins in. */
  function start() {
    disposed.throwIfAborted();
    if (!era) open();
    return era.signal;
  }

  function open() {
    if (!here.document) throw new Error("A session needs a page.");
    const { origin } = here.location;
    place = places(origin, base, api);
    name = options.name ?? `tower-bearer ${place.path}`;
    era = new here.AbortController();
    server = asking(here, origin + place.path, send, disposed);
    // A call that was begun before a sign-out, and answered after.
    const settle = () => (access || problem) && forget("signed_out");
    exit = leaving(server, inTurn, disposed, tell, look, again, settle);
    try {
      channel = new here.BroadcastChannel(name);
      channel.onmessage = ({ data }) => hears(Object(data));
    } catch {}
    const how = { capture: true, passive: true, signal: disposed };
    const on = (kind, work) => here.addEventListener(kind, work, how);
    // Timers sleep with the machine, and give up without a network.
    here.document.addEventListener("visibilitychange", () => here.document.hidden || wake(), how);
    on("online", () => wake());
    for (const kind of ["keydown", "pointerdown", "pointermove", "touchstart", "wheel"]) on(kind, keepAlive);
    // A page may come back as it was, long after a sign-out. So it is put away without a user, and asks.
    on("pagehide", ({ persisted }) => persisted && begun && drop());
    on("pageshow", ({ persisted }) => persisted && begun && (keepAlive(), look()));
  }

  /** The state that a call begins with. */
  function view() {
    return { era: start(), token: access?.token, origins: place.origins };
  }

  // Tabs share the cookie, so they must learn of its changes.
  function tell(type, more) {
    channel?.postMessage({ type, session: current, ...more });
  }

  function hears({ type, session, late, everywhere }) {
    if (type === "signed-out" && (!session || !current || session === current)) {
      // Of that session still: a tab that slept may learn of it after the next sign-in.
      const kept = csrf();
      if (late && kept?.endsWith(late)) exit.waiting ??= { kept, session, everywhere };
      forget("signed_out");
      // That tab tells the server. This one does so later, if no word comes that it has.
      if (exit.waiting) {
        hold = { age: stopwatch(here), wait: PATIENCE };
        wakeIn(PATIENCE);
      }
    }
    if (type === "signed-in") {
      exit.waiting = null;
      if (access?.session === session) return;
      current = session;
      drop();
      look();
    }
    if (type === "resumed") {
      // Of the session that ends here, by a tab that has not heard of it.
      if (exit.waiting?.session === session) wake();
      else if (isOut()) {
        current = session;
        look();
      } else if (access && access.session !== session) look();
    }
    if (type === "left" && exit.waiting?.session === session) exit.waiting = null;
    // That may be old news: each asks for itself.
    if ((type === "left" || type === "look") && access) look();
  }

  const inTurn = (work) => until(alone(here, name, lockTimeout, disposed, work), disposed);

  function show() {
    const { session, expiresAt, sessionEndsAt } = access ?? UNKNOWN;
    const status = over ? "out" : access ? "in" : "unknown";
    page.show({ status, renewing: refreshing === era, session, expiresAt, sessionEndsAt, reason: over, problem });
  }

  function turn(reason) {
    here.clearTimeout(timer);
    era.abort(reason);
    era = new here.AbortController();
    access = problem = hold = null;
  }

  function drop(reason = new SignedOut("signed_out")) {
    turn(reason);
    over = null;
    show();
  }

  function forget(reason) {
    over = reason;
    current = null;
    shunned = server.cookie();
    turn(new SignedOut(over));
    show();
  }

  /** The server says that it is over: the other tabs had better ask, too. */
  function end(reason) {
    if (!over) tell("look");
    forget(over ?? reason);
  }

  // A tab that was quicker has had the dead cookie cleared.
  const refused = ({ said }) => end(!current && said.code === "no_session" ? said.code : "invalid_session");

  function keep(said, seen, passive, news) {
    const next = grant(here, said, passive);
    const { session } = next;
    const isNew = session !== access?.session;
    if ((isNew && news === "signed-in") || (page.told && page.told !== session)) turn(new SignedOut("other_session"));
    access = next;
    access.csrf = server.cookie();
    current = session;
    heard = seen;
    over = problem = hold = null;
    begun = true;
    show();
    if (isNew) tell(news);
    warn();
    plan();
  }

  const left = (what) => (access ? access[what] - access.age() : 0);
  const isPassive = () => inputs === heard;
  const isAsleep = () => idle !== "renew" && here.document.hidden && isPassive();
  const isHeld = () => hold && hold.age() < hold.wait;
  // A CSRF token of the session that this tab shows: the cookie may be the next one's.
  const csrf = () => access?.csrf ?? server.cookie();
  // After a session that came from elsewhere only the user's own word counts.
  const isOut = () => over && over !== "other_session";
  // A tab without a channel gets no message of a sign-in.
  const isNews = () => isOut() && server.hint() === "v1s" && server.cookie() !== shunned;
  const due = () => (problem ? 0 : left(isPassive() ? "renew" : "tell"));

  function wake(most) {
    if (isHeld()) plan();
    else if (exit.waiting && over) exit.send().catch(noop);
    else if (isNews() || (begun && (!over || problem) && !isAsleep() && due() <= 0)) look(most);
    else plan();
  }

  function plan() {
    if (!access) return;
    // An answer that a sign-in overtook has put back the cookie of no session: the next page would believe it.
    const isStale = () => server.hint() === "v1a";
    if (isStale()) inTurn(async () => isStale() && server.token()).catch(noop);
    if (isHeld()) return;
    const sleeps = isAsleep();
    const isTold = access.endsAt === warned || (sleeps && access.isIdle);
    const wait = Math.min(sleeps ? Infinity : due(), isTold ? Infinity : left("end") - endingNotice);
    if (wait < Infinity) wakeIn(wait);
  }

  function wakeIn(wait) {
    here.clearTimeout(timer);
    timer = here.setTimeout(tick, Math.min(Math.ceil(wait), LONGEST));
  }

  function tick() {
    hold = null;
    // An outage is asked about once a round.
    if (!warn()) wake(problem ? 1 : ATTEMPTS);
  }

  /** Warns of the end, or asks first where another tab may have moved it. */
  function warn() {
    if (!access || left("end") > endingNotice || (access.isIdle && isAsleep())) return false;
    if (access.isIdle && access.age() > FLOOR && !problem) {
      look();
      return true;
    }
    const at = access.endsAt;
    // Answers count in whole seconds.
    if (Math.abs(at - warned) > 5_000) {
      page.emit({ type: "ending", cause: access.isIdle ? "idle" : "session", at });
    }
    warned = at;
    return false;
  }

  function keepAlive() {
    const isFirst = isPassive();
    inputs += 1;
    // The refresh that tells of the first, or its next try, tells of the others.
    if (isFirst && access) wake();
  }

  function look(most) {
    refresh(most).catch(noop);
  }

  function refresh(most = ATTEMPTS) {
    begun = true;
    if (refreshing === era) tries = Math.max(tries, most);
    else {
      const mine = era;
      tries = most;
      refreshed = renew(mine.signal).finally(() => {
        if (refreshing === mine) refreshing = null;
        show();
      });
      refreshing = mine;
      show();
    }
    return refreshed;
  }

  async function renew(signal) {
    for (let attempt = 1; ; attempt += 1) {
      const seen = inputs;
      const passive = isPassive();
      let wait = backOff(attempt, luck());
      let asked = 0;
      try {
        // Only the request is in turn: a tab that waits to try again holds none up.
        const answer = await until(inTurn(() => ask(passive)), signal);
        signal.throwIfAborted();
        const { ok, status, said } = answer;
        if (status === 401) refused(answer);
        if (ok && access && said.session !== access.session) end("other_session");
        signal.throwIfAborted();
        if (ok) {
          keep(said, seen, passive, "resumed");
          return;
        }
        // A newer cookie works at once. Where it does not, it is still on its way.
        if (status === 409 && attempt === 1) continue;
        asked = retryAfter(answer.headers, here.Date.now());
        wait = Math.max(wait, asked);
        problem = failed(answer);
      } catch (error) {
        signal.throwIfAborted();
        problem = error;
      }
      // The session is as good as before. A refusal does not pass by trying at once.
      if (attempt >= tries || wait > PATIENCE || /^4(?!09|29)/.test(problem.status)) {
        again(asked);
        throw problem;
      }
      show();
      await sleep(here, wait, signal);
    }
  }

  async function ask(passive) {
    if (exit.waiting) await exit.say();
    if (!current && !server.cookie()) await server.token();
    // A sign-in that another tab tells of meanwhile is newer than the hint.
    if (!current && server.hint() === "v1a") return { status: 401, said: { code: "no_session" } };
    return server.refresh(passive);
  }

  function again(asked) {
    hold = { age: stopwatch(here), wait: asked };
    wakeIn(Math.max(asked, here.document.hidden ? 10 * FLOOR : FLOOR) * (1 + luck() / 4));
  }

  /** A token with this much life left, where the server issues such. */
  async function fresh(least) {
    if (over) throw new SignedOut(over);
    const { signal } = era;
    if (!(left("life") > Math.max(least, 0))) {
      try {
        if (problem && isHeld()) throw problem;
        await until(refresh(), signal);
      } catch (error) {
        if (left("life") <= 0) throw error;
      }
    }
    signal.throwIfAborted();
    return access.token;
  }

  // A list that names another session as the browser's own is another user's.
  const isForeign = ({ said }) => access && said.sessions?.some((one) => one.current && one.id !== access.session);

  /** A call that the cookie answers for: a 401 says what it says to a refresh. */
  async function withCookie(run) {
    const signal = start();
    if (over) throw new SignedOut(over);
    let answer = await until(run(), signal);
    // The cookie may be the next user's, who has no such session.
    if (/^40[49]/.test(answer.status) || isForeign(answer)) {
      await until(refresh(), signal);
      answer = await until(run(), signal);
    }
    signal.throwIfAborted();
    if (answer.status === 401) refused(answer);
    signal.throwIfAborted();
    return answer;
  }

  async function enter(request, isFirst = true) {
    const signal = start();
    const [before, was, seen] = [current, exit.waiting, inputs];
    // A call that was begun as one user is not sent as another, nor as none.
    const check = () => (before ? signal : disposed).throwIfAborted();
    const work = async () => {
      // Beside the next cookie it would be moot.
      if (was && was === exit.waiting) await exit.say().catch(noop);
      const answer = await server.guarded((copy) => {
        check();
        return request(copy);
      });
      disposed.throwIfAborted();
      if (!answer.ok) return answer;
      const { session } = answer.said;
      const late = exit.waiting;
      if (late?.isOwn && late !== was) {
        // The user signed out meanwhile, and this is what ends.
        late.session = session;
        late.kept = server.cookie();
        throw new SignedOut("signed_out");
      }
      if (session === before) signal.throwIfAborted();
      // In turn, so that the news cannot arrive after that of the next one.
      keep(answer.said, seen, false, "signed-in");
      exit.waiting = null;
      return answer;
    };
    const result = await inTurn(work).catch((error) => {
      // An answer that was lost may have brought the next cookie.
      if (error.status === 0) access ? look() : wake();
      throw error;
    });
    if (result.ok) return;
    if (!isFirst || result.status !== 409 || !/^(superseded|refresh_first)$/.test(result.said.code)) throw failed(result);
    await refresh();
    check();
    return enter(request, false);
  }

  async function leaveAll(signal, isFirst = true) {
    try {
      return await inTurn(async () => {
        // Not as another user.
        signal.throwIfAborted();
        const said = await exit.all(csrf());
        if (said.access_token) return keep(said, inputs, false, "resumed");
        tell("signed-out");
        forget("signed_out");
      });
    } catch (/** @type {any} */ error) {
      if (!isFirst || error.status !== 409) throw error;
      await until(refresh(), signal);
      return leaveAll(signal, false);
    }
  }

  const self = {
    get state() {
      return page.state;
    },
    subscribe(listener) {
      if (here.document && !disposed.aborted) start();
      // The same function may come twice.
      const one = () => listener();
      page.listeners.add(one);
      return () => page.listeners.delete(one);
    },
    async resume() {
      start();
      try {
        await refresh();
      } catch (error) {
        // A sign-in elsewhere came between: its session is the answer.
        if (over || !(error instanceof SignedOut)) throw error;
        if (!access) await self.resume();
      }
    },
    begin: (request) => enter(async (copy) => hear(await request(new here.Headers({ "X-CSRF-Token": copy })))),
    signIn: (body, path = "login") =>
      enter((copy) =>
        server.post(
          `/${path}`,
          { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) },
          copy,
        ),
      ),
    async signOut({ everywhere = false } = {}) {
      const signal = start();
      let refusal;
      try {
        // The server may refuse it, and then the user stays.
        if (everywhere) return await leaveAll(signal);
      } catch (/** @type {any} */ error) {
        // A tab that is late is told 401 too, and its session lives.
        if (error.status === 401) refusal = error;
        else if (!/^(0|5..)$/.test(error.status)) throw error;
      }
      signal.throwIfAborted();
      if (refusal) everywhere = false;
      const kept = csrf();
      // One that waits goes on waiting.
      exit.waiting = { kept, session: current, ...(over && exit.waiting), isOwn: true };
      exit.waiting.everywhere ||= everywhere;
      tell("signed-out", { late: kept?.slice(-9), everywhere });
      forget("signed_out");
      await exit.send();
      if (refusal) throw refusal;
    },
    async sessions() {
      const answer = await withCookie(() => server.ask("/sessions"));
      if (!answer.ok || !answer.said.sessions) throw failed(answer);
      return answer.said.sessions;
    },
    async revoke(id) {
      const ask = () => server.change(`/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
      const answer = await withCookie(() => inTurn(ask));
      if (!answer.ok && answer.status !== 404) throw failed(answer);
      if (id === current) look();
    },
    keepAlive,
    ...calls(here, send, view, fresh, refresh),
    dispose() {
      life.abort(new Error("disposed"));
      if (era) drop(disposed.reason);
      channel?.close();
      page.listeners.clear();
    },
  };
  return self;
}
