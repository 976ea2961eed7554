//! `RequireHttpsLayer`.

use std::{fmt, sync::Arc};

use http::{HeaderName, Response};
use tower_layer::Layer;

use super::{
    config::Config,
    decision::Evidence,
    header_name,
    host::HttpsHost,
    proxy_header::{Member, ProxyHeader},
    service::RequireHttps,
};
use crate::{
    answer::Refusal,
    config::ConfigError,
    event::EventSink,
    rejection::{CustomRejection, DefaultRejection, ProblemJson, Rejection},
};

/// Refuses requests that came over plain http.
///
/// See the [module documentation](crate::headers) for the evidence that it accepts, its place, and an example. A
/// refusal is 403; behind a [`GrpcLayer`](crate::GrpcLayer) a gRPC client gets `PERMISSION_DENIED`. The [`Rejection`]
/// in the extensions of the response is of the kind
/// [`InsecureTransport`](crate::rejection::RejectionKind::InsecureTransport).
#[derive(Clone)]
#[must_use]
pub struct RequireHttpsLayer<R = DefaultRejection> {
    config: Arc<Config>,
    refusal: Refusal<R>,
}

impl RequireHttpsLayer {
    /// Believes the [`ConnectionScheme`](crate::headers::ConnectionScheme) that the server's own code put
    /// into the extensions of the request. Where there is none, the answer is 500 with a
    /// [`Rejection`] that names what is missing.
    pub fn connection() -> Self {
        Self::with(Evidence::Connection)
    }

    /// Believes a header that the proxy in front sets, such as `x-forwarded-proto`.
    ///
    /// Exactly one line with the one value `https` passes, in any case and with blanks around it. `wss` passes too,
    /// which some proxies write for WebSockets. No line, two of them, a list or another value is rejected. Then the
    /// proxy is missing or wrongly configured. For proxies that write another word see [`value`](Self::value); for
    /// those that append, [`last`](Self::last) and [`first`](Self::first).
    ///
    /// **The proxy must overwrite the header**, whatever the client sent, and must be the only way to
    /// this server. Otherwise clients write it themselves.
    ///
    /// ```
    /// use tower_bearer::RequireHttpsLayer;
    ///
    /// let layer = RequireHttpsLayer::behind_proxy("x-forwarded-proto")?;
    /// # let _ = layer;
    /// assert!(RequireHttpsLayer::behind_proxy("forwarded").is_err());
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error when it is no header name, or one that clients and browsers write. Examples are `Host`,
    /// `Origin` and `User-Agent`. Returns one too for a header that never holds a scheme, such as `X-Forwarded-For`.
    /// `Forwarded` (RFC 7239) is also an error. It is a list that every hop may add to, and is not parsed here. Have
    /// the proxy set a header with the scheme alone.
    pub fn behind_proxy(header: impl TryInto<HeaderName>) -> Result<Self, ConfigError> {
        let Ok(name) = header.try_into() else {
            return Err(ConfigError::new(
                "behind_proxy",
                "must be the name of a header, such as x-forwarded-proto",
            ));
        };
        header_name::check(&name)?;
        Ok(Self::with(Evidence::Header(ProxyHeader::new(name))))
    }

    fn with(evidence: Evidence) -> Self {
        Self {
            config: Arc::new(Config {
                evidence,
                redirect_to: None,
            }),
            refusal: Refusal::default(),
        }
    }
}

impl<R> RequireHttpsLayer<R> {
    /// Sets the sink for refusals, redirects among them.
    pub fn events(mut self, events: EventSink) -> Self {
        self.refusal.events = events;
        self
    }

    /// Takes the first member of the header of [`behind_proxy`](RequireHttpsLayer::behind_proxy). The header is a
    /// list then, in one line or several (RFC 9110 section 5.3).
    ///
    /// Use it for a chain of proxies in which each appends, and the outermost *overwrites* the client's value. The
    /// first member is then the scheme that the browser used. An outermost proxy that appends lets the client write
    /// that member. Take [`last`](Self::last) there.
    ///
    /// ```
    /// use tower_bearer::RequireHttpsLayer;
    ///
    /// let layer = RequireHttpsLayer::behind_proxy("x-forwarded-proto")?.first()?;
    /// # let _ = layer;
    /// assert!(RequireHttpsLayer::connection().first().is_err());
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// On a layer that [`connection`](RequireHttpsLayer::connection) made: it reads no header.
    pub fn first(mut self) -> Result<Self, ConfigError> {
        self.proxy_header("first")?.member = Member::First;
        Ok(self)
    }

