//! The refusal of plain http. The documentation is that of the module above.

mod config;
mod decision;
mod header_name;
mod host;
pub(crate) mod layer;
mod proxy_header;
mod redirect;
mod service;

pub use host::HttpsHost;
pub use service::RequireHttps;
