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

mod harness;
#[cfg(feature = "keyless")]
mod keyless;
mod in_toto_peer;
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
mod sealed;
mod signer_command;
