//! Our own vector files, always run. They hold examples of the RFCs, and tokens that another implementation made for
//! each profile. They also hold malformed tokens, each with the reason of its refusal. A token that verifies is also
//! run with one bit flipped in each segment. It is also run with each single character changed.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use tower_bearer::{KeyRing, Timestamp, TokenCodec, TokenErrorKind};

use crate::support::profile::Profile;
use crate::token_support::{bit_flips, rows, text, types_with};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const PROFILES: [Profile; 3] = [Profile::Nested, Profile::Encrypted, Profile::Signed];

#[derive(Debug, Deserialize)]
struct Role {
    role: String,
}

fn data(file: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/data/tokens").join(file)
}

/// The codec that the own tokens are for, over the test-only keys beside them.
fn codec(profile: Profile) -> TokenCodec<Role> {
    let jwks = std::fs::read_to_string(data("keys.json")).unwrap();
    let keys = KeyRing::builder().jwks(&jwks).build().unwrap();
    let builder = profile
        .codec(&keys)
        .issuer("https://id.example")
        .audience("api");
    builder.build().unwrap()
}

fn profile(row: &Value) -> Profile {
    match text(row, "profile") {
        "nested" => Profile::Nested,
        "encrypted" => Profile::Encrypted,
        "signed" => Profile::Signed,
        other => panic!("{other}"),
    }
}

fn assert_authenticity_refused(verified: Option<TokenErrorKind>, token: &str) {
    use TokenErrorKind as Kind;
    let kind = verified.unwrap_or_else(|| panic!("accepted: {token}"));
    let early = [
        Kind::Segments,
        Kind::Encoding,
        Kind::Header,
        Kind::HeaderParameter,
        Kind::Algorithm,
        Kind::Key,
        Kind::Decryption,
        Kind::Signature,
    ];
    assert!(early.contains(&kind), "{kind:?}: {token}");
}

#[test]
fn examples_of_the_rfcs() {
    let rows = rows(&data("rfc.jsonl"));
    assert_eq!(rows.len(), 8);
    for row in rows {
        let keys = KeyRing::builder().jwk(&row["key"].to_string());
        let codec: TokenCodec = profile(&row)
            .codec(&keys.build().unwrap())
            .dangerous_any_issuer()
            .dangerous_any_audience()
            .token_types(types_with(None))
            .subject_optional()
            .build()
            .unwrap();
        let now = Timestamp::from_secs(row["now"].as_u64().unwrap());
        let kind = |token: &str| codec.verify_at(token, now).err().map(|e| e.kind());
        // Examples that hold no claims still prove the cryptography: it is passed first.
        let expected = (text(&row, "expect") != "valid").then_some(TokenErrorKind::Claims);
        assert_eq!(kind(text(&row, "token")), expected, "{}", row["id"]);
        for flipped in bit_flips(text(&row, "token")) {
            assert_authenticity_refused(kind(&flipped), &flipped);
        }
    }
}

#[test]
fn tokens_of_every_profile() {
    let rows = rows(&data("own.jsonl"));
    assert_eq!(rows.len(), 16);
    for row in rows {
        let codec = codec(profile(&row));
        let token = text(&row, "token");
        let claims = codec.verify_at(token, NOW);
        let claims = claims.unwrap_or_else(|e| panic!("{}: {e:?}", row["id"]));
        assert_eq!(claims.subject(), "user-1");
        assert_eq!(claims.session(), Some("Zk3J8qLxR2uV0wYt5aBcDg"));
        assert_eq!(claims.token_id(), Some("AAECAwQFBgcICQoLDA0ODw"));
        assert_eq!(claims.scope(), Some("read write"));
        assert_eq!(claims.custom().role, "editor");
        for flipped in bit_flips(token) {
            let kind = codec.verify_at(&flipped, NOW).err().map(|e| e.kind());
            assert_authenticity_refused(kind, &flipped);
        }
    }
}

#[test]
fn malformed_tokens_are_refused_for_the_right_reason() {
    let rows = rows(&data("malformed.jsonl"));
    assert_eq!(rows.len(), 140);
    let mut wrong = Vec::new();
    for row in rows {
        let verified = codec(profile(&row)).verify_at(text(&row, "token"), NOW);
        let kind = verified.map_err(|error| format!("{:?}", error.kind()));
        if kind.as_ref().err().map(String::as_str) != row["expect"].as_str() {
            wrong.push(format!("{}: {} but {kind:?}", row["id"], row["expect"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_single_character_counts() {
    let rows = rows(&data("own.jsonl"));
    for wanted in PROFILES {
        let codec = codec(wanted);
        let row = rows.iter().find(|row| profile(row) == wanted).unwrap();
        let token = text(row, "token");
        for at in 0..token.len() {
            for other in [
                'A', 'B', 'Q', 'g', 'w', '-', '_', '.', '=', '+', '/', ' ', 'é',
            ] {
                let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                if changed != token {
                    let kind = codec.verify_at(&changed, NOW).err().map(|e| e.kind());
                    assert_authenticity_refused(kind, &changed);
                }
            }
            let shorter = format!("{}{}", &token[..at], &token[at + 1..]);
            let kind = codec.verify_at(&shorter, NOW).err().map(|e| e.kind());
            assert_authenticity_refused(kind, &shorter);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_text_is_refused_without_a_panic(token in ".{0,300}") {
        for profile in PROFILES {
            prop_assert!(codec(profile).verify_at(&token, NOW).is_err());
        }
    }

    #[test]
    fn arbitrary_segments_are_refused_without_a_panic(
        segments in prop::collection::vec("[A-Za-z0-9_-]{0,90}", 1..7),
        known in prop::sample::select(vec![
            "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImhzIn0",
            "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwiY3R5IjoiSldUIiwia2lkIjoiZW5jIn0",
            "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwidHlwIjoiYXQrand0Iiwia2lkIjoiZW5jIn0",
        ]),
    ) {
        let bare = segments.join(".");
        let headed = format!("{known}.{bare}");
        for profile in PROFILES {
            prop_assert!(codec(profile).verify_at(&bare, NOW).is_err());
            prop_assert!(codec(profile).verify_at(&headed, NOW).is_err());
        }
    }

    #[test]
    fn arbitrary_headers_are_refused_without_a_panic(
        header in "\\{\"alg\":\"(dir|HS256)\"(,\"(enc|kid|typ|cty|crit|epk|apu|zip|x)\":(\"[a-zA-Z+0-9]{0,8}\"|\\{\\}|[0-9]{1,3}|null|\\[\\])){0,4}\\}",
        dots in prop::sample::select(vec!["..", "...."]),
    ) {
        let token = format!("{}{dots}", crate::token_support::base64url(header));
        for profile in PROFILES {
            prop_assert!(codec(profile).verify_at(&token, NOW).is_err());
        }
    }

    #[test]
    fn any_changed_character_is_refused(row in 0..16_usize, at in 0..10_000_usize, other in any::<char>()) {
        let rows = rows(&data("own.jsonl"));
        let (codec, token) = (codec(profile(&rows[row])), text(&rows[row], "token"));
        let mut changed: Vec<char> = token.chars().collect();
        let at = at % changed.len();
        prop_assume!(changed[at] != other);
        changed[at] = other;
        let changed: String = changed.into_iter().collect();
        prop_assert!(codec.verify_at(&changed, NOW).is_err());
    }
}
