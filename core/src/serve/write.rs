//! What is written: records, through the sequencer, and attachments.

use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::random;
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
use crate::encryption::DataKey;
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
        // what keeps the sequencer from appending it has told itself
        Err(e) if matches!(e.kind(), ErrorKind::ServiceUnavailable | ErrorKind::StorageFull | ErrorKind::Io) => {
            answer::of_error(&e)
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
    let encrypted = state.ledger().is_encrypted();
    let receive =
        tokio::task::spawn_blocking(move || receive(&folder, &digest, encrypted, Received::of(chunks, limit)));
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
        Ok(Some(upload)) => blocking(state, move |ledger| ledger.attach_stream(upload.content()?)).await,
        Ok(None) => Err(too_long()),
        Err(e) => Err(e),
    };
    match kept {
        Ok(digest) => answer::json(StatusCode::OK, &serde_json::json!({ "digest": digest.to_string() })),
        Err(e) => fault(state, &e),
    }
}

/// A file that is on its way into the ledger; it goes when this does. On its way into an encrypted ledger it lies on disk
/// under a key that is nowhere but here.
struct Upload {
    file: File,
    path: PathBuf,
    key: Option<DataKey>,
}

/// What an upload is encrypted for.
const UPLOAD: &[u8] = b"upload";

impl Upload {
    fn content(&self) -> Result<Box<dyn Read + '_>> {
        Ok(match &self.key {
            Some(key) => Box::new(key.opening(UPLOAD, &self.file)?),
            None => Box::new(&self.file),
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What comes of a file, hashed as it passes, and read no further than it may be long.
struct Received {
    chunks: mpsc::Receiver<std::result::Result<Bytes, ()>>,
    held: Bytes,
    hasher: Sha256,
    left: u64,
    /// Why it ended before its end.
    ended: Option<Ended>,
}

#[derive(Clone, Copy)]
enum Ended {
    CutOff,
    TooLong,
}

impl Received {
    fn of(chunks: mpsc::Receiver<std::result::Result<Bytes, ()>>, limit: u64) -> Self {
        Self { chunks, held: Bytes::new(), hasher: Sha256::new(), left: limit, ended: None }
    }

    fn end(&mut self, why: Ended) -> std::io::Error {
        self.ended = Some(why);
        std::io::ErrorKind::UnexpectedEof.into()
    }
}

impl Read for Received {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.held.is_empty() {
            self.held = match self.chunks.blocking_recv() {
                Some(Ok(chunk)) => chunk,
                Some(Err(())) => return Err(self.end(Ended::CutOff)),
                None => return Ok(0),
            };
            self.left = match self.left.checked_sub(self.held.len() as u64) {
                Some(left) => left,
                None => return Err(self.end(Ended::TooLong)),
            };
        }
        let part = self.held.split_to(self.held.len().min(buffer.len()));
        if let Some(to) = buffer.get_mut(..part.len()) {
            to.copy_from_slice(&part);
        }
        self.hasher.update(&part);
        Ok(part.len())
    }
}

/// Brings what comes to disk and checks it against its digest; none if it is too long.
fn receive(folder: &Path, digest: &Digest, encrypted: bool, mut incoming: Received) -> Result<Option<Upload>> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io("make folder", folder, e))?;
    let mut own = [0; 16];
    random::fill(&mut own)?;
    let path = folder.join(hex::encode(own));
    let failed = |e| Error::io("write", &path, e);
    let key = if encrypted { Some(DataKey::generate()?) } else { None };
    let file = File::options().read(true).write(true).create_new(true).open(&path).map_err(failed)?;
    let mut upload = Upload { file, path: path.clone(), key };
    let copied = match &upload.key {
        Some(key) => std::io::copy(&mut key.sealing(UPLOAD, &mut incoming)?, &mut upload.file),
        None => std::io::copy(&mut incoming, &mut upload.file),
    };
    match (copied, incoming.ended) {
        (Ok(_), _) => {}
        (Err(_), Some(Ended::TooLong)) => return Ok(None),
        (Err(_), Some(Ended::CutOff)) => {
            return Err(Error::new(ErrorKind::Malformed, "the upload ended before its end"));
        }
        (Err(e), None) => return Err(failed(e)),
    }
    if incoming.hasher.finalize()[..] != *digest.bytes() {
        return Err(Error::new(
            ErrorKind::DigestMismatch,
            format!("what was sent is not `{digest}`; send the file that has this digest"),
        ));
    }
    upload.file.rewind().map_err(failed)?;
    Ok(Some(upload))
}
