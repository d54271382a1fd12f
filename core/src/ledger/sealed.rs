//! Encryption at rest: a [`Storage`] over another one, in which bodies and attachments are envelopes.
//!
//! ```text
//! keyring.json           the keys of the ledger, under the key-encryption key
//! keys/bodies/<N>        header of the body of entry N: its data key, wrapped
//! keys/attachments/<L>   header of an attachment; L is its label by the tag key, for its digest would say what it is
//! bodies/<N>             salt and record of entry N, encrypted
//! attachments/<R>        an attachment, encrypted, under a random name that its header knows
//! ```
//!
//! Above it nothing is encrypted, below it nothing of a record is readable. Entries and what hangs on them (tiles,
//! checkpoint) pass through: their labels are the ledger's business ([`super::label`]), and so do the columns of the
//! index, which get labels here.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use super::index::{Find, Index, Row, Unusable};
use super::storage::{
    Batch, Content, IndexAt, Object, Outcome, Queue, Repair, Right, Storage, Ticket, Upload, Waiting,
};
use super::store::{ATTACHMENTS, BODIES};
use crate::digest::Digest;
use crate::encryption::{DataKey, Header, Keyring, Opening, Sealing, TagKey, plain_size, read_fault, sealed_limit};
use crate::error::{Error, ErrorKind, Result, optional};
use crate::limits;
use crate::random;

/// Where the keyring lies.
pub(crate) const KEYRING: &str = "keyring.json";
/// Where headers lie, by the name of what they open.
pub(crate) const KEYS: &str = "keys";
/// Bytes of the random part of an attachment's name.
const NAME_LEN: usize = 16;
/// Bytes of the digest in the note of an attachment's header.
const DIGEST_LEN: usize = 32;

/// An encrypted storage.
#[derive(Debug)]
pub(crate) struct SealedStorage {
    inner: Arc<dyn Storage>,
    keyring: Arc<Keyring>,
}

/// An attachment, as its header knows it.
pub(super) struct Attachment {
    pub(super) key: DataKey,
    digest: [u8; DIGEST_LEN],
    /// Where its content lies.
    pub(super) object: String,
}

impl SealedStorage {
    pub(crate) fn new(inner: Arc<dyn Storage>, keyring: Arc<Keyring>) -> Self {
        Self { inner, keyring }
    }

    /// A right to write below, made one to write here; for a ledger that is being made and has no keyring yet.
    pub(crate) fn over<'a>(&'a self, right: Box<dyn Right + 'a>) -> Box<dyn Right + 'a> {
        Box::new(SealedRight { storage: self, right })
    }

    fn header(&self, name: &str) -> Result<Header> {
        Header::parse(&self.inner.read(name, limits::SEALED_HEADER_BYTES as u64)?).map_err(|e| match e.kind() {
            ErrorKind::Malformed | ErrorKind::LimitExceeded => Error::new(
                ErrorKind::LedgerTampered,
                format!("the header `{name}` is not as it was written: {}; restore it from a copy", e.message()),
            )
            .caused_by(e),
            _ => e,
        })
    }

    /// Data key and note of a header. One that no key of this keyring wraps is another's, unless the keys were rotated.
    fn opened(&self, header: &Header, context: &str) -> Result<(DataKey, Vec<u8>)> {
        self.keyring.open_header(header, context.as_bytes()).map_err(|e| match e.kind() {
            ErrorKind::WrongKey if self.is_current().is_ok_and(|current| current) => Error::new(
                ErrorKind::LedgerTampered,
                format!("the header of `{context}` is not as it was written: {}; restore it from a copy", e.message()),
            )
            .caused_by(e),
            _ => e,
        })
    }

    /// Whether the keyring is still the one that is stored.
    fn is_current(&self) -> Result<bool> {
        self.keyring.is_of(&self.inner.read(KEYRING, limits::KEYRING_FILE_BYTES as u64)?)
    }

