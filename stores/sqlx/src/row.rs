//! A record as a row, as both databases keep it.

use tower_bearer::{Timestamp, store::SessionRecord};

/// The columns beside the record's own bytes, so that the database can find, order and purge without reading them.
pub(crate) struct Row {
    pub(crate) subject_tag: [u8; 16],
    pub(crate) session_id: [u8; 16],
    pub(crate) record: Vec<u8>,
    pub(crate) expires_at: i64,
    pub(crate) rotated_at: i64,
    pub(crate) live: bool,
}

impl Row {
    pub(crate) fn of(record: &SessionRecord) -> Self {
        let key = record.key();
        Self {
            subject_tag: *key.subject().as_bytes(),
            session_id: *key.id().as_bytes(),
            record: record.encode(),
            expires_at: millis(record.expires_at()),
            rotated_at: millis(record.last_rotated_at()),
            live: record.is_live(),
        }
    }
}

/// Neither database has unsigned integers. A time beyond theirs is as good as none.
pub(crate) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
