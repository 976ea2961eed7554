// When to ask again, in milliseconds.

export const FLOOR = 30_000; // No two timers refresh within this, whatever a server says.
export const MARGIN = 60_000;
const HOUR = 3_600_000;

/** What a token answer says of times, counted from now. */
export function lives(said, passive, luck) {
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
  const renew = Math.max(FLOOR, isLast ? end + 1_000 : life - Math.min(MARGIN, life / 2) * (1 + luck / 4));
  // The idle end would come first: input is told at once. An active refresh has moved that end.
  return { life, whole, isIdle: unused !== null, end, renew, tell: isLast && passive ? 0 : renew };
}

export const backOff = (attempt, luck) => 250 * 2 ** attempt * (0.5 + luck);

export const rest = (round, hidden) => (hidden ? Math.min(FLOOR * 2 ** round, HOUR / 6) : FLOOR);

export function retryAfter(headers, now) {
  const said = headers.get("Retry-After");
  const wait = said > 0 ? said * 1000 : Date.parse(said) - now;
  return Math.min(wait > 0 ? wait : 0, HOUR);
}
