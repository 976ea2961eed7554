// The profile and the list of sessions.

import { $, date, make, named } from "./dom.js";
import { recently } from "./recent.js";
import { API, session } from "./session.js";

/** @typedef {import("./tower-bearer/index.js").Entry} Entry */

export async function showProfile() {
  /** @type {{ name: string, email: string, role: string }} */
  const me = await session.json(`${API}/profile`);
  $("name").textContent = me.name;
  $("email").textContent = me.email;
  $("role").textContent = me.role;
}

/**
 * @param {(button: HTMLButtonElement, work: () => Promise<unknown>) => void} during
 * @param {(entry: Entry) => unknown} revoked
 */
export async function showSessions(during, revoked) {
  const list = await session.sessions();
  const rows = list.map((entry) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Revoke";
    // Eight buttons named "Revoke" do not tell a screen reader's user which session each is for.
    button.setAttribute("aria-label", `Revoke ${entry.current ? "this session" : named(entry.client)}`);
    button.addEventListener("click", () =>
      during(button, async () => {
        await recently(() => session.revoke(entry.id));
        await revoked(entry);
      }),
    );
    return row(entry, button);
  });
  $("sessions").replaceChildren(...rows);
}

/**
 * @param {Entry} entry
 * @param {HTMLButtonElement} button
 */
function row(entry, button) {
  const client = make("td", named(entry.client));
  client.title = entry.client;
  if (entry.current) client.append(" ", make("strong", "this one"));
  return make(
    "tr",
    client,
    make("td", date(entry.created_at)),
    make("td", date(entry.last_seen_at)),
    make("td", date(entry.expires_at)),
    make("td", button),
  );
}
