//! Attacks that the crate stops, attacks that it does not stop, and the default settings.
//!
//! You want to judge whether this protection is enough, or to make it stricter. These settings make it stricter:
//!
//! ```
//! use std::time::Duration;
//! use tower_bearer::{Auth, ConfigError, Event, EventSink, KeyRing, MemoryStore, NoClaims, ReusePolicy};
//!
//! fn strict(keys: &KeyRing) -> Result<Auth<NoClaims>, ConfigError> {
//!     Auth::builder(keys)
//!         .issuer("https://id.example")
//!         .audience("api")
//!         .store(MemoryStore::new())
//!         .origins(["https://app.example".parse()?])
//!         // A stolen access token works for 5 minutes, not for 15.
//!         .tokens(|tokens| tokens.lifetime(Duration::from_secs(5 * 60)))
//!         .sessions(|sessions| {
//!             sessions
//!                 // A thief loses the session after one day, not after 7.
//!                 .absolute_lifetime(Duration::from_secs(24 * 60 * 60))
//!                 // A replaced token that comes back revokes all sessions of its user.
//!                 .reuse(ReusePolicy::Subject)
//!         })
//!         .events(EventSink::new(|event: &Event<'_>| {
//!             if let Event::ReuseDetected { subject, .. } = event {
//!                 eprintln!("tell {subject} that a session was stolen");
//!             }
//!         }))
//!         .build()
//! }
//! # strict(&KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! # Attacks that it stops
//!
//! **A refresh cookie copied alone**, from a log, a proxy or a backup. The first refresh under the `User-Agent` of
//! the sign-in binds the session to a second cookie, the [jar cookie](crate::refresh::JarCookie). From then on a copy
//! without it gets no token. The session goes on, and the server emits
//! [`Event::ForeignJar`](crate::Event::ForeignJar). [Before that](#attacks-that-it-does-not-stop) the copy is worth a
//! copy of the whole jar.
//!
//! The copy can still raise [`Event::ReuseDetected`](crate::Event::ReuseDetected) after the session's end, with `jar`
//! false and `ended`. Its token must have been replaced, and the session ended by a client more than the grace ago.
//! [`ReusePolicy::Subject`](crate::ReusePolicy::Subject) then revokes the user's other sessions.
//!
//! **A whole cookie jar, copied.** The thief and the browser hold tokens of one session. The first to refresh
//! replaces the token, and the other presents a replaced one. The answer depends on the `User-Agent` of each, which
//! is evidence and no identity:
//!
//! * *Another `User-Agent` than the user's.* The server emits
//!   [`Event::NewFingerprint`](crate::Event::NewFingerprint). The thief gets a successor, and an access token only
//!   once it presents that. The [minute after a rotation](#attacks-that-it-does-not-stop) is the exception. Once both
//!   sides have refreshed an interval apart, the server revokes the session.
//! * *The same `User-Agent`.* The replaced token looks like one from a browser that lost an answer. The server
//!   answers it once and burns the other side's token. When the burned token comes back, the server revokes the
//!   session.
//!
//! A revoked session has no working refresh token, and [`Event::ReuseDetected`](crate::Event::ReuseDetected) names
//! both clients. [`sessions`](super::sessions) has the decision table.
//!
//! **A thief that covers its tracks**: it refreshes, then signs out or signs in as itself in the copied jar. The
//! user's replaced token still raises the alarm, unless the thief sends the user's `User-Agent`.
//!
//! **Forged, truncated, foreign or swapped cookies.** AES-256-GCM seals the cookie to its name and issuer. The server
//! rejects other cookies before it asks the store. A cookie from one service is rejected by another.
//!
//! **A dump of the session store.** It holds hashes of 32 random bytes, and seeds. A seed is useless without a token
//! and the server's key. Subjects are in clear text.
//!
//! **Tokens of the wrong kind.** The server rejects `none`, another algorithm, keys in the header, compression and
//! unknown critical members. It rejects access tokens in the refresh cookie, and the reverse.
//!
//! **Cross-site requests.** Cookie-authenticated routes have three defences ([`guards`](super::guards)):
//!
//! * The refresh cookie is `SameSite=Strict` and limited to the session endpoints. Sibling hosts can still cause it
//!   to be sent.
//! * [`OriginGuardLayer`](crate::OriginGuardLayer) rejects origins that you did not list, also at sign-in. Sibling
//!   hosts and plain-http pages of the same host are such origins.
//! * [`CsrfLayer`](crate::CsrfLayer) needs a signed token of the session, so a planted one fails. A sign-in needs a
//!   token too: an attacker cannot sign a user into another account.
//!
//! The API reads its token from a header that browsers never add by themselves, and needs none of the three.
//!
//! **Frames, sniffed uploads, plain http**: [`SecurityHeadersLayer`](crate::SecurityHeadersLayer) and
//! [`RequireHttpsLayer`](crate::RequireHttpsLayer).
//!
//! **Leaks through logs.** No type prints a token, key or hash. Clients get one opaque code. Nested and encrypted
//! tokens hide the user.
//!
//! **Malformed input.** The server checks lengths before it parses or allocates, and bounds JSON's depth and the
//! in-memory store. One token sent over and over gets 429.
//!
//! # Attacks that it does not stop
//!
//! **A stolen access token works until it expires**, 15 minutes by default. Sign-out and revocation do not shorten
//! that, since the server verifies the token without the store. Shorten the lifetime, or ask the store in
//! [`BearerAuthLayer::check`](crate::BearerAuthLayer::check).
//!
//! **A script in your page.** It cannot read the cookie, and reads the access token only from a variable in its
//! reach. But while it runs, it can refresh and call the API as the user, with CSRF tokens. A strict content policy
//! keeps scripts out. Pages that you list for the guard and CORS have the same power.
//!
//! **A whole cookie jar, used with the user's `User-Agent`.** Three such thieves go unnoticed, because a browser does
//! the same:
//!
//! * One refreshes once, right after the copy. It has one access token.
//! * One shadows the user: it refreshes within the grace of each of the user's refreshes. It has access tokens for as
//!   long as the user is active.
//! * One refreshes, then signs out. It has one access token, and the user is signed out without an alarm.
//!
//! [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) can use a stronger signal, such
//! as a client certificate. Device-bound keys (DPoP, device-bound sessions) would close this gap. They are not built
//! yet.
//!
//! **A whole cookie jar, in the minute after a rotation.** Under any `User-Agent`, each refresh returns an access
//! token until the interval ends, up to [`repeat_limit`](crate::refresh::RefreshCookieBuilder::repeat_limit) in half
//! a minute. Another `User-Agent` causes an event.
//!
//! **A refresh cookie copied before its session is bound.** The copy alone gets an access token and the jar cookie. A
//! page that refreshes right after the sign-in keeps this time short. A session whose refreshes all have another
//! `User-Agent` than its sign-in is never bound. For a native sign-in with a refreshing web view, let
//! [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) return the same for both.
//!
//! **A thief that only looks.** It learns that its token was replaced, up to one grace after that, and no time.
//!
//! **Refresh tokens without a jar cookie**: with [`JarCookie::Off`](crate::refresh::JarCookie::Off), and in
//! [bodies](crate::refresh::RefreshTransport::Body). The refresh token alone is the session.
//!
//! **A theft that the user never contradicts.** If the user does not come back, no replaced token does. The thief
//! keeps the session until its absolute end.
//!
//! **Malware on the user's machine**, which sees all that the browser sees.
//!
//! **Passwords.** Your sign-in handler must hash slowly, [limit attempts](super::operations) and ask for a second
//! factor. It then calls [`Session::elevate`](crate::Session::elevate).
//!
//! **Stolen server keys.** An attacker with the keys mints tokens. Keep them out of images and repositories, and
//! [rotate](super::keys) them.
//!
//! **A store that lies.** It must compare and replace atomically, and keep acknowledged writes. The server repairs
//! one lost write. After more, the user signs in again, without an alarm.
//!
//! **Bearers.** Any holder can use a bearer token. The server rejects bound ones (`cnf`: DPoP, certificates), since
//! it does not check the binding.
//!
//! **Tokens in `localStorage`, addresses or logs of the page.**
//!
//! **A planted refresh cookie.** A sibling host can set a cookie of that name.
//!
//! * A made-up value, or one of an ended session, changes nothing.
//! * With a value of a *live* session, the page's CSRF token says which one counts. Without
//!   [`CsrfLayer`](crate::CsrfLayer) the server answers 400 while the planted cookie lives.
//! * Cookies of four other sessions in front shut the user out.
//! * A browser without a session of its own goes on with the planted one.
//!
//! [`host_prefix`](crate::refresh::RefreshCookieBuilder::host_prefix) closes this, at the price of `Path=/`.
//!
//! **Handlers.** Layers do not see a `GET` that changes data, a route without its layer, or another user's object.
//!
//! **Floods.** There is no limit by address. Genuine sign-ins fill the store up to its bound.
//!
//! **Observers.** A network observer sees that a client refreshes. The holder of a signed token can read it. This
//! crate's answers do not show whether a subject exists. Your sign-in handler's answers and their timing may.
//!
//! **Sign-in at a provider.** Redirects, PKCE, state and mix-up (RFC 9700) belong to your OAuth library.
//!
//! `DESIGN.md` goes through RFC 8725, 9068, 9700 and 10017 and OWASP's lists point by point.
//!
//! # Effects on honest users
//!
//! Tabs, reloads, lost answers and crashes present replaced tokens too. The server answers such a token again for a
//! short time, with the same successor. Later a client of the same jar gets a new one. Other effects:
//!
//! | cause | effect |
//! |---|---|
//! | a window with a new `User-Agent` | one more round trip, once, and an event |
//! | a browser that dies within 30 s of a rotation whose token has come back | one sign-in with an alarm, if its `User-Agent` is new to the session. A browser update makes it new until the session ends. |
//! | a store's failover within seconds of a lost answer, privilege change or crash | possibly one sign-in, perhaps with an alarm |
//! | the store's clock jumps forward by more than half the grace | possibly one sign-in, perhaps with an alarm |
//! | more lost answers in a row than [`recoveries`](crate::refresh::RotationPolicyBuilder::recoveries) | one sign-in, without an alarm |
//! | an answer that arrives after another tab's new sign-in or second factor | one sign-in: its older `Set-Cookie` wins. The npm package avoids it. |
//!
//! # Defaults
//!
//! Other settings state their default in their documentation.
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [issuer](crate::token::TokenCodecBuilder::issuer), [audience](crate::token::TokenCodecBuilder::audience) | required | Without an audience, a token for one service is accepted by another. |
//! | [`lifetime`](crate::token::TokenCodecBuilder::lifetime) | 15 minutes | Bounds a stolen token. |
//! | [`leeway`](crate::token::TokenCodecBuilder::leeway) | 60 s, at most 300 s | Synchronised clocks differ by less. |
//! | [`token_types`](crate::token::TokenCodecBuilder::token_types) | `at+jwt` | RFC 9068: an id token is no access token. |
//! | [`absolute_lifetime`](crate::refresh::RefreshCookieBuilder::absolute_lifetime) | 7 days | Bounds an unnoticed theft. |
//! | [`idle_lifetime`](crate::refresh::RefreshCookieBuilder::idle_lifetime) | as the absolute one | Shorten it for shared machines. |
//! | [`session_limit`](crate::refresh::RefreshCookieBuilder::session_limit) | 32 a subject | More than a user has devices. |
//! | [`reuse`](crate::refresh::RefreshCookieBuilder::reuse) | its session | One device was robbed. |
//! | [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) | `User-Agent` | Addresses change. |
//! | [`grace`](crate::refresh::RotationPolicyBuilder::grace) | 30 s | Longer than slow answers take. |
//! | [`interval`](crate::refresh::RotationPolicyBuilder::interval) | 60 s, at least twice the grace | Twenty restored tabs cause one rotation. |
//! | [refresh cookie](crate::refresh::RefreshCookieBuilder::cookie_name) | `__Secure-refresh_token`, `Path=/auth`, `HttpOnly`, `Secure`, `SameSite=Strict` | Scripts, other paths and other sites do not get it. |
//! | its `Domain` | never | Each subdomain would get it. |
//! | [CSRF cookie](crate::csrf::CsrfBuilder::http_only) | `__Host-csrf`, `SameSite=Lax`, readable by scripts | `Strict` would replace the token after a link from another site. |
//! | [`missing_origin`](crate::OriginGuardLayer::missing_origin) | rejected with credentials | Browsers name the origin. |
//! | WebSocket handshakes | guarded | CORS does not apply. |
//! | [events](crate::EventSink) | none | [Connect](super::operations) them. |
//!
//! ## Response headers
//!
//! [`SecurityHeadersLayer`](crate::SecurityHeadersLayer) adds [these](crate::headers) where a handler sends none.
//!
//! | header | reason |
//! |---|---|
//! | `Strict-Transport-Security: max-age=31536000` | A year is the least for preload lists. |
//! | `Content-Security-Policy`: `default-src 'self'` | Keeps out inline and foreign scripts. |
//! | `base-uri 'none'` | An injected `<base>` would redirect relative addresses. |
//! | `form-action 'self'` | An injected form would send passwords. List sites that forms redirect to. |
//! | `frame-ancestors 'none'` | Stops clickjacking, in place of `X-Frame-Options`. |
//! | `object-src 'none'` | Drop it for a PDF in an `<object>`. |
//! | `X-Content-Type-Options: nosniff` | Uploads do not run as scripts. |
//! | `Referrer-Policy: same-origin` | Forms to another origin need [`StrictOriginWhenCrossOrigin`](crate::headers::ReferrerPolicy::StrictOriginWhenCrossOrigin), or browsers send `Origin: null`. |
//!
//! A 304 gets neither policy, since its headers replace those of the stored page. Plain http gets no
//! `Strict-Transport-Security` where a [`ConnectionScheme`](crate::headers::ConnectionScheme) says so (RFC 6797
//! section 7.2). An API without pages can use `default-src 'none'; frame-ancestors 'none'`.
