//! Versions of the tables, in a table of our own.
//!
//! The application's migrations may live in the same database. sqlx keeps those in `_sqlx_migrations` and refuses a row
//! that it does not know. So ours stand elsewhere: one row a version in `tower_bearer_schema`.

use tower_bearer::store::StoreError;

use crate::fault::Fault;

/// Returns the migrations that a database at version `found` lacks, in order. `all` has one a version, the first of
/// which makes version 1; a database without our tables is at 0.
pub(crate) fn lacking(
    found: i64,
    all: &'static [&'static str],
) -> Result<&'static [&'static str], StoreError> {
    let applied = usize::try_from(found).ok();
    applied
        .and_then(|applied| all.get(applied..))
        .ok_or_else(|| {
            let known = all.len();
            Fault::new(format!(
                "the tables are at version {found}. This release of tower-bearer-sqlx knows versions up to \
                 {known}: run the release that made them, or a later one"
            ))
            .refused()
        })
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use tower_bearer::store::StoreErrorKind;

    use super::*;

    #[test]
    fn a_database_gets_what_it_lacks_and_a_newer_one_is_refused() {
        let all = &["one", "two"];
        assert_eq!(lacking(0, all).unwrap(), ["one", "two"]);
        assert_eq!(lacking(1, all).unwrap(), ["two"]);
        assert!(lacking(2, all).unwrap().is_empty());
        for found in [3, -1] {
            let error = lacking(found, all).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Refused);
            let why = error.source().unwrap().to_string();
            assert!(why.contains(&format!("version {found}")), "{why}");
            assert!(why.contains("up to 2"), "{why}");
        }
    }
}
