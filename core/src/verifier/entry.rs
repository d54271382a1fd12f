//! Entries of transparency logs (Rekor v1 and v2): that a believed log holds this signature by this signer.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::body::{self, Verifies};
use super::checkpoint;
use super::signed::Signed;
use super::verified::Logged;
use crate::bundle::{InclusionProof, LogEntry, Version};
use crate::checkpoint::{Cosignature, Witnesses};
use crate::error::{Error, ErrorKind, Result};
use crate::merkle::{leaf_hash, verify_inclusion};
use crate::timestamp::Timestamp;
use crate::trust::{Log, TrustRoot};

/// A signature that was checked, with what checked it.
pub(super) struct Checked<'a> {
    pub(super) signature: &'a [u8],
    pub(super) by: Verifies<'a>,
}

/// The believed log that `entry` names.
pub(super) fn log_of<'t>(entry: &LogEntry, trust: &'t TrustRoot) -> Option<&'t Log> {
    trust.sigstore().logs.iter().find(|log| log.id.as_slice() == entry.log_id).map(|log| &**log)
}

/// That it is of nobody who is believed.
pub(super) fn unknown(entry: &LogEntry) -> Error {
    bad("is of no believed log", "if the log is right, give the trusted root that holds it")
        .with("found", hex::encode(&entry.log_id))
}

/// Checks that `log` holds an entry about one of these signatures over `signed`, and says since when.
pub(super) fn check(
    entry: &LogEntry,
    version: Version,
    log: &Log,
    signed: &Signed<'_>,
    signatures: &[Checked<'_>],
    witnesses: Option<&Witnesses>,
) -> Result<Logged> {
    let body = body::parse(entry)?;
    let about = signatures.iter().map(|s| body.is_about(signed, s.signature, &s.by));
    about.reduce(|one, other| one.or(other)).unwrap_or_else(|| Err(bad("is about nothing", "get it again")))?;
    let is_v2 = body.is_v2();
    let mut logged =
        Logged { log: log.url.clone(), index: entry.log_index, integrated_at: None, witnesses: Vec::new() };
    match &entry.inclusion_promise {
        Some(promise) => logged.integrated_at = Some(check_promise(entry, promise, log)?),
        None if version == Version::V01 && !is_v2 => {
            return Err(bad("holds no promise of inclusion, as it must in a bundle v0.1", "get it again"));
        }
        None => {}
    }
    match &entry.inclusion_proof {
        Some(proof) => (logged.index, logged.witnesses) = check_proof(entry, proof, log, is_v2, witnesses)?,
        None if version > Version::V01 || is_v2 => {
            return Err(bad("holds no proof of inclusion", "get the bundle again"));
        }
        None => {}
    }
    Ok(logged)
}

/// Checks the log's signature over entry and time (Rekor v1 signed entry timestamp), and gives the time.
fn check_promise(entry: &LogEntry, promise: &[u8], log: &Log) -> Result<Timestamp> {
    let Some(seconds) = entry.integrated_time else {
        return Err(bad("promises inclusion, and does not say since when", "get the bundle again"));
    };
    // RFC 8785, of values that need no escaping
    let mut message = String::with_capacity(entry.canonicalized_body.len() * 4 / 3 + 200);
    message.push_str("{\"body\":\"");
    STANDARD.encode_string(&entry.canonicalized_body, &mut message);
    // writing to a text does not fail
    _ = write!(
        message,
        "\",\"integratedTime\":{seconds},\"logID\":\"{}\",\"logIndex\":{}}}",
        hex::encode(&entry.log_id),
        entry.log_index
    );
    if !log.key.verifies(message.as_bytes(), promise) {
        return Err(bad("is not what its log promised to take", "get the bundle again"));
    }
    let at = seconds.checked_mul(1000).and_then(|millis| Timestamp::from_unix_millis(millis).ok());
    let at = at.ok_or_else(|| bad("has a time that is none", "get the bundle again"))?;
    if !log.window.contains(at) {
        return Err(not_counted(log).with("found", at));
    }
    Ok(at)
}

/// Checks that the entry is in the tree of a checkpoint that the log signed, and gives its index there, and the witnesses
/// who signed the same checkpoint.
fn check_proof(
    entry: &LogEntry,
    proof: &InclusionProof,
    log: &Log,
    is_v2: bool,
    witnesses: Option<&Witnesses>,
) -> Result<(u64, Vec<Cosignature>)> {
    let note = proof.checkpoint.as_deref().ok_or_else(|| {
        Error::new(
            ErrorKind::BadCheckpoint,
            "a log entry proves its inclusion in a tree, and brings no checkpoint of it; get the bundle again",
        )
    })?;
    let tree = checkpoint::check(note, log, is_v2, witnesses)?;
    // of Rekor v2 the checkpoint alone says what the tree is; of v1 the proof says it too, and must not differ
    let differs = !is_v2 && (proof.tree_size != tree.size || proof.root_hash != tree.root.as_bytes());
    if differs {
        return Err(Error::new(
            ErrorKind::BadCheckpoint,
            "the checkpoint of a log entry commits to another tree than the proof; get the bundle again",
        )
        .with("expected", hex::encode(&proof.root_hash))
        .with("found", hex::encode(tree.root.as_bytes())));
    }
    let index = if is_v2 { entry.log_index } else { proof.log_index };
    verify_inclusion(index, tree.size, &leaf_hash(&entry.canonicalized_body), &proof.hashes, &tree.root)
        .map_err(|e| bad("is not in the tree that its log committed to", "get the bundle again").caused_by(e))?;
    Ok((index, tree.witnesses))
}

/// That a log took it outside of the times in which it counts.
pub(super) fn not_counted(log: &Log) -> Error {
    bad("was taken when its log did not count", "check the log in the trusted root").with("expected", log.window)
}

pub(super) fn bad(what: &str, next: &str) -> Error {
    Error::new(ErrorKind::BadLogEntry, format!("a log entry of the record {what}; {next}"))
}
