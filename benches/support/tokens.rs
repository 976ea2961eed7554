//! Codecs and their tokens.

use serde::{Deserialize, Serialize};
use tower_bearer::{
    KeyRing, Timestamp, TokenCodec,
    token::{Grant, TokenCodecBuilder},
};

use super::profile::Profile;
use super::sessions::NOW;

/// The forms of a token that shared keys make.
pub const SHARED: [(&str, Profile); 3] = [
    ("nested_hs256", Profile::Nested),
    ("encrypted", Profile::Encrypted),
    ("signed_hs256", Profile::Signed),
];

/// An application's own claims.
#[derive(Serialize, Deserialize)]
pub struct Custom {
    pub scope: String,
    pub role: String,
}

pub fn custom() -> Custom {
    Custom {
        scope: "read write".into(),
        role: "editor".into(),
    }
}

pub fn codec<C>(profile: Profile, keys: &KeyRing) -> TokenCodec<C> {
    builder(profile, keys).build().unwrap()
}

pub fn builder<C>(profile: Profile, keys: &KeyRing) -> TokenCodecBuilder<C> {
    let builder = profile.codec(keys).issuer("https://id.example.com");
    builder.audience("https://api.example")
}

pub fn grant<C>(custom: &C) -> Grant<'_, C> {
    Grant::new("5f0c2f4e9b3a4d7c", custom).session("Zk3J8qLxR2uV0wYt5aBcDg")
}

pub fn minted<C: Serialize>(codec: &TokenCodec<C>, custom: &C) -> String {
    minted_at(codec, custom, NOW)
}

pub fn minted_at<C: Serialize>(codec: &TokenCodec<C>, custom: &C, now: Timestamp) -> String {
    let token = codec.mint_at(&grant(custom), now).unwrap();
    token.as_str().to_owned()
}

/// `token` with another MAC, tag or signature of the same shape.
pub fn tampered(token: &str) -> String {
    let (rest, end) = token.split_at(token.len() - 5);
    let other = if end.starts_with('A') { 'B' } else { 'A' };
    format!("{rest}{other}{}", &end[1..])
}
