//! Reads a registered claim strictly, and says which one is wrong.

use std::borrow::Cow;

use super::{Fault, MAX_SECONDS, Reader};

/// The faults that a claim may have. None repeats the claim's text.
pub(super) struct Faults {
    repeated: Fault,
    no_string: Fault,
    no_number: Fault,
    out_of_range: Fault,
}

macro_rules! faults {
    ($claim:literal) => {
        Self {
            repeated: concat!($claim, " is repeated"),
            no_string: concat!($claim, " is not a string"),
            no_number: concat!($claim, " is not a number"),
            out_of_range: concat!($claim, " lies behind the year 9999: it counts seconds"),
        }
    };
}

impl Faults {
    pub(super) const AUD: Self = faults!("aud");
    pub(super) const AUDIENCE_CLAIM: Self = faults!("the claim of .audience_claim(...)");
    pub(super) const CNF: Self = faults!("cnf");
    pub(super) const EXP: Self = faults!("exp");
    pub(super) const IAT: Self = faults!("iat");
    pub(super) const ISS: Self = faults!("iss");
    pub(super) const JTI: Self = faults!("jti");
    pub(super) const NBF: Self = faults!("nbf");
    pub(super) const SID: Self = faults!("sid");
    pub(super) const SUB: Self = faults!("sub");

    /// Notes a value that no member before had.
    #[inline]
    pub(super) fn once<T>(&self, slot: &mut Option<T>, value: T) -> Result<(), Fault> {
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(self.repeated),
        }
    }

    /// A claim that is a string or invalid: null is not absence, a number is no name.
    #[inline]
    pub(super) fn string<'a>(&self, reader: &mut Reader<'a>) -> Result<Cow<'a, str>, Fault> {
        match reader.peek() {
            Some(b'"') => reader.string(),
            _ => Err(self.no_string),
        }
    }

    #[inline]
    pub(super) fn text<'a>(
        &self,
        slot: &mut Option<Cow<'a, str>>,
        reader: &mut Reader<'a>,
    ) -> Result<(), Fault> {
        let text = self.string(reader)?;
        self.once(slot, text)
    }

    /// A `NumericDate` in milliseconds: a JSON number, fractions allowed (RFC 7519 section 2).
    pub(super) fn date(
        &self,
        slot: &mut Option<i64>,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        if !matches!(reader.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.no_number);
        }
        if let Some(seconds) = reader.small_integer() {
            return match seconds {
                0..=MAX_SECONDS => self.once(slot, seconds * 1000),
                _ => Err(self.out_of_range),
            };
        }
        let seconds: f64 = reader.number()?.parse().map_err(|_| self.out_of_range)?;
        if seconds > MAX_SECONDS as f64 {
            return Err(self.out_of_range);
        }
        // The conversion saturates: long before the epoch is as good as any other past.
        self.once(slot, (seconds * 1000.0).floor() as i64)
    }
}
