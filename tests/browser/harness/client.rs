//! A client of the service that is no browser: a thief with a copied cookie, or another device.

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

/// Asks with cookies that it is given, as the `User-Agent` it claims to be.
pub(crate) struct Client {
    http: Http<HttpConnector, Body>,
    origin: String,
    agent: String,
    cookies: Vec<(String, String)>,
}

/// Whether the cookie is the refresh cookie or the jar cookie, whatever its prefix.
pub(crate) fn is_of_session(name: &str) -> bool {
    name.ends_with("refresh_token") || name.ends_with("refresh_token_jar")
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Client {
    pub(crate) fn new(origin: &str, agent: &str) -> Self {
        Self {
            http: Http::builder(TokioExecutor::new()).build_http(),
            origin: origin.into(),
            agent: agent.into(),
            cookies: Vec::new(),
        }
    }

    /// With cookies from elsewhere.
    pub(crate) fn with_cookies(mut self, cookies: &[(String, String)]) -> Self {
        self.cookies.extend_from_slice(cookies);
        self
    }

    pub(crate) async fn sign_in(&mut self) {
        let form = json!({ "email": super::stage::EMAIL, "password": super::stage::PASSWORD });
        let answer = self.post("/auth/login", form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }

    /// Names and values of the session's cookies.
    pub(crate) fn session_cookies(&self) -> Vec<(String, String)> {
        let cookies = self.cookies.iter();
        let own = cookies.filter(|(name, _)| is_of_session(name));
        own.cloned().collect()
    }

    pub(crate) async fn refresh(&mut self) -> Answer {
        self.post("/auth/refresh", Value::Null).await
    }

    /// A request with an access token.
    pub(crate) async fn api(&mut self, method: Method, path: &str, token: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        self.ask(
            method,
            path,
            &[("authorization", &authorization)],
            &Value::Null,
        )
        .await
    }

    /// A request that names two origins, which is refused before anything else is looked at.
    pub(crate) async fn ask_twice(&mut self) {
        let second = [("origin", "https://elsewhere.example")];
        let answer = self
            .ask(Method::POST, "/auth/logout", &second, &Value::Null)
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }

    /// Keeps everything to the rules but who it is: it fetches a CSRF token and names the right origin.
    async fn post(&mut self, path: &str, body: Value) -> Answer {
        let csrf = self.ask(Method::GET, "/auth/csrf", &[], &Value::Null).await;
        let token = csrf.body["csrf_token"].as_str().unwrap();
        self.ask(Method::POST, path, &[("x-csrf-token", token)], &body)
            .await
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin))
            .header(header::ORIGIN, &self.origin)
            .header(header::USER_AGENT, &self.agent)
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // As a browser does, to the path of the cookies only.
        if !cookies.is_empty() && path.starts_with("/auth") {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = self.http.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        self.keep(&parts.headers);
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            // The CSRF token comes as it is, everything else as JSON.
            body: serde_json::from_slice(&body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&body).into()),
        }
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.into(), value.into()));
            }
        }
    }
}
