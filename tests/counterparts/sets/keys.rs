//! Keys of an issuer, and tokens signed by them with any header.

use std::sync::LazyLock;

use ring::{
    rand::SystemRandom,
    rsa::{KeyPairComponents, PublicKeyComponents},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
        RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaKeyPair,
    },
};
use serde_json::{Value, json};

pub(super) const ISSUER: &str = "https://id.example";
pub(super) const AUDIENCE: &str = "api";
/// When the tokens were issued.
pub(super) const NOW: u64 = 1_800_000_000;

/// Keys that ring cannot make, and tokens of keys that it cannot sign with.
pub(super) static STORED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("keys.json")).unwrap());

/// A key pair.
pub(super) struct Key {
    /// The public members, without a name or a purpose.
    public: Value,
    /// The private ones.
    private: Value,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Key {
    /// The same for the same seed.
    pub(super) fn ed25519(seed: u16) -> Self {
        let mut bytes = [7; 32];
        bytes[..2].copy_from_slice(&seed.to_be_bytes());
        let pair = Ed25519KeyPair::from_seed_unchecked(&bytes).unwrap();
        let x = base64url(pair.public_key().as_ref());
        Self {
            public: json!({"kty": "OKP", "crv": "Ed25519", "x": x}),
            private: json!({"d": base64url(&bytes)}),
            pair: Pair::Ed(pair),
        }
    }

    pub(super) fn p256() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (base64url(x), base64url(y));
        Self {
            public: json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}),
            private: json!({}),
            pair: Pair::Ec(pair),
        }
    }

    /// One whose `x` begins with a zero, as one of 256 does.
    pub(super) fn p256_with_zero_in_front() -> Self {
        loop {
            let key = Self::p256();
            let x = key.public["x"].as_str().unwrap();
            if base64_simd::URL_SAFE_NO_PAD.decode_to_vec(x).unwrap()[0] == 0 {
                return key;
            }
        }
    }

    /// The one RSA key there is.
    pub(super) fn rsa() -> Self {
        let jwk = &STORED["rsa"];
        let member = |name: &str| {
            let text = jwk[name].as_str().unwrap();
            base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
        };
        let components = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: member("n"),
                e: member("e"),
            },
            d: member("d"),
            p: member("p"),
            q: member("q"),
            dP: member("dp"),
            dQ: member("dq"),
            qInv: member("qi"),
        };
        let pair = RsaKeyPair::from_components(&components).unwrap();
        Self {
            public: json!({"kty": "RSA", "n": jwk["n"], "e": jwk["e"]}),
            private: json!({"d": jwk["d"]}),
            pair: Pair::Rsa(Box::new(pair)),
        }
    }

    /// Its public half, with these members besides, or instead.
    pub(super) fn jwk(&self, members: Value) -> Value {
        with(&self.public, &members)
    }

    /// The same with the private half.
    pub(super) fn private_jwk(&self, members: Value) -> Value {
        with(&self.jwk(members), &self.private)
    }

    /// A token of `NOW` with this `alg` and these members besides in its header.
    pub(super) fn token(&self, alg: &str, members: Value) -> String {
        let header = with(&json!({"alg": alg, "typ": "at+jwt"}), &members);
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": NOW, "exp": NOW + 600,
        });
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.sign(alg, signed.as_bytes());
        format!("{signed}.{}", base64url(&signature))
    }

    fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding: &dyn ring::signature::RsaEncoding = match alg {
                    "RS256" => &RSA_PKCS1_SHA256,
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    alg => panic!("{alg}"),
                };
                pair.sign(padding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }
}

/// A token whose signature is this.
pub(super) fn token_with_signature(alg: &str, kid: &str, signature: &[u8]) -> String {
    let unsigned = Key::ed25519(0).token(alg, json!({"kid": kid}));
    let (signed, _) = unsigned.rsplit_once('.').unwrap();
    format!("{signed}.{}", base64url(signature))
}

/// `jwk` with these members besides, or instead.
pub(super) fn with(jwk: &Value, members: &Value) -> Value {
    let mut all = jwk.as_object().unwrap().clone();
    all.extend(members.as_object().unwrap().clone());
    Value::Object(all)
}

pub(super) fn base64url(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}
