//! What others say of a ledger's checkpoints: cosignatures of witnesses, and RFC 3161 timestamps.
//!
//! The newest cosignatures stand in `checkpoint` itself. What was cosigned and timestamped is also kept by its size, for
//! an entry is as old as the first checkpoint over it that somebody else saw.

use serde::Serialize;

use super::audit::{AuditFindingKind, AuditReport};
use super::mark::without_all;
use super::storage::{Batch, Outcome};
use super::store::{CHECKPOINT, CHECKPOINTS, Store};
use super::{Ledger, read_checkpoint};
use crate::checkpoint::{Cosignature, SignedCheckpoint, WitnessKey};
use crate::error::{Error, ErrorKind, Result, optional};
use crate::limits;
use crate::timestamp::Timestamp;
use crate::trust::TrustRoot;
use crate::verifier::{Timestamped, timestamp};

/// What others said of one checkpoint, as the trust policy in force believes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Witnessed {
    /// Entries of the checkpoint.
    pub size: u64,
    /// Who cosigned it, and when.
    pub cosignatures: Vec<Cosignature>,
    /// How many cosignatures the trust policy demands.
    pub quorum: u64,
    /// Believed authorities that timestamped it, and when.
    pub timestamps: Vec<Timestamped>,
}

/// A witness that gave no cosignature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Unwitnessed {
    /// Name of its key.
    pub witness: String,
    /// Code of the error.
    pub code: &'static str,
    /// Why, in words.
    pub message: String,
}

impl Witnessed {
    /// Whether as many cosigned it as the trust policy demands.
    pub fn has_quorum(&self) -> bool {
        self.cosignatures.len() as u64 >= self.quorum
    }

    /// The newest time that somebody else vouches for, if there is one.
    pub fn anchored_at(&self) -> Option<Timestamp> {
        self.cosignatures.iter().map(|c| c.at).chain(self.timestamps.iter().map(|t| t.at)).max()
    }

    /// Whether `now` is within five minutes of a cosignature or a timestamp (predicates section 1.3).
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let near = |at: Timestamp| (now.unix_millis() - at.unix_millis()).abs() <= limits::ANCHOR_MILLIS;
        self.cosignatures.iter().map(|c| c.at).chain(self.timestamps.iter().map(|t| t.at)).any(near)
    }
}

impl Ledger {
    /// What the witnesses and time-stamp authorities of the trust policy in force said of the present checkpoint.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if a cosignature or a timestamp in their name is not theirs; `PERMISSION_DENIED` or `IO`.
    pub fn witnessed(&self) -> Result<Witnessed> {
        let policy = self.trust_policy()?;
        let checkpoint = &self.checkpoint;
        let size = checkpoint.checkpoint().size();
        let cosignatures = checkpoint.cosignatures(policy.witnesses()).map_err(|e| self.not_theirs(CHECKPOINT, &e))?;
        let mut timestamps = Vec::new();
        if let Some(kept) = self.kept(size)? {
            for token in [first_token(size), newest_token(size)] {
                let Some(bytes) = self.read_token(&token)? else { continue };
                let read = timestamp::check(&bytes, kept.log_note().as_bytes(), policy.root());
                timestamps.extend(read.map_err(|e| self.not_theirs(&token, &e))?);
            }
        }
        timestamps.dedup();
        Ok(Witnessed { size, cosignatures, quorum: policy.predicate().quorum, timestamps })
    }

