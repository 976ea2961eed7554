//! Code that several test modules share.

pub(crate) mod cases;
pub(crate) mod csrf;
pub(crate) mod echo;
pub(crate) mod faults;
pub(crate) mod guards;
pub(crate) mod origin_rows;
#[path = "../../common/profile.rs"]
pub(crate) mod profile;
pub(crate) mod readiness;
pub(crate) mod tokens;
pub(crate) mod wire;
pub(crate) mod world;
