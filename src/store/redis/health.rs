//! A server's statement about itself.

use std::time::Duration;

use redis::Value;

use super::{
    error::unexpected,
    reply,
    request::{Expiry, Request},
};
use crate::{clock::Timestamp, store::StoreError};

/// The result of [`RedisStore::health`](super::RedisStore::health).
///
/// ```no_run
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_bearer::RedisStore;
///
/// let store = RedisStore::new("redis://127.0.0.1:6379/")?;
/// let health = store.health().await?;
/// println!("Redis {:?} answers within {:?}", health.version(), health.round_trip());
/// for warning in health.warnings() {
///     eprintln!("WARNING: {warning}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RedisHealth {
    now: Timestamp,
    round_trip: Duration,
    version: Option<String>,
    role: Option<String>,
    eviction_policy: Option<String>,
    replicas: Option<u32>,
    appends: Option<bool>,
    takes_flags: bool,
    /// The account may ask for all that it takes to find every session.
    sweeps: bool,
}

/// The oldest version that the scripts were ever tried with.
const OLDEST: (u32, u32) = (6, 2);

/// Each of the scripts and the read of all, about sessions under `key`, where there is none. The script that would add
/// one may not.
pub(super) fn probes(key: &str) -> [Request<'_>; 6] {
    let read = Request::ReadPage { key, cursor: b"0" };
    let swap = |revokes| Request::Swap {
        key,
        session: "health",
        current: b"?",
        next: b"!",
        extends_to: None,
        revokes,
    };
    let replace = |revokes| Request::Replace {
        key,
        count: Some(1),
        read: &[],
        changes: &[],
        expiry: Expiry::default(),
        revokes,
    };
    let insert = Request::Insert {
        key,
        session: "health",
        record: b"!",
        limit: 0,
        expiry: Expiry::default(),
    };
    [
        swap(true),
        replace(true),
        swap(false),
        replace(false),
        insert,
        read,
    ]
}

impl RedisHealth {
    pub(super) fn read(replies: Vec<Value>, round_trip: Duration) -> Result<Self, StoreError> {
        let mut replies = replies.into_iter();
        let now = replies
            .next()
            .and_then(reply::time)
            .ok_or_else(unexpected)?;
        // `INFO` may be refused to the account: its values are then unknown, and that is no failure.
        let replies: Vec<Value> = replies.collect();
        let is_refused = |reply: &Value| matches!(reply, Value::ServerError(_));
        let sweeps = !replies.iter().any(is_refused);
        let info = replies.into_iter().next().and_then(reply::text);
        let info = info.unwrap_or_default();
        let field = |name: &str| reply::field(&info, name).map(str::to_owned);
        Ok(Self {
            now,
            round_trip,
            // Valkey calls itself Redis 7.2 in the one field and tells its own version in another.
            version: field("redis_version"),
            role: field("role"),
            eviction_policy: field("maxmemory_policy"),
            replicas: field("connected_slaves").and_then(|count| count.parse().ok()),
            appends: field("aof_enabled").map(|enabled| enabled == "1"),
            takes_flags: true,
            sweeps,
        })
    }

    /// Notes whether the server takes the flag that revocations come with.
    pub(super) fn takes_flags(&mut self, takes: bool) {
        self.takes_flags = takes;
    }

    /// Returns the server's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns how long the answer took.
    pub fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// Returns the server's version, if the account may ask for it.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Returns `master` or `slave`, if the account may ask for it.
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// Returns the server's `maxmemory-policy`, if the account may ask for it.
    pub fn eviction_policy(&self) -> Option<&str> {
        self.eviction_policy.as_deref()
    }

    /// Returns how many replicas are connected, if the account may ask for it.
    pub fn replicas(&self) -> Option<u32> {
        self.replicas
    }

    /// Whether the server throws entries away when its memory is full.
    pub(super) fn evicts(&self) -> Option<&str> {
        self.eviction_policy()
            .filter(|policy| *policy != "noeviction")
    }

