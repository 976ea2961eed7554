//! Time as a value. This is the only file that reads the system clock.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Arithmetic saturates, so no clock, however wrong, overflows.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::Timestamp;
///
/// let t = Timestamp::from_secs(1_800_000_000);
/// assert_eq!((t + Duration::from_millis(1500)).as_millis(), 1_800_000_001_500);
/// assert_eq!(t.since(t + Duration::from_secs(5)), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Returns the time `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Returns the time `secs` seconds after the epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Returns the milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns whole seconds since the epoch, rounded down: a JWT `NumericDate` (RFC 7519 section
    /// 2).
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Returns how long ago `earlier` was; zero when it lies in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Timestamp {
    /// The same on the clock of the standard library; `None` before 1970.
    #[cfg(feature = "jwks")]
    pub(crate) fn of_system(time: SystemTime) -> Option<Self> {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        let millis = u64::try_from(rhs.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        let millis = u64::try_from(rhs.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(millis))
    }
}

/// Where the time comes from.
///
/// Everything that judges time in this crate takes it as a value. The clock is read once per
/// request, at the edge.
///
/// ```
/// use tower_bearer::{Clock, SystemClock, Timestamp};
///
/// /// A clock that is known to be behind by a minute.
/// #[derive(Debug)]
/// struct Late;
///
/// impl Clock for Late {
///     fn now(&self) -> Timestamp {
///         SystemClock.now() + std::time::Duration::from_secs(60)
///     }
/// }
/// # assert!(Late.now() > SystemClock.now());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell the time",
    label = "not a `Clock`",
    note = "`tower_bearer::SystemClock` is the default and needs no setting; tests take `tower_bearer::ManualClock`, \
            or a type of their own that implements `tower_bearer::Clock`"
)]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present time.
    fn now(&self) -> Timestamp;
}

/// The system's real-time clock.
///
/// ```
/// use tower_bearer::{Clock, SystemClock, Timestamp};
///
/// assert!(SystemClock.now() > Timestamp::from_secs(1_700_000_000));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    fn now(&self) -> Timestamp {
        // A clock before 1970 reads as the epoch: tokens are then refused as not yet valid.
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// The time on a clock that never goes back, since some moment in this process. It measures how long
/// things take and says nothing about the date.
#[cfg(any(feature = "metrics", feature = "redis"))]
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn monotonic() -> Duration {
    use std::{sync::OnceLock, time::Instant};
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// A clock that never goes back, of the runtime: what it measures ends even when the date is set
/// back. It stands still where a test has paused the runtime's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuntimeClock(tokio::time::Instant);

#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
impl RuntimeClock {
    pub(crate) fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// The time since it was started.
    pub(crate) fn elapsed(self) -> Duration {
        tokio::time::Instant::now().saturating_duration_since(self.0)
    }
}

/// A clock that stands still until a test moves it. Clones share the time.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
/// clock.advance(Duration::from_secs(901));
/// assert_eq!(clock.now(), Timestamp::from_secs(1_800_000_901));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Returns a clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(start.0)))
    }

    /// Moves the time forward by `by`, in whole milliseconds.
    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// Sets the time, backwards too.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}
