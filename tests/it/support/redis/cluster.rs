//! A cluster of three masters with a replica each.

use std::{ops::RangeInclusive, time::Duration};

use ::redis::from_redis_value;
use futures_util::future::join_all;

use super::{
    migration::Migration,
    port::Port,
    process::args,
    server::{Launch, Server},
    wait::until,
};

const MASTERS: usize = 3;

const SLOTS: u16 = 16_384;

/// Longer than formation and failover take. A node waits two seconds before it calls the cluster complete. The cluster
/// first has to miss a dead one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Six nodes. All end when it is dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    nodes: Vec<Server>,
}

/// One node as another sees it: a line of `CLUSTER NODES`.
#[derive(Debug)]
struct Seen {
    port: u16,
    flags: String,
    epoch: u64,
    slots: Vec<RangeInclusive<u16>>,
}

impl Cluster {
    /// Nodes 0 to 2 are the masters, 3 to 5 their replicas. Returns when every slot is served and
    /// the replicas follow.
    pub(crate) async fn start() -> Self {
        let this = Self {
            nodes: join_all((0..2 * MASTERS).map(|_| node())).await,
        };
        this.assign().await;
        until("the nodes know each other", PATIENCE, || async {
            for node in &this.nodes {
                node.has_info_of_cluster("cluster_known_nodes", "6").await?;
            }
            Ok(())
        })
        .await;
        for (index, replica) in this.nodes[MASTERS..].iter().enumerate() {
            let id = this.id(index).await;
            until("a node becomes a replica", PATIENCE, || async {
                // Until gossip has told it of that master, it refuses.
                let command = replica.try_command(&["CLUSTER", "REPLICATE", &id]).await;
                command.map_err(|error| error.to_string())
            })
            .await;
        }
        this.wait_until_ok().await;
        this
    }

    /// Divides the slots among the masters and makes the nodes acquainted.
    async fn assign(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            // Epochs that differ from the start: nodes need not quarrel about who has which. They can be set as long as
            // a node knows no other.
            let epoch = (index + 1).to_string();
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await;
        }
        for (index, node) in self.nodes.iter().enumerate() {
            // Every node meets every other, because gossip takes its time.
            for other in &self.nodes[index + 1..] {
                let [port, bus] = [other.port(), other.second_port()].map(|port| port.to_string());
                node.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])
                    .await;
            }
        }
        let share = usize::from(SLOTS).div_ceil(MASTERS);
        for (index, node) in self.nodes[..MASTERS].iter().enumerate() {
            let first = index * share;
            let last = (first + share).min(usize::from(SLOTS)) - 1;
            let range = [first, last].map(|slot| slot.to_string());
            node.command(&["CLUSTER", "ADDSLOTSRANGE", &range[0], &range[1]])
                .await;
        }
    }

    /// For the client's list of nodes.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes
            .iter()
            .map(|node| node.url().to_owned())
            .collect()
    }

    pub(crate) fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// The slot of a key.
    pub(crate) async fn slot_of(&self, key: &str) -> u16 {
        let node = self.running().next().expect("a node runs").1;
        from_redis_value(node.command(&["CLUSTER", "KEYSLOT", key]).await).unwrap()
    }

    /// Which of [`nodes`](Self::nodes) serves the slot by its own account.
    pub(crate) async fn master_of(&self, slot: u16) -> usize {
        let mut best = None;
        for (index, node) in self.running() {
            let seen = look(node).await.unwrap();
            let own = seen.into_iter().find(|seen| seen.flags.contains("myself"));
            if let Some(own) = own.filter(|own| own.has(slot)) {
                // One that comes back does not know yet what it lost; the higher epoch is right.
                best = best.max(Some((own.epoch, index)));
            }
        }
        best.expect("a node that runs serves the slot").1
    }

    /// Kills the master of the slot and returns which of the nodes that was.
    pub(crate) async fn kill_master_of(&self, slot: u16) -> usize {
        let index = self.master_of(slot).await;
        self.nodes[index].kill();
        index
    }

    /// Begins to move a slot to the node `to`, a master.
    pub(crate) async fn begin_migration(&self, slot: u16, to: usize) -> Migration<'_> {
        Migration::begin(self, slot, to).await
    }

    /// Moves a slot and its keys to the node `to`, a master. In the pause after each key clients meet `ASK` for those
    /// that have gone. Afterwards they meet `MOVED` for all.
    pub(crate) async fn migrate_slot(&self, slot: u16, to: usize, pause: Duration) {
        let migration = self.begin_migration(slot, to).await;
        while migration.move_one().await.is_some() {
            tokio::time::sleep(pause).await;
        }
        migration.finish().await;
    }

    /// Returns when all nodes that run agree who of them serves each slot, and the replicas among
    /// them follow.
    pub(crate) async fn wait_until_ok(&self) {
        until("the cluster is complete", PATIENCE, || async {
            let mut agreed = None;
            for (index, node) in self.running() {
                node.has_info_of_cluster("cluster_state", "ok").await?;
                if node.try_info("role").await? == "slave" {
                    node.follows(self.leader(node).await?).await?;
                }
                let owners = self.owners(&look(node).await?);
                let owners = owners.map_err(|error| format!("node {index}: {error}"))?;
                if agreed.get_or_insert_with(|| owners.clone()) != &owners {
                    return Err(format!("node {index} differs from the others"));
                }
            }
            agreed.map(|_| ()).ok_or_else(|| "no node runs".to_owned())
        })
        .await;
    }

    /// The node that this replica follows.
    async fn leader(&self, replica: &Server) -> Result<&Server, String> {
        let port = replica.try_info("master_port").await?;
        let leader = self
            .nodes
            .iter()
            .find(|node| node.port().to_string() == port);
        leader.ok_or_else(|| format!("no node has port {port}"))
    }

    /// The port of each slot's master, where that is a node that runs.
    fn owners(&self, seen: &[Seen]) -> Result<Vec<u16>, String> {
        let mut owners = vec![0; usize::from(SLOTS)];
        for seen in seen {
            let running = self.running().any(|(_, node)| node.port() == seen.port);
            for slot in seen.slots.iter().cloned().flatten() {
                if !running || seen.flags.contains("fail") {
                    return Err(format!("slot {slot} is with a dead node, {seen:?}"));
                }
                owners[usize::from(slot)] = seen.port;
            }
        }
        match owners.iter().position(|&port| port == 0) {
            None => Ok(owners),
            Some(slot) => Err(format!("slot {slot} has no node")),
        }
    }

    pub(super) async fn id(&self, index: usize) -> String {
        from_redis_value(self.nodes[index].command(&["CLUSTER", "MYID"]).await).unwrap()
    }

    /// The masters that run, with their places among the nodes.
    pub(super) async fn masters(&self) -> Vec<usize> {
        let mut masters = Vec::new();
        for (index, node) in self.running() {
            if node.info("role").await.as_deref() == Some("master") {
                masters.push(index);
            }
        }
        masters
    }

    fn running(&self) -> impl Iterator<Item = (usize, &Server)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, node)| node.is_running())
    }
}

