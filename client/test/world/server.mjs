// The application's server, and two others: `https://api.example`, an API of its own, and `https://evil.example`, which
// is a stranger. The endpoints answer as `SessionEndpoints` does.

import { Sessions } from "./sessions.mjs";

export class Server {
  requests = []; // Each request that arrived, with what came of it.
  stranger = []; // Requests that arrived at the stranger.
  isDown = false; // Whether the store is away.
  isExposed = false; // Whether the API on its own origin lets pages read `WWW-Authenticate`.
  /** @type {(request: object) => object | undefined} an answer in place of the server's own */
  instead = () => undefined;
  /** @type {(request: object, session: object) => void} sees each session that a sign-out ends */
  onSignOut = () => {};
  #csrf = new Map(); // Nonce -> the session it is for, or null.
  #count = 0;

  constructor(clock, { base = "/auth", isPlain = false, isHidden = false, recent = Infinity, ...limits } = {}) {
    this.clock = clock;
    this.base = base;
    this.recent = recent; // For how many seconds a sign-in is recent enough to end other sessions.
    this.isHidden = isHidden; // Whether pages cannot read the CSRF cookie.
    this.name = isPlain ? "csrf" : "__Host-csrf";
    this.sessions = new Sessions(clock, {
      life: 900,
      grace: 30,
      interval: 60,
      absolute: 7 * 86_400,
      idle: 7 * 86_400,
      ...limits,
    });
  }

  answer(request) {
    const answer = this.instead(request) ?? this.#answer(request);
    const { method, url, headers, page } = request;
    this.requests.push({
      at: this.clock.now,
      method,
      path: url.pathname,
      origin: url.origin,
      page,
      token: bearer(headers),
      csrf: headers.get("X-CSRF-Token"),
      activity: headers.get("X-Session-Activity"),
      headers,
      body: request.body,
      status: answer.status,
      code: answer.body?.code,
    });
    return answer;
  }

  /** How often this was asked for. */
  count(path, method = null) {
    return this.requests.filter((request) => request.path === path && (!method || request.method === method)).length;
  }

  /** The live session of a jar, or null. */
  sessionOf(jar) {
    const { session, generation } = this.sessions.read(jar.value("refresh", this.base));
    const { is } = this.sessions.judge(session, generation);
    return ["current", "late", "older"].includes(is) ? session : null;
  }

  /** Signs a user in by a form or a redirect, without any script: what an OAuth return does. */
  signIn(jar, user, agent = "browser 1") {
    const { session: before } = this.sessions.read(jar.value("refresh", this.base));
    const session = this.sessions.open(user, agent, before);
    for (const cookie of this.#cookies(session)) jar.set(cookie);
    return session;
  }

  /** Every CSRF token made so far is worth nothing from now on, as after other keys. */
  rotateKeys() {
    this.#csrf.clear();
  }

  #answer(request) {
    const { url, headers } = request;
    if (url.origin === "https://evil.example") {
      this.stranger.push(request);
      return { status: 200, headers: { "Access-Control-Allow-Origin": "*" }, body: {} };
    }
    const path = url.pathname;
    if (path.startsWith(`${this.base}/`)) return this.#endpoint(request, path.slice(this.base.length + 1));
    const known = this.sessions.tokens.get(bearer(headers));
    const exposes = this.isExposed ? ["X-User", "WWW-Authenticate"] : ["X-User"];
    if (!known || this.clock.now >= known.end) {
      return { ...refuse(401, "invalid_token", { "WWW-Authenticate": 'Bearer error="invalid_token"' }), exposes };
    }
    const { user, session } = known;
    if (path.endsWith("/mine")) {
      return { ...refuse(401, "not_here", { "WWW-Authenticate": 'Bearer error="insufficient_scope"' }), exposes };
    }
    if (path.endsWith("/recent") && this.clock.now - session.authenticatedAt > 300_000) {
      const challenge = 'Bearer error="insufficient_user_authentication", max_age="300"';
      return { ...refuse(401, "insufficient_user_authentication", { "WWW-Authenticate": challenge }), exposes };
    }
    if (path.endsWith("/empty")) return { status: 204 };
    return { status: 200, headers: { ...json, "X-User": user }, exposes, body: { user, body: request.body, path } };
  }

