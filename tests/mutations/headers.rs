//! Changed headers of tokens, signed by the very key: accepted exactly where a second reading says so.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use tower_bearer::KeyRing;

use super::{Changes, codec, for_a_while, public, signed};

const MEMBERS: [&str; 26] = [
    r#""alg":"EdDSA""#,
    r#""alg":"Ed25519""#,
    r#""alg":"ES256""#,
    r#""alg":"HS256""#,
    r#""alg":"none""#,
    r#""alg":"eddsa""#,
    r#""alg":null"#,
    r#""alg":["EdDSA"]"#,
    r#""\u0061lg":"EdDSA""#,
    r#""kid":"a""#,
    r#""kid":"b""#,
    r#""kid":"c""#,
    r#""kid":"""#,
    r#""kid":null"#,
    r#""k\u0069d":"a""#,
    r#""typ":"at+jwt""#,
    r#""typ":"application/AT+JWT""#,
    r#""typ":"JWT""#,
    r#""typ":1"#,
    r#""crit":["exp"]"#,
    r#""b64":true"#,
    r#""jwk":{"kty":"oct","k":"AAAA"}"#,
    r#""x5c":[1,{"a":[]}]"#,
    r#""jku":"https://evil.example""#,
    r#""x":1"#,
    r#""x":2"#,
];

/// A value in which no member repeats, at any depth.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Strict, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Strict(values.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, _>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member repeats"));
            }
        }
        Ok(Strict(members.into()))
    }
}

/// The members of an object in which none repeats; `None` for anything else.
fn second_reading(header: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(header) {
        Ok(Strict(Value::Object(members))) => Some(members),
        _ => None,
    }
}

/// Whether a token with this header, signed by `signer`, is one of the ring's. `a` has seed 1, and two keys named `b`
/// have the seeds 2 and 3. One without a name has seed 4.
fn is_good(header: &Map<String, Value>, signer: u8) -> bool {
    let text = |name| header.get(name).and_then(Value::as_str);
    let typ = text("typ").unwrap_or_default().to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    let alg = matches!(text("alg"), Some("EdDSA" | "Ed25519"));
    let odd = ["crit", "b64"]
        .iter()
        .any(|name| header.contains_key(*name));
    let keys: &[u8] = match (header.get("kid"), text("kid")) {
        (None, _) => &[4],
        (Some(_), None | Some("")) => &[],
        (_, Some("a")) => &[1],
        (_, Some("b")) => &[2, 3],
        _ => &[4],
    };
    typ == "at+jwt" && alg && !odd && keys.contains(&signer)
}

fn header(changes: &mut Changes) -> Vec<u8> {
    let mut members = vec![
        MEMBERS[changes.any(2)],
        changes.pick(&[MEMBERS[9], MEMBERS[10], MEMBERS[11]]),
        MEMBERS[15 + changes.any(2)],
    ];
    for _ in 0..changes.any(3) {
        let at = changes.any(members.len());
        match changes.any(3) {
            0 => drop(members.remove(at)),
            1 => members[at] = MEMBERS[changes.any(MEMBERS.len())],
            _ => members.insert(at, MEMBERS[changes.any(MEMBERS.len())]),
        }
        if members.is_empty() {
            break;
        }
    }
    let comma = changes.pick(&[",", " ,\n"]);
    format!("{{{}}}", members.join(comma)).into_bytes()
}

#[test]
fn changed_headers() {
    let key = |seed, kid: &str| {
        format!(
            r#"{{"kty":"OKP","crv":"Ed25519",{kid}"x":"{}"}}"#,
            public(seed)
        )
    };
    let keys = [
        key(1, r#""kid":"a","#),
        key(2, r#""kid":"b","#),
        key(3, r#""kid":"b","#),
        key(4, ""),
    ];
    let ring = KeyRing::verifier(&format!(r#"{{"keys":[{}]}}"#, keys.join(","))).unwrap();
    let codec = codec(&ring);
    let pieces: Vec<&[u8]> = [
        "{", "}", "\"", ",", ":", "\\u0000", "\\", " ", "null", "\u{e9}",
    ]
    .map(str::as_bytes)
    .to_vec();
    for_a_while("headers", |changes| {
        let mut header = header(changes);
        if changes.any(3) == 0 {
            changes.bytes(&mut header, &pieces);
        }
        let signer = 1 + changes.any(5) as u8;
        let token = signed(&header, signer);
        let verified = codec.verify(&token).is_ok();
        let wanted = second_reading(&header).is_some_and(|members| is_good(&members, signer));
        assert_eq!(
            verified,
            wanted,
            "seed {}, signed by {signer}: {}",
            changes.seed,
            String::from_utf8_lossy(&header)
        );
        verified
    });
}
