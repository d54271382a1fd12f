//! Proof that a log signed two histories: two of its checkpoints that contradict each other.
//!
//! Two checkpoints of one size with different roots speak for themselves. Of two sizes, a consistency proof from the larger
//! one shows which root its tree had at the smaller size, and that is not the root that was signed.

use serde::{Deserialize, Serialize};

use super::Ledger;
use super::anchor::Anchors;
use crate::checkpoint::{LogKeys, SignedCheckpoint, VerifierKey};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::merkle::{Hash, TileReader, consistency_proof, root, verify_consistency};
use crate::{json, limits};

/// Two checkpoints of one log that contradict each other, each signed. Exists only proven; kept as JSON, so that anybody
/// with the key of the log can check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    smaller: SignedCheckpoint,
    larger: SignedCheckpoint,
    /// Root and proof of the larger tree at the smaller size; none if the sizes are the same.
    then: Option<(Hash, Vec<Hash>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    v: String,
    origin: String,
    /// Signed notes, the smaller one first.
    checkpoints: [String; 2],
    /// The root that the larger tree had at the smaller size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root_then: Option<String>,
    /// Consistency proof from that root to the root of the larger tree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    proof: Vec<String>,
}

const FORMAT: &str = "sealwright-fork/v1";

impl Fork {
    /// The proof that two checkpoints of one log contradict each other, out of the tiles of the larger one; none if they
    /// do not.
    pub(super) fn prove(
        one: &SignedCheckpoint,
        other: &SignedCheckpoint,
        tiles: &dyn TileReader,
    ) -> Result<Option<Self>> {
        let (smaller, larger) =
            if one.checkpoint().size() <= other.checkpoint().size() { (one, other) } else { (other, one) };
        let (small, large) = (smaller.checkpoint(), larger.checkpoint());
        if small.origin() != large.origin() || small.size() == 0 {
            return Ok(None);
        }
        let then = if small.size() == large.size() {
            None
        } else {
            let then = root(small.size(), tiles)?;
            Some((then, consistency_proof(small.size(), large.size(), tiles)?))
        };
        let fork = Self { smaller: smaller.clone(), larger: larger.clone(), then };
        Ok(fork.check().is_ok().then_some(fork))
    }

    /// Reads a proof, and checks it for the log of these keys.
    ///
    /// # Errors
    /// `MALFORMED`, `LIMIT_EXCEEDED` or `UNSUPPORTED` for what is none; those of [`LogKeys::parse_and_verify`] for its
    /// checkpoints; `EXPECTATION_UNMET` if they do not contradict each other.
    pub fn parse_and_verify(bytes: &[u8], keys: &LogKeys) -> Result<Self> {
        if bytes.len() as u64 > 3 * limits::CHECKPOINT_BYTES {
            return Err(Error::new(ErrorKind::LimitExceeded, "a proof of a fork is two checkpoints and no more")
                .with("limit", 3 * limits::CHECKPOINT_BYTES));
        }
        let wire: Wire = json::parse("proof of a fork", bytes)?;
        if wire.v != FORMAT {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("expected a proof of the format `{FORMAT}`, found `{}`", wire.v.escape_debug()),
            ));
        }
        let [smaller, larger] = &wire.checkpoints;
        let then = match &wire.root_then {
            Some(root) => {
                let proof = wire.proof.iter().map(|hash| hash.parse()).collect::<Result<Vec<Hash>>>()?;
                Some((root.parse()?, proof))
            }
            None => None,
        };
        let fork = Self {
            smaller: keys.parse_and_verify(smaller.as_bytes())?,
            larger: keys.parse_and_verify(larger.as_bytes())?,
            then,
        };
        fork.check()?;
        Ok(fork)
    }

    /// Whether it proves what it says; the signatures were verified when its checkpoints were read.
    fn check(&self) -> Result<()> {
        let (small, large) = (self.smaller.checkpoint(), self.larger.checkpoint());
        let contradicts = match &self.then {
            _ if small.origin() != large.origin() => false,
            None => small.size() == large.size() && small.root() != large.root(),
            Some((then, proof)) => {
                0 < small.size()
                    && small.size() < large.size()
                    && then != small.root()
                    && verify_consistency(small.size(), then, large.size(), large.root(), proof).is_ok()
            }
        };
        if contradicts {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::ExpectationUnmet,
            "the two checkpoints do not contradict each other, so they prove no fork; compare the ones you mean",
        ))
    }

    /// The checkpoint of fewer entries, or of as many.
    pub fn smaller(&self) -> &SignedCheckpoint {
        &self.smaller
    }

    /// The other one.
    pub fn larger(&self) -> &SignedCheckpoint {
        &self.larger
    }

    /// The proof as JSON (RFC 8785).
    ///
    /// # Errors
    /// `INTERNAL` if it has no JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let wire = Wire {
            v: FORMAT.to_owned(),
            origin: self.smaller.checkpoint().origin().to_owned(),
            checkpoints: [self.smaller.note().to_owned(), self.larger.note().to_owned()],
            root_then: self.then.as_ref().map(|(root, _)| root.to_string()),
            proof: self.then.iter().flat_map(|(_, proof)| proof.iter().map(ToString::to_string)).collect(),
        };
        json::canonical("proof of a fork", &wire)
    }

    /// Name of the file it is kept in: one for each pair of checkpoints, whoever cosigned them.
    pub(super) fn name(&self) -> String {
        let pair = format!("{}{}", self.smaller.checkpoint().body(), self.larger.checkpoint().body());
        format!("{}.json", Digest::sha256(pair.as_bytes()).hex())
    }

    /// Where the proof lies, from the state folder.
    pub(super) fn place(&self) -> String {
        format!("forks/…/{}", self.name())
    }

    /// In words, for whoever has to act.
    pub(super) fn told(&self) -> String {
        let (small, large) = (self.smaller.checkpoint(), self.larger.checkpoint());
        format!(
            "the log `{}` signed two histories: its checkpoint of {} entries (root `{}`) contradicts the one of {} \
             entries (root `{}`)",
            small.origin(),
            small.size(),
            small.root(),
            large.size(),
            large.root()
        )
    }

    /// The error that it is told as, where it was found.
    pub(super) fn refusal(&self) -> Error {
        Error::new(
            ErrorKind::LedgerForked,
            format!("{}; keep both as proof and call the owner of the evidence", self.told()),
        )
        .with("expected", self.smaller.checkpoint().size())
        .with("found", self.larger.checkpoint().size())
    }
}

