//! The real decision function over small numbers.
//!
//! The exhaustive search visits millions of states but few different questions. Here tokens are
//! numbered in the order they first appear, times are ages in whole units, and each question is
//! put to the real function, with the real hashes, once.

use std::{collections::HashMap, time::Duration};

use crate::{
    clock::Timestamp,
    keys::SessionKeys,
    session::{
        decide::decide,
        fixture::{BROWSER, NOW, STRANGER, fresh, keys, start},
        outcome::Outcome,
        policy::{RotationPolicy, SessionPolicy},
        record::{RevokeReason, SessionRecord, SessionState},
        refresh_token::RefreshToken,
    },
};

/// The number of a token.
pub(super) type Token = u8;
/// No token, no time.
pub(super) const NONE: u8 = u8::MAX;

/// What of a record the decision depends on. Generation and recoveries are those of `current`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rec {
    pub(super) current: Token,
    pub(super) previous: Token,
    /// Units since the hand-out and the first presentation, up to the cap.
    pub(super) handed_out: u8,
    pub(super) presented: u8,
    pub(super) stranger: bool,
    pub(super) live: bool,
    /// The privilege has changed once: another seed, and for one generation a barrier.
    pub(super) elevated: bool,
    pub(super) barrier: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) next: Option<Rec>,
    pub(super) successor: Token,
}

pub(super) struct Ledger {
    keys: SessionKeys,
    policy: SessionPolicy,
    unit: Duration,
    /// The age from which on more age changes nothing.
    cap: u8,
    template: SessionRecord,
    tokens: Vec<RefreshToken>,
    numbers: HashMap<[u8; 32], Token>,
    known: HashMap<(Rec, Token, bool), Verdict>,
}

impl Ledger {
    /// A ledger of a session that begins, and its record: token 0, just handed out.
    pub(super) fn new(rotation: RotationPolicy, unit: Duration) -> (Self, Rec) {
        let longest = rotation.interval.max(rotation.grace + unit);
        let cap = longest.as_millis().div_ceil(unit.as_millis());
        let keys = keys();
        let policy = SessionPolicy {
            rotation,
            ..SessionPolicy::default()
        };
        let (template, first) = start(&policy, &keys);
        let mut ledger = Self {
            keys,
            policy,
            unit,
            cap: u8::try_from(cap).unwrap(),
            template,
            tokens: vec![],
            numbers: HashMap::new(),
            known: HashMap::new(),
        };
        let current = ledger.number(&first);
        let rec = Rec {
            current,
            previous: NONE,
            handed_out: 0,
            presented: NONE,
            stranger: false,
            live: true,
            elevated: false,
            barrier: false,
        };
        (ledger, rec)
    }

    pub(super) fn decide(&mut self, rec: Rec, token: Token, stranger: bool) -> Verdict {
        if let Some(verdict) = self.known.get(&(rec, token, stranger)) {
            return *verdict;
        }
        let client = if stranger { STRANGER } else { BROWSER };
        let decision = decide(
            &self.tokens[usize::from(token)],
            Some(&self.record(rec)),
            NOW,
            client,
            &self.policy,
            &self.keys,
        );
        let successor = decision.successor.map_or(NONE, |token| self.number(&token));
        let verdict = Verdict {
            outcome: decision.outcome,
            next: decision.next.map(|next| self.rec(&next)),
            successor,
        };
        self.known.insert((rec, token, stranger), verdict);
        verdict
    }

    /// The browser changes its privilege: the record and the token after it.
    pub(super) fn elevate(&mut self, rec: Rec) -> (Rec, Token) {
        let active = self.keys.active().unwrap();
        let (record, token) =
            self.record(rec)
                .elevated(&fresh(2), BROWSER, NOW, &self.policy, active);
        let token = self.number(&token);
        (self.rec(&record), token)
    }

    /// One unit later.
    pub(super) fn age(&self, rec: Rec) -> Rec {
        let older = |age: u8| {
            if age == NONE {
                NONE
            } else {
                (age + 1).min(self.cap)
            }
        };
        Rec {
            handed_out: older(rec.handed_out),
            presented: older(rec.presented),
            ..rec
        }
    }

    /// How many different tokens and questions there were.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.tokens.len(), self.known.len())
    }

    fn number(&mut self, token: &RefreshToken) -> Token {
        let next = u8::try_from(self.tokens.len()).unwrap();
        assert!(next < NONE, "too many tokens to number");
        *self.numbers.entry(token.hash()).or_insert_with(|| {
            self.tokens.push(token.clone());
            next
        })
    }

    fn record(&self, rec: Rec) -> SessionRecord {
        let current = &self.tokens[usize::from(rec.current)];
        let ago = |age: u8| NOW - self.unit * u32::from(age);
        SessionRecord {
            generation: current.generation,
            recoveries: current.recoveries,
            current: current.hash(),
            previous: (rec.previous != NONE).then(|| self.tokens[usize::from(rec.previous)].hash()),
            handed_out_at: ago(rec.handed_out),
            presented_at: (rec.presented != NONE).then(|| ago(rec.presented)),
            client: if rec.stranger { STRANGER } else { BROWSER },
            state: if rec.live {
                SessionState::Live
            } else {
                SessionState::Revoked(RevokeReason::Reuse)
            },
            barrier: rec.barrier,
            seed: if rec.elevated {
                *fresh(2).seed.expose()
            } else {
                self.template.seed
            },
            ..self.template.clone()
        }
    }

    fn rec(&self, record: &SessionRecord) -> Rec {
        let age = |at: Timestamp| {
            u8::try_from(NOW.since(at).as_millis() / self.unit.as_millis()).unwrap()
        };
        Rec {
            current: self.numbers[&record.current],
            previous: record.previous.map_or(NONE, |hash| self.numbers[&hash]),
            handed_out: age(record.handed_out_at),
            presented: record.presented_at.map_or(NONE, age),
            stranger: record.client == STRANGER,
            live: record.is_live(),
            elevated: record.seed != self.template.seed,
            barrier: record.barrier,
        }
    }
}
