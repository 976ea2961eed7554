//! Where the time goes, which profile to choose when, and how much of everything a machine can do.
//!
//! Every figure here is for x86-64 with AES and SHA instructions, 214 bytes of claims, and Rust 1.95. Times
//! are those of two virtual cores which others share, so that the same takes half as long again at a busy
//! hour; ratios, taken in turn within one run, vary by a few per cent. Measure yours:
//!
//! ```sh
//! cargo run --release --manifest-path benches/peers/Cargo.toml             # beside other libraries, 4 minutes
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- --http   # over loopback, needs wrk or oha
//! cargo bench -p benches --bench token         # verifying and minting, by profile, keys and size of claims
//! cargo bench -p benches --bench layers        # what a layer adds to a request
//! cargo bench -p benches --bench store         # sessions in memory: bytes, operations a second, the longest wait
//! cargo bench -p benches --bench store_redis   # the same against a redis-server that it starts
//! cargo run --release --manifest-path benches/sql/Cargo.toml               # PostgreSQL and SQLite, 4 minutes
//! cargo bench -p instructions                  # instructions, compared with the file in the repository
//! ```
//!
//! # Where the time goes
//!
//! Verifying a nested token takes little more than a microsecond. A third of that is the HMAC, a quarter is
//! AES-GCM, and a tenth is base64; reading the claims is another tenth, the clock and memory are the rest.
//! Nothing is left to win but in the primitives: a program written by hand for one key, one issuer and one
//! shape of claims, with the same checks, the *floor* of the comparison, takes five sixths of it.
//!
//! * **A token's header is compared, not parsed.** The header that a key writes is encoded when the key is
//!   loaded. A token that begins with the very same bytes is of that key, and its lengths say where its
//!   segments are. Another spelling is parsed.
//! * **Keys are expanded once**, when they are loaded. Public ones are the exception: `ring` has no form of them
//!   between their bytes and a verdict, and what it does with the bytes is part of the figures below. With RSA
//!   it allocates for it.
//! * **What the codec mints itself is recognised**: issuer and audience by their bytes, the next members in the
//!   order in which it writes them. Any other order, blanks and escapes are read member by member, with the same
//!   outcome; a property test compares the two.
//! * **Every other issuer writes header and claims in another order.** Such a token takes 11 % more instructions
//!   than a minted one where it is signed (HS256), 16 % where it is nested, and 39 % where it is encrypted alone.
//!   The counts of instructions fail above 50 %, or 35 % where the header alone differs.
//! * **Two allocations**: the claims, and the texts of those that are registered. Requests share them: a clone
//!   counts a reference. An application's own type adds those of its fields.
//! * **A refusal allocates nothing** until there is an answer to be made.
//! * **Random bytes** for a token's name and IV come from the operating system, each time: 0.4 microseconds a
//!   call, and half of what minting a nested token takes. A generator in the process would spare most of that,
//!   and would be copied when the process forks or its machine is restored from a snapshot twice: both copies
//!   would then encrypt with the same IV.
//! * **The number of keys does not matter.** Up to four are compared, more are looked up.
//!
//! # Which profile
//!
//! | | verifies in | choose it when |
//! |---|---|---|
//! | [`encrypted`](crate::TokenCodec::encrypted) | 0.6 to 0.9 µs | one service, or several that trust each other fully, mint and verify |
//! | [`signed`](crate::TokenCodec::signed), HS256 | 0.8 to 1.1 µs | the same, and clients may read their claims |
//! | [`nested`](crate::TokenCodec::nested), HS256 | 1.1 to 1.6 µs | the usual choice: signed, and nothing leaks from logs or a stolen token |
//! | `signed`, RS256 | 26 to 35 µs | others verify, and their libraries know little else |
//! | `signed`, EdDSA | 55 to 76 µs | others verify: short signatures, fast to mint |
//! | `signed`, ES256 | 62 to 79 µs | others verify, in hardware that has it |
//!
//! A public key costs thirty to seventy times as much as a shared secret. That is the signature itself: this crate
//! adds less than three per cent. Where verifiers are yours, a shared secret or the nested profile is the
//! faster choice; where they are not, the cache takes most of the price away.
//!
//! # Sizing
//!
//! * **Verifications**: 600 000 to 900 000 a second and core for nested tokens, 1.1 to 1.7 million for encrypted
//!   ones, 13 000 to 18 000 for EdDSA. Two threads do 1.7 times as much as one on two busy cores: nothing is shared but the count of references
//!   to the keys' snapshot.
//! * **In front of an axum handler** the bearer layer adds to a request what verifying costs and about a
//!   microsecond, of which a quarter is what any layer adds there; that is two fifths of what jsonwebtoken in a
//!   `from_fn` adds.
//! * **Sessions in memory**: about 425 bytes each with all tables, 445 with what the allocator rounds up (`store/memory/bytes`
//!   of the bench `store`, a million sessions); 0.9 to 1.4 million loads and swaps a second on one thread and nearly twice
//!   as many on two. A read waits for no sweep.
//! * **A whole refresh**, request to response and without minting the access token, takes some 6 microseconds:
//!   twelve blocks of SHA-256 and two runs of AES-GCM with keys of their own are a quarter of that, random bytes
//!   and the wiping of those keys another, the two operations of the store a sixth. The rest is memory for cookie,
//!   JSON and headers. It takes the same after ten
//!   rotations and after ten thousand.
//! * **Sessions in Redis**: 87 000 refreshes a second for one server, whose one thread is the limit;
//!   [`operations`](super::operations) has the memory.
//! * **Sessions in PostgreSQL**: 8 clients rotate 0.99 times as often as `pgbench` runs the same statements, and as
//!   often as tower-sessions loads and saves, where each commit waits for the disk. That was 1 700 rotations a second
//!   (November 2026, two virtual cores and a disk, both busy with other work). Where no commit waits, the ratios are
//!   0.8 and 1.5.
//! * **Sessions in SQLite**: where each commit waits for the disk, 8 clients rotate 1.9 times as often and more than a
//!   bare loop of the same statements: rotations that come at one time share a commit. One client reaches 0.74 to 1.12
//!   of the loop where a commit takes 1 to 3 ms, and 0.53 where it takes 0.16 ms. Calls of SQLite block, so each
//!   statement is a message to a thread and back. On that fast disk it was 12 300 rotations a second for 8 clients, 1.9 of
//!   the loop, and 3 400 for one.
//!
//! # The verified-token cache
//!
//! With the feature `cache` a codec can remember the tokens that it has verified: see
//! [`TokenCache`](https://docs.rs/tower-bearer/latest/tower_bearer/struct.TokenCache.html), and
//! `TokenCodecBuilder::cache`. It is off by default, and most services are better off without it.
//!
//! | form | verified | remembered | first time, with the cache on |
//! |---|---|---|---|
//! | `signed`, EdDSA | 49 to 64 µs | 0.62 to 0.71 µs | no difference to be seen |
//! | `signed`, HS256 | 0.70 to 0.81 µs | 0.62 to 0.72 µs | 1.4 to 2.3 µs |
//! | `nested`, HS256 in A256GCM | 1.0 to 1.3 µs | 0.78 to 1.0 µs | 2.1 to 3.0 µs |
//! | `encrypted`, A256GCM | 0.53 to 0.57 µs | 0.62 to 0.74 µs | 1.4 to 2.2 µs |
//!
//! One thread, a thousand distinct tokens of some 420 bytes in turn (650 for the nested ones, which have longer claims
//! than most), the reading of the clock included, claims of the application's own with two texts. A hit spares the
//! cryptography and nothing else: the claims are read and judged again. `cargo bench -p benches --bench token -- cache` measures it on your machine.
//!
//! **Where it pays.** RS256, EdDSA and ES256 take 26 to 80 µs: an API with twenty requests a second
//! for each of its tokens gets nineteen of them for the price of a look-up. **Where it does not.** With a shared secret
//! a verification costs about what a look-up does, less than anything else that the request does: leave it
//! off. Tokens that come once or twice cost the look-up in vain, and their place. `TokenCache::hits` counts
//! what it spares.
//!
//! ## How large
//!
//! An entry takes 130 bytes and the text of the claims, at least some 310 bytes in all. So 16 MiB hold 50 000 tokens
//! of usual claims, which is as many users in each quarter of an hour, with
//! the default lifetime. The number is a bound: the table is laid out when the codec is built (a third
//! of it; untouched memory costs an address, no more), the rest comes and goes with the claims, and when it is full
//! the next token takes the place of one that is less asked for. Tokens that nobody sends again pass through a
//! tenth of it and leave those in use alone.
//!
//! The type that you read the claims into does not matter: a list of numbers, a map, or a type that unfolds a small
//! claim into something large lives as long as its request. The tests fill caches of 16 MiB with each of
//! these, and the process grows by 11 to 14 MiB.
//!
//! ## A sign-out
//!
//! An access token is good until it expires, with the cache and without it: a sign-out ends the refresh session
//! alone (see [`threats`](super::threats)). Where a sign-out has to reach access tokens at once, refuse them in
//! [`BearerAuthLayer::check`](crate::BearerAuthLayer::check). The layer asks it for each request, after the look-up
//! as after the verification, and shows it the token's `sid`.
//!
//! ## Why it is off by default
//!
//! * It keeps the claims of everybody who is signed in, for as long as their tokens last, where without
//!   it they are gone with the request.
//! * With shared secrets it gains little.
//! * It is one more thing to be right about. What it rests on is in the documentation of
//!   [`TokenCache`](https://docs.rs/tower-bearer/latest/tower_bearer/struct.TokenCache.html): what a
//!   verdict depends on, what the key is, and what an attacker could see of it.
//!
//! # Keeping it so
//!
//! Times in a shared machine tell little, so a change is judged by instructions, which are the same at every
//! run: `benches/instructions.baseline` holds them, and the tests fail when a path has become 5 % dearer.
//! When that is meant to be, `cargo bench -p instructions -- --update` writes the file anew.
//! A program of a few small files runs Callgrind and compares. gungraun would do the counting as well, but not
//! the comparing with a file of the repository, and its runner has to be built first, for longer than the rest.
