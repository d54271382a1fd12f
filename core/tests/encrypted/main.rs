//! The tests of ledgers, gates, releases, retention and packs once more, over encrypted ledgers: the world they build asks
//! for the name of this binary. Left out are those that write into the index, cut files, or start processes by name.

#![allow(clippy::duplicate_mod, reason = "each of them brings the worlds it needs")]

#[path = "../gate.rs"]
mod gate;
#[path = "../gate_complete.rs"]
mod gate_complete;
#[path = "../gate_people.rs"]
mod gate_people;
#[path = "../ledger.rs"]
mod ledger;
#[path = "../ledger_trust.rs"]
mod ledger_trust;
#[path = "../pack.rs"]
mod pack;
#[path = "../permit.rs"]
mod permit;
#[path = "../release.rs"]
mod release;
#[path = "../retention.rs"]
mod retention;
