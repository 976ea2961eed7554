// A browser: one jar, one set of locks and channels, one clock that may be wrong, and its pages.

import { Channels } from "./channels.mjs";
import { Jar } from "./jar.mjs";
import { Locks } from "./locks.mjs";
import { Net } from "./net.mjs";
import { Page } from "./page.mjs";

export class Browser {
  pages = [];
  skew = 0; // How far its clock is ahead, in milliseconds.
  agent = "browser 1"; // Its `User-Agent`.
  lag = 0; // How late its scripts see a new cookie, in milliseconds.

  constructor(clock, server, random) {
    this.clock = clock;
    this.began = clock.now;
    this.random = random;
    this.jar = new Jar(clock);
    this.locks = new Locks();
    this.channels = new Channels(random);
    this.net = new Net(this, server);
  }

  /** Opens a page in a new tab. */
  open(address = "https://app.example/page", lacks = {}) {
    const page = new Page(this, address, lacks);
    page.isOnline = this.net.isUp;
    this.pages.push(page);
    return page;
  }

  /** The network goes, or comes back. */
  network(isUp) {
    if (this.net.isUp === isUp) return;
    this.net.isUp = isUp;
    for (const page of this.pages) {
      page.isOnline = isUp;
      page.fire(isUp ? "online" : "offline");
    }
  }

  forget(page) {
    this.pages = this.pages.filter((other) => other !== page);
    this.locks.release(page);
    this.channels.forget(page);
  }
}
