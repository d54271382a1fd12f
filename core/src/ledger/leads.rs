//! Where a query leads, entry by entry: read one at a time, from either end.

use super::edge::Edge;
use super::index::{bom_of, keys_with};
use super::{Ledger, LedgerRecord, Query};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::sbom::Summary;

/// Entries that may match a query, none of them read yet.
pub(crate) struct Leads<'l> {
    ledger: &'l Ledger,
    query: Query,
    complete: bool,
    /// The entries, in the order of the ledger.
    pub(crate) indexes: Vec<u64>,
}

impl Ledger {
    /// Where `query` leads, whatever its `limit`: by the index, or, if `complete`, by every entry of the log.
    ///
    /// # Errors
    /// As [`Ledger::search`] or [`Ledger::complete`].
    pub(crate) fn leads_of(&self, query: Query, complete: bool) -> Result<Leads<'_>> {
        if complete {
            let indexes = self.candidates(&query)?;
            return Ok(Leads { ledger: self, query, complete, indexes });
        }
        let (mut indexes, mut rest) = (Vec::new(), query.clone());
        loop {
            let (rows, more) = self.find(&rest, limits::SEARCH_ROWS)?;
            rest.after = rows.last().copied().or(rest.after);
            indexes.extend(rows);
            if !more {
                return Ok(Leads { ledger: self, query, complete, indexes });
            }
        }
    }

    /// Entries that may match by what stands in them, of all up to the checkpoint.
    pub(super) fn candidates(&self, query: &Query) -> Result<Vec<u64>> {
        self.labels.require_known()?;
        let mut candidates = Vec::new();
        Edge::default().advance(self.checkpoint.checkpoint(), &self.store, |index, bytes| {
            if query.after.is_none_or(|after| index > after) && query.may_match(index, bytes, &self.labels)? {
                candidates.push(index);
            }
            Ok(())
        })?;
        Ok(candidates)
    }
}

impl Leads<'_> {
    /// The record of one of them; none if it does not match after all, or is not kept any more.
    ///
    /// # Errors
    /// As [`Ledger::search`]; `BODY_ARCHIVED` and `BODY_LOST` for a record that may match.
    pub(crate) fn read(&self, index: u64) -> Result<Option<LedgerRecord>> {
        Ok(self.read_with_bom(index)?.map(|(record, _)| record))
    }

    /// As [`Leads::read`], with the SBOM that it is, read once.
    fn read_with_bom(&self, index: u64) -> Result<Option<(LedgerRecord, Option<Result<Summary>>)>> {
        let record = match self.ledger.record(index) {
            Err(e) if e.kind() == ErrorKind::BodyDisposed => return Ok(None),
            record => record?,
        };
        let bom = bom_of(record.statement());
        if self.query.matches_by(&record, &keys_with(record.statement(), bom.as_ref())) {
            return Ok(Some((record, bom)));
        }
        if self.complete { Ok(None) } else { Err(lies(index)) }
    }

    /// All that match, oldest first.
    ///
    /// # Errors
    /// As [`Leads::read`].
    pub(crate) fn records(&self) -> impl Iterator<Item = Result<LedgerRecord>> + '_ {
        self.indexes.iter().filter_map(|index| self.read(*index).transpose())
    }

    /// All SBOMs that match, oldest first, each with what it lists if it can be read.
    ///
    /// # Errors
    /// As [`Leads::read`].
    pub(crate) fn boms(&self) -> impl Iterator<Item = Result<(LedgerRecord, Result<Summary>)>> + '_ {
        let read = |index: &u64| match self.read_with_bom(*index).transpose()? {
            Ok((record, bom)) => bom.map(|bom| Ok((record, bom))),
            Err(e) => Some(Err(e)),
        };
        self.indexes.iter().filter_map(read)
    }

    /// All that match, newest first.
    ///
    /// # Errors
    /// As [`Leads::read`].
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = Result<LedgerRecord>> + '_ {
        self.indexes.iter().rev().filter_map(|index| self.read(*index).transpose())
    }
}

/// The error for an index that names what does not match.
pub(super) fn lies(row: u64) -> Error {
    Error::new(
        ErrorKind::LedgerTampered,
        format!(
            "the search index names entry {row}, which does not match; nothing of it is shown: make it anew with \
             `sealwright ledger rebuild`"
        ),
    )
}
