//! `RefusalLayer`.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use tower_layer::Layer;

use super::service::Refusals;
use crate::{
    event::{Event, EventSink},
    problem::{JSON, Problem},
    rejection::Rejection,
};

/// Sets in one place the look of the refusals further in, and the sink that they are reported to.
///
/// It goes around everything that may refuse. That is layers, extractors and
/// [`SessionEndpoints`](crate::SessionEndpoints). It is also handlers that answer with a
/// [`SessionError`](crate::SessionError), a [`Rejection`] or a [`Problem`]. Status, challenge, cookies and the other
/// headers of a refusal stay as they are. Answers that the application writes itself are left alone, and so are those
/// of gRPC, which have no body.
///
/// [`RequireHttpsLayer`](crate::RequireHttpsLayer) stands outside of the layers of [`Auth`](crate::Auth), so of their
/// `RefusalLayer` too: put another one around it. Where a handler overrides the status of an answer, as
/// `(StatusCode, SessionError)` does in axum, the document keeps its own.
///
/// ```
/// use http::HeaderValue;
/// use tower_bearer::{EventSink, RefusalLayer};
///
/// let json = HeaderValue::from_static("application/json");
/// let refusals = RefusalLayer::new()
///     .format(json, |problem| format!(r#"{{"error":"{}"}}"#, problem.code()))
///     .events(EventSink::new(|event| println!("{}", event.name())));
/// # let _ = refusals;
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct RefusalLayer {
    config: Arc<Config>,
}

#[derive(Clone, Default)]
pub(super) struct Config {
    format: Option<Format>,
    events: EventSink,
}

#[derive(Clone)]
struct Format {
    content_type: HeaderValue,
    write: Arc<dyn Fn(&Problem) -> String + Send + Sync>,
}

/// The body of a refusal as it comes.
enum Written {
    Nothing,
    Document,
}

/// `None` where a layer in between has put a page in its place, or compressed it.
fn written(headers: &HeaderMap) -> Option<Written> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return None;
    }
    match headers.get(header::CONTENT_TYPE) {
        None => Some(Written::Nothing),
        Some(content_type) => (content_type == JSON).then_some(Written::Document),
    }
}

impl RefusalLayer {
    /// Makes a layer that writes refusals as `application/problem+json` (RFC 9457), and tells no sink.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the bodies of refusals by those that `write` makes, and their `Content-Type` by `content_type`.
    /// Default: [`Problem::to_json`].
    pub fn format(
        mut self,
        content_type: HeaderValue,
        write: impl Fn(&Problem) -> String + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.config).format = Some(Format {
            content_type,
            write: Arc::new(write),
        });
        self
    }

    /// Sets the sink for refusals that were reported to no other sink. Those are refusals of extractors, and of layers
    /// without a sink of their own.
    pub fn events(mut self, events: EventSink) -> Self {
        Arc::make_mut(&mut self.config).events = events;
        self
    }
}

impl Config {
    /// Tells the sink of the refusal that `response` is, if it is one, and writes it in the format.
    pub(super) fn finish<B: From<Bytes>>(&self, response: &mut Response<B>) {
        let extensions = response.extensions_mut();
        if self.events.is_some()
            && let Some(rejection) = extensions.get_mut::<Rejection>()
            && !rejection.is_told()
        {
            rejection.mark_told();
            self.events.deliver(&Event::Rejected(rejection));
        }
        let extensions = response.extensions_mut();
        if let Some(problem) = extensions.get_mut().and_then(Rejection::take_body) {
            extensions.insert(problem);
        }
        let Some(problem) = response.extensions().get::<Problem>() else {
            return;
        };
        let (content_type, text) = match (&self.format, written(response.headers())) {
            (Some(format), Some(_)) => {
                let text = (format.write)(problem);
                // Written for good: a layer further out has no say in it.
                response.extensions_mut().remove::<Problem>();
                (format.content_type.clone(), text)
            }
            (None, Some(Written::Nothing)) => (HeaderValue::from_static(JSON), problem.to_json()),
            _ => return,
        };
        *response.body_mut() = B::from(Bytes::from(text));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.remove(header::CONTENT_LENGTH);
    }
}

impl<S> Layer<S> for RefusalLayer {
    type Service = Refusals<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Refusals::new(inner, self.config.clone())
    }
}

impl fmt::Debug for RefusalLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config } = self;
        f.debug_struct("RefusalLayer")
            .field("config", config)
            .finish()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, events } = self;
        let format = format.as_ref().map(|format| &format.content_type);
        f.debug_struct("Config")
            .field("format", &format)
            .field("events", events)
            .finish()
    }
}
