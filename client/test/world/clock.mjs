// Virtual time: the next event happens at once, in the order of its time. The same seed gives the same order.

/** Lets every promise that can go on go on: no timer of node runs before that. */
const drained = () => new Promise((done) => setImmediate(done));

export class Clock {
  now = Date.UTC(2027, 0, 1); // Milliseconds since 1970, as the server counts them.
  #queue = []; // A binary heap, the next one first.
  #still = 0; // How many events came without time passing.
  #count = 0;

  /**
   * Runs `run` at this time, in whole milliseconds, or never if `cancel` is called before.
   * @param {number} time
   * @param {() => void} run
   */
  at(time, run) {
    const event = { time: Math.max(Math.ceil(time), this.now), order: (this.#count += 1), run };
    this.#push(event);
    return () => (event.run = null);
  }

  after(ms, run) {
    return this.at(this.now + ms, run);
  }

  /** Lets this much time pass. */
  async pass(ms) {
    await this.until(() => false, ms);
  }

  /** Lets time pass until `check` holds, at most `ms`. Returns whether it held. */
  async until(check, ms = 600_000) {
    const end = Math.ceil(this.now + ms);
    await drained();
    while (!check()) {
      const next = this.#queue[0];
      if (!next || next.time > end) {
        this.now = end;
        return check();
      }
      this.#pop();
      if (!next.run) continue;
      this.#still = next.time > this.now ? 0 : this.#still + 1;
      if (this.#still > 10_000) throw new Error("time stands still: ten thousand events at one moment");
      this.now = next.time;
      next.run();
      await drained();
    }
    return true;
  }

  /** Lets time pass until the promise settles, at most `ms`, and returns what came of it. */
  async settled(promise, ms = 600_000) {
    let outcome = null;
    promise.then(
      (value) => (outcome = { value }),
      (error) => (outcome = { error }),
    );
    await this.until(() => outcome !== null, ms);
    return outcome ?? { pending: true };
  }

  #push(event) {
    const queue = this.#queue;
    let index = queue.push(event) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      if (!isBefore(event, queue[above])) break;
      queue[index] = queue[above];
      index = above;
    }
    queue[index] = event;
  }

  #pop() {
    const queue = this.#queue;
    const last = queue.pop();
    if (queue.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= queue.length) break;
      if (below + 1 < queue.length && isBefore(queue[below + 1], queue[below])) below += 1;
      if (!isBefore(queue[below], last)) break;
      queue[index] = queue[below];
      index = below;
    }
    queue[index] = last;
  }
}

const isBefore = (one, other) => one.time < other.time || (one.time === other.time && one.order < other.order);

/**
 * Chance that is the same for the same seed (mulberry32).
 * @param {number} seed
 */
export function chance(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Object.assign(next, {
    between: (low, high) => low + (high - low) * next(),
    pick: (list) => list[Math.floor(next() * list.length)],
    /** One of the keys, each as likely as its number says. */
    weighed(weights) {
      const entries = Object.entries(weights);
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [key, weight] of entries) if ((left -= weight) < 0) return key;
      return entries.at(-1)[0];
    },
  });
}
