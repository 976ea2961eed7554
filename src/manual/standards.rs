//! The published lists of what can go wrong, and where this crate stands with each point.
//!
//! **yes**: done by default. **you**: something that you have to do; the text says what. **no**: not covered.
//! **n/a**: belongs to a part of a system that this crate is not, such as an authorisation server.
//!
//! # RFC 8725, best practices for JWT
//!
//! | section | | |
//! |---|---|---|
//! | 3.1 algorithm verification | yes | each key has one algorithm; the header has to name it and chooses nothing |
//! | 3.2 appropriate algorithms | yes | no `none`, RSA1_5, PBES2, CBC; RSA from 2048 bits |
//! | 3.3 validate all cryptographic operations | yes | both layers of a nested token |
//! | 3.4 validate cryptographic inputs | yes | points and signatures by `ring`; what goes to OpenSSL (wrapped keys) has its lengths checked first |
//! | 3.5 key entropy | yes | 32 bytes or more; what is plainly not random is refused |
//! | 3.6 no compression before encryption | yes | `zip` is refused |
//! | 3.7 UTF-8 | yes | anything else is refused |
//! | 3.8 issuer and subject | yes | issuer exact, subject required; waived by name only |
//! | 3.9 audience | yes | required |
//! | 3.10 do not trust received claims | yes | `kid` is looked up in memory alone; `jku`, `jwk`, `x5u`, `x5c` are ignored. What your own claims lead to is up to you. |
//! | 3.11 explicit typing | yes | `at+jwt` |
//! | 3.12 mutually exclusive rules for kinds of tokens | yes | type, audience and derived keys keep access tokens, refresh cookies and CSRF tokens apart |
//!
//! # RFC 6750 and RFC 9700, bearer tokens and OAuth security
//!
//! | point | | |
//! |---|---|---|
//! | tokens in the header, never in the query (RFC 6750 section 5.3) | yes | header only |
//! | TLS (RFC 6750 section 5.3) | you | [`RequireHttpsLayer`](crate::RequireHttpsLayer), or the proxy |
//! | short-lived tokens (RFC 6750 section 5.3) | yes | 15 minutes, 24 hours at most |
//! | audience-restricted access tokens (RFC 9700 section 2.3) | yes | required |
//! | sender-constrained access tokens (RFC 9700 section 2.2.1) | no | No DPoP and no mTLS binding. A token that *is* bound (`cnf`) is refused, since its binding would not be checked. |
//! | refresh tokens rotated or sender-constrained (RFC 9700 section 4.14) | yes | [rotated](super::rotation) |
//! | end refresh tokens at sign-out and password change (RFC 9700 section 4.14.2) | you | the methods are there: [`how_to`](super::how_to#ending-sessions) |
//! | refresh tokens end when they are not used (RFC 9700 section 4.14.2) | you | [`idle_lifetime`](crate::refresh::RefreshCookieBuilder::idle_lifetime); by default the absolute one of 7 days is the limit. A page that refreshes by a timer [says so](super::how_to#ending-unused-sessions), or its open tab is use |
//! | redirect URIs, PKCE, mix-up, code injection, open redirects, client authentication (RFC 9700 sections 2 and 4) | n/a | What you use to let people sign in through others has to do these. Here begins what comes after. |
//! | a page that is its own OAuth client (RFC 9700 and the browser-based apps BCP) | n/a | here the service and its page are one party, with a cookie between them |
//!
//! # OWASP: JSON Web Tokens
//!
//! | point | | |
//! |---|---|---|
//! | `none` | yes | does not exist |
//! | sidejacking: a fingerprint cookie beside the token | no | The token is in the page's memory and lives for minutes. A reader of that memory reads what is beside it. The *refresh* cookie has such a second one: the [jar cookie](super::rotation#cookies). |
//! | no built-in revocation | you | [`check`](super::recipes#refusing-tokens-of-sessions-that-have-ended), where minutes are too long |
//! | information disclosure | yes | nested and encrypted profile; the signed one shows its claims to who holds it |
//! | storage on the client | yes | refresh token in an `HttpOnly` cookie; you: keep the access token in a variable and not in `localStorage` |
//! | weak secret | yes | refused |
//!
//! # OWASP: sessions
//!
//! | point | | |
//! |---|---|---|
//! | name that does not tell the framework | you | [`cookie_name`](crate::refresh::RefreshCookieBuilder::cookie_name), where you care: `__Secure-refresh_token` tells what it is |
//! | entropy and length | yes | 256 random bits; each successor derived from them, the session's seed and a key |
//! | content means nothing to the client | yes | sealed |
//! | session fixation | yes | only ids that the server made; sign-in makes a new one, [`elevate`](crate::Session::elevate) a new token. you: call it |
//! | `Secure`, `HttpOnly`, `SameSite`, no `Domain`, narrow `Path` | yes | [`defaults`](super::defaults#cookie) |
//! | idle, absolute and renewal time-out | yes | idle is as long as absolute unless you say less, for all sessions or [for one](super::how_to#remember-me). you: a page that [tells its timer from its user](super::how_to#ending-unused-sessions) |
//! | sign-out on the server | yes | a record that is revoked, not a cookie that is forgotten |
//! | sign-out button, on every page | you | |
//! | simultaneous sessions | yes | 32 a subject, listed and ended by the user |
//! | binding to the client | yes | to the cookie jar, by a second cookie; `User-Agent` is evidence beside it; addresses on purpose not. To a key of the device: no |
//! | cache headers | yes | `no-store` on what the layers and endpoints answer; you: on the API's own answers |
//! | detecting guesses of ids | yes | nothing that is not sealed reaches the store. It is not counted as an attack: watch the 401s |
//! | re-authentication before dangerous actions | you | [step-up](super::recipes#step-up-a-second-factor) |
//! | logging the life of sessions | you | the events; a sink that writes them |
//!
//! # OWASP: CSRF
//!
//! | point | | |
//! |---|---|---|
//! | signed double-submit cookie, bound to the session | yes | [`CsrfLayer`](crate::CsrfLayer), HMAC |
//! | naive double-submit | yes | does not exist here |
//! | synchroniser token | n/a | nothing is kept on the server; the signed one has the same effect |
//! | custom header | yes | the copy of the token travels in one |
//! | `SameSite` | yes | as one defence of three |
//! | `Origin`, `Referer`, Fetch Metadata | yes | [`OriginGuardLayer`](crate::OriginGuardLayer) |
//! | `__Host-` prefix | yes | for the CSRF cookie; for the refresh cookie with [`host_prefix`](crate::refresh::RefreshCookieBuilder::host_prefix) |
//! | `__Http-`, `__Host-Http-` prefixes | by a setting | [`http_prefix`](crate::refresh::RefreshCookieBuilder::http_prefix), for [the CSRF cookie](crate::csrf::CsrfBuilder::http_prefix) too |
//! | login CSRF | yes | tokens of their own class before sign-in |
//! | state-changing `GET` | you | no guard can see what a handler does |
//! | XSS defeats all of it | no | as everywhere |
//! | token leaks through compression (BREACH) | yes | [`masked`](crate::CsrfToken::masked); the raw token is in a cookie |
//! | client-side CSRF (a script that is led by an address) | no | the page's own code decides where it sends |
