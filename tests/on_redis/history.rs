//! Histories of concurrent clients over one server, whose connections are cut every 40 ms. No forks, no lost updates,
//! no survivors.
//!
//! Bounded: four seconds, or as many as `TOWER_BEARER_STORM_SECONDS` says.

#[path = "../it/history/checker.rs"]
mod checker;
#[path = "../it/history/clients.rs"]
mod clients;

use std::{env, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tower_bearer::RedisStore;

use self::checker::Checked;
use crate::{
    stage,
    support::redis::{Proxy, Server},
};

const INSTANCES: usize = 4;
const CLIENTS: usize = 8;
/// Subjects at once.
const SUBJECTS: u64 = 4;
const CUT: Duration = Duration::from_millis(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_forks_no_lost_updates_no_survivors_on_redis() {
    let seconds = env::var("TOWER_BEARER_STORM_SECONDS").map_or(4, |text| text.parse().unwrap());
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let instances: Vec<RedisStore> = (0..INSTANCES).map(|_| stage::store(proxy.url())).collect();
    let stores: Vec<_> = instances.iter().cycle().take(CLIENTS).cloned().collect();
    let end = Instant::now() + Duration::from_secs(seconds);

    let mut tasks = JoinSet::new();
    for lane in 0..SUBJECTS {
        let stores = stores.clone();
        tasks.spawn(async move {
            let (mut sum, mut seed) = (Checked::default(), lane);
            while Instant::now() < end {
                sum += clients::act(&stores, seed, true).await;
                seed += SUBJECTS;
            }
            sum
        });
    }
    let cut = async {
        let mut cuts = 0;
        while Instant::now() < end {
            sleep(CUT).await;
            proxy.cut().await;
            cuts += 1;
        }
        cuts
    };
    let cuts = cut.await;
    let mut sum = Checked::default();
    while let Some(ended) = tasks.join_next().await {
        sum += ended.unwrap();
    }
    println!("{cuts} cuts on Redis: {sum:?}");
    assert!(sum.applied > 100 && sum.conflicts > 100, "{sum:?}");
    assert!(sum.revocations > 10, "{sum:?}");
}
