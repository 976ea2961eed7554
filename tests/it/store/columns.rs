//! Columns that lose bytes.

use tower_bearer::{
    SessionId,
    store::{
        Inserted, Loaded, SessionKey, SessionRecord, StoreError, StoreErrorKind, SubjectTag, Swap,
    },
};

use super::{
    refuses,
    table::{Backend, Broken, mistake},
};

/// A column of so many bytes, which cuts off what is longer.
#[derive(Debug)]
struct Cuts(Backend, usize);

impl Broken for Cuts {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let record = self.0.get(key).map(|record| {
            let bytes = record.encode();
            SessionRecord::decode(&bytes[..bytes.len().min(self.1)])
        });
        Ok(Loaded::new(record.transpose()?, self.0.now()))
    }
}

/// The same in a strict database.
#[derive(Debug)]
struct Refuses(Backend, usize);

impl Refuses {
    fn judge(&self, record: &SessionRecord) -> Result<(), StoreError> {
        match record.encode().len() <= self.1 {
            true => Ok(()),
            false => Err(StoreError::new(StoreErrorKind::Refused, "value too long")),
        }
    }
}

impl Broken for Refuses {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.judge(record)?;
        self.0.insert(record, limit).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        self.judge(next)?;
        self.0.swap(current, next).await
    }
}

/// Has room when a session begins, and none when it has grown.
#[derive(Debug)]
struct DoesNotGrow(Refuses);

impl Broken for DoesNotGrow {
    fn backend(&self) -> &Backend {
        &self.0.0
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        self.0.swap(current, next).await
    }
}

/// Reads another record than was written.
#[derive(Debug)]
struct Reads(Backend, fn(Vec<u8>) -> Vec<u8>);

impl Broken for Reads {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let record = self
            .0
            .get(key)
            .map(|record| SessionRecord::decode(&self.1(record.encode())));
        Ok(Loaded::new(record.transpose()?, self.0.now()))
    }
}

/// The context comes last: its length and its bytes, and here no fields behind.
fn without_context(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 256);
    let (texts, length) = (bytes.len(), 240 - 6);
    assert!(texts > length);
    bytes[length..length + 4].fill(0);
    bytes
}

mistake! {
    /// Updates the columns of the token, and forgets the others.
    SwapsTheToken {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            let swap = self.0.swap(current, next).await?;
            if let (Swap::Applied, Some(row)) = (&swap, self.0.rows().get_mut(&(*current.key().subject(), current.id()))) {
                // Where no text was to change its length, the texts stay what they were.
                let (mut bytes, old) = (next.encode(), current.encode());
                if bytes.len() != old.len() {
                    bytes = old;
                }
                row.record = SessionRecord::decode(&bytes)?;
            }
            Ok(swap)
        }
    }
}

mistake! {
    /// Cannot read one record of several, and leaves it out.
    ListsWhatItCanRead {
        async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
            let mut sessions = self.0.list(subject).await?;
            sessions.retain(|session| session.encode().len() < 1024);
            Ok(sessions)
        }

        async fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            self.0.revoke_all(subject, keep).await
        }
    }
}

refuses! {
    a_column_of_768_bytes_that_cuts: |backend| Cuts(backend, 768) => "of the largest size";
    a_column_of_768_bytes_that_refuses: |backend| Refuses(backend, 768) => "of the largest size";
    a_column_of_2048_bytes: |backend| Refuses(backend, 2048) => "of the largest size";
    a_column_one_byte_short: |backend| Cuts(backend, SessionRecord::LARGEST - 1) => "of the largest size";
    a_row_that_does_not_grow: |backend| DoesNotGrow(Refuses(backend, 768)) => "of the largest size";
    a_swap_that_leaves_columns_out: SwapsTheToken => "of the largest size";
    a_list_of_what_can_be_read: ListsWhatItCanRead => "of the largest size";
    a_column_of_text: |backend| Reads(backend, |bytes| String::from_utf8_lossy(&bytes).into_owned().into()) => "loaded unchanged";
    a_column_that_ends_at_a_zero:
        |backend| Reads(backend, |bytes| bytes.split(|byte| *byte == 0).next().unwrap_or_default().into()) => "loaded unchanged";
    a_column_that_trims: |backend| Reads(backend, |bytes| bytes.trim_ascii_end().into()) => "of the largest size";
    a_record_without_its_context: |backend| Reads(backend, without_context) => "loaded unchanged";
}
