//! A master, its replica, and the three sentinels that watch them.

use std::{collections::HashMap, time::Duration};

use ::redis::from_redis_value;
use futures_util::future::join_all;

use super::{
    clock::ServerClock,
    process::args,
    scratch::Scratch,
    server::{Env, Launch, Server},
    wait::until,
};

/// Longer than the parts take to find each other.
const FORMATION: Duration = Duration::from_secs(20);

/// Longer than a failover takes, one repeated for lack of a majority included.
const FAILOVER: Duration = Duration::from_secs(20);

/// A replica is served at once instead of waiting for others to share a snapshot with. And a clock that
/// is moved by minutes is no reason to give up the other side.
const REPLICATION: [&str; 4] = [
    "--repl-diskless-sync-delay",
    "0",
    "--repl-timeout",
    "1000000",
];

/// Two servers under Sentinel. All parts end when it is dropped.
#[derive(Debug)]
pub(crate) struct Replicated {
    master: Server,
    replica: Server,
    sentinels: Vec<Server>,
}

impl Replicated {
    /// The sentinels' name for the pair.
    pub(crate) const NAME: &str = "sessions";

    /// Returns when the replica follows and all sentinels know each other.
    pub(crate) async fn start() -> Self {
        Self::launch(Vec::new, Vec::new).await
    }

    /// The master and the replica have clocks of their own, which stand at `start_ms` both. The
    /// sentinels keep the real time.
    pub(crate) async fn with_clocks(start_ms: i64) -> (Self, [ServerClock; 2]) {
        let clocks = [(); 2].map(|()| ServerClock::new(start_ms));
        let this = Self::launch(|| clocks[0].env(), || clocks[1].env()).await;
        (this, clocks)
    }

    async fn launch(master_env: impl Fn() -> Env, replica_env: impl Fn() -> Env) -> Self {
        let master = Server::launch(|_| Launch {
            args: args(&REPLICATION),
            env: master_env(),
            ..Launch::default()
        })
        .await;
        let port = master.port().to_string();
        let replica = Server::launch(|_| Launch {
            args: [
                args(&REPLICATION),
                args(&["--replicaof", "127.0.0.1", &port]),
            ]
            .concat(),
            env: replica_env(),
            ..Launch::default()
        })
        .await;
        let mut this = Self {
            master,
            replica,
            sentinels: Vec::new(),
        };
        this.wait_for_replica().await;
        // Only now, so that they find the replica when they first look at the master.
        this.sentinels = join_all((0..3).map(|_| sentinel(&port))).await;
        for sentinel in &this.sentinels {
            until("sentinels know each other", FORMATION, || {
                complete(sentinel)
            })
            .await;
        }
        this
    }

    /// For the client's list of sentinels.
    pub(crate) fn sentinel_urls(&self) -> Vec<String> {
        let urls = self
            .sentinels
            .iter()
            .map(|sentinel| sentinel.url().to_owned());
        urls.collect()
    }

    pub(crate) fn sentinels(&self) -> &[Server] {
        &self.sentinels
    }

    /// The server that was the master at the start.
    pub(crate) fn master(&self) -> &Server {
        &self.master
    }

    /// The server that was the replica at the start.
    pub(crate) fn replica(&self) -> &Server {
        &self.replica
    }

    /// Writes from now on do not reach the replica, while both run and answer and no sentinel
    /// objects. Those before have reached it.
    ///
    /// Sentinels promote no replica that has been without its master for ten seconds. That is ten times as long as they
    /// take to call a server down. So kill the master before.
    pub(crate) async fn cut_replication(&self) {
        self.wait_for_replica().await;
        // As whom the replica may not sign in. It tries again each second. One that may sign in and
        // not replicate would try without a pause.
        let stranger = ["masteruser", "stranger", "masterauth", "nothing"];
        self.authenticate(stranger).await;
        let kill = ["CLIENT", "KILL", "TYPE", "replica"];
        self.master.command(&kill).await;
        until("the replica is cut off", FORMATION, || async {
            self.master.has_info("connected_slaves", "0").await?;
            self.replica.has_info("master_link_status", "down").await
        })
        .await;
    }

    /// Undoes [`cut_replication`](Self::cut_replication); the replica catches up.
    pub(crate) async fn mend_replication(&self) {
        self.authenticate(Self::DEFAULT_USER).await;
        self.wait_for_replica().await;
    }

    const DEFAULT_USER: [&str; 4] = ["masteruser", "", "masterauth", ""];

