//! The types of token (`typ`) that a codec takes.

use std::borrow::Cow;

use super::{Setting, TokenError, TokenErrorKind, header::same_media_type};
use crate::{config::ConfigError, keys::ACCESS_TOKEN_TYPE};

const JWT: &str = "JWT";

/// The `typ` of a token's header (RFC 7515 section 4.1.9), for
/// [`TokenCodecBuilder::token_types`](super::TokenCodecBuilder::token_types). Compared in any case, and with or
/// without `application/`.
///
/// RFC 9068 gives access tokens a type of their own. So no other token that the same key signed passes for one (RFC
/// 8725 section 3.11). Many issuers write `JWT` or no type at all.
///
/// ```
/// use tower_bearer::{KeyRing, TokenCodec, token::TokenType};
///
/// let codec: TokenCodec = TokenCodec::signed(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .token_types([TokenType::AccessToken, TokenType::Jwt, TokenType::Named("x+jwt".into())])
///     .build()?;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenType {
    /// `at+jwt`: an access token (RFC 9068 section 2.1).
    AccessToken,
    /// `JWT`, which says nothing of the token's purpose. One with the claim `events` is refused: a logout
    /// token or a security event (RFC 8417 section 2.2).
    Jwt,
    /// No `typ`. One with the claim `events` is refused, as for [`Jwt`](Self::Jwt).
    Absent,
    /// Another media type. A type that is known to be for another purpose, `logout+jwt` for example, is a
    /// configuration error.
    Named(Cow<'static, str>),
}

/// Types of tokens that are no access tokens, whichever key signed them.
const OTHER_PURPOSES: [&str; 30] = [
    "authorization-grant+jwt",   // RFC 7523bis
    "client-authentication+jwt", // RFC 7523bis
    "dbsc+jwt",                  // Device Bound Session Credentials
    "dc+sd-jwt",                 // SD-JWT VC
    "dpop+jwt",                  // RFC 9449
    "eat+jwt",                   // RFC 9782
    "entity-statement+jwt",      // OpenID Federation, and the next three
    "explicit-registration-response+jwt",
    "jwk-set+jwt",
    "resolve-response+jwt",
    "kb+jwt",                       // RFC 9901
    "key-attestation+jwt",          // OpenID4VCI
    "logout+jwt",                   // OpenID Connect Back-Channel Logout
    "oauth-authz-req+jwt",          // RFC 9101
    "oauth-client-attestation+jwt", // Attestation-Based Client Authentication
    "oauth-client-attestation-pop+jwt",
    "oauth-id-jag+jwt",        // Identity Assertion Authorization Grant
    "openid4vci-proof+jwt",    // OpenID4VCI
    "passport",                // RFC 8225
    "secevent+jwt",            // RFC 8417
    "statuslist+jwt",          // Token Status List
    "token-introspection+jwt", // RFC 9701
    "trust-mark+jwt",          // OpenID Federation, and the next two
    "trust-mark-delegation+jwt",
    "trust-mark-status-response+jwt",
    "vc+jwt", // Securing Verifiable Credentials using JOSE and COSE
    "vc+sd-jwt",
    "verifier-attestation+jwt", // OpenID4VP
    "vnd.verifier-attestation+jwt",
    "vp+jwt",
];

impl TokenType {
    /// Returns the `typ` as it is minted; `None` for [`Absent`](Self::Absent).
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::AccessToken => Some(ACCESS_TOKEN_TYPE),
            Self::Jwt => Some(JWT),
            Self::Absent => None,
            Self::Named(name) => Some(name),
        }
    }

    /// Whether a header with this `typ` is of the type.
    fn is(&self, typ: Option<&str>) -> bool {
        match (self.as_str(), typ) {
            (None, None) => true,
            (Some(ours), Some(theirs)) => same_media_type(theirs, ours),
            _ => false,
        }
    }

    /// The same type under its own variant, however it was named.
    fn normalized(self) -> Self {
        let known = [Self::AccessToken, Self::Jwt];
        let same = known.into_iter().find(|known| known.is(self.as_str()));
        same.unwrap_or(self)
    }

    /// Whether it leaves open what the token is for.
    fn is_generic(&self) -> bool {
        matches!(self, Self::Jwt | Self::Absent)
    }
}

/// The types that a codec takes; the first is minted.
#[derive(Debug)]
pub(super) struct TokenTypes(Box<[TokenType]>);

impl TokenTypes {
    pub(super) fn new(types: Vec<TokenType>) -> Result<Self, ConfigError> {
        const SETTING: &str = "token_types";
        if types.is_empty() {
            return Err(ConfigError::new(SETTING, "must name at least one type"));
        }
        let types: Vec<_> = types.into_iter().map(TokenType::normalized).collect();
        for (at, one) in types.iter().enumerate() {
            let name = one.as_str();
            let shown = name.unwrap_or("no type");
            let refuse = |why| Err(ConfigError::about(SETTING, shown, why));
            if !name.is_none_or(is_name) {
                return refuse("must be a media type such as x+jwt");
            }
            if is_of_other_purpose(name) {
                return refuse(
                    "must not be accepted: such tokens are for another purpose than access",
                );
            }
            if types.iter().take(at).any(|earlier| earlier.is(name)) {
                return refuse("must be named once");
            }
        }
        Ok(Self(types.into()))
    }

