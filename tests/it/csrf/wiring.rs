//! Layers in the wrong place are loud, and layers in the right one never are.

use std::sync::{Arc, Mutex};

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_bearer::{
    CsrfLayer, CsrfToken, Event, EventSink, SessionEndpoints,
    rejection::{Rejection, RejectionKind},
};

use crate::support::{
    csrf,
    world::{self, World},
};

fn request(method: Method, path: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(Full::default())
        .unwrap()
}

/// Returns the text of the 500, if it is one.
fn mistake<B>(response: &Response<B>) -> Option<String> {
    let rejection = response.extensions().get::<Rejection>()?;
    let is_internal = rejection.kind() == RejectionKind::Internal;
    assert_eq!(is_internal, response.status() == 500);
    // The developer who tries it out sees the cure, a client of a refused request nothing.
    let header = response.headers().get("tower-bearer-mistake");
    let text = rejection.to_string();
    assert_eq!(
        header.map(|said| said.to_str().unwrap()),
        is_internal.then_some(&*text)
    );
    is_internal.then_some(text)
}

/// The answer of the layers in the right order to a request for `path`.
async fn ask(world: &World, method: Method, path: &str) -> Response<String> {
    ServiceBuilder::new()
        .layer(world.layer.clone())
        .layer(CsrfLayer::new(&world.keys).unwrap())
        .service(service_fn(world::application))
        .oneshot(request(method, path))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_csrf_layer_without_the_session_or_outside_of_it_is_named() {
    let world = World::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let events = EventSink::new(move |event| {
        if let Event::Rejected(rejection) = event {
            sink.lock().unwrap().push(rejection.to_string());
        }
    });
    let csrf = CsrfLayer::builder(&world.keys).events(events);
    let csrf = csrf.build().unwrap();
    let alone = csrf.layer(service_fn(world::application));
    let outside = csrf.layer(world.layer.layer(service_fn(world::application)));
    // A safe request as well: it would put a token of no session into the browser.
    for method in [Method::GET, Method::OPTIONS, Method::POST] {
        let without = alone.clone().oneshot(request(method.clone(), "/auth/csrf"));
        let wrong = outside.clone().oneshot(request(method, "/auth/csrf"));
        for response in [without.await.unwrap(), wrong.await.unwrap()] {
            let said = mistake(&response).expect("a mistake");
            assert!(said.contains("RefreshCookieLayer is missing"), "{said}");
            assert!(said.contains("instead of outside"), "{said}");
            assert!(!response.headers().contains_key(header::SET_COOKIE));
        }
    }
    assert_eq!(seen.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn a_path_that_the_cookie_does_not_reach_is_named() {
    let world = World::new();
    for path in [
        "/",
        "/api/x",
        "/authentic",
        "/AUTH/csrf",
        "//auth/csrf",
        "/x/auth/csrf",
    ] {
        for method in [Method::GET, Method::POST] {
            let response = ask(&world, method, path).await;
            let said = mistake(&response).unwrap_or_else(|| panic!("{path} is silent"));
            let places = format!(
                "is around {path:?}. The browser sends the refresh cookie only to \"/auth\""
            );
            assert!(said.contains(&places), "{said}");
            assert!(said.contains("host_prefix"), "{said}");
            assert!(said.contains("external_prefix"), "{said}");
            assert!(!response.headers().contains_key(header::SET_COOKIE));
        }
    }
    for path in ["/auth", "/auth/", "/auth/csrf", "/auth/a/b?c=/d"] {
        let response = ask(&world, Method::GET, path).await;
        assert_eq!(mistake(&response), None, "{path}");
        assert_eq!(csrf::issued(&response).is_some(), path == "/auth/csrf");
    }
}

/// The cookie that came last would be the only one that the browser keeps.
#[tokio::test]
async fn a_csrf_cookie_that_is_named_like_one_of_the_session_is_named() {
    let world = World::with(|builder| builder.host_prefix());
    let app = async |name: &str, method| {
        let csrf = CsrfLayer::builder(&world.keys).cookie_name(name);
        ServiceBuilder::new()
            .layer(world.layer.clone())
            .layer(csrf.build().unwrap())
            .service(service_fn(world::application))
            .oneshot(request(method, "/auth/csrf"))
            .await
            .unwrap()
    };
    for name in ["refresh_token", "refresh_token_jar"] {
        for method in [Method::GET, Method::POST] {
            let response = app(name, method).await;
            let said = mistake(&response).unwrap_or_else(|| panic!("{name} is silent"));
            assert!(
                said.contains("cookie_name") && said.contains("_jar"),
                "{said}"
            );
            assert!(!response.headers().contains_key(header::SET_COOKIE));
        }
    }
    assert_eq!(mistake(&app("refresh_token_jars", Method::GET).await), None);
}

/// A cookie that has come is proof, whatever the path looks like and the cookie is worth.
#[tokio::test]
async fn a_cookie_that_comes_has_reached_the_path() {
    let world = World::new();
    let mut request = request(Method::GET, "/elsewhere");
    let cookie = format!("{}=junk", world::COOKIE).parse().unwrap();
    request.headers_mut().insert(header::COOKIE, cookie);
    let service = ServiceBuilder::new()
        .layer(world.layer.clone())
        .layer(CsrfLayer::new(&world.keys).unwrap())
        .service(service_fn(world::application));
    assert_eq!(mistake(&service.oneshot(request).await.unwrap()), None);
}

#[tokio::test]
async fn a_cookie_of_every_path_that_is_seen_alarms_nowhere() {
    for world in [
        World::with(|builder| builder.host_prefix()),
        World::with(|builder| builder.cookie_path("/")),
        World::with(|builder| builder.cookie_path("/").external_prefix("/auth")),
    ] {
        for path in ["/", "/csrf", "/api/x", "*"] {
            let response = ask(&world, Method::OPTIONS, path).await;
            assert_eq!(mistake(&response), None, "{path}");
        }
    }
}

/// The service does not see what a proxy took off, so every tail will do, in whole segments.
#[tokio::test]
async fn a_tail_of_the_cookie_path_is_no_alarm() {
    let world = World::with(|builder| builder.cookie_path("/api/auth").external_prefix("/app"));
    for path in [
        "/app/api/auth/csrf",
        "/api/auth/csrf",
        "/auth/csrf",
        "/auth",
    ] {
        let response = ask(&world, Method::GET, path).await;
        assert_eq!(mistake(&response), None, "{path}");
    }
    for path in ["/", "/csrf", "/app", "/api/x", "/authentic", "/x/auth/csrf"] {
        let response = ask(&world, Method::GET, path).await;
        assert!(mistake(&response).is_some(), "{path}");
    }
}

/// axum takes the prefix off the path of a nested router, at every depth, and of a nested service.
#[tokio::test]
async fn nested_routers_do_not_hide_the_path() {
    async fn page(csrf: CsrfToken) -> Result<String, Rejection> {
        csrf.masked()
    }
    for (cookie_path, nests, reached) in [
        ("/auth", &["/auth"][..], true),
        ("/app/auth", &["/auth", "/app"], true),
        ("/app", &["/auth", "/app"], true),
        ("/auth", &["/auth", "/app"], false),
        ("/auth", &["/api"], false),
    ] {
        let world = World::with(|builder| builder.cookie_path(cookie_path));
        let layers = ServiceBuilder::new()
            .layer(world.layer.clone())
            .layer(CsrfLayer::new(&world.keys).unwrap());
        let inner = Router::new()
            .route("/page", get(page))
            .merge(SessionEndpoints::new());
        let nested = |inner: Router, service: bool| {
            nests.iter().fold(inner, |inner, prefix| match service {
                false => Router::new().nest(prefix, inner),
                true => Router::new().nest_service(prefix, inner),
            })
        };
        let path = nests.iter().rev().copied().collect::<String>() + "/page";
        for app in [
            nested(inner.clone().layer(layers.clone()), false),
            nested(inner.clone().layer(layers.clone()), true),
            // Around all of it.
            nested(inner.clone(), false).layer(layers),
        ] {
            let request = Request::get(&path).body(axum::body::Body::empty()).unwrap();
            let response = app.oneshot(request).await.unwrap();
            assert_eq!(
                mistake(&response).is_none(),
                reached,
                "{cookie_path} {path}"
            );
            let expected = if reached {
                StatusCode::OK
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            };
            assert_eq!(response.status(), expected);
        }
    }
}

#[test]
fn keys_that_cannot_work_fail_when_the_layer_is_made() {
    let keys = tower_bearer::KeyRing::builder()
        .access_secret(world::MASTER)
        .build()
        .unwrap();
    let error = CsrfLayer::new(&keys).unwrap_err();
    assert_eq!(error.setting(), "CSRF keys");
}
