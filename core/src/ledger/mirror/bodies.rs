//! Records: their bodies, and where they are not, why.

use super::copying::Copying;
use super::keys::Taken;
use super::{ErrorKind, Result};
use crate::encryption::plain_size;
use crate::ledger::archive::{MARKER_BYTES, marker, place, stored_limit};
use crate::ledger::entry::{Body, Entry};
use crate::ledger::sealed::header_name;
use crate::ledger::store::Store;
use crate::limits;

/// Indexes of refused bodies that are told.
const TOLD: usize = 100;
/// Bytes of the salt before a record.
const SALT_LEN: u64 = 32;

/// A body as a source has it.
enum Stored {
    Nothing,
    TooLong,
    Bytes(Vec<u8>),
}

impl Copying<'_> {
    /// Copies the body of a proven entry, and what its record names.
    pub(super) fn body(&mut self, index: u64, entry: &Entry) -> Result<()> {
        if self.keys.is_some() { self.sealed_body(index, entry) } else { self.plain_body(index, entry) }
    }

    fn plain_body(&mut self, index: u64, entry: &Entry) -> Result<()> {
        let name = Store::body_name(index);
        let here = self.store.body(index).ok().flatten().filter(|body| is_of(body, entry));
        let body = match here {
            Some(body) => body,
            None => match self.stored(index, &name, limits::RECORD_BYTES + SALT_LEN)? {
                Stored::Nothing => return self.no_body(index, entry),
                Stored::TooLong => return Ok(()),
                Stored::Bytes(bytes) => match Body::from_bytes(&bytes).filter(|body| is_of(body, entry)) {
                    Some(body) => {
                        self.right.write(&name, &bytes)?;
                        body
                    }
                    None => {
                        self.refuse(index);
                        return Ok(());
                    }
                },
            },
        };
        self.is_here(index)?;
        self.attachments_of(index, &body.record, None)
    }

    /// Copies header and ciphertext as they are, as far as can be told without the key; [`Copying::prove`] does the rest.
    fn sealed_body(&mut self, index: u64, entry: &Entry) -> Result<()> {
        let name = Store::body_name(index);
        let has_right_size = |size: u64| plain_size(size) == entry.size + SALT_LEN;
        match self.take_header(&header_name(&name))? {
            Taken::Here => {}
            // one that disposal destroyed, or one that is lost; a marker says nothing then
            Taken::Missing => {
                self.lack_body(index);
                return Ok(());
            }
            Taken::Wrong => {
                self.refuse(index);
                return Ok(());
            }
        }
        if !self.store.storage().size(&name)?.is_some_and(has_right_size) {
            match self.stored(index, &name, stored_limit())? {
                Stored::Nothing => return self.no_body(index, entry),
                Stored::TooLong => return Ok(()),
                Stored::Bytes(bytes) if has_right_size(bytes.len() as u64) => self.right.write(&name, &bytes)?,
                Stored::Bytes(_) => {
                    self.refuse(index);
                    return Ok(());
                }
            }
        }
        self.is_here(index)
    }

    /// What the source has of a body; one that is too long to be one is refused.
    fn stored(&mut self, index: u64, name: &str, limit: u64) -> Result<Stored> {
        match self.source.read(name, limit) {
            Err(e) if e.kind() == ErrorKind::LimitExceeded => {
                self.refuse(index);
                Ok(Stored::TooLong)
            }
            read => Ok(read?.map_or(Stored::Nothing, Stored::Bytes)),
        }
    }

    /// Says why the source has no body of this entry.
    fn no_body(&mut self, index: u64, entry: &Entry) -> Result<()> {
        let found = small(self.source.read(&marker(index), MARKER_BYTES))?;
        let Some(commitment) = found.filter(|commitment| commitment == entry.record.as_bytes()) else {
            self.lack_body(index);
            return Ok(());
        };
        let is_new = self.store.storage().size(&marker(index))?.is_none();
        if let Some(archive) = &self.archive {
            let place = place(&entry.record);
            if archive.size(&place)?.is_none() {
                self.lack_body(index);
                return Ok(());
            }
            if self.keys.is_none() && (is_new || self.archive_unseen || self.lacked.contains(&index)) {
                let body = Body::from_bytes(&archive.read(&place, stored_limit())?).filter(|body| is_of(body, entry));
                match body {
                    Some(body) => self.attachments_of(index, &body.record, None)?,
                    None => self.refuse(index),
                }
            }
        }
        self.put(&marker(index), &commitment)?;
        self.archived.insert(index);
        self.mirrored.archived = self.archived.len() as u64;
        Ok(())
    }

    /// The body lies here, so it is in no archive.
    fn is_here(&mut self, index: u64) -> Result<()> {
        let marker = marker(index);
        match self.store.storage().size(&marker)? {
            Some(_) => self.right.remove(&[marker]),
            None => Ok(()),
        }
    }

    pub(super) fn lack_body(&mut self, index: u64) {
        if self.bodyless.insert(index) {
            self.mirrored.without_body += 1;
        }
        self.lacking.insert(index);
    }

    /// The record is here after all, by what the copy had of it.
    pub(super) fn lacks_no_body(&mut self, index: u64) {
        if self.bodyless.remove(&index) {
            self.mirrored.without_body -= 1;
            self.lacking.remove(&index);
        }
    }

    pub(super) fn refuse(&mut self, index: u64) {
        if self.mirrored.refused.len() < TOLD && !self.mirrored.refused.contains(&index) {
            self.mirrored.refused.push(index);
        }
        self.lacking.insert(index);
    }
}

/// Whether this is the body that an entry commits to.
pub(super) fn is_of(body: &Body, entry: &Entry) -> bool {
    body.commitment() == entry.record && body.record.len() as u64 == entry.size
}

/// What a source has of this name, at most so long; none also if it is longer, for it is then no such thing.
pub(super) fn small(read: Result<Option<Vec<u8>>>) -> Result<Option<Vec<u8>>> {
    match read {
        Err(e) if e.kind() == ErrorKind::LimitExceeded => Ok(None),
        read => read,
    }
}
