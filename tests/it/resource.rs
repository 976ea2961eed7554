//! The protected-resource metadata (RFC 9728): the document, its path, and its place among the layers.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_bearer::{
    BearerAuthLayer, ConfigError, NoClaims, RequireScopeLayer,
    rejection::{Rejection, RejectionKind},
    resource::{MetadataUrl, ResourceMetadata, ResourceMetadataBuilder},
};

use crate::support::{
    echo::Echo,
    tokens::{codec, token, verified},
    wire::{Server, head},
};

const PATH: &str = "/.well-known/oauth-protected-resource/mcp";

fn builder() -> ResourceMetadataBuilder {
    ResourceMetadata::builder("https://api.example/mcp").authorization_server("https://id.example")
}

fn document() -> ResourceMetadata {
    builder().scopes(["read", "write"]).build().unwrap()
}

fn bearer() -> BearerAuthLayer {
    BearerAuthLayer::<NoClaims>::new(codec()).resource_metadata(document().url())
}

fn request(method: &str, uri: &str) -> Request<String> {
    let request = Request::builder().method(method).uri(uri);
    request.body(String::new()).unwrap()
}

/// The answer, and how often the service inside was called.
async fn send<L>(layer: L, request: Request<String>) -> (Response<String>, usize)
where
    L: Layer<
            Echo,
            Service: Service<Request<String>, Response = Response<String>, Error = Infallible>,
        >,
{
    let echo = Echo::default();
    let response = layer.layer(echo.clone()).oneshot(request).await.unwrap();
    (response, echo.calls())
}

#[tokio::test]
async fn it_answers_at_its_path_and_nowhere_else() {
    for (method, uri, status) in [
        ("GET", PATH, 200),
        ("HEAD", PATH, 200),
        ("OPTIONS", PATH, 204),
        ("POST", PATH, 405),
        ("DELETE", PATH, 405),
        ("PROPFIND", PATH, 405),
    ] {
        let (response, calls) = send(document(), request(method, uri)).await;
        assert_eq!((response.status().as_u16(), calls), (status, 0), "{method}");
        let headers = response.headers();
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let body = if method == "GET" {
            document().json().to_owned()
        } else {
            String::new()
        };
        assert_eq!(response.body(), &body);
        if status == 200 {
            assert_eq!(headers[header::CONTENT_TYPE], "application/json");
            assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=300");
            assert_eq!(
                headers[header::CONTENT_LENGTH],
                document().json().len().to_string()
            );
        } else {
            assert_eq!(headers[header::ALLOW], "GET, HEAD, OPTIONS");
        }
    }
    for uri in [
        "/",
        "/mcp",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource/mcp/",
        "/.well-known/oauth-protected-resource/MCP",
        "/.well-known/oauth-protected-resource/mcp/x",
        "/mcp/.well-known/oauth-protected-resource",
        "//.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource%2Fmcp",
    ] {
        for method in ["GET", "OPTIONS", "POST"] {
            let (response, calls) = send(document(), request(method, uri)).await;
            assert_eq!((response.body().as_str(), calls), ("inner", 1), "{uri}");
            assert_eq!(response.headers(), &HeaderMap::new());
        }
    }
}

