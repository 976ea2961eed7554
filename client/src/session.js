// The access token lives in a variable here and nowhere else. A reload loses it; the HttpOnly cookie brings the next one.

import { asking, failed, hear } from "./ask.js";
import { UNKNOWN, board } from "./board.js";
import { calls } from "./calls.js";
import { Failed, SignedOut } from "./errors.js";
import { FLOOR, backOff, lives, rest, retryAfter } from "./pace.js";
import { alone, noop, sleep, until } from "./wait.js";

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
  const now = () => here.Date.now();
  const luck = () => here.Math.random();
  const send = (input, init) => (own ? own(input, init) : here.fetch(input, init));
  const life = new AbortController();

  let name, origins, server, channel, timer, access, refreshing, over, problem;
  let era; // Of one user. Its end ends all that was asked for in it.
  let current; // The session that this tab believes in, also before it has a token of it.
  let leaving; // A sign-out that the server has not heard of.
  let begun = false;
  let inputs = 0;
  let heard = -1; // How much of the input the server knows: opening the page is the first.
  let entering = 0;
  let rounds = 0;
  let held = false; // Until the timer, by the server's word.
  let warned = 0;

  function start() {
    life.signal.throwIfAborted();
    if (era) return;
    if (!here.document) throw new Error("A session needs a page.");
    const { origin } = here.location;
    const root = new URL(base, origin);
    if (root.origin !== origin) throw new TypeError("base: another origin");
    origins = [origin, ...api.map((url) => new URL(url).origin)];
    const path = root.pathname.replace(/\/$/, "");
    name = options.name ?? `tower-bearer ${path}`;
    era = new here.AbortController();
    server = asking(here, origin + path, send, life.signal);
    try {
      channel = new here.BroadcastChannel(name);
      channel.onmessage = ({ data }) => hears(data);
    } catch {}
    const how = { capture: true, passive: true, signal: life.signal };
    const on = (kind, work) => here.addEventListener(kind, work, how);
    // Timers sleep with the machine, and give up without a network.
    here.document.addEventListener("visibilitychange", () => here.document.hidden || wake(), how);
    on("online", wake);
    for (const kind of ["keydown", "pointerdown", "pointermove", "touchstart", "wheel"]) on(kind, keepAlive);
    // A page may come back as it was, long after a sign-out: it is put away without a user, and asks.
    on("pagehide", ({ persisted }) => persisted && begun && drop());
    on("pageshow", ({ persisted }) => persisted && begun && (keepAlive(), look()));
  }

  // What tabs share is the cookie, so they must hear of its changes.
  function tell(type, more) {
    channel?.postMessage({ type, session: current, ...more });
  }

  function hears({ type, session, late }) {
    if (type === "signed-out" && (!session || !current || session === current)) {
      // Of that session still: a tab that slept may hear of it after the next sign-in.
      const kept = server.cookie();
      if (late && kept?.endsWith(late)) leaving ??= { kept };
      forget("signed_out");
    }
    if (type === "signed-in") {
      leaving = null;
      if (access?.session === session) return;
      current = session;
      drop();
      look();
    }
    if (type === "resumed") {
      // After a session that came from elsewhere only the user's own word counts.
      if (over && over !== "other_session") {
        current = session;
        look();
      } else if (access && access.session !== session) look();
    }
    if (type === "left") leaving = null;
    // That may be old news: each asks for itself.
    if ((type === "left" || type === "look") && access) look();
  }

  const inTurn = (work) => alone(here, name, lockTimeout, life.signal, work);

  function show() {
    const { session, expiresAt, sessionEndsAt } = access ?? UNKNOWN;
    const status = over ? "out" : access ? "in" : "unknown";
    page.show({ status, renewing: refreshing?.era === era, session, expiresAt, sessionEndsAt, reason: over ?? null, problem: problem ?? null });
  }

  function turn(reason) {
    here.clearTimeout(timer);
    era.abort(reason);
    era = new here.AbortController();
    access = problem = null;
    held = false;
  }

  function drop() {
    turn(new SignedOut("signed_out"));
    over = null;
    show();
  }

  function forget(reason) {
    // A tab that was quicker has had the dead cookie cleared.
    over = current && reason === "no_session" ? "invalid_session" : reason;
    current = null;
    turn(new SignedOut(over));
    show();
  }

  /** The server says that it is over: the other tabs had better ask, too. */
  function end(reason) {
    if (!over) tell("look");
    forget(over ?? reason);
  }

  const refused = ({ said }) => end(said.code === "no_session" ? "no_session" : "invalid_session");

  function keep(said, seen, passive, isNew) {
    const { access_token: token, session } = said;
    if (!token || !session) throw new Failed(0, "no token");
    if (isNew || (page.told && page.told !== session)) turn(new SignedOut("other_session"));
    const at = now();
    const times = lives(said, passive, luck());
    access = { ...times, token, session, at, steady: steady(), expiresAt: at + times.life, sessionEndsAt: times.whole === null ? null : at + times.whole };
    current = session;
    heard = seen;
    over = problem = null;
    begun = true;
    rounds = 0;
    held = false;
    show();
    warn();
    plan();
  }

  // Either clock may stand still, or jump.
  const steady = () => here.performance?.now() ?? 0;
  const age = () => Math.max(now() - access.at, steady() - access.steady);
  const left = () => (access ? access.life - age() : 0);
  const isPassive = () => inputs === heard;
  const isAsleep = () => idle !== "renew" && here.document.hidden && isPassive();
  const due = () => (problem || !access ? 0 : access[isPassive() ? "renew" : "tell"] - age());

  function wake() {
    if (leaving && over) leave().catch(noop);
    else if (begun && (!over || problem) && !held && !isAsleep() && due() <= 0) look();
    else plan();
  }

  function plan() {
    if (!access || held) return;
    const sleeps = isAsleep();
    const isTold = access.at + access.end === warned || (sleeps && access.isIdle);
    const wait = Math.min(sleeps ? Infinity : due(), isTold ? Infinity : access.end - endingNotice - age());
    if (wait < Infinity) at(wait);
  }

  function at(wait) {
    here.clearTimeout(timer);
    timer = here.setTimeout(tick, Math.min(Math.max(Math.ceil(wait), 0), 2 ** 31 - 1));
  }

  function tick() {
    held = false;
    if (!warn()) wake();
  }

  /** Warns of the end, or asks first where another tab may have moved it. */
  function warn() {
    if (!access || access.end - age() > endingNotice || (access.isIdle && isAsleep())) return false;
    if (access.isIdle && age() > FLOOR && !problem) {
      look();
      return true;
    }
    const end = access.at + access.end;
    // Answers count in whole seconds.
    const isNew = Math.abs(end - warned) > 5_000;
    warned = end;
    if (isNew) page.emit({ type: "ending", cause: access.isIdle ? "idle" : "session", at: end });
    return false;
  }

  function keepAlive() {
    const isFirst = isPassive();
    inputs += 1;
    // The refresh that tells of the first, or its next try, tells of the others.
    if (isFirst && access) wake();
  }

  const look = () => void refresh().catch(noop);

  function refresh() {
    begun = true;
    if (refreshing?.era !== era) {
      const mine = { era, done: renew(era.signal) };
      const settled = () => {
        if (refreshing === mine) refreshing = null;
        show();
      };
      mine.done.then(settled, settled);
      refreshing = mine;
      show();
    }
    return refreshing.done;
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
          const isNews = !access;
          keep(said, seen, passive);
          if (isNews) tell("resumed");
          return;
        }
        // A newer cookie works at once. Where it does not, it is still on its way.
        if (status === 409 && attempt === 1) continue;
        asked = retryAfter(answer.headers, now());
        wait = Math.max(wait, asked);
        problem = failed(answer);
      } catch (error) {
        signal.throwIfAborted();
        problem = error;
      }
      // The session is as good as before. A refusal does not pass by trying at once.
      if (attempt === ATTEMPTS || wait > PATIENCE || /^4(?!09|29)/.test(problem.status)) {
        again(asked);
        throw problem;
      }
      show();
      await sleep(here, wait, signal);
    }
  }

  async function ask(passive) {
    if (leaving) await logout();
    if (!current && (await server.isAnonymous())) return { status: 401, said: { code: "no_session" } };
    return server.change("/refresh", { headers: passive ? { "X-Session-Activity": "passive" } : {} });
  }

  function again(asked) {
    held = asked > 0;
    at(Math.max(asked, rest(rounds, here.document.hidden)) * (1 + luck() / 4));
    rounds += 1;
  }

  /** A token with this much life left, where the server issues such. */
  async function fresh(least) {
    if (over) throw new SignedOut(over);
    const { signal } = era;
    if (left() <= least) {
      try {
        if (problem && held) throw problem;
        await until(refresh(), signal);
      } catch (error) {
        if (left() <= 0) throw error;
      }
    }
    signal.throwIfAborted();
    return access.token;
  }

  // A list that names another session as the browser's own is another user's.
  const isForeign = ({ said }) => access && said.sessions?.some((one) => one.current && one.id !== access.session);

  /** A call that the cookie answers for: a 401 says what it says to a refresh. */
  async function withCookie(run) {
    start();
    if (over) throw new SignedOut(over);
    const { signal } = era;
    let answer = await until(run(), signal);
    if (answer.status === 409 || isForeign(answer)) {
      await until(refresh(), signal);
      answer = await until(run(), signal);
    }
    signal.throwIfAborted();
    if (answer.status === 401) refused(answer);
    signal.throwIfAborted();
    if (!answer.ok && answer.status !== 404) throw failed(answer);
    return answer.said;
  }

  async function enter(ask, again = true) {
    start();
    const { signal } = era;
    const [before, was, seen] = [current, leaving, inputs];
    const work = async () => {
      const answer = await server.guarded(ask);
      life.signal.throwIfAborted();
      if (!answer.ok) return answer;
      const { session } = answer.said;
      // A sign-out waits behind this, or has ended the session that stepped up.
      if (leaving && leaving !== was) throw new SignedOut("signed_out");
      if (session === before) signal.throwIfAborted();
      const isNew = session !== access?.session;
      keep(answer.said, seen, false, isNew);
      leaving = null;
      // In turn, so that it cannot arrive after the news of the next one.
      if (isNew) tell("signed-in");
      return answer;
    };
    entering += 1;
    const answer = await until(inTurn(work), life.signal).finally(() => {
      entering -= 1;
      // A sign-out that waits behind this ends what is there now.
      if (leaving) leaving.kept ??= server.cookie();
    });
    if (answer.ok) return;
    if (!again || answer.status !== 409 || !/^(superseded|refresh_first)$/.test(answer.said.code)) throw failed(answer);
    await refresh();
    return enter(ask, false);
  }

  async function logout() {
    const { kept, everywhere } = leaving;
    let answer = await server.change(everywhere ? "/logout-all" : "/logout", { kept });
    // Refused, or late: this session ends at least.
    if (everywhere && /^40[13]/.test(answer.status)) answer = await server.change("/logout", { kept });
    // 401: the session had ended before.
    if (!answer.ok && answer.status !== 401) throw failed(answer);
    leaving = null;
    tell("left");
    if (answer.isMoot) {
      tell("resumed", { session: null });
      look();
    }
    // What was begun before this, and answered after.
    if (access || problem) forget("signed_out");
  }

  const leave = () =>
    inTurn(async () => leaving && logout()).catch((error) => {
      // Without a token of its session it would end the next one.
      if (!leaving?.kept) leaving = null;
      else if (!life.signal.aborted) again(0);
      throw error;
    });

  async function leaveAll() {
    const answer = await server.change("/logout-all");
    if (!answer.ok) throw failed(answer);
    if (answer.said.access_token) return keep(answer.said, inputs, false);
    tell("signed-out");
    forget("signed_out");
  }

  const session = {
    get state() {
      return page.state;
    },
    subscribe(listener) {
      if (here.document && !life.signal.aborted) start();
      page.listeners.add(listener);
      return () => page.listeners.delete(listener);
    },
    async resume() {
      start();
      try {
        await refresh();
      } catch (error) {
        // A sign-in elsewhere came between: its session is the answer.
        if (over || !(error instanceof SignedOut)) throw error;
        if (!access) await session.resume();
      }
    },
    begin: (send) => enter(async (copy) => hear(await send(new here.Headers({ "X-CSRF-Token": copy })))),
    signIn: (body, path = "login") =>
      enter((copy) => {
        const headers = { "Content-Type": "application/json", "X-CSRF-Token": copy };
        return server.ask(`/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      }),
    async signOut({ everywhere = false } = {}) {
      start();
      // A token of this session's: a sign-out that comes late is not to end the next one.
      const kept = entering ? undefined : server.cookie();
      let refusal;
      try {
        // The server may refuse it, and then the user stays.
        if (everywhere) return await until(inTurn(leaveAll), life.signal);
      } catch (/** @type {any} */ error) {
        // A tab that is late is told 401 too, and its session lives.
        if (error.status === 401) refusal = error;
        else if (error.status !== 0 && !(error.status >= 500)) throw error;
      }
      leaving = { kept, everywhere: everywhere && !refusal };
      tell("signed-out", { late: kept?.slice(-9) });
      forget("signed_out");
      await until(leave(), life.signal);
      if (refusal) throw refusal;
    },
    async sessions() {
      return (await withCookie(() => server.ask("/sessions"))).sessions;
    },
    async revoke(id) {
      await withCookie(() => inTurn(() => server.change(`/sessions/${encodeURIComponent(id)}`, { method: "DELETE" })));
    },
    keepAlive,
    ...calls(here, send, { start, view: () => ({ era: era.signal, token: access?.token, origins }), fresh, refresh }),
    dispose() {
      life.abort(new Error("disposed"));
      if (era) turn(life.signal.reason);
      channel?.close();
      page.listeners.clear();
    },
  };
  return session;
}
