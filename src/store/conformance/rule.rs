//! Rules: every call and every check of a case goes through one.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::time::timeout;

use super::Violation;
use crate::store::StoreError;

/// Far longer than a user waits, and than a busy machine takes.
pub(super) const LONGEST_CALL: Duration = Duration::from_secs(10);

/// One rule, in one sentence.
#[derive(Clone, Copy)]
pub(super) struct Rule(pub(super) &'static str);

impl Rule {
    pub(super) fn check(
        self,
        holds: bool,
        detail: impl FnOnce() -> String,
    ) -> Result<(), Violation> {
        if holds {
            Ok(())
        } else {
            Err(Violation::new(self.0, detail()))
        }
    }

    /// The answer of a store that must answer.
    pub(super) async fn answer<T>(
        self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Violation> {
        let answer = self.call(call).await?;
        answer.map_err(|source| Violation {
            source: Some(source),
            ..Violation::new(self.0, "the store gave an error")
        })
    }

    /// The outcome of `call`, whatever it is, within the time limit.
    pub(super) async fn call<T>(self, call: impl Future<Output = T>) -> Result<T, Violation> {
        let mut call = pin!(call);
        let caught = poll_fn(|context| {
            let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)));
            match polled {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
                Err(_) => Poll::Ready(Err("the store panicked")),
            }
        });
        let answer = timeout(LONGEST_CALL, caught).await;
        answer
            .unwrap_or(Err("the store did not answer within ten seconds"))
            .map_err(|detail| Violation::new(self.0, detail))
    }
}
