//! Signing in at a provider by redirect: the way of a browser, and what must not work.

use std::process::Command;

use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use reqwest::Url;
use ring::digest::{SHA256, digest};

use crate::support::{Answer, Browser, LOCAL, Program, READY, example};

/// The cookie with the state, and the verifier that stays here.
const PENDING: &str = "__Host-signing-in";

/// The application and its provider.
struct Place {
    service: Program,
    url: String,
    provider: String,
}

impl Place {
    async fn new() -> Self {
        let mut command = example("oauth_redirect");
        command.env("ADDR", LOCAL).env("PROVIDER_ADDR", LOCAL);
        let service = Program::start(&mut command, READY).await;
        let out = service.out();
        let provider = out
            .split_once("the provider, ")
            .and_then(|(_, rest)| rest.split_once(','));
        let (provider, _) = provider.expect("the provider's address");
        let url = service.url(0);
        assert!(url.starts_with("http://localhost:"), "{url}");
        assert!(provider.starts_with("http://127.0.0.1:"), "{provider}");
        Self {
            provider: provider.to_owned(),
            service,
            url,
        }
    }

    /// A browser without a session.
    fn browser(&self) -> Browser {
        Browser::new(self.url.clone())
    }

    /// A browser that has been at the provider and back.
    async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        self.go_round(&mut browser).await;
        browser
    }

    async fn go_round(&self, browser: &mut Browser) {
        let back = self.allow(&begin(browser).await).await;
        callback(browser, &back).await.is(303);
    }

    /// Presses a button at the provider. Returns the address that the browser is sent to.
    async fn press(&self, to: &str, allow: bool) -> String {
        let mut browser = Browser::new(self.provider.clone());
        let to = to.strip_prefix(&self.provider).expect("the provider's");
        let page = browser.get(to).await;
        page.is(200);
        let request = page
            .body
            .split_once(r#"name="request" value=""#)
            .and_then(|(_, rest)| rest.split_once('"'));
        let (request, _) = request.expect("a form");
        let pressed = browser
            .post("/authorize")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("request={request}&allow={allow}"))
            .await;
        let back = pressed.is(303).location();
        assert!(
            back.starts_with(&format!("{}/auth/callback?", self.url)),
            "{back}"
        );
        back
    }

    async fn allow(&self, to: &str) -> String {
        self.press(to, true).await
    }

    /// The address of a way back that is put together by hand.
    fn back(&self, code: &str, state: &str, issuer: &str) -> String {
        let mut url = Url::parse(&format!("{}/auth/callback", self.url)).unwrap();
        url.query_pairs_mut()
            .extend_pairs([("code", code), ("state", state), ("iss", issuer)]);
        url.into()
    }

    /// Asks as the page's script does.
    async fn knows(&self, browser: &mut Browser) {
        let token = browser.refresh().await.is(200).access_token();
        let who = browser.get("/api/whoami").bearer(&token).await;
        who.is(200).says_just(&format!("{}|248289", self.provider));
    }
}

/// The browser is sent to the provider, to this address.
async fn begin(browser: &mut Browser) -> String {
    browser.get("/auth/begin").await.is(303).location()
}

/// The browser comes back. There was one try, whatever comes of it.
async fn callback(browser: &mut Browser, address: &str) -> Answer {
    let path = address.strip_prefix(&browser.url).unwrap().to_owned();
    let answer = browser.get(&path).await;
    answer.has("set-cookie", &format!("{PENDING}=; *Max-Age=0"));
    answer
}

