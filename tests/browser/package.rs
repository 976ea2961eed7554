//! The npm package in every engine, on a page with nothing else on it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};
use serde_json::json;
use tokio::{
    net::TcpListener,
    task::AbortHandle,
    time::{Instant, sleep},
};

use crate::harness::{Browser, Engine, Lives, Site, in_every_engine, until};

in_every_engine! {
    a_session_lasts_over_a_reload_and_in_twenty_tabs_until_one_signs_out
    a_holder_of_the_lock_that_hangs_stops_no_tab
    the_token_goes_to_no_origin_that_is_not_listed
    a_clock_that_jumps_costs_a_refresh_and_no_session
    a_page_from_the_back_forward_cache_asks_before_it_shows_its_user
    without_a_network_the_session_waits_and_a_sign_out_is_kept
    an_answer_for_another_user_reaches_no_caller
}

const TABS: usize = 20;

impl Browser {
    /// Whether the page came back as it was left. Then it showed no user at first.
    async fn came_back(&self) -> bool {
        let restored = self.run("return window.restored ?? false").await;
        if restored == json!(true) {
            assert_eq!(self.run("return window.atOnce").await, "unknown");
            self.run("window.restored = window.atOnce = null").await;
        }
        restored == json!(true)
    }

    async fn enter(&self, user: &str) {
        let script =
            format!("await session.signIn({{ user: '{user}' }}); return session.state.status");
        assert_eq!(self.wait_for(&script).await, "in");
    }

    /// Moves the clock of the page. A script of the driver has a clock of its own in Firefox.
    async fn jump(&self, by: &str) {
        let script = format!(
            "const script = document.createElement('script');
             script.textContent = `{{
                 const HOUR = 3600000;
                 const real = window.real ??= Date.now.bind(Date);
                 Date.now = () => real() + ({by});
             }}`;
             document.head.append(script);"
        );
        self.run(&script).await;
    }

    /// The user that the API sees, or the name of the error.
    async fn user(&self) -> String {
        let script = "return session.json('/api/me').then(({ user }) => user, (error) => error.constructor.name)";
        self.wait_for(script).await.as_str().unwrap().to_owned()
    }
}

async fn a_session_lasts_over_a_reload_and_in_twenty_tabs_until_one_signs_out(engine: Engine) {
    let site = Site::start(Lives::default()).await;
    let browser = site.browser(engine).await;
    browser.until_status("out").await;
    // The CSRF token says that there is no session: no request was refused.
    let asked = site.asked("/auth/refresh");
    assert!(asked.is_empty(), "{asked:#?}");
    browser.enter("user-1").await;
    assert_eq!(browser.user().await, "user-1");
    browser.reload().await;
    browser.until_status("in").await;
    assert_eq!(browser.user().await, "user-1");

    let first = browser.tab().await;
    let mut tabs = vec![first];
    for _ in 1..TABS {
        let tab = browser.new_tab().await;
        browser.go(&site.origin).await;
        tabs.push(tab);
    }
    for tab in &tabs {
        browser.switch_to(tab).await;
        browser.until_status("in").await;
    }
    assert_eq!(browser.user().await, "user-1");
    let sessions = browser
        .wait_for("return (await session.sessions()).length")
        .await;
    assert_eq!(sessions, 1);
    let refreshes = site.asked("/auth/refresh");
    assert!(refreshes.iter().all(|asked| asked.status == StatusCode::OK));

    browser.wait_for("await session.signOut()").await;
    for tab in &tabs {
        browser.switch_to(tab).await;
        browser.until_status("out").await;
        assert_eq!(browser.user().await, "SignedOut");
    }
    // The others were told, and asked nothing.
    assert_eq!(site.asked("/auth/refresh").len(), refreshes.len());
    assert_eq!(site.asked("/auth/logout").len(), 1);
}

async fn a_holder_of_the_lock_that_hangs_stops_no_tab(engine: Engine) {
    let site = Site::start(Lives::default()).await;
    let browser = site.browser(engine).await;
    browser.until_status("out").await;
    browser.enter("user-1").await;
    // As a tab does that the system has put to sleep in the middle of a refresh.
    let hold = "return new Promise((done) =>
        navigator.locks.request('tower-bearer /auth', () => {
            done('held');
            return new Promise(() => {});
        }))";
    assert_eq!(browser.wait_for(hold).await, "held");
    let locks = "return (await navigator.locks.query()).held.length";
    assert_eq!(browser.wait_for(locks).await, 1);

    let holder = browser.tab().await;
    let begun = Instant::now();
    browser.new_tab().await;
    browser.go(&site.origin).await;
    browser.until_status("in").await;
    assert_eq!(browser.user().await, "user-1");
    let waited = begun.elapsed();
    // It waits for the lock, and then goes on without.
    assert!(waited > Duration::from_secs(4), "{waited:?}");
    assert!(waited < Duration::from_secs(30), "{waited:?}");
    browser.wait_for("await session.signOut()").await;
    browser.until_status("out").await;
    browser.switch_to(&holder).await;
    browser.until_status("out").await;
}

