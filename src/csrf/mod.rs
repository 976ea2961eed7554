//! Signed double-submit CSRF tokens, bound to the session.
