use proptest::prelude::*;

use super::*;
use crate::session::{
    fixture::{NEW, OLD, start},
    policy::SessionPolicy,
};

const PLACE: SealContext<'static> = SealContext {
    carrier: "__Secure-refresh_token",
    issuer: "https://id.example",
};

fn token(keys: &SessionKeys) -> (SessionRecord, RefreshToken) {
    let (record, first) = start(&SessionPolicy::default(), keys);
    let second = first.successor(&first.hash(), &record, 2, keys).unwrap();
    (record, second)
}

#[test]
fn a_sealed_token_opens_to_what_was_sealed() {
    let keys = SessionKeys::new([OLD]).unwrap();
    let (_, token) = token(&keys);
    let value = seal(&token, &keys, PLACE).unwrap();
    assert_eq!(value.len(), TEXT);
    assert!(value.len() < 512);
    let opened = unseal(value.as_bytes(), &keys, PLACE).unwrap();
    assert_eq!(opened.body(), token.body());
    assert_eq!(opened.hash(), token.hash());
    assert_eq!(opened.recoveries, 2);
    assert_ne!(
        value,
        seal(&token, &keys, PLACE).unwrap(),
        "the salt is fresh"
    );
}

#[test]
fn a_token_opens_in_its_own_place_only() {
    let keys = SessionKeys::new([OLD]).unwrap();
    let (_, token) = token(&keys);
    let value = seal(&token, &keys, PLACE).unwrap();
    let places = [
        ("other", PLACE.issuer),
        (PLACE.carrier, "https://other.example"),
        // The border between the two parts moved by one character.
        ("__Secure-refresh_tokenh", "ttps://id.example"),
    ];
    for (carrier, issuer) in places {
        let place = SealContext { carrier, issuer };
        let error = unseal(value.as_bytes(), &keys, place).unwrap_err();
        assert_eq!(error, UnsealError::Broken);
    }
}

#[test]
fn any_other_character_is_refused() {
    let keys = SessionKeys::new([OLD]).unwrap();
    let (_, token) = token(&keys);
    let value = seal(&token, &keys, PLACE).unwrap().into_bytes();
    for at in 0..value.len() {
        for other in *b"AB-_=+/z9\0\xff" {
            let mut value = value.clone();
            if std::mem::replace(&mut value[at], other) != other {
                assert!(unseal(&value, &keys, PLACE).is_err(), "{at} {other}");
            }
        }
    }
    for bit in 0..value.len() * 8 {
        let mut value = value.clone();
        value[bit / 8] ^= 1 << (bit % 8);
        assert!(unseal(&value, &keys, PLACE).is_err(), "bit {bit}");
    }
}

#[test]
fn a_second_spelling_of_the_same_bytes_is_refused() {
    let keys = SessionKeys::new([OLD]).unwrap();
    let (_, token) = token(&keys);
    let value = seal(&token, &keys, PLACE).unwrap();
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = *value.as_bytes().last().unwrap();
    let index = ALPHABET.iter().position(|c| *c == last).unwrap();
    // The last character carries unused bits; a lenient decoder ignores them.
    assert_eq!(RAW % 3, 2, "the last character carries two unused bits");
    let mut twin = value.into_bytes();
    *twin.last_mut().unwrap() = ALPHABET[index ^ 1];
    assert_eq!(
        unseal(&twin, &keys, PLACE).unwrap_err(),
        UnsealError::Malformed
    );
}

#[test]
fn length_version_and_key_are_judged_before_any_cryptography() {
    let keys = SessionKeys::new([OLD]).unwrap();
    let (_, token) = token(&keys);
    let value = seal(&token, &keys, PLACE).unwrap();
    let text = value.as_bytes();
    let refuse = |value: &[u8]| unseal(value, &keys, PLACE).unwrap_err();
    assert_eq!(refuse(b""), UnsealError::Malformed);
    assert_eq!(refuse(&text[..text.len() - 1]), UnsealError::Malformed);
    assert_eq!(
        refuse(format!("{value}A").as_bytes()),
        UnsealError::Malformed
    );
    assert_eq!(refuse(&vec![b'A'; 1 << 20]), UnsealError::Malformed);

    let mut raw = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap();
    raw[0] = 2;
    let version = base64_simd::URL_SAFE_NO_PAD.encode_to_string(&raw);
    assert_eq!(refuse(version.as_bytes()), UnsealError::Malformed);
    raw[0] = 1;
    raw[1] ^= 1;
    let key = base64_simd::URL_SAFE_NO_PAD.encode_to_string(&raw);
    assert_eq!(refuse(key.as_bytes()), UnsealError::UnknownKey);
}

