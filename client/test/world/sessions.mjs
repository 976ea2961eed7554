// Sessions as the server rotates them: `src/manual/sessions.rs`, for the clients of one jar.

const SECOND = 1000;

export class Sessions {
  byId = new Map();
  tokens = new Map(); // Access token -> user, session and end.
  #count = 0;

  /** @param {{ life: number, grace: number, interval: number, absolute: number, idle: number }} limits in seconds */
  constructor(clock, limits) {
    this.clock = clock;
    this.limits = limits;
  }

  /** A sign-in. A session that the jar had before ends with it. */
  open(user, agent, before) {
    if (before) this.end(before, "replaced");
    const { now } = this.clock;
    const session = {
      id: `s${(this.#count += 1)}`,
      user,
      generation: 0,
      handedOut: now,
      rotatedAt: null,
      isSeen: false,
      elevatedAt: 0, // The generation of the last step-up.
      authenticatedAt: now,
      createdAt: now,
      absoluteEnd: now + this.limits.absolute * SECOND,
      idleEnd: 0,
      known: new Set([agent]),
      holder: agent,
      end: null,
    };
    this.#touch(session);
    this.byId.set(session.id, session);
    return session;
  }

  /** The session and generation that a refresh token names. */
  read(cookie) {
    const [, id, generation] = cookie?.match(/^r\.(s\d+)\.(\d+)$/) ?? [];
    return { session: this.byId.get(id) ?? null, generation: Number(generation) };
  }

  cookie(session) {
    return `r.${session.id}.${session.generation}`;
  }

  endOf(session) {
    return Math.min(session.absoluteEnd, session.idleEnd);
  }

  isLive(session) {
    return session !== null && session.end === null && this.clock.now < this.endOf(session);
  }

  end(session, reason) {
    if (session.end) return;
    session.end = { reason, at: this.clock.now };
  }

  /**
   * The server's verdict on a refresh token, before it writes anything.
   * @returns {{ is: "current" | "late" | "older" | "superseded" | "dead" | "revoked" | "reuse" }}
   */
  judge(session, generation) {
    const { now } = this.clock;
    if (!session) return { is: "dead" };
    if (session.end) {
      const isNew = session.end.reason === "replaced" && now - session.end.at < this.limits.grace * SECOND;
      return { is: isNew ? "superseded" : "revoked" };
    }
    if (now >= this.endOf(session)) return { is: "dead" };
    if (generation === session.generation) return { is: "current" };
    const isOpen = now - session.handedOut < this.limits.grace * SECOND;
    if (generation < session.elevatedAt) return { is: isOpen ? "superseded" : "dead" };
    if (generation === session.generation - 1) return { is: isOpen ? "late" : "older" };
    // Burned within the grace, or a token that comes back from long ago.
    return { is: isOpen ? "superseded" : "reuse" };
  }

  /** A refresh. Returns the code of a refusal, or whether a cookie goes out. */
  refresh(session, generation, agent, isPassive) {
    const { is } = this.judge(session, generation);
    const { now } = this.clock;
    const isKnown = session !== null && session.known.has(agent);
    if (is === "current") {
      session.isSeen = true;
      if (session.holder === agent) session.known.add(agent);
      if (session.rotatedAt !== null && now - session.handedOut < this.limits.interval * SECOND) {
        return this.#used(session, isPassive, { cookie: false });
      }
      this.#rotate(session, agent);
      if (!isKnown && !session.known.has(agent)) return { refused: "superseded", cookie: true };
      return this.#used(session, isPassive, { cookie: true });
    }
    if (is === "late") return this.#used(session, isPassive, { cookie: !session.isSeen });
    if (is === "older") {
      // An answer was lost: another successor, and the first one is worth nothing.
      this.#rotate(session, agent, 2);
      return this.#used(session, isPassive, { cookie: true });
    }
    if (is === "reuse") {
      this.end(session, "reuse");
      return { refused: "invalid_session", isCleared: true };
    }
    if (is === "superseded") return { refused: "superseded" };
    return { refused: "invalid_session", isCleared: is === "revoked" };
  }

  /** A step-up: another token, and none from before is worth anything. */
  elevate(session, agent) {
    this.#rotate(session, agent);
    session.elevatedAt = session.generation;
    session.authenticatedAt = this.clock.now;
    this.#touch(session);
  }

  /** The answer with an access token, its durations in seconds. */
  token(session) {
    const { now } = this.clock;
    const left = Math.floor((session.absoluteEnd - now) / SECOND);
    const unused = Math.floor((session.idleEnd - now) / SECOND);
    const life = Math.min(this.limits.life, left, unused);
    const token = `t${(this.#count += 1)}.${session.id}`;
    this.tokens.set(token, { user: session.user, session, end: now + life * SECOND });
    const answer = {
      access_token: token,
      token_type: "Bearer",
      expires_in: life,
      session: session.id,
      session_expires_in: left,
    };
    if (this.limits.idle < this.limits.absolute) answer.idle_expires_in = unused;
    return answer;
  }

  #rotate(session, agent, steps = 1) {
    session.generation += steps;
    session.rotatedAt = this.clock.now;
    session.handedOut = this.clock.now;
    session.isSeen = false;
    session.holder = agent;
  }

  #used(session, isPassive, outcome) {
    if (!isPassive) this.#touch(session);
    return outcome;
  }

  #touch(session) {
    session.idleEnd = Math.min(this.clock.now + this.limits.idle * SECOND, session.absoluteEnd);
  }
}
