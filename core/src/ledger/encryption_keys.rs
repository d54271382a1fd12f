//! Rotating the keys of an encrypted ledger: headers are written anew, and no tile, body or attachment is touched.
//!
//! 1. The keyring gets one more key, a new root, and the new key-encryption key; the older keys stay in it. The checkpoint
//!    gets a mark, so that nothing is committed any more by whoever has not seen that.
//! 2. Each header that lies under an older key is wrapped under the newest.
//! 3. The keyring drops the older keys.
//!
//! After each step, and between any two headers, the ledger is whole under the new key-encryption key. Whoever kept the
//! old one and an old keyring can open no header that was written since. The tag key stays: it is in entries for ever.

use std::sync::Arc;

use serde::Serialize;

use super::Ledger;
use super::mark;
use super::sealed::{KEYRING, KEYS, header_context};
use super::storage::{Batch, Outcome, Right};
use crate::encryption::{Header, KeyEncryptionKey};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RotatedKeys {
    /// Name of the key-encryption key from now on.
    pub key: String,
    /// Headers that were written anew.
    pub headers: u64,
    /// Whether an earlier rotation to this key, which was cut short, was brought to its end.
    pub resumed: bool,
}

impl Ledger {
    /// Rotates the keys of the ledger and puts them under `kek`, which may be the present one. If this is cut short, the
    /// same call brings it to its end, on a handle that was opened with `kek`. `progress` is told how many of how many
    /// headers are done.
    ///
    /// # Errors
    /// `API_MISUSE` if the ledger is not encrypted; `WRONG_KEY` if its keys were rotated since it was opened;
    /// `LEDGER_TAMPERED` for a header that does not open; those of [`KeyEncryptionKey::encrypt`]; `APPEND_REFUSED`
    /// if the ledger was moved; `LEDGER_BUSY`, `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`.
    pub fn rotate_encryption_keys(
        &mut self,
        kek: &dyn KeyEncryptionKey,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<RotatedKeys> {
        let Some(keyring) = self.layers.keyring().cloned() else {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "the ledger is not encrypted, so it has no keys to rotate; make an encrypted one and append to it",
            ));
        };
        let storage = Arc::clone(self.layers.bottom());
        let mut right = storage.acquire(self.patience)?;
        self.refresh()?;
        self.check_here()?;
        if !keyring.is_of(&storage.read(KEYRING, limits::KEYRING_FILE_BYTES as u64)?)? {
            return Err(Error::new(
                ErrorKind::WrongKey,
                "the keys of the ledger were rotated since it was opened; open it again, with its new key",
            ));
        }
        // what a repair would write again lies under the older keys
        right.settle()?;
        let resumed = keyring.is_rotating() && keyring.kek() == kek.id();
        let keyring = if resumed {
            keyring
        } else {
            let next = keyring.rotated(kek)?;
            right.write(KEYRING, &next.to_bytes()?)?;
            Arc::new(next)
        };
        // from here on the ledger is under the new key, whatever happens
        self.set_layers(self.layers.clone().with_keyring(Arc::clone(&keyring)));
        self.fence(right.as_mut())?;
        // what was committed before that is in place before its headers are looked for
        right.settle()?;
        let mut names = Vec::new();
        storage.list(&format!("{KEYS}/"), &mut |name, _| {
            names.push(name.to_owned());
            Ok(())
        })?;
        let mut headers = 0;
        for (done, name) in (0..).zip(&names) {
            progress(done, names.len() as u64);
            let header = Header::parse(&storage.read(name, limits::SEALED_HEADER_BYTES as u64)?)
                .map_err(|e| e.while_doing(format_args!("`{name}`")))?;
            let rewrapped = keyring.rewrap(&header, header_context(name).as_bytes());
            if let Some(new) = rewrapped.map_err(|e| e.while_doing(format_args!("`{name}`")))? {
                right.write(name, &new.to_bytes()?)?;
                headers += 1;
            }
        }
        progress(names.len() as u64, names.len() as u64);
        let settled = keyring.settled();
        right.write(KEYRING, &settled.to_bytes()?)?;
        drop(right);
        self.set_layers(self.layers.clone().with_keyring(Arc::new(settled)));
        Ok(RotatedKeys { key: kek.id().to_owned(), headers, resumed })
    }

    /// Has whoever lost the right to write unseen, and would still commit under the older keys, find the checkpoint
    /// changed.
    fn fence(&mut self, right: &mut dyn Right) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let (before, fenced) = (self.checkpoint.note().to_owned(), mark::fenced(self.checkpoint.note())?);
            let committed = right.commit(Batch {
                objects: Vec::new(),
                stale: Vec::new(),
                before: Some(before.as_bytes()),
                checkpoint: fenced.as_bytes(),
            })?;
            if committed == Outcome::Committed {
                self.checkpoint = self.log_key.parse_and_verify(fenced.as_bytes())?;
                return self.remember(false);
            }
            self.refresh()?;
        }
        Err(Error::new(
            ErrorKind::LedgerBusy,
            format!("others append to the ledger `{}` again and again; run it again", self.origin()),
        ))
    }
}

/// How often a rotation meets others that append before it gives up.
const ATTEMPTS: usize = 16;