/// A server of another origin, which lets every page read and notes who brought a token.
struct Foreign {
    origin: String,
    seen: Arc<Mutex<Vec<HeaderMap>>>,
    serving: AbortHandle,
}

impl Foreign {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = seen.clone();
        let answer = move |request: Request| async move {
            if request.method() != Method::OPTIONS {
                noted.lock().unwrap().push(request.headers().clone());
            }
            let headers = [
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
                (
                    header::ACCESS_CONTROL_ALLOW_HEADERS,
                    "authorization, x-mine",
                ),
            ];
            let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
            (
                HeaderMap::from_iter::<[(HeaderName, HeaderValue); 2]>(headers),
                "foreign",
            )
        };
        let app = Router::new().fallback(answer);
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            origin: format!("http://127.0.0.1:{port}"),
            seen,
            serving: serving.abort_handle(),
        }
    }

    /// How many requests came, and how many of them with a token.
    fn counts(&self) -> (usize, usize) {
        let seen = self.seen.lock().unwrap();
        let with = seen
            .iter()
            .filter(|h| h.contains_key(header::AUTHORIZATION));
        (seen.len(), with.count())
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn the_token_goes_to_no_origin_that_is_not_listed(engine: Engine) {
    let site = Site::start(Lives::default()).await;
    let foreign = Foreign::start().await;
    let browser = site.browser(engine).await;
    browser.until_status("out").await;
    browser.enter("user-1").await;
    let url = format!("{}/take", foreign.origin);
    // The page itself may ask there: what stops the token is the package.
    let plain = format!("return (await fetch('{url}')).text()");
    assert_eq!(browser.wait_for(&plain).await, "foreign");
    assert_eq!(foreign.counts(), (1, 0));
    for input in [
        format!("'{url}'"),
        format!("new URL('{url}')"),
        format!("new Request('{url}')"),
        format!("new Request('{url}', {{ method: 'POST', body: 'x' }})"),
        format!("'{}'", url.replace("http:", "")),
    ] {
        let script = format!(
            "return session.fetch({input}).then(() => 'sent', (error) => error.constructor.name)"
        );
        assert_eq!(browser.wait_for(&script).await, "TypeError", "{input}");
    }
    // An element of the page has no say in where requests go.
    let based = format!(
        "const base = document.createElement('base');
         base.href = '{}/';
         document.head.append(base);
         try {{ return (await (await session.fetch('/api/me')).json()).user; }} finally {{ base.remove(); }}",
        foreign.origin
    );
    assert_eq!(browser.wait_for(&based).await, "user-1");
    assert_eq!(foreign.counts(), (1, 0));

    // A request of the page's own server, with all that it brings.
    let whole = "const request = new Request('/api/me', {
            method: 'POST', body: 'text', headers: { 'x-mine': 'kept' },
        });
        return (await session.fetch(request)).json()";
    let whole = browser.wait_for(whole).await;
    assert_eq!(
        whole,
        json!({ "user": "user-1", "mine": "kept", "body": "text" })
    );

    let listed = format!(
        "const listed = client.createSession({{ api: ['{}'] }});
         await listed.resume();
         const request = new Request('{url}', {{ headers: {{ 'x-mine': 'kept' }} }});
         return (await listed.fetch(request)).text()",
        foreign.origin
    );
    assert_eq!(browser.wait_for(&listed).await, "foreign");
    assert_eq!(foreign.counts(), (2, 1));
    let seen = foreign.seen.lock().unwrap().pop().unwrap();
    assert_eq!(seen["x-mine"], "kept");
    assert!(!seen.contains_key(header::COOKIE));
}

async fn a_clock_that_jumps_costs_a_refresh_and_no_session(engine: Engine) {
    let site = Site::start(Lives::default()).await;
    let browser = site.browser(engine).await;
    browser.until_status("out").await;
    browser.enter("user-1").await;
    // On, and back again to where the old token has not begun yet.
    for (jump, least, most) in [("30 * HOUR", 1, 3), ("-30 * HOUR", 1, 5)] {
        browser.jump(jump).await;
        browser
            .run("document.dispatchEvent(new Event('visibilitychange'))")
            .await;
        assert_eq!(browser.user().await, "user-1", "{jump}");
        browser.until_status("in").await;
        let refreshes = site.asked("/auth/refresh").len();
        assert!((least..=most).contains(&refreshes), "{jump}: {refreshes}");
        let refused = site.asked("/api/me");
        assert!(refused.iter().all(|asked| asked.status == StatusCode::OK));
    }
}

async fn a_page_from_the_back_forward_cache_asks_before_it_shows_its_user(engine: Engine) {
    let site = Site::start(Lives::default()).await;
    let browser = site.browser(engine).await;
    browser.until_status("out").await;
    browser.enter("user-1").await;
    browser
        .run(
            "addEventListener('pageshow', ({ persisted }) => {
                window.restored = persisted;
                window.atOnce = document.documentElement.dataset.status;
            })",
        )
        .await;
    browser.go(&format!("{}/other", site.origin)).await;
    browser.back().await;
    browser.until_status("in").await;
    assert!(browser.came_back().await, "{engine:?} kept no page");
    assert_eq!(browser.user().await, "user-1");

    // Another user comes meanwhile, and the page that comes back is that user's.
    browser
        .go(&format!("{}/auth/return?user=user-2", site.origin))
        .await;
    browser.until_status("in").await;
    browser.back().await;
    browser.until_status("in").await;
    // The new user's page spoke to the kept one, which makes Chromium and Firefox load it anew.
    let came_back = browser.came_back().await;
    assert!(
        came_back || engine != Engine::WebKit,
        "{engine:?} kept no page"
    );
    until("the page is the new user's", async || {
        browser.user().await == "user-2"
    })
    .await;
}

