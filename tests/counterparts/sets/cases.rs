//! Sets about names, algorithms and the document as a whole, with what the rule says of each.

use serde_json::{Value, json};

use super::{
    Case, Question,
    keys::{AUDIENCE, ISSUER, Key, STORED, base64url},
};

impl Case {
    pub(super) fn new(name: impl Into<String>, keys: &[Value]) -> Self {
        Self::of_text(name, json!({ "keys": keys }).to_string())
    }

    /// A set that `serde_json` would not write.
    pub(super) fn of_text(name: impl Into<String>, set: String) -> Self {
        Self {
            name: name.into(),
            set,
            questions: Vec::new(),
        }
    }

    pub(super) fn accepts(self, what: &str, token: impl Into<String>) -> Self {
        self.asks(what, token.into(), true)
    }

    pub(super) fn refuses(self, what: &str, token: impl Into<String>) -> Self {
        self.asks(what, token.into(), false)
    }

    fn asks(mut self, what: &str, token: String, accepted: bool) -> Self {
        self.questions.push(Question {
            what: what.to_owned(),
            token,
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            accepted,
        });
        self
    }

    /// The good key's tokens, with its name and without.
    pub(super) fn accepts_good(self) -> Self {
        self.accepts("kid", named()).accepts("no kid", nameless())
    }

    pub(super) fn refuses_good(self) -> Self {
        self.refuses("kid", named()).refuses("no kid", nameless())
    }
}

/// The key whose tokens are honest.
pub(super) fn good() -> Key {
    Key::ed25519(1)
}

/// As its issuer publishes it.
pub(super) fn good_jwk() -> Value {
    good().jwk(json!({"kid": "good", "alg": "EdDSA", "use": "sig"}))
}

/// Its token.
pub(super) fn named() -> String {
    good().token("EdDSA", json!({"kid": "good"}))
}

/// Its token without `kid`.
pub(super) fn nameless() -> String {
    good().token("EdDSA", json!({}))
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![Case::new("the good key alone", &[good_jwk()]).accepts_good()];
    cases.extend(documents());
    cases.extend(shared_names());
    cases.extend(without_names());
    cases.extend(algorithms());
    cases.extend(purposes());
    cases
}

