//! Cookies on the wire.
