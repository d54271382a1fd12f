//! Verifying a pack: what `verify.sh` checks, in its order, and what a shell can't.
//!
//! Beyond the script: each signer was entitled by the trust policies in the pack, each entry is labelled as its record
//! demands, and the ledger extends the checkpoint seen before, as far as the proofs in the pack tell.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::demand::{PackDemand, PackVerdict};
use super::draft::is_pack_path;
use super::manifest::{FileLine, Manifest, Role};
use super::prefix::{Extension, Nodes};
use super::signers::Use;
use super::{
    CHECKPOINT, CHECKPOINT_TIMESTAMP, MANIFEST, MANIFEST_RECORD, MANIFEST_TIMESTAMP, ROTATIONS, entry_name, proof_name,
};
use crate::bundle::Bundle;
use crate::checkpoint::{Checkpoint, Cosignature, LogKeys, SignedCheckpoint, TlogProof, VerifierKey};
use crate::digest::{Digest, files_below};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Entry, Labels, Listing, check_commitment, check_listing};
use crate::merkle::leaf_hash;
use crate::predicate::{EvidencePack, Predicate};
use crate::report::record_name;
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust_policy::{TrustChain, is_trust_policy};
use crate::verifier::{Timestamped, timestamp};
use crate::{json, limits};

/// Verifies the pack in `folder` against what is known from elsewhere.
///
/// # Errors
/// Each names the file at fault. `PACK_TAMPERED` for files that are missing, changed, not listed, linked or no part of a
/// pack; `BAD_SIGNATURE`, `UNTRUSTED_SIGNER`, `NOT_ENTITLED`, `EXPIRED`, `TRUST_POLICY_REFUSED` for signatures;
/// `LEDGER_TAMPERED`, `LEDGER_ROLLED_BACK`, `LEDGER_FORKED` for the ledger; `NOT_FOUND` if there is no such folder,
/// `LIMIT_EXCEEDED`, `PERMISSION_DENIED` or `IO` if it can't be checked.
pub fn verify(folder: &Path, demand: &PackDemand) -> Result<PackVerdict> {
    if !folder.is_dir() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("there is no folder `{}`; name the pack", folder.display()),
        ));
    }
    let mut pack = Pack { folder, demand, keys: None };
    let (files, has_unchecked_timestamp) = pack.files()?;
    pack.keys = Some(pack.log_keys(&files)?);
    let checkpoint = pack.checkpoint()?;
    let seen = pack.seen(&checkpoint)?;
    let (statement, manifest) = pack.manifest(checkpoint.checkpoint())?;
    let lines = pack.check_files(&manifest, &files)?;
    let entries = pack.entries(&lines, &checkpoint)?;
    let (trust, disposed) = pack.check_records(&lines, &entries, &statement, manifest.labels.clone())?;
    let cosignatures = pack.cosignatures(&checkpoint, &trust)?;
    let timestamps = pack.timestamps(&lines, &checkpoint, &trust)?;
    let extension = match &seen {
        None => Extension::NotAsked,
        Some(seen) if seen.size() == checkpoint.checkpoint().size() => Extension::Proven,
        Some(seen) => {
            let mut nodes = Nodes::default();
            for (index, entry) in &entries {
                nodes.learn(*index, checkpoint.checkpoint().size(), &entry.leaf, entry.proof.hashes());
            }
            nodes.check(seen.size(), seen.root())?
        }
    };
    let records = lines.values().filter(|l| l.role == Role::Record).count() as u64;
    Ok(PackVerdict {
        statement,
        checkpoint: checkpoint.checkpoint().clone(),
        records,
        bare_entries: entries.len() as u64 - records,
        disposed_entries: disposed.len() as u64,
        extension,
        cosignatures,
        timestamps,
        has_unchecked_timestamp,
    })
}

struct Pack<'a> {
    folder: &'a Path,
    demand: &'a PackDemand,
    keys: Option<LogKeys>,
}

