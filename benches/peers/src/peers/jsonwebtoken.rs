//! jsonwebtoken. Its cryptography is chosen once per process, so each of its backends has a process of its
//! own; see [`crate::worker`].

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    crypto::{CryptoProvider, aws_lc, rust_crypto},
    errors::Error,
};

use crate::{
    case::{Case, verifying},
    claims::{AUDIENCE, ISSUER, LEEWAY, Owned},
    keys,
    tokens::{Form, Tokens},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    AwsLc,
    RustCrypto,
}

impl Backend {
    pub const ALL: [Self; 2] = [Self::AwsLc, Self::RustCrypto];

    /// Makes it the one of this process.
    pub fn install(self) {
        let provider: &'static CryptoProvider = match self {
            Self::AwsLc => &aws_lc::DEFAULT_PROVIDER,
            Self::RustCrypto => &rust_crypto::DEFAULT_PROVIDER,
        };
        let installed = provider.install_default();
        installed.expect("no other backend has been installed");
    }

    /// Returns the end of the names of its cases.
    pub fn name(self) -> &'static str {
        match self {
            Self::AwsLc => "aws_lc",
            Self::RustCrypto => "rust_crypto",
        }
    }
}

/// A key and the rules, prepared. It has no rule for `iat`.
#[derive(Clone)]
pub struct Verifier {
    key: DecodingKey,
    rules: Validation,
}

impl Verifier {
    pub fn new(key: DecodingKey, algorithm: Algorithm) -> Self {
        let mut rules = Validation::new(algorithm);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        Self { key, rules }
    }

    pub fn hs256() -> Self {
        Self::new(DecodingKey::from_secret(keys::HS256).unwrap(), Algorithm::HS256)
    }

    pub fn verify(&self, token: &str) -> Result<Owned, Error> {
        let decoded = jsonwebtoken::decode(token, &self.key, &self.rules)?;
        Ok(decoded.claims)
    }
}

/// Returns the cases of the installed backend.
pub fn cases(tokens: &Tokens, backend: Backend) -> Vec<Box<dyn Case>> {
    let member = keys::member;
    let eddsa = DecodingKey::from_ed_components(&member(keys::ED25519_JWK, "x"));
    let es256 = DecodingKey::from_ec_components(
        &member(keys::ES256_JWK, "x"),
        &member(keys::ES256_JWK, "y"),
    );
    let rs256 = DecodingKey::from_rsa_components(
        &member(keys::RS256_JWK, "n"),
        &member(keys::RS256_JWK, "e"),
    );
    let pairs = [
        ("eddsa", eddsa, Algorithm::EdDSA, &tokens.eddsa),
        ("es256", es256, Algorithm::ES256, &tokens.es256),
        ("rs256", rs256, Algorithm::RS256, &tokens.rs256),
    ];
    let mut cases = vec![verify("hs256", Verifier::hs256(), &tokens.hs256, backend)];
    for (name, key, algorithm, token) in pairs {
        let verifier = Verifier::new(key.expect("the key is good"), algorithm);
        cases.push(verify(name, verifier, token, backend));
    }
    cases
}

fn verify(algorithm: &str, verifier: Verifier, tokens: &Form, backend: Backend) -> Box<dyn Case> {
    verifying(
        format!("jsonwebtoken_{algorithm}_{}", backend.name()),
        tokens,
        move |token| verifier.verify(token),
        Owned::check,
    )
}