    /// Keeps the cosignatures of a checkpoint of this ledger, a signed note such as a witness gives back, by witnesses of
    /// the trust policy in force. Gives those that its checkpoint of that size has now.
    ///
    /// # Errors
    /// `BAD_SIGNATURE` if it is not signed by the log or a cosignature is not its witness's; `LEDGER_FORKED` or
    /// `LEDGER_ROLLED_BACK` if it is of another history, or a newer one; `NOT_FOUND` if none of these witnesses cosigned
    /// it; `APPEND_REFUSED` if the ledger was moved; `LEDGER_BUSY`, `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`.
    pub fn keep_cosigned(&mut self, note: &[u8]) -> Result<Vec<Cosignature>> {
        let witnesses = self.trust_policy()?.witnesses().to_vec();
        let cosigned = self.log_key.parse_and_verify(note)?;
        if cosigned.cosignatures(&witnesses)?.is_empty() {
            return Err(Error::new(
                ErrorKind::NotFound,
                "no witness of the trust policy cosigned this checkpoint; name witnesses there first",
            ));
        }
        let storage = self.store.shared();
        let mut right = storage.acquire(self.patience)?;
        self.refresh()?;
        self.check_here()?;
        self.check_extends(cosigned.checkpoint()).map_err(|e| self.keep_contradiction(&cosigned, e))?;
        let lines = cosigned.note().rsplit("\n\n").next().unwrap_or_default();
        let size = cosigned.checkpoint().size();
        let mut now = cosigned.clone();
        if size == self.size() {
            now = self.checkpoint.with_cosignatures(lines, &witnesses)?;
            let outcome = right.commit(Batch {
                objects: Vec::new(),
                stale: Vec::new(),
                before: Some(self.checkpoint.note().as_bytes()),
                checkpoint: now.note().as_bytes(),
            })?;
            // where somebody appended meanwhile, the cosigned checkpoint is one of before, and is kept as such
            if outcome == Outcome::Committed {
                self.checkpoint = now.clone();
            }
        }
        // the first cosignature of a witness dates the entries best, so it is not replaced by a later one
        let kept = match self.kept(size)? {
            Some(kept) => {
                let have = kept.cosignatures(&witnesses)?;
                let new = witnesses.iter().filter(|w| have.iter().all(|c| c.witness != w.name())).cloned();
                kept.with_cosignatures(lines, &new.collect::<Vec<_>>())?
            }
            None => {
                self.log_key.parse_and_verify(cosigned.log_note().as_bytes())?.with_cosignatures(lines, &witnesses)?
            }
        };
        right.write(&checkpoint_name(size), kept.note().as_bytes())?;
        now.cosignatures(&witnesses)
    }

