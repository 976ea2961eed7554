//! The scheme of a connection.

/// Whether a request came over TLS, as the code that accepted the connection says.
///
/// It goes into the extensions of the request, which no client can write to.
/// [`RequireHttpsLayer::connection`](crate::RequireHttpsLayer::connection) decides by it. Take it
/// from the socket the request came over, never from anything the request says. Behind a proxy that
/// ends TLS, leave it out: this side of the proxy says nothing about the client's.
///
/// A server with one listener says it once, in front of everything else; with axum that is
/// `router.layer(axum::Extension(ConnectionScheme::Https))`, called last. A server with two says it
/// where it accepts:
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_bearer::{RequireHttpsLayer, headers::ConnectionScheme};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let application = RequireHttpsLayer::connection();
/// let on = |scheme: ConnectionScheme| {
///     ServiceBuilder::new()
///         .map_request(move |mut request: Request<String>| {
///             request.extensions_mut().insert(scheme);
///             request
///         })
///         .layer(application.clone())
///         .service(service_fn(|_| async {
///             Ok::<_, std::convert::Infallible>(Response::new("hello".to_owned()))
///         }))
/// };
/// // One for the listener behind the TLS acceptor, one for the listener on port 80.
/// let (secure, plain) = (on(ConnectionScheme::Https), on(ConnectionScheme::Http));
/// assert_eq!(secure.oneshot(Request::default()).await?.status(), 200);
/// assert_eq!(plain.oneshot(Request::default()).await?.status(), 403);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionScheme {
    /// The connection carries plain bytes that an attacker on the network can read.
    Http,
    /// The connection is inside of TLS (or of QUIC, which includes it), ended by this process.
    Https,
}
