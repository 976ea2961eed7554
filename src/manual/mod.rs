//! The manual: a chapter for each task.
//!
//! Begin with [`getting_started`]. Then take the chapter of your task:
//!
//! | task | chapter |
//! |---|---|
//! | Add a sign-in, roles and a page | [`getting_started`] |
//! | Begin, renew, list and end sessions; "remember me"; a second factor | [`sessions`] |
//! | Verify access tokens of Auth0, Okta, Entra ID, Cognito, Keycloak and others | [`access_tokens`] |
//! | Protect cookie-authenticated routes; serve single-page applications, WebSockets and proxies | [`guards`] |
//! | Render pages on the server: forms, htmx, "remember me", links from mail | [`rendered_pages`] |
//! | Choose a store, configure it, or write one | [`stores`] |
//! | Create, rotate and replace keys | [`keys`] |
//! | Serve native clients, hyper, tonic, and proxies that ask for permission | [`native`] |
//! | Test handlers and whole applications | [`testing`] |
//! | Run it: metrics, alerts, and cures at night | [`operations`] |
//! | Judge it: attacks, limits, and every default | [`threats`] |
//! | Move an existing service | [`migrating`] |
//!
//! `DESIGN.md` in the repository has the reasons, the proofs and the tables of standards.

pub mod access_tokens;
pub mod getting_started;
pub mod guards;
pub mod keys;
pub mod migrating;
pub mod native;
pub mod operations;
pub mod rendered_pages;
pub mod sessions;
pub mod stores;
pub mod testing;
pub mod threats;
