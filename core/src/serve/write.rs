//! What is written: records, through the sequencer, and attachments.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::{Request, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::answer::{self, Answer};
use super::read::{blocking, collect, fault};
use super::sequencer::{Appended, Submission};
use super::state::State;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::remote::wire::{self, Receipted, Receipts};
use crate::timestamp::Timestamp;
use crate::verifier::Verified;

/// Takes records of a caller, all or none, and gives their receipts.
pub(super) async fn submit(state: &Arc<State>, credential: String, request: Request<Incoming>) -> Answer {
    let limit = state.config.limits.submission_bytes;
    // what does not say its length is counted as the longest
    let length = request.body().size_hint().exact().unwrap_or(limit);
    if length > limit {
        let e = Error::new(
            ErrorKind::LimitExceeded,
            format!("the request is longer than {limit} bytes; send less at once"),
        );
        return answer::of_error(&e);
    }
    let kib = u32::try_from(length / 1024 + 1).unwrap_or(u32::MAX);
    let Ok(held) = Arc::clone(&state.memory).try_acquire_many_owned(kib) else {
        return answer::later(StatusCode::SERVICE_UNAVAILABLE, "too many submissions are held; come again", 1);
    };
    let bytes = match collect(request, usize::try_from(limit).unwrap_or(usize::MAX)).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
    };
    match append(state, credential, bytes, held).await {
        Ok(appended) => {
            let receipted = |one: Appended| Receipted {
                receipt: one.receipt.into(),
                record: one.record.map(|record| STANDARD.encode(record)),
            };
            answer::json(StatusCode::OK, &Receipts { receipts: appended.into_iter().map(receipted).collect() })
        }
        Err(e) => fault(state, &e),
    }
}

async fn append(
    state: &Arc<State>,
    credential: String,
    bytes: Bytes,
    held: tokio::sync::OwnedSemaphorePermit,
) -> Result<Vec<Appended>> {
    let (most, now) = (state.config.limits.records, state.now()?);
    let name = credential.clone();
    let records = blocking(state, move |ledger| {
        let submission: wire::Submission = json::parse("submission", &bytes)?;
        if submission.records.is_empty() || submission.records.len() > most {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("a submission has 1 to {most} records, this one has {}", submission.records.len()),
            ));
        }
        submission.records.iter().map(|text| verified(ledger, &name, text, now)).collect::<Result<Vec<_>>>()
    })
    .await?;
    wait(queue(state, credential, records, Some(held))?).await
}

/// A record that verifies and that the credential may append. The sequencer looks at both again, in order.
fn verified(
    ledger: &crate::ledger::Ledger,
    credential: &str,
    text: &str,
    now: Timestamp,
) -> Result<Verified<crate::statement::Statement>> {
    let record = STANDARD
        .decode(text)
        .map_err(|_| Error::new(ErrorKind::Malformed, "a record of the submission is not base64"))?;
    let record = ledger.verify(&record, now)?;
    may_append(ledger, credential, record.value().predicate_type())?;
    Ok(record)
}

/// Checks that the trust policy lists the credential as a writer of this type. A folder without writers leaves that to
/// whoever has the folder; a sequencer takes nothing that nobody said may be written.
pub(super) fn may_append(ledger: &crate::ledger::Ledger, credential: &str, predicate_type: &str) -> Result<()> {
    let policy = ledger.trust_policy()?;
    if policy.predicate().writers.is_empty() {
        return Err(Error::new(
            ErrorKind::AppendRefused,
            "the trust policy lists no writers, and a sequencer takes records only from those; have its admins list them",
        ));
    }
    policy.check_may_append(Some(credential), predicate_type)
}

