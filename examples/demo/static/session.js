// The page's session, and what this demonstration's server has beside the package's endpoints.

import { createSession } from "./tower-bearer/index.js";

export { Failed, SignedOut } from "./tower-bearer/index.js";

// Where the page is. A proxy may have put it below a path of its own. With the origin in front. A path that begins with
// two slashes, as a link can make it, names another server to `fetch`.
const HERE = location.origin + new URL(".", location.href).pathname;

const BASE = `${HERE}auth`;
/** Where the access token goes. */
export const API = `${HERE}api`;

export const session = createSession({ base: BASE });

/** For a page that plays something: call it now and then. */
export const { keepAlive } = session;

/**
 * Tells the server that the user is still the same. The session goes on with a new token, and one from before is
 * refused. Rejects with `Failed`, of the code `wrong_password` when it is wrong.
 * @param {string} password
 */
export async function stepUp(password) {
  const token = await session.token({ atLeast: 30_000 });
  await session.begin((headers) => {
    headers.set("Authorization", `Bearer ${token}`);
    headers.set("Content-Type", "application/json");
    return fetch(`${BASE}/step-up`, { method: "POST", headers, body: JSON.stringify({ password }) });
  });
}
