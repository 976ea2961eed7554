//! Without the feature `cors` there is none.

/// No CORS.
#[derive(Clone, Debug, Default)]
pub(super) struct Cors;

/// The service itself.
pub(super) type CorsService<S> = S;

impl Cors {
    pub(super) fn around<S>(&self, inner: S) -> CorsService<S> {
        inner
    }
}
