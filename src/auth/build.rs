//! From the settings to the layers: the checks that only make sense together, and the assembly.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::{
    AuthBuilder, AuthGuards, AuthHeaders,
    builder::{Change, Origins, Settings},
    cors::Cors,
    parts::{Auth, Parts},
};
use crate::{
    bearer::layer::BearerAuthLayer,
    config::ConfigError,
    origin::layer::OriginGuardLayer,
    refresh::{RefreshCookieBuilder, layer::RefreshCookieLayer},
    token::TokenCodecBuilder,
};

impl<C> AuthBuilder<C>
where
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// Builds the layers.
    ///
    /// # Errors
    ///
    /// Names the setting that is missing, cannot be used, or contradicts the others. Lists
    /// everything that the key ring lacks at once.
    pub fn build(self) -> Result<Auth<C>, ConfigError> {
        let Self { settings, claims } = self;
        let Settings {
            tokens,
            store,
            origins,
            origin_guard,
            mount,
            external_prefix,
            everywhere,
            insecure,
            sessions: change_sessions,
            mut csrf,
            change_csrf,
            endpoints,
            security,
            refusals,
            events,
            #[cfg(feature = "cors")]
            cors,
        } = settings;
        let lacking = lacking(&tokens, store.is_none(), origins.is_none());
        let (Some(store), Some(origins), []) = (store, origins, &*lacking) else {
            return Err(missing(&lacking));
        };
        check_mount(&mount)?;
        if !insecure {
            check_origins(&origins)?;
        }
        tokens.require_for_sessions()?;
        let codec = tokens.build()?.with_claims::<C>();

        let mut sessions = RefreshCookieLayer::builder(codec.clone(), store, claims);
        sessions = match everywhere {
            false => sessions.cookie_path(&mount),
            // Neither a cookie without `Secure` nor one below a prefix can have the name `__Host-`.
            true if insecure || !external_prefix.is_empty() => sessions.cookie_path("/"),
            true => sessions.host_prefix(),
        };
        sessions = sessions
            .external_prefix(&external_prefix)
            .events(events.clone());
        csrf = csrf.events(events.clone());
        if insecure {
            sessions = sessions.dangerous_insecure_cookie();
            csrf = csrf.dangerous_insecure_cookie();
        }
        let sessions = changed(sessions, change_sessions)?;
        let sessions = sessions.build();
        let sessions = sessions.map_err(|error| error.renamed("cookie_path", "mount"))?;
        csrf = change_csrf(csrf);

        #[cfg(feature = "cors")]
        let cors = match &origins {
            _ if !cors => Cors::default(),
            Origins::Listed(list) => Cors::new(list.clone(), csrf.header()),
            Origins::Own => {
                return Err(ConfigError::new(
                    "cors",
                    "needs `.origins([...])`: pages of other origins are accepted by name",
                ));
            }
        };
        #[cfg(not(feature = "cors"))]
        let cors = Cors;

        let guard = match origins {
            Origins::Listed(list) => OriginGuardLayer::new(list)?,
            Origins::Own => OriginGuardLayer::same_origin(),
        };
        let guard = guard.problem_json().events(events.clone());
        let refusals = refusals.events(events.clone());
        let guards = AuthGuards {
            refusals: refusals.clone(),
            origins: origin_guard(guard),
            sessions: sessions.clone(),
            csrf: csrf.build()?.problem_json(),
        };
        guards.check_names()?;
        let base = match (external_prefix.as_str(), mount.as_str()) {
            (prefix, "/") if !prefix.is_empty() => external_prefix,
            (prefix, mount) => [prefix, mount].concat(),
        };
        let endpoints = endpoints.base(base);
        let bearer = BearerAuthLayer::new(codec.clone()).problem_json();
        Ok(Auth(Arc::new(Parts {
            codec,
            sessions,
            guards,
            bearer: bearer.events(events),
            endpoints: endpoints.map_err(|error| error.renamed("base", "mount"))?,
            headers: AuthHeaders {
                cors,
                security,
                refusals,
            },
            #[cfg(feature = "axum")]
            mount: super::routes::Mount {
                path: mount,
                everywhere,
            },
        })))
    }
}