    /// The `typ` that is minted.
    pub(super) fn minted(&self) -> Option<&str> {
        self.0.first().and_then(TokenType::as_str)
    }

    /// Whether the headers that keys prepared carry the type that is minted.
    pub(super) fn mints_prepared(&self) -> bool {
        self.0.first() == Some(&TokenType::AccessToken)
    }

    /// Whether the headers that keys prepared carry one of the types.
    #[inline]
    pub(super) fn takes_prepared(&self) -> bool {
        self.0.contains(&TokenType::AccessToken)
    }

    /// Judges the `typ` of the header that holds the claims.
    pub(super) fn judge(&self, typ: Option<&str>) -> Result<Purpose, TokenError> {
        match self.0.iter().find(|one| one.is(typ)) {
            Some(one) if one.is_generic() => Ok(Purpose::Open),
            Some(_) => Ok(Purpose::Typed),
            None => Err(self.refusal(typ)),
        }
    }

    #[cold]
    fn refusal(&self, typ: Option<&str>) -> TokenError {
        let error = |detail| TokenError::new(TokenErrorKind::HeaderParameter, detail);
        if is_of_other_purpose(typ) {
            return error("typ is that of a token for another purpose: no setting takes it");
        }
        let usual = *self.0 == [TokenType::AccessToken];
        let detail = if TokenType::Absent.is(typ) {
            match usual {
                true => {
                    "typ is missing: .token_types([TokenType::AccessToken, TokenType::Absent]) takes it"
                }
                false => {
                    "typ is missing: .token_types([...]) with TokenType::Absent in it takes it"
                }
            }
        } else if TokenType::Jwt.is(typ) {
            match usual {
                true => {
                    r#"typ is "JWT": .token_types([TokenType::AccessToken, TokenType::Jwt]) takes it"#
                }
                false => r#"typ is "JWT": .token_types([...]) with TokenType::Jwt in it takes it"#,
            }
        } else if TokenType::AccessToken.is(typ) {
            r#"typ is "at+jwt": .token_types([...]) with TokenType::AccessToken in it takes it"#
        } else {
            "typ is none of the accepted ones: .token_types([...]) with TokenType::Named(...) in it takes another"
        };
        TokenError::curable(TokenErrorKind::HeaderParameter, detail, Setting::TokenTypes)
    }
}

/// The purpose of a token, as far as its type says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is an access token.
    Typed,
    /// Nothing: its claims may say that it is something else.
    Open,
}

fn is_of_other_purpose(typ: Option<&str>) -> bool {
    typ.is_some_and(|typ| {
        OTHER_PURPOSES
            .iter()
            .any(|other| same_media_type(typ, other))
    })
}

/// Whether it can be the name of a media type, or one of an application's own.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.ends_with('/') && name.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(types: &[TokenType]) -> Result<TokenTypes, ConfigError> {
        TokenTypes::new(types.to_vec())
    }

    fn named(name: &str) -> TokenType {
        TokenType::Named(name.to_owned().into())
    }

    #[test]
    fn an_invalid_list_of_types_is_refused() {
        use TokenType::{Absent, AccessToken, Jwt};
        let lists: [&[TokenType]; 10] = [
            &[],
            &[Jwt, Jwt],
            &[Absent, Absent],
            &[AccessToken, named("AT+JWT")],
            &[named("x+jwt"), named("application/X+jwt")],
            &[named("")],
            &[named("application/")],
            &[named("a b")],
            &[named("\u{e9}")],
            &[named("x+jwt\n")],
        ];
        for list in lists {
            let error = types(list).unwrap_err();
            assert_eq!(error.setting(), "token_types", "{list:?}");
        }
        assert!(types(&[AccessToken, Jwt, Absent, named("urn:example:typ")]).is_ok());
    }

    #[test]
    fn a_type_of_another_purpose_is_neither_named_nor_taken() {
        let all = types(&[TokenType::AccessToken, TokenType::Jwt, TokenType::Absent]).unwrap();
        for name in OTHER_PURPOSES {
            for name in [
                name.to_owned(),
                name.to_uppercase(),
                format!("Application/{name}"),
            ] {
                let error = types(&[TokenType::AccessToken, named(&name)]).unwrap_err();
                assert!(error.to_string().contains("another purpose"), "{error}");
                let error = all.judge(Some(&name)).unwrap_err();
                assert_eq!(
                    (error.kind(), error.setting()),
                    (TokenErrorKind::HeaderParameter, None)
                );
            }
        }
    }

    #[test]
    fn a_type_is_known_by_any_of_its_names() {
        let list = types(&[named("Application/At+Jwt"), named("jwt"), named("x+jwt")]).unwrap();
        assert!(list.takes_prepared() && list.mints_prepared());
        for (typ, purpose) in [
            ("at+jwt", Purpose::Typed),
            ("application/JWT", Purpose::Open),
            ("X+JWT", Purpose::Typed),
        ] {
            assert_eq!(list.judge(Some(typ)).unwrap(), purpose, "{typ}");
        }
        for typ in [None, Some(""), Some("application/"), Some("y+jwt")] {
            assert_eq!(list.judge(typ).unwrap_err().setting(), Some("token_types"));
        }
    }
}
