//! One session, one caller at a time.

use tower_bearer::store::{Loaded, SessionRecord, StoreError, Swap};

use super::{
    refuses,
    table::{Backend, Broken, mistake},
};

mistake! {
    /// Replaces whatever is there.
    NeverConflicts {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            match self.0.get(&current.key()) {
                Some(found) => self.0.swap(&found, next).await,
                None => Ok(self.0.conflict(None)),
            }
        }
    }
}

mistake! {
    /// Does not recognise its own work.
    SecondConflicts {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            match self.0.get(&current.key()) {
                Some(found) if found != *current => Ok(self.0.conflict(Some(found))),
                _ => self.0.swap(current, next).await,
            }
        }
    }
}

mistake! {
    /// Does not look how many rows it has changed.
    AppliedThoughLost {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            match self.0.swap(current, next).await? {
                Swap::Conflict(found) if found.record().is_some() => Ok(Swap::Applied),
                swap => Ok(swap),
            }
        }
    }
}

mistake! {
    /// Loses without looking what is there.
    ConflictWithoutRecord {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            match self.0.swap(current, next).await? {
                Swap::Applied => Ok(Swap::Applied),
                Swap::Conflict(_) => Ok(self.0.conflict(None)),
            }
        }
    }
}

mistake! {
    /// Answers a conflict with what the caller knows already.
    ConflictEchoes {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            match self.0.swap(current, next).await? {
                Swap::Conflict(found) if found.record().is_some() => Ok(self.0.conflict(Some(current.clone()))),
                swap => Ok(swap),
            }
        }
    }
}

mistake! {
    ConflictWithoutTime {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            match self.0.swap(current, next).await? {
                Swap::Applied => Ok(Swap::Applied),
                Swap::Conflict(found) => {
                    Ok(Swap::Conflict(Loaded::new(found.into_record(), Default::default())))
                }
            }
        }
    }
}

mistake! {
    /// `INSERT … ON CONFLICT UPDATE`.
    SwapInserts {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            if self.0.get(&current.key()).is_none() {
                self.0.put(next);
            }
            self.0.swap(current, next).await
        }
    }
}

/// Compares records by a part of them.
#[derive(Debug)]
struct ComparesOnly(Backend, fn(&SessionRecord) -> Vec<u8>);

impl Broken for ComparesOnly {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let found = self.0.get(&current.key());
        let is = |record: &SessionRecord| {
            found
                .as_ref()
                .is_some_and(|found| self.1(found) == self.1(record))
        };
        if current.key() == next.key() && is(current) {
            self.0.put(next);
            return Ok(Swap::Applied);
        }
        self.0.swap(current, next).await
    }
}

/// Recognises its own work by a part of it.
#[derive(Debug)]
struct RecognisesBy(Backend, fn(&SessionRecord) -> Vec<u8>);

impl Broken for RecognisesBy {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        match self.0.get(&current.key()) {
            Some(found) if self.1(&found) == self.1(next) => Ok(Swap::Applied),
            _ => self.0.swap(current, next).await,
        }
    }
}

/// Without so many bytes at this place of the layout.
fn without(record: &SessionRecord, place: std::ops::Range<usize>) -> Vec<u8> {
    let mut bytes = record.encode();
    bytes.drain(place);
    bytes
}

fn generation(record: &SessionRecord) -> Vec<u8> {
    record.generation().to_be_bytes().into()
}

mistake! {
    /// Looks at the row of the old one and writes that of the new one.
    WritesWhereNextIs {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            if self.0.get(&current.key()).as_ref() == Some(current) {
                self.0.put(next);
                return Ok(Swap::Applied);
            }
            self.0.swap(current, next).await
        }
    }
}

mistake! {
    /// Writes the new one into the row of the old one, whatever its name.
    WritesWhereCurrentIs {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            if let Some(row) = self.0.rows().get_mut(&super::table::address(&current.key()))
                && row.record == *current
            {
                row.record = next.clone();
                return Ok(Swap::Applied);
            }
            self.0.swap(current, next).await
        }
    }
}

mistake! {
    /// Finds its own work at another address.
    RecognisesElsewhere {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            if self.0.get(&next.key()).as_ref() == Some(next) {
                return Ok(Swap::Applied);
            }
            self.0.swap(current, next).await
        }
    }
}

refuses! {
    a_swap_that_never_conflicts: NeverConflicts => "changes nothing and returns it";
    a_swap_that_does_not_know_its_own_work: SecondConflicts => "applied twice";
    a_swap_that_lost_and_says_applied: AppliedThoughLost => "changes nothing and returns it";
    a_conflict_without_the_record: ConflictWithoutRecord => "changes nothing and returns it";
    a_conflict_with_the_callers_record: ConflictEchoes => "changes nothing and returns it";
    a_conflict_without_the_time: ConflictWithoutTime => "changes nothing and returns it";
    a_swap_that_inserts: SwapInserts => "a session that is not there";
    a_swap_that_compares_the_generation: |backend| ComparesOnly(backend, generation) => "differ in any one field";
    a_swap_that_compares_without_the_seed:
        |backend| ComparesOnly(backend, |record| without(record, 107..139)) => "differ in any one field";
    a_swap_that_compares_without_the_context:
        |backend| ComparesOnly(backend, |record| {
            let bytes = record.encode();
            bytes[..bytes.len() - record.context().len()].into()
        }) => "differ in any one field";
    a_swap_that_compares_text:
        |backend| ComparesOnly(backend, |record| record.encode().to_ascii_lowercase()) => "differ in any one field";
    a_swap_that_knows_its_work_by_the_generation:
        |backend| RecognisesBy(backend, generation) => "changes nothing and returns it";
    a_swap_that_knows_its_work_by_token_and_generation:
        |backend| RecognisesBy(backend, |record| record.encode()[33..75].into()) => "differ in any one field";
    a_swap_that_writes_where_the_new_one_is: WritesWhereNextIs => "writes nothing";
    a_swap_that_writes_where_the_old_one_is: WritesWhereCurrentIs => "writes nothing";
    a_swap_that_looks_elsewhere: RecognisesElsewhere => "writes nothing";
}
