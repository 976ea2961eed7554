// The page. It never sees the access token: `session.js` keeps it.

import { SignedOut, api, resume, revoke, session, sessions, signIn, signOut } from "./session.js";

const $ = (id) => document.getElementById(id);
const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** One view at a time: "waiting", "sign-in" or "account". */
function show(view) {
  for (const section of document.querySelectorAll("main > section")) {
    section.hidden = section.id !== view;
  }
}

function say(text, kind = "note") {
  const status = $("status");
  status.textContent = text;
  status.dataset.kind = kind;
}

async function showAccount() {
  const [me, list] = await Promise.all([api("/api/profile"), sessions()]);
  $("name").textContent = me.name;
  $("email").textContent = me.email;
  $("role").textContent = me.role;
  $("expires").textContent = date(me.expires_at);
  $("sessions").replaceChildren(...list.map(row));
  show("account");
}

function row(entry) {
  const line = document.createElement("tr");
  const client = cell(named(entry.client) || "unknown client");
  client.title = entry.client;
  if (entry.current) {
    const mark = document.createElement("strong");
    mark.textContent = "this one";
    client.append(" ", mark);
  }
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Revoke";
  // "Revoke", eight times over, tells nobody which.
  button.setAttribute("aria-label", `Revoke ${entry.current ? "this session" : named(entry.client)}`);
  button.addEventListener("click", () =>
    during(button, async () => {
      await revoke(entry.id);
      if (entry.current) return signOut();
      await showAccount();
      say("The session is revoked.");
    }),
  );
  const action = document.createElement("td");
  action.append(button);
  line.append(
    client,
    cell(date(entry.created_at)),
    cell(date(entry.last_seen_at)),
    cell(date(entry.expires_at)),
    action,
  );
  return line;
}

const BROWSERS = { "Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari" };
const SYSTEMS = { Android: "Android", iPhone: "iOS", Windows: "Windows", "Mac OS": "macOS", Linux: "Linux" };

/** "Chrome on Linux" where a `User-Agent` says so, and all of it where it does not. */
function named(client) {
  const find = (marks) => Object.entries(marks).find(([mark]) => client.includes(mark))?.[1];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  return browser && system ? `${browser} on ${system}` : client;
}

function cell(text) {
  const td = document.createElement("td");
  td.textContent = text;
  return td;
}

function date(seconds) {
  return time.format(new Date(seconds * 1000));
}

/** Runs `work` with the button out of reach, and tells what went wrong. */
async function during(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SignedOut)) say(error.message, "error");
  } finally {
    button.disabled = false;
  }
}

session.addEventListener("change", async ({ detail }) => {
  if (detail === "signed-out") {
    show("sign-in");
    say("You are signed out.");
    $("password").value = "";
    return;
  }
  try {
    await showAccount();
    say(detail === "renewed" ? "The access token was renewed." : "You are signed in.");
  } catch (error) {
    if (!(error instanceof SignedOut)) say(error.message, "error");
  }
});

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  during(event.submitter ?? $("login-button"), async () => {
    say("Signing in …");
    await signIn($("login-email").value, $("password").value);
    $("password").value = "";
  });
});
$("reload").addEventListener("click", ({ currentTarget }) => during(currentTarget, showAccount));
$("sign-out").addEventListener("click", ({ currentTarget }) =>
  during(currentTarget, () => signOut()),
);
$("sign-out-all").addEventListener("click", ({ currentTarget }) =>
  during(currentTarget, () => signOut({ everywhere: true })),
);
$("retry").addEventListener("click", ({ currentTarget }) => during(currentTarget, start));

async function start() {
  show("waiting");
  $("retry").hidden = true;
  try {
    await resume();
  } catch (error) {
    if (error instanceof SignedOut) {
      show("sign-in");
      say("");
    } else {
      // Not signed out: the server is out of reach. Saying otherwise would cost a sign-in.
      $("retry").hidden = false;
      throw error;
    }
  }
}

start().catch((error) => say(error.message, "error"));
