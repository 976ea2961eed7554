//! Work that must finish though the client hangs up.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

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

/// Waits, where there is a runtime to wait on.
pub(crate) async fn pause(by: Duration) {
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(by).await;
    }
}

/// The output of `work`, unless it takes longer than `limit`. Without a runtime there is no timer: it is then judged
/// when it is done. Work that is done at once needs no timer, and so no runtime that has one.
pub(crate) async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    let Some(limit) = limit else {
        return Some(work.await);
    };
    let mut work = pin!(work);
    let began = RuntimeClock::start();
    let once = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
    let done = match once {
        Poll::Ready(done) => Some(done),
        Poll::Pending if tokio::runtime::Handle::try_current().is_ok() => {
            let left = limit.saturating_sub(began.elapsed());
            tokio::time::timeout(left, work).await.ok()
        }
        Poll::Pending => Some(work.await),
    };
    // A timer sees no work that blocks.
    done.filter(|_| began.elapsed() <= limit)
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

    #[tokio::test(start_paused = true)]
    async fn work_within_its_limit_is_done_and_slower_work_is_given_up() {
        let slow = |secs| async move {
            tokio::time::sleep(Duration::from_secs(secs)).await;
            secs
        };
        let began = tokio::time::Instant::now();
        assert_eq!(within(Some(LIMIT), slow(6)).await, Some(6));
        assert_eq!(within(Some(LIMIT), slow(8)).await, None);
        assert_eq!(began.elapsed(), Duration::from_secs(6 + 7));
        assert_eq!(within(Some(LIMIT), pending::<()>()).await, None);
        assert_eq!(within(None, slow(3_600)).await, Some(3_600));
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

    /// There is no timer then, so work that was too slow is told of when it is done.
    #[test]
    fn without_a_runtime_work_is_judged_when_it_is_done() {
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