    /// Returns the changes that the operator should make to the server, in sentences. Empty when all is well.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(policy) = self.evicts() {
            warnings.push(format!(
                "Redis throws entries away when its memory is full (maxmemory-policy {policy}). Users are signed \
                 out and revoked sessions are forgotten: set it to noeviction"
            ));
        }
        if self.role().is_some_and(|role| role != "master") {
            warnings.push(
                "this Redis is a replica: it takes no writes, so no user can sign in. Point the store at the \
                 master or at the sentinels"
                    .into(),
            );
        }
        if self.appends == Some(false) && self.replicas == Some(0) {
            warnings.push(
                "Redis keeps no append-only file and has no replica. A restart signs out every user who signed in \
                 since its last snapshot: set appendonly to yes"
                    .into(),
            );
        }
        if !self.takes_flags {
            warnings.push(
                "this server lacks something that the scripts have on Redis 7, such as their flags. Redis 6, KeyDB \
                 and Dragonfly lack it. When the server's memory is full it may refuse to sign out and to answer theft. \
                 Leave it room, or use Redis 7 or Valkey"
                    .into(),
            );
        }
        if !self.sweeps {
            warnings.push(
                "this account may not run SCAN and INFO, or CLUSTER NODES in a cluster. Redis would refuse \
                 revoke_everything, the answer to keys that leaked: allow them"
                    .into(),
            );
        }
        if let Some(version) = self.version()
            && is_older(version)
        {
            let (major, minor) = OLDEST;
            warnings.push(format!(
                "Redis {version} is older than {major}.{minor}, the oldest that was tried"
            ));
        }
        warnings
    }
}

fn is_older(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    let both = numbers.next().zip(numbers.next());
    both.is_some_and(|version: (u32, u32)| version < OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(info: Value) -> RedisHealth {
        let time = Value::Array(vec![
            Value::BulkString(b"1800000000".to_vec()),
            Value::BulkString(b"250000".to_vec()),
        ]);
        RedisHealth::read(vec![time, info], Duration::from_millis(1)).unwrap()
    }

    fn info(text: &str) -> RedisHealth {
        health(Value::BulkString(text.replace('\n', "\r\n").into_bytes()))
    }

    #[test]
    fn changes_that_the_operator_should_make_are_reported() {
        let good = info(
            "# Server\nredis_version:7.0.15\nmaxmemory_policy:noeviction\nrole:master\nconnected_slaves:2\n",
        );
        assert!(good.warnings().is_empty(), "{:?}", good.warnings());
        assert_eq!(good.version(), Some("7.0.15"));
        assert_eq!(good.replicas(), Some(2));
        assert_eq!(good.now(), Timestamp::from_millis(1_800_000_000_250));
        let bad = info("redis_version:6.0.16\nmaxmemory_policy:allkeys-lru\nrole:slave\n");
        let warnings = bad.warnings();
        assert_eq!(warnings.len(), 3);
        assert!(warnings[0].contains("allkeys-lru") && warnings[0].contains("noeviction"));
        assert!(warnings[1].contains("replica"));
        assert!(warnings[2].contains("6.0.16"));
        assert!(info("redis_version:6.2.14\n").warnings().is_empty());
    }

    #[test]
    fn a_server_without_flags_gets_a_warning() {
        let mut health = info("redis_version:6.2.14\n");
        health.takes_flags(false);
        let warnings = health.warnings();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("refuse to sign out"), "{warnings:?}");
    }

    #[test]
    fn a_server_that_keeps_nothing_is_warned_of() {
        let lone = "maxmemory_policy:noeviction\nrole:master\naof_enabled:0\nconnected_slaves:";
        assert!(info(&format!("{lone}0\n")).warnings()[0].contains("appendonly"));
        assert!(info(&format!("{lone}1\n")).warnings().is_empty());
        assert!(
            info("aof_enabled:1\nconnected_slaves:0\n")
                .warnings()
                .is_empty()
        );
    }

    #[test]
    fn an_account_that_may_not_ask_is_no_failure() {
        let refused = redis::parse_redis_value(b"-NOPERM no permissions\r\n").unwrap();
        let health = health(refused);
        assert_eq!(health.version(), None);
        let warnings = health.warnings();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("revoke_everything"), "{warnings:?}");
    }
}
