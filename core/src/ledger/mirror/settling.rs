//! Keys that wait, settled by whoever has the key: what it opens takes its place.
//!
//! What the source has lost stays: wrapped anew where the key opens the keyring it lies under, else set aside, with that
//! keyring. A later pull whose key opens that one brings it back.

use std::collections::BTreeSet;

use super::bodies::small;
use super::copying::Copying;
use super::keys::{all_waiting, clear, keyring_at, names, opened_by};
use super::{Result, UNPROVEN};
use crate::digest::Digest;
use crate::encryption::{Header, KeyEncryptionKey, Keyring};
use crate::error::optional;
use crate::ledger::sealed::{KEYRING, KEYS, header_context};
use crate::ledger::store::Store;
use crate::limits;

/// Where headers lie that nobody could open when their keyring made way for another.
const OLDER: &str = "older/";

/// A keyring beside that of the source, and where it and the headers under it lie.
struct Other {
    place: String,
    bytes: Vec<u8>,
    opened: Option<Keyring>,
}

impl Other {
    fn is_set_aside(&self) -> bool {
        self.place.strip_prefix(UNPROVEN).is_some_and(|rest| rest.starts_with(OLDER))
    }
}

impl Copying<'_> {
    /// Puts the keyring of the source, `new`, and all headers under it, into the place of those that are here. Cut short, it
    /// is done again. Says whether something has its place that had not.
    pub(super) fn settle_keys(&mut self, new: &Keyring, origin: &str, kek: &dyn KeyEncryptionKey) -> Result<bool> {
        let Some((to, bytes)) = self.keys.as_ref().map(|keys| (keys.to.clone(), keys.bytes.clone())) else {
            return Ok(false);
        };
        let others = others(self.store, &to, origin, kek)?;
        if others.is_empty() {
            return Ok(false);
        }
        let mut all = BTreeSet::new();
        for place in others.iter().map(|other| other.place.as_str()).chain([to.as_str(), ""]) {
            let found = names(self.store, &format!("{place}{KEYS}/"))?;
            all.extend(found.iter().filter_map(|name| name.strip_prefix(place)).map(str::to_owned));
        }
        let mut changed = !to.is_empty();
        for name in &all {
            changed |= self.settle_header(name, new, &to, &others)?;
        }
        for other in others.iter().filter(|other| other.is_set_aside()) {
            if names(self.store, &format!("{}{KEYS}/", other.place))?.is_empty() {
                self.right.remove(&[format!("{}{KEYRING}", other.place)])?;
            }
        }
        if !to.is_empty() {
            self.right.write(KEYRING, &bytes)?;
        }
        for (place, _) in all_waiting(|name| keyring_at(self.store, name))?.iter().rev() {
            clear(self.store, self.right, place)?;
        }
        if let Some(keys) = &mut self.keys {
            keys.to.clear();
        }
        self.mirrored.keys_unproven = false;
        Ok(changed)
    }

    /// Settles one header, and says whether it was brought back from another keyring.
    fn settle_header(&mut self, name: &str, new: &Keyring, to: &str, others: &[Other]) -> Result<bool> {
        let store = self.store;
        let context = header_context(name).as_bytes();
        let read =
            |place: &str| small(optional(store.read(&format!("{place}{name}"), limits::SEALED_HEADER_BYTES as u64)));
        let opened = |keyring: &Keyring, bytes: &[u8]| {
            Header::parse(bytes).and_then(|header| keyring.open_header(&header, context)).ok()
        };
        // that of the source, else one that has its place already
        for place in [to, ""] {
            if let Some(bytes) = read(place)?.filter(|bytes| opened(new, bytes).is_some()) {
                self.put(name, &bytes)?;
                self.forget_aside(name, others)?;
                return Ok(false);
            }
        }
        for other in others {
            let Some(keyring) = &other.opened else { continue };
            if let Some((key, note)) = read(&other.place)?.and_then(|bytes| opened(keyring, &bytes)) {
                self.right.write(name, &new.new_header(&key, context, &note)?.to_bytes()?)?;
                self.forget_aside(name, others)?;
                return Ok(true);
            }
        }
        for other in others.iter().filter(|other| other.opened.is_none() && !other.is_set_aside()) {
            if let Some(bytes) = read(&other.place)? {
                self.set_aside(other, name, &bytes)?;
            }
        }
        if !to.is_empty() {
            self.right.remove(&[name.to_owned()])?;
        }
        Ok(false)
    }

    /// Of a header that has its place again, none is to lie aside.
    fn forget_aside(&mut self, name: &str, others: &[Other]) -> Result<()> {
        let aside: Vec<_> =
            others.iter().filter(|other| other.is_set_aside()).map(|other| format!("{}{name}", other.place)).collect();
        if aside.is_empty() { Ok(()) } else { self.right.remove(&aside) }
    }

    fn set_aside(&mut self, other: &Other, name: &str, header: &[u8]) -> Result<()> {
        let id: String = Digest::sha256(&other.bytes).hex().chars().take(16).collect();
        let place = format!("{UNPROVEN}{OLDER}{id}/");
        // without it the header is nothing
        self.put(&format!("{place}{KEYRING}"), &other.bytes)?;
        self.put(&format!("{place}{name}"), header)
    }
}

/// Keyrings that are here beside that of the source, which waits in the place `to`, or has its own.
fn others(store: &Store, to: &str, origin: &str, kek: &dyn KeyEncryptionKey) -> Result<Vec<Other>> {
    let mut found = all_waiting(|name| keyring_at(store, name))?;
    for name in names(store, &format!("{UNPROVEN}{OLDER}"))? {
        if let Some(place) = name.strip_suffix(KEYRING).filter(|place| place.ends_with('/'))
            && let Some(bytes) = keyring_at(store, &name)?
        {
            found.push((place.to_owned(), bytes));
        }
    }
    if let Some(own) = keyring_at(store, KEYRING)? {
        found.push((String::new(), own));
    }
    found.retain(|(place, _)| place != to);
    let open = |(place, bytes): (String, Vec<u8>)| Ok(Other { opened: opened_by(&bytes, origin, kek)?, place, bytes });
    found.into_iter().map(open).collect()
}

/// Names of headers that were set aside.
pub(super) fn set_aside(store: &Store) -> Result<Vec<String>> {
    let mut names = names(store, &format!("{UNPROVEN}{OLDER}"))?;
    names.retain(|name| !name.ends_with(KEYRING));
    Ok(names)
}