    /// Refuses to go on with a keyring that was replaced.
    pub(crate) fn check_current(&self) -> Result<()> {
        if self.is_current()? {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::WrongKey,
            "the keys of the ledger were rotated since it was opened; open it again, with its new key",
        ))
    }

    fn body(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let header = self.header(&header_name(name))?;
        let (key, _) = self.opened(&header, name)?;
        let sealed = self.inner.read(name, sealed_limit(limit))?;
        key.open(name.as_bytes(), &sealed)
    }

    /// The content of the body `name` from a header and ciphertext that need not lie here; none if one of them is not its own.
    pub(super) fn opened_body(&self, name: &str, header: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (key, _) = self.keyring.open_header(&Header::parse(header).ok()?, name.as_bytes()).ok()?;
        key.open(name.as_bytes(), sealed).ok()
    }

    /// Whether these bytes are the header of the body `name`.
    pub(super) fn is_header_of(&self, name: &str, header: &[u8]) -> bool {
        Header::parse(header).and_then(|header| self.keyring.open_header(&header, name.as_bytes())).is_ok()
    }

    fn attachment(&self, name: &str) -> Result<Attachment> {
        let header_name = self.attachment_header(name);
        self.attachment_of(&header_name)
    }

    /// The attachment of a header, which must be the one of the digest it holds.
    fn attachment_of(&self, header_name: &str) -> Result<Attachment> {
        self.attachment_under(header_name, &self.header(header_name)?)
    }

    /// As [`SealedStorage::attachment_of`], of a header that need not lie here.
    pub(super) fn attachment_under(&self, header_name: &str, header: &Header) -> Result<Attachment> {
        let (key, note) = self.opened(header, header_name)?;
        let foreign = || {
            Error::new(
                ErrorKind::LedgerTampered,
                format!("the header `{header_name}` is another's; restore it from a copy"),
            )
        };
        let (digest, object) = note.split_first_chunk::<DIGEST_LEN>().ok_or_else(foreign)?;
        if object.len() != NAME_LEN || self.attachment_header(&plain_attachment(digest)) != header_name {
            return Err(foreign());
        }
        Ok(Attachment { key, digest: *digest, object: format!("{ATTACHMENTS}/{}", hex::encode(object)) })
    }

    /// Where the header of the attachment with this plain name lies.
    pub(super) fn attachment_header(&self, name: &str) -> String {
        let hex = name.strip_prefix(ATTACHMENTS).map_or(name, |rest| rest.trim_start_matches('/'));
        format!("{KEYS}/{ATTACHMENTS}/{}", self.keyring.tag_key().name("attachment", hex))
    }

    /// An object with its header, as they are stored.
    fn sealed(&self, object: Object) -> Result<[Object; 2]> {
        let key = DataKey::generate()?;
        let context = object.name.as_bytes();
        let header = self.keyring.new_header(&key, context, &[])?;
        let bytes = key.seal(context, &object.bytes)?;
        Ok([
            Object { name: header_name(&object.name), bytes: header.to_bytes()?, grown_from: None },
            Object { name: object.name, bytes, grown_from: None },
        ])
    }
}

impl Storage for SealedStorage {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn create(&self) -> Result<bool> {
        self.inner.create()
    }

    fn destroy(&self) {
        self.inner.destroy();
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        if is_body(name) {
            self.body(name, limit)
        } else if is_attachment(name) {
            let found = self.attachment(name)?;
            let sealed = self.inner.read(&found.object, sealed_limit(limit))?;
            found.key.open(ATTACHMENTS.as_bytes(), &sealed)
        } else {
            self.inner.read(name, limit)
        }
    }

    fn stream(&self, name: &str) -> Result<Content> {
        if is_body(name) {
            let bytes = self.body(name, limits::RECORD_BYTES + 32)?;
            return Ok(Content { size: bytes.len() as u64, bytes: Box::new(std::io::Cursor::new(bytes)) });
        }
        if !is_attachment(name) {
            return self.inner.stream(name);
        }
        let found = self.attachment(name)?;
        // once to its end, so that nothing of it is given out if a byte of it is not genuine; what is then given out is
        // checked again, chunk by chunk
        let mut whole = found.key.opening(ATTACHMENTS.as_bytes(), self.inner.stream(&found.object)?.bytes)?;
        let size = std::io::copy(&mut whole, &mut std::io::sink()).map_err(read_fault)?;
        let opening: Opening<_> = found.key.opening(ATTACHMENTS.as_bytes(), self.inner.stream(&found.object)?.bytes)?;
        Ok(Content { bytes: Box::new(opening), size })
    }

