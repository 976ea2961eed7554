// Shared parts of the page: elements, and words for times and clients. Text from a server or a client is put in as text
// and never as HTML.

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/**
 * The element of this id, which index.html has.
 * @param {string} id
 */
export function $(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element ${id}`);
  return element;
}

/**
 * @param {string} id
 * @returns {HTMLInputElement}
 */
export function input(id) {
  const element = $(id);
  if (!(element instanceof HTMLInputElement)) throw new Error(`${id} is no input`);
  return element;
}

/**
 * @param {string} id
 * @returns {HTMLButtonElement}
 */
export function button(id) {
  const element = $(id);
  if (!(element instanceof HTMLButtonElement)) throw new Error(`${id} is no button`);
  return element;
}

/**
 * @param {keyof HTMLElementTagNameMap} tag
 * @param {...(string | Node)} children
 */
export function make(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

/** @param {number} seconds since 1970 */
export function date(seconds) {
  return moment.format(new Date(seconds * 1000));
}

/** @param {number} seconds since 1970 */
export function time(seconds) {
  return clock.format(new Date(seconds * 1000));
}

const BROWSERS = { "Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari" };
const SYSTEMS = { Android: "Android", iPhone: "iOS", Windows: "Windows", "Mac OS": "macOS", Linux: "Linux" };

/**
 * "Chrome on Linux" where a `User-Agent` says so, and all of it where it does not.
 * @param {string | null} client
 */
export function named(client) {
  if (!client) return "unknown client";
  /** @param {Record<string, string>} marks */
  const find = (marks) => Object.entries(marks).find(([mark]) => client.includes(mark))?.[1];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  return browser && system ? `${browser} on ${system}` : client;
}
