//! The command as people and scripts use it: the real binary, in folders of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod commits;
#[path = "../corpora/mod.rs"]
mod corpora;
mod demo;
mod getting_started;
mod guide;
mod help;
mod ingest;
mod key;
#[cfg(feature = "keyless")]
mod keyless;
mod layout;
#[cfg(any(feature = "keyless", feature = "witness"))]
#[path = "../loopback/mod.rs"]
mod loopback;
mod moving;
mod place;
mod provenance;
mod retention;
mod sbom;
mod settings;
mod story;
mod trust;
#[cfg(feature = "keyless")]
#[path = "../tuf_repository/mod.rs"]
mod tuf_repository;
mod verify;
mod witnesses;
mod wrong_input;
