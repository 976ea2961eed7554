//! Signing in at a provider by redirect: the way of a browser, and what must not work.

use std::process::Command;

use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use ring::digest::{SHA256, digest};
use url::Url;

use crate::support::{Answer, Browser, Ended, LOCAL, Program, Proxy, READY, example};

/// How the cookies begin that hold a state, and the verifier that stays here.
const BEGUN: &str = "signing-in-";

/// The application and its provider.
struct Place {
    service: Program,
    url: String,
    provider: String,
}

impl Place {
    /// As it comes, but on ports that are free.
    async fn new() -> Self {
        let place = Self::with(&[]).await;
        let url = &place.url;
        assert!(url.starts_with("http://localhost:"), "{url}");
        place
    }

    /// With these settings.
    async fn with(settings: &[(&str, &str)]) -> Self {
        let mut command = example("oauth_redirect");
        command.env("ADDR", LOCAL).env("PROVIDER_ADDR", LOCAL);
        command.envs(settings.iter().copied());
        let service = Program::start(&mut command, READY).await;
        let out = service.out();
        let provider = out
            .split_once("the provider, ")
            .and_then(|(_, rest)| rest.split_once(','));
        let (provider, _) = provider.expect("the provider's address");
        let url = service.url(0);
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

/// The browser comes back, and that sign-in ends here, whatever comes of it.
async fn callback(browser: &mut Browser, address: &str) -> Answer {
    let answer = back_at(browser, address).await;
    let own = begun(&parameter("state", address));
    let cleared: Vec<_> = answer
        .cookies()
        .filter(|(name, _)| name.starts_with(BEGUN))
        .collect();
    assert_eq!(cleared, [(&*own, "")], "{answer:?}");
    answer.has("set-cookie", &format!("{own}=; *Max-Age=0"));
    answer
}

/// The browser comes to this address, and is sent to the page. Neither a session nor a sign-in is touched.
async fn is_over(browser: &mut Browser, address: &str) {
    let answer = back_at(browser, address).await;
    answer
        .is(303)
        .lacks("set-cookie", BEGUN)
        .lacks("set-cookie", "refresh_token");
    assert_eq!(answer.location(), "/?over");
}

async fn back_at(browser: &mut Browser, address: &str) -> Answer {
    let path = address.strip_prefix(&browser.url).unwrap().to_owned();
    browser.get(&path).await
}

/// The name of the cookie for the sign-in of this state.
fn begun(state: &str) -> String {
    let hash = BASE64URL.encode_to_string(digest(&SHA256, state.as_bytes()));
    format!("{BEGUN}{}", &hash[..16])
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
    browser.get("/").await.has("set-cookie", "csrf=");
    let beginning = browser.get("/auth/begin").await;
    let to = beginning
        .is(303)
        .has(
            "set-cookie",
            &format!("{BEGUN}*=*.*; Path=/; HttpOnly; SameSite=Lax; Max-Age=600"),
        )
        .lacks("set-cookie", "*Secure")
        .location();
    assert!(
        to.starts_with(&format!("{}/authorize?", place.provider)),
        "{to}"
    );
    // The verifier, and nothing that could be used in its place, stays here.
    let pending = browser.jar.value(&begun(&parameter("state", &to)));
    let pending = pending.expect("a cookie named after the state");
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
        .has("set-cookie", "refresh_token=*HttpOnly*SameSite=Lax*Path=/")
        .has("set-cookie", "csrf=")
        // Safari would keep none.
        .lacks("set-cookie", "*Secure");
    let out = place.service.out();
    assert_eq!(out.matches("Safari").count(), 1, "{out}");
    // Refresh cookie, jar cookie, CSRF cookie.
    assert_eq!(browser.jar.len(), 3);
    is_signed_in(&mut browser).await;
    place.knows(&mut browser).await;
}

#[tokio::test]
async fn there_and_back_over_https() {
    let proxy = Proxy::nginx_with_tls("location / { proxy_pass http://127.0.0.1:3000; }").await;
    let settings = [("ADDR", proxy.service()), ("PUBLIC_URL", proxy.url())];
    let settings = settings.each_ref().map(|(name, value)| (*name, &**value));
    let place = Place::with(&settings).await;
    assert_eq!(place.url, proxy.url());
    let out = place.service.out();
    assert!(!out.contains("Safari"), "{out}");

    let mut browser = proxy.browser();
    let beginning = browser.get("/auth/begin").await;
    let to = beginning
        .is(303)
        .has(
            "set-cookie",
            "__Host-signing-in-*=*.*; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600",
        )
        .location();
    let back = place.allow(&to).await;
    let signed_in = back_at(&mut browser, &back).await;
    assert_eq!(signed_in.is(303).location(), "/");
    signed_in
        .has("set-cookie", "__Host-signing-in-*=; *Max-Age=0")
        .has(
            "set-cookie",
            "__Host-refresh_token=*HttpOnly*SameSite=Lax*Secure*Path=/",
        )
        .has("set-cookie", "__Host-csrf=*Secure*Path=/");
    // Refresh cookie, jar cookie, CSRF cookie.
    assert_eq!(browser.jar.len(), 3);
    is_signed_in(&mut browser).await;
    let page = browser.get("/").await;
    page.has("strict-transport-security", "max-age=");
    place.knows(&mut browser).await;
    browser.post("/auth/logout").await.is(204);
    is_signed_out(&mut browser).await;
}

#[tokio::test]
async fn cookies_are_secure_where_others_can_ask() {
    let place = Place::with(&[("ADDR", "0.0.0.0:0")]).await;
    let out = place.service.out();
    assert!(!out.contains("Safari"), "{out}");
    let mut browser = place.browser();
    let beginning = browser.get("/auth/begin").await;
    beginning.has("set-cookie", "__Host-signing-in-*; Secure;");
    let page = browser.get("/").await;
    page.has("set-cookie", "__Host-csrf=*Secure");
}

#[tokio::test]
async fn an_address_that_browsers_cannot_have_keeps_it_from_starting() {
    for url in [
        "app.example",
        "http://app.example",
        "https://app.example/",
        "https://app.example/path",
        "https://*.app.example",
        "null",
    ] {
        let mut command = example("oauth_redirect");
        command.env("ADDR", LOCAL).env("PROVIDER_ADDR", LOCAL);
        Ended::refused(command.env("PUBLIC_URL", url), "PUBLIC_URL").await;
    }
}

#[tokio::test]
async fn no_page_elsewhere_begins_a_sign_in() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let own = place.allow(&begin(&mut browser).await).await;
    // More than there is room for.
    for site in ["cross-site", "same-site", "", "same-origin, none"].repeat(3) {
        let asked = browser.get("/auth/begin").header("sec-fetch-site", site);
        let answer = asked.await;
        answer.is(303).lacks("set-cookie", BEGUN);
        assert_eq!(answer.location(), "/", "{site}");
    }
    for site in ["same-origin", "none"] {
        let asked = browser.get("/auth/begin").header("sec-fetch-site", site);
        let to = asked.await.is(303).location();
        assert!(to.starts_with(&place.provider), "{site}: {to}");
    }
    callback(&mut browser, &own).await.is(303);
    place.knows(&mut browser).await;
}

#[tokio::test]
async fn a_callback_without_a_parameter_or_with_one_twice_is_over() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let back = place.allow(&begin(&mut browser).await).await;
    let (path, query) = back.split_once('?').unwrap();
    is_over(&mut browser, path).await;
    for name in ["state", "iss", "code"] {
        let is_this = |pair: &&str| pair.starts_with(&format!("{name}="));
        let (this, others): (Vec<_>, Vec<_>) = query.split('&').partition(is_this);
        let others = others.join("&");
        let [this] = *this else { panic!("{query}") };
        is_over(&mut browser, &format!("{path}?{query}&{this}")).await;
        is_over(&mut browser, &format!("{path}?{query}&{name}=other")).await;
        if name != "code" {
            is_over(&mut browser, &format!("{path}?{others}")).await;
        }
    }
    is_over(&mut browser, &format!("{back}&error=a&error=b")).await;
    // None of them has ended the sign-in.
    callback(&mut browser, &back).await.is(303);
    place.knows(&mut browser).await;
}

