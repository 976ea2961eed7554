//! `FormBody`.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::read::Whole;

pin_project! {
    /// The request body behind a [`CsrfFormLayer`](crate::CsrfFormLayer): the bytes and trailers
    /// of the original, whether the layer has read it or not.
    ///
    /// Only the pieces in which they come may be others: a form that was read comes in one.
    ///
    /// ```
    /// use http::{Request, Response, StatusCode};
    /// use http_body_util::BodyExt;
    /// use tower::{Layer, ServiceExt, service_fn};
    /// use tower_bearer::{CsrfBinding, CsrfLayer, FormBody, KeyRing};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let echo = service_fn(|request: Request<FormBody<String>>| async move {
    ///     let body = request.into_body().collect().await?.to_bytes();
    ///     Ok::<_, std::convert::Infallible>(Response::new(format!("{} bytes", body.len())))
    /// });
    /// let csrf = CsrfLayer::builder(&KeyRing::generate()?).binding(|_| CsrfBinding::ANONYMOUS).build()?;
    /// let service = csrf.form_field("csrf_token")?.layer(echo);
    ///
    /// let response = service.oneshot(Request::get("/").body("12345".to_owned())?).await?;
    /// assert_eq!(response.body(), "5 bytes");
    /// # Ok(())
    /// # }
    /// ```
    pub struct FormBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        Read { data: Bytes, trailers: Option<HeaderMap> },
        Unread { #[pin] body: B },
    }
}

impl<B> FormBody<B> {
    pub(super) fn read(whole: Whole) -> Self {
        let Whole { data, trailers } = whole;
        Self {
            kind: Kind::Read { data, trailers },
        }
    }

    pub(super) fn unread(body: B) -> Self {
        Self {
            kind: Kind::Unread { body },
        }
    }
}

impl<B: Body<Data = Bytes>> Body for FormBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Read { data, .. } if !data.is_empty() => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(data)))))
            }
            KindProjection::Read { trailers, .. } => Poll::Ready(
                trailers
                    .take()
                    .map(|trailers| Ok(Frame::trailers(trailers))),
            ),
            KindProjection::Unread { body } => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Read { data, trailers } => data.is_empty() && trailers.is_none(),
            Kind::Unread { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Read { data, .. } => SizeHint::with_exact(data.len() as u64),
            Kind::Unread { body } => body.size_hint(),
        }
    }
}

impl<B> fmt::Debug for FormBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind } = self;
        match kind {
            Kind::Read { data, .. } => write!(f, "FormBody({} bytes)", data.len()),
            Kind::Unread { .. } => f.write_str("FormBody(unread)"),
        }
    }
}
