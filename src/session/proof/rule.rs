//! The rule as the server applies it, and broken rules that the search must refute.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    keys::SessionKeys,
    session::{
        decide::decide,
        fixture::{BROWSER, STRANGER},
        id::ClientFingerprint,
        outcome::{Decision, Outcome, Row},
        policy::SessionPolicy,
        presenter::{Activity, JarProof, Presenter},
        record::{RevokeReason, SessionRecord},
        refresh_token::RefreshToken,
    },
};

use super::ledger::Ask;

/// A client, by its fingerprint and its jar cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Visitor {
    pub(super) agent: u8,
    pub(super) jar: JarProof,
    /// Which function makes the fingerprints on the server that it comes to.
    pub(super) version: u8,
    /// Whether its user did anything since the last time.
    pub(super) activity: Activity,
}

/// The fingerprint of a thief who does not look like the victim.
pub(super) const OTHER: u8 = 9;

impl Visitor {
    /// A window of the browser that signed in.
    pub(super) fn browser(agent: u8) -> Self {
        Self {
            agent,
            jar: JarProof::Shown,
            version: 0,
            activity: Activity::Active,
        }
    }

    pub(super) fn fingerprint(self) -> ClientFingerprint {
        match (self.version, self.agent) {
            (0, 0) => BROWSER,
            (0, OTHER) => STRANGER,
            (version, agent) => ClientFingerprint::from_bytes([version, agent, 0, 0, 0, 0, 0, 1]),
        }
    }

    pub(super) fn presenter(self) -> Presenter {
        Presenter {
            fingerprint: self.fingerprint(),
            version: self.version,
            jar: self.jar,
            activity: self.activity,
        }
    }
}

/// A question to the decision function.
pub(super) struct Question<'a> {
    pub(super) token: &'a RefreshToken,
    pub(super) record: &'a SessionRecord,
    pub(super) now: Timestamp,
    /// The time until the write.
    pub(super) worked: Duration,
    pub(super) presenter: Presenter,
    pub(super) policy: &'a SessionPolicy,
    pub(super) keys: &'a SessionKeys,
}

/// A rule: the crate's own, or a broken one.
pub(super) type Rule = fn(&Question<'_>) -> Decision;

/// The words of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Words {
    /// Here is an access token.
    Served,
    /// Come again with this cookie.
    Confirm,
    /// Come again with the cookie that you have by then.
    Later,
    /// Your cookie is too old to go on with.
    Outdated,
    /// That is not the jar of the session.
    Foreign,
    /// The store has forgotten what you show.
    StateLost,
    /// A theft.
    Alarm,
    /// The session was ended before.
    Over,
    /// You are signed out now, as you wished.
    SignedOut,
    /// Expired or unknown, which no world here leads to.
    Refused,
}

/// An answer of the server, and its write.
pub(super) struct Answer {
    row: Option<Row>,
    outcome: Option<Outcome>,
    pub(super) words: Words,
    pub(super) next: Option<SessionRecord>,
    pub(super) cookie: Option<RefreshToken>,
    /// Whether the application is told by an event that accuses no client.
    pub(super) told: bool,
}

impl Words {
    /// A refresh went well, or will with the next request.
    pub(super) fn is_success(self) -> bool {
        matches!(self, Self::Served | Self::Confirm)
    }
}

impl Question<'_> {
    pub(super) fn put(&self, rule: Rule, ask: Ask) -> Answer {
        let mut answer = match ask {
            Ask::Refresh => self.refresh(rule),
            Ask::List => self.list(rule),
            Ask::StepUp => self.step_up(rule),
            Ask::SignOut => self.sign_out(),
        };
        answer.told = told(self, &answer);
        answer
    }

    fn refresh(&self, rule: Rule) -> Answer {
        let mut decision = rule(self);
        decision.date(self.now, self.now + self.worked, self.policy);
        Answer {
            row: Some(decision.row),
            outcome: Some(decision.outcome),
            words: words(&decision),
            next: decision.next,
            cookie: decision.successor,
            told: false,
        }
    }

    /// A list of sessions: a client that would get a new cookie, or is not known yet, refreshes first.
    fn list(&self, rule: Rule) -> Answer {
        let answer = self.refresh(rule);
        let words = match answer.words {
            Words::Served if answer.outcome == Some(Outcome::Recovered) => Words::Later,
            Words::Served if self.newcomer() => Words::Later,
            Words::Confirm => Words::Later,
            words => words,
        };
        let is_refused = words == Words::Alarm;
        Answer {
            words,
            next: answer.next.filter(|_| is_refused),
            cookie: None,
            ..answer
        }
    }

    /// A change of privilege: of the newest token, or once more of the one that it has replaced.
    fn step_up(&self, rule: Rule) -> Answer {
        let Self {
            token,
            record,
            now,
            presenter,
            policy,
            keys,
            ..
        } = self;
        let answer = self.list(rule);
        let change = match answer.words {
            Words::Served if record.is_current(token) => {
                record.elevated(token, presenter, *now, policy, keys)
            }
            Words::Served => None,
            _ if answer.row == Some(Row::Barrier) && !self.newcomer() => {
                let again = record.elevated_again(token, keys);
                again.map(|newer| (record.handed_out_again(*now, policy), newer))
            }
            _ => return answer,
        };
        match change {
            Some((next, newer)) => Answer {
                words: Words::Served,
                next: Some(next),
                cookie: Some(newer),
                ..answer
            },
            None if answer.words == Words::Served => Answer {
                words: Words::Later,
                ..answer
            },
            None => answer,
        }
    }

    /// A sign-out ends the session whatever the age of the token. Without its jar it ends nothing.
    fn sign_out(&self) -> Answer {
        let foreign = self.record.is_foreign_to(&self.presenter);
        let ends = !foreign && self.record.is_live();
        let ended = || {
            let by = Some(&self.presenter);
            self.record.ended(RevokeReason::SignedOut, by, self.now)
        };
        Answer {
            row: None,
            outcome: None,
            words: Words::SignedOut,
            next: ends.then(ended),
            cookie: None,
            told: false,
        }
    }

    fn newcomer(&self) -> bool {
        let met = self.record.fingerprints_for(&self.presenter);
        let own = self.presenter.fingerprint;
        !met.is_known(own) && met.holder() != own
    }
}

