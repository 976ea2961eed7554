//! Many tabs of one browser, each with a form of its own.

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use tower_bearer::rejection::CsrfReason;

use super::sessions::{Browser, Server, signed_in};
use crate::support::{csrf, world};

/// Loads a page with the cookies of `jar`, and gives the form's token and the cookie that came.
async fn load(server: &Server, jar: &Browser, site: &'static str) -> (String, Option<String>) {
    let mut request = Request::get("/auth/form").header("sec-fetch-site", site);
    let cookies = [(world::COOKIE, &jar.refresh), (csrf::COOKIE, &jar.csrf)];
    for (name, value) in cookies {
        if let Some(value) = value {
            request = request.header(header::COOKIE, format!("{name}={value}"));
        }
    }
    let response = server
        .page(request.body(Full::<Bytes>::default()).unwrap())
        .await;
    assert_eq!(response.status(), StatusCode::OK);
    (response.body().clone(), csrf::issued(&response))
}

/// A browser is opened again and restores its tabs: none of the requests has the CSRF cookie, and the last
/// answer's stays.
async fn restored(server: &Server, jar: &mut Browser) -> Vec<Browser> {
    jar.csrf = None;
    let mut forms = Vec::new();
    let mut last = None;
    for _ in 0..20 {
        let (token, cookie) = load(server, jar, "none").await;
        last = cookie;
        forms.push(token);
    }
    jar.csrf = last;
    let tab = |token| Browser {
        submitted: Some(token),
        ..jar.clone()
    };
    forms.into_iter().map(tab).collect()
}

#[tokio::test]
async fn each_of_twenty_restored_tabs_can_send_its_form() {
    let server = Server::new();
    let mut jar = signed_in(&server).await;
    let mut sent = 0;
    for tab in restored(&server, &mut jar).await {
        sent += usize::from(tab.refused(&server).await.is_none());
    }
    assert_eq!(sent, 20);
}

/// Without a session a token has to be a copy of the cookie: an attacker can have one made.
#[tokio::test]
async fn without_a_session_only_the_last_tab_can() {
    let server = Server::new();
    let mut jar = Browser::default();
    let tabs = restored(&server, &mut jar).await;
    let mut refusals = Vec::new();
    for tab in tabs {
        refusals.push(tab.refused(&server).await);
    }
    let last = refusals.pop().unwrap();
    assert_eq!(last, None);
    let mismatch = Some(CsrfReason::TokenMismatch);
    assert!(refusals.iter().all(|refusal| *refusal == mismatch));
}

/// The cookie is there, once, genuine and of the session: only that it is the same token is not asked.
#[tokio::test]
async fn a_good_token_needs_a_good_cookie_beside_it() {
    let server = Server::new();
    let jar = signed_in(&server).await;
    let (token, _) = load(&server, &jar, "same-origin").await;
    let other = signed_in(&server).await;
    let anonymous = {
        let mut visitor = Browser::default();
        visitor.visit(&server).await;
        visitor.csrf.unwrap()
    };
    let good = jar.csrf.clone().unwrap();
    let twice = format!("{good}; {}={good}", csrf::COOKIE);
    for (cookie, why) in [
        (None, CsrfReason::CookieMissing),
        (Some("junk".to_owned()), CsrfReason::CookieMalformed),
        (Some(twice), CsrfReason::CookieDuplicate),
        // Neither goes with the token, and neither is of the session.
        (other.csrf, CsrfReason::TokenMismatch),
        (Some(anonymous), CsrfReason::TokenMismatch),
    ] {
        let mut request = Request::post("/auth/refresh")
            .header(
                header::COOKIE,
                format!("{}={}", world::COOKIE, jar.refresh.as_ref().unwrap()),
            )
            .header(csrf::HEADER, &token);
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, format!("{}={cookie}", csrf::COOKIE));
        }
        let response = server.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(csrf::reason(&response), Some(why));
    }
}

/// A link in a mail leads to a page with a form: the browser keeps the session's `Strict` cookie back from
/// that request, and sends it with the form. Another tab has replaced the CSRF cookie in between.
#[tokio::test]
async fn a_page_opened_from_a_mail_can_send_its_form() {
    let server = Server::new();
    let mut jar = signed_in(&server).await;
    let opened = Browser {
        refresh: None,
        ..jar.clone()
    };
    let (token, cookie) = load(&server, &opened, "cross-site").await;
    assert_eq!(cookie, None, "the other tabs keep theirs");
    // The other tab's answer brings another token of the session.
    jar.csrf = None;
    jar.visit(&server).await;
    let form = Browser {
        submitted: Some(token),
        ..jar
    };
    assert_eq!(form.refused(&server).await, None);
}

#[tokio::test]
async fn the_cookie_lasts_as_long_as_the_session() {
    let server = Server::new();
    let mut browser = Browser::default();
    let line = |response: &http::Response<String>| {
        let lines = response.headers().get_all(header::SET_COOKIE).iter();
        let mut lines = lines.map(|line| line.to_str().unwrap().to_owned());
        lines.find(|line| line.starts_with(csrf::COOKIE)).unwrap()
    };
    let first = line(&browser.call(&server, Method::GET, "/csrf").await);
    assert!(
        first.contains("=v1a.") && !first.contains("Max-Age"),
        "{first}"
    );
    let week = "; Max-Age=604800";
    let signed_in = line(&browser.call(&server, Method::POST, "/login").await);
    assert!(
        signed_in.contains("=v1s.") && signed_in.ends_with(week),
        "{signed_in}"
    );
    let elevated = line(&browser.call(&server, Method::POST, "/elevate").await);
    assert!(elevated.ends_with(week), "{elevated}");
    browser.csrf = None;
    let again = line(&browser.call(&server, Method::GET, "/csrf").await);
    assert!(again.ends_with(week), "{again}");
    let out = line(&browser.call(&server, Method::POST, "/logout").await);
    assert!(out.contains("=v1a.") && !out.contains("Max-Age"), "{out}");
}
