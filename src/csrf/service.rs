//! `Csrf`.

use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{future::CsrfFuture, handle::CsrfToken, layer::CsrfLayer};
use crate::{
    binding::SessionMoves,
    rejection::{DefaultRejection, Rejection, RejectionResponse},
};

/// The service of [`CsrfLayer`](super::CsrfLayer).
#[derive(Clone)]
pub struct Csrf<S, R = DefaultRejection> {
    inner: S,
    layer: CsrfLayer<R>,
}

impl<S, R> Csrf<S, R> {
    pub(super) fn new(inner: S, layer: CsrfLayer<R>) -> Self {
        Self { inner, layer }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for Csrf<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: RejectionResponse<ResBody>,
    ResBody: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = CsrfFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    // The inner service that is called is the one that was polled ready.
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let policy = &self.layer.policy;
        let binding = (self.layer.bind)(&parts);
        // A layer further out reads the same word.
        let moves = parts.extensions.get_or_insert_default::<SessionMoves>();
        let moves = moves.clone();
        let handle = |token| CsrfToken::new(policy.clone(), moves, binding, token);
        let handle = if !policy.is_guarded(&parts.method, &parts.headers) {
            let cookie = policy.cookie(&parts.headers);
            let token = cookie.and_then(|cookie| policy.authentic(cookie, &binding));
            let provide = token.is_err() && policy.replaces(&parts.headers);
            let handle = handle(token.ok());
            if provide {
                handle.provide();
            }
            handle
        } else if policy.is_exempt(&parts.headers) {
            handle(None)
        } else {
            match policy.check(&parts.headers, &binding) {
                Ok(token) => handle(Some(token)),
                Err(reason) => {
                    let rejection = Rejection::csrf(reason);
                    return CsrfFuture::refused(
                        self.layer.refusal.answer(&parts.headers, rejection),
                    );
                }
            }
        };
        parts.extensions.insert(handle.clone());
        CsrfFuture::passed(self.inner.call(Request::from_parts(parts, body)), handle)
    }
}

impl<S: fmt::Debug, R: fmt::Debug> fmt::Debug for Csrf<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, layer } = self;
        f.debug_struct("Csrf")
            .field("inner", inner)
            .field("layer", layer)
            .finish()
    }
}
