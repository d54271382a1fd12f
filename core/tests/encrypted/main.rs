//! The tests of ledgers, gates, releases and packs once more, over encrypted ledgers: the world they build asks for the
//! name of this binary.

#[path = "../gate.rs"]
mod gate;
#[path = "../gate_complete.rs"]
mod gate_complete;
#[path = "../gate_people.rs"]
mod gate_people;
#[path = "../ledger.rs"]
mod ledger;
#[path = "../ledger_many.rs"]
mod ledger_many;
#[path = "../ledger_search.rs"]
mod ledger_search;
#[path = "../ledger_trust.rs"]
mod ledger_trust;
#[path = "../pack.rs"]
mod pack;
#[path = "../permit.rs"]
mod permit;
#[path = "../retention.rs"]
mod retention;
#[path = "../release.rs"]
mod release;
