//! Signed tokens (RFC 7515).

use super::{
    MintError, Setting, TokenError, TokenErrorKind,
    base64::{Scratch, encode_append, encoded_len},
    codec::CodecConfig,
    compact::Signed,
    header::Header,
    token_type::Purpose,
};
use crate::keys::{Candidates, Keys, LookupError, SignatureAlgorithm, SigningKey};

/// No key of the ring made the signature.
const FORGED: TokenError = TokenError::new(
    TokenErrorKind::Signature,
    "the signature is not that of the configured key: the token is forged or was changed",
);

/// The issuer's set has no such key.
const OTHER_KEY: TokenError = TokenError::new(
    TokenErrorKind::Key,
    "no key of the issuer has this kid. The token is of another tenant, environment or issuer, or its key is \
     passed over, which the key reports tell",
);

/// The key is an RSA key that names no algorithm.
const OTHER_RSA: TokenError = TokenError::curable(
    TokenErrorKind::Algorithm,
    "alg is an RSA algorithm, and the key names none: .algorithms([...]) with this one alone takes it",
    Setting::Algorithms,
);

const NOT_YET: TokenError = TokenError::new(
    TokenErrorKind::KeysUnavailable,
    "the issuer's keys are not there, or too old to go on with",
);

const SEGMENTS: TokenError = TokenError::new(
    TokenErrorKind::Segments,
    "a signed token has three segments; an opaque one is for its issuer alone: ask that for a JWT",
);

/// Verifies a signed token and returns its payload, still encoded, and the purpose that its type states.
///
/// The header that a key writes itself is known by its bytes. Every other is read in the general way, which has the
/// same result on those, too.
pub(super) fn open<'t>(
    codec: &CodecConfig,
    keys: &Keys,
    token: &'t [u8],
) -> Result<(&'t [u8], Purpose), TokenError> {
    let prepared = match codec.types.takes_prepared() {
        true => keys.signing_by_header(token),
        false => None,
    };
    let opened = match prepared {
        Some((key, header)) => check(codec, key, key.algorithm(), token, header)
            .map(|payload| (payload, Purpose::Typed))
            .map_err(|error| segments_first(error, token)),
        None => open_any(codec, keys, token),
    };
    opened.map_err(|error| perhaps_replaced(codec, error))
}

/// Whether another key might give another verdict.
fn is_of_the_key(error: &TokenError) -> bool {
    matches!(
        error.kind(),
        TokenErrorKind::Key | TokenErrorKind::Signature
    )
}

/// An issuer may have replaced a key and kept its name: then the signature is good, and our key old.
#[cold]
fn perhaps_replaced(codec: &CodecConfig, error: TokenError) -> TokenError {
    if error.kind() == TokenErrorKind::Signature {
        codec.keys.request_refresh();
    }
    error
}

/// Verifies a token with any header.
pub(super) fn open_any<'t>(
    codec: &CodecConfig,
    keys: &Keys,
    token: &'t [u8],
) -> Result<(&'t [u8], Purpose), TokenError> {
    open_by_header(codec, keys, token).map_err(|error| segments_first(error, token))
}

fn open_by_header<'t>(
    codec: &CodecConfig,
    keys: &Keys,
    token: &'t [u8],
) -> Result<(&'t [u8], Purpose), TokenError> {
    let header = memchr::memchr(b'.', token).ok_or(SEGMENTS)?;
    let (algorithm, candidates, purpose) = find_keys(codec, keys, token, header)?;
    // Nearly always there is one.
    let mut refused = FORGED;
    for key in candidates {
        match check(codec, key, algorithm, token, header) {
            Err(error) if is_of_the_key(&error) => refused = error,
            outcome => return outcome.map(|payload| (payload, purpose)),
        }
    }
    Err(refused)
}

/// The number of segments is judged before all else. It is counted only here, for a token that is refused. The lengths
/// of header and signature tell where the dots of a good one are.
#[cold]
fn segments_first(error: TokenError, token: &[u8]) -> TokenError {
    if error.kind() == TokenErrorKind::Segments {
        return error;
    }
    match Signed::split(token) {
        Some(_) => error,
        None => SEGMENTS,
    }
}

/// Decodes the payload of a token whose signature was checked.
pub(super) fn payload<'s>(
    encoded: &[u8],
    scratch: &'s mut Scratch,
) -> Result<&'s [u8], TokenError> {
    match scratch.decode(encoded) {
        Some(bytes) => Ok(bytes),
        // Signed by the key's owner, and still a dot too many.
        None if encoded.contains(&b'.') => Err(SEGMENTS),
        None => Err(TokenError::new(
            TokenErrorKind::Encoding,
            "the payload is not canonical base64url",
        )),
    }
}

