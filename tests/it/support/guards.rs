//! Every layer that refuses, each with a request that it refuses, whatever its method and content type.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{Request, Response, StatusCode};
use tower::{Layer, util::BoxCloneSyncService};
use tower_bearer::{
    BearerAuthLayer, Claims, CsrfLayer, GrpcLayer, NoClaims, OriginGuardLayer, RequireClaimsLayer,
    RequireHttpsLayer, RequireRecentAuth, RequireScopeLayer, TokenContext, bearer::CheckError,
    headers::ConnectionScheme, rejection::Rejection,
};

use super::{
    csrf::{self, Fixtures},
    echo::Echo,
    tokens::{self, Scoped},
};

/// The services that a test sends to.
pub(crate) type Guarded = BoxCloneSyncService<Request<String>, Response<String>, Infallible>;

/// One situation in which a layer refuses.
pub(crate) struct Guard {
    pub(crate) name: &'static str,
    /// The status that the refusal has in HTTP, and the code that it has in gRPC.
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    /// Makes of any request one that is refused.
    pub(crate) provoke: Box<Provoke>,
    build: Box<Build>,
}

type Provoke = dyn Fn(&mut Request<String>) + Send + Sync;
type Build = dyn Fn(Option<Own>, Echo) -> Guarded + Send + Sync;

/// An answer of the application's own, which counts how often it is asked for.
#[derive(Clone)]
pub(crate) struct Own {
    pub(crate) status: StatusCode,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Own {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self {
            status,
            asked: Arc::default(),
        }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn answer(&self) -> impl Fn(&Rejection) -> Response<String> + Send + Sync + 'static {
        let own = self.clone();
        move |_| {
            own.asked.fetch_add(1, Ordering::SeqCst);
            let mut response = Response::new("own".to_owned());
            *response.status_mut() = own.status;
            response
        }
    }
}

impl Guard {
    /// The layer around `inner`, with or without an answer of the application's own.
    pub(crate) fn around(&self, own: Option<&Own>, inner: &Echo) -> Guarded {
        (self.build)(own.cloned(), inner.clone())
    }

    /// The same with [`GrpcLayer`] outside.
    pub(crate) fn grpc_around(&self, own: Option<&Own>, inner: &Echo) -> Guarded {
        BoxCloneSyncService::new(GrpcLayer::new().layer(self.around(own, inner)))
    }
}

/// A guard whose layer is made anew for each service, since an own answer changes its type.
macro_rules! guard {
    ($name:expr, $status:expr, $code:expr, $layer:expr, $provoke:expr $(,)?) => {
        Guard {
            name: $name,
            status: $status,
            code: $code,
            provoke: Box::new($provoke),
            build: Box::new(move |own, inner| match own {
                None => BoxCloneSyncService::new($layer.layer(inner)),
                Some(own) => {
                    let layer = $layer.rejection_response(own.answer());
                    BoxCloneSyncService::new(layer.layer(inner))
                }
            }),
        }
    };
}

/// All of them. The guards that let safe methods through are told of a header that replaces the method.
pub(crate) fn all() -> Vec<Guard> {
    let bearer = || BearerAuthLayer::<NoClaims>::new(tokens::codec());
    let origin = || OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap();
    let scope = || RequireScopeLayer::new("admin".parse().unwrap());
    let claims =
        || RequireClaimsLayer::new(|claims: &Claims<Scoped>| claims.custom().scope == "admin");
    let good = format!("Bearer {}", tokens::token());
    let context: TokenContext = tokens::verified("read")
        .extensions()
        .get()
        .cloned()
        .unwrap();
    let recent = || RequireRecentAuth::max_age(std::time::Duration::from_secs(300));
    let (reads, undated) = (context.clone(), context.clone());
    vec![
        guard!("bearer, missing", 401, "16", bearer(), |_| {}),
        guard!("bearer, malformed", 400, "3", bearer(), |request| {
            insert(request, "authorization", "Bearer a b");
        }),
        guard!("bearer, invalid", 401, "16", bearer(), |request| {
            insert(request, "authorization", "Bearer junk");
        }),
        guard!(
            "bearer, unavailable",
            503,
            "14",
            bearer().check(|_| Err(CheckError::Unavailable)),
            move |request| insert(request, "authorization", &good),
        ),
        guard!("claims, not accepted", 403, "7", claims(), move |request| {
            request.extensions_mut().insert(reads.clone());
        }),
        guard!("claims, no bearer layer", 500, "13", claims(), |_| {}),
        guard!("recent, not said", 401, "16", recent(), move |request| {
            request.extensions_mut().insert(undated.clone());
        }),
        guard!("recent, no bearer layer", 500, "13", recent(), |_| {}),
        guard!("scope, lacking", 403, "7", scope(), move |request| {
            request.extensions_mut().insert(context.clone());
        }),
        guard!("scope, no bearer layer", 500, "13", scope(), |_| {}),
        guard!(
            "origin",
            403,
            "7",
            origin().method_override(),
            |request: &mut Request<String>| {
                insert(request, "origin", "https://evil.example");
                insert(request, "x-http-method", "DELETE");
            }
        ),
        guard!("csrf", 403, "7", csrf(), |request| {
            insert(request, "x-http-method", "DELETE");
        }),
        csrf_form(),
        guard!(
            "https, plain",
            403,
            "7",
            RequireHttpsLayer::connection(),
            |request: &mut Request<String>| {
                request.extensions_mut().insert(ConnectionScheme::Http);
            }
        ),
        guard!(
            "https, unknown",
            500,
            "13",
            RequireHttpsLayer::connection(),
            |_| {}
        ),
    ]
}

/// By hand, because the own answer is given to the layer that this one is made of.
fn csrf_form() -> Guard {
    Guard {
        name: "csrf, form",
        status: 403,
        code: "7",
        provoke: Box::new(|request| insert(request, "x-http-method", "DELETE")),
        build: Box::new(|own, inner| match own {
            None => {
                let layer = csrf::over_texts(csrf().form_field("t").unwrap());
                BoxCloneSyncService::new(layer.layer(inner))
            }
            Some(own) => {
                let layer = csrf().rejection_response(own.answer());
                let layer = csrf::over_texts(layer.form_field("t").unwrap());
                BoxCloneSyncService::new(layer.layer(inner))
            }
        }),
    }
}

fn csrf() -> CsrfLayer {
    let fixtures = Fixtures::load();
    let builder = csrf::builder(fixtures.keys(&["K1"]), fixtures.binding_of("S1"));
    builder.method_override().build().unwrap()
}

fn insert(request: &mut Request<String>, name: &'static str, value: &str) {
    request.headers_mut().insert(name, value.parse().unwrap());
}
