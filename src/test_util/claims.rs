//! Claims for a test, out of a token that is minted and verified as any other.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::acting_as::acting_as;
use crate::{
    clock::Timestamp,
    keys::key_ring::KeyRing,
    token::{Claims, Grant, TokenCodec},
};

/// The token that a test would have sent.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) session: Option<String>,
    /// The application's claims, and those that the kit adds.
    pub(super) members: Map<String, Value>,
}

impl Wanted {
    /// The claims of such a token, as verified at `now`.
    ///
    /// It goes the way of every token, so that they differ in nothing from those of a request.
    pub(super) fn verified<C: DeserializeOwned>(&self, now: Timestamp) -> Claims<C> {
        if let Err(refused) = only_in_tests(cfg!(debug_assertions)) {
            panic!("{refused}");
        }
        self.mint_and_verify(now).unwrap_or_else(|error| {
            panic!(
                "no token of {:?} can have these claims: {error}",
                self.subject
            )
        })
    }

    fn mint_and_verify<C: DeserializeOwned>(&self, now: Timestamp) -> Result<Claims<C>, String> {
        let keys = KeyRing::generate().map_err(|error| error.to_string())?;
        let codec = TokenCodec::<Map<String, Value>>::signed(&keys)
            .issuer(&self.issuer)
            .audience(&self.audience)
            .build()
            .map_err(|error| error.to_string())?;
        let mut grant = Grant::new(&self.subject, &self.members);
        if let Some(session) = &self.session {
            grant = grant.session(session);
        }
        let token = codec.mint_at(&grant, now);
        let token = token.map_err(|error| error.to_string())?;
        let claims = codec.with_claims::<C>().verify_at(token.as_str(), now);
        claims.map_err(|error| error.to_string())
    }
}

/// The members of the application's own claims.
pub(super) fn members_of(custom: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(custom) {
        Ok(Value::Object(members)) => members,
        Ok(other) => panic!(
            "claims for a test are the members of a JSON object, and these are {other}. Give a struct, or \
             `NoClaims {{}}` where there are none"
        ),
        Err(error) => panic!("the claims for a test cannot be written as JSON: {error}"),
    }
}

/// Refuses in a build that is not for tests. A service with such claims in it would accept any user that it was told
/// to.
fn only_in_tests(debug_assertions: bool) -> Result<(), &'static str> {
    match debug_assertions {
        true => Ok(()),
        false => Err(
            "tower-bearer: this build has no debug assertions and asks for claims that no token proved. They are for \
             tests alone: move the feature `test-util` to [dev-dependencies], and the call into a test. Optimized \
             tests need a profile of their own: [profile.fast-test] with inherits = \"release\" and \
             debug-assertions = true. Run them with cargo test --profile fast-test",
        ),
    }
}

impl<C: Serialize + DeserializeOwned> Claims<C> {
    /// Returns the claims of `subject` with the application's own, for a test of a handler (feature `test-util`).
    ///
    /// They are those of a token that was minted and verified just now by the system's clock. [`acting_as`] is the
    /// same with more to say: a scope, a session, the time of the sign-in.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use tower_bearer::Claims;
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Role {
    ///     role: String,
    /// }
    ///
    /// fn greet(claims: &Claims<Role>) -> String {
    ///     format!("{} is {}", claims.subject(), claims.custom().role)
    /// }
    ///
    /// let claims = Claims::for_test("ann", Role { role: "editor".into() });
    /// assert_eq!(greet(&claims), "ann is editor");
    /// ```
    ///
    /// # Panics
    ///
    /// When no token can have these claims, and in a build without debug assertions.
    #[must_use]
    pub fn for_test(subject: &str, custom: C) -> Self {
        acting_as(subject, custom).claims()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_debug_assertions_is_refused_with_the_cure() {
        assert_eq!(only_in_tests(true), Ok(()));
        let refused = only_in_tests(false).unwrap_err();
        assert!(refused.contains("[dev-dependencies]"), "{refused}");
    }
}
