//! Changed JWK Sets: no panic, no key that is not there, and no key whose private half is there. A key that stands
//! there unharmed is used.

use serde_json::{Value, value::RawValue};
use tower_bearer::KeyRing;

use super::{base64, codec, for_a_while, public, signed};

const GOOD: u8 = 1;

/// Entries that are put into sets, in whole or in parts.
fn entries() -> Vec<String> {
    let text = std::fs::read_to_string("tests/data/cases/issuers.json").unwrap();
    let cases: Value = serde_json::from_str(&text).unwrap();
    let sets = ["neighbours", "shapes"].map(|list| cases[list].as_array().unwrap().clone());
    let keys = sets
        .iter()
        .flatten()
        .flat_map(|case| case["jwks"]["keys"].as_array().unwrap());
    let mut entries: Vec<_> = keys.map(Value::to_string).collect();
    let (x, d) = (public(GOOD), base64([GOOD; 32]));
    let okp = r#""kty":"OKP","crv":"Ed25519""#;
    for members in [
        format!(r#"{{{okp},"x":"{x}","kid":"other"}}"#),
        format!(r#"{{{okp},"x":"{x}","d":"{d}"}}"#),
        format!(r#"{{{okp},"x":"{x}=","kid":"good","d":"{d}"}}"#),
        format!(r#"{{{okp},"x":"{x}","d":null}}"#),
        format!(r#"{{{okp},"kid":"good","x":"{}"}}"#, public(2)),
        format!(r#"{{{okp},"x":"{}","d":"{}"}}"#, public(2), base64([2; 32])),
    ] {
        entries.push(members);
    }
    entries
}

#[derive(serde::Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// The entries of a document, as text and as serde_json alone reads each; `None` where it is no set.
fn second_reading(text: &[u8]) -> Option<Vec<(String, Value)>> {
    // `KeyRing::verifier` takes text.
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_ascii_start().starts_with('{') {
        return None;
    }
    let document: Document<'_> = serde_json::from_str(text).ok()?;
    let read = |entry: &&RawValue| {
        let value = serde_json::from_str(entry.get()).unwrap_or(Value::Null);
        (entry.get().to_owned(), value)
    };
    Some(document.keys.iter().map(read).collect())
}

#[test]
fn changed_sets() {
    let good = format!(
        r#"{{"kty":"OKP","crv":"Ed25519","kid":"good","use":"sig","x":"{}"}}"#,
        public(GOOD)
    );
    let token = signed(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"good"}"#, GOOD);
    let entries = entries();
    let pieces: Vec<&[u8]> = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "null",
        "1e999",
        "\\u0064",
        "\\ud800",
        "\"d\":\"AA\",",
        "\"d\":null,",
        "\"kid\":\"good\",",
        "\"kty\":\"oct\",",
        "\"keys\":[",
        "\u{feff}",
        "[[[[",
        "\"use\":\"enc\",",
        "\"key_ops\":[],",
        "\"alg\":\"Ed25519\",",
        "\"x\":1,",
    ]
    .map(str::as_bytes)
    .to_vec();
    for_a_while("sets", |changes| {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for _ in 0..changes.any(5) {
            let mut entry = entries[changes.any(entries.len())].clone().into_bytes();
            if changes.any(2) == 0 {
                changes.bytes(&mut entry, &pieces);
            }
            keys.push(entry);
        }
        if changes.any(8) > 0 {
            let at = changes.any(keys.len() + 1);
            keys.insert(at, good.clone().into_bytes());
        }
        let mut text = [b"{\"keys\":[".as_slice(), &keys.join(&b','), b"]}"].concat();
        if changes.any(3) == 0 {
            changes.bytes(&mut text, &pieces);
        }
        let read = second_reading(&text);
        let entries = read.clone().unwrap_or_default();
        let x = |entry: &Value| {
            let x = entry["x"].as_str();
            x.map(|x| x.trim_end_matches('=').to_owned())
        };
        let own = |entry: &&Value| x(entry) == Some(public(GOOD));
        let values = || entries.iter().map(|(_, value)| value);
        // serde_json alone reads no key with half a surrogate in it; the crate does not look at most values.
        let unread =
            |(text, value): &(String, Value)| value.is_null() && text.contains(&public(GOOD));
        let is_there = values().any(|entry| own(&entry)) || entries.iter().any(unread);
        let says = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        let given_away = values()
            .filter(own)
            .any(|key| key["kty"] == "OKP" && key["crv"] == "Ed25519" && says(&key["d"]));
        let is_whole = entries.iter().any(|(text, _)| *text == good);
        let shown = || format!("seed {}: {}", changes.seed, String::from_utf8_lossy(&text));

        let ring = std::str::from_utf8(&text).ok().map(KeyRing::verifier);
        let Some(Ok(ring)) = ring else {
            // A whole and unharmed good key, in a document that is a set, is enough.
            let text = String::from_utf8_lossy(&text);
            let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "\\u"];
            let compromised = private
                .iter()
                .any(|name| text.contains(&format!("\"{name}")));
            assert!(!is_whole || given_away || compromised, "{}", shown());
            return false;
        };
        let codec = codec(&ring);
        let verified = codec.verify(&token).is_ok();
        assert!(read.is_some(), "no document, {}", shown());
        if verified {
            assert!(is_there, "a key that is not there, {}", shown());
            assert!(!given_away, "a key that is given away, {}", shown());
        } else {
            // More than four of its name may stand before it, but never a neighbour in its way.
            let named = values().filter(|key| key["kid"] == "good").count();
            let compromised = ring.unusable_keys().iter().any(|key| key.is_compromised());
            let unharmed = is_whole && named <= 4 && !compromised;
            assert!(!unharmed, "{}", shown());
        }
        verified
    });
}
