//! Names that a store takes for the same.

use tower_bearer::store::{Inserted, Loaded, SessionKey, SessionRecord, StoreError};

use super::{
    refuses,
    table::{Backend, Broken, mistake},
};

/// Takes some names for the same one.
#[derive(Debug)]
struct Names(Backend, fn(&[u8; 16]) -> Vec<u8>);

impl Broken for Names {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        let key = record.key();
        let same = |one: &[u8; 16], other: &[u8; 16]| one != other && self.1(one) == self.1(other);
        let is_taken = self.0.rows().keys().any(|(tag, id)| {
            let is_other = same(tag.as_bytes(), key.subject().as_bytes());
            is_other || (tag == key.subject() && same(id.as_bytes(), key.id().as_bytes()))
        });
        match is_taken {
            true => Err(StoreError::unavailable("unique constraint violated")),
            false => self.0.insert(record, limit).await,
        }
    }
}

fn letters(name: &[u8; 16]) -> Vec<u8> {
    tower_bearer::SessionId::from_bytes(*name)
        .to_string()
        .to_lowercase()
        .into()
}

mistake! {
    /// The id is unique anyway.
    LooksForTheIdAlone {
        async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
            let rows = self.0.rows();
            let found = rows.iter().find(|((_, id), _)| id == key.id());
            Ok(Loaded::new(found.map(|(_, row)| row.record.clone()), self.0.now()))
        }
    }
}

refuses! {
    keys_as_text_without_case: |backend| Names(backend, letters) => "names that differ in any byte";
    keys_as_bytes_without_case:
        |backend| Names(backend, |name| name.to_ascii_lowercase()) => "names that differ in any byte";
    keys_that_end_at_a_zero:
        |backend| Names(backend, |name| {
            let end = name.iter().skip(4).position(|byte| *byte == 0).map_or(16, |at| at + 4);
            name[..end].into()
        }) => "names that differ in any byte";
    keys_that_are_padded:
        |backend| Names(backend, |name| {
            let end = name.iter().rposition(|byte| ![0, b' '].contains(byte)).map_or(0, |at| at + 1);
            name[..end].into()
        }) => "names that differ in any byte";
    keys_without_the_subject: LooksForTheIdAlone => "touches another";
}