  #endpoint(request, name) {
    const { method, headers, agent } = request;
    const cookies = request.cookies.filter(([key]) => key === "refresh").map(([, value]) => value);
    const { session, generation } = this.sessions.read(cookies[0]);
    if (name === "csrf" && method === "GET") return this.#csrfAnswer(request, session);
    if (method !== "GET" && !this.#isGuarded(request, session)) return refuse(403, "csrf");
    if (name === "logout" && method === "POST") return this.#logout(request, session);
    if (this.isDown) return this.#away();
    if (name === "login" && method === "POST") return this.#login(request, session);
    if (cookies.length === 0) return refuse(401, "no_session");
    if (name === "refresh" && method === "POST") {
      const isPassive = headers.get("X-Session-Activity") === "passive";
      const outcome = this.sessions.refresh(session, generation, agent, isPassive);
      const cookies = outcome.isCleared ? this.#cleared() : outcome.cookie ? [this.#refreshCookie(session)] : [];
      if (outcome.refused === "superseded") return { ...refuse(409, "superseded", { "Retry-After": "1" }), cookies };
      if (outcome.refused) return { ...refuse(401, outcome.refused), cookies };
      return { status: 200, headers: json, body: this.sessions.token(session), cookies };
    }
    const { is } = this.sessions.judge(session, generation);
    if (is === "dead" || is === "reuse") return refuse(401, "invalid_session");
    if (is === "revoked") return { ...refuse(401, "invalid_session"), cookies: this.#cleared() };
    if (is === "older" || !(session.known.has(agent) || session.holder === agent)) return refuse(409, "refresh_first");
    if (is !== "current") {
      if (name === "logout-all") return refuse(401, "invalid_session");
      return refuse(409, "superseded", { "Retry-After": "1" });
    }
    return this.#owner(request, session, name);
  }

  /** The calls of a client that has refreshed, and of no other. */
  #owner(request, session, name) {
    const { method, headers, agent } = request;
    const age = (this.clock.now - session.authenticatedAt) / 1000;
    const isRecent = age <= this.recent;
    const mine = [...this.sessions.byId.values()].filter(
      (other) => other.user === session.user && this.sessions.isLive(other),
    );
    if (name === "logout-all" && method === "POST") {
      if (!isRecent) return refuse(403, "insufficient_user_authentication");
      for (const other of mine) this.#ended(request, other);
      return { status: 204, cookies: this.#signedOut() };
    }
    if (name === "sessions" && method === "GET") {
      const sessions = mine.map((other) => ({
        id: other.id,
        current: other === session,
        created_at: other.createdAt / 1000,
        last_seen_at: other.handedOut / 1000,
        expires_at: this.sessions.endOf(other) / 1000,
        client: "a browser",
      }));
      return { status: 200, headers: json, body: { sessions } };
    }
    if (name.startsWith("sessions/") && method === "DELETE") {
      const other = mine.find(({ id }) => id === decodeURIComponent(name.slice("sessions/".length)));
      if (!other) return refuse(404, "not_found");
      if (other !== session && !isRecent) return refuse(403, "insufficient_user_authentication");
      this.#ended(request, other);
      return { status: 204, cookies: other === session ? this.#signedOut() : [] };
    }
    if (name === "step-up" && method === "POST") {
      const known = this.sessions.tokens.get(bearer(headers));
      if (!known || this.clock.now >= known.end || known.session !== session) {
        return refuse(401, "invalid_token", { "WWW-Authenticate": 'Bearer error="invalid_token"' });
      }
      if (read(request.body).password !== "right") return refuse(403, "wrong_password");
      this.sessions.elevate(session, agent);
      return { status: 200, headers: json, body: this.sessions.token(session), cookies: this.#cookies(session) };
    }
    return refuse(404, "not_found");
  }

  #login(request, before) {
    const { email, password } = read(request.body);
    if (password !== "right") return refuse(401, "invalid_credentials");
    const session = this.sessions.open(email, request.agent, before);
    return { status: 200, headers: json, body: this.sessions.token(session), cookies: this.#cookies(session) };
  }

  #logout(request, session) {
    if (session) this.#ended(request, session);
    // Without the store the cookies go all the same, and the session ends later.
    return { ...(this.isDown ? this.#away() : { status: 204 }), cookies: this.#signedOut() };
  }

  #away() {
    return refuse(503, "unavailable", { "Retry-After": "1" });
  }

  #ended(request, session) {
    if (!session.end) this.onSignOut(request, session);
    this.sessions.end(session, "revoked");
  }

  /** The token of the cookie where it is good for this session, else another one. */
  #csrfAnswer(request, session) {
    const held = request.cookies.filter(([key]) => key === this.name);
    if (held.length === 1 && this.#isOf(held[0][1], session)) {
      return { status: 200, headers: json, body: { csrf_token: held[0][1] } };
    }
    const cookie = this.#csrfCookie(session);
    return { status: 200, headers: json, body: { csrf_token: cookie.value }, cookies: [cookie] };
  }

  #isGuarded(request, session) {
    const held = request.cookies.filter(([key]) => key === this.name);
    const sent = request.headers.get("X-CSRF-Token");
    if (held.length !== 1 || !this.#isOf(held[0][1], session) || sent === null) return false;
    return session ? this.#isOf(sent, session) : sent === held[0][1];
  }

  #isOf(token, session) {
    return this.#csrf.has(token) && this.#csrf.get(token) === (session?.id ?? null);
  }

  #csrfCookie(session) {
    const value = `${session ? "v1s" : "v1a"}.n${(this.#count += 1)}.mac`;
    this.#csrf.set(value, session?.id ?? null);
    return { name: this.name, value, httpOnly: this.isHidden, end: session?.absoluteEnd };
  }

  #refreshCookie(session) {
    const value = this.sessions.cookie(session);
    return { name: "refresh", value, path: this.base, httpOnly: true, end: session.absoluteEnd };
  }

  #cookies(session) {
    return [this.#refreshCookie(session), this.#csrfCookie(session)];
  }

  #cleared() {
    return [{ name: "refresh", value: null, path: this.base }];
  }

  #signedOut() {
    return [...this.#cleared(), this.#csrfCookie(null)];
  }
}

const json = { "Content-Type": "application/json" };

function refuse(status, code, headers = {}) {
  const body = { type: "about:blank", title: code.replaceAll("_", " "), status, code };
  return { status, headers: { "Content-Type": "application/problem+json", ...headers }, body };
}

const bearer = (headers) => headers.get("Authorization")?.replace(/^Bearer /, "") ?? null;

function read(body) {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}
