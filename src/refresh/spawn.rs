//! Work that runs to completion even if the client disconnects, or ends within its time.
//!
//! The timers are none of tokio's: those panic on a runtime that was built without them.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use futures_timer::Delay;

use crate::clock::RuntimeClock;

/// Runs `work` to its end even when the returned future is dropped.
///
/// On a tokio runtime it runs in a task of its own. Anywhere else it runs in place and then ends
/// with the caller.
pub(crate) fn complete<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Option<T>> + Send {
    // Boxed, so that the futures of the callers, who seldom get here, have no room for it.
    let work = Box::pin(work);
    async move {
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => runtime.spawn(work).await.ok(),
            Err(_) => Some(work.await),
        }
    }
}

/// Waits, on whatever runtime.
pub(crate) async fn pause(by: Duration) {
    Delay::new(by).await;
}

/// The output of `work`, unless it takes longer than `limit`. Work that is done at once needs no timer.
pub(crate) async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    let Some(limit) = limit else {
        return Some(work.await);
    };
    let mut work = pin!(work);
    let began = RuntimeClock::start();
    let once = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
    let done = match once {
        Poll::Ready(done) => Some(done),
        Poll::Pending => {
            let mut timer = Delay::new(limit.saturating_sub(began.elapsed()));
            let first = poll_fn(|cx| match work.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending => Pin::new(&mut timer).poll(cx).map(|()| None),
            });
            first.await
        }
    };
    // A timer sees no work that blocks.
    done.filter(|_| began.elapsed() <= limit)
}

/// The output of `work`; nothing where it panics. Code of the application runs in it, and of its store.
pub(crate) async fn survived<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    // It is not polled again. Its half-finished work is written so that it can begin anew.
    let caught = poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        },
    );
    caught.await
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, poll_fn},
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    const LIMIT: Duration = Duration::from_secs(7);

    #[tokio::test]
    async fn work_within_its_limit_is_done_and_slower_work_is_given_up() {
        let limit = Duration::from_millis(50);
        let slow = |by| async move {
            tokio::time::sleep(by).await;
            by
        };
        assert_eq!(within(Some(LIMIT), slow(limit)).await, Some(limit));
        assert_eq!(within(Some(limit), slow(LIMIT)).await, None);
        assert_eq!(within(Some(limit), pending::<()>()).await, None);
        assert_eq!(within(Some(Duration::MAX), slow(limit)).await, Some(limit));
        assert_eq!(within(None, slow(limit)).await, Some(limit));
    }

    /// The clock of the runtime counts, where a test has paused it.
    #[tokio::test(start_paused = true)]
    async fn work_on_a_paused_clock_is_judged_by_it() {
        for (secs, done) in [(6, true), (8, false)] {
            let slow = tokio::time::sleep(Duration::from_secs(secs));
            assert_eq!(within(Some(LIMIT), slow).await.is_some(), done);
        }
    }

    /// Work that never answers is given up, and pauses end: where tokio has no timers, and without tokio.
    #[test]
    fn without_timers_of_a_runtime_there_are_timers_all_the_same() {
        let brief = Duration::from_millis(20);
        let work = || async move {
            pause(brief).await;
            within(Some(brief), pending::<()>()).await
        };
        let bare = tokio::runtime::Builder::new_current_thread().build();
        assert_eq!(bare.unwrap().block_on(work()), None);
        assert_eq!(futures_executor::block_on(work()), None);
    }

    /// A timer does not see it: the runtime has no moment to look.
    #[tokio::test]
    async fn work_that_blocks_after_it_has_waited_is_judged_when_it_is_done() {
        let limit = Duration::from_millis(20);
        let blocks = |by: Duration| async move {
            tokio::task::yield_now().await;
            std::thread::sleep(by);
        };
        assert!(within(Some(limit), blocks(2 * limit)).await.is_none());
        assert!(within(Some(LIMIT), blocks(limit)).await.is_some());
    }

    #[test]
    fn without_a_runtime_work_that_blocks_is_judged_when_it_is_done() {
        assert!(tokio::runtime::Handle::try_current().is_err());
        let run = |limit, work: Duration| {
            let work = async move { std::thread::sleep(work) };
            let mut within = pin!(within(limit, work));
            let mut context = Context::from_waker(Waker::noop());
            match within.as_mut().poll(&mut context) {
                Poll::Ready(done) => done.is_some(),
                Poll::Pending => panic!("it waits for nothing"),
            }
        };
        let short = Duration::from_millis(5);
        assert!(run(Some(LIMIT), short));
        assert!(!run(Some(short), 2 * short));
        assert!(run(None, short));
    }

    #[tokio::test]
    async fn work_is_completed_though_its_caller_goes_away() {
        let (done, told) = tokio::sync::oneshot::channel();
        drop(complete(async move { done.send(1) }));
        assert!(told.await.is_err(), "never begun");
        let (done, told) = tokio::sync::oneshot::channel();
        let (go, went) = tokio::sync::oneshot::channel::<()>();
        let mut work = Box::pin(complete(async move {
            went.await.ok();
            done.send(2)
        }));
        let begun = poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_pending()));
        assert!(begun.await, "it waits");
        drop(work);
        go.send(()).unwrap();
        assert_eq!(told.await, Ok(2));
    }
}
