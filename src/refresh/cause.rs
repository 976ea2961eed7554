//! The causes of refused session calls, and their cures. They are sources of the error, for the log and never for the
//! client.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    session::{Outcome, RevokeReason, SessionRecord},
};

pub(super) const ABSOLUTE: &str =
    "more than absolute_lifetime has passed since the sign-in: the user signs in again";
pub(super) const ANOTHER_LIVES: &str = "the cookies of several sessions came, and the CSRF token is not of the \
     live one. The page asks for a new one (GET {base}/csrf). Another host of the domain may have set the dead \
     session's cookie";
pub(super) const CONFIRM: &str = "the client calls itself by a name that is new to the session. It tries again \
     with the newer cookie, which shows that it shares the cookie jar";
pub(super) const FOREIGN_JAR: &str = "the session is bound to a cookie jar. The cookie whose name ends in _jar did \
     not come with the right value. The refresh cookie was copied alone, or a proxy or renderer forwards only that \
     one";
pub(super) const IDLE: &str = "no refresh came within idle_lifetime but passive ones: the user signs in again, or the setting is too short";
pub(super) const JUST_REPLACED: &str =
    "this client signed in again a moment ago: it tries again with the newer cookie";
pub(super) const MIXED: &str =
    "a refresh cookie came where refresh tokens travel in bodies: the client sends one of the two";
pub(super) const NO_BODY: &str = "the request's body has no refresh_token";
pub(super) const NO_COOKIE: &str = "no refresh cookie came: the user has not signed in in this browser, or the \
     cookie has ended. Or the browser never kept it or keeps it back (cookie_path, external_prefix, plain http, \
     another site)";
pub(super) const OUTDATED: &str =
    "the client never took the newer token, and no answer with it is under way any more";
pub(super) const REFRESH_FIRST: &str = "the client has not shown yet that it is the session's own, or never took \
     the newer token. Another User-Agent, client_fingerprint or fingerprint_version causes the first. A \
     refresh that rotates settles it, and one within the interval does not rotate";
pub(super) const OVER: &str = "an earlier call of this request has ended it";
pub(super) const SUPERSEDED: &str =
    "a newer token was handed out: the client tries again with the one that it holds by now";
pub(super) const TOO_OFTEN: &str =
    "more than repeat_limit times in half a minute: the client refreshes in a loop";
pub(super) const TWO_SESSIONS: &str = "cookies of two live sessions came. Another host of the domain has set one \
     (host_prefix keeps it out), or an earlier cookie_path has (former_path clears it)";

/// Which end of the session has come by then, if one has.
pub(super) fn end_of(record: &SessionRecord, at: Timestamp) -> Option<&'static str> {
    if at >= record.absolute_expires_at {
        return Some(ABSOLUTE);
    }
    (at >= record.expires_at()).then_some(IDLE)
}

pub(super) fn claims_slow(limit: Duration) -> String {
    format!(
        "the claims closure took longer than claims_timeout, {limit:?}: make it faster, or raise the grace and \
         claims_timeout with it"
    )
}

/// Why a token is not honoured, where the outcome alone tells.
pub(super) const fn of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Reuse => "the session is revoked now: the event reuse_detected has both clients",
        Outcome::StateLost => {
            "the token is ahead of the store by more than one write: a failover or a restored backup"
        }
        _ => {
            "the store does not know the session: it lay idle past its end, or the store was emptied or evicts. Or \
             it is another store than at the sign-in (MemoryStore keeps nothing and serves one process)"
        }
    }
}

/// Why the session was ended.
pub(super) const fn revoked(reason: RevokeReason) -> &'static str {
    match reason {
        RevokeReason::Denied => "the claims closure had refused the subject",
        RevokeReason::Limit => "newer sign-ins of the subject had pushed it out: session_limit",
        RevokeReason::RevokedAll => {
            "all of the subject's were ended: end_all, end_others, revoke_in, an operator, or ReusePolicy::Subject"
        }
        // One reason in the record: see `RevokeReason::RevokedByOperator`.
        RevokeReason::RevokedByOwner | RevokeReason::RevokedByOperator => {
            "its owner had ended it from the list of sessions, or an operator had"
        }
        RevokeReason::Reuse => {
            "an old token had come back: the event reuse_detected has both clients"
        }
        RevokeReason::Replaced => {
            "its client had signed in again: the newer cookie was lost or kept back"
        }
        RevokeReason::SignedOut => "its owner had signed out",
    }
}
