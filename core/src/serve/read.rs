//! What is read: the log as it lies, records and files for those who may, and where a search leads.

use std::io::Read as _;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use super::answer::{self, Answer, Content};
use super::handle::forbidden;
use super::log::Level;
use super::route::Route;
use super::state::State;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::ledger::{Ledger, Query};
use crate::remote::wire::{FoundAt, TrustPolicyAt};

/// A query, as JSON.
const QUERY_BYTES: usize = 64 * 1024;
/// What is read of an attachment at a time.
const CHUNK: usize = 64 * 1024;

/// Does work that blocks, on a thread for such, with the ledger of the last commit.
pub(super) async fn blocking<T: Send + 'static>(
    state: &Arc<State>,
    work: impl FnOnce(&Ledger) -> Result<T> + Send + 'static,
) -> Result<T> {
    let ledger = state.ledger();
    let done = tokio::task::spawn_blocking(move || work(&ledger)).await;
    done.unwrap_or_else(|e| Err(Error::new(ErrorKind::Internal, "a task of the sequencer ended early").caused_by(e)))
}

/// The answer to a fault; one of ours is also logged.
pub(super) fn fault(state: &State, e: &Error) -> Answer {
    if answer::is_ours(e) {
        state.log(Level::Error, "read-failed", &[("code", e.code().into()), ("message", e.message().into())]);
    }
    answer::of_error(e)
}

/// Files of the log, exactly as tlog clients expect them. A partial tile that a wider one replaced meanwhile is cut to
/// what was asked for.
pub(super) async fn log(state: &Arc<State>, route: Route) -> Answer {
    let lasting = !matches!(route, Route::Checkpoint | Route::Keyring | Route::Witnessed(_) | Route::Archived(_));
    let media_type = match route {
        Route::Config | Route::Keyring => "application/json",
        Route::Checkpoint | Route::Rotation(_) | Route::Archived(_) => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    let read = blocking(state, move |ledger| match route {
        Route::Config => ledger.config_file(),
        Route::Keyring => ledger.keyring_file(),
        Route::Rotation(number) => ledger.rotation_file(number),
        Route::Witnessed(name) => ledger.witnessed_file(&name),
        Route::Archived(index) => ledger.archived_file(index),
        Route::Tile(id) => ledger.tile_file(id),
        Route::Entries(id) => ledger.bundle_file(id),
        _ => Ok(ledger.checkpoint_file()),
    });
    match read.await {
        Ok(bytes) => answer::content(media_type, Content::Whole(bytes.into()), lasting),
        Err(e) => fault(state, &e),
    }
}

/// Salt and record of an entry, as a body is stored. Records of the trust policy are for everybody who may read the
/// log, which cannot be judged without them.
pub(super) async fn body(state: &Arc<State>, index: u64, may_read_records: bool) -> Answer {
    let read = blocking(state, move |ledger| {
        if !may_read_records && !ledger.trust_policy_entries().contains(&index) {
            return Ok(None);
        }
        ledger.body_file(index).map(Some)
    });
    match read.await {
        Ok(Some(bytes)) => answer::bytes("application/octet-stream", bytes),
        Ok(None) => forbidden(),
        Err(e) => fault(state, &e),
    }
}

pub(super) async fn receipt(state: &Arc<State>, index: u64) -> Answer {
    match blocking(state, move |ledger| ledger.prove(index)).await {
        Ok(receipt) => answer::json(StatusCode::OK, &receipt),
        Err(e) => fault(state, &e),
    }
}

pub(super) fn trust_policy(state: &State) -> Answer {
    let entries = state.ledger().trust_policy_entries().to_vec();
    answer::json(StatusCode::OK, &TrustPolicyAt { entries })
}

pub(super) async fn search(state: &Arc<State>, request: Request<Incoming>) -> Answer {
    let query = match collect(request, QUERY_BYTES).await {
        Ok(bytes) => json::parse::<Query>("query", &bytes),
        Err(refusal) => return refusal,
    };
    let found = match query {
        // what is there is read and verified by whoever asks, who sees in the log why something is not
        Ok(query) => blocking(state, move |ledger| ledger.leads(&query)).await,
        Err(e) => Err(e),
    };
    match found {
        Ok((indexes, more)) => answer::json(StatusCode::OK, &FoundAt { indexes, more }),
        Err(e) => fault(state, &e),
    }
}

/// An attachment, streamed. If its bytes changed on disk the stream ends before its end.
pub(super) async fn attachment(state: &Arc<State>, digest: Digest) -> Answer {
    let mut reader = match blocking(state, move |ledger| ledger.attachment_stream(&digest)).await {
        Ok(reader) => reader,
        Err(e) => return fault(state, &e),
    };
    let left = reader.size();
    let (sender, chunks) = tokio::sync::mpsc::channel(2);
    let state = Arc::clone(state);
    tokio::task::spawn_blocking(move || {
        let mut held: Option<Bytes> = None;
        loop {
            let mut chunk = vec![0; CHUNK];
            match reader.read(&mut chunk) {
                // the last part leaves only after the whole was checked
                Ok(0) => {
                    if let Some(last) = held {
                        let _ = sender.blocking_send(Ok(last));
                    }
                    return;
                }
                Ok(read) => {
                    chunk.truncate(read);
                    // whoever asked may have gone
                    if let Some(before) = held.replace(chunk.into())
                        && sender.blocking_send(Ok(before)).is_err()
                    {
                        return;
                    }
                }
                Err(e) => {
                    state.log(Level::Error, "read-failed", &[("message", e.to_string().into())]);
                    let _ = sender.blocking_send(Err(e));
                    return;
                }
            }
        }
    });
    answer::content("application/octet-stream", Content::Stream { chunks, left }, true)
}

/// The whole content of a request, or the answer to one that is too long or was cut off.
pub(super) async fn collect(request: Request<Incoming>, limit: usize) -> Result<Bytes, Answer> {
    match Limited::new(request.into_body(), limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(e) if e.is::<LengthLimitError>() => Err(answer::of_error(&Error::new(
            ErrorKind::LimitExceeded,
            format!("the request is longer than {limit} bytes; send less at once"),
        ))),
        Err(_) => {
            Err(answer::refusal(StatusCode::BAD_REQUEST, ErrorKind::Malformed, "the request ended before its end"))
        }
    }
}
