//! The rules for a codec's settings and keys.

use std::time::Duration;

use super::TokenCodecBuilder;
use crate::{
    config::ConfigError,
    keys::{Keys, Need, SignatureAlgorithm, SigningKey},
    token::{
        codec::{Profile, is_shared},
        private_claims::RESERVED,
        registered_claims::MAX_LEEWAY,
    },
};

const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_TOKEN_BYTES: usize = 64 * 1024;

impl<C> TokenCodecBuilder<C> {
    /// Whether no issuer is accepted yet, and whether no audience is.
    pub(crate) fn lacks_names(&self) -> (bool, bool) {
        (
            self.issuers.is_empty() && !self.any_issuer,
            self.audiences.is_empty() && !self.any_audience,
        )
    }

    pub(super) fn check_names(&self) -> Result<(), ConfigError> {
        let check = |setting, names: &[String], waived: bool, waiver: &str| {
            if names.iter().any(String::is_empty) {
                return Err(ConfigError::new(setting, "must not be empty"));
            }
            if names.is_empty() && !waived {
                return Err(ConfigError::new(
                    setting,
                    format!("must be given at least once, or waived with {waiver}()"),
                ));
            }
            Ok(())
        };
        check(
            "issuer",
            &self.issuers,
            self.any_issuer,
            "dangerous_any_issuer",
        )?;
        check(
            "audience",
            &self.audiences,
            self.any_audience,
            "dangerous_any_audience",
        )?;
        check("also_issuer", &self.also_issuers, true, "")
    }

    /// The claims that audience and scopes are read from are no others that the codec reads.
    pub(super) fn check_claim_names(&self) -> Result<(), ConfigError> {
        let audience = self.audience_claim.as_deref().unwrap_or("aud");
        let check = |setting, claim: &str| {
            if claim.is_empty() {
                return Err(ConfigError::new(setting, "must not be empty"));
            }
            if RESERVED.contains(&claim) || claim == "events" {
                return Err(ConfigError::about(
                    setting,
                    claim,
                    "must not be a claim that the codec reads for another purpose",
                ));
            }
            Ok(())
        };
        check("audience_claim", audience)?;
        let usual = ["scope".to_owned()];
        let scopes = self.scope_claims.as_deref().unwrap_or(&usual);
        if scopes.is_empty() {
            return Err(ConfigError::new(
                "scope_claims",
                "must name at least one claim",
            ));
        }
        for (at, claim) in scopes.iter().enumerate() {
            check("scope_claims", claim)?;
            if claim == audience
                || claim == "aud"
                || scopes.iter().take(at).any(|earlier| earlier == claim)
            {
                return Err(ConfigError::about(
                    "scope_claims",
                    claim,
                    "must be named once, and not hold the audience",
                ));
            }
        }
        Ok(())
    }

    /// Refuses a ring that lacks what a service with sessions needs, all of it at once.
    pub(crate) fn require_for_sessions(&self) -> Result<(), ConfigError> {
        self.keys.require(match self.profile {
            Profile::Nested => &[Need::Signing, Need::Encryption, Need::Refresh],
            Profile::Encrypted => &[Need::Encryption, Need::Refresh],
            Profile::Signed => &[Need::Signing, Need::Refresh],
        })
    }

    pub(super) fn check_ranges(&self) -> Result<(), ConfigError> {
        if self.leeway > MAX_LEEWAY {
            return Err(ConfigError::about(
                "leeway",
                self.leeway,
                "must be at most 300 seconds",
            ));
        }
        if self.lifetime < Duration::from_secs(1) || self.lifetime > MAX_LIFETIME {
            return Err(ConfigError::about(
                "lifetime",
                self.lifetime,
                "must be between 1 second and 24 hours, which are 86400s",
            ));
        }
        if self.max_token_bytes == 0 || self.max_token_bytes > MAX_TOKEN_BYTES {
            return Err(ConfigError::about(
                "max_token_bytes",
                self.max_token_bytes,
                "must be between 1 and 65536",
            ));
        }
        if self.algorithms.as_ref().is_some_and(Vec::is_empty) {
            return Err(ConfigError::new(
                "algorithms",
                "must name at least one, or not be set",
            ));
        }
        Ok(())
    }