/// A setting without a default that was left out, and the call that gives it.
type Lacking = (&'static str, &'static str);

fn lacking(tokens: &TokenCodecBuilder, store: bool, origins: bool) -> Vec<Lacking> {
    let (issuer, audience) = tokens.lacks_names();
    let settings = [
        (
            issuer,
            (
                "issuer",
                ".issuer(\"https://id.example\") names this service in tokens",
            ),
        ),
        (
            audience,
            (
                "audience",
                ".audience(\"api\") names the services that tokens are for",
            ),
        ),
        (
            store,
            (
                "store",
                ".store(MemoryStore::new()) keeps the sessions of one process",
            ),
        ),
        (
            origins,
            (
                "origins",
                ".origins([...]) lists those of your pages, .same_origin() is for pages of this service",
            ),
        ),
    ];
    let lacking = settings.into_iter().filter(|(lacks, _)| *lacks);
    lacking.map(|(_, setting)| setting).collect()
}

/// One error for all of them, so that one start shows all.
fn missing(lacking: &[Lacking]) -> ConfigError {
    let (names, cures): (Vec<_>, Vec<_>) = lacking.iter().copied().unzip();
    let problem = format!("not set: {}", cures.join("; "));
    ConfigError::missing(names.join(", "), problem)
}

/// Lets the application change how sessions live, though not where their cookie goes.
fn changed(
    sessions: RefreshCookieBuilder,
    change: Change<RefreshCookieBuilder>,
) -> Result<RefreshCookieBuilder, ConfigError> {
    let place = sessions.place();
    let sessions = change(sessions);
    let error = |problem| Err(ConfigError::new("sessions", problem));
    if sessions.place() != place {
        return error(
            "must not move the cookie: endpoints and guards follow it. Use mount, everywhere, external_prefix and \
             dangerous_insecure_cookies of Auth, which move all of them",
        );
    }
    if sessions.is_in_bodies() {
        return error(
            "cannot have RefreshTransport::Body: Auth guards a cookie. Give clients without a cookie jar a \
             RefreshCookieLayer and SessionEndpoints of their own beside it",
        );
    }
    Ok(sessions)
}

impl AuthGuards {
    /// Two cookies of one name would replace each other.
    fn check_names(&self) -> Result<(), ConfigError> {
        let name = self.csrf.cookie_name();
        let cookies = &self.sessions.config.cookies;
        let problem = if name == cookies.cookie.name() {
            "is that of the refresh cookie and of the CSRF cookie: give one of them another name"
        } else if cookies.jar.as_ref().is_some_and(|jar| name == jar.name()) {
            "is that of the jar cookie and of the CSRF cookie: give one of them another name. The jar cookie has \
             the refresh cookie's name with _jar behind it"
        } else {
            return Ok(());
        };
        Err(ConfigError::about("cookie_name", name, problem))
    }
}

/// A page on plain http looks right and is never signed in: no browser keeps its cookies.
fn check_origins(origins: &Origins) -> Result<(), ConfigError> {
    let Origins::Listed(list) = origins else {
        return Ok(());
    };
    match list.iter().find(|origin| origin.is_plain_http()) {
        None => Ok(()),
        Some(origin) => Err(ConfigError::about(
            "origins",
            origin.as_str(),
            "is plain http, for which browsers keep no Secure cookie: write https, or call \
             `.dangerous_insecure_cookies()` in development",
        )),
    }
}

/// A router reads more in a path than a cookie does, and would panic or match something else. It is refused
/// together with what a cookie cannot have.
fn check_mount(mount: &str) -> Result<(), ConfigError> {
    let mut segments = mount.split('/').skip(1);
    let plain = |segment: &str| !segment.starts_with([':', '*']) && !segment.contains(['{', '}']);
    match segments.all(plain) {
        true => Ok(()),
        false => Err(ConfigError::about(
            "mount",
            mount,
            "must be a fixed path: routers read segments with : or * in front, or with braces, as variables",
        )),
    }
}
