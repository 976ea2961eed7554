//! The end of a theft, when neither side hurries any more: both sides act an interval apart.

use std::collections::HashMap;

use super::{
    ledger::{Ledger, NONE, Put, Rec, Token},
    rule::{Visitor, Words},
    state::State,
};

/// How a theft goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Closing {
    /// The session ends with an alarm.
    pub(super) alarm: bool,
    /// How many access tokens the thief gets until then.
    pub(super) tokens: u8,
}

/// How often each side comes again.
const ROUNDS: usize = 4;
/// How often a client asks in a row that is told to come again.
const TRIES: usize = 3;

/// Each is played once.
#[derive(Default)]
pub(super) struct Closings(HashMap<(Rec, Token, Token), Closing>);

impl Closings {
    /// Plays on from `state`: the victim, and the thief unless it has gone away.
    pub(super) fn play(
        &mut self,
        ledger: &mut Ledger,
        state: &State,
        victim: Visitor,
        thief: Option<Visitor>,
    ) -> Closing {
        let stolen = thief.map_or(NONE, |_| state.stolen);
        let key = (state.store, state.jar, stolen);
        if let Some(closing) = self.0.get(&key) {
            return *closing;
        }
        let mut closing = Closing::default();
        let mut store = state.store;
        let (mut jar, mut stolen) = (state.jar, stolen);
        for _ in 0..ROUNDS {
            closing.alarm |= visit(ledger, &mut store, &mut jar, victim).1;
            if let Some(thief) = thief {
                let (tokens, alarm) = visit(ledger, &mut store, &mut stolen, thief);
                closing.alarm |= alarm;
                closing.tokens += tokens;
            }
        }
        self.0.insert(key, closing);
        closing
    }
}

/// One side comes with what it has. Its access tokens, and whether that is an alarm.
fn visit(ledger: &mut Ledger, store: &mut Rec, cookie: &mut Token, visitor: Visitor) -> (u8, bool) {
    *store = ledger.long_after(*store);
    if *cookie == NONE {
        return (0, false);
    }
    for _ in 0..TRIES {
        let verdict = ledger.answer(Put::refresh(*store, *cookie, visitor));
        *store = verdict.next.unwrap_or(*store);
        if verdict.cookie != NONE {
            *cookie = verdict.cookie;
        }
        match verdict.words {
            Words::Confirm => {}
            Words::Later => *store = ledger.long_after(*store),
            words => return (u8::from(words == Words::Served), words == Words::Alarm),
        }
    }
    (0, false)
}
