//! The service of a ledger behind an address: submitting, searching, leaving files.

use std::fs::File;
use std::io::Read as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Body;

use super::transport::Transport;
use super::wire::{FoundAt, Receipts, Submission, TrustPolicyAt};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::ledger::Query;
use crate::ledger::service::{Attachment, Service, Submitted};
use crate::limits;

#[derive(Debug)]
pub(super) struct RemoteService(Arc<Transport>);

impl RemoteService {
    pub(super) fn new(transport: Arc<Transport>) -> Self {
        Self(transport)
    }

    /// What an answer says. One that can't be read is a fault of the service.
    fn parse<T: for<'a> serde::Deserialize<'a>>(&self, answer: &[u8]) -> Result<T> {
        json::parse("answer", answer).map_err(|e| {
            let message = format!(
                "the ledger's service at `{}` gave an answer that is none: {}; check the address",
                self.0.address(),
                e.message()
            );
            Error::new(ErrorKind::ServiceUnavailable, message).caused_by(e)
        })
    }
}

impl Service for RemoteService {
    fn submit(&self, records: &[&[u8]]) -> Result<Vec<Submitted>> {
        if records.len() > limits::SUBMISSION_RECORDS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "{} records are too many for one submission; submit at most {}",
                    records.len(),
                    limits::SUBMISSION_RECORDS
                ),
            ));
        }
        let submission = Submission { records: records.iter().map(|record| STANDARD.encode(record)).collect() };
        let content = json::canonical("submission", &submission)?;
        if content.len() as u64 > limits::SUBMISSION_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the submission is over {} bytes; submit fewer records at once", limits::SUBMISSION_BYTES),
            ));
        }
        let answer = self.0.post("v1/records", &content, 2 * limits::SUBMISSION_BYTES)?;
        let decode = |text: String| {
            STANDARD
                .decode(text)
                .map_err(|_| Error::new(ErrorKind::ServiceUnavailable, "the service gave a record that is not base64"))
        };
        self.parse::<Receipts>(&answer)?
            .receipts
            .into_iter()
            .map(|one| Ok(Submitted { receipt: one.receipt, record: one.record.map(decode).transpose()? }))
            .collect()
    }

    fn search(&self, query: &Query) -> Result<(Vec<u64>, bool)> {
        let answer = self.0.post("v1/search", &json::canonical("query", query)?, limits::REMOTE_ANSWER_BYTES)?;
        let found = self.parse::<FoundAt>(&answer)?;
        Ok((found.indexes, found.more))
    }

    fn trust_policy_entries(&self) -> Result<Vec<u64>> {
        let answer = self.0.get("v1/trust-policy", limits::REMOTE_ANSWER_BYTES)?;
        Ok(self.parse::<TrustPolicyAt>(&answer)?.entries)
    }

    fn attach(&self, digest: &Digest, file: &Attachment<'_>) -> Result<()> {
        let path = format!("attachments/{}", digest.hex());
        self.0.put(&path, || match file {
            Attachment::Bytes(bytes) => Ok(Body::from(bytes.to_vec())),
            Attachment::File(path) => {
                let failed = |e| Error::io("read", path, e);
                let file = File::open(path).map_err(failed)?;
                let left = file.metadata().map_err(failed)?.len();
                Ok(Body::wrap(Upload { file, left }))
            }
        })?;
        Ok(())
    }
}

/// A file on its way, read as it is sent.
struct Upload {
    file: File,
    left: u64,
}

impl http_body::Body for Upload {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        const CHUNK: u64 = 64 * 1024;
        let take = usize::try_from(self.left.min(CHUNK)).unwrap_or(0);
        if take == 0 {
            return Poll::Ready(None);
        }
        let mut chunk = vec![0; take];
        Poll::Ready(Some(self.file.read_exact(&mut chunk).map(|()| {
            self.left -= take as u64;
            http_body::Frame::data(chunk.into())
        })))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.left)
    }
}
