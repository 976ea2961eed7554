//! The rules for a codec's settings and keys.

use std::time::Duration;

use super::TokenCodecBuilder;
use crate::{
    config::ConfigError,
    keys::{Keys, SigningKey},
    token::codec::{Profile, is_shared},
};

const MAX_LEEWAY: Duration = Duration::from_secs(300);
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_TOKEN_BYTES: usize = 64 * 1024;

impl<C> TokenCodecBuilder<C> {
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
        let typ = self.token_type.bytes();
        if self.token_type.is_empty() || !typ.clone().all(|b| b.is_ascii_graphic()) {
            return Err(ConfigError::new(
                "token_type",
                "must be a media type such as at+jwt",
            ));
        }
        Ok(())
    }

    pub(super) fn check_ranges(&self) -> Result<(), ConfigError> {
        if self.leeway > MAX_LEEWAY {
            return Err(ConfigError::new("leeway", "must be at most 300 seconds"));
        }
        if self.lifetime < Duration::from_secs(1) || self.lifetime > MAX_LIFETIME {
            return Err(ConfigError::new(
                "lifetime",
                "must be between one second and 24 hours",
            ));
        }
        if self.max_token_bytes == 0 || self.max_token_bytes > MAX_TOKEN_BYTES {
            return Err(ConfigError::new(
                "max_token_bytes",
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
        if ring.is_remote() {
            self.check_algorithms_of_others()?;
        } else {
            self.check_signing_keys(&keys)?;
        }
        if self.profile != Profile::Signed && keys.encryption.is_empty() {
            return Err(ConfigError::new(
                "encryption keys",
                "holds none: a nested or encrypted token needs one (ENCRYPTION_KEY in the environment); a signed one does not",
            ));
        }
        let shared = keys
            .encryption
            .iter()
            .all(|key| is_shared(key.management()));
        if !ring.is_remote() {
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

    /// A service that only mints is as good as one that only verifies. One that does neither has the
    /// wrong keys.
    fn check_operations(&self, keys: &Keys) -> Result<(), ConfigError> {
        let (signed, encrypted) = (
            self.profile != Profile::Encrypted,
            self.profile != Profile::Signed,
        );
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
            let rsa = self.rsa();
            let usable = |key: &SigningKey| match &self.algorithms {
                None => true,
                Some(allowed) => allowed.iter().any(|alg| key.is_for(*alg, rsa)),
            };
            if !keys.signing.iter().any(|key| usable(key)) {
                return Err(ConfigError::new(
                    "signing keys",
                    "holds none of an accepted algorithm: a nested or signed token needs one (ACCESS_SECRET in the environment)",
                ));
            }
            // The very same codec has to accept what it mints.
            if keys
                .active_signing()
                .is_some_and(|key| !allowed(key.algorithm()))
            {
                return Err(ConfigError::new(
                    "algorithms",
                    "must include that of the key that mints",
                ));
            }
        }
        Ok(())
    }
}
