//! The sequencer and its clients: the real server on loopback, in this process and as the command.
#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

#[path = "../loopback/mod.rs"]
mod loopback;
#[path = "../records_office/mod.rs"]
mod records_office;
#[path = "../small/mod.rs"]
mod small;
#[path = "../world/mod.rs"]
mod world;

mod bounds;
mod callers;
mod client;
mod crash;
mod guide;
mod liar;
mod many;
mod missing;
mod observed;
mod replaced;
mod sealed;
mod spool;
mod story;
mod team;
mod tls;
mod witnessed;
