//! `keygen` prints what a service reads: the other walks start theirs with it.

use serde_json::Value;

use crate::support::{Ended, example, keys};

#[test]
fn three_secrets_of_32_bytes() {
    let names = ["ACCESS_SECRET", "ENCRYPTION_KEY", "REFRESH_SECRET"];
    let keys = keys();
    assert_eq!(keys.len(), names.len());
    for ((name, value), expected) in keys.iter().zip(names) {
        assert_eq!(name, expected);
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(value).unwrap();
        assert_eq!(bytes.len(), 32);
    }
}

#[test]
fn a_set_for_an_algorithm() {
    for (alg, member, value) in [
        ("EdDSA", "crv", "Ed25519"),
        ("ES256", "crv", "P-256"),
        ("RS256", "kty", "RSA"),
    ] {
        let printed = Ended::of(example("keygen").args(["--jwks", alg]));
        assert!(printed.success, "{}", printed.err);
        // In quotes, for a shell.
        let line = printed.out.trim_end();
        let set = line.strip_prefix("TOWER_BEARER_KEYS='");
        let set = set.and_then(|rest| rest.strip_suffix('\'')).unwrap();
        let set: Value = serde_json::from_str(set).unwrap();
        let keys = set["keys"].as_array().unwrap();
        assert!(keys.iter().any(|key| key[member] == value), "{alg}");
    }
}

#[test]
fn an_algorithm_that_is_none() {
    let printed = Ended::of(example("keygen").args(["--jwks", "none"]));
    assert!(!printed.success && printed.out.is_empty());
    assert!(!printed.err.is_empty());
}
