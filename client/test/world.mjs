// A world to try the client in: browsers, a network with faults and a server, in virtual time.

import { Browser } from "./world/browser.mjs";
import { chance, Clock } from "./world/clock.mjs";
import { Server } from "./world/server.mjs";

import "./world/listeners.mjs";

/** The session of commit 9f553fc where `CLIENT=before` says so, of the module that it names, or the package's. */
export const { create } = process.env.CLIENT === "before"
  ? await import("./world/before.mjs")
  : await import(process.env.CLIENT ?? "../src/session.js");

export class World {
  browsers = [];

  /**
   * @param {{ seed?: number, server?: object }} given the server's settings are those of `Server`
   */
  constructor({ seed = 1, server = {} } = {}) {
    this.random = chance(seed);
    this.clock = new Clock();
    this.server = new Server(this.clock, server);
  }

  browser() {
    const browser = new Browser(this.clock, this.server, this.random);
    this.browsers.push(browser);
    return browser;
  }

  /**
   * A page with a session of the client. Its events are in `page.events`, and its states in `page.states`.
   * @param {Browser} browser
   * @param {{ address?: string, lacks?: object, options?: object, prepare?: (here: object) => void }} given
   */
  page(browser, { address, lacks, options, prepare } = {}) {
    const page = browser.open(address, lacks);
    prepare?.(page.here);
    page.events = [];
    page.session = create(page.here, { ...options, onEvent: (event) => page.events.push(event) });
    page.states = [];
    page.session.subscribe(() => page.states.push(page.session.state));
    return page;
  }

  pass(ms) {
    return this.clock.pass(ms);
  }

  until(check, ms) {
    return this.clock.until(check, ms);
  }

  /** The result of a promise within `ms` of virtual time: `{ value }`, `{ error }` or `{ pending }`. */
  settled(promise, ms) {
    return this.clock.settled(promise, ms);
  }
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
