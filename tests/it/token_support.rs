//! Shared by the token tests: rows of vector files, and a signer that is not the crate's.

use std::path::{Path, PathBuf};

use ring::hmac;
use serde_json::Value;
use tower_bearer::token::TokenType;

/// The folder with the public vectors, when `TOWER_BEARER_VECTORS` names one.
pub(crate) fn public_vectors() -> Option<PathBuf> {
    let folder = std::env::var_os("TOWER_BEARER_VECTORS").filter(|folder| !folder.is_empty());
    if folder.is_none() {
        println!("TOWER_BEARER_VECTORS is not set: the public vectors were NOT run");
    }
    folder.map(Into::into)
}

/// One JSON object a line.
pub(crate) fn rows(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A member that has to be a string.
pub(crate) fn text<'a>(row: &'a Value, member: &str) -> &'a str {
    row[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} of {row}"))
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Every type that a codec takes by a name of its own, and `typ`.
pub(crate) fn types_with(typ: Option<&str>) -> Vec<TokenType> {
    let mut types = vec![TokenType::AccessToken, TokenType::Jwt, TokenType::Absent];
    let known = |typ: &&str| {
        let typ = typ.to_ascii_lowercase();
        let short = typ.strip_prefix("application/").unwrap_or(&typ);
        ["at+jwt", "jwt"].contains(&short)
    };
    let valid = |typ: &&str| !typ.is_empty() && typ.bytes().all(|b| b.is_ascii_graphic());
    let other = typ.filter(|typ| !known(typ) && valid(typ));
    types.extend(other.map(|typ| TokenType::Named(typ.to_owned().into())));
    types
}

/// A token of `header` and `claims` under HS256, whatever they say.
pub(crate) fn sign_hs256(key: &[u8], header: &str, claims: &str) -> String {
    let input = format!("{}.{}", base64url(header), base64url(claims));
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), input.as_bytes());
    format!("{input}.{}", base64url(mac))
}

/// Every token that differs from `token` in one bit of one of its segments' bytes. The bits are at the beginning, the
/// middle and the end of the segment.
pub(crate) fn bit_flips(token: &str) -> Vec<String> {
    let segments: Vec<&str> = token.split('.').collect();
    let mut flipped = Vec::new();
    for (i, segment) in segments.iter().enumerate() {
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(segment).unwrap();
        if bytes.is_empty() {
            continue;
        }
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            for bit in [0x01, 0x80] {
                let mut bytes = bytes.clone();
                bytes[at] ^= bit;
                let mut segments: Vec<String> = segments.iter().map(|s| (*s).into()).collect();
                segments[i] = base64url(bytes);
                flipped.push(segments.join("."));
            }
        }
    }
    flipped
}
