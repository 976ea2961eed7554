//! Work that must finish though the client hangs up.

use std::future::Future;

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
pub(crate) async fn pause(by: std::time::Duration) {
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(by).await;
    }
}
