/**
 * Why the user is signed out.
 *
 * * `no_session`: the browser has no session.
 * * `invalid_session`: the session was ended, has expired, or was used elsewhere. The server does not tell the holder
 *   of a dead cookie which.
 * * `signed_out`: the user signed out, in this tab or in another one.
 * * `other_session`: the browser has the cookie of another session now, and this tab has heard of no sign-in. Another
 *   host of the domain may have planted it. A sign-in or {@link Session.resume} is the user's own word.
 */
export type Reason = "no_session" | "invalid_session" | "signed_out" | "other_session";

/**
 * Holds what a page may show. The object is frozen, and stays the same until something changes.
 */
export interface State {
  /** `unknown` until the server has said whether there is a session. */
  readonly status: "unknown" | "in" | "out";
  /** Whether a refresh is under way. The status does not change meanwhile. */
  readonly renewing: boolean;
  /** The id of the session while the status is `in`. */
  readonly session: string | null;
  /** When the access token expires, in milliseconds of `Date.now()`. */
  readonly expiresAt: number | null;
  /** When the session ends however much it is used, in milliseconds of `Date.now()`. */
  readonly sessionEndsAt: number | null;
  /** Why the status is `out`. */
  readonly reason: Reason | null;
  /** Why the last refresh got no answer. It is tried again by itself. */
  readonly problem: Error | null;
}

/**
 * Reports the changes of the session.
 *
 * * `signed-in`: a session began, here or in another tab, or the browser's cookie brought one.
 * * `signed-out`: the session is over.
 * * `user-changed`: another session took the place of the one before. Everything on the page is of its user.
 * * `ending`: the session ends at `at` (milliseconds of `Date.now()`). The cause is missing input (`idle`), or the end
 *   of the session however much it is used (`session`). It comes once for each end. An end that moved may be told
 *   again.
 * * `outage`: the server cannot be asked. `recovered`: it answered.
 */
export type SessionEvent =
  | { readonly type: "signed-in"; readonly session: string }
  | { readonly type: "signed-out"; readonly reason: Reason }
  | { readonly type: "user-changed"; readonly session: string }
  | { readonly type: "ending"; readonly cause: "session" | "idle"; readonly at: number }
  | { readonly type: "outage"; readonly problem: Error }
  | { readonly type: "recovered" };

/** Configures a session. */
export interface Options {
  /**
   * Sets where the server's session endpoints are: a path or a URL of the page's own origin. Default: `/auth`.
   *
   * The first call throws a `TypeError` where it is of another origin.
   */
  base?: string;
  /**
   * Lists other origins that get the access token, such as `https://api.example`. The page's own always does. Default: none.
   *
   * The first call throws a `TypeError` where one has a path, a user, or a `*`, or is no URL.
   */
  api?: readonly string[];
  /** Names the lock and the channel that the tabs share. Default: a name made of `base`. */
  name?: string;
  /** Sets how many milliseconds a tab waits for the other tabs' lock before it goes on without. Default: 5000. */
  lockTimeout?: number;
  /** Sets how many milliseconds before its end the session warns. Default: 120000. */
  endingNotice?: number;
  /**
   * Sets the behaviour of a hidden page without input. `sleep-when-hidden` refreshes when the user returns. `renew`
   * goes on refreshing, passively: the server's idle lifetime is not moved. Default: `sleep-when-hidden`.
   */
  idle?: "renew" | "sleep-when-hidden";
  /** Sends the requests. Default: the page's own `fetch`. */
  fetch?: typeof fetch;
  /** Hears of the events. An error that it throws is reported, and harms nothing. */
  onEvent?: (event: SessionEvent) => void;
}

/** Describes one session of the user. Times are in seconds since 1970. */
export interface Entry {
  readonly id: string;
  /** Whether it is the session of this browser. */
  readonly current: boolean;
  readonly created_at: number;
  readonly last_seen_at: number;
  readonly expires_at: number;
  readonly client: string;
}

