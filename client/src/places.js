/** Returns the path of the session endpoints, and the origins that get the token. */
export function places(origin, base, api) {
  const root = new URL(base, origin);
  // A `blob:` has the origin of its page, and no host.
  if (root.origin !== origin || !root.host) throw new TypeError("base: another origin");
  const others = api.map((text) => {
    const url = new URL(text);
    // A path would not limit the token to it, and `localhost:8080` names a scheme.
    if (url.href !== `${url.origin}/` || text.includes("*")) throw new TypeError(`api: ${text} is no origin`);
    return url.origin;
  });
  return { path: root.pathname.replace(/\/$/, ""), origins: [origin, ...others] };
}
