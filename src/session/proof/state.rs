//! One moment of a world.

use std::hash::{Hash, Hasher};

use super::{
    bounds::Budget,
    ledger::{Ask, NONE, Rec, Token},
};

/// How many messages are under way at most.
pub(super) const IN_FLIGHT: usize = 3;

/// Where a message is. In order: free places stand before the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Stage {
    Free,
    /// A request on its way.
    There,
    /// The server has read the record, and works for its answer.
    AtWork,
    /// An answer with a cookie on its way. Without one it changes nothing in the browser.
    Back,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Flight {
    pub(super) stage: Stage,
    pub(super) ask: Ask,
    pub(super) agent: u8,
    pub(super) token: Token,
    /// In this stage, in units.
    pub(super) age: u8,
    /// The browser that sent it is dead: its answer reaches no jar.
    pub(super) orphan: bool,
    /// Its user did nothing since the last one.
    pub(super) passive: bool,
    /// The record that the server has read.
    pub(super) read: Option<Rec>,
}

pub(super) const FREE: Flight = Flight {
    stage: Stage::Free,
    ask: Ask::Refresh,
    agent: 0,
    token: NONE,
    age: 0,
    orphan: false,
    passive: false,
    read: None,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) store: Rec,
    /// The store falls back to it when it loses its last write.
    pub(super) before: Option<Rec>,
    /// The cookie of the browser; none after a sign-out.
    pub(super) jar: Token,
    /// The cookie on the disk, and for how long it has been out of date.
    pub(super) disk: Token,
    pub(super) stale: u8,
    /// Sorted: which place a message has means nothing.
    pub(super) flights: [Flight; IN_FLIGHT],
    pub(super) left: Budget,
    /// The units since an active request was answered, where there is an idle lifetime.
    pub(super) unused: u8,
    /// The thief's cookie, and the access tokens it has got.
    pub(super) stolen: Token,
    pub(super) tokens: u8,
    /// The thief has presented it.
    pub(super) presented: bool,
    /// The application was told of something strange that the thief did.
    pub(super) told: bool,
    /// The user has signed out.
    pub(super) ended: bool,
    /// An alarm has ended the session, or it was not used.
    pub(super) over: bool,
}

/// Written as a few words. The hash of each field for itself takes longer than all the rest of the search.
impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let [a, b, c] = self.flights.map(Flight::word);
        let records = u64::from(self.store.number()) << 32 | u64::from(number(self.before));
        let cookies = [self.jar, self.disk, self.stale, self.stolen];
        let flags = [self.presented, self.told, self.ended, self.over];
        let flags = flags
            .into_iter()
            .fold(0, |all, flag| all << 1 | u64::from(flag));
        let cookies = u64::from(u32::from_le_bytes(cookies)) << 32;
        let left = self.left.word();
        let tokens = u64::from(self.tokens) << 8 | u64::from(self.unused) << 16;
        for word in [a, b, c, records, cookies | tokens | flags, left] {
            hasher.write_u64(word);
        }
    }
}

fn number(rec: Option<Rec>) -> u32 {
    rec.map_or(0, Rec::number)
}

impl Flight {
    fn word(self) -> u64 {
        let read = u64::from(number(self.read)) << 32;
        let flags = self.stage as u8
            | (self.ask as u8) << 2
            | u8::from(self.orphan) << 5
            | u8::from(self.passive) << 6;
        let bytes = [flags, self.agent, self.token, self.age];
        read | u64::from(u32::from_le_bytes(bytes))
    }
}

impl State {
    pub(super) fn start(store: Rec, token: Token, left: Budget) -> Self {
        Self {
            store,
            before: None,
            jar: token,
            disk: token,
            stale: 0,
            flights: [FREE; IN_FLIGHT],
            left,
            unused: 0,
            stolen: NONE,
            tokens: 0,
            presented: false,
            told: false,
            ended: false,
            over: false,
        }
    }

    /// The store takes `next`.
    pub(super) fn write(&mut self, next: Rec) {
        self.before = (self.left.failovers > 0).then_some(self.store);
        self.store = next;
    }

    /// The browser takes a cookie; the disk has it later.
    pub(super) fn take(&mut self, cookie: Token) {
        self.jar = cookie;
        if self.left.crashes == 0 {
            self.disk = cookie;
        }
        if self.jar == self.disk {
            self.stale = 0;
        }
    }

    /// The disk has what the jar has.
    pub(super) fn flush(&mut self) {
        self.disk = self.jar;
        self.stale = 0;
    }

    /// The browser dies and is started again. Requests that it has sent go on without it.
    pub(super) fn crash(&mut self) {
        self.left.crashes -= 1;
        let disk = self.disk;
        self.take(disk);
        for flight in &mut self.flights {
            match flight.stage {
                Stage::Back => *flight = FREE,
                Stage::There | Stage::AtWork => flight.orphan = true,
                Stage::Free => {}
            }
        }
    }

    pub(super) fn free_place(&self) -> Option<usize> {
        let mut flights = self.flights.iter();
        flights.position(|flight| flight.stage == Stage::Free)
    }

    pub(super) fn is_asking(&self) -> bool {
        let mut flights = self.flights.iter();
        self.can_send() || flights.any(|f| matches!(f.stage, Stage::There | Stage::AtWork))
    }

    pub(super) fn can_send(&self) -> bool {
        self.left.requests > 0 && self.jar != NONE
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.flights.iter().all(|f| f.stage == Stage::Free)
    }
}
