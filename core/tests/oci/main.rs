//! Bundles in registries: against a small registry of our own on loopback, which also answers wrongly on demand.
#![cfg(feature = "oci")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod access;
mod bundles;
mod image;
mod legacy;
mod stub;
mod wire;
#[path = "../world/mod.rs"]
mod world;
