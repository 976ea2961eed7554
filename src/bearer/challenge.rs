//! The `WWW-Authenticate` header of a refusal (RFC 6750 section 3, RFC 9470 section 3) and the values in it.

use std::{fmt, str::FromStr, time::Duration};

use http::HeaderValue;

use crate::{authorization::is_scope_character, config::ConfigError, resource::MetadataUrl};

/// The protection space that a challenge names (RFC 9110 section 11.5).
///
/// It is parsed, so that no text can break out of the header it is written into.
///
/// ```
/// use tower_bearer::bearer::Realm;
///
/// let realm: Realm = "orders".parse()?;
/// assert_eq!(realm.as_str(), "orders");
/// assert!("a\r\nX: y".parse::<Realm>().is_err());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm(Box<str>);

/// One or more scopes (RFC 6749 section 3.3), separated by one space each.
///
/// ```
/// use tower_bearer::bearer::Scope;
///
/// let scope: Scope = "admin write".parse()?;
/// assert_eq!(scope.iter().collect::<Vec<_>>(), ["admin", "write"]);
/// assert!("".parse::<Scope>().is_err());
/// assert!("say \"please\"".parse::<Scope>().is_err());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Box<str>);

/// An authentication context class, as a token names it in `acr` (OpenID Connect Core 1.0 section 2).
///
/// ```
/// use tower_bearer::bearer::Acr;
///
/// let acr: Acr = "urn:example:aal2".parse()?;
/// assert_eq!(acr.as_str(), "urn:example:aal2");
/// assert!("two words".parse::<Acr>().is_err());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acr(Box<str>);

impl Acr {
    /// Returns the class as it is written into the challenge, without its quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Acr {
    type Err = ConfigError;

