//! How large a world is.

use std::time::Duration;

use super::rule::{Rule, Visitor, ours};
use crate::session::{
    fingerprints::FingerprintPolicy,
    policy::{RotationPolicy, SessionPolicy},
    presenter::JarProof,
    record::SessionRecord,
};

/// An eighth of the default grace: `G` is 8 units, `M` is 16, and the delay bound `G/2` is 4.
const EIGHTH: Duration = Duration::from_millis(3_750);

/// How often something may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    /// Requests of the honest browser.
    pub(super) requests: u8,
    /// Answers that never reach the jar.
    pub(super) losses: u8,
    /// The store loses its last write.
    pub(super) failovers: u8,
    /// The browser dies, and comes back with the cookies that were on its disk.
    pub(super) crashes: u8,
    /// Requests that ask for a change of privilege, or for the end of the session.
    pub(super) step_ups: u8,
    pub(super) sign_outs: u8,
    /// Writes that the store refuses.
    pub(super) refusals: u8,
    /// The store's clock jumps, forward or back.
    pub(super) clock_steps: u8,
    /// Requests of a thief.
    pub(super) thefts: u8,
}

pub(super) const NOTHING: Budget = Budget {
    requests: 0,
    losses: 0,
    failovers: 0,
    crashes: 0,
    step_ups: 0,
    sign_outs: 0,
    refusals: 0,
    clock_steps: 0,
    thefts: 0,
};

impl Budget {
    /// All of it, four bits each, for hashing.
    pub(super) fn word(&self) -> u64 {
        let Self {
            requests,
            losses,
            failovers,
            crashes,
            step_ups,
            sign_outs,
            refusals,
            clock_steps,
            thefts,
        } = *self;
        let all = [
            requests,
            losses,
            failovers,
            crashes,
            step_ups,
            sign_outs,
            refusals,
            clock_steps,
            thefts,
        ];
        all.into_iter()
            .fold(0, |word, left| word << 4 | u64::from(left))
    }
}

/// The bounds of a world.
#[derive(Clone)]
pub(super) struct Bounds {
    pub(super) rule: Rule,
    pub(super) rotation: RotationPolicy,
    /// A second server with another policy answers too.
    pub(super) beside: Option<RotationPolicy>,
    pub(super) unit: Duration,
    /// The longest way in one direction, in units.
    pub(super) delay: u8,
    /// The longest time between the server's read and its write, in units.
    pub(super) work: u8,
    /// The latest time at which a changed cookie is on the disk, in units.
    pub(super) flush: u8,
    /// How far the store's clock jumps, in units.
    pub(super) step: u8,
    /// How many fingerprints share the jar.
    pub(super) agents: u8,
    /// Whether the session knows the second of them from the beginning.
    pub(super) acquainted: bool,
    /// Whether they count.
    pub(super) fingerprints: FingerprintPolicy,
    /// How they show it. Where tokens travel in bodies there is none.
    pub(super) jar: JarProof,
    /// Whether a request has shown the jar cookie before the world begins.
    pub(super) bound: bool,
    /// The idle lifetime in units; each refresh may then be active or passive. None: as long as the session.
    pub(super) idle: Option<u8>,
    pub(super) thief: Visitor,
    /// Each use of the stolen token may end in a sign-out.
    pub(super) thief_signs_out: bool,
    pub(super) budget: Budget,
}

/// One browser with one `User-Agent`, and four requests.
pub(super) fn honest() -> Bounds {
    Bounds {
        rule: ours,
        rotation: RotationPolicy::default(),
        beside: None,
        unit: EIGHTH,
        delay: 4,
        work: 0,
        flush: 8,
        step: 0,
        agents: 1,
        acquainted: false,
        fingerprints: FingerprintPolicy::Known,
        jar: JarProof::Shown,
        bound: true,
        idle: None,
        thief: Visitor::browser(0),
        thief_signs_out: false,
        budget: Budget {
            requests: 4,
            ..NOTHING
        },
    }
}

impl Bounds {
    /// With as much of what may happen as `change` says.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Budget)) -> Self {
        change(&mut self.budget);
        self
    }

    /// One of the windows of the honest browser.
    pub(super) fn window(&self, agent: u8) -> Visitor {
        Visitor {
            jar: self.jar,
            ..Visitor::browser(agent)
        }
    }

    /// The record of the session as the world begins.
    pub(super) fn begun(&self, mut record: SessionRecord) -> SessionRecord {
        record.bound = self.bound;
        if self.acquainted {
            let (first, second) = (self.window(0).fingerprint(), self.window(1).fingerprint());
            let met = record.fingerprints.held_by(second).with_known_holder();
            record.fingerprints = met.held_by(first);
        }
        record
    }

    /// The interval of the first policy, in units.
    pub(super) fn interval(&self) -> u8 {
        let units = self.rotation.interval.as_millis() / self.unit.as_millis();
        u8::try_from(units).unwrap()
    }

    pub(super) fn policies(&self) -> impl Iterator<Item = SessionPolicy> {
        let all = std::iter::once(&self.rotation).chain(&self.beside);
        let default = SessionPolicy::default();
        all.cloned().map(move |rotation| SessionPolicy {
            rotation,
            fingerprints: self.fingerprints,
            confirms: self.jar != JarProof::Waived,
            idle: self
                .idle
                .map_or(default.idle, |idle| self.unit * idle.into()),
            ..default.clone()
        })
    }
}
