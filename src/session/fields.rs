//! The tagged fields of a record, added after its layout was fixed.
//!
//! ```text
//! tag:1 | length:2 | value
//! ```
//! Ascending by tag, each at most once. A reader must know every tag below 128. It keeps those above as they are,
//! through every swap, for the release that wrote them.
//!
//! | tag | value |
//! |---|---|
//! | 1 | reserved: DPoP thumbprint |
//! | 2 | reserved: device key |
//! | 3 | when the user authenticated, where that is not when the session began: 8, milliseconds |
//! | 4 | `acr`: 1 to 64 |
//! | 5 | `amr`: up to 8 of 1 to 32 each, a space between two |
//! | 6 | how long the session lasts, where its sign-in set that. kind:1 (1: until the browser closes), idle lifetime:8 in milliseconds. 0 where the policy sets it |
//! | 7 | version of the function that made the fingerprints:1, where it is not 0 |
//! | 128 | note of the application: 1 to 256 of UTF-8 |

use std::{fmt, time::Duration};

use super::{
    authentication::{Authentication, LONGEST_ACR, LONGEST_AMR, Methods},
    record_codec::{Damage, slice},
    refresh_token::take,
};
use crate::clock::Timestamp;

const AUTH_TIME: u8 = 3;
const ACR: u8 = 4;
const AMR: u8 = 5;
const LASTS: u8 = 6;
const FINGERPRINT_VERSION: u8 = 7;
const NOTE: u8 = 128;
/// The first tag behind those of this release that a reader need not know.
const UNKNOWN: u8 = NOTE + 1;
/// All fields of one record together, in bytes.
pub(super) const LONGEST: usize = 1024;
/// The longest note, in bytes.
pub(crate) const LONGEST_NOTE: usize = 256;
/// Those that this release writes.
const KNOWN: usize =
    (3 + 8) + (3 + LONGEST_ACR) + (3 + LONGEST_AMR) + (3 + 9) + (3 + 1) + (3 + LONGEST_NOTE);

/// The content of a record's fields.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// The browser drops the cookies when it closes.
    pub(crate) until_closed: bool,
    /// The idle lifetime of this session; that of the policy where there is none.
    pub(crate) idle: Option<Duration>,
    pub(crate) fingerprint_version: u8,
    said: Option<Box<Said>>,
    /// Fields that this release does not know, as they came.
    unknown: Box<[u8]>,
}

/// The words of the application about a session. Most say nothing, and pay one word for it.
#[derive(Clone, Default, PartialEq, Eq)]
struct Said {
    auth_time: Option<Timestamp>,
    methods: Methods,
    note: Box<str>,
}

impl Fields {
    /// An idle lifetime is kept in whole milliseconds, and is one at least: none stands for the policy's.
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

    /// The caller has checked the length.
    pub(crate) fn with_note(self, note: &str) -> Self {
        self.change(|said| said.note = note.into())
    }

    /// The same after this authentication, in a session that began at `created_at`.
    pub(crate) fn with_authentication(
        self,
        authentication: Authentication,
        created_at: Timestamp,
    ) -> Self {
        let Authentication { at, methods } = authentication;
        if self.said.is_none() && at == created_at && methods == Methods::default() {
            return self;
        }
        self.change(|said| {
            said.auth_time = Some(at).filter(|at| *at != created_at);
            said.methods = methods;
        })
    }

    /// There is one form of each value: an empty value is not kept.
    fn change(self, change: impl FnOnce(&mut Said)) -> Self {
        let mut said = self.said.unwrap_or_default();
        change(&mut said);
        let said = Some(said).filter(|said| **said != Said::default());
        Self { said, ..self }
    }

    /// When the user authenticated, where that is not when the session began.
    pub(crate) fn auth_time(&self) -> Option<Timestamp> {
        self.said.as_ref()?.auth_time
    }

    pub(crate) fn methods(&self) -> Option<&Methods> {
        self.said.as_ref().map(|said| &said.methods)
    }

    /// The note of the application; empty where there is none.
    pub(crate) fn note(&self) -> &str {
        self.said.as_ref().map_or("", |said| &said.note)
    }

