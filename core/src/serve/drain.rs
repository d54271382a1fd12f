//! Appending what runners without network left in a spool folder.
//!
//! Whoever can write the folder is taken for the caller that the configuration names.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::config::{Caller, Right, SpoolConfig};
use super::log::Level;
use super::state::State;
use super::write::{may_append, queue};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::Receipt;
use crate::spool::Spool;

/// Looks at the folder again and again, until `stop` says so.
pub(super) async fn drain(
    state: Arc<State>,
    config: SpoolConfig,
    caller: Arc<Caller>,
    mut stop: watch::Receiver<bool>,
) {
    let pause = state.config.limits.spool_pause;
    while tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await.is_err() {
        let (state, folder, caller) = (Arc::clone(&state), config.folder.clone(), Arc::clone(&caller));
        let spool = Spool::in_folder(folder).with_longest_attachment(state.config.limits.attachment_bytes);
        let done = tokio::task::spawn_blocking(move || once(&state, &spool, &caller)).await;
        if done.is_err() {
            break;
        }
    }
}

fn once(state: &State, spool: &Spool, caller: &Caller) {
    let failed = |e: Error| {
        let fields = [("code", e.code().into()), ("message", e.message().into())];
        state.log(Level::Error, "spool-failed", &fields);
    };
    // files before the records that name them
    match spool.send_attachments(|path| attach(state, caller, path)) {
        Ok(sent) => {
            told(state, "spooled-file-refused", &sent.refused, sent.stopped.as_ref());
            if sent.stopped.is_some() {
                return;
            }
        }
        Err(e) => return failed(e),
    }
    match spool.send(|record| deliver(state, caller, record)) {
        Ok(sent) => {
            state.metrics.spooled.fetch_add(sent.delivered.len() as u64, Ordering::Relaxed);
            told(state, "spooled-record-refused", &sent.refused, sent.stopped.as_ref());
        }
        Err(e) => failed(e),
    }
}

fn told(state: &State, event: &str, refused: &[(String, Error)], stopped: Option<&Error>) {
    for (name, e) in refused {
        state.log(Level::Warn, event, &[("file", name.as_str().into()), ("code", e.code().into())]);
    }
    if let Some(e) = stopped {
        state.log(Level::Warn, "spool-waits", &[("code", e.code().into())]);
    }
}

fn attach(state: &State, caller: &Caller, path: &Path) -> Result<Digest> {
    if !caller.rights.contains(&Right::Attach) {
        let why = format!("the caller `{}` may not attach files; give it a role that may", caller.name);
        // of the configuration, and no fault of the file, which waits
        return Err(Error::new(ErrorKind::PermissionDenied, why));
    }
    state.ledger().attach_file(path)
}

fn deliver(state: &State, caller: &Caller, record: &[u8]) -> Result<Receipt> {
    let credential = caller.credential.clone().unwrap_or_default();
    let ledger = state.ledger();
    let record = ledger.verify(record, state.now()?)?;
    may_append(&ledger, &credential, record.value().predicate_type())?;
    let answer = queue(state, credential, vec![record], None)?;
    let stopping = || Error::new(ErrorKind::LedgerBusy, "the sequencer is stopping; what waits is sent later");
    let mut appended = answer.blocking_recv().map_err(|_| stopping())??;
    appended.pop().map(|one| one.receipt).ok_or_else(stopping)
}
