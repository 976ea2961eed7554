//! The client fingerprints that a session has met, and the session's knowledge of them.

use super::id::ClientFingerprint;

/// How many a record keeps.
const MOST: usize = 4;

/// Up to four fingerprints in the order in which they came.
///
/// The *holder* is the one that the current token was handed to. *Known* are that of the sign-in, and each holder whose
/// token came back from a known one. Only one cookie jar does that. Any other is a *newcomer*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprints {
    list: [ClientFingerprint; MOST],
    len: u8,
    /// One bit for each place, the first one the lowest.
    known: u8,
    holder: u8,
    ended_by: Option<u8>,
}

/// Whether fingerprints count.
///
/// ```
/// use tower_bearer::refresh::{FingerprintPolicy, RefreshCookieBuilder};
///
/// /// Terminals that show another `User-Agent` each time.
/// fn kiosks(builder: RefreshCookieBuilder) -> RefreshCookieBuilder {
///     builder.fingerprints(FingerprintPolicy::Ignored)
/// }
/// # let _ = kiosks;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FingerprintPolicy {
    /// A fingerprint that the session has not met shows first that it shares the cookie jar.
    #[default]
    Known,
    /// All of a cookie jar is one client, however it calls itself.
    Ignored,
}

/// The bytes of a record that say it: the list, then the lengths and places.
pub(super) const ENCODED: usize = MOST * 8 + 2;
const NO_PLACE: u8 = 0xf;

impl Fingerprints {
    /// The fingerprint of a sign-in.
    pub(crate) fn one(first: ClientFingerprint) -> Self {
        let mut list = [EMPTY; MOST];
        list[0] = first;
        Self {
            list,
            len: 1,
            known: 1,
            holder: 0,
            ended_by: None,
        }
    }

    /// The one that the current token was handed to.
    pub(crate) fn holder(&self) -> ClientFingerprint {
        self.at(self.holder)
    }

    /// The one that ended the session, if a client of the session did.
    pub(crate) fn ended_by(&self) -> Option<ClientFingerprint> {
        self.ended_by.map(|place| self.at(place))
    }

    pub(crate) fn is_known(&self, fingerprint: ClientFingerprint) -> bool {
        self.place(fingerprint)
            .is_some_and(|place| self.known & (1 << place) != 0)
    }

    pub(crate) fn has_met(&self, fingerprint: ClientFingerprint) -> bool {
        self.place(fingerprint).is_some()
    }

    /// The two are one client: the same fingerprint, or both known.
    pub(crate) fn are_one(&self, one: ClientFingerprint, other: ClientFingerprint) -> bool {
        one == other || (self.is_known(one) && self.is_known(other))
    }

    /// Adds `fingerprint`. A fifth takes the place of the oldest newcomer that is not the holder. Without one it takes
    /// that of the oldest known one that is not.
    pub(crate) fn met(mut self, fingerprint: ClientFingerprint) -> Self {
        if self.has_met(fingerprint) {
            return self;
        }
        if usize::from(self.len) == MOST {
            let others = || (0..self.len).filter(|place| *place != self.holder);
            let newcomer = others().find(|place| self.known & (1 << place) == 0);
            if let Some(place) = newcomer.or_else(|| others().next()) {
                self.forget(place);
            }
        }
        if let Some(free) = self.list.get_mut(usize::from(self.len)) {
            *free = fingerprint;
            self.len += 1;
        }
        self
    }

    /// Whether `fingerprint` is among them, or would be without taking a newcomer's place. A client that calls
    /// itself by ever new names is written down no more than this.
    pub(crate) fn has_room_for(&self, fingerprint: ClientFingerprint) -> bool {
        let is_newcomer = |place: &u8| self.known & (1 << place) == 0 && *place != self.holder;
        self.has_met(fingerprint)
            || usize::from(self.len) < MOST
            || !(0..self.len).any(|place| is_newcomer(&place))
    }

    /// With `fingerprint` as the holder.
    pub(crate) fn held_by(self, fingerprint: ClientFingerprint) -> Self {
        let mut met = self.met(fingerprint);
        met.holder = met.place(fingerprint).unwrap_or(met.holder);
        met
    }

    /// With the holder known: its token came back from a known one.
    pub(crate) fn with_known_holder(mut self) -> Self {
        self.known |= 1 << self.holder;
        self
    }

    /// With `fingerprint` as the one that ended the session.
    pub(crate) fn with_end_by(self, fingerprint: ClientFingerprint) -> Self {
        let mut met = self.met(fingerprint);
        met.ended_by = met.place(fingerprint);
        met
    }

    fn at(&self, place: u8) -> ClientFingerprint {
        let found = self.list.get(usize::from(place));
        found.copied().unwrap_or(EMPTY)
    }

    fn place(&self, fingerprint: ClientFingerprint) -> Option<u8> {
        (0..self.len).find(|place| self.at(*place) == fingerprint)
    }

    /// Those behind move up by one.
    fn forget(&mut self, place: u8) {
        let (at, len) = (usize::from(place), usize::from(self.len));
        if let Some(rest) = self.list.get_mut(at..len) {
            rest.rotate_left(1);
        }
        self.len = self.len.saturating_sub(1);
        if let Some(last) = self.list.get_mut(usize::from(self.len)) {
            *last = EMPTY;
        }
        let below = (1_u8 << place) - 1;
        self.known = (self.known & below) | ((self.known >> 1) & !below);
        self.holder -= u8::from(self.holder > place);
        let remains = self.ended_by.filter(|other| *other != place);
        self.ended_by = remains.map(|other| other - u8::from(other > place));
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        for fingerprint in &self.list {
            out.extend_from_slice(fingerprint.as_bytes());
        }
        let ended_by = self.ended_by.unwrap_or(NO_PLACE);
        out.extend_from_slice(&[self.known | (self.len << 4), self.holder | (ended_by << 4)]);
    }

