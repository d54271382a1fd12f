//! Retention: how long records are kept, what holds them, and what happens when their time is over.
//!
//! A [`Schedule`] says how long, by kinds of evidence and frameworks; the longest rule wins. [`Ledger::retention`] applies
//! it to all records. [`Ledger::dispose`] erases those whose time is over for every rule, which no hold covers, which
//! say nothing that is still open, and which two records officers let go: this is the check EV-RET-001, and the ledger
//! itself refuses a disposal record that does not meet it. The record of a disposal explains the missing bodies from
//! then on; entries and proofs stay as they are.
//!
//! [`Ledger::retention`]: super::Ledger::retention
//! [`Ledger::dispose`]: super::Ledger::dispose

mod approval;
mod closed;
mod disposal;
mod disposed;
mod due;
mod hold;
mod period;
mod schedule;

pub use self::disposal::{Disposal, DisposalPlan};
pub(super) use self::disposed::Disposals;
pub use self::due::{Due, Retention};
pub use self::hold::Hold;
pub use self::schedule::Schedule;
