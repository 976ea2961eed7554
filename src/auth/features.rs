//! Names the feature that a call needs, where rustc can.

use std::convert::Infallible;

#[cfg(not(feature = "cors"))]
use super::AuthBuilder;
#[cfg(not(feature = "axum"))]
use super::parts::Auth;

/// No type has it: a call that needs the feature does not compile, and rustc prints the message.
#[cfg(not(feature = "axum"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`Auth::routes` needs the feature `axum` of tower-bearer",
    label = "the feature is off",
    note = "`cargo add tower-bearer --features axum` switches it on, and the extractors with it"
)]
pub trait WithFeatureAxum {
    fn routes(&self) -> Infallible;
}

#[cfg(not(feature = "axum"))]
impl<C> Auth<C> {
    #[doc(hidden)]
    pub fn routes(&self) -> Infallible
    where
        Self: WithFeatureAxum,
    {
        WithFeatureAxum::routes(self)
    }
}

/// The same for another feature.
#[cfg(not(feature = "cors"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`AuthBuilder::cors` needs the feature `cors` of tower-bearer",
    label = "the feature is off",
    note = "`cargo add tower-bearer --features cors` switches it on"
)]
pub trait WithFeatureCors {
    fn cors(self) -> Infallible;
}

#[cfg(not(feature = "cors"))]
impl<C> AuthBuilder<C> {
    #[doc(hidden)]
    pub fn cors(self) -> Infallible
    where
        Self: WithFeatureCors,
    {
        WithFeatureCors::cors(self)
    }
}
