//! Checkpoints of transparency logs (C2SP tlog-checkpoint), signed by whatever key the trusted root gives the log, and by
//! witnesses, where these are demanded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Cosignature, Witnesses};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::merkle::Hash;
use crate::trust::Log;

/// What a log committed to.
pub(super) struct Tree {
    pub(super) size: u64,
    pub(super) root: Hash,
    /// The demanded witnesses who signed it, each once.
    pub(super) witnesses: Vec<Cosignature>,
}

/// Reads a checkpoint and checks that `log` signed it. A log of Rekor v2 must be called by its address; one of v1 has
/// the number of its tree in its name. Signatures of others are looked at only if they are of `witnesses`; a wrong one in
/// the name of a known key refuses it (C2SP signed-note).
pub(super) fn check(note: &str, log: &Log, is_v2: bool, witnesses: Option<&Witnesses>) -> Result<Tree> {
    if note.len() as u64 > limits::CHECKPOINT_BYTES {
        return Err(bad(&format!("is longer than {} bytes", limits::CHECKPOINT_BYTES)));
    }
    let (text, signatures) = note.split_once("\n\n").ok_or_else(|| bad("has no signatures"))?;
    let mut lines = text.split('\n');
    let mut line = |what: &str| lines.next().filter(|l| !l.is_empty()).ok_or_else(|| bad(what));
    let origin = line("has no origin")?;
    let size = line("has no size")?;
    let size: u64 =
        size.parse().ok().filter(|n: &u64| n.to_string() == size).ok_or_else(|| bad("has a size that is no number"))?;
    let root: Hash = line("has no root hash")?.parse().map_err(|_| bad("has a root hash that is none"))?;
    let name = if is_v2 { log.origin() } else { origin.split(" - ").next().unwrap_or_default() };
    if is_v2 && origin != name {
        return Err(bad("is of another log than the entry")
            .with("expected", name)
            .with("found", origin.escape_debug()));
    }
    // the signatures are over the text with its last end of line
    let signed = note.get(..text.len() + 1).unwrap_or_default();
    let lines = signatures.strip_suffix('\n').ok_or_else(|| bad("has a last signature without an end"))?;
    let (mut valid, mut cosigned) = (false, Vec::<Cosignature>::new());
    for (count, line) in lines.split('\n').enumerate() {
        if count == limits::NOTE_SIGNATURES {
            return Err(bad(&format!("has more than {} signatures", limits::NOTE_SIGNATURES)));
        }
        let (by, id, signature) = signature_line(line).ok_or_else(|| bad("has a line that is no signature"))?;
        if by == name && log.id.starts_with(&id) {
            if !log.key.verifies(signed.as_bytes(), &signature) {
                return Err(bad("is not what its log signed")
                    .with("expected", name)
                    .with("found", origin.escape_debug()));
            }
            valid = true;
        } else if let Some(known) = witnesses.and_then(|w| w.keys().iter().find(|key| key.is_named(by, id))) {
            let at = known
                .signed_at(&signature, signed)
                .map_err(|_| bad("is not what a witness signed").with("witness", known.name()))?;
            match cosigned.iter_mut().find(|other| other.witness == known.name()) {
                Some(other) => other.at = other.at.max(at),
                None => cosigned.push(Cosignature { witness: known.name().to_owned(), at }),
            }
        }
    }
    if valid {
        return Ok(Tree { size, root, witnesses: cosigned });
    }
    Err(bad("is not signed by the log of the entry").with("expected", name).with("found", origin.escape_debug()))
}

/// The name, key id and signature of `— <name> <base64>`.
fn signature_line(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
    let decoded = STANDARD.decode(encoded).ok()?;
    let (id, signature) = decoded.split_first_chunk()?;
    (!name.is_empty() && !signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}

fn bad(what: &str) -> Error {
    Error::new(
        ErrorKind::BadCheckpoint,
        format!("the checkpoint of a log entry {what}; get the bundle again, or check the log in the trusted root"),
    )
}
