//! A question as far as the rule reads it, and the answer, in plain words.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::rule::Question;
use crate::session::{
    outcome::{Decision, Row},
    presenter::{Activity, JarProof},
    record::{RevokeReason, SessionState},
    refresh_token::{barrier_parent, parent},
};

/// Where a token stands to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Token {
    Current,
    Previous,
    Older,
    /// Of the current generation, and another one than the current.
    Burned,
    /// The one after the current.
    LostRotation,
    /// The one after the current, behind a change of privilege.
    LostChange,
    /// The current one, recovered once more often.
    LostRecovery,
    Ahead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Session {
    Live,
    /// By an alarm.
    Alarmed,
    /// By a client of the session.
    SignedOut,
    /// By none of its clients.
    Revoked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Jar {
    Shown,
    Missing,
    /// Tokens travel in bodies.
    None,
}

/// A predicate that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Is {
    /// The session is bound to its jar.
    Bound,
    /// It has rotated before.
    Rotated,
    /// The current token stands behind a change of privilege.
    Changed,
    /// It was handed out less than `M` ago.
    Fresh,
    /// It was handed out at least `G/8` ago.
    NoteDue,
    /// It has been presented.
    Seen,
    /// It was handed out or first presented at most `G` ago.
    Window,
    /// It became current at most `G` ago.
    New,
    /// It has been recovered as often as the policy allows.
    UsedUp,
    /// The fingerprint of the request: the session knows it, has met it, has handed the current token to it.
    Known,
    Met,
    Holder,
    /// The session knows the fingerprint that it has handed the current token to.
    HolderKnown,
    /// The session was ended more than `G` ago.
    Late,
    /// By the client that asks.
    Ender,
    /// The request says nothing of its user's doing nothing.
    Active,
    /// It would move the idle end by at least `M`.
    IdleDue,
}

/// A question, as far as the rule reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Predicates {
    pub(super) token: Token,
    pub(super) session: Session,
    pub(super) jar: Jar,
    pub(super) is: BTreeSet<Is>,
}

/// The write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Write {
    Nothing,
    /// When the current token was handed out or first seen, and what is known of its clients.
    Note,
    /// Another current token.
    Token,
    /// The end of the session.
    End,
}

/// The answer of the rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Expected {
    pub(super) row: String,
    pub(super) outcome: String,
    pub(super) confirm: bool,
    /// A successor goes out as cookie.
    pub(super) cookie: bool,
    pub(super) write: Write,
    /// It begins the idle lifetime anew.
    pub(super) idle: bool,
    /// The session knows the fingerprint of the request afterwards, and the one that holds the current token.
    pub(super) known: bool,
    pub(super) holder_known: bool,
}

pub(super) type Table = BTreeMap<Predicates, Expected>;

impl Predicates {
    pub(super) fn of(question: &Question<'_>) -> Self {
        let Question {
            record,
            now,
            presenter,
            policy,
            ..
        } = question;
        let met = record.fingerprints_for(presenter);
        let own = presenter.fingerprint;
        let grace = policy.rotation.grace;
        let age = now.since(record.handed_out_at);
        let ender = met.ended_by();
        let active = presenter.activity == Activity::Active;
        let (old, new) = (record.idle_expires_at, record.idle_from(*now, policy));
        let due = new > old && new.since(old) >= policy.rotation.interval;
        let predicates = [
            (Is::Bound, record.bound),
            (Is::Rotated, record.generation > 0),
            (Is::Changed, record.barrier),
            (Is::Fresh, age < policy.rotation.interval),
            (Is::NoteDue, age >= grace / 8),
            (Is::Seen, record.presented_at.is_some()),
            (Is::Window, record.window_is_open(*now, grace)),
            (Is::New, now.since(record.rotated_at) <= grace),
            (Is::UsedUp, record.recoveries >= policy.rotation.recoveries),
            (Is::Known, met.is_known(own)),
            (Is::Met, met.has_met(own)),
            (Is::Holder, met.holder() == own),
            (Is::HolderKnown, met.is_known(met.holder())),
            (
                Is::Late,
                record.ended_at.is_some_and(|at| now.since(at) > grace),
            ),
            (Is::Ender, ender.is_some_and(|by| met.are_one(own, by))),
            (Is::Active, active),
            (Is::IdleDue, active && due),
        ];
        let session = match record.state {
            SessionState::Live => Session::Live,
            SessionState::Revoked(RevokeReason::Reuse) => Session::Alarmed,
            SessionState::Revoked(_) if ender.is_some() => Session::SignedOut,
            SessionState::Revoked(_) => Session::Revoked,
        };
        let all = predicates.into_iter();
        Self {
            token: token(question),
            session,
            jar: match presenter.jar {
                JarProof::Shown => Jar::Shown,
                JarProof::Missing => Jar::Missing,
                JarProof::Waived => Jar::None,
            },
            is: all.filter(|(_, holds)| *holds).map(|(is, _)| is).collect(),
        }
        .read()
    }

