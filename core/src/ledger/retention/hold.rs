//! Legal holds: what is held, and since when.

use serde::Serialize;

use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Entry, Ledger};
use crate::predicate::{HoldAction, LegalHold, PredicateType as _};
use crate::statement::Statement;

/// A hold that was placed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Hold {
    /// Entry of the record that placed it.
    pub index: u64,
    /// What it says.
    pub placed: LegalHold,
    /// Entry of the record that released it; none while it is in force.
    pub released_by: Option<u64>,
    /// Payload of the placing record.
    payload: Digest,
    /// Payloads among its subjects.
    records: Vec<Digest>,
}

impl Hold {
    /// Whether it is in force in a ledger of so many entries.
    pub fn is_in_force_at(&self, size: u64) -> bool {
        self.index < size && self.released_by.is_none_or(|released| released >= size)
    }

    /// Whether it holds the record of this entry; what cannot be told is held. The payload is only known while the record
    /// is there, or from the record of its disposal.
    pub(super) fn covers(&self, entry: &Entry, payload: &Digest) -> bool {
        if self.records.contains(payload) {
            return true;
        }
        let scope = &self.placed.scope;
        if scope.is_empty() {
            // without subjects, and without a query, it is of everything
            return self.records.is_empty();
        }
        let any = |name: &str, values: &[String]| {
            values.is_empty() || entry.has_more_tags() || values.iter().any(|value| entry.has_tag(name, value))
        };
        any("service", &scope.services)
            && any("release", &scope.releases)
            && any("environment", &scope.environments)
            && (scope.predicate_types.is_empty() || scope.predicate_types.iter().any(|t| entry.is_of_type(t)))
            && scope.window.is_none_or(|w| (w.from.unix_millis()..=w.to.unix_millis()).contains(&entry.time))
    }
}

impl Ledger {
    /// All holds that were ever placed, in order, found by walking all entries.
    ///
    /// # Errors
    /// Those of [`Ledger::record`]: a hold that cannot be read holds up everything.
    pub fn holds(&self) -> Result<Vec<Hold>> {
        let mut entries = Vec::new();
        self.walk(|index, entry| {
            if entry.is_of_type(LegalHold::TYPE) {
                entries.push(index);
            }
            Ok(())
        })?;
        let mut holds: Vec<Hold> = Vec::new();
        for index in entries {
            let record = self.record(index)?;
            let statement = record.statement();
            let hold: LegalHold = statement.predicate_as()?;
            match hold.action {
                // a signer who was revoked since is no longer believed that it ended, and still that it began
                HoldAction::Released if record.revoked => {}
                HoldAction::Released => {
                    let placed = hold.releases.as_ref().map(|r| r.payload()).transpose()?;
                    let of_it = |h: &&mut Hold| Some(&h.payload) == placed.as_ref() && h.placed.hold_id == hold.hold_id;
                    if let Some(found) = holds.iter_mut().find(of_it) {
                        found.released_by.get_or_insert(index);
                    }
                }
                _ => holds.push(Hold {
                    index,
                    placed: hold,
                    released_by: None,
                    payload: statement.payload_digest(),
                    records: records_held(statement),
                }),
            }
        }
        Ok(holds)
    }

    /// Refuses the release of a hold that was not placed, or was released before.
    pub(in crate::ledger) fn check_hold(&self, statement: &Statement) -> Result<()> {
        if statement.predicate_type() != LegalHold::TYPE {
            return Ok(());
        }
        let hold: LegalHold = statement.predicate_as()?;
        let holds = self.holds()?;
        let refused = |why: String| Err(Error::new(ErrorKind::AppendRefused, why));
        let Some(placed) = hold.releases.as_ref().filter(|_| hold.action == HoldAction::Released) else {
            if holds.iter().any(|h| h.placed.hold_id == hold.hold_id) {
                return refused(format!(
                    "the hold `{}` was placed before; give it another id",
                    hold.hold_id.escape_debug()
                ));
            }
            return Ok(());
        };
        let placed = placed.payload()?;
        match holds.iter().find(|h| h.payload == placed && h.placed.hold_id == hold.hold_id) {
            None => refused(format!(
                "no hold `{}` was placed by the record named; name the record that placed it",
                hold.hold_id.escape_debug()
            )),
            Some(Hold { released_by: Some(by), .. }) => {
                refused(format!("entry {by} released the hold already; nothing is left to do"))
            }
            Some(_) => Ok(()),
        }
    }
}

impl Hold {
    /// Payload of the record that placed it, by which a release names it.
    pub fn payload(&self) -> &Digest {
        &self.payload
    }
}

/// Payload digests among the subjects: a thing without bytes has another algorithm.
fn records_held(statement: &Statement) -> Vec<Digest> {
    let digests = statement.subjects().iter().flat_map(|s| s.digests());
    digests.filter(|d| d.algorithm() == Algorithm::Sha256).collect()
}
