//! A client that does what the page of an example does: it keeps cookies, and sends the CSRF token.

use std::{fmt, future::IntoFuture, pin::Pin};

use http::{
    Method, Request, StatusCode, Version,
    header::{
        AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, IntoHeaderName,
        ORIGIN, SET_COOKIE, USER_AGENT,
    },
};
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use serde_json::{Value, json};
use tokio::time::timeout;
use tower_bearer::{Clock, SystemClock, test_util::TestJar};

use super::PATIENCE;

/// A browser with the page of one origin. A clone is another one with the same cookies.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    pub(crate) url: String,
    /// Of the page that asks.
    origin: String,
    pub(crate) agent: &'static str,
    /// Of this machine: its ports share their cookies, and `Secure` ones go over plain http too.
    pub(crate) jar: TestJar,
    client: Client<HttpsConnector<HttpConnector>, String>,
    http2: Client<HttpConnector, String>,
}

impl Browser {
    /// One with no cookies.
    pub(crate) fn new(url: String) -> Self {
        Self::trusting(None, url)
    }

    /// One that trusts this certificate.
    pub(crate) fn trusting(certificate: Option<CertificateDer<'static>>, url: String) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificate);
        let tls = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let https = HttpsConnectorBuilder::new().with_tls_config(tls);
        let https = https.https_or_http().enable_http1().build();
        let client = || Client::builder(TokioExecutor::new());
        Self {
            origin: url.clone(),
            url,
            agent: "walk",
            jar: TestJar::new("http://127.0.0.1"),
            client: client().build(https),
            http2: client().http2_only(true).build_http(),
        }
    }

    /// The same cookies in the hands of another client.
    pub(crate) fn stolen(&self) -> Self {
        let agent = "thief";
        Self {
            agent,
            ..self.clone()
        }
    }

    /// The same browser with a page of another origin.
    pub(crate) fn page_of(&self, origin: &str) -> Self {
        let origin = origin.to_owned();
        Self {
            origin,
            ..self.clone()
        }
    }

    /// From now on it has the page of this address, and keeps its cookies.
    pub(crate) fn go_to(&mut self, url: &str) {
        self.url = url.to_owned();
        self.origin = url.to_owned();
    }

    pub(crate) fn get(&mut self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&mut self, path: &str) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    /// A request as the page sends it. It has the page's origin and cookies, and the CSRF cookie copied into the
    /// header.
    pub(crate) fn ask(&mut self, method: Method, path: &str) -> Ask<'_> {
        let csrf = self.csrf().map(ToOwned::to_owned);
        let lines = [
            (USER_AGENT, Some(self.agent.to_owned())),
            (ORIGIN, Some(self.origin.clone())),
            (COOKIE, self.cookies(path)),
            (CSRF_HEADER, csrf),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            value.map(|value| headers.insert(name, value.parse().unwrap()));
        }
        Ask {
            browser: self,
            method,
            path: path.to_owned(),
            headers,
            body: String::new(),
            http2: false,
        }
    }

    pub(crate) fn sign_in(&mut self, password: &str) -> Ask<'_> {
        let form = json!({ "email": "dev@example.com", "password": password });
        self.post("/auth/login").json(&form)
    }

    pub(crate) fn refresh(&mut self) -> Ask<'_> {
        self.post("/auth/refresh")
    }

    /// The header `Cookie` for a request to this path.
    pub(crate) fn cookies(&self, path: &str) -> Option<String> {
        self.jar.header(path, SystemClock.now())
    }

    /// The CSRF token among the cookies.
    pub(crate) fn csrf(&self) -> Option<&str> {
        let names = ["__Host-csrf", "csrf"];
        names.into_iter().find_map(|name| self.jar.value(name))
    }
}

/// The header that repeats the CSRF cookie.
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// A request, which is sent when it is awaited.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    browser: &'a mut Browser,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: String,
    http2: bool,
}

