//! Signed double-submit CSRF tokens, bound to the session.

mod builder;
mod future;
mod handle;
mod keys;
mod layer;
mod policy;
mod service;
mod token;

pub use builder::CsrfBuilder;
pub use future::CsrfFuture;
pub use handle::CsrfToken;
pub use keys::CsrfKeys;
pub use layer::CsrfLayer;
pub use service::Csrf;
