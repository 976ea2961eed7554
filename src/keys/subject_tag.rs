//! The name of a subject, as a store sees it.

use crate::fixed_id::bytes_type;

/// The subject as stores address it: a keyed hash of fixed length. So neither the names of entries nor cookies reveal
/// the subject. (The record itself holds the subject in clear.)
///
/// ```
/// use tower_bearer::store::SubjectTag;
///
/// // A store keeps the 16 bytes, or the 22 characters that they are written as.
/// let tag = SubjectTag::from_bytes([7; 16]);
/// assert_eq!(tag.to_string().len(), 22);
/// assert_eq!(SubjectTag::from_bytes(*tag.as_bytes()), tag);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectTag([u8; 16]);

bytes_type!(SubjectTag, 16);

impl SubjectTag {
    /// Addresses a subject by these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}
