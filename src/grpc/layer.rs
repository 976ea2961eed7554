//! `GrpcLayer`.

use tower_layer::Layer;

use super::service::Grpc;

/// Lets the guards further in answer gRPC requests in gRPC.
///
/// See the [module documentation](super) for what counts as a gRPC request, where the layer goes,
/// and an example. It refuses nothing, waits for nothing, and leaves the response alone.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct GrpcLayer {
    _private: (),
}

impl GrpcLayer {
    /// Returns the layer, which has no settings.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl<S> Layer<S> for GrpcLayer {
    type Service = Grpc<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Grpc::new(inner)
    }
}
