//! Classic in-toto layouts: what is accepted, and what is refused with which code.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "../corpora/mod.rs"]
mod corpora;
mod demo;
mod refusals;
mod rules;
mod sublayouts;
mod supply_chain;
