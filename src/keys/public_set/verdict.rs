//! The verdict on one key of an issuer's set.

use super::{
    compromised::Mark,
    members::{Member, Members},
    thumbprint::{Thumbprint, decode, unsigned},
    unusable::{UnusableKey, UnusableReason as Reason},
};
use crate::keys::{SignatureAlgorithm as Alg, SigningKey};

/// The words of the set about one key, and what follows.
pub(super) struct Judged {
    pub(super) alg: Option<Box<str>>,
    pub(super) verdict: Verdict,
}

/// The use of one key of the set.
pub(super) enum Verdict {
    Usable(SigningKey),
    Unusable(UnusableKey),
    /// It publishes a secret of the issuer. The marks identify it later.
    Compromised(UnusableKey, Vec<Mark>),
}

/// The longest `kid` of an issuer's key, in bytes: cloud services name keys by URLs.
const MAX_KID: usize = 512;

/// Judges the key at `index` by its own text alone.
pub(super) fn verdict_on(index: usize, json: &str) -> Judged {
    let unread = |detail| Judged {
        alg: None,
        verdict: unusable(index, None, (Reason::Malformed, detail)),
    };
    if !json.starts_with('{') {
        return unread("is not a JSON object");
    }
    match serde_json::from_str::<Members>(json) {
        Ok(members) => Judged {
            alg: members.alg.text().map(Into::into),
            verdict: verdict_on_members(index, &members, json),
        },
        Err(_) => unread("cannot be read"),
    }
}

fn unusable(index: usize, kid: Option<&str>, (reason, detail): Fault) -> Verdict {
    Verdict::Unusable(UnusableKey::new(index, kid, reason, detail))
}

fn verdict_on_members(index: usize, members: &Members, json: &str) -> Verdict {
    // Of two values some readers take the first, and others the last.
    let last = match members.is_repeated {
        true => last_values(json),
        false => None,
    };
    let kid = kid(&members.kid);
    let readings = [Some(members), last.as_ref()];
    let given = |what: fn(&Members) -> bool| readings.into_iter().flatten().any(what);
    let compromised = |detail, marks| {
        let kid = kid.unwrap_or_default();
        let key = UnusableKey::new(index, kid, Reason::Compromised, detail);
        Verdict::Compromised(key, marks)
    };
    if given(is_private) {
        // Whatever its name and type say: a private half is published.
        return compromised(PRIVATE, marks(readings, kid.unwrap_or_default()));
    }
    if given(is_secret) {
        // That says nothing of the public keys beside it, of the same name or not.
        return compromised(SECRET, Vec::new());
    }
    let (kid, key) = match kid {
        Ok(kid) => (kid, usable(members)),
        Err(fault) => (None, Err(fault)),
    };
    match key {
        Ok(key) => Verdict::Usable(key.named(kid)),
        Err(fault) => unusable(index, kid, fault),
    }
}

/// The marks of a key whose private half was published.
fn marks(readings: [Option<&Members>; 2], kid: Option<&str>) -> Vec<Mark> {
    let thumbprints = readings.into_iter().flatten().flat_map(Thumbprint::all_of);
    let mut marks: Vec<_> = thumbprints.map(Mark::Thumbprint).collect();
    // Without the numbers of its own type, the name has to do.
    if readings.into_iter().flatten().any(lacks_numbers) {
        marks.extend(kid.map(|kid| Mark::Kid(kid.into())));
    }
    marks
}

/// Whether a key of a known type has not the numbers that its thumbprint takes.
fn lacks_numbers(members: &Members) -> bool {
    let lacks = |member: &Member| member.text().and_then(decode).is_none();
    match members.kty.text() {
        Some(kty) if kty.eq_ignore_ascii_case("EC") => lacks(&members.x) || lacks(&members.y),
        Some(kty) if kty.eq_ignore_ascii_case("OKP") => lacks(&members.x),
        Some(kty) if kty.eq_ignore_ascii_case("RSA") => lacks(&members.n) || lacks(&members.e),
        _ => false,
    }
}

/// The members as a reader sees them that takes the last one.
fn last_values(json: &str) -> Option<Members> {
    let object: serde_json::Value = serde_json::from_str(json).ok()?;
    serde_json::from_str(&object.to_string()).ok()
}

