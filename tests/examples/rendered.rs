//! Pages that the server renders: forms without a script, asked as a browser asks for them.

use crate::support::{Answer, Browser, PASSWORD, Program, example, serve};

const COOKIE: &str = "__Host-refresh_token=";

async fn start() -> (Program, Browser) {
    serve(&mut example("rendered")).await
}

/// The value behind `before` in a page.
#[track_caller]
fn value<'p>(page: &'p Answer, before: &str) -> &'p str {
    let (_, rest) = page
        .body
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before}: {page:?}"));
    rest.split('"').next().unwrap()
}

/// Opens a page and sends its form, with no header of a script.
async fn submit(browser: &mut Browser, path: &str, fields: &str) -> Answer {
    let page = browser.get(path).await;
    let token = value(&page, r#"name="csrf_token" value=""#);
    let body = format!("csrf_token={token}&{fields}");
    send(browser, path, body).await
}

async fn send(browser: &mut Browser, path: &str, body: String) -> Answer {
    let form = "application/x-www-form-urlencoded";
    let post = browser.post(path).no_csrf().header("content-type", form);
    post.body(body).await
}

/// The fields of the sign-in form, encoded.
fn credentials(password: &str) -> String {
    let password = password.replace(' ', "+");
    format!("email=dev%40example.com&password={password}")
}

async fn sign_in(browser: &mut Browser) {
    let _ = sign_in_with(browser, "&remember=on").await;
}

async fn sign_in_with(browser: &mut Browser, remember: &str) -> Answer {
    let fields = credentials(PASSWORD) + remember;
    let answer = submit(browser, "/sign-in", &fields).await;
    assert_eq!(answer.is(303).location(), "/notes");
    answer
}

#[tokio::test]
async fn a_user_signs_in_adds_a_note_and_signs_out() {
    let (program, mut browser) = start().await;
    browser.get("/").await.is(200).says("Sign in");
    let page = browser.get("/notes").await;
    assert_eq!(page.is(303).location(), "/sign-in");
    let page = browser.get("/sign-in").await;
    page.is(200)
        .has("content-security-policy", "default-src 'self'")
        .has("cache-control", "*no-store");
    assert!(!page.body.contains("<script"), "{page:?}");
    let style = browser.get("/style.css").await;
    style.is(200).has("content-type", "text/css");

    let wrong = submit(&mut browser, "/sign-in", &credentials("wrong")).await;
    wrong
        .is(422)
        .says("password is wrong")
        .lacks("set-cookie", COOKIE);
    let (_, shown) = wrong.body.split_once("<form").unwrap();
    assert!(shown.contains("dev@example.com"), "{wrong:?}");
    sign_in(&mut browser).await;

    let added = submit(&mut browser, "/notes", "text=%3Cb%3Emilk").await;
    assert_eq!(added.is(303).location(), "/notes");
    browser
        .get("/notes")
        .await
        .is(200)
        .says("<li>&lt;b&gt;milk</li>");

    // The CSRF cookie is `HttpOnly`, so no script reads it: a form without its field is refused, and shown again.
    let refused = send(&mut browser, "/notes", "text=bread".to_owned()).await;
    refused.is(403).says("out of date").says("bread</textarea>");
    let notes = browser.get("/notes").await;
    assert!(!notes.body.contains("bread"), "{notes:?}");

    let out = submit(&mut browser, "/sessions", "end=this").await;
    out.is(303)
        .has("set-cookie", "__Host-refresh_token=;*Max-Age=0");
    assert_eq!(browser.get("/notes").await.is(303).location(), "/sign-in");
    assert_eq!(program.err(), "");
}

#[tokio::test]
async fn a_remembered_cookie_lasts_and_another_goes_with_the_browser() {
    let (_program, mut browser) = start().await;
    let remembered = sign_in_with(&mut browser, "&remember=on").await;
    remembered.has("set-cookie", "__Host-refresh_token=*; Max-Age=2592000");
    browser.jar.close();
    browser
        .get("/notes")
        .await
        .is(200)
        .says("Signed in as Dev Example");

    let other = sign_in_with(&mut browser, "").await;
    other
        .has("set-cookie", COOKIE)
        .lacks("set-cookie", "__Host-refresh_token=*Max-Age");
    browser.jar.close();
    assert_eq!(browser.get("/notes").await.is(303).location(), "/sign-in");
}

#[tokio::test]
async fn sign_out_everywhere_ends_the_session_of_another_browser() {
    let (_program, mut browser) = start().await;
    let mut phone = browser.clone();
    phone.agent = "<phone>";
    sign_in(&mut browser).await;
    sign_in(&mut phone).await;
    let list = browser.get("/sessions").await;
    list.is(200).says("&lt;phone&gt;").says("(this browser)");

    let (_, of_phone) = list.body.split_once("&lt;phone&gt;").unwrap();
    let (_, id) = of_phone.split_once(r#"value=""#).unwrap();
    let end = format!("end={}", id.split('"').next().unwrap());
    let ended = submit(&mut browser, "/sessions", &end).await;
    assert_eq!(ended.is(303).location(), "/sessions");
    assert_eq!(phone.get("/notes").await.is(303).location(), "/sign-in");
    browser.get("/notes").await.is(200);

    sign_in(&mut phone).await;
    submit(&mut browser, "/sessions", "end=all").await.is(303);
    assert_eq!(phone.get("/notes").await.is(303).location(), "/sign-in");
    assert_eq!(browser.get("/notes").await.is(303).location(), "/sign-in");
}

#[tokio::test]
async fn the_public_page_looks_at_the_session_and_sets_no_cookie() {
    let (_program, mut browser) = start().await;
    sign_in(&mut browser).await;
    for _ in 0..3 {
        let page = browser.get("/").await;
        page.is(200)
            .says("Hello, Dev Example.")
            .lacks("set-cookie", "");
    }
    // A thief learns nothing from a copy of the cookies, and the user's session goes on.
    let mut thief = browser.stolen();
    let _ = thief.get("/").await;
    browser.get("/notes").await.is(200);
}

#[tokio::test]
async fn a_link_on_another_site_leads_to_a_page_whose_link_is_signed_in() {
    let (_program, mut browser) = start().await;
    sign_in(&mut browser).await;
    let followed = browser.get("/notes").without("cookie").without("origin");
    let page = followed.header("sec-fetch-site", "cross-site").await;
    page.is(200).says(r#"<a href="">Continue</a>"#);
    let page = browser
        .get("/notes")
        .header("sec-fetch-site", "same-origin")
        .await;
    page.is(200).says("Signed in as Dev Example");
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_with_a_page() {
    let (_program, mut browser) = start().await;
    sign_in(&mut browser).await;
    let mut foreign = browser.page_of("https://evil.example");
    let refused = send(&mut foreign, "/notes", "text=planted".to_owned()).await;
    refused.is(403).has("content-type", "text/html");
    assert!(!refused.body.contains("planted"), "{refused:?}");
}
