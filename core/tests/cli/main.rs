//! The command as people and scripts use it: the real binary, in folders of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod demo;
mod help;
mod key;
mod place;
mod settings;
mod story;
mod wrong_input;
