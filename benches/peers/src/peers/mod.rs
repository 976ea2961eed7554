//! Other crates, each set up as well as its interface lets a user do it: keys and rules are prepared once,
//! and a call does what a request would need.

pub mod josekit;
pub mod jsonwebtoken;
pub mod jwt_simple;
