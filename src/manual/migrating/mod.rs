//! Moving a service that has users already.
//!
//! | you come from | chapter | what users notice |
//! |---|---|---|
//! | Express with `jsonwebtoken`: HS256 in `localStorage`, refresh tokens in a table | [`express`] | nothing, if they come by while the exchange is open; otherwise one sign-in |
//! | `tower-sessions`, or another session behind a cookie | [`tower_sessions`] | nothing, if they come by while the old session lives; otherwise one sign-in |
//! | the crate `jsonwebtoken` in an axum middleware | [`jsonwebtoken`] | nothing: the tokens that are out stay good |
//!
//! # The three steps
//!
//! Every move has the same shape:
//!
//! 1. **Accept both.** The service is deployed with the new layers beside the old credentials. Nobody
//!    is sent a new credential yet, so going back costs nothing.
//! 2. **Exchange.** Whoever comes with an old credential gets a new session for it, once, through a
//!    route that is open for a limited time. The page does it by itself at its next load.
//! 3. **Close.** When the last old credential that you care for has expired, the route and the old
//!    layers go. Who has not come by signs in.
//!
//! # What an exchange is worth to a thief
//!
//! An exchange turns an old credential into a session of seven days. **A stolen access token of
//! fifteen minutes becomes a stolen session of a week.** So:
//!
//! * Exchange what was the long-lived credential before: the old refresh token or the old session, which
//!   the same step makes worthless. A thief and the user then cannot both do it, and the second one signs
//!   in.
//! * Where there is nothing but an access token, keep the route open for days and not for months, and give
//!   the sessions it starts a context that says where they come from. Then the claims closure can keep
//!   from them what needs a fresh sign-in.
//! * Write down who exchanged and when. [`Event::Started`](crate::Event::Started) has the session and
//!   the subject.
//!
//! Or leave out step 2. One sign-in for everybody is a small price where sessions were short anyway.
//!
//! # What to measure
//!
//! Before step 1: sign-ins an hour and 401s an hour. In step 2 both go up a little. Many more 401s mean that
//! the page does not store what it was given; many more sign-ins, that the exchange is refused (its handler
//! knows why). In step 3, count what still comes to the closed route for a while before the code goes.

pub mod express;
pub mod jsonwebtoken;
pub mod tower_sessions;
