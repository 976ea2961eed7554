//! The tagged fields of a record: what came after its layout was fixed.
//!
//! ```text
//! tag:1 | length:2 | value
//! ```
//! Ascending by tag, each at most once. A reader must know every tag below 128; it keeps those above as they
//! are, through every swap, for the release that wrote them.
//!
//! | tag | value |
//! |---|---|
//! | 1 | reserved: DPoP thumbprint |
//! | 2 | reserved: device key |
//! | 3 | reserved: `auth_time` |
//! | 4 | reserved: `acr` |
//! | 5 | reserved: `amr` |
//! | 6 | how long the session lasts, where its sign-in said so: kind:1 (1: until the browser closes), idle lifetime:8 in milliseconds, 0 where the policy says it |
//! | 7 | version of the function that made the fingerprints:1, where it is not 0 |
//! | 128 | reserved: note of the application |

use std::{fmt, time::Duration};

use super::{
    record_codec::{Damage, slice},
    refresh_token::take,
};

const LASTS: u8 = 6;
const FINGERPRINT_VERSION: u8 = 7;
/// From here on a reader need not know a tag.
const OPTIONAL: u8 = 128;
/// All fields of one record together, in bytes.
pub(super) const LONGEST: usize = 1024;
/// Those that this release writes.
const KNOWN: usize = (3 + 9) + (3 + 1);

/// The content of a record's fields.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// The browser drops the cookies when it closes.
    pub(crate) until_closed: bool,
    /// The idle lifetime of this session; that of the policy where there is none.
    pub(crate) idle: Option<Duration>,
    pub(crate) fingerprint_version: u8,
    /// Fields that this release does not know, as they came.
    unknown: Box<[u8]>,
}

impl Fields {
    /// An idle lifetime is kept in whole milliseconds, and is one at least: none is what the policy says.
    pub(crate) fn of(until_closed: bool, idle: Option<Duration>) -> Self {
        let whole = |idle: Duration| u64::try_from(idle.as_millis()).unwrap_or(u64::MAX).max(1);
        Self {
            until_closed,
            idle: idle.map(whole).map(Duration::from_millis),
            ..Self::default()
        }
    }

    pub(crate) fn with_version(self, fingerprint_version: u8) -> Self {
        Self {
            fingerprint_version,
            ..self
        }
    }

