//! The client that fetches what an issuer publishes: a trait, so that one of the application's own fits.

use std::{error::Error, pin::Pin};

use bytes::Bytes;
use http::{Request, Response};

/// An answer, or why there is none.
pub(super) type Answer = Result<Response<Bytes>, Box<dyn Error + Send + Sync>>;

/// Sends a request to an issuer: through a company's proxy, with a client certificate, or to a table in memory.
///
/// [`RemoteJwksBuilder::fetch`](super::RemoteJwksBuilder::fetch) takes one. The crate still sets the rules: the
/// address, the time-out, the statuses that count, the longest answer, `If-None-Match` and `Retry-After`. A client
/// that panics or hangs is a failed request. It must not block its thread: the runtime that polls it would stop.
///
/// Two things the crate cannot see. The client must not follow redirects, because keys come from where they were
/// configured. And it must verify the server's certificate: an attacker that can change the answer can sign any token.
///
/// A client that goes through a proxy:
///
/// ```
/// use std::error::Error;
///
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use reqwest::{Client, Proxy, redirect::Policy};
/// use tower_bearer::jwks::{Fetch, RemoteJwks};
///
/// struct ByProxy(Client);
///
/// impl Fetch for ByProxy {
///     async fn fetch(
///         &self,
///         request: Request<()>,
///         limit: usize,
///     ) -> Result<Response<Bytes>, Box<dyn Error + Send + Sync>> {
///         let (parts, ()) = request.into_parts();
///         let request = self.0.get(parts.uri.to_string()).headers(parts.headers);
///         // The URL of an error would stand in logs, with its query.
///         let mut answer = request.send().await.map_err(reqwest::Error::without_url)?;
///         let mut body = Vec::new();
///         // A body beyond the limit is refused, and need not be read to its end.
///         while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)?
///             && body.len() <= limit
///         {
///             body.extend_from_slice(&chunk);
///         }
///         let mut response = Response::new(body.into());
///         *response.status_mut() = answer.status();
///         *response.headers_mut() = std::mem::take(answer.headers_mut());
///         Ok(response)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn Error>> {
/// let client = Client::builder()
///     .proxy(Proxy::all("http://proxy.corp.example:3128")?)
///     .redirect(Policy::none())
///     .build()?;
/// let issuer = RemoteJwks::builder("https://id.example/.well-known/jwks.json")
///     .fetch(ByProxy(client))
///     .build()?;
/// # let _ = issuer;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fetch",
    label = "not a `Fetch`",
    note = "wrap the client in a type of your own and implement `tower_bearer::jwks::Fetch` for it"
)]
pub trait Fetch: Send + Sync + 'static {
    /// Sends `request`, a `GET` of an absolute URI, and returns the answer with its whole body, whatever its status.
    ///
    /// The body has to be as `Content-Encoding` says, which is left out where the client has decoded it. One that is
    /// longer than `limit` bytes is refused: a client that stops reading there saves memory.
    ///
    /// # Errors
    ///
    /// Returns an error when there is no answer, for any reason. The text of its innermost source goes into
    /// [`JwksError`](super::JwksError), and so into logs. The error itself is the `source()` of that. So neither it
    /// nor any of its sources may hold a secret, in `Display` or in `Debug`. A URL with a code or a key in its query
    /// is a secret. Many clients put the whole URL into their errors.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when its time is over.
    fn fetch(
        &self,
        request: Request<()>,
        limit: usize,
    ) -> impl Future<Output = Result<Response<Bytes>, Box<dyn Error + Send + Sync>>> + Send;
}

/// The same, for a field of any client.
pub(super) trait AnyFetch: Send + Sync {
    fn fetch_boxed(
        &self,
        request: Request<()>,
        limit: usize,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>>;
}

impl<F: Fetch> AnyFetch for F {
    fn fetch_boxed(
        &self,
        request: Request<()>,
        limit: usize,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(self.fetch(request, limit))
    }
}
