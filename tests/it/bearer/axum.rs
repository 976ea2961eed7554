//! The extractors.

use axum::{Router, body::Body, routing::get};
use http::{Method, Request, StatusCode, header};
use tower::ServiceExt;
use tower_bearer::{
    BearerAuthLayer, Claims, NoClaims, SessionEndpoints,
    rejection::{Rejection, RejectionKind},
};

use crate::support::{
    tokens::{Scoped, codec, token},
    world::World,
};

async fn me(claims: Claims) -> String {
    claims.subject().to_owned()
}

async fn optional(claims: Option<Claims>) -> String {
    claims.map_or("anonymous".to_owned(), |c| c.subject().to_owned())
}

fn app() -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/optional", get(optional))
}

async fn call(
    app: Router,
    path: &str,
    token: Option<&str>,
) -> (StatusCode, String, Option<Rejection>) {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1000).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    (head.status, body, head.extensions.get().cloned())
}

#[tokio::test]
async fn a_handler_gets_its_claims() {
    let app = app().route_layer(BearerAuthLayer::<NoClaims>::new(codec()));
    let (status, body, _) = call(app.clone(), "/me", Some(&token())).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "alice"));
    let (status, _, rejection) = call(app, "/me", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(rejection.unwrap().kind(), RejectionKind::MissingCredentials);
}

#[tokio::test]
async fn an_optional_layer_leaves_the_choice_to_the_handler() {
    let app = app().route_layer(BearerAuthLayer::<NoClaims>::new(codec()).optional());
    let (status, body, _) = call(app.clone(), "/optional", None).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "anonymous"));
    let (_, body, _) = call(app.clone(), "/optional", Some(&token())).await;
    assert_eq!(body, "alice");
    let (status, _, rejection) = call(app, "/me", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        rejection.unwrap().challenge().unwrap(),
        "Bearer realm=\"api\""
    );
}

#[tokio::test]
async fn a_missing_layer_is_named() {
    for path in ["/me", "/optional"] {
        let (status, body, rejection) = call(app(), path, Some(&token())).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["code"], "layer_missing");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("BearerAuthLayer is missing"), "{body}");
        assert_eq!(rejection.unwrap().to_string(), detail);
    }
}

#[tokio::test]
async fn claims_of_another_type_are_never_taken_for_none() {
    let scope = "read".to_owned();
    let token = codec().mint("alice", &Scoped { scope }).unwrap();
    let app = app().route_layer(BearerAuthLayer::<Scoped>::new(codec()));
    for path in ["/me", "/optional"] {
        let (status, _, rejection) = call(app.clone(), path, Some(token.as_str())).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        let reason = rejection.unwrap().to_string();
        assert_eq!(
            reason,
            "the codec of BearerAuthLayer has claims of `it::support::tokens::Scoped`, \
             the handler or RequireClaimsLayer asks for `tower_bearer::token::claims::NoClaims`. The codec's type is that of \
             TokenCodec::<C> (with Auth, of what .claims(...) returns)"
        );
    }
}

async fn session_label(session: tower_bearer::Session) -> String {
    format!("{}", session.has_cookie())
}

async fn csrf_token(token: tower_bearer::CsrfToken) -> Result<String, Rejection> {
    token.masked()
}

#[tokio::test]
async fn the_other_missing_layers_are_named_too() {
    let app = Router::new()
        .route("/session", get(session_label))
        .route("/csrf", get(csrf_token));
    for (path, layer) in [("/session", "RefreshCookieLayer"), ("/csrf", "CsrfLayer")] {
        let (status, body, _) = call(app.clone(), path, None).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(
            body.contains(&format!(r#""detail":"{layer} is missing"#)),
            "{body}"
        );
    }
}

async fn whose_session(session: Option<tower_bearer::Session>) -> String {
    session.map_or("none".to_owned(), |s| s.has_cookie().to_string())
}

async fn maybe_csrf_token(token: Option<tower_bearer::CsrfToken>) -> &'static str {
    token.map_or("none", |_| "some")
}

#[tokio::test]
async fn an_optional_handle_is_none_without_its_layer_and_there_behind_it() {
    let app = Router::new()
        .route("/auth/session", get(whose_session))
        .route("/auth/csrf-page", get(maybe_csrf_token));
    for path in ["/auth/session", "/auth/csrf-page"] {
        let (status, body, _) = call(app.clone(), path, None).await;
        assert_eq!((status, &*body), (StatusCode::OK, "none"), "{path}");
    }

    let world = World::new();
    let app = app
        .layer(tower_bearer::CsrfLayer::new(&world.keys).unwrap())
        .layer(world.layer.clone());
    let (_, body, _) = call(app.clone(), "/auth/session", None).await;
    assert_eq!(body, "false");
    let alice = world.signed_in("alice").await;
    let request = alice.request(Method::GET, "/session").body(Body::empty());
    let response = app.clone().oneshot(request.unwrap()).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1000).await;
    assert_eq!(body.unwrap(), "true");

    // Like the plain extractor, it asks for the token: the browser gets its cookie.
    let request = Request::get("/auth/csrf-page").body(Body::empty());
    let response = app.oneshot(request.unwrap()).await.unwrap();
    assert!(response.headers().contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn the_session_endpoints_are_routes_beside_others() {
    let world = World::new();
    let auth = Router::new()
        .route("/login", get(|| async { "the application's own" }))
        .merge(SessionEndpoints::new())
        .fallback(|| async { (StatusCode::NOT_FOUND, "the application's own") })
        .layer(world.layer.clone());
    let app = Router::new().nest("/auth", auth);
    let alice = world.signed_in("alice").await;
    let send = async |method: Method, path: &str| {
        let request = alice.request(method, path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        (
            head.status.as_u16(),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    };
    let (status, list) = send(Method::GET, "/sessions").await;
    assert_eq!(status, 200);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let id = list["sessions"][0]["id"].as_str().unwrap();
    assert_eq!(send(Method::GET, "/refresh").await.0, 405);
    // The route of clients without a cookie jar reaches the endpoints too.
    assert_eq!(send(Method::POST, "/sessions/x/end").await.0, 405);
    assert_eq!(send(Method::POST, "/refresh").await.0, 200);
    assert_eq!(send(Method::GET, "/login").await.1, "the application's own");
    assert_eq!(
        send(Method::GET, "/elsewhere").await.1,
        "the application's own"
    );
    assert_eq!(
        send(Method::DELETE, &format!("/sessions/{id}")).await.0,
        204
    );
    assert_eq!(send(Method::POST, "/logout-all").await.0, 401);
    assert_eq!(send(Method::POST, "/logout").await.0, 204);
}
