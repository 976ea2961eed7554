//! Pages of other sites and of other origins, open in the browser of a user who is signed in.

use axum::{Router, http::StatusCode, response::Html};
use tokio::{net::TcpListener, task::AbortHandle};

use crate::harness::{Browser, Seen, Stage, until};

/// A server with an empty page, on whatever host name leads to this machine.
struct Foreign {
    port: u16,
    serving: AbortHandle,
}

impl Foreign {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let page = async || Html("<!doctype html><title>foreign</title>");
        let app = Router::new().fallback(page);
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            port,
            serving: serving.abort_handle(),
        }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The session that the page is signed in with, and when it began.
async fn session(browser: &Browser) -> String {
    let script = "const { sessions } = await (await fetch('/auth/sessions')).json();
                  return sessions.map((s) => `${s.id} ${s.current}`).join()";
    let session = browser.wait_for(script).await;
    session.as_str().unwrap().to_owned()
}

/// The result of `fetch`, in words.
async fn fetched(browser: &Browser, url: &str, options: &str) -> String {
    let script = format!(
        "return fetch('{url}', {{ credentials: 'include', {options} }}).then(
            async (response) => `${{response.type}} ${{await response.text()}}`,
            () => 'unreadable',
        )"
    );
    browser.wait_for(&script).await.as_str().unwrap().to_owned()
}

/// Posts a form as a page does that wants no answer, and returns what the service made of it.
async fn post_form(stage: &Stage, page: &str, path: &str, fields: &str) -> Seen {
    let before = stage.asked(path).len();
    stage.browser.go(page).await;
    let script = format!(
        "const form = document.createElement('form');
         form.method = 'post';
         form.action = '{}{path}';
         for (const [name, value] of Object.entries({fields})) {{
             const field = document.createElement('input');
             field.name = name;
             field.value = value;
             form.append(field);
         }}
         document.body.append(form);
         form.submit();",
        stage.origin
    );
    stage.browser.run(&script).await;
    until("the form has been posted", async || {
        stage.asked(path).len() > before
    })
    .await;
    stage.asked(path).pop().unwrap()
}

/// Tries what a page can try. `site` is what the browser says of the two, `sent` whether it sends
/// `SameSite=Strict` cookies along.
async fn attack(stage: &Stage, page: &str, site: &str, sent: bool) {
    let browser = &stage.browser;
    let before = session(browser).await;
    let (_, cookie) = browser.refresh_cookie().await.unwrap();
    let alive = stage.asked("/auth/logout").len();
    browser.go(page).await;

    for path in ["/auth/refresh", "/auth/logout", "/auth/logout-all"] {
        let url = format!("{}{path}", stage.origin);
        let answer = fetched(browser, &url, "method: 'POST'").await;
        assert_eq!(answer, "unreadable", "{path}");
        let answer = fetched(browser, &url, "method: 'POST', mode: 'no-cors'").await;
        assert_eq!(answer, "opaque ", "{path}");
        let asked = stage.asked(path);
        let asked = &asked[asked.len() - 2..];
        for seen in asked {
            assert_eq!(seen.status, StatusCode::FORBIDDEN, "{path}");
            assert_eq!(seen.header("sec-fetch-site"), site);
            assert_eq!(seen.header("cookie").contains("refresh_token="), sent);
            assert!(!seen.sets_refresh_cookie);
        }
    }
    // Neither the CSRF token nor anything else is to be read.
    for path in ["/auth/csrf", "/auth/sessions", "/api/profile"] {
        let url = format!("{}{path}", stage.origin);
        assert_eq!(fetched(browser, &url, "").await, "unreadable", "{path}");
    }
    // With the header the browser asks first, and the request itself is never sent.
    let posts = |path: &str| {
        let asked = stage.asked(path);
        asked.iter().filter(|seen| seen.method == "POST").count()
    };
    let posted = posts("/auth/refresh");
    let options = "method: 'POST', headers: { 'X-CSRF-Token':
        document.cookie.match(/csrf=([^;]+)/)?.[1] ?? 'none' }";
    let url = format!("{}/auth/refresh", stage.origin);
    assert_eq!(fetched(browser, &url, options).await, "unreadable");
    assert_eq!(posts("/auth/refresh"), posted);

    // A form needs no permission to be sent.
    let seen = post_form(stage, page, "/auth/logout", "{}").await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    let fields = "{ email: 'dev@example.com', password: 'correct horse battery staple' }";
    let seen = post_form(stage, page, "/auth/login", fields).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    assert_eq!(stage.asked("/auth/logout").len(), alive + 3);

    // A frame stays empty: the page may not be laid over with something else.
    browser.go(page).await;
    let framed = format!(
        "const frame = document.createElement('iframe');
         frame.src = '{}';
         const loaded = new Promise((done) => (frame.onload = done));
         document.body.append(frame);
         await loaded;
         try {{ return frame.contentDocument ? 'readable' : 'kept apart'; }} catch {{ return 'kept apart'; }}",
        stage.origin
    );
    assert_eq!(browser.wait_for(&framed).await, "kept apart");

    assert_eq!(browser.refresh_cookie().await.unwrap().1, cookie);
    browser.go(&stage.origin).await;
    browser.until_state("signed-in").await;
    assert_eq!(session(browser).await, before, "the session lives on");
    assert_eq!(stage.alarms().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_can_do_nothing() {
    let (stage, foreign) = (Stage::signed_in().await, Foreign::start().await);
    let page = format!("http://localhost:{}/", foreign.port);
    attack(&stage, &page, "cross-site", false).await;
}

/// Cookies know no ports: the browser sends them along, and this page even reads the CSRF cookie. The server stops it:
/// its origin is not listed, and so may not send the token in a header either.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_same_site_on_another_port_can_do_nothing() {
    let (stage, foreign) = (Stage::signed_in().await, Foreign::start().await);
    let page = format!("http://127.0.0.1:{}/", foreign.port);
    stage.browser.go(&page).await;
    let cookies = stage.browser.run("return document.cookie").await;
    assert!(cookies.as_str().unwrap().contains("__Host-csrf="));
    stage.browser.go(&stage.origin).await;
    stage.browser.until_state("signed-in").await;
    attack(&stage, &page, "same-site", true).await;
}