    fn size(&self, name: &str) -> Result<Option<u64>> {
        let stored = if is_attachment(name) {
            let Some(found) = optional(self.attachment(name))? else { return Ok(None) };
            found.object
        } else if is_body(name) {
            name.to_owned()
        } else {
            return self.inner.size(name);
        };
        Ok(self.inner.size(&stored)?.map(plain_size))
    }

    fn list(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        if prefix.is_empty() || prefix.starts_with(ATTACHMENTS) {
            return self.list_all(prefix, visit);
        }
        self.inner.list(prefix, &mut |name, size| visit(name, if is_body(name) { plain_size(size) } else { size }))
    }

    fn acquire(&self, patience: Duration) -> Result<Box<dyn Right + '_>> {
        let right = self.inner.acquire(patience)?;
        // under other keys than these nobody would find what is written now
        self.check_current()?;
        Ok(self.over(right))
    }

    fn leftovers(&self) -> Result<Vec<String>> {
        // where another may be writing all the same, its header may be on the way
        if !self.inner.right_lasts() {
            return Ok(Vec::new());
        }
        let (mut objects, mut headers) = (std::collections::BTreeSet::new(), Vec::new());
        self.inner.list(&format!("{ATTACHMENTS}/"), &mut |name, _| {
            objects.insert(name.to_owned());
            Ok(())
        })?;
        self.inner.list(&format!("{KEYS}/{ATTACHMENTS}/"), &mut |name, _| {
            headers.push(name.to_owned());
            Ok(())
        })?;
        if objects.len() == headers.len() {
            return Ok(Vec::new());
        }
        for name in headers {
            // one that can't be read may lead to any of them; the audit names it
            let Ok(found) = self.attachment_of(&name) else { return Ok(Vec::new()) };
            objects.remove(&found.object);
        }
        Ok(objects.into_iter().collect())
    }

    fn recover(&self, patience: Duration) -> Result<bool> {
        self.inner.recover(patience)
    }

    fn repairs(&self) -> Vec<Repair> {
        self.inner.repairs()
    }

    fn queue(&self) -> Option<Box<dyn Queue + '_>> {
        let queue = self.inner.queue()?;
        Some(Box::new(SealedQueue { keyring: &self.keyring, queue }))
    }

    fn has_index(&self) -> bool {
        self.inner.has_index()
    }

    fn index(&self, how: IndexAt) -> Result<Box<dyn Index>> {
        let inner = self.inner.index(how)?;
        Ok(Box::new(SealedIndex { inner, tag_key: Arc::clone(self.keyring.tag_key()) }))
    }

    fn remove_index(&self) -> Result<()> {
        self.inner.remove_index()
    }
}

impl SealedStorage {
    /// All objects by their plain names. A header without its object, and an object without its header, are shown as
    /// they are stored.
    fn list_all(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        let mut attached = std::collections::BTreeSet::new();
        self.inner.list(&format!("{KEYS}/{ATTACHMENTS}/"), &mut |name, size| match self.attachment_of(name) {
            Ok(found) => match self.inner.size(&found.object)? {
                Some(sealed) => {
                    visit(&plain_attachment(&found.digest), plain_size(sealed))?;
                    attached.insert(found.object);
                    Ok(())
                }
                None => visit(name, size),
            },
            Err(e) if e.kind() == ErrorKind::LedgerTampered => visit(name, size),
            Err(e) => Err(e),
        })?;
        self.inner.list(prefix, &mut |name, size| {
            // those of attachments were looked at above, and those of bodies are shown as they are stored: whether one is
            // in its place, the log tells
            let is_header = name.strip_prefix(KEYS).and_then(|of| of.strip_prefix('/')).is_some_and(is_attachment);
            match name {
                KEYRING => Ok(()),
                _ if is_header => Ok(()),
                name if attached.contains(name) => Ok(()),
                name if is_body(name) => visit(name, plain_size(size)),
                name => visit(name, size),
            }
        })
    }
}

/// The right to write, which encrypts on its way down.
#[derive(Debug)]
struct SealedRight<'a> {
    storage: &'a SealedStorage,
    right: Box<dyn Right + 'a>,
}