    /// As many bytes as fields may have: every known one, and an unknown one that fills the rest.
    #[cfg(feature = "store-tests")]
    pub(crate) fn largest() -> Self {
        const REST: usize = LONGEST - KNOWN - 3;
        let [high, low] = (REST as u16).to_be_bytes();
        let unknown = [OPTIONAL, high, low].into_iter();
        Self {
            until_closed: true,
            idle: Some(Duration::from_millis(1)),
            fingerprint_version: u8::MAX,
            // It ends with a blank, which text may lose.
            unknown: unknown
                .chain((0..=u8::MAX).cycle().skip(52).take(REST))
                .collect(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let Self {
            until_closed,
            idle,
            fingerprint_version,
            unknown,
        } = self;
        let mut out = Vec::new();
        let mut put = |tag: u8, value: &[u8]| {
            out.push(tag);
            out.extend_from_slice(&(value.len() as u16).to_be_bytes());
            out.extend_from_slice(value);
        };
        if *until_closed || idle.is_some() {
            let idle = idle.map_or(0, |idle| {
                u64::try_from(idle.as_millis()).unwrap_or(u64::MAX)
            });
            let mut value = [0; 9];
            value[0] = u8::from(*until_closed);
            value[1..].copy_from_slice(&idle.to_be_bytes());
            put(LASTS, &value);
        }
        if *fingerprint_version != 0 {
            put(FINGERPRINT_VERSION, &[*fingerprint_version]);
        }
        out.extend_from_slice(unknown);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let mut fields = Self::default();
        let (rest, mut last) = (&mut &*bytes, 0);
        while !rest.is_empty() {
            let start = *rest;
            let [tag] = take(rest).ok_or(Damage::Malformed)?;
            let len = take(rest)
                .map(u16::from_be_bytes)
                .ok_or(Damage::Malformed)?;
            let value = slice(rest, len.into()).ok_or(Damage::Malformed)?;
            if tag <= last {
                return Err(Damage::Malformed);
            }
            last = tag;
            match tag {
                LASTS => fields.read_lasts(value).ok_or(Damage::Malformed)?,
                FINGERPRINT_VERSION => match value {
                    [version] if *version != 0 => fields.fingerprint_version = *version,
                    _ => return Err(Damage::Malformed),
                },
                OPTIONAL.. => {
                    let end = start.len() - rest.len();
                    let whole = start.get(..end).unwrap_or_default();
                    fields.unknown = [&*fields.unknown, whole].concat().into();
                }
                tag => return Err(Damage::Field(tag)),
            }
        }
        // However it is written again, with fields of this release beside, it is within the bound.
        if fields.unknown.len() > LONGEST - KNOWN {
            return Err(Damage::Malformed);
        }
        Ok(fields)
    }

    /// A field that says nothing is not written.
    fn read_lasts(&mut self, value: &[u8]) -> Option<()> {
        let (kind, idle) = value.split_first()?;
        let idle = u64::from_be_bytes(idle.try_into().ok()?);
        self.until_closed = match kind {
            0 if idle != 0 => false,
            1 => true,
            _ => return None,
        };
        self.idle = (idle != 0).then(|| Duration::from_millis(idle));
        Some(())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            until_closed,
            idle,
            fingerprint_version,
            unknown: _,
        } = self;
        f.debug_struct("Fields")
            .field("until_closed", until_closed)
            .field("idle", idle)
            .field("fingerprint_version", fingerprint_version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_survive_and_have_one_encoding() {
        let rows: [(Fields, &[u8]); 4] = [
            (Fields::default(), b""),
            (
                Fields {
                    until_closed: true,
                    ..Fields::default()
                },
                b"\x06\0\x09\x01\0\0\0\0\0\0\0\0",
            ),
            (
                Fields {
                    idle: Some(Duration::from_secs(1)),
                    fingerprint_version: 3,
                    ..Fields::default()
                },
                b"\x06\0\x09\0\0\0\0\0\0\0\x03\xe8\x07\0\x01\x03",
            ),
            (
                Fields {
                    unknown: Box::from(*b"\x80\0\x02hi\xff\0\0"),
                    ..Fields::default()
                },
                b"\x80\0\x02hi\xff\0\0",
            ),
        ];
        for (fields, bytes) in rows {
            assert_eq!(fields.encode(), bytes);
            assert_eq!(Fields::decode(bytes), Ok(fields));
        }
    }

    /// Whatever a sign-in says is read back as it was kept.
    #[test]
    fn an_idle_lifetime_is_whole_milliseconds() {
        for (said, kept) in [
            (Duration::ZERO, 1),
            (Duration::from_nanos(1), 1),
            (Duration::from_micros(2_999), 2),
            (Duration::from_millis(3), 3),
            (Duration::MAX, u64::MAX),
        ] {
            for until_closed in [false, true] {
                let fields = Fields::of(until_closed, Some(said));
                assert_eq!(fields.idle, Some(Duration::from_millis(kept)));
                assert_eq!(Fields::decode(&fields.encode()), Ok(fields));
            }
        }
        assert_eq!(Fields::of(false, None), Fields::default());
    }

    #[test]
    fn the_version_of_the_fingerprints_changes_nothing_else() {
        let (kind, unknown) = (&b"\x06\0\x09\x01\0\0\0\0\0\0\x03\xe8"[..], b"\xc8\0\x01!");
        let fields = Fields::decode(&[kind, unknown].concat()).unwrap();
        let of_two = fields.clone().with_version(2);
        let expected = [kind, b"\x07\0\x01\x02", unknown].concat();
        assert_eq!(of_two.encode(), expected);
        assert_eq!(of_two.with_version(0), fields);
    }

    #[test]
    fn its_debug_shows_nothing_of_unknown_fields() {
        let fields = Fields::decode(b"\x80\0\x06secret").unwrap();
        let text = format!("{fields:?}");
        assert!(!text.contains("secret") && !text.contains("115"), "{text}");
    }

    #[test]
    fn a_field_that_must_be_known_is_not_passed_over() {
        for tag in (0..128).filter(|tag| ![0, LASTS, FINGERPRINT_VERSION].contains(tag)) {
            assert_eq!(Fields::decode(&[tag, 0, 1, 9]), Err(Damage::Field(tag)));
        }
    }

    #[test]
    fn damage_is_told() {
        let rows: [&[u8]; 9] = [
            b"\0\0\0",
            b"\x07",
            b"\x07\0",
            b"\x07\0\x02\x01",
            b"\x07\0\x01\0",
            b"\x06\0\x09\0\0\0\0\0\0\0\0\0",
            b"\x06\0\x09\x02\0\0\0\0\0\0\0\0",
            b"\x81\0\0\x80\0\0",
            b"\x80\0\0\x80\0\0",
        ];
        for bytes in rows {
            assert_eq!(Fields::decode(bytes), Err(Damage::Malformed), "{bytes:?}");
        }
    }
}
