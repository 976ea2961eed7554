//! Whether a set of keys can mint, and take over from another.

use super::Keys;
use crate::config::ConfigError;

impl Keys {
    /// Whether `next` can take over: it has to serve every purpose that is in use. A key that
    /// stays has been used as often as before, however it was loaded again.
    pub(in crate::keys) fn check_successor(&self, next: &Self) -> Result<(), ConfigError> {
        let purposes = [
            (
                self.signing.is_empty(),
                next.signing.is_empty(),
                "signing keys",
            ),
            (
                self.active_signing().is_none(),
                next.active_signing().is_none(),
                "signing keys",
            ),
            (
                self.encryption.is_empty(),
                next.encryption.is_empty(),
                "encryption keys",
            ),
            (
                self.active_encryption().is_none(),
                next.active_encryption().is_none(),
                "encryption keys",
            ),
            (
                self.sessions.is_none(),
                next.sessions.is_none(),
                "refresh secrets",
            ),
        ];
        for (unused, lacking, purpose) in purposes {
            if lacking && !unused {
                let problem = "the keys in use have none to follow them";
                return Err(ConfigError::new(purpose, problem));
            }
        }
        for key in &next.encryption {
            let mut old = self.encryption.iter();
            let same = old.find(|old| old.kid().is_some() && old.kid() == key.kid());
            if let Some(old) = same {
                key.continue_count(old.sealed());
            }
        }
        Ok(())
    }

    /// Refuses two keys of one name in one purpose, and keys that no token could name.
    pub(in crate::keys) fn check(&self) -> Result<(), ConfigError> {
        let names = |kids: &[Option<&str>]| {
            let mut kids: Vec<_> = kids.iter().flatten().collect();
            kids.sort_unstable();
            kids.windows(2).all(|pair| pair.first() != pair.last())
        };
        let signing: Vec<_> = self.signing.iter().map(|k| k.kid()).collect();
        let encryption: Vec<_> = self.encryption.iter().map(|k| k.kid()).collect();
        if !names(&signing) {
            return Err(ConfigError::new(
                "signing keys",
                "two keys have the same kid; each key needs its own",
            ));
        }
        if !names(&encryption) {
            return Err(ConfigError::new(
                "encryption keys",
                "two keys have the same kid; each key needs its own",
            ));
        }
        self.check_minting()
    }

    /// A key that mints without a `kid` beside another of its algorithm would make tokens that
    /// this very ring refuses.
    fn check_minting(&self) -> Result<(), ConfigError> {
        if let Some(key) = self.active_signing()
            && key.kid().is_none()
            && !self.is_alone(key)
        {
            return Err(ConfigError::new(
                "signing keys",
                "several keys of one algorithm need a kid each",
            ));
        }
        if let Some(key) = self.active_encryption()
            && self
                .encryption_by(key.kid(), key.management(), key.content())
                .is_err()
        {
            return Err(ConfigError::new(
                "encryption keys",
                "several keys of one algorithm need a kid each",
            ));
        }
        Ok(())
    }
}