struct ProvenEntry {
    entry: Entry,
    leaf: crate::merkle::Hash,
    proof: TlogProof,
}

impl Pack<'_> {
    /// All files, and whether a time stamp is among them. The manifest and what hangs on it list nothing of themselves.
    fn files(&self) -> Result<(BTreeMap<String, PathBuf>, bool)> {
        let mut files: BTreeMap<_, _> = files_below(self.folder).map_err(in_pack)?.into_iter().collect();
        for name in [CHECKPOINT, MANIFEST, MANIFEST_RECORD] {
            if !files.contains_key(name) {
                return Err(tampered(name, "is missing"));
            }
        }
        files.remove(MANIFEST);
        files.remove(MANIFEST_RECORD);
        let timestamp = files.remove(MANIFEST_TIMESTAMP).is_some();
        Ok((files, timestamp))
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        limits::read_file("file of the pack", &self.folder.join(name), limit).map_err(|e| match e.kind() {
            ErrorKind::NotFound => tampered(name, "is missing"),
            _ => e,
        })
    }

    /// The keys of the ledger: the one that is demanded, and those that the rotations in the pack lead to from it.
    fn log_keys(&self, files: &BTreeMap<String, PathBuf>) -> Result<LogKeys> {
        let note = self.read(CHECKPOINT, limits::CHECKPOINT_BYTES)?;
        let origin = String::from_utf8_lossy(&note);
        let known = VerifierKey::new(origin.lines().next().unwrap_or_default(), self.demand.log_key.clone())
            .map_err(|e| at(CHECKPOINT, e))?;
        let mut rotations = Vec::new();
        loop {
            let name = format!("{ROTATIONS}/{}", rotations.len() + 1);
            if !files.contains_key(&name) || rotations.len() > limits::LOG_KEY_ROTATIONS {
                return LogKeys::through(&known, &rotations).map_err(|e| at(ROTATIONS, e));
            }
            rotations.push(self.read(&name, limits::CHECKPOINT_BYTES)?);
        }
    }

    fn keys(&self) -> Result<&LogKeys> {
        self.keys.as_ref().ok_or_else(|| Error::new(ErrorKind::Internal, "the keys of the ledger were not read"))
    }

    fn checkpoint(&self) -> Result<SignedCheckpoint> {
        let note = self.read(CHECKPOINT, limits::CHECKPOINT_BYTES)?;
        self.keys()?.parse_and_verify(&note).map_err(|e| at(CHECKPOINT, e))
    }

    /// Who cosigned the checkpoint, as many as demanded.
    fn cosignatures(&self, checkpoint: &SignedCheckpoint, trust: &TrustChain) -> Result<Vec<Cosignature>> {
        match &self.demand.witnesses {
            Some(demanded) => demanded.check(checkpoint),
            None => checkpoint.cosignatures(trust.newest().map(|policy| policy.witnesses()).unwrap_or_default()),
        }
        .map_err(|e| at(CHECKPOINT, e))
    }

    /// Authorities of the trust policy that timestamped the checkpoint. A token of nobody who is believed says nothing.
    fn timestamps(
        &self,
        lines: &BTreeMap<&str, &FileLine>,
        checkpoint: &SignedCheckpoint,
        trust: &TrustChain,
    ) -> Result<Vec<Timestamped>> {
        if !lines.contains_key(CHECKPOINT_TIMESTAMP) {
            return Ok(Vec::new());
        }
        let token = self.read(CHECKPOINT_TIMESTAMP, limits::TIMESTAMP_BYTES)?;
        let Ok(policy) = trust.newest() else { return Ok(Vec::new()) };
        let found = timestamp::check(&token, checkpoint.log_note().as_bytes(), policy.root());
        Ok(found.map_err(|e| at(CHECKPOINT_TIMESTAMP, e))?.into_iter().collect())
    }

    /// The checkpoint seen before, which the pack's must not fall behind or contradict.
    fn seen(&self, checkpoint: &SignedCheckpoint) -> Result<Option<Checkpoint>> {
        let Some(note) = &self.demand.min_checkpoint else { return Ok(None) };
        let seen = self.keys()?.parse_and_verify(note).map_err(|e| e.while_doing("the checkpoint seen before"))?;
        let (seen, now) = (seen.checkpoint(), checkpoint.checkpoint());
        if seen.origin() != now.origin() {
            return Err(Error::new(
                ErrorKind::LedgerForked,
                format!("expected the ledger `{}`, found `{}` in `{CHECKPOINT}`", seen.origin(), now.origin()),
            ));
        }
        if now.size() < seen.size() {
            return Err(Error::new(
                ErrorKind::LedgerRolledBack,
                format!(
                    "`{CHECKPOINT}` is of {} entries, and you have seen {}; ask for a pack of the ledger as it is now",
                    now.size(),
                    seen.size()
                ),
            )
            .with("expected", seen.size())
            .with("found", now.size()));
        }
        if now.size() == seen.size() && now.root() != seen.root() {
            return Err(Error::new(
                ErrorKind::LedgerForked,
                format!("two checkpoints of {} entries differ; keep both as proof and call the owner", now.size()),
            ));
        }
        Ok(Some(seen.clone()))
    }

    /// The statement of a pack signer, and the manifest it is about.
    fn manifest(&self, checkpoint: &Checkpoint) -> Result<(EvidencePack, Manifest)> {
        let record = self.read(MANIFEST_RECORD, limits::RECORD_BYTES)?;
        let bundle = Bundle::parse(&record).map_err(|e| at(MANIFEST_RECORD, e))?;
        let bytes = self.read(MANIFEST, limits::DOCUMENT_BYTES)?;
        let manifest: Manifest = json::parse("manifest", &bytes).map_err(|e| at(MANIFEST, e))?;
        // of the manifest nothing but its time is believed before the signature over it was checked
        let made_at = [manifest.generated_at];
        self.demand.signers.check(&bundle, Use::Manifest, &made_at).map_err(|e| at(MANIFEST_RECORD, e))?;
        let signed = bundle
            .into_envelope()
            .and_then(|envelope| Statement::parse(envelope.into_payload()))
            .map_err(|e| at(MANIFEST_RECORD, e))?;
        let statement: EvidencePack = signed.predicate_as().map_err(|e| at(MANIFEST_RECORD, e))?;
        if !signed.subjects().first().is_some_and(|s| s.has(&Digest::sha256(&bytes))) {
            return Err(tampered(MANIFEST, "is not the one that was signed"));
        }
        for ledger in [&statement.ledger, &manifest.ledger] {
            let same = ledger.origin == checkpoint.origin()
                && ledger.size == checkpoint.size()
                && ledger.root_hash == checkpoint.root().to_string();
            if !same {
                return Err(tampered(MANIFEST, "was signed for another checkpoint than the one in the pack"));
            }
        }
        Ok((statement, manifest))
    }

    /// Exactly the files listed, each with its hash and length. Gives the lines by path.
    fn check_files<'m>(
        &self,
        manifest: &'m Manifest,
        files: &BTreeMap<String, PathBuf>,
    ) -> Result<BTreeMap<&'m str, &'m FileLine>> {
        let mut lines = BTreeMap::new();
        for line in &manifest.files {
            if !is_pack_path(&line.path) || lines.insert(line.path.as_str(), line).is_some() {
                let path = line.path.escape_debug();
                return Err(tampered(MANIFEST, &format!("lists `{path}`, which is no path of a pack, or twice")));
            }
        }
        if let Some(extra) = files.keys().find(|name| !lines.contains_key(name.as_str())) {
            return Err(tampered(extra, "is not listed in the manifest; it is no part of the pack"));
        }
        for (name, line) in &lines {
            let Some(path) = files.get(*name) else { return Err(tampered(name, "is missing")) };
            let found = Digest::of_file(path)?;
            if found.hex() != line.sha256 || path.metadata().map_or(0, |m| m.len()) != line.size {
                return Err(tampered(name, "differs from the manifest")
                    .with("expected", &line.sha256)
                    .with("found", found));
            }
        }
        Ok(lines)
    }

    /// All entries, proven under the one checkpoint, in order and with rising time.
    fn entries(
        &self,
        lines: &BTreeMap<&str, &FileLine>,
        checkpoint: &SignedCheckpoint,
    ) -> Result<BTreeMap<u64, ProvenEntry>> {
        let keys = self.keys()?;
        let mut entries = BTreeMap::new();
        for name in lines.keys().filter(|name| name.starts_with("entries/")) {
            let index: Option<u64> =
                name.strip_prefix("entries/").and_then(|n| n.strip_suffix(".json")).and_then(|n| n.parse().ok());
            let index =
                index.filter(|i| entry_name(*i) == **name).ok_or_else(|| tampered(name, "is no name of an entry"))?;
            let proof_name = proof_name(index);
            if !lines.contains_key(proof_name.as_str()) {
                return Err(tampered(name, "has no proof"));
            }
            let bytes = self.read(name, limits::CHECKPOINT_BYTES)?;
            let entry = Entry::parse(&bytes).map_err(|e| at(name, e))?;
            let leaf = leaf_hash(&bytes);
            let proof = self.read(&proof_name, 2 * limits::CHECKPOINT_BYTES)?;
            let proof = TlogProof::parse_and_verify_with(&proof, &leaf, keys).map_err(|e| at(&proof_name, e))?;
            if proof.index() != index || proof.checkpoint().checkpoint() != checkpoint.checkpoint() {
                return Err(tampered(&proof_name, "is for another index or another checkpoint"));
            }
            entries.insert(index, ProvenEntry { entry, leaf, proof });
        }
        if entries.is_empty() {
            return Err(tampered(MANIFEST, "lists no entries; a pack without entries proves nothing"));
        }
        let mut last = i64::MIN;
        for (index, proven) in &entries {
            if proven.entry.time < last {
                return Err(at(
                    &entry_name(*index),
                    Error::new(ErrorKind::LedgerTampered, "the time runs back to before the entry before it"),
                ));
            }
            last = proven.entry.time;
        }
        let proofs: BTreeSet<String> = entries.keys().map(|index| proof_name(*index)).collect();
        if let Some(name) = lines.keys().find(|name| name.starts_with("proofs/") && !proofs.contains(**name)) {
            return Err(tampered(name, "proves no entry of the pack"));
        }
        Ok(entries)
    }

    /// Each record is the one its entry commits to, signed by a listed signer who was entitled, and labelled rightly. Gives
    /// the trust policies among them, and the entries without a record that a disposal record explains.
    fn check_records(
        &self,
        lines: &BTreeMap<&str, &FileLine>,
        entries: &BTreeMap<u64, ProvenEntry>,
        statement: &EvidencePack,
        labels: Option<Listing>,
    ) -> Result<(TrustChain, BTreeSet<u64>)> {
        let labels = match labels {
            None => Labels::default(),
            Some(listing) => {
                check_listing(&listing).map_err(|e| at(MANIFEST, e))?;
                Labels::Listed(Arc::new(listing))
            }
        };
        let mut by_index = BTreeMap::new();
        for (name, line) in lines.iter().filter(|(name, l)| l.role == Role::Record || name.starts_with("records/")) {
            let index = line.ledger_index.filter(|_| line.role == Role::Record);
            let index = index.ok_or_else(|| tampered(name, "has no record line in the manifest"))?;
            if by_index.insert(index, *line).is_some() {
                return Err(tampered(name, "is a second record of one entry"));
            }
        }
        let mut trust = TrustChain::pinned(self.demand.trust_policy.clone());
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let mut disposed = BTreeSet::new();
        let bare: BTreeSet<u64> = entries.keys().filter(|index| !by_index.contains_key(index)).copied().collect();
        // in the order of the ledger, so that each is judged by the trust policy in force before it
        for (index, line) in by_index {
            let Some(proven) = entries.get(&index) else { return Err(tampered(&line.path, "has no entry")) };
            let found =
                self.check_record(index, line, &proven.entry, &labels, &mut trust).map_err(|e| at(&line.path, e))?;
            if let Ok(Predicate::RetentionDisposal(disposal)) = found.predicate() {
                // only what it can have disposed of: what was there before it
                let named = disposal.items.iter().map(|item| item.ledger_index).filter(|item| *item < index);
                disposed.extend(named.filter(|item| bare.contains(item)));
            }
            *counts.entry(found.predicate_type().to_owned()).or_default() += 1;
        }
        if counts != statement.contents || counts.values().sum::<u64>() != statement.completeness.present {
            return Err(tampered(MANIFEST_RECORD, "counts other records than the pack holds"));
        }
        Ok((trust, disposed))
    }

    /// Gives what the record says.
    fn check_record(
        &self,
        index: u64,
        line: &FileLine,
        entry: &Entry,
        labels: &Labels,
        trust: &mut TrustChain,
    ) -> Result<Statement> {
        let record = self.read(&line.path, limits::RECORD_BYTES)?;
        let bundle = Bundle::parse(&record)?;
        if record_name(index, bundle.material()) != line.path {
            return Err(Error::new(
                ErrorKind::PackTampered,
                format!("listed for entry {index}, which it isn't named by"),
            ));
        }
        let salt = line.salt.as_deref().and_then(|s| STANDARD.decode(s).ok());
        let salt: [u8; 32] = salt
            .and_then(|s| s.try_into().ok())
            .ok_or_else(|| Error::new(ErrorKind::PackTampered, "its salt in the manifest is not 32 bytes in base64"))?;
        let body = check_commitment(entry, salt, record)?;
        let logged_at: Timestamp = entry.logged_at()?;
        // a certificate is over before a record was logged that waited; when it signed, the logs and authorities say
        // that the trust policy believes, which is as good as the pin of the first one
        let is_pinned = self.demand.trust_policy.is_some();
        let verified = if is_pinned {
            let verified = trust.verify_despite_revocation(&body.record, index, logged_at)?;
            let times: Vec<_> = [logged_at].into_iter().chain(verified.signed_at()).collect();
            self.demand.signers.check(&bundle, Use::Record, &times)?;
            verified
        } else {
            self.demand.signers.check(&bundle, Use::Record, &[logged_at])?;
            trust.verify_despite_revocation(&body.record, index, logged_at)?
        };
        let statement = verified.value();
        if Some(statement.payload_digest().hex()) != line.payload_sha256 {
            return Err(Error::new(ErrorKind::PackTampered, "its payload is not the one listed in the manifest"));
        }
        if Entry::derive(statement, &body, logged_at, labels)? != *entry {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                format!("entry {index} is labelled other than what its record is"),
            ));
        }
        if is_trust_policy(statement.predicate_type()) {
            trust.take(&verified, index, logged_at)?;
        }
        Ok(statement.clone())
    }
}

fn tampered(path: &str, what: &str) -> Error {
    let path = path.escape_debug();
    Error::new(ErrorKind::PackTampered, format!("`{path}` {what}; ask for the pack again")).with("path", path)
}

/// A fault of the content of one file is a refusal of the pack, whatever it would be of the file alone.
fn at(path: &str, e: Error) -> Error {
    match e.kind() {
        ErrorKind::Malformed | ErrorKind::Unsupported | ErrorKind::ApiMisuse | ErrorKind::WrongType => {
            tampered(path, &format!("is not what a pack holds there: {}", e.message())).caused_by(e)
        }
        _ => e.while_doing(format_args!("`{path}`")).with("path", path),
    }
}

/// Links, special files and odd names have no place in a pack.
fn in_pack(e: Error) -> Error {
    match e.kind() {
        ErrorKind::Malformed => {
            Error::new(ErrorKind::PackTampered, format!("the pack holds what no pack may: {}", e.message()))
                .caused_by(e)
        }
        _ => e,
    }
}