impl Right for SealedRight<'_> {
    fn commit(&mut self, batch: Batch<'_>) -> Result<Outcome> {
        let mut objects = Vec::with_capacity(batch.objects.len());
        for object in batch.objects {
            match is_body(&object.name) {
                true => objects.extend(self.storage.sealed(object)?),
                false => objects.push(object),
            }
        }
        self.right.commit(Batch { objects, ..batch })
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        if is_body(name) {
            // the header first: without its own, a body is as good as gone
            for object in
                self.storage.sealed(Object { name: name.to_owned(), bytes: bytes.to_vec(), grown_from: None })?
            {
                self.right.write(&object.name, &object.bytes)?;
            }
            return Ok(());
        }
        self.right.write(name, bytes)
    }

    fn remove(&mut self, names: &[String]) -> Result<()> {
        let mut all = Vec::new();
        // headers first: from then on nobody can open what is left, whatever happens next
        for name in names {
            if is_body(name) {
                all.push(header_name(name));
            } else if is_attachment(name)
                && let Ok(found) = self.storage.attachment(name)
            {
                all.push(self.storage.attachment_header(name));
                all.push(found.object);
            }
        }
        all.extend(names.iter().cloned());
        self.right.remove(&all)
    }

    fn keep(&mut self, upload: &mut dyn Upload) -> Result<()> {
        let key = DataKey::generate()?;
        let mut random = [0; NAME_LEN];
        random::fill(&mut random)?;
        let object = format!("{ATTACHMENTS}/{}", hex::encode(random));
        let from = Plain(upload);
        let mut sealing = SealedUpload { sealing: key.sealing(ATTACHMENTS.as_bytes(), from)?, object: object.clone() };
        self.right.keep(&mut sealing)?;
        let name = sealing.sealing.get_ref().0.name();
        let header_name = self.storage.attachment_header(&name);
        let digest =
            name.rsplit('/').next().and_then(|hex| Digest::from_hex(crate::digest::Algorithm::Sha256, hex).ok());
        let digest = digest.ok_or_else(|| Error::new(ErrorKind::Internal, "an attachment has no digest; report it"))?;
        if self.storage.stream(&name).is_ok() {
            // it was kept before and is whole; a place that locks what is kept holds the second one until its date
            let _ = self.right.remove(&[object]);
            return Ok(());
        }
        let before = self.storage.attachment_of(&header_name).ok();
        let note = [digest.bytes(), &random[..]].concat();
        let header = self.storage.keyring.new_header(&key, header_name.as_bytes(), &note)?;
        if let Err(e) = header.to_bytes().and_then(|header| self.right.write(&header_name, &header)) {
            // it may have got its name and not be on disk; else nothing leads to the content, and it goes
            if !self.storage.attachment_of(&header_name).is_ok_and(|now| now.object == object) {
                let _ = self.right.remove(&[object]);
            }
            return Err(e);
        }
        // who lost the right to write unseen wrote it under a key that is dropped
        self.storage.check_current()?;
        // the header now leads to the new content, so the older one, which is damaged, is of no use
        if let Some(before) = before {
            let _ = self.right.remove(&[before.object]);
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        self.right.settle()
    }
}

struct Plain<'a>(&'a mut dyn Upload);

impl Read for Plain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

struct SealedUpload<'a> {
    sealing: Sealing<Plain<'a>>,
    object: String,
}

impl Read for SealedUpload<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.sealing.read(buffer)
    }
}

impl Upload for SealedUpload<'_> {
    fn name(&self) -> String {
        self.object.clone()
    }
}

/// Submissions of those who wait, encrypted as bodies are: a header, a line feed, and the content. Answers hold numbers
/// of entries and nothing else.
struct SealedQueue<'a> {
    keyring: &'a Keyring,
    queue: Box<dyn Queue + 'a>,
}

/// What submissions are encrypted for.
const SUBMISSION: &[u8] = b"submission";

impl SealedQueue<'_> {
    fn opened(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (header, content) = bytes.split_at_checked(end)?;
        let (key, _) = self.keyring.open_header(&Header::parse(header).ok()?, SUBMISSION).ok()?;
        key.open(SUBMISSION, content.get(1..)?).ok()
    }
}

