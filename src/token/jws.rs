//! Signed tokens (RFC 7515).

use super::{
    MintError, TokenError, TokenErrorKind,
    base64::{Scratch, encode_append, encoded_len},
    codec::CodecConfig,
    compact::Signed,
    header::{Header, same_media_type},
};
use crate::keys::{Candidates, Keys, LookupError, SignatureAlgorithm, SigningKey};

/// No key of the ring made the signature.
const FORGED: TokenError = TokenError::new(
    TokenErrorKind::Signature,
    "the signature is not that of the configured key: the token is forged or was changed",
);

const NOT_YET: TokenError = TokenError::new(
    TokenErrorKind::KeysUnavailable,
    "the issuer's keys are not there, or too old to go on with",
);

const SEGMENTS: TokenError = TokenError::new(
    TokenErrorKind::Segments,
    "a signed token has three segments",
);

/// Verifies a signed token and returns its payload, still encoded.
///
/// The header that a key writes itself is known by its bytes, and then the length of its signatures
/// tells where the segments are. Every other token is read in the general way, which comes to the
/// same end on those, too.
pub(super) fn open<'t>(
    codec: &CodecConfig,
    keys: &Keys,
    token: &'t [u8],
) -> Result<&'t [u8], TokenError> {
    if codec.prepared_type()
        && let Some((key, header)) = keys.signing_by_header(token)
        && let signature = encoded_len(key.signature_len())
        && let Some(parts) = Signed::behind_header(token, header, signature)
    {
        return check(codec, key, key.algorithm(), &parts)
            .map_err(|error| segments_first(error, token))
            .map_err(|error| perhaps_replaced(codec, error));
    }
    open_any(codec, keys, token).map_err(|error| perhaps_replaced(codec, error))
}

/// Whether another key might come to another end.
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
) -> Result<&'t [u8], TokenError> {
    let parts = Signed::split(token).ok_or(SEGMENTS)?;
    let (algorithm, candidates) = find_keys(codec, keys, parts.header)?;
    // Nearly always there is one.
    let mut refused = FORGED;
    for key in candidates {
        match check(codec, key, algorithm, &parts) {
            Err(error) if is_of_the_key(&error) => refused = error,
            outcome => return outcome,
        }
    }
    Err(refused)
}

/// The number of segments is judged before all else, also where positions were computed from
/// lengths and a dot too many was not noticed.
#[cold]
fn segments_first(error: TokenError, token: &[u8]) -> TokenError {
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

/// Checks the signature of `parts` by `key` and returns the payload, still encoded.
fn check<'t>(
    codec: &CodecConfig,
    key: &SigningKey,
    algorithm: SignatureAlgorithm,
    parts: &Signed<'t>,
) -> Result<&'t [u8], TokenError> {
    if !codec.allows(algorithm) {
        return Err(TokenError::new(
            TokenErrorKind::Algorithm,
            "the signature algorithm is not accepted",
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

/// Finds the keys for a header that is not one of those our keys write, and the algorithm it names.
fn find_keys<'k>(
    codec: &CodecConfig,
    keys: &'k Keys,
    encoded: &[u8],
) -> Result<(SignatureAlgorithm, Candidates<'k>), TokenError> {
    let mut scratch = Scratch::new();
    let decoded = scratch.decode(encoded).ok_or(TokenError::new(
        TokenErrorKind::Encoding,
        "the header is not canonical base64url",
    ))?;
    let header = Header::parse(decoded)?;
    let algorithm: SignatureAlgorithm = header.alg.parse().map_err(|_| {
        TokenError::new(
            TokenErrorKind::Algorithm,
            "alg is no signature algorithm we know",
        )
    })?;
    let candidates = keys
        .signing_by(header.kid.as_deref(), algorithm, codec.rsa)
        .map_err(|error| {
            if !is_expected(codec, algorithm) {
                return not_found(error);
            }
            codec.keys.request_refresh();
            // Where there are keys, their issuer has said which.
            match codec.keys.is_remote() && keys.signing.is_empty() {
                true => NOT_YET,
                false => not_found(error),
            }
        })?;
    check_type(codec, &header)?;
    Ok((algorithm, candidates))
}

/// Whether a key of this algorithm would be accepted, should the issuer publish one.
fn is_expected(codec: &CodecConfig, algorithm: SignatureAlgorithm) -> bool {
    !algorithm.is_symmetric() && codec.allows(algorithm)
}

/// Checks `typ` of the header that holds the claims.
pub(super) fn check_type(codec: &CodecConfig, header: &Header<'_>) -> Result<(), TokenError> {
    let accepted = match &header.typ {
        _ if !codec.typed => true,
        Some(typ) => same_media_type(typ, &codec.token_type),
        None => false,
    };
    if accepted {
        return Ok(());
    }
    Err(TokenError::new(
        TokenErrorKind::HeaderParameter,
        "typ is not that of the configured tokens: token_type names it",
    ))
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
    let header = if codec.usual_type() {
        key.encoded_header()
    } else {
        header = key.encode_header(&codec.token_type);
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
