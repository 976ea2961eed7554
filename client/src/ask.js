import { Failed } from "./errors.js";
import { noop, sleep, until } from "./wait.js";

// A page that has none of these codes was refused by the application itself.
const GUARDS = ["csrf", "foreign_origin", "https_required", undefined];
const LIMIT = 15_000;

export async function hear(response) {
  const { ok, status, headers } = response;
  return { ok, status, headers, said: Object(await response.json().catch(() => null)) };
}

export const failed = ({ status, said }) => new Failed(status, said.title ?? `the server answered ${status}`, said.code);

export const unreachable = (cause) => Object.assign(new Failed(0, "no answer"), { cause });

const isByGuard = ({ status, said }) => status === 403 && GUARDS.includes(said.code);

/** How the session asks its server: with a time limit and the CSRF token. */
export function asking(here, root, send, life) {
  async function ask(path, init) {
    life.throwIfAborted();
    const stop = new here.AbortController();
    const { signal } = stop;
    sleep(here, LIMIT, signal).then(() => stop.abort(), noop);
    try {
      // Passwords and CSRF tokens follow no redirect.
      const answer = send(root + path, {
        credentials: "same-origin",
        cache: "no-store",
        redirect: "error",
        ...init,
        signal,
      });
      return await until(answer.then(hear), signal, life);
    } catch (error) {
      throw life.aborted ? life.reason : unreachable(error);
    } finally {
      stop.abort();
    }
  }

  const post = (path, init, copy) =>
    ask(path, { method: "POST", ...init, headers: { ...init?.headers, "X-CSRF-Token": copy } });

  // By its exact name: a sibling host can plant others. Of several none is believed.
  function cookie() {
    const all = here.document.cookie.split("; ");
    const named = (name) => all.filter((pair) => pair.startsWith(name));
    let ours = named("__Host-csrf=");
    if (!ours[0] && here.location.protocol === "http:") ours = named("csrf=");
    return (!ours[1] && ours[0]?.split("=")[1]) || undefined;
  }

  async function token() {
    const answer = await ask("/csrf");
    if (!answer.ok || !answer.said.csrf_token) throw failed(answer);
    // WebKit shows its scripts a new cookie a moment after the answer.
    if (!cookie()) await sleep(here, 99, life);
    return answer.said.csrf_token;
  }

  async function guarded(request, kept) {
    let answer = await request(kept ?? cookie() ?? (await token()));
    if (isByGuard(answer)) {
      // The kept token is of another session than the cookie, or of keys that were replaced.
      if (kept) return { ...answer, status: 401, isMoot: true };
      // The cookie is of a session that ended, or of keys that were replaced.
      answer = await request(await token());
    }
    if (isByGuard(answer)) throw new Failed(403, "Allow cookies and reload the page.", answer.said.code);
    return answer;
  }

  const change = (path, init, kept) => guarded((copy) => post(path, init, copy), kept);

  return {
    ask,
    cookie,
    guarded,
    token,
    /** `v1s` beside a session, `v1a` without one. */
    hint: () => cookie()?.split(".")[0],
    post,
    change,
    refresh: (passive) => change("/refresh", { headers: passive && { "X-Session-Activity": "passive" } }),
  };
}
