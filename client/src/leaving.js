import { failed } from "./ask.js";

/**
 * Tells the server of a sign-out, at once or later. It ends its own session or none. Its request has a CSRF token of
 * that session, and the guard refuses it beside another session's cookie.
 */
export function leaving(server, inTurn, life, tell, look, again, settle) {
  async function post(everywhere, kept) {
    const send = (path) => server.change(path, { keepalive: true }, kept);
    if (!everywhere) return send("/logout");
    let answer = await send("/logout-all");
    // The browser has another name, or missed an answer: it refreshes first, which waits for this elsewhere.
    if (answer.status === 409) {
      await send("/refresh");
      answer = await send("/logout-all");
    }
    // Refused, or late: this session ends at least.
    return /^40[139]/.test(answer.status) && !answer.isMoot ? send("/logout") : answer;
  }

  const self = {
    /** The sign-out that the server does not know: the session, a CSRF token of it, and whether all others end. */
    waiting: /** @type {any} */ (null),
    async say() {
      const { kept, session, everywhere } = self.waiting;
      let answer = await post(everywhere, kept);
      if (answer.isMoot) {
        // The cookie is the next user's, or of keys that are new. A tab that knew of no session means that of its cookie.
        const isSame = kept === server.cookie();
        const now = await server.refresh(true);
        if (!now.ok && now.status !== 401) throw failed(now);
        if (session ? now.said.session === session : isSame) answer = await post(everywhere);
      }
      // 401: the session had ended before.
      if (!answer.ok && answer.status !== 401) throw failed(answer);
      self.waiting = null;
      tell("left", { session });
      if (answer.isMoot) {
        tell("resumed", { session: null });
        look();
      } else settle();
    },
    send: () =>
      inTurn(async () => self.waiting && self.say()).catch((error) => {
        // The next one asks whose the cookie is, where no token of the session was to be had.
        if (self.waiting) self.waiting.kept ??= "late";
        if (self.waiting && !life.aborted) again(0);
        throw error;
      }),
    /** From everywhere, which the server may refuse: then nothing is over. */
    async all(kept) {
      const answer = await server.change("/logout-all", { keepalive: true }, kept);
      // Of another session: the caller refreshes, and hears whose it is.
      if (answer.isMoot) answer.status = 409;
      if (!answer.ok) throw failed(answer);
      return answer.said;
    },
  };
  return self;
}
