//! What appends are checked against: uses of decisions, release ids, control entries.
//!
//! Gathered by walking all entries, so that nothing an index hides is spent twice; once for each handle, and from then on
//! kept up with what is new. An entry that is none of these is hashed and not looked at further.

use std::collections::BTreeMap;

use super::Ledger;
use super::edge::Edge;
use super::entry::Entry;
use super::label::{Labels, TYPE};
use super::walk::is_without_body;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::predicate::{PolicyEvaluation, PredicateType as _, Release};

/// What was gathered of the entries up to an edge of the log.
#[derive(Debug, Default)]
pub(super) struct Book {
    edge: Edge,
    /// By the payload of a decision, as entries hold it: entries that name it.
    uses: BTreeMap<String, Vec<u64>>,
    /// Policy evaluations, with the payload of those that were read.
    evaluations: BTreeMap<u64, Option<Digest>>,
    /// Control entries.
    controls: BTreeMap<u64, Entry>,
    /// Releases by their id, as entries hold it, and those whose id did not fit into their tags.
    releases: BTreeMap<String, Vec<u64>>,
    unnamed: Vec<u64>,
}

impl Book {
    fn take(&mut self, index: u64, bytes: &[u8], labels: &Labels, looked_for: &[String]) -> Result<()> {
        if !may_concern(bytes, looked_for) {
            return Ok(());
        }
        let entry = Entry::parse(bytes).map_err(|e| e.while_doing(format_args!("entry {index}")))?.labelled(labels);
        for decision in entry.tag("decision") {
            self.uses.entry(decision.to_owned()).or_default().push(index);
        }
        if entry.is_of_type(PolicyEvaluation::TYPE) {
            self.evaluations.insert(index, None);
        }
        if Release::TYPES.iter().any(|t| entry.is_of_type(t)) {
            for id in entry.tag("release") {
                self.releases.entry(id.to_owned()).or_default().push(index);
            }
            if entry.has_more_tags() {
                self.unnamed.push(index);
            }
        }
        if entry.control {
            self.controls.insert(index, entry);
        }
        Ok(())
    }

    /// Entries before `place` that name a decision.
    pub(super) fn uses(&self, labels: &Labels, decision: &str, place: u64) -> Result<Vec<u64>> {
        let label = labels.of("decision", decision)?;
        let uses = self.uses.get(label.as_ref()).map(Vec::as_slice).unwrap_or_default();
        Ok(uses.iter().filter(|index| **index < place).copied().collect())
    }

    /// Control entries from `from` on and before `place`.
    pub(super) fn controls(&self, from: u64, place: u64) -> impl Iterator<Item = (u64, &Entry)> {
        self.controls.range(from.min(place)..place).map(|(index, entry)| (*index, entry))
    }

    /// Releases that may have this id.
    pub(super) fn releases(&self, labels: &Labels, id: &str) -> Result<Vec<u64>> {
        let label = labels.of("release", id)?;
        let named = self.releases.get(label.as_ref()).map(Vec::as_slice).unwrap_or_default();
        let mut all: Vec<u64> = named.iter().chain(&self.unnamed).copied().collect();
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }
}

/// Whether an entry is a control entry, names a decision or is of a type that is looked for. An entry has one canonical
/// form, in which these have one spelling; what is written otherwise is none, and no audit lets it pass.
fn may_concern(bytes: &[u8], looked_for: &[String]) -> bool {
    bytes.starts_with(br#"{"control":true"#) || looked_for.iter().any(|part| holds(bytes, part))
}

/// What stands in an entry that is not a control entry and is of interest.
fn looked_for(labels: &Labels) -> Result<Vec<String>> {
    let types = [PolicyEvaluation::TYPE].into_iter().chain(Release::TYPES);
    let mut parts = types.map(|t| labels.of(TYPE, t).map(|l| l.into_owned())).collect::<Result<Vec<_>>>()?;
    parts.push(r#""decision":["#.to_owned());
    Ok(parts)
}

/// Whether `part` stands somewhere in `bytes`.
pub(super) fn holds(bytes: &[u8], part: &str) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| text.contains(part))
}

impl Ledger {
    /// Does work with what was gathered of all entries of this handle.
    pub(super) fn with_book<T>(&self, work: impl FnOnce(&mut Book) -> Result<T>) -> Result<T> {
        let lost = |_| Error::new(ErrorKind::Internal, "what this handle gathered was lost; open the ledger again");
        let mut book = self.book.lock().map_err(lost)?;
        if book.edge.size() > self.size() {
            *book = Book::default();
        }
        let edge = book.edge.clone();
        let parts = looked_for(&self.labels)?;
        let take = |index, bytes: &[u8]| book.take(index, bytes, &self.labels, &parts);
        match edge.advance(self.checkpoint.checkpoint(), &self.store, take) {
            Ok(edge) => book.edge = edge,
            Err(e) => {
                *book = Book::default();
                return Err(e);
            }
        }
        work(&mut book)
    }

    /// The entry before `place` that holds the decision of this payload.
    ///
    /// # Errors
    /// That of [`Ledger::record`] for an entry that has no body, if it is the decision or may be.
    pub(super) fn decision_in(&self, book: &mut Book, decision: &Digest, place: u64) -> Result<Option<u64>> {
        let mut unreadable = None;
        // newest first: a permit is spent soon after it was given
        for (index, payload) in book.evaluations.range_mut(..place).rev() {
            if payload.is_none() {
                match self.record(*index) {
                    Ok(record) => *payload = Some(record.statement().payload_digest()),
                    // what its disposal says it was is asked below
                    Err(e) if e.kind() == ErrorKind::BodyDisposed => {}
                    Err(e) if is_without_body(&e) => unreadable = Some(e),
                    Err(e) => return Err(e),
                }
            }
            if payload.as_ref() == Some(decision) {
                return Ok(Some(*index));
            }
        }
        if let Some(index) = self.disposals()?.payloads.get(decision).filter(|index| **index < place) {
            return Err(self.missing_body(*index)?);
        }
        unreadable.map_or(Ok(None), Err)
    }
}