impl Ledger {
    /// The proofs kept on this machine that this log signed two histories.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` or `IO` if they can't be read.
    pub fn forks(&self) -> Result<Vec<Fork>> {
        self.anchors.forks(&self.log_key)
    }

    /// Keeps both checkpoints as proof, if they contradict each other; gives the error that says so.
    pub(super) fn keep_contradiction(&self, seen: &SignedCheckpoint, e: Error) -> Error {
        if e.kind() != ErrorKind::LedgerForked {
            return e;
        }
        let kept = Fork::prove(seen, &self.checkpoint, &self.store)
            .and_then(|fork| fork.map(|fork| self.anchors.keep_fork(&fork, self.log_key.first())).transpose());
        // a state folder that can't be written does not make the fork any less one
        if matches!(kept, Ok(Some(()))) { e.with("proof", self.anchors.folder().display()) } else { e }
    }
}

impl Anchors {
    /// The proofs kept here that the log `key` speaks for signed two histories.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` or `IO` if they can't be read. What is no such proof is passed over: it proves nothing.
    pub fn forks(&self, keys: &LogKeys) -> Result<Vec<Fork>> {
        let folder = self.forks_folder(keys.first());
        let entries = match std::fs::read_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|e| Error::io("read folder", &folder, e))?,
        };
        let mut paths = Vec::new();
        for entry in entries.take(limits::FORKS) {
            paths.push(entry.map_err(|e| Error::io("read folder", &folder, e))?.path());
        }
        paths.sort();
        let mut forks = Vec::new();
        for path in paths {
            let bytes = limits::read_file("proof of a fork", &path, 3 * limits::CHECKPOINT_BYTES)?;
            forks.extend(Fork::parse_and_verify(&bytes, keys));
        }
        Ok(forks)
    }

    /// Keeps a proof for good, beside the anchors.
    pub(super) fn keep_fork(&self, fork: &Fork, first: &VerifierKey) -> Result<()> {
        let path = self.forks_folder(first).join(fork.name());
        let folder = self.forks_folder(first);
        if path.exists() || std::fs::read_dir(&folder).is_ok_and(|entries| entries.count() >= limits::FORKS) {
            return Ok(());
        }
        self.keep(&path, &fork.to_json()?)
    }

    /// Where proofs about a log lie: named by its first key, which no other log has.
    fn forks_folder(&self, first: &VerifierKey) -> std::path::PathBuf {
        self.folder().join("forks").join(Digest::sha256(first.to_string().as_bytes()).hex())
    }
}
