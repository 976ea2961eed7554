//! The metadata of an issuer (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2). Three of its members
//! count.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::keys::SignatureAlgorithm;

/// The metadata of an issuer, as far as they were read; returned by
/// [`RemoteIssuer::metadata`](super::RemoteIssuer::metadata).
///
/// ```
/// use tower_bearer::jwks::RemoteIssuer;
///
/// let issuer = RemoteIssuer::discover("http://127.0.0.1:3001")?;
/// match issuer.metadata() {
///     Some(metadata) => println!("keys at {}, {:?}", metadata.jwks_uri(), metadata.algorithms()),
///     None => println!("no metadata yet"),
/// }
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct IssuerMetadata {
    issuer: String,
    jwks_uri: String,
    algorithms: Vec<String>,
}

impl IssuerMetadata {
    /// Returns the issuer, which is the one that was configured.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the URL of its JWK Set.
    pub fn jwks_uri(&self) -> &str {
        &self.jwks_uri
    }

    /// Returns the names of the algorithms in `id_token_signing_alg_values_supported`, as they stand there; none where
    /// the member is absent.
    ///
    /// They say what an issuer signs ID tokens with. Which algorithms are accepted is decided by its keys, and by
    /// [`TokenCodecBuilder::algorithms`](crate::token::TokenCodecBuilder::algorithms).
    pub fn algorithms(&self) -> &[String] {
        &self.algorithms
    }

    /// The one algorithm of RSA that is named, if it is one.
    pub(super) fn rsa(&self) -> Option<SignatureAlgorithm> {
        let known = self.algorithms.iter().filter_map(|name| name.parse().ok());
        let mut rsa = known.filter(|alg: &SignatureAlgorithm| alg.is_rsa());
        let first = rsa.next()?;
        rsa.all(|other| other == first).then_some(first)
    }

    /// Reads the document. The error says what is wrong with it.
    pub(super) fn read(json: &[u8]) -> Result<Self, String> {
        // As with a JWK Set: a byte-order mark is skipped. A bad byte harms only the value that it is in.
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let text = String::from_utf8_lossy(json);
        let document: Document<'_> =
            serde_json::from_str(&text).map_err(|_| "are no JSON object".to_owned())?;
        Ok(Self {
            issuer: document.issuer.text("issuer")?,
            jwks_uri: document.jwks_uri.text("jwks_uri")?,
            algorithms: document.algorithms.texts(),
        })
    }
}

impl fmt::Debug for IssuerMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            issuer,
            jwks_uri: _, // Its query may hold what is not for logs.
            algorithms,
        } = self;
        f.debug_struct("IssuerMetadata")
            .field("issuer", issuer)
            .field("algorithms", algorithms)
            .finish_non_exhaustive()
    }
}

/// The members that count. All others are skipped, at any depth.
#[derive(Default)]
struct Document<'a> {
    issuer: Member<'a>,
    jwks_uri: Member<'a>,
    algorithms: Member<'a>,
}

#[derive(Default)]
enum Member<'a> {
    #[default]
    Absent,
    Once(&'a RawValue),
    Twice,
}

impl<'a> Member<'a> {
    fn add(&mut self, value: &'a RawValue) {
        *self = match self {
            Self::Absent => Self::Once(value),
            Self::Once(_) | Self::Twice => Self::Twice,
        };
    }

    fn text(&self, name: &str) -> Result<String, String> {
        match self {
            Self::Absent => Err(format!("have no `{name}`")),
            Self::Once(value) => serde_json::from_str(value.get())
                .map_err(|_| format!("have a member `{name}` that is no text")),
            // Other readers may take the other one.
            Self::Twice => Err(format!("have `{name}` twice")),
        }
    }

    /// The texts of an array. An odd element is passed over, and an odd member has none.
    fn texts(&self) -> Vec<String> {
        let Self::Once(value) = self else {
            return Vec::new();
        };
        let elements: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
        let texts = elements.iter();
        texts
            .filter_map(|element| serde_json::from_str(element.get()).ok())
            .collect()
    }
}

