//! A client of the application's own: it fetches, and the rules stay the crate's.

use std::{
    error::Error,
    fmt,
    future::pending,
    io,
    iter::successors,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use tower_bearer::{
    NoClaims,
    jwks::{Fetch, JwksErrorKind, RemoteIssuer, RemoteJwks},
};

use super::{
    Api,
    discovery::document,
    issuer::{Issuer, Reply, eventually},
    signer,
};

type Answer = Result<Response<Bytes>, Box<dyn Error + Send + Sync>>;

type Says = Box<dyn Fn(&Request<()>) -> Answer + Send>;

/// Answers from memory, and remembers what it was asked.
#[derive(Clone)]
struct Table {
    answer: Arc<Mutex<Says>>,
    asked: Arc<Mutex<Vec<Request<()>>>>,
    hangs: bool,
}

impl Table {
    fn new(answer: impl Fn(&Request<()>) -> Answer + Send + 'static) -> Self {
        Self {
            answer: Arc::new(Mutex::new(Box::new(answer))),
            asked: Arc::default(),
            hangs: false,
        }
    }

    fn says(&self, answer: impl Fn(&Request<()>) -> Answer + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    fn requests(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Fetch for Table {
    async fn fetch(&self, request: Request<()>, limit: usize) -> Answer {
        assert_eq!(limit, 65_536);
        // A client that panics leaves no lock behind.
        let answer = {
            let answer = self.answer.lock().unwrap_or_else(|e| e.into_inner());
            let answer =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| answer(&request)));
            self.asked.lock().unwrap().push(request);
            answer
        };
        if self.hangs {
            pending::<()>().await;
        }
        answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn ok(body: impl Into<Bytes>) -> Answer {
    Ok(Response::new(body.into()))
}

fn status(status: u16) -> Answer {
    Ok(Response::builder().status(status).body(Bytes::new())?)
}

fn api(table: &Table) -> Api {
    let url = "https://id.example/jwks?tenant=a".to_owned();
    Api::with(url, |builder| builder.fetch(table.clone()))
}

#[tokio::test]
async fn it_is_asked_for_the_set_and_for_the_metadata() {
    let key = signer("a", 1);
    let set = key.jwks();
    let table = Table::new(move |_| ok(set.clone()));
    let remote = api(&table);
    remote.keys.refresh().await.unwrap();
    assert_eq!(remote.status(&remote.token(&key)).await, 200);
    let asked = std::mem::take(&mut *table.asked.lock().unwrap());
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].method(), "GET");
    assert_eq!(asked[0].uri(), "https://id.example/jwks?tenant=a");
    let headers = asked[0].headers();
    assert!(headers["accept"].to_str().unwrap().contains("jwk-set+json"));
    // The client decides what it decodes.
    assert!(!headers.contains_key("accept-encoding"));

    let set = key.jwks();
    table.says(move |request| match request.uri().path() {
        "/.well-known/openid-configuration" => status(404),
        "/.well-known/oauth-authorization-server" => {
            ok(document("https://id.example/", "https://keys.example/set"))
        }
        _ => ok(set.clone()),
    });
    let issuer = RemoteIssuer::builder("https://id.example/");
    let issuer = issuer.fetch(table.clone()).build().unwrap();
    issuer.refresh().await.unwrap();
    let asked = table.asked.lock().unwrap();
    let asked: Vec<_> = asked.iter().map(|asked| asked.uri().to_string()).collect();
    assert_eq!(
        asked,
        [
            "https://id.example/.well-known/openid-configuration",
            "https://id.example/.well-known/oauth-authorization-server",
            "https://keys.example/set",
        ]
    );
    let codec = issuer.codec::<NoClaims>().audience("api").build();
    assert!(codec.is_ok());
}

/// Its answers are judged as any are.
#[tokio::test]
async fn the_rules_stay() {
    let key = signer("a", 1);
    let set = key.jwks();
    let table = Table::new(|_| Err("no route by the proxy".into()));
    let api = api(&table);
    let refused = async || api.keys.refresh().await.unwrap_err();
    let error = refused().await;
    assert_eq!(error.kind(), JwksErrorKind::Connection);
    // Which client it was, and which URL, without its query.
    assert_eq!(
        error.to_string(),
        "the issuer could not be reached by the client of `fetch`: no route by the proxy (https://id.example/jwks)"
    );

    for other in [204, 301, 304, 404, 500] {
        table.says(move |_| status(other));
        let error = refused().await;
        assert_eq!(error.status().unwrap(), other);
    }
    table.says(|_| status(407));
    let error = refused().await.to_string();
    assert!(error.contains("a proxy on the way"), "{error}");
    assert!(!error.contains("check the URL"), "{error}");
    let long = format!("{set}{}", " ".repeat(65_537 - set.len()));
    table.says(move |_| ok(long.clone()));
    assert_eq!(refused().await.kind(), JwksErrorKind::TooLarge);
    let body = set.clone();
    table.says(move |_| {
        let answer = Response::builder().header("content-encoding", "zstd");
        Ok(answer.body(body.clone().into())?)
    });
    assert_eq!(refused().await.kind(), JwksErrorKind::Encoded);
    table.says(|_| ok("{}"));
    assert_eq!(refused().await.kind(), JwksErrorKind::Invalid);
    assert_eq!(api.status(&api.token(&key)).await, 503);

    let body = set.clone();
    table.says(
        move |request| match request.headers().get("if-none-match") {
            None => Ok(Response::builder()
                .header("etag", "\"1\"")
                .body(body.clone().into())?),
            Some(tag) if tag == "\"1\"" => status(304),
            Some(_) => status(412),
        },
    );
    for _ in 0..3 {
        api.keys.refresh().await.unwrap();
    }
    assert_eq!(api.status(&api.token(&key)).await, 200);
}

/// An error that names the whole URL, as those of many clients do.
#[derive(Debug)]
struct NoRoute {
    url: String,
    cause: io::Error,
}

impl fmt::Display for NoRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error sending request for url ({})", self.url)
    }
}

