//! Keys that every client can encrypt to are offered around signed tokens only. Their public vectors hold bare text, so
//! they meet the cryptography here, below that rule.

#![cfg(feature = "josekit")]

use serde_json::Value;

use super::*;
use crate::{keys::KeyRing, token::TokenCodec};

/// A test-only key: the nested profile wants one.
const HS256: &str =
    r#"{"kty":"oct","alg":"HS256","k":"LZ0wq3vYdR7mXcT5sKfB9hJ2nUeG8aPtVbCxQyWiEoM"}"#;

/// The plaintext of a row's token, by the cryptography alone.
fn plaintext(row: &Value) -> Result<Vec<u8>, TokenError> {
    let mut jwk = row["key"].clone();
    jwk["alg"] = row["alg"].clone();
    jwk["enc"] = row["enc"].clone();
    let ring = KeyRing::builder().jwk(&jwk.to_string()).jwk(HS256);
    let codec: TokenCodec = TokenCodec::nested(&ring.build().unwrap())
        .dangerous_any_issuer()
        .dangerous_any_audience()
        .build()
        .unwrap();
    let keys = codec.config.keys.load();
    let token = row["token"].as_str().unwrap();
    let parts = Encrypted::split(token.as_bytes()).ok_or(OPAQUE)?;
    let mut scratch = Scratch::new();
    let mut header = Header::default();
    header.read(scratch.decode(parts.header).ok_or(OPAQUE)?)?;
    if header.zip {
        return Err(OPAQUE);
    }
    let key = keys
        .encryption_by(
            header.kid.as_deref(),
            header.alg().parse().map_err(|_| OPAQUE)?,
            header
                .enc
                .as_deref()
                .unwrap_or("")
                .parse()
                .map_err(|_| OPAQUE)?,
        )
        .map_err(not_found)?;
    let opener = opener(&codec.config, key, &header.wrap()?, parts.key)?;
    let mut scratch = Scratch::new();
    open_content(&opener, &parts, &mut scratch).map(<[u8]>::to_vec)
}

#[test]
fn public_vectors_under_public_keys() {
    let Some(folder) = std::env::var_os("TOWER_BEARER_VECTORS").filter(|f| !f.is_empty()) else {
        println!("TOWER_BEARER_VECTORS is not set: the public vectors were NOT run");
        return;
    };
    let (mut valid, mut invalid, mut either) = (0, 0, 0);
    for file in ["jwe.jsonl", "attacks_jwe.jsonl"] {
        let path = std::path::Path::new(&folder).join(file);
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| row[name].as_str().unwrap();
            let management = matches!(text("alg"), "RSA-OAEP-256" | "ECDH-ES+A256KW");
            let content = text("enc").parse::<ContentEncryption>().is_ok();
            if !management || !content || row["key"]["crv"] == "P-521" {
                continue;
            }
            let opened = plaintext(&row);
            match text("expect") {
                "valid" => {
                    let payload = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text("payload_b64"));
                    assert_eq!(opened.as_ref(), Ok(&payload.unwrap()), "{}", row["id"]);
                    valid += 1;
                }
                // The content may open and be refused above: `expect_layer` says so.
                "invalid" if row.get("expect_layer").is_none() => {
                    assert!(opened.is_err(), "{}", row["id"]);
                    invalid += 1;
                }
                _ => either += 1,
            }
        }
    }
    println!("public keys: {valid} opened, {invalid} refused, {either} either way");
    assert!(valid > 10 && invalid > 50);
}

/// The codec is built over a shared key, and its ring is then replaced by one with a public key.
#[test]
fn a_rotation_to_a_public_key_lets_no_sender_write_claims() {
    const PUBLIC_KEY: &str = r#"{"kty":"EC","crv":"P-256","use":"enc","alg":"ECDH-ES+A256KW","kid":"p","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    const SHARED: &str =
        r#"{"kty":"oct","alg":"dir","kid":"s","k":"LZ0wq3vYdR7mXcT5sKfB9hJ2nUeG8aPtVbCxQyWiEoM"}"#;
    let ring = |jwk: &str| KeyRing::builder().jwk(jwk).build().unwrap();
    let keys = ring(SHARED);
    let codec: TokenCodec = TokenCodec::encrypted(&keys)
        .issuer("https://id.example")
        .audience("api")
        .build()
        .unwrap();
    keys.rotate(ring(PUBLIC_KEY)).unwrap();

    let sender = ring(PUBLIC_KEY).load_full();
    let wrapped = sender.encryption[0].wrap(Content::Claims(Some("at+jwt")));
    let wrapped = wrapped.unwrap();
    let mut claims =
        br#"{"iss":"https://id.example","sub":"admin","aud":"api","exp":9000000000}"#.to_vec();
    let header = wrapped.encoded_header;
    let sealed = wrapped.key.seal_in_place(header.as_bytes(), &mut claims);
    let sealed = sealed.unwrap();
    let mut forged = header;
    for part in [&wrapped.encrypted_key[..], &sealed.iv, &claims, &sealed.tag] {
        forged.push('.');
        encode_append(part, &mut forged);
    }
    let refused = codec.verify(&forged).unwrap_err();
    assert_eq!(refused.kind(), TokenErrorKind::Key);
    assert!(codec.mint("u", &crate::NoClaims {}).is_err());
}