async fn node() -> Server {
    Server::launch(|_| {
        let bus = Port::reserve();
        Launch {
            args: args(&[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus.number().to_string(),
                // Long for nodes that a busy machine does not schedule, short to wait for.
                "--cluster-node-timeout",
                "1500",
                // However long it was without its master, a replica may take its place.
                "--cluster-replica-validity-factor",
                "0",
                // Replicas stay with their masters, so that tests know who succeeds whom.
                "--cluster-allow-replica-migration",
                "no",
                "--repl-diskless-sync-delay",
                "0",
            ]),
            more_ports: vec![bus],
            ..Launch::default()
        }
    })
    .await
}

impl Server {
    async fn has_info_of_cluster(&self, field: &str, wanted: &str) -> Result<(), String> {
        let info = self.try_text(&["CLUSTER", "INFO"]).await?;
        let line = format!("{field}:{wanted}");
        if info.lines().any(|present| present == line) {
            return Ok(());
        }
        Err(format!("port {}: {info}", self.port()))
    }
}

/// All nodes as this one sees them.
async fn look(node: &Server) -> Result<Vec<Seen>, String> {
    let nodes = node.try_text(&["CLUSTER", "NODES"]).await?;
    nodes
        .lines()
        .map(|line| Seen::parse(line).ok_or_else(|| line.to_owned()))
        .collect()
}

impl Seen {
    /// `id ip:port@bus flags master ping pong epoch link slots...`
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let &[_, address, flags, _, _, _, epoch, _, ref slots @ ..] = words.as_slice() else {
            return None;
        };
        let (address, _) = address.split_once('@')?;
        let mut ranges = Vec::new();
        // Slots on the move are listed once more, in brackets.
        for slots in slots.iter().filter(|slots| !slots.starts_with('[')) {
            let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
            ranges.push(first.parse().ok()?..=last.parse().ok()?);
        }
        Some(Self {
            port: address.rsplit_once(':')?.1.parse().ok()?,
            flags: flags.to_owned(),
            epoch: epoch.parse().ok()?,
            slots: ranges,
        })
    }

    fn has(&self, slot: u16) -> bool {
        self.slots.iter().any(|range| range.contains(&slot))
    }
}
