//! The application's own claims: the members of a token that are not registered ones.

mod value;

use std::{borrow::Cow, slice};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, MapAccess, Visitor,
        value::{BorrowedStrDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::Error;
use smallvec::SmallVec;

use self::value::Value;
use super::json::{Reader, distinct};

/// A member of the claims: its name, and its value as JSON text that was already read strictly.
pub(super) struct Member<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: &'a str,
}

/// The members of one token. A few lie on the stack, so that no usual token costs an allocation here.
pub(super) type Members<'a> = SmallVec<[Member<'a>; 8]>;

/// The claims that only the codec writes, but for the one that names audiences.
pub(super) const RESERVED: [&str; 8] = ["iss", "sub", "exp", "nbf", "iat", "jti", "sid", "cnf"];

/// The same where the token says when and how its user authenticated.
pub(super) const RESERVED_WITH_AUTHENTICATION: [&str; 11] = [
    "iss",
    "sub",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "cnf",
    AUTHENTICATION[0],
    AUTHENTICATION[1],
    AUTHENTICATION[2],
];

/// Claims that the session layer may have minted, and an issuer elsewhere may write (RFC 9068 section 2.2.1).
pub(super) const AUTHENTICATION: [&str; 3] = ["auth_time", "amr", "acr"];

/// Reads the application's type from its members alone. So the registered claims are neither read twice nor in the way
/// of `deny_unknown_fields`.
pub(super) fn from_members<C: DeserializeOwned>(members: &[Member<'_>]) -> Result<C, Error> {
    C::deserialize(Object(members))
}

/// Checks the serialised form of the application's type. It is an object without `reserved` claims, and without
/// `audience`, the one that names audiences. The error is for its developer.
pub(super) fn check<const N: usize>(
    json: &str,
    reserved: [&'static str; N],
    audience: &str,
) -> Result<(), Cow<'static, str>> {
    if json == "{}" {
        return Ok(());
    }
    let mut names = SmallVec::<[Cow<'_, str>; 8]>::new();
    let mut clash = None;
    let read = Reader::new(json).only_object(|reader, name| {
        let mut written = reserved.into_iter().chain([audience]);
        clash = clash.or(written.find(|written| *written == name));
        if name == "scope" && reader.peek() != Some(b'"') {
            return Err(
                "scope is not a string: it is one text, with a space between two scopes. Leave it out \
                 where there is none (skip_serializing_if)",
            );
        }
        names.push(name);
        reader.value().map(drop)
    });
    if let Some(name) = clash {
        return Err(Cow::Owned(format!(
            "the application's claims have the member `{name}`, which only the codec writes: rename it"
        )));
    }
    let read = read.and_then(|()| distinct(&names, |name| name));
    read.map_err(|fault| Cow::Owned(format!("the application's claims are not usable: {fault}")))
}

struct Object<'m, 'a>(&'m [Member<'a>]);

struct Access<'m, 'a> {
    rest: slice::Iter<'m, Member<'a>>,
    value: Option<&'a str>,
    /// The names that a struct has; nothing where the type takes whatever there is.
    fields: Option<&'static [&'static str]>,
}

impl<'m, 'a> Access<'m, 'a> {
    fn new(members: &'m [Member<'a>], fields: Option<&'static [&'static str]>) -> Self {
        Self {
            rest: members.iter(),
            value: None,
            fields,
        }
    }

    /// Whether the type sees this member. When and how the user authenticated is no claim of the application's. It is
    /// not in the way of `deny_unknown_fields` where no field has the name.
    #[inline]
    fn shows(&self, name: &str) -> bool {
        match (name.as_bytes(), self.fields) {
            (b"auth_time" | b"amr" | b"acr", Some(fields)) => fields.contains(&name),
            _ => true,
        }
    }
}

