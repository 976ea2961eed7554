//! The store in Redis, beside `redis-benchmark` on the same server in the same run.
//!
//! The server has one thread for commands, and the script runs longest there. So the store's rate is told as a share of
//! the server's rate with that script alone.
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

use std::{process::Command, time::Duration};

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
    run.report("store/redis/sign_ins", sign_ins);
}

/// Sign-ins of a user with many sessions, below the limit and at it. Also the time of another user's loads meanwhile,
/// over the same store.
fn sign_ins(run: &Run, name: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for sessions in run.size(vec![10, 1_000, 10_000], vec![10]) {
        for limit in [sessions * 2, sessions] {
            let count = run.size(50, 2);
            let (mut took, mut loads) = runtime.block_on(signing_in(sessions, limit, count));
            println!(
                "{name}: {sessions} sessions, limit {limit}: a sign-in takes {}; others' loads {}",
                spread(&mut took),
                spread(&mut loads),
            );
        }
    }
}

/// How long each sign-in and each load took, in milliseconds.
async fn signing_in(sessions: usize, limit: usize, count: usize) -> (Vec<f64>, Vec<f64>) {
    let server = Server::start().await;
    let store = RedisStore::builder(server.url())
        .response_timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    let person = session(7, 1, 3600);
    let numbered = |number: usize| {
        let mut bytes = person.encode();
        bytes[1..9].copy_from_slice(&number.to_be_bytes());
        SessionRecord::decode(&bytes).unwrap()
    };
    let key = format!("tower-bearer:s:{}", person.key().subject());
    let mut connection = server.connection().await.unwrap();
    for numbers in (0..sessions).collect::<Vec<_>>().chunks(500) {
        let mut write = redis::cmd("HSET");
        write.arg(&key);
        for record in numbers.iter().map(|number| numbered(*number)) {
            write.arg(record.id().to_string()).arg(record.encode());
        }
        write.exec_async(&mut connection).await.unwrap();
    }
    let other = session(8, 1, 3600);
    store.insert(&other, 9).await.unwrap();

    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let loading = {
        let (store, key) = (store.clone(), other.key());
        tokio::spawn(async move {
            let mut loads = Vec::new();
            while stopped.try_recv().is_err() {
                let begun = tokio::time::Instant::now();
                store.load(&key).await.unwrap();
                loads.push(begun.elapsed().as_secs_f64() * 1e3);
                tokio::time::sleep(Duration::from_micros(500)).await;
            }
            loads
        })
    };
    let mut took = Vec::new();
    for number in sessions..sessions + count {
        let record = numbered(number);
        let begun = tokio::time::Instant::now();
        store.insert(&record, limit).await.unwrap();
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    stop.send(()).unwrap();
    (took, loading.await.unwrap())
}

/// The middle, the 99th of a hundred, and the longest.
fn spread(millis: &mut [f64]) -> String {
    millis.sort_by(f64::total_cmp);
    let at = |share: f64| millis[((millis.len() - 1) as f64 * share) as usize];
    format!("{:.2} / {:.2} / {:.2} ms", at(0.5), at(0.99), at(1.0))
}

/// The measured part, in rounds that take turns. So other work of the machine meanwhile concerns all.
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
        let text = include_str!("../src/store/redis/scripts/swap.lua");
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
