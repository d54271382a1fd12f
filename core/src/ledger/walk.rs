//! Reading entries and records, each proven against the checkpoint; walking all of them, so that nothing is missed.

use std::collections::BTreeSet;

use super::Ledger;
use super::append::Place;
use super::edge::EdgeTiles;
use super::entry::{Body, Entry};
use super::label::Labels;
use super::receipt::Receipt;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::merkle::{BundleId, EMPTY_ROOT, Frontier, Hash, inclusion_proof, leaf_hash, verify_inclusion};
use crate::predicate::{NAMESPACE, Predicate};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust_policy::Speaker;
use crate::verifier::Verified;

/// A record of the ledger: proven to be in it, and verified under the trust policy at its index.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LedgerRecord {
    /// Index of its entry, from 0.
    pub index: u64,
    /// Its entry.
    pub entry: Entry,
    /// The record, verified.
    pub verified: Verified<Statement>,
    /// Who signed it, as the trust policy at its index knows them; of several the first who may say this.
    pub speaker: Speaker,
    /// Whether a revocation of today takes away what it supports. What it refuses, it still refuses.
    pub revoked: bool,
}

impl LedgerRecord {
    /// What the record says.
    pub fn statement(&self) -> &Statement {
        self.verified.value()
    }

    /// When it was logged.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if its entry holds no time.
    pub fn logged_at(&self) -> Result<Timestamp> {
        self.entry.logged_at()
    }
}

/// Tags by which entries are selected; an entry matches that has one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) tags: BTreeSet<(&'static str, String)>,
    /// Tags by which control entries are selected as well.
    scope: BTreeSet<(&'static str, String)>,
}

/// Entries of a [`Selection`], complete up to the checkpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selected {
    /// Entries that match by a tag.
    pub(crate) matched: Vec<u64>,
    /// Control entries that match by no tag and are not ruled out by theirs.
    pub(crate) control: Vec<u64>,
    /// All control entries.
    pub(crate) controls: u64,
    /// Time of the last entry.
    pub(crate) last: Option<Timestamp>,
}

/// Tags that can rule a control entry out: it names others of these, and none of the selected.
const RULING: [&str; 5] = ["subject", "change", "service", "release", "environment"];

impl Selection {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.tags.insert((name, value.into()));
        self
    }

    /// Widens it by the sources a record names: where one of `artifacts` came from, and what one of `changes` covers.
    pub(crate) fn with_sources_of(
        self,
        record: &LedgerRecord,
        artifacts: &BTreeSet<Digest>,
        changes: &BTreeSet<String>,
    ) -> Self {
        let statement = record.statement();
        let digests: Vec<Digest> = match statement.predicate() {
            Ok(Predicate::Provenance(p)) if artifacts.iter().any(|d| statement.has_subject(d)) => {
                p.build_definition.resolved_dependencies.iter().flat_map(|d| d.digests().collect::<Vec<_>>()).collect()
            }
            Ok(Predicate::ChangeRequest(c)) if changes.contains(&c.change_id) => {
                statement.subjects().iter().flat_map(|s| s.digests().collect::<Vec<_>>()).collect()
            }
            _ => Vec::new(),
        };
        digests
            .into_iter()
            .filter(|d| matches!(d.algorithm(), Algorithm::GitCommit | Algorithm::GitTree))
            .fold(self, |s, d| s.with("subject", d.to_string()))
    }

    /// Whether an entry matches by a tag.
    pub(crate) fn matches(&self, entry: &Entry) -> bool {
        entry.has_more_tags() || self.tags.iter().any(|(name, value)| entry.has_tag(name, value))
    }

    /// Also selects control entries about `value`, though others about it are none of this selection's business: what
    /// went wrong in an environment matters to whoever is to go there, what others did there does not.
    pub(crate) fn with_control_of(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.scope.insert((name, value.into()));
        self
    }

    /// Whether a control entry is not ruled out: it names nothing that could rule it out.
    pub(crate) fn cannot_rule_out(entry: &Entry) -> bool {
        let tagged = |name: &&str| entry.tag(name).next().is_some();
        // records about records and things without bytes have subjects that are no artifacts, and rule nothing out
        entry.control
            && !RULING.iter().filter(|name| **name != "subject").any(tagged)
            && (!tagged(&"subject") || !is_about_artifacts(entry))
    }

    /// With what stands in entries in the place of its tags.
    fn labelled(&self, labels: &Labels) -> Result<Wanted> {
        let of = |tags: &BTreeSet<(&'static str, String)>| {
            tags.iter().map(|(name, value)| Ok((*name, labels.of(name, value)?.into_owned()))).collect::<Result<_>>()
        };
        Ok(Wanted { tags: of(&self.tags)?, scope: of(&self.scope)? })
    }
}

