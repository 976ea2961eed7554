//! The server's recent decisions, for the users whom they concern.
//!
//! The layers tell their events to a function ([`EventSink`](tower_bearer::EventSink)). Here it sorts
//! them by user and keeps the newest in memory. No event holds a token, a hash or a key. A real service
//! writes alerts to its database and sends a message: this process forgets them when it ends.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::UNIX_EPOCH,
};

use serde::Serialize;
use tower_bearer::Event;

/// How much of each is kept: decisions and alerts for one user, sessions for the whole process.
const DECISIONS: usize = 60;
const ALERTS: usize = 10;
const SESSIONS: usize = 1000;

/// The decisions and alerts of all users. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    users: HashMap<String, User>,
    /// Most events name a session and not its user.
    owners: VecDeque<Owner>,
    /// The requests under way, since events do not say which client sent them.
    asking: Vec<Asking>,
    asked: u64,
}

#[derive(Default)]
struct User {
    decisions: VecDeque<Decision>,
    alerts: VecDeque<Alert>,
}

struct Owner {
    session: String,
    subject: String,
}

struct Asking {
    number: u64,
    session: Option<String>,
    client: String,
}

/// One decision of the server.
#[derive(Clone, Serialize)]
pub(crate) struct Decision {
    /// Seconds since 1970.
    at: u64,
    pub(crate) session: String,
    what: &'static str,
    why: Option<String>,
    /// The client's own name, which must not be trusted.
    client: Option<String>,
}

/// Another client may have, or have had, the user's cookies.
#[derive(Clone, Serialize)]
pub(crate) struct Alert {
    at: u64,
    session: String,
    what: What,
    client: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// An old refresh token came back, and the session was ended.
    OldCopy,
    /// A client that the session had not met uses it, and the session goes on.
    NewClient,
}

/// Marks a request as under way, until it is dropped.
pub(crate) struct UnderWay {
    journal: Journal,
    number: u64,
}

impl Journal {
    /// Remembers whose `session` is.
    pub(crate) fn learn(&self, session: &str, subject: &str) {
        self.lock().learn(session, subject);
    }

    /// Remembers which client asks, and with the cookie of which session.
    pub(crate) fn under_way(&self, session: Option<String>, client: String) -> UnderWay {
        let mut inner = self.lock();
        inner.asked += 1;
        let number = inner.asked;
        inner.asking.push(Asking {
            number,
            session,
            client,
        });
        drop(inner);
        UnderWay {
            journal: self.clone(),
            number,
        }
    }

    /// Writes an event down with its user, if it has one.
    pub(crate) fn record(&self, event: &Event<'_>) {
        let (session, what, why) = match event {
            Event::Started { session, .. } => (session, "signed in", None),
            Event::Refreshed {
                session, outcome, ..
            } => (session, outcome.as_str(), None),
            Event::ReuseDetected { session, .. } => (session, "reuse detected", None),
            Event::NewFingerprint { session, .. } => (session, "new client", None),
            Event::ForeignJar { session, .. } => (session, "foreign jar", None),
            Event::StateLost { session, .. } => {
                (session, "refused", Some("the store forgot the last steps"))
            }
            // Told above, by the reuse itself.
            Event::Revoked { reason, .. } if reason.as_str() == "reuse" => return,
            Event::Revoked {
                session, reason, ..
            } => (session, "ended", Some(why_ended(reason.as_str()))),
            _ => return,
        };
        let session = session.to_string();
        let mut inner = self.lock();
        if let Event::Started { subject, .. } | Event::ReuseDetected { subject, .. } = event {
            inner.learn(&session, subject);
        }
        inner.write(&session, what, why.map(str::to_owned));
        let (subject, what, client) = match event {
            Event::ReuseDetected { subject, .. } => {
                (subject, What::OldCopy, inner.client_of(&session))
            }
            Event::NewFingerprint {
                subject, presented, ..
            } => (subject, What::NewClient, Some((*presented).to_owned())),
            _ => return,
        };
        let alert = Alert {
            at: now(),
            session,
            what,
            client,
        };
        let user = inner.users.entry((*subject).to_owned()).or_default();
        push(&mut user.alerts, ALERTS, alert);
    }

    /// Writes down that a request with the cookie of a session was refused. Where no session of ours is named, no user
    /// is concerned.
    pub(crate) fn refused(&self, session: Option<&str>, why: String) {
        if let Some(session) = session {
            self.lock().write(session, "refused", Some(why));
        }
    }

    /// The decisions about `subject`'s sessions, newest first.
    pub(crate) fn decisions(&self, subject: &str) -> Vec<Decision> {
        let inner = self.lock();
        let user = inner.users.get(subject);
        user.map(|user| user.decisions.iter().rev().cloned().collect())
            .unwrap_or_default()
    }

    /// The news for `subject`, as far as `reader` may see it. The thief may hold a revoked session until its access
    /// token ends. A new client is reported in its own session too. A user may have no other, and the client knows its
    /// own name.
    pub(crate) fn alerts(&self, subject: &str, reader: &str) -> Vec<Alert> {
        let inner = self.lock();
        let alerts = inner.users.get(subject).map(|user| &user.alerts);
        let newest = alerts.into_iter().flatten().rev();
        let for_reader = |a: &&Alert| a.session != reader || a.what == What::NewClient;
        newest.filter(for_reader).cloned().collect()
    }

    /// `subject` has read them. Those about the reader's own session stay: a thief who has it cannot put them away.
    pub(crate) fn dismiss(&self, subject: &str, reader: &str) {
        if let Some(user) = self.lock().users.get_mut(subject) {
            user.alerts.retain(|alert| alert.session == reader);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn learn(&mut self, session: &str, subject: &str) {
        if self.owners.iter().all(|owner| owner.session != session) {
            let owner = Owner {
                session: session.to_owned(),
                subject: subject.to_owned(),
            };
            push(&mut self.owners, SESSIONS, owner);
        }
    }

    fn write(&mut self, session: &str, what: &'static str, why: Option<String>) {
        let client = self.client_of(session);
        let owner = self.owners.iter().find(|owner| owner.session == session);
        let Some(subject) = owner.map(|owner| owner.subject.clone()) else {
            return;
        };
        let decision = Decision {
            at: now(),
            session: session.to_owned(),
            what,
            why,
            client,
        };
        let user = self.users.entry(subject).or_default();
        push(&mut user.decisions, DECISIONS, decision);
    }

    /// The client that asks with the cookie of this session. None, if two of them do.
    fn client_of(&self, session: &str) -> Option<String> {
        let mut clients = self
            .asking
            .iter()
            .filter(|asking| asking.session.as_deref() == Some(session));
        let client = &clients.next()?.client;
        clients
            .all(|other| other.client == *client)
            .then(|| client.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut inner = self.journal.lock();
        inner.asking.retain(|asking| asking.number != self.number);
    }
}

fn push<T>(list: &mut VecDeque<T>, most: usize, entry: T) {
    if list.len() >= most {
        list.pop_front();
    }
    list.push_back(entry);
}

/// Seconds since 1970.
fn now() -> u64 {
    UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())
}

fn why_ended(reason: &str) -> &'static str {
    match reason {
        "denied" => "the account may not sign in any more",
        "limit" => "there are newer sessions, and too many",
        "revoked_all" => "signed out everywhere",
        "revoked_by_owner" => "revoked from the list",
        "replaced" => "the same browser signed in again",
        "signed_out" => "signed out",
        _ => "ended by the server",
    }
}
