//! The thief of a world.

use super::{
    ledger::{Ask, NONE, Put},
    rule::Words,
    search::Search,
    state::State,
};

impl Search<'_> {
    /// Copies the cookie, or presents what it has.
    pub(super) fn steal(&mut self, state: State) {
        if state.left.thefts == 0 {
            return;
        }
        if state.stolen == NONE {
            if state.jar != NONE {
                let mut robbed = state;
                robbed.stolen = state.jar;
                self.reach(robbed);
            }
            return;
        }
        let asks: &[Ask] = if self.bounds.thief_signs_out {
            &[Ask::Refresh, Ask::SignOut]
        } else {
            &[Ask::Refresh]
        };
        for policy in 0..self.ledger.policies() {
            for ask in asks {
                self.use_stolen(state, policy, *ask);
            }
        }
    }

    fn use_stolen(&mut self, mut state: State, policy: u8, ask: Ask) {
        let thief = self.bounds.thief;
        let verdict = self.ledger.answer(Put {
            policy,
            ask,
            ..Put::refresh(state.store, state.stolen, thief)
        });
        state.left.thefts -= 1;
        state.presented = true;
        state.told |= verdict.told;
        state.tokens += u8::from(verdict.words == Words::Served);
        if let Some(next) = verdict.next {
            state.write(next);
        }
        if verdict.cookie != NONE {
            state.stolen = verdict.cookie;
        }
        match verdict.words {
            Words::Alarm => {
                self.alarm(&state);
                state.over = true;
            }
            Words::SignedOut => state.left.thefts = 0,
            _ => {}
        }
        self.reach(state);
    }

    pub(super) fn alarm(&mut self, state: &State) {
        self.report.alarms += 1;
        self.report.most = self.report.most.max(state.tokens);
    }

    /// The thief may stop here, or go on with the victim.
    pub(super) fn close(&mut self, state: &State) {
        let (victim, thief) = (self.bounds.window(0), self.bounds.thief);
        let alone = self.closings.play(&mut self.ledger, state, victim, None);
        let both = self
            .closings
            .play(&mut self.ledger, state, victim, Some(thief));
        self.report.ends += 1;
        self.report.most = self.report.most.max(state.tokens);
        if both.alarm {
            self.report.most = self.report.most.max(state.tokens + both.tokens);
        } else if both.tokens > 0 {
            self.unnoticed.get_or_insert(self.here);
        }
        if state.tokens > 0 && !alone.alarm {
            self.report.escapes += 1;
            self.report.silent += usize::from(!state.told);
        }
    }
}
