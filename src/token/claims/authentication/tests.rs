use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{keys::KeyRing, token::TokenCodec};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const LEEWAY: Duration = Duration::from_secs(60);

type Anything = serde_json::Map<String, Value>;

/// Claims of a token that says `members`.
fn claims(members: Value) -> Claims<Anything> {
    let codec = TokenCodec::<Anything>::encrypted(&KeyRing::generate().unwrap());
    let codec = codec.issuer("i").audience("a").leeway(LEEWAY);
    let codec = codec.build().unwrap();
    let Value::Object(members) = members else {
        panic!("{members}");
    };
    let grant = crate::token::Grant::new("user-1", &members);
    let token = codec.mint_at(&grant, NOW).unwrap();
    codec.verify_at(token.as_str(), NOW).unwrap()
}

fn recent(auth_time: Value, max_age: u64) -> Result<(), NotRecent> {
    let context = claims(json!({ "auth_time": auth_time })).context();
    let verdict = context.recent(Duration::from_secs(max_age));
    let within = context.authenticated_within(Duration::from_secs(max_age), NOW);
    assert_eq!(within, verdict.is_ok());
    verdict
}

#[test]
fn a_number_is_a_time_with_its_fraction() {
    for (said, millis) in [
        (json!(1_800_000_000), 1_800_000_000_000),
        (json!(1_799_999_999.5), 1_799_999_999_500),
        (json!(1_799_999_999.999_9), 1_799_999_999_999),
        (json!(0), 0),
        (json!(1.8e9), 1_800_000_000_000),
        (json!(253_402_300_799_u64), 253_402_300_799_000),
    ] {
        let claims = claims(json!({ "auth_time": said }));
        let expected = Timestamp::from_millis(millis);
        assert_eq!(claims.auth_time(), Some(expected), "{said}");
        assert_eq!(claims.context().auth_time(), Some(expected));
    }
}

/// The token is as good as without it.
#[test]
fn a_claim_that_is_no_time_is_not_recent_and_refuses_no_token() {
    for odd in [
        json!(null),
        json!("1800000000"),
        json!(-1),
        json!(-0.5),
        json!(true),
        json!([1_800_000_000]),
        json!({ "auth_time": 1_800_000_000 }),
        json!("inf"),
        json!(253_402_300_800_u64),
        json!(1_800_000_000_000_u64),
    ] {
        assert_eq!(claims(json!({ "auth_time": odd })).auth_time(), None);
        assert_eq!(recent(odd.clone(), u64::MAX), Err(NotRecent::Odd), "{odd}");
    }
    let none = claims(json!({ "nested": { "auth_time": 1_800_000_000 } }));
    assert_eq!(none.auth_time(), None);
    let verdict = none.context().recent(Duration::MAX);
    assert_eq!(verdict, Err(NotRecent::Missing));
}

#[test]
fn an_authentication_is_recent_up_to_the_very_end() {
    for (said, verdict) in [
        (json!(1_800_000_000), Ok(())),
        (json!(1_799_999_700), Ok(())),
        (json!(1_799_999_699.999), Err(NotRecent::TooOld)),
        (json!(1_799_999_699), Err(NotRecent::TooOld)),
        (json!(0), Err(NotRecent::TooOld)),
        // The issuer's clock may be ahead by the leeway, and by no more.
        (json!(1_800_000_060), Ok(())),
        (json!(1_800_000_060.001), Err(NotRecent::Future)),
        (json!(1_800_000_061), Err(NotRecent::Future)),
    ] {
        assert_eq!(recent(said.clone(), 300), verdict, "{said}");
    }
}

#[test]
fn methods_and_class_are_read_where_they_are_what_they_should_be() {
    let claims = |amr: Value, acr: Value| {
        let claims = claims(json!({ "amr": amr, "acr": acr }));
        let context = claims.context();
        assert_eq!(context.amr(), claims.amr());
        assert_eq!(context.acr(), claims.acr());
        (claims.amr(), context.acr().map(Cow::into_owned))
    };
    let none = Vec::<String>::new;
    let one = |text: &str| Some(text.to_owned());
    assert_eq!(
        claims(json!(["pwd", "a\"b"]), json!("phr")),
        (vec!["pwd".to_owned(), "a\"b".to_owned()], one("phr"))
    );
    assert_eq!(claims(json!([]), json!("a\\\"é")), (none(), one("a\\\"é")));
    assert_eq!(claims(json!("pwd"), json!(["phr"])), (none(), None));
    assert_eq!(claims(json!(["pwd", 1]), json!(null)), (none(), None));
    assert_eq!(claims(json!(null), json!("")), (none(), one("")));
}

#[test]
fn a_name_with_escapes_is_not_found_and_hides_no_other() {
    let text = r#" { "auth\u005ftime" : 1 , "b" : "\\\"}" , "acr":"x"} "#;
    assert_eq!(member(text, "auth_time"), None);
    assert_eq!(member(text, "acr"), Some("\"x\""));
    assert_eq!(member(text, "b"), Some(r#""\\\"}""#));
    assert_eq!(member("{}", "acr"), None);
    assert_eq!(member(" {\n}", "acr"), None);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z{}\\[\\]\",:\\\\ é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-c\",:]{0,2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever stands before it and however it is laid out: what is found is what a parser finds.
    #[test]
    fn a_member_is_found_behind_whatever_there_is(
        members in proptest::collection::btree_map("[a-c]{1,2}", value(), 0..5),
        pretty in any::<bool>(),
    ) {
        let text = match pretty {
            true => serde_json::to_string_pretty(&members).unwrap(),
            false => serde_json::to_string(&members).unwrap(),
        };
        for name in ["a", "b", "c", "ab", "ba", "cc"] {
            let found = member(&text, name);
            let found = found.map(|json| serde_json::from_str::<Value>(json).unwrap());
            prop_assert_eq!(found.as_ref(), members.get(name), "{} in {}", name, text);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-c{}\\[\\]\",:\\\\ é0-9]{0,24}") {
        member(&text, "a");
    }
}