/// A page's client sends a header that needs the consent of CORS (Fetch, "CORS-preflight fetch").
#[tokio::test]
async fn browsers_may_ask_with_any_header() {
    let mut preflight = request("OPTIONS", PATH);
    for (name, value) in [
        ("origin", "https://inspector.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "mcp-protocol-version"),
    ] {
        preflight.headers_mut().insert(name, value.parse().unwrap());
    }
    let service = ServiceBuilder::new().layer(document()).layer(bearer());
    let (response, calls) = send(service, preflight).await;
    assert_eq!((response.status(), calls), (StatusCode::NO_CONTENT, 0));
    let headers = response.headers();
    assert_eq!(
        headers[header::ACCESS_CONTROL_ALLOW_HEADERS],
        "*, Authorization"
    );
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD");
    assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
}

#[test]
fn the_document_has_the_members_of_the_rfc() {
    let json = |builder: ResourceMetadataBuilder| -> serde_json::Value {
        serde_json::from_str(builder.build().unwrap().json()).unwrap()
    };
    assert_eq!(
        json(builder()),
        serde_json::json!({
            "resource": "https://api.example/mcp",
            "authorization_servers": ["https://id.example"],
            "bearer_methods_supported": ["header"],
        })
    );
    let full = builder()
        .authorization_server("http://localhost:3001/tenant")
        .scopes(["read"])
        .scopes(["write"])
        .name("Orders \"<&>\" \u{e9}")
        .documentation("https://docs.example/?page=1")
        .member("resource_name#fr", "Commandes")
        .member("tls_client_certificate_bound_access_tokens", false)
        .member("resource_policy_uri", None::<&str>);
    assert_eq!(
        json(full),
        serde_json::json!({
            "resource": "https://api.example/mcp",
            "authorization_servers": ["https://id.example", "http://localhost:3001/tenant"],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["read", "write"],
            "resource_name": "Orders \"<&>\" \u{e9}",
            "resource_documentation": "https://docs.example/?page=1",
            "resource_name#fr": "Commandes",
            "tls_client_certificate_bound_access_tokens": false,
        })
    );
}

#[test]
fn a_document_that_no_client_could_use_is_a_configuration_error() {
    let about = |resource: &str| {
        let builder = ResourceMetadata::builder(resource);
        builder.authorization_server("https://id.example").build()
    };
    let refuse = |error: ConfigError, setting: &str, part: &str| {
        assert_eq!(error.setting(), setting, "{error}");
        assert!(error.problem().contains(part), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    };
    for (url, part) in [
        ("", "must be an absolute https URL"),
        ("/mcp", "must be an absolute https URL"),
        ("api.example/mcp", "must be an absolute https URL"),
        ("ftp://api.example", "must be an absolute https URL"),
        ("https://", "must be an absolute https URL"),
        ("https://api.example/#hunter2", "without a fragment"),
        ("https://api.example/a\"b", "must be an absolute https URL"),
        ("https://api.example/a b", "must be an absolute https URL"),
        ("https://u:hunter2@api.example/", "user or password"),
        ("http://api.example/mcp", "must be https"),
        ("http://10.0.0.1/mcp", "must be https"),
        ("http://localhost.evil.example/", "must be https"),
    ] {
        refuse(about(url).unwrap_err(), "resource", part);
        let error = builder().authorization_server(url).build().unwrap_err();
        refuse(error, "authorization_server", part);
        let error = builder().documentation(url).build().unwrap_err();
        refuse(error, "documentation", part);
        let error = url.parse::<MetadataUrl>().unwrap_err();
        refuse(error, "resource_metadata", part);
    }
    for url in [
        "http://localhost:3000/mcp",
        "http://127.0.0.1",
        "http://[::1]:1/",
        "https://a.example?b=c",
    ] {
        assert_eq!(about(url).unwrap().resource(), url);
        assert_eq!(url.parse::<MetadataUrl>().unwrap().as_str(), url);
    }
    let error = builder()
        .authorization_server("https://id.example?hunter2")
        .build();
    refuse(error.unwrap_err(), "authorization_server", "query");
    let alone = ResourceMetadata::builder("https://api.example").build();
    refuse(alone.unwrap_err(), "authorization_server", "at least once");
    for scope in ["", "a b", "a\"", "caf\u{e9}"] {
        refuse(
            builder().scopes([scope]).build().unwrap_err(),
            "scopes",
            "one word",
        );
    }
    for (error, part) in [
        (
            builder().member("resource", "https://b.example").build(),
            "\"resource\" is written by",
        ),
        (
            builder().member("scopes_supported", "x").build(),
            "is written by",
        ),
        (
            builder().member("a", 1).member("a", 2).build(),
            "\"a\" is given twice",
        ),
        (
            builder()
                .member("a", std::collections::BTreeMap::from([([1_u8], 1)]))
                .build(),
            "cannot be written",
        ),
    ] {
        refuse(error.unwrap_err(), "member", part);
    }
}

#[tokio::test]
async fn a_client_without_a_token_finds_its_way() {
    let natural = || ServiceBuilder::new().layer(document()).layer(bearer());
    let (refused, _) = send(natural(), request("POST", "/mcp")).await;
    assert_eq!(
        refused.headers()[header::WWW_AUTHENTICATE],
        format!("Bearer realm=\"api\", resource_metadata=\"https://api.example{PATH}\"")
    );
    let (read, calls) = send(natural(), request("GET", PATH)).await;
    assert_eq!((read.status(), calls), (StatusCode::OK, 0));
    let mut known = request("POST", "/mcp");
    let value = format!("Bearer {}", token());
    known
        .headers_mut()
        .insert(header::AUTHORIZATION, value.parse().unwrap());
    let (passed, calls) = send(natural(), known).await;
    assert_eq!((passed.status(), calls), (StatusCode::OK, 1));
}

#[tokio::test]
async fn the_wrong_order_says_so() {
    let wrong = || ServiceBuilder::new().layer(bearer()).layer(document());
    let mut junk = request("GET", PATH);
    junk.headers_mut()
        .insert(header::AUTHORIZATION, "Bearer junk".parse().unwrap());
    for asking in [request("GET", PATH), request("OPTIONS", PATH), junk] {
        let (response, calls) = send(wrong(), asking).await;
        assert_eq!(
            (response.status(), calls),
            (StatusCode::INTERNAL_SERVER_ERROR, 0)
        );
        assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::Internal);
        let mistake = response.headers()["tower-bearer-mistake"].to_str().unwrap();
        assert!(mistake.contains("ResourceMetadata must stand outside of BearerAuthLayer"));
    }
    // A document that another service answers with is not hidden here.
    let elsewhere = document().url().as_str().parse().unwrap();
    let named = BearerAuthLayer::<NoClaims>::new(codec()).resource_metadata(elsewhere);
    let (response, _) = send(named, request("GET", PATH)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    // Everything else is refused as ever, and a layer that lets such a client through hides nothing.
    let (response, _) = send(wrong(), request("GET", "/mcp")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let optional = ServiceBuilder::new()
        .layer(bearer().optional())
        .layer(document());
    let (response, _) = send(optional, request("GET", PATH)).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_lacking_scope_names_it_where_it_is_told_to() {
    let scope = || RequireScopeLayer::new("write".parse().unwrap());
    let (response, _) = send(
        scope().resource_metadata(document().url()),
        verified("read"),
    )
    .await;
    assert_eq!(
        response.headers()[header::WWW_AUTHENTICATE],
        format!(
            "Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"write\", \
             resource_metadata=\"https://api.example{PATH}\""
        )
    );
    let (response, _) = send(scope(), verified("read")).await;
    let challenge = response.headers()[header::WWW_AUTHENTICATE]
        .to_str()
        .unwrap();
    assert!(!challenge.contains("resource_metadata"), "{challenge}");
}

#[tokio::test]
async fn with_axum_it_goes_outside_of_every_nest() {
    use axum::{Router, body::Body, routing::post};
    let document = ResourceMetadata::builder("https://api.example/v1/mcp")
        .authorization_server("https://id.example")
        .build()
        .unwrap();
    let bearer = BearerAuthLayer::<NoClaims>::new(codec()).resource_metadata(document.url());
    let inner = Router::new()
        .route("/mcp", post(async || "called"))
        .route_layer(bearer);
    let app = Router::new().nest("/v1", inner).layer(document.clone());
    for (method, path, status) in [
        (
            Method::GET,
            "/.well-known/oauth-protected-resource/v1/mcp",
            200,
        ),
        (
            Method::HEAD,
            "/.well-known/oauth-protected-resource/v1/mcp",
            200,
        ),
        (Method::GET, "/.well-known/oauth-protected-resource", 404),
        (
            Method::GET,
            "/v1/.well-known/oauth-protected-resource/v1/mcp",
            404,
        ),
        (Method::POST, "/v1/mcp", 401),
    ] {
        let request = Request::builder().method(&method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{method} {path}");
        let challenge = response.headers().get(header::WWW_AUTHENTICATE);
        assert_eq!(challenge.is_some(), status == 401);
        let body = axum::body::to_bytes(response.into_body(), 1000)
            .await
            .unwrap();
        if (status, &method) == (200, &Method::GET) {
            assert_eq!(body, document.json());
        }
    }
}

/// How an application on axum puts it in, and what its client then gets.
#[tokio::test]
async fn each_wiring_of_axum() {
    use axum::{Router, body::Body, routing::post};
    let api = || {
        Router::new()
            .route("/mcp", post(async || "called"))
            .route_layer(bearer())
    };
    let page = async || "a page";
    let document = document();
    let routes = || document.routes::<()>();
    let layered = || api().layer(document.clone());
    let lost = (404, "");
    let found = (200, document.json());
    let covered = "500 and the mistake";
    for (wiring, app, answer) in [
        ("routes", api().merge(routes()), found),
        ("routes, first", routes().merge(api()), found),
        (
            "routes, and a fallback",
            api().merge(routes()).fallback(page),
            found,
        ),
        (
            "merged into one with a fallback",
            Router::new().fallback(page).merge(api().merge(routes())),
            found,
        ),
        (
            "routes behind a nest",
            Router::new().nest("/v1", api()).merge(routes()),
            found,
        ),
        (
            "routes in a nest",
            Router::new().nest("/v1", routes()),
            lost,
        ),
        (
            "route_layer around routes",
            Router::new().merge(routes()).route_layer(bearer()),
            (500, covered),
        ),
        ("layer", layered(), found),
        (
            "layer, and a fallback",
            api().fallback(page).layer(document.clone()),
            found,
        ),
        (
            "layer behind a nest",
            Router::new().nest("/v1", api()).layer(document.clone()),
            found,
        ),
        ("layer, merged", Router::new().merge(layered()), found),
        // The documentation warns of these.
        ("route_layer", api().route_layer(document.clone()), lost),
        (
            "layer in a nest",
            Router::new().nest("/v1", layered()),
            lost,
        ),
        (
            "layer, merged into one with a fallback",
            Router::new().fallback(page).merge(layered()),
            (200, "a page"),
        ),
    ] {
        let request = Request::get(document.path()).body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let (status, body) = answer;
        assert_eq!(response.status().as_u16(), status, "{wiring}");
        let mistake = response.headers().get("tower-bearer-mistake");
        let mistake =
            mistake.is_some_and(|cure| cure.to_str().unwrap().contains("document.routes()"));
        assert_eq!(mistake, body == covered, "{wiring}");
        if !mistake {
            let sent = axum::body::to_bytes(response.into_body(), 1000)
                .await
                .unwrap();
            assert_eq!(sent, body, "{wiring}");
        }
    }
}

/// As a route it answers the same as a layer. It ignores other paths, other queries and odd paths.
#[tokio::test]
async fn the_route_answers_what_the_layer_answers() {
    use axum::{Router, body::Body};
    for (resource, other) in [
        (
            "https://a.example/mcp",
            "/.well-known/oauth-protected-resource",
        ),
        (
            "https://a.example",
            "/.well-known/oauth-protected-resource/",
        ),
        (
            "https://a.example/v1/mcp/",
            "/.well-known/oauth-protected-resource/v1/mcp",
        ),
        (
            "https://a.example/mcp?t=1",
            "/.well-known/oauth-protected-resource/mcp?t=2",
        ),
        (
            "https://a.example/:a/*b/{c}/d",
            "/.well-known/oauth-protected-resource/a/b/c/d",
        ),
        (
            "https://a.example/{*c}",
            "/.well-known/oauth-protected-resource/c",
        ),
    ] {
        let document =
            ResourceMetadata::builder(resource).authorization_server("https://id.example");
        let document = document.build().unwrap();
        let routes: Router = document.routes();
        let own = document.url().as_str().replace("https://a.example", "");
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PROPFIND"] {
            let ask = |uri: &str| {
                let request = Request::builder().method(method).uri(uri);
                request.body(Body::empty()).unwrap()
            };
            let told = document.response(&ask(&own)).unwrap();
            let sent = routes.clone().oneshot(ask(&own)).await.unwrap();
            assert_eq!(sent.status(), told.status(), "{method} {resource}");
            for (name, value) in told.headers() {
                assert_eq!(sent.headers().get(name), Some(value), "{method} {resource}");
            }
            let body = axum::body::to_bytes(sent.into_body(), 1000).await.unwrap();
            assert_eq!(body, *told.body(), "{method} {resource}");
            assert!(document.response(&ask(other)).is_none(), "{other}");
            let sent = routes.clone().oneshot(ask(other)).await.unwrap();
            assert_eq!(sent.status(), StatusCode::NOT_FOUND, "{other}");
        }
    }
}

#[tokio::test]
async fn over_hyper_each_answer_is_whole() {
    let inner = service_fn(|_: Request<hyper::body::Incoming>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("inner")))
    });
    let document = document();
    let server = Server::start(document.layer(inner)).await;
    for (method, status) in [("GET", 200), ("HEAD", 200), ("OPTIONS", 204), ("PUT", 405)] {
        let answer = server.http1(&head::<&str>(method, PATH, &[])).await;
        assert_eq!(answer.status, status, "{method}");
        let body = if method == "GET" { document.json() } else { "" };
        assert_eq!(answer.body, body, "{method}");
        let length = answer.headers.get(header::CONTENT_LENGTH);
        if status == 200 {
            assert_eq!(length.unwrap(), &document.json().len().to_string());
        }
    }
    let answer = server.http1(&head::<&str>("GET", "/mcp", &[])).await;
    assert_eq!(answer.body, "inner");
}