/// Why a key is not used.
type Fault = (Reason, &'static str);

fn kid(member: &Member) -> Result<Option<&str>, Fault> {
    match member {
        Member::Absent => Ok(None),
        Member::Text(kid) if (1..=MAX_KID).contains(&kid.len()) => Ok(Some(kid)),
        _ => Err((
            Reason::Malformed,
            "has a `kid` that is not a string of 1 to 512 bytes",
        )),
    }
}

const SECRET: &str =
    "is a shared secret (`oct`), which is public now; the issuer has to replace it";
const PRIVATE: &str =
    "holds a private member, so its private half is public now; the issuer has to replace it";

/// Whether the private half of a key is there.
fn is_private(members: &Members) -> bool {
    let Members {
        d,
        p,
        q,
        dp,
        dq,
        qi,
        oth,
        ..
    } = members;
    let of_rsa = [d, p, q, dp, dq, qi, oth];
    match members.kty.text() {
        Some(kty) if kty.eq_ignore_ascii_case("RSA") => {
            of_rsa.into_iter().any(Member::says_something)
        }
        // In a key of an unknown type a member of this name means something else, or nothing.
        Some(kty) if !is_known(kty) => false,
        // Without a type it may be a key of any.
        _ => d.says_something(),
    }
}

fn is_known(kty: &str) -> bool {
    ["EC", "OKP", "RSA", "oct"]
        .iter()
        .any(|known| kty.eq_ignore_ascii_case(known))
}

/// Whether it is a shared secret that is there.
fn is_secret(members: &Members) -> bool {
    let kty = members.kty.text();
    kty.is_some_and(|kty| kty.eq_ignore_ascii_case("oct")) && members.k.says_something()
}

/// The key, when it is one that verifies signatures.
fn usable(members: &Members) -> Result<SigningKey, Fault> {
    if members.is_repeated {
        return Err((Reason::Malformed, "repeats a member"));
    }
    let kty = text(
        &members.kty,
        "has no `kty`",
        "has a `kty` that is not a string",
    )?;
    if !matches!(kty, "EC" | "OKP" | "RSA") {
        return Err((
            Reason::Unsupported,
            "has a `kty` other than RSA, EC and OKP",
        ));
    }
    check_purpose(members)?;
    let named = match &members.alg {
        Member::Absent => None,
        Member::Text(alg) => Some(alg.parse::<Alg>().map_err(|_| {
            (
                Reason::Unsupported,
                "has an `alg` that is no signature algorithm of this crate",
            )
        })?),
        _ => return Err((Reason::Malformed, "has an `alg` that is not a string")),
    };
    match kty {
        "RSA" => rsa(members, named),
        "EC" => ec(members, named),
        _ => okp(members, named),
    }
}

fn check_purpose(members: &Members) -> Result<(), Fault> {
    match &members.purpose {
        Member::Absent => {}
        Member::Text(purpose) if purpose == "sig" => {}
        Member::Text(_) => {
            return Err((Reason::NotForSignatures, "has a `use` other than `sig`"));
        }
        _ => return Err((Reason::Malformed, "has a `use` that is not a string")),
    }
    match &members.key_ops {
        Member::Absent => Ok(()),
        Member::List(operations) if operations.iter().any(|op| op == "verify") => Ok(()),
        Member::List(_) => Err((Reason::NotForSignatures, "has `key_ops` without `verify`")),
        _ => Err((Reason::Malformed, "has `key_ops` that are not an array")),
    }
}

/// An RSA key. Without `alg` it is for RS256, unless the verifier says otherwise.
fn rsa(members: &Members, named: Option<Alg>) -> Result<SigningKey, Fault> {
    let alg = named.unwrap_or(Alg::Rs256);
    if !alg.is_rsa() {
        return Err(MISMATCH);
    }
    let n = number(&members.n, "has no `n`", "has an `n` that is not base64url")?;
    let e = number(&members.e, "has no `e`", "has an `e` that is not base64url")?;
    let (n, e) = (unsigned(&n), unsigned(&e));
    if n.len() < 256 {
        return Err((Reason::Weak, "is an RSA key of less than 2048 bits"));
    }
    let key = SigningKey::rsa_public(alg, None, n, e).map_err(|_| {
        (
            Reason::Malformed,
            "is no RSA key of 2048 to 8192 bits with an odd exponent from 3 to 2^33 - 1",
        )
    })?;
    Ok(match named {
        Some(_) => key,
        None => key.with_assumed_algorithm(),
    })
}

fn ec(members: &Members, named: Option<Alg>) -> Result<SigningKey, Fault> {
    let crv = curve(members)?;
    let (alg, len) = match crv {
        "P-256" => (Alg::Es256, 32),
        "P-384" => (Alg::Es384, 48),
        _ => {
            return Err((
                Reason::Unsupported,
                "has a `crv` other than P-256 and P-384",
            ));
        }
    };
    if named.is_some_and(|named| named != alg) {
        return Err(MISMATCH);
    }
    let x = number(&members.x, "has no `x`", "has an `x` that is not base64url")?;
    let y = number(&members.y, "has no `y`", "has a `y` that is not base64url")?;
    let off = (
        Reason::Malformed,
        "has `x` and `y` that are no point on its curve, in full length",
    );
    if x.len() != len || y.len() != len {
        return Err(off);
    }
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    SigningKey::ecdsa_public(alg, None, &point).map_err(|_| off)
}

fn okp(members: &Members, named: Option<Alg>) -> Result<SigningKey, Fault> {
    if curve(members)? != "Ed25519" {
        return Err((Reason::Unsupported, "has a `crv` other than Ed25519"));
    }
    if named.is_some_and(|named| named != Alg::EdDsa) {
        return Err(MISMATCH);
    }
    let x = number(&members.x, "has no `x`", "has an `x` that is not base64url")?;
    if x.len() != 32 {
        return Err((Reason::Malformed, "has an `x` that is not 32 bytes long"));
    }
    SigningKey::ed25519_public(None, &x).map_err(|_| {
        (
            Reason::Weak,
            "is a point of small order, for which an attacker can forge signatures",
        )
    })
}

const MISMATCH: Fault = (
    Reason::Unsupported,
    "has an `alg` that does not fit its `kty` or `crv`",
);

fn curve(members: &Members) -> Result<&str, Fault> {
    text(
        &members.crv,
        "has no `crv`",
        "has a `crv` that is not a string",
    )
}

fn text<'m>(
    member: &'m Member,
    missing: &'static str,
    odd: &'static str,
) -> Result<&'m str, Fault> {
    match member {
        Member::Absent => Err((Reason::Malformed, missing)),
        Member::Text(text) => Ok(text),
        _ => Err((Reason::Malformed, odd)),
    }
}

fn number(member: &Member, missing: &'static str, odd: &'static str) -> Result<Vec<u8>, Fault> {
    match member {
        Member::Absent => Err((Reason::Malformed, missing)),
        _ => member
            .text()
            .and_then(decode)
            .ok_or((Reason::Malformed, odd)),
    }
}
