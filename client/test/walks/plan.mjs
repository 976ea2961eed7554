// A walk is a list of steps that depends on the seed alone, so that it can be made shorter.

import { chance } from "../world/clock.mjs";

export const USERS = ["alice", "bob"];
export const SLOTS = 3;

/** How likely each step is. */
const STEPS = {
  fetch: 14,
  post: 5,
  request: 3,
  stream: 2,
  keptAlive: 2,
  json: 4,
  otherApi: 3,
  foreign: 1,
  needsRecent: 2,
  token: 3,
  aborted: 3,
  signIn: 8,
  wrongPassword: 1,
  providerReturn: 4,
  stepUp: 3,
  signOut: 4,
  signOutEverywhere: 1,
  resume: 3,
  reload: 4,
  sessions: 2,
  revokeOwn: 1,
  input: 8,
  hide: 4,
  show: 4,
  suspend: 3,
  thaw: 4,
  leave: 3,
  comeBack: 4,
  networkOff: 3,
  networkOn: 4,
  weather: 6,
  calm: 4,
  storeDown: 1,
  storeUp: 2,
  newKeys: 0.4,
  newAgent: 1,
  clockJump: 2,
  ended: 1,
  forgetTokens: 2,
  sleep: 1,
};

/** How long it is until the next step, in milliseconds. */
const WAITS = { none: 4, short: 10, seconds: 6, minute: 3, renewal: 1 };
const LIMITS = { none: [0, 0], short: [1, 120], seconds: [500, 12_000], minute: [20_000, 90_000], renewal: [600_000, 1_200_000] };

/**
 * @param {number} seed
 * @param {number} length
 */
export function plan(seed, length = 30) {
  const random = chance(seed * 2 + 1);
  const steps = [];
  for (let index = 0; index < length; index += 1) {
    const wait = random.between(...LIMITS[random.weighed(WAITS)]);
    steps.push({
      does: random.weighed(STEPS),
      slot: Math.floor(random() * SLOTS),
      user: random.pick(USERS),
      number: random(),
      wait: Math.round(wait),
    });
  }
  return steps;
}

/** A step as a line of text. */
export function told({ does, slot, user, wait, at }) {
  const who = ["signIn", "providerReturn", "wrongPassword"].includes(does) ? ` as ${user}` : "";
  const time = at === undefined ? "" : `${(at / 1000).toFixed(3)} s  `;
  return `${time}tab ${slot}: ${does}${who}, then ${wait} ms`;
}
