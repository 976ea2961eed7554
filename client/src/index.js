import { create } from "./session.js";

export { Failed, SignedOut } from "./errors.js";

/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Options} Options */
/** @typedef {import("./types.js").Reason} Reason */
/** @typedef {import("./types.js").Session} Session */
/** @typedef {import("./types.js").SessionEvent} SessionEvent */
/** @typedef {import("./types.js").State} State */

/**
 * @param {Options} [options]
 * @returns {Session}
 */
export const createSession = (options) => create(globalThis, options);
