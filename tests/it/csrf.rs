//! The CSRF layer through its public interface.

mod cases;
mod layer;
mod properties;
mod sessions;
mod sockets;
