export const UNKNOWN = Object.freeze({
  status: "unknown",
  renewing: false,
  session: null,
  expiresAt: null,
  sessionEndsAt: null,
  reason: null,
  problem: null,
});

/** The page's view: the state, and the events that follow from its changes. */
export function board(onEvent, report) {
  const listeners = new Set();
  const call = (listener, event) => {
    try {
      listener?.(event);
    } catch (error) {
      report(error);
    }
  };
  const self = {
    listeners,
    emit: (event) => call(onEvent, event),
    state: UNKNOWN,
    told: null, // The session that the page knows of.
    show(next) {
      const { state: was, told } = self;
      if (Object.keys(next).every((key) => next[key] === was[key])) return;
      self.state = Object.freeze(next);
      const { session, reason, problem } = next;
      if (session || reason) self.told = session;
      if (session && session !== told) self.emit({ type: told ? "user-changed" : "signed-in", session });
      if (reason && !was.reason) self.emit({ type: "signed-out", reason });
      if (problem && !was.problem) self.emit({ type: "outage", problem });
      if (!problem && was.problem) self.emit({ type: "recovered" });
      // Last, since one of these may sign out.
      for (const listener of [...listeners]) call(listener);
    },
  };
  return self;
}