fn words(decision: &Decision) -> Words {
    match decision.outcome {
        _ if decision.confirm => Words::Confirm,
        Outcome::Coalesced
        | Outcome::Rotated
        | Outcome::Replayed
        | Outcome::Recovered
        | Outcome::Adopted => Words::Served,
        Outcome::Superseded => Words::Later,
        Outcome::Outdated => Words::Outdated,
        Outcome::Foreign => Words::Foreign,
        Outcome::StateLost => Words::StateLost,
        Outcome::Reuse => Words::Alarm,
        Outcome::Revoked => Words::Over,
        Outcome::Expired | Outcome::Unknown => Words::Refused,
    }
}

/// Whether the application is told by an event that accuses no client.
fn told(question: &Question<'_>, answer: &Answer) -> bool {
    let presenter = &question.presenter;
    let met = question.record.fingerprints_for(presenter);
    let writes = answer.words.is_success() && answer.next.is_some();
    let row = answer.row;
    (writes && !met.has_met(presenter.fingerprint))
        || matches!(
            row,
            Some(Row::ForeignJar | Row::PreviousElsewhere | Row::Barrier | Row::BurnedSibling)
        )
}

/// The rule of this crate.
pub(super) fn ours(question: &Question<'_>) -> Decision {
    let Question {
        token,
        record,
        now,
        presenter,
        policy,
        keys,
        ..
    } = question;
    decide(token, Some(record), *now, presenter, policy, keys)
}

/// A newcomer rotates the token whatever its age.
pub(super) fn newcomers_rotate_at_once(question: &Question<'_>) -> Decision {
    let mut policy = question.policy.clone();
    if question.newcomer() {
        policy.rotation.interval = Duration::ZERO;
    }
    ours(&Question {
        policy: &policy,
        ..*question
    })
}

/// A newcomer gets nothing from a token that was handed out a moment ago.
pub(super) fn newcomers_wait(question: &Question<'_>) -> Decision {
    let mut decision = ours(question);
    if decision.row == Row::Coalesced && question.newcomer() {
        decision.outcome = Outcome::Superseded;
        decision.next = None;
    }
    decision
}

/// A token that has come back is never given up for the one before.
pub(super) fn seen_tokens_are_final(question: &Question<'_>) -> Decision {
    let decision = ours(question);
    if decision.row == Row::Recovered && question.record.presented_at.is_some() {
        return alarm(question, decision);
    }
    decision
}

/// A token that has come back is handed out again, to a known client too.
pub(super) fn seen_tokens_go_out_again(question: &Question<'_>) -> Decision {
    let mut decision = ours(question);
    if decision.row == Row::ReplayedSeen {
        let Question {
            token,
            record,
            keys,
            ..
        } = question;
        decision.successor = token.successor(&token.hash(), record, record.recoveries, keys);
    }
    decision
}

/// A lost answer is lost for good.
pub(super) fn nothing_is_recovered(question: &Question<'_>) -> Decision {
    let decision = ours(question);
    if decision.outcome == Outcome::Recovered {
        return alarm(question, decision);
    }
    decision
}

/// Writes that only move a time are left out.
pub(super) fn notes_are_left_out(question: &Question<'_>) -> Decision {
    let mut decision = ours(question);
    if matches!(decision.outcome, Outcome::Coalesced | Outcome::Replayed) {
        decision.next = None;
    }
    decision
}

fn alarm(question: &Question<'_>, decision: Decision) -> Decision {
    Decision {
        outcome: Outcome::Reuse,
        confirm: false,
        next: Some(question.record.revoked(RevokeReason::Reuse)),
        successor: None,
        ..decision
    }
}
