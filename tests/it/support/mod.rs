//! What several test modules share.

pub mod cases;
pub mod echo;
pub mod faults;
pub mod readiness;
pub mod world;
