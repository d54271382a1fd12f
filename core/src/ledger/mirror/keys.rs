//! Keyring and headers of an encrypted ledger.
//!
//! Neither is committed to by the log, so nothing but the key tells whether they are right. The keyring that the copy got
//! first is taken as found. Another one at the source (its keys were rotated, or somebody says so) goes to [`UNPROVEN`]
//! with all headers under it, beside those that are here, and takes their place only when the key proved it: all at once
//! for whoever restores, for as long as its keyring lies in [`UNPROVEN`] it is whole there.

use std::collections::BTreeSet;

use super::bodies::small;
use super::copying::Copying;
use super::{Error, ErrorKind, Result, UNPROVEN};
use crate::encryption::{Header, KeyEncryptionKey, Keyring};
use crate::ledger::archive::ARCHIVED;
use crate::ledger::label::TYPE;
use crate::ledger::sealed::{KEYRING, KEYS, header_context, header_name};
use crate::ledger::source::LogSource;
use crate::ledger::storage::Right;
use crate::ledger::store::{BODIES, Store};
use crate::limits;

/// The keyring of the source, and where what lies under it goes.
pub(super) struct Keys {
    bytes: Vec<u8>,
    /// Keys that wrap headers.
    ids: BTreeSet<String>,
    /// Where it lies at the source: a copy may have one that nobody proved.
    from: &'static str,
    /// Where it goes here: in its place, or to [`UNPROVEN`].
    to: &'static str,
    /// It, opened.
    pub(super) opened: Option<Keyring>,
}

/// Whether a header is here now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Here,
    Missing,
    Wrong,
}

/// What a source says its keyring is; for finding out whether it changes.
pub(super) fn said(source: &LogSource) -> Result<Option<Vec<u8>>> {
    small(source.read(KEYRING, limits::KEYRING_FILE_BYTES as u64))
}

impl Keys {
    /// Reads the keyring of the source. One that is here already, or the first, goes to its place, another to [`UNPROVEN`]
    /// with all headers that lie here already.
    pub(super) fn begin(
        store: &Store,
        right: &mut dyn Right,
        source: &LogSource,
        origin: &str,
        kek: Option<&dyn KeyEncryptionKey>,
    ) -> Result<Self> {
        let read = |at: &str| source.read(&format!("{at}{KEYRING}"), limits::KEYRING_FILE_BYTES as u64);
        let own = read("")?.ok_or_else(|| {
            Error::new(
                ErrorKind::LedgerTampered,
                format!("the ledger at `{source}` is encrypted and has lost its keyring; restore it there from a copy"),
            )
        })?;
        // a copy may have another one beside it, newer, and right if the key opens it
        let (from, bytes, opened) = match (read(UNPROVEN)?, kek) {
            (None, None) => ("", own, None),
            (None, Some(kek)) => ("", own.clone(), Some(Keyring::open(&own, origin, kek)?)),
            (Some(newer), None) => (UNPROVEN, newer, None),
            (Some(newer), Some(kek)) => match Keyring::open(&newer, origin, kek) {
                Ok(opened) => (UNPROVEN, newer, Some(opened)),
                Err(e)
                    if matches!(e.kind(), ErrorKind::WrongKey | ErrorKind::LedgerTampered | ErrorKind::Malformed) =>
                {
                    ("", own.clone(), Some(Keyring::open(&own, origin, kek)?))
                }
                Err(e) => return Err(e),
            },
        };
        let ids = Keyring::ids(&bytes)?;
        let here = |at: &str| match store.read(&format!("{at}{KEYRING}"), limits::KEYRING_FILE_BYTES as u64) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        };
        let to = match here("")? {
            None => {
                right.write(KEYRING, &bytes)?;
                ""
            }
            Some(own) if own == bytes => "",
            Some(_) => UNPROVEN,
        };
        let keys = Self { bytes, ids, from, to, opened };
        if here(UNPROVEN)?.as_ref() != Some(&keys.bytes).filter(|_| to == UNPROVEN) {
            keys.clear_unproven(store, right)?;
        }
        if to == UNPROVEN && here(UNPROVEN)?.is_none() {
            keys.take_all(store, right, source)?;
        }
        Ok(keys)
    }

    pub(super) fn label_of_type(&self, name: &str) -> Option<String> {
        self.opened.as_ref().map(|keyring| keyring.tag_key().label(TYPE, name))
    }

    pub(super) fn are_proven(&self) -> bool {
        self.to.is_empty()
    }

    /// Headers of all that is here, also of bodies whose own came under keys that nobody proved.
    fn take_all(&self, store: &Store, right: &mut dyn Right, source: &LogSource) -> Result<()> {
        let mut names = BTreeSet::new();
        for folder in [KEYS, BODIES, ARCHIVED] {
            store.storage().list(&format!("{folder}/"), &mut |name, _| {
                names.insert(match folder {
                    KEYS => name.to_owned(),
                    _ => header_name(&name.replacen(folder, BODIES, 1)),
                });
                Ok(())
            })?;
        }
        for name in names {
            // one that is gone there, or wrong, has no other by which it could be replaced
            let _ = self.take(store, right, source, &name)?;
        }
        Ok(())
    }

    fn clear_unproven(&self, store: &Store, right: &mut dyn Right) -> Result<()> {
        // the keyring first: without it the rest is nothing
        right.remove(&[format!("{UNPROVEN}{KEYRING}")])?;
        let mut names = Vec::new();
        store.storage().list(UNPROVEN, &mut |name, _| {
            names.push(name.to_owned());
            Ok(())
        })?;
        right.remove(&names)
    }

    /// Takes a header from the source, unless it is here under the same keyring.
    fn take(&self, store: &Store, right: &mut dyn Right, source: &LogSource, name: &str) -> Result<Taken> {
        let limit = limits::SEALED_HEADER_BYTES as u64;
        let place = format!("{}{name}", self.to);
        if store.read(&place, limit).is_ok_and(|bytes| self.is_under(&bytes)) {
            return Ok(Taken::Here);
        }
        let Some(bytes) = small(source.read(&format!("{}{name}", self.from), limit))? else {
            return Ok(Taken::Missing);
        };
        if !self.is_under(&bytes) {
            // while its keys are rotated, headers are under others from one moment to the next
            self.check_same(source)?;
            return Ok(Taken::Wrong);
        }
        right.write(&place, &bytes)?;
        Ok(Taken::Here)
    }

    /// Whether these bytes are a header under a key of this keyring.
    fn is_under(&self, bytes: &[u8]) -> bool {
        Header::parse(bytes).is_ok_and(|header| self.ids.contains(header.wrapped_by()))
    }

    /// Fails if the source has another keyring by now; the pull then begins anew.
    fn check_same(&self, source: &LogSource) -> Result<()> {
        let now = source.read(&format!("{}{KEYRING}", self.from), limits::KEYRING_FILE_BYTES as u64)?;
        if now.as_ref() == Some(&self.bytes) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::LedgerTampered,
            format!("the keys of the ledger at `{source}` are being rotated while it is pulled; pull again"),
        ))
    }
}