    /// Takes the last member of the header of [`behind_proxy`](RequireHttpsLayer::behind_proxy). The header is a list
    /// then, in one line or several (RFC 9110 section 5.3).
    ///
    /// Use it for a proxy that *appends* to the client's value. The last member is the proxy's own word. No client
    /// can write it where that proxy is the only way in. In a chain it is the scheme that the nearest proxy's client
    /// used, which may be another proxy. Where it says plain http and a member further out does not, the request is
    /// rejected and never redirected. It would come back in the same way.
    ///
    /// ```
    /// use tower_bearer::RequireHttpsLayer;
    ///
    /// let layer = RequireHttpsLayer::behind_proxy("x-forwarded-proto")?.last()?;
    /// # let _ = layer;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// On a layer that [`connection`](RequireHttpsLayer::connection) made: it reads no header.
    pub fn last(mut self) -> Result<Self, ConfigError> {
        self.proxy_header("last")?.member = Member::Last;
        Ok(self)
    }

    /// Replaces the word that proves https in the header of
    /// [`behind_proxy`](RequireHttpsLayer::behind_proxy): `on` for `X-Forwarded-Ssl` and `Front-End-Https`.
    ///
    /// Exactly this word passes, in any case. `off`, `http` and `ws` say plain http, and everything else proves
    /// nothing. nginx's `$https` is `on` or empty, and nginx sends no header with an empty value. Plain requests are
    /// then rejected and never redirected.
    ///
    /// ```
    /// use tower_bearer::RequireHttpsLayer;
    ///
    /// let layer = RequireHttpsLayer::behind_proxy("x-forwarded-ssl")?.value("on")?;
    /// # let _ = layer;
    /// assert!(RequireHttpsLayer::behind_proxy("x-forwarded-ssl")?.value("off").is_err());
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the word is empty, has a comma or anything but visible ASCII, or says plain http. And on a
    /// layer that [`connection`](RequireHttpsLayer::connection) made: it reads no header.
    pub fn value(mut self, value: &str) -> Result<Self, ConfigError> {
        self.proxy_header("value")?.set_value(value)?;
        Ok(self)
    }

    fn proxy_header(&mut self, setting: &'static str) -> Result<&mut ProxyHeader, ConfigError> {
        match &mut Arc::make_mut(&mut self.config).evidence {
            Evidence::Header(header) => Ok(header),
            Evidence::Connection => Err(ConfigError::new(
                setting,
                "is for a layer that behind_proxy made: connection reads no header",
            )),
        }
    }

    /// Answers `GET` and `HEAD` requests that are known to have come over plain http, without credentials. The answer
    /// is 308 to the same path and query at this host. Everything else stays rejected.
    ///
    /// Credentials are an `Authorization`, and a cookie that may be this crate's. Such a cookie's name begins with
    /// `__Host-`, `__Http-` or `__Secure-`, or is `refresh_token` or `csrf`. Other cookies, such as those of an
    /// analysis of visits, come with every typed address and change nothing.
    ///
    /// A redirect loop in the browser shows that an inner proxy overwrites the header with its own scheme. An example
    /// is an nginx with `$scheme` behind an ALB. Only the proxy that ends TLS may write the header. The inner nginx
    /// passes it on:
    ///
    /// ```nginx
    /// proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;
    /// ```
    pub fn redirect_to(mut self, host: HttpsHost) -> Self {
        Arc::make_mut(&mut self.config).redirect_to = Some(host);
        self
    }

    /// Answers refused requests with `application/problem+json` (RFC 9457), for every body that can be made of
    /// [`Bytes`](bytes::Bytes): [`ProblemJson`]. With the feature `axum`, bodies of axum have it anyway.
    pub fn problem_json(self) -> RequireHttpsLayer<ProblemJson> {
        RequireHttpsLayer {
            config: self.config,
            refusal: self.refusal.with_responder(ProblemJson),
        }
    }

    /// Replaces the answer to refused requests, not that to redirected ones. The layer adds what the contract
    /// requires; see [`RejectionResponse`](crate::rejection::RejectionResponse).
    pub fn rejection_response<B>(
        self,
        response: impl Fn(&Rejection) -> Response<B> + Send + Sync + 'static,
    ) -> RequireHttpsLayer<CustomRejection<B>> {
        RequireHttpsLayer {
            config: self.config,
            refusal: self.refusal.with_responder(CustomRejection::new(response)),
        }
    }
}

impl<S, R: Clone> Layer<S> for RequireHttpsLayer<R> {
    type Service = RequireHttps<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireHttps::new(inner, self.config.clone(), self.refusal.clone())
    }
}

impl<R: fmt::Debug> fmt::Debug for RequireHttpsLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, refusal } = self;
        f.debug_struct("RequireHttpsLayer")
            .field("config", config)
            .field("refusal", refusal)
            .finish()
    }
}
