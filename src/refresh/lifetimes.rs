//! How long sessions last: the layer's rule for all, and a sign-in's own.

use std::time::Duration;

use super::{config::Config, new_session::NewSession};
use crate::{
    clock::Timestamp,
    config::ConfigError,
    session::{
        Lasts, RotationPolicy, SessionError, SessionErrorKind, SessionPolicy, SessionRecord,
    },
    token::{AccessToken, TokenSession},
};

/// A lifetime, and what the application has set it by.
pub(super) type Named = (&'static str, Duration);

const HOUR_SECS: u64 = 60 * 60;

/// Judges the lifetimes of sessions that rotate so, beside access tokens that live `access`.
///
/// An active client refreshes when its access token ends. Its record may know of its last refresh by an interval too
/// little, since no note is written for less. The grace is for the claims, a quarter of it at most, and for the way.
pub(super) fn judge(
    absolute: Named,
    idle: Option<Named>,
    access: Duration,
    rotation: &RotationPolicy,
) -> Result<(), ConfigError> {
    let second = Duration::from_secs(1);
    let longest = absolute.1;
    // One that is as long as the absolute lifetime ends nothing.
    let idle = idle.unwrap_or(absolute);
    let bound = access
        .saturating_add(rotation.interval)
        .saturating_add(rotation.grace);
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
            idle.1 >= longest || idle.1 > bound,
            format!(
                "must be longer than {bound:?}, the lifetime of an access token, the interval and the grace \
                 together. Otherwise active users are signed out between two refreshes: raise it, or shorten those"
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
        let SessionPolicy { absolute, idle, .. } = self.policy;
        let within = |asked: Option<Duration>, name, longest, of| match asked {
            Some(asked) if asked > longest => Err(ConfigError::about(
                name,
                asked,
                format!("must not be longer than {of}, {longest:?}: raise that, or ask for less"),
            )),
            _ => Ok(()),
        };
        let judged = within(new.lifetime, "lifetime", absolute, "absolute_lifetime")
            .and_then(|()| within(new.idle, "idle", idle, "idle_lifetime"))
            .and_then(|()| {
                judge(
                    ("lifetime", new.lifetime.unwrap_or(absolute)),
                    new.idle.map(|idle| ("idle", idle)),
                    self.access_lifetime,
                    &self.policy.rotation,
                )
            });
        // The application's mistake and not the client's, who has only ticked a box: an ERROR in the log.
        judged.map_err(|error| SessionError::with_source(SessionErrorKind::Internal, error))?;
        Ok(Lasts {
            absolute: new.lifetime,
            idle: new.idle.map(whole_millis),
            until_closed: new.until_closed,
        })
    }
}

/// The token together with the session that it belongs to, as the client learns of it at `now`.
pub(super) fn telling(token: AccessToken, record: &SessionRecord, now: Timestamp) -> AccessToken {
    // Where both ends are one, it is the absolute one: no use of the session moves that.
    let idle = record.idle_expires_at < record.absolute_expires_at;
    // Minted a moment ago, the token does not outlive the session.
    let left = record.absolute_expires_at.since(now);
    let expires_in = left.max(token.expires_in());
    token.of_session(TokenSession {
        id: record.id,
        expires_in,
        idle_expires_in: idle.then(|| record.idle_expires_at.since(now)),
    })
}

/// Returns when the session of the asking client ends, as the client learns of it at `now`. The time is rounded up to
/// the hour, and counted as if the session were used now.
///
/// The true end moves with each use. A thief who only looks would learn from it when the owner's browser comes.
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
        let together = "must be longer than 990s, the lifetime of an access token, the interval and the grace together";
        let too_short = format!("idle: 990s {together}");
        let even_shorter = format!("idle: 60s {together}");
        // Absolute, idle, access, grace; what is refused. The interval is twice the grace.
        let rows = [
            (3600, None, 900, 30, None),
            (900, None, 900, 30, None),
            // As long as the session: it ends nothing.
            (900, Some(900), 900, 30, None),
            (990, Some(990), 900, 30, None),
            (3600, Some(991), 900, 30, None),
            (3600, Some(990), 900, 30, Some(&*too_short)),
            (3600, Some(60), 900, 30, Some(&*even_shorter)),
            (3600, Some(2), 1, 0, None),
            (
                3600,
                Some(1),
                1,
                0,
                Some("idle: 1s must be longer than 1s,"),
            ),
            (
                3600,
                Some(0),
                900,
                30,
                Some("idle: 0ns must be at least 1s"),
            ),
            (
                3600,
                Some(3601),
                900,
                30,
                Some("idle: 3601s must not be longer than the absolute lifetime, 3600s"),
            ),
            (
                899,
                None,
                900,
                30,
                Some(
                    "lifetime: 899s must not be shorter than the lifetime of an access token, 900s",
                ),
            ),
            (0, None, 0, 0, Some("lifetime: 0ns must be at least 1s")),
            (u64::MAX, Some(u64::MAX - 1), u64::MAX, 30, Some("idle: ")),
        ];
        for (absolute, idle, access, grace, refused) in rows {
            let rotation = RotationPolicy {
                grace: secs(grace),
                interval: secs(2 * grace),
                ..RotationPolicy::default()
            };
            let idle = idle.map(|idle| ("idle", secs(idle)));
            let judged = judge(("lifetime", secs(absolute)), idle, secs(access), &rotation);
            let said = judged.err().map(|error| error.to_string());
            let as_expected = match (&said, refused) {
                (Some(said), Some(start)) => said.starts_with(start),
                (said, refused) => said.is_none() && refused.is_none(),
            };
            assert!(
                as_expected,
                "{absolute} {idle:?} {access} {grace}: {said:?}"
            );
        }
    }
}
