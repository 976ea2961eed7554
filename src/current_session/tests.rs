//! How often cookies are opened, counted at the one place that opens them.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    ClaimsError, ClaimsRequest, CsrfLayer, CsrfToken, KeyRing, MemoryStore, NoClaims,
    RefreshCookieLayer, Session, SessionEndpoints, TokenCodec,
    session::{MACS, OPENED},
};

struct Server {
    sessions: RefreshCookieLayer,
    csrf: CsrfLayer,
}

impl Server {
    fn new() -> Self {
        let keys = KeyRing::generate().unwrap();
        let codec = TokenCodec::nested(&keys)
            .issuer("https://id.example")
            .audience("api")
            .build()
            .unwrap();
        let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
        Self {
            sessions: RefreshCookieLayer::new(codec, MemoryStore::new(), claims).unwrap(),
            csrf: CsrfLayer::new(&keys).unwrap(),
        }
    }

    /// The answer, and how many cookies were opened for it.
    async fn send(&self, request: Request<Full<Bytes>>) -> (Response<String>, usize) {
        let application = service_fn(|request: Request<Full<Bytes>>| async {
            let extensions = request.extensions();
            if request.uri().path() == "/auth/login" {
                let session = Session::from_extensions(extensions).unwrap();
                session.start("user-1").await.unwrap();
                let token = CsrfToken::from_extensions(extensions).unwrap();
                let page = Response::new(token.masked().unwrap());
                return Ok::<_, Infallible>(page);
            }
            SessionEndpoints::new().oneshot(request).await
        });
        OPENED.set(0);
        let service = self.sessions.layer(self.csrf.layer(application));
        let response = service.oneshot(request).await.unwrap();
        (response, OPENED.get())
    }
}

/// The cookies that a response sets, as the browser sends them back.
fn cookies(response: &Response<String>) -> Vec<String> {
    let lines = response.headers().get_all(header::SET_COOKIE).iter();
    let pairs = lines.map(|line| line.to_str().unwrap().split(';').next().unwrap());
    pairs.map(ToOwned::to_owned).collect()
}

fn post(path: &str, cookies: &[String]) -> Request<Full<Bytes>> {
    let token = cookies.iter().find_map(|c| c.strip_prefix("__Host-csrf="));
    Request::post(path)
        .header(header::COOKIE, cookies.join("; "))
        .header("x-csrf-token", token.unwrap())
        .body(Full::default())
        .unwrap()
}

#[tokio::test]
async fn a_cookie_is_opened_once_for_the_csrf_layer_and_the_endpoints() {
    let server = Server::new();
    let visit = Request::get("/auth/csrf").body(Full::default()).unwrap();
    let (response, opened) = server.send(visit).await;
    assert_eq!(opened, 0, "there is none");

    let (response, opened) = server.send(post("/auth/login", &cookies(&response))).await;
    assert_eq!(opened, 0, "the session begins here");
    let signed_in = cookies(&response);
    // The inner layer writes first: the CSRF cookie, then the session's.
    let names: Vec<_> = signed_in
        .iter()
        .filter_map(|c| c.split('=').next())
        .collect();
    let expected = [
        "__Host-csrf",
        "__Secure-refresh_token",
        "__Secure-refresh_token_jar",
    ];
    assert_eq!(names, expected);

    for path in ["/auth/refresh", "/auth/logout"] {
        let (response, opened) = server.send(post(path, &signed_in)).await;
        assert!(response.status().is_success(), "{path}");
        assert_eq!(opened, 1, "{path}");
    }
}

#[tokio::test]
async fn a_cookie_that_is_not_asked_for_is_not_opened() {
    let server = Server::new();
    let visit = Request::get("/auth/csrf").body(Full::default()).unwrap();
    let (response, _) = server.send(visit).await;
    let (response, _) = server.send(post("/auth/login", &cookies(&response))).await;
    let cookies = cookies(&response).join("; ");
    assert!(cookies.contains("refresh_token_jar="));

    let application = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(StatusCode::OK.to_string()))
    });
    let request = Request::get("/auth/page").header(header::COOKIE, cookies);
    OPENED.set(0);
    MACS.set(0);
    let service = server.sessions.layer(application);
    service.oneshot(request.body(()).unwrap()).await.unwrap();
    assert_eq!((OPENED.get(), MACS.get()), (0, 0));
}

/// A flood of values is not worked through.
#[tokio::test]
async fn at_most_sixteen_cookies_are_opened() {
    let server = Server::new();
    let visit = Request::get("/auth/csrf").body(Full::default()).unwrap();
    let (response, _) = server.send(visit).await;
    let (response, _) = server.send(post("/auth/login", &cookies(&response))).await;
    let mut many = cookies(&response);
    many.extend(vec![many[1].clone(); 20]);
    let (response, opened) = server.send(post("/auth/refresh", &many)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(opened, 16);
}
