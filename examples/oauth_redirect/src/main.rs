//! Signing in at a provider: OAuth 2.0 with PKCE, and a session that begins with the way back.
//!
//! ```sh
//! cargo run -p oauth_redirect
//! ```
//!
//! Open the address that it prints. Two servers run: the application on `localhost`, and a toy provider on
//! `127.0.0.1`, which to a browser is another site.
//!
//! The way back is a navigation that the provider's page begins. With such a one a browser sends no `SameSite=Strict`
//! cookie. So the cookies here are `Lax`. Otherwise the first page after signing in would offer to sign in. The
//! callback could neither tell which sign-in it ends nor which session it replaces. `Lax` is safe where it is used like
//! this: from other sites it travels with navigations by GET alone. No GET here changes anything but the callback, and
//! that one asks for `state`. Everything else that changes something is a POST behind `OriginGuardLayer` and
//! `CsrfLayer`.
//!
//! One browser may begin several sign-ins, say in two tabs: `begun.rs` keeps them apart. A callback may belong to a
//! sign-in that this browser has not begun, or has ended. It signs in no user and is no error. It leads to the page,
//! which knows by itself whether the browser has a session. A reload of the callback has the same result.
//!
//! A page of another site cannot begin one: `/auth/begin` then leads to the page, where the user can. Else a
//! hostile page could begin so many that those of the user give way.
//!
//! Settings, optional: `ADDR` and `PROVIDER_ADDR`, both on this machine, and `PUBLIC_URL=https://app.example`. The last
//! is where browsers see the application behind a proxy that ends TLS.
//!
//! Safari keeps no `Secure` cookie over plain http, not even on localhost. So the cookies go without it, and without
//! the prefix `__Host-`, where this listens on loopback and has no `PUBLIC_URL`. The program prints that. Any other
//! program on this machine can then plant such cookies, so never serve users like this.

mod begun;
mod provider;

use std::{env, future::IntoFuture, result::Result, time::Duration};

use axum::{
    Extension, Router,
    extract::{Query, RawQuery, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{self, AppendHeaders, Html, IntoResponse, Redirect, Response},
    routing::get,
};
use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use reqwest::Url;
use ring::digest::{Digest, SHA256, digest};
use serde::Deserialize;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_bearer::{
    BearerAuthLayer, Claims, ClaimsError, ClaimsRequest, CsrfLayer, KeyRing, MemoryStore, NoClaims,
    OriginGuardLayer, RefreshCookieLayer, SecurityHeadersLayer, Session, SessionEndpoints,
    TokenCodec, headers::ConnectionScheme, origin::Origin,
};

use crate::begun::{Beginnings, Begun};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The page, after a callback that has no sign-in to end. It was a reload, a link that was planted, or a late answer.
const OVER: &str = "/?over";

/// The application's side of the provider: in your service its settings.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    issuer: String,
    redirect_uri: String,
    beginnings: Beginnings,
}

/// The provider's answer, which the browser brings back (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Deserialize)]
struct Answer {
    state: String,
    iss: String,
    code: Option<String>,
    error: Option<String>,
}

/// 256 random bits.
fn random() -> String {
    BASE64URL.encode_to_string(rand::random::<[u8; 32]>())
}

fn sha256(text: &str) -> Digest {
    digest(&SHA256, text.as_bytes())
}

/// RFC 7636 section 4.2, `S256`.
fn challenge(verifier: &str) -> String {
    BASE64URL.encode_to_string(sha256(verifier))
}

/// Whether the user or a page of this origin asks. Old browsers do not say.
fn is_own(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    sites.all(|site| site == "same-origin" || site == "none")
}

/// Sends the browser to the provider.
async fn begin(State(client): State<Client>, headers: HeaderMap) -> response::Result<Response> {
    if !is_own(&headers) {
        return Ok(Redirect::to("/").into_response());
    }
    let begun = Begun::new();
    let to = Url::parse_with_params(
        &format!("{}/authorize", client.issuer),
        [
            ("response_type", "code"),
            ("client_id", "example"),
            ("redirect_uri", &client.redirect_uri),
            ("state", &begun.state),
            ("code_challenge", &challenge(&begun.verifier)),
            ("code_challenge_method", "S256"),
        ],
    );
    let to = to.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let cookies = AppendHeaders(client.beginnings.remember(&begun, &headers));
    Ok((cookies, Redirect::to(to.as_str())).into_response())
}

/// Takes the browser back from the provider. There is one try for each beginning, whatever comes of it.
async fn callback(
    State(client): State<Client>,
    session: Session,
    headers: HeaderMap,
    answer: Result<Query<Answer>, QueryRejection>,
) -> Response {
    // A parameter is missing or there twice: no provider answers like that.
    let Ok(Query(answer)) = answer else {
        return Redirect::to(OVER).into_response();
    };
    // Without this, a link to here with an attacker's code would sign the reader in as the attacker.
    let Some(begun) = client.beginnings.find(&headers, &answer.state) else {
        return Redirect::to(OVER).into_response();
    };
    let done = finish(&client, &session, &begun, answer).await;
    (client.beginnings.forget(&begun), done).into_response()
}

