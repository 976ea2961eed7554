//! Every default with its reason. What a builder cannot have a safe default for is an argument of its constructor.
//! Durations are [`Duration`](std::time::Duration)s; what is kept of them is written with the row where it matters.
//!
//! # Access tokens ([`TokenCodec`](crate::TokenCodec))
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`lifetime`](crate::token::TokenCodecBuilder::lifetime) | 15 minutes | How long a stolen token works, and how long a sign-out takes to reach the API, against one refresh per user and quarter of an hour. |
//! | [`leeway`](crate::token::TokenCodecBuilder::leeway) | 60 s, at most 300 s | Clocks of machines that keep time differ by less; it extends every token's life, so more is not offered. One process that mints and verifies needs none. |
//! | [`max_token_bytes`](crate::token::TokenCodecBuilder::max_token_bytes) | 8 KiB | Most servers refuse a longer header line anyway. Checked before parsing. |
//! | [`max_age`](crate::token::TokenCodecBuilder::max_age) | none | `exp` says it already. For tokens of issuers that date theirs generously; a token without `iat` is then refused. |
//! | [`algorithms`](crate::token::TokenCodecBuilder::algorithms) | whatever the ring's keys are for, each for one | A key is configured for its algorithm, so the list would say it twice. It narrows a ring that is shared. |
//! | [`token_types`](crate::token::TokenCodecBuilder::token_types) | `at+jwt` | RFC 9068: an id token signed by the same key is not an access token. Many issuers write `JWT` or nothing; a type for another purpose, `logout+jwt` for example, cannot be named. |
//! | [`scope_claims`](crate::token::TokenCodecBuilder::scope_claims) | `scope` | RFC 8693 and RFC 9068. A claim that the issuer uses for something else would grant rights. |
//! | [`audience_claim`](crate::token::TokenCodecBuilder::audience_claim) | `aud` | RFC 7519. One claim alone says who a token is for. |
//! | form | none; choose one | [`nested`](crate::TokenCodec::nested) is the usual choice: signed, and unreadable without the key. [`signed`](crate::TokenCodec::signed) when others verify, [`encrypted`](crate::TokenCodec::encrypted) when one service mints and verifies. |
//! | [cache of verified tokens](super::performance#the-verified-token-cache) | off | It keeps the claims of whoever is signed in, and pays with public-key algorithms only. |
//! | issuer, audience | required | A token that is good everywhere is good at the wrong place. Waived by name only. |
//! | [`dangerous_any_issuer`](crate::token::TokenCodecBuilder::dangerous_any_issuer), [`dangerous_any_audience`](crate::token::TokenCodecBuilder::dangerous_any_audience) | off | For [the days of a move](super::migrating), and for issuers that cannot do better. |
//! | [`subject_optional`](crate::token::TokenCodecBuilder::subject_optional) | off | A handler that reads an empty subject as a user is a hole. |
//! | [`clock`](crate::token::TokenCodecBuilder::clock) | the system's | Another one is for tests. |
//!
//! # Sessions ([`RefreshCookieLayer`](crate::RefreshCookieLayer))
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`absolute_lifetime`](crate::refresh::RefreshCookieBuilder::absolute_lifetime) | 7 days | The bound on a theft that the user never contradicts. A week is what people accept for signing in again. One sign-in may say less: [`NewSession::lifetime`](crate::NewSession::lifetime). |
//! | [`idle_lifetime`](crate::refresh::RefreshCookieBuilder::idle_lifetime) | as the absolute one | A session that a browser holds on to is used or not; shorten it for shared machines, or for one sign-in ([`NewSession::idle`](crate::NewSession::idle)). A refresh by a timer alone does not extend it, where the page [says so](super::how_to#ending-unused-sessions). Where it is shorter than the absolute one, it must be longer than an access token lives, `M` and `G` together. Otherwise active users would be signed out. |
//! | [`session_limit`](crate::refresh::RefreshCookieBuilder::session_limit) | 32 a subject | More than a person has devices, few enough to list and to store. The least recently rotated goes. While several session keys are in use, the sessions under all of them count together, for one list of each at a sign-in. |
//! | [`reuse`](crate::refresh::RefreshCookieBuilder::reuse) | the session | One device was robbed; signing out the others is a choice ([`ReusePolicy::Subject`](crate::ReusePolicy::Subject)). |
//! | [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) | `User-Agent` | A browser sends it unchanged from networks that change; addresses change with every train ride. Millions of browsers send the same one, so it is evidence and no identity. |
//! | [`fingerprint_version`](crate::refresh::RefreshCookieBuilder::fingerprint_version) | 0 | Another function gets another number: then no user is a newcomer for the change. |
//! | [`fingerprints`](crate::refresh::RefreshCookieBuilder::fingerprints) | [`FingerprintPolicy::Known`](crate::refresh::FingerprintPolicy::Known) | A new name shows first that it shares the jar. [`Ignored`](crate::refresh::FingerprintPolicy::Ignored) is for terminals whose `User-Agent` changes, and an error without the jar cookie. |
//! | [`claims_timeout`](crate::refresh::RefreshCookieBuilder::claims_timeout) | a quarter of the grace, 7.5 s, and not more | A token that goes out later than its record says meets the user's next tab as an old one; the search shows it. 0 is an error; with a grace of 0 there is no limit. A sign-in is not timed. |
//! | [`repeat_limit`](crate::refresh::RefreshCookieBuilder::repeat_limit) | 200 in 30 s | A hundred restored tabs are honest; a loop is not. |
//! | [`rotation`](crate::refresh::RefreshCookieBuilder::rotation) | [`RotationPolicy::default`](crate::RotationPolicy) | See the next table. |
//! | [`transport`](crate::refresh::RefreshCookieBuilder::transport) | the cookie | Browsers have no other place that scripts cannot read. |
//! | [`events`](crate::refresh::RefreshCookieBuilder::events), here and at every layer | none | Where they go is the application's affair. Connect it: [what to watch](super::runbooks#what-to-watch). |
//! | [`authentication_in_tokens`](crate::refresh::RefreshCookieBuilder::authentication_in_tokens) | off | Every request carries the token. On where a route asks for a [recent authentication](super::step_up). |
//! | [`recent_auth_to_end_others`](crate::refresh::RefreshCookieBuilder::recent_auth_to_end_others) | off | A page has to know the answer and ask for the credentials. Its own session a client always ends. |
//! | claims | argument | They decide who may go on being signed in. |
//! | [`label`](crate::NewSession::label), [`context`](crate::NewSession::context) | the `User-Agent`, cut at 200 bytes; empty | What a person recognises a device by; what the claims closure is to remember. |
//! | [`auth_time`](crate::NewSession::auth_time), [`amr`](crate::NewSession::amr), [`acr`](crate::NewSession::acr), [`note`](crate::NewSession::note) of one sign-in | now; none | How the user authenticated is what the application has checked. |
//! | [`lifetime`](crate::NewSession::lifetime), [`idle`](crate::NewSession::idle), [`browser_session`](crate::NewSession::browser_session) of one sign-in | those of the layer; off | "Remember me" is a checkbox: one user's device is at home, another's in a library. |
//! | longest subject, context, note | 256, 1024, 256 bytes | Records are read whole at every refresh. |
//!
//! ## The ready-made endpoints ([`SessionEndpoints`](crate::SessionEndpoints))
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`base`](crate::SessionEndpoints::base) | the cookie's path; `/auth` where that is `/` | One setting for both. Leading segments may be missing, since routers and proxies take them off. |
//! | [`camel_case`](crate::SessionEndpoints::camel_case) | off | The names are those of OAuth (RFC 6749 section 5.1). |
//! | [`keep_current`](crate::SessionEndpoints::keep_current) | off | "Sign out everywhere" means here as well. |
//! | `Retry-After` | 1 s with 409 and 503, 30 s with 429 | A failover takes seconds; a loop has to stop. |
//! | body with a refresh token | 4 KiB at most | A token has 195 bytes. |
//!
//! # Rotation ([`RotationPolicy`](crate::RotationPolicy))
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`grace`](crate::refresh::RotationPolicyBuilder::grace), `G` | 30 s | For so long after the hand-out, and after the successor was first seen, the previous token is answered, with the same successor as long as that is not seen. Longer than slow answers and retries take: searched with delays up to `G/2`, 15 s. |
//! | [`interval`](crate::refresh::RotationPolicyBuilder::interval), `M` | 60 s | A current token that comes sooner is answered without rotating, whatever its client calls itself. Twenty restored tabs then cause one rotation. `M` is at least `2G`: with less, a late old token arrives after the *second* rotation and an honest user is signed out. |
//! | [`recoveries`](crate::refresh::RotationPolicyBuilder::recoveries) | 255, the most | A lost answer, or a browser that died, is recovered from however late; the lost token is burned. Beyond them the token is outdated: 401, no alarm. 0 is an error outside of `strict`. |
//!
//! [`RotationPolicy::strict`](crate::RotationPolicy::strict) is the literal one-time rule. It signs honest
//! users out: with access tokens in memory, two tabs that wake together are enough.
//!
//! # Cookie
//!
//! | attribute | default | why |
//! |---|---|---|
//! | name, [`cookie_name`](crate::refresh::RefreshCookieBuilder::cookie_name) | `__Secure-refresh_token` | The prefix makes browsers refuse it over plain http. [`host_prefix`](crate::refresh::RefreshCookieBuilder::host_prefix) also keeps sibling hosts from planting one, at the price of `Path=/`; [`http_prefix`](crate::refresh::RefreshCookieBuilder::http_prefix) keeps scripts from it, in browsers that know the prefix. |
//! | `Path`, [`cookie_path`](crate::refresh::RefreshCookieBuilder::cookie_path) | `/auth` | Only the session endpoints need it; every other request travels without. It covers refresh *and* sign-out. |
//! | `HttpOnly`, `Secure` | always | [`dangerous_insecure_cookie`](crate::refresh::RefreshCookieBuilder::dangerous_insecure_cookie) drops the second for plain http in development. Chrome and Firefox take `Secure` cookies from `http://localhost`; Safari does not. |
//! | `SameSite` | `Strict` | A refresh is never the consequence of following a link. [`same_site_lax`](crate::refresh::RefreshCookieBuilder::same_site_lax) for the return from an OAuth provider. |
//! | [`external_prefix`](crate::refresh::RefreshCookieBuilder::external_prefix) | none | The browser alone sees what a proxy takes off the paths. |
//! | `Max-Age` | what is left of the session | At most 400 days, which is where browsers stop. |
//! | [`jar_cookie`](crate::refresh::RefreshCookieBuilder::jar_cookie) | on | A [second cookie](crate::refresh#cookies) of the name with `_jar` behind it, and of the same attributes. It tells the session's own cookie jar from others, whatever the browser calls itself. Its `Max-Age` reaches to the absolute end. |
//! | `Domain` | never | A cookie for all subdomains is as safe as the worst of them. |
//!
//! # Bearer tokens ([`BearerAuthLayer`](crate::BearerAuthLayer), [`RequireScopeLayer`](crate::RequireScopeLayer), [`RequireRecentAuth`](crate::RequireRecentAuth))
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`realm`](crate::BearerAuthLayer::realm) | `api` | A challenge has one (RFC 6750 section 3); clients do not act on it. |
//! | [`optional`](crate::BearerAuthLayer::optional) | off | A route that forgets to look would be open. |
//! | [`check`](crate::BearerAuthLayer::check) | none | It costs whatever it asks. See [the recipe](super::recipes#refusing-tokens-of-sessions-that-have-ended). |
//! | [`preflight`](crate::BearerAuthLayer::preflight) | off | A CORS layer belongs outside and answers it. |
//! | [`scope`](crate::BearerAuthLayer::scope), [`resource_metadata`](crate::BearerAuthLayer::resource_metadata) | none | Hints for clients that find their way by themselves: [`resource`](crate::resource) (RFC 9728). |
//! | [`max_age`](crate::RequireRecentAuth::max_age) | required | Five minutes are usual in front of what cannot be undone. |
//! | [`acr_values`](crate::RequireRecentAuth::acr_values) | none | The words are an agreement with the minter. |
//! | `rejection_response`, of every guard | the status, no body | A status of your own is kept where it is a 4xx or a 5xx. See [answers of your own](super::connections#answers-of-your-own). |
//! | `Retry-After` | 5 s with 503; 1 to 60 s while [the issuer's keys](super::remote_keys) are fetched, and up to 5 minutes where the issuer asks for it | A failover takes seconds. |
//!
//! # Origins ([`OriginGuardLayer`](crate::OriginGuardLayer))
//!
//! | setting | default | why |
//! |---|---|---|
//! | origins | required | The list *is* the decision. |
//! | WebSocket handshakes | guarded | They are `GET` requests with cookies to which CORS does not apply. |
//! | no `Origin`, no `Referer`, no `Sec-Fetch-Site` | refused with a cookie other than `__Host-csrf`, `__Host-Http-csrf` and a jar cookie of the default name, or an `Authorization` of `Basic`, `Digest`, `NTLM` or `Negotiate`; passed without | Browsers send one of them with every request that changes something; programs carry no ambient credentials. |
//! | [`missing_origin`](crate::OriginGuardLayer::missing_origin) | refused with credentials | The row above. [`MissingOrigin::Refuse`](crate::origin::MissingOrigin::Refuse) is for client certificates, which show in no header. |
//! | [`method_override`](crate::OriginGuardLayer::method_override), here and at the CSRF layer | off | A `GET` is a `GET`, unless something further in makes it another method. |
//! | [`report_only`](crate::OriginGuardLayer::report_only) | off | A guard guards. |
//!
//! # CSRF tokens ([`CsrfLayer`](crate::CsrfLayer))
//!
//! | setting | default | why |
//! |---|---|---|
//! | cookie, [`cookie_name`](crate::csrf::CsrfBuilder::cookie_name) | `__Host-csrf`, `Secure`, `Path=/` | The prefix keeps sibling hosts and plain http from planting one; [`http_prefix`](crate::csrf::CsrfBuilder::http_prefix) keeps scripts from it too. |
//! | `SameSite` | `Lax` | With `Strict`, a page that is reached by a link from elsewhere would come without the cookie and get another one, and the forms in other tabs would go stale. The cookie opens nothing by itself. |
//! | `HttpOnly` | off | A single-page application copies the cookie into the header. [`http_only`](crate::csrf::CsrfBuilder::http_only) for pages that get the token from the server. |
//! | lifetime | that of the refresh cookie, and renewed with it (given out by a page between two refreshes, up to one `idle_lifetime` longer); of no session until the browser closes | A browser that is opened again has both, and a page reached from a mail can send its form. A token that outlives its session stands in the way of the next sign-in. |
//! | token in a session | any of this session, beside a good cookie; a copy of that where the cookies of several sessions came | Each of many tabs sends the form that it was loaded with. Only the session's pages are given one. |
//! | token before a sign-in | a copy of the cookie | An attacker can have one made. |
//! | [`header_name`](crate::csrf::CsrfBuilder::header_name) | `X-CSRF-Token` | Most front ends send it. No foreign page can set it without a preflight, and neither browsers nor proxies write it; a name of which that is not true is an error. |
//! | issue | where a page asks: a handler takes [`CsrfToken`](crate::CsrfToken), `GET {base}/csrf`, an answer of `text/html`; and only if the one that came is missing, worth nothing, or of a key before | A stylesheet stays cachable. A new token with every response breaks forms without a session. |
//! | issue after a link on another site | no token of a session is replaced (`Sec-Fetch-Site: cross-site`) | Such a request comes without the `SameSite=Strict` cookie of the session: it looks like one without a session, and would put a token of the wrong class over that of every open tab. A page that asks for its token gets a copy of the browser's. With sessions of another kind it gets a new one: their cookie may be `Lax`, and then a request without it has no session. |
//! | caching | with a token `Vary: Cookie`, and `no-store` unless the handler says that or `private`; headers for caches of one kind, such as `CDN-Cache-Control`, are taken off | A shared cache that keeps `Set-Cookie` would give many browsers one token. |
//! | headers of an answer with a token in it | `X-Content-Type-Options: nosniff`, `Cross-Origin-Resource-Policy: same-origin` | A page of another host loads any address as a script, with the cookies. |
//! | exemption | one `Authorization` that is not `Basic`, `Digest`, `NTLM` or `Negotiate`, and no cookie but the layer's own and the jar cookie | The layer cannot know which cookie authenticates. [`session_cookies`](crate::csrf::CsrfBuilder::session_cookies) tells it. |
//! | [`form_field`](crate::CsrfLayer::form_field) | off | Reading bodies costs memory on unchecked requests; a header costs nothing. |
//! | [`handler_verifies`](crate::csrf::CsrfBuilder::handler_verifies) | off | A check before the handler cannot be forgotten. |
//! | [`body_limit`](crate::csrf::CsrfFormLayer::body_limit) | 64 KiB | A form without files fits; more is a decision about memory per request. |
//! | [`dangerous_insecure_cookie`](crate::csrf::CsrfBuilder::dangerous_insecure_cookie) | off | Every sibling host could plant the cookie. |
//!
//! # Response headers
//!
//! What [`SecurityHeadersLayer`](crate::SecurityHeadersLayer) adds where a handler does not say otherwise:
//!
//! | header | default | why |
//! |---|---|---|
//! | `Strict-Transport-Security` | `max-age=31536000` | A year is the least that counts as meant to last (the preload lists ask for it too), and a host that speaks https does not go back. |
//! | `includeSubDomains`, `preload` | off | They bind hosts that this service does not own and cannot test. [`include_subdomains`](crate::headers::StrictTransportSecurity::include_subdomains) and [`preloaded`](crate::headers::StrictTransportSecurity::preloaded) are for the owner of the whole domain. |
//! | over plain http | left out where a [`ConnectionScheme`](crate::headers::ConnectionScheme) says so | RFC 6797 section 7.2 forbids it. Where nothing says so, it is sent: browsers ignore it there (section 8.1), and leaving it out by mistake costs more. |
//! | `Content-Security-Policy`: `default-src 'self'` | own files only | Takes from an injection what it needs most: scripts inside of the page, scripts from elsewhere, and requests to elsewhere. An access token in the page's memory is as safe as the page's scripts. To an API it means nothing and costs nothing. |
//! | `base-uri 'none'` | | An injected `<base>` would turn every relative address of a script into somebody else's. `default-src` does not cover it. |
//! | `form-action 'self'` | | An injected form would send what a password manager fills in. Some browsers apply it to the redirect after a form too, so a sign-in that goes on to another site has to list that site. |
//! | `frame-ancestors 'none'` | | A page in a frame can be made to be clicked on. It replaces `X-Frame-Options`, which every current browser ignores beside it and which is therefore not sent. |
//! | `object-src 'none'` | | Old plug-ins ran files of the own origin with its rights. Few pages need them: one that shows a PDF in an `<object>` does. |
//! | `X-Content-Type-Options` | `nosniff` | An upload that is served as text must not run as a script. There is no reason to go without, so it cannot be left out. |
//! | `Referrer-Policy` | `same-origin` | Other sites learn nothing, and the own server gets the `Referer` that the origin guard falls back to. With `no-referrer`, browsers send `Origin: null` with forms, which the guard refuses from those that send no `Sec-Fetch-Site`; so it is not offered. Pages whose forms post to *another* origin, listed there or not, send `Origin: null` with `same-origin` too, and need [`StrictOriginWhenCrossOrigin`](crate::headers::ReferrerPolicy::StrictOriginWhenCrossOrigin). |
//! | 304 | neither policy is added | The headers of a 304 replace those of the stored page, which may have a nonce of its own. |
//!
//! A policy that lets scripts of an attacker run is an error: `*`, a scheme alone, `'unsafe-inline'` without nonce or
//! hash, or `'unsafe-eval'` in the effective `script-src`, and a policy without `script-src` and `default-src`. It would
//! look like protection and be none. An API that shows no pages says `default-src 'none'; frame-ancestors 'none'`.
//! [`dangerous_any_script`](crate::headers::ContentSecurityPolicy::dangerous_any_script) takes what cannot be helped yet,
//! and [`dangerous_forget`](crate::headers::StrictTransportSecurity::dangerous_forget) sends `max-age=0`.
//!
//! Each of the three policies is replaced by the method of its name on
//! [`SecurityHeadersLayer`](crate::SecurityHeadersLayer), or left out by one that begins with `dangerous_without_`: for
//! a proxy that sends it already.
//!
//! `Cross-Origin-Opener-Policy`, `Cross-Origin-Resource-Policy` and `Permissions-Policy` are left to the
//! application: what is right depends on its pop-ups, on who embeds its files and on what it asks the
//! browser for.
//!
//! # Plain http ([`RequireHttpsLayer`](crate::RequireHttpsLayer))
//!
//! | setting | default | why |
//! |---|---|---|
//! | what is believed | required: [`connection`](crate::RequireHttpsLayer::connection) or [`behind_proxy`](crate::RequireHttpsLayer::behind_proxy) | Of two sources the weaker one would decide. The scheme in the request target is the client's own word and is never believed. |
//! | no [`ConnectionScheme`](crate::headers::ConnectionScheme) | 500 | A guard that does not know must neither pass nor look as if it worked. |
//! | header missing, repeated, a list | refused | The proxy is not there, or adds to what the client sent. For a proxy that appends, [`last`](crate::RequireHttpsLayer::last) takes its own word. [`first`](crate::RequireHttpsLayer::first) is right only where the outermost proxy overwrites. |
//! | [`value`](crate::RequireHttpsLayer::value) | `https` and `wss` prove https | Proxies write the second for WebSockets. `http`, `ws` and `off` say plain http, and other words prove nothing. |
//! | [`redirect_to`](crate::RequireHttpsLayer::redirect_to) | off | What was sent has been read on the way. A refusal makes the mistake visible; a redirect makes it a habit. |
//! | when on | `GET` and `HEAD` without `Authorization` and cookies of ours | Typed addresses and old links, which have nothing to lose. Cookies of others come with most of them. Ours are known by name: `__Host-`, `__Http-`, `__Secure-`, `refresh_token`, `csrf`. The host is configured and never taken from the request. |
//! | cached | `no-store` | A cache that does not tell the schemes apart would answer the https request with it. |
//!
//! # Keys ([`KeyRing`](crate::KeyRing))
//!
//! | setting | default | why |
//! |---|---|---|
//! | keys | required | A key that a program invents is gone with the process. [`generate`](crate::KeyRing::generate) is for development. |
//! | shortest secret | 32 bytes (48 and 64 for HS384 and HS512) | As long as the hash (RFC 7518 section 3.2). RSA: 2048 bits. |
//! | [`dangerous_weak_secrets`](crate::keys::KeyRingBuilder::dangerous_weak_secrets) | off | A secret with a word of a sample in it is a sample. |
//! | order | the first key of a list mints | See [replacing a key](super::keys#replacing-a-key-two-steps-and-a-wait). |
//! | `kid` of a shared secret | derived from it | Two keys are told apart without anybody naming them. |
//!
//! # Keys of an issuer elsewhere
//!
//! | setting | default | why |
//! |---|---|---|
//! | a set is fresh for | what the issuer says, between 1 minute and 1 hour; 5 minutes when it says nothing | A key that was taken back is accepted for so long. |
//! | the issuer is away | the last good set verifies for 1 hour more | Long enough for a restart or a failover. An attacker who has stolen a key, and keeps the issuer from being asked, has it for so long more. |
//! | unknown key name | one request to the issuer in 10 seconds | What somebody who makes up names can cost it. |
//!
//! The others stand in [`remote_keys`](super::remote_keys#every-default), with why it is 503 here and 401 there.
//!
//! # Store in memory
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`capacity`](https://docs.rs/tower-bearer/latest/tower_bearer/store/struct.MemoryStoreBuilder.html#method.capacity) | 1 000 000 sessions | Bounded, whatever is thrown at it. At the bound the store refuses new sign-ins and drops no session of another user. |
//! | `clock` | the system's | Another one is for tests. |
//!
//! # Store in Redis
//!
//! Its settings stand with the rest of what its operation needs, in
//! [`operations`](super::operations#settings-of-the-store).
