//! All that a ring lacks, at once, and the command that makes it.

use super::{KeyRing, env};
use crate::config::ConfigError;

/// The purposes that a service may need a key for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// To sign access tokens, or to verify them.
    Signing,
    /// To encrypt access tokens, or to decrypt them.
    Encryption,
    /// To seal refresh cookies.
    Refresh,
}

impl Need {
    fn variable(self) -> &'static str {
        match self {
            Self::Signing => env::ACCESS,
            Self::Encryption => env::ENCRYPTION,
            Self::Refresh => env::REFRESH,
        }
    }

    fn named(self) -> &'static str {
        match self {
            Self::Signing => "a signing key (ACCESS_SECRET)",
            Self::Encryption => "an encryption key (ENCRYPTION_KEY; signed tokens need none)",
            Self::Refresh => "a refresh secret (REFRESH_SECRET)",
        }
    }

    /// One error about all that lack, each with its environment variable, and the command for just those.
    pub(crate) fn refuse_all(lacking: &[Self]) -> Result<(), ConfigError> {
        let named: Vec<_> = lacking.iter().map(|need| need.named()).collect();
        let (last, others) = match named.split_last() {
            None => return Ok(()),
            Some((last, [])) => (last, String::new()),
            Some((last, others)) => (last, format!("{} and ", others.join(", "))),
        };
        let variables: Vec<_> = lacking.iter().map(|need| need.variable()).collect();
        let command = command(&variables);
        Err(ConfigError::new(
            "key ring",
            format!(
                "lacks {others}{last}; where {} holds the keys, add it there, and else: {command}",
                env::SET
            ),
        ))
    }
}

impl KeyRing {
    /// Refuses a ring that cannot mint for every one of `needs`.
    pub(crate) fn require(&self, needs: &[Need]) -> Result<(), ConfigError> {
        let keys = self.load();
        let lacks = |need: &Need| match need {
            Need::Signing => keys.active_signing().is_none(),
            Need::Encryption => keys.active_encryption().is_none(),
            Need::Refresh => keys.sessions.is_none(),
        };
        let lacking: Vec<_> = needs.iter().copied().filter(lacks).collect();
        Need::refuse_all(&lacking)
    }
}

/// The line to paste into a shell that sets these variables.
pub(super) fn command(variables: &[&str]) -> String {
    let set = |variable: &&str| format!(" {variable}=$(openssl rand -base64 32)");
    let all: String = variables.iter().map(set).collect();
    format!("export{all}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Need; 3] = [Need::Signing, Need::Encryption, Need::Refresh];

    #[test]
    fn all_that_a_ring_lacks_is_reported_at_once_with_the_command_for_just_that() {
        let ring = KeyRing::builder().access_secret(&crate::random::random::<32>().unwrap());
        let error = ring.build().unwrap().require(&ALL).unwrap_err();
        assert_eq!(
            error.to_string(),
            "key ring: lacks an encryption key (ENCRYPTION_KEY; signed tokens need none) and a refresh secret \
             (REFRESH_SECRET); where TOWER_BEARER_KEYS holds the keys, add it there, and else: export \
             ENCRYPTION_KEY=$(openssl rand -base64 32) REFRESH_SECRET=$(openssl rand -base64 32)"
        );
        assert!(!error.is_missing());
        assert_eq!(KeyRing::generate().unwrap().require(&ALL), Ok(()));
    }

    /// Public keys verify, and start no session.
    #[test]
    fn a_key_that_only_verifies_is_none_to_mint_with() {
        let ring = KeyRing::verifier(
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
        );
        let error = ring.unwrap().require(&ALL).unwrap_err();
        for variable in ["ACCESS_SECRET", "ENCRYPTION_KEY", "REFRESH_SECRET"] {
            assert!(error.problem().contains(variable), "{error}");
        }
    }
}
