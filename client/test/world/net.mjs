// The network between a page and the servers, with its faults.

/**
 * The fates of a request. `lost`: it never arrives. `unheard`: it is done, and the answer is lost. `slow`: the answer
 * takes so many milliseconds. `answer`: this answer comes instead. `body`: the body comes so much later than the head.
 * @typedef {{ lost?: boolean, unheard?: boolean, slow?: number, body?: number, answer?: object }} Fault
 */

export class Net {
  isUp = true;
  /** @type {(request: object) => Fault | undefined} what happens to a request */
  weather = () => undefined;
  /** @type {(request: object) => void} sees each request as it leaves */
  watch = () => {};
  sent = []; // Each request that left a page, with its answer's status once there is one.
  worker = null; // A service worker: may answer in the network's place.

  constructor(browser, server) {
    this.browser = browser;
    this.server = server;
  }

  fetch(page, input, init = {}) {
    return new Promise((done, failed) => {
      let request;
      try {
        request = read(page, input, init);
      } catch (error) {
        return failed(error);
      }
      this.#send(page, request, done, failed);
    });
  }

  #send(page, request, done, failed) {
    const { random, clock, jar } = this.browser;
    const { signal } = request;
    if (signal?.aborted) return failed(signal.reason);
    const isOwn = request.url.origin === page.location.origin;
    const hasCookies = request.credentials === "include" || (isOwn && request.credentials !== "omit");
    request.page = page;
    request.at = clock.now;
    request.agent = this.browser.agent;
    request.cookies = hasCookies && isOwn ? jar.sentTo(request.url.pathname) : [];
    this.sent.push(request);
    this.watch(request);

    let isOver = false;
    const over = (settle, value) => {
      if (isOver) return;
      isOver = true;
      signal?.removeEventListener("abort", abort);
      page.task(() => settle(value));
    };
    const abort = () => over(failed, signal.reason);
    signal?.addEventListener("abort", abort);
    const noNetwork = () => over(failed, new TypeError("Failed to fetch"));

    const cached = this.worker?.(request);
    if (cached) return void clock.after(1, () => over(done, cached));
    if (!this.isUp) return void clock.after(random.between(1, 20), noNetwork);
    const fault = this.weather(request) ?? {};
    const up = random.between(2, 40);
    const down = fault.slow ?? random.between(2, 40);
    if (fault.lost) return void clock.after(up + down, noNetwork);
    clock.after(up, async () => {
      if (!this.isUp) return noNetwork();
      const body = await request.read();
      const made = fault.answer ?? this.server.answer({ ...request, body });
      // The server's clock is right, and the page's may be wrong.
      const answer = { ...made, headers: { Date: new Date(clock.now).toUTCString(), ...made.headers } };
      request.status = answer.status;
      clock.after(down, () => {
        // A page that gave up has closed the connection, and its browser keeps no cookie of it.
        if (isOver || page.isGone) return;
        if (fault.unheard || !this.isUp) return noNetwork();
        for (const cookie of answer.cookies ?? []) jar.set(cookie);
        over(done, response(answer, isOwn, fault.body && ((run) => page.soon(run, fault.body))));
      });
    });
  }
}

/** Reads a page's request. A string is resolved as browsers do: against the `<base>` element. */
function read(page, input, init) {
  const isRequest = input instanceof Request;
  const url = new URL(isRequest ? input.url : String(input), page.document.baseURI);
  const { body = isRequest ? input.body : null } = init;
  const isStream = body instanceof ReadableStream;
  if (isStream && !isRequest && init.duplex !== "half") throw new TypeError("a stream needs `duplex`");
  const method = (init.method ?? (isRequest ? input.method : "GET")).toUpperCase();
  if (body && (method === "GET" || method === "HEAD")) throw new TypeError("no body with this method");
  if (isStream && (body.locked || (isRequest && input.bodyUsed))) throw new TypeError("the body was read");
  const of = (name, other) => init[name] ?? (isRequest ? input[name] : other);
  return {
    url,
    method,
    headers: new Headers(of("headers")),
    credentials: of("credentials", "same-origin"),
    cache: of("cache", "default"),
    mode: of("mode", "cors"),
    signal: init.signal !== undefined ? init.signal : isRequest ? input.signal : undefined,
    read: async () => {
      if (body === null || body === undefined) return null;
      return typeof body === "string" ? body : await new Response(body).text();
    },
  };
}

/** Headers that a page may read of another origin's answer, unless that one exposes others. */
const SAFE = new Set(["cache-control", "content-language", "content-type", "expires", "last-modified", "pragma"]);

function response({ status, headers = {}, body, exposes = [] }, isOwn, later) {
  const shown = Object.entries(headers).filter(
    ([name]) => isOwn || SAFE.has(name.toLowerCase()) || exposes.includes(name),
  );
  const text = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
  const bytes = text !== null && later ? slowly(text, later) : text;
  return new Response(bytes, { status, headers: shown });
}

function slowly(text, later) {
  let isCancelled = false;
  return new ReadableStream({
    start: (control) =>
      later(() => {
        if (isCancelled) return;
        control.enqueue(new TextEncoder().encode(text));
        control.close();
      }),
    cancel: () => (isCancelled = true),
  });
}
