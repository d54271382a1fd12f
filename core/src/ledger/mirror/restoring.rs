//! A ledger made of a copy.

use super::marker::Marker;
use super::{
    Duration, Error, ErrorKind, KeyEncryptionKey, Ledger, LogSource, MIRROR, Mirror, Mirrored, Pins, Progress,
};
use super::{Result, limits};

/// Whether a ledger may be made of a copy that is not whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Losses {
    Refused,
    AcceptedUnsafe,
}

impl Mirror {
    /// Makes a ledger of a copy, in the folder of this value, which must be new or empty. It has the same root, and appends with the
    /// same log key; an encrypted one needs the key that the copy is encrypted with. A restore that was cut short is
    /// continued.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` if something is in the folder; `WRONG_KEY` without the key of an encrypted ledger; `LEDGER_ROLLED_BACK` if more was seen of the ledger than the copy
    /// has; `BODY_ARCHIVED` if attachments of archived records could not be looked for; `BODY_LOST` if the copy is not whole: what it has is then in the folder, as a mirror that takes no records, and
    /// the same call, with this copy or another one, looks for the rest; otherwise as [`Mirror::pull`].
    pub fn restore(
        self,
        copy: &LogSource,
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Mirrored> {
        self.restore_with(Losses::Refused, copy, pins, kek, progress)
    }

    /// As [`Mirror::restore`], also where the copy is not whole: the ledger goes on, and what is lost is told by its audit
    /// for ever. The records of the trust policy must be there.
    ///
    /// # Errors
    /// As [`Mirror::restore`].
    pub fn restore_incomplete_unsafe(
        self,
        copy: &LogSource,
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Mirrored> {
        self.restore_with(Losses::AcceptedUnsafe, copy, pins, kek, progress)
    }

    fn restore_with(
        self,
        losses: Losses,
        copy: &LogSource,
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Mirrored> {
        let storage = self.store.shared();
        self.check_apart(copy)?;
        let taken = || {
            Error::new(
                ErrorKind::AlreadyExists,
                format!("`{}` is not empty; name a new folder for the ledger", storage.place()),
            )
        };
        let begun = Marker::read(&self.store)?.is_some_and(|marker| marker.restoring);
        if !storage.create()? && !begun {
            return Err(taken());
        }
        let mut right = storage.acquire(Duration::from_millis(limits::LEDGER_LOCK_MILLIS))?;
        // nobody appends to half a ledger, and what another made a ledger just now is one
        let mut marker = match Marker::read(&self.store)? {
            Some(marker) if marker.restoring => marker,
            None if storage.create()? => Marker::new(copy),
            _ => return Err(taken()),
        };
        marker.restoring = true;
        let mut restored = self.follow(right.as_mut(), &mut marker, copy, pins, kek, progress)?;
        drop(right);
        let mut ledger = self.archived(Ledger::open_in(&storage, &self.anchors, pins, kek)?)?;
        self.carry_out_disposals(&mut ledger, &mut marker, &mut restored)?;
        drop(ledger);
        let mut right = storage.acquire(Duration::from_millis(limits::LEDGER_LOCK_MILLIS))?;
        if !marker.is_still_there(&self.store)? {
            return Err(taken());
        }
        marker.write(right.as_mut())?;
        let found = &restored.mirrored;
        if found.lacks_something() && losses == Losses::Refused {
            return Err(Error::new(
                ErrorKind::BodyLost,
                format!(
                    "the copy at `{copy}` is not whole: {} records and {} attachments are missing, and {} records are not \
                     those committed to; what it has is in `{}`, which takes no records; run this again with another copy \
                     to look for the rest, or go on without it (`--incomplete-unsafe`)",
                    found.without_body,
                    found.attachments_missing,
                    found.refused.len(),
                    storage.place()
                ),
            )
            .with("records", found.without_body)
            .with("attachments", found.attachments_missing)
            .with("refused", found.refused.len()));
        }
        if found.attachments_unseen && losses == Losses::Refused {
            return Err(Error::new(
                ErrorKind::BodyArchived,
                format!(
                    "{} records of the copy at `{copy}` lie in an archive that was not named, and nobody looked for the \
                     attachments they name; what it has is in `{}`, which takes no records; run this again with the \
                     archive (`--archive`), or go on without them (`--incomplete-unsafe`)",
                    found.archived,
                    storage.place()
                ),
            )
            .with("records", found.archived));
        }
        right.remove(&[MIRROR.to_owned()])?;
        right.settle()?;
        Ok(restored.mirrored)
    }
}
