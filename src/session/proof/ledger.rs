//! The real decision function over small numbers.
//!
//! The search visits millions of states but few different records and questions. Tokens and records are numbered in the
//! order in which they first appear. Each record is numbered as if it were read at [`NOW`]. Each question is put to the
//! real function, with the real hashes, once.

use std::{
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    num::NonZeroU32,
    time::Duration,
};

use super::{
    bounds::Bounds,
    rule::{Question, Rule, Visitor, Words},
    state::{Flight, Stage, State},
};
use crate::{
    clock::Timestamp,
    keys::SessionKeys,
    session::{
        fixture::{NOW, keys, start},
        outcome::Decision,
        policy::SessionPolicy,
        record::SessionRecord,
        refresh_token::RefreshToken,
    },
};

/// The number of a token.
pub(super) type Token = u8;
/// No token.
pub(super) const NONE: Token = u8::MAX;

/// The number of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Rec(NonZeroU32);

impl Rec {
    pub(super) fn number(self) -> u32 {
        self.0.get()
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The wish of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Ask {
    Refresh,
    List,
    StepUp,
    SignOut,
}

/// A question to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) rec: Rec,
    pub(super) token: Token,
    pub(super) visitor: Visitor,
    /// The number of the policy of that server.
    pub(super) policy: u8,
    pub(super) ask: Ask,
    /// The units between its read and its write.
    pub(super) worked: u8,
}

/// In two words, for the same reason as that of [`State`](super::state::State).
impl Hash for Put {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Visitor {
            agent,
            jar,
            version,
            activity,
        } = self.visitor;
        let small = [
            self.token,
            agent,
            jar as u8,
            version,
            self.policy,
            self.ask as u8,
            self.worked,
            activity as u8,
        ];
        hasher.write_u64(u64::from_le_bytes(small));
        hasher.write_u32(self.rec.number());
    }
}

impl Put {
    /// A refresh at a server that takes no time.
    pub(super) fn refresh(rec: Rec, token: Token, visitor: Visitor) -> Self {
        Self {
            rec,
            token,
            visitor,
            policy: 0,
            ask: Ask::Refresh,
            worked: 0,
        }
    }
}

/// The server's answer to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    pub(super) words: Words,
    pub(super) next: Option<Rec>,
    /// The cookie of the answer.
    pub(super) cookie: Token,
    /// Whether the application is told by an event that is no alarm.
    pub(super) told: bool,
}

pub(super) struct Ledger {
    rule: Rule,
    keys: SessionKeys,
    policies: Vec<SessionPolicy>,
    unit: Duration,
    /// Whether there is an idle lifetime.
    idle: bool,
    /// The age in units from which on more age changes nothing.
    cap: u32,
    tokens: Vec<RefreshToken>,
    token_numbers: HashMap<[u8; 32], Token>,
    records: Vec<Kept>,
    record_numbers: HashMap<Vec<u8>, Rec>,
    verdicts: HashMap<Put, Verdict>,
}

struct Kept {
    record: SessionRecord,
    later: Option<Rec>,
}

impl Ledger {
    /// A ledger of a session that begins, and its record: token 0, just handed out.
    pub(super) fn new(bounds: &Bounds) -> (Self, Rec) {
        let policies: Vec<_> = bounds.policies().collect();
        let longest = policies
            .iter()
            .map(|policy| {
                policy
                    .rotation
                    .interval
                    .max(policy.rotation.grace + bounds.unit)
            })
            .max()
            .unwrap();
        let steps = u32::from(bounds.step) * u32::from(bounds.budget.clock_steps);
        let cap = u32::try_from(longest.as_millis().div_ceil(bounds.unit.as_millis())).unwrap();
        let keys = keys();
        let (record, first) = start(&policies[0], &keys);
        let mut ledger = Self {
            rule: bounds.rule,
            keys,
            policies,
            unit: bounds.unit,
            idle: bounds.idle.is_some(),
            cap: cap + steps,
            tokens: vec![],
            token_numbers: HashMap::new(),
            records: vec![],
            record_numbers: HashMap::new(),
            verdicts: HashMap::new(),
        };
        ledger.token(&first);
        let rec = ledger.keep(bounds.begun(record));
        (ledger, rec)
    }

    pub(super) fn record(&self, rec: Rec) -> &SessionRecord {
        &self.records[rec.index()].record
    }

    /// The tokens that went out as answers to `ask`.
    pub(super) fn handed_out(&self, ask: Ask) -> HashSet<Token> {
        let answers = self.verdicts.iter().filter(|(put, _)| put.ask == ask);
        let cookies = answers.map(|(_, verdict)| verdict.cookie);
        cookies.filter(|cookie| *cookie != NONE).collect()
    }

    /// How many policies there are beside each other.
    pub(super) fn policies(&self) -> u8 {
        u8::try_from(self.policies.len()).unwrap()
    }

