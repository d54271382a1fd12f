//! An asynchronous runtime of our own behind calls that block.
//!
//! It runs on a thread of its own, so that a caller may itself stand in another runtime, and so that a connection is kept
//! alive, and its end seen, while nobody waits for it.

use std::future::Future;
use std::sync::mpsc;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind, Result};

/// A runtime, ended when this is dropped.
#[derive(Debug)]
pub(super) struct Engine {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Engine {
    pub(super) fn start() -> Result<Self> {
        let failed = |e| Error::new(ErrorKind::Internal, "the runtime for requests could not be started").caused_by(e);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let _ = runtime.block_on(stopped);
        };
        let thread = thread::Builder::new().name("sealwright-bucket".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Runs `work` to its end.
    pub(super) fn wait<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let (give, take) = mpsc::sync_channel(1);
        self.handle.spawn(async move {
            let _ = give.send(work.await);
        });
        take.recv().map_err(|_| Error::new(ErrorKind::Internal, "a request ended without an answer"))?
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
