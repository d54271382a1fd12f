//! Answers: content, and refusals with our codes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

use crate::error::{Error, ErrorClass, ErrorKind};
use crate::ledger::{is_of_moved_ledger, is_of_replaced_key};
use crate::remote::wire::{Refusal, Refused};

pub(super) type Answer = Response<Content>;

/// What an answer holds: all of it, or what a reader gives bit by bit.
pub(super) enum Content {
    Whole(Bytes),
    Stream { chunks: Receiver<std::io::Result<Bytes>>, left: u64 },
}

impl Body for Content {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream { chunks, left } => chunks.poll_recv(cx).map(|chunk| {
                let chunk = chunk?;
                if let Ok(bytes) = &chunk {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                Some(chunk.map(Frame::data))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Stream { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Stream { left, .. } => *left,
        })
    }
}

/// Content of a media type. What never changes may be kept by whoever is allowed to have it.
pub(super) fn content(media_type: &'static str, content: Content, never_changes: bool) -> Answer {
    let mut answer = Response::new(content);
    let caching = if never_changes { "private, max-age=31536000, immutable" } else { "no-store" };
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    answer.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    answer
}

pub(super) fn bytes(media_type: &'static str, bytes: impl Into<Bytes>) -> Answer {
    content(media_type, Content::Whole(bytes.into()), false)
}

pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Answer {
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut answer = bytes("application/json", text);
    *answer.status_mut() = status;
    answer
}

pub(super) fn refusal(status: StatusCode, kind: ErrorKind, message: &str) -> Answer {
    let error = Refused { code: kind.code().to_owned(), message: message.to_owned(), context: serde_json::Map::new() };
    let mut answer = json(status, &Refusal { error });
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

/// A refusal that asks to come again after so many seconds.
pub(super) fn later(status: StatusCode, message: &str, seconds: u64) -> Answer {
    let mut answer = refusal(status, ErrorKind::LedgerBusy, message);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    answer
}

/// What an error of the ledger is to a caller: their own fault in its own words, ours without any.
pub(super) fn of_error(e: &Error) -> Answer {
    let status = match e.kind() {
        // where to, its operator says
        _ if is_of_moved_ledger(e) || is_of_replaced_key(e) => {
            return later(
                StatusCode::SERVICE_UNAVAILABLE,
                "the ledger takes nothing here any more; its operator finds why in the log",
                5,
            );
        }
        // what was looked for, and where, is for its operator
        ErrorKind::BodyLost => {
            let message = "the record of an entry is not there any more; the ledger's operator finds which in the log";
            return refusal(StatusCode::NOT_FOUND, ErrorKind::BodyLost, message);
        }
        ErrorKind::Malformed | ErrorKind::ApiMisuse => StatusCode::BAD_REQUEST,
        ErrorKind::LimitExceeded => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::NotFound | ErrorKind::BodyArchived | ErrorKind::BodyDisposed => StatusCode::NOT_FOUND,
        ErrorKind::AlreadyExists | ErrorKind::PermitRefused => StatusCode::CONFLICT,
        ErrorKind::AppendRefused => StatusCode::FORBIDDEN,
        ErrorKind::LedgerBusy => return later(StatusCode::SERVICE_UNAVAILABLE, "the ledger is busy; come again", 1),
        ErrorKind::StorageFull | ErrorKind::Io | ErrorKind::ServiceUnavailable => {
            return later(
                StatusCode::SERVICE_UNAVAILABLE,
                "the ledger can't do it now; its operator finds why in the log",
                5,
            );
        }
        kind if kind.class() == ErrorClass::VerificationFailed || kind == ErrorKind::Unsupported => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => {
            return refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                ErrorKind::ServiceUnavailable,
                "the ledger can't do it; its operator finds why in the log",
            );
        }
    };
    refusal(status, e.kind(), e.message())
}

/// Whether the operator must look at it, not the caller.
pub(super) fn is_ours(e: &Error) -> bool {
    e.kind() == ErrorKind::BodyLost || of_error(e).status().is_server_error()
}
