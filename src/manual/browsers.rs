//! The browser's half: the npm package, pages with and without a framework, servers that render, and the shapes of
//! RFC 10017.
//!
//! The package `tower-bearer` in the repository's folder `client` keeps the access token in memory, refreshes it, and
//! shares one session among all tabs. It has no dependency and needs no bundler. Its README has every option and event.
//!
//! | the page | needs |
//! |---|---|
//! | [without a framework](#a-plain-page) | the files of the package, served by the application |
//! | [React](#react) | `tower-bearer/react` |
//! | [Vue, Svelte and others](#vue-and-others) | three lines |
//! | [drawn by a server, with an API beside it](#servers-that-render) | `Session::peek`, and headers that the renderer forwards |
//! | drawn by a server, with forms and without scripts | nothing of the package: [`rendered_pages`](super::rendered_pages) |
//! | with a WebSocket or an event stream | `session.token()`: [`connections`](super::connections#websockets) |
//!
//! # A plain page
//!
//! ```js
//! import { createSession } from "./tower-bearer/index.js";
//!
//! const session = createSession();               // the endpoints are below /auth
//! session.subscribe(() => draw(session.state));
//! session.resume().catch(console.debug);         // a reload finds its session again
//!
//! await session.signIn({ email, password });     // POST /auth/login
//! const answer = await session.fetch("/api/profile");
//! await session.signOut();
//! ```
//!
//! Nothing happens before the first call. `resume()` is the one that finds a session: without it `status` stays `unknown`
//! until the user signs in. `session.state` is the
//! same object until something changes. Its `status` is `unknown`, `in` or `out`. Show a page without a user for
//! `unknown`: the server has not answered yet. `problem` says why, where it cannot be reached.
//!
//! In development the page's server proxies both paths. With Vite:
//!
//! ```js
//! server: { proxy: { "/auth": "http://127.0.0.1:3000", "/api": "http://127.0.0.1:3000" } }
//! ```
//!
//! The service then says [`same_origin`](crate::auth::AuthBuilder::same_origin), and
//! [`dangerous_insecure_cookies`](crate::auth::AuthBuilder::dangerous_insecure_cookies) for Safari on localhost.
//!
//! The example `demo` is such a page with everything on it, and `live` one with a WebSocket. Both serve the files from
//! their binary under `script-src 'self'`.
//!
//! # React
//!
//! ```jsx
//! import { createSession } from "tower-bearer";
//! import { useSession } from "tower-bearer/react";
//!
//! export const session = createSession();
//! if (typeof window !== "undefined") session.resume().catch(console.debug);
//!
//! export function Account() {
//!   const { status, reason, problem } = useSession(session);
//!   if (status === "unknown") return problem ? <Unreachable /> : <Waiting />;
//!   if (status === "out") return <SignIn reason={reason} />;
//!   return <Profile />;
//! }
//! ```
//!
//! Make the session once, outside of components. A renewal changes the flag `renewing` and not the `status`, so that
//! it unmounts nothing. On a server the hook draws `unknown`.
//!
//! # Vue and others
//!
//! Each of these needs one `session.resume()` at the start of the page.
//!
//! ```js
//! const state = shallowRef(session.state);                         // Vue
//! const stop = session.subscribe(() => (state.value = session.state));
//! onScopeDispose(stop);
//! ```
//!
//! Svelte takes `readable(session.state, (set) => (set(session.state), session.subscribe(() => set(session.state))))`. Any
//! other library takes the same two members: a value that stays the same until it changes, and a function that says when.
//!
//! # Pages of other origins
//!
//! With the package, the session endpoints are of the page's own origin: its server leads `/auth` on to the service. Only
//! the API may be elsewhere. Name it, as in `createSession({ api: ["https://api.app.example"] })`, list the page's
//! [origin](crate::auth::AuthBuilder::origins) at the service, and turn on CORS there. The token goes to the page's own
//! origin and to those that are named. `session.fetch` throws before it sends anything elsewhere.
//!
//! A page that calls `/auth` of another origin writes its own client, with `credentials: "include"`. Both have to be of one
//! site, or the browser sends no cookie.
//!
//! CORS has to expose `WWW-Authenticate`, or the page cannot tell an expired token from another refusal. The
//! [front door](crate::auth) does so.
//!
//! # Servers that render
//!
//! Leptos, Dioxus, Next and others draw the first page on a server, and a script of the page takes over. One of the two
//! may rotate the refresh token: the script. The renderer looks. It calls [`Session::peek`](crate::Session::peek), or asks
//! `GET /auth/session` where it is a service of its own. A look changes no cookie and asks no claims closure.
//!
//! | renderer | how it learns its user |
//! |---|---|
//! | Leptos or Dioxus on axum, in the same process | its server function takes [`Session`](crate::Session) as any handler does, and calls `peek` |
//! | Next, Nuxt, SvelteKit in front of an axum API | it asks `GET {api}/auth/session` with the browser's headers, as below |
//!
//! **The cookie has to come with the page.** Its path is `/auth` by default, so that the browser sends it to nothing else,
//! and each page would be drawn without a user. [`everywhere`](crate::auth::AuthBuilder::everywhere) sends it to every
//! path. The guards then stand around all that `Auth::routes` holds, and its `route` takes whole paths: `/auth/login` in
//! place of `/login`.
//!
//! The rules for a renderer that asks over http:
//!
//! 1. It forwards **every cookie** of the path as it came. A session has [two](crate::refresh#cookies), and the names may
//!    change with a setting.
//! 2. It forwards the **`User-Agent`** of the browser. Under a name of its own it is another client, and the service
//!    answers 409.
//! 3. It passes each **`Set-Cookie`** of the answer to the browser, unchanged. A dead cookie is cleared that way.
//! 4. It draws the page without a user for 401 and 409, and tries later for 503.
//! 5. It stores nothing: an answer about one user in a shared cache goes to the next. Send `Cache-Control: private`.
//!
//! ```js
//! // Next 15, app router, in a server component. Node's fetch has no cookie jar, so nothing is mixed up there.
//! import { headers } from "next/headers";
//!
//! export async function currentUser() {
//!   const from = await headers();
//!   const answer = await fetch(`${process.env.API}/auth/session`, {
//!     headers: { cookie: from.get("cookie") ?? "", "user-agent": from.get("user-agent") ?? "" },
//!     cache: "no-store",
//!   });
//!   if (answer.status === 401 || answer.status === 409) return null;
//!   if (!answer.ok) throw new Error(`sessions are unavailable: ${answer.status}`);
//!   return (await answer.json()).subject;
//! }
//! ```
//!
//! A server component cannot set cookies. Rule 3 then falls to the page's script, whose first call clears the cookie.
//!
//! A renderer that needs data of the user asks its API with the cookies too, on a route behind the guards, and not with an
//! access token. A renderer that mints access tokens for itself is a second client of one session.
//!
//! The page then begins with what the server drew. `session.resume()` confirms it, and `session.state` has the session's
//! id. Compare it with the one that the renderer wrote into the page where the two could differ.
//!
//! # The shapes of RFC 10017
//!
//! RFC 10017, *OAuth 2.0 for Browser-Based Applications*, describes three shapes. It prefers the first.
//!
//! | shape | the page holds | with this crate |
//! |---|---|---|
//! | backend for frontend (6.1) | a cookie, and no token at all | a proxy with [`forward_auth`](super::forward_auth) or handlers behind the guards that take [`Session`](crate::Session); the backend keeps the tokens of other services |
//! | token-mediating backend (6.2) | an access token of minutes | this is the shape of the crate and of the package |
//! | client in the browser (6.3) | the refresh token too | not offered |
//!
//! **Why the second.** With an access token in the header, routes of the API need no CSRF guard, other origins and native
//! clients use the same routes, and a resource server needs no store. The refresh token never reaches a script, which is
//! what the RFC asks of both shapes.
//!
//! **Its price.** A script that an attacker gets into the page can read the access token and use it elsewhere until it
//! expires, 15 minutes later. Behind a backend for frontend such a script can only send requests while the page is open. In
//! both shapes it acts as the user. The defence is the same: a
//! [content policy](crate::SecurityHeadersLayer::content_security_policy) without inline scripts.
//!
//! **To choose the first** put every route that a browser calls behind [`Auth::guards`](crate::Auth::guards), take
//! `Session` and call [`peek`](crate::Session::peek), and mount no bearer layer for them. The store is asked at each
//! request, and a revoked session is over at once. `POST /auth/refresh` still answers an access token to the page's own
//! scripts, so leave [`SessionEndpoints`](crate::SessionEndpoints) unmounted and write sign-out yourself, as
//! [`rendered_pages`](super::rendered_pages) does.
//!
//! The access token stays out of cookies in each of them. A cookie that authorizes every route makes every route a target
//! of CSRF.
