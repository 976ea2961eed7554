//! The URLs of RFC 9728: of a resource, of an authorization server, and of the document itself.

use std::str::FromStr;

use http::Uri;

use crate::{authorization::is_scope_character, config::ConfigError, host::is_loopback};

/// The part that is inserted between the host and the path of a resource (RFC 9728 section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The address of the protected-resource metadata, as a challenge names it (RFC 9728 section 5.1).
///
/// [`ResourceMetadata::url`](super::ResourceMetadata::url) returns that of a document of this service's. One that is
/// served elsewhere is parsed:
///
/// ```
/// use tower_bearer::resource::MetadataUrl;
///
/// let url = "https://api.example/.well-known/oauth-protected-resource";
/// assert_eq!(url.parse::<MetadataUrl>()?.as_str(), url);
/// assert!("http://api.internal/".parse::<MetadataUrl>().is_err()); // plain http is for this machine
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MetadataUrl {
    text: Box<str>,
    uri: Uri,
    /// Whether the document is this service's own, which has to answer with it.
    own: bool,
}

impl PartialEq for MetadataUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for MetadataUrl {}

impl MetadataUrl {
    /// Returns the address as it is written into the challenge.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn path(&self) -> &str {
        self.uri.path()
    }

    /// That of the document about `resource`, which has been checked (RFC 9728 section 3.1).
    pub(super) fn of(resource: &str) -> Result<Self, ConfigError> {
        let host = resource.find("://").map_or(0, |at| at + "://".len());
        let behind = resource.get(host..).unwrap_or_default();
        let end = behind.find(['/', '?']).unwrap_or(behind.len());
        let (origin, rest) = resource.split_at(host + end);
        // A slash alone is no path of the resource's.
        let rest = match rest.strip_prefix('/') {
            Some(query) if query.is_empty() || query.starts_with('?') => query,
            _ => rest,
        };
        let url: Self = format!("{origin}{WELL_KNOWN}{rest}").parse()?;
        Ok(Self { own: true, ..url })
    }

    /// Whether a request for `uri` asks for the document that this service has to answer with.
    pub(crate) fn is_hidden_from(&self, uri: &Uri) -> bool {
        self.own && self.is_asked_by(uri)
    }

    /// Whether a request for `uri` asks for this document: its path, and its query where it has one.
    pub(super) fn is_asked_by(&self, uri: &Uri) -> bool {
        let query = self.uri.query();
        self.uri.path() == uri.path() && (query.is_none() || query == uri.query())
    }
}

impl FromStr for MetadataUrl {
    type Err = ConfigError;

    /// # Errors
    ///
    /// When the text is not an absolute `https` URL, or `http` to this machine. Also when it has a fragment, a user, a
    /// quote or a backslash. The rule is that of the [`resource`](super::ResourceMetadata::builder).
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            uri: check("resource_metadata", text, true)?,
            text: text.into(),
            own: false,
        })
    }
}

/// Refuses a text that is no https URL, or http to this machine. Refuses a query where there must not be one.
pub(super) fn check(setting: &'static str, text: &str, query: bool) -> Result<Uri, ConfigError> {
    let refuse = |problem| Err(ConfigError::about_url(setting, text, problem));
    let Some(uri) = absolute(text) else {
        return refuse("must be an absolute https URL without a fragment");
    };
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return refuse("must not hold a user or password: the document is public");
    }
    if uri.scheme_str() == Some("http") && !uri.host().is_some_and(is_loopback) {
        return refuse("must be https; plain http is for 127.0.0.1, [::1] and localhost");
    }
    if !query && text.contains('?') {
        return refuse("must not have a query (RFC 8414 section 2)");
    }
    Ok(uri)
}

fn absolute(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let web = matches!(uri.scheme_str(), Some("https" | "http"));
    let host = uri.host().is_some_and(|host| !host.is_empty());
    // The parser leaves a fragment out, and the character is no other's.
    (web && host && !text.contains('#') && text.bytes().all(is_scope_character)).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_stands_between_host_and_path() {
        for (resource, url) in [
            (
                "https://a.example",
                "https://a.example/.well-known/oauth-protected-resource",
            ),
            (
                "https://a.example/",
                "https://a.example/.well-known/oauth-protected-resource",
            ),
            (
                "https://a.example:8443/mcp",
                "https://a.example:8443/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://a.example/v1/mcp/",
                "https://a.example/.well-known/oauth-protected-resource/v1/mcp/",
            ),
            (
                "https://a.example?t=1",
                "https://a.example/.well-known/oauth-protected-resource?t=1",
            ),
            (
                "https://a.example/?t=/1",
                "https://a.example/.well-known/oauth-protected-resource?t=/1",
            ),
            (
                "http://[::1]:3000/mcp?t=1",
                "http://[::1]:3000/.well-known/oauth-protected-resource/mcp?t=1",
            ),
        ] {
            assert_eq!(
                MetadataUrl::of(resource).unwrap().as_str(),
                url,
                "{resource}"
            );
        }
    }

    #[test]
    fn a_request_is_for_it_by_its_path_and_its_query() {
        let asks = |resource, uri: &str| {
            let url = MetadataUrl::of(resource).unwrap();
            url.is_asked_by(&uri.parse().unwrap())
        };
        let path = "/.well-known/oauth-protected-resource";
        assert!(asks("https://a.example", path));
        assert!(asks("https://a.example", &format!("{path}?v=1")));
        assert!(asks(
            "https://a.example",
            &format!("https://other.example{path}")
        ));
        for other in ["", "/", "/mcp", "s"] {
            let uri = format!("{path}{other}");
            assert_eq!(asks("https://a.example", &uri), other.is_empty(), "{uri}");
        }
        assert!(asks("https://a.example?t=1", &format!("{path}?t=1")));
        for query in ["", "?", "?t=2", "?t=1&u=2"] {
            assert!(!asks("https://a.example?t=1", &format!("{path}{query}")));
        }
    }

    #[test]
    fn nothing_breaks_out_of_the_header() {
        for bad in ["", "a\"b", "a\\b", "a\r\nX: y", "caf\u{e9}", "a\tb", "\0"] {
            let url = format!("https://api.example/{bad}#");
            assert!(url.parse::<MetadataUrl>().is_err(), "{bad:?}");
            assert!(check("resource", &url, true).is_err(), "{bad:?}");
        }
        assert!("https://api.example/\"".parse::<MetadataUrl>().is_err());
    }
}
