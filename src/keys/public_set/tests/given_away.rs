//! Keys whose private half is there.

use super::*;

#[test]
fn compromised_keys_stay_out() {
    let mut known = Compromised::default();
    // The public half stands before the private one, after it, and under another name.
    let set = read_after(
        &[
            named(1, "a"),
            private(1, "a"),
            named(1, "b"),
            named(2, "c"),
            ed(1),
        ],
        &mut known,
    );
    assert_eq!(kids(&set), [Some("c")]);
    assert!(set.unusable().iter().all(UnusableKey::is_compromised));
    assert_eq!(set.unusable().len(), 4);
    // And in the next set, in another spelling.
    let padded = format!("{}=", ed(1)["x"].as_str().unwrap());
    let again = with(named(1, "z"), json!({ "x": padded }));
    let set = read_after(&[again, named(2, "a")], &mut known);
    assert_eq!(kids(&set), [Some("a")], "its name is no mark");
    // Another issuer does not decide.
    assert_eq!(read(&[named(1, "a")]).keys.len(), 1);
    // The name is the mark where the key itself is not there.
    let set = read_after(
        &[
            json!({ "kty": "RSA", "kid": "r", "d": "AAAA" }),
            with(rsa(), json!({ "kid": "r" })),
        ],
        &mut known,
    );
    assert!(set.keys.is_empty());
    assert_eq!(read_after(&[rsa()], &mut known).keys.len(), 1);
    // However oddly the private half is written.
    for odd in [
        r#""d":"AAAA","d":null"#,
        r#""d":null,"d":"AAAA""#,
        r#""\u0064":"AAAA","n":1e999"#,
        r#""d":"AAAA","kid":7"#,
        r#""d":"AAAA","x":"AAAA""#,
        r#""d":"AAAA","kty":"oct""#,
        r#""d":"AAAA","kty":"EC""#,
        r#""d":"AAAA","kty":["OKP"]"#,
        r#""d":"AAAA","crv":"ed25519""#,
        r#""d":"AAAA","\ud800":1"#,
    ] {
        let public = ed(5).to_string();
        let members = public.trim_matches(['{', '}']);
        for both in [format!("{members},{odd}"), format!("{odd},{members}")] {
            let text = format!(r#"{{"keys":[{public},{{{both}}}]}}"#);
            let set = PublicSet::read(text.as_bytes(), &mut Compromised::default()).unwrap();
            assert!(set.keys.is_empty(), "{both}: {:?}", set.unusable());
        }
    }
    for (from, to) in [
        (r#""kty":"OKP""#, r#""kty":"okp""#),
        (r#""kty":"OKP","#, ""),
        (r#""kty":"OKP""#, r#""kty":null"#),
        (r#""crv":"Ed25519","#, ""),
    ] {
        let private = private(5, "other").to_string().replace(from, to);
        assert!(private.contains(r#""d""#) && !private.contains(from));
        let text = format!(r#"{{"keys":[{private},{}]}}"#, ed(5));
        let set = PublicSet::read(text.as_bytes(), &mut Compromised::default()).unwrap();
        assert!(set.keys.is_empty(), "{to}: {:?}", set.unusable());
    }
    // As some libraries write numbers: with a zero in front, or without one that belongs there.
    let public = json!({ "kty": "EC", "crv": "P-256", "x": EC_X, "y": EC_Y });
    let zero = |text: &str| base64(&[&[0], thumbprint::decode(text).unwrap().as_slice()].concat());
    let odd = with(
        public.clone(),
        json!({ "x": zero(EC_X), "y": zero(EC_Y), "d": "AAAA" }),
    );
    assert!(read(&[public, odd]).keys.is_empty());
    // The numbers of its type are not all there, so that its name has to do.
    let public = json!({ "kty": "EC", "crv": "P-256", "kid": "e", "x": EC_X, "y": EC_Y });
    for odd in [
        json!({ "kty": "EC", "crv": "P-256", "kid": "e", "x": EC_X, "d": "AAAA" }),
        json!({ "kty": "EC", "kid": "e", "d": "AAAA" }),
    ] {
        assert!(read(&[public.clone(), odd]).keys.is_empty());
    }
    // A shared secret says nothing of public keys of its name.
    for secret in [
        json!({ "kty": "oct", "kid": "s", "k": "AAAA" }),
        with(ed(3), json!({ "kty": "oct", "k": "AAAA" })),
        with(ed(3), json!({ "kty": null, "k": "AAAA" })),
    ] {
        let set = read_after(&[secret, named(3, "s")], &mut known);
        assert_eq!(kids(&set), [Some("s")]);
    }
    let text = format!("{known:?} {set:?}");
    assert!(
        !text.contains("AAAA") && !text.contains(&base64(&[1; 32])),
        "{text}"
    );
}

#[test]
fn each_private_number_of_an_rsa_key_compromises_it() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        let set = read(&[with(rsa(), json!({ (member): "AAAA" })), rsa()]);
        assert!(set.keys.is_empty(), "{member}");
        assert!(set.unusable().iter().all(UnusableKey::is_compromised));
    }
}

#[test]
fn the_list_of_compromised_keys_is_bounded() {
    let mut known = Compromised::default();
    for seed in 0..100 {
        read_after(&[private(seed, "a"), private(seed, "a")], &mut known);
    }
    let left = (0..100).filter(|seed| read_after(&[ed(*seed)], &mut known).keys.is_empty());
    assert_eq!(left.collect::<Vec<_>>(), (36..100).collect::<Vec<_>>());
    // It counts keys, however many marks each has.
    let public = json!({ "kty": "EC", "crv": "P-256", "x": EC_X, "y": EC_Y });
    let private_ec = with(public.clone(), json!({ "d": "AAAA" }));
    read_after(&[private_ec], &mut known);
    for n in 0..63_u8 {
        let other = with(
            public.clone(),
            json!({ "y": base64(&[n; 32]), "d": "AAAA" }),
        );
        read_after(&[other], &mut known);
    }
    assert!(read_after(&[public], &mut known).keys.is_empty());
}

/// The bound is for the sets that come later: within one set no compromised key is used.
#[test]
fn a_set_that_compromises_all_of_its_keys() {
    let keys: Vec<_> = (0..200)
        .flat_map(|seed| [ed(seed), private(seed, "a")])
        .collect();
    let set = read(&keys);
    assert!(set.keys.is_empty());
    assert_eq!(set.unusable().len(), MOST_FINDINGS);
}

#[test]
fn findings_are_bounded() {
    let mut keys = vec![json!(1); 5000];
    keys.extend((0..100).map(|seed| private(seed, "a")));
    keys.push(named(200, "good"));
    let set = read(&keys);
    assert_eq!(kids(&set), [Some("good")]);
    assert_eq!(set.unusable().len(), 2 * MOST_FINDINGS);
}
