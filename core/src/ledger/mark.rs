//! Lines in the note of a checkpoint that are no signatures: as of a key of our own, whose id is none.
//!
//! Readers of signed notes pass over lines of keys they do not know, as they must. A line is put there by the same
//! compare-and-swap as a commit, so a sequencer that has not seen it finds the checkpoint changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Result;
use crate::random;

/// The ledger was moved; the place follows.
pub(super) const MOVED: &str = "sealwright.dev/moved";
/// Keys were replaced: who goes by the checkpoint without it commits nothing any more. Random bytes follow.
pub(super) const FENCE: &str = "sealwright.dev/fence";

/// The id a line of a note begins with; of no key.
const NO_KEY: [u8; 4] = [0; 4];

/// What the mark of this name says, if the note has it.
pub(super) fn of(note: &str, name: &str) -> Option<Vec<u8>> {
    let (_, signatures) = note.rsplit_once("\n\n")?;
    let marked = signatures.lines().find_map(|line| line.strip_prefix(&format!("— {name} ")))?;
    let bytes = STANDARD.decode(marked).unwrap_or_default();
    Some(bytes.get(NO_KEY.len()..).unwrap_or_default().to_vec())
}

/// The note with this mark, in the place of one of the same name.
pub(super) fn with(note: &str, name: &str, says: &[u8]) -> String {
    let clean = without(note, name);
    format!("{clean}— {name} {}\n", STANDARD.encode([&NO_KEY[..], says].concat()))
}

/// The note without the mark of this name.
pub(super) fn without(note: &str, name: &str) -> String {
    note.split_inclusive('\n').filter(|line| !line.starts_with(&format!("— {name} "))).collect()
}

/// The note without any mark.
pub(super) fn without_all(note: &str) -> String {
    without(&without(note, MOVED), FENCE)
}

/// The note with a fence that no other has.
pub(super) fn fenced(note: &str) -> Result<String> {
    let mut random = [0; 16];
    random::fill(&mut random)?;
    Ok(with(note, FENCE, &random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_from_the_signatures_alone_and_leaves_the_note_as_it_was() {
        let note = "example.org/log\n1\nroot\n\n— example.org/log AAAA\n";
        assert_eq!(of(note, MOVED), None);
        let marked = with(note, MOVED, b"s3://evidence/shop");
        assert_eq!(of(&marked, MOVED).as_deref(), Some(&b"s3://evidence/shop"[..]));
        assert_eq!(without(&marked, MOVED), note);
        // a line of the signed text is none of the signatures
        let line = marked.strip_prefix(note).unwrap();
        assert_eq!(of(&format!("{line}1\nroot\n\n— example.org/log AAAA\n"), MOVED), None);
        // one fence at a time, each another, beside other marks
        let (once, other) = (fenced(&marked).unwrap(), fenced(&marked).unwrap());
        let twice = fenced(&once).unwrap();
        assert!(once != other && twice != once && twice.len() == once.len());
        assert_eq!(of(&twice, MOVED), of(&marked, MOVED));
        assert_eq!(without_all(&twice), note);
    }
}
