//! The kit for tests of applications: each of its promises, and what a wrong use of it says.

mod acting_as;
mod browser;
mod session;