impl<'de> Deserialize<'de> for Document<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Document<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut document = Document::default();
                while let Some((name, value)) = map.next_entry::<Cow<'_, str>, &RawValue>()? {
                    match &*name {
                        "issuer" => document.issuer.add(value),
                        "jwks_uri" => document.jwks_uri.add(value),
                        "id_token_signing_alg_values_supported" => document.algorithms.add(value),
                        _ => {}
                    }
                }
                Ok(document)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = r#""issuer":"https://id.example""#;
    const KEYS: &str = r#""jwks_uri":"https://id.example/jwks""#;

    fn read(members: &str) -> Result<IssuerMetadata, String> {
        IssuerMetadata::read(format!("{{{ISSUER},{KEYS},{members}}}").as_bytes())
    }

    #[test]
    fn issuer_and_address_have_to_be_there_once() {
        for (text, problem) in [
            ("", "no JSON object"),
            ("null", "no JSON object"),
            ("[]", "no JSON object"),
            (
                r#"["https://id.example","https://id.example/jwks"]"#,
                "no JSON object",
            ),
            ("\"x\"", "no JSON object"),
            ("<!doctype html>", "no JSON object"),
            ("{}", "no `issuer`"),
            (
                r#"{"issuer":null,"jwks_uri":"a"}"#,
                "`issuer` that is no text",
            ),
            (
                r#"{"issuer":["a"],"jwks_uri":"a"}"#,
                "`issuer` that is no text",
            ),
            (
                r#"{"issuer":"a","issuer":"a","jwks_uri":"a"}"#,
                "`issuer` twice",
            ),
            (
                r#"{"issuer":"a","\u0069ssuer":"b","jwks_uri":"a"}"#,
                "`issuer` twice",
            ),
            (r#"{"issuer":"a"}"#, "no `jwks_uri`"),
            (
                r#"{"issuer":"a","jwks_uri":7}"#,
                "`jwks_uri` that is no text",
            ),
            (
                r#"{"issuer":"a","jwks_uri":"a","jwks_uri":"a"}"#,
                "`jwks_uri` twice",
            ),
            (r#"{"issuer":"a","jwks_uri":"a"} x"#, "no JSON object"),
            (r#"{"issuer":"a","jwks_uri":"a""#, "no JSON object"),
        ] {
            let error = IssuerMetadata::read(text.as_bytes()).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn an_odd_member_never_matters() {
        let deep = format!(r#""x":{}{}"#, "[".repeat(60_000), "]".repeat(60_000));
        for members in [
            r#""x":null"#,
            r#""x":1e999"#,
            r#""x":1,"x":2"#,
            &deep,
            r#""id_token_signing_alg_values_supported":null"#,
            r#""id_token_signing_alg_values_supported":{"RS256":true}"#,
            r#""id_token_signing_alg_values_supported":[],"id_token_signing_alg_values_supported":["PS256"]"#,
        ] {
            let read = read(members).unwrap_or_else(|error| panic!("{members:.80}: {error}"));
            assert_eq!((read.algorithms().len(), read.rsa()), (0, None));
            assert_eq!(read.issuer(), "https://id.example");
            assert_eq!(read.jwks_uri(), "https://id.example/jwks");
        }
        let marked = format!("\u{feff}{{{ISSUER},{KEYS}}}");
        assert!(IssuerMetadata::read(marked.as_bytes()).is_ok());
    }

    #[test]
    fn one_algorithm_of_rsa_or_none() {
        for (algorithms, rsa) in [
            (r#"["RS256"]"#, Some(SignatureAlgorithm::Rs256)),
            (
                r#"["PS384","ES256","none","HS256","RS1"]"#,
                Some(SignatureAlgorithm::Ps384),
            ),
            (
                r#"[null,7,["RS256"],"PS256","PS256"]"#,
                Some(SignatureAlgorithm::Ps256),
            ),
            (r#"["RS256","PS256"]"#, None),
            (r#"["ES256"]"#, None),
        ] {
            let members = format!(r#""id_token_signing_alg_values_supported":{algorithms}"#);
            assert_eq!(read(&members).unwrap().rsa(), rsa, "{algorithms}");
        }
    }
}
