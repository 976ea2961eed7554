//! The operator's side: sessions seen and ended from code that has no request of their user.
//!
//! [`SessionAdmin`](crate::SessionAdmin) ends sessions of users who send no request, over any store. Use it for a
//! support page, a password reset by mail, disabled accounts and leaked keys. [`Auth::admin`](crate::Auth::admin) and
//! [`RefreshCookieLayer::admin`](crate::RefreshCookieLayer::admin) return it.
//!
//! | what it does | method |
//! |---|---|
//! | shows where a user is signed in | [`list`](crate::SessionAdmin::list) |
//! | ends one session of a user | [`end`](crate::SessionAdmin::end) |
//! | ends a user's sessions, all or all but one | [`end_all`](crate::SessionAdmin::end_all) |
//! | ends every session of every user | [`end_everything`](crate::SessionAdmin::end_everything) |
//! | ends a user's sessions in a transaction of the application's | [`subject_tags`](crate::SessionAdmin::subject_tags), [`ended`](crate::SessionAdmin::ended) |
//!
//! It checks no permission: it trusts every caller as an operator. Put the application's own check
//! in front, and log which operator called. The events name the session that ended, not the
//! operator.
//!
//! A client cannot refresh an ended session. Issued access tokens stay valid until they expire, as
//! after every other end of a session.
//!
//! # Example
//!
//! ```
//! use tower_bearer::{SessionAdmin, SessionError, SessionId, SessionInfo};
//!
//! /// A page of the support team: what it shows of a user.
//! async fn devices(admin: &SessionAdmin, user: &str) -> Result<Vec<SessionInfo>, SessionError> {
//!     admin.list(user).await
//! }
//!
//! /// Its button beside each entry.
//! async fn sign_out(admin: &SessionAdmin, user: &str, session: &SessionId) -> Result<(), SessionError> {
//!     admin.end(user, session).await
//! }
//!
//! /// Follows a password reset by mail, after the new password is stored.
//! async fn after_reset(admin: &SessionAdmin, user: &str) -> Result<usize, SessionError> {
//!     Ok(admin.end_all(user, None).await?.len())
//! }
//! # let _ = (devices, sign_out, after_reset);
//! ```

mod ended;
pub(crate) mod session_admin;

pub use ended::Ended;
