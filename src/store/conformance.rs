//! Tests any store must pass.
//!
//! A [`RefreshStore`] that passes [`run`] carries the protocol. One that fails it signs users out or lets thieves
//! through, and the [`Violation`] says which rule it breaks. Feature `store-tests`.
//!
//! ```
//! use tower_bearer::{ManualClock, MemoryStore, Timestamp, store::conformance};
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_time().build()?.block_on(async {
//! let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
//! let store = MemoryStore::builder().clock(clock.clone()).build()?;
//! conformance::run(async || store.clone(), async |by| clock.advance(by)).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod drops;
mod everything;
mod expiry;
mod instances;
mod look;
mod older;
mod overlaps;
mod races;
mod records;
mod rule;
mod sample;
mod steps;
mod subjects;
mod swaps;

use std::{error::Error, fmt, pin::Pin, time::Duration};

use super::{RefreshStore, StoreError};
use races::Callers;
use rule::Rule;

/// A rule that a store has broken.
#[derive(Debug)]
pub struct Violation {
    rule: &'static str,
    detail: String,
    source: Option<StoreError>,
}

/// Runs every case against instances that `make` returns.
///
/// `make` returns an instance over *one* backend, each time the same one, as another server would have it. It is called
/// three times. Build the store anew in it, over the same database. A clone does not test what an instance keeps for
/// itself, such as a cache or a lock. Each case works on subjects of its own, drawn at random, and leaves everything
/// else alone.
///
/// `advance` moves the clock of the store forward by at least the given time, which is six seconds, once. For a store
/// with a real clock it sleeps. Instances of one machine share its clock. So no test on one machine tells that clock
/// from the clock of the store.
///
/// Each call has a time limit of ten seconds. A store that does not answer within it breaks the rule under test.
/// `advance` has none. A call that blocks its thread, and does not wait, holds up the suite too.
///
/// Call it on a tokio runtime with timers, best a multi-threaded one: some cases run in tasks. Races and dropped
/// futures are arranged between any two steps of a call. So a store that is wrong there is refused each time. A race
/// between two steps without an `await` in between needs two threads that meet there. That takes luck and many rounds.
///
/// # Errors
///
/// The first rule that is broken, or the error of a store that does not answer.
///
/// # Cancel safety
///
/// Dropping the future stops at any point; the cases' sessions stay until they expire.
pub async fn run<S: RefreshStore + Clone>(
    make: impl AsyncFn() -> S,
    advance: impl AsyncFn(Duration),
) -> Result<(), Violation> {
    let (one, other) = (&make().await, &make().await);
    case(|| records::an_inserted_record_is_loaded_unchanged(one)).await?;
    case(|| records::a_foreign_tag_finds_nothing(one)).await?;
    case(|| records::the_largest_record_is_kept_whole(one)).await?;
    case(|| swaps::a_swap_replaces_the_whole_record(one)).await?;
    case(|| swaps::a_swap_applied_twice_is_applied(one)).await?;
    case(|| swaps::a_swap_that_lost_says_what_is_stored(one)).await?;
    case(|| swaps::a_swap_compares_the_whole_record(one)).await?;
    case(|| swaps::a_swap_of_nothing_is_a_conflict(one)).await?;
    case(|| swaps::a_swap_never_moves_a_session(one)).await?;
    case(|| subjects::ended_sessions_are_listed(one)).await?;
    case(|| subjects::an_insertion_applied_twice_is_one(one)).await?;
    case(|| subjects::a_taken_id_is_not_overwritten(one)).await?;
    case(|| subjects::the_limit_drops_the_least_recently_rotated(one)).await?;
    case(|| subjects::any_limit_is_a_limit(one)).await?;
    case(|| subjects::revoked_sessions_do_not_count(one)).await?;
    case(|| subjects::revoke_all_keeps_what_it_is_told(one)).await?;
    case(|| subjects::revoked_sessions_are_listed(one)).await?;
    case(|| subjects::a_swap_after_revoke_all_is_a_conflict(one)).await?;
    case(|| records::subjects_are_counted_and_revoked_apart(one)).await?;
    case(|| records::names_are_bytes(one)).await?;
    case(|| records::a_far_expiry_is_kept(one)).await?;
    case(|| instances::each_sees_what_the_other_wrote(one, other)).await?;
    case(|| instances::they_have_one_clock([one, other])).await?;
    case(|| overlaps::two_swaps(one, other)).await?;
    case(|| overlaps::one_swap_twice(one, other)).await?;
    case(|| overlaps::swaps_beside_each_other(one, other)).await?;
    case(|| overlaps::two_insertions(one, other)).await?;
    case(|| overlaps::revoke_all_and_a_swap(one, other)).await?;
    case(|| overlaps::revoke_all_and_an_insertion(one, other)).await?;
    case(|| drops::a_swap(one, other)).await?;
    case(|| drops::an_insertion(one, other)).await?;
    case(|| drops::revoke_all(one, other)).await?;
    case(|| older::it_ends_what_began_before(one)).await?;
    case(|| older::it_overlaps_with_a_swap(one, other)).await?;
    case(|| everything::it_ends_what_began_before(one)).await?;
    case(|| expiry::run(one, other, &make, &advance)).await?;
    let callers = Callers(one, other);
    case(|| callers.one_of_many_swaps_wins()).await?;
    case(|| callers.one_swap_by_many_is_applied_for_all()).await?;
    case(|| callers.the_limit_holds_against_many()).await?;
    case(|| callers.revoke_all_leaves_nothing_half_done()).await?;
    case(|| swaps::ten_thousand_rotations_do_not_grow(one)).await
}

/// The future of a case, apart from the others. Without optimization, the future that runs them all would have room on
/// the stack for each of them. A thread of a test has less.
fn case<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

impl Violation {
    fn new(rule: &'static str, detail: impl Into<String>) -> Self {
        Self {
            rule,
            detail: detail.into(),
            source: None,
        }
    }

    fn about(mut self, what: &str) -> Self {
        self.detail = format!("{what}: {}", self.detail);
        self
    }

    /// Names the rule, in one sentence.
    pub fn rule(&self) -> &str {
        self.rule
    }

    /// Names the observation instead.
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
