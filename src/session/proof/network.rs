//! How a network treats requests and answers.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

#[derive(Clone, Copy)]
pub(super) struct Network {
    /// How many of the round trips are slow, and for how long at most, in seconds.
    pub(super) tail: f64,
    pub(super) tail_to: f64,
    /// How many answers never arrive.
    pub(super) lost: f64,
    /// How many requests reach the server twice.
    pub(super) twice: f64,
    /// How many answers wait for a device that sleeps, from a minute to an hour.
    pub(super) asleep: f64,
    /// After how many milliseconds a page gives up, and takes no answer any more.
    pub(super) patience: u64,
}

/// A request and its answer on their ways, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Trip {
    pub(super) there: u64,
    pub(super) back: u64,
}

impl Network {
    pub(super) const USUAL: Self = Self {
        tail: 0.03,
        tail_to: 12.0,
        lost: 0.01,
        twice: 0.01,
        asleep: 0.0,
        patience: u64::MAX,
    };

    /// A round trip, cut at random into the way there and the way back.
    pub(super) fn trip(&self, rng: &mut ChaCha8Rng) -> Trip {
        let seconds = if rng.random_bool(self.tail) {
            rng.random_range(0.5..self.tail_to)
        } else {
            // Log-normal with a median of 0.1 s; the sum of twelve uniforms is normal enough.
            let normal: f64 = (0..12).map(|_| rng.random_range(0.0..1.0)).sum::<f64>() - 6.0;
            0.1 * (0.5 * normal).exp()
        };
        let there = rng.random_range(0.0..1.0);
        let sleeps = self.asleep > 0.0 && rng.random_bool(self.asleep);
        let nap = if sleeps {
            rng.random_range(60.0..3600.0)
        } else {
            0.0
        };
        let millis = |seconds: f64| (seconds * 1000.0) as u64;
        Trip {
            there: millis(seconds * there),
            back: millis(seconds * (1.0 - there) + nap),
        }
    }
}