#[tokio::test]
async fn two_sign_ins_in_one_browser_both_succeed() {
    let place = Place::new().await;
    for turned in [false, true] {
        let mut browser = place.browser();
        let [one, other] = [begin(&mut browser).await, begin(&mut browser).await];
        let mut backs = [place.allow(&one).await, place.allow(&other).await];
        if turned {
            backs.reverse();
        }
        for back in backs {
            let answer = callback(&mut browser, &back).await;
            assert_eq!(answer.is(303).location(), "/");
            answer.has("set-cookie", "refresh_token=");
            is_signed_in(&mut browser).await;
            place.knows(&mut browser).await;
        }
    }
}

#[tokio::test]
async fn a_failed_sign_in_leaves_the_others_alone() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let good = place.allow(&begin(&mut browser).await).await;
    let issuer = parameter("iss", &good);

    let denied = place.press(&begin(&mut browser).await, false).await;
    assert_eq!(parameter("error", &denied), "access_denied");
    let answer = callback(&mut browser, &denied).await;
    assert_eq!(answer.is(303).location(), "/");

    let state = parameter("state", &begin(&mut browser).await);
    let broken = place.back("", &state, &issuer);
    let broken = broken.replace("code=", "error=server_error");
    let answer = callback(&mut browser, &broken).await;
    answer
        .is(502)
        .says("The provider could not sign you in.")
        .says(r#"href="/auth/begin""#);

    let state = parameter("state", &begin(&mut browser).await);
    let foreign = place.back("code", &state, "https://evil.example");
    let answer = callback(&mut browser, &foreign).await;
    answer.is(400).says(r#"href="/auth/begin""#);

    let state = parameter("state", &begin(&mut browser).await);
    let expired = place.back("expired", &state, &issuer);
    let answer = callback(&mut browser, &expired).await;
    assert_eq!(answer.is(303).location(), "/?over");

    is_over(&mut browser, &place.back("code", "other", &issuer)).await;

    is_signed_out(&mut browser).await;
    callback(&mut browser, &good).await.is(303);
    place.knows(&mut browser).await;
}

#[tokio::test]
async fn a_reload_of_the_callback_is_no_error() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let back = place.allow(&begin(&mut browser).await).await;
    let mut cut_off = browser.clone();
    callback(&mut browser, &back).await.is(303);
    for _ in 0..2 {
        is_over(&mut browser, &back).await;
        let page = browser.get("/?over").await;
        page.is(200).says("Signed in as");
    }
    place.knows(&mut browser).await;

    // The first answer never came: this browser has its cookie still, and the code is used.
    let reloaded = callback(&mut cut_off, &back).await;
    assert_eq!(reloaded.is(303).location(), "/?over");
    is_over(&mut cut_off, &back).await;
    let page = cut_off.get("/?over").await;
    page.is(200)
        .says("This sign-in is over")
        .says(r#"href="/auth/begin""#);
    place.go_round(&mut cut_off).await;
    place.knows(&mut cut_off).await;
}

#[tokio::test]
async fn a_callback_planted_from_another_browser_begins_no_session() {
    let place = Place::new().await;
    let [mut thief, mut browser] = [place.browser(), place.browser()];
    let planted = place.allow(&begin(&mut thief).await).await;
    is_over(&mut browser, &planted).await;
    is_signed_out(&mut browser).await;

    // Nor with a beginning of its own, which goes on untouched. The provider is not asked.
    let own = place.allow(&begin(&mut browser).await).await;
    is_over(&mut browser, &planted).await;
    is_signed_out(&mut browser).await;
    assert_eq!(place.service.err(), "");
    // Nor over a session, which stays the user's own.
    callback(&mut browser, &own).await.is(303);
    let session = browser.jar.value("refresh_token").map(str::to_owned);
    is_over(&mut browser, &planted).await;
    assert_eq!(
        browser.jar.value("refresh_token").map(str::to_owned),
        session
    );
    // The code is good still, in the browser that began.
    callback(&mut thief, &planted).await.is(303);
    is_signed_in(&mut thief).await;
}

#[tokio::test]
async fn a_cookie_of_the_right_name_with_another_state_begins_no_session() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let back = place.allow(&begin(&mut browser).await).await;
    let name = begun(&parameter("state", &back));
    let pending = browser.jar.value(&name).unwrap();
    let (_, verifier) = pending.split_once('.').unwrap();
    let other = format!("other.{verifier}");
    browser.jar.replace(&name, &other);
    is_over(&mut browser, &back).await;
    is_signed_out(&mut browser).await;
}

