//! The page's service: its sessions, and each of its settings.

use std::time::Duration;

use http::Method;
use tokio::time::sleep;

use crate::support::{
    Answer, Browser, Ended, LOCAL, PASSWORD, Program, READY, example, keys, serve,
};

const PROBLEM: &str = "application/problem+json";
const CLEARED: &str = "refresh_token=;*Max-Age=0";

/// The service with no settings but these.
async fn demo(settings: &[(&str, &str)]) -> (Program, Browser) {
    serve(example("demo").envs(settings.iter().copied())).await
}

/// One with a session, whose access token comes last.
async fn signed_in(settings: &[(&str, &str)]) -> (Program, Browser, String) {
    let (service, mut browser) = demo(settings).await;
    let token = sign_in(&mut browser).await;
    (service, browser, token)
}

async fn sign_in(browser: &mut Browser) -> String {
    browser.get("/auth/csrf").await.is(200);
    browser.sign_in(PASSWORD).await.is(200).access_token()
}

/// Those of every answer, refusals too.
fn security_headers(answer: &Answer) {
    let policy = "content-security-policy";
    answer
        .has(
            policy,
            "default-src 'none'; script-src 'self'; *frame-ancestors 'none'",
        )
        .has(policy, "*require-trusted-types-for 'script'")
        .has("referrer-policy", "same-origin")
        .has("x-content-type-options", "nosniff");
}

#[tokio::test]
async fn the_page_and_what_is_refused_without_a_session() {
    let (service, mut browser) = demo(&[]).await;
    assert!(service.err().starts_with("WARNING: no keys"));

    let page = browser.get("/").await;
    // Over plain http it would mean nothing, and look as if it were left on by mistake.
    page.is(200).lacks("strict-transport-security", "");
    security_headers(&page);
    for script in [
        "app",
        "account",
        "dom",
        "log",
        "recent",
        "session",
        "tower-bearer/index",
    ] {
        let answer = browser.get(&format!("/{script}.js")).await;
        answer.is(200).has("content-type", "text/javascript");
    }
    browser.get("/style.css").await.is(200);
    for path in [
        "/api/decisions",
        "/api/alerts",
        "/api/export",
        "/api/profile",
    ] {
        let answer = browser.get(path).await;
        answer.is(401).has("www-authenticate", "Bearer");
        security_headers(&answer);
    }
    let nothing = browser.get("/nothing").await;
    nothing.is(404);
    security_headers(&nothing);

    service.stops().await;
}

#[tokio::test]
async fn nothing_runs_without_a_csrf_token() {
    let (_service, mut browser) = demo(&[("INSECURE_COOKIE", "0")]).await;
    let refused = browser.refresh().await;
    refused.is(403);
    security_headers(&refused);
    // With the right password neither.
    let refused = browser.sign_in(PASSWORD).await;
    refused.is(403).lacks("set-cookie", "");

    // A page asks for its token, and the browser gets the cookie with it and not before.
    browser
        .get("/auth/sessions")
        .await
        .is(401)
        .lacks("set-cookie", "");
    let first = browser.get("/auth/csrf").await;
    first
        .is(200)
        .has("set-cookie", "__Host-csrf=v1a.*SameSite=Lax*Secure*Path=/")
        .has("cache-control", "no-store");
    let refused = browser.refresh().await;
    refused.is(401).has("content-type", PROBLEM);
    security_headers(&refused);
    let refused = browser.sign_in("wrong").await;
    refused.is(401).has("content-type", PROBLEM);

    let started = browser.sign_in(PASSWORD).await;
    started
        .is(200)
        .has(
            "set-cookie",
            "__Secure-refresh_token=*HttpOnly*SameSite=Strict*Secure*Path=/auth",
        )
        .has("set-cookie", "__Host-csrf=v1s.*Max-Age=604800")
        .has("cache-control", "no-store");
    let refused = browser.refresh().no_csrf().await;
    refused.is(403).lacks("set-cookie", "");
    let other = format!("{}A", browser.csrf().unwrap());
    browser.refresh().csrf(&other).await.is(403);
    // None of that was the end of the session.
    browser.refresh().await.is(200);
}

