//! Complete answers: all records that match, up to a checkpoint, from the log alone.
//!
//! A search asks the index, which can hide. This walks all entries, as a gate does, and proves at the end that they were
//! all the checkpoint commits to.

use super::book::holds;
use super::label::{Labels, TYPE};
use super::walk::is_without_body;
use super::{Entry, Ledger, LedgerRecord, Query};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::merkle::Hash;
use crate::predicate::{Deployment, PredicateType as _, Provenance, Vulns};

/// All records that match a query, up to a checkpoint; or the first of them, and that there are more.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Complete {
    /// The records, in the order of the ledger.
    pub records: Vec<LedgerRecord>,
    /// Entries that may match by their labels, and whose body is not there.
    pub without_body: Vec<u64>,
    /// Whether there are more; ask again with `after` set to the last index.
    pub more: bool,
    /// Number of entries that were walked: nothing that matches was logged before and is left out.
    pub size: u64,
    /// Root of the checkpoint of that size.
    pub root: Hash,
}

impl Ledger {
    /// All records that match, from the log and not from the index: "all records of this kind for this release up to
    /// this checkpoint" that can be relied on. It reads every entry, so it takes longer the longer the log is.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if the entries are not those of the checkpoint; those of [`Ledger::record`] for a record that may
    /// match, but for those of a missing body; `LIMIT_EXCEEDED` for too large a page.
    pub fn complete(&self, query: &Query) -> Result<Complete> {
        let limit = query.limit.unwrap_or(limits::SEARCH_ROWS);
        if limit > limits::SEARCH_ROWS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("a page of {limit} records is too large; ask for at most {}", limits::SEARCH_ROWS),
            ));
        }
        let checkpoint = self.checkpoint.checkpoint();
        let candidates = self.candidates(query)?;
        let mut found = Complete {
            records: Vec::new(),
            without_body: Vec::new(),
            more: false,
            size: checkpoint.size(),
            root: *checkpoint.root(),
        };
        for index in candidates {
            let record = match self.record(index) {
                Err(e) if is_without_body(&e) => {
                    found.without_body.push(index);
                    continue;
                }
                record => record?,
            };
            if query.matches(&record) {
                if found.records.len() == limit {
                    found.more = true;
                    break;
                }
                found.records.push(record);
            }
        }
        Ok(found)
    }
}

impl Query {
    /// Whether a record may match, by its entry.
    pub(super) fn may_match(&self, index: u64, bytes: &[u8], labels: &Labels) -> Result<bool> {
        // most entries are none of this query, and need not be read: what is a tag stands in the bytes as it is written
        if !holds(bytes, r#""more":["true"]"#) {
            for (name, value) in [
                ("release", &self.release),
                ("subject", &self.digest),
                ("environment", &self.environment),
                ("service", &self.service),
                ("change", &self.change),
                ("kind", &self.kind),
                (TYPE, &self.predicate_type),
            ] {
                let Some(value) = value else { continue };
                let part = crate::json::Value::from(labels.of(name, value)?.as_ref()).to_string();
                if !holds(bytes, &part) {
                    return Ok(false);
                }
            }
        }
        let entry = Entry::parse(bytes).map_err(|e| e.while_doing(format_args!("entry {index}")))?.labelled(labels);
        let tag = |name: &str, wanted: &Option<String>| {
            entry.has_more_tags() || wanted.as_ref().is_none_or(|value| entry.has_tag(name, value))
        };
        // a provenance names the commits it was built from, which are no tags
        let commit = self.commit.as_ref().is_none_or(|commit| {
            entry.has_more_tags()
                || entry.has_tag("subject", &format!("gitCommit:{commit}"))
                || Provenance::TYPES.iter().any(|t| entry.is_of_type(t))
        });
        Ok(commit
            && tag("release", &self.release)
            && tag("subject", &self.digest)
            && tag("environment", &self.environment)
            && tag("service", &self.service)
            && tag("change", &self.change)
            && tag("kind", &self.kind)
            // what stands in an SBOM, a deployment or a scan is no tag
            && (self.component.is_none() || tag("kind", &Some("sbom".to_owned())))
            && (self.resource.is_none() || entry.has_more_tags() || entry.is_of_type(Deployment::TYPE))
            && (self.vulnerability.is_none() || entry.has_more_tags() || entry.is_of_type(Vulns::TYPE))
            && self.predicate_type.as_ref().is_none_or(|t| entry.is_of_type(t))
            && self.since.is_none_or(|t| entry.time >= t.unix_millis())
            && self.until.is_none_or(|t| entry.time < t.unix_millis()))
    }
}
