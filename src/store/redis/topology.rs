//! Which servers have the sessions: each by its own word.
//!
//! In a cluster every slot has a master, and slots move. A key leaves its master only while the master says that the
//! slot is on its way. A master that gets a slot raises its epoch. So two looks at the masters tell whether a slot stayed
//! where it was in between.

use std::ops::RangeInclusive;

use redis::Value;

use super::{
    error::{Fault, unexpected},
    reply,
    request::Request,
};
use crate::store::{StoreError, StoreErrorKind};

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// A master, and the slots that it answers for. A server by itself has one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    /// In a cluster, a slot of its own, by which it is found.
    pub(super) slot: Option<u16>,
    /// Names the run of its process. A server that starts anew has another one.
    pub(super) run: String,
    epoch: u64,
    slots: Slots,
    /// Those whose keys are on their way to another master.
    leaving: Vec<u16>,
}

type Slots = Vec<RangeInclusive<u16>>;

/// The server that answers, as `INFO` describes it.
struct Process {
    run: Option<String>,
    is_replica: bool,
    has_nodes: bool,
}

/// A line of `CLUSTER NODES`: `id address flags master ping pong epoch link slots...`.
struct Node<'a> {
    flags: &'a str,
    epoch: u64,
    slots: Slots,
    leaving: Vec<u16>,
}

impl Shard {
    /// The one that has said this of itself.
    pub(super) fn read(slot: Option<u16>, replies: Vec<Value>) -> Result<Self, StoreError> {
        let mut replies = replies.into_iter().map(reply::text);
        let info = replies.next().flatten().ok_or_else(unexpected)?;
        let process = Process::read(&info);
        let Some(slot) = slot else {
            if process.has_nodes {
                return Err(unsupported(
                    "the connection leads to one node of a cluster: use RedisStore::cluster",
                ));
            }
            return Ok(Self {
                slot: None,
                run: process.named()?,
                epoch: 0,
                slots: vec![0..=0],
                leaving: vec![],
            });
        };
        let nodes = replies.next().flatten().ok_or_else(unexpected)?;
        let own = own(&nodes).ok_or_else(unexpected)?;
        Ok(Self {
            slot: Some(slot),
            run: process.named()?,
            epoch: own.epoch,
            slots: own.slots,
            leaving: own.leaving,
        })
    }
}

/// The run of the process that has said this.
pub(super) fn run(info: Value) -> Result<String, StoreError> {
    let info = reply::text(info).ok_or_else(unexpected)?;
    Process::read(&info).named()
}

/// A slot of each master, as the node sees it that has said this.
pub(super) fn masters(nodes: Value) -> Option<Vec<u16>> {
    let nodes = reply::text(nodes)?;
    let nodes = nodes.lines().map(Node::read).collect::<Option<Vec<_>>>()?;
    let first = |node: &Node<'_>| node.slots.first().map(|slots| *slots.start());
    Some(nodes.iter().filter_map(first).collect())
}

/// The fault of an answer by the wrong server: a replica, or a master that the slot has left. The client then connects
/// anew and finds out where the slots are.
pub(super) fn misdirected(request: &Request<'_>, replies: &[Value]) -> Option<Fault> {
    let (info, nodes) = match (request, replies) {
        (Request::Identify { .. }, [info, nodes @ ..]) => (info, nodes.first()),
        (Request::Scan { .. }, [_, info]) => (info, None),
        _ => return None,
    };
    if reply::text(info.clone()).is_some_and(|info| Process::read(&info).is_replica) {
        return Some(Fault::misdirected("a replica answered"));
    }
    let (slot, nodes) = (request.slot()?, reply::text(nodes?.clone())?);
    let is_there = own(&nodes).is_some_and(|own| covers(&own.slots, slot));
    (!is_there).then(|| Fault::misdirected("a node answered that the slot has left"))
}

impl Process {
    fn read(info: &str) -> Self {
        let field = |name| reply::field(info, name);
        // Dragonfly has no run, and the other name is new with each of its masters.
        let run = field("run_id").or_else(|| field("master_replid"));
        Self {
            run: run.map(str::to_owned),
            is_replica: matches!(field("role"), Some("replica" | "slave")),
            has_nodes: field("cluster_enabled") == Some("1")
                || field("redis_mode") == Some("cluster"),
        }
    }

