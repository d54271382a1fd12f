//! Opening the ledger a command works on.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::note;
use super::settings::{OpenSigner, Settings, folder_for};
use super::sign::SigningKey;
use crate::checkpoint::VerifierKey;
use crate::digest::Digest;
use crate::encryption::KeyEncryptionKey;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Anchored, Anchors, Ledger, Mirror, Pins, Receipt};
use crate::limits;
use crate::predicate::Actor;
use crate::signer::Signer;
use crate::timestamp::Timestamp;

/// What is known of the ledger from elsewhere.
#[derive(Args)]
#[command(next_help_heading = "What is known of the ledger")]
pub(crate) struct Known {
    /// Key of the log, as a C2SP verifier key.
    #[arg(long, value_name = "VKEY")]
    pin_log_key: Option<String>,
    /// Payload digest of version 1 of the trust policy.
    #[arg(long, value_name = "SHA256")]
    pin_trust_policy: Option<Digest>,
    /// A checkpoint it must extend.
    #[arg(long, value_name = "FILE")]
    min_checkpoint: Option<PathBuf>,
    /// Key that it is encrypted with: a file, pkcs11:…, awskms://…, or
    /// hashivault://….
    #[arg(long, value_name = "KEY")]
    encryption_key: Option<PathBuf>,
    /// Folder that bodies were moved to.
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
}

/// Options of commands that append.
#[derive(Args)]
pub(crate) struct Append {
    /// Private key of the log.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: Option<PathBuf>,
    /// Credential of who submits, where the trust policy lists writers.
    #[arg(long, value_name = "NAME")]
    submitter: Option<String>,
    #[command(flatten)]
    pub(crate) known: Known,
}

/// Options of commands that sign a record and append it.
#[derive(Args)]
pub(crate) struct Act {
    #[command(flatten)]
    key: SigningKey,
    #[command(flatten)]
    append: Append,
}

/// Who acts, for records that say so.
#[derive(Args)]
pub(crate) struct By {
    /// Who does it, a URI such as mailto:ann@example.org [default: the signer].
    #[arg(long, value_name = "URI")]
    by: Option<String>,
    /// Their printed name, if it is a person.
    #[arg(long, value_name = "NAME", requires = "by")]
    by_name: Option<String>,
}

impl Known {
    /// Opens the ledger for reading.
    pub(crate) fn open(&self, settings: &Settings) -> Result<Ledger> {
        let kek = settings.encryption_key(self.encryption_key())?;
        self.open_with(settings, kek.as_deref())
    }

    /// The key that the ledger is said to be encrypted with.
    pub(crate) fn encryption_key(&self) -> Option<&Path> {
        self.encryption_key.as_deref()
    }

    /// The mirror in `folder`, and where what is archived lies.
    pub(crate) fn mirror(&self, settings: &Settings, folder: &Path) -> Result<Mirror> {
        let mirror = Mirror::open(folder, &Anchors::in_folder(settings.state()?));
        Ok(match folder_of_archive(settings.archive(self.archive.as_deref()))? {
            Some(archive) => mirror.with_archive(&archive),
            None => mirror,
        })
    }

    /// What is known.
    pub(crate) fn pins(&self) -> Result<Pins> {
        let mut pins = Pins::none();
        pins.log_key = self.pin_log_key.as_deref().map(str::parse).transpose()?;
        pins.trust_policy.clone_from(&self.pin_trust_policy);
        if let Some(path) = &self.min_checkpoint {
            pins.min_checkpoint = Some(limits::read_file("checkpoint", path, limits::CHECKPOINT_BYTES)?);
        }
        Ok(pins)
    }

    /// The key of the log that is pinned.
    pub(crate) fn log_key(&self) -> Result<VerifierKey> {
        self.pins()?
            .log_key
            .ok_or_else(|| Error::new(ErrorKind::ApiMisuse, "no key of the log is named; name it with `--pin-log-key`"))
    }

    /// Opens the ledger for reading, with this key if it is encrypted.
    pub(crate) fn open_with(&self, settings: &Settings, kek: Option<&dyn KeyEncryptionKey>) -> Result<Ledger> {
        let ledger = open(settings, &self.pins()?, kek)?;
        let archive = match settings.ledger_address() {
            // one of the settings is for the ledger that lies here
            Some(_) => self.archive.clone(),
            None => settings.archive(self.archive.as_deref()),
        };
        let ledger = match folder_of_archive(archive)? {
            Some(archive) => ledger.with_archive(&archive)?,
            None => ledger,
        };
        if ledger.is_encrypted() && ledger.key_encryption_key().is_none() {
            note(&format!(
                "the ledger `{}` is encrypted and its key was not given: where the trust policy lies, its service is \
                 believed",
                ledger.origin()
            ));
        }
        for repair in ledger.repairs() {
            note(&format!("the ledger `{}` was repaired: {}", ledger.origin(), repair.message));
        }
        if ledger.anchored() == Anchored::FirstUse {
            note(&format!(
                "the ledger `{}` was not seen here before; its key, trust policy and checkpoint are taken as found",
                ledger.origin()
            ));
        }
        Ok(ledger)
    }
}

/// The folder of an archive.
fn folder_of_archive(archive: Option<PathBuf>) -> Result<Option<PathBuf>> {
    archive.map(|path| folder_for(path, "bodies are archived to one; name a folder")).transpose()
}

