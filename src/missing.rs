//! The loud answer to a layer that was forgotten.

/// A handle or extractor found nothing in the request: the layer that provides it is not there, or
/// sits inside the handler instead of around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} is not in the request: is {layer} applied to this route?")]
pub struct MissingLayer {
    wanted: &'static str,
    layer: &'static str,
}

impl MissingLayer {
    pub(crate) const fn new(wanted: &'static str, layer: &'static str) -> Self {
        Self { wanted, layer }
    }

    /// The layer that is missing.
    pub fn layer(&self) -> &'static str {
        self.layer
    }
}