    /// Without it a server that has started anew would go on in the middle of other keys.
    fn named(self) -> Result<String, StoreError> {
        let unnamed = || unsupported("the server's INFO names neither run_id nor master_replid");
        self.run.ok_or_else(unnamed)
    }
}

impl<'a> Node<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, _, flags, _, _, _, epoch, _, words @ ..] = words.as_slice() else {
            return None;
        };
        let (mut slots, mut leaving) = (Slots::new(), Vec::new());
        for word in words {
            if let Some(moving) = word.strip_prefix('[') {
                // `[slot->-node]` leaves, `[slot-<-node]` comes.
                if let Some((slot, _)) = moving.split_once("->-") {
                    leaving.push(slot.parse().ok()?);
                }
            } else {
                let (first, last) = word.split_once('-').unwrap_or((word, word));
                slots.push(first.parse().ok()?..=last.parse().ok()?);
            }
        }
        Some(Self {
            flags,
            epoch: epoch.parse().ok()?,
            slots,
            leaving,
        })
    }
}

/// The node's line about itself.
fn own(nodes: &str) -> Option<Node<'_>> {
    let is_own = |node: &Node<'_>| node.flags.split(',').any(|flag| flag == "myself");
    nodes.lines().filter_map(Node::read).find(is_own)
}

fn covers(slots: &Slots, slot: u16) -> bool {
    slots.iter().any(|slots| slots.contains(&slot))
}

fn unsupported(why: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Unsupported, why)
}

/// All masters, as they were at one look.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) shards: Vec<Shard>,
    /// Of each slot, which of them has it.
    owners: Vec<Option<usize>>,
}

impl Look {
    /// At the nodes of a cluster, or at one server.
    pub(super) fn new(has_nodes: bool) -> Self {
        let slots = if has_nodes { SLOTS } else { 1 };
        Self {
            shards: Vec::new(),
            owners: vec![None; slots.into()],
        }
    }

    pub(super) fn add(&mut self, shard: Shard) {
        let index = self.shards.len();
        for slot in shard.slots.iter().cloned().flatten() {
            let Some(owner) = self.owners.get_mut(usize::from(slot)) else {
                continue;
            };
            // One that has not heard yet what it lost claims it with the lower epoch.
            let known = owner.and_then(|owner| self.shards.get(owner));
            if known.is_none_or(|known| known.epoch < shard.epoch) {
                *owner = Some(index);
            }
        }
        self.shards.push(shard);
    }

    /// Where the slot is: at which run of which master, in which epoch, and whether it is leaving.
    fn place(&self, slot: usize) -> Option<(&str, u64, bool)> {
        let shard = self.shards.get((*self.owners.get(slot)?)?)?;
        let is_leaving = shard.leaving.iter().any(|one| usize::from(*one) == slot);
        Some((&shard.run, shard.epoch, is_leaving))
    }
}

/// Which slots have shown all of their keys.
pub(super) struct Shown(Vec<Sight>);

#[derive(Clone, Copy)]
enum Sight {
    /// Through so many passes, one after the other, the slot was where it is.
    Still(u8),
    Shown,
}

impl Shown {
    pub(super) fn new(first: &Look) -> Self {
        Self(vec![Sight::Still(0); first.owners.len()])
    }

    /// Notes a pass, which was `whole` when each master went through all of its keys, between two looks.
    pub(super) fn note(&mut self, whole: bool, before: &Look, after: &Look) {
        for (slot, sight) in self.0.iter_mut().enumerate() {
            let Sight::Still(passes) = *sight else {
                continue;
            };
            let place = before.place(slot);
            let stayed = whole && place.is_some() && place == after.place(slot);
            // A key on its way may come to a master that was gone through. It may leave one that was not yet. The next
            // pass finds it: until the slot has arrived, its keys go one way.
            let enough = if place.is_some_and(|(.., is_leaving)| is_leaving) {
                2
            } else {
                1
            };
            *sight = match passes + 1 {
                _ if !stayed => Sight::Still(0),
                passes if passes >= enough => Sight::Shown,
                passes => Sight::Still(passes),
            };
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.0.iter().all(|sight| matches!(sight, Sight::Shown))
    }
}

#[cfg(test)]
mod tests;
