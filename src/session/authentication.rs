//! When and how the user of a session authenticated. A record keeps the claims `auth_time`, `amr` and `acr` of OpenID
//! Connect Core 1.0 section 2.

use crate::{authorization::is_scope_character, clock::Timestamp};

/// The longest context class, in bytes.
pub(super) const LONGEST_ACR: usize = 64;
const MOST_METHODS: usize = 8;
const LONGEST_METHOD: usize = 32;
/// All methods of one session, with a space between two.
pub(super) const LONGEST_AMR: usize = MOST_METHODS * (LONGEST_METHOD + 1) - 1;

/// An authentication that has taken place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authentication {
    pub(crate) at: Timestamp,
    pub(crate) methods: Methods,
}

/// How a user authenticated, as far as the application says. Bounded, and of characters that a header may have.
///
/// Most applications say nothing, and pay one word for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Methods(Option<Box<Named>>);

/// The words of the application; an empty text says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Named {
    /// With a space between two.
    amr: Box<str>,
    acr: Box<str>,
}

impl Methods {
    /// The same with these authentication methods. `None` where they are too many, or one is not a short word.
    pub(crate) fn with_amr<'a>(self, methods: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut amr = String::new();
        for (number, method) in methods.into_iter().enumerate() {
            if number == MOST_METHODS || !is_word(method, LONGEST_METHOD) {
                return None;
            }
            if number > 0 {
                amr.push(' ');
            }
            amr.push_str(method);
        }
        let amr = amr.into_boxed_str();
        Some(self.change(|named| named.amr = amr))
    }

    /// The same with this authentication context class. `None` where it is not a word of up to 64 bytes.
    pub(crate) fn with_acr(self, acr: &str) -> Option<Self> {
        let acr = is_word(acr, LONGEST_ACR).then(|| acr.into())?;
        Some(self.change(|named| named.acr = acr))
    }

    /// There is one form of each value: an empty value is not kept.
    fn change(self, change: impl FnOnce(&mut Named)) -> Self {
        let mut named = self.0.unwrap_or_default();
        change(&mut named);
        Self(Some(named).filter(|named| **named != Named::default()))
    }

    pub(crate) fn amr(&self) -> impl Iterator<Item = &str> {
        // Of an empty text `split` makes one empty word.
        self.amr_text()
            .split(' ')
            .filter(|method| !method.is_empty())
    }

    pub(crate) fn acr(&self) -> Option<&str> {
        let acr = self.0.as_ref().map(|named| &*named.acr);
        acr.filter(|acr| !acr.is_empty())
    }

    /// The methods as a record has them.
    pub(super) fn amr_text(&self) -> &str {
        self.0.as_ref().map_or("", |named| &named.amr)
    }
}

/// Whether `text` may stand in a list whose words are separated by spaces, in a quoted part of a header.
fn is_word(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(is_scope_character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_to_eight_methods_of_up_to_32_bytes_are_kept_in_their_order() {
        let long = "m".repeat(32);
        let most = [long.as_str(); 8];
        let methods = Methods::default().with_amr(most).unwrap();
        assert!(methods.amr().eq(most));
        assert_eq!(methods.amr_text().len(), LONGEST_AMR);
        let two = methods.clone().with_amr(["pwd", "otp"]).unwrap();
        assert_eq!(two.amr_text(), "pwd otp");
        assert!(two.amr().eq(["pwd", "otp"]));
        assert_eq!(two.with_amr([]), Some(Methods::default()));
        assert!(Methods::default().with_amr([&*long; 9]).is_none());
        for bad in ["", "a b", "a\"", "a\\", "é", "\n", &"m".repeat(33)] {
            assert!(Methods::default().with_amr([bad]).is_none(), "{bad:?}");
            assert!(
                Methods::default().with_amr(["pwd", bad]).is_none(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_context_class_is_one_word_of_up_to_64_bytes() {
        let none = Methods::default();
        assert_eq!(none.acr(), None);
        for acr in ["phr", "urn:mace:incommon:iap:silver", &"a".repeat(64)] {
            let methods = none.clone().with_acr(acr).unwrap();
            assert_eq!(methods.acr(), Some(acr));
        }
        for bad in ["", "a b", "a\"", "a\r\nX: y", "é", &"a".repeat(65)] {
            assert!(none.clone().with_acr(bad).is_none(), "{bad:?}");
        }
    }
}
