import { failed, hear, unreachable } from "./ask.js";
import { FLOOR, MARGIN, stopwatch } from "./pace.js";
import { until } from "./wait.js";

/** The caller's own requests, with the access token. */
export function calls(here, send, view, fresh, refresh) {
  let vain; // A token that was refused as soon as it was made: the next would be, too.

  async function call(input, init) {
    const { era, origins } = view();
    // Sent as it is checked: a `<base>` in the page has no say in it.
    const request = new here.Request(input.url ? input : new URL(input, here.location.href), init);
    const { origin } = new URL(request.url);
    if (!origins.includes(origin)) throw new TypeError("fetch: another origin");
    // A stream is read as it is sent, and cannot be sent again.
    const isStream = init?.body instanceof ReadableStream;
    const attempt = async (one, token) => {
      const headers = new here.Headers(one.headers);
      headers.set("Authorization", `Bearer ${token}`);
      // The browser's cache does not know users. A request that is to outlive the page is not cut off.
      const cache = one.cache === "default" ? "no-store" : one.cache;
      const signal = one.keepalive ? request.signal : AbortSignal.any([request.signal, era]);
      era.throwIfAborted();
      try {
        const { referrer, referrerPolicy } = one;
        return await send(new here.Request(one, { headers, cache, signal, referrer, referrerPolicy }));
      } catch (error) {
        throw signal.aborted ? signal.reason : unreachable(error);
      }
    };
    const work = async () => {
      const token = await fresh(isStream ? MARGIN : 0);
      const first = await attempt(isStream ? request : request.clone(), token);
      if (first.status !== 401) return first;
      // Another origin may not let the page read it.
      const challenge = first.headers.get("WWW-Authenticate");
      if (challenge ? !/\berror="?invalid_token\b/i.test(challenge) : origin === here.location.origin) return first;
      if (token === vain?.token && vain.age() < FLOOR) return first;
      // Another call may have refreshed meanwhile.
      if (view().token === token) await refresh().catch((error) => isStream || Promise.reject(error));
      if (isStream) return first;
      const other = await fresh(0);
      const second = await attempt(request, other);
      if (second.status === 401) vain = { token: other, age: stopwatch(here) };
      return second;
    };
    const response = await until(work(), request.signal, era);
    era.throwIfAborted();
    return response;
  }

  return {
    fetch: call,
    async json(input, init) {
      const { era } = view();
      const response = await call(input, init);
      if (!response.ok) throw failed(await until(hear(response), era));
      const body = response.status === 204 ? null : await until(response.json(), era);
      era.throwIfAborted();
      return body;
    },
    /** @param {{ atLeast?: number, signal?: AbortSignal }} [options] */
    async token({ atLeast = 0, signal } = {}) {
      const { era } = view();
      return until(fresh(atLeast), signal ?? era, era);
    },
  };
}
