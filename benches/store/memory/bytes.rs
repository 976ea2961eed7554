//! The memory of a session.

use std::fs;

use allocation_counter::measure;

use crate::support::{memory::Store, run::Run, sessions::session};

/// Where Linux does not use another: the size of a page, which /proc/self/statm counts in.
const PAGE: u64 = 4096;

/// Fills a store with sessions of as many subjects. The requests to the allocator are counted. The growth of the
/// process shows the allocator's own overhead.
pub fn report(run: &Run, name: &str) {
    let sessions: u64 = run.size(1_000_000, 2_000);
    let (store, _) = Store::new();
    let before = resident();
    let counted = measure(|| {
        for n in 0..sessions {
            store.insert(&session(n, 1, 3600));
        }
    });
    let after = resident();
    let net = counted.bytes_current as f64 / sessions as f64;
    println!("{name}: {net:.1} bytes a session allocated, of {sessions} sessions");
    if let (Some(before), Some(after)) = (before, after) {
        let grown = (after - before) as f64 / sessions as f64;
        println!("{name}: {grown:.1} bytes a session resident");
    }
}

/// The bytes that the process has in memory, on Linux.
fn resident() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE)
}
