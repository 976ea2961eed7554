//! Many tabs of one browser, each with a form of its own.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{
    CsrfLayer, CsrfToken,
    csrf::{CsrfKeys, CsrfSession},
    rejection::CsrfReason,
};

use super::sessions::{Browser, Server, signed_in};
use crate::support::{
    csrf::{self, Fixtures},
    world::{self, World},
};

const DAY: u64 = 24 * 60 * 60;

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

/// A browser is opened again and restores its tabs. None of the requests has the CSRF cookie, and the last answer's
/// stays.
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

/// A link in a mail leads to a page with a form. The browser keeps the session's `Strict` cookie back from that
/// request, and sends it with the form. Another tab has replaced the CSRF cookie in between.
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

/// The lines that set the two cookies, the session's first.
fn lines(response: &Response<String>) -> [Option<String>; 2] {
    let lines = response.headers().get_all(header::SET_COOKIE).iter();
    let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
    [world::COOKIE, csrf::COOKIE].map(|name| {
        let line = lines.iter().find(|line| line.starts_with(name));
        line.map(|line| (*line).to_owned())
    })
}

fn max_age(line: &str) -> Option<u64> {
    let (_, age) = line.split_once("; Max-Age=")?;
    Some(age.parse().unwrap())
}

/// A CSRF cookie of a session that has lapsed would keep the user from signing in. The page was opened from a mail. One
/// that ends sooner would keep the form of such a page from being sent.
#[tokio::test]
async fn the_cookie_ends_with_that_of_the_session() {
    let server = Server::new();
    let mut browser = Browser::default();
    let [_, first] = lines(&browser.call(&server, Method::GET, "/csrf").await);
    let first = first.unwrap();
    assert!(
        first.contains("=v1a.") && max_age(&first).is_none(),
        "{first}"
    );
    for (path, days) in [("/login", 0), ("/elevate", 6)] {
        server.world.secs(days * DAY);
        if days > 0 {
            assert_eq!(browser.post(&server, "/refresh").await, StatusCode::OK);
        }
        let [refresh, csrf] = lines(&browser.call(&server, Method::POST, path).await);
        let (refresh, csrf) = (refresh.unwrap(), csrf.unwrap());
        assert!(csrf.contains("=v1s."), "{csrf}");
        assert_eq!(max_age(&refresh), Some((7 - days) * DAY));
        assert_eq!(max_age(&csrf), max_age(&refresh), "{path}");
    }
    browser.csrf = None;
    // The clock of this server is what a page goes by. The world's is in the future.
    let [_, again] = lines(&browser.call(&server, Method::GET, "/csrf").await);
    assert_eq!(max_age(&again.unwrap()), Some(7 * DAY));
    let [_, out] = lines(&browser.call(&server, Method::POST, "/logout").await);
    let out = out.unwrap();
    assert!(out.contains("=v1a.") && max_age(&out).is_none(), "{out}");
}

#[tokio::test]
async fn the_cookie_of_a_session_that_slides_goes_with_it() {
    let day = Duration::from_secs(DAY);
    let server = Server::of(World::with(|builder| {
        builder.absolute_lifetime(day * 30).idle_lifetime(day * 7)
    }));
    let mut browser = signed_in(&server).await;
    let token = browser.csrf.clone();
    for left in [7, 7, 7, 7, 5] {
        server.world.secs(5 * DAY);
        let response = browser.call(&server, Method::POST, "/refresh").await;
        let [refresh, csrf] = lines(&response);
        assert_eq!(max_age(&refresh.unwrap()), Some(left * DAY));
        assert_eq!(max_age(&csrf.unwrap()), Some(left * DAY));
        assert_eq!(browser.csrf, token, "it is no new token");
        // A page that gives it out goes by the longest time without a refresh.
        let mut page = Browser {
            csrf: None,
            ..browser.clone()
        };
        let [_, again] = lines(&page.call(&server, Method::GET, "/csrf").await);
        assert_eq!(max_age(&again.unwrap()), Some(7 * DAY));
        // A refresh that moves nothing on brings neither.
        let again = browser.call(&server, Method::POST, "/refresh").await;
        assert_eq!(lines(&again), [None, None]);
    }
}

/// A sibling host plants the refresh cookie of an account of its own beside the user's. It sends a token of that
/// session. It cannot read the CSRF cookie.
#[tokio::test]
async fn a_planted_session_does_not_let_its_tokens_pass() {
    let server = Server::new();
    let (victim, attacker) = (signed_in(&server).await, signed_in(&server).await);
    let both = attacker.beside(&victim);
    let mut browser = Browser {
        refresh: Some(both),
        ..victim.clone()
    };
    // The attacker's cookie comes first. The page is given the token that the browser has, of its own session.
    let page = browser.call(&server, Method::GET, "/csrf").await;
    assert_eq!(csrf::issued(&page), None);
    let forged = Browser {
        submitted: attacker.csrf.clone(),
        ..browser.clone()
    };
    let refused = forged.refused(&server).await;
    assert_eq!(refused, Some(CsrfReason::TokenMismatch));
    assert_eq!(browser.refused(&server).await, None, "a copy passes");
}

/// Another kind of session in a `Strict` cookie. A foreign page opens a page with a token.
#[tokio::test]
async fn a_foreign_page_burns_no_token_of_a_session_that_is_kept_back() {
    let keys = CsrfKeys::new([Fixtures::load().key("K1")]).unwrap();
    let layer = CsrfLayer::builder(keys).session(|parts| {
        let cross_site = parts.headers.get("sec-fetch-site");
        match parts.headers.get("x-session") {
            Some(id) => CsrfSession::session(id),
            None if cross_site.is_some() => CsrfSession::UNSEEN,
            None => CsrfSession::ANONYMOUS,
        }
    });
    let layer = layer.build().unwrap();
    let page = layer.layer(service_fn(|request: Request<String>| async move {
        let token = CsrfToken::from_extensions(request.extensions()).unwrap();
        Ok::<_, std::convert::Infallible>(Response::new(token.masked().unwrap()))
    }));
    let send = |request: http::request::Builder| {
        page.clone().oneshot(request.body(String::new()).unwrap())
    };
    let own = || Request::get("/").header("x-session", "a");
    let first = send(own()).await.unwrap();
    let cookie = format!("{}={}", csrf::COOKIE, csrf::issued(&first).unwrap());
    let foreign = Request::get("/").header("sec-fetch-site", "cross-site");
    let opened = send(foreign.header(header::COOKIE, &cookie)).await.unwrap();
    assert_eq!(csrf::issued(&opened), None);
    // The tab from before, and the page that the foreign one has opened.
    for token in [first.body(), opened.body()] {
        let post = own().method(Method::POST).header(csrf::HEADER, token);
        let sent = send(post.header(header::COOKIE, &cookie)).await.unwrap();
        assert_eq!(csrf::reason(&sent), None);
    }
}
