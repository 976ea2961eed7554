//! Signing in at somebody else's: OAuth 2.0 with PKCE, and a session that begins with the way back.
//!
//! ```sh
//! cargo run -p oauth_redirect
//! ```
//!
//! Open the address that it prints. Two servers run: the application on `localhost`, and a toy provider on
//! `127.0.0.1`, which to a browser is another site.
//!
//! The way back is a navigation that the provider's page begins, and with such a one a browser sends no
//! `SameSite=Strict` cookie. So the cookies here are `Lax`, or the first page after signing in would say
//! that nobody is signed in, and the callback could neither tell whose sign-in it ends nor which session
//! it replaces. `Lax` is safe where it is used like this: from other sites it travels with navigations
//! by GET alone, no GET here changes anything but the callback, and that one asks for `state`. Everything
//! else that changes something is a POST behind `OriginGuardLayer` and `CsrfLayer`.
//!
//! Settings, optional: `ADDR` and `PROVIDER_ADDR`, both on this machine.

mod provider;

use std::{env, future::IntoFuture, result::Result, time::Duration};

use axum::{
    Extension, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{self, Html, IntoResponse, Redirect, Response},
    routing::get,
};
use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use cookie::Cookie;
use reqwest::Url;
use ring::digest;
use serde::Deserialize;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_bearer::{
    BearerAuthLayer, Claims, ClaimsError, ClaimsRequest, CsrfLayer, KeyRing, MemoryStore, NoClaims,
    OriginGuardLayer, RefreshCookieLayer, SecurityHeadersLayer, Session, SessionEndpoints,
    TokenCodec, headers::ConnectionScheme,
};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What this browser has begun: `state` and PKCE verifier. Nobody but this host can set a cookie of this
/// name, so nobody plants a sign-in of their own in it. A second tab that begins replaces the first.
const PENDING: &str = "__Host-signing-in";

/// The application's side of the provider: in your service its settings.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    issuer: String,
    redirect_uri: String,
}

/// What the provider sends the browser back with (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Deserialize)]
struct Answer {
    state: String,
    iss: String,
    code: Option<String>,
}

/// 256 random bits.
fn random() -> String {
    BASE64URL.encode_to_string(rand::random::<[u8; 32]>())
}

