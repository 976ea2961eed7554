//! How this run was asked for, and what time it takes.

use std::{
    env,
    time::{Duration, Instant},
};

/// The arguments of the command line.
pub struct Run {
    /// Whether to measure, and not only to try.
    pub in_full: bool,
    lists: bool,
    filter: Option<String>,
}

impl Run {
    pub fn from_args() -> Self {
        let args: Vec<String> = env::args().skip(1).collect();
        let has = |flag: &str| args.iter().any(|arg| arg == flag);
        Self {
            in_full: has("--bench") && !has("--test"),
            lists: has("--list"),
            filter: args.iter().find(|arg| !arg.starts_with('-')).cloned(),
        }
    }

    /// `in_full` when it is measured, `tried` otherwise.
    pub fn size<T>(&self, in_full: T, tried: T) -> T {
        if self.in_full { in_full } else { tried }
    }

    /// Whether the filter names `name`, and more is wanted than a list.
    pub fn wants(&self, name: &str) -> bool {
        let filter = self.filter.as_deref().unwrap_or_default();
        !self.lists && name.contains(filter)
    }

    /// Runs a report that the filter names.
    pub fn report(&self, name: &str, report: impl FnOnce(&Self, &str)) {
        if self.wants(name) {
            report(self, name);
        }
    }
}

/// The result of `work`, and how long it took.
#[allow(clippy::disallowed_methods, reason = "a bench measures time")]
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}
