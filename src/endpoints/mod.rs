//! The ready-made session endpoints: [`SessionEndpoints`](crate::SessionEndpoints).
//!
//! They put the [`Session`](crate::Session) of the refresh cookie and the [`CsrfToken`](crate::CsrfToken) of
//! the page together, and stand above both.

pub(crate) mod answer;
mod body;
mod future;
mod route;
pub(crate) mod service;
mod settings;

pub use future::EndpointsFuture;
