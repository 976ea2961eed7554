// The page. It never sees the access token: `session.js` keeps it.

import { showProfile, showSessions } from "./account.js";
import { $, button, input } from "./dom.js";
import { clearLog, dismissAlerts, showAlerts, showDecisions } from "./log.js";
import { forgetQuestion, recently } from "./recent.js";
import { API, SignedOut, session } from "./session.js";

const POLL = 3000; // How often the page asks what the server has decided, in milliseconds.

/** The words for a signed-out page: the server does not tell a dead cookie why. */
const WHY_SIGNED_OUT = {
  no_session: "",
  invalid_session: "You are signed out: the session was ended, has run out, or was used elsewhere.",
  signed_out: "You are signed out.",
  other_session: "Another session has come into this browser, perhaps from another site. Sign in to go on.",
};

/**
 * One view at a time.
 * @param {"waiting" | "sign-in" | "account"} view
 */
function show(view) {
  for (const id of ["waiting", "sign-in", "account"]) $(id).hidden = id !== view;
}

/**
 * @param {string} text
 * @param {"note" | "error"} [kind]
 */
function say(text, kind = "note") {
  const status = $("status");
  status.textContent = text;
  status.dataset.kind = kind;
}

/** @param {unknown} error */
function complain(error) {
  // The state tells who is signed out, and why.
  if (!(error instanceof SignedOut)) say(error instanceof Error ? error.message : String(error), "error");
}

/**
 * Runs `work` with the button out of reach, and tells what went wrong.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<unknown>} work
 */
async function during(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    complain(error);
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {string} id
 * @param {() => Promise<unknown>} work
 */
function onClick(id, work) {
  const target = button(id);
  target.addEventListener("click", () => during(target, work));
}

async function showAccount() {
  await Promise.all([showProfile(), listSessions(), showDecisions(), showAlerts()]);
  show("account");
}

async function listSessions() {
  await showSessions(during, async (entry) => {
    if (entry.current) return session.resume();
    await listSessions();
    say("The session is revoked.");
  });
}

async function exportData() {
  const data = await recently(() => session.json(`${API}/export`));
  $("exported").textContent = JSON.stringify(data, null, 2);
  $("exported").hidden = false;
}

/** Empties what is about a user: a page without an account shows none of it. */
function clear() {
  for (const id of ["name", "email", "role", "sessions", "exported"]) $(id).replaceChildren();
  $("exported").hidden = true;
  forgetQuestion();
  clearLog();
  input("password").value = "";
}

let shown = session.state;
session.subscribe(() => {
  const [before, now] = [shown, session.state];
  shown = now;
  showState();
  if (now.problem && now.problem !== before.problem) say(now.problem.message, "error");
  $("retry").hidden = !now.problem;
  const isOther = now.session !== before.session;
  if (now.status === before.status && !isOther && now.expiresAt === before.expiresAt) return;
  if (now.status === "out") {
    clear();
    show("sign-in");
    say(now.reason ? WHY_SIGNED_OUT[now.reason] : "");
  } else if (now.status === "unknown") {
    clear();
    show("waiting");
  } else {
    // Another session is another user's, for all that the page knows.
    if (isOther) clear();
    say(isOther ? "You are signed in." : "The access token was renewed.");
    showAccount().catch(complain);
  }
});

/** The pill in the corner; it changes each second, and is no news to read out. */
function showState() {
  const { status, renewing, expiresAt } = session.state;
  const shown = status === "in" ? (renewing ? "renewing" : "signed-in") : status === "out" ? "signed-out" : "checking";
  const left = expiresAt && Math.max(0, Math.ceil((expiresAt - Date.now()) / 1000));
  const names = { checking: "checking", "signed-in": "signed in", renewing: "renewing", "signed-out": "signed out" };
  $("state").dataset.status = shown;
  $("state").textContent = left === null ? names[shown] : `${names[shown]} · token ends in ${left} s`;
}

/** While a user looks: asks for the server's decisions, and whether one was the end of this session. */
async function poll() {
  if (document.hidden || $("account").hidden) return;
  const [{ changed, ended }] = await Promise.all([showDecisions(), showAlerts()]);
  // The access token works for its last minutes. The page had better say now that they are the last.
  if (ended) await session.resume();
  else if (changed) await listSessions();
}

function again() {
  poll()
    // A server that is away is told of by the state.
    .catch(() => {})
    .finally(() => setTimeout(again, POLL));
}

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  during(button("login-button"), async () => {
    say("Signing in …");
    const [email, password] = [input("login-email").value, input("password").value];
    await session.signIn({ email, password, remember: input("remember").checked });
  });
});
onClick("renew", session.resume);
onClick("sign-out", () => session.signOut());
onClick("sign-out-all", () => recently(() => session.signOut({ everywhere: true })));
onClick("export", exportData);
onClick("alerts-read", dismissAlerts);
onClick("retry", session.resume);

setInterval(showState, 1000);
setTimeout(again, POLL);
session.resume().catch(complain);