#[tokio::test]
async fn a_session_from_sign_in_to_sign_out() {
    let (_service, mut browser, first) = signed_in(&[]).await;
    let profile = browser.get("/api/profile").bearer(&first).await;
    profile.is(200).says(r#""email":"dev@example.com""#);

    let refreshed = browser.refresh().await;
    let second = refreshed
        .is(200)
        .has("set-cookie", "refresh_token=")
        .access_token();
    assert_ne!(second, first);
    browser.get("/api/profile").bearer(&second).await.is(200);
    let sessions = browser.get("/auth/sessions").await;
    sessions.is(200).says(r#""current":true"#);
    let foreign = browser
        .refresh()
        .header("origin", "https://evil.example")
        .await;
    foreign.is(403);
    security_headers(&foreign);
    browser.get("/auth/refresh").await.is(405);

    // One that was signed out is gone on the server: a copy of its cookie is worth nothing.
    let mut copy = browser.clone();
    browser.post("/auth/logout").await.is(204);
    copy.refresh().await.is(401);
    browser.sign_in(PASSWORD).await.is(200);
    browser.post("/auth/logout-all").await.is(204);
    browser.refresh().await.is(401);
}

/// The route has both: the guards of the cookie, and the access token.
#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    const NEW: &str = "a horse of another colour";
    let (_service, mut browser, first) = signed_in(&[]).await;
    let mut other = Browser::new(browser.url.clone());
    sign_in(&mut other).await;
    let form = |old: &str, new: &str| serde_json::json!({ "old": old, "new": new });
    let right = form(PASSWORD, NEW);

    let refused = browser.post("/auth/password").json(&right).await;
    refused.is(401).says("missing_token");
    for (cause, form, status, code) in [
        ("a token of another session", &right, 409, "refresh_first"),
        ("no CSRF token", &right, 403, "csrf"),
        (
            "a wrong password",
            &form("wrong", NEW),
            403,
            "wrong_password",
        ),
        (
            "a short one",
            &form(PASSWORD, "short"),
            422,
            "short_password",
        ),
    ] {
        let mut asking = browser.clone();
        if cause.contains("another session") {
            asking.jar = other.jar.clone();
        }
        let ask = asking.post("/auth/password").json(form).bearer(&first);
        let ask = if cause.contains("CSRF") {
            ask.no_csrf()
        } else {
            ask
        };
        let refused = ask.await;
        refused.is(status).has("content-type", PROBLEM).says(code);
    }
    other.refresh().await.is(200);
    // One that cannot end the others changes nothing: its cookie is no longer the newest.
    let mut late = browser.clone();
    browser.refresh().await.is(200);
    let refused = late.post("/auth/password").json(&right).bearer(&first);
    refused.await.is(409).says("superseded");
    other.refresh().await.is(200);
    let mut third = Browser::new(browser.url.clone());
    sign_in(&mut third).await;

    let changed = browser.post("/auth/password").json(&right).bearer(&first);
    let token = changed.await.is(200).access_token();
    browser.get("/api/profile").bearer(&token).await.is(200);
    browser.refresh().await.is(200);
    other.refresh().await.is(401);
    third.refresh().await.is(401);
    other.sign_in(PASSWORD).await.is(401);

    // The same once more, as after a refusal or a lost answer. It is the new password by now.
    other.sign_in(NEW).await.is(200);
    let again = browser.post("/auth/password").json(&right).bearer(&first);
    again.await.is(200);
    other.refresh().await.is(401);
    browser.sign_in(NEW).await.is(200);
}

#[tokio::test]
async fn a_replaced_cookie_on_another_client_is_theft() {
    let (_service, mut browser, _) = signed_in(&[("GRACE_SECONDS", "1")]).await;
    let mut thief = browser.stolen();
    browser.refresh().await.is(200);
    // Honest windows come so too: it gets nothing, and ends nothing.
    let refused = thief.refresh().await;
    refused.is(409).says("superseded").lacks("set-cookie", "");
    // Two cookies later it is theft. One is replaced every two seconds at most.
    sleep(Duration::from_millis(2100)).await;
    let second = browser.refresh().await.is(200).access_token();

    // It ends the session for both.
    thief.refresh().await.is(401).has("set-cookie", CLEARED);
    browser.refresh().await.is(401).has("set-cookie", CLEARED);
    // The user is told by the next session; the one that was copied learns nothing of it.
    let alerts = browser.get("/api/alerts").bearer(&second).await;
    alerts.is(200).says(r#""alerts":[]"#);

    let next = browser.sign_in(PASSWORD).await.is(200).access_token();
    let alerts = browser.get("/api/alerts").bearer(&next).await;
    alerts
        .is(200)
        .says(r#""client":"thief""#)
        .has("cache-control", "no-store");
    let decisions = browser.get("/api/decisions").bearer(&next).await;
    decisions.is(200).says(r#""what":"reuse detected""#);
    let read = browser.ask(Method::DELETE, "/api/alerts").bearer(&next);
    read.await.is(204);
    let alerts = browser.get("/api/alerts").bearer(&next).await;
    alerts.is(200).says(r#""alerts":[]"#);
}

#[tokio::test]
async fn a_client_that_is_new_to_the_session_confirms_first_and_is_told_to_the_user() {
    let (_service, mut browser, token) = signed_in(&[]).await;
    let mut other = browser.stolen();
    let confirm = other.refresh().await;
    confirm.is(409).has("set-cookie", "refresh_token=");
    other.refresh().await.is(200);
    let alerts = browser.get("/api/alerts").bearer(&token).await;
    alerts
        .is(200)
        .says(r#""what":"new_client""#)
        .says(r#""client":"thief""#);
    // It is not for the session itself to put away: the thief has it, too.
    let read = browser.ask(Method::DELETE, "/api/alerts").bearer(&token);
    read.await.is(204);
    let alerts = browser.get("/api/alerts").bearer(&token).await;
    alerts.is(200).says(r#""what":"new_client""#);
}

#[tokio::test]
async fn a_user_who_is_not_remembered_is_forgotten_with_the_browser() {
    let (_service, mut browser) = demo(&[]).await;
    browser.get("/auth/csrf").await.is(200);
    let form = |remember| serde_json::json!({ "email": "dev@example.com", "password": PASSWORD, "remember": remember });
    let login = browser.post("/auth/login").json(&form(true)).await;
    login
        .is(200)
        .has("set-cookie", "refresh_token=*Max-Age=604800");
    let login = browser.post("/auth/login").json(&form(false)).await;
    for cookie in ["refresh_token=", "refresh_token_jar=", "csrf="] {
        login.has("set-cookie", cookie);
    }
    login.is(200).lacks("set-cookie", "*Max-Age");
    login.says(r#""session_expires_in":43200"#);
}

#[tokio::test]
async fn keys_from_the_environment_and_a_short_life() {
    let mut command = example("demo");
    command.envs(keys()).env("ACCESS_TTL", "3");
    let (service, mut browser) = serve(&mut command).await;
    assert!(!service.err().contains("WARNING"), "{}", service.err());

    let token = sign_in(&mut browser).await;
    browser.get("/api/profile").bearer(&token).await.is(200);
    sleep(Duration::from_secs(4)).await;
    let late = browser.get("/api/profile").bearer(&token).await;
    late.is(401)
        .has("www-authenticate", r#"Bearer *error="invalid_token""#);
    let token = browser.refresh().await.is(200).access_token();
    browser.get("/api/profile").bearer(&token).await.is(200);
}

/// Asks as a browser does before a page of another origin may sign in.
async fn preflight(browser: &mut Browser) -> Answer {
    let answer = browser
        .ask(Method::OPTIONS, "/auth/login")
        .no_csrf()
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "content-type,x-csrf-token",
        )
        .await;
    answer.is(200);
    answer
}

#[tokio::test]
async fn pages_of_other_origins() {
    const ALLOW: &str = "access-control-allow-origin";
    let allowed = "https://app.example,https://*.app.example";
    let (_service, mut browser) = demo(&[("ALLOWED_ORIGINS", allowed)]).await;
    let says = |answer: &Answer, origin: &str| {
        assert_eq!(answer.headers[ALLOW], origin, "{answer:?}");
    };

    for origin in ["https://app.example", "https://eu.app.example"] {
        let mut page = browser.page_of(origin);
        let asked = preflight(&mut page).await;
        says(&asked, origin);
        asked
            .has("access-control-allow-credentials", "true")
            .has("access-control-allow-headers", "*x-csrf-token");
        // Such a page cannot read the cookie, and takes the token from the answer.
        let csrf = page.get("/auth/csrf").await;
        says(&csrf, origin);
        let masked = csrf.is(200).member("csrf_token");
        assert!(masked.starts_with("1m."), "{masked}");
        let started = page.sign_in(PASSWORD).csrf(&masked).await;
        started.is(200);
        says(&started, origin);
        browser.jar = page.jar;
    }
    // The cookies of a live session are sent, and help no other page.

    for origin in [
        "https://evil.example",
        "https://a.eu.app.example",
        "null",
        &browser.url,
    ] {
        let mut page = browser.page_of(origin);
        preflight(&mut page).await.lacks(ALLOW, "");
        page.get("/auth/csrf").await.is(200).lacks(ALLOW, "");
        page.refresh().await.is(403).lacks(ALLOW, "");
    }
}

#[tokio::test]
async fn behind_a_proxy_that_ends_tls() {
    const HEADER: &str = "x-forwarded-proto";
    const HSTS: &str = "strict-transport-security";
    let (_service, mut browser) = demo(&[("TRUSTED_PROTO_HEADER", HEADER)]).await;
    browser.get("/").await.is(403).lacks(HSTS, "");
    for value in ["http", "https, http"] {
        browser.get("/").header(HEADER, value).await.is(403);
    }
    let secure = browser.get("/").header(HEADER, "https").await;
    secure.is(200).has(HSTS, "max-age=31536000");
    security_headers(&secure);
}

#[tokio::test]
async fn safari_keeps_the_cookies_on_this_machine() {
    let (service, mut browser) = demo(&[]).await;
    assert!(service.out().contains("Safari"), "{}", service.out());
    let first = browser.get("/auth/csrf").await;
    first
        .is(200)
        .has("set-cookie", "csrf=v1a.")
        .lacks("set-cookie", "*Secure");
    let started = browser.sign_in(PASSWORD).await;
    started
        .is(200)
        .has("set-cookie", "refresh_token=")
        .lacks("set-cookie", "*Secure");
    browser.refresh().await.is(200);
}

#[tokio::test]
async fn cookies_are_secure_unless_all_is_plain_http_on_this_machine() {
    const EVERYWHERE: &str = "0.0.0.0:0";
    for (addr, name, value, secure) in [
        (
            LOCAL,
            "ALLOWED_ORIGINS",
            "http://localhost:5173,http://[::1]:5173",
            false,
        ),
        (LOCAL, "ALLOWED_ORIGINS", "http://app.localhost", false),
        (LOCAL, "ALLOWED_ORIGINS", "https://localhost:8443", true),
        (
            LOCAL,
            "ALLOWED_ORIGINS",
            "http://localhost:5173,https://app.example",
            true,
        ),
        (LOCAL, "ALLOWED_ORIGINS", "http://*.localhost:3000", false),
        (LOCAL, "TRUSTED_PROTO_HEADER", "x-forwarded-proto", true),
        (LOCAL, "INSECURE_COOKIE", "0", true),
        (EVERYWHERE, "INSECURE_COOKIE", "", true),
        (EVERYWHERE, "INSECURE_COOKIE", "1", false),
    ] {
        let mut command = example("demo");
        let service = Program::start(command.env("ADDR", addr).env(name, value), READY).await;
        let case = format!("{addr} {name}={value}");
        let mut browser = Browser::new(service.url(0));
        let first = browser
            .get("/auth/csrf")
            .header("x-forwarded-proto", "https");
        let first = first.await;
        let secured = first.cookies().any(|(name, _)| name == "__Host-csrf");
        assert_eq!(secured, secure, "{case}: {first:?}");
        assert_eq!(service.out().contains("Safari"), !secure, "{case}");
    }
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_keeps_it_from_starting() {
    for (name, value) in [
        ("ADDR", "nowhere"),
        ("ACCESS_TTL", "soon"),
        ("ACCESS_TTL", "43201"),
        ("GRACE_SECONDS", "-1"),
        ("IDLE_SECONDS", "an hour"),
        ("ALLOWED_ORIGINS", "app.example"),
        ("ALLOWED_ORIGINS", ","),
        ("INSECURE_COOKIE", "false"),
        ("INSECURE_COOKIE", "no"),
        ("INSECURE_COOKIE", "true"),
        ("INSECURE_COOKIE", " 1"),
        ("PUBLIC_PATH", "app"),
        ("PUBLIC_PATH", "/app/"),
        ("TRUSTED_PROTO_HEADER", "forwarded"),
    ] {
        let mut command = example("demo");
        // Any port, so that no other reason keeps it from starting.
        command.env("ADDR", LOCAL).env(name, value);
        Ended::refused(&mut command, name).await;
    }
    // Tokens last 15 minutes.
    let mut command = example("demo");
    command.env("ADDR", LOCAL).env("IDLE_SECONDS", "990");
    Ended::refused(&mut command, "idle_lifetime: 990s").await;
    // The cookies have `Secure`, as the origin is not this machine, and a browser would keep none.
    let mut command = example("demo");
    command
        .env("ADDR", LOCAL)
        .env("ALLOWED_ORIGINS", "http://app.example");
    Ended::refused(&mut command, "origins: \"http://app.example\"").await;
}