    /// Without what the rule does not come to: one row then stands for many questions.
    fn read(mut self) -> Self {
        let foreign = self.jar == Jar::Missing && self.is.contains(&Is::Bound);
        let ended: &[Is] = &[Is::Bound, Is::Late, Is::Ender];
        let clients = [
            Is::Bound,
            Is::Known,
            Is::Met,
            Is::Holder,
            Is::HolderKnown,
            Is::Active,
        ];
        let with = |more: &[Is]| [&clients[..], more].concat();
        let kept = match (self.session, self.token) {
            (Session::Alarmed | Session::Revoked, _) => vec![],
            (Session::SignedOut, _) => ended.to_vec(),
            (Session::Live, _) if foreign => vec![Is::Bound],
            (_, Token::Current) => with(&[Is::Rotated, Is::Fresh, Is::Seen, Is::IdleDue]),
            (_, Token::Previous) if self.is.contains(&Is::Changed) => {
                vec![Is::Bound, Is::Changed, Is::Window]
            }
            (_, Token::Previous) => {
                with(&[Is::Window, Is::Seen, Is::NoteDue, Is::UsedUp, Is::IdleDue])
            }
            (_, Token::Older) => vec![Is::Bound, Is::Changed, Is::Window],
            (_, Token::Burned) => vec![Is::Bound, Is::New],
            (_, Token::LostRotation | Token::LostChange | Token::LostRecovery) => with(&[]),
            (_, Token::Ahead) => vec![Is::Bound],
        };
        self.is.retain(|is| kept.contains(is));
        self
    }
}

/// By generation and hash, never by time.
fn token(question: &Question<'_>) -> Token {
    let Question { token, record, .. } = question;
    let ahead = token.generation.checked_sub(record.generation);
    match ahead {
        Some(0) if record.is_current(token) => Token::Current,
        Some(0) if token.recoveries <= record.recoveries => Token::Burned,
        Some(0)
            if !record.barrier && record.previous.as_ref().map(parent) == Some(token.parent) =>
        {
            Token::LostRecovery
        }
        Some(1) if token.parent == parent(&record.current) => Token::LostRotation,
        Some(1) if token.parent == barrier_parent(&record.current) => Token::LostChange,
        Some(_) => Token::Ahead,
        None if record.previous == Some(token.hash()) => Token::Previous,
        None => Token::Older,
    }
}

impl Expected {
    pub(super) fn of(question: &Question<'_>, decision: &Decision) -> Self {
        let Question {
            record, presenter, ..
        } = question;
        let write = match &decision.next {
            None => Write::Nothing,
            Some(next) if !next.is_live() => Write::End,
            Some(next) if next.current != record.current => Write::Token,
            Some(_) => Write::Note,
        };
        let after = decision.next.as_ref().unwrap_or(record);
        let met = after.fingerprints_for(presenter);
        // Where nothing is written, the record says already which clients are known.
        let kept = matches!(write, Write::Note | Write::Token);
        Self {
            row: Row::as_str(decision.row).to_owned(),
            outcome: decision.outcome.as_str().to_owned(),
            confirm: decision.confirm,
            cookie: decision.successor.is_some(),
            write,
            idle: decision.extends,
            known: kept && met.is_known(presenter.fingerprint),
            holder_known: kept && met.is_known(met.holder()),
        }
    }
}
