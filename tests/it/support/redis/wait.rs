//! Waiting for what another process does.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often it is looked: seldom enough for a machine of two cores with a dozen servers on it.
const LOOK: Duration = Duration::from_millis(20);

/// Polls until there is an `Ok`. Past `limit` the test fails and tells the last `Err`.
pub(crate) async fn until<T, F>(what: &str, limit: Duration, mut poll: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let end = Instant::now() + limit;
    loop {
        match poll().await {
            Ok(value) => return value,
            Err(seen) if Instant::now() >= end => {
                panic!("{what}: not within {limit:?}; seen last: {seen}")
            }
            Err(_) => sleep(LOOK).await,
        }
    }
}
