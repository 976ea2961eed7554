//! `CsrfFormLayer`.

use std::{fmt, sync::Arc};

use http::request::Parts;
use tower_layer::Layer;

use super::{encoding::Encoding, service::CsrfForm};
use crate::{
    binding::CsrfBinding,
    config::ConfigError,
    csrf::{layer::CsrfLayer, token::Token},
    rejection::{CsrfReason, DefaultRejection},
};

/// A [`CsrfLayer`] that also looks for the token in a field of an HTML form.
/// [`CsrfLayer::form_field`] makes it.
///
/// Whether a request needs a token is decided as without it, and a header that is there decides
/// alone, good or bad. Where a token is needed and there is no such header:
///
/// 1. The cookie is checked, so that the body of a request that fails anyway is never read.
/// 2. The request must be a form: one `Content-Type` of `application/x-www-form-urlencoded` (or
///    `multipart/form-data`, see `multipart`), and no `Content-Encoding`, as nothing is
///    decompressed here. Everything else submits no token, and is not read either.
/// 3. The body is read up to [`body_limit`](Self::body_limit). The field must be in it exactly once,
///    raw or masked, as in the header.
///
/// A longer form is refused with 413, everything else with 403. A body that ends in an error submits
/// no token: the error is not handed on, since the inner service must not see a request that was
/// not checked. That also holds for the limit of a layer further out, so this one's is better the
/// lower of the two.
///
/// The inner service gets the request with a [`FormBody`](crate::FormBody), which gives the same
/// bytes and trailers as the original. While the form is read it is kept ready, a permit of a
/// concurrency limit included. How long a client may take for its form is for the server's time-outs
/// to say, as with every other body.
///
/// Uploads are better sent by a script, with the token in the header: what is read here is held in
/// memory until the handler has taken it.
///
/// # Example
///
/// ```
/// use axum::{Form, Router, response::Html, routing::get};
/// use serde::Deserialize;
/// use tower_bearer::{CsrfBinding, CsrfLayer, CsrfToken, KeyRing, Rejection};
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
/// let csrf = CsrfLayer::builder(&keys).binding(|_| CsrfBinding::ANONYMOUS)
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

/// What is set for forms.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The name of the field.
    pub(super) name: String,
    /// The longest body that is read, in bytes.
    pub(super) limit: usize,
    /// Whether `multipart/form-data` is read.
    pub(super) multipart: bool,
}

/// Enough for the forms that people type into, and little enough to be held for each of them.
const LIMIT: usize = 64 * 1024;

/// Where the token of a request is that needs one.
pub(super) enum Place {
    /// It was in the header, and is good.
    Header(Token),
    /// A form of this encoding may carry a copy of the cookie's token, which is good.
    Form(Token, Encoding),
}

impl<R> CsrfFormLayer<R> {
    pub(in crate::csrf) fn new(csrf: CsrfLayer<R>, name: String) -> Result<Self, ConfigError> {
        let plain = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(ConfigError::new(
                "form_field",
                "must be visible ASCII characters other than \" and \\, one at least, such as \
                 csrf_token",
            ));
        }
        let settings = Settings {
            name,
            limit: LIMIT,
            multipart: false,
        };
        Ok(Self {
            csrf,
            settings: Arc::new(settings),
        })
    }

    /// The longest form that is read, in bytes; one more is refused with 413. Default: 64 KiB,
    /// which is enough for what people type. Every request that has a good cookie can make the
    /// server hold that much, twice for a moment, so a higher limit wants a bound on the number of
    /// requests.
    ///
    /// It binds forms that are read here only. A request with the token in its header may be of any
    /// length.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        Arc::make_mut(&mut self.settings).limit = bytes;
        self
    }

    /// Also reads `multipart/form-data`, within the same limit and up to 1000 parts; a form with
    /// more is refused with 413. The field must be one part of that name, and not a file. Default:
    /// such a request needs the header.
    ///
    /// ```
    /// use tower_bearer::{CsrfBinding, CsrfLayer, KeyRing};
    ///
    /// let csrf = CsrfLayer::builder(&KeyRing::generate()?).binding(|_| CsrfBinding::ANONYMOUS)
    ///     .build()?
    ///     .form_field("csrf_token")?
    ///     // Room for the one picture that the form takes.
    ///     .body_limit(512 * 1024)
    ///     .multipart();
    /// # let _ = csrf;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    #[cfg(feature = "multipart")]
    #[cfg_attr(docsrs, doc(cfg(feature = "multipart")))]
    pub fn multipart(mut self) -> Self {
        Arc::make_mut(&mut self.settings).multipart = true;
        self
    }

    /// Checks everything about a request that needs a token except its body.
    pub(super) fn place(&self, parts: &Parts, binding: &CsrfBinding) -> Result<Place, CsrfReason> {
        let (policy, headers) = (&self.csrf.policy, &parts.headers);
        // A header that went wrong is not made good elsewhere.
        if headers.contains_key(&policy.header) {
            return policy.check(headers, binding).map(Place::Header);
        }
        let token = policy.authentic(policy.cookie(headers)?, binding)?;
        let encoding = Encoding::of(headers, self.settings.multipart);
        let encoding = encoding.ok_or(CsrfReason::TokenMissing)?;
        Ok(Place::Form(token, encoding))
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
