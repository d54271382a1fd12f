//! Making and opening ledgers so that the same tests run over plain and over encrypted ones.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::disallowed_methods, reason = "shared by tests")]

use std::path::Path;

use sealwright::Error;
use sealwright::encryption::KeyFile;
use sealwright::key::PrivateKey;
use sealwright::ledger::{Anchors, Ledger, Pins, Place};
use sealwright::timestamp::Timestamp;

/// A key of tests only, the same in each process of them.
pub(crate) const KEK: &str =
    r#"{"id":"file:53daf6b95a88132d","key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","v":"sealwright-kek/v1"}"#;

pub(crate) fn kek() -> KeyFile {
    KeyFile::parse(KEK.as_bytes(), None).unwrap()
}

/// Whether these tests are those of the binary that runs them over encrypted ledgers.
pub(crate) fn encrypts() -> bool {
    module_path!().starts_with("encrypted")
}

/// Makes a ledger, of the kind that this binary runs over.
pub(crate) fn made(
    folder: &Path,
    anchors: &Anchors,
    origin: &str,
    log_key: PrivateKey,
    trust: &[Vec<u8>],
    now: Timestamp,
) -> Result<Ledger, Error> {
    match encrypts() {
        true => Ledger::init_encrypted(folder, anchors, origin, log_key, trust, &kek(), now),
        false => Ledger::init(folder, anchors, origin, log_key, trust, now),
    }
}

/// Makes one in any place, encrypted or not.
pub(crate) fn made_at(
    place: &Place,
    encrypted: bool,
    anchors: &Anchors,
    (origin, log_key): (&str, PrivateKey),
    trust: &[Vec<u8>],
    now: Timestamp,
) -> Result<Ledger, Error> {
    let kek = kek();
    Ledger::init_at(place, anchors, origin, log_key, trust, encrypted.then_some(&kek as _), now)
}

/// Opens one in any place, encrypted or not.
pub(crate) fn opened_at(place: &Place, encrypted: bool, anchors: &Anchors) -> Result<Ledger, Error> {
    let kek = kek();
    Ledger::open_at(place, anchors, &Pins::none(), encrypted.then_some(&kek as _))
}

/// Opens a ledger, whichever it is.
pub(crate) fn opened(folder: &Path, anchors: &Anchors, pins: &Pins) -> Result<Ledger, Error> {
    let config = std::fs::read_to_string(folder.join("ledger.json")).unwrap_or_default();
    match config.contains("encryption") {
        true => Ledger::open_encrypted(folder, anchors, pins, &kek()),
        false => Ledger::open(folder, anchors, pins),
    }
}