    /// # Errors
    ///
    /// Returns an error when the text is empty or longer than 255 bytes. Returns one too when it
    /// has a space, quote, backslash, control or non-ASCII character.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let fits = (1..=255).contains(&text.len());
        if !fits || !text.bytes().all(is_scope_character) {
            return Err(ConfigError::about(
                "acr_values",
                text,
                "must be 1 to 255 printable ASCII characters without spaces, quotes and backslashes",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl Realm {
    /// Returns the realm as it is written into the challenge, without its quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Realm {
    /// `api`.
    fn default() -> Self {
        Self("api".into())
    }
}

impl FromStr for Realm {
    type Err = ConfigError;

    /// # Errors
    ///
    /// Returns an error when the text is empty or longer than 255 bytes. Returns one too when it
    /// has a quote, backslash, control or non-ASCII character.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if text.is_empty()
            || text.len() > 255
            || !text.bytes().all(|b| b == b' ' || is_scope_character(b))
        {
            return Err(ConfigError::about(
                "realm",
                text,
                "must be 1 to 255 printable ASCII characters without quotes and backslashes",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl Scope {
    /// Returns the scopes, separated by one space each.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns an iterator over the scopes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ')
    }

    /// Tells whether `granted`, the value of a `scope` claim, has every one of these scopes. It
    /// compares whole words, byte by byte. More than one space between words does no harm.
    pub fn is_granted_by(&self, granted: &str) -> bool {
        self.iter()
            .all(|wanted| granted.split(' ').any(|scope| scope == wanted))
    }
}

impl FromStr for Scope {
    type Err = ConfigError;

    /// # Errors
    ///
    /// Returns an error when there is no scope, or more than one space between two. Returns one too
    /// for a character that a scope cannot have: quotes, backslashes, controls and non-ASCII.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let valid = |scope: &str| !scope.is_empty() && scope.bytes().all(is_scope_character);
        if !text.split(' ').all(valid) {
            return Err(ConfigError::about(
                "scope",
                text,
                "must be one or more words of printable ASCII characters without quotes and \
                 backslashes, separated by one space each",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The error codes of RFC 6750 section 3.1.
#[derive(Clone, Copy, Debug)]
pub(super) enum ErrorCode {
    InsufficientScope,
    InvalidRequest,
    InvalidToken,
}

impl ErrorCode {
    fn as_str(self) -> &'static str {
        match self {
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
        }
    }
}

/// The parts of a challenge.
#[derive(Clone, Debug, Default)]
pub(super) struct Challenge {
    pub(super) realm: Realm,
    pub(super) scope: Option<Scope>,
    pub(super) resource_metadata: Option<MetadataUrl>,
}

impl Challenge {
    /// The header's value. Each attribute occurs at most once.
    pub(super) fn render(&self, error: Option<ErrorCode>) -> HeaderValue {
        let mut text = format!("Bearer realm=\"{}\"", self.realm.as_str());
        let mut attribute = |name: &str, value: &str| {
            for part in [", ", name, "=\"", value, "\""] {
                text.push_str(part);
            }
        };
        if let Some(error) = error {
            attribute("error", error.as_str());
        }
        if let Some(scope) = &self.scope {
            attribute("scope", scope.as_str());
        }
        if let Some(url) = &self.resource_metadata {
            attribute("resource_metadata", url.as_str());
        }
        header(text)
    }
}

/// Returns the header value of RFC 9470 section 3. It consists of `base`, the challenge to a
/// request without a token, and the requirements that the authentication lacks.
pub(super) fn step_up(base: &HeaderValue, max_age: Duration, acr_values: &[Acr]) -> HeaderValue {
    let base = base.to_str().unwrap_or("Bearer realm=\"api\"");
    let max_age = max_age.as_secs();
    let mut text = format!(
        "{base}, error=\"insufficient_user_authentication\", \
         error_description=\"the user has to authenticate again\", max_age=\"{max_age}\""
    );
    if !acr_values.is_empty() {
        let values: Vec<_> = acr_values.iter().map(Acr::as_str).collect();
        text += &format!(", acr_values=\"{}\"", values.join(" "));
    }
    header(text)
}

/// Every part was parsed, so this cannot fail; a bare scheme is a challenge all the same.
fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_once_and_in_order() {
        let challenge = Challenge {
            realm: "r".parse().unwrap(),
            scope: Some("a b".parse().unwrap()),
            resource_metadata: Some("https://api.example/m".parse().unwrap()),
        };
        assert_eq!(
            challenge.render(Some(ErrorCode::InvalidToken)),
            "Bearer realm=\"r\", error=\"invalid_token\", \
             scope=\"a b\", \
             resource_metadata=\"https://api.example/m\""
        );
        assert_eq!(Challenge::default().render(None), "Bearer realm=\"api\"");
    }

    #[test]
    fn step_up_requirements_follow_the_attributes_of_every_challenge() {
        let base = HeaderValue::from_static("Bearer realm=\"r\", scope=\"a\"");
        let error = "error=\"insufficient_user_authentication\", \
                     error_description=\"the user has to authenticate again\"";
        let (second, values) = (Duration::from_millis(1_900), ["urn:a".parse().unwrap()]);
        assert_eq!(
            step_up(&base, second, &[]),
            format!("Bearer realm=\"r\", scope=\"a\", {error}, max_age=\"1\"")
        );
        let two = [&values[..], &["b".parse().unwrap()]].concat();
        assert_eq!(
            step_up(&base, second, &two),
            format!(
                "Bearer realm=\"r\", scope=\"a\", {error}, max_age=\"1\", acr_values=\"urn:a b\""
            )
        );
        for bad in [
            "",
            "a b",
            "a\"b",
            "a\\b",
            "a\r\nX: y",
            "caf\u{e9}",
            &"x".repeat(256),
        ] {
            assert_eq!(bad.parse::<Acr>().unwrap_err().setting(), "acr_values");
        }
    }

    #[test]
    fn nothing_breaks_out_of_the_header() {
        for bad in ["", "a\"b", "a\\b", "a\r\nX: y", "caf\u{e9}", "a\tb", "\0"] {
            assert!(bad.parse::<Realm>().is_err(), "{bad:?}");
            assert!(bad.parse::<Scope>().is_err(), "{bad:?}");
        }
        assert!("a  b".parse::<Scope>().is_err());
        assert!("x".repeat(256).parse::<Realm>().is_err());
    }

    #[test]
    fn scopes_are_whole_words() {
        let admin: Scope = "admin".parse().unwrap();
        assert!(admin.is_granted_by("read  admin"));
        assert!(!admin.is_granted_by("administrator readadmin Admin"));
        assert!(!admin.is_granted_by(""));
    }
}