/// Rule 1: the document is judged first.
fn documents() -> Vec<Case> {
    let set = json!({"keys": [good_jwk()]}).to_string();
    let good = good_jwk();
    let text = |name: &str, text: String| Case::of_text(name, text);
    vec![
        text("a byte-order mark in front", format!("\u{feff}{set}")).accepts("kid", named()),
        text("white space around", format!(" \r\n\t{set}\n ")).accepts("kid", named()),
        text(
            "other members beside",
            json!({"issuer": 7, "keys": [good], "v": null}).to_string(),
        )
        .accepts("kid", named()),
        text("something behind", format!("{set} x")).refuses_good(),
        text("two sets, one behind the other", format!("{set}{set}")).refuses_good(),
        text("cut short", set[..set.len() - 1].to_owned()).refuses_good(),
        text("empty text", String::new()).refuses_good(),
        text("keys missing", "{}".to_owned()).refuses_good(),
        text("keys null", json!({"keys": null}).to_string()).refuses_good(),
        text("keys an object", json!({"keys": good}).to_string()).refuses_good(),
        text("keys a string", json!({"keys": set}).to_string()).refuses_good(),
        text("no keys", json!({"keys": []}).to_string()).refuses_good(),
        text("an array", json!([good]).to_string()).refuses_good(),
        text("one JWK", good.to_string()).refuses_good(),
        text("Keys with a capital", json!({"Keys": [good]}).to_string()).refuses_good(),
        text(
            "keys twice, the good ones last",
            format!(r#"{{"keys":[],"keys":[{good}]}}"#),
        )
        .refuses_good(),
    ]
}

/// Rule 5: several keys of one name.
fn shared_names() -> Vec<Case> {
    let (ec, rsa) = (Key::p256(), Key::rsa());
    let other = |seed| Key::ed25519(seed).jwk(json!({"kid": "good", "alg": "EdDSA", "use": "sig"}));
    let kid = || json!({"kid": "good"});
    let all = json!({"kid": "good", "use": "sig"});
    let of = |alg: &str| rsa.jwk(json!({"kid": "good", "alg": alg, "use": "sig"}));
    vec![
        Case::new("the same key twice", &[good_jwk(), good_jwk()]).accepts_good(),
        Case::new(
            "the same key twice, once without alg",
            &[good_jwk(), good().jwk(all.clone())],
        )
        .accepts_good(),
        Case::new("one kid, another key behind", &[good_jwk(), other(2)]).accepts("kid", named()),
        Case::new("one kid, another key in front", &[other(2), good_jwk()]).accepts("kid", named()),
        Case::new(
            "one kid, the good key is the fourth",
            &[other(2), other(3), other(4), good_jwk()],
        )
        .accepts("kid", named()),
        Case::new(
            "one kid, the good key is the fifth",
            &[other(2), other(3), other(4), other(5), good_jwk()],
        )
        .refuses("kid", named()),
        Case::new(
            "one kid for three kinds of key",
            &[
                rsa.jwk(json!({"kid": "good", "alg": "RS256"})),
                ec.jwk(all.clone()),
                good().jwk(all),
            ],
        )
        .accepts("RS256", rsa.token("RS256", kid()))
        .accepts("ES256", ec.token("ES256", kid()))
        .accepts("EdDSA", named())
        .refuses("RS384", rsa.token("RS384", kid())),
        Case::new(
            "one key and kid for three algorithms",
            &[of("RS256"), of("RS384"), of("PS256")],
        )
        .accepts("RS256", rsa.token("RS256", kid()))
        .accepts("RS384", rsa.token("RS384", kid()))
        .accepts("PS256", rsa.token("PS256", kid()))
        .refuses("RS512", rsa.token("RS512", kid())),
    ]
}

/// Rule 5 again: keys that have no name.
fn without_names() -> Vec<Case> {
    let key = |seed| Key::ed25519(seed).jwk(json!({"alg": "EdDSA", "use": "sig"}));
    vec![
        Case::new("one key without kid", &[key(1)]).accepts_good(),
        Case::new("two keys without kid", &[key(2), key(1)]).accepts("no kid", nameless()),
        Case::new("four keys without kid", &[key(2), key(3), key(4), key(1)])
            .accepts("no kid", nameless()),
        Case::new(
            "five keys without kid",
            &[key(2), key(3), key(4), key(5), key(1)],
        )
        .refuses("no kid", nameless()),
        Case::new(
            "two keys without kid of different algorithms",
            &[Key::p256().jwk(json!({})), key(1)],
        )
        .accepts("no kid", nameless()),
    ]
}

/// Rules 6 and 7: which algorithm a key is for.
fn algorithms() -> Vec<Case> {
    let (ec, rsa) = (Key::p256(), Key::rsa());
    let ed = |alg: &str| good().jwk(json!({"kid": "good", "alg": alg}));
    let kid = || json!({"kid": "good"});
    let new_name = || good().token("Ed25519", kid());
    let (weak, p521) = (&STORED["weak"], &STORED["p521"]);
    let stored = |key: &Value| key["token"].as_str().unwrap().to_owned();
    vec![
        Case::new("RSA without alg", &[rsa.jwk(kid())])
            .accepts("RS256", rsa.token("RS256", kid()))
            .refuses("RS384", rsa.token("RS384", kid()))
            .refuses("RS512", rsa.token("RS512", kid()))
            .refuses("PS256", rsa.token("PS256", kid())),
        Case::new(
            "RSA for PS256",
            &[rsa.jwk(json!({"kid": "good", "alg": "PS256"}))],
        )
        .accepts("PS256", rsa.token("PS256", kid()))
        .refuses("RS256", rsa.token("RS256", kid())),
        Case::new("Ed25519 as alg of the key", &[ed("Ed25519")])
            .accepts("EdDSA in the token", named())
            .accepts("Ed25519 in the token", new_name()),
        Case::new("EdDSA as alg of the key", &[ed("EdDSA")])
            .accepts("EdDSA in the token", named())
            .accepts("Ed25519 in the token", new_name()),
        Case::new("Ed25519 without alg", &[good().jwk(kid())])
            .accepts("EdDSA in the token", named())
            .accepts("Ed25519 in the token", new_name()),
        Case::new("P-256 without alg", &[ec.jwk(kid())]).accepts("ES256", ec.token("ES256", kid())),
        Case::new("Ed25519 that says ES256", &[ed("ES256")]).refuses("kid", named()),
        Case::new("Ed25519 that says HS256", &[ed("HS256")]).refuses("kid", named()),
        Case::new("Ed25519 that says none", &[ed("none")]).refuses("kid", named()),
        Case::new("RSA of 1024 bits", &[weak["jwk"].clone()]).refuses("RS256", stored(weak)),
        Case::new("P-521", &[p521["jwk"].clone()]).refuses("ES512", stored(p521)),
    ]
}

/// The purpose of a key, and the form of its members.
fn purposes() -> Vec<Case> {
    let is = |name: &str, members: Value| {
        let jwk = super::keys::with(&good_jwk(), &members);
        Case::new(name, &[jwk])
    };
    let long = "k".repeat(200);
    let x = good_jwk()["x"].as_str().unwrap().to_owned();
    vec![
        is("key_ops verify", json!({"key_ops": ["verify"]})).accepts("kid", named()),
        is(
            "key_ops sign and verify",
            json!({"key_ops": ["sign", "verify"]}),
        )
        .accepts("kid", named()),
        is("key_ops encrypt", json!({"key_ops": ["encrypt"]})).refuses_good(),
        is("key_ops a number", json!({"key_ops": 7})).refuses_good(),
        is("use enc", json!({"use": "enc"})).refuses_good(),
        is("use unknown", json!({"use": "tls"})).refuses_good(),
        is("the good key's kid a number", json!({"kid": 7})).refuses("kid", named()),
        is(
            "members that we do not know",
            json!({"x5t": 7, "exp": [], "a": {"d": "AA"}}),
        )
        .accepts("kid", named()),
        is("x with padding", json!({"x": format!("{x}=")})).accepts("kid", named()),
        is("x one byte short", json!({"x": base64url(&[1; 31])})).refuses_good(),
        is("a kid of 200 characters", json!({"kid": long}))
            .accepts("kid", good().token("EdDSA", json!({"kid": long}))),
    ]
}
