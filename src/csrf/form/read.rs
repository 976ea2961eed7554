//! Reading a body up to a limit.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;

use crate::rejection::CsrfReason;

/// What has been read of a body.
pub(super) struct Reader {
    /// One copy in one piece: pieces of their own would each keep the buffer alive that they were
    /// received into, however small they are.
    data: BytesMut,
    limit: usize,
}

/// All of a body.
pub(super) struct Whole {
    pub(super) data: Bytes,
    pub(super) trailers: Option<HeaderMap>,
}

impl Reader {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            data: BytesMut::new(),
            limit,
        }
    }

    /// Reads on, until the end or the first byte above the limit. Trailers are the end: what a
    /// body gives after them was never checked, so nobody gets it.
    pub(super) fn poll<B>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Whole, CsrfReason>>
    where
        B: Body<Data = Bytes>,
    {
        loop {
            let trailers = match ready!(body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.len() > self.limit.saturating_sub(self.data.len()) => {
                        return Poll::Ready(Err(CsrfReason::BodyTooLarge));
                    }
                    Ok(data) => {
                        self.data.extend_from_slice(&data);
                        continue;
                    }
                    Err(frame) => frame.into_trailers().ok(),
                },
                // Of a form that breaks off nothing counts.
                Some(Err(_)) => return Poll::Ready(Err(CsrfReason::TokenMissing)),
                None => None,
            };
            return Poll::Ready(Ok(Whole {
                data: std::mem::take(&mut self.data).freeze(),
                trailers,
            }));
        }
    }
}
