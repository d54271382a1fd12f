//! Entries and tiles against the checkpoint, byte by byte.

use super::{AuditFinding, AuditFindingKind, AuditReport, WIDTH, on_threads};
use crate::error::{Error, Result};
use crate::ledger::Ledger;
use crate::limits;
use crate::merkle::{BundleId, EMPTY_ROOT, Hash, TILE_WIDTH, TileId, encode_entries, encode_tile, leaf_hash, root_of};

/// Bundles that are read before the next are.
const PART: usize = 64;

/// What was seen of one bundle and the tile over it.
struct Bundle {
    /// Root over its entries; none if they could not be read.
    root: Option<Hash>,
    /// The first entry whose hash the tile does not have.
    foreign: Option<u64>,
    findings: Vec<AuditFinding>,
    /// Why they could not be looked at, where that is no verdict about them.
    failed: Option<Error>,
}

impl Ledger {
    /// Holds every entry and every tile against the checkpoint.
    pub(super) fn audit_tiles(&self, report: &mut AuditReport) -> Result<()> {
        let bundles: Vec<u64> = (0..self.size().div_ceil(WIDTH)).collect();
        let mut hashes: Vec<Hash> = Vec::new();
        let mut foreign = None;
        for part in bundles.chunks(PART) {
            for bundle in on_threads(part, |number| self.look_at_bundle(*number)) {
                if let Some(e) = bundle.failed {
                    return Err(e);
                }
                report.findings.extend(bundle.findings);
                foreign = foreign.or(bundle.foreign);
                match bundle.root {
                    Some(root) => hashes.push(root),
                    // without these entries no hash above them can be checked
                    None => return Ok(()),
                }
            }
        }
        // the root over full tiles and what lies right of them
        let root = if hashes.is_empty() { EMPTY_ROOT } else { root_of(&hashes) };
        if root != *self.checkpoint.checkpoint().root() {
            report.add(
                AuditFindingKind::EntryTampered,
                foreign.map_or("entries".to_owned(), |index| format!("entry {index}")),
                "the entries are not those the checkpoint commits to: one was changed, dropped, added or moved",
            );
        }
        if !self.size().is_multiple_of(WIDTH) {
            hashes.pop();
        }
        for level in 1.. {
            if hashes.is_empty() {
                break;
            }
            let mut above = Vec::new();
            for (number, tile) in (0..).zip(hashes.chunks(usize::from(TILE_WIDTH))) {
                let width = u16::try_from(tile.len()).unwrap_or(TILE_WIDTH);
                if let Ok(id) = TileId::new(level, number, width) {
                    report.findings.extend(self.look_at_tile(id, tile)?);
                }
                if width == TILE_WIDTH {
                    above.push(root_of(tile));
                }
            }
            hashes = above;
        }
        Ok(())
    }

    fn look_at_bundle(&self, number: u64) -> Bundle {
        let mut seen = Bundle { root: None, foreign: None, findings: Vec::new(), failed: None };
        let Ok(id) = BundleId::containing(number * WIDTH, self.size()) else { return seen };
        let path = id.to_string();
        let tampered = |message: &str| AuditFinding {
            kind: AuditFindingKind::TileTampered,
            place: path.clone(),
            message: message.to_owned(),
        };
        let read = || -> Result<_> {
            let entries = self.store.entries(id)?;
            let bytes = self.store.read(&path, (limits::ENTRY_BYTES as u64 + 2) * WIDTH)?;
            let same = encode_entries(&entries)? == bytes;
            Ok((entries, same))
        };
        match read() {
            Ok((entries, same)) => {
                if !same {
                    seen.findings.push(tampered("it is not written as it must be"));
                }
                let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
                let stored = self.store.read(&id.tile().to_string(), WIDTH * 32).unwrap_or_default();
                let stored = stored.as_chunks::<32>().0.iter().map(|hash| Hash::from(*hash));
                let differs = leaves.iter().zip(stored).position(|(own, stored)| *own != stored);
                seen.foreign = differs.map(|at| number * WIDTH + at as u64);
                match self.look_at_tile(id.tile(), &leaves) {
                    Ok(finding) => seen.findings.extend(finding),
                    Err(e) => seen.failed = Some(e),
                }
                seen.root = Some(root_of(&leaves));
            }
            Err(e) if self.is_undecided(&e) => seen.failed = Some(e),
            Err(e) => seen.findings.push(tampered(e.message())),
        }
        seen
    }

    fn look_at_tile(&self, id: TileId, hashes: &[Hash]) -> Result<Option<AuditFinding>> {
        let message = match self.store.read(&id.to_string(), WIDTH * 32) {
            Ok(found) if found == encode_tile(hashes) => return Ok(None),
            Ok(_) => "it is not what the entries hash to".to_owned(),
            Err(e) if self.is_undecided(&e) => return Err(e),
            Err(e) => e.message().to_owned(),
        };
        Ok(Some(AuditFinding { kind: AuditFindingKind::TileTampered, place: id.to_string(), message }))
    }
}
