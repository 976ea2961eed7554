//! Encrypted tokens (RFC 7516).

use super::{
    MintError, TokenError, TokenErrorKind,
    base64::{Scratch, decode_array, encode_append},
    codec::{CodecConfig, Profile},
    compact::Encrypted,
    header::{Header, same_media_type},
    jws::not_found,
    token_type::Purpose,
};
use crate::keys::{
    Content, ContentEncryption, ContentKey, EncryptionKey, KeyManagement, Keys, WrapHeader,
};

const OPAQUE: TokenError = TokenError::new(
    TokenErrorKind::Decryption,
    "the content was not encrypted with the configured key, or was changed",
);

const SEGMENTS: TokenError = TokenError::new(
    TokenErrorKind::Segments,
    "an encrypted token has five segments",
);

/// The key of one token.
#[allow(
    clippy::large_enum_variant,
    reason = "it lives for one call; boxing would allocate for each wrapped key"
)]
enum Opener<'k> {
    Direct(&'k EncryptionKey),
    Unwrapped(ContentKey),
}

/// Opens an encrypted token into `scratch` and returns the plaintext, and the purpose that its type states.
///
/// The header that a shared key writes itself is known by its bytes. Then the lengths of iv and tag tell where the
/// segments are. Every other token is read in the general way, which has the same result on those, too.
pub(super) fn open<'s>(
    codec: &CodecConfig,
    keys: &Keys,
    token: &[u8],
    scratch: &'s mut Scratch,
) -> Result<(&'s [u8], Purpose), TokenError> {
    let prepared = match codec.profile {
        Profile::Nested => keys.encryption_by_nested_header(token),
        _ if codec.types.takes_prepared() => keys.encryption_by_claims_header(token),
        _ => None,
    };
    if let Some((key, header)) = prepared
        && key.management() == KeyManagement::Direct
        && key.can_open()
        && let Some(parts) = Encrypted::behind_header(token, header)
    {
        // A shared key authenticates every holder, so every profile takes it.
        return open_content(&Opener::Direct(key), &parts, scratch)
            .map(|content| (content, Purpose::Typed))
            .map_err(|error| segments_first(error, token));
    }
    open_any(codec, keys, token, scratch)
}

/// Opens a token with any header.
pub(super) fn open_any<'s>(
    codec: &CodecConfig,
    keys: &Keys,
    token: &[u8],
    scratch: &'s mut Scratch,
) -> Result<(&'s [u8], Purpose), TokenError> {
    let header = memchr::memchr(b'.', token).ok_or(SEGMENTS)?;
    let parts = Encrypted::behind_header(token, header)
        .or_else(|| Encrypted::split(token))
        .ok_or(SEGMENTS)?;
    find_opener(codec, keys, &parts)
        .and_then(|(opener, purpose)| Ok((open_content(&opener, &parts, scratch)?, purpose)))
        .map_err(|error| segments_first(error, token))
}

/// The number of segments is judged before all else. That also holds where positions were computed from lengths. An
/// extra dot may then have been met as a foreign character, or not yet.
#[cold]
fn segments_first(error: TokenError, token: &[u8]) -> TokenError {
    if error.kind() == TokenErrorKind::Segments {
        return error;
    }
    match Encrypted::split(token) {
        Some(_) => error,
        None => SEGMENTS,
    }
}

/// Opens the content into `scratch` with the key found for it.
fn open_content<'s>(
    opener: &Opener<'_>,
    parts: &Encrypted<'_>,
    scratch: &'s mut Scratch,
) -> Result<&'s [u8], TokenError> {
    let encoding = |detail| TokenError::new(TokenErrorKind::Encoding, detail);
    // Exact lengths: a shorter tag would be easier to forge, another IV is another algorithm.
    let iv: [u8; 12] =
        decode_array(parts.iv).ok_or(encoding("the iv is not 12 bytes in base64url"))?;
    let tag: [u8; 16] =
        decode_array(parts.tag).ok_or(encoding("the tag is not 16 bytes in base64url"))?;
    let content = scratch
        .decode(parts.ciphertext)
        .ok_or(encoding("the ciphertext is not canonical base64url"))?;
    let opened = match opener {
        Opener::Direct(key) => key.open_in_place(&iv, parts.header, content, &tag),
        Opener::Unwrapped(key) => key.open_in_place(&iv, parts.header, content, &tag),
    };
    opened.map(|plaintext| &*plaintext).ok_or(OPAQUE)
}

