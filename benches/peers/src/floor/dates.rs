//! When a token is good.

use super::Refused;

/// Seconds since the epoch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dates {
    pub expires_at: u64,
    pub issued_at: Option<u64>,
    pub not_before: Option<u64>,
}

impl Dates {
    pub fn check(&self, leeway: u64, now: u64) -> Result<(), Refused> {
        let latest = now + leeway;
        let late = |date: Option<u64>| date.is_some_and(|date| date > latest);
        let expired = now >= self.expires_at.saturating_add(leeway);
        if expired || late(self.issued_at) || late(self.not_before) {
            return Err(Refused);
        }
        Ok(())
    }
}
