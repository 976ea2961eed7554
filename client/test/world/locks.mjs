// Web Locks of one browser: exclusive, in turn. A page that is frozen keeps what it holds.

export class Locks {
  #queues = new Map(); // Name -> the holder and those that wait.

  /** `navigator.locks` of a page. */
  of(page) {
    return {
      request: (name, options, work) => {
        if (typeof options === "function") [options, work] = [{}, options];
        const { signal, mode = "exclusive", ...rest } = options;
        if (mode !== "exclusive" || Object.keys(rest).length > 0) {
          return Promise.reject(new TypeError(`not simulated: ${JSON.stringify(options)}`));
        }
        return new Promise((done, failed) => this.#request({ page, name, signal, work, done, failed }));
      },
    };
  }

  /** Whether this page holds a lock. */
  isHeldBy(page) {
    return [...this.#queues.values()].some((queue) => queue[0]?.page === page);
  }

  /** The page is gone, and all that it held or waited for. */
  release(page) {
    for (const [name, queue] of this.#queues) {
      const wasFirst = queue[0]?.page === page;
      const left = queue.filter((lock) => lock.page !== page);
      this.#queues.set(name, left);
      if (wasFirst && left.length > 0) this.#grant(left[0]);
    }
  }

  #request(lock) {
    const { name, signal } = lock;
    if (signal?.aborted) return lock.failed(signal.reason);
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    queue.push(lock);
    signal?.addEventListener("abort", () => {
      const now = this.#queues.get(name);
      const index = now.indexOf(lock);
      // One that was granted is kept until its work is done.
      if (index < 0 || lock.isGranted) return;
      now.splice(index, 1);
      lock.failed(signal.reason);
      if (index === 0 && now.length > 0) this.#grant(now[0]);
    });
    if (queue.length === 1) this.#grant(lock);
  }

  #grant(lock) {
    if (lock.isGranted) return;
    lock.isGranted = true;
    lock.page.soon(async () => {
      const over = () => {
        const queue = this.#queues.get(lock.name);
        const index = queue.indexOf(lock);
        if (index < 0) return;
        queue.splice(index, 1);
        if (queue.length > 0) this.#grant(queue[0]);
      };
      try {
        const value = await lock.work({ name: lock.name, mode: "exclusive" });
        over();
        lock.done(value);
      } catch (error) {
        over();
        lock.failed(error);
      }
    });
  }
}
