//! One id, one release: the ledger itself refuses to give an id again, whoever else begins a release at the same time.

use super::Ledger;
use super::entry::Entry;
use crate::error::{Error, ErrorKind, Result};
use crate::predicate::Predicate;
use crate::statement::Statement;

impl Ledger {
    /// Refuses a release whose id was given to another Statement, by anybody. `pending` are records of the same batch
    /// that go before it.
    pub(super) fn check_release_id(&self, statement: &Statement, pending: &[(&Entry, &Statement)]) -> Result<()> {
        let Some(id) = release_id(statement) else { return Ok(()) };
        let releases = self.with_book(|book| book.releases(&self.labels, &id))?;
        let given = |other: &Statement| {
            release_id(other).is_some_and(|o| o == id) && other.payload_digest() != statement.payload_digest()
        };
        for index in releases {
            match self.record(index) {
                // gone, and found by its tags alone: what it was given for cannot be compared, so an id of its own is taken
                Err(e) if e.kind() == ErrorKind::BodyDisposed => {
                    if self.entry(index)?.has_tag("release", &id) {
                        return Err(already_given(&id).with("index", index));
                    }
                }
                record => {
                    if given(record?.statement()) {
                        return Err(already_given(&id).with("index", index));
                    }
                }
            }
        }
        match pending.iter().any(|(_, other)| given(other)) {
            true => Err(already_given(&id)),
            false => Ok(()),
        }
    }
}

fn release_id(statement: &Statement) -> Option<String> {
    match statement.predicate() {
        Ok(Predicate::Release(release)) => release.release_id,
        _ => None,
    }
}

fn already_given(id: &str) -> Error {
    Error::new(
        ErrorKind::AlreadyExists,
        format!("the release id `{}` was given to another release; choose another id", id.escape_debug()),
    )
}
