//! The document at its path, in front of everything else.

use std::task::{Context, Poll};

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tower_layer::Layer;
use tower_service::Service;

use super::ResourceMetadata;
use crate::future::GuardFuture;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// The service of [`ResourceMetadata`], which the [module documentation](super) shows.
///
/// The body of its answers is made of a `String`, as axum's, tonic's and hyper's `Full` can be. With another one, such
/// as `BoxBody`, ask [`ResourceMetadata::response`] instead.
#[derive(Clone, Debug)]
pub struct ServeMetadata<S> {
    inner: S,
    document: ResourceMetadata,
}

impl<S> Layer<S> for ResourceMetadata {
    type Service = ServeMetadata<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ServeMetadata {
            inner,
            document: self.clone(),
        }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for ServeMetadata<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: From<String>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = GuardFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match self.document.response(&request) {
            None => GuardFuture::passed(self.inner.call(request)),
            Some(response) => GuardFuture::refused(response.map(Into::into)),
        }
    }
}

impl ResourceMetadata {
    /// Returns the answer to a request for the document, and `None` for every other request.
    ///
    /// It is for bodies that cannot be made of a `String`:
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::{BodyExt, Empty, combinators::BoxBody};
    /// use tower_bearer::resource::ResourceMetadata;
    ///
    /// type Answer = Response<BoxBody<Bytes, std::io::Error>>;
    ///
    /// async fn serve<B>(document: &ResourceMetadata, request: Request<B>) -> Answer {
    ///     if let Some(response) = document.response(&request) {
    ///         return response.map(|body| body.map_err(|never| match never {}).boxed());
    ///     }
    ///     // BearerAuth and what is behind it
    /// #   Response::new(Empty::new().map_err(|never| match never {}).boxed())
    /// }
    /// # let _ = serve::<()>;
    /// ```
    pub fn response<B>(&self, request: &Request<B>) -> Option<Response<String>> {
        let asked = self.is_asked_by(request.uri());
        asked.then(|| self.answer(request.method()))
    }

    fn answer(&self, method: &Method) -> Response<String> {
        let json = self.json();
        let (status, body, rest): (_, &str, &[(HeaderName, &'static str)]) = match *method {
            Method::GET | Method::HEAD => (
                StatusCode::OK,
                if method == Method::GET { json } else { "" },
                &[
                    (header::CONTENT_TYPE, "application/json"),
                    (header::CACHE_CONTROL, "public, max-age=300"),
                ],
            ),
            Method::OPTIONS => (
                StatusCode::NO_CONTENT,
                "",
                &[
                    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
                    // The star stands for every header but this one (Fetch, "CORS-preflight fetch").
                    (header::ACCESS_CONTROL_ALLOW_HEADERS, "*, Authorization"),
                    (header::ACCESS_CONTROL_MAX_AGE, "86400"),
                ],
            ),
            _ => (StatusCode::METHOD_NOT_ALLOWED, "", &[]),
        };
        let mut response = Response::new(body.to_owned());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        for (name, value) in rest {
            headers.insert(name, HeaderValue::from_static(value));
        }
        match status {
            StatusCode::OK => headers.insert(header::CONTENT_LENGTH, json.len().into()),
            _ => headers.insert(header::ALLOW, METHODS),
        };
        response
    }
}
