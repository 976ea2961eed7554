//! A slot on its way from one master of a cluster to another, as an operator moves it.

use ::redis::{Value, from_redis_value};

use super::cluster::Cluster;

/// A slot that has left one master and not arrived at the other. The first answers for the keys it still has. It sends
/// clients to the other, with `ASK`, for those it has not.
#[derive(Debug)]
pub(crate) struct Migration<'a> {
    cluster: &'a Cluster,
    slot: String,
    from: usize,
    to: usize,
}

impl<'a> Migration<'a> {
    pub(super) async fn begin(cluster: &'a Cluster, slot: u16, to: usize) -> Self {
        let from = cluster.master_of(slot).await;
        assert_ne!(from, to, "slot {slot} is with node {to} already");
        let this = Self {
            cluster,
            slot: slot.to_string(),
            from,
            to,
        };
        let [from_id, to_id] = [cluster.id(from).await, cluster.id(to).await];
        // In this order: who is sent to a node that does not expect him is sent back.
        this.set_slot(to, "IMPORTING", &from_id).await;
        this.set_slot(from, "MIGRATING", &to_id).await;
        this
    }

    /// Moves one key and returns it, `None` when there is none left.
    pub(crate) async fn move_one(&self) -> Option<String> {
        let nodes = self.cluster.nodes();
        let keys = ["CLUSTER", "GETKEYSINSLOT", &self.slot, "1"];
        let keys = nodes[self.from].command(&keys).await;
        let keys: Vec<String> = from_redis_value(keys).unwrap();
        let key = keys.into_iter().next()?;
        let port = nodes[self.to].port().to_string();
        let migrate = ["MIGRATE", "127.0.0.1", &port, &key, "0", "1000"];
        // `NOKEY` is what it says when the key has expired since.
        let answer = nodes[self.from].command(&migrate).await;
        assert!(
            matches!(&answer, Value::Okay) || answer == Value::SimpleString("NOKEY".to_owned()),
            "{answer:?}"
        );
        Some(key)
    }

    /// Moves the remaining keys and tells every node where the slot is now.
    pub(crate) async fn finish(self) {
        while self.move_one().await.is_some() {}
        let id = self.cluster.id(self.to).await;
        // The new owner first, so that there is always one.
        for index in [self.to, self.from] {
            self.set_slot(index, "NODE", &id).await;
        }
        for index in self.cluster.masters().await {
            if index != self.to && index != self.from {
                self.set_slot(index, "NODE", &id).await;
            }
        }
    }

    async fn set_slot(&self, node: usize, state: &str, id: &str) {
        let command = ["CLUSTER", "SETSLOT", &self.slot, state, id];
        self.cluster.nodes()[node].command(&command).await;
    }
}