/// The tags of a [`Selection`] as they stand in the entries of one ledger.
struct Wanted {
    tags: BTreeSet<(&'static str, String)>,
    scope: BTreeSet<(&'static str, String)>,
}

impl Wanted {
    fn any(tags: &BTreeSet<(&'static str, String)>, entry: &Entry) -> bool {
        tags.iter().any(|(name, label)| entry.tags.get(*name).is_some_and(|labels| labels.contains(label)))
    }
}

/// Names of types of ours whose subject is a record, a checkpoint or a thing without bytes.
const ABOUT_OTHER_THINGS: [&str; 8] = [
    "trust-policy",
    "drift-report",
    "exception-status",
    "incident",
    "risk",
    "legal-hold",
    "retention-disposal",
    "privileged-session",
];

/// Types that can be control records and whose subjects are artifacts or sources.
const ABOUT_ARTIFACTS: [&str; 14] = [
    "https://sealwright.dev/attestation/change-request/v0.1",
    "https://sealwright.dev/attestation/approval/v0.1",
    "https://sealwright.dev/attestation/deployment/v0.1",
    "https://sealwright.dev/attestation/publication/v0.1",
    "https://sealwright.dev/attestation/policy-evaluation/v0.1",
    "https://sealwright.dev/attestation/rollback/v0.1",
    "https://sealwright.dev/attestation/emergency-review/v0.1",
    "https://in-toto.io/attestation/test-result/v0.1",
    "https://slsa.dev/verification_summary/v1",
    "https://in-toto.io/attestation/vulns/v0.1",
    "https://in-toto.io/attestation/vulns/v0.2",
    "https://cosign.sigstore.dev/attestation/vuln/v1",
    "https://in-toto.io/attestation/scai/v0.3",
    "https://openvex.dev/ns",
];

/// Whether the subjects of a control entry are artifacts. Where the type is hidden, only a type known to be so is:
/// what was not told must not rule anything out.
fn is_about_artifacts(entry: &Entry) -> bool {
    if entry.labels().hides() {
        return ABOUT_ARTIFACTS.iter().any(|t| entry.is_of_type(t));
    }
    let name = entry.predicate_type.strip_prefix(NAMESPACE).and_then(|rest| rest.split('/').next());
    name.is_none_or(|name| !ABOUT_OTHER_THINGS.contains(&name))
}

impl Ledger {
    /// The entry at `index`, proven against the checkpoint.
    ///
    /// # Errors
    /// `NOT_FOUND` beyond the last one, `LEDGER_TAMPERED` if it does not prove.
    pub fn entry(&self, index: u64) -> Result<Entry> {
        let (bytes, _) = self.proven_entry(index)?;
        Entry::parse(&bytes).map(|entry| entry.labelled(&self.labels))
    }

    /// The record at `index`, proven and verified.
    ///
    /// # Errors
    /// `NOT_FOUND` beyond the last one; if its body is not there, `BODY_DISPOSED` where a record shows that it was allowed to
    /// go, `BODY_ARCHIVED` where it lies in an archive that was not named, else `BODY_LOST`; `LEDGER_TAMPERED` if it does not
    /// prove or is labelled other than what it is; and those of
    /// [`TrustChain::verify`](crate::trust_policy::TrustChain::verify).
    pub fn record(&self, index: u64) -> Result<LedgerRecord> {
        let (entry, body) = self.proven_body(index)?;
        let at = entry.logged_at()?;
        let verified = self
            .trust
            .verify_despite_revocation(&body.record, index, at)
            .map_err(|e| e.while_doing(format_args!("entry {index}")))?;
        let revoked = self.trust.is_revoked(&verified, at)?;
        if Entry::derive(verified.value(), &body, at, &self.labels)? != entry {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                format!("entry {index} is labelled other than what its record is; find out who wrote it"),
            ));
        }
        let speaker = self.trust.speaker(&verified, index)?;
        Ok(LedgerRecord { index, entry, verified, speaker, revoked })
    }

    /// Receipt of the entry at `index` under the present checkpoint.
    ///
    /// # Errors
    /// As [`Ledger::record`].
    pub fn prove(&self, index: u64) -> Result<Receipt> {
        self.receipt(&Place { index, already_there: false }).map(|(receipt, _)| receipt)
    }

    pub(crate) fn proven_record(&self, index: u64) -> Result<(Entry, Vec<u8>)> {
        self.proven_body(index).map(|(entry, body)| (entry, body.record))
    }

    /// An entry with its body, the body checked against its commitment.
    pub(crate) fn proven_body(&self, index: u64) -> Result<(Entry, Body)> {
        let entry = self.entry(index)?;
        let body = self.body_of(index, &entry)?;
        Ok((entry, body))
    }

    /// The body of a proven entry, checked against its commitment.
    pub(crate) fn body_of(&self, index: u64, entry: &Entry) -> Result<Body> {
        let Some(body) = self.store.body(index)? else { return Err(self.missing_body(index)?) };
        if body.commitment() != entry.record || body.record.len() as u64 != entry.size {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                format!("the body of entry {index} is not the one it commits to: the record was edited; restore it from a copy"),
            )
            .with("index", index));
        }
        Ok(body)
    }

    /// Why an entry has no body.
    pub(super) fn missing_body(&self, index: u64) -> Result<Error> {
        let origin = self.origin();
        let error = if let Some(by) = self.disposals()?.by.get(&index) {
            Error::new(
                ErrorKind::BodyDisposed,
                format!("the record of entry {index} of the ledger `{origin}` was disposed of, as entry {by} says"),
            )
            .with("disposal", by)
        } else if self.is_archived(index)? {
            match self.layers.archive() {
                None => Error::new(
                    ErrorKind::BodyArchived,
                    format!(
                        "the body of entry {index} of the ledger `{origin}` lies in its archive; name the archive, or \
                         restore it"
                    ),
                ),
                Some(archive) => Error::new(
                    ErrorKind::BodyLost,
                    format!(
                        "the body of entry {index} of the ledger `{origin}` was archived, and is not in `{}`; name its own \
                         archive, or restore it from a copy",
                        archive.place()
                    ),
                ),
            }
        } else {
            Error::new(
                ErrorKind::BodyLost,
                format!("entry {index} of the ledger `{origin}` has no body; restore it from a copy"),
            )
        };
        Ok(error.with("index", index))
    }

    /// The bytes of an entry with its inclusion proof, verified against the checkpoint.
    pub(crate) fn proven_entry(&self, index: u64) -> Result<(Vec<u8>, Vec<Hash>)> {
        let size = self.size();
        if index >= size {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the ledger `{}` has {size} entries, none at index {index}", self.origin()),
            ));
        }
        let bytes = self.store.entry(index, size).map_err(lost_tile)?;
        let tiles = EdgeTiles { edge: self.edge.as_ref().filter(|edge| edge.size() == size), store: &self.store };
        let proof = inclusion_proof(index, size, &tiles).map_err(lost_tile)?;
        verify_inclusion(index, size, &leaf_hash(&bytes), &proof, self.checkpoint.checkpoint().root()).map_err(
            |e| {
                self.store.forget();
                Error::new(ErrorKind::LedgerTampered, format!("entry {index} is not the one the checkpoint commits to"))
                    .caused_by(e)
            },
        )?;
        Ok((bytes, proof))
    }

    /// Visits all entries in order; see [`Ledger::walk_after`].
    pub(crate) fn walk(&self, visit: impl FnMut(u64, &Entry) -> Result<()>) -> Result<()> {
        self.walk_after(0, &EMPTY_ROOT, visit)
    }

    /// Visits all entries after those of a verified checkpoint of `size` and `root`, in order, and proves at the end
    /// that they are those of the present checkpoint: what `visit` gathered counts only if this returns `Ok`.
    pub(crate) fn walk_after(
        &self,
        from: u64,
        root: &Hash,
        mut visit: impl FnMut(u64, &Entry) -> Result<()>,
    ) -> Result<()> {
        let size = self.size();
        let mut frontier = Frontier::load(from, root, &self.store).map_err(lost_tile)?;
        let mut last = 0;
        let mut index = from;
        while index < size {
            let bundle = BundleId::containing(index, size)?;
            let entries = self.store.entries(bundle).map_err(lost_tile)?;
            let begun = usize::try_from(index % 256).unwrap_or(usize::MAX);
            let new = entries.get(begun..).unwrap_or_default();
            frontier.grow(&new.iter().map(|bytes| leaf_hash(bytes)).collect::<Vec<_>>())?;
            for bytes in new {
                let entry = Entry::parse(bytes).map_err(|e| e.while_doing(format_args!("entry {index}")))?;
                let entry = entry.labelled(&self.labels);
                if entry.time < last {
                    return Err(Error::new(ErrorKind::LedgerTampered, format!("time runs back at entry {index}")));
                }
                last = entry.time;
                visit(index, &entry)?;
                index += 1;
            }
            if new.is_empty() {
                break;
            }
        }
        if frontier.size() != size || frontier.root() != *self.checkpoint.checkpoint().root() {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                format!(
                    "the entries of the ledger `{}` are not those its checkpoint commits to; restore it from a copy",
                    self.origin()
                ),
            ));
        }
        Ok(())
    }

    /// All entries that match, and all control entries that are not ruled out, up to the checkpoint.
    pub(crate) fn select(&self, selection: &Selection) -> Result<Selected> {
        let mut selected = Selected::default();
        let wanted = selection.labelled(&self.labels)?;
        self.walk(|index, entry| {
            if entry.has_more_tags() || Wanted::any(&wanted.tags, entry) {
                selected.matched.push(index);
            } else if Selection::cannot_rule_out(entry) || (entry.control && Wanted::any(&wanted.scope, entry)) {
                selected.control.push(index);
            }
            selected.controls += u64::from(entry.control);
            selected.last = Some(entry.logged_at()?);
            Ok(())
        })?;
        Ok(selected)
    }
}

/// Whether an entry has no body here, for whatever reason.
pub(super) fn is_without_body(e: &Error) -> bool {
    matches!(e.kind(), ErrorKind::BodyLost | ErrorKind::BodyDisposed | ErrorKind::BodyArchived)
}

/// A tile that is missing or unreadable below the checkpoint is damage, whatever the system says of it.
pub(super) fn lost_tile(e: Error) -> Error {
    match e.kind() {
        ErrorKind::NotFound | ErrorKind::Malformed | ErrorKind::LimitExceeded => Error::new(
            ErrorKind::LedgerTampered,
            format!("a tile of the ledger is missing or damaged: {}; restore it from a copy", e.message()),
        )
        .caused_by(e),
        _ => e,
    }
}