impl Queue for SealedQueue<'_> {
    fn submit(&self, bytes: &[u8]) -> Result<Box<dyn Ticket>> {
        let key = DataKey::generate()?;
        let header = self.keyring.new_header(&key, SUBMISSION, &[])?.to_bytes()?;
        self.queue.submit(&[&header[..], b"\n", &key.seal(SUBMISSION, bytes)?].concat())
    }

    fn take(&self, most: usize) -> Vec<Waiting> {
        let mut taken = self.queue.take(most);
        // what does not open has no code that is ours either, and gets no answer
        for waiting in &mut taken {
            waiting.bytes = self.opened(&waiting.bytes).unwrap_or_default();
        }
        taken
    }

    fn answer(&self, id: &str, bytes: &[u8]) {
        self.queue.answer(id, bytes);
    }
}

/// An index whose columns are labels, but for numbers and times.
struct SealedIndex {
    inner: Box<dyn Index>,
    tag_key: Arc<TagKey>,
}

impl SealedIndex {
    fn rows(&self, rows: &[Row]) -> Vec<Row> {
        rows.iter().map(|row| self.row(row)).collect()
    }

    fn row(&self, row: &Row) -> Row {
        let mut keys: Vec<_> = row.keys.iter().map(|(name, value)| (*name, self.tag_key.label(name, value))).collect();
        keys.sort();
        Row {
            index: row.index,
            time: row.time,
            predicate_type: self.tag_key.label("type", &row.predicate_type),
            payload: self.tag_key.label("payload", &row.payload),
            signer: self.tag_key.label("signer", &row.signer),
            keys,
        }
    }
}

impl Index for SealedIndex {
    fn is_current(&self) -> bool {
        self.inner.is_current()
    }

    fn have(&mut self) -> std::result::Result<u64, Unusable> {
        self.inner.have()
    }

    fn insert(&mut self, from: u64, rows: &[Row]) -> std::result::Result<u64, Unusable> {
        let rows = self.rows(rows);
        self.inner.insert(from, &rows)
    }

    fn first(
        &mut self,
        wanted: &[(String, String)],
        before: u64,
    ) -> std::result::Result<(u64, Vec<Option<u64>>), Unusable> {
        let label = |(payload, signer): &(String, String)| {
            (self.tag_key.label("payload", payload), self.tag_key.label("signer", signer))
        };
        let wanted: Vec<_> = wanted.iter().map(label).collect();
        self.inner.first(&wanted, before)
    }

    fn find(&mut self, find: &Find<'_>, before: u64, limit: usize) -> std::result::Result<Vec<u64>, Unusable> {
        let keys: Vec<_> = find.keys.iter().map(|(name, value)| (*name, self.tag_key.label(name, value))).collect();
        let predicate_type = find.predicate_type.map(|t| self.tag_key.label("type", t));
        let labelled = Find {
            keys: keys.iter().map(|(name, label)| (*name, label.as_str())).collect(),
            predicate_type: predicate_type.as_deref(),
            ..find.clone()
        };
        self.inner.find(&labelled, before, limit)
    }

    fn damage(&mut self) -> std::result::Result<Option<String>, Unusable> {
        self.inner.damage()
    }

    fn differs(&mut self, from: u64, rows: &[Row]) -> std::result::Result<Option<String>, Unusable> {
        let rows = self.rows(rows);
        self.inner.differs(from, &rows)
    }

    fn counts(&mut self) -> std::result::Result<(u64, u64), Unusable> {
        self.inner.counts()
    }
}

/// Where the header of a body lies.
pub(crate) fn header_name(body: &str) -> String {
    format!("{KEYS}/{body}")
}

/// What the data key in the header of this name is bound to: of a body its name, of an attachment that of its header.
pub(crate) fn header_context(header: &str) -> &str {
    header.strip_prefix(KEYS).and_then(|rest| rest.strip_prefix('/')).filter(|of| is_body(of)).unwrap_or(header)
}

fn plain_attachment(digest: &[u8]) -> String {
    format!("{ATTACHMENTS}/{}", hex::encode(digest))
}

fn is_body(name: &str) -> bool {
    name.strip_prefix(BODIES).is_some_and(|rest| rest.starts_with('/'))
}

fn is_attachment(name: &str) -> bool {
    name.strip_prefix(ATTACHMENTS).is_some_and(|rest| rest.starts_with('/'))
}
