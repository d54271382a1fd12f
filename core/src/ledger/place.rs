//! Where a ledger lies, as callers name it: a folder, or a bucket with a database beside it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

#[cfg(feature = "object-store")]
use super::bucket::{BucketPlace, BucketStorage};
use super::folder::FolderStorage;
use super::storage::Storage;
use super::{Anchors, Ledger, Pins};
use crate::encryption::KeyEncryptionKey;
use crate::error::Result;
#[cfg(not(feature = "object-store"))]
use crate::error::{Error, ErrorKind};
use crate::key::PrivateKey;
use crate::timestamp::Timestamp;

/// Where a ledger lies.
///
/// ```
/// use sealwright::ledger::Place;
///
/// let place = Place::find("evidence/ledger".as_ref(), &|_| None)?;
/// assert_eq!(place.to_string(), "evidence/ledger");
/// # Ok::<(), sealwright::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of S3-compatible storage, with a PostgreSQL database (feature `object-store`).
    #[cfg(feature = "object-store")]
    Bucket(Box<BucketPlace>),
}

/// Ending of a file that describes a place.
const DESCRIPTION: &str = "toml";

impl Place {
    /// The place that `path` names: a folder, or, if it ends in `.toml`, what that file describes
    /// (`docs/guide/object-storage.md`).
    ///
    /// `secret` gives what a description must not hold, by the names of `BucketPlace::VARIABLES`; it is not asked for a
    /// folder.
    ///
    /// # Errors
    /// `NOT_FOUND`, `PERMISSION_DENIED` or `IO` if the description can't be read, `MALFORMED` for its content;
    /// `UNSUPPORTED` in a build without the feature `object-store`.
    pub fn find(path: &Path, secret: &dyn Fn(&str) -> Option<Zeroizing<String>>) -> Result<Self> {
        if !Self::describes(path) {
            return Ok(Self::Folder(path.to_owned()));
        }
        Self::described(path, secret)
    }

    /// Whether `path` names a file that describes a place, by its ending.
    pub fn describes(path: &Path) -> bool {
        path.extension().is_some_and(|ending| ending == DESCRIPTION)
    }

    #[cfg(feature = "object-store")]
    fn described(path: &Path, secret: &dyn Fn(&str) -> Option<Zeroizing<String>>) -> Result<Self> {
        let bytes = crate::limits::read_file("description of the ledger's place", path, crate::limits::KEY_BYTES)?;
        let mut place = BucketPlace::from_toml(&bytes).map_err(|e| e.with("path", path.display()))?;
        for name in BucketPlace::VARIABLES {
            if let Some(value) = secret(name) {
                place = place.with_variable(name, &value)?;
            }
        }
        Ok(Self::Bucket(Box::new(place)))
    }

    #[cfg(not(feature = "object-store"))]
    fn described(path: &Path, _: &dyn Fn(&str) -> Option<Zeroizing<String>>) -> Result<Self> {
        let what = format!(
            "`{}` describes a ledger in object storage, and this build has no such feature; use one with `object-store`",
            path.display()
        );
        Err(Error::new(ErrorKind::Unsupported, what))
    }

    pub(crate) fn storage(&self) -> Result<Arc<dyn Storage>> {
        Ok(match self {
            Self::Folder(path) => Arc::new(FolderStorage::new(path)),
            #[cfg(feature = "object-store")]
            Self::Bucket(place) => Arc::new(BucketStorage::new(place)?),
        })
    }
}

impl Ledger {
    /// As [`Ledger::init`], in any place. A bucket must be there, its service hold to conditional writes, and nothing lie
    /// under the prefix. Encrypted, if there is a `kek`.
    ///
    /// # Errors
    /// As [`Ledger::init`] and [`Ledger::init_encrypted`]; `UNSUPPORTED` if the service passes over the conditions of a
    /// write; `SERVICE_UNAVAILABLE`.
    pub fn init_at(
        place: &Place,
        anchors: &Anchors,
        origin: &str,
        log_key: PrivateKey,
        trust_policy: &[Vec<u8>],
        kek: Option<&dyn KeyEncryptionKey>,
        now: Timestamp,
    ) -> Result<Self> {
        Self::init_in(place.storage()?, anchors, origin, log_key, trust_policy, kek, now)
    }

    /// As [`Ledger::open`], in any place; with the key if it is encrypted.
    ///
    /// # Errors
    /// As [`Ledger::open`] and [`Ledger::open_encrypted`]; `SERVICE_UNAVAILABLE`.
    pub fn open_at(place: &Place, anchors: &Anchors, pins: &Pins, kek: Option<&dyn KeyEncryptionKey>) -> Result<Self> {
        Self::open_in(&place.storage()?, anchors, pins, kek)
    }
}

impl From<&Path> for Place {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            #[cfg(feature = "object-store")]
            Self::Bucket(place) => place.fmt(f),
        }
    }
}
