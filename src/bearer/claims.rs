//! How a handler gets at the claims.

use std::any::type_name;

use http::Extensions;

use crate::{
    rejection::Rejection,
    request::Anonymous,
    token::{Claims, TokenContext},
};

impl<C: Send + Sync + 'static> Claims<C> {
    /// Returns the claims of the request that these extensions belong to, as
    /// [`BearerAuthLayer`](crate::BearerAuthLayer) put them there.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::MissingCredentials`](crate::rejection::RejectionKind::MissingCredentials)
    /// when the layer is optional and no token came.
    /// [`RejectionKind::Internal`](crate::rejection::RejectionKind::Internal) when the layer is
    /// missing or its codec has claims of another type than `C`. That rejection names the mistake,
    /// and both types.
    ///
    /// ```
    /// use tower_bearer::{Claims, NoClaims, rejection::RejectionKind};
    ///
    /// let request = http::Request::new(());
    /// let rejection = Claims::<NoClaims>::from_extensions(request.extensions()).unwrap_err();
    /// assert_eq!(rejection.kind(), RejectionKind::Internal);
    /// assert!(rejection.to_string().starts_with("BearerAuthLayer is missing"));
    /// ```
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, Rejection> {
        if let Some(context) = extensions.get::<TokenContext>() {
            return context.claims().ok_or_else(|| {
                Rejection::wiring(format!(
                    "the codec of BearerAuthLayer has claims of `{}`, the handler or RequireClaimsLayer asks for `{}`. The codec's type \
                     is that of TokenCodec::<C> (with Auth, of what .claims(...) returns)",
                    context.claims_type(),
                    type_name::<C>(),
                ))
            });
        }
        Err(match extensions.get::<Anonymous>() {
            Some(Anonymous { challenge }) => Rejection::missing_credentials(challenge.clone()),
            None => Rejection::missing_layer(
                "BearerAuthLayer",
                "whatever reads the claims",
                "auth.bearer()",
            ),
        })
    }
}