    /// Keeps an RFC 3161 token over a checkpoint of this ledger ([`SignedCheckpoint::log_note`]), of an authority that the
    /// trust policy in force believes. The first and the newest of one size are kept.
    ///
    /// # Errors
    /// `BAD_TIMESTAMP` if it is not over this checkpoint, or of nobody who is believed; otherwise as
    /// [`Ledger::keep_cosigned`].
    pub fn keep_timestamp(&mut self, checkpoint: &SignedCheckpoint, token: &[u8]) -> Result<Timestamped> {
        let stamped = self.log_key.parse_and_verify(checkpoint.log_note().as_bytes())?;
        if token.len() as u64 > limits::TIMESTAMP_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("a timestamp has at most {} bytes; it is none", limits::TIMESTAMP_BYTES),
            )
            .with("limit", limits::TIMESTAMP_BYTES));
        }
        let believed = timestamp::check(token, stamped.log_note().as_bytes(), self.trust_policy()?.root())
            .and_then(|timestamped| timestamped.ok_or_else(timestamp::unknown))
            .map_err(|e| e.while_doing("the timestamp of the checkpoint"))?;
        let storage = self.store.shared();
        let mut right = storage.acquire(self.patience)?;
        self.refresh()?;
        self.check_here()?;
        self.check_extends(stamped.checkpoint()).map_err(|e| self.keep_contradiction(&stamped, e))?;
        let size = stamped.checkpoint().size();
        if self.kept(size)?.is_none() {
            right.write(&checkpoint_name(size), stamped.log_note().as_bytes())?;
        }
        let first = first_token(size);
        let name = if self.read_token(&first)?.is_none() { first } else { newest_token(size) };
        right.write(&name, token)?;
        Ok(believed)
    }

    /// The newest timestamp over the present checkpoint, as its authority gave it.
    pub(crate) fn checkpoint_token(&self) -> Result<Option<Vec<u8>>> {
        let size = self.size();
        Ok(match self.read_token(&newest_token(size))? {
            Some(token) => Some(token),
            None => self.read_token(&first_token(size))?,
        })
    }

    /// The checkpoint of a size that is kept with its cosignatures.
    fn kept(&self, size: u64) -> Result<Option<SignedCheckpoint>> {
        let name = checkpoint_name(size);
        let Some(note) = optional(self.store.read(&name, limits::CHECKPOINT_BYTES))? else { return Ok(None) };
        self.log_key.parse_and_verify(&note).map(Some).map_err(|e| self.not_theirs(&name, &e))
    }

    fn read_token(&self, name: &str) -> Result<Option<Vec<u8>>> {
        optional(self.store.read(name, limits::TIMESTAMP_BYTES))
    }

    fn not_theirs(&self, name: &str, e: &Error) -> Error {
        Error::new(
            ErrorKind::LedgerTampered,
            format!(
                "`{name}` of the ledger `{}` is not as it was given: {}; restore it from a copy",
                self.origin(),
                e.message()
            ),
        )
        .with("path", name)
    }

    /// Cosignatures and timestamps, of now and of before: each by a witness or an authority that some version of the trust
    /// policy knows, over a state that this history had. Gives the names of the files.
    pub(super) fn audit_witnessed(&self, report: &mut AuditReport) -> Result<Vec<String>> {
        let mut witnesses: Vec<WitnessKey> = Vec::new();
        let mut roots: Vec<&TrustRoot> = Vec::new();
        for (_, policy) in self.trust.versions() {
            for witness in policy.witnesses() {
                if !witnesses.contains(witness) {
                    witnesses.push(witness.clone());
                }
            }
            roots.push(policy.root());
        }
        let mut wrong = |name: &str, message: &str| report.add(AuditFindingKind::CheckpointTampered, name, message);
        let mut lines = |name: &str, checkpoint: &SignedCheckpoint| {
            if let Err(e) = checkpoint.cosignatures(&witnesses) {
                wrong(name, e.message());
            }
            if !checkpoint.foreign_lines(&witnesses).is_ok_and(|foreign| foreign.is_empty()) {
                wrong(name, "it has a signature of nobody whom the trust policy knows as a witness");
            }
        };
        // marks are no signatures
        let unmarked = without_all(read_checkpoint(&self.store, &self.log_key)?.note());
        lines(CHECKPOINT, &self.log_key.parse_and_verify(unmarked.as_bytes())?);
        let mut found = Vec::new();
        if self.store.storage().service().is_some() {
            // which tells no names
            for name in names_of(self.size()) {
                if self.store.storage().size(&name)?.is_some() {
                    found.push(name);
                }
            }
        } else {
            self.store.storage().list(&format!("{CHECKPOINTS}/"), &mut |name, _| {
                found.push(name.to_owned());
                Ok(())
            })?;
        }
        found.sort();
        let mut names = Vec::new();
        let mut tokens = Vec::new();
        for name in found {
            let Some(size) = size_of(&name) else { continue };
            match self.kept(size) {
                Ok(Some(kept)) if name == checkpoint_name(size) => {
                    lines(&name, &kept);
                    if let Err(e) = self.check_extends(kept.checkpoint()) {
                        tokens.push((name.clone(), Err(e)));
                    }
                }
                Ok(Some(kept)) => tokens.push((name.clone(), Ok(kept))),
                Ok(None) => continue,
                Err(e) => tokens.push((name.clone(), Err(e))),
            }
            names.push(name);
        }
        for (name, kept) in tokens {
            let checked = kept.and_then(|kept| {
                let token = self.read_token(&name)?.unwrap_or_default();
                let checks = roots.iter().map(|root| timestamp::check(&token, kept.log_note().as_bytes(), root));
                let mut last = Err(timestamp::unknown());
                for check in checks {
                    match check {
                        Ok(Some(_)) => return Ok(()),
                        Ok(None) => {}
                        Err(e) => last = Err(e),
                    }
                }
                last
            });
            if let Err(e) = checked {
                report.add(AuditFindingKind::CheckpointTampered, name, e.message());
            }
        }
        Ok(names)
    }
}

fn checkpoint_name(size: u64) -> String {
    // numbered like bodies, three digits a folder
    Store::body_name(size).replacen(super::store::BODIES, CHECKPOINTS, 1)
}

fn first_token(size: u64) -> String {
    format!("{}.tsr", checkpoint_name(size))
}

fn newest_token(size: u64) -> String {
    format!("{}.new.tsr", checkpoint_name(size))
}

/// The files about the checkpoint of one size.
pub(super) fn names_of(size: u64) -> [String; 3] {
    [checkpoint_name(size), first_token(size), newest_token(size)]
}

/// Whether a file of this name is about a checkpoint that others saw.
#[cfg(feature = "serve")]
pub(crate) fn is_about_checkpoint(name: &str) -> bool {
    size_of(name).is_some()
}

/// The size that a file is about, if it is one of those above.
pub(super) fn size_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix(CHECKPOINTS)?.strip_prefix('/')?;
    let number = number.strip_suffix(".tsr").map_or(number, |n| n.strip_suffix(".new").unwrap_or(n));
    let mut size = 0u64;
    for element in number.split('/') {
        let digits: u64 = element.trim_start_matches('x').parse().ok()?;
        size = size.checked_mul(1000)?.checked_add(digits)?;
    }
    names_of(size).iter().any(|known| known == name).then_some(size)
}
