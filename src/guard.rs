//! The future shared by the guards.
