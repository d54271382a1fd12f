//! A ledger behind an address: read over HTTP, appended to through its sequencer, and never believed.
//!
//! [`Ledger::connect`] gives a [`Ledger`] like any other: its checkpoint must be signed by the pinned key and extend
//! what was seen of it before, each entry is proven, each record verified under the trust policy, and a search shows only
//! what matches. What the service alone knows is where to look; a gate does not ask it even that, and walks all entries.
//!
//! A [`Submitter`] is for jobs that append and look at nothing else: it does not read the log's entries first.

mod access;
mod service;
mod storage;
mod transport;
pub(crate) mod wire;

use std::path::Path;
use std::sync::Arc;

pub use access::Access;
pub(crate) use access::AccessWire;

use crate::digest::Digest;
use crate::encryption::KeyEncryptionKey;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::service::{Service as _, TrustFrom};
use crate::ledger::storage::Storage;
use crate::ledger::{Anchors, Ledger, Pins, Receipt};
use crate::timestamp::Timestamp;
use storage::RemoteStorage;
use transport::Transport;

impl Ledger {
    /// Opens the ledger at `url`, which `access` lets in, to read it and to append through its service.
    ///
    /// It is compared with what was seen of it before, as one in a folder is. Blocks, as all work on the ledger does, and
    /// must not be called on a thread of an async runtime. Repairs are done where the ledger lies.
    ///
    /// An encrypted ledger is given out in the clear to whoever may read it. Without its key ([`Ledger::connect_encrypted`])
    /// nobody sees what an entry is about before they read its record, so that the service is taken at its word for where
    /// the trust policy lies, nothing is remembered, and gates, complete answers, packs and audits refuse (`WRONG_KEY`).
    ///
    /// # Errors
    /// `MALFORMED` for a URL or `access` that can't be used; `PERMISSION_DENIED` if the service lets the caller not read
    /// the log; `SERVICE_UNAVAILABLE` if it can't be reached or answers wrongly; as [`Ledger::open`].
    pub fn connect(url: &str, access: &Access, anchors: &Anchors, pins: &Pins) -> Result<Self> {
        let storage: Arc<dyn Storage> = Arc::new(RemoteStorage::new(Transport::new(url, access)?));
        Self::open_in(&storage, anchors, pins, None)
    }

    /// As [`Ledger::connect`], of an encrypted ledger with its key, which shows what its entries are about. Then nothing is
    /// taken at the service's word, and all works as where the ledger lies.
    ///
    /// # Errors
    /// As [`Ledger::connect`] and [`Ledger::open_encrypted`].
    pub fn connect_encrypted(
        url: &str,
        access: &Access,
        anchors: &Anchors,
        pins: &Pins,
        kek: &dyn KeyEncryptionKey,
    ) -> Result<Self> {
        let storage: Arc<dyn Storage> = Arc::new(RemoteStorage::new(Transport::new(url, access)?));
        Self::open_in(&storage, anchors, pins, Some(kek))
    }
}

/// The way into a ledger behind an address, for jobs that append and do not read.
///
/// It takes the service's word for where the trust policy lies, and for nothing else: a service that hides a newer
/// version of it has a record refused, or judged again when it is appended. Receipts are proven, against the pinned key
/// of the log and what was seen of it before.
#[derive(Debug)]
pub struct Submitter(Ledger);

impl Submitter {
    /// Opens the way to the ledger at `url`.
    ///
    /// # Errors
    /// `API_MISUSE` if the log key is known neither from `pins` nor from `anchors`; as [`Ledger::connect`].
    pub fn connect(url: &str, access: &Access, anchors: &Anchors, pins: &Pins) -> Result<Self> {
        let storage = RemoteStorage::new(Transport::new(url, access)?);
        let entries = storage.service().trust_policy_entries()?;
        let storage: Arc<dyn Storage> = Arc::new(storage);
        let ledger = Ledger::open_with(&storage, anchors, pins, None, TrustFrom::Told(&entries))?;
        if pins.log_key.is_none() && !anchors.knows(ledger.origin())? {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "the key of the log is not known here, so that no receipt could be believed; pin it",
            ));
        }
        Ok(Self(ledger))
    }

    /// Submits signed records, all or none, and gives their receipts in this order.
    ///
    /// # Errors
    /// As [`Ledger::append_all`].
    pub fn submit(&mut self, records: &[Vec<u8>], now: Timestamp) -> Result<Vec<Receipt>> {
        let verified = records.iter().map(|record| self.0.verify(record, now)).collect::<Result<Vec<_>>>()?;
        self.0.append_all(&verified, now)
    }

    /// Leaves a file that records name by its SHA-256, streamed.
    ///
    /// # Errors
    /// As [`Ledger::attach_file`].
    pub fn attach_file(&self, path: &Path) -> Result<Digest> {
        self.0.attach_file(path)
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        self.0.origin()
    }

    /// Whether what is submitted is encrypted where the ledger lies. No key is needed here.
    pub fn is_encrypted(&self) -> bool {
        self.0.is_encrypted()
    }
}
