//! A thief who has copied the cookie.

use rand::RngExt;

use super::{
    ledger::Ask,
    rule::{Visitor, Words},
    sim::{Event, HOUR, MINUTE, SECOND, Sim},
};
use crate::session::refresh_token::RefreshToken;

/// How a thief uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// Uses it at once, and every ten minutes from there on.
    Periodic,
    /// Uses it once, within 40 minutes.
    OneShotLater,
    OneShotAtOnce,
    /// Uses it when it is three generations old.
    Stale,
    /// Sees each cookie that the victim sends, and follows within 5 s.
    Shadow,
    /// Uses it at once, and signs out a second later.
    SignOut,
    /// Asks for the list of sessions every 20 s, and uses it when the answer changes.
    ListTimed,
    /// Uses it every 832.5 s, which is how often the victim comes on average, half a turn behind.
    BlindFollower,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Move {
    Steal,
    Use { loot: usize },
    List { loot: usize },
    SignOut { loot: usize },
}

/// Three refreshes of the victim and a bit.
const THREE_TURNS: u64 = 56 * MINUTE;
/// How long a thief asks for the list.
const LONG_ENOUGH: u64 = 12 * HOUR;
/// How often it asks in a row when it is told to come again with another cookie.
const TRIES: usize = 3;

/// A thief: its loot, its habit and its gain.
pub(super) struct Robbery {
    habit: Option<Habit>,
    visitor: Visitor,
    loot: Vec<RefreshToken>,
    is_watching: bool,
    /// Whether the list of sessions was shown to it last time.
    was_listed: bool,
    pub(super) tokens: u32,
    /// Whether the application was told of it by an event that is no alarm.
    pub(super) is_told: bool,
    first_token_at: Option<u64>,
    alarm_at: Option<u64>,
}

impl Robbery {
    pub(super) fn none() -> Self {
        Self {
            habit: None,
            visitor: Visitor::browser(0),
            loot: vec![],
            is_watching: false,
            was_listed: false,
            tokens: 0,
            is_told: false,
            first_token_at: None,
            alarm_at: None,
        }
    }

    /// Notes when things happen.
    pub(super) fn watch(&mut self, now: u64, is_alarmed: bool) {
        if self.tokens > 0 {
            self.first_token_at.get_or_insert(now);
        }
        if is_alarmed {
            self.alarm_at.get_or_insert(now);
        }
    }

    /// From its first access token to the alarm, in seconds.
    pub(super) fn lag(&self) -> Option<u64> {
        let (from, to) = (self.first_token_at?, self.alarm_at?);
        Some(to.saturating_sub(from) / SECOND)
    }
}

impl Sim {
    /// Lets a thief copy the cookie after `delay` milliseconds.
    pub(super) fn rob(&mut self, delay: u64, habit: Habit, visitor: Visitor) {
        self.robbery.habit = Some(habit);
        self.robbery.visitor = visitor;
        self.after(delay, Event::Thief(Move::Steal));
    }

    pub(super) fn thief(&mut self, step: Move) {
        match step {
            Move::Steal => self.steal(),
            Move::Use { loot } => self.use_loot(loot),
            Move::List { loot } => self.list(loot),
            Move::SignOut { loot } => {
                let (token, visitor) = (&self.robbery.loot[loot], self.robbery.visitor);
                self.server.answer(token, visitor, Ask::SignOut);
            }
        }
    }

    /// The victim sends its cookie, and a shadow sees it.
    pub(super) fn shadow(&mut self) {
        if self.robbery.is_watching {
            let loot = self.copy();
            let delay = self.below(5 * SECOND);
            self.after(delay, Event::Thief(Move::Use { loot }));
        }
    }

    fn copy(&mut self) -> usize {
        self.robbery.loot.push(self.jar.clone());
        self.robbery.loot.len() - 1
    }

    fn steal(&mut self) {
        let loot = self.copy();
        let later = self.rng.random_range(0..40 * MINUTE);
        let (delay, step) = match self.robbery.habit {
            None => return,
            Some(Habit::Shadow) => {
                self.robbery.is_watching = true;
                return;
            }
            Some(Habit::OneShotLater) => (later, Move::Use { loot }),
            Some(Habit::Stale) => (THREE_TURNS, Move::Use { loot }),
            Some(Habit::ListTimed) => (0, Move::List { loot }),
            Some(_) => (0, Move::Use { loot }),
        };
        self.after(delay, Event::Thief(step));
    }

    fn use_loot(&mut self, loot: usize) {
        let mut served = false;
        for _ in 0..TRIES {
            let robbery = &mut self.robbery;
            let (token, visitor) = (&robbery.loot[loot], robbery.visitor);
            let answer = self.server.answer(token, visitor, Ask::Refresh);
            robbery.is_told |= answer.told;
            if let Some(cookie) = answer.cookie {
                robbery.loot[loot] = cookie;
            }
            served = answer.words == Words::Served;
            robbery.tokens += u32::from(served);
            if answer.words != Words::Confirm {
                break;
            }
        }
        let next = match self.robbery.habit {
            Some(Habit::Periodic) => (10 * MINUTE, Move::Use { loot }),
            Some(Habit::BlindFollower) => (832_500, Move::Use { loot }),
            Some(Habit::SignOut) => (SECOND, Move::SignOut { loot }),
            _ => return,
        };
        if served {
            self.after(next.0, Event::Thief(next.1));
        }
    }

    /// A list is judged like a refresh, but nothing is handed out. A client that would get a new cookie has to refresh
    /// first.
    fn list(&mut self, loot: usize) {
        let robbery = &self.robbery;
        let (token, visitor) = (&robbery.loot[loot], robbery.visitor);
        let answer = self.server.answer(token, visitor, Ask::List);
        self.robbery.is_told |= answer.told;
        let is_listed = answer.words == Words::Served;
        let has_changed = self.robbery.was_listed && !is_listed;
        self.robbery.was_listed = is_listed;
        match answer.words {
            Words::Alarm | Words::Over | Words::Outdated => return,
            _ if has_changed => self.use_loot(loot),
            _ => {}
        }
        if self.now < LONG_ENOUGH {
            self.after(20 * SECOND, Event::Thief(Move::List { loot }));
        }
    }
}