async fn finish(
    client: &Client,
    session: &Session,
    begun: &Begun,
    answer: Answer,
) -> response::Result<Redirect> {
    // Where there are several providers, one of them could answer in the place of another.
    if answer.iss != client.issuer {
        return Err(failed(
            StatusCode::BAD_REQUEST,
            "Another provider answered.",
        ));
    }
    let Some(code) = answer.code else {
        return match answer.error.as_deref() {
            Some("access_denied") => Ok(Redirect::to("/")), // the user pressed Cancel
            _ => Err(failed(
                StatusCode::BAD_GATEWAY,
                "The provider could not sign you in.",
            )),
        };
    };
    let subject = match client.subject(&code, &begun.verifier).await {
        Ok(subject) => subject,
        Err(error) => {
            eprintln!("the provider did not say who it is: {error}");
            return match error.status() {
                // `invalid_grant`: the code is old, or was used when a reload cut off the first answer.
                Some(StatusCode::BAD_REQUEST) => Ok(Redirect::to(OVER)),
                _ => Err(failed(
                    StatusCode::BAD_GATEWAY,
                    "The provider does not answer.",
                )),
            };
        }
    };
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
        // Two providers may give two users the same name; an e-mail address may change its owner.
        Ok(format!("{}|{sub}", self.issuer))
    }
}

/// A page that the server renders: it has to know at its first request whether there is a session.
async fn page(session: Session, RawQuery(query): RawQuery) -> impl IntoResponse {
    let page = match (session.has_cookie(), query.as_deref()) {
        (true, _) => include_str!("page.html").to_owned(),
        (false, Some("over")) => sign_in(
            "This sign-in is over: its address was used before, or it took too long. Please begin again.",
        ),
        (false, _) => sign_in(""),
    };
    ([(header::CACHE_CONTROL, "no-store")], Html(page))
}

fn sign_in(sentence: &str) -> String {
    format!(
        r#"<!doctype html><title>Example</title><p>{sentence}</p><a href="/auth/begin">Sign in</a>"#
    )
}

/// Says why, and lets the user begin again.
fn failed(status: StatusCode, sentence: &str) -> response::ErrorResponse {
    (status, Html(sign_in(sentence))).into()
}

async fn script() -> impl IntoResponse {
    let kind = "text/javascript; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], include_str!("page.js"))
}

fn app(client: Client, url: &str, secure: bool) -> Result<Router, Error> {
    let keys = KeyRing::generate()?; // yours outlive the process: `KeyRing::from_env`
    let codec: TokenCodec = TokenCodec::nested(&keys)
        .issuer(url)
        .audience("oauth_redirect")
        .build()?;
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let sessions =
        RefreshCookieLayer::builder(codec.clone(), MemoryStore::new(), claims).same_site_lax();
    let csrf = CsrfLayer::builder(&keys);
    // The pages see the session, too, which the path `/auth` would keep from them.
    let (sessions, csrf) = match secure {
        true => (sessions.host_prefix(), csrf),
        false => (
            sessions.cookie_path("/").dangerous_insecure_cookie(),
            csrf.dangerous_insecure_cookie(),
        ),
    };
    let cookies = Router::new()
        .route("/", get(page))
        .route("/page.js", get(script))
        .route("/auth/begin", get(begin))
        .route("/auth/callback", get(callback))
        .nest_service("/auth", SessionEndpoints::new())
        .layer(
            ServiceBuilder::new()
                .layer(OriginGuardLayer::new([url.parse()?])?)
                .layer(sessions.build()?)
                .layer(csrf.build()?),
        );
    // Over plain http this process says so: no browser is to remember https for localhost.
    let scheme = match url.starts_with("https:") {
        true => ConnectionScheme::Https,
        false => ConnectionScheme::Http,
    };
    let whoami = |claims: Claims| async move { claims.subject().to_owned() };
    Ok(Router::new()
        .route("/api/whoami", get(whoami))
        .route_layer(BearerAuthLayer::new(codec))
        .merge(cookies)
        .layer(SecurityHeadersLayer::new())
        .layer(Extension(scheme))
        .with_state(client))
}

async fn listen(name: &str, default: &str) -> Result<TcpListener, Error> {
    let addr = env::var(name).unwrap_or_else(|_| default.into());
    let listener = TcpListener::bind(&addr).await;
    listener.map_err(|error| format!("{name}: `{addr}`: {error}").into())
}

/// `PUBLIC_URL`, if it is set.
fn public_url() -> Result<Option<String>, Error> {
    let Some(url) = env::var("PUBLIC_URL").ok().filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let origin = url.parse::<Origin>().map(|origin| origin.to_string());
    match origin {
        Ok(origin) if origin.starts_with("https://") && !origin.contains('*') => Ok(Some(origin)),
        _ => Err(format!("PUBLIC_URL: `{url}` is not like https://app.example").into()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let public_url = public_url()?;
    let ours = listen("ADDR", "127.0.0.1:3000").await?;
    let theirs = listen("PROVIDER_ADDR", "127.0.0.1:3001").await?;
    let listening = ours.local_addr()?;
    let secure = public_url.is_some() || !listening.ip().is_loopback();
    let url = public_url.unwrap_or_else(|| format!("http://localhost:{}", listening.port()));
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
            beginnings: Beginnings::new(secure),
        },
        &url,
        secure,
    )?;

    if !secure {
        println!(
            "The cookies go without `Secure` and `__Host-`: Safari keeps none with them over plain http, not \
             even on localhost. With PUBLIC_URL=https://... they have both."
        );
    }

    println!("Open {url} in a browser.");
    println!("Sign in as dev@example.com: the provider, {issuer}, asks for no password.");
    tokio::select! {
        done = axum::serve(ours, app).into_future() => done?,
        done = axum::serve(theirs, provider).into_future() => done?,
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