impl Ask<'_> {
    /// In place of the one that would be sent otherwise.
    pub(crate) fn header(mut self, name: impl IntoHeaderName, value: &str) -> Self {
        self.headers
            .insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// With this CSRF token in the header.
    pub(crate) fn csrf(self, token: &str) -> Self {
        self.header(CSRF_HEADER, token)
    }

    /// Without a header that would be sent otherwise.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Without a CSRF token in the header.
    pub(crate) fn no_csrf(self) -> Self {
        self.without(CSRF_HEADER.as_str())
    }

    pub(crate) fn json(self, value: &Value) -> Self {
        self.header(CONTENT_TYPE, "application/json")
            .body(value.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    /// Over HTTP/2, and with its first byte.
    pub(crate) fn http2(mut self) -> Self {
        self.http2 = true;
        self
    }

    async fn send(self) -> Answer {
        let Self { browser, path, .. } = self;
        let what = format!("{} {path}", self.method);
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = format!("{}{path}", browser.url).parse().unwrap();
        *request.headers_mut() = self.headers;
        let asked = async {
            let answer = match self.http2 {
                true => browser.http2.request(request).await,
                false => browser.client.request(request).await,
            };
            let (head, body) = answer
                .unwrap_or_else(|error| panic!("{what}: {error:?}"))
                .into_parts();
            let body = body.collect().await.expect("a whole body").to_bytes();
            (head, String::from_utf8(body.into()))
        };
        let answer = timeout(PATIENCE, asked).await;
        let (head, body) = answer.unwrap_or_else(|_| panic!("{what}: no answer"));
        let dropped = browser.jar.keep(&path, &head.headers, SystemClock.now());
        assert!(dropped.is_empty(), "{what}: a browser drops {dropped:?}");
        Answer {
            status: head.status,
            version: head.version,
            headers: head.headers,
            body: body.expect("a body of text"),
            what,
        }
    }
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// An answer, to be looked at. A check that fails shows all of it.
#[must_use]
pub(crate) struct Answer {
    what: String,
    status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.status)?;
        for (name, value) in &self.headers {
            write!(f, "\n{name}: {value:?}")?;
        }
        write!(f, "\n{}", self.body)
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    pub(crate) fn has_status(&self, status: u16) -> bool {
        self.status == status
    }

    /// Has a header with such a value: see [`matches`].
    #[track_caller]
    pub(crate) fn has(&self, name: &str, pattern: &str) -> &Self {
        assert!(self.finds(name, pattern), "{name}: {pattern}: {self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn lacks(&self, name: &str, pattern: &str) -> &Self {
        assert!(!self.finds(name, pattern), "{name}: {pattern}: {self:?}");
        self
    }

    fn finds(&self, name: &str, pattern: &str) -> bool {
        let mut values = self.headers.get_all(name).iter();
        values.any(|value| matches(value.to_str().unwrap(), pattern))
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.body.contains(text), "{text}: {self:?}");
        self
    }

    /// The whole body, but for the end of its line.
    #[track_caller]
    pub(crate) fn says_just(&self, text: &str) -> &Self {
        assert_eq!(self.body.trim_end(), text, "{self:?}");
        self
    }

    /// A text among the members of the body.
    #[track_caller]
    pub(crate) fn member(&self, name: &str) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let member = body[name].as_str();
        member
            .unwrap_or_else(|| panic!("no `{name}`: {self:?}"))
            .to_owned()
    }

    #[track_caller]
    pub(crate) fn access_token(&self) -> String {
        self.member("access_token")
    }

    /// Where the browser is sent.
    #[track_caller]
    pub(crate) fn location(&self) -> String {
        let location = self.headers.get("location");
        let location = location.unwrap_or_else(|| panic!("no address: {self:?}"));
        location.to_str().unwrap().to_owned()
    }

    /// The cookies that it sets, as `name=value`.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.headers.get_all(SET_COOKIE).iter();
        lines.filter_map(|line| line.to_str().ok()?.split(';').next()?.split_once('='))
    }
}

/// Whether a value begins as the pattern does. A `*` in it stands for anything.
fn matches(value: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let begin = parts.next().unwrap_or_default();
    let Some(mut rest) = value.strip_prefix(begin) else {
        return false;
    };
    parts.all(|part| {
        let found = rest.split_once(part);
        rest = found.map_or("", |(_, after)| after);
        found.is_some()
    })
}

#[test]
fn patterns() {
    for (value, pattern, matching) in [
        ("Bearer realm", "", true),
        ("Bearer realm", "Bearer", true),
        ("Bearer realm", "realm", false),
        ("Bearer realm", "*realm", true),
        ("a; b; c", "a*c", true),
        ("a; b; c", "a*c*b", false),
        ("a; b; c", "a*c*c", false),
    ] {
        assert_eq!(matches(value, pattern), matching, "{value}: {pattern}");
    }
}
