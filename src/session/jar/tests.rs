use super::*;
use crate::session::fixture::{NEW, OLD};

const PLACE: SealContext<'static> = SealContext {
    carrier: "__Secure-refresh_token_jar",
    issuer: "https://id.example",
};
const SESSION: SessionId = SessionId::from_bytes([1; 16]);
const KINDS: [CookieKind; 2] = [CookieKind::Lasting, CookieKind::UntilClosed];

fn make(kind: CookieKind, keys: &SessionKeys, place: SealContext<'_>) -> JarText {
    let text = jar_value(&SESSION, kind, keys.active().unwrap(), place);
    text.into_bytes().try_into().unwrap()
}

/// Computed apart from this crate, with the HMAC of another language's library.
#[test]
fn golden_values_stay_right() {
    let keys = SessionKeys::new([OLD]).unwrap();
    let golden = [
        b"AWiKdzFoMV7PMAopDurezMb3xwHD",
        b"AmiKdzEjeUL6fGZMtBP_z4MVgdX-",
    ];
    for (kind, golden) in KINDS.into_iter().zip(golden) {
        assert_eq!(make(kind, &keys, PLACE), *golden);
        assert_eq!(judge_jar(golden, &SESSION, &keys, PLACE), Some(kind));
    }
}

#[test]
fn any_key_of_the_ring_will_do_and_no_other() {
    let [old, new, both] = [&[OLD][..], &[NEW], &[NEW, OLD]]
        .map(|secrets| SessionKeys::new(secrets.iter().copied()).unwrap());
    for kind in KINDS {
        let of_old = make(kind, &old, PLACE);
        let of_new = make(kind, &both, PLACE);
        for (value, keys, judged) in [
            (of_old, &old, Some(kind)),
            (of_old, &both, Some(kind)),
            (of_new, &both, Some(kind)),
            (of_new, &new, Some(kind)),
            (of_old, &new, None),
            (of_new, &old, None),
        ] {
            assert_eq!(judge_jar(&value, &SESSION, keys, PLACE), judged);
        }
        // Under the name of another key it is worth nothing.
        let mut raw = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(of_old).unwrap();
        raw[1..5].copy_from_slice(&new.active().unwrap().id());
        let renamed = base64_simd::URL_SAFE_NO_PAD.encode_to_string(raw);
        let renamed = renamed.into_bytes().try_into().unwrap();
        assert_eq!(judge_jar(&renamed, &SESSION, &both, PLACE), None);
    }
}

#[test]
fn a_value_is_right_in_its_own_place_only() {
    let keys = SessionKeys::new([OLD]).unwrap();
    let value = make(CookieKind::Lasting, &keys, PLACE);
    let other = SessionId::from_bytes([2; 16]);
    assert_eq!(judge_jar(&value, &other, &keys, PLACE), None);
    for (carrier, issuer) in [
        ("__Host-refresh_token_jar", PLACE.issuer),
        (PLACE.carrier, "https://other.example"),
        // The border between the two parts moved by one character.
        ("__Secure-refresh_token_jarh", "ttps://id.example"),
        ("__Secure-refresh_token_ja", "rhttps://id.example"),
    ] {
        let place = SealContext { carrier, issuer };
        assert_eq!(judge_jar(&value, &SESSION, &keys, place), None, "{carrier}");
    }
}

#[test]
fn one_flipped_bit_is_refused_wherever_it_is() {
    let keys = SessionKeys::new([OLD]).unwrap();
    for kind in KINDS {
        let value = make(kind, &keys, PLACE);
        for bit in 0..value.len() * 8 {
            let mut value = value;
            value[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(judge_jar(&value, &SESSION, &keys, PLACE), None, "bit {bit}");
        }
        let raw = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(value).unwrap();
        for bit in 0..raw.len() * 8 {
            let mut raw = raw.clone();
            raw[bit / 8] ^= 1 << (bit % 8);
            let text = base64_simd::URL_SAFE_NO_PAD.encode_to_string(raw);
            let text = text.into_bytes().try_into().unwrap();
            assert_eq!(judge_jar(&text, &SESSION, &keys, PLACE), None, "bit {bit}");
        }
    }
}

/// Of 21 bytes no character has a spare bit. So only the alphabet could give a second spelling.
#[test]
fn a_value_has_one_spelling() {
    assert_eq!(RAW % 3, 0);
    let keys = SessionKeys::new([OLD]).unwrap();
    let value = make(CookieKind::Lasting, &keys, PLACE);
    for at in 0..value.len() {
        for other in *b"AB-_=+/z9 \0\xff" {
            let mut value = value;
            if std::mem::replace(&mut value[at], other) != other {
                assert_eq!(judge_jar(&value, &SESSION, &keys, PLACE), None, "{at}");
            }
        }
    }
}
