//! All that refusals further in have in common: [`RefusalLayer`](crate::RefusalLayer).

mod future;
pub(crate) mod layer;
mod service;

pub use future::RefusalsFuture;
pub use service::Refusals;
