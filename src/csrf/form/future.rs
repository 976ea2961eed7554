//! The future of `CsrfForm`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    body::FormBody,
    encoding::Encoding,
    field,
    layer::CsrfFormLayer,
    read::{Reader, Whole},
};
use crate::{
    binding::CsrfBinding,
    csrf::{future::CsrfFuture, token::Token},
    current_session::CurrentSession,
    rejection::{CsrfReason, Rejection, RejectionResponse},
};

pin_project! {
    /// The future of [`CsrfForm`](crate::CsrfForm): reads the form where that is needed, and then
    /// is the inner service's, whose response gets the token, or an answer that is ready at once.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops what was read of the request, and the inner service's future.
    #[must_use = "futures do nothing unless polled"]
    pub struct CsrfFormFuture<S, R, ReqBody, ResBody>
    where
        S: Service<Request<FormBody<ReqBody>>>,
    {
        #[pin]
        kind: Kind<S, R, ReqBody, ResBody>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<S, R, ReqBody, ResBody>
    where
        S: Service<Request<FormBody<ReqBody>>>,
    {
        Answering { #[pin] future: CsrfFuture<S::Future, ResBody> },
        Reading {
            #[pin]
            body: ReqBody,
            reader: Reader,
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
    pub(super) session: Option<CurrentSession>,
    pub(super) binding: CsrfBinding,
    /// The cookie's token, which is good.
    pub(super) token: Token,
    pub(super) encoding: Encoding,
}

impl<S, R, ReqBody, ResBody> CsrfFormFuture<S, R, ReqBody, ResBody>
where
    S: Service<Request<FormBody<ReqBody>>>,
{
    pub(super) fn answer(future: CsrfFuture<S::Future, ResBody>) -> Self {
        Self {
            kind: Kind::Answering { future },
        }
    }

    pub(super) fn reading(body: ReqBody, pending: Pending<S, R>) -> Self {
        Self {
            kind: Kind::Reading {
                body,
                reader: Reader::new(pending.layer.settings.limit),
                pending: Some(pending),
            },
        }
    }
}

impl<S, R> Pending<S, R> {
    /// Judges the request, now that its body is there or has failed.
    fn go_on<ReqBody, ResBody>(
        self,
        body: Result<Whole, CsrfReason>,
    ) -> CsrfFuture<S::Future, ResBody>
    where
        S: Service<Request<FormBody<ReqBody>>>,
        R: RejectionResponse<ResBody>,
        ResBody: Default,
    {
        let Self {
            mut inner,
            layer: CsrfFormLayer { csrf, settings },
            mut parts,
            session,
            binding,
            token,
            encoding,
        } = self;
        let checked = body.and_then(|whole| {
            let submitted = field::submitted(&whole.data, &encoding, &settings)?;
            csrf.policy.compare(&submitted, &token)?;
            drop(submitted);
            Ok(whole)
        });
        match checked {
            Ok(whole) => {
                let handle = csrf.handle(&mut parts.extensions, session, binding, Some(token));
                let request = Request::from_parts(parts, FormBody::read(whole));
                CsrfFuture::passed(inner.call(request), handle)
            }
            Err(reason) => csrf.refuse(&parts.extensions, Rejection::csrf(reason)),
        }
    }
}

impl<S, R, ReqBody, ResBody> Future for CsrfFormFuture<S, R, ReqBody, ResBody>
where
    S: Service<Request<FormBody<ReqBody>>, Response = Response<ResBody>>,
    R: RejectionResponse<ResBody>,
    ReqBody: Body<Data = Bytes>,
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
                    reader,
                    pending,
                } => {
                    let body = ready!(reader.poll(body, cx));
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
    S: Service<Request<FormBody<ReqBody>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind } = self;
        f.write_str(match kind {
            Kind::Answering { .. } => "CsrfFormFuture(answering)",
            Kind::Reading { .. } => "CsrfFormFuture(reading)",
        })
    }
}
