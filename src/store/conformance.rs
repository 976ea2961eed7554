//! Tests any store must pass.
//!
//! A [`RefreshStore`] that passes [`run`] carries the protocol; one that fails it signs users out
//! or lets thieves through, and the [`Violation`] says which rule it breaks. Feature
//! `store-tests`.
//!
//! ```
//! use tower_bearer::{ManualClock, MemoryStore, Timestamp, store::conformance};
//!
//! # tokio::runtime::Builder::new_multi_thread().build()?.block_on(async {
//! let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
//! let store = MemoryStore::builder().clock(clock.clone()).build()?;
//! conformance::run(async || store.clone(), async |by| clock.advance(by)).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cases;
mod races;
mod sample;

use std::{error::Error, fmt, time::Duration};

use super::{RefreshStore, StoreError};

/// A rule that a store has broken.
#[derive(Debug)]
pub struct Violation {
    rule: &'static str,
    detail: String,
    source: Option<StoreError>,
}

/// Runs every case against stores that `make` returns.
///
/// `make` may return the same store each time, or clones of it: each case works on subjects of its
/// own, drawn at random, and leaves everything else alone. `advance` moves the store's clock
/// forward by at least the time it is given, a few seconds at a time; for a store with a real
/// clock it sleeps.
///
/// Call it on a tokio runtime, best a multi-threaded one: the races run in tasks.
///
/// # Errors
///
/// The first rule that is broken, or the error of a store that does not answer.
///
/// # Cancel safety
///
/// Dropping the future stops at any point; what the cases have stored stays until it expires.
pub async fn run<S: RefreshStore + Clone>(
    make: impl AsyncFn() -> S,
    advance: impl AsyncFn(Duration),
) -> Result<(), Violation> {
    cases::an_inserted_record_is_loaded_unchanged(&make().await).await?;
    cases::an_insertion_applied_twice_is_one(&make().await).await?;
    cases::a_taken_id_is_not_overwritten(&make().await).await?;
    cases::a_swap_replaces_the_whole_record(&make().await).await?;
    cases::a_swap_applied_twice_is_applied(&make().await).await?;
    cases::a_swap_that_lost_says_what_is_stored(&make().await).await?;
    cases::a_swap_of_nothing_is_a_conflict(&make().await).await?;
    cases::the_limit_drops_the_least_recently_rotated(&make().await).await?;
    cases::revoked_sessions_do_not_count(&make().await).await?;
    cases::revoke_all_keeps_what_it_is_told(&make().await).await?;
    cases::a_swap_after_revoke_all_is_a_conflict(&make().await).await?;
    cases::subjects_do_not_see_each_other(&make().await).await?;
    cases::ten_thousand_rotations_do_not_grow(&make().await).await?;
    cases::expired_sessions_are_gone(&make().await, &advance).await?;
    races::one_of_many_swaps_wins(&make().await).await?;
    races::one_swap_by_many_is_applied_for_all(&make().await).await?;
    races::the_limit_holds_against_many(&make().await).await?;
    races::revoke_all_leaves_nothing_half_done(&make().await).await?;
    Ok(())
}

impl Violation {
    fn new(rule: &'static str, detail: impl Into<String>) -> Self {
        Self {
            rule,
            detail: detail.into(),
            source: None,
        }
    }

    /// The rule, in one sentence.
    pub fn rule(&self) -> &str {
        self.rule
    }

    /// What was observed instead.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, but {}", self.rule, self.detail)
    }
}

impl Error for Violation {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|e| e as &(dyn Error + 'static))
    }
}

/// One rule: what every check of a case refers to.
#[derive(Clone, Copy)]
struct Rule(&'static str);

impl Rule {
    fn check(self, holds: bool, detail: impl FnOnce() -> String) -> Result<(), Violation> {
        if holds {
            Ok(())
        } else {
            Err(Violation::new(self.0, detail()))
        }
    }

    /// The answer of a store that must answer.
    fn answer<T>(self, answer: Result<T, StoreError>) -> Result<T, Violation> {
        answer.map_err(|source| Violation {
            rule: self.0,
            detail: "the store gave an error".into(),
            source: Some(source),
        })
    }
}
