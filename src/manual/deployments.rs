//! Proxies, development servers, web views and extensions: what they send, and the lines to write for each.
//!
//! Browsers say where a request comes from. A proxy in between may change `Host`, the path and the scheme; an
//! application or an extension around the page gives it another origin. Each row holds for the defaults. No proxy
//! here is documented to change `Origin`, `Referer`, `Cookie` or `Sec-Fetch-Site`, so
//! [`same_origin`](crate::OriginGuardLayer::same_origin) serves behind all of them, for requests that say
//! `Sec-Fetch-Site`. Three kinds do not, and their `Origin` is compared with `Host`:
//!
//! * WebSocket handshakes of current Chromium;
//! * every browser's requests over plain http to another host than loopback (`localhost`, `127.0.0.1`, `[::1]`);
//! * requests of browsers from before the header, Safari before 16.4 among them.
//!
//! Where a service has any of them, its proxy passes `Host` on, or the service has a list, which does not look at
//! `Host`.
//!
//! The page of Capacitor, Tauri or Electron is of another site than the service, so the session cookie does not
//! travel there. The lines in these rows are entries for CORS: see
//! [below](#sessions-in-applications-and-extensions).
//!
//! | what | what the service sees | lines | known from |
//! |---|---|---|---|
//! | nginx, `proxy_pass` | `Host` is the upstream's; `X-Forwarded-Proto` is the client's own word, if any, until the line overwrites it | nginx: `proxy_set_header X-Forwarded-Proto $scheme;` and, for the three kinds above, `proxy_set_header Host $host;`, or `$http_host`, which keeps the port, where the address has one. Here: `same_origin()`, `behind_proxy("x-forwarded-proto")?` | a test in this repository |
//! | HAProxy | `Host` as sent; `X-Forwarded-Proto` as with nginx | HAProxy: `http-request set-header X-Forwarded-Proto https if { ssl_fc }`, and the same with `http if !{ ssl_fc }`; here as for nginx | a test in this repository |
//! | Caddy, `reverse_proxy` | `Host` as sent, but the upstream's own for an upstream over TLS, since 2.11; `X-Forwarded-Proto` set, the client's word dropped unless `trusted_proxies` names it | `same_origin()`, `behind_proxy("x-forwarded-proto")?` | Caddy's [`reverseproxy.go`][caddy], [`httptransport.go`][caddy-tls] |
//! | Traefik | `Host` as sent (`passHostHeader`); `X-Forwarded-Proto` set, `wss` or `ws` for a WebSocket handshake, the client's word dropped unless `trustedIPs` names it | the same | Traefik's [`forwarded_header.go`][traefik], [entry points][traefik-entry] |
//! | Cloudflare | all headers as sent; `X-Forwarded-Proto` overwritten with what the client used | the same. The header says nothing about the way from Cloudflare to the service: encrypt that too | [Cloudflare's headers][cloudflare] |
//! | AWS ALB | `Host` with the listener's port added, until `routing.http.preserve_host_header.enabled`; `X-Forwarded-Proto` | the same | [ALB's headers][alb], [announcement][alb-host] |
//! | Fly.io | `X-Forwarded-Proto: http` or `https`, and `X-Forwarded-SSL: on` or `off` | the same, or `behind_proxy("x-forwarded-ssl")?.value("on")?` | [Fly's headers][fly] |
//! | Vite, `server.proxy` | `Host` is the target's where a rule is a string, the page's where it is an object without `changeOrigin`; no `X-Forwarded-*` | `same_origin()`, but not for WebSockets where a rule is a string; or `"http://localhost:*"` and `"http://127.0.0.1:*"` in a list. No `RequireHttpsLayer` in development. Never `rewriteWsOrigin`: it hides foreign pages from the guard | Vite's [`proxy.ts`][vite], [http-proxy-3][vite-proxy] |
//! | Capacitor | `Origin: capacitor://localhost` on iOS, `https://localhost` on Android (`http://localhost` in older projects); no session cookie | for CORS: `Origin::custom_scheme("capacitor://localhost")?`, `"https://localhost".parse()?` | Capacitor's [`declarations.ts`][capacitor] |
//! | Tauri | `Origin: tauri://localhost` on macOS, Linux and iOS; `http://tauri.localhost` on Windows and Android, `https://tauri.localhost` with `useHttpsScheme`; no session cookie | for CORS: `Origin::custom_scheme("tauri://localhost")?` and both others | Tauri's [`protocol`][tauri] |
//! | Electron | the origin of a scheme that is registered as `standard`: `app://-` with electron-serve; no session cookie. A page of `file://` cannot be listed | for CORS: `Origin::custom_scheme("app://-")?` | Electron's [`protocol`][electron], [electron-serve][electron-serve] |
//! | an extension in Chromium | `Origin: chrome-extension://<id>`. With a host permission `Sec-Fetch-Site: none` and **the session cookie**, `SameSite` or not; without one `cross-site` and no session cookie. A content script sends what its page sends | `Origin::custom_scheme("chrome-extension://<id>")?` | [Chrome on origins][extension], Chromium's [`sec_header_helpers.cc`][extension-sec] and [its test of cookies][extension-cookies] |
//! | an extension in Firefox | an origin `moz-extension://<uuid>` that is another one in each browser, so it cannot be listed | the body as transport, see below | [MDN][firefox] |
//!
//! # The lines
//!
//! ```
//! use tower_bearer::{OriginGuardLayer, RequireHttpsLayer, origin::Origin};
//!
//! # fn layers() -> Result<(), tower_bearer::ConfigError> {
//! // One host, whatever the proxy makes of its name, and TLS that ends at the proxy.
//! let https = RequireHttpsLayer::behind_proxy("x-forwarded-proto")?;
//! let own = OriginGuardLayer::same_origin();
//! // A proxy with a word of its own, and proxies that append to a list.
//! let on = RequireHttpsLayer::behind_proxy("x-forwarded-ssl")?.value("on")?;
//! let nearest = RequireHttpsLayer::behind_proxy("x-forwarded-proto")?.last()?;
//!
//! // Pages elsewhere: a list, which is for CORS too.
//! let listed = OriginGuardLayer::new([
//!     "https://app.example".parse()?,
//!     Origin::custom_scheme("chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb")?,
//!     "http://localhost:*".parse()?, // development servers, and never in production
//!     "http://127.0.0.1:*".parse()?, // to browsers another host than localhost
//! ])?;
//! // Applications, whose requests carry no cookie: for CORS alone.
//! let applications = [
//!     Origin::custom_scheme("capacitor://localhost")?,
//!     "https://localhost".parse()?, // Capacitor on Android
//!     Origin::custom_scheme("tauri://localhost")?,
//!     "http://tauri.localhost".parse()?,
//!     Origin::custom_scheme("app://-")?, // Electron
//! ];
//! # let _ = (https, own, on, nearest, listed, applications);
//! # Ok(())
//! # }
//! # layers().unwrap();
//! ```
//!
//! * A list is strict: an entry trusts every page of that origin. `https://localhost` is whatever listens on the
//!   user's machine, and a listed extension acts as the user wherever it has the permission. Keep
//!   `http://localhost:*` out of production. It does not cover `http://127.0.0.1:5173`: list both hosts.
//! * Several proxies in a row: only the one that ends TLS writes `X-Forwarded-Proto`. An nginx further in is reached over
//!   plain http, so with `$scheme` it makes every https request look like http: all are refused, and with `redirect_to`
//!   the browser goes round in circles. Its line is `proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;`.
//! * A proxy may serve the application below `/app` and take that off the paths: nginx does with
//!   `location /app/ { proxy_pass http://127.0.0.1:3000/; }`. Browsers do not see that, so the cookie needs
//!   `.external_prefix("/app")` on the [builder](crate::refresh::RefreshCookieBuilder::external_prefix). One setting
//!   serves each proxy, and no `Set-Cookie` has to be rewritten.
//! * Such a prefix stands at the *end* of a protected-resource document's path, which needs a location of its own:
//!   [`resource`](crate::resource#behind-a-proxy).
//! * Proxies that append make the header a list. [`RequireHttpsLayer`](crate::RequireHttpsLayer) then takes
//!   `.last()?`, the word of the nearest one, or `.first()?` where the outermost overwrites what the client says.
//! * Try once that the proxy overwrites it. Over plain http this must not reach the application:
//!   `curl -i -H 'X-Forwarded-Proto: https' http://app.example/`. And let the service listen where the proxy alone
//!   comes.
//!
//! # Both cookies and the `User-Agent`
//!
//! A session has two cookies on the path of the session endpoints: the refresh cookie, and the [jar
//! cookie](super::rotation#cookies) with `_jar` behind the same name. Together with the `User-Agent` they say that a
//! request comes from the session's own browser. So each program between the browser and the service:
//!
//! * forwards **both** cookies. With the refresh cookie alone the answer is 401, kind `foreign_jar`, and the event
//!   [`ForeignJar`](crate::Event::ForeignJar) tells. A sign-out so ends nothing, and a sign-in replaces nothing;
//! * forwards the browser's `User-Agent`. One of its own is a new name for the session: a round trip more, and the
//!   event [`NewFingerprint`](crate::Event::NewFingerprint);
//! * hands every `Set-Cookie` line of an answer to the browser, also of a 409.
//!
//! The proxies of the table do all three. These often do not: a renderer, a backend for frontends, a gateway or content
//! delivery network with a list of allowed cookies. Put both names on that list. Where it takes one cookie only,
//! [`JarCookie::Off`](crate::refresh::JarCookie::Off) gives the second one up. A refresh cookie that was copied alone
//! then works.
//!
//! **Rolling deploys.** Another [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) gets
//! another [`fingerprint_version`](crate::refresh::RefreshCookieBuilder::fingerprint_version). While old and new
//! instances answer by turns, each takes a client of the other's version for the same one. So no user is signed out,
//! and none on the way back. Refreshes are answered meanwhile. `peek`, the list, `DELETE` and `elevate` are answered
//! 409 `refresh_first` by turns: by each instance whose version is not that of the last refresh. Two graces may run
//! side by side for a while: the search has 15 s beside 30 s, with intervals of twice as much.
//!
//! # A gateway that signs requests in
//!
//! A gateway may keep the session in a cookie of its own, and add an `Authorization` to each request: a backend for
//! frontends, or oauth2-proxy. If it also takes its cookie off, a forged request looks like one with credentials of
//! the client's own. [`CsrfLayer`](crate::CsrfLayer) [exempts](crate::csrf) those, so behind such a gateway it checks
//! nothing.
//!
//! * The guards belong in the gateway, where the cookie ends.
//! * Or the gateway passes its cookie on. By default each cookie but the layer's own ends the exemption; where
//!   [`session_cookies`](crate::csrf::CsrfBuilder::session_cookies) is set, name the gateway's there.
//! * [`OriginGuardLayer`](crate::OriginGuardLayer) exempts no such request. Give it
//!   [`missing_origin(MissingOrigin::Refuse)`](crate::OriginGuardLayer::missing_origin): credentials that the gateway
//!   adds do not look like a browser's.
//!
//! # Sessions in applications and extensions
//!
//! The page of an application (Capacitor, Tauri, Electron) is of another *site* than the service: the scheme and the
//! registrable domain are not the same. Browsers keep `SameSite=Strict` and `SameSite=Lax` cookies from its requests
//! (RFC 6265bis section 5.2), so the refresh cookie does not travel, and a list alone does not change that. Give it
//! a layer with the body as transport, as [native clients](super::how_to#clients-without-a-cookie-jar) have, and
//! keep the refresh token in the platform's own store, outside of the web view. Such a layer needs no guard;
//! [CORS](super::guards#order-of-layers) needs the list.
//!
//! An extension in Chromium with a host permission does send the cookie. Its requests to the guarded paths are refused
//! until its origin is listed; requests of its content scripts are those of the page.
//!
//! [alb]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
//! [alb-host]: https://repost.aws/questions/QUbdKVqaj4TKSZJdPWPZG1Ow/launch-announcement-new-alb-enhancements-provide-options-to-specify-how-to-process-host-header-and-x-forwarded-for-header
//! [caddy]: https://github.com/caddyserver/caddy/blob/master/modules/caddyhttp/reverseproxy/reverseproxy.go
//! [caddy-tls]: https://github.com/caddyserver/caddy/blob/master/modules/caddyhttp/reverseproxy/httptransport.go
//! [capacitor]: https://github.com/ionic-team/capacitor/blob/main/cli/src/declarations.ts
//! [cloudflare]: https://developers.cloudflare.com/fundamentals/reference/http-headers/
//! [electron]: https://www.electronjs.org/docs/latest/api/protocol
//! [electron-serve]: https://github.com/sindresorhus/electron-serve/blob/main/index.js
//! [extension]: https://developer.chrome.com/docs/extensions/develop/concepts/network-requests
//! [extension-cookies]: https://github.com/chromium/chromium/blob/main/chrome/browser/extensions/extension_cookies_browsertest.cc
//! [extension-sec]: https://github.com/chromium/chromium/blob/main/services/network/sec_header_helpers.cc
//! [firefox]: https://developer.mozilla.org/en-US/docs/Mozilla/Add-ons/WebExtensions/manifest.json/web_accessible_resources
//! [fly]: https://fly.io/docs/networking/request-headers/
//! [tauri]: https://docs.rs/crate/tauri/2.12.0/source/src/protocol/mod.rs
//! [traefik]: https://github.com/traefik/traefik/blob/master/pkg/middlewares/forwardedheaders/forwarded_header.go
//! [traefik-entry]: https://doc.traefik.io/traefik/reference/install-configuration/entrypoints/
//! [vite]: https://github.com/vitejs/vite/blob/main/packages/vite/src/node/server/middlewares/proxy.ts
//! [vite-proxy]: https://github.com/sagemathinc/http-proxy-3
