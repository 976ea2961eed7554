//! The front door without a framework: hyper, its layers, and a `match` for a router.
//!
//! ```sh
//! cargo run -p example-hyper
//! ```
//!
//! Sign in, refresh, and ask who you are:
//!
//! ```sh
//! url=http://127.0.0.1:3000
//! csrf=$(curl -s -c jar $url/auth/csrf | cut -d '"' -f 4)
//! curl -b jar -c jar -H "Origin: $url" -H "X-CSRF-Token: $csrf" \
//!   -d '{"email":"dev@example.com","password":"correct horse battery staple"}' $url/auth/login
//! csrf=$(curl -s -b jar -c jar $url/auth/csrf | cut -d '"' -f 4)
//! curl -b jar -c jar -H "Origin: $url" -H "X-CSRF-Token: $csrf" -X POST $url/auth/refresh
//! curl -H 'Authorization: Bearer <the access token of either>' $url/api/me
//! ```
//!
//! Settings, optional: `ADDR`. The keys are made anew at each start, so a restart signs every user out. Yours come from
//! `KeyRing::from_env` (see the example `keygen`).

use std::{convert::Infallible, env, pin::pin, time::Duration};

use bytes::Bytes;
use example_users::{DEMO_EMAIL, DEMO_PASSWORD, Users};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use serde::Deserialize;
use serde_json::json;
use tokio::{net::TcpListener, time};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_bearer::{
    Auth, Claims, ClaimsError, ClaimsRequest, KeyRing, MemoryStore, NoClaims, Problem, Session,
    SessionEndpoints, headers::ConnectionScheme,
};

/// The guards write into the body of what they refuse.
type Body = Full<Bytes>;
type Answer = Response<Body>;

/// The body of `POST /auth/login`.
#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

/// A failure of the application's own, in the form of all others (RFC 9457).
fn failure(status: StatusCode, code: &'static str, title: &'static str) -> Answer {
    Problem::new(status, code, title).response()
}

fn not_found() -> Answer {
    failure(StatusCode::NOT_FOUND, "not_found", "There is nothing here")
}

fn bad_request() -> Answer {
    failure(
        StatusCode::BAD_REQUEST,
        "bad_request",
        "The request is not understood",
    )
}

fn body(content_type: &'static str, body: String) -> Answer {
    let mut answer = Answer::new(body.into());
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Checks the password; the rest is the layer's. The cookie travels with the response.
async fn login(users: Users, request: Request<Incoming>) -> Result<Answer, BoxError> {
    let (parts, content) = request.into_parts();
    let session = Session::from_extensions(&parts.extensions)?;
    // Without a limit, the client decides how long a body is.
    let Ok(content) = Limited::new(content, 4096).collect().await else {
        return Ok(bad_request());
    };
    let Ok(Login { email, password }) = serde_json::from_slice(&content.to_bytes()) else {
        return Ok(bad_request());
    };
    let Some(user) = users.check(&email, password).await else {
        let title = "E-mail address or password is wrong";
        return Ok(failure(
            StatusCode::UNAUTHORIZED,
            "wrong_credentials",
            title,
        ));
    };
    Ok(match session.start(&user.id).await {
        Ok(token) => body("application/json", serde_json::to_string(&token)?),
        Err(error) => error.response().map(Body::from),
    })
}

/// Everything below `/auth`.
async fn below_auth(
    users: Users,
    mut endpoints: SessionEndpoints<Body>,
    request: Request<Incoming>,
) -> Result<Answer, BoxError> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/auth/login") => login(users, request).await,
        // Csrf, refresh, logout, logout-all, session, sessions; 404 for everything else.
        _ => Ok(endpoints.call(request).await?),
    }
}

/// Everything below `/api`: the layer has verified the token.
async fn below_api(request: Request<Incoming>) -> Result<Answer, BoxError> {
    let claims = Claims::<NoClaims>::from_extensions(request.extensions())?;
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, "/api/me") => {
            let me = json!({ "subject": claims.subject() });
            body("application/json", me.to_string())
        }
        _ => not_found(),
    })
}

/// A mistake of ours, such as a layer that is missing: the log has it, the client does not.
fn internal(error: &BoxError) -> Answer {
    eprintln!("{error}");
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    failure(status, "internal", "The server is at fault")
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(addr).await?;
    let url = format!("http://{}", listener.local_addr()?);

    let (keys, users) = (KeyRing::generate()?, Users::demo()?);
    let accounts = users.clone();
    let auth = Auth::builder(&keys)
        .issuer("https://id.example")
        .audience("hyper")
        .claims(move |request: ClaimsRequest| {
            let account = accounts.by_id(request.subject()).map(|_| NoClaims {});
            async move { account.ok_or(ClaimsError::Denied) }
        })
        .store(MemoryStore::new())
        .origins([url.parse()?])
        .build()?;

    // The routes that are authenticated by cookie, behind the guards, and those that are authenticated by access token.
    // Neither does any work of its own when it is cloned.
    let endpoints = auth.endpoints();
    let by_cookie = auth.guards().layer(service_fn(move |request| {
        below_auth(users.clone(), endpoints.clone(), request)
    }));
    let by_token = auth.bearer().layer(service_fn(below_api));
    let app = ServiceBuilder::new()
        // This process speaks plain http, and says so: no browser is to remember https for localhost.
        .map_request(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectionScheme::Http);
            request
        })
        .layer(auth.headers())
        .service(service_fn(move |request: Request<Incoming>| {
            let (by_cookie, by_token) = (by_cookie.clone(), by_token.clone());
            async move {
                let answer = match request.uri().path() {
                    path if path.starts_with("/auth/") => by_cookie.oneshot(request).await,
                    path if path.starts_with("/api/") => by_token.oneshot(request).await,
                    _ => Ok(not_found()),
                };
                Ok::<_, Infallible>(answer.unwrap_or_else(|error| internal(&error)))
            }
        }));

    println!("Open {url} with curl.");
    println!("Sign in as {DEMO_EMAIL} with the password: {DEMO_PASSWORD}");
    serve(listener, app).await
}

/// Accepts connections until ctrl-c, then lets those that are under way finish.
async fn serve<S>(listener: TcpListener, app: S) -> Result<(), BoxError>
where
    S: Service<Request<Incoming>, Response = Answer, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let mut server = auto::Builder::new(TokioExecutor::new());
    // Without a timer hyper waits for the head of a request for ever. A connection that never sends the first bytes,
    // which tell the version, is held all the same. The proxy in front ends those.
    server.http1().timer(TokioTimer::new());
    let open = GracefulShutdown::new();
    let mut ctrl_c = pin!(tokio::signal::ctrl_c());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut ctrl_c => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: some will be free in a moment.
            time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let app = TowerToHyperService::new(app.clone());
        let connection = server.serve_connection(TokioIo::new(stream), app);
        let connection = open.watch(connection.into_owned());
        tokio::spawn(async move {
            // A failure on one connection concerns no other one.
            let _ = connection.await;
        });
    }
    drop(listener);
    let _ = time::timeout(Duration::from_secs(10), open.shutdown()).await;
    Ok(())
}