    /// As many bytes as fields may have: every known one, and an unknown one that fills the rest.
    #[cfg(feature = "store-tests")]
    pub(crate) fn largest() -> Self {
        const REST: usize = LONGEST - KNOWN - 3;
        let [high, low] = (REST as u16).to_be_bytes();
        let unknown = [UNKNOWN, high, low].into_iter();
        let (acr, method) = ("a".repeat(LONGEST_ACR), "m".repeat(32));
        let methods = Methods::default().with_acr(&acr);
        let methods = methods.and_then(|methods| methods.with_amr([&*method; 8]));
        let said = Said {
            auth_time: Some(Timestamp::from_millis(1)),
            methods: methods.unwrap_or_default(),
            note: "ü".repeat(LONGEST_NOTE / 2).into(),
        };
        Self {
            said: Some(Box::new(said)),
            until_closed: true,
            idle: Some(Duration::from_millis(1)),
            fingerprint_version: u8::MAX,
            // It ends with a blank, which text may lose.
            unknown: unknown
                .chain((0..=u8::MAX).cycle().skip(143).take(REST))
                .collect(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let Self {
            until_closed,
            idle,
            fingerprint_version,
            said,
            unknown,
        } = self;
        let mut out = Vec::new();
        let mut put = |tag: u8, value: &[u8]| {
            out.push(tag);
            out.extend_from_slice(&(value.len() as u16).to_be_bytes());
            out.extend_from_slice(value);
        };
        if let Some(said) = said {
            let Said {
                auth_time,
                methods,
                note: _,
            } = &**said;
            if let Some(at) = auth_time {
                put(AUTH_TIME, &at.as_millis().to_be_bytes());
            }
            if let Some(acr) = methods.acr() {
                put(ACR, acr.as_bytes());
            }
            if !methods.amr_text().is_empty() {
                put(AMR, methods.amr_text().as_bytes());
            }
        }
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
        if !self.note().is_empty() {
            put(NOTE, self.note().as_bytes());
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
                AUTH_TIME => {
                    let millis = value.try_into().map_err(|_| Damage::Malformed)?;
                    let at = Timestamp::from_millis(u64::from_be_bytes(millis));
                    fields.said().auth_time = Some(at);
                }
                ACR => fields.read_acr(value).ok_or(Damage::Malformed)?,
                AMR => fields.read_amr(value).ok_or(Damage::Malformed)?,
                LASTS => fields.read_lasts(value).ok_or(Damage::Malformed)?,
                FINGERPRINT_VERSION => match value {
                    [version] if *version != 0 => fields.fingerprint_version = *version,
                    _ => return Err(Damage::Malformed),
                },
                NOTE => fields.read_note(value).ok_or(Damage::Malformed)?,
                UNKNOWN.. => {
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

    fn said(&mut self) -> &mut Said {
        self.said.get_or_insert_default()
    }

    fn read_acr(&mut self, value: &[u8]) -> Option<()> {
        let acr = std::str::from_utf8(value).ok()?;
        let methods = &mut self.said().methods;
        *methods = std::mem::take(methods).with_acr(acr)?;
        Some(())
    }

    fn read_amr(&mut self, value: &[u8]) -> Option<()> {
        let amr = std::str::from_utf8(value).ok()?;
        let methods = &mut self.said().methods;
        *methods = std::mem::take(methods).with_amr(amr.split(' '))?;
        Some(())
    }

    fn read_note(&mut self, value: &[u8]) -> Option<()> {
        let fits = (1..=LONGEST_NOTE).contains(&value.len());
        let note = std::str::from_utf8(value).ok().filter(|_| fits)?;
        self.said().note = note.into();
        Some(())
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
            // But for the note.
            said: _,
            unknown: _,
        } = self;
        f.debug_struct("Fields")
            .field("auth_time", &self.auth_time())
            .field("methods", &self.methods())
            .field("until_closed", until_closed)
            .field("idle", idle)
            .field("fingerprint_version", fingerprint_version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