/// Checks the signature by `key` of a token with so long a header, and returns the payload, still
/// encoded.
fn check<'t>(
    codec: &CodecConfig,
    key: &SigningKey,
    algorithm: SignatureAlgorithm,
    token: &'t [u8],
    header: usize,
) -> Result<&'t [u8], TokenError> {
    let signature = encoded_len(key.signature_len());
    let parts = Signed::behind_header(token, header, signature)
        .or_else(|| Signed::split(token))
        .ok_or(SEGMENTS)?;
    if !codec.allows(algorithm) {
        return Err(TokenError::curable(
            TokenErrorKind::Algorithm,
            "alg is not among those of .algorithms([...])",
            Setting::Algorithms,
        ));
    }
    if !key.can_verify() {
        return Err(TokenError::new(
            TokenErrorKind::Key,
            "the key must not verify tokens",
        ));
    }
    let mut scratch = Scratch::new();
    let signature = scratch.decode(parts.signature).ok_or(TokenError::new(
        TokenErrorKind::Encoding,
        "the signature is not canonical base64url",
    ))?;
    if !key.verify_by(algorithm, parts.input, signature) {
        return Err(FORGED);
    }
    Ok(parts.payload)
}

/// Finds the keys for a header that is not one of those our keys write. Also returns the algorithm it names, and the
/// purpose that its type states.
fn find_keys<'k>(
    codec: &CodecConfig,
    keys: &'k Keys,
    token: &[u8],
    header: usize,
) -> Result<(SignatureAlgorithm, Candidates<'k>, Purpose), TokenError> {
    let mut scratch = Scratch::new();
    let encoded = token.get(..header).unwrap_or_default();
    let decoded = scratch.decode(encoded).ok_or(TokenError::new(
        TokenErrorKind::Encoding,
        "the header is not canonical base64url",
    ))?;
    let mut header = Header::default();
    header.read(decoded)?;
    let algorithm: SignatureAlgorithm = header.alg().parse().map_err(|_| {
        TokenError::new(
            TokenErrorKind::Algorithm,
            "alg is no signature algorithm we know",
        )
    })?;
    let candidates = keys
        .signing_by(header.kid.as_deref(), algorithm, codec.rsa)
        .map_err(|error| {
            if error == LookupError::Algorithm
                && keys
                    .signing_by(header.kid.as_deref(), algorithm, Some(algorithm))
                    .is_ok()
            {
                return OTHER_RSA;
            }
            // A text that is no token asks no issuer for keys.
            let not_found = |error| match error {
                LookupError::Unknown if codec.keys.is_foreign() => OTHER_KEY,
                error => not_found(error),
            };
            if !is_expected(codec, algorithm) || Signed::split(token).is_none() {
                return not_found(error);
            }
            codec.keys.request_refresh();
            // Where there are keys, their issuer has said which.
            match codec.keys.is_foreign() && keys.signing.is_empty() {
                true => NOT_YET,
                false => not_found(error),
            }
        })?;
    let purpose = codec.types.judge(header.typ.as_deref())?;
    Ok((algorithm, candidates, purpose))
}

/// Whether a key of this algorithm would be accepted, should the issuer publish one.
fn is_expected(codec: &CodecConfig, algorithm: SignatureAlgorithm) -> bool {
    !algorithm.is_symmetric() && codec.allows(algorithm)
}

pub(super) fn not_found(error: LookupError) -> TokenError {
    match error {
        LookupError::Algorithm => TokenError::new(
            TokenErrorKind::Algorithm,
            "alg or enc is not that of the configured key",
        ),
        LookupError::Unknown => TokenError::new(
            TokenErrorKind::Key,
            "no key has this kid: ACCESS_SECRET has changed or differs, or the token is another issuer's",
        ),
        LookupError::Ambiguous => TokenError::new(
            TokenErrorKind::Key,
            "the token names no key and several would fit",
        ),
    }
}

/// Signs `claims` with the active key.
pub(super) fn seal(codec: &CodecConfig, keys: &Keys, claims: &[u8]) -> Result<String, MintError> {
    let key = keys
        .active_signing()
        .ok_or_else(|| MintError::new("the ring has no key that signs"))?;
    if !codec.allows(key.algorithm()) {
        return Err(MintError::new(
            "the signing key's algorithm is not one the codec accepts",
        ));
    }
    let header;
    let header = if codec.types.mints_prepared() {
        key.encoded_header()
    } else {
        header = key.encode_header(codec.types.minted());
        &header
    };
    let payload = encoded_len(claims.len());
    let signature = encoded_len(key.signature_len());
    let mut token = String::with_capacity(header.len() + payload + signature + 2);
    token.push_str(header);
    token.push('.');
    encode_append(claims, &mut token);
    let signature = key
        .sign(token.as_bytes())
        .map_err(|e| MintError::with_source("the token could not be signed", e))?;
    token.push('.');
    encode_append(signature.as_ref(), &mut token);
    Ok(token)
}
