//! Which kind of key a file names, and whether that is the one its algorithm takes.

use std::fmt;

use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier};

use super::{super::SignatureAlgorithm as Alg, problem};
use crate::config::ConfigError;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Kinds of keys (RFC 3279 section 2.3.1, RFC 5480 section 2.1.1, RFC 8410 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
    /// Its owner lets it sign with RSASSA-PSS alone.
    RsaPss,
    OtherCurve,
    Unknown,
}

impl Kind {
    pub(super) fn of(identifier: &AlgorithmIdentifierRef<'_>) -> Self {
        let parameters = identifier.parameters;
        match identifier.oid {
            RSA if parameters.is_none_or(|given| given.is_null()) => Self::Rsa,
            RSA_PSS => Self::RsaPss,
            EC => identifier
                .parameters_oid()
                .map_or(Self::OtherCurve, Self::of_curve),
            ED25519 if parameters.is_none() => Self::Ed25519,
            _ => Self::Unknown,
        }
    }

    pub(super) fn of_curve(curve: ObjectIdentifier) -> Self {
        match curve {
            P256 => Self::P256,
            P384 => Self::P384,
            _ => Self::OtherCurve,
        }
    }

    /// Refuses a key of another kind than `alg` takes.
    pub(super) fn check(self, alg: Alg) -> Result<(), ConfigError> {
        let taken = match alg {
            Alg::EdDsa => Self::Ed25519,
            Alg::Es256 => Self::P256,
            Alg::Es384 => Self::P384,
            _ => Self::Rsa,
        };
        if self == taken {
            return Ok(());
        }
        Err(problem(format!("is {self} key; {alg} takes {taken} key")))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "an RSA",
            Self::P256 => "an EC P-256",
            Self::P384 => "an EC P-384",
            Self::Ed25519 => "an Ed25519",
            Self::RsaPss => "an RSASSA-PSS (not a plain RSA)",
            Self::OtherCurve => "an EC (of a curve that is neither P-256 nor P-384)",
            Self::Unknown => "an unknown kind of",
        })
    }
}
