//! Appending what runners without network left in a spool folder.
//!
//! Whoever can write the folder is taken for the caller that the configuration names.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::config::SpoolConfig;
use super::log::Level;
use super::state::State;
use super::write::{may_append, queue};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::Receipt;
use crate::spool::Spool;

/// Looks at the folder again and again, until `stop` says so.
pub(super) async fn drain(state: Arc<State>, config: SpoolConfig, credential: String, mut stop: watch::Receiver<bool>) {
    let pause = state.config.limits.spool_pause;
    while tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await.is_err() {
        let (state, folder, credential) = (Arc::clone(&state), config.folder.clone(), credential.clone());
        let done = tokio::task::spawn_blocking(move || once(&state, &Spool::in_folder(folder), &credential)).await;
        if done.is_err() {
            break;
        }
    }
}

fn once(state: &State, spool: &Spool, credential: &str) {
    match spool.send(|record| deliver(state, credential, record)) {
        Ok(sent) => {
            state.metrics.spooled.fetch_add(sent.delivered.len() as u64, Ordering::Relaxed);
            for (name, e) in &sent.refused {
                let fields = [("file", name.as_str().into()), ("code", e.code().into())];
                state.log(Level::Warn, "spooled-record-refused", &fields);
            }
            if let Some(e) = &sent.stopped {
                state.log(Level::Warn, "spool-waits", &[("code", e.code().into())]);
            }
        }
        Err(e) => {
            let fields = [("code", e.code().into()), ("message", e.message().into())];
            state.log(Level::Error, "spool-failed", &fields);
        }
    }
}

fn deliver(state: &State, credential: &str, record: &[u8]) -> Result<Receipt> {
    let ledger = state.ledger();
    let record = ledger.verify(record, state.now()?)?;
    may_append(&ledger, credential, record.value().predicate_type())?;
    let answer = queue(state, credential.to_owned(), vec![record], None)?;
    let stopping = || Error::new(ErrorKind::LedgerBusy, "the sequencer is stopping; what waits is sent later");
    let mut appended = answer.blocking_recv().map_err(|_| stopping())??;
    appended.pop().map(|one| one.receipt).ok_or_else(stopping)
}
