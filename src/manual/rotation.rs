//! How refresh tokens rotate, and how every presented token is answered. This is the protocol's second edition.
//!
//! The rule for public clients (RFC 9700 section 4.14.2) is: a refresh token is replaced when it is
//! used, and a replaced one that comes back means theft. Taken literally it signs honest people out:
//!
//! * Access tokens live in memory, so every page load and every tab refreshes, and requests cross each other.
//! * An answer that is lost leaves the browser with the old token.
//! * Browsers write cookies to the disk seconds late. One that dies meanwhile comes back with an old token.
//! * One cookie jar may have several `User-Agent`s: a tab that asks for the desktop site, windows of a tablet, a web
//!   view beside native code.
//!
//! The rule here is: **the same cookie jar is the same client. A client that calls itself by a new name shows first
//! that it shares the jar. Only then does a rotation give it an access token.** A `User-Agent` is evidence and no
//! identity, for millions of browsers send the same one.
//!
//! # Terms
//!
//! | term | meaning |
//! |---|---|
//! | session | one sign-in in one cookie jar: the family of tokens that replaced each other |
//! | generation | how often the session has rotated, 0 at sign-in |
//! | current, previous | the token that the store expects, and the one that it replaced |
//! | handed out | when the current token was last sent to the client |
//! | seen | the current token has come back: a request has presented it |
//! | jar cookie | a second `HttpOnly` cookie beside the refresh cookie, which [stays the same](#cookies) for a session |
//! | bound | a request has shown the session's jar cookie. From then on every request has to |
//! | fingerprint | a hash of 8 bytes of what [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) returns, the `User-Agent` by default, salted with the session's id |
//! | holder | the fingerprint that the current token was handed to, at its rotation, recovery or privilege change |
//! | known | the fingerprint of the sign-in, and each holder whose token came back from a known one: only one jar does that |
//! | newcomer | a fingerprint that is neither known nor the holder |
//! | same client | its fingerprint is the holder's, or both are known |
//! | window | is open within `G` of the moment when the current token was last handed out, or first presented |
//! | active, passive | a request with the header [`X-Session-Activity: passive`](crate::refresh::RefreshCookieBuilder::idle_lifetime) is passive: its user did nothing since the last one. Every other is active |
//! | confirm | 409 `superseded` with the successor as its cookie, and no access token. The next request, with that cookie, gets one by line 5 |
//! | `G`, the [grace](crate::refresh::RotationPolicyBuilder::grace) | 30 s by default |
//! | `M`, the [interval](crate::refresh::RotationPolicyBuilder::interval) | 60 s by default |
//!
//! # The decision
//!
//! The first line that matches decides. Generation and hash say where a token stands; a time never does.
//!
//! | # | the token | answer | cookie | written |
//! |---|---|---|---|---|
//! | 0 | does not open, or its key is unknown; the store is not asked | 401 | kept | |
//! | 1 | is past its own end, or its session is past the absolute or idle one | 401, expired | kept: it ends by itself, and a late answer takes no newer one away | |
//! | 2 | is of a session that the store does not have | 401 | kept | |
//! | 3a | was replaced, and a client of the session ended it more than `G` ago that is not the same one | 401, **reuse**, told once | cleared | the reason of the end becomes `Reuse` |
//! | 3 | is of a session that has ended otherwise | 401, revoked; 409, superseded, where the same client signed in anew within `G` | cleared; kept where a new sign-in replaced the session | |
//! | 3b | is of a bound session, and the right jar cookie did not come | 401, foreign jar, event | kept | |
//! | 4 | is of a subject that the application denies | 401, denied | cleared | the end of the session |
//! | 5 | is current, handed out less than `M` ago, and the session has rotated before; any fingerprint | 200, *coalesced* | not sent | a note: seen, who became known, a newcomer [where there is room](#the-record), and a [use](#the-idle-end) |
//! | 6 | is current otherwise; a known one or the holder | 200, *rotated* | the successor | the successor |
//! | 6b | is current otherwise; a newcomer | 409, *rotated*, confirm | the successor | the successor |
//! | 7b | is previous or older, from before a privilege change; any fingerprint | window open: 409, superseded; later: 401, outdated; event | kept | |
//! | 7 | is previous, not the same client, window open | 409, superseded, event | kept | |
//! | 8 | is previous, same client, window open, current not seen | 200, *replayed*; a newcomer: confirm | the same successor | a note: handed out, at most every `G/8`, and a [use](#the-idle-end) |
//! | 9 | is previous, same client, window open, current seen | 200, *replayed*; a newcomer: confirm | not sent; to a newcomer the same successor | a note of a [use](#the-idle-end) |
//! | 10 | is previous, same client, window closed; with a newcomer only where current is not seen | 200, *recovered*; a newcomer: confirm | a new successor; the old one is burned | the new successor |
//! | 10b | is previous, window closed; a newcomer, and the holder is known | 409, *recovered*, confirm, event | a new successor | the new successor |
//! | 10c | is previous, window closed; the holder is another newcomer, which has not shown its token | 200, *recovered*; a newcomer: confirm | a new successor | the new successor |
//! | 11 | is one write ahead of the store, and proves it | 200, *adopted* | not sent | what the store had lost |
//! | 12 | is further ahead of the store | 401, state lost | kept | |
//! | 13a | was burned by a recovery within the last `G` | 409, superseded, event | kept | |
//! | 13 | is anything else: older, burned, previous behind a newcomer that has shown its token | 401, **reuse** | cleared | the end of the session |
//!
//! "A newcomer" in lines 8 to 10 is a holder that is not known yet.
//!
//! *Reuse* revokes the session, or with [`ReusePolicy::Subject`](crate::ReusePolicy::Subject) all of the
//! subject's, and emits [`Event::ReuseDetected`](crate::Event::ReuseDetected). Every 401 of the table has the
//! code `invalid_session`. The line stays inside, as the [`SessionErrorKind`](crate::SessionErrorKind).
//!
//! Line 4 is judged after the others, before anything is written. Any line that answers also notes that the session is
//! bound now. At most
//! [`recoveries`](crate::refresh::RotationPolicyBuilder::recoveries) of a generation are granted, 255 by default.
//! Beyond them lines 10 to 10c answer 401, outdated, and keep the cookie.
//!
//! Three events tell of what is no alarm. [`NewFingerprint`](crate::Event::NewFingerprint) comes once for each
//! fingerprint that the record meets, possibly twice where the store's answer was lost. It comes at most once a minute
//! for those that line 5 does not write down. [`ForeignJar`](crate::Event::ForeignJar) (3b) and
//! [`OldToken`](crate::Event::OldToken) (7, 7b, 13a) come at most once a minute for a session. Sessions share 4096
//! counters for that, so one may be left out because of another session's.
//!
//! # The idle end
//!
//! Lines 6, 6b, 10 to 10c and 11 begin the idle lifetime anew for an active request. A passive one leaves the idle end
//! where it is, and gets a token that ends there at the latest. A sign-in and a change of privilege are active, whatever
//! the header says.
//!
//! Lines 5, 8 and 9 note an active request where that moves the idle end by `M` or more. So where an active request has
//! rotated a moment ago, they write nothing. The note is for a tab in use beside another tab whose timer rotates. Without
//! it, the user of the one would be signed out because of the other. There is one such note an interval at most. A
//! session whose idle lifetime is as long as its absolute one has none.
//!
//! The record thus knows of the last use by `M` and the time of its claims too little at most. A lifetime that is shorter
//! than the absolute one is longer than an access token's life, `M` and `G` together: an active client is never late.
//!
//! A thief gains nothing by these notes. A client that lines 8 and 9 answer is the holder, or shares its jar. It has got
//! the successor, or recovers with the same token once the window is closed (10): both move the idle end further. One
//! that line 5 answers has the current token, and rotates with it after `M`.
//!
//! # Why each line is there
//!
//! * **Ended, and told all the same** (3a): a thief may sign out behind itself, or sign in as itself in the copied jar.
//!   The victim then comes with a token that the thief replaced. That is the alarm. A refresh cookie that was copied
//!   alone raises it too, for it does not show that it is the same client.
//! * **Foreign jar** (3b): a refresh cookie that was copied alone gets nothing, and the session goes on.
//! * **Coalesced** (5): twenty restored tabs cause one rotation instead of twenty. A newcomer is answered too. Were it
//!   rotated for, two windows that wake together would be two generations apart.
//! * **Confirm** (6b): a thief that takes one token and goes has to show the successor first. Then it differs from an
//!   answer that was lost. An honest window with a new name pays one round trip, once.
//! * **Superseded** (7): the jar holds the newer token, or soon will. The same request succeeds with it.
//! * **Superseded, later outdated** (7b): after [`elevate`](crate::Session::elevate) no earlier token is answered,
//!   though an honest tab can still hold one. Raising the alarm there would sign it out. A call of `elevate` itself,
//!   made again with the token from before, gives the same new token as long as that one has not come back: the answer
//!   may have been lost.
//! * **Replayed** (8, 9): a request that was under way during a rotation gets the token that the others have. Once the
//!   successor is seen, the window stops moving, so no client holds it open. From then on the jar has the successor,
//!   and the answer brings an access token and no cookie (9). A cookie that is sent again could reach the jar after the
//!   next one. With one crash and five requests the search finds an honest user accused so.
//! * **Recovered** (10): an answer was lost, or the browser died before its disk had the cookie. Chromium writes
//!   cookies up to 30 s late, so this holds for a token that is seen. The lost one may be in other hands, so it is
//!   burned. A holder that is still a newcomer recovers only what is not seen: a thief that shadows the user would
//!   renew its window for ever.
//! * **Recovered by a newcomer** (10b): the token of an honest window that woke late, or a copy that has become stale.
//!   It confirms, and the event tells.
//! * **Recovered from a newcomer** (10c): that one took a successor and never showed it, so it has no access token.
//! * **Adopted** (11): a failover lost the last write. The token names its predecessor, which the store still has, so
//!   it is the genuine next one. A newcomer that brings it does not become the holder.
//! * **State lost** (12): the store lost more than one write. The user signs in again; that is not theft.
//! * **Burned sibling** (13a): an early recovery crosses with the answer that it burned.
//!
//! 409 has `Retry-After: 1`, and the client sends the same request with the cookie that its jar holds by then.
//!
//! # Order of work
//!
//! 1. The cookie is opened. One that does not open never reaches the store.
//! 2. The store loads the record, and says what time it is.
//! 3. The decision is taken, for that time.
//! 4. The application is asked for the claims, where the answer has an access token. A closure that takes longer than
//!    [`claims_timeout`](crate::refresh::RefreshCookieBuilder::claims_timeout), `G/4` by default and at most, is
//!    answered 503, and nothing changes. A line of the log says so. Where `G` is 0 there is no limit unless one is set.
//! 5. The store swaps the record. It and the access token are dated by the store's time plus what has passed since the
//!    load. A clock that never jumps measures that, so the window counts from when the client can have the answer.
//!    Where nothing is written and an access token goes out, the store loads the record once more: a session that was
//!    ended during the claims gives none.
//! 6. The client is answered.
//!
//! A swap or a second load that meets a newer record decides anew, with that record and its time. **Notes are insisted
//! on**: a store that refuses the note of line 5, 8 or 9 makes the answer 503, and the cookie stays. A window that did
//! not move would end too early. Claims of a sign-in are not timed, and its record is dated after them.
//!
//! The list, the end of other sessions and `elevate` are for a known fingerprint or the holder. Others are answered 409
//! `refresh_first`, and so is a token of lines 10 to 10c. Within `M` of a rotation a refresh does not make a holder of
//! a newcomer (5); the next one that rotates does.
//!
//! Lines 7 and 7b are 409 `refresh_first` here for a client that is not the session's own. Another answer would show
//! when the owner's browser came. A known client is answered 409 `superseded` at line 7: the same request succeeds with
//! the newer cookie.
//!
//! Sign-out is open to every client of the jar, and the record keeps which one it was. Without the jar a sign-out is
//! answered 204 and clears the cookies, and the session goes on.
//!
//! # Cookies
//!
//! The jar cookie has the refresh cookie's name with `_jar` behind it, and the same attributes. Its value has 28
//! characters:
//!
//! ```text
//! base64url( kind:1 | key id:4 | HMAC-SHA-256( label, kind, cookie name, issuer, session id )[..16] )
//! ```
//!
//! The kind is 1 for cookies with a `Max-Age`, and 2 for those that end with the browser. The value is derived and
//! never drawn. So sending it again changes nothing, and no store keeps it. It goes out at sign-in, at `elevate`, and
//! beside every refresh cookie until the session is bound; it is cleared with the refresh cookie. Its `Max-Age` reaches
//! to the absolute end of the session. **The first request of a known client that shows it binds the session**, so a
//! lost answer leaves no browser outside. A newcomer binds nothing: it may have been handed the cookie first.
//!
//! Four values are looked at, and one right one is enough: up to three that a sibling host planted lock no user out.
//! With `__Host-` none can be planted.
//!
//! # The record
//!
//! The store keeps [`SessionRecord`](crate::store::SessionRecord)s of version 2. The fixed part has 240 bytes: hashes
//! of the current and the previous token, the seed, times, and up to four fingerprints. It says which of these are
//! known, which is the holder, and which one ended the session, when. A fifth fingerprint takes the place of the oldest
//! newcomer, else of the oldest known one, and never the holder's. Line 5 writes a newcomer down only where it takes no
//! other newcomer's place. Behind the fixed part stand subject, label, context and tagged fields. The whole has at most
//! [`LARGEST`](crate::store::SessionRecord::LARGEST) bytes.
//!
//! A tagged field is `tag:1 | length:2 | value`, in ascending order of tags. A release must know every tag below 128:
//! one that it lacks makes the record `Corrupt`. It keeps every other tag byte for byte, through each swap.
//!
//! | tag | value |
//! |---|---|
//! | 1 | reserved: thumbprint of a DPoP key (32 bytes) |
//! | 2 | reserved: device key (1 + 64 + 8) |
//! | 3 | reserved: `auth_time` (8) |
//! | 4, 5 | reserved: `acr`, `amr` |
//! | 6 | how long the session lasts, where its sign-in said so: kind (1) and idle lifetime in milliseconds (8) |
//! | 7 | version of the function that made the fingerprints (1), where it is not 0 |
//! | 128 | reserved: a note of the application, at most 256 bytes |
//!
//! A record of version 1 is read, and version 2 is written. Its one client is known and the holder, and the session is
//! not bound; the next refresh cookie brings the jar cookie.
//!
//! Fingerprints of another [`fingerprint_version`](crate::refresh::RefreshCookieBuilder::fingerprint_version) do not
//! compare. Such a client is taken for the same one, so a rolling deploy signs no user out. A new
//! `client_fingerprint` without a new version makes newcomers of all clients, which heals in two refreshes.
//!
//! # Tokens in bodies
//!
//! With [`RefreshTransport::Body`](crate::refresh::RefreshTransport::Body) there is no jar and so no line 3b:
//! fingerprints alone tell clients apart. Nothing is confirmed, because an answer without an access token would be lost
//! on such a client. A newcomer gets its access token at once (6b, 8 to 10b), and 10c is 13.
//!
//! # Settings that change the table
//!
//! [`FingerprintPolicy::Ignored`](crate::refresh::FingerprintPolicy::Ignored) takes every fingerprint for a known one.
//! It is for terminals that send another `User-Agent` each time, and leaves the jar cookie as the only evidence. No
//! [`NewFingerprint`](crate::Event::NewFingerprint) is sent then.
//!
//! [`RotationPolicy::strict`](crate::RotationPolicy::strict) has no lines 5, 6b to 10c and 13a. Two tabs that wake
//! together, or one lost answer, end the session.
//!
//! ```
//! use std::time::Duration;
//! use tower_bearer::RotationPolicy;
//!
//! let patient = RotationPolicy::builder()
//!     .grace(Duration::from_secs(60))
//!     .interval(Duration::from_secs(120))
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
//! The tests search the decision function exhaustively, in small worlds: one honest cookie jar, at most three requests
//! under way, three to five requests in all. Times are multiples of `G/8`. A message takes at most `G/2` in each
//! direction. The server's work takes no time, unless a row says otherwise. **The rows say what was searched; a world
//! that is in no row was not.** In these worlds no path leads an honest user into an alarm. Where the privilege changes,
//! some paths end in a sign-in without one (7b).
//!
//! The *goal* was set beforehand by a program that counts states in another way.
//!
//! | world | states | goal |
//! |---|---|---|
//! | one fingerprint, two lost answers | 257 305 | 509 785 |
//! | one fingerprint, two failovers that lose the last write | 301 564 | 373 436 |
//! | two fingerprints in one jar | 994 768 | 1 563 336 |
//! | two fingerprints, a lost answer | 345 678 | 763 996 |
//! | two fingerprints, a failover | 547 681 | 662 163 |
//! | two fingerprints, a sign-out, a lost answer | 1 649 640 | 3 158 418 |
//! | cookies late on the disk, one crash | 122 995 | 241 959 |
//! | cookies late on the disk, two crashes | 209 729 | 288 677 |
//! | one crash, a lost answer | 226 859 | 412 418 |
//! | one crash, a sign-out | 506 847 | 714 771 |
//! | one crash, a privilege change | 351 244 | 981 847 |
//! | `G/4` from load to swap, a lost answer | 18 239 | 49 694 |
//! | `G/2` from load to swap, delays up to `G/4` | 92 620 | 165 812 |
//! | a write that the store refuses, a lost answer | 245 306 | 462 873 |
//! | servers with `G`/`M` 30/60 and 15/30 side by side, a lost answer | 69 724 | 209 666 |
//! | a privilege change, a lost answer | 124 630 | 396 259 |
//! | a privilege change, a lost answer, two fingerprints | 85 941 | 355 481 |
//! | a privilege change, two fingerprints | 564 364 | 1 896 907 |
//!
//! The same holds in these, which have no goal:
//!
//! | world | states |
//! |---|---|
//! | one crash, five requests | 494 902 |
//! | two fingerprints that are both known, one crash | 67 258 |
//! | a session that is not bound yet, two fingerprints, a lost answer | 34 366 |
//! | a store's clock that jumps forward by `G/2` | 105 450 |
//! | fingerprints ignored: two of them, a lost answer | 333 359 |
//! | fingerprints ignored: two of them, a lost answer, one crash | 117 550 |
//! | tokens in bodies, two lost answers | 55 904 |
//! | tokens in bodies, two fingerprints | 191 523 |
//!
//! These have an idle lifetime of 14 units on a grid of `G/4`, and each refresh is active or passive. Besides the alarm,
//! two things are searched for, and neither is found. An active user, whose requests come within the idle lifetime less
//! `M` and the time of the claims, is signed out. Or a session is answered that was not used for its idle lifetime.
//!
//! | world with an idle lifetime | states |
//! |---|---|
//! | one fingerprint, four requests | 152 284 |
//! | a lost answer, four requests | 292 110 |
//! | two fingerprints, three requests | 138 213 |
//! | a privilege change, three requests | 43 271 |
//! | `G/4` from load to swap, three requests | 66 041 |
//!
//! In the simulation below, with the shortest idle lifetime that the builder takes, four tabs of which one is in use for
//! ten hours lose their session in 0 of 1 000 runs. Three of which none is in use lose it in all 1 000.
//!
//! Larger ones are for `scripts/test --long`.
//!
//! Further worlds have a thief, with the user's fingerprint or another. *Most tokens* is the most that it gets, by its
//! attempts and by what follows them. An *end* is a moment at which it may go away for good. At a *silent* end it has a
//! token, the user's return brings no alarm, and no event has told.
//!
//! | the thief has the jar | another fingerprint: states, most tokens, silent ends | the user's fingerprint, likewise |
//! |---|---|---|
//! | three attempts, a lost answer | 330 629, 4, 0 of 52 434 | 514 574, 4, 53 745 of 67 156 |
//! | two attempts, a failover | 330 053, 3, 0 of 38 718 | 385 753, 3, 25 335 of 29 313 |
//! | two attempts, a crash | 369 788, 3, 0 of 54 652 | 657 301, 3, 67 228 of 73 980 |
//! | two attempts, two fingerprints of the user | 517 080, 3, 0 of 48 079 | 690 340, 3, 38 855 of 50 243 |
//! | two attempts, a privilege change | 268 929, 3, 0 of 27 492 | 398 407, 3, 26 425 of 31 356 |
//! | two attempts, and it may sign out | 299 437, 3, 0 of 50 972 | 389 969, 3, 41 591 of 54 523 |
//!
//! | the thief has the refresh cookie alone | another fingerprint, likewise | the user's fingerprint, likewise |
//! |---|---|---|
//! | each of the six, the session is bound | 49 341 to 187 201, 0, 0 | 49 341 to 187 201, 0, 0 |
//! | two attempts, the session is not bound yet | 63 846, 1, 0 of 9 679 | 99 878, 2, 3 785 of 14 131 |
//!
//! From every moment of these the search lets both sides come again by turns, an interval apart, four times each.
//! Either the alarm comes, or the thief gets no further token. No end of a thief with another fingerprint is silent.
//!
//! Line 5 has a price. One attempt with another fingerprint and a lost answer: 13 160 of 30 453 ends have a token and no
//! alarm. Were newcomers denied within `M`, it would be 0 of 27 142 (goal: 0 of 163 219).
//!
//! Tests hold that the search can fail. It refutes these rules:
//!
//! * newcomers that rotate within `M`;
//! * cookies late on the disk, without line 10 for tokens that are seen;
//! * a cookie in line 9, with one crash and five requests;
//! * no recovery at all, after a lost answer;
//! * notes left out;
//! * claims that take up to `G`;
//! * an `M` as short as `G`, and delays up to `G`;
//! * passive requests that count as use;
//! * active ones that line 5, or lines 8 and 9, do not note.
//!
//! It also finds where the rule that was chosen ends, which the last part of this chapter lists.
//!
//! A simulation of tabs, reloads, phones and bad networks plays random runs:
//!
//! | honest scenario | runs | alarms | goal |
//! |---|---|---|---|
//! | twenty tabs restored | 4 000 | 0 | 0 |
//! | three tabs | 4 000 | 0 | 0 |
//! | eight fast reloads, one in five left before its answer | 4 000 | 0 | 0 |
//! | one tab that loses 1 % of the answers | 4 000 | 0 | 0 |
//! | one tab that loses 5 % of the answers | 4 000 | 0 | 0 |
//! | bad mobile network: 5 % lost, 20 % take up to 40 s | 4 000 | 16 | 15 |
//! | two windows with two `User-Agent`s, one wake | 4 000 | 0 | 0 |
//! | two windows, ten wakes | 4 000 | 0 | 0 |
//! | two windows, five hours | 4 000 | 0 | 0 |
//! | six tabs restored, one of them with the desktop site | 4 000 | 0 | 0 |
//! | desktop site switched on and off | 4 000 | 0 | 0 |
//! | 300 visits on a phone, each ended by a kill | 500 | 0 | 0 |
//! | eight crashes | 4 000 | 0 | 0 |
//! | eight crashes, two windows | 4 000 | 19 | 21 |
//! | eight versions of the browser | 4 000 | 0 | 0 |
//! | rolling deploy of another `client_fingerprint`, with its version | 4 000 | 0 | 0 |
//! | steps of the store's clock by 40 s | 4 000 | 2 | 1 |
//! | 2 % of the answers sleep, pages give up after 15 s | 4 000 | 0 | 0 |
//!
//! No run ended in a sign-in without an alarm. Thieves in the same simulation, 1 000 runs each unless said otherwise:
//! sessions revoked + those that an event alone told of; access tokens, median/most. The goal stands in brackets.
//!
//! | thief with the whole jar | another `User-Agent` | the user's `User-Agent` |
//! |---|---|---|
//! | refreshes on and on | 999 + 1; 1/2 (1000 + 0; 1/2) | 954 + 46; 1/2 (947 + 53) |
//! | once, later | 987 + 13; 1/1 (987 + 13; 1/1) | 809 + 0; 1/1 (800) |
//! | once, at once | 936 + 64; 1/1 (934 + 66; 1/1) | **0 + 0**; 1/1 (0) |
//! | with a stale copy | 1000 + 0; 0/0 (1000 + 0; 0/0) | 1000 + 0; 0/0 (1000) |
//! | shadows the user | 926 + 74; 13/20 (925 + 75; 13/20), alarm 30 s after the first token in the median | **0 + 0**; 98/104 (0; 100/100) |
//! | refreshes, then signs out | 903 + 97; 1/1 (902 + 98; 1/1) | **0 + 0**; 1/1 (0) |
//! | times itself by the session list | 100 + 0 of 100; 0/0 (1000 + 0; 0/0) | 100 + 0 of 100; 1/1 (no goal) |
//! | follows blindly | 985 + 15; 1/2 (no goal) | 1000 + 0; 1/6 (1000 + 0; 1/5) |
//! | any of these without the jar | 0 + 1000; 0/0 (0 + 1000; 0/0) | 0 + 1000; 0/0 (0 + 1000; 0/0) |
//!
//! # Left open
//!
//! The rule does not settle these:
//!
//! * A disguised thief has the whole jar and sends the user's `User-Agent`. It goes unnoticed where it refreshes once
//!   and at once, shadows the user, or signs out behind itself: see [`threats`](super::threats#what-is-not-defended).
//! * Until the browser has shown its jar cookie once, at its first refresh under a known name, the session asks for
//!   none. A copy of the refresh cookie alone then gets what a copy of the whole jar gets, and the jar cookie with it.
//!   A session whose refreshes all come under other names than its sign-in is never bound: for example a native
//!   sign-in, and a web view that refreshes.
//! * A newcomer within `M` of a rotation gets access tokens until the interval ends, at most
//!   [`repeat_limit`](crate::refresh::RefreshCookieBuilder::repeat_limit). The application gets the event.
//! * A browser that dies within 30 s of a rotation whose token has come back, while its fingerprint is not known: one
//!   sign-in, and an alarm. The first rotation of a new fingerprint is always one. For a browser that has updated
//!   itself it stays so until the session ends, since the old name never comes again.
//! * A lost answer, a privilege change or a crash together with a failover. Without a jar, two fingerprints that take
//!   turns and a lost answer. Each can end in a sign-in with an alarm.
//! * A store's clock that jumps forward by more than `G/2` between two requests: the search has no alarm at `G/2`, and
//!   one at 11/8 of `G`.
//!
//! Keys that are bound to the device (DPoP, device-bound sessions) close the first two: the same client is then the
//! same key, which no copy of a jar contains. The record has reserved fields for them. They are not built yet.
