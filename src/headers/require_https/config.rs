//! The settings of `RequireHttpsLayer`.

use super::{decision::Evidence, host::HttpsHost};

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) evidence: Evidence,
    pub(super) redirect_to: Option<HttpsHost>,
}