    pub(super) fn check_keys(&self) -> Result<(), ConfigError> {
        let ring = &self.keys;
        let keys = ring.load();
        let (signed, encrypted) = self.forms();
        let mut lacking = Vec::new();
        if signed && keys.signing.is_empty() && !ring.is_foreign() {
            lacking.push(Need::Signing);
        }
        if encrypted && keys.encryption.is_empty() {
            lacking.push(Need::Encryption);
        }
        Need::refuse_all(&lacking)?;
        match ring.is_foreign() {
            true => {
                self.check_one_issuer()?;
                self.check_algorithms_of_others()?;
            }
            false => self.check_signing_keys(&keys)?,
        }
        let shared = keys
            .encryption
            .iter()
            .all(|key| is_shared(key.management()));
        if !ring.is_foreign() {
            self.check_operations(&keys)?;
        }
        if self.profile == Profile::Encrypted && !shared {
            return Err(ConfigError::new(
                "encryption keys",
                "every client can encrypt to a public key: RSA-OAEP-256 and ECDH-ES+A256KW need the nested profile",
            ));
        }
        Ok(())
    }

    /// Whether tokens are signed, and whether they are encrypted.
    fn forms(&self) -> (bool, bool) {
        (
            self.profile != Profile::Encrypted,
            self.profile != Profile::Signed,
        )
    }

    /// A service that only mints is as good as one that only verifies. One that does neither has the
    /// wrong keys.
    fn check_operations(&self, keys: &Keys) -> Result<(), ConfigError> {
        let (signed, encrypted) = self.forms();
        let mints = (!signed || keys.active_signing().is_some())
            && (!encrypted || keys.active_encryption().is_some());
        let verifies = (!signed || keys.signing.iter().any(|key| key.can_verify()))
            && (!encrypted || keys.encryption.iter().any(|key| key.can_open()));
        if mints || verifies {
            return Ok(());
        }
        Err(ConfigError::new(
            "keys",
            "neither mint nor verify tokens of this profile: see \"key_ops\", and which keys are public",
        ))
    }

    /// The keys of an issuer elsewhere vouch for that one alone (RFC 8725 section 3.8).
    fn check_one_issuer(&self) -> Result<(), ConfigError> {
        if let Some(named) = self.keys.issuer()
            && let Some(other) = self.issuers.iter().find(|issuer| *issuer != named)
        {
            return Err(ConfigError::about(
                "issuer",
                other,
                format!(
                    "is another one than {named:?}, whose keys these are. For another name of that issuer use \
                     .also_issuer(...). For another issuer give Verifiers::new([...]) a codec with keys of its own"
                ),
            ));
        }
        let first = self.issuers.first();
        match self.issuers.iter().find(|issuer| Some(*issuer) != first) {
            None => Ok(()),
            Some(second) => Err(ConfigError::about(
                "issuer",
                second,
                "is a second one, and the keys are of one issuer elsewhere. For another name of that issuer use \
                 .also_issuer(...). For another issuer give Verifiers::new([...]) a codec with keys of its own",
            )),
        }
    }

    /// Keys that come from elsewhere come later, and are never shared secrets.
    fn check_algorithms_of_others(&self) -> Result<(), ConfigError> {
        let mut allowed = self.algorithms.iter().flatten();
        if self.algorithms.is_none() || allowed.any(|algorithm| !algorithm.is_symmetric()) {
            return Ok(());
        }
        Err(ConfigError::new(
            "algorithms",
            "must include one with public keys: a JWK Set from elsewhere has no shared secrets",
        ))
    }

    fn check_signing_keys(&self, keys: &Keys) -> Result<(), ConfigError> {
        if self.profile != Profile::Encrypted {
            let allowed = |algorithm| match &self.algorithms {
                None => true,
                Some(allowed) => allowed.contains(&algorithm),
            };
            let rsa = self.rsa().unwrap_or(SignatureAlgorithm::Rs256);
            let usable = |key: &SigningKey| match &self.algorithms {
                None => true,
                Some(allowed) => allowed.iter().any(|alg| key.is_for(*alg, rsa)),
            };
            if !keys.signing.iter().any(|key| usable(key)) {
                return Err(ConfigError::new(
                    "signing keys",
                    format!(
                        "are for none of {:?}",
                        self.algorithms.as_deref().unwrap_or_default()
                    ),
                ));
            }
            // The very same codec has to accept what it mints.
            let mints = keys.active_signing().map(|key| key.algorithm());
            if let Some(minted) = mints.filter(|minted| !allowed(*minted)) {
                return Err(ConfigError::new(
                    "algorithms",
                    format!("must include {minted}, that of the key that mints"),
                ));
            }
        }
        Ok(())
    }
}
