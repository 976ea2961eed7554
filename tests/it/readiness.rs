//! Every layer forwards readiness and calls the service that was polled ready. A layer is one
//! call of `check`.

use http::Request;
use tower_bearer::{
    BearerAuthLayer, Claims, ClaimsError, CsrfLayer, GrpcLayer, KeyRing, MemoryStore, NoClaims,
    OriginGuardLayer, RefreshCookieLayer, RequireClaimsLayer, RequireHttpsLayer, RequireRecentAuth,
    RequireScopeLayer, SecurityHeadersLayer, csrf::CsrfSession, headers::ConnectionScheme,
};

use crate::{
    csrf_form,
    support::{
        csrf::over_texts,
        readiness::{Requests, check},
        tokens::{self, Scoped, codec, with_token},
    },
};

#[tokio::test]
async fn every_layer() {
    let bearer = Requests {
        passed: || with_token(&tokens::token()),
        refused: Some(|| with_token("junk")),
    };
    let scope = Requests {
        passed: || tokens::verified("admin"),
        refused: Some(|| tokens::verified("read")),
    };
    let origin = Requests {
        passed: || from("https://app.example"),
        refused: Some(|| from("https://evil.example")),
    };
    let transport = Requests {
        passed: || over(ConnectionScheme::Https),
        refused: Some(|| over(ConnectionScheme::Http)),
    };

    // It rejects nothing, so it has nothing to refuse.
    let any = Requests {
        passed: || Request::new(String::new()),
        refused: None,
    };
    let claims = |_| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let sessions = RefreshCookieLayer::new(codec(), MemoryStore::new(), claims).unwrap();

    check(
        "BearerAuthLayer",
        BearerAuthLayer::<NoClaims>::new(codec()),
        &bearer,
    )
    .await;
    let csrf = Requests {
        passed: || Request::new(String::new()),
        refused: Some(|| Request::post("/").body(String::new()).unwrap()),
    };
    let tokens =
        CsrfLayer::builder(&KeyRing::generate().unwrap()).session(|_| CsrfSession::ANONYMOUS);

    let tokens = tokens.build().unwrap();
    check("CsrfLayer", tokens.clone(), &csrf).await;
    let form = tokens.form_field("t").unwrap();
    check("CsrfFormLayer", over_texts(form), &csrf).await;
    // A service that waits for its form goes on with the instance that was polled ready.
    let form = csrf_form::layer().form_field("t").unwrap();
    check("CsrfFormLayer, a form", over_texts(form), &csrf_form::READ).await;
    check("GrpcLayer", GrpcLayer::new(), &any).await;
    check(
        "OriginGuardLayer",
        OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap(),
        &origin,
    )
    .await;
    check("RefreshCookieLayer", sessions, &any).await;
    check(
        "RequireClaimsLayer",
        RequireClaimsLayer::new(|claims: &Claims<Scoped>| claims.custom().scope == "admin"),
        &scope,
    )
    .await;
    check(
        "RequireHttpsLayer",
        RequireHttpsLayer::connection(),
        &transport,
    )
    .await;
    check(
        "RequireHttpsLayer with a redirect",
        RequireHttpsLayer::connection().redirect_to("app.example".parse().unwrap()),
        &transport,
    )
    .await;
    let recent = Requests {
        passed: || tokens::authenticated(tokens::NOW),
        refused: Some(|| tokens::verified("read")),
    };
    check(
        "RequireRecentAuth",
        RequireRecentAuth::max_age(std::time::Duration::from_secs(300)),
        &recent,
    )
    .await;
    check(
        "RequireScopeLayer",
        RequireScopeLayer::new("admin".parse().unwrap()),
        &scope,
    )
    .await;
    check("SecurityHeadersLayer", SecurityHeadersLayer::new(), &any).await;
}

fn from(origin: &str) -> Request<String> {
    Request::post("/")
        .header("origin", origin)
        .body(String::new())
        .unwrap()
}

fn over(scheme: ConnectionScheme) -> Request<String> {
    let mut request = Request::new(String::new());
    request.extensions_mut().insert(scheme);
    request
}
