//! The store in Redis, beside `redis-benchmark` on the same server in the same run.
//!
//! The server has one thread for commands, and what runs there longest is the script; so what the
//! store reaches is told as a share of what the server can do with that script at all.
//!
//! Apart from the bench `store`, which counts allocations and pays for that.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

#[path = "../tests/it/support/redis/mod.rs"]
mod redis_servers;
#[path = "support/mod.rs"]
#[allow(dead_code, reason = "each bench uses a part of it")]
mod support;

use std::process::Command;

use tokio::task::JoinSet;
use tower_bearer::{
    RedisStore,
    store::{RefreshStore, SessionRecord, Swap},
};

use crate::{
    redis_servers::Server,
    support::{
        run::{Run, timed},
        sessions::session,
    },
};

/// Requests under way at one time, each for a session of its own.
const TASKS: u64 = 64;

fn main() {
    let run = Run::from_args();
    run.report("store/redis/rotations", report);
}

/// What is measured: rounds of it, in turn, so that what the machine does meanwhile concerns all.
#[derive(Clone, Copy)]
enum Part {
    /// The script alone, by the server's own tool.
    Tool,
    /// The swap of one record for another.
    Swap,
    /// A refresh: a load and a swap.
    Refresh,
}

fn report(run: &Run, name: &str) {
    // One thread for the client, as the tool has; the server has the other.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(Server::start());
    let store = RedisStore::new(server.url()).unwrap();
    let pairs: Vec<_> = (0..TASKS)
        .map(|n| [session(n, 1, 3600), session(n, 2, 3600)])
        .collect();
    runtime.block_on(async {
        for [first, _] in &pairs {
            store.insert(first, 9).await.unwrap();
        }
    });
    let script = Script::load(&server, &pairs[0][0], &runtime);

    let rounds = run.size(9, 1);
    let each = run.size(4_000, 4);
    let mut rates: [Vec<f64>; 3] = Default::default();
    for _ in 0..rounds {
        for (part, rates) in [Part::Tool, Part::Swap, Part::Refresh]
            .into_iter()
            .zip(&mut rates)
        {
            rates.push(match part {
                Part::Tool => script.rate(&server, each * TASKS),
                Part::Swap => rate(&runtime, &store, &pairs, each, false),
                Part::Refresh => rate(&runtime, &store, &pairs, each, true),
            });
        }
    }
    let [tool, swap, refresh] = &rates;
    let share = |part: &[f64]| {
        let mut shares: Vec<_> = part
            .iter()
            .zip(tool)
            .map(|(part, tool)| part / tool)
            .collect();
        median(&mut shares)
    };
    println!(
        "{name}: redis-benchmark -P 16 runs the script {:.0} times a second; {TASKS} tasks swap \
         {:.0} times and refresh {:.0} times a second",
        median(&mut tool.clone()),
        median(&mut swap.clone()),
        median(&mut refresh.clone()),
    );
    println!("ratio redis_swap/redis_benchmark {:.2}", share(swap));
    println!("ratio redis_refresh/redis_benchmark {:.2}", share(refresh));
}

/// Rotations a second of all tasks together, each to and fro between two records.
fn rate(
    runtime: &tokio::runtime::Runtime,
    store: &RedisStore,
    pairs: &[[SessionRecord; 2]],
    each: u64,
    loads: bool,
) -> f64 {
    let (_, took) = timed(|| {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for [first, second] in pairs.iter().cloned() {
                let store = store.clone();
                tasks.spawn(async move {
                    let (mut current, mut next) = (first, second);
                    for _ in 0..each {
                        if loads {
                            let loaded = store.load(&current.key()).await.unwrap().into_record();
                            assert!(loaded.as_ref() == Some(&current));
                        }
                        let done = store.swap(&current, &next).await.unwrap();
                        assert!(matches!(done, Swap::Applied));
                        std::mem::swap(&mut current, &mut next);
                    }
                });
            }
            while let Some(done) = tasks.join_next().await {
                done.unwrap();
            }
        });
    });
    (pairs.len() as u64 * each) as f64 / took.as_secs_f64()
}

/// The store's own script, for the tool.
struct Script {
    digest: String,
    /// As many bytes as a record has; the tool takes no zeros.
    record: String,
}

impl Script {
    fn load(server: &Server, record: &SessionRecord, runtime: &tokio::runtime::Runtime) -> Self {
        let text = include_str!("../src/store/redis/swap.lua");
        let record = "r".repeat(record.encode().len());
        let digest = runtime.block_on(async {
            server.command(&["HSET", "bench", "session", &record]).await;
            server.command(&["SCRIPT", "LOAD", text]).await
        });
        Self {
            digest: redis::from_redis_value(digest).unwrap(),
            record,
        }
    }

    /// How often a second the server replaces a record by it.
    fn rate(&self, server: &Server, count: u64) -> f64 {
        let output = Command::new("redis-benchmark")
            .args([
                "-p",
                &server.port().to_string(),
                "-c",
                &TASKS.to_string(),
                "-P",
                "16",
            ])
            .args([
                "-n",
                &count.to_string(),
                "--csv",
                "EVALSHA",
                &self.digest,
                "1",
                "bench",
            ])
            .args(["session", &self.record, &self.record])
            .output()
            .expect("redis-benchmark: `apt-get install redis-server` brings it");
        let text = String::from_utf8_lossy(&output.stdout);
        // The last line: the command, and as the second field what we want.
        let line = text.lines().last().unwrap_or_default();
        let rate = line
            .rsplit("\",\"")
            .nth(6)
            .and_then(|rate| rate.parse().ok());
        rate.unwrap_or_else(|| panic!("redis-benchmark says: {text}"))
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