impl Copying<'_> {
    pub(super) fn take_header(&mut self, name: &str) -> Result<Taken> {
        let Some(keys) = &self.keys else { return Ok(Taken::Missing) };
        keys.take(self.store, self.right, self.source, name)
    }

    /// What lies under keys and is no body: attachments, where the source tells their names; and at last the keyring, if
    /// it waits to be proven.
    pub(super) fn sealed_files(&mut self) -> Result<()> {
        if self.keys.is_none() {
            return Ok(());
        }
        self.sealed_attachments()?;
        let Some(keys) = &self.keys else { return Ok(()) };
        keys.check_same(self.source)?;
        if !keys.are_proven() {
            let (name, bytes) = (format!("{UNPROVEN}{KEYRING}"), keys.bytes.clone());
            self.put(&name, &bytes)?;
            self.mirrored.keys_unproven = true;
        }
        Ok(())
    }

    /// Where the names of headers at the source begin.
    pub(super) fn headers_from(&self) -> &'static str {
        self.keys.as_ref().map_or("", |keys| keys.from)
    }

    /// Puts the keyring that was proven, and all headers under it, into the place of those that are here. Cut short, it is
    /// done again.
    pub(super) fn settle_keys(&mut self, origin: &str, kek: &dyn KeyEncryptionKey) -> Result<bool> {
        let Some(keys) = self.keys.as_mut().filter(|keys| !keys.are_proven()) else { return Ok(false) };
        let Some(new) = &keys.opened else { return Ok(false) };
        let storage = self.store.shared();
        let limit = limits::SEALED_HEADER_BYTES as u64;
        // what the source has lost, and is here, is saved where the key opens the older keyring as well
        let old = storage.read(KEYRING, limits::KEYRING_FILE_BYTES as u64)?;
        let old = match Keyring::open(&old, origin, kek) {
            Err(e) if matches!(e.kind(), ErrorKind::WrongKey | ErrorKind::LedgerTampered | ErrorKind::Malformed) => {
                None
            }
            opened => Some(opened?),
        };
        let mut names = Vec::new();
        storage.list(&format!("{KEYS}/"), &mut |name, _| {
            names.push(name.to_owned());
            Ok(())
        })?;
        let mut left = Vec::new();
        for name in names {
            if storage.size(&format!("{UNPROVEN}{name}"))?.is_some() {
                continue;
            }
            let header = Header::parse(&storage.read(&name, limit)?).ok();
            // of a switch that was cut short
            if header.as_ref().is_some_and(|header| header.wrapped_by() == new.newest()) {
                continue;
            }
            let context = header_context(&name).as_bytes();
            let opened = old.as_ref().zip(header).and_then(|(old, header)| old.open_header(&header, context).ok());
            match opened {
                Some((key, note)) => {
                    self.right.write(&name, &new.new_header(&key, context, &note)?.to_bytes()?)?;
                }
                // nobody can open it any more
                None => left.push(name),
            }
        }
        self.right.remove(&left)?;
        let mut staged = Vec::new();
        storage.list(&format!("{UNPROVEN}{KEYS}/"), &mut |name, _| {
            staged.push(name.to_owned());
            Ok(())
        })?;
        for name in &staged {
            let place = name.strip_prefix(UNPROVEN).unwrap_or(name);
            self.right.write(place, &storage.read(name, limit)?)?;
        }
        self.right.write(KEYRING, &keys.bytes)?;
        keys.clear_unproven(self.store, self.right)?;
        keys.to = "";
        self.mirrored.keys_unproven = false;
        Ok(true)
    }
}
