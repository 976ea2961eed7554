//! The token in a field of a form, for pages that work without a script.
//!
//! It is a separate layer. So the one that reads headers alone neither buffers nor clones the inner service, and
//! takes any body.

mod encoding;
mod field;
mod future;
mod layer;
mod service;

pub use future::CsrfFormFuture;
pub use layer::CsrfFormLayer;
pub use service::CsrfForm;
