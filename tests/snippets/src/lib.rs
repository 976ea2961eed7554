//! Compiles the lines of the manual that need crates of others, which tests of the crate itself ignore.
//!
//! `scripts/test --long` runs them, ignored ones included.

#![allow(rustdoc::broken_intra_doc_links, reason = "the links are those of the crate's own documentation")]

#[path = "../../../src/manual/operations.rs"]
pub mod operations;
