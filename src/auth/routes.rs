//! The guarded routes for axum (feature `axum`).

use axum::{
    body::Body,
    routing::{MethodRouter, Router},
};

use super::{AuthGuards, parts::Auth};
use crate::{
    config::ConfigError, csrf::CsrfFormLayer, endpoints::service::SessionEndpoints,
    rejection::ProblemJson,
};

/// The routes that work by cookie: the session endpoints, and the application's own, such as its sign-in.
/// [`Auth::routes`] makes it, and [`Router::merge`] takes it.
///
/// The guards wrap all its routes when it becomes a [`Router`]. So they also guard a route that was added late. A
/// route or a fallback that is added to that [`Router`] lies outside. Paths are below
/// [`mount`](super::AuthBuilder::mount), or whole ones with [`everywhere`](super::AuthBuilder::everywhere).
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthRoutes<S = ()> {
    router: Router<S>,
    guards: AuthGuards,
    /// The guards that accept forms without a script.
    form: Option<AuthGuards<CsrfFormLayer<ProblemJson>>>,
    endpoints: SessionEndpoints<Body>,
    mount: Mount,
}

/// Where the routes lie.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    /// The path of the session endpoints, as this service sees it.
    pub(super) path: String,
    /// The guards stand around the whole application.
    pub(super) everywhere: bool,
}

impl<C> Auth<C> {
    /// Returns the routes that work by cookie, for [`Router::merge`].
    ///
    /// ```
    /// use axum::{Router, routing::post};
    /// use tower_bearer::{Auth, KeyRing, MemoryStore, Session};
    ///
    /// async fn login(session: Session) -> axum::response::Result<tower_bearer::AccessToken> {
    ///     // The password was checked here.
    ///     Ok(session.start("user-1").await?)
    /// }
    ///
    /// let auth = Auth::builder(&KeyRing::generate()?)
    ///     .issuer("https://id.example")
    ///     .audience("api")
    ///     .store(MemoryStore::new())
    ///     .same_origin()
    ///     .build()?;
    /// let app: Router = Router::new()
    ///     .merge(auth.routes().route("/login", post(login)))
    ///     .layer(auth.headers());
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn routes<S>(&self) -> AuthRoutes<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        AuthRoutes {
            router: Router::new(),
            guards: self.guards(),
            form: None,
            endpoints: self.endpoints(),
            mount: self.0.mount.clone(),
        }
    }
}

impl<S> AuthRoutes<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Adds a route of the application's, as [`Router::route`] does. It is guarded.
    ///
    /// The path is below the mount: a page calls `/login` at `/auth/login`. With `/auth/login`
    /// here, that address answers 404. With [`everywhere`](super::AuthBuilder::everywhere) it is
    /// the whole path.
    ///
    /// A handler that needs an access token as well has the layer on its own:
    /// `.route("/password", post(change_password).layer(auth.bearer()))`.
    ///
    /// # Panics
    ///
    /// As [`Router::route`], when the path is malformed, or another route of the application's has it. One that a
    /// session endpoint has, such as `POST /refresh`, panics where the routes become a [`Router`].
    pub fn route(self, path: &str, method_router: MethodRouter<S>) -> Self {
        self.map(|router| router.route(path, method_router))
    }

    /// Accepts the CSRF token from the field `name` of HTML forms too: see
    /// [`AuthGuards::form_field`]. [The chapter on rendered pages](crate::manual::rendered_pages)
    /// has such an application.
    ///
    /// # Errors
    ///
    /// As [`CsrfLayer::form_field`](crate::CsrfLayer::form_field).
    pub fn form_field(self, name: impl Into<String>) -> Result<Self, ConfigError> {
        let form = Some(self.guards.clone().form_field(name)?);
        Ok(Self { form, ..self })
    }

    /// Changes the present routes as a [`Router`]: to merge others, to give them their state, or to
    /// add layers. Such layers stand inside the guards.
    ///
    /// ```
    /// use axum::{extract::DefaultBodyLimit, routing::post};
    ///
    /// # fn routes(auth: tower_bearer::Auth) -> tower_bearer::auth::AuthRoutes {
    /// auth.routes()
    ///     .route("/login", post(|| async { "your own" }))
    ///     .map(|router| router.layer(DefaultBodyLimit::max(4096)))
    /// # }
    /// ```
    pub fn map<T>(self, change: impl FnOnce(Router<S>) -> Router<T>) -> AuthRoutes<T> {
        let Self {
            router,
            guards,
            form,
            endpoints,
            mount,
        } = self;
        AuthRoutes {
            router: change(router),
            guards,
            form,
            endpoints,
            mount,
        }
    }
}

impl<S> From<AuthRoutes<S>> for Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn from(routes: AuthRoutes<S>) -> Self {
        let AuthRoutes {
            router,
            guards,
            form,
            endpoints,
            mount: Mount { path, everywhere },
        } = routes;
        let below = |inner: Self| match path.as_str() {
            // axum nests nothing at the root.
            "/" => inner,
            path => Self::new().nest(path, inner),
        };
        let endpoints = Self::from(endpoints);
        let all = router.merge(match everywhere {
            true => below(endpoints),
            false => endpoints,
        });
        let guarded = match form {
            Some(guards) => all.layer(guards),
            None => all.layer(guards),
        };
        match everywhere {
            true => guarded,
            false => below(guarded),
        }
    }
}
