// The hook with the real React, on a server. A client has its test in the browsers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement } from "react";
import { renderToString } from "react-dom/server";

import { createSession } from "../src/index.js";
import { useSession } from "../src/react.js";

test("a server renders the unknown state, without a warning and without a session", (t) => {
  const warned = t.mock.method(console, "error", () => {});
  const session = createSession();
  const states = [];
  const Page = () => {
    const state = useSession(session);
    states.push(state);
    return createElement("p", null, state.status);
  };
  assert.equal(renderToString(createElement(Page)), "<p>unknown</p>");
  assert.equal(renderToString(createElement(Page)), "<p>unknown</p>");
  assert.equal(states[0], states[1], "React renders for ever where the snapshot is another each time");
  assert.equal(states[0], session.state);
  assert.equal(warned.mock.callCount(), 0);
});