#[test]
fn the_hash_depends_on_session_generation_and_secret_alone() {
    let keys = SessionKeys::new([OLD]).unwrap();
    let (_, token) = token(&keys);
    let change = |f: fn(&mut RefreshToken)| {
        let mut other = token.clone();
        f(&mut other);
        other.hash() == token.hash()
    };
    assert!(change(|e| e.key_id = [9; 4]));
    assert!(change(|e| e.recoveries = 9));
    assert!(change(|e| e.expires_at = Timestamp::from_secs(1)));
    assert!(!change(|e| e.session = SessionId::from_bytes([9; 16])));
    assert!(!change(|e| e.generation = 9));
    assert!(!change(|e| e.secret = Secret::new([9; 32])));
}

#[test]
fn a_successor_is_a_function_of_its_predecessor() {
    let keys = SessionKeys::new([OLD]).unwrap();
    let (record, token) = token(&keys);
    let next = token.successor(&token.hash(), &record, 0, &keys).unwrap();
    let same = token.successor(&token.hash(), &record, 0, &keys).unwrap();
    assert_eq!(next.body(), same.body());
    assert_eq!(next.generation, token.generation + 1);
    assert_eq!(next.parent, parent(&token.hash()));
    assert_eq!(next.expires_at, record.absolute_expires_at);
    // Recoveries, seed and predecessor each lead elsewhere.
    let burned = token.successor(&token.hash(), &record, 1, &keys).unwrap();
    assert_ne!(next.hash(), burned.hash());
    let mut reseeded = record.clone();
    reseeded.seed = [7; 32];
    let elsewhere = token.successor(&token.hash(), &reseeded, 0, &keys).unwrap();
    assert_ne!(next.hash(), elsewhere.hash());
    let mut end = token.clone();
    end.generation = u64::MAX;
    assert!(end.successor(&end.hash(), &record, 0, &keys).is_none());
}

/// A fleet in the middle of a key change: some servers seal with the old key, some with the new.
#[test]
fn every_retry_converges_while_a_fleet_changes_its_key() {
    let before = SessionKeys::new([OLD, NEW]).unwrap();
    let after = SessionKeys::new([NEW, OLD]).unwrap();
    let (record, first) = start(&SessionPolicy::default(), &before);
    let mut chains = vec![first];
    for generation in 1..=4 {
        let mut next = vec![];
        for token in &chains {
            for sealer in [&before, &after] {
                let value = seal(token, sealer, PLACE).unwrap();
                for opener in [&before, &after] {
                    let opened = unseal(value.as_bytes(), opener, PLACE).unwrap();
                    next.push(
                        opened
                            .successor(&opened.hash(), &record, 0, opener)
                            .unwrap(),
                    );
                }
            }
        }
        next.dedup_by_key(|token| token.body());
        assert_eq!(next.len(), 1, "generation {generation} has one token");
        chains = next;
    }
}

#[test]
fn an_old_key_is_needed_by_the_sessions_that_began_under_it_and_no_others() {
    let before = SessionKeys::new([OLD, NEW]).unwrap();
    let after = SessionKeys::new([NEW, OLD]).unwrap();
    let dropped = SessionKeys::new([NEW]).unwrap();
    let policy = SessionPolicy::default();
    let (_, old) = start(&policy, &before);
    let (record, new) = start(&policy, &after);
    // Sealed with the new key, but derived with the old one. It is refused when it is opened. So no decision is ever
    // asked for a successor that cannot be derived.
    let resealed = seal(&old, &after, PLACE).unwrap();
    let error = unseal(resealed.as_bytes(), &dropped, PLACE).unwrap_err();
    assert_eq!(error, UnsealError::UnknownKey);
    assert!(unseal(resealed.as_bytes(), &before, PLACE).is_ok());

    let value = seal(&new, &after, PLACE).unwrap();
    let opened = unseal(value.as_bytes(), &dropped, PLACE).unwrap();
    assert!(
        opened
            .successor(&opened.hash(), &record, 0, &dropped)
            .is_some()
    );
}

#[test]
fn debug_shows_no_secret() {
    let keys = SessionKeys::new([OLD]).unwrap();
    let (record, token) = token(&keys);
    let text = format!(
        "{token:?} {record:?} {:?}",
        crate::session::fixture::fresh(1)
    );
    assert!(text.contains("<secret>"), "{text}");
    for secret in [&token.secret.expose()[..], &record.seed, &record.current] {
        let shown = format!("{secret:?}");
        assert!(!text.contains(shown.trim_matches(['[', ']'])), "{text}");
    }
    assert!(!text.contains("ada"), "the subject is personal: {text}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(unseal(&bytes, &SessionKeys::new([OLD]).unwrap(), PLACE).is_err());
    }

    #[test]
    fn arbitrary_text_of_the_right_length_is_refused(text in "[A-Za-z0-9_-]{195}") {
        prop_assert!(unseal(text.as_bytes(), &SessionKeys::new([OLD]).unwrap(), PLACE).is_err());
    }
}
