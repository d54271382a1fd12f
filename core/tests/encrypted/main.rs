//! The tests of ledgers, gates, releases, retention and packs once more, over encrypted ledgers: the world they build asks
//! for the name of this binary. Left out are those that write into the index or change the bytes of plain files.

#![allow(clippy::duplicate_mod, reason = "each of them brings the worlds it needs")]

#[path = "../affected.rs"]
mod affected;
#[path = "../disposal.rs"]
mod disposal;
#[path = "../gate.rs"]
mod gate;
#[path = "../gate_complete.rs"]
mod gate_complete;
#[path = "../gate_people.rs"]
mod gate_people;
#[path = "../ledger.rs"]
mod ledger;
#[cfg(unix)]
#[path = "../ledger_many.rs"]
mod ledger_many;
#[cfg(unix)]
#[path = "../ledger_model.rs"]
mod ledger_model;
#[path = "../ledger_trust.rs"]
mod ledger_trust;
#[path = "../moved.rs"]
mod moved;
#[path = "../pack.rs"]
mod pack;
#[path = "../permit.rs"]
mod permit;
#[path = "../release.rs"]
mod release;
#[path = "../retention.rs"]
mod retention;