    /// Lets a server answer.
    pub(super) fn answer(&mut self, put: Put) -> Verdict {
        if let Some(verdict) = self.verdicts.get(&put) {
            return *verdict;
        }
        let question = self.question(&put);
        let worked = question.worked;
        let answer = question.put(self.rule, put.ask);
        let verdict = Verdict {
            words: answer.words,
            cookie: answer.cookie.map_or(NONE, |cookie| self.token(&cookie)),
            next: answer
                .next
                .map(|next| self.keep(moved(next, |at| at - worked))),
            told: answer.told,
        };
        self.verdicts.insert(put, verdict);
        verdict
    }

    fn question(&self, put: &Put) -> Question<'_> {
        Question {
            token: &self.tokens[usize::from(put.token)],
            record: self.record(put.rec),
            now: NOW,
            worked: self.unit * u32::from(put.worked),
            presenter: put.visitor.presenter(),
            policy: &self.policies[usize::from(put.policy)],
            keys: &self.keys,
        }
    }

    /// Shows each question that was put to the decision function.
    pub(super) fn questions(&self, mut look: impl FnMut(&Question<'_>, &Decision)) {
        for put in self.verdicts.keys().filter(|put| put.ask == Ask::Refresh) {
            let question = self.question(put);
            look(&question, &(self.rule)(&question));
        }
    }

    /// The record a unit later.
    pub(super) fn later(&mut self, rec: Rec) -> Rec {
        let kept = &self.records[rec.index()];
        if let Some(later) = kept.later {
            return later;
        }
        let later = self.shifted(rec, 1);
        self.records[rec.index()].later = Some(later);
        later
    }

    /// The record `units` later; a clock may go back too.
    pub(super) fn shifted(&mut self, rec: Rec, units: i64) -> Rec {
        let by = self.unit * u32::try_from(units.unsigned_abs()).unwrap();
        let record = self.record(rec).clone();
        self.keep(moved(
            record,
            |at| if units < 0 { at + by } else { at - by },
        ))
    }

    /// When nothing is young any more.
    pub(super) fn long_after(&mut self, rec: Rec) -> Rec {
        self.shifted(rec, self.cap.into())
    }

    /// How many different tokens, records and questions there were.
    pub(super) fn size(&self) -> (usize, usize, usize) {
        (self.tokens.len(), self.records.len(), self.verdicts.len())
    }

    /// A state in a line, for the reader of a report.
    pub(super) fn describe(&self, state: &State) -> String {
        let record = self.record(state.store);
        let units = |at: Timestamp| NOW.since(at).as_millis() / self.unit.as_millis();
        let cookie = |token: Token| match self.tokens.get(usize::from(token)) {
            Some(token) => format!("{}.{}", token.generation, token.recoveries),
            None => "-".to_owned(),
        };
        let flights = state.flights.iter().filter(|f| f.stage != Stage::Free);
        let flights: Vec<_> = flights
            .map(|f| {
                let Flight {
                    stage, ask, agent, ..
                } = f;
                let passive = if f.passive { " passive" } else { "" };
                format!(
                    "{stage:?} {ask:?}{passive} {} of {agent} for {}",
                    cookie(f.token),
                    f.age
                )
            })
            .collect();
        format!(
            "  {:?} at {}, handed out {} ago, seen {}, holder {:?} | jar {}, disk {} | {} | unused {}, over in {} | thief {}, tokens {}",
            record.state,
            cookie(self.current(state.store)),
            units(record.handed_out_at),
            record
                .presented_at
                .map_or("-".to_owned(), |at| units(at).to_string()),
            record.fingerprints.holder(),
            cookie(state.jar),
            cookie(state.disk),
            flights.join(", "),
            state.unused,
            record.idle_expires_at.since(NOW).as_millis() / self.unit.as_millis(),
            cookie(state.stolen),
            state.tokens,
        )
    }

    fn token(&mut self, token: &RefreshToken) -> Token {
        let next = u8::try_from(self.tokens.len()).unwrap();
        assert!(next < NONE, "too many tokens to number");
        *self.token_numbers.entry(token.hash()).or_insert_with(|| {
            self.tokens.push(token.clone());
            next
        })
    }

    /// The number of the token that the session expects.
    pub(super) fn current(&self, rec: Rec) -> Token {
        self.token_numbers[&self.record(rec).current]
    }

    fn keep(&mut self, record: SessionRecord) -> Rec {
        let oldest = NOW - self.unit * self.cap;
        let mut record = moved(record, |at| at.max(oldest));
        record.idle_expires_at = match self.idle {
            true => record.idle_expires_at.max(NOW),
            false => record.absolute_expires_at,
        };
        let next = Rec(NonZeroU32::MIN.saturating_add(self.records.len() as u32));
        *self
            .record_numbers
            .entry(record.encode())
            .or_insert_with(|| {
                self.records.push(Kept {
                    record,
                    later: None,
                });
                next
            })
    }
}

/// The record with each time that the decision reads moved.
fn moved(record: SessionRecord, by: impl Fn(Timestamp) -> Timestamp) -> SessionRecord {
    SessionRecord {
        handed_out_at: by(record.handed_out_at),
        presented_at: record.presented_at.map(&by),
        rotated_at: by(record.rotated_at),
        ended_at: record.ended_at.map(&by),
        idle_expires_at: by(record.idle_expires_at),
        ..record
    }
}
