//! `CsrfFormLayer`.

use std::{fmt, sync::Arc};

use tower_layer::Layer;

use super::service::CsrfForm;
use crate::{config::ConfigError, csrf::layer::CsrfLayer, rejection::DefaultRejection};

/// A [`CsrfLayer`] that also looks for the token in a field of an HTML form.
/// [`CsrfLayer::form_field`] makes it.
///
/// Whether a request needs a token is decided as without it. A header that is there decides alone, valid or not.
/// Where a token is needed and there is no such header:
///
/// 1. The cookie is checked, so that the body of a request that fails anyway is never read.
/// 2. The request must be a form: one `Content-Type` of `application/x-www-form-urlencoded`, and no
///    `Content-Encoding`, as nothing is decompressed here. Any other body submits no token, and is not read either. A
///    multipart form sends the header, or its handler checks the field
///    ([`CsrfBuilder::handler_verifies`](crate::csrf::CsrfBuilder::handler_verifies)).
/// 3. The body is read up to [`body_limit`](Self::body_limit). The field must be in it exactly once,
///    raw or masked, as in the header.
///
/// The layer rejects a longer form with 413, and everything else with 403. A body that ends in an error submits no
/// token. The error is not passed on, since the inner service must not see an unchecked request. That also holds for
/// the limit of a layer further out. So keep this layer's limit the lower of the two.
///
/// The inner service gets the form in a body of the same type, made of the same bytes. So the type is one that bytes
/// make, such as axum's `Body` or `Full<Bytes>`. While the form is read, the inner service is kept ready, a permit of
/// a concurrency limit included. The server's time-outs limit how long a client may take for its form, as with every
/// other body.
///
/// # Example
///
/// ```
/// use axum::{Form, Router, response::Html, routing::get};
/// use serde::Deserialize;
/// use tower_bearer::{CsrfLayer, CsrfToken, KeyRing, csrf::CsrfSession, rejection::Rejection};
///
/// #[derive(Deserialize)]
/// struct Note {
///     text: String,
/// }
///
/// async fn page(csrf: CsrfToken) -> Result<Html<String>, Rejection> {
///     let token = csrf.masked()?;
///     Ok(Html(format!(
///         r#"<form method="post">
///              <input type="hidden" name="csrf_token" value="{token}">
///              <input name="text"><button>Save</button>
///            </form>"#
///     )))
/// }
///
/// async fn save(Form(note): Form<Note>) -> String {
///     format!("saved {}", note.text)
/// }
///
/// let keys = KeyRing::generate()?;
/// let csrf = CsrfLayer::builder(&keys).session(|_| CsrfSession::ANONYMOUS)
///     .build()?
///     .form_field("csrf_token")?
///     .body_limit(16 * 1024);
/// let app: Router = Router::new().route("/notes", get(page).post(save)).layer(csrf);
/// # let _ = app;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct CsrfFormLayer<R = DefaultRejection> {
    pub(super) csrf: CsrfLayer<R>,
    pub(super) settings: Arc<Settings>,
}

/// The settings for forms.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The name of the field.
    pub(super) name: String,
    /// The longest body that is read, in bytes.
    pub(super) limit: usize,
}

/// Enough for typed forms, and small enough to be held in memory for each of them.
const LIMIT: usize = 64 * 1024;

impl<R> CsrfLayer<R> {
    /// Accepts the token from the field `name` of an HTML form too, for pages that work without a script. The layer
    /// then reads bodies, so it is another one, with settings of its own: see [`CsrfFormLayer`].
    ///
    /// # Errors
    ///
    /// Returns an error when the name is empty or has other than visible ASCII characters. It may not have `"` and
    /// `\` either: browsers write those in several ways. Returns one too when the handler is to check:
    /// [`handler_verifies`](crate::csrf::CsrfBuilder::handler_verifies).
    pub fn form_field(self, name: impl Into<String>) -> Result<CsrfFormLayer<R>, ConfigError> {
        let name = name.into();
        let plain = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(ConfigError::about(
                "form_field",
                name,
                "must be visible ASCII characters other than \" and \\, one at least, such as \
                 csrf_token",
            ));
        }
        if self.config.handler_verifies {
            return Err(ConfigError::new(
                "form_field",
                "does not go together with handler_verifies: either the layer reads the form or \
                 the handler does",
            ));
        }
        Ok(CsrfFormLayer {
            csrf: self,
            settings: Arc::new(Settings { name, limit: LIMIT }),
        })
    }
}

impl<R> CsrfFormLayer<R> {
    /// Sets the longest form that is read, in bytes; a longer one is rejected with 413. Default: 64 KiB, which is
    /// enough for typed text. Every request with a valid cookie can make the server hold that much, twice for a
    /// moment. So limit the number of requests too if you raise it.
    ///
    /// It binds forms that are read here only. A request with the token in its header may be of any
    /// length.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        Arc::make_mut(&mut self.settings).limit = bytes;
        self
    }
}

impl<S, R: Clone> Layer<S> for CsrfFormLayer<R> {
    type Service = CsrfForm<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        CsrfForm::new(inner, self.clone())
    }
}

impl<R: fmt::Debug> fmt::Debug for CsrfFormLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { csrf, settings } = self;
        f.debug_struct("CsrfFormLayer")
            .field("csrf", csrf)
            .field("settings", settings)
            .finish()
    }
}
