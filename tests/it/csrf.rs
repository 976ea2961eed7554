//! The CSRF layer through its public interface.

mod answers;
mod cases;
mod endpoint;
mod handler;
mod layer;
mod on_demand;
mod properties;
mod sessions;
mod several;
mod sockets;
mod tabs;
mod wiring;
