//! The members of a JWK as others write them.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// The members that are looked at. Others are ignored (RFC 7517 section 4). It has no `Debug`, because it
/// may hold what should have stayed private.
#[derive(Default)]
pub(super) struct Members {
    pub(super) kty: Member,
    pub(super) purpose: Member,
    pub(super) key_ops: Member,
    pub(super) alg: Member,
    pub(super) kid: Member,
    pub(super) crv: Member,
    pub(super) x: Member,
    pub(super) y: Member,
    pub(super) n: Member,
    pub(super) e: Member,
    pub(super) d: Member,
    pub(super) p: Member,
    pub(super) q: Member,
    pub(super) dp: Member,
    pub(super) dq: Member,
    pub(super) qi: Member,
    pub(super) oth: Member,
    pub(super) k: Member,
    /// Whether a member occurs twice. Of two values the one with content is kept. So a private half is seen whatever
    /// stands beside it.
    pub(super) is_repeated: bool,
}

impl Members {
    fn member(&mut self, name: &str) -> Option<&mut Member> {
        Some(match name {
            "kty" => &mut self.kty,
            "use" => &mut self.purpose,
            "key_ops" => &mut self.key_ops,
            "alg" => &mut self.alg,
            "kid" => &mut self.kid,
            "crv" => &mut self.crv,
            "x" => &mut self.x,
            "y" => &mut self.y,
            "n" => &mut self.n,
            "e" => &mut self.e,
            "d" => &mut self.d,
            "p" => &mut self.p,
            "q" => &mut self.q,
            "dp" => &mut self.dp,
            "dq" => &mut self.dq,
            "qi" => &mut self.qi,
            "oth" => &mut self.oth,
            "k" => &mut self.k,
            _ => return None,
        })
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JWK")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        let mut seen = Vec::new();
        while let Some(name) = map.next_key::<&RawValue>()? {
            let value: &RawValue = map.next_value()?;
            // A name that is no text is not ours.
            let name: String = serde_json::from_str(name.get()).unwrap_or_default();
            let Some(member) = members.member(&name) else {
                continue;
            };
            if !member.says_something() {
                // One value that cannot be read is odd, and the key is read all the same.
                *member = serde_json::from_str(value.get()).unwrap_or(Member::Odd);
            }
            if seen.contains(&name) {
                members.is_repeated = true;
            } else {
                seen.push(name);
            }
        }
        Ok(members)
    }
}

/// The value of one member.
#[derive(Default)]
pub(super) enum Member {
    /// Not there, or `null`, which is how some issuers write that it is not there.
    #[default]
    Absent,
    Text(String),
    /// An array; what is no text in it is an empty one here.
    List(Vec<String>),
    /// Anything else.
    Odd,
}

impl Member {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it says something: an empty text or list gives nothing away.
    pub(super) fn says_something(&self) -> bool {
        match self {
            Self::Absent | Self::Odd => false,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
        }
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MemberVisitor)
    }
}

struct MemberVisitor;

impl<'de> Visitor<'de> for MemberVisitor {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member of a JWK")
    }

    fn visit_unit<E>(self) -> Result<Member, E> {
        Ok(Member::Absent)
    }

    fn visit_str<E>(self, text: &str) -> Result<Member, E> {
        Ok(Member::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Member, E> {
        Ok(Member::Odd)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Member, E> {
        Ok(Member::Odd)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Member, E> {
        Ok(Member::Odd)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Member, E> {
        Ok(Member::Odd)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Member, A::Error> {
        /// Enough for every operation there is, and no more is kept.
        const MOST: usize = 64;
        let mut texts = Vec::new();
        while let Some(member) = list.next_element::<Member>()? {
            if texts.len() < MOST {
                texts.push(member.text().unwrap_or_default().to_owned());
            }
        }
        Ok(Member::List(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Member::Odd)
    }
}
