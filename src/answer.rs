//! Reports a refusal to the sink and makes the answer, for every guard.

use http::{
    Extensions, HeaderMap, HeaderValue, Response,
    header::{self, Entry},
};

use crate::{
    event::{Event, EventSink},
    rejection::{GrpcMark, Rejection, RejectionKind, RejectionResponse},
};

/// The steps of every guard for a refusal: report once, answer once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal<R> {
    pub(crate) responder: R,
    pub(crate) events: EventSink,
}

impl<R> Refusal<R> {
    /// Keeps the sink and replaces who makes the answer.
    pub(crate) fn with_responder<T>(self, responder: T) -> Refusal<T> {
        Refusal {
            responder,
            events: self.events,
        }
    }

    /// Answers a request that had these `extensions`, in gRPC where they say so.
    pub(crate) fn answer<B>(&self, extensions: &Extensions, rejection: Rejection) -> Response<B>
    where
        B: Default,
        R: RejectionResponse<B>,
    {
        self.events.emit(&Event::Rejected(&rejection));
        self.make(extensions, rejection)
    }

    /// Answers with a rejection that [`Rejection::response`] has counted and written down already.
    pub(crate) fn answer_again<B>(
        &self,
        extensions: &Extensions,
        rejection: Rejection,
    ) -> Response<B>
    where
        B: Default,
        R: RejectionResponse<B>,
    {
        self.events.deliver(&Event::Rejected(&rejection));
        self.make(extensions, rejection)
    }

    fn make<B>(&self, extensions: &Extensions, mut rejection: Rejection) -> Response<B>
    where
        B: Default,
        R: RejectionResponse<B>,
    {
        let mut response = match extensions.get::<GrpcMark>() {
            Some(mark) => mark.answer(rejection.kind()),
            None => self.http(&rejection),
        };
        add_missing(
            response.headers_mut(),
            header::CACHE_CONTROL,
            &HeaderValue::from_static("no-store"),
        );
        if rejection.kind() == RejectionKind::ForeignOrigin {
            response.headers_mut().append(
                header::VARY,
                HeaderValue::from_static("Origin, Sec-Fetch-Site"),
            );
        }
        if rejection.is_wiring() {
            rejection.problem().name_mistake(response.headers_mut());
        }
        if self.events.is_some() {
            rejection.mark_told();
        }
        if self.responder.leaves_body() {
            rejection.leave_body();
        }
        response.extensions_mut().insert(rejection);
        response
    }

    fn http<B>(&self, rejection: &Rejection) -> Response<B>
    where
        R: RejectionResponse<B>,
    {
        let mut response = self.responder.response(rejection);
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            *response.status_mut() = rejection.status();
        }
        let headers = response.headers_mut();
        if let Some(challenge) = rejection.challenge() {
            add_missing(headers, header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(after) = rejection.retry_after() {
            add_missing(
                headers,
                header::RETRY_AFTER,
                &HeaderValue::from(after.as_secs()),
            );
        }
        response
    }
}

impl Rejection {
    /// Returns the answer that a layer gives for this rejection, for code that reads the extensions
    /// itself. It is `application/problem+json` (RFC 9457), see [`problem`](Self::problem), and
    /// never one of gRPC.
    ///
    /// ```
    /// use http::{Request, Response};
    /// use tower_bearer::{Claims, NoClaims};
    ///
    /// fn me(request: &Request<()>) -> Response<String> {
    ///     match Claims::<NoClaims>::from_extensions(request.extensions()) {
    ///         Ok(claims) => Response::new(claims.subject().to_owned()),
    ///         Err(rejection) => rejection.response(),
    ///     }
    /// }
    /// assert_eq!(me(&Request::new(())).status(), 500); // BearerAuthLayer is missing
    /// ```
    pub fn response(&self) -> Response<String> {
        Refusal::<ProblemText>::default().answer(&Extensions::new(), self.clone())
    }
}

/// Makes what [`ProblemJson`](crate::rejection::ProblemJson) makes, as a text.
#[derive(Clone, Copy, Debug, Default)]
struct ProblemText;

impl RejectionResponse<String> for ProblemText {
    fn response(&self, rejection: &Rejection) -> Response<String> {
        rejection.problem().answer(|text| text)
    }
}

fn add_missing(headers: &mut HeaderMap, name: header::HeaderName, value: &HeaderValue) {
    // A map that is full already is the custom answer's, and stays as it is.
    if let Ok(Entry::Vacant(place)) = headers.try_entry(name) {
        let _ = place.try_insert(value.clone());
    }
}
