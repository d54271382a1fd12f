//! Files that records name by their SHA-256, of any length.

use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Buffer, Either, FromNapiValue, This, TypeName, Uint8Array};
use napi::{ValueType, sys};
use napi_derive::napi;
use sealwright::{Error, ErrorKind, Result, ledger};

use crate::blob::{BlobFile, Content};
use crate::iterator::Next;
use crate::ledger::Ledger;
use crate::work::{Work, later, twins};

/// Bytes of a piece that is given out.
const PIECE: u64 = 256 * 1024;

/// Bytes, or a file, to be kept.
pub struct AnyContent(pub(crate) Content);

impl TypeName for AnyContent {
    fn type_name() -> &'static str {
        "Uint8Array | BlobFile"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

#[expect(unsafe_code, reason = "the trait's functions are unsafe to call; Node gives value and environment together")]
impl FromNapiValue for AnyContent {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller gives a value of this environment
        unsafe { Either::<Uint8Array, BlobFile>::from_napi_value(env, value) }.map(|content| Self(content.into()))
    }
}

twins! { Ledger, ledger;
    "Keeps bytes, or a file of any length, that records name by its SHA-256, which is returned."
    attach, attach_sync(#[napi(ts_arg_type = "Uint8Array | BlobFile")] content: AnyContent)
        -> String, "Promise<string>", "string" => content.0.attach(ledger);

    "A file that was attached, checked against its digest; whole, so at most 1 GiB."
    attachment, attachment_sync(digest: String)
        -> Buffer, "Promise<Buffer>", "Buffer" => ledger.attachment(&digest.parse()?).map(Buffer::from);

    "A file of any length that was attached, in pieces. Nothing of it is proven before its end, where what was changed"
    "is refused."
    attachment_stream, attachment_stream_sync(digest: String)
        -> AttachmentReader, "Promise<AttachmentReader>", "AttachmentReader" =>
        ledger.attachment_stream(&digest.parse()?).map(AttachmentReader::of);
}

/// A file of a ledger, read in pieces: `for await (const piece of reader)`, or `Readable.from(reader)`.
#[napi]
pub struct AttachmentReader {
    size: i64,
    reader: Arc<Mutex<ledger::AttachmentReader>>,
}

impl AttachmentReader {
    fn of(reader: ledger::AttachmentReader) -> Self {
        Self { size: crate::ledger::number(reader.size()), reader: Arc::new(Mutex::new(reader)) }
    }
}

#[napi]
impl AttachmentReader {
    /// Bytes of the file.
    #[napi(getter)]
    pub fn size(&self) -> i64 {
        self.size
    }

    /// The next piece; the last is asked for in vain. A file that was changed ends in `LEDGER_TAMPERED`.
    #[napi(ts_return_type = "Promise<IteratorResult<Buffer, undefined>>")]
    pub fn next(&self) -> AsyncTask<Work<Next<Buffer>>> {
        let reader = Arc::clone(&self.reader);
        later(move || piece(&mut reader.lock().unwrap_or_else(PoisonError::into_inner)).map(Next))
    }

    /// The reader itself.
    #[napi(well_known_symbol = "asyncIterator", ts_return_type = "this")]
    pub fn pieces<'a>(&self, this: This<'a>) -> This<'a> {
        this
    }
}

fn piece(reader: &mut ledger::AttachmentReader) -> Result<Option<Buffer>> {
    let mut piece = Vec::new();
    reader.take(PIECE).read_to_end(&mut piece).map_err(|e| match e.downcast::<Error>() {
        Ok(changed) => changed,
        Err(e) => Error::new(ErrorKind::Io, format!("the attachment could not be read: {e}")).caused_by(e),
    })?;
    Ok(if piece.is_empty() { None } else { Some(piece.into()) })
}
