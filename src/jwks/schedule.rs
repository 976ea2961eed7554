//! When to ask an issuer, how long to rely on its answer, and what to say meanwhile. Nothing here
//! reads a clock, draws a random number or does I/O.

use std::time::Duration;

use http::HeaderValue;

use super::{error::JwksError, point_in_time::PointInTime, retry_after};
use crate::clock::Timestamp;

/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Where it stops: an issuer that comes back is noticed within a minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The `Retry-After` for clients while a request is under way: most take less.
const SOON: Duration = Duration::from_secs(1);
/// How late a request may be, beside its own time-out, before the task counts as gone.
const GRACE: Duration = Duration::from_secs(120);

/// The limits that were configured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long a set is fresh whose issuer does not say.
    pub(super) lifetime: Duration,
    /// Nothing is fresh for less,
    pub(super) floor: Duration,
    /// and nothing for more.
    pub(super) ceiling: Duration,
    /// How long a set still verifies when it is stale and no other can be fetched.
    pub(super) stale_limit: Duration,
    /// How long after an answer missing keys cause no request.
    pub(super) cool_down: Duration,
    /// How long one request may take,
    pub(super) timeout: Duration,
    /// and how many there are in a round at most.
    pub(super) requests: u32,
}

/// Where between two points in time something happens, so that many instances do not do it at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter(pub(super) u16);

impl Jitter {
    /// When to ask again for a set that is fresh for `lifetime`. It is before the end, so that no request ever waits
    /// for the new one.
    pub(super) fn before_the_end_of(self, lifetime: Duration) -> Duration {
        self.part(lifetime, 12, 14)
    }

    /// How long to send an issuer no request after an `error`, and no less than `pause`, or half of it. Services that
    /// got the same time do not all come back at once.
    fn after(self, error: &JwksError, pause: Duration) -> Duration {
        let own = self.part(pause, 8, 16);
        let asked = error.retry_after().map(|asked| self.part(asked, 16, 18));
        asked.map_or(own, |asked| asked.min(retry_after::LONGEST).max(own))
    }

    /// The same where nothing hurries.
    pub(super) fn after_failure(self, error: &JwksError) -> Duration {
        self.after(error, LONGEST_PAUSE)
    }

    /// Between `least` sixteenths and `most` sixteenths of `of`.
    fn part(self, of: Duration, least: u32, most: u32) -> Duration {
        let low = of / 16 * least;
        let high = of / 16 * most;
        low + (high - low).mul_f64(f64::from(self.0) / f64::from(u16::MAX))
    }
}

/// The set that the ring holds.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// Of its text, so that an equal one is known without a look at its keys.
    pub(super) digest: Option<[u8; 32]>,
    pub(super) etag: Option<HeaderValue>,
    /// How long it is fresh, from when it was last confirmed.
    pub(super) lifetime: Duration,
    /// When the issuer last said that this is its set.
    pub(super) confirmed: PointInTime,
    /// Until when the metadata are fresh that named its address, where some did.
    pub(super) named_until: Option<PointInTime>,
}

/// The effect of a missing key on the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Nothing: one is under way, or due after a pause that is not shortened.
    Unchanged,
    /// It has to begin now.
    Now,
    /// It has to begin when the cool-down is over.
    AfterCoolDown,
}

/// Whether a set without a usable key is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Not yet: it is asked for once more.
    First,
    /// It is, with the same text as the first.
    SameAgain,
    /// It is, with another.
    OtherAgain,
}

/// All that is known of an issuer.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) held: Option<Held>,
    /// Since when a request is wanted or under way, by the monotonic time.
    busy_since: Option<Duration>,
    /// A key was missing during the cool-down.
    wanted: bool,
    /// A key was missing while a request was under way, whose answer may have been made before.
    wanted_again: bool,
    /// The issuer's last set, by its text, if it had no usable key and is not believed yet.
    doubted: Option<[u8; 32]>,
    /// When the issuer last answered with a set, by the monotonic time.
    answered: Option<Duration>,
    /// When the next request is due of itself: at once, in the beginning.
    pub(super) next: PointInTime,
    /// How many have failed since one succeeded.
    pub(super) failures: u32,
    /// How long the pause after the last of them is.
    pause: Duration,
    pub(super) last_error: Option<JwksError>,
}

impl Limits {
    /// How long an answer is fresh that says `stated` of itself.
    pub(super) fn fresh_for(&self, stated: Option<Duration>) -> Duration {
        stated
            .unwrap_or(self.lifetime)
            .clamp(self.floor, self.ceiling)
    }

    /// How long after a request was due its task counts as gone.
    pub(super) fn overdue(&self) -> Duration {
        self.timeout * self.requests + GRACE
    }

    /// Until when a set verifies if it is never confirmed again, nor the address that it came from.
    pub(super) fn usable_until(&self, held: &Held) -> PointInTime {
        let by_itself = held.confirmed.after(held.lifetime + self.stale_limit);
        held.named_until.map_or(by_itself, |until| {
            by_itself.or_earlier(until.after(self.stale_limit))
        })
    }

    /// Whether what was fresh until then is past its stale limit.
    pub(super) fn over_for(&self, fresh_until: PointInTime, now: PointInTime) -> bool {
        fresh_until.after(self.stale_limit).left(now).is_zero()
    }
}

