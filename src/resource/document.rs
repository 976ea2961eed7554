//! The document, checked and written once.

use std::{fmt, sync::Arc};

use serde::Serialize;
use serde_json::{Map, Value};

use super::url::{MetadataUrl, check};
use crate::{authorization::is_scope_character, config::ConfigError};

/// The members that the builder writes itself.
const OWN: [&str; 6] = [
    "authorization_servers",
    "bearer_methods_supported",
    "resource",
    "resource_documentation",
    "resource_name",
    "scopes_supported",
];

/// The protected-resource metadata of one resource (RFC 9728 section 2), and the layer that serves it.
///
/// As a [`tower::Layer`](tower_layer::Layer) it answers at exactly the path of [`url`](Self::url), and passes all
/// else through. The [module documentation](super) says where it stands.
///
/// | request at that path | answer |
/// |---|---|
/// | `GET`, `HEAD` | 200 with the document as `application/json`, which caches keep for five minutes |
/// | `OPTIONS` | 204, with consent to every header: browsers ask before they send `MCP-Protocol-Version` |
/// | another method | 405 with `Allow` |
///
/// All carry `Access-Control-Allow-Origin: *`: the document is public. Clones share it.
///
/// ```
/// use tower_bearer::resource::ResourceMetadata;
///
/// let document = ResourceMetadata::builder("https://api.example")
///     .authorization_server("https://id.example")
///     .name("Orders")
///     .build()?;
/// assert_eq!(document.url().as_str(), "https://api.example/.well-known/oauth-protected-resource");
/// assert!(document.json().contains(r#""authorization_servers":["https://id.example"]"#));
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct ResourceMetadata(Arc<Document>);

struct Document {
    resource: String,
    url: MetadataUrl,
    json: String,
}

impl ResourceMetadata {
    /// Starts the document about `resource`: the URL by which clients call it, up to the path that all calls share.
    ///
    /// Clients compare it letter by letter with the URL they use. It is also the natural audience of the tokens.
    pub fn builder(resource: impl Into<String>) -> ResourceMetadataBuilder {
        ResourceMetadataBuilder {
            resource: resource.into(),
            authorization_servers: Vec::new(),
            scopes: Vec::new(),
            name: None,
            documentation: None,
            members: Vec::new(),
        }
    }

    /// Returns the resource as it was given.
    pub fn resource(&self) -> &str {
        &self.0.resource
    }

    /// Returns the address of the document, for
    /// [`BearerAuthLayer::resource_metadata`](crate::BearerAuthLayer::resource_metadata).
    pub fn url(&self) -> MetadataUrl {
        self.0.url.clone()
    }

    /// Returns the path at which this service has to answer with the document.
    ///
    /// ```
    /// use tower_bearer::resource::ResourceMetadata;
    ///
    /// let document = ResourceMetadata::builder("https://api.example/notes/mcp")
    ///     .authorization_server("https://id.example")
    ///     .build()?;
    /// assert_eq!(document.path(), "/.well-known/oauth-protected-resource/notes/mcp");
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn path(&self) -> &str {
        self.0.url.path()
    }

    /// Returns the document as it is sent.
    pub fn json(&self) -> &str {
        &self.0.json
    }

    pub(super) fn is_asked_by(&self, uri: &http::Uri) -> bool {
        self.0.url.is_asked_by(uri)
    }
}

impl fmt::Debug for ResourceMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Document {
            resource,
            url,
            json: _,
        } = &*self.0;
        f.debug_struct("ResourceMetadata")
            .field("resource", resource)
            .field("url", &url.as_str())
            .finish_non_exhaustive()
    }
}

/// Builds a [`ResourceMetadata`]; made by [`ResourceMetadata::builder`]. Setters take anything;
/// [`build`](Self::build) judges.
///
/// ```
/// use tower_bearer::resource::ResourceMetadata;
///
/// let error = ResourceMetadata::builder("https://api.example/#mcp").build().unwrap_err();
/// assert_eq!(error.setting(), "resource");
/// ```
#[derive(Debug)]
#[must_use]
pub struct ResourceMetadataBuilder {
    resource: String,
    authorization_servers: Vec<String>,
    scopes: Vec<String>,
    name: Option<String>,
    documentation: Option<String>,
    /// A value that cannot be written as JSON is none.
    members: Vec<(String, Option<Value>)>,
}

impl ResourceMetadataBuilder {
    /// Adds an authorization server, by its issuer identifier: the `iss` of its tokens (RFC 8414 section 2).
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// Adds scopes that a client may ask for (`scopes_supported`).
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Sets the name that a client shows to its user (`resource_name`).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the URL of a page for developers (`resource_documentation`).
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.documentation = Some(url.into());
        self
    }

    /// Adds a further member, such as `resource_policy_uri` or `resource_name#fr`, as it is. Null is left out.
    pub fn member(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.members
            .push((name.into(), serde_json::to_value(value).ok()));
        self
    }

    /// Judges everything and writes the document.
    ///
    /// # Errors
    ///
    /// When a URL is not `https` (or `http` to this machine). When a URL has a fragment, or a query where there must
    /// not be one. When there is no authorization server, or a scope has characters that a scope cannot have. When a
    /// further member is one that the builder writes.
    pub fn build(self) -> Result<ResourceMetadata, ConfigError> {
        let json = self.document()?.to_string();
        Ok(ResourceMetadata(Arc::new(Document {
            url: MetadataUrl::of(&self.resource)?,
            resource: self.resource,
            json,
        })))
    }

    fn document(&self) -> Result<Value, ConfigError> {
        check("resource", &self.resource, true)?;
        for server in &self.authorization_servers {
            check("authorization_server", server, false)?;
        }
        if self.authorization_servers.is_empty() {
            return Err(ConfigError::new(
                "authorization_server",
                "must be given at least once: it is where a client goes for a token",
            ));
        }
        let valid = |scope: &&String| !scope.is_empty() && scope.bytes().all(is_scope_character);
        if let Some(scope) = self.scopes.iter().find(|scope| !valid(scope)) {
            return Err(ConfigError::about(
                "scopes",
                scope,
                "must be one word of printable ASCII characters without quotes and backslashes",
            ));
        }
        if let Some(url) = &self.documentation {
            check("documentation", url, true)?;
        }
        let mut document = Map::new();
        for (name, value) in &self.members {
            let problem = match value {
                _ if OWN.contains(&name.as_str()) => "is written by the builder itself",
                None => "cannot be written as JSON",
                Some(Value::Null) => continue,
                Some(value) => match document.insert(name.clone(), value.clone()) {
                    None => continue,
                    Some(_) => "is given twice",
                },
            };
            return Err(ConfigError::about("member", name, problem));
        }
        let mut own = |name: &str, value: Value| document.insert(name.to_owned(), value);
        own("resource", self.resource.as_str().into());
        own(
            "authorization_servers",
            self.authorization_servers.clone().into(),
        );
        own("bearer_methods_supported", vec!["header"].into());
        if !self.scopes.is_empty() {
            own("scopes_supported", self.scopes.clone().into());
        }
        if let Some(name) = &self.name {
            own("resource_name", name.as_str().into());
        }
        if let Some(url) = &self.documentation {
            own("resource_documentation", url.as_str().into());
        }
        Ok(Value::Object(document))
    }
}
