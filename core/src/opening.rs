//! Opening a ledger wherever it lies: in a folder, in a bucket, or behind an address.
//!
//! ```no_run
//! use sealwright::ledger::Anchors;
//! use sealwright::opening::Opening;
//! let opening = Opening::from_json(br#"{"access":{"tokenFile":"token"}}"#, |_| None)?;
//! let ledger = opening.open("https://ledger.example.org", &Anchors::in_folder("state"), None, None)?;
//! # Ok::<(), sealwright::Error>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

pub use crate::address::is_address;
use crate::address::shown;
use crate::encryption::KeyEncryptionKey;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::key::PrivateKey;
use crate::ledger::{Anchors, Ledger, Pins, PinsWire, Place};
#[cfg(feature = "remote")]
use crate::remote::{Access, AccessWire};

/// Tells variables by their names.
type Variable = dyn Fn(&str) -> Option<Zeroizing<String>> + Send + Sync;

/// What opening a ledger may need beside its place and keys.
pub struct Opening {
    pins: Pins,
    #[cfg(feature = "remote")]
    access: Access,
    submitter: Option<String>,
    archive: Option<PathBuf>,
    variable: Box<Variable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    #[serde(default)]
    pins: PinsWire,
    #[serde(default)]
    #[cfg(feature = "remote")]
    access: AccessWire,
    submitter: Option<String>,
    archive: Option<PathBuf>,
    variables: Option<BTreeMap<String, String>>,
}

impl Opening {
    /// Reads it from JSON: `pins` (as [`Pins::from_json`]), `access` (as `Access::from_json` of `remote`), `submitter`
    /// ([`Ledger::with_submitter`]), `archive` ([`Ledger::with_archive`]) and `variables`, in place of which `variable`
    /// tells the credentials of a bucket ([`Place::find`]); each of which may be left out.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known; those of what it holds.
    pub fn from_json(
        bytes: &[u8],
        variable: impl Fn(&str) -> Option<Zeroizing<String>> + Send + Sync + 'static,
    ) -> Result<Self> {
        let hint = "give no more than `pins`, `access`, `submitter`, `archive` and `variables`";
        let wire: Wire = json::parse_secret("opening of a ledger", bytes, hint)?;
        Ok(Self {
            pins: wire.pins.try_into()?,
            #[cfg(feature = "remote")]
            access: wire.access.try_into()?,
            submitter: wire.submitter,
            archive: wire.archive,
            variable: match wire.variables {
                Some(given) => {
                    let given: BTreeMap<_, _> = given.into_iter().map(|(name, v)| (name, Zeroizing::new(v))).collect();
                    Box::new(move |name| given.get(name).cloned())
                }
                None => Box::new(variable),
            },
        })
    }

    /// The folder of its archive.
    pub fn archive(&self) -> Option<&Path> {
        self.archive.as_deref()
    }

    /// What is known of the ledger.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// The place that is no address: a folder, or a bucket that a file describes.
    ///
    /// # Errors
    /// Those of [`Place::find`]; `API_MISUSE` for an address: what needs the place itself is done where the ledger lies.
    pub fn place(&self, place: &str) -> Result<Place> {
        if is_address(place) {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("`{}` is an address, and this is done where the ledger lies; name its place", shown(place)),
            ));
        }
        Place::find(Path::new(place), &*self.variable)
    }

    /// Opens the ledger at `place`: an address, else a file in TOML that describes a bucket, else a folder; to read it and,
    /// with its `log_key` or behind an address, to append; with the key if it is encrypted.
    ///
    /// # Errors
    /// Those of [`Ledger::open_at`], [`Ledger::with_log_key`] and [`Ledger::with_archive`], or of `Ledger::connect`;
    /// `API_MISUSE` for a log key, a submitter or an archive of a ledger behind an address, whose service has them.
    pub fn open(
        &self,
        place: &str,
        anchors: &Anchors,
        log_key: Option<PrivateKey>,
        kek: Option<&dyn KeyEncryptionKey>,
    ) -> Result<Ledger> {
        if is_address(place) {
            let own = [log_key.is_some(), self.submitter.is_some(), self.archive.is_some()];
            if own.contains(&true) {
                return Err(Error::new(
                    ErrorKind::ApiMisuse,
                    "the log key of a ledger behind an address, who submits to it, and its archive are known to its service; \
                     leave them out",
                ));
            }
            return self.connect(place, anchors, kek);
        }
        let mut ledger = Ledger::open_at(&self.place(place)?, anchors, &self.pins, kek)?;
        if let Some(archive) = &self.archive {
            ledger = ledger.with_archive(archive)?;
        }
        if let Some(submitter) = &self.submitter {
            ledger = ledger.with_submitter(submitter);
        }
        match log_key {
            Some(key) => ledger.with_log_key(key),
            None => Ok(ledger),
        }
    }

    #[cfg(feature = "remote")]
    fn connect(&self, url: &str, anchors: &Anchors, kek: Option<&dyn KeyEncryptionKey>) -> Result<Ledger> {
        match kek {
            // without it the service would be believed where the trust policy lies
            Some(kek) => Ledger::connect_encrypted(url, &self.access, anchors, &self.pins, kek),
            None => Ledger::connect(url, &self.access, anchors, &self.pins),
        }
    }

    #[cfg(not(feature = "remote"))]
    #[expect(clippy::unused_self, reason = "the other build needs it")]
    fn connect(&self, url: &str, _: &Anchors, _: Option<&dyn KeyEncryptionKey>) -> Result<Ledger> {
        Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "the ledger `{}` is behind an address, and this build speaks to none; build it with the feature `remote`",
                shown(url)
            ),
        )
        .with("feature", "remote"))
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("pins", &self.pins).finish_non_exhaustive()
    }
}
