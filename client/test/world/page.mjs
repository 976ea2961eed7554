// One page in one tab: everything that a script of it can touch, as the `here` that the client gets.

export class Page {
  isHidden = false;
  isOnline = true;
  frozen = null; // "suspended": it goes on later. "cached": in the back/forward cache, and hears no message.
  isGone = false;
  session = null; // The client's, once there is one.
  base = null; // The address of a `<base>` element.
  #waiting = []; // Runs once the page goes on.
  #late = ""; // The cookies, those that scripts see, and the time since which the first are so.
  #shown = "";
  #since = 0;
  #timers = new Map();
  #timer = 0;

  /**
   * @param {import("./browser.mjs").Browser} browser
   * @param {string} address
   * @param {object} lacks what this browser does not have, or refuses
   */
  constructor(browser, address, lacks = {}) {
    this.browser = browser;
    this.clock = browser.clock;
    this.location = new URL(address);
    this.window = new EventTarget();
    this.document = this.#document();
    this.here = this.#here(lacks);
  }

  /** Runs a task of this page: now, later if it is frozen, or never if it is gone. */
  task(run) {
    if (this.isGone) return;
    if (this.frozen) this.#waiting.push(run);
    else run();
  }

  /** A task that is next in line. */
  soon(run, ms = 0) {
    this.clock.after(ms, () => this.task(run));
  }

  /** Fires an event of the window, or of the document for `visibilitychange`. */
  fire(type, what = {}) {
    const target = type === "visibilitychange" ? this.document : this.window;
    this.task(() => target.dispatchEvent(Object.assign(new Event(type), what)));
  }

  hide(isHidden = true) {
    if (this.isHidden === isHidden) return;
    this.isHidden = isHidden;
    this.fire("visibilitychange");
  }

  /** The machine or the browser stops the page as it is: it holds its locks, and its timers sleep. */
  freeze(kind = "suspended") {
    this.frozen = kind;
  }

  thaw() {
    this.frozen = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) this.soon(run);
  }

  /** The user leaves the page, and the browser keeps it. Returns whether it did: not one that holds a lock. */
  leave() {
    if (this.browser.locks.isHeldBy(this)) return false;
    this.fire("pagehide", { persisted: true });
    this.freeze("cached");
    return true;
  }

  comeBack() {
    this.thaw();
    this.soon(() => this.fire("pageshow", { persisted: true }));
  }

  close() {
    this.fire("pagehide", { persisted: false });
    this.isGone = true;
    this.browser.forget(this);
  }

  /** The cookies that scripts see: WebKit shows them a new one a moment late. */
  #cookies() {
    const { jar, lag } = this.browser;
    if (jar.visible !== this.#late) {
      this.#late = jar.visible;
      this.#since = this.clock.now;
    }
    if (this.clock.now - this.#since >= lag) this.#shown = this.#late;
    return this.#shown;
  }

  #document() {
    const page = this;
    return Object.defineProperties(new EventTarget(), {
      hidden: { get: () => page.isHidden },
      visibilityState: { get: () => (page.isHidden ? "hidden" : "visible") },
      baseURI: { get: () => page.base ?? page.location.href },
      cookie: {
        get: () => page.#cookies(),
        set() {
          throw new Error("the client writes no cookie");
        },
      },
    });
  }

  #here(lacks) {
    const { browser, clock, window } = this;
    const page = this;
    const now = () => Math.floor(clock.now + browser.skew);
    class Time extends Date {
      constructor(...given) {
        if (given.length === 0) super(now());
        else super(...given);
      }
      static now() {
        return now();
      }
    }
    const navigator = {
      get onLine() {
        return page.isOnline;
      },
    };
    if (lacks.locks === "refused") {
      navigator.locks = { request: () => Promise.reject(new DOMException("no", "SecurityError")) };
    } else if (!lacks.locks) navigator.locks = browser.locks.of(this);
    const here = {
      location: this.location,
      document: this.document,
      navigator,
      fetch: (input, init) => browser.net.fetch(page, input, init),
      setTimeout: (run, ms = 0, ...given) => this.#later(() => run(...given), ms),
      clearTimeout: (timer) => {
        this.#timers.get(timer)?.();
        this.#timers.delete(timer);
      },
      Date: Time,
      Math: Object.create(Math, { random: { value: browser.random } }),
      addEventListener: window.addEventListener.bind(window),
      removeEventListener: window.removeEventListener.bind(window),
      AbortController,
      Request,
      Headers,
      performance: { now: () => clock.now - browser.began },
    };
    if (lacks.channel === "refused") {
      here.BroadcastChannel = class {
        constructor() {
          throw new DOMException("no", "SecurityError");
        }
      };
    } else if (!lacks.channel) here.BroadcastChannel = browser.channels.of(this);
    return here;
  }

  #later(run, ms) {
    const timer = (this.#timer += 1);
    // As browsers do: what is no number, or too large for 32 bits, is none at all.
    const wait = ms > 0 && ms < 2 ** 31 ? ms : 0;
    const cancel = this.clock.after(wait, () =>
      this.task(() => {
        if (this.#timers.delete(timer)) run();
      }),
    );
    this.#timers.set(timer, cancel);
    return timer;
  }

  /** How many timers are set. */
  get timers() {
    return this.#timers.size;
  }
}
