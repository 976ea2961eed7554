//! Counting allocations, apart from the time. While a case is timed, the counting allocator does not count. The rest
//! costs all cases alike about a hundredth of their time.

/// Counts the allocations that `call` makes on this thread; returns nothing when they are not counted.
#[cfg(feature = "count-allocations")]
pub fn count(call: impl FnOnce()) -> Option<u64> {
    Some(allocation_counter::measure(call).count_total)
}

#[cfg(not(feature = "count-allocations"))]
pub fn count(call: impl FnOnce()) -> Option<u64> {
    call();
    None
}

/// Runs `call` without counting.
#[cfg(feature = "count-allocations")]
pub fn uncounted<T>(call: impl FnOnce() -> T) -> T {
    let mut result = None;
    allocation_counter::opt_out(|| result = Some(call()));
    result.expect("the call has been made")
}

#[cfg(not(feature = "count-allocations"))]
pub fn uncounted<T>(call: impl FnOnce() -> T) -> T {
    call()
}
