//! How the crate is built, and why.
//!
//! # A layer decides, a handle acts
//!
//! *Guards* ([`BearerAuth`](crate::bearer::BearerAuth), [`OriginGuard`](crate::origin::OriginGuard),
//! [`Csrf`](crate::csrf::Csrf), [`RequireHttps`](crate::headers::RequireHttps)) take a synchronous decision on the head of a
//! request: they call the inner service or answer. One *carrier*
//! ([`RefreshCookie`](crate::refresh::RefreshCookie)) never rejects and never waits: it puts a
//! [`Session`](crate::Session) into the extensions and appends the handle's cookie to the response. All
//! work with the store is in `async` methods of the handle, which the application or
//! [`SessionEndpoints`](crate::SessionEndpoints) awaits.
//!
//! So there is no boxed future per request, nothing is demanded of the inner service, and a handler
//! with a session is tested like any function.
//!
//! # Levels
//!
//! | level | modules | may import |
//! |---|---|---|
//! | 0, leaves | `background`, `clock`, `config`, `cookie`, `credentials`, `host`, `random`, `secret` | nothing of ours |
//! | 1, domain | `binding`, `event`, `guard`, `jwks`, `keys`, `observe`, `rejection`, `session`, `store`, `token` | levels 0 and 1 |
//! | 2, layers | `bearer`, `csrf`, `headers`, `origin`, `refresh` | levels 0 and 1, never another layer |
//! | 3 | `axum`, the crate's root | everything |
//!
//! Layers talk by value, through `http::Extensions`.
//!
//! # Invariants
//!
//! Lints hold 3 to 5. A test that reads the sources holds 1, 2, 6 and 7; it lists the imports that still go
//! upwards, and fails when one is added.
//!
//! 1. Modules import downwards only, and a layer never imports another layer.
//! 2. Types of `josekit`, OpenSSL, `pkcs8`, `quick_cache`, `ring`, `redis` and `sec1` stand in no public signature. `josekit` is named
//!    behind its fence only (`keys/jose*.rs`).
//! 3. The system clock is read in `clock.rs` only; everything below takes `now`.
//! 4. There is no `unsafe`.
//! 5. What ships does not panic on purpose: no `unwrap`, `expect`, `panic!`.
//! 6. Files stay short.
//! 7. A top-level module has a level.
//! 8. A service's error type is that of the service inside it; a refusal is a response.
//! 9. Nothing secret has a derived `Debug`; a hand-written one names every field, so that a new field
//!    forces a decision. Refresh tokens never reach a store.
//! 10. Enabling a feature never changes what existing code does.
//! 11. Guards do no I/O. `poll_ready` is forwarded, and `call` uses the very service that was polled.
//! 12. No lock or map guard is held across an `await`.
//!
//! # One refresh
//!
//! Unseal every cookie of the name, keep the newest of one session; load the record; *decide*; ask the
//! application for claims and mint; swap; answer. Nothing that can fail comes after the swap. A swap that
//! lost to another writer decides again with what it found. A revocation runs in a task of its own, so
//! that a thief who hangs up does not cancel it.
//!
//! The decision is one pure function of token, record, time, client and policy. It reads no clock, asks
//! no store and draws no random number, which is why it can be searched exhaustively. Its table is in
//! [`rotation`](super::rotation).
//!
//! **Successors are derived.** The next secret is an HMAC of the presented one under a server key and the
//! session's seed. Retries, duplicates and writes that timed out after they were applied all arrive at the
//! same next token; nothing has to be remembered to answer twice.
//!
//! # Where josekit stands
//!
//! Behind content keys: it has the key management algorithms that `ring` lacks. Tokens from outside are
//! parsed, bounded and judged by our own code, content is always opened by `ring`, and what `josekit` is given
//! has had its lengths checked. It is a feature, off by default; without it nothing links OpenSSL. Key files in
//! PEM and DER are taken apart by `pkcs8` and `sec1`, and the numbers inside are `ring`'s to check.
//!
//! # Choices the design left open
//!
//! * **Keys are a module of their own**, not a part of `token`: sessions take their keys from the same
//!   ring, and neither of the two owns it.
//! * **Stores are asked by [`SessionKey`](crate::store::SessionKey)**, subject and session, instead of by
//!   session alone: a store that keeps a subject's sessions in one place finds them without an index.
//! * **A privilege change is a barrier.** After [`elevate`](crate::Session::elevate) the previous token
//!   is not replayed, though it is within the grace. From the same client that is no theft: a tab was
//!   late. Later, when the new token evidently never arrived, it is answered 401, and after the next
//!   rotation, or from another client, it counts as reuse.
//! * **Late is not signed out.** A token that a privilege change or a new sign-in of the same browser has
//!   just replaced is answered 409 `superseded` with `Retry-After`, and the cookie is left alone. A client
//!   takes 401 for the end of the session, and here the session goes on: the jar holds the newer cookie,
//!   or will in a moment, and the same request succeeds with it. It lasts for the grace, so that a browser
//!   that never got the newer cookie comes to its sign-in form. Signing out everywhere with a token that
//!   is not the newest stays 401: whoever wants to leave need not wait.
//! * **Whoever lists or ends sessions has refreshed.** The newest token is honoured there only from the
//!   client that it was handed to; another one is answered 409 `refresh_first`. A thief with a fresh
//!   copy has to take a successor, and with it the session, so that the owner's next request tells.
//! * **Calls on one handle build on each other.** What `start`, `refresh` and `elevate` hand out is what the
//!   next call on the same handle works with, as if the browser had already sent it back. A second
//!   `refresh` in one request does not count as a presentation, since the browser has seen nothing yet.
//! * **A request has one current session.** `RefreshCookieLayer` stands outside, opens the cookie when it is
//!   first asked for, and keeps the genuine tokens and the pending move of the browser in one value. `Csrf` and
//!   the `Session` handle share it: one decryption, one lock. Tokens are bound without a look at the store;
//!   whether the session still lives is for the handler to find out.
//! * **A privilege change gives a new token, and the id stays.** The session keeps its id through
//!   [`elevate`](crate::Session::elevate), so a token from before it is still authentic; the browser no
//!   longer has its cookie. To end those tokens too, a list of them would have to be kept, and every other
//!   tab would break.
//! * **A form is read in a layer of its own.** Reading a body means buffering it, a clone of the inner service
//!   and a body that bytes make; a request with the token in its header pays for none of it.
//! * **The transport is told, not read.** [`RequireHttps`](crate::headers::RequireHttps) believes a marker of the
//!   server's own code or one header of a trusted proxy. The scheme in the request's URI is the client's to
//!   write, over HTTP/2 and in absolute form alike, and says nothing about the socket.
//! * **Mounting is a service**, [`SessionEndpoints`](crate::SessionEndpoints), that works below a stripped prefix
//!   and below none, with any router. For axum it also becomes a `Router`, so that
//!   `merge(SessionEndpoints::new())` is all there is to type. That takes the crate `axum` without its features
//!   where extractors alone would take `axum-core`; whoever has one has the other.
//! * **The OpenAPI document is a text.** A crate that generates it would put its types and its versions into our
//!   interface, for five endpoints that do not change.
//! * **`metrics` and `tracing` are features and not sinks.** An [`EventSink`](crate::EventSink) would see events
//!   alone: not the calls that wait, nor the requests that pass. They say nothing until the application installs
//!   a recorder or a subscriber, so no other code's behaviour changes with them.
//! * **Builders and constructors return `Result`.** A codec without the key it needs, a cookie path that
//!   cannot be written or an interval shorter than twice the grace is found where it is built, not at the
//!   first request. Setters do not fail; the one `build` at the end does. Layers whose settings are
//!   values that were parsed before cannot fail, and their `new` does not pretend to.
//! * **Successors are derived with the key of sign-in.** A cookie is sealed by the server's active key,
//!   and names besides it the key that its session began with; that one derives every successor. Were it
//!   the sealing key, two servers in the middle of a key change would make two successors of one token,
//!   and a retry would look like theft. Only [`elevate`](crate::Session::elevate) moves a session to the
//!   active key.
//! * **The client binding is salted, not keyed.** It is a hash of the signal and the random session id. A
//!   keyed hash would change with the key and make every browser a stranger; the salt keeps anybody with
//!   a dump from following a client from session to session.
//! * **A rotation moves the binding.** A current token is honoured from another client, since a browser
//!   may have updated itself, and whoever rotates holds the session from there on. The other side is then
//!   the stranger, whether it is the user or the thief, and its next request raises the alarm.
//! * **A subject has one tag for each refresh secret in use.** After a change of secrets the list, the
//!   sign-out everywhere and the revocation look under each of them. The limit of sessions counts under
//!   the active one, so until the old sessions end a subject can have twice as many.
//! * **Background work needs tokio.** Revocations run in tasks of their own where there is a tokio runtime,
//!   and are tried again there when the store is down. Without one they run in place: a client that
//!   hangs up can cut them off, and one that failed is reported as
//!   [`RevocationLost`](crate::Event::RevocationLost). A generic executor would be one more argument of
//!   every constructor, for servers that all run on tokio.
//! * **Events are one enum**, [`Event`](crate::Event), passed to one function, and not a trait with a
//!   method for each: a new event breaks nobody. Besides the alarms it says what a fleet needs to see:
//!   queued and lost revocations, adopted and lost state, a worn encryption key.
//! * **Expired records are not deleted by a refresh.** That would be one more write and one more race;
//!   each store forgets them in its own way.
//! * **The cookie of a replaced session is kept.** When a browser signs in again over a live session, a
//!   late request with the old cookie must not clear the new one.
//! * **A 401 of the session endpoints carries a challenge** of a scheme no browser knows, because RFC 9110
//!   asks for one and a known scheme would open a password prompt.