    /// One list has one encoding: whatever else is refused.
    pub(super) fn decode(bytes: [u8; ENCODED]) -> Option<Self> {
        let (list, [flags, places]) = bytes.split_first_chunk::<{ MOST * 8 }>()? else {
            return None;
        };
        let mut fingerprints = Self {
            list: [EMPTY; MOST],
            len: flags >> 4,
            known: flags & 0xf,
            holder: places & 0xf,
            ended_by: Some(places >> 4).filter(|place| *place != NO_PLACE),
        };
        let (read, _) = list.as_chunks::<8>();
        for (place, bytes) in fingerprints.list.iter_mut().zip(read) {
            *place = ClientFingerprint::from_bytes(*bytes);
        }
        let len = fingerprints.len;
        let unused = fingerprints.list.get(usize::from(len)..)?;
        let fits = len > 0
            && fingerprints.known >> len == 0
            && fingerprints.holder < len
            && fingerprints.ended_by.is_none_or(|place| place < len)
            && unused.iter().all(|fingerprint| *fingerprint == EMPTY);
        fits.then_some(fingerprints)
    }
}

const EMPTY: ClientFingerprint = ClientFingerprint::from_bytes([0; 8]);

#[cfg(test)]
mod tests {
    use super::*;

    fn f(n: u8) -> ClientFingerprint {
        ClientFingerprint::from_bytes([n; 8])
    }

    #[test]
    fn a_holder_is_known_once_its_token_came_back_from_a_known_one() {
        let met = Fingerprints::one(f(1)).held_by(f(2));
        assert!(met.is_known(f(1)) && !met.is_known(f(2)));
        assert!(!met.are_one(f(1), f(2)) && met.are_one(f(2), f(2)));
        let shown = met.with_known_holder();
        assert!(shown.are_one(f(1), f(2)));
        assert_eq!(shown.holder(), f(2));
    }

    #[test]
    fn a_fifth_takes_the_place_of_the_oldest_newcomer_and_never_of_the_holder() {
        let mut met = Fingerprints::one(f(1)).met(f(2)).met(f(3)).held_by(f(4));
        met = met.met(f(5));
        assert!(!met.has_met(f(2)));
        assert_eq!(met.holder(), f(4));
        assert!(met.is_known(f(1)) && !met.is_known(f(3)));
        // The newcomers 3 and 5 go before the known one, and the holder stays.
        met = met.met(f(6)).met(f(7));
        assert!(met.has_met(f(1)) && met.has_met(f(4)) && !met.has_met(f(3)) && !met.has_met(f(5)));

        let mut known = Fingerprints::one(f(1));
        for n in 2..=4 {
            known = known.held_by(f(n)).with_known_holder();
        }
        known = known.held_by(f(5));
        assert!(!known.has_met(f(1)), "the oldest known one");
        assert!((2..=4).all(|n| known.is_known(f(n))) && !known.is_known(f(5)));
        assert_eq!(known.holder(), f(5));
    }

    #[test]
    fn those_behind_a_forgotten_one_keep_what_is_known_of_them() {
        let met = Fingerprints::one(f(1))
            .met(f(2))
            .held_by(f(3))
            .with_known_holder();
        let met = met.held_by(f(4)).with_end_by(f(3)).met(f(5));
        assert!(!met.has_met(f(2)), "the only newcomer that holds nothing");
        let known = [1, 3, 4, 5].map(|n| met.is_known(f(n)));
        assert_eq!(known, [true, true, false, false]);
        assert_eq!((met.holder(), met.ended_by()), (f(4), Some(f(3))));
    }

    #[test]
    fn one_that_was_met_before_is_not_listed_again() {
        let met = Fingerprints::one(f(1)).held_by(f(2));
        assert_eq!(met.met(f(1)).met(f(2)), met);
        let back = met.held_by(f(1));
        assert_eq!((back.holder(), back.len), (f(1), 2));
        assert_eq!(back.held_by(f(2)), met);
    }

    #[test]
    fn a_list_has_one_encoding() {
        let lists = [
            Fingerprints::one(f(1)),
            Fingerprints::one(f(1)).held_by(f(2)).with_end_by(f(1)),
            Fingerprints::one(f(1)).met(f(2)).met(f(3)).held_by(f(4)),
        ];
        for list in lists {
            let mut bytes = vec![];
            list.encode(&mut bytes);
            let bytes: [u8; ENCODED] = bytes.try_into().unwrap();
            assert_eq!(Fingerprints::decode(bytes), Some(list));
            for at in 0..ENCODED {
                for bit in 0..8 {
                    let mut other = bytes;
                    other[at] ^= 1 << bit;
                    if let Some(read) = Fingerprints::decode(other) {
                        let mut again = vec![];
                        read.encode(&mut again);
                        assert_eq!(again, other, "byte {at}, bit {bit}");
                    }
                }
            }
        }
        assert_eq!(Fingerprints::decode([0; ENCODED]), None);
    }
}