/// Puts verified records into the sequencer's queue.
pub(super) fn queue(
    state: &State,
    credential: String,
    records: Vec<Verified<crate::statement::Statement>>,
    held: Option<tokio::sync::OwnedSemaphorePermit>,
) -> Result<oneshot::Receiver<Result<Vec<Appended>>>> {
    let (answer, receiver) = oneshot::channel();
    state.metrics.queued.fetch_add(1, Ordering::Relaxed);
    let submission = Submission { records, credential, answer, _held: held };
    state.queue.submit(submission).inspect_err(|_| _ = state.metrics.queued.fetch_sub(1, Ordering::Relaxed))?;
    Ok(receiver)
}

async fn wait(receiver: oneshot::Receiver<Result<Vec<Appended>>>) -> Result<Vec<Appended>> {
    receiver
        .await
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::LedgerBusy, "the sequencer is stopping; submit it again")))
}

/// Takes a file, streamed, which must be the one of the digest it is sent under.
pub(super) async fn attach(state: &Arc<State>, digest: Digest, request: Request<Incoming>) -> Answer {
    let limit = state.config.limits.attachment_bytes;
    let too_long = || {
        Error::new(ErrorKind::LimitExceeded, format!("an attachment here has at most {limit} bytes; keep it elsewhere"))
    };
    let mut body = request.into_body();
    if body.size_hint().exact().is_some_and(|length| length > limit) {
        return answer::of_error(&too_long());
    }
    let (sender, chunks) = mpsc::channel(4);
    let folder = state.config.uploads.clone();
    let receive = tokio::task::spawn_blocking(move || receive(&folder, &digest, limit, chunks));
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let why = "the upload ended before its end";
            let _ = sender.send(Err(())).await;
            return answer::refusal(StatusCode::BAD_REQUEST, ErrorKind::Malformed, why);
        };
        if let Ok(chunk) = frame.into_data()
            && sender.send(Ok(chunk)).await.is_err()
        {
            // the receiving side says why below
            break;
        }
    }
    drop(sender);
    let received = match receive.await {
        Ok(received) => received,
        Err(e) => Err(Error::new(ErrorKind::Internal, "a task of the sequencer ended early").caused_by(e)),
    };
    let kept = match received {
        Ok(Some(upload)) => blocking(state, move |ledger| ledger.attach_stream(&upload.file)).await,
        Ok(None) => Err(too_long()),
        Err(e) => Err(e),
    };
    match kept {
        Ok(digest) => answer::json(StatusCode::OK, &serde_json::json!({ "digest": digest.to_string() })),
        Err(e) => fault(state, &e),
    }
}

/// A file that is on its way into the ledger; it goes when this does.
struct Upload {
    file: File,
    path: PathBuf,
}

impl Drop for Upload {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Brings what comes to disk and checks it against its digest; none if it is too long.
fn receive(
    folder: &Path,
    digest: &Digest,
    limit: u64,
    mut chunks: mpsc::Receiver<std::result::Result<Bytes, ()>>,
) -> Result<Option<Upload>> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io("make folder", folder, e))?;
    let mut own = [0; 16];
    rand::fill(&mut own).map_err(|_| Error::new(ErrorKind::Internal, "the system gave no random bytes"))?;
    let path = folder.join(hex::encode(own));
    let failed = |e| Error::io("write", &path, e);
    let file = File::options().read(true).write(true).create_new(true).open(&path).map_err(failed)?;
    let mut upload = Upload { file, path: path.clone() };
    let (mut hasher, mut length) = (Sha256::new(), 0u64);
    while let Some(chunk) = chunks.blocking_recv() {
        let Ok(chunk) = chunk else {
            return Err(Error::new(ErrorKind::Malformed, "the upload ended before its end"));
        };
        length += chunk.len() as u64;
        if length > limit {
            return Ok(None);
        }
        hasher.update(&chunk);
        upload.file.write_all(&chunk).map_err(failed)?;
    }
    if hasher.finalize()[..] != *digest.bytes() {
        return Err(Error::new(
            ErrorKind::DigestMismatch,
            format!("what was sent is not `{digest}`; send the file that has this digest"),
        ));
    }
    upload.file.rewind().map_err(failed)?;
    Ok(Some(upload))
}
