//! What appends are checked against: uses of decisions, release ids, control entries.
//!
//! Gathered by walking all entries, so that nothing an index hides is spent twice; once for each handle, and from then on
//! kept up with what is new. An entry that is none of these is hashed and not looked at further.

use std::collections::BTreeMap;

use super::Ledger;
use super::edge::Edge;
use super::entry::Entry;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::predicate::{PolicyEvaluation, PredicateType as _, Release};

/// What was gathered of the entries up to an edge of the log.
#[derive(Debug, Default)]
pub(super) struct Book {
    edge: Edge,
    /// By the payload of a decision: entries that name it, with their types.
    uses: BTreeMap<String, Vec<(u64, String)>>,
    /// Policy evaluations, with the payload of those that were read.
    evaluations: BTreeMap<u64, Option<Digest>>,
    /// Control entries.
    controls: BTreeMap<u64, Entry>,
    /// Releases by their id, and those whose id did not fit into their tags.
    releases: BTreeMap<String, Vec<u64>>,
    unnamed: Vec<u64>,
}

impl Book {
    fn take(&mut self, index: u64, bytes: &[u8]) -> Result<()> {
        if !may_concern(bytes) {
            return Ok(());
        }
        let entry = Entry::parse(bytes).map_err(|e| e.while_doing(format_args!("entry {index}")))?;
        for decision in entry.tag("decision") {
            self.uses.entry(decision.to_owned()).or_default().push((index, entry.predicate_type.clone()));
        }
        if entry.predicate_type == PolicyEvaluation::TYPE {
            self.evaluations.insert(index, None);
        }
        if Release::reads(&entry.predicate_type) {
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

    /// Entries before `place` that name a decision, with their types.
    pub(super) fn uses(&self, decision: &str, place: u64) -> Vec<(u64, String)> {
        let uses = self.uses.get(decision).map(Vec::as_slice).unwrap_or_default();
        uses.iter().filter(|(index, _)| *index < place).cloned().collect()
    }

    /// Control entries from `from` on and before `place`.
    pub(super) fn controls(&self, from: u64, place: u64) -> impl Iterator<Item = &Entry> {
        self.controls.range(from.min(place)..place).map(|(_, entry)| entry)
    }

    /// Releases that may have this id.
    pub(super) fn releases(&self, id: &str) -> Vec<u64> {
        let named = self.releases.get(id).map(Vec::as_slice).unwrap_or_default();
        let mut all: Vec<u64> = named.iter().chain(&self.unnamed).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Whether an entry is a control entry, names a decision or is of a type that is looked for. An entry has one canonical
/// form, in which these have one spelling; what is written otherwise is none, and no audit lets it pass.
fn may_concern(bytes: &[u8]) -> bool {
    bytes.starts_with(br#"{"control":true"#)
        || [r#""decision":["#, PolicyEvaluation::TYPE, "attestation/release/"].iter().any(|part| holds(bytes, part))
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
        match edge.advance(self.checkpoint.checkpoint(), &self.store, |index, bytes| book.take(index, bytes)) {
            Ok(edge) => book.edge = edge,
            Err(e) => {
                *book = Book::default();
                return Err(e);
            }
        }
        work(&mut book)
    }

    /// The entry before `place` that holds the decision of this payload.
    pub(super) fn decision_in(&self, book: &mut Book, decision: &Digest, place: u64) -> Result<Option<u64>> {
        // newest first: a permit is spent soon after it was given
        for (index, payload) in book.evaluations.range_mut(..place).rev() {
            if payload.is_none() {
                *payload = Some(self.record(*index)?.statement().payload_digest());
            }
            if payload.as_ref() == Some(decision) {
                return Ok(Some(*index));
            }
        }
        Ok(None)
    }
}
