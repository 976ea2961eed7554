//! How refresh tokens rotate, and what every presented token is answered with.
//!
//! The rule for public clients (RFC 9700 section 4.14.2) is: a refresh token is replaced when it is
//! used, and a replaced one that comes back means theft. Taken literally it signs honest people out.
//! With access tokens in memory every page load and every tab refreshes, so requests cross each other,
//! and an answer that is lost leaves the browser with the old token. The rule here is *strict to
//! strangers, lenient to the same browser*.
//!
//! # Terms
//!
//! | term | meaning |
//! |---|---|
//! | session | one sign-in on one client: the family of tokens that replaced each other |
//! | generation | how often the session has rotated, 0 at sign-in |
//! | current, previous | the token the store expects, and the one it replaced |
//! | handed out | when the current token was last sent to the browser |
//! | presented | when the current token was first seen back |
//! | same client | the [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) equals that of the request which last rotated the session |
//! | `G`, the [grace](crate::refresh::RotationPolicyBuilder::grace) | 30 s by default |
//! | `M`, the [interval](crate::refresh::RotationPolicyBuilder::interval) | 60 s by default |
//!
//! # The decision
//!
//! The first line that matches decides. Generation and hash say where a token stands; a time never does.
//!
//! | # | the token | outcome | cookie |
//! |---|---|---|---|
//! | 0 | does not open, or its key is unknown; the store is not asked | 401 | kept |
//! | 1 | is past its own end, or its session is past the absolute or idle one | 401, expired | cleared |
//! | 2 | is of a session the store does not have | 401 | kept |
//! | 3 | is of a revoked session; no second alarm | 401, revoked; 409, superseded, when the same client signed in anew within `G` | cleared; kept when the session was replaced by a new sign-in |
//! | 4 | is of a subject that the application denies | 401, session revoked | cleared |
//! | 5 | is current, handed out less than `M` ago, same client, and the session has rotated before | 200, *coalesced* | not sent |
//! | 6 | is current otherwise | 200, *rotated* | the successor |
//! | 7 | is previous, another client | 401, **reuse** | cleared |
//! | 7b | is from before a change of privilege, same client, and is previous, or older within `G` | within `G` 409, superseded; later 401 | kept |
//! | 8 | is previous, its successor not presented and handed out within `G` | 200, *replayed* | the same successor |
//! | 9 | is previous, its successor handed out or first presented within `G` | 200, *replayed* | the same successor |
//! | 10 | is previous, its successor never presented, recoveries left | 200, *recovered* | a new successor; the old one is burned |
//! | 11 | is one write ahead of the store, and proves it | 200, *adopted* | not sent |
//! | 12 | is further ahead of the store | 401, state lost | kept |
//! | 13 | is anything else: older, burned, previous too late | 401, **reuse** | cleared |
//!
//! *Reuse* revokes the session, or with [`ReusePolicy::Subject`](crate::ReusePolicy::Subject) all of the
//! subject's, and emits [`Event::ReuseDetected`](crate::Event::ReuseDetected). Every 401 of the table has the
//! code `invalid_session`; which line it was stays inside, as the
//! [`SessionErrorKind`](crate::SessionErrorKind).
//!
//! Lines 5 and 9 write at most a note, and line 8 moves the hand-out time at most every `G/8`; none of
//! the three extends the idle lifetime. Line 4 is judged after the others, before anything is written.
//!
//! # Why each leniency is there
//!
//! * **Coalesced** (5): twenty restored tabs cause one rotation instead of twenty.
//! * **Replayed** (8, 9): a request that was under way during a rotation gets the token the others
//!   have. The window stops moving once the successor has been presented, so nobody holds it open.
//! * **Recovered** (10): an answer was lost and the browser comes back an hour later. The lost token may
//!   be in other hands, so it is burned: whoever presents it is a thief.
//! * **Adopted** (11): a failover lost the last write. The token names its predecessor, which is the
//!   token the store still has, so it is the genuine next one.
//! * **State lost** (12): the store lost more than one write. The user signs in again; that is not theft.
//! * **Superseded** (7b): after [`elevate`](crate::Session::elevate) no earlier token is answered, though
//!   an honest tab can still hold one; raising the alarm there would sign it out. So would a 401, which
//!   clients take for the end of the session: while the newer cookie can be on its way, in the grace, the
//!   answer is 409 with `Retry-After`, and the same request succeeds with what the jar holds then.
//!
//! # What it costs to be strict
//!
//! [`RotationPolicy::strict`](crate::RotationPolicy::strict) has no lines 5, 7b and 8 to 10. Two tabs that wake
//! together, or one lost answer, end the session.
//!
//! ```
//! use std::time::Duration;
//! use tower_bearer::RotationPolicy;
//!
//! let patient = RotationPolicy::builder()
//!     .grace(Duration::from_secs(60))
//!     .interval(Duration::from_secs(120))
//!     .recoveries(5)
//!     .build()?;
//! // An interval shorter than twice the grace would sign honest users out, so it is refused.
//! let error = RotationPolicy::builder().grace(Duration::from_secs(60)).build().unwrap_err();
//! assert_eq!(error.setting(), "interval");
//! # let _ = patient;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! # How sure it is
//!
//! The tests search the decision function exhaustively: one browser with several requests under way,
//! every delay up to `7G/16`, two lost answers or two failovers, with a thief and without. They find no
//! path on which an honest user is signed out, and none on which thief and user have both presented a
//! token and the session lives. A simulation of tabs, reloads and bad networks stands beside it.
