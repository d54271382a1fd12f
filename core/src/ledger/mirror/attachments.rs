//! Files that records name.

use std::collections::BTreeSet;
use std::io::Read;

use sha2::{Digest as _, Sha256};

use super::bodies::small;
use super::copying::Copying;
use super::keys::Taken;
use super::{Error, ErrorKind, Result};
use crate::bundle::Bundle;
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::encryption::Header;
use crate::ledger::attachments_named;
use crate::ledger::sealed::{KEYS, SealedStorage};
use crate::ledger::storage::{Storage as _, Upload};
use crate::ledger::store::ATTACHMENTS;
use crate::limits;
use crate::statement::Statement;

impl Copying<'_> {
    /// Copies the attachments that the record of an entry names.
    pub(super) fn attachments_of(&mut self, index: u64, record: &[u8], sealed: Option<&SealedStorage>) -> Result<()> {
        for hex in named_in(record) {
            let is_here = match (Digest::from_hex(Algorithm::Sha256, &hex), sealed) {
                (Err(_), _) => false,
                (Ok(expected), None) => self.plain_attachment(expected)?,
                (Ok(expected), Some(sealed)) => self.proven_attachment(&expected, sealed)?,
            };
            if !is_here {
                self.mirrored.attachments_missing += 1;
                *self.files_missing.entry(index).or_default() += 1;
                self.lacking.insert(index);
            }
        }
        Ok(())
    }

    /// Copies a file that is named by its digest; false if the source has none that is what it is called.
    fn plain_attachment(&mut self, expected: Digest) -> Result<bool> {
        let name = format!("{ATTACHMENTS}/{}", expected.hex());
        let here = self.store.storage().stream(&name).and_then(|mut content| sha256_of(&mut content.bytes));
        if here.is_ok_and(|found| found.contains(&expected)) {
            return Ok(true);
        }
        self.keep(&name, name.clone(), Some(expected))
    }

    /// As [`Copying::plain_attachment`], of an encrypted ledger: the header tells where the content lies, and is written
    /// when that is proven.
    fn proven_attachment(&mut self, expected: &Digest, sealed: &SealedStorage) -> Result<bool> {
        let name = format!("{ATTACHMENTS}/{}", expected.hex());
        let is_it = |bytes: &mut dyn Read| sha256_of(bytes).is_ok_and(|found| found.contains(expected));
        if sealed.stream(&name).is_ok_and(|mut content| is_it(&mut content.bytes)) {
            return Ok(true);
        }
        let header_name = sealed.attachment_header(&name);
        let at_source = format!("{}{header_name}", self.headers_from());
        let Some(bytes) = small(self.source.read(&at_source, limits::SEALED_HEADER_BYTES as u64))? else {
            return Ok(false);
        };
        let found = Header::parse(&bytes).and_then(|header| sealed.attachment_under(&header_name, &header));
        let Ok(found) = found else { return Ok(false) };
        if !self.keep(&found.object, found.object.clone(), None)? {
            return Ok(false);
        }
        let content = self.store.storage().stream(&found.object)?;
        let is_right =
            found.key.opening(ATTACHMENTS.as_bytes(), content.bytes).is_ok_and(|mut plain| is_it(&mut plain));
        if !is_right {
            self.right.remove(&[found.object])?;
            return Ok(false);
        }
        self.right.write(&header_name, &bytes)?;
        Ok(true)
    }

    /// Without the key nobody knows which record names which file: all that the source lists, as it is.
    pub(super) fn sealed_attachments(&mut self) -> Result<()> {
        if self.keys.as_ref().is_none_or(|keys| keys.opened.is_some()) {
            // its records lead to them
            return Ok(());
        }
        let from = self.headers_from();
        let headers = self.source.names(&format!("{from}{KEYS}/{ATTACHMENTS}/"))?;
        let (Some(headers), Some(objects)) = (headers, self.source.names(&format!("{ATTACHMENTS}/"))?) else {
            self.mirrored.attachments_unseen = true;
            return Ok(());
        };
        for name in objects {
            if self.store.storage().size(&name)?.is_none() {
                self.keep(&name, name.clone(), None)?;
            }
        }
        for name in headers {
            if self.take_header(name.strip_prefix(&from).unwrap_or(&name))? == Taken::Wrong {
                self.mirrored.attachments_missing += 1;
            }
        }
        Ok(())
    }

    /// Keeps a file of the source under `name`; false if there is none, or it is not the one of its digest.
    fn keep(&mut self, at_source: &str, name: String, expected: Option<Digest>) -> Result<bool> {
        let Some(content) = self.source.stream(at_source)? else { return Ok(false) };
        let mut arriving = Arriving { content, name, expected, hash: Sha256::new(), length: 0, fault: None };
        match (self.right.keep(&mut arriving), arriving.fault) {
            (Ok(()), _) => Ok(true),
            (Err(_), Some(Fault::Other)) => Ok(false),
            (Err(_), Some(Fault::Source(e))) => Err(e),
            (Err(e), None) => Err(e),
        }
    }
}

fn sha256_of(bytes: &mut dyn Read) -> Result<DigestSet> {
    DigestSet::of_reader(bytes, &[Algorithm::Sha256])
}

/// An attachment on its way, which gets its name only if it is what that says, where it says so.
struct Arriving<'a> {
    content: Box<dyn Read + 'a>,
    name: String,
    expected: Option<Digest>,
    hash: Sha256,
    length: u64,
    fault: Option<Fault>,
}

enum Fault {
    /// It is something else, or too long for one.
    Other,
    /// The source did not give it to its end.
    Source(Error),
}

impl Read for Arriving<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let other = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not what its name says");
        let count = match self.content.read(buffer) {
            Ok(count) => count,
            Err(e) => {
                let told = e.to_string();
                self.fault = Some(Fault::Source(e.downcast::<Error>().unwrap_or_else(|e| {
                    Error::new(ErrorKind::Io, format!("an attachment could not be read at the source: {e}"))
                })));
                return Err(std::io::Error::other(told));
            }
        };
        self.length += count as u64;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        let ended = count == 0 && !buffer.is_empty();
        let is_other = ended
            && self.expected.as_ref().is_some_and(|expected| self.hash.clone().finalize()[..] != *expected.bytes());
        if is_other || self.length > limits::MIRRORED_ATTACHMENT_BYTES {
            self.fault = Some(Fault::Other);
            return Err(other());
        }
        Ok(count)
    }
}

impl Upload for Arriving<'_> {
    fn name(&self) -> String {
        self.name.clone()
    }
}

/// Attachments that a record names, once each. A record that can't be read names none; the ledger judges it.
fn named_in(record: &[u8]) -> BTreeSet<String> {
    let statement = Bundle::parse(record)
        .and_then(Bundle::into_envelope)
        .and_then(|envelope| Statement::parse(envelope.into_payload()));
    statement.map(|statement| attachments_named(&statement).into_iter().collect()).unwrap_or_default()
}
