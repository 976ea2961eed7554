//! An error that names its cure.

use std::{error::Error, fmt};

use tower_bearer::{
    Event, EventSink,
    store::{StoreError, StoreErrorKind},
};

/// The source of a [`StoreError`]: a sentence for the one who runs the service, and below it what the driver said.
#[derive(Debug)]
pub(crate) struct Fault {
    cure: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault that no driver has told of.
    pub(crate) fn new(cure: impl Into<String>) -> Self {
        Self {
            cure: cure.into(),
            source: None,
        }
    }

    pub(crate) fn from(
        source: impl Into<Box<dyn Error + Send + Sync>>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            cure: cure.into(),
            source: Some(source.into()),
        }
    }

    pub(crate) fn refused(self) -> StoreError {
        StoreError::new(StoreErrorKind::Refused, self)
    }

    pub(crate) fn unavailable(self) -> StoreError {
        StoreError::unavailable(self)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cure)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn Error + 'static))
    }
}

/// Tells of what does not pass by itself: the store answers 503, and an operator has to look.
pub(crate) fn tell(events: &EventSink, error: &StoreError) {
    if does_not_pass(error) {
        events.emit(&Event::StoreFailed(error));
    }
}

/// Whether the same call fails again until an operator has done something.
pub(crate) fn does_not_pass(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        StoreErrorKind::Corrupt | StoreErrorKind::Refused
    )
}
