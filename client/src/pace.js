// When to ask again, in milliseconds.

import { Failed } from "./errors.js";

export const FLOOR = 30_000; // No two timers refresh within this, whatever a server says.
export const MARGIN = 60_000;
const HOUR = 3_600_000;

/** Returns how long ago this was called. Either clock may stand still, or jump. */
export function stopwatch(here) {
  const now = () => here.Date.now();
  const steady = () => here.performance?.now() ?? 0;
  const [at, began] = [now(), steady()];
  return () => Math.max(now() - at, steady() - began);
}

/** The content of a token answer. Times are in milliseconds from now, or those of the page's clock. */
export function grant(here, said, passive) {
  const { access_token: token, session } = said;
  if (!token || !session) throw new Failed(0, "no token");
  const read = (name) => {
    const seconds = parseFloat(said[name]);
    return seconds >= 0 ? seconds * 1000 : null;
  };
  const whole = read("session_expires_in");
  const unused = read("idle_expires_in");
  const end = unused ?? whole ?? Infinity;
  // Whole seconds, rounded down: an answer in the last one says 0.
  const life = Math.min(read("expires_in") || 300_000, end + 1_000);
  // The last token of a session is not renewed before its end. Many tabs do not come at once.
  const isLast = end <= life;
  const renew = Math.max(FLOOR, isLast ? end + 1_000 : life - Math.min(MARGIN, life / 2) * (1 + here.Math.random() / 4));
  // The idle end would come first: input is told at once. An active refresh has moved that end.
  const tell = isLast && passive ? 0 : renew;
  const at = here.Date.now();
  return {
    token,
    session,
    life,
    end,
    renew,
    tell,
    // An idle end that is no earlier than the other is that one.
    isIdle: end < (whole ?? Infinity),
    expiresAt: at + life,
    sessionEndsAt: whole === null ? null : at + whole,
    endsAt: at + end,
    age: stopwatch(here),
  };
}

export const backOff = (attempt, luck) => 250 * 2 ** attempt * (0.5 + luck);

/** A date is one of the server's clock, which the answer tells: the page's may be wrong. */
export function retryAfter(headers, now) {
  const said = headers.get("Retry-After");
  const wait = said > 0 ? said * 1000 : Date.parse(said) - (Date.parse(headers.get("Date")) || now);
  return Math.min(wait > 0 ? wait : 0, HOUR);
}