    /// How the replica signs in with its master.
    async fn authenticate(&self, settings: [&str; 4]) {
        let mut command = vec!["CONFIG", "SET"];
        command.extend(settings);
        self.replica.command(&command).await;
    }

    /// Returns when the replica has all that its master has.
    pub(crate) async fn wait_for_replica(&self) {
        until("the replica follows", FORMATION, || {
            self.replica.follows(&self.master)
        })
        .await;
    }

    /// Returns when the replica is the master and every sentinel that runs says so. Ends a cut.
    pub(crate) async fn wait_for_promotion(&self) {
        until("the replica is promoted", FAILOVER, || async {
            self.replica.has_info("role", "master").await?;
            let wanted = self.replica.port().to_string();
            for sentinel in self
                .sentinels
                .iter()
                .filter(|sentinel| sentinel.is_running())
            {
                let ask = ["SENTINEL", "get-master-addr-by-name", Self::NAME];
                let answer = sentinel.try_command(&ask).await;
                let answer = answer.map_err(|error| error.to_string())?;
                let address: Vec<String> = from_redis_value(answer).unwrap_or_default();
                if address.get(1) != Some(&wanted) {
                    return Err(format!("a sentinel names {address:?}"));
                }
            }
            Ok(())
        })
        .await;
        // Should it become a replica again, nothing is cut.
        self.authenticate(Self::DEFAULT_USER).await;
    }

    /// Makes the replica take the place of its master, which goes on as a replica. A sentinel gives up where a busy
    /// machine delays it. So it is asked until the replica is the master.
    pub(crate) async fn hand_over(&self) {
        let sentinel = &self.sentinels()[0];
        until("the replica takes over", FAILOVER, || async {
            let role = self.replica.has_info("role", "master").await;
            if role.is_err() {
                let ask = ["SENTINEL", "FAILOVER", Self::NAME];
                let answer = sentinel.try_command(&ask).await;
                role.map_err(|role| format!("{role}; {answer:?}"))?;
            }
            Ok(())
        })
        .await;
        self.wait_for_promotion().await;
    }

    /// Kills the master and waits until the replica has taken its place.
    pub(crate) async fn fail_over(&self) {
        self.master.kill();
        self.wait_for_promotion().await;
    }
}

/// After so many milliseconds without an answer a sentinel calls a server down. Half of it would make failovers
/// quicker. It would also begin one when a busy machine does not schedule the master in time.
const DOWN_AFTER_MS: u64 = 1000;

async fn sentinel(master: &str) -> Server {
    let name = Replicated::NAME;
    let config = format!(
        "sentinel monitor {name} 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds {name} {DOWN_AFTER_MS}\n\
         sentinel failover-timeout {name} 3000\n"
    );
    let sentinel = Server::launch(|_: &Scratch| Launch {
        args: args(&["--sentinel"]),
        config: Some(config.clone()),
        ..Launch::default()
    })
    .await;
    // Seconds become tenths of them. A sentinel that was not scheduled for two seconds would
    // otherwise do nothing for thirty, and these machines are busy.
    let hurry = [
        ["publish-period", "200"],
        ["info-period", "200"],
        ["ask-period", "200"],
        ["tilt-trigger", "8000"],
        ["tilt-period", "1000"],
    ];
    let mut command = vec!["SENTINEL", "DEBUG"];
    command.extend(hurry.as_flattened());
    sentinel.command(&command).await;
    sentinel
}

/// Whether this sentinel is content and knows the replica and the other two.
async fn complete(sentinel: &Server) -> Result<(), String> {
    let name = Replicated::NAME;
    let master = sentinel.try_command(&["SENTINEL", "MASTER", name]).await;
    let replicas = sentinel.try_command(&["SENTINEL", "REPLICAS", name]).await;
    let read = |error: ::redis::RedisError| error.to_string();
    let master: HashMap<String, String> =
        from_redis_value(master.map_err(read)?).map_err(|error| error.to_string())?;
    let replicas: Vec<HashMap<String, String>> =
        from_redis_value(replicas.map_err(read)?).map_err(|error| error.to_string())?;
    let says = |map: &HashMap<String, String>, field: &str, wanted: &str| {
        map.get(field).is_some_and(|value| value == wanted)
    };
    let complete = says(&master, "flags", "master")
        && says(&master, "num-other-sentinels", "2")
        && replicas.len() == 1
        && says(&replicas[0], "flags", "slave")
        && says(&replicas[0], "master-link-status", "ok");
    if complete {
        return Ok(());
    }
    Err(format!("{master:?}, {replicas:?}"))
}
