// Steps that several tests begin with.

import assert from "node:assert/strict";

import { World } from "../world.mjs";

/** Signs a user in by the form of this page. */
export async function signIn(world, page, user = "alice") {
  const outcome = await world.settled(page.session.signIn({ email: user, password: "right" }), 60_000);
  assert.ok("value" in outcome, `no sign-in: ${outcome.error?.stack ?? "pending"}`);
}

/** A world with one browser and a page in which alice is signed in. */
export async function signedIn({ seed, server, ...given } = {}) {
  const world = new World({ seed, server });
  const browser = world.browser();
  const page = world.page(browser, given);
  await signIn(world, page);
  return { world, server: world.server, browser, page, session: page.session };
}

/** Another page of the browser, which picks the session up. */
export async function resumed(world, browser, given) {
  const page = world.page(browser, given);
  await world.settled(page.session.resume(), 60_000);
  return page;
}

/** The access tokens made so far are worth nothing. */
export function forgetTokens(server) {
  server.sessions.tokens.clear();
}

/** The user of the token that a request went out with, or null. */
export function userOf(server, request) {
  return server.sessions.tokens.get(request.token)?.user ?? null;
}

export async function value(world, promise, ms) {
  const outcome = await world.settled(promise, ms);
  if ("error" in outcome) throw outcome.error;
  assert.ok(!outcome.pending, "no answer");
  return outcome.value;
}

export async function error(world, promise, ms) {
  const outcome = await world.settled(promise, ms);
  assert.ok(outcome.error, `no error: ${outcome.pending ? "pending" : "a value"}`);
  return outcome.error;
}