impl<'de> Deserializer<'de> for Object<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Access::new(self.0, None))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        serde::de::value::MapAccessDeserializer::new(Access::new(self.0, None))
            .deserialize_enum(name, variants, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Access::new(self.0, Some(fields)))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl<'a> MapAccess<'a> for Access<'_, 'a> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let member = loop {
            match self.rest.next() {
                None => return Ok(None),
                Some(member) if self.shows(&member.name) => break member,
                Some(_) => {}
            }
        };
        self.value = Some(member.value);
        match &member.name {
            Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
            Cow::Owned(name) => seed.deserialize(StrDeserializer::new(name)),
        }
        .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Error> {
        // An empty text is refused by the parser, should a visitor ask for a value too many.
        seed.deserialize(Value(self.value.take().unwrap_or_default()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::token::NoClaims;

    fn members() -> Vec<Member<'static>> {
        vec![
            Member {
                name: Cow::Borrowed("role"),
                value: "\"adm\\u0069n\"",
            },
            Member {
                name: Cow::Owned("tags".to_owned()),
                value: "[1, 2]",
            },
        ]
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Own {
        role: String,
        tags: Vec<u8>,
        #[serde(default)]
        other: Option<u8>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Wrapper(Own);

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(tag = "role", rename_all = "lowercase")]
    enum Tagged {
        Admin { tags: Vec<u8> },
    }

    #[test]
    fn types_of_every_shape_are_read() {
        let own = || Own {
            role: "admin".into(),
            tags: vec![1, 2],
            other: None,
        };
        assert_eq!(from_members::<Own>(&members()).unwrap(), own());
        assert_eq!(from_members::<Wrapper>(&members()).unwrap(), Wrapper(own()));
        assert_eq!(
            from_members::<Option<Own>>(&members()).unwrap(),
            Some(own())
        );
        let tagged = Tagged::Admin { tags: vec![1, 2] };
        assert_eq!(from_members::<Tagged>(&members()).unwrap(), tagged);
        assert_eq!(from_members::<NoClaims>(&members()).unwrap(), NoClaims {});
        let map: serde_json::Map<String, serde_json::Value> = from_members(&members()).unwrap();
        assert_eq!(map.len(), 2);
        assert!(from_members::<Own>(&members()[..1]).is_err());
        assert!(from_members::<Vec<u8>>(&members()).is_err());
    }

    #[test]
    fn only_objects_without_registered_claims_are_written() {
        for json in ["{}", r#"{"role":"x","scope":"a b"}"#, r#"{"x":{"exp":1}}"#] {
            assert_eq!(check(json, RESERVED, "aud"), Ok(()), "{json}");
        }
        for name in RESERVED.into_iter().chain(["aud"]) {
            let json = format!("{{\"a\":1,\"{name}\":1}}");
            let error = check(&json, RESERVED, "aud").unwrap_err();
            assert!(
                error.contains(&format!("the member `{name}`, which")),
                "{error}"
            );
        }
        for json in [
            "null",
            "1",
            "[]",
            r#""x""#,
            r#"{"scope":[]}"#,
            r#"{"a":1,"a":2}"#,
        ] {
            assert!(check(json, RESERVED, "aud").is_err(), "{json}");
        }
        // Another claim in the place of `aud` takes its reserve with it.
        assert_eq!(check(r#"{"aud":5}"#, RESERVED, "client_id"), Ok(()));
        assert!(check(r#"{"client_id":"x"}"#, RESERVED, "client_id").is_err());
    }

    /// They are the application's, as long as the session layer does not mint them.
    #[test]
    fn minted_authentication_claims_are_reserved() {
        assert!(RESERVED_WITH_AUTHENTICATION.starts_with(&RESERVED));
        assert!(RESERVED_WITH_AUTHENTICATION.ends_with(&AUTHENTICATION));
        for name in AUTHENTICATION {
            let json = format!(r#"{{"{name}":"x"}}"#);
            assert_eq!(check(&json, RESERVED, "aud"), Ok(()));
            let error = check(&json, RESERVED_WITH_AUTHENTICATION, "aud").unwrap_err();
            assert!(error.contains(&format!("the member `{name}`")), "{error}");
        }
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Named {
        #[serde(alias = "acr")]
        level: Option<String>,
    }

    #[test]
    fn a_type_sees_of_an_authentication_what_it_names() {
        let authentication = [("auth_time", "1"), ("amr", "[\"pwd\"]"), ("acr", "\"phr\"")];
        let authentication = authentication.map(|(name, value)| Member {
            name: Cow::Borrowed(name),
            value,
        });
        let mut all = members();
        all.extend(authentication);
        let own: Own = from_members(&all).unwrap();
        assert_eq!(own, from_members(&members()).unwrap());
        let level = Some("phr".to_owned());
        assert_eq!(from_members::<Named>(&all[2..]).unwrap(), Named { level });
        let map: serde_json::Map<String, serde_json::Value> = from_members(&all).unwrap();
        assert_eq!(map.len(), 5);
        // Another member that is not named is still one too many.
        assert!(from_members::<Named>(&all).is_err());
    }
}
