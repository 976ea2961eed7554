//! The future of `CsrfForm`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, request::Parts};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{field, layer::CsrfFormLayer};
use crate::{
    csrf::{
        decision::{Bound, Good, Proof},
        future::CsrfFuture,
    },
    rejection::{CsrfReason, Rejection, RejectionResponse},
};

pin_project! {
    /// The future of [`CsrfForm`](crate::csrf::CsrfForm). It reads the form where that is needed. Then it is the
    /// inner service's, whose response gets the token, or an immediate answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops what was read of the request, and the inner service's future.
    #[must_use = "futures do nothing unless polled"]
    pub struct CsrfFormFuture<S, R, ReqBody, ResBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        kind: Kind<S, R, ReqBody, ResBody>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<S, R, ReqBody, ResBody>
    where
        S: Service<Request<ReqBody>>,
    {
        Answering { #[pin] future: CsrfFuture<S::Future, ResBody, R> },
        Reading {
            #[pin]
            body: ReqBody,
            // One copy in one piece: small pieces would each keep the buffer alive that they came in.
            read: BytesMut,
            // Taken when the body has been read.
            pending: Option<Pending<S, R>>,
        },
    }
}

/// A request that waits for its form, and what it will be judged by.
pub(super) struct Pending<S, R> {
    /// It has been polled ready.
    pub(super) inner: S,
    pub(super) layer: CsrfFormLayer<R>,
    pub(super) parts: Parts,
    pub(super) bound: Bound,
    /// The cookie's token.
    pub(super) good: Good,
}

impl<S, R, ReqBody, ResBody> CsrfFormFuture<S, R, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) fn answer(future: CsrfFuture<S::Future, ResBody, R>) -> Self {
        Self {
            kind: Kind::Answering { future },
        }
    }

    pub(super) fn reading(body: ReqBody, pending: Pending<S, R>) -> Self {
        Self {
            kind: Kind::Reading {
                body,
                read: BytesMut::new(),
                pending: Some(pending),
            },
        }
    }
}

impl<S, R> Pending<S, R> {
    /// Judges the request, now that its body is there or has failed.
    fn go_on<ReqBody, ResBody>(
        self,
        body: Result<Bytes, CsrfReason>,
    ) -> CsrfFuture<S::Future, ResBody, R>
    where
        S: Service<Request<ReqBody>>,
        R: RejectionResponse<ResBody>,
        ReqBody: From<Bytes>,
        ResBody: Default,
    {
        let Self {
            mut inner,
            layer: CsrfFormLayer { csrf, settings },
            mut parts,
            bound,
            good,
        } = self;
        let checked = body.and_then(|body| {
            let submitted = field::submitted(&body, &settings.name)?;
            csrf.config.compare(submitted.as_bytes(), &good)?;
            drop(submitted);
            Ok(body)
        });
        match checked {
            Ok(body) => {
                let extensions = &mut parts.extensions;
                let handle = csrf.handle(extensions, bound, Some(good), Proof::Given, false);
                let request = Request::from_parts(parts, ReqBody::from(body));
                CsrfFuture::passed(inner.call(request), handle, None)
            }
            Err(reason) => csrf.refuse(&parts.extensions, Rejection::csrf(reason)),
        }
    }
}

/// Reads on, until the end or the first byte above the limit. Trailers are the end: what a body gives
/// after them was never checked, so it goes nowhere.
fn poll_form<B: Body<Data = Bytes>>(
    mut body: Pin<&mut B>,
    read: &mut BytesMut,
    limit: usize,
    cx: &mut Context<'_>,
) -> Poll<Result<Bytes, CsrfReason>> {
    loop {
        let frame = match ready!(body.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => frame.into_data().ok(),
            // Of a form that breaks off nothing counts.
            Some(Err(_)) => return Poll::Ready(Err(CsrfReason::TokenMissing)),
            None => None,
        };
        match frame {
            Some(data) if data.len() > limit.saturating_sub(read.len()) => {
                return Poll::Ready(Err(CsrfReason::BodyTooLarge));
            }
            Some(data) => read.extend_from_slice(&data),
            None => return Poll::Ready(Ok(read.split().freeze())),
        }
    }
}

impl<S, R, ReqBody, ResBody> Future for CsrfFormFuture<S, R, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: RejectionResponse<ResBody>,
    ReqBody: Body<Data = Bytes> + From<Bytes>,
    ResBody: Default,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut kind = self.project().kind;
        loop {
            let next = match kind.as_mut().project() {
                KindProjection::Answering { future } => return future.poll(cx),
                KindProjection::Reading {
                    body,
                    read,
                    pending,
                } => {
                    let limit = pending.as_ref().map_or(0, |p| p.layer.settings.limit);
                    let body = ready!(poll_form(body, read, limit, cx));
                    // It is there: what takes it replaces this state right after.
                    let Some(pending) = pending.take() else {
                        return Poll::Pending;
                    };
                    pending.go_on(body)
                }
            };
            kind.set(Kind::Answering { future: next });
        }
    }
}

impl<S, R, ReqBody, ResBody> fmt::Debug for CsrfFormFuture<S, R, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind } = self;
        f.write_str(match kind {
            Kind::Answering { .. } => "CsrfFormFuture(answering)",
            Kind::Reading { .. } => "CsrfFormFuture(reading)",
        })
    }
}
