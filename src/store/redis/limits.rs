//! How long and how many.

use std::time::Duration;

/// The bounds of the work with a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long opening a connection may take.
    pub(super) connect: Duration,
    /// How long one answer may take, and how long a request waits for room.
    pub(super) response: Duration,
    /// How many requests of one runtime are under way at one time.
    pub(super) concurrency: usize,
    /// How long a server that does not answer is left alone.
    pub(super) pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            response: Duration::from_millis(500),
            concurrency: 512,
            pause: Duration::from_millis(500),
        }
    }
}