impl Error for NoRoute {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

/// The URL holds a code: it stands in no log, whatever is printed.
#[tokio::test]
async fn the_url_in_a_clients_error_is_not_shown() {
    let table = Table::new(|request| {
        Err(Box::new(NoRoute {
            url: request.uri().to_string(),
            cause: io::Error::other("no route by the proxy"),
        }))
    });
    let url = "https://id.example/jwks?code=hunter2".to_owned();
    let api = Api::with(url, |builder| builder.fetch(table));
    let error = api.keys.refresh().await.unwrap_err();
    let health = api.keys.health();
    assert!(error.source().unwrap().is::<NoRoute>());
    for text in [
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}"),
        format!("{health:?}"),
    ] {
        assert!(text.contains("no route by the proxy"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

/// The client of the documentation of `Fetch`.
struct ByReqwest(reqwest::Client);

impl Fetch for ByReqwest {
    async fn fetch(&self, request: Request<()>, limit: usize) -> Answer {
        let (parts, ()) = request.into_parts();
        let request = self.0.get(parts.uri.to_string()).headers(parts.headers);
        let answer = request.send().await;
        let mut answer = answer.map_err(reqwest::Error::without_url)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)?
            && body.len() <= limit
        {
            body.extend_from_slice(&chunk);
        }
        Ok(Response::new(body.into()))
    }
}

/// Neither does any source hold it, of a request that fails or of an answer that breaks off.
#[tokio::test]
async fn the_documented_client_keeps_the_url_to_itself() {
    let broken = Issuer::start(Reply::Break("{".to_owned())).await;
    for url in ["http://127.0.0.1:9/jwks".to_owned(), broken.url()] {
        let client = reqwest::Client::builder();
        let client = client.redirect(reqwest::redirect::Policy::none());
        let client = ByReqwest(client.build().unwrap());
        let api = Api::with(format!("{url}?code=hunter2"), |b| b.fetch(client));
        let error = api.keys.refresh().await.unwrap_err();
        assert_eq!(error.kind(), JwksErrorKind::Connection);
        let outermost: &(dyn Error + 'static) = &error;
        let chain: Vec<_> = successors(Some(outermost), |&error| error.source()).collect();
        assert!(chain.len() > 1, "{chain:?}");
        for error in chain {
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_client_that_panics_is_a_failed_request() {
    let key = signer("a", 1);
    let set = key.jwks();
    let table = Table::new(|_| panic!("the client's own fault, wanted by this test"));
    let api = api(&table);
    let error = api.keys.refresh().await.unwrap_err();
    assert_eq!(error.kind(), JwksErrorKind::Connection);
    let said = "by the client of `fetch`: the client panicked";
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(api.brief(&api.token(&key)).await, (503, Some(1)));
    // The same task goes on.
    table.says(move |_| ok(set.clone()));
    api.skip_secs(1).await;
    eventually("ready", || api.keys.health().is_ready()).await;
    assert_eq!(api.status(&api.token(&key)).await, 200);
}

#[tokio::test]
async fn a_client_that_hangs_is_a_failed_request() {
    let table = Table {
        hangs: true,
        ..Table::new(|_| ok("{}"))
    };
    let api = api(&table);
    eventually("asked", || table.requests() == 1).await;
    api.skip(Duration::from_secs(5)).await;
    eventually("failed", || api.keys.health().failures() == 1).await;
    let health = api.keys.health();
    assert_eq!(health.last_error().unwrap().kind(), JwksErrorKind::TimedOut);
    api.skip_secs(1).await;
    eventually("asked again", || table.requests() == 2).await;
}

/// No certificate of the system is read, and none may be named.
#[test]
fn certificates_beside_it_are_a_configuration_error() {
    let table = || Table::new(|_| status(404));
    let keys = RemoteJwks::builder("https://id.example/jwks").fetch(table());
    let error = keys.root_certificates("x").build().unwrap_err();
    assert_eq!(error.setting(), "root_certificates");
    assert!(error.problem().contains("`fetch`"), "{error}");
    let issuer = RemoteIssuer::builder("https://id.example").fetch(table());
    let error = issuer.root_certificates("x").build().unwrap_err();
    assert_eq!(error.setting(), "root_certificates");
    // The address is judged as ever.
    let plain = RemoteJwks::builder("http://id.example/jwks").fetch(table());
    assert_eq!(plain.build().unwrap_err().setting(), "url");
}