/// RFC 7636 section 4.2, `S256`.
fn challenge(verifier: &str) -> String {
    BASE64URL.encode_to_string(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// Cookies of this process are written by hand, since their values need no escaping.
fn set_cookie(value: &str, max_age: u32) -> [(header::HeaderName, String); 1] {
    let attributes = "Path=/; Secure; HttpOnly; SameSite=Lax";
    let cookie = format!("{PENDING}={value}; {attributes}; Max-Age={max_age}");
    [(header::SET_COOKIE, cookie)]
}

/// Sends the browser to the provider.
async fn begin(State(client): State<Client>) -> response::Result<impl IntoResponse> {
    let (state, verifier) = (random(), random());
    let to = Url::parse_with_params(
        &format!("{}/authorize", client.issuer),
        [
            ("response_type", "code"),
            ("client_id", "example"),
            ("redirect_uri", &client.redirect_uri),
            ("state", &state),
            ("code_challenge", &challenge(&verifier)),
            ("code_challenge_method", "S256"),
        ],
    );
    let to = to.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let pending = set_cookie(&format!("{state}.{verifier}"), 600);
    Ok((pending, Redirect::to(to.as_str())))
}

/// Takes the browser back from the provider. There is one try for each beginning, whatever comes of it.
async fn callback(
    State(client): State<Client>,
    session: Session,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Response {
    let done = finish(&client, &session, &headers, answer).await;
    (set_cookie("", 0), done).into_response()
}

async fn finish(
    client: &Client,
    session: &Session,
    headers: &HeaderMap,
    answer: Answer,
) -> response::Result<Redirect> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let pending = cookies
        .filter_map(|line| line.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == PENDING);
    let pending = pending
        .as_ref()
        .and_then(|cookie| cookie.value().split_once('.'));
    let (state, verifier) = pending.ok_or((StatusCode::BAD_REQUEST, "begin again"))?;
    // Without this, a link to here with somebody else's code would sign the reader in as somebody else.
    // With one try there is nothing to learn from how long the comparison takes.
    if answer.state != state {
        return Err((
            StatusCode::BAD_REQUEST,
            "this browser began another sign-in",
        )
            .into());
    }
    // Where there are several providers, one of them could answer in the place of another.
    if answer.iss != client.issuer {
        return Err((StatusCode::BAD_REQUEST, "another provider answered").into());
    }
    let Some(code) = answer.code else {
        return Ok(Redirect::to("/")); // the user pressed Cancel
    };
    let subject = client.subject(&code, verifier).await.map_err(|error| {
        eprintln!("the provider did not say who it is: {error}");
        match error.status() {
            Some(status) if status.is_client_error() => StatusCode::BAD_REQUEST,
            _ => StatusCode::BAD_GATEWAY,
        }
    })?;
    // The page asks for an access token of its own; this one never gets into its hands.
    session.start(subject).await?;
    Ok(Redirect::to("/"))
}

impl Client {
    /// Whom the code stands for. With OpenID Connect the ID token says it: check its `iss`, `aud` and `exp`.
    async fn subject(&self, code: &str, verifier: &str) -> reqwest::Result<String> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        #[derive(Deserialize)]
        struct User {
            sub: String,
        }
        let exchange = [
            ("grant_type", "authorization_code"),
            ("client_id", "example"),
            ("redirect_uri", &self.redirect_uri),
            ("code", code),
            ("code_verifier", verifier),
        ];
        let to = format!("{}/token", self.issuer);
        let answer = self.http.post(to).form(&exchange).send().await?;
        let Token { access_token } = answer.error_for_status()?.json().await?;
        let at = format!("{}/userinfo", self.issuer);
        let answer = self.http.get(at).bearer_auth(access_token).send().await?;
        let User { sub } = answer.error_for_status()?.json().await?;
        // Two providers may call two people by the same name; an e-mail address may change its owner.
        Ok(format!("{}|{sub}", self.issuer))
    }
}

/// A page that the server renders: it has to know at its first request whether somebody is signed in.
async fn page(session: Session) -> impl IntoResponse {
    let page = match session.has_cookie() {
        true => include_str!("page.html"),
        false => r#"<!doctype html><title>Example</title><a href="/auth/begin">Sign in</a>"#,
    };
    ([(header::CACHE_CONTROL, "no-store")], Html(page))
}

async fn script() -> impl IntoResponse {
    let kind = "text/javascript; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], include_str!("page.js"))
}

fn app(client: Client, url: &str) -> Result<Router, Error> {
    let keys = KeyRing::generate()?; // yours outlive the process: `KeyRing::from_env`
    let codec: TokenCodec = TokenCodec::nested(&keys)
        .issuer(url)
        .audience("oauth_redirect")
        .build()?;
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let sessions = RefreshCookieLayer::builder(codec.clone(), MemoryStore::new(), claims)
        .same_site_lax()
        // The pages see it, too, which the path `/auth` would keep from them.
        .host_prefix()
        .build()?;
    let csrf = CsrfLayer::new(&keys)?;
    let cookies = Router::new()
        .route("/", get(page))
        .route("/page.js", get(script))
        .route("/auth/begin", get(begin))
        .route("/auth/callback", get(callback))
        .fallback_service(SessionEndpoints::new())
        .layer(
            ServiceBuilder::new()
                .layer(OriginGuardLayer::new([url.parse()?])?)
                .layer(sessions)
                .layer(csrf),
        );
    let whoami = |claims: Claims| async move { claims.subject().to_owned() };
    Ok(Router::new()
        .route("/api/whoami", get(whoami))
        .route_layer(BearerAuthLayer::new(codec))
        .merge(cookies)
        .layer(SecurityHeadersLayer::new())
        // This process speaks plain http, and says so: no browser is to remember https for localhost.
        .layer(Extension(ConnectionScheme::Http))
        .with_state(client))
}

async fn listen(name: &str, default: &str) -> Result<TcpListener, Error> {
    let addr = env::var(name).unwrap_or_else(|_| default.into());
    let listener = TcpListener::bind(&addr).await;
    listener.map_err(|error| format!("{name}: `{addr}`: {error}").into())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let ours = listen("ADDR", "127.0.0.1:3000").await?;
    let theirs = listen("PROVIDER_ADDR", "127.0.0.1:3001").await?;
    let url = format!("http://localhost:{}", ours.local_addr()?.port());
    let issuer = format!("http://127.0.0.1:{}", theirs.local_addr()?.port());

    let redirect_uri = format!("{url}/auth/callback");
    let provider = provider::router(issuer.clone(), redirect_uri.clone());
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        // A code or a token is for one address, whatever that address answers.
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let app = app(
        Client {
            http,
            issuer: issuer.clone(),
            redirect_uri,
        },
        &url,
    )?;

    println!("Open {url} in a browser.");
    println!("Sign in as dev@example.com: the provider, {issuer}, asks for no password.");
    tokio::select! {
        done = axum::serve(ours, app).into_future() => done?,
        done = axum::serve(theirs, provider).into_future() => done?,
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
