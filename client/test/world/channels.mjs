// BroadcastChannel among the pages of one browser. A page in the back/forward cache hears nothing.

export class Channels {
  #open = new Set();
  messages = []; // All that was ever said, for tests.

  constructor(random) {
    this.random = random;
  }

  of(page) {
    const channels = this;
    return class extends EventTarget {
      onmessage = null;

      constructor(name) {
        super();
        this.name = String(name);
        this.page = page;
        channels.#open.add(this);
      }

      postMessage(data) {
        channels.messages.push({ name: this.name, data: structuredClone(data), page });
        for (const other of channels.#open) {
          if (other === this || other.name !== this.name) continue;
          if (other.page.frozen === "cached") continue;
          const copy = structuredClone(data);
          other.page.soon(() => other.hear(copy), channels.random.between(0, 3));
        }
      }

      hear(data) {
        if (!channels.#open.has(this)) return;
        const event = Object.assign(new Event("message"), { data });
        this.onmessage?.(event);
        this.dispatchEvent(event);
      }

      close() {
        channels.#open.delete(this);
      }

      /** Node's has these; a browser's has not, and a page never keeps anything alive. */
      unref() {}
      ref() {}
    };
  }

  forget(page) {
    for (const channel of this.#open) if (channel.page === page) this.#open.delete(channel);
  }

  /** How many channels a page has open. */
  count(page) {
    return [...this.#open].filter((channel) => channel.page === page).length;
  }
}
