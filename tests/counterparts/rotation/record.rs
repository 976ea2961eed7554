//! The life of each key, and how each request with one of its tokens ended.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::Instant;

/// With fewer requests in it, a time says nothing.
const FEWEST: usize = 10;

pub(super) struct Record {
    begin: Instant,
    keys: Mutex<BTreeMap<String, Key>>,
}

/// All of one key.
#[derive(Default)]
struct Key {
    published: Duration,
    /// Published for a whole lifetime before it was used.
    announced: bool,
    withdrawn: Option<Duration>,
    asked: Vec<Asked>,
}

/// A request with a token of the key.
struct Asked {
    begin: Duration,
    end: Duration,
    status: u16,
}

impl Record {
    pub(super) fn new() -> Self {
        Self {
            begin: Instant::now(),
            keys: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    fn keys(&self) -> MutexGuard<'_, BTreeMap<String, Key>> {
        self.keys.lock().unwrap()
    }

    /// These are the issuer's keys now.
    pub(super) fn published<'a>(&self, kids: impl Iterator<Item = &'a str>) {
        let (now, kids) = (self.now(), kids.collect::<Vec<_>>());
        let mut keys = self.keys();
        for (kid, key) in keys.iter_mut() {
            if !kids.contains(&kid.as_str()) {
                key.withdrawn.get_or_insert(now);
            }
        }
        for kid in kids {
            let new = || Key {
                published: now,
                ..Key::default()
            };
            keys.entry(kid.to_owned()).or_insert_with(new);
        }
    }

    pub(super) fn was_announced(&self, kid: &str) {
        self.keys().get_mut(kid).unwrap().announced = true;
    }

    /// A request with a token of this key, which began then, has ended now.
    pub(super) fn asked(&self, kid: &str, begin: Duration, status: u16) {
        let end = self.now();
        let asked = Asked { begin, end, status };
        // Its first token may be there before the test is told that it is published.
        self.keys()
            .entry(kid.to_owned())
            .or_insert_with(|| Key {
                published: begin,
                ..Key::default()
            })
            .asked
            .push(asked);
    }

    /// Fails unless each key was accepted from `known` after it was published until it was withdrawn. From `gone` after
    /// that it must be refused.
    pub(super) fn check(&self, known: Duration, gone: Duration) {
        for (kid, key) in self.keys().iter() {
            let known = match key.announced {
                true => Duration::ZERO,
                false => key.published + known,
            };
            let (mut honest, mut late) = (0, 0);
            for asked in &key.asked {
                let Asked { begin, end, status } = asked;
                let what = format!("{kid}: {status}, asked at {begin:?} and answered at {end:?}");
                assert!([200, 401].contains(status), "{what}");
                if *begin >= known && key.withdrawn.is_none_or(|withdrawn| *end < withdrawn) {
                    honest += 1;
                    assert_eq!(*status, 200, "{what}");
                }
                if key
                    .withdrawn
                    .is_some_and(|withdrawn| *begin >= withdrawn + gone)
                {
                    late += 1;
                    assert_eq!(*status, 401, "{what}");
                }
            }
            assert!(honest >= FEWEST, "{kid}: {honest} honest requests");
            assert!(
                key.withdrawn.is_none() || late >= FEWEST,
                "{kid}: {late} requests after the end"
            );
        }
    }
}

/// The life of each key, and how many requests ended with which status.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kid, key) in self.keys().iter() {
            let secs = |at: Duration| format!("{:.2} s", at.as_secs_f64());
            write!(f, "{kid}: published {}", secs(key.published))?;
            if let Some(withdrawn) = key.withdrawn {
                write!(f, ", withdrawn {}", secs(withdrawn))?;
            }
            let mut counts = BTreeMap::<u16, usize>::new();
            for asked in &key.asked {
                *counts.entry(asked.status).or_default() += 1;
            }
            let accepted = || key.asked.iter().filter(|asked| asked.status == 200);
            if let (Some(first), Some(last)) = (
                accepted().map(|asked| asked.begin).min(),
                accepted().map(|asked| asked.begin).max(),
            ) {
                write!(f, ", accepted {} to {}", secs(first), secs(last))?;
            }
            writeln!(f, ", {counts:?}")?;
        }
        Ok(())
    }
}
