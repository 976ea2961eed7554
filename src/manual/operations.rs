//! Running the service: metrics, alerts, and the cure for each failure.
//!
//! You want to learn of a failure before the users do. Turn on the features `metrics` and `tracing`, and set the
//! [alerts](#alerts).
//!
//! * With the feature `metrics` your recorder counts everything: [names and
//!   labels](https://docs.rs/tower-bearer/latest/tower_bearer/fn.describe_metrics.html#metrics).
//! * With the feature `tracing` each event is a [line](crate::Event#lines), and each call that waits is a
//!   [span](#spans).
//! * An [`EventSink`](crate::EventSink) is a function of yours. It needs no feature, and it receives the subject: [mail
//!   users](#mails-to-users-and-an-audit-log) from there.
//!
//! # OpenTelemetry
//!
//! Spans go to a collector, and Prometheus reads the metrics at port 9000:
//!
//! ```rust,ignore
//! // opentelemetry 0.33, opentelemetry_sdk 0.33, opentelemetry-otlp 0.33 (features "trace", "grpc-tonic"),
//! // tracing-opentelemetry 0.34, tracing-subscriber 0.3 (feature "env-filter"), metrics-exporter-prometheus 0.18
//! use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
//! use opentelemetry::trace::TracerProvider as _;
//! use opentelemetry_otlp::SpanExporter;
//! use opentelemetry_sdk::trace::SdkTracerProvider;
//! use tracing_subscriber::{EnvFilter, prelude::*};
//!
//! fn telemetry() -> Result<SdkTracerProvider, Box<dyn std::error::Error>> {
//!     // The variable OTEL_EXPORTER_OTLP_ENDPOINT names the collector.
//!     let exporter = SpanExporter::builder().with_tonic().build()?;
//!     let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
//!     tracing_subscriber::registry()
//!         .with(EnvFilter::new("info,tower_bearer=debug"))
//!         .with(tracing_subscriber::fmt::layer())
//!         .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("shop")))
//!         .init();
//!     let store_calls = Matcher::Full("tower_bearer_store_duration_seconds".to_owned());
//!     PrometheusBuilder::new()
//!         .set_buckets_for_metric(store_calls, &[0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.5, 2.0])?
//!         .with_http_listener(([127, 0, 0, 1], 9000))
//!         .install()?;
//!     tower_bearer::describe_metrics();
//!     Ok(provider) // call `shutdown()` at the end
//! }
//! ```
//!
//! Each rejected request is a line. `tower_bearer=warn` in the filter leaves those lines out; metrics count on.
//!
//! # Spans
//!
//! A span's name carries the operation: `session.refresh`, and within it `store.load`. Spans have the level `DEBUG` and
//! the target `tower_bearer`. Verifying an access token waits for nothing and has no span.
//!
//! | span | field `operation` | around |
//! |---|---|---|
//! | `session` | `start`, `refresh`, `elevate`, `end`, `end_all`, `end_others`, `end_session`, `list`, `peek`, `csrf`, `admin_list`, `admin_end`, `admin_end_all`, `admin_end_everything` | the method of [`Session`](crate::Session); after `admin_` of [`SessionAdmin`](crate::SessionAdmin); `csrf`: the page's token |
//! | `store` | `insert`, `load`, `swap`, `list`, `revoke_all`, `revoke_older`, `revoke_everything` | one call to the store |
//!
//! # Before the first user
//!
//! | | check |
//! |---|---|
//! | keys | The same on every instance, from [`KeyRing::from_env`](crate::KeyRing::from_env). [`KeyRing::generate`](crate::KeyRing::generate) signs every user out at each restart. |
//! | store | [The right one](super::stores). Call `health()` at the start; it must have no warnings. |
//! | cookie | `grep -rn dangerous_ src/` finds nothing that you cannot explain. |
//! | https | [`RequireHttpsLayer`](crate::RequireHttpsLayer), or a proxy that does the same |
//! | guards | Origin and CSRF layer around all cookie-authenticated routes, in [this order](super::guards#order-of-layers) |
//! | proxy | [This table](super::guards#behind-a-proxy), row by row. `curl -i` from outside shows three `Set-Cookie` lines at a sign-in: refresh cookie, jar cookie (`_jar`) and CSRF cookie. |
//! | claims | The closure answers well within [`claims_timeout`](crate::refresh::RefreshCookieBuilder::claims_timeout), 7.5 s by default. |
//! | clocks | NTP on all machines that issue or verify tokens |
//! | sign-in | [Limited](#password-guesses); the password hash is slow. |
//! | events | [`AuthBuilder::events`](crate::auth::AuthBuilder::events) reaches the layers of `Auth`. `RequireHttpsLayer`, the store and each layer of your own have a method `events`. SQL stores take it from `builder()`; `open`, `connect` and `from` have none. |
//! | page | Shows the sign-in form at 401 only |
//! | practised | [A change of keys](super::keys), a restart of the store, [the end of every session](#ending-every-session-on-purpose) |
//!
//! # Alerts
//!
//! Rates are for all instances together; a normal week shows the usual share. [Cures](#events-and-cures) are below.
//!
//! | condition, each name after `tower_bearer_` | it means |
//! |---|---|
//! | `events_total{event="revocation_lost"}` rises | A signed-out user is [still signed in](#a-revocation-is-lost). |
//! | `events_total{event="store_unreachable"}` rises, or refreshes with `unavailable` | No user can sign in or stay signed in: [503](#refresh-answers-503). |
//! | `rejections_total{kind="internal"}` rises, or refreshes with `internal` | A route lacks a layer, or minting fails. The line at ERROR names it. |
//! | `refreshes_total` with `invalid`, `unknown` or `state_lost` above its usual share | Users [are signed out](#all-users-are-signed-out). |
//! | `verifications_total` with `key`, `signature` or `decryption` above its usual share | Keys differ between instances ([compare them](#all-users-are-signed-out)), or an attacker tries. |
//! | `events_total{event="foreign_jar"}` above its usual rate | [One of two cookies](#users-are-signed-out-with-foreign_jar) is not forwarded. |
//! | `events_total{event="reuse_detected"}` above its usual rate | Thefts, or [a change](#reusedetected-comes-often) |
//! | `events_total` with `keys_expired`, `keys_withdrawn` or `keys_compromised` rises | The API rejects tokens [of an issuer](#events-and-cures). |
//! | `events_total{event="encryption_key_near_limit"}` rises | [Replace the key](super::keys) within the week. |
//!
//! # Events and cures
//!
//! The first column is the `event` of the line. [`Event`](crate::Event#lines) has the fields.
//!
//! | line | normal | cure |
//! |---|---|---|
//! | `store_unreachable` without `store_recovered`; `store_failed` | none | At once: [503](#refresh-answers-503) |
//! | `revocation_lost` | none | At once: [revoke it](#a-revocation-is-lost). After a deployment: [drain](#ending-a-process) before the process ends. |
//! | `revocation_queued` | only with `store_unreachable` | |
//! | `everything_revoked` | none | At once, unless announced |
//! | `rejected` with kind `internal` | none | At once: a layer is missing, or a check failed; the line says which. The `detail` of the 500 names a missing layer, too. |
//! | `session_refused` with kind `internal` | none | At once: users cannot sign in. The line names the cure. |
//! | `cookie_path_mismatch` | none | At once: mount the sign-in below [`cookie_path`](crate::refresh::RefreshCookieBuilder::cookie_path), or set that or [`external_prefix`](crate::refresh::RefreshCookieBuilder::external_prefix). |
//! | `keys_compromised` | none | At once: call the issuer. Signatures of that key prove nothing. |
//! | `keys_expired` without `keys_recovered`; `keys_withdrawn` without `keys_fetched` | none | At once: all tokens of that issuer get 503. |
//! | `keys_unavailable` | a few while the issuer restarts | Before `usable_until`: the issuer is down, or its set is unusable. |
//! | `keys_passed_over` | one at each start, for a key of another purpose | If tokens are rejected: the line names the unused key. |
//! | `store_evicts` | none | The same day: set `noeviction`. |
//! | `durability_degraded` | none | The same day: a replica lags or is gone. |
//! | `unannounced` | none | The same day: a path of your code drops an [`Ended`](crate::admin::Ended), or its commit failed. Look whether the sessions live. |
//! | `revocation_restored`, `state_lost`, `write_restored` | after a failover | Otherwise: do two stores take writes? |
//! | `reuse_detected` | one now and then | Tell the user. [Several an hour](#reusedetected-comes-often) |
//! | `new_fingerprint` | some, after browser updates | Tell the user. [Many](#newfingerprint-comes-often) |
//! | `foreign_jar` | none | [Here](#users-are-signed-out-with-foreign_jar) |
//! | `old_token` | a few late tabs | Many: pages ignore the newer cookie, or a thief tries. |
//! | `recovered` | a few in 1000 refreshes, more on mobile networks | Many: responses are lost on their way. |
//! | `denied` | when you disable accounts | Many: the closure answers `Denied` for a failure that will pass. |
//! | `rejected` with kind `invalid_token` | one for each page and token lifetime | Many: [the reasons](super::access_tokens#a-token-is-rejected), [clocks](#clocks) or an attacker |
//! | `rejected` with `foreign_origin` or `csrf_failed` | some | Many: [403](super::guards#when-the-answer-is-403) |
//! | `would_reject` | while you try a guard | The guard protects nothing yet. |
//! | `revoked` with `by_known=false` | one now and then | If `reuse_detected` with `ended` follows, a thief signed out. |
//! | `revoked` with reason `limit` | a few | Many: a client signs in again and does not refresh. |
//!
//! `RedisStore` and `PostgresStore` send all three store events. `SqliteStore` sends `store_failed` alone, and none for
//! a lock or a slow disk. Alert on refreshes with `unavailable`, and read `session_refused`, which ends with the cure.
//! A store of your own emits its own events.
//!
//! # Why was I signed out?
//!
//! Take the session's id from your API's log ([`Claims::session`](crate::Claims::session)), or from the line `started`
//! of that sign-in. The line `session_refused` with that id ends with cause and cure.
//!
//! | `kind` | cause |
//! |---|---|
//! | `expired` | `idle_lifetime` or `absolute_lifetime` ended; the line says which. |
//! | `revoked` | Revoked before; the line says why. |
//! | `reuse` | This request caused the alarm: `reuse_detected` has both clients. |
//! | `foreign_jar` | [One cookie came alone](#users-are-signed-out-with-foreign_jar). |
//! | `outdated` | No theft: the browser never took a newer token, or too many responses were lost ([`recoveries`](crate::refresh::RotationPolicyBuilder::recoveries)). |
//! | `state_lost` | The store lost more than one write, in a failover or a restore. |
//! | `ambiguous` | 400, until a sign-out clears the cookies: those of two live sessions came. Another host set one ([`host_prefix`](crate::refresh::RefreshCookieBuilder::host_prefix)), or an earlier path has one ([`former_path`](crate::refresh::RefreshCookieBuilder::former_path)). |
//! | `superseded`, `refresh_first` | No sign-out: [409](#refresh-answers-409) |
//! | `csrf_failed` | No sign-out: 403. Several sessions' cookies came. The page asks for a new CSRF token. |
//! | `authentication_too_old` | No sign-out: 403. The page [asks for the password](super::sessions#ask-for-the-password-again) before it ends other sessions. |
//! | `too_many_requests` | No sign-out: 429. The client refreshes in a loop ([`repeat_limit`](crate::refresh::RefreshCookieBuilder::repeat_limit)). |
//! | `invalid`, with a session | The store does not know it: idle for too long, or the store was emptied. |
//! | `invalid`, without a session | No key opens the cookie. Such lines have no id; compare the minute. |
//! | `denied` | The claims closure refused the subject. |
//! | `no_session` | No cookie came: deleted, expired, or for another path or site. No id, and mostly `DEBUG` |
//!
//! # All users are signed out
//!
//! Refresh answers 401. Does it clear the cookie (`Max-Age=0`)? **While the cookie is kept, restart nothing**: no
//! session is lost until users sign in again. Read `kind` of the lines `session_refused`, or `outcome` of
//! `tower_bearer_refreshes_total`.
//!
//! | symptom | cause | cure |
//! |---|---|---|
//! | cookie kept, `invalid` without a session, since a deployment | Other keys, or another issuer | Put the old value back. The cookies work again. |
//! | the same on some instances | Their keys differ | Compare hashes of the variables. |
//! | cookie kept, `invalid` with a session (outcome `unknown`) | Empty store: restart of `MemoryStore`, `FLUSHALL`, eviction, an empty replica, another prefix | Restore it, or let users sign in. |
//! | cookie kept, `expired` | The sessions ended together, such as 7 days after all users signed in | None: users sign in. |
//! | cookie kept, `foreign_jar` | [One of two cookies](#users-are-signed-out-with-foreign_jar) is not forwarded | Forward both. |
//! | cookie kept, `state_lost` | The store lost writes, or an [old backup](#backup-and-restore) came back | Users sign in. |
//! | `no_session` | The cookie does not come: another cookie name or path, host, proxy, plain http, another site | The browser's developer tools show why. Put an old name or path back. |
//! | cookie cleared | Sessions were revoked or denied: `revoked` has the reason. | They do not come back. |
//! | refresh 200, API 401 | Verifiers have another key, issuer, audience or time | `rejected` has the reason. |
//!
//! # Refresh answers 503
//!
//! Access tokens stay valid until they expire, up to 15 minutes. Look at the lines in this order:
//!
//! 1. `store_unreachable`: is the server up and reachable? From the instance: `redis-cli -u URL PING`, or `psql URL -c
//!    'SELECT pg_is_in_recovery()'` (f is the primary).
//! 2. `store_failed`: it ends with the server's words, such as `NOPERM`, `OOM`, `MISCONF` or `42501`.
//! 3. `session_refused` at WARN: the store, or the claims closure. In SQL: a lock, or a pool without a free connection.
//!    A line with `claims_timeout` means a slow closure: make it faster. A longer time needs a longer
//!    [`grace`](crate::refresh::RotationPolicyBuilder::grace).
//! 4. Only one subject: its record is unreadable. [Redis:
//!    keys](https://docs.rs/tower-bearer/latest/tower_bearer/struct.RedisStore.html#keys-in-redis). In SQL, deleting
//!    its row from `tower_bearer_sessions` signs that session out.
//! 5. A 500 is no outage: minting failed. `session_refused` at ERROR names the cause, such as a used-up [encryption
//!    key](super::keys#the-limit-of-an-encryption-key).
//!
//! Sessions need no repair. Revocations are tried for four minutes; then `revocation_lost` names them. When the store
//! is back, all pages refresh within a second.
//!
//! # Refresh answers 409
//!
//! The session is valid. The client tries again with the cookie that it holds by then.
//!
//! | symptom | cause | cure |
//! |---|---|---|
//! | `superseded` once, with `new_fingerprint` | A client with a new name must confirm | None |
//! | `superseded` repeatedly, one client | It drops the `Set-Cookie` of a 409, or sends the same cookie from memory | Store each `Set-Cookie`. |
//! | `superseded` repeatedly, many clients | [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) changes between requests | Use a stable signal. |
//! | `refresh_first` | A client with a new name lists, ends or elevates | Refresh until a cookie comes, one [interval](crate::refresh::RotationPolicyBuilder::interval) at most, and ask again. |
//!
//! # Users are signed out with foreign_jar
//!
//! The refresh cookie comes without its jar cookie. Sessions go on, and both cookies together work again. Until then a
//! sign-out answers 204 and revokes nothing, and a sign-in replaces nothing. Revoke such sessions with `end_all`.
//!
//! * **Many users**: a renderer or proxy forwards one cookie only. [Forward
//!   both](super::guards#both-cookies-and-the-user-agent).
//! * **One user**: a program removes cookies, or the refresh cookie was copied. Look for the log, proxy or backup that
//!   shows it.
//!
//! # NewFingerprint comes often
//!
//! | symptom | cause | cure |
//! |---|---|---|
//! | all users, `presented` names a program | A renderer or proxy sends its own `User-Agent` | [Forward the header](super::guards#both-cookies-and-the-user-agent). |
//! | all users, usual names | `client_fingerprint` changed | Set a new [`fingerprint_version`](crate::refresh::RefreshCookieBuilder::fingerprint_version). It heals in two refreshes. |
//! | one user, always new names | A terminal without a stable name | [`FingerprintPolicy::Ignored`](crate::refresh::FingerprintPolicy::Ignored), in a layer of its own |
//! | one user, another system | A second window, or a thief with all cookies | Tell the user. |
//!
//! # ReuseDetected comes often
//!
//! One is a theft until shown otherwise. Many are mostly a change. Compare `held_by` with `presented_by` in the event.
//!
//! | symptom | cause | cure |
//! |---|---|---|
//! | `jar` true | All cookies were copied: malware, a backup, a cloned profile | [Revoke all](#ending-a-users-sessions), examine the machine. |
//! | `jar` false, no `ended` | The refresh token alone was enough. The session was not bound yet, or has no jar cookie ([`JarCookie::Off`](crate::refresh::JarCookie::Off), tokens in bodies) | Unless a row below fits, search for a log, proxy or backup that shows it. |
//! | `ended` | One of two clients was not the user's; its access token may still work | The same, at once. If `jar` is false, search for a log that shows the cookie. |
//! | the clients differ, since a deployment, tokens in bodies | Names contain a version | Leave the version out. |
//! | the clients differ, with your own signal | The signal is unstable | Use a stable one with a new `fingerprint_version`. |
//! | the clients are equal | Two copies of one jar, or an old backup: no server can tell them from a thief | None |
//! | after a restore | [Old data](#backup-and-restore), or two stores | |
//! | [`RotationPolicy::strict`](crate::RotationPolicy::strict) | Two tabs are enough | Remove it. |
//! | your own store | `swap` is not atomic, or `load` reads a replica | [Run the suite](super::stores#running-the-suite). |
//! | none of these | Theft | Revoke all, look at what the session did, warn the user. |
//!
//! # Clocks
//!
//! The store's clock judges sessions; each verifier judges access tokens by its own, with 60 seconds of leeway.
//! `not_yet_valid`: the verifier is behind. `expired` on fresh tokens: it is ahead. The store's clock may jump forward
//! between two requests of a session. More than half the grace can look like theft. Correct the clock (`timedatectl`,
//! `chronyc tracking`). A longer leeway hides the fault and prolongs every token.
//!
//! # Ending a user's sessions
//!
//! [`Auth::admin`](crate::Auth::admin) returns [the operator's handle](crate::admin). Store the new password, or let
//! the closure answer `Denied`, *before* the call. Issued access tokens stay valid until they expire. After
//! `unavailable` the process tries again; call once more to be sure.
//!
//! # Ending every session, on purpose
//!
//! After a leak of a key or of a backup:
//!
//! 1. Replace the leaked key [alone](super::keys#when-a-key-has-leaked) on all instances.
//! 2. Call [`end_everything`](crate::SessionAdmin::end_everything) on one instance. After an error call it again.
//! 3. Replace the access secret too if access tokens must end at once.
//! 4. A sign-in during step 2 may survive. Call again after the longest time of your claims closure.
//!
//! A leaked refresh secret needs steps 1 and 2. The call rejects copied cookies for good and still recognises theft.
//! Only the new secret rejects forged CSRF tokens and jar cookies. A store without the operation answers `Unsupported`:
//! then the new secret is all.
//!
//! # A revocation is lost
//!
//! The line names the session, or `several`. The calls need the subject, which no line has. With `several`, the
//! event of your sink has it. Otherwise search your audit log for the session's id:
//! [`Started`](crate::Event::Started) has both. Or search your API's log, if it has
//! [`Claims::session`](crate::Claims::session) beside the subject. Then call
//! [`end_all`](crate::SessionAdmin::end_all). In SQL you can delete the [row of that
//! id](https://docs.rs/tower-bearer-sqlx) instead. If you cannot find the subject,
//! [`end_everything`](crate::SessionAdmin::end_everything) ends all sessions.
//!
//! # Backup and restore
//!
//! **Sessions that were revoked after the backup are live in it.** Was the restored data older than seconds? Your audit
//! log has the later [`Revoked`](crate::Event::Revoked) events: call `end_all` for each of their subjects. Without such
//! a log call `end_everything`, or begin with an empty store. Tokens one rotation ahead of the backup work. Later ones
//! need a new sign-in, without an alarm. A backup opens no session, but holds subjects and labels: personal data.
//!
//! # Ending a process
//!
//! Finish the requests, then wait for the revocations:
//!
//! ```no_run
//! # #[cfg(feature = "axum")] {
//! use std::{io, time::Duration};
//!
//! use tower_bearer::RefreshCookieLayer;
//!
//! async fn serve(
//!     listener: tokio::net::TcpListener,
//!     app: axum::Router,
//!     sessions: RefreshCookieLayer, // `auth.sessions()`
//!     stop: impl Future<Output = ()> + Send + 'static,
//! ) -> io::Result<()> {
//!     axum::serve(listener, app).with_graceful_shutdown(stop).await?;
//!     let left = sessions.drain(Duration::from_secs(10)).await;
//!     if left > 0 {
//!         eprintln!("{left} revocations could not be written");
//!     }
//!     Ok(())
//! }
//! # let _ = |listener, app, sessions| serve(listener, app, sessions, std::future::ready(()));
//! # }
//! ```
//!
//! A killed process reports nothing. **Workers that fork** may share keys. Build runtime, store and `RemoteJwks` in
//! each worker.
//!
//! # Password guesses
//!
//! This crate limits no sign-ins. [`tower_governor`](https://docs.rs/tower_governor) limits each address:
//!
//! ```rust,ignore
//! // tower_governor 0.8 (feature "axum"): five attempts, then one every 12 seconds; the rest get 429.
//! use std::sync::Arc;
//! use axum::routing::post;
//! use tower_governor::{GovernorLayer, governor::GovernorConfigBuilder};
//! # use tower_bearer::{AccessToken, Auth, KeyRing, MemoryStore, Session, SessionError};
//! # async fn login(session: Session) -> Result<AccessToken, SessionError> { session.start("ann").await }
//! # let auth = Auth::builder(&KeyRing::generate().unwrap()).issuer("https://id.example").audience("api");
//! # let auth = auth.store(MemoryStore::new()).same_origin().build().unwrap();
//! let limit = GovernorConfigBuilder::default().per_second(12).burst_size(5).finish().expect("neither is zero");
//! let sign_in = post(login).layer(GovernorLayer::new(Arc::new(limit)));
//! let routes = auth.routes().route("/login", sign_in); // inside of the guards
//! // The address comes from `app.into_make_service_with_connect_info::<SocketAddr>()`.
//! # let _: axum::Router = axum::Router::new().merge(routes);
//! ```
//!
//! Behind a proxy set `.key_extractor(SmartIpKeyExtractor)`, and let the proxy overwrite `X-Forwarded-For`. Each
//! process counts alone. Limit each account too, by [`RateLimiter::keyed`](https://docs.rs/governor) of `governor` in
//! the handler.
//!
//! # Sizing
//!
//! Figures of one x86-64 core with AES instructions, shared and busy; the benches measure yours.
//!
//! | | figure |
//! |---|---|
//! | verifications a second | nested 600 000 to 900 000; encrypted 1.1 to 1.7 million; EdDSA 13 000 to 18 000 |
//! | a refresh | 6 µs and the store. One million users with 15-minute access tokens cause 1 100 a second. |
//! | `MemoryStore` | 445 bytes for each session; 0.9 to 1.4 million operations a second |
//! | Redis | 87 000 refreshes a second; [memory](https://docs.rs/tower-bearer/latest/tower_bearer/struct.RedisStore.html#sizing) |
//! | PostgreSQL, SQLite; 8 clients | 1 700 and 12 300 rotations a second, on different disks: [how they compare](https://docs.rs/tower-bearer-sqlx) |
//!
//! # OpenAPI
//!
//! [`SessionEndpoints::OPENAPI`](crate::SessionEndpoints::OPENAPI) is an OpenAPI 3.1 document of the session endpoints.
//! Nest it into your own below the cookie's path.
//!
//! # Mails to users, and an audit log
//!
//! The sink runs on the request's path, so it passes the work to a queue. A cookie of your own that lasts a year tells
//! a known device. The sign-in writes that into the [note](crate::NewSession::note), and the sink reads it.
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
//!     let mail = |to: &str, text| Job::Mail { to: to.to_owned(), text };
//!     let audit = |user: &str, session, what| Job::Audit { user: user.to_owned(), session, what };
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
//! ```
//!
//! A process that dies loses what is queued. If the audit log must have every row, write it in the
//! [transaction](https://docs.rs/tower-bearer-sqlx) that ends the sessions.
