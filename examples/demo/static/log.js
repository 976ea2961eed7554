// The server's decisions about the user's sessions, and the alerts that the user has to know.

import { $, date, make, named, time } from "./dom.js";
import { API, session as here } from "./session.js";

/**
 * @typedef {object} Decision
 * @property {number} at seconds since 1970
 * @property {string} session
 * @property {string} what
 * @property {string | null} why
 * @property {string | null} client
 */

/**
 * @typedef {object} Alert
 * @property {number} at seconds since 1970
 * @property {string} session
 * @property {"old_copy" | "new_client"} what
 * @property {string | null} client
 */

/** @type {Record<string, string>} */
const MEANING = {
  "signed in": "A session began.",
  rotated: "The refresh cookie was replaced by its successor.",
  coalesced: "Asked again within a minute: a new access token, the same cookie.",
  replayed: "A tab was late with the old cookie, and got the same successor.",
  recovered: "The last answer was lost on its way. Its cookie is burned, another took its place.",
  adopted: "The store had forgotten the last step; the newer cookie was taken over.",
  "reuse detected": "A cookie that had been replaced came from elsewhere. The session is ended.",
  "new client": "All cookies came from a client that calls itself something new.",
  "foreign jar": "The refresh cookie came without the one beside it: a copy. It got nothing.",
};

let seen = "";

/**
 * Shows the newest decisions, and tells whether there are new ones and whether one of them ended this
 * session.
 */
export async function showDecisions() {
  /** @type {{ session: string, decisions: Decision[] }} */
  const { session, decisions } = await here.json(`${API}/decisions`);
  const own = decisions.filter((entry) => entry.session === session);
  const ended = own.some(({ what }) => what === "ended" || what === "reuse detected");
  const text = JSON.stringify([session, decisions]);
  const changed = text !== seen;
  seen = text;
  // Rows that stay the same stay in place, with what the user has selected in them.
  if (changed) $("log").replaceChildren(...decisions.map((entry) => row(entry, own.includes(entry))));
  return { changed, ended };
}

/**
 * @param {Decision} entry
 * @param {boolean} own
 */
function row({ at, session, what, why, client }, own) {
  const decision = make("strong", what);
  decision.dataset.what = what;
  // A sign-in has no session yet, by which its client could be found.
  const name = make("span", client ? named(client) : "");
  name.title = client ?? "";
  return make(
    "tr",
    make("td", time(at)),
    make("td", decision),
    make("td", why ? sentence(why) : (MEANING[what] ?? "")),
    make("td", make("code", own ? "this session" : session.slice(0, 6)), " ", name),
  );
}

/** @param {string} text */
function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/**
 * Shows what is still to be read. It comes from the server. Only clients that have signed in since learn that a session
 * was ended. An answer to the thief's cookie tells nothing.
 */
export async function showAlerts() {
  /** @type {{ session: string, alerts: Alert[] }} */
  const { session, alerts } = await here.json(`${API}/alerts`);
  const lines = alerts.map(({ at, what, client }) => {
    const name = make("b", named(client));
    const line =
      what === "new_client"
        ? make("li", "A browser calling itself ", name, ` uses your session, first on ${date(at)}.`)
        : make("li", `An old copy of your session was used on ${date(at)}, from `, name, ". The session was ended.");
    line.title = client ?? "";
    return line;
  });
  // Only when it is another list: screen readers read it out each time.
  const text = lines.map((line) => line.textContent).join("");
  if (text !== $("alert-list").textContent) $("alert-list").replaceChildren(...lines);
  $("alerts").hidden = alerts.length === 0;
  // The thief has this very session, and must not put away what is about it.
  $("alerts-read").hidden = alerts.every((alert) => alert.session === session);
}

export async function dismissAlerts() {
  await here.json(`${API}/alerts`, { method: "DELETE" });
  await showAlerts();
}

/** Takes everything about the user off the page. */
export function clearLog() {
  seen = "";
  $("log").replaceChildren();
  $("alert-list").replaceChildren();
  $("alerts").hidden = true;
}