impl State {
    /// Notes that a token needs a key which is not there.
    ///
    /// However many requests ask, they cause one request to the issuer a cool-down. None is sent before the pause
    /// after a failure is over. A key that is missed during the cool-down is requested at its end. The client need
    /// not send its token again for that.
    pub(super) fn want(&mut self, limits: &Limits, now: PointInTime) -> Want {
        let Some(answered) = self.answered else {
            return Want::Unchanged;
        };
        if self.is_busy() {
            self.wanted_again = true;
            return Want::Unchanged;
        }
        if self.failures > 0 {
            return Want::Unchanged;
        }
        if now.elapsed < answered + limits.cool_down {
            return match std::mem::replace(&mut self.wanted, true) {
                true => Want::Unchanged,
                false => Want::AfterCoolDown,
            };
        }
        self.begin(now);
        Want::Now
    }

    /// A request is wanted now, or has begun. Returns whether it was so before.
    pub(super) fn begin(&mut self, now: PointInTime) -> bool {
        let before = self.is_busy();
        self.busy_since.get_or_insert(now.elapsed);
        before
    }

    /// Whether a request is wanted or under way.
    pub(super) fn is_busy(&self) -> bool {
        self.busy_since.is_some()
    }

    /// How long until a request is due.
    pub(super) fn left(&self, limits: &Limits, now: PointInTime) -> Duration {
        if self.is_busy() {
            return Duration::ZERO;
        }
        let left = self.next.left(now);
        match self.answered {
            Some(answered) if self.wanted => {
                let cooled = answered + limits.cool_down;
                left.min(cooled.saturating_sub(now.elapsed))
            }
            _ => left,
        }
    }

    /// How long until the current set must not be used any more, if there is one.
    pub(super) fn usable_for(&self, limits: &Limits, now: PointInTime) -> Option<Duration> {
        let held = self.held.as_ref()?;
        Some(limits.usable_until(held).left(now))
    }

    /// Whether the current set is past its limit by the monotonic time.
    pub(super) fn is_over(&self, limits: &Limits, elapsed: Duration) -> bool {
        let held = self.held.as_ref();
        held.is_some_and(|held| limits.usable_until(held).elapsed <= elapsed)
    }

    /// When a client should come back after an answer that its token cannot be judged.
    pub(super) fn retry_after(&self, limits: &Limits, now: PointInTime) -> Duration {
        // Up to the whole second in which the next request is surely over or under way.
        let wait = self.left(limits, now).as_millis().div_ceil(1000);
        let longest = match self.pause > LONGEST_PAUSE {
            // The issuer has asked for it.
            true => retry_after::LONGEST,
            false => LONGEST_PAUSE,
        };
        Duration::from_secs(u64::try_from(wait).unwrap_or(u64::MAX)).clamp(SOON, longest)
    }

    /// Whether the task has not asked for so long that it must have ended. Its runtime has ended silently, or the
    /// task is blocked.
    pub(super) fn is_overdue(&self, limits: &Limits, now: PointInTime) -> bool {
        let due = match self.busy_since {
            Some(since) => since.min(self.next.elapsed),
            None => self.next.elapsed,
        };
        now.elapsed > due + limits.overdue()
    }

    /// From which date on a request has to see whether the task is still there.
    pub(super) fn ensure_running(&self, limits: &Limits) -> Timestamp {
        self.next.date + limits.overdue()
    }

    /// The issuer has answered with `held`, which is in the ring. It has a key that verifies, or none where it is not
    /// `usable`. True when the issuer had failed before.
    pub(super) fn succeeded(&mut self, held: Held, usable: bool, jitter: Jitter) -> bool {
        self.next = held.confirmed.after(match usable {
            true => jitter.before_the_end_of(held.lifetime),
            // No request comes to a service that is not ready, so that none would ask for a key.
            false => jitter.part(LONGEST_PAUSE, 8, 16),
        });
        self.answered = Some(held.confirmed.elapsed);
        self.held = Some(held);
        self.busy_since = None;
        self.wanted = std::mem::take(&mut self.wanted_again);
        self.doubted = None;
        self.last_error = None;
        self.pause = Duration::ZERO;
        std::mem::take(&mut self.failures) > 0
    }

    /// The issuer has answered with a set that has no usable key. The second in a row is to be believed: one
    /// alone may be a server that is starting.
    pub(super) fn doubt(&mut self, error: JwksError, set: &Held) -> Doubt {
        let digest = set.digest.unwrap_or_default();
        match self.doubted.replace(digest) {
            Some(before) if before == digest => Doubt::SameAgain,
            Some(_) => Doubt::OtherAgain,
            None => {
                self.failed(error, set.confirmed, Jitter(0));
                self.next = set.confirmed.after(FIRST_PAUSE);
                Doubt::First
            }
        }
    }

    /// The issuer has not answered, or not with a set.
    pub(super) fn failed(&mut self, error: JwksError, now: PointInTime, jitter: Jitter) {
        self.pause = jitter.after(&error, pause(self.failures));
        self.next = now.after(self.pause);
        self.busy_since = None;
        // It is asked again anyway, after the pause.
        (self.wanted, self.wanted_again) = (false, false);
        self.last_error = Some(error);
        self.failures = self.failures.saturating_add(1);
    }

    /// The task has ended. Another one begins soon, and not at once: what ended the one may end the
    /// other.
    pub(super) fn ended(&mut self, now: PointInTime) {
        self.busy_since = None;
        if self.failures == 0 {
            self.next = now.after(FIRST_PAUSE);
        }
    }

    /// A task begins that should have asked long ago: it does so at once.
    pub(super) fn started_late(&mut self, now: PointInTime) {
        self.next = now;
        self.busy_since = None;
    }

    /// The current set differs from the issuer's text now. The next answer is read, even if it is the same text.
    pub(super) fn held_was_changed(&mut self) {
        if let Some(held) = &mut self.held {
            (held.digest, held.etag) = (None, None);
        }
    }
}

/// How long to leave an issuer alone that has failed `before` times and once more.
fn pause(before: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << before.min(16))
        .min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
