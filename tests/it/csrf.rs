//! The CSRF layer through its public interface.

mod answers;
mod cases;
mod handler;
mod layer;
mod properties;
mod sessions;
mod sockets;
mod wiring;
