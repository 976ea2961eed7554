//! One request to an issuer, bounded in time and size, and which answers count.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::LengthLimitError;
use tokio::task::JoinSet;

use super::{
    error::JwksError,
    fetch::{Answer, AnyFetch},
    retry_after::retry_after,
    url::Address,
};
use crate::clock::Clock;

/// Asks one address after the other, and judges what comes back.
pub(super) struct Client {
    pub(super) fetch: Arc<dyn AnyFetch>,
    /// Whether that is not the built-in one.
    pub(super) foreign: bool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timeout: Duration,
    pub(super) max_bytes: usize,
}

/// An answer that counts.
pub(super) enum Fetched {
    /// The document is what it was when it had the entity tag that was sent along.
    Unchanged { headers: HeaderMap },
    /// A document that is not read yet.
    Document { headers: HeaderMap, body: Bytes },
}

/// The media types that are asked for.
pub(super) const JWK_SET: &str = "application/jwk-set+json, application/json";
pub(super) const JSON: &str = "application/json";

impl Client {
    /// Asks `address` once. `etag` is that of the current document.
    pub(super) async fn get(
        &self,
        address: &Address,
        accept: &'static str,
        etag: Option<&HeaderValue>,
    ) -> Result<Fetched, JwksError> {
        let answer = self.send(request(address, accept, etag)).await?;
        let answer = answer.map_err(|error| match error.is::<LengthLimitError>() {
            true => JwksError::too_large(self.max_bytes),
            false => JwksError::connection(self.foreign, error),
        })?;
        self.judge(answer, etag.is_some())
    }

    /// Sends it on a task of its own. So a client that panics affects no other task, and one that blocks can be
    /// abandoned.
    async fn send(&self, request: Request<()>) -> Result<Answer, JwksError> {
        let (fetch, limit) = (self.fetch.clone(), self.max_bytes);
        // It is aborted with the wait for it.
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { fetch.fetch_boxed(request, limit).await });
        match tokio::time::timeout(self.timeout, tasks.join_next()).await {
            Ok(Some(Ok(answer))) => Ok(answer),
            Ok(_) => Err(JwksError::connection(self.foreign, "the client panicked")),
            Err(_) => Err(JwksError::timed_out(self.timeout)),
        }
    }

    fn judge(&self, answer: Response<Bytes>, conditional: bool) -> Result<Fetched, JwksError> {
        let (parts, body) = answer.into_parts();
        let headers = parts.headers;
        match parts.status {
            StatusCode::OK => {}
            // It answers a question that has to be asked.
            StatusCode::NOT_MODIFIED if conditional => return Ok(Fetched::Unchanged { headers }),
            status => {
                let wait = retry_after(status, &headers, self.clock.now());
                return Err(JwksError::status_of(status, wait));
            }
        }
        if body.len() > self.max_bytes {
            return Err(JwksError::too_large(self.max_bytes));
        }
        match encoding(&headers) {
            Some(encoding) => Err(JwksError::encoded(encoding)),
            None => Ok(Fetched::Document { headers, body }),
        }
    }
}

fn request(address: &Address, accept: &'static str, etag: Option<&HeaderValue>) -> Request<()> {
    let mut request = Request::new(());
    *request.uri_mut() = address.uri().clone();
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
    let agent = concat!("tower-bearer/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    if let Some(etag) = etag {
        headers.insert(header::IF_NONE_MATCH, etag.clone());
    }
    request
}

/// The first encoding of the body, if it has one (RFC 9110 section 8.4).
fn encoding(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut all = headers.get_all(header::CONTENT_ENCODING).iter();
    all.find(|value| {
        let value = value.as_bytes().trim_ascii();
        !value.is_empty() && !value.eq_ignore_ascii_case(b"identity")
    })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fetch: _,
            foreign,
            clock: _,
            timeout,
            max_bytes,
        } = self;
        f.debug_struct("Client")
            .field("foreign", foreign)
            .field("timeout", timeout)
            .field("max_bytes", max_bytes)
            .finish_non_exhaustive()
    }
}