/**
 * Keeps the session of one tab.
 *
 * Its functions need no `this`. Each asynchronous one rejects with `SignedOut` when the session that it is for is over.
 * It rejects with `Failed` when the server does not do as asked. After {@link dispose} each rejects.
 */
export interface Session {
  /** Returns the state. */
  readonly state: State;
  /**
   * Calls `listener` after each change of the state, until the returned function is called.
   */
  subscribe(listener: () => void): () => void;
  /**
   * Picks up the session that the browser's cookie names. Later it asks the server whether the session still stands.
   *
   * Rejects with `SignedOut` if there is none. Where the CSRF cookie says so, nothing is sent.
   */
  resume(): Promise<void>;
  /**
   * Runs a sign-in, a return from another service or a step-up, while no other tab changes the session.
   *
   * `send` gets headers with the CSRF token and returns the response. It is called once more where the token was
   * outdated, so it sends the same each time. A successful answer is a token answer of the server. The same session in
   * it goes on. Another one is another user's, as far as the page knows. Requests under way reject, and the other tabs
   * change as well.
   *
   * `send` holds the lock of all tabs: it sends one `POST`, and waits for nothing else. Ask for the passkey, and ask
   * {@link token}, before. `send` is not called where the user has changed since, or {@link dispose} was called.
   *
   * Rejects with `Failed` where the answer is no success.
   */
  begin(send: (headers: Headers) => Promise<Response>): Promise<void>;
  /**
   * Sends `body` as JSON to `{base}/{path}` and goes on with the session of the answer. Default of `path`: `login`.
   *
   * Rejects with `Failed`, of the server's status and code.
   */
  signIn(body: unknown, path?: string): Promise<void>;
  /**
   * Signs out: this tab and every other one forget the token at once, and then the server is told.
   *
   * Rejects with `Failed` where the server cannot be told. It is then told as soon as possible, before anything else,
   * by this tab or another open one. A page that is loaded meanwhile cannot know, and finds the session.
   *
   * With `everywhere` every session of the user ends. The server may refuse that and ask for a recent authentication.
   * So it is asked first: the user stays signed in until it has agreed. After a 401 of the server the user is signed
   * out here, and the call rejects with that `Failed`. Other sessions may live.
   */
  signOut(options?: { everywhere?: boolean }): Promise<void>;
  /**
   * Sends a request with the access token, to the page's own origin and to those of `api`. Rejects with a `TypeError`
   * before anything is sent elsewhere.
   *
   * A 401 whose challenge says `invalid_token` is answered by one refresh and one more try. The answer to that is the
   * caller's, and further 401s of that token are for half a minute. A stream as `init.body` cannot be sent twice. So
   * the token is refreshed first where it ends within a minute, and the caller gets the 401. The body of a `Request` is
   * kept for the second try. The browser's cache is not used unless `cache` says so.
   *
   * There is no time limit but the caller's `signal`, which counts at once. When the user changes, the call rejects
   * with `SignedOut`, and a body that is still being read is cut off.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /**
   * Returns the body of {@link fetch} as JSON, `null` for 204. Rejects with `Failed` where the answer is no success, and
   * with `SyntaxError` where the body is no JSON.
   */
  json<T = unknown>(input: RequestInfo | URL, init?: RequestInit): Promise<T>;
  /**
   * Returns an access token, for sockets. It lasts `atLeast` more milliseconds where the server issues such.
   */
  token(options?: { atLeast?: number; signal?: AbortSignal }): Promise<string>;
  /** Counts as input, for use without any: call it now and then while a video plays or an upload runs. */
  keepAlive(): void;
  /** Returns the user's sessions. Rejects with `Failed` where the answer is no list. */
  sessions(): Promise<Entry[]>;
  /** Ends one session. One that is gone already is as good. */
  revoke(id: string): Promise<void>;
  /**
   * Ends the work of this object, and not the session. Listeners, timers and the channel go, and the state is
   * `unknown`. A sign-out that waits is not sent any more, so wait for {@link signOut} before.
   */
  dispose(): void;
}
