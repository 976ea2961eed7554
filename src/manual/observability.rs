//! Seeing what the layers do: events, `tracing`, `metrics`, and what to be woken up for.
//!
//! There are three ways, and they do not exclude each other.
//!
//! * An [`EventSink`](crate::EventSink) is a function of yours that every [`Event`](crate::Event) is handed
//!   to, with the subject: to tell a user that another client has their session. No feature is needed. The
//!   example `demo` shows it.
//! * With the feature `tracing` every event is also a line of the [`tracing`](https://docs.rs/tracing)
//!   subscriber that the application has installed, and calls that wait are spans.
//! * With the feature `metrics` everything is counted by the recorder of [`metrics`](https://docs.rs/metrics)
//!   that the application has installed: Prometheus, StatsD, OpenTelemetry, whatever there is one for.
//!
//! With both features, and no listener, a request that the bearer layer lets through takes 120
//! instructions more, one that it refuses 1 300, and a refresh 4 000 (5 %); without the features the code
//! is not there. (`cargo bench -p instructions`, with and without
//! `--features tower-bearer/metrics,tower-bearer/tracing`.) The names below are part of the crate's interface: one
//! that changes is a breaking change.
//!
//! Tokens, cookies, hashes and keys are never written anywhere. **Subjects, the labels of sessions and the
//! application's notes on them are left out of lines and metrics**: they may be e-mail addresses and names of people, and
//! a log is kept longer than an account. `Debug` of an event leaves them out too. Lines carry the session's id instead,
//! which is worth nothing to a finder; the sink has both.
//!
//! # Lines
//!
//! The target is `tower_bearer`. Every line has the field `event` with a name of this table, and of the other fields
//! those that apply. A client's mistake is one line at `INFO`, with the cure in its sentence; faults of the service and
//! signs of theft are `WARN` or `ERROR`. Each refused request is a line: where strangers send many,
//! `RUST_LOG=info,tower_bearer=warn` leaves them out, and the metrics go on counting.
//!
//! | `event` | level | other fields | what it means |
//! |---|---|---|---|
//! | `cookie_path_mismatch` | ERROR | `cookie_path`, `request_path` | a sign-in came to a path that browsers do not send the refresh cookie to: it does not see the session that it replaces, and where the session endpoints lie there too, no refresh finds the new one. Mount it below `cookie_path`, or set [`cookie_path`](crate::refresh::RefreshCookieBuilder::cookie_path) or [`external_prefix`](crate::refresh::RefreshCookieBuilder::external_prefix) |
//! | `denied` | INFO | `session` | your claims closure refused the subject; the session is over |
//! | `durability_degraded` | WARN | `sessions`, `acknowledged`, `wanted` | a revocation has reached fewer replicas than asked for; `sessions` is how many |
//! | `encryption_key_near_limit` | WARN | `encryptions` | rotate the encryption key: a quarter of what is safe is used up |
//! | `everything_revoked` | WARN | `sessions`, `before` | an operator has ended every session that had begun by `before`, in seconds since 1970; `sessions` is how many. No line tells of each |
//! | `foreign_jar` | WARN | `session` | a refresh cookie came without its jar cookie and got nothing; the session goes on. It was copied alone, or [something in front](super::deployments#both-cookies-and-the-user-agent) forwards only that one |
//! | `keys_compromised` | ERROR | `url`, `keys` | an issuer has published the private half of a key, or a shared secret: **call the issuer**. The key is not used any more; its neighbours are |
//! | `keys_expired` | ERROR | `url` | an issuer's keys are too old by now: requests are answered 503 |
//! | `keys_fetched` | INFO | `url`, `keys` | an issuer's keys have come, or have changed; `keys` is how many |
//! | `keys_passed_over` | WARN | `url`, `keys` | some keys of an issuer's set are not used; `keys` says which and why. The others are |
//! | `keys_recovered` | INFO | `url` | an issuer's keys can be fetched again (feature `jwks`) |
//! | `keys_unavailable` | WARN | `url`, `error`, `failures`, `usable_until` | an issuer's keys could not be had. Those from before serve until `usable_until`, in seconds since 1970; without it there are none, and requests are answered 503 |
//! | `keys_withdrawn` | ERROR | `url`, `error` | an issuer's set has no key that verifies, for the second time; `error` has the faults: requests are answered 503 |
//! | `new_fingerprint` | WARN | `session`, `presented`, `row` | a client with a new name uses the session: another window of the user's, a browser after its update, or a thief with the whole cookie jar. `presented` is the `User-Agent`; the event has the label of the sign-in beside it, which no line has. With [`NewSession::label`](crate::NewSession::label) or a `client_fingerprint` of your own the two need not compare. Once for each fingerprint that is written down, at most once a minute for others, never under [`FingerprintPolicy::Ignored`](crate::refresh::FingerprintPolicy::Ignored): [when it comes often](super::runbooks#newfingerprint-comes-often) |
//! | `old_token` | INFO | `session`, `row` | a replaced token came again where that is no theft, and got nothing: row `7`, `7b` or `13a` of [the decision](super::rotation#the-decision) |
//! | `recovered` | INFO | `session`, `generation`, `recoveries` | an older token was answered anew, and the newer one is burned. Mostly a response was lost, or a browser died before it wrote its cookies; another client is told of by `new_fingerprint` |
//! | `refreshed` | DEBUG | `session`, `generation`, `outcome` | a refresh succeeded; `outcome` is the row of [the decision](super::rotation#the-decision) |
//! | `rejected` | INFO, WARN, ERROR | `kind`, `reason`, `origin`, `wanted_scope`, `present_scope` | a layer refused a request. WARN for kind `unavailable` (INFO with reason `keys_unavailable`), ERROR for `internal`: a layer is missing |
//! | `reuse_detected` | WARN | `session`, `expected_generation`, `presented_generation`, `jar`, `ended` | a replaced refresh token came back: two clients hold tokens of one session. **Tell the user**. `jar`: the right jar cookie came along, so the whole cookie jar is in two hands. `ended`: why the session had ended before, where it had |
//! | `revocation_lost` | ERROR | `session`, `several` | a session that should be over is not, or `several` of its subject: the store stayed away, or the process ended first. The event names the subject. End them by hand |
//! | `revocation_queued` | WARN | `session`, `several` | the same, still being tried |
//! | `revocation_restored` | WARN | `session` | the store had forgotten a revocation, which is written again: a failover |
//! | `revoked` | INFO | `session`, `reason`, `by_known` | a session ended before its time; `by_known` where one of its clients did it: whether the session knew that one |
//! | `session_refused` | DEBUG, INFO, WARN, ERROR | `session`, `call`, `kind` | a call of `Session` failed, and the sentence says why and what helps: [why was I signed out?](super::runbooks#why-was-i-signed-out) WARN for kind `unavailable`, ERROR for `internal`. DEBUG for `no_session`, which every page without a user causes; INFO with call `csrf`, where the browser was signed in and its refresh cookie did not come |
//! | `started` | INFO | `session` | a user signed in |
//! | `state_lost` | WARN | `session`, `stored_generation`, `presented_generation` | the store has lost more than one write; the user signs in again |
//! | `store_evicts` | WARN | `policy` | Redis is set to throw sessions away: set `noeviction` |
//! | `store_failed` | ERROR | `error`, `cause` | the store answered with an error: no room, no right, a broken record |
//! | `store_recovered` | INFO | | the store answers again |
//! | `store_unreachable` | ERROR | | the store does not answer; requests that need it get 503 |
//! | `unannounced` | WARN | `sessions` | sessions may have ended, so many, of which no event tells: an [`Ended`](crate::admin::Ended) was dropped without `announce` or `discard` |
//! | `would_reject` | INFO | `kind`, `reason`, `origin` | a layer in report-only mode would have refused this |
//! | `write_restored` | WARN | `session`, `generation` | the store had lost the last rotation and the newer token was adopted: a failover |
//!
//! `kind` is [`RejectionKind::as_str`](crate::rejection::RejectionKind::as_str), or
//! [`SessionErrorKind::as_str`](crate::SessionErrorKind::as_str) for `session_refused`; `reason` the more precise
//! [`Rejection::reason`](crate::rejection::Rejection::reason) or, for `revoked`,
//! [`RevokeReason::as_str`](crate::RevokeReason::as_str); a reason that says no more than the kind is left out.
//! `origin` is what the client sent, escaped.
//!
//! Clients can cause `session_refused` at will, so it has limits in every half minute:
//!
//! * ten of each genuine session. Sessions that by chance share one of 4096 counters share the ten;
//! * 1000 of all of these together, and beyond that the first of each counter: an attacker with many sessions causes
//!   5096 at most, and needs some thousand sign-ins to hide the others;
//! * of requests without a genuine session, ten of each of these: garbage, unknown keys, broken seals, no token, a lost
//!   refresh cookie, faults of the server, all else. Made-up cookies hide nothing of the rest.
//!
//! The last line before a limit says that further ones are left out. `cookie_path_mismatch` is told ten times. Half
//! minutes begin at fixed times, so twice as many lines can come within 30 seconds across the end of one.
//! `tower_bearer_refreshes_total` counts all refreshes, told or not.
//!
//! The sentence ends with the error's sources, those of your claims closure and of its claims' `Serialize` too: they
//! must hold no secret. Control characters in them are escaped.
//!
//! # Spans
//!
//! Two kinds, both at `DEBUG` with the target `tower_bearer`, because a service has a span for each request
//! already. Verifying an access token waits for nothing and has none.
//!
//! | span | field `operation` | around |
//! |---|---|---|
//! | `session` | `start`, `refresh`, `elevate`, `end`, `end_all`, `end_others`, `end_session`, `list`, `peek`, `csrf`, `admin_list`, `admin_end`, `admin_end_all`, `admin_end_everybody` | the method of [`Session`](crate::Session) of that name, or behind `admin_` of [`SessionAdmin`](crate::SessionAdmin); `csrf` for the page's token |
//! | `store` | `insert`, `load`, `swap`, `list`, `revoke_all`, `revoke_older`, `revoke_everything` | one call to the store, within the span of the session |
//!
//! To see them without the rest of your program: `RUST_LOG=info,tower_bearer=debug`.
//!
//! # Metrics
//!
//! | name | kind | labels | what it counts |
//! |---|---|---|---|
//! | `tower_bearer_verifications_total` | counter | `outcome` | requests at the bearer layer, tokens of connections, and the ends of connections |
//! | `tower_bearer_rejections_total` | counter | `kind`, `reason` | requests that any layer, or an extractor, refused |
//! | `tower_bearer_refreshes_total` | counter | `outcome` | refresh requests |
//! | `tower_bearer_sessions_started_total` | counter | | sign-ins |
//! | `tower_bearer_sessions_ended_total` | counter | `reason` | sessions that ended before their time, by `RevokeReason` |
//! | `tower_bearer_sessions` | gauge | | sessions in a `MemoryStore`, expired ones not yet swept included |
//! | `tower_bearer_store_duration_seconds` | histogram | `operation`, `outcome` | calls to the store of a `RefreshCookieLayer`, `ok` or `error` |
//! | `tower_bearer_events_total` | counter | `event` | every event of the table above |
//!
//! Every label has a fixed, small set of values: nothing that a client sends becomes one. Nor does an issuer's address:
//! with several issuers the events `keys_…` and the outcome `keys_unavailable` are counted together. The line's `url` says
//! which issuer it is; [`health`](super::how_to#several-issuers) of each handle is for a gauge of your own.
//!
//! * **Verifications.** `accepted`; `anonymous`, where the layer is optional and no user signed in;
//!   `missing_credentials` and `invalid_request`; `unavailable` and `internal`; `revoked`, by your own
//!   `check`; and the [kind of the token's error](crate::TokenErrorKind) for a token that was refused,
//!   `expired` above all. `keys_unavailable` among them is a 503: the issuer's keys are not here yet.
//! * **Refreshes.** The rows that succeed: `rotated`, `coalesced`, `replayed`, `recovered`, `adopted`. Those that do
//!   not: `expired`, `unknown`, `revoked`, `reuse`, `state_lost`, `superseded` (a [confirmation](super::rotation#terms)
//!   among them), `outdated`, `foreign_jar`. And what came to no decision, or to one that could not be carried out:
//!   `no_session`, `invalid` (forged, foreign, keys that are gone), `ambiguous`, `denied`, `too_many_requests`,
//!   `unavailable`, `internal`.
//! * **Live sessions.** A `MemoryStore` knows how many it has. Redis does not count them for us; its own
//!   exporter's number of keys is the number of subjects with a session.
//!
//! Durations are recorded in seconds. An exporter with a default for its buckets mostly has one for whole
//! requests; a store in the same data centre answers in 0.0002 to 0.01 seconds.
//! [`describe_metrics`](https://docs.rs/tower-bearer/latest/tower_bearer/fn.describe_metrics.html) gives the
//! exporter its help texts.
//!
//! # Alerts
//!
//! The runbooks say what is normal for each event, and what to do about it: see
//! [there](super::runbooks#what-to-watch). As conditions on these metrics:
//!
//! | condition | it means |
//! |---|---|
//! | `events_total{event="revocation_lost"}` rises | a user who was signed out is not |
//! | `events_total{event="store_unreachable"}` rises, or refreshes with `unavailable` | no user can sign in or stay signed in |
//! | `rejections_total{kind="internal"}` rises, or refreshes with `internal` | a layer is missing on a route, or the claims cannot be minted |
//! | refreshes with `invalid`, `unknown` or `state_lost` above their usual share | keys differ between instances, or a store has lost writes: people are being signed out |
//! | verifications with `key`, `signature` or `decryption` above their usual share | keys differ between instances, or a stranger is trying |
//! | `events_total{event="foreign_jar"}` above its usual rate | [one of two cookies](super::runbooks#users-are-signed-out-with-foreign_jar) is not forwarded: people are being signed out |
//! | `events_total{event="reuse_detected"}` above its usual rate | thefts, or a change: [see there](super::runbooks#reusedetected-comes-often) |
//! | `events_total{event="encryption_key_near_limit"}` rises | rotate within the week |
//!
//! A user whose session was stolen is not woken up for, but told: in the sink, not in the log.
//!
//! # Mails to users, and an audit log
//!
//! One sink serves both. The events of a session name its subject, the label of its client, and the note that the
//! application wrote at the sign-in, so nothing is looked up. The sink runs on the request's path: it hands over, and a
//! thread or a task behind it does the work.
//!
//! Whether a device is new is for the application to know, by a cookie of its own that lasts a year, say. The sign-in
//! writes it into the [note](crate::NewSession::note), and the sink reads it there.
//!
//! ```
//! use std::sync::mpsc::SyncSender;
//!
//! use tower_bearer::{Event, EventSink, SessionId};
//!
//! enum Job {
//!     Mail { to: String, text: String },
//!     /// A row of the audit log; the database dates it.
//!     Audit { user: String, session: Option<SessionId>, what: String },
//! }
//!
//! fn sink(jobs: SyncSender<Job>) -> EventSink {
//!     // A queue that is full loses the job and says so: a request never waits for a mail.
//!     let later = move |job| if jobs.try_send(job).is_err() { eprintln!("a job is lost") };
//!     let mail = |to: &str, text: String| Job::Mail { to: to.to_owned(), text };
//!     let audit = |user: &str, session: Option<SessionId>, what: String| {
//!         Job::Audit { user: user.to_owned(), session, what }
//!     };
//!     EventSink::new(move |event: &Event<'_>| match event {
//!         // A client wrote the label, mostly: escape it in HTML.
//!         Event::Started { subject, session, label, note, .. } => {
//!             if *note == "new device" {
//!                 later(mail(subject, format!("You signed in on a new device, {label}. Not you? Sign it out here: ...")));
//!             }
//!             later(audit(subject, Some(*session), format!("signed in on {label}")));
//!         }
//!         Event::Revoked { subject, session, label, reason, .. } => {
//!             later(audit(subject, Some(*session), format!("session on {label} ended: {reason:?}")));
//!         }
//!         Event::ReuseDetected { subject, session, label, at, .. } => {
//!             let text = format!("At {} s a copy of your session on {label} was used. It is closed.", at.as_secs());
//!             later(mail(subject, text));
//!             later(audit(subject, Some(*session), format!("session on {label} was stolen")));
//!         }
//!         Event::NewFingerprint { subject, presented, .. } => {
//!             later(mail(subject, format!("A browser that calls itself {presented} uses your session.")));
//!         }
//!         Event::EverythingRevoked { sessions, .. } => {
//!             later(audit("", None, format!("an operator ended all {sessions} sessions")));
//!         }
//!         Event::Unannounced { subject, sessions, .. } => {
//!             later(audit(subject, None, format!("{sessions} sessions may have ended")));
//!         }
//!         _ => {}
//!     })
//! }
//! # let _ = sink;
//! ```
//!
//! An audit log that must not lack a row asks more than a sink gives: a process that dies loses what is queued. Where
//! sessions end beside a change in SQL, write the row in the same transaction.
