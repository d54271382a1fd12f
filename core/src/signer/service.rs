//! Asking services over the network, from code that waits.

use std::future::Future;
use std::thread;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// Runs `request` to its end, or gives it up after `limit`. It runs on a thread of its own, since a caller may itself be
/// within an asynchronous runtime.
pub(crate) fn wait<T: Send>(by: &str, limit: Duration, request: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let broken =
        || Error::new(ErrorKind::Internal, format!("could not ask {by}; run it again, and report it if it stays"));
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| broken().caused_by(e))?;
        runtime
            .block_on(async { tokio::time::timeout(limit, request).await })
            .map_err(|_| unreachable(by, &format!("did not answer within {} seconds", limit.as_secs())))?
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|_| Err(broken()))
}

/// The error of a service that could not be asked.
pub(crate) fn unreachable(by: &str, why: &str) -> Error {
    Error::new(ErrorKind::ServiceUnavailable, format!("{by} {why}; check its address and the network, and try again"))
}
