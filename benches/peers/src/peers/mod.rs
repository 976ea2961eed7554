//! Other crates, each set up as well as its interface allows. Keys and rules are prepared once, and a call does the
//! work of one request.

pub mod josekit;
pub mod jsonwebtoken;
pub mod jwt_simple;
