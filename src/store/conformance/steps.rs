//! Calls that are stopped between two of their steps.
//!
//! A step ends where a future waits. A race that is arranged there is found each time, and not by luck.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use tokio::time::timeout;

/// More than a call has, whatever lies between it and its database.
const MOST: usize = 48;
/// How long the second call has the store to itself. Then it waits for a lock of the first one, or for a network.
const ALONE: Duration = Duration::from_millis(10);
/// How often that may be: a store that locks is one step to the others.
const WAITS: usize = 8;

/// Counts how many steps the first call is ahead, from none on until that is all of it.
pub(super) struct Steps {
    ahead: usize,
    waits: usize,
    is_done: bool,
}

impl Steps {
    pub(super) fn new() -> Self {
        Self {
            ahead: 0,
            waits: 0,
            is_done: false,
        }
    }

    /// Whether there is another number of steps to try.
    pub(super) fn go_on(&self) -> bool {
        !self.is_done && self.ahead < MOST && self.waits < WAITS
    }

    /// Lets `call` take its steps and drops it.
    pub(super) async fn cut<F: Future>(&mut self, call: F) {
        let mut call = pin!(call);
        self.is_done = self.first(call.as_mut()).await.is_some();
    }

    /// Lets `first` take its steps, then runs `second`, and then the rest of `first`.
    pub(super) async fn overlap<A: Future, B: Future>(
        &mut self,
        first: A,
        second: B,
    ) -> (A::Output, B::Output) {
        let (mut first, mut second) = (pin!(first), pin!(second));
        if let Some(answer) = self.first(first.as_mut()).await {
            self.is_done = true;
            return (answer, second.await);
        }
        if let Ok(answer) = timeout(ALONE, second.as_mut()).await {
            return (first.await, answer);
        }
        self.waits += 1;
        both(first, second).await
    }

    async fn first<F: Future>(&mut self, mut call: Pin<&mut F>) -> Option<F::Output> {
        let mut left = self.ahead;
        self.ahead += 1;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            match call.as_mut().poll(context) {
                Poll::Ready(answer) => Poll::Ready(Some(answer)),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

async fn both<A: Future, B: Future>(
    mut first: Pin<&mut A>,
    mut second: Pin<&mut B>,
) -> (A::Output, B::Output) {
    let (mut one, mut other) = (None, None);
    poll_fn(|context| {
        if one.is_none()
            && let Poll::Ready(answer) = first.as_mut().poll(context)
        {
            one = Some(answer);
        }
        if other.is_none()
            && let Poll::Ready(answer) = second.as_mut().poll(context)
        {
            other = Some(answer);
        }
        match (one.take(), other.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            unfinished => {
                (one, other) = unfinished;
                Poll::Pending
            }
        }
    })
    .await
}