async fn is_signed_in(browser: &mut Browser) {
    let page = browser.get("/").await;
    page.is(200).says("Signed in as").says(r#"src="/page.js""#);
}

async fn is_signed_out(browser: &mut Browser) {
    let page = browser.get("/").await;
    page.is(200).says(r#"href="/auth/begin""#);
}

fn parameter(name: &str, address: &str) -> String {
    let url = Url::parse(address).unwrap();
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    let (_, value) = found.unwrap_or_else(|| panic!("no `{name}` in {address}"));
    value.into_owned()
}

#[tokio::test]
async fn the_page_and_its_script() {
    let place = Place::new().await;
    let mut browser = place.browser();
    is_signed_out(&mut browser).await;
    let policy = "default-src 'self'; *frame-ancestors 'none'";
    let page = browser.get("/").await;
    page.is(200)
        .has("cache-control", "no-store")
        .has("content-security-policy", policy)
        .lacks("strict-transport-security", "");
    let script = browser.get("/page.js").await;
    script.is(200).has("content-type", "text/javascript");
    place.service.stops().await;
}

#[tokio::test]
async fn the_script_parses() {
    let place = Place::new().await;
    let script = place.browser().get("/page.js").await;
    script.is(200);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.mjs");
    std::fs::write(&file, &script.body).unwrap();
    let checked = Command::new("node").arg("--check").arg(&file).output();
    let checked = checked.expect("Node.js is not installed: `apt-get install nodejs`");
    assert!(checked.status.success(), "{checked:?}");
}

#[tokio::test]
async fn there_and_back() {
    let place = Place::new().await;
    let mut browser = place.browser();
    browser.get("/").await.has("set-cookie", "__Host-csrf=");
    let begun = browser.get("/auth/begin").await;
    let to = begun
        .is(303)
        .has(
            "set-cookie",
            &format!("{PENDING}=*.*; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"),
        )
        .location();
    assert!(
        to.starts_with(&format!("{}/authorize?", place.provider)),
        "{to}"
    );
    // The verifier, and nothing that could be used in its place, stays here.
    let pending = browser.jar.value(PENDING).unwrap();
    let (state, verifier) = pending.split_once('.').unwrap();
    for part in [state, verifier] {
        let bytes = BASE64URL.decode_to_vec(part).unwrap();
        assert_eq!(bytes.len(), 32);
    }
    assert_eq!(parameter("state", &to), state);
    assert!(!to.contains(verifier), "{to}");
    assert_eq!(parameter("code_challenge_method", &to), "S256");
    let challenge = BASE64URL.encode_to_string(digest(&SHA256, verifier.as_bytes()));
    assert_eq!(parameter("code_challenge", &to), challenge);

    let back = place.allow(&to).await;
    let signed_in = callback(&mut browser, &back).await;
    assert_eq!(signed_in.location(), "/");
    signed_in
        .is(303)
        .has(
            "set-cookie",
            "__Host-refresh_token=*HttpOnly*SameSite=Lax*Secure*Path=/",
        )
        .has("set-cookie", "__Host-csrf=");
    assert_eq!(browser.jar.len(), 2);
    is_signed_in(&mut browser).await;
    place.knows(&mut browser).await;
    // An address is good for once.
    callback(&mut browser, &back).await.is(400);
    is_signed_in(&mut browser).await;
}

#[tokio::test]
async fn a_sign_in_over_a_live_session_replaces_it() {
    let place = Place::new().await;
    let mut browser = place.signed_in().await;
    let mut replaced = browser.clone();
    place.go_round(&mut browser).await;
    replaced.refresh().await.is(409);
    place.knows(&mut browser).await;
    let sessions = browser.get("/auth/sessions").await;
    sessions.is(200);
    assert_eq!(sessions.body.matches(r#""current":"#).count(), 1);
}

#[tokio::test]
async fn cancelled() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let to = begin(&mut browser).await;
    let back = place.press(&to, false).await;
    assert_eq!(parameter("error", &back), "access_denied");
    callback(&mut browser, &back).await.is(303);
    is_signed_out(&mut browser).await;
}

#[tokio::test]
async fn a_way_back_that_this_browser_has_not_begun() {
    let place = Place::new().await;
    let [mut thief, mut browser] = [place.browser(), place.browser()];
    let theirs = place.allow(&begin(&mut thief).await).await;
    callback(&mut browser, &theirs).await.is(400);
    is_signed_out(&mut browser).await;

    // With a beginning of its own, whose state is another one. That is seen before the provider is asked.
    begin(&mut browser).await;
    let refused = callback(&mut browser, &theirs).await;
    refused.is(400).says("this browser began another sign-in");
    assert_eq!(place.service.err(), "");
    is_signed_out(&mut browser).await;

    let back = place.allow(&begin(&mut browser).await).await;
    let other = place.back(&parameter("code", &back), "other", &parameter("iss", &back));
    callback(&mut browser, &other).await.is(400);
    is_signed_out(&mut browser).await;
}

#[tokio::test]
async fn a_stolen_code_with_the_state_of_the_thiefs_own_beginning() {
    let place = Place::new().await;
    let [mut browser, mut thief] = [place.browser(), place.browser()];
    let back = place.allow(&begin(&mut browser).await).await;
    let state = parameter("state", &begin(&mut thief).await);
    let mixed = place.back(&parameter("code", &back), &state, &parameter("iss", &back));
    callback(&mut thief, &mixed).await.is(400);
    place
        .service
        .reports("the provider did not say who it is")
        .await;
    is_signed_out(&mut thief).await;
}

#[tokio::test]
async fn an_answer_in_the_name_of_another_provider() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let back = place.allow(&begin(&mut browser).await).await;
    let [code, state] = ["code", "state"].map(|name| parameter(name, &back));
    let other = place.back(&code, &state, "https://evil.example");
    callback(&mut browser, &other).await.is(400);
    is_signed_out(&mut browser).await;
}

#[tokio::test]
async fn the_provider_sends_no_browser_elsewhere() {
    let place = Place::new().await;
    for (name, value) in [
        ("redirect_uri", "https://evil.example/"),
        ("client_id", "other"),
        ("code_challenge_method", "plain"),
        ("response_type", "token"),
    ] {
        let to = Url::parse(&begin(&mut place.browser()).await).unwrap();
        let mut asked = to.clone();
        asked.query_pairs_mut().clear();
        for (key, old) in to.query_pairs() {
            let value = if key == name { value } else { &*old };
            asked.query_pairs_mut().append_pair(&key, value);
        }
        assert_ne!(asked, to);
        let path = format!("{}?{}", asked.path(), asked.query().unwrap());
        let mut provider = Browser::new(place.provider.clone());
        provider.get(&path).await.is(400);
    }
}

#[tokio::test]
async fn what_lax_does_not_keep_out_the_guards_do() {
    let place = Place::new().await;
    let mut browser = place.signed_in().await;
    let foreign = browser.refresh().header("origin", &place.provider).await;
    foreign.is(403).lacks("set-cookie", "");
    let unmarked = browser.post("/auth/logout").no_csrf().await;
    unmarked.is(403).lacks("set-cookie", "__Host-refresh_token");
    // The method that Lax travels with changes nothing.
    browser.get("/auth/logout").await.is(405);
    place.knows(&mut browser).await;
    let ended = browser.post("/auth/logout").await;
    ended
        .is(204)
        .has("set-cookie", "__Host-refresh_token=;*Max-Age=0");
    is_signed_out(&mut browser).await;
}