#[tokio::test]
async fn the_oldest_of_too_many_sign_ins_gives_way() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let mut begun = Vec::new();
    for _ in 0..20 {
        begun.push(begin(&mut browser).await);
        let sent = browser.cookies("/auth/callback").unwrap();
        let begun: Vec<_> = sent.split("; ").filter(|c| c.starts_with(BEGUN)).collect();
        assert!(begun.len() <= 8, "{begun:?}");
        assert!(begun.concat().len() <= 1000, "{begun:?}");
    }
    for (to, alive) in [(&begun[11], false), (&begun[12], true), (&begun[19], true)] {
        let back = place.allow(to).await;
        match alive {
            true => _ = callback(&mut browser, &back).await.is(303),
            false => is_over(&mut browser, &back).await,
        }
    }
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
async fn a_stolen_code_with_the_state_of_the_thiefs_own_beginning() {
    let place = Place::new().await;
    let [mut browser, mut thief] = [place.browser(), place.browser()];
    let back = place.allow(&begin(&mut browser).await).await;
    let state = parameter("state", &begin(&mut thief).await);
    let mixed = place.back(&parameter("code", &back), &state, &parameter("iss", &back));
    let refused = callback(&mut thief, &mixed).await;
    assert_eq!(refused.is(303).location(), "/?over");
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
async fn the_guards_keep_out_requests_that_lax_lets_in() {
    let place = Place::new().await;
    let mut browser = place.signed_in().await;
    let foreign = browser.refresh().header("origin", &place.provider).await;
    foreign.is(403).lacks("set-cookie", "");
    let unmarked = browser.post("/auth/logout").no_csrf().await;
    unmarked.is(403).lacks("set-cookie", "refresh_token");
    // The method that Lax travels with changes nothing.
    browser.get("/auth/logout").await.is(405);
    place.knows(&mut browser).await;
    let ended = browser.post("/auth/logout").await;
    ended.is(204).has("set-cookie", "refresh_token=;*Max-Age=0");
    is_signed_out(&mut browser).await;
}
