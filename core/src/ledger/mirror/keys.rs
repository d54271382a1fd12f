//! Keyring and headers of an encrypted ledger.
//!
//! Neither is committed to by the log, so nothing but the key tells whether they are right. The keyring that the copy got
//! first is taken as found. Another one at the source (its keys were rotated, or somebody says so) goes to [`UNPROVEN`]
//! with all headers under it, beside those that are here; a third one goes beside both, and so on. None makes way for
//! another before the key proved which is right ([`super::settling`]). Then that one takes its place: all at once for whoever
//! restores, for as long as its keyring lies in [`UNPROVEN`] it is whole there.

use std::collections::BTreeSet;

use super::bodies::small;
use super::copying::Copying;
use super::{Error, ErrorKind, Result, UNPROVEN};
use crate::encryption::{Header, KeyEncryptionKey, Keyring};
use crate::error::optional;
use crate::ledger::archive::ARCHIVED;
use crate::ledger::label::TYPE;
use crate::ledger::sealed::{KEYRING, KEYS, header_name};
use crate::ledger::source::LogSource;
use crate::ledger::storage::Right;
use crate::ledger::store::{BODIES, Store};
use crate::limits;

/// The keyring of the source, and where what lies under it goes.
pub(super) struct Keys {
    pub(super) bytes: Vec<u8>,
    /// Keys that wrap headers.
    ids: BTreeSet<String>,
    /// Where it lies at the source: a copy may have some that nobody proved.
    from: String,
    /// Where it goes here: in its place, or beside it.
    pub(super) to: String,
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

/// Where a keyring waits to be proven, the first that came, the second, and so on.
pub(super) fn waiting(number: usize) -> String {
    if number == 1 { UNPROVEN.to_owned() } else { format!("{UNPROVEN}{number}/") }
}

/// The keyrings that wait here, with their places.
pub(super) fn all_waiting(read: impl Fn(&str) -> Result<Option<Vec<u8>>>) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    // one more than wait without the key: that of whoever came with it
    for place in (1..=limits::MIRRORED_KEYRINGS + 1).map(waiting) {
        let Some(bytes) = read(&format!("{place}{KEYRING}"))? else { break };
        found.push((place, bytes));
    }
    Ok(found)
}

/// A keyring, if there is one of this name.
pub(super) fn keyring_at(store: &Store, name: &str) -> Result<Option<Vec<u8>>> {
    optional(store.read(name, limits::KEYRING_FILE_BYTES as u64))
}

