//! Before the first user, what to watch, and what to do at night.
//!
//! # Before the first user
//!
//! | | check |
//! |---|---|
//! | keys | Real ones, the same on every instance, from [`KeyRing::from_env`](crate::KeyRing::from_env). [`KeyRing::generate`](crate::KeyRing::generate) in production signs all users out at each restart. |
//! | store | [`SqliteStore`](https://docs.rs/tower-bearer-sqlx) for one machine; [`RedisStore`](https://docs.rs/tower-bearer/latest/tower_bearer/struct.RedisStore.html), [`PostgresStore`](https://docs.rs/tower-bearer-sqlx) or your own as soon as there are two machines; `health()` at the start, and nothing in its `warnings()`: see [`operations`](super::operations) |
//! | cookie | `grep -rn dangerous_ src/` finds nothing, or what you can explain |
//! | https | [`RequireHttpsLayer`](crate::RequireHttpsLayer) in front, or a proxy that does it |
//! | guards | origin and CSRF layer around everything that works by cookie, in [this order](super::guards#order-of-layers) |
//! | proxy | the table in [`connections`](super::connections#behind-a-proxy), row by row. `curl -i` from outside shows the `Set-Cookie` lines that arrive: two at a sign-in, of the refresh cookie and of its jar cookie. |
//! | claims | The closure answers within a fraction of [`claims_timeout`](crate::refresh::RefreshCookieBuilder::claims_timeout), 7.5 s by default |
//! | clocks | NTP on all machines that mint or verify |
//! | sign-in | attempts are limited; the password's hash is slow |
//! | events | every layer and the store have a sink. Each has a method `events` of its own (bearer, scope, origin, CSRF, https, refresh, Redis), and what is not connected is not heard. Stores in SQL: `builder().events(sink)`; `open`, `connect` and `from` have none |
//! | page | waits at 409, 429 and 503, [signs in at 401 alone](super::how_to#what-the-page-does-with-a-failure) |
//! | practised once | [a change of keys](super::keys#replacing-a-key-two-steps-and-a-wait), a restart of the store, [the end of every session](#ending-every-session-on-purpose) |
//!
//! # What to watch
//!
//! Rates are for all instances together. Numbers that fit depend on the service: look at a normal week first.
//!
//! | [`Event`](crate::Event) | normal | tell |
//! |---|---|---|
//! | [`ReuseDetected`](crate::Event::ReuseDetected) | none, or one now and then | each goes to the *user*. To you, when there are several an hour: [below](#reusedetected-comes-often) |
//! | [`NewFingerprint`](crate::Event::NewFingerprint) | some: browsers update themselves, and tabs ask for the desktop site | each may go to the *user*: "a browser that calls itself ... uses your session". To you, when it multiplies: [below](#newfingerprint-comes-often) |
//! | [`ForeignJar`](crate::Event::ForeignJar) | none | since a deployment, for many users: something in front forwards only [one of the two cookies](super::deployments#both-cookies-and-the-user-agent). For one user: the refresh cookie was copied alone. Look for the place that shows it: a log, a proxy, a backup |
//! | [`OldToken`](crate::Event::OldToken) | a few: late tabs | when it multiplies: pages do not take the newer cookie, or a thief tries. The line has the row of [the decision](super::rotation#the-decision) |
//! | [`StoreUnreachable`](crate::Event::StoreUnreachable) without [`StoreRecovered`](crate::Event::StoreRecovered) | none | at once: no user signs in or refreshes |
//! | [`StoreFailed`](crate::Event::StoreFailed) | none | at once: it does not pass by waiting |
//! | [`StoreEvicts`](crate::Event::StoreEvicts) | none | the same day |
//! | [`RevocationLost`](crate::Event::RevocationLost) | none | at once: a user who signed out is still signed in. End the session by hand, or all of the subject with [`end_all`](crate::SessionAdmin::end_all). A line with `several` has no session: the event in your sink names the subject. After a deployment: call [`drain`](crate::RefreshCookieLayer::drain) before the process ends |
//! | [`RevocationQueued`](crate::Event::RevocationQueued) | none | with `StoreUnreachable` only |
//! | [`EverythingRevoked`](crate::Event::EverythingRevoked) | none | at once, unless an operator has said so before |
//! | [`Unannounced`](crate::Event::Unannounced) | none | the same day: code that ends sessions in a transaction forgets [`announce`](crate::admin::Ended::announce) or [`discard`](crate::admin::Ended::discard) on some path, or its commit failed: then look whether the sessions live |
//! | [`RevocationRestored`](crate::Event::RevocationRestored), [`StateLost`](crate::Event::StateLost), [`Adopted`](crate::Event::WriteRestored) | none but after a failover | when there was no failover: two stores that both take writes? |
//! | [`CookiePathMismatch`](crate::Event::CookiePathMismatch) | none | at once: sign-ins there pile sessions up, and where the endpoints lie there too, users are signed out when the access token ends |
//! | [`DurabilityDegraded`](crate::Event::DurabilityDegraded) | none | the same day: a replica lags or is gone |
//! | [`EncryptionKeyNearLimit`](crate::Event::EncryptionKeyNearLimit) | none | the same week: [replace the key](super::keys#the-limit-of-an-encryption-key) |
//! | `KeysUnavailable` (feature `jwks`) | none, or a few in a row when the issuer restarts | before `usable_until`: the issuer is down, or its set is not usable |
//! | `KeysCompromised` | none | at once: the issuer has published a private key. Call it; what that key signed proves nothing |
//! | `KeysPassedOver` | none, or one at each start for a key of another purpose | when tokens are refused: the line says which key is not used, and why |
//! | `KeysExpired` without `KeysRecovered`, `KeysWithdrawn` without `KeysFetched` | none | at once: every token is answered 503 |
//! | [`Recovered`](crate::Event::Recovered) | a few in a thousand refreshes, more with mobile networks | when it multiplies: answers get lost between here and the browser |
//! | [`Denied`](crate::Event::Denied) | as accounts are disabled | when it multiplies: the claims closure says `Denied` for what is merely away |
//! | [`Rejected`](crate::Event::Rejected), kind `Internal` | none | at once: a layer or a marker is missing, or a check failed. An *extractor* without its layer has no sink: the body of its 500 names the layer, and the features `tracing` and `metrics` see it |
//! | [`Rejected`](crate::Event::Rejected), kind `InvalidToken` | about one a page and lifetime, where pages refresh after a 401 | when it multiplies: keys, clocks, or an attacker |
//! | [`Rejected`](crate::Event::Rejected), kinds `ForeignOrigin`, `CsrfFailed` | some | when it multiplies: [below](#users-complain-of-403) |
//! | [`WouldReject`](crate::Event::WouldReject) | what the list lacks, while it is tried | as long as it comes, the guard guards nothing |
//! | [`SessionRefused`](crate::Event::SessionRefused), kind `Internal` | none | at once: no user signs in. Its error names the cure, a member of the claims for example |
//! | [`SessionRefused`](crate::Event::SessionRefused), kind `Invalid` | one now and then | when it multiplies: [below](#all-users-are-signed-out) |
//! | [`SessionRefused`](crate::Event::SessionRefused), other kinds | as sessions end | with the events above only |
//! | [`Revoked`](crate::Event::Revoked) with `by_known: Some(false)` | none, or one now and then | A client that the session did not know has signed it out. When `ReuseDetected` with `ended` follows, it was not the user's |
//! | [`Started`](crate::Event::Started), [`Refreshed`](crate::Event::Refreshed), [`Revoked`](crate::Event::Revoked) | the life of the service | when `Refreshed` falls to nothing while people are there, or `Revoked` with reason [`Limit`](crate::RevokeReason::Limit) is frequent: a client signs in again and again instead of refreshing |
//!
//! A refusal of a session (401, 409, 429, 5xx below `/auth`) sends `SessionRefused` and no `Rejected`, and there is a
//! limit to how often; [`tower_bearer_refreshes_total`](super::observability#metrics) counts the
//! refreshes among them, told or not.
//! The three events of a store that is away (`StoreUnreachable`, `StoreRecovered`, `StoreFailed`) come from `RedisStore`
//! and `PostgresStore`; `SqliteStore` sends `StoreFailed` alone. For the rest look at the line `session_refused`, which
//! ends with the cure. A store of your own reports for itself.
//!
//! # Why was I signed out?
//!
//! Take the session's id: from the API's own log ([`Claims::session`](crate::Claims::session)), or from the line
//! `started` of the time at which the user signed in. The line `session_refused` with that id ends with the cause and
//! what helps (feature `tracing`; without it the sources of the error in
//! [`SessionRefused`](crate::Event::SessionRefused) say so).
//!
//! | `kind` | what happened |
//! |---|---|
//! | `expired` | The end of `idle_lifetime` or of `absolute_lifetime`: the line says which |
//! | `revoked` | Ended before, and the line says by what: a sign-out, the limit, another sign-in, theft |
//! | `reuse` | This very request ended it, or raised the alarm about a session that had ended: `reuse_detected` has both clients |
//! | `foreign_jar` | The refresh cookie came without its jar cookie. The session goes on; the user sees a sign-in form where the cookie came alone. See [below](#users-are-signed-out-with-foreign_jar) |
//! | `outdated` | The browser never took the newer token of a privilege change, or too many answers were lost ([`recoveries`](crate::refresh::RotationPolicyBuilder::recoveries)). No theft |
//! | `superseded` | No sign-out: 409, and the client tries again. A page that takes it for a sign-out is at fault. [More](#refresh-answers-409) |
//! | `invalid`, with a session | The store does not know it: idle for too long, or the store was emptied |
//! | `invalid`, without a session | No key opens the cookie, or its seal does not fit: such lines have no id. Look for those of the same minute |
//! | `denied` | Your claims closure refused the subject |
//! | `expired` | Its time was over. The cookie is kept, and ends by itself |
//! | `state_lost`, `ambiguous`, `csrf_failed` | As the line says |
//! | `no_session` | The browser sent no cookie: it was deleted, has ended there, or path and site do not fit. Such lines have no id and are at DEBUG, but where a page comes with the CSRF cookie of a session: that one (call `csrf`), or `rejected` with `signature_invalid`, is at INFO |
//!
//! # All users are signed out
//!
//! Refresh answers 401. Look at one answer: does it clear the cookie (`Set-Cookie` with `Max-Age=0`)?
//!
//! | what you see | what it is | do |
//! |---|---|---|
//! | 401 `invalid_session`, cookie kept, since a deployment | Other keys than before: a variable is missing, `generate()` instead of `from_env()`, a step [skipped](super::keys#replacing-a-key-two-steps-and-a-wait). Or another issuer or cookie name: cookies are sealed to both. | Put the old value back. The cookies are still there and work again. |
//! | the same on some instances only | Their keys differ | Compare the variables by hash, not by eye |
//! | 401 `invalid_session`, cookie kept, keys as they were | The store is empty: `MemoryStore` after a restart, `FLUSHALL`, eviction, an empty replica promoted, another prefix or database | Restore it, or let people sign in. [`StoreEvicts`](crate::Event::StoreEvicts) and `health()` say whether it will happen again. |
//! | 401 `no_session` | The cookie does not come: path, host or proxy have changed; plain http; a page of another *site* | The browser's developer tools show why a cookie was not stored or not sent |
//! | 401 `invalid_session`, cookie cleared | The sessions were revoked: [`Revoked`](crate::Event::Revoked) says why. `Denied`: the claims closure refuses all users. `Reuse`: next but one section. Or their end has come, as seven days after all users signed in at the last incident. | Those sessions do not come back |
//! | refresh answers 200, the API 401 | Verifiers have other keys, issuer or audience than the minter, or a clock that is off | [`Rejection::token_error`](crate::rejection::Rejection::token_error) in the event says which |
//!
//! **Do not restart things in the hope that it helps while the cookie is kept.** Nothing is lost until people sign in
//! again.
//!
//! # Refresh answers 503
//!
//! Access tokens go on working until they expire: with the default there are up to 15 minutes before pages notice.
//!
//! 1. [`StoreUnreachable`](crate::Event::StoreUnreachable): the store does not answer. Is it up, reachable, at its limit of
//!    connections? Redis: `redis-cli -u URL PING` from the instance's own machine. PostgreSQL:
//!    `psql URL -c 'SELECT pg_is_in_recovery()'` from the instance; f is the primary.
//! 2. [`StoreFailed`](crate::Event::StoreFailed): it answers and refuses. The error's sources say what it said: `NOAUTH`,
//!    `NOPERM`, `OOM` or `MISCONF` of Redis; the code of PostgreSQL, such as `42501`, and the cure; a full disk or a
//!    file that SQLite cannot write.
//! 3. Neither: the line `session_refused` at WARN says whether the store or the claims closure failed. In SQL it may be a
//!    lock, or a pool without a free connection. The closure returns
//!    [`ClaimsError::Unavailable`](crate::ClaimsError::Unavailable), mostly for your database. Minting that fails is a
//!    500 instead.
//!    Where the line ends with `claims_timeout`, the closure was too slow: a look-up without an index, a pool without
//!    connections. Make it faster. A longer time needs a longer
//!    [`grace`](crate::refresh::RotationPolicyBuilder::grace) with it.
//! 4. Only for one subject: a record that cannot be read, [`StoreErrorKind::Corrupt`](crate::store::StoreErrorKind::Corrupt).
//!    Redis: see [`operations`](super::operations#layout-of-the-keys). SQL: look for the row in `tower_bearer_sessions`;
//!    deleting it signs that session out.
//!
//! Nothing has to be done for the sessions. Cookies are kept, retries arrive at the same tokens, revocations that wait
//! are tried for four minutes; after that [`RevocationLost`](crate::Event::RevocationLost) names them. When the store
//! comes back, all users refresh within the `Retry-After` of a second: a wave, and then it is over.
//!
//! # Refresh answers 409
//!
//! The session is as good as before. The client tries again with the cookie that its jar holds by then.
//!
//! | what you see | what it is | do |
//! |---|---|---|
//! | `superseded` once, with `new_fingerprint` of row `6b` or `10b` | A client with a new name is asked to [confirm](super::rotation#terms) | Nothing |
//! | `superseded` again and again, one client | It drops the `Set-Cookie` of a 409, or sends the same cookie from memory | Take every `Set-Cookie`, whatever the status |
//! | `superseded` again and again, many clients, since a deployment | The signal of [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) changes from request to request | Take what stays the same for one client |
//! | `refresh_first` | A list, the end of another session or `elevate` from a client with a new name | Refresh, then ask again. Within an [interval](crate::refresh::RotationPolicyBuilder::interval) of a rotation a refresh changes nothing about it: ask again after one that has brought a cookie, a minute later at most |
//!
//! # NewFingerprint comes often
//!
//! Once for each new name of a client is normal: a week in which a browser updates itself brings one for each user.
//! `presented` is the client's `User-Agent`. The event has `known` beside it, the label of the sign-in, by default the
//! `User-Agent` of then; the line leaves that out.
//!
//! | what you see | what it is | do |
//! |---|---|---|
//! | all users at once, `presented` names a program | A renderer or a proxy refreshes with its own `User-Agent` | [Forward the header](super::deployments#both-cookies-and-the-user-agent) |
//! | all users at once, names as before | Another `client_fingerprint` without another [`fingerprint_version`](crate::refresh::RefreshCookieBuilder::fingerprint_version) | It heals in two refreshes |
//! | the same user, each time another name | A terminal without a stable `User-Agent` | [`FingerprintPolicy::Ignored`](crate::refresh::FingerprintPolicy::Ignored), in a layer with a path and keys of its own for those: the setting holds for all sessions of a layer |
//! | one user, a name of another system | The user's second window, or a thief with the whole cookie jar | Tell the user. A list of sessions lets them end it |
//!
//! # Users are signed out with foreign_jar
//!
//! The refresh cookie comes, and the cookie beside it does not. The sessions go on, so nothing is lost: the same
//! cookies work once both come. Until then such a request ends nothing either. A sign-out is answered 204, and its
//! session stays alive; a new sign-in does not replace the old session. Where that matters, end them with
//! [`end_all`](crate::SessionAdmin::end_all).
//!
//! | what you see | what it is | do |
//! |---|---|---|
//! | many users, since a deployment | A renderer, a proxy or a framework's list of allowed cookies forwards one by its name | Forward [both](super::deployments#both-cookies-and-the-user-agent) |
//! | one user | A program cleans cookies up, or the refresh cookie was copied alone | Ask the user which. The copy gets nothing, and the session goes on |
//!
//! # ReuseDetected comes often
//!
//! Once is a theft until shown otherwise: the user is told, the session is over. Many in an hour, of unrelated users,
//! are most often not thieves but a change. Look at `jar` and `ended`, then compare `held_by` with `presented_by`, and
//! the two generations.
//!
//! | what you see | what it is | do |
//! |---|---|---|
//! | `jar` is true, one user or a few | The whole cookie jar is in other hands: malware, a stolen backup, a cloned profile | Sign the subject out everywhere and have the machine looked at |
//! | `jar` is false, without `ended` | The session was not bound yet, or has no jar: [`JarCookie::Off`](crate::refresh::JarCookie::Off), tokens in bodies | As for a stolen token |
//! | `jar` is false, with `ended` | The same, or a refresh cookie that was copied alone came after the session had ended. The copy got nothing. Under [`ReusePolicy::Subject`](crate::ReusePolicy::Subject) it has ended the user's other sessions | As for a theft. Look for the place that shows the cookie too: a log, a proxy, a backup |
//! | `ended` is there | One client ended the session, and another one came with a token that was replaced. One of the two is not the user's, and its access token may still work | As for a theft, at once |
//! | `held_by` and `presented_by` differ, since a deployment, where tokens travel in bodies | The client's name changes with its version | Leave the version out, or set a [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) |
//! | they differ, with a signal of your own | It is not stable: an address, a header that some requests lack | Take what stays the same, as a new [`fingerprint_version`](crate::refresh::RefreshCookieBuilder::fingerprint_version) |
//! | they are equal, presented one behind expected, generation after generation | Two copies of one jar, both in use: a cloned browser profile, a virtual machine that was rolled back | Nothing: they cannot be told from a thief |
//! | they are equal, many behind | An old copy of the jar: a backup that was put back | Nothing: it cannot be told from a thief |
//! | after a failover or restore | Should not happen within one lost write: see [`operations`](super::operations#backup-and-restore) | Was an old backup put back? Did two stores take writes? |
//! | [`RotationPolicy::strict`](crate::RotationPolicy::strict) is set | Two tabs are enough | Take it out |
//! | a store of your own | `swap` is not atomic, or `load` reads a replica | [Run the suite](super::stores#running-the-suite) |
//! | none of it, one user or a few | Theft | Sign the subject out everywhere, look at what the session did, warn |
//!
//! # Clocks
//!
//! Sessions are judged by the store's clock alone, so instances may disagree with each other. A clock of the instance
//! that never jumps measures what passes between the store's answer and the write. Access tokens are judged by each
//! verifier, within the leeway of 60 seconds.
//!
//! | what you see | what it is |
//! |---|---|
//! | `InvalidToken`, [`NotYetValid`](crate::TokenErrorKind::NotYetValid) | A verifier is behind the minter by more than the leeway |
//! | `InvalidToken`, [`Expired`](crate::TokenErrorKind::Expired), on fresh tokens | A verifier is ahead of the minter |
//! | sessions live too long, or end early | The store's clock was set. Back: they live longer by as much. Forward: they end earlier. A jump forward by more than half the grace between two requests can look like theft. |
//!
//! The date of a fresh access token is the store's for tokens of a session, and the codec's for
//! [`mint`](crate::TokenCodec::mint). Set the clock right (`timedatectl`, `chronyc tracking`); a longer leeway hides
//! it and makes every token live longer.
//!
//! # Tokens of an issuer are refused
//!
//! With [`RemoteJwks`](super::remote_keys) or [`KeyRing::verifier`](crate::KeyRing::verifier). The reason is in the
//! event [`Rejected`](crate::Event::Rejected) and in the line `rejected`, which names the claim or header member and
//! the setting that takes it ([`TokenError::setting`](crate::TokenError::setting)):
//!
//! | reason | what it is | do |
//! |---|---|---|
//! | `keys_unavailable` (503) | There are no keys. The last `KeysUnavailable`, `KeysExpired` or `KeysWithdrawn` says why, and which setting helps | as it says |
//! | `key` | No key has the token's `kid`. Just published: it is fetched within the cool-down. Else it is passed over | `unusable_keys()` says which key, and why |
//! | `algorithm` | The key is for another `alg`. An RSA key without `alg` is for RS256 | [`algorithms`](crate::token::TokenCodecBuilder::algorithms) names the one that the issuer signs with |
//! | `header_parameter` | `typ` is not `at+jwt` | [`token_types`](crate::token::TokenCodecBuilder::token_types), as the line says |
//! | `issuer`, `audience` | They differ from the configured ones, by a slash at the end for example | Compare them letter by letter. No `aud` at all: [`audience_claim`](crate::token::TokenCodecBuilder::audience_claim) |
//! | `insufficient_scope` (403) | The scopes are in another claim, `scp` for example | [`scope_claims`](crate::token::TokenCodecBuilder::scope_claims) |
//! | `signature` | A forgery, or the issuer has replaced a key and kept its name: then it is fetched within the cool-down | Nothing, unless it goes on |
//!
//! # Users complain of 403
//!
//! 403 never says that a session is over. The kind and reason are in the event, and the table of what is behind each is
//! in [`guards`](super::guards#when-the-answer-is-403). In short:
//!
//! * All of them, since a deployment: the list of origins lacks the host they come from. Look at
//!   [`foreign_origin`](crate::rejection::Rejection::foreign_origin), and use
//!   [`report_only`](crate::OriginGuardLayer::report_only) for an hour if you must.
//! * All of them, since a change of the proxy: it drops `Origin`, or says `http`.
//! * Some, once, after signing in or out in another tab: the page does not ask for a new CSRF token at 403.
//! * Some, always: a browser add-on that strips headers. With `Referer` *and* `Origin` gone nothing is left to judge by.
//! * `authentication_too_old` in the line `session_refused`: the page does not ask for the credentials before it ends
//!   other sessions. [`step_up`](super::step_up#ending-other-sessions) says how it does.
//! * `InsufficientScope`: none of the guards. The token lacks a right; what gives rights is the claims closure.
//!
//! # Ending a user's sessions
//!
//! [`Auth::admin`](crate::Auth::admin) returns what does it, from code without a request of that user. [The
//! module](crate::admin) has the example of a support page.
//!
//! | what ends | call |
//! |---|---|
//! | one session of a user | [`end`](crate::SessionAdmin::end); [`list`](crate::SessionAdmin::list) has its id |
//! | all of a user's | [`end_all`](crate::SessionAdmin::end_all), *after* the new password is stored or the claims closure answers [`Denied`](crate::ClaimsError::Denied) |
//! | every user's | [`end_everybody`](crate::SessionAdmin::end_everybody): below |
//!
//! Access tokens that are out live until they expire. At `unavailable` it is tried again in the background; call it once
//! more to be sure.
//!
//! # Ending every session, on purpose
//!
//! After a key or a backup of the store has leaked, or where cookies were copied at large:
//!
//! 1. Replace what has leaked, [alone](super::keys#when-a-key-has-leaked), on all instances. While one of them has the
//!    old key, its holder begins anew.
//! 2. Call [`end_everybody`](crate::SessionAdmin::end_everybody) on one instance. It ends each session that has begun by
//!    then, your own too, and [`EverythingRevoked`](crate::Event::EverythingRevoked) says how many. At an error call it
//!    again: it goes on where it stopped.
//! 3. Access tokens end with their lifetime. A new access secret alone ends them at once.
//! 4. A sign-in that was under way at step 2 may have come through. Where that matters, call it once more after the time
//!    that your claims closure takes at most.
//!
//! A refresh secret that has leaked wants both, since each does what the other does not:
//!
//! | | `end_everybody` | a new refresh secret alone |
//! |---|---|---|
//! | cookies that are out, and their copies | refused for good | refused until the old secret is put back, by mistake say |
//! | CSRF tokens and jar cookies that the holder of the secret forges | accepted | refused |
//! | lists of sessions | show none from before | the same |
//! | a replaced token that comes later | is still recognised as a [theft](super::rotation#the-decision) | is unknown |
//! | the browser | its cookies are cleared at the next refresh | keeps them until they end |
//! | what it takes | one call: seconds for a million sessions in memory | a change on all instances |
//!
//! A store of your own may not offer it. The error then names the store, and the new refresh secret alone is what there
//! is.
