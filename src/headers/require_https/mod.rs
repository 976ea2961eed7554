//! The refusal of plain http. The documentation is that of the module above.

mod check;
mod host;
mod layer;
mod redirect;
mod service;

pub use host::HttpsHost;
pub use layer::RequireHttpsLayer;
pub use service::RequireHttps;
