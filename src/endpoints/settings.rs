//! From a call to its answer.

use std::{collections::BTreeMap, error::Error, sync::Arc};

use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body::Body;

use super::{
    answer::{CamelCase, Sessions, json, no_content},
    body::present,
    route::{Call, route},
};
use crate::{
    csrf::csrf_token::CsrfToken,
    current_session::SIGNED_OUT,
    problem::Problem,
    refresh::{RefreshTransport, problem::answer, session::Session, told::CSRF},
    rejection::Rejection,
    session::{SessionError, SessionErrorKind},
    token::AccessToken,
};

pub(super) type Answer = Response<String>;

/// The settings of [`SessionEndpoints`](crate::SessionEndpoints).
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) base: Option<Arc<str>>,
    pub(super) camel_case: bool,
    pub(super) keep_current: bool,
}

impl Settings {
    pub(super) async fn answer<B>(
        self,
        method: Method,
        path: String,
        session: Option<Session>,
        csrf: Option<(CsrfToken, bool)>,
        body: B,
    ) -> Answer
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let Some(session) = session else {
            return missing("RefreshCookieLayer");
        };
        let base = self.base.as_deref().unwrap_or(&session.config().base);
        let transport = session.config().transport();
        let Some((call, allow)) = route(&path, base, transport) else {
            return no_such_endpoint();
        };
        if !allow.split(", ").any(|allowed| allowed == method.as_str()) {
            let mut response = answer(&Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The endpoint answers other methods",
            ));
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static(allow));
            return response;
        }
        if transport == RefreshTransport::Body
            && let Err(refusal) = present(&session, body).await
        {
            return refusal;
        }
        let done = match call {
            Call::Csrf => self.csrf(&session, csrf).await,
            Call::Refresh => session.refresh().await.and_then(|token| self.token(&token)),
            Call::Logout => session.end().await.map(|()| no_content()),
            Call::LogoutAll if self.keep_current => match session.end_others().await {
                // The successor travels in the body, so there has to be one.
                Ok(token) if token.refresh_token().is_some() => self.token(&token),
                ended => ended.map(|_| no_content()),
            },
            Call::LogoutAll => match session.end_all().await {
                // A client that signs out need not wait for a newer cookie.
                Err(error) if error.kind() == SessionErrorKind::Superseded => {
                    Err(SessionError::new(SessionErrorKind::Invalid))
                }
                ended => ended.map(|()| no_content()),
            },
            Call::Peek => session.peek().await.and_then(|peeked| json(&peeked)),
            Call::List => session
                .list()
                .await
                .and_then(|sessions| json(&Sessions { sessions })),
            Call::End(id) => match id.parse() {
                Ok(id) => session.end_session(&id).await.map(|()| no_content()),
                Err(error) => Err(session.refused("end_session", error)),
            },
        };
        done.unwrap_or_else(|error| error.response())
    }

    /// Answers with a CSRF token for the page that asks.
    async fn csrf(
        &self,
        session: &Session,
        csrf: Option<(CsrfToken, bool)>,
    ) -> Result<Answer, SessionError> {
        let Some((csrf, is_left)) = csrf else {
            return Ok(missing("CsrfLayer"));
        };
        csrf.take();
        if is_left {
            let kind = SessionErrorKind::NoSession;
            session.refused(CSRF, SessionError::with_source(kind, SIGNED_OUT));
        }
        let live = match csrf.is_of_refresh_cookie() {
            true => session.live_session(csrf.held()).await?,
            false => None,
        };
        let token = match live {
            Some(session) => csrf.masked_for(session.into()),
            None => csrf.masked(),
        };
        let token = token.map_err(|error| {
            let error = SessionError::with_source(SessionErrorKind::Unavailable, error);
            session.refused(CSRF, error)
        })?;
        let name = match self.camel_case {
            true => "csrfToken",
            false => "csrf_token",
        };
        json(&BTreeMap::from([(name, token)]))
    }

    fn token(&self, token: &AccessToken) -> Result<Answer, SessionError> {
        if self.camel_case {
            json(&CamelCase::from(token))
        } else {
            json(token)
        }
    }
}

fn missing(layer: &str) -> Answer {
    Rejection::missing_layer(layer, "SessionEndpoints", "auth.guards()").response()
}

fn no_such_endpoint() -> Answer {
    let problem = Problem::new(StatusCode::NOT_FOUND, "not_found", "No such endpoint");
    answer(&problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TokenSession;

    #[test]
    fn both_spellings_of_the_answer() {
        let lifetime = std::time::Duration::from_secs(900);
        let alone = AccessToken::new("a.b-_c.d".into(), lifetime);
        let both = alone.clone().with_refresh_token("v1.e-_f".into());
        let session = TokenSession {
            id: crate::session::SessionId::from_bytes([7; 16]),
            expires_in: lifetime * 4,
            idle_expires_in: None,
        };
        let idle = TokenSession {
            idle_expires_in: Some(lifetime * 2),
            ..session
        };
        let camel = || Settings {
            camel_case: true,
            ..Settings::default()
        };
        for (settings, token, expected) in [
            (
                Settings::default(),
                &alone,
                r#"{"access_token":"a.b-_c.d","token_type":"Bearer","expires_in":900}"#,
            ),
            (
                Settings::default(),
                &both,
                r#"{"access_token":"a.b-_c.d","token_type":"Bearer","expires_in":900,"refresh_token":"v1.e-_f"}"#,
            ),
            (
                camel(),
                &both,
                r#"{"accessToken":"a.b-_c.d","tokenType":"Bearer","expiresIn":900,"refreshToken":"v1.e-_f"}"#,
            ),
            (
                Settings::default(),
                &alone.clone().of_session(session),
                r#"{"access_token":"a.b-_c.d","token_type":"Bearer","expires_in":900,"session":"BwcHBwcHBwcHBwcHBwcHBw","session_expires_in":3600}"#,
            ),
            (
                Settings::default(),
                &alone.clone().of_session(idle),
                r#"{"access_token":"a.b-_c.d","token_type":"Bearer","expires_in":900,"session":"BwcHBwcHBwcHBwcHBwcHBw","session_expires_in":3600,"idle_expires_in":1800}"#,
            ),
            (
                camel(),
                &alone.clone().of_session(idle),
                r#"{"accessToken":"a.b-_c.d","tokenType":"Bearer","expiresIn":900,"session":"BwcHBwcHBwcHBwcHBwcHBw","sessionExpiresIn":3600,"idleExpiresIn":1800}"#,
            ),
        ] {
            assert_eq!(settings.token(token).unwrap().body(), expected);
        }
    }
}