async fn without_a_network_the_session_waits_and_a_sign_out_is_kept(engine: Engine) {
    let site = Site::start(Lives::default()).await;
    let browser = site.browser(engine).await;
    browser.until_status("out").await;
    browser.enter("user-1").await;
    site.cable.pull();
    // A token in hand, and no network: that is the caller's to know.
    assert_eq!(browser.user().await, "Failed");
    let refresh = "session.resume().catch(() => {})";
    browser.run(refresh).await;
    until("the page says that there is trouble", async || {
        browser.run("return session.state.problem !== null").await == json!(true)
    })
    .await;
    assert_eq!(browser.run("return session.state.status").await, "in");
    site.cable.plug();
    browser.run("dispatchEvent(new Event('online'))").await;
    until("the trouble is over", async || {
        browser.run("return session.state.problem === null").await == json!(true)
    })
    .await;
    assert_eq!(browser.user().await, "user-1");

    // Signed out without a network: at once for the page, and for the server when it is back.
    site.cable.pull();
    browser.run("session.signOut().catch(() => {})").await;
    browser.until_status("out").await;
    assert_eq!(browser.user().await, "SignedOut");
    site.cable.plug();
    browser.run("dispatchEvent(new Event('online'))").await;
    until("the server has ended the session", async || {
        let asked = site.asked("/auth/logout");
        asked
            .iter()
            .any(|asked| asked.status == StatusCode::NO_CONTENT)
    })
    .await;
    browser.reload().await;
    browser.until_status("out").await;
}

async fn an_answer_for_another_user_reaches_no_caller(engine: Engine) {
    let site = Site::start(Lives::default()).await;
    let browser = site.browser(engine).await;
    browser.until_status("out").await;
    browser.enter("user-1").await;
    let first = browser.tab().await;
    let before = site.asked("/api/me").len();
    // The cookies of another user, of which no script has heard, and a token that has expired.
    browser
        .wait_for("await fetch('/auth/return?user=user-2')")
        .await;
    browser.jump("HOUR").await;
    assert_eq!(browser.user().await, "SignedOut");
    assert_eq!(site.asked("/api/me").len(), before, "nothing was sent");
    let reason = browser.run("return session.state.reason").await;
    assert_eq!(reason, "other_session");

    // In another tab by the package: all tabs are that user's.
    browser.reload().await;
    browser.until_status("in").await;
    assert_eq!(browser.user().await, "user-2");
    browser.new_tab().await;
    browser.go(&site.origin).await;
    browser.until_status("in").await;
    browser.enter("user-1").await;
    browser.switch_to(&first).await;
    until("the first tab is the new user's", async || {
        browser.user().await == "user-1"
    })
    .await;
}

/// A page of a session that expires when its user leaves. `uses` is done again and again meanwhile.
async fn untouched_or_used(engine: Engine, is_used: bool) {
    // Timers refresh twice a minute at most.
    const IDLE: Duration = Duration::from_secs(44);
    let lives = Lives {
        access: Duration::from_secs(32),
        idle: Some(IDLE),
        grace: Duration::from_secs(1),
    };
    let site = Site::start(lives).await;
    let browser = site.browser(engine).await;
    browser.until_status("out").await;
    browser.enter("user-1").await;
    let begun = Instant::now();
    while begun.elapsed() < IDLE * 2 {
        if is_used {
            browser.type_into("text", "x").await;
        }
        sleep(Duration::from_millis(500)).await;
    }
    let status = if is_used { "in" } else { "out" };
    browser.until_status(status).await;
    let user = browser.user().await;
    assert_eq!(user, if is_used { "user-1" } else { "SignedOut" });
    let asked = site.asked("/auth/refresh");
    let passive = asked
        .iter()
        .filter(|a| a.header("x-session-activity") == "passive");
    assert_eq!(passive.count() == 0, is_used);
}

macro_rules! left_and_used {
    ($($name:ident: $engine:ident)*) => { $(
        /// Side by side: both only wait.
        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "90 seconds: scripts/test --long"]
        async fn $name() {
            tokio::join!(
                untouched_or_used(Engine::$engine, false),
                untouched_or_used(Engine::$engine, true),
            );
        }
    )* };
}

left_and_used! {
    a_tab_that_is_left_goes_idle_and_one_in_use_does_not_in_chromium: Chromium
    a_tab_that_is_left_goes_idle_and_one_in_use_does_not_in_firefox: Firefox
    a_tab_that_is_left_goes_idle_and_one_in_use_does_not_in_webkit: WebKit
}
