// The cookies of one browser.

export class Jar {
  #cookies = []; // In the order of their creation.
  #clock;

  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * Sets a cookie, or removes it where `value` is null.
   * @param {{ name: string, value: string | null, path?: string, httpOnly?: boolean, end?: number }} cookie
   */
  set({ name, value, path = "/", httpOnly = false, end = Infinity }) {
    const index = this.#cookies.findIndex((known) => known.name === name && known.path === path);
    const cookie = { name, value, path, httpOnly, end };
    if (value === null) {
      if (index >= 0) this.#cookies.splice(index, 1);
    } else if (index >= 0) this.#cookies[index] = cookie;
    else this.#cookies.push(cookie);
  }

  /** A cookie that another host of the domain set, which a browser sends before the others. */
  plant(cookie) {
    this.#cookies.unshift({ path: "/", httpOnly: false, end: Infinity, ...cookie });
  }

  /** The cookies of a request to this path, as pairs. */
  sentTo(path) {
    return this.#live()
      .filter((cookie) => cookie.path === "/" || path === cookie.path || path.startsWith(`${cookie.path}/`))
      .map(({ name, value }) => [name, value]);
  }

  /** The value of `document.cookie`. */
  get visible() {
    const seen = this.#live().filter((cookie) => !cookie.httpOnly && cookie.path === "/");
    return seen.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  value(name, path = "/") {
    return this.#live().find((cookie) => cookie.name === name && cookie.path === path)?.value ?? null;
  }

  #live() {
    return this.#cookies.filter((cookie) => cookie.end > this.#clock.now);
  }
}
