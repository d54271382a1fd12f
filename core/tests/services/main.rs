//! Against real servers and other people's clients, on loopback. `make test-services` starts them and runs this.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod encryption;
mod guide;
mod harness;
mod in_toto_peer;
#[cfg(feature = "keyless")]
mod keyless;
mod kms;
#[cfg(feature = "keyless")]
#[path = "../loopback/mod.rs"]
mod loopback;
mod peers;
mod peers_agree;
mod pkcs11;
#[path = "../planted/mod.rs"]
mod planted;
#[cfg(feature = "oci")]
mod registry;
#[cfg(feature = "keyless")]
mod rekor_v1;
mod sealed;
mod signer_command;
#[cfg(feature = "witness")]
#[path = "../small/mod.rs"]
mod small;
mod theirs;
#[cfg(feature = "witness")]
mod tlog;
