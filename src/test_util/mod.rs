//! A kit for tests of an application (feature `test-util`). It has claims without a token, a session without a server,
//! and a browser without a network.
//!
//! [The chapter on testing](crate::manual::testing) begins with a test of each kind.
//!
//! | a test of | takes |
//! |---|---|
//! | a handler with [`Claims`](crate::Claims) | [`Claims::for_test`](crate::Claims::for_test) |
//! | routes that ask for claims, a scope or a recent sign-in | [`acting_as`] in place of the bearer layer |
//! | a handler with [`Session`](crate::Session) | [`TestSession`] |
//! | the whole application | [`TestBrowser`] |
//! | an application over sockets, by a client of your own | [`TestJar`] |
//!
//! # For tests alone
//!
//! Switch the feature on among the dev-dependencies, beside the crate's ordinary line:
//!
//! ```toml
//! [dev-dependencies]
//! tower-bearer = { version = "0.1", features = ["test-util"] }
//! ```
//!
//! Cargo then leaves it out of the artefacts of `cargo build`. Nothing else in the crate uses this module, so the
//! feature changes no other code. Claims that no token proved are refused in a build without debug assertions: it
//! panics, and says so. A token inside of such claims is signed with a key that was drawn for it and discarded. So no
//! service accepts it.
//!
//! # Failures
//!
//! The kit fails a test by a panic that names the cure. None of its methods returns an error.
#![allow(
    clippy::panic,
    reason = "a test fails by panicking, and a wrong use of the kit fails the test"
)]

mod acting_as;
mod acting_service;
mod browser;
mod claims;
mod client;
mod jar;
mod journal;
mod request;
mod response;
mod session;
mod set_cookie;
mod site;

pub use acting_as::{ActingAsLayer, acting_as};
pub use acting_service::{ActingAs, ActingAsFuture};
pub use browser::TestBrowser;
pub use client::TestBody;
pub use jar::TestJar;
pub use request::TestRequest;
pub use response::TestResponse;
pub use session::TestSession;
