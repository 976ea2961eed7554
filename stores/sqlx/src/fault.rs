//! An error that names its cure.

use std::{error::Error, fmt};

use tower_bearer::{
    Event, EventSink,
    store::{StoreError, StoreErrorKind},
};

/// The source of a [`StoreError`]. It is a sentence for the operator of the service, and below it the driver's message.
pub(crate) struct Fault {
    cure: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault that no driver has reported.
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

/// The sentence and the driver's message, since `main` prints the errors that it returns this way.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn Error + 'static))
    }
}

/// Reports a fault that does not pass by itself: the store answers 503, and an operator has to look.
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
