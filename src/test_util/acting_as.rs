//! `acting_as`: requests with the claims that a test wants.

use std::{fmt, marker::PhantomData, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tower_layer::Layer;

use super::{
    acting_service::ActingAs,
    claims::{Wanted, members_of},
};
use crate::{
    clock::{Clock, SystemClock, Timestamp},
    token::{Claims, NoClaims, TokenContext},
};

/// Makes requests of `subject`, with the application's own claims, in a test (feature `test-util`).
///
/// The answer is a layer that stands in place of [`BearerAuthLayer`](crate::BearerAuthLayer). It asks for no token, and
/// each request carries these claims. All layers and extractors of this crate take them for verified ones. For one
/// request, its [`context`](ActingAsLayer::context) is an extension.
///
/// ```
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use tower::ServiceExt;
/// use tower_bearer::{Claims, NoClaims, RequireScopeLayer, test_util::acting_as};
///
/// /// The routes of the application, to which it adds its bearer layer elsewhere.
/// fn api() -> Router {
///     let orders = |claims: Claims<NoClaims>| async move { format!("orders of {}", claims.subject()) };
///     let layer = RequireScopeLayer::new("orders:read".parse().unwrap());
///     Router::new().route("/orders", get(orders)).route_layer(layer)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ann = acting_as("ann", NoClaims {}).scope("orders:read");
/// let request = || Request::get("/orders").body(Body::empty());
/// assert_eq!(api().layer(ann.clone()).oneshot(request()?).await?.status(), 200);
/// assert_eq!(api().layer(ann.scope("profile")).oneshot(request()?).await?.status(), 403);
///
/// // One request, without a layer.
/// let bob = acting_as("bob", NoClaims {}).scope("orders:read");
/// let request = Request::get("/orders").extension(bob.context()).body(Body::empty())?;
/// assert_eq!(api().oneshot(request).await?.status(), 200);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// When `custom` is no JSON object.
pub fn acting_as<C: Serialize>(subject: &str, custom: C) -> ActingAsLayer<C> {
    ActingAsLayer::from_claims(subject, &custom)
}

/// The claims of a test's requests: [`acting_as`] makes them, and the methods add more.
///
/// Claims are verified as of the system's time, unless [`at`](Self::at) gives another, when they are taken out. They
/// last 15 minutes, as tokens do by default.
#[must_use]
pub struct ActingAsLayer<C = NoClaims> {
    wanted: Wanted,
    /// How long ago the user authenticated.
    authenticated: Option<Duration>,
    at: Option<Timestamp>,
    claims: PhantomData<fn() -> C>,
}

impl<C> ActingAsLayer<C> {
    /// Makes the same of claims in another form than `C`. Use it for a type that an application only reads, such as the
    /// claims of an issuer elsewhere.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use tower_bearer::{Claims, test_util::ActingAsLayer};
    ///
    /// #[derive(Deserialize)]
    /// struct Theirs {
    ///     permissions: Vec<String>,
    /// }
    ///
    /// let json = serde_json::json!({ "permissions": ["orders:read"] });
    /// let claims: Claims<Theirs> = ActingAsLayer::from_claims("auth0|7", &json).claims();
    /// assert_eq!(claims.custom().permissions, ["orders:read"]);
    /// ```
    ///
    /// # Panics
    ///
    /// When `claims` are no JSON object.
    pub fn from_claims(subject: &str, claims: &impl Serialize) -> Self {
        Self {
            wanted: Wanted {
                subject: subject.to_owned(),
                issuer: "https://issuer.test".to_owned(),
                audience: "test".to_owned(),
                session: None,
                members: members_of(claims),
            },
            authenticated: None,
            at: None,
            claims: PhantomData,
        }
    }

    /// Sets `scope`: the scopes, with a space between two. It takes the place of a claim of that name.
    pub fn scope(self, scopes: &str) -> Self {
        self.claim("scope", scopes)
    }

    /// Sets when the user authenticated (`auth_time`): so long before the claims are verified. Without it the claims do
    /// not say it, and [`RequireRecentAuth`](crate::RequireRecentAuth) refuses them.
    pub fn authenticated(mut self, ago: Duration) -> Self {
        self.authenticated = Some(ago);
        self
    }

    /// Sets `sid`: the session that the token would be of.
    pub fn session(mut self, session: &str) -> Self {
        self.wanted.session = Some(session.to_owned());
        self
    }

    /// Sets `iss`. Default: `https://issuer.test`.
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.wanted.issuer = issuer.to_owned();
        self
    }

    /// Sets `aud`. Default: `test`.
    pub fn audience(mut self, audience: &str) -> Self {
        self.wanted.audience = audience.to_owned();
        self
    }

    /// Sets one more claim, such as `acr` or `amr`. It takes the place of one of that name.
    ///
    /// # Panics
    ///
    /// When `value` cannot be written as JSON.
    pub fn claim(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or_else(|error| {
            panic!("the claim {name} for a test cannot be written as JSON: {error}")
        });
        self.wanted.members.insert(name.to_owned(), value);
        self
    }

    /// Sets the time at which the claims are verified, for an application with a clock of its own:
    /// `.at(clock.now())`. Default: the system's time.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.at = Some(now);
        self
    }
}

impl<C: DeserializeOwned> ActingAsLayer<C> {
    /// Returns the claims, for a handler that takes them.
    ///
    /// # Panics
    ///
    /// When no token can have these claims. The subject is empty, or one has the name of a claim that only the codec
    /// writes. Or they do not fit `C`. Also in a build without debug assertions.
    #[must_use]
    pub fn claims(&self) -> Claims<C> {
        let now = self.at.unwrap_or_else(|| SystemClock.now());
        let mut wanted = self.wanted.clone();
        if let Some(ago) = self.authenticated {
            let auth_time = (now - ago).as_secs();
            wanted.members.insert("auth_time".into(), auth_time.into());
        }
        wanted.verified(now)
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> ActingAsLayer<C> {
    /// Returns the claims as the bearer layer puts them into the extensions of a request. Use them with
    /// `Request::builder().extension(..)`, in place of a layer.
    ///
    /// # Panics
    ///
    /// As [`claims`](Self::claims).
    #[must_use]
    pub fn context(&self) -> TokenContext {
        self.claims().context()
    }
}

/// Makes a service that adds the claims to each request.
///
/// # Panics
///
/// As [`claims`](ActingAsLayer::claims). The service panics as [`ActingAs`] says.
impl<S, C: DeserializeOwned + Send + Sync + 'static> Layer<S> for ActingAsLayer<C> {
    type Service = ActingAs<S>;

    fn layer(&self, inner: S) -> ActingAs<S> {
        ActingAs::new(inner, self.context())
    }
}

// By hand, because a derive would ask for `C: Clone`.
impl<C> Clone for ActingAsLayer<C> {
    fn clone(&self) -> Self {
        Self {
            wanted: self.wanted.clone(),
            ..*self
        }
    }
}

impl<C> fmt::Debug for ActingAsLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            wanted: _,
            authenticated,
            at,
            claims: _,
        } = self;
        f.debug_struct("ActingAsLayer")
            .field("authenticated", authenticated)
            .field("at", at)
            .finish_non_exhaustive()
    }
}
