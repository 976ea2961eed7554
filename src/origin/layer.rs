//! `OriginGuardLayer`.

use std::{fmt, sync::Arc};

use http::{HeaderMap, Method, Response, Uri};
use tower_layer::Layer;

use super::{
    config::{Config, MissingOrigin, Origins},
    origin::Origin,
    service::OriginGuard,
};
use crate::{
    answer::Refusal,
    config::ConfigError,
    event::EventSink,
    rejection::{CustomRejection, DefaultRejection, OriginReason, ProblemJson, Rejection},
};

/// Refuses state-changing requests that a page of a foreign origin (RFC 6454) sent.
///
/// See the [module documentation](super) for the rules and an example.
#[derive(Clone)]
#[must_use]
pub struct OriginGuardLayer<R = DefaultRejection> {
    config: Arc<Config>,
    refusal: Refusal<R>,
}

impl OriginGuardLayer {
    /// Accepts requests of these origins.
    ///
    /// ```
    /// use tower_bearer::OriginGuardLayer;
    ///
    /// let guard = OriginGuardLayer::new(["https://app.example".parse()?])?;
    /// # let _ = guard;
    /// assert!(OriginGuardLayer::new([]).is_err());
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the list is empty: it would refuse every browser.
    pub fn new(origins: impl IntoIterator<Item = Origin>) -> Result<Self, ConfigError> {
        let origins: Box<[Origin]> = origins.into_iter().collect();
        if origins.is_empty() {
            return Err(ConfigError::new(
                "origins",
                "must have one entry at least; to accept the server's own origin alone, use \
                 same_origin() in place of the list",
            ));
        }
        Ok(Self::with(Origins::Listed(origins)))
    }

    /// Accepts requests of the server's own pages, without a list.
    ///
    /// 1. `Sec-Fetch-Site: same-origin` passes without `Origin`, or with one that is written as
    ///    browsers write it. The browser compares the page with the address that *it* asks, so a
    ///    proxy may change `Host` and port.
    /// 2. `same-site` and `cross-site` are refused, even where `Origin` is on the host of the request. Such a request
    ///    comes from a page on plain `http`, or from a sibling.
    /// 3. Otherwise `Origin`, or else `Referer`, must be on the host that the request is sent to:
    ///    `:authority`, or `Host`. Where both are there they must agree. A request with repeated
    ///    `Host` lines has no host. This is for old browsers, for plain `http`, and for WebSockets:
    ///    Chromium opens them without `Sec-Fetch-Site`. It needs the proxy to pass `Host` on;
    ///    `X-Forwarded-Host` is never read.
    ///
    /// So it relies on the browser for the first two, and on `Host` for the third, which names no
    /// scheme. A list relies on neither: the [module documentation](super#a-list-or-the-own-origin)
    /// says which attackers that stops.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, Method, Uri};
    /// use tower_bearer::OriginGuardLayer;
    ///
    /// let guard = OriginGuardLayer::same_origin();
    /// let (method, uri) = (Method::POST, Uri::from_static("/transfer"));
    /// let mut headers = HeaderMap::new();
    /// headers.insert("host", HeaderValue::from_static("backend:3000"));
    /// headers.insert("origin", HeaderValue::from_static("https://app.example"));
    /// assert!(guard.check(&method, &uri, &headers).is_err());
    /// headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    /// assert!(guard.check(&method, &uri, &headers).is_ok());
    /// ```
    pub fn same_origin() -> Self {
        Self::with(Origins::Own)
    }

    fn with(origins: Origins) -> Self {
        Self {
            config: Arc::new(Config {
                origins,
                missing: MissingOrigin::default(),
                method_override: false,
                report_only: false,
            }),
            refusal: Refusal::default(),
        }
    }
}

impl<R> OriginGuardLayer<R> {
    /// Returns the verdict of this layer on the head of a request, for handshakes that are not served through tower.
    ///
    /// It is a pure function: no event is sent, and [`report_only`](Self::report_only) changes
    /// nothing about it. Nothing is allocated.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, Method, Uri};
    /// use tower_bearer::{OriginGuardLayer, rejection::OriginReason};
    ///
    /// let guard = OriginGuardLayer::new(["https://app.example".parse()?])?;
    /// let (method, uri) = (Method::POST, Uri::from_static("/transfer"));
    /// let mut headers = HeaderMap::new();
    /// headers.insert("origin", HeaderValue::from_static("https://app.example"));
    /// assert_eq!(guard.check(&method, &uri, &headers), Ok(()));
    /// headers.insert("origin", HeaderValue::from_static("https://evil.example"));
    /// assert_eq!(guard.check(&method, &uri, &headers), Err(OriginReason::UnlistedOrigin));
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Why the request is refused.
    pub fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), OriginReason> {
        self.config.check(method, uri, headers)
    }

    /// Sets the sink for refusals.
    pub fn events(mut self, events: EventSink) -> Self {
        self.refusal.events = events;
        self
    }

    /// Says that something further in replaces the method by `X-HTTP-Method-Override`,
    /// `X-HTTP-Method` or `X-Method-Override`. Safe methods with such a header are then guarded.
    pub fn method_override(self) -> Self {
        self.update(|config| config.method_override = true)
    }

    /// Sets the answer to a request that does not say where it comes from. Default:
    /// [`MissingOrigin::RefuseWithCredentials`].
    pub fn missing_origin(self, missing: MissingOrigin) -> Self {
        self.update(|config| config.missing = missing)
    }

    /// Answers refused requests with `application/problem+json` (RFC 9457), for every body that can be made of
    /// [`Bytes`](bytes::Bytes): [`ProblemJson`]. With the feature `axum`, bodies of axum have it anyway.
    pub fn problem_json(self) -> OriginGuardLayer<ProblemJson> {
        OriginGuardLayer {
            config: self.config,
            refusal: self.refusal.with_responder(ProblemJson),
        }
    }

    /// Replaces the answer to refused requests. The layer adds the headers that the contract requires. A status outside
    /// of 400 to 599, for example a redirect, becomes the rejection's own; see
    /// [`RejectionResponse`](crate::rejection::RejectionResponse).
    pub fn rejection_response<B>(
        self,
        response: impl Fn(&Rejection) -> Response<B> + Send + Sync + 'static,
    ) -> OriginGuardLayer<CustomRejection<B>> {
        OriginGuardLayer {
            config: self.config,
            refusal: self.refusal.with_responder(CustomRejection::new(response)),
        }
    }

    /// Lets every request through and sends [`Event::WouldReject`](crate::Event::WouldReject) for each that would have
    /// been refused, to the sink given to [`events`](Self::events). [`Rejection::foreign_origin`] names the origin that
    /// the list lacks.
    ///
    /// Use it to try a list on real traffic before you enforce it. The layer guards nothing until you remove this call.
    pub fn report_only(self) -> Self {
        self.update(|config| config.report_only = true)
    }

    fn update(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}

impl<S, R: Clone> Layer<S> for OriginGuardLayer<R> {
    type Service = OriginGuard<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        OriginGuard::new(inner, self.config.clone(), self.refusal.clone())
    }
}

impl<R: fmt::Debug> fmt::Debug for OriginGuardLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, refusal } = self;
        f.debug_struct("OriginGuardLayer")
            .field("config", config)
            .field("refusal", refusal)
            .finish()
    }
}
