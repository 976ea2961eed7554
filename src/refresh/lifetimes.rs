//! How long sessions last: what the layer says for all, and a sign-in for one.

use std::time::Duration;

use super::{config::Config, new_session::NewSession, session::Session};
use crate::{
    clock::Timestamp,
    config::ConfigError,
    session::{Lasts, SessionError, SessionErrorKind, SessionPolicy, SessionRecord},
    token::{AccessToken, TokenSession},
};

/// A lifetime, and what the application has set it by.
pub(super) type Named = (&'static str, Duration);

const HOUR_SECS: u64 = 60 * 60;

/// Judges the lifetimes of sessions that rotate at most once an `interval`, beside access tokens that live `access`.
pub(super) fn judge(
    absolute: Named,
    idle: Option<Named>,
    access: Duration,
    interval: Duration,
) -> Result<(), ConfigError> {
    let second = Duration::from_secs(1);
    let longest = absolute.1;
    // One that is as long as the absolute lifetime ends nothing.
    let idle = idle.unwrap_or(absolute);
    let ends = |bound: Duration| idle.1 >= longest || idle.1 > bound;
    let rules = [
        (
            absolute,
            longest >= second,
            "must be at least 1s".to_owned(),
        ),
        (idle, idle.1 >= second, "must be at least 1s".to_owned()),
        (
            idle,
            idle.1 <= longest,
            format!("must not be longer than the absolute lifetime, {longest:?}"),
        ),
        (
            absolute,
            longest >= access,
            format!("must not be shorter than the lifetime of an access token, {access:?}"),
        ),
        (
            idle,
            ends(access),
            format!(
                "must be longer than the lifetime of an access token, {access:?}: clients refresh that seldom, and \
                 active users would be signed out"
            ),
        ),
        (
            idle,
            ends(interval),
            format!(
                "must be longer than the interval, {interval:?}: no earlier refresh rotates, and active users would \
                 be signed out"
            ),
        ),
    ];
    match rules.into_iter().find(|(_, holds, _)| !holds) {
        Some(((setting, value), _, rule)) => Err(ConfigError::about(setting, value, rule)),
        None => Ok(()),
    }
}

impl Config {
    /// How long the session of this sign-in lasts.
    pub(super) fn lasts(&self, new: &NewSession) -> Result<Lasts, SessionError> {
        let longest = self.policy.absolute;
        let judged = match new.lifetime {
            Some(lifetime) if lifetime > longest => Err(ConfigError::about(
                "lifetime",
                lifetime,
                format!(
                    "must not be longer than absolute_lifetime, {longest:?}: raise that, or ask for less"
                ),
            )),
            lifetime => judge(
                ("lifetime", lifetime.unwrap_or(longest)),
                new.idle.map(|idle| ("idle", idle)),
                self.access_lifetime,
                self.policy.rotation.interval,
            ),
        };
        // The application's mistake and not the client's, who has only ticked a box: an ERROR in the log.
        judged.map_err(|error| SessionError::with_source(SessionErrorKind::Internal, error))?;
        Ok(Lasts {
            absolute: new.lifetime,
            idle: new.idle.map(whole_millis),
            until_closed: new.until_closed,
        })
    }
}

impl Session {
    /// The token together with the session that it belongs to, as its client hears of it at `now`.
    pub(super) fn telling(
        &self,
        token: AccessToken,
        record: &SessionRecord,
        now: Timestamp,
    ) -> AccessToken {
        let policy = &self.config().policy;
        let whole = record.absolute_expires_at.since(record.created_at);
        let idle = record.fields.idle.unwrap_or(policy.idle) < whole;
        token.of_session(TokenSession {
            id: record.id,
            expires_in: record.absolute_expires_at.since(now),
            idle_expires_in: idle.then(|| record.idle_expires_at.since(now)),
        })
    }
}

/// When the session of the client that asks ends, as it is told at `now`: rounded up to the hour, and counted as if
/// the session rotated now.
///
/// The true end moves at each rotation. A thief who only looks would learn from it when the owner's browser comes.
pub(super) fn told_end(
    record: &SessionRecord,
    now: Timestamp,
    policy: &SessionPolicy,
) -> Timestamp {
    let end = record.idle_from(now, policy).as_millis();
    Timestamp::from_secs(end.div_ceil(1000 * HOUR_SECS).saturating_mul(HOUR_SECS))
}

/// As a record keeps it.
fn whole_millis(idle: Duration) -> Duration {
    Duration::from_millis(u64::try_from(idle.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_lifetime_that_signs_active_users_out_is_refused() {
        let secs = Duration::from_secs;
        // Absolute, idle, access, interval; what is refused.
        let rows = [
            (3600, None, 900, 60, None),
            (900, None, 900, 60, None),
            // As long as the session: it ends nothing.
            (900, Some(900), 900, 60, None),
            (3600, Some(901), 900, 60, None),
            (
                3600,
                Some(900),
                900,
                60,
                Some("idle: 900s must be longer than the lifetime of an access token, 900s"),
            ),
            (3600, Some(61), 30, 60, None),
            (
                3600,
                Some(60),
                30,
                60,
                Some("idle: 60s must be longer than the interval, 60s"),
            ),
            (3600, Some(2), 1, 0, None),
            (
                3600,
                Some(0),
                900,
                60,
                Some("idle: 0ns must be at least 1s"),
            ),
            (
                3600,
                Some(3601),
                900,
                60,
                Some("idle: 3601s must not be longer than the absolute lifetime, 3600s"),
            ),
            (
                899,
                None,
                900,
                60,
                Some(
                    "lifetime: 899s must not be shorter than the lifetime of an access token, 900s",
                ),
            ),
            (0, None, 0, 0, Some("lifetime: 0ns must be at least 1s")),
        ];
        for (absolute, idle, access, interval, refused) in rows {
            let idle = idle.map(|idle| ("idle", secs(idle)));
            let judged = judge(
                ("lifetime", secs(absolute)),
                idle,
                secs(access),
                secs(interval),
            );
            let said = judged.err().map(|error| error.to_string());
            let as_expected = match (&said, refused) {
                (Some(said), Some(start)) => said.starts_with(start),
                (said, refused) => said.is_none() && refused.is_none(),
            };
            assert!(
                as_expected,
                "{absolute} {idle:?} {access} {interval}: {said:?}"
            );
        }
    }
}
