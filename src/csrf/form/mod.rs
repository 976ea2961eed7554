//! The token in a field of a form, for pages that work without a script.
//!
//! It is a layer of its own, so that the one that reads headers alone keeps the type of the
//! request's body, and neither buffers nor clones the inner service.

mod body;
mod encoding;
mod field;
mod future;
mod layer;
// What is told apart by the feature stands behind one name, here and nowhere else.
#[cfg_attr(not(feature = "multipart"), path = "no_multipart.rs")]
mod multipart;
mod read;
mod service;

pub use body::FormBody;
pub use future::CsrfFormFuture;
pub use layer::CsrfFormLayer;
pub use service::CsrfForm;
