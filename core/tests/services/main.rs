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

#[cfg(feature = "keyless")]
mod bindings;
#[cfg(feature = "object-store")]
mod bucket_faults;
#[cfg(feature = "object-store")]
mod bucket_lock;
#[cfg(feature = "object-store")]
mod database_restart;
mod encryption;
#[cfg(feature = "object-store")]
mod fault_proxy;
#[cfg(feature = "keyless")]
mod gitsign;
#[cfg(feature = "object-store")]
mod grounds;
mod guide;
mod harness;
mod in_toto_peer;
#[cfg(feature = "keyless")]
mod keyless;
mod kms;
#[cfg(feature = "keyless")]
#[path = "../loopback/mod.rs"]
mod loopback;
#[cfg(feature = "object-store")]
mod moving;
mod peers;
mod peers_agree;
mod pkcs11;
#[cfg(feature = "object-store")]
mod places;
#[path = "../planted/mod.rs"]
mod planted;
#[cfg(feature = "oci")]
mod registry;
#[cfg(feature = "keyless")]
mod rekor_v1;
mod sealed;
#[cfg(all(feature = "object-store", feature = "serve"))]
mod sequenced;
mod signer_command;
#[cfg(any(feature = "object-store", feature = "witness"))]
#[path = "../small/mod.rs"]
mod small;
#[cfg(all(feature = "object-store", feature = "serve"))]
#[path = "../serve/team.rs"]
mod team;
mod theirs;
#[cfg(feature = "witness")]
mod tlog;
#[cfg(feature = "object-store")]
mod tls;
#[cfg(all(feature = "object-store", feature = "serve"))]
#[path = "../world/mod.rs"]
mod world;
