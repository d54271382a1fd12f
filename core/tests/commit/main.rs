//! Who wrote what: commits and tags that real `git`, `ssh-keygen` and `gpg` signed, and everything that is wrong with them.
//!
//! Wherever Git has a verdict of its own (`git verify-commit`), ours is compared with it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod authorship;
mod gitsign;
mod objects;
#[cfg(feature = "openpgp")]
mod openpgp;
mod repository;
mod ssh;
