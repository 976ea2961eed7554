//! Why a layer refused a request, and the answer the client sees.

/// Why a layer refused a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rejection {}