/// The ledger in a folder or a bucket, with this key if it is encrypted, or behind an address.
fn open(settings: &Settings, pins: &Pins, kek: Option<&dyn KeyEncryptionKey>) -> Result<Ledger> {
    let anchors = Anchors::in_folder(settings.state()?);
    match settings.ledger_address() {
        Some(address) => connect(settings, &address, &anchors, pins, kek),
        None => Ledger::open_at(&settings.place()?, &anchors, pins, kek),
    }
}

#[cfg(feature = "remote")]
fn connect(
    settings: &Settings,
    address: &str,
    anchors: &Anchors,
    pins: &Pins,
    kek: Option<&dyn KeyEncryptionKey>,
) -> Result<Ledger> {
    match kek {
        Some(kek) => Ledger::connect_encrypted(address, &settings.access()?, anchors, pins, kek),
        None => Ledger::connect(address, &settings.access()?, anchors, pins),
    }
}

#[cfg(not(feature = "remote"))]
fn connect(_: &Settings, address: &str, _: &Anchors, _: &Pins, _: Option<&dyn KeyEncryptionKey>) -> Result<Ledger> {
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "the ledger `{}` is behind an address, and this build speaks to none; build it with `remote`",
            crate::address::shown(address)
        ),
    ))
}

/// The way by which signed records and files get into a ledger.
pub(crate) enum Way {
    Ledger(Box<Ledger>),
    #[cfg(feature = "remote")]
    Service(Box<crate::remote::Submitter>),
}

impl Way {
    /// Appends records, all or none.
    pub(crate) fn submit(&mut self, records: &[Vec<u8>], now: Timestamp) -> Result<Vec<Receipt>> {
        match self {
            Self::Ledger(ledger) => {
                let verified = records.iter().map(|record| ledger.verify(record, now)).collect::<Result<Vec<_>>>()?;
                ledger.append_all(&verified, now)
            }
            #[cfg(feature = "remote")]
            Self::Service(submitter) => submitter.submit(records, now),
        }
    }

    pub(crate) fn attach_file(&self, path: &Path) -> Result<Digest> {
        match self {
            Self::Ledger(ledger) => ledger.attach_file(path),
            #[cfg(feature = "remote")]
            Self::Service(submitter) => submitter.attach_file(path),
        }
    }
}

impl Known {
    /// The way for files, which takes no log key.
    pub(crate) fn way_for_files(&self, settings: &Settings) -> Result<Way> {
        match self.service(settings)? {
            Some(way) => Ok(way),
            None => self.open(settings).map(|ledger| Way::Ledger(Box::new(ledger))),
        }
    }

    /// The way through a service, if the ledger is behind one; it needs no reading of the log.
    #[cfg(feature = "remote")]
    fn service(&self, settings: &Settings) -> Result<Option<Way>> {
        let Some(address) = settings.ledger_address() else { return Ok(None) };
        let (access, anchors) = (settings.access()?, Anchors::in_folder(settings.state()?));
        let submitter = crate::remote::Submitter::connect(&address, &access, &anchors, &self.pins()?)?;
        if settings.names_encryption_key(self.encryption_key()) && !submitter.is_encrypted() {
            return Err(Error::new(
                ErrorKind::WrongKey,
                format!(
                    "the ledger `{}` is not encrypted, and a key for it was given; find out whether it was put in the place \
                     of an encrypted one, or leave the key out",
                    submitter.origin()
                ),
            ));
        }
        Ok(Some(Way::Service(Box::new(submitter))))
    }

    #[cfg(not(feature = "remote"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the other build needs both")]
    fn service(&self, _: &Settings) -> Result<Option<Way>> {
        Ok(None)
    }
}

impl Append {
    /// The way for records that are signed already: an address needs no reading of the log.
    pub(crate) fn way(&self, settings: &Settings) -> Result<Way> {
        match self.known.service(settings)? {
            Some(way) => Ok(way),
            None => self.open(settings).map(|ledger| Way::Ledger(Box::new(ledger))),
        }
    }

    /// Opens the ledger for appending. Behind an address its service has the log key, and knows who submits.
    pub(crate) fn open(&self, settings: &Settings) -> Result<Ledger> {
        let ledger = self.known.open(settings)?;
        if settings.ledger_address().is_some() {
            return Ok(ledger);
        }
        let ledger = ledger.with_log_key(settings.log_key(self.log_key.as_deref())?)?;
        Ok(match settings.submitter(self.submitter.as_deref()) {
            Some(submitter) => ledger.with_submitter(submitter),
            None => ledger,
        })
    }
}

impl Act {
    /// What is known of the ledger.
    pub(crate) fn known(&self) -> &Known {
        &self.append.known
    }

    /// Opens the ledger, and no key that signs.
    pub(crate) fn open_ledger(&self, settings: &Settings) -> Result<Ledger> {
        self.append.known.open(settings)
    }

    /// Opens the ledger for appending, with the key that signs.
    pub(crate) fn open(&self, settings: &Settings) -> Result<(Ledger, OpenSigner)> {
        let key = self.key.open(settings)?;
        Ok((self.append.open(settings)?, key))
    }
}

impl By {
    /// The actor named, else the signer by its name in the trust policy.
    pub(crate) fn actor(&self, ledger: &Ledger, key: &dyn Signer) -> Result<Actor> {
        let id = key.public_key().id();
        Ok(match (&self.by, &self.by_name) {
            (Some(by), Some(name)) => Actor::human(by, name),
            (Some(by), None) => Actor::workload(by),
            _ => {
                let signer = ledger.trust_policy()?.signer_of_key(&id).unwrap_or(&id);
                Actor::workload(format!("urn:sealwright:signer:{signer}"))
            }
        })
    }
}
