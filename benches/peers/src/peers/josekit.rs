//! josekit over the system's OpenSSL.

use josekit::{
    JoseError,
    jwe::{self, Dir, alg::direct::DirectJweDecrypter},
    jwk::Jwk,
    jws::{ES256, EdDSA, HS256, JwsVerifier, RS256, alg::hmac::HmacJwsVerifier},
    jwt::{self, JwtPayload, JwtPayloadValidator},
};

use crate::{
    case::{Case, on_two_threads, verifying},
    claims::{AUDIENCE, ISSUER, SESSION, SUBJECT, equal},
    keys,
    tokens::{Form, Tokens},
};

/// The keys and rules that open and judge nested tokens.
struct Nested {
    decrypter: DirectJweDecrypter,
    verifier: HmacJwsVerifier,
    rules: JwtPayloadValidator,
}

impl Nested {
    fn new() -> Self {
        let decrypter = Dir.decrypter_from_bytes(keys::A256);
        let verifier = HS256.verifier_from_bytes(keys::HS256);
        Self {
            decrypter: decrypter.expect("the key has 32 bytes"),
            verifier: verifier.expect("the secret is long enough"),
            rules: rules(),
        }
    }

    fn verify(&self, token: &str) -> Result<JwtPayload, JoseError> {
        let (signed, _) = jwe::deserialize_compact(token, &self.decrypter)?;
        let (claims, _) = jwt::decode_with_verifier(signed, &self.verifier)?;
        self.rules.validate(&claims)?;
        Ok(claims)
    }

    fn verify_encrypted(&self, token: &str) -> Result<JwtPayload, JoseError> {
        let (claims, _) = jwt::decode_with_decrypter(token, &self.decrypter)?;
        self.rules.validate(&claims)?;
        Ok(claims)
    }
}

/// It knows no leeway, and reads the system's clock when it is given no time.
fn rules() -> JwtPayloadValidator {
    let mut rules = JwtPayloadValidator::new();
    rules.set_issuer(ISSUER);
    rules.set_audience(AUDIENCE);
    rules
}

fn inspect(claims: &JwtPayload) -> Result<(), String> {
    let sid = claims.claim("sid").and_then(|sid| sid.as_str());
    equal("sub", claims.subject().unwrap_or_default(), SUBJECT)?;
    equal("sid", sid.unwrap_or_default(), SESSION)
}

pub fn cases(tokens: &Tokens) -> Vec<Box<dyn Case>> {
    let (nested, parallel, encrypted) = (Nested::new(), Nested::new(), Nested::new());
    let jwk = |jwk: &str| Jwk::from_bytes(jwk).expect("the JWK is good");
    let eddsa = EdDSA.verifier_from_jwk(&jwk(keys::ED25519_JWK));
    let es256 = ES256.verifier_from_jwk(&jwk(keys::ES256_JWK));
    let rs256 = RS256.verifier_from_jwk(&jwk(keys::RS256_JWK));
    let hs256 = HS256.verifier_from_bytes(keys::HS256);
    vec![
        verifying(
            "josekit_nested",
            &tokens.nested,
            move |token| nested.verify(token),
            inspect,
        ),
        on_two_threads("josekit_nested", &tokens.nested, move |token| {
            parallel.verify(token)
        }),
        verifying(
            "josekit_encrypted",
            &tokens.encrypted,
            move |token| encrypted.verify_encrypted(token),
            inspect,
        ),
        signed("hs256", hs256, &tokens.hs256),
        signed("eddsa", eddsa, &tokens.eddsa),
        signed("es256", es256, &tokens.es256),
        signed("rs256", rs256, &tokens.rs256),
    ]
}

fn signed(
    algorithm: &str,
    verifier: Result<impl JwsVerifier + 'static, JoseError>,
    tokens: &Form,
) -> Box<dyn Case> {
    let (verifier, rules) = (verifier.expect("the key is good"), rules());
    let verify = move |token: &str| {
        let (claims, _) = jwt::decode_with_verifier(token, &verifier)?;
        rules.validate(&claims)?;
        Ok::<_, JoseError>(claims)
    };
    verifying(format!("josekit_{algorithm}"), tokens, verify, inspect)
}
