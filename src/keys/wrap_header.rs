//! The parts of a token's header that key agreement reads (RFC 7518 section 4.6.1).

use std::borrow::Cow;

use serde::Deserialize;

/// The header parameters of key agreement. Absent for every other key management.
#[derive(Debug, Default)]
pub(crate) struct WrapHeader<'a> {
    pub(crate) epk: Option<Epk<'a>>,
    pub(crate) apu: Option<Cow<'a, str>>,
    pub(crate) apv: Option<Cow<'a, str>>,
}

/// An ephemeral public key. Any other member, a private one above all, is refused while parsing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Epk<'a> {
    #[serde(borrow)]
    pub(crate) kty: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) crv: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) x: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) y: Option<Cow<'a, str>>,
}
