//! An API that knows an issuer by its JWK Set alone. The issuer replaces its key, goes away and comes back.

use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use tokio::time::{Duration, Instant, sleep};

use crate::support::{Answer, Browser, LOCAL, PATIENCE, Port, Program, READY, example};

/// The API, or its issuer, in a process of its own.
async fn start(only: &str, issuer: &str) -> (Program, Browser) {
    let mut command = example("microservice");
    command
        .env("ONLY", only)
        .env("ISSUER_ADDR", issuer)
        .env("API_ADDR", LOCAL);
    let program = Program::start(&mut command, READY).await;
    let browser = Browser::new(program.url(0));
    (program, browser)
}

/// A token of no issuer, under a name that no key has.
fn forged() -> String {
    let header = r#"{"alg":"EdDSA","kid":"forged","typ":"at+jwt"}"#;
    format!("{}.e30.AAAA", BASE64URL.encode_to_string(header))
}

async fn mint(issuer: &mut Browser) -> String {
    let minted = issuer.post("/token/alice").await;
    minted.is(200);
    minted.body
}

async fn refuses(api: &mut Browser, token: &str) {
    let answer = api.get("/me").bearer(token).await;
    answer
        .is(401)
        .has("www-authenticate", r#"Bearer *error="invalid_token""#);
}

async fn takes(api: &mut Browser, token: &str) {
    let answer = api.get("/me").bearer(token).await;
    answer.is(200).says_just("alice");
}

/// Asks until the answer has this status: the API fetches keys by itself, but at most once a second.
async fn until(status: u16, mut ask: impl AsyncFnMut() -> Answer) {
    let begin = Instant::now();
    loop {
        let answer = ask().await;
        if begin.elapsed() > PATIENCE || answer.has_status(status) {
            answer.is(status);
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// A token of a new key passes once the API has asked for keys again.
async fn learns(api: &mut Browser, token: &str) {
    refuses(api, token).await;
    until(200, async || api.get("/me").bearer(token).await).await;
}

#[tokio::test]
async fn an_api_and_its_issuer() {
    // Known before the issuer listens there.
    let port = Port::reserve();
    let address = format!("127.0.0.1:{}", port.number());
    let forged = forged();

    // The API alone.
    let (service, mut api) = start("api", &address).await;
    api.get("/ready").await.is(503);
    api.get("/me").await.is(401);
    let unsure = api.get("/me").bearer(&forged).await;
    unsure.is(503).lacks("www-authenticate", "");
    let wait = unsure.headers["retry-after"].to_str().unwrap();
    assert!(wait.parse::<u32>().is_ok(), "{wait}");

    // And the issuer.
    let (other, mut issuer) = start("issuer", &address).await;
    until(200, async || api.get("/ready").await).await;
    let set = issuer.get("/.well-known/jwks.json").await;
    set.is(200);
    assert!(!set.body.contains(r#""d""#), "a private key is published");
    let first = mint(&mut issuer).await;
    takes(&mut api, &first).await;
    let nothing = api.get("/me").await;
    nothing
        .is(401)
        .has("www-authenticate", r#"Bearer realm="api""#);
    let signed = &first[..first.len() - 5];
    refuses(&mut api, &format!("{signed}AAAAA")).await;

    // A made-up name of a key, before and after the API has asked for it.
    refuses(&mut api, &forged).await;
    sleep(Duration::from_millis(1100)).await; // the cool-down of the example
    refuses(&mut api, &forged).await;

    // The issuer replaces its key, and once more.
    issuer.post("/rotate").await.is(204);
    let second = mint(&mut issuer).await;
    takes(&mut api, &first).await;
    learns(&mut api, &second).await;
    takes(&mut api, &first).await;
    issuer.post("/rotate").await.is(204);
    let third = mint(&mut issuer).await;
    learns(&mut api, &third).await;
    takes(&mut api, &second).await;
    refuses(&mut api, &first).await;

    // The issuer goes away.
    other.kill();
    sleep(Duration::from_millis(1100)).await;
    takes(&mut api, &second).await;
    refuses(&mut api, &forged).await;
    api.get("/ready").await.is(200);
    service.reports("could not be reached").await;
}
