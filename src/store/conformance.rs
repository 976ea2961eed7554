//! Tests any store must pass.