/// The keyring that this key opens; none if that is another one, or it is none.
pub(super) fn opened_by(bytes: &[u8], origin: &str, kek: &dyn KeyEncryptionKey) -> Result<Option<Keyring>> {
    match Keyring::open(bytes, origin, kek) {
        Err(e) if matches!(e.kind(), ErrorKind::WrongKey | ErrorKind::LedgerTampered | ErrorKind::Malformed) => {
            Ok(None)
        }
        opened => opened.map(Some),
    }
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
        let read = |name: &str| source.read(name, limits::KEYRING_FILE_BYTES as u64);
        let own = read(KEYRING)?.ok_or_else(|| {
            Error::new(
                ErrorKind::LedgerTampered,
                format!("the ledger at `{source}` is encrypted and has lost its keyring; restore it there from a copy"),
            )
        })?;
        let (from, bytes, opened) = Self::chosen(own, all_waiting(read)?, origin, kek)?;
        let ids = Keyring::ids(&bytes)?;
        let mut keys = Self { bytes, ids, from, to: String::new(), opened };
        match keyring_at(store, KEYRING)? {
            None => right.write(KEYRING, &keys.bytes)?,
            Some(own) if own == keys.bytes => {}
            Some(_) => keys.wait_beside(store, right, source)?,
        }
        Ok(keys)
    }

    /// Of the keyrings of a source the one to go by: a copy may have others beside its own, newer, and right if the key
    /// opens them.
    fn chosen(
        own: Vec<u8>,
        mut waiting: Vec<(String, Vec<u8>)>,
        origin: &str,
        kek: Option<&dyn KeyEncryptionKey>,
    ) -> Result<(String, Vec<u8>, Option<Keyring>)> {
        let Some(kek) = kek else {
            let (from, bytes) = waiting.pop().unwrap_or((String::new(), own));
            return Ok((from, bytes, None));
        };
        while let Some((from, bytes)) = waiting.pop() {
            if let Some(opened) = opened_by(&bytes, origin, kek)? {
                return Ok((from, bytes, Some(opened)));
            }
        }
        let opened = Keyring::open(&own, origin, kek)?;
        Ok((String::new(), own, Some(opened)))
    }

    /// Takes all headers to where this keyring waits, or begins to.
    fn wait_beside(&mut self, store: &Store, right: &mut dyn Right, source: &LogSource) -> Result<()> {
        let others = all_waiting(|name| keyring_at(store, name))?;
        if let Some((place, _)) = others.iter().find(|(_, bytes)| *bytes == self.bytes) {
            self.to.clone_from(place);
            return Ok(());
        }
        if self.opened.is_none() && others.len() >= limits::MIRRORED_KEYRINGS {
            return Err(Error::new(
                ErrorKind::WrongKey,
                format!(
                    "the ledger at `{source}` has other keys again, and {} of its keyrings wait in `{}` to be proven; pull \
                     once with its key",
                    others.len(),
                    store.storage().place()
                ),
            ));
        }
        self.to = waiting(others.len() + 1);
        clear(store, right, &self.to)?;
        self.take_all(store, right, source)
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

    /// Takes a header from the source, unless it is here under the same keyring.
    fn take(&self, store: &Store, right: &mut dyn Right, source: &LogSource, name: &str) -> Result<Taken> {
        let limit = limits::SEALED_HEADER_BYTES as u64;
        let place = format!("{}{name}", self.to);
        if store.read(&place, limit).is_ok_and(|bytes| self.is_under(&bytes)) {
            return Ok(Taken::Here);
        }
        let Some(bytes) = self.header_of(source, name)? else { return Ok(Taken::Missing) };
        if !self.is_under(&bytes) {
            return Ok(Taken::Wrong);
        }
        right.write(&place, &bytes)?;
        Ok(Taken::Here)
    }

    /// The header of this name at the source.
    pub(super) fn header_of(&self, source: &LogSource, name: &str) -> Result<Option<Vec<u8>>> {
        let found = small(source.read(&format!("{}{name}", self.from), limits::SEALED_HEADER_BYTES as u64))?;
        if found.as_ref().is_some_and(|bytes| !self.is_under(bytes)) {
            // while its keys are rotated, headers are under others from one moment to the next
            self.check_same(source)?;
        }
        Ok(found)
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

/// Removes what waits in this place.
pub(super) fn clear(store: &Store, right: &mut dyn Right, place: &str) -> Result<()> {
    // the keyring first: without it the rest is nothing
    right.remove(&[format!("{place}{KEYRING}")])?;
    right.remove(&names(store, &format!("{place}{KEYS}/"))?)
}

/// Names of all that begins with this.
pub(super) fn names(store: &Store, prefix: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    store.storage().list(prefix, &mut |name, _| {
        names.push(name.to_owned());
        Ok(())
    })?;
    Ok(names)
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
            let (name, bytes) = (format!("{}{KEYRING}", keys.to), keys.bytes.clone());
            self.put(&name, &bytes)?;
        }
        self.mirrored.keys_unproven = !all_waiting(|name| keyring_at(self.store, name))?.is_empty();
        Ok(())
    }

    /// Where the names of headers at the source begin.
    pub(super) fn headers_from(&self) -> String {
        self.keys.as_ref().map_or_else(String::new, |keys| keys.from.clone())
    }
}
