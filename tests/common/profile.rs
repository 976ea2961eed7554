//! The forms of a token, for tests and benches that go through them.

use tower_bearer::{KeyRing, TokenCodec, token::TokenCodecBuilder};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Nested,
    Encrypted,
    Signed,
}

impl Profile {
    /// Starts a codec of this form.
    pub fn codec<C>(self, keys: &KeyRing) -> TokenCodecBuilder<C> {
        match self {
            Self::Nested => TokenCodec::nested(keys),
            Self::Encrypted => TokenCodec::encrypted(keys),
            Self::Signed => TokenCodec::signed(keys),
        }
    }
}
