//! What the crate protects against, and what it does not.
//!
//! # What is defended
//!
//! **A refresh cookie that was copied alone**, out of a log, a proxy or a backup. A session has a [second
//! cookie](super::rotation#cookies), and belongs to the cookie jar that has shown it. The browser shows it at its first
//! refresh under the name that it signed in with. From then on the copy gets no token. The session goes on, and
//! [`Event::ForeignJar`](crate::Event::ForeignJar) tells. [Before that](#what-is-not-defended), and without a jar
//! cookie, a copy of the refresh cookie is worth what a copy of the whole jar is.
//!
//! Such a copy can still raise the alarm about a session that has ended. One of its clients ended it more than the
//! grace ago, and the copied token had been replaced. [`Event::ReuseDetected`](crate::Event::ReuseDetected) then has
//! `jar` false and `ended`. Under [`ReusePolicy::Subject`](crate::ReusePolicy::Subject) the subject's other sessions
//! end with it.
//!
//! **A cookie jar that was copied whole.** Two clients then hold tokens of one session. The one that refreshes first
//! replaces the token, and the other one comes with a token that was replaced. The verdict also depends on what they
//! call themselves. A `User-Agent` is evidence and no identity, since millions of browsers send the same one.
//!
//! * *Another `User-Agent` than the user's.* The application hears of it, by
//!   [`Event::NewFingerprint`](crate::Event::NewFingerprint). The thief gets a successor, and no access token before it
//!   comes back with that one, but for [the minute after a rotation](#what-is-not-defended). Once both sides have
//!   refreshed an interval apart, the session is revoked.
//! * *The same `User-Agent`.* The replaced token looks like that of a browser that has lost an answer, or has died
//!   before it wrote its cookies. It is answered once, and the token of the other side is burned. When the burned one
//!   comes back, the session is revoked. Some thieves escape that: see [below](#what-is-not-defended).
//!
//! A revoked session has no refresh token that works, and [`Event::ReuseDetected`](crate::Event::ReuseDetected) names
//! both clients. The user signs in again; the thief cannot. Until then the thief has what the user has, and its access
//! token lives until it expires. The whole table is in [`rotation`](super::rotation).
//!
//! **A thief who covers its tracks.** It refreshes and then signs out, or signs in as itself in the copied jar. The
//! record keeps which client ended the session. The user's replaced token then raises the alarm all the same, unless
//! the thief sends the user's `User-Agent`.
//!
//! **A thief who times itself by the session list.** The list gives the time of the answer for the session that asks,
//! and rounds its end up to the hour. So it does not tell when the user was here.
//!
//! **Honest traffic that looks like theft.** Access tokens live in memory, so every page load, second tab and restored
//! window refreshes. Networks lose answers, and browsers die. A replaced token is therefore answered again for a short
//! time, with no other successor than the first. Later a client of the same jar gets a new one. The tests run the rule
//! over simulated browsers and thieves, and search it exhaustively in [small worlds](super::rotation#how-sure-it-is).
//!
//! **Forged, truncated, foreign and swapped cookies.** The cookie is sealed (AES-256-GCM) to its name
//! and to the issuer. What does not open is refused before the store is asked, so garbage costs no
//! round trip, and a cookie of one service is nothing at another.
//!
//! **A dump of the session store.** It holds hashes and seeds. A hash of 32 random bytes is not
//! guessed; a seed makes the next token only together with a token and the server's key. Subjects are
//! stored in clear inside the record, and nowhere else.
//!
//! **Tokens of the wrong kind.** Verifier and keys fix the form, algorithm and type. A token's header
//! chooses nothing: `none`, another algorithm, keys that travel in the header, compression and unknown
//! critical members are refused. An access token in the refresh cookie, and the reverse, is refused.
//!
//! **Cross-site requests.** What works by cookie has three lines of defence, and each holds where
//! another does not:
//!
//! * The refresh cookie is `SameSite=Strict` and limited to the path of the session endpoints. That
//!   looks at the *site*, so a page on another host of the same domain still has it sent; and it cannot
//!   help at sign-in, where no cookie is needed.
//! * [`OriginGuardLayer`](crate::OriginGuardLayer) refuses origins that are not listed, at sign-in too:
//!   other hosts of the same domain, and the page on plain http of the same host, which an attacker on the
//!   network can write. It believes what browsers say, and what a proxy leaves of it.
//! * [`CsrfLayer`](crate::CsrfLayer) asks for a token that foreign pages cannot read. The token
//!   is signed and bound to the session. Who plants a cookie of their own from a sibling host, or keeps
//!   one from before the user signed in, has a token of another session, which is refused. Sign-in
//!   itself needs a token too, so nobody is signed in to somebody else's account unawares.
//!
//! The API takes its token from a header that no browser adds by itself, and needs none of them.
//!
//! **Foreign frames, sniffed content, plain http.** [`SecurityHeadersLayer`](crate::SecurityHeadersLayer)
//! keeps pages out of frames and uploads from running as scripts, and has browsers use https alone;
//! [`RequireHttpsLayer`](crate::RequireHttpsLayer) refuses clients that do not. How all of these go
//! together is in [`guards`](super::guards).
//!
//! **Leaks through logs.** No type prints a token, key or hash; failures tell clients one opaque code.
//! The nested and encrypted forms tell whoever finds a token nothing about the user.
//!
//! **Overload by malformed input.** Lengths are checked before anything is parsed or allocated; JSON
//! depth is bounded; the in-memory store has a capacity; one token that is sent over and over is
//! answered 429.
//!
//! # What is not defended
//!
//! **A stolen access token, until it expires.** It is verified without a look at the store; that is
//! what makes it cheap. Sign-out and revocation reach it when it ends: 15 minutes by default.
//! Choose less where that is too much, or give
//! [`BearerAuthLayer::check`](crate::BearerAuthLayer::check) something to ask. A
//! [cache of verified tokens](super::performance#the-verified-token-cache) changes nothing about it, for better or worse.
//!
//! **A script in your page.** It cannot read the cookie, and it can take the access token only if it
//! reaches the variable that holds it. But it *is* the page: while it runs, it can refresh and call the
//! API as the user, CSRF tokens included. No token scheme prevents that. A strict content policy keeps
//! such scripts out: [`SecurityHeadersLayer`](crate::SecurityHeadersLayer) sends one, and the example's is
//! stricter still. The same goes for pages of other origins that are listed for the guard and for CORS.
//!
//! **A thief who has the whole cookie jar and sends the user's `User-Agent`.** Three such thieves go unnoticed, because
//! a browser does the same:
//!
//! * One that refreshes once, right after the copy, and never again. The user's browser seems to have lost an answer.
//!   The thief has one access token, for 15 minutes.
//! * One that shadows the user: it refreshes within the grace of each of the user's refreshes, as a second tab does. It
//!   has an access token for as long as the user is there.
//! * One that refreshes, and then signs out. The user is signed out without an alarm, and the thief's access token
//!   lives until it expires.
//!
//! [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) can use a stronger signal, such as
//! a certificate. **Keys bound to the device (DPoP, device-bound sessions) will close it**: the same client is then the
//! same key, which no copy of a jar contains. They are not built yet; the stored record has fields reserved for them.
//!
//! **A thief who has the whole cookie jar, in the first minute after a rotation.** Whatever it calls itself, each
//! refresh brings an access token until the interval ends, as to a second tab. At most
//! [`repeat_limit`](crate::refresh::RefreshCookieBuilder::repeat_limit) are answered in half a minute. With another
//! `User-Agent` the event tells.
//!
//! **A refresh cookie that was copied before its session is bound.** The session asks for the second cookie once the
//! browser has shown it, at its first refresh under the name that it signed in with. Until then a copy of the refresh
//! cookie alone gets an access token and, by `Set-Cookie`, the second cookie: it is a copy of the whole jar. A page
//! that refreshes right after the sign-in makes the time short. A session whose refreshes all come under other names
//! than its sign-in is never bound. One with a native sign-in and a web view that refreshes is so, unless
//! [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) calls both the same. Searched: with
//! another `User-Agent` each token of such a thief ends in an alarm, and with the user's some do not.
//!
//! **A thief who looks.** A copy that asks for the list or for the session learns no time. It learns that its token was
//! replaced, up to one grace after that: it is refused then. With a known name it also sees when a client with a new
//! name takes the token.
//!
//! **A refresh cookie without a second one**: with [`JarCookie::Off`](crate::refresh::JarCookie::Off), and for tokens
//! that [travel in bodies](super::rotation#tokens-in-bodies). The refresh token alone is the session.
//!
//! **A theft that the user never contradicts.** If the user does not come back, no replaced token does. The absolute
//! lifetime is the bound: 7 days by default.
//!
//! **Malware on the user's machine** sees what the browser sees.
//!
//! **Passwords.** Guessing, stuffing and phishing are for your sign-in handler: hash slowly, limit
//! attempts, ask for a second factor and call [`Session::elevate`](crate::Session::elevate) after it.
//!
//! **Theft of the server's keys.** Who has the keys mints tokens. Keep them out of images and
//! repositories (`*_FILE` variables read mounted secrets), and rotate them: see
//! [`keys`](super::keys).
//!
//! **A store that lies.** The store is trusted to compare and replace atomically and to keep what it
//! acknowledged. One lost write is recognised and healed; more than that asks the user to sign in
//! again, and never counts as theft.
//!
//! **A token gives its rights to its holder.** Access tokens are bearer tokens: nothing ties them to a client. A token
//! that *is* tied to one (`cnf`: DPoP, certificates) is refused, since the tie is not checked here.
//!
//! **A page that keeps its tokens badly.** Nothing here can see that a page puts its access token into `localStorage`, into
//! an address or into a log of its own.
//!
//! **Cookies planted for the refresh cookie's name.** A sibling host can set a cookie of that name. A made-up one takes
//! no place. One of a dead session of the attacker's own changes nothing, since the live session counts. One of a *live*
//! session makes two of them: the CSRF token of the page says which is meant, since no other host can set its cookie.
//! Without [`CsrfLayer`](crate::CsrfLayer) the answer is 400 while the planted one lives. The cookies of four other
//! sessions before the user's own shut that out: no more are asked for. A browser that has no session of its own goes on
//! with the planted one, as after any sign-in that its user did not make.
//! [`host_prefix`](crate::refresh::RefreshCookieBuilder::host_prefix) closes this, at the price of `Path=/`.
//!
//! **Handlers.** A `GET` that changes something, a route that forgot its layer, an object that belongs to somebody else:
//! a layer sees the head of a request and knows nothing of what a handler does with it.
//!
//! **Floods.** Garbage is refused early and cheaply, and one token is answered so often in half a minute. There is no limit
//! by address, neither at sign-in nor elsewhere. A flood of *genuine* sign-ins fills the store up to its bound.
//!
//! **Being seen.** Whoever watches the network learns that somebody refreshes, and whoever holds a signed token reads it.
//! Whether a subject exists, no answer of this crate tells; your sign-in handler's answers and their timing may.
//!
//! **Signing in through others.** Redirects, PKCE, state and mix-up (RFC 9700) belong to the library that does it. This crate
//! begins where somebody has been signed in.
//!
//! `DESIGN.md` has the points of the usual lists (RFC 8725, 9068, 9700 and 10017, OWASP), one by one.
//!
//! # What honest users may still notice
//!
//! * A window with a new `User-Agent`: one more round trip, once, and you get an event.
//! * A browser that dies within 30 s of a rotation whose token has come back, while its `User-Agent` is not known to
//!   the session: one sign-in, with an alarm. The first rotation for a window with a new `User-Agent` is always one.
//!   For a browser that has updated itself it stays so until the session ends.
//! * A lost answer, a privilege change or a browser that dies, and a failover of the store within seconds of it:
//!   possibly one sign-in.
//! * A store whose clock jumps forward by more than half the grace between two requests: possibly one sign-in.
//! * More lost answers in a row than [recoveries](crate::refresh::RotationPolicyBuilder::recoveries) allow, 255 by
//!   default: one sign-in, and no alarm.
//! * An answer that was under way when the user signed in again, signed out and in, or passed a second
//!   factor in another tab, and reaches the browser after that one: its `Set-Cookie` is older and wins.
//!   One sign-in. A page that sends such requests one at a time, as the example does with Web Locks,
//!   does not see it.
