//! Why an issuer's keys could not be fetched.

use std::{error::Error, fmt, io, sync::Arc, time::Duration};

use http::{HeaderValue, StatusCode};

/// Why a JWK Set could not be fetched, or was not taken.
///
/// Its text says what was met, which key of the set is at fault and why, and which setting helps. Of the
/// answer it holds nothing but names: of keys, of the issuer, of an encoding, escaped and cut. [`kind`](Self::kind) is
/// for programs.
///
/// `Debug` shows no more. [`source`](Error::source) is the client's own error. That of the built-in client names
/// hosts, addresses and certificates. That of your own [`Fetch`](super::Fetch) holds what your code puts in.
///
/// ```
/// use tower_bearer::jwks::{JwksErrorKind, RemoteJwks};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // No server listens there.
/// let issuer = RemoteJwks::new("http://127.0.0.1:9/jwks.json")?;
/// let error = issuer.refresh().await.unwrap_err();
/// assert_eq!(error.kind(), JwksErrorKind::Connection);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct JwksError {
    kind: JwksErrorKind,
    /// The finding, and which setting helps.
    text: Arc<str>,
    status: Option<StatusCode>,
    /// How long the issuer wants no further request.
    retry_after: Option<Duration>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kinds of [`JwksError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwksErrorKind {
    /// The issuer could not be reached or trusted, or broke off: names, routes, certificates.
    Connection,
    /// The answer is compressed, or encoded otherwise. The built-in client decodes nothing.
    Encoded,
    /// The answer is no JSON object with an array `keys`, or no key of it verifies.
    Invalid,
    /// The issuer's metadata is no such document, is of another issuer, or names no address of keys.
    Metadata,
    /// There is no tokio runtime that could fetch them, or it has ended.
    Runtime,
    /// The issuer answered with another status than 200. Redirects are not followed.
    Status,
    /// The issuer did not answer completely in time.
    TimedOut,
    /// The answer is longer than accepted.
    TooLarge,
}

impl JwksError {
    fn new(kind: JwksErrorKind, text: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            text: text.into(),
            status: None,
            retry_after: None,
            source: None,
        }
    }

    /// The issuer could not be reached or trusted, or broke off.
    ///
    /// `foreign` says that the client of `fetch` has asked, which may go through a proxy.
    pub(super) fn connection(
        foreign: bool,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let error = error.into();
        let (mut cause, mut helps): (&(dyn Error + 'static), _) = (&*error, None);
        loop {
            // The setting that helps is the built-in client's.
            helps = helps.or_else(|| cure(cause).filter(|_| !foreign));
            match cause.source() {
                Some(deeper) => cause = deeper,
                None => break,
            }
        }
        let cure = helps.unwrap_or_default();
        let by = match foreign {
            true => " by the client of `fetch`",
            false => "",
        };
        let text = format!("the issuer could not be reached{by}: {cause}{cure}");
        Self {
            source: Some(error.into()),
            ..Self::new(JwksErrorKind::Connection, text)
        }
    }

    /// The answer is no usable set, and this is what is wrong with it.
    pub(super) fn invalid(problem: &str) -> Self {
        Self::new(
            JwksErrorKind::Invalid,
            format!("the issuer's JWK Set {problem}"),
        )
    }

    /// The body has this `Content-Encoding`.
    pub(super) fn encoded(encoding: &HeaderValue) -> Self {
        let encoding = quoted(&String::from_utf8_lossy(encoding.as_bytes()));
        let text = format!(
            "the issuer's answer has the Content-Encoding {encoding}, which is not decoded here; `fetch` takes a \
             client that does it"
        );
        Self::new(JwksErrorKind::Encoded, text)
    }

    /// The answer is no metadata of the issuer, and this is what is wrong with it.
    pub(super) fn metadata(problem: &str) -> Self {
        Self::new(
            JwksErrorKind::Metadata,
            format!("the issuer's metadata {problem}"),
        )
    }

    /// Neither of the addresses for metadata has any.
    pub(super) fn no_metadata(asked: [(StatusCode, &str); 2]) -> Self {
        let [(one, first), (two, second)] = asked;
        let text = format!(
            "the issuer has no metadata: it answered {} at {first} and {} at {second}. Is it written as in the \
             claim iss of its tokens?",
            one.as_u16(),
            two.as_u16()
        );
        Self {
            status: Some(two),
            ..Self::new(JwksErrorKind::Status, text)
        }
    }

    /// The same about the document at this address, which is cut where it is long.
    pub(super) fn at(self, address: &str) -> Self {
        let address: String = address.chars().take(LONGEST_QUOTE).collect();
        Self {
            text: format!("{} ({address})", self.text).into(),
            ..self
        }
    }

    /// The issuer says that a set has not changed which has expired meanwhile.
    pub(super) fn nothing_held() -> Self {
        Self::invalid("is said to be unchanged, and has expired meanwhile; it is requested again")
    }

    /// There is no tokio runtime, or it has ended.
    pub(super) fn no_runtime() -> Self {
        Self::new(
            JwksErrorKind::Runtime,
            "no task fetches the issuer's keys. One starts with the first call within a tokio runtime that has its \
             I/O and timers enabled",
        )
    }

    /// The same, and what became of the issuer's metadata when they were read for a new address.
    pub(super) fn beside(self, metadata: &Self) -> Self {
        Self {
            text: format!("{}; and for a new address {}", self.text, metadata.text).into(),
            ..self
        }
    }

    /// Another status than 200, and how long the issuer wants no further request.
    pub(super) fn status_of(status: StatusCode, retry_after: Option<Duration>) -> Self {
        let cure = match status.as_u16() {
            300..=399 => {
                "; redirects are not followed, so configure the URL where they end, or the issuer as its metadata name it"
            }
            407 => {
                "; a proxy on the way requires credentials: `fetch` takes a client that has them"
            }
            429 => "",
            400..=499 => "; check the URL",
            _ => "",
        };
        let alone = match retry_after.map(|wait| wait.as_secs()) {
            None | Some(0) => String::new(),
            Some(secs) => format!(
                "; its Retry-After is honoured for {secs}s, 5 minutes at the most, and `refresh()` asks at once"
            ),
        };
        let text = format!(
            "the issuer answered {} instead of 200{cure}{alone}",
            status.as_u16()
        );
        Self {
            status: Some(status),
            retry_after,
            ..Self::new(JwksErrorKind::Status, text)
        }
    }

    /// No complete answer within `limit`.
    pub(super) fn timed_out(limit: Duration) -> Self {
        let text = format!(
            "the issuer did not answer completely within {limit:?}; `timeout` sets how long it may take"
        );
        Self::new(JwksErrorKind::TimedOut, text)
    }

    /// More than `limit` bytes.
    pub(super) fn too_large(limit: usize) -> Self {
        let text = format!(
            "the issuer's answer is longer than {limit} bytes; `max_bytes` sets how long it may be"
        );
        Self::new(JwksErrorKind::TooLarge, text)
    }

    /// How long the issuer wants no further request, where it says so.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns what kind of failure it is.
    pub fn kind(&self) -> JwksErrorKind {
        self.kind
    }

    /// Returns the status of the issuer's answer, for [`JwksErrorKind::Status`].
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }
}

/// How many characters of an answer an error repeats.
const LONGEST_QUOTE: usize = 120;

/// Text of an answer, for logs: escaped, and cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(LONGEST_QUOTE).collect();
    let more = if cut.len() < text.len() { "..." } else { "" };
    format!("{cut:?}{more}")
}

/// The setting that helps against `cause`, if one does.
fn cure(mut cause: &(dyn Error + 'static)) -> Option<&'static str> {
    // An error of I/O hides the one that it was made of, and may do so twice.
    while let Some(inner) = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        cause = inner;
    }
    match cause.downcast_ref()? {
        rustls::Error::InvalidCertificate(_) => {
            Some("; `root_certificates` names a certificate authority of your own")
        }
        rustls::Error::InvalidMessage(_) => Some("; does the server speak https at this port?"),
        _ => None,
    }
}

// By hand: the client of `fetch` may have put a whole URL into its error. Its query may hold a secret.
impl fmt::Debug for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            text,
            status,
            retry_after,
            source: _,
        } = self;
        f.debug_struct("JwksError")
            .field("kind", kind)
            .field("text", text)
            .field("status", status)
            .field("retry_after", retry_after)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for JwksError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn Error + 'static))
    }
}
