//! The jar cookie as calls see it, and cookies that go when the browser closes.

use std::{convert::Infallible, time::Duration};

use http::{HeaderMap, Request, Response, header};
use tower::{Layer, ServiceExt, service_fn};

use super::*;
use crate::{
    ClaimsError, ClaimsRequest, CsrfLayer, CsrfToken, KeyRing, MemoryStore, NoClaims,
    RefreshCookieLayer, TokenCodec,
    refresh::{JarCookie, RefreshCookieBuilder, RefreshTransport},
    session::{CookieKind, Fields, MACS},
};

const REFRESH: &str = "__Secure-refresh_token";
const JAR: &str = "__Secure-refresh_token_jar";
const CSRF: &str = "__Host-csrf";

/// One in whose place something else can stand.
const PLANTED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAA";

struct Server {
    sessions: RefreshCookieLayer,
    csrf: CsrfLayer,
}

impl Server {
    fn new(set: impl FnOnce(RefreshCookieBuilder) -> RefreshCookieBuilder) -> Self {
        let keys = KeyRing::generate().unwrap();
        let codec = TokenCodec::nested(&keys).issuer("https://id.example");
        let codec = codec.audience("api").build().unwrap();
        let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
        let sessions = RefreshCookieLayer::builder(codec, MemoryStore::new(), claims);
        Self {
            sessions: set(sessions).build().unwrap(),
            csrf: CsrfLayer::new(&keys).unwrap(),
        }
    }

    /// Returns the answer of the page in a browser with these cookies, and its `Set-Cookie` lines.
    async fn visit(&self, page: &str, cookies: &[String]) -> (String, Vec<String>) {
        let mut request = Request::get(format!("/auth/{page}"));
        for cookie in cookies {
            request = request.header(header::COOKIE, cookie);
        }
        let service = self
            .sessions
            .layer(self.csrf.layer(service_fn(application)));
        let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
        let lines = lines(response.headers());
        (response.into_body(), lines)
    }

    /// The cookies of a browser that has signed in.
    async fn signed_in(&self) -> Vec<String> {
        let (judged, lines) = self.visit("start", &[]).await;
        assert_eq!(judged, "Some(Waived)", "a session of this very request");
        lines.iter().map(|line| pair(line).to_owned()).collect()
    }
}

fn lines(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::SET_COOKIE).iter();
    lines
        .map(|line| line.to_str().unwrap().to_owned())
        .collect()
}

fn pair(line: &str) -> &str {
    line.split(';').next().unwrap()
}

/// The one of this name.
fn of<'l>(name: &str, lines: &'l [String]) -> Option<&'l str> {
    let mut named = lines
        .iter()
        .filter(|line| line.split('=').next() == Some(name));
    let found = named.next();
    assert!(named.next().is_none(), "{name} twice");
    found.map(String::as_str)
}

/// Says what the jar cookie shows.
async fn application(request: Request<()>) -> Result<Response<String>, Infallible> {
    let session = Session::from_extensions(request.extensions()).unwrap();
    match request.uri().path() {
        "/auth/start" => {
            session.start("user-1").await.unwrap();
        }
        "/auth/until-closed" => hand_out(&session, CookieKind::UntilClosed, true).await,
        "/auth/bound" => hand_out(&session, CookieKind::Lasting, false).await,
        "/auth/csrf" => {
            CsrfToken::from_extensions(request.extensions()).unwrap();
        }
        _ => {}
    }
    let id = session.genuine_id();
    let judged = id.map(|id| session.jar(&id));
    Ok(Response::new(format!("{judged:?}")))
}

/// Hands out cookies of this kind for the session that came, or for a new one.
async fn hand_out(session: &Session, kind: CookieKind, jar: bool) {
    let access = match session.has_cookie() {
        true => session.refresh().await.unwrap(),
        false => session.start("user-1").await.unwrap(),
    };
    let token = session.presented().await.unwrap();
    let found = session.load(&token.key()).await.unwrap();
    let value = session.seal(&token, &session.keys().unwrap()).unwrap();
    let mut record = found.record.unwrap();
    record.fields = Fields::of(kind == CookieKind::UntilClosed, None);
    record.bound = !jar;
    session.outgoing().renewed = false;
    session.hand_out(token, value, &record, found.time.now, access);
}

fn jar_of(cookies: &[String]) -> String {
    of(JAR, cookies).unwrap().to_owned()
}