/// Finds the key for a header that is not one of those our keys write.
fn find_opener<'k>(
    codec: &CodecConfig,
    keys: &'k Keys,
    parts: &Encrypted<'_>,
) -> Result<(Opener<'k>, Purpose), TokenError> {
    let mut scratch = Scratch::new();
    let decoded = scratch.decode(parts.header).ok_or(TokenError::new(
        TokenErrorKind::Encoding,
        "the header is not canonical base64url",
    ))?;
    let mut header = Header::default();
    header.read(decoded)?;
    const UNKNOWN: TokenError =
        TokenError::new(TokenErrorKind::Algorithm, "alg or enc is none we know");
    let management: KeyManagement = header.alg().parse().map_err(|_| UNKNOWN)?;
    let content: ContentEncryption = match &header.enc {
        Some(enc) => enc.parse().map_err(|_| UNKNOWN)?,
        None => {
            return Err(TokenError::new(
                TokenErrorKind::Header,
                "the header has no enc",
            ));
        }
    };
    let parameter = |detail| Err(TokenError::new(TokenErrorKind::HeaderParameter, detail));
    if header.zip {
        return parameter("zip: compressed content is not accepted");
    }
    let purpose = match codec.profile {
        Profile::Nested => match &header.cty {
            // The token inside says more.
            Some(cty) if same_media_type(cty, "JWT") => Purpose::Typed,
            _ => return parameter("cty does not say that a token is nested"),
        },
        Profile::Encrypted | Profile::Signed => codec.types.judge(header.typ.as_deref())?,
    };
    let key = keys
        .encryption_by(header.kid.as_deref(), management, content)
        .map_err(not_found)?;
    Ok((opener(codec, key, &header.wrap()?, parts.key)?, purpose))
}

/// Returns the key that opens the content of a token for `key`.
fn opener<'k>(
    codec: &CodecConfig,
    key: &'k EncryptionKey,
    header: &WrapHeader<'_>,
    encrypted_key: &[u8],
) -> Result<Opener<'k>, TokenError> {
    const UNFIT: TokenError = TokenError::new(
        TokenErrorKind::Key,
        "the key cannot open tokens: its key_ops do not allow it, or it is a public half",
    );
    if !codec.authenticates(key) || !key.can_open() {
        return Err(UNFIT);
    }
    if key.management() == KeyManagement::Direct {
        if !encrypted_key.is_empty() {
            return Err(TokenError::new(
                TokenErrorKind::Encoding,
                "a shared key is used directly, yet the token brings one",
            ));
        }
        return Ok(Opener::Direct(key));
    }
    let mut scratch = Scratch::new();
    let wrapped = scratch.decode(encrypted_key).ok_or(TokenError::new(
        TokenErrorKind::Encoding,
        "the encrypted key is not canonical base64url",
    ))?;
    let key = key.unwrap(header, wrapped).map_err(|_| OPAQUE)?;
    Ok(Opener::Unwrapped(key))
}

/// Encrypts `content`, a signed token or claims, with the active key.
pub(super) fn seal(
    codec: &CodecConfig,
    keys: &Keys,
    mut content: Vec<u8>,
) -> Result<String, MintError> {
    let key = keys
        .active_encryption()
        .ok_or_else(|| MintError::new("the ring has no key that encrypts"))?;
    if !codec.authenticates(key) {
        return Err(MintError::new("the encryption key authenticates no sender"));
    }
    let holds = match codec.profile {
        Profile::Nested => Content::Nested,
        Profile::Encrypted | Profile::Signed => Content::Claims(codec.types.minted()),
    };
    let failed = |e| MintError::with_source("the token could not be encrypted", e);
    let (header, encrypted_key, sealed);
    let header: &str = if key.management() == KeyManagement::Direct {
        encrypted_key = Vec::new();
        let header = match holds {
            Content::Nested => key.encoded_header_nested(),
            Content::Claims(_) if codec.types.mints_prepared() => key.encoded_header_claims(),
            Content::Claims(_) => {
                header = key.encode_header(holds);
                &header
            }
        };
        sealed = key
            .seal_in_place(header.as_bytes(), &mut content)
            .map_err(failed)?;
        header
    } else {
        let wrapped = key.wrap(holds).map_err(failed)?;
        sealed = wrapped
            .key
            .seal_in_place(wrapped.encoded_header.as_bytes(), &mut content)
            .map_err(failed)?;
        encrypted_key = wrapped.encrypted_key;
        header = wrapped.encoded_header;
        &header
    };
    let bytes = encrypted_key.len() + content.len() + sealed.iv.len() + sealed.tag.len();
    let mut token = String::with_capacity(header.len() + bytes.div_ceil(3) * 4 + 16);
    token.push_str(header);
    for part in [&encrypted_key[..], &sealed.iv, &content, &sealed.tag] {
        token.push('.');
        encode_append(part, &mut token);
    }
    Ok(token)
}

#[cfg(test)]
mod tests;
