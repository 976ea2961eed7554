import { useSyncExternalStore } from "react";

import { UNKNOWN } from "./board.js";

/** @import { Session, State } from "./types.js" */

/**
 * Returns the state of the session, and renders anew when it changes. A server renders `unknown`.
 * @param {Session} session
 * @returns {State}
 */
export const useSession = (session) =>
  useSyncExternalStore(
    session.subscribe,
    () => session.state,
    () => UNKNOWN,
  );