#[tokio::test]
async fn one_right_value_among_sixteen_is_enough() {
    let server = Server::new(|builder| builder);
    let cookies = server.signed_in().await;
    let other = jar_of(&server.signed_in().await);
    let refresh = of(REFRESH, &cookies).unwrap().to_owned();
    let jar = jar_of(&cookies);
    let planted = format!("{JAR}={PLANTED}");
    let odd = |value: &str| format!("{JAR}={value}");
    let long = [&jar, "A"].concat();
    for (values, expected) in [
        (vec![&jar], "Shown"),
        (vec![], "Missing"),
        (vec![&planted], "Missing"),
        (vec![&other], "Missing"),
        (vec![&other, &planted, &jar], "Shown"),
        (vec![&planted, &planted, &other, &jar], "Shown"),
        (vec![&jar, &planted, &planted, &planted, &planted], "Shown"),
        // Those that name no key of ours take no place, and of the others no flood is worked through.
        ([vec![&planted; 100], vec![&jar]].concat(), "Shown"),
        ([vec![&other; 15], vec![&jar]].concat(), "Shown"),
        ([vec![&other; 16], vec![&jar]].concat(), "Missing"),
        // Those of another length are none.
        (vec![&long; 20], "Missing"),
        (
            [
                vec![&odd(""), &odd("x"), &long],
                vec![&long; 20],
                vec![&jar],
            ]
            .concat(),
            "Shown",
        ),
    ] {
        let mut sent = vec![refresh.clone()];
        sent.extend(values.into_iter().cloned());
        let expected = format!("Some({expected})");
        // As lines of their own, and in one.
        MACS.set(0);
        assert_eq!(server.visit("page", &sent).await.0, expected, "{sent:?}");
        assert!(MACS.get() <= 16, "{}", MACS.get());
        let sent = [sent.join("; ")];
        assert_eq!(server.visit("page", &sent).await.0, expected, "{sent:?}");
    }
    // Alone it is worth nothing, and is not looked at.
    MACS.set(0);
    assert_eq!(server.visit("page", &[jar]).await.0, "None");
    assert_eq!(MACS.get(), 0);
}

#[tokio::test]
async fn where_there_is_no_jar_nothing_has_to_be_shown() {
    let off = Server::new(|builder| builder.jar_cookie(JarCookie::Off));
    let cookies = off.signed_in().await;
    assert_eq!(of(JAR, &cookies), None);
    assert_eq!(off.visit("page", &cookies).await.0, "Some(Waived)");

    let bodies = Server::new(|builder| builder.transport(RefreshTransport::Body));
    let session = bodies
        .sessions
        .layer(service_fn(async |request: Request<()>| {
            let session = Session::from_extensions(request.extensions()).unwrap();
            let id = SessionId::from_bytes([1; 16]);
            Ok::<_, Infallible>(Response::new(session.jar(&id)))
        }));
    let response = session.oneshot(Request::new(())).await.unwrap();
    assert_eq!(*response.body(), JarProof::Waived);
}

#[tokio::test]
async fn a_session_that_goes_when_the_browser_closes_takes_its_csrf_cookie_along() {
    // An idle lifetime moves the end of cookies on at each refresh.
    let day = Duration::from_secs(24 * 60 * 60);
    let server = Server::new(|builder| builder.idle_lifetime(day));
    let (_, lines) = server.visit("until-closed", &[]).await;
    let names = [CSRF, REFRESH, JAR];
    for name in names {
        let line = of(name, &lines).unwrap();
        assert!(!line.contains("Max-Age"), "{line}");
    }
    let mut cookies: Vec<_> = lines.iter().map(|line| pair(line).to_owned()).collect();

    // The next hand-out moves no end on, so that the CSRF cookie stays as it is.
    let (judged, lines) = server.visit("until-closed", &cookies).await;
    assert_eq!(judged, "Some(Waived)");
    assert_eq!(of(CSRF, &lines), None);
    assert_eq!(pair(of(JAR, &lines).unwrap()), of(JAR, &cookies).unwrap());

    // A page that moves nothing on knows it from the jar cookie.
    cookies.retain(|cookie| !cookie.starts_with(CSRF));
    let (judged, lines) = server.visit("csrf", &cookies).await;
    assert_eq!(judged, "Some(Shown)");
    let line = of(CSRF, &lines).unwrap();
    assert!(!line.contains("Max-Age"), "{line}");
    // Without one it takes the session for one that lasts.
    cookies.retain(|cookie| !cookie.starts_with(JAR));
    let (_, lines) = server.visit("csrf", &cookies).await;
    let line = of(CSRF, &lines).unwrap();
    assert!(line.ends_with("; Max-Age=86400"), "{line}");
}

#[tokio::test]
async fn a_session_that_lasts_has_a_csrf_cookie_that_lasts() {
    let server = Server::new(|builder| builder);
    let mut cookies = server.signed_in().await;
    cookies.retain(|cookie| !cookie.starts_with(CSRF));
    let (judged, lines) = server.visit("csrf", &cookies).await;
    assert_eq!(judged, "Some(Shown)");
    assert!(of(CSRF, &lines).unwrap().contains("; Max-Age=604"));
}

#[tokio::test]
async fn a_browser_that_has_the_jar_cookie_gets_it_again_where_the_session_outlasts_it() {
    for (days, again) in [(400, false), (401, true)] {
        let whole = Duration::from_secs(days * 24 * 60 * 60);
        let server = Server::new(|builder| builder.absolute_lifetime(whole));
        let (_, lines) = server.visit("bound", &[]).await;
        assert!(of(REFRESH, &lines).is_some());
        assert_eq!(of(JAR, &lines).is_some(), again, "{days} days");
    }
}
