//! The example `first_record` does what it says.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unused_crate_dependencies,
    reason = "tests; the example has a main of its own"
)]

#[path = "../examples/first_record.rs"]
mod first_record;

use sealwright::key::{KeyType, PrivateKey};

#[test]
fn a_file_gets_provenance_that_is_kept_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.tar");
    std::fs::write(&file, "shop").unwrap();
    let now = "2026-11-21T08:00:00Z".parse().unwrap();
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let mut ledger = first_record::own_ledger(folder.path(), &key, now).unwrap();
    let found = first_record::first_record(&file, &mut ledger, &key, now).unwrap();
    assert_eq!(found.records.first().unwrap().speaker.signer, "builder");
    assert_eq!(found.size, 2);
}
