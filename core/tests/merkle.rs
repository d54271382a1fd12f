//! The tree: proofs against the published probes and another implementation, tiles against a log that Tessera wrote.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and says what it did not run"
)]

mod corpora;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use sealwright::merkle::{
    BundleId, EMPTY_ROOT, Frontier, Hash, TileId, TileReader, consistency_proof, decode_entries, decode_tile,
    encode_entries, encode_tile, inclusion_proof, leaf_hash, node_hash, root, root_of, verify_consistency,
    verify_inclusion,
};
use sealwright::{ErrorKind, Result};
use serde_json::Value;

use self::corpora::corpora;

/// Tiles in memory, by path, that count how often they are read.
#[derive(Default)]
struct Shelf {
    tiles: BTreeMap<TileId, Vec<Hash>>,
    reads: RefCell<usize>,
}

impl TileReader for Shelf {
    fn tile(&self, id: TileId) -> Result<Vec<Hash>> {
        *self.reads.borrow_mut() += 1;
        Ok(self.tiles[&id].clone())
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn grown(leaves: &[Hash]) -> Shelf {
    Shelf { tiles: Frontier::default().grow(leaves).unwrap().tiles.into_iter().collect(), ..Shelf::default() }
}

#[test]
fn the_published_inclusion_probes_get_their_verdict() {
    probes("inclusion", |probe| {
        let number = |name: &str| probe[name].as_u64().unwrap();
        let hash = |name: &str| hash_of(&probe[name]);
        Some(verify_inclusion(
            number("leafIdx"),
            number("treeSize"),
            &hash("leafHash")?,
            &proof_of(probe)?,
            &hash("root")?,
        ))
    });
}

#[test]
fn the_published_consistency_probes_get_their_verdict() {
    probes("consistency", |probe| {
        let number = |name: &str| probe[name].as_u64().unwrap();
        let hash = |name: &str| hash_of(&probe[name]);
        Some(verify_consistency(number("size1"), &hash("root1")?, number("size2"), &hash("root2")?, &proof_of(probe)?))
    });
}

fn probes(kind: &str, verify: impl Fn(&Value) -> Option<Result<()>>) {
    let Some(dir) = corpora("tlog/merkle-probes") else { return };
    let (mut seen, mut open) = ([0, 0], vec![dir.join(kind)]);
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let probe: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let wants_error = probe["wantErr"].as_bool().unwrap();
            let refused = verify(&probe).is_none_or(|verdict| verdict.is_err());
            assert_eq!(refused, wants_error, "{}: {probe}", path.display());
            seen[usize::from(wants_error)] += 1;
        }
    }
    assert!(seen[0] > 5 && seen[1] > 50, "{seen:?}");
}

/// A hash of a probe. For bytes of another length, which no hash of ours can be, another hash stands; for none, none.
fn hash_of(value: &Value) -> Option<Hash> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| leaf_hash(text.as_bytes())))
}

fn proof_of(probe: &Value) -> Option<Vec<Hash>> {
    probe["proof"].as_array().into_iter().flatten().map(hash_of).collect()
}

#[test]
fn a_log_that_tessera_wrote_reads_back_to_its_signed_roots() {
    let Some(dir) = corpora("tlog/tessera-log/log") else { return };
    struct Folder(PathBuf);
    impl TileReader for Folder {
        fn tile(&self, id: TileId) -> Result<Vec<Hash>> {
            decode_tile(&std::fs::read(self.0.join(id.to_string())).unwrap(), id.width())
        }
    }
    let folder = Folder(dir.clone());
    let mut roots = Vec::new();
    for size in [0u64, 8, 12, 15] {
        let checkpoint = std::fs::read_to_string(dir.join(format!("checkpoint.{size}"))).unwrap();
        let signed: Hash = checkpoint.lines().nth(2).unwrap().parse().unwrap();
        assert_eq!(root(size, &folder).unwrap(), signed);
        assert_eq!(Frontier::load(size, &signed, &folder).unwrap().root(), signed);
        roots.push((size, signed));
        if size == 0 {
            continue;
        }
        let bundle = BundleId::containing(0, size).unwrap();
        let bytes = std::fs::read(dir.join(bundle.to_string())).unwrap();
        let entries = decode_entries(&bytes, bundle.width()).unwrap();
        assert_eq!(encode_entries(&entries).unwrap(), bytes);
        let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        assert_eq!(folder.tile(bundle.tile()).unwrap(), hashes);
        for (index, leaf) in (0..).zip(&hashes) {
            let proof = inclusion_proof(index, size, &folder).unwrap();
            verify_inclusion(index, size, leaf, &proof, &signed).unwrap();
        }
    }
    for (old, old_root) in roots.iter().filter(|(size, _)| *size > 0) {
        for (new, new_root) in roots.iter().filter(|(new, _)| new >= old) {
            let proof = consistency_proof(*old, *new, &folder).unwrap();
            verify_consistency(*old, old_root, *new, new_root, &proof).unwrap();
        }
    }
}

/// The hashes of a tree as `tlog_tiles` keeps them.
struct Stored(Vec<tlog_tiles::tlog::Hash>);

impl tlog_tiles::tlog::HashReader for Stored {
    fn read_hashes(&self, at: &[u64]) -> std::result::Result<Vec<tlog_tiles::tlog::Hash>, tlog_tiles::tlog::Error> {
        Ok(at.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
    }
}

fn ours(theirs: Vec<tlog_tiles::tlog::Hash>) -> Vec<Hash> {
    theirs.into_iter().map(|h| Hash::from(h.0)).collect()
}

#[test]
fn roots_and_proofs_are_those_of_another_implementation() {
    let all = leaves(700);
    let mut stored = Stored(Vec::new());
    for (size, leaf) in (1u64..).zip(&all) {
        let leaf = tlog_tiles::tlog::Hash(*leaf.as_bytes());
        let new = tlog_tiles::tlog::stored_hashes_for_record_hash(size - 1, leaf, &stored).unwrap();
        stored.0.extend(new);
        let shelf = grown(&all[..usize::try_from(size).unwrap()]);
        assert_eq!(root(size, &shelf).unwrap().as_bytes(), &tlog_tiles::tlog::tree_hash(size, &stored).unwrap().0);
        for other in [0, 1, size / 3, size / 2, size - 1, 255, 256, 257, 512] {
            if other < size {
                let theirs = tlog_tiles::tlog::prove_record(size, other, &stored).unwrap();
                assert_eq!(inclusion_proof(other, size, &shelf).unwrap(), ours(theirs), "{other} in {size}");
            }
            if (1..size).contains(&other) {
                let theirs = tlog_tiles::tlog::prove_tree(size, other, &stored).unwrap();
                assert_eq!(consistency_proof(other, size, &shelf).unwrap(), ours(theirs), "{other} to {size}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_proof_verifies_and_every_change_of_it_is_refused(size in 1u64..600, at in any::<prop::sample::Index>()) {
        let all = leaves(size);
        let shelf = grown(&all);
        let top = root_of(&all);
        let index = at.index(all.len());
        let leaf = all[index];
        let index = index as u64;

        let proof = inclusion_proof(index, size, &shelf).unwrap();
        let included = |index, size, leaf: &Hash, proof: &[Hash], root: &Hash| {
            match verify_inclusion(index, size, leaf, proof, root) {
                Ok(()) => true,
                Err(e) => { assert_eq!(e.kind(), ErrorKind::LedgerTampered); false }
            }
        };
        prop_assert!(included(index, size, &leaf, &proof, &top));
        for wrong in (0..size + 2).chain([u64::MAX]).filter(|wrong| *wrong != index) {
            prop_assert!(!included(wrong, size, &leaf, &proof, &top), "index {wrong}");
        }
        prop_assert!(!included(index, size, &flipped(&leaf), &proof, &top));
        prop_assert!(!included(index, size, &leaf, &proof, &flipped(&top)));
        for wrong in changes(&proof) {
            prop_assert!(!included(index, size, &leaf, &wrong, &top));
        }
        // an audit path does not commit to the size itself (the signed checkpoint does): where another size gives this
        // leaf the same path, the same proof holds
        for wrong in (0..size + 9).chain([u64::MAX]) {
            prop_assert_eq!(included(index, wrong, &leaf, &proof, &top), same_path(index, size, wrong), "size {}", wrong);
        }

        let old = at.index(all.len()) as u64 + 1;
        let old_root = root_of(&all[..usize::try_from(old).unwrap()]);
        let proof = consistency_proof(old, size, &shelf).unwrap();
        let continued = |old, old_root: &Hash, size, root: &Hash, proof: &[Hash]| {
            match verify_consistency(old, old_root, size, root, proof) {
                Ok(()) => true,
                Err(e) => {
                    let kind = match old {
                        0 => ErrorKind::ApiMisuse,
                        old if size < old => ErrorKind::LedgerRolledBack,
                        _ => ErrorKind::LedgerForked,
                    };
                    assert_eq!(e.kind(), kind);
                    false
                }
            }
        };
        prop_assert!(continued(old, &old_root, size, &top, &proof));
        prop_assert!(!continued(old, &flipped(&old_root), size, &top, &proof));
        prop_assert!(!continued(old, &old_root, size, &flipped(&top), &proof));
        for wrong in changes(&proof) {
            prop_assert!(!continued(old, &old_root, size, &top, &wrong));
        }
        for wrong in (0..size + 2).chain([u64::MAX]).filter(|wrong| *wrong != old) {
            prop_assert!(!continued(wrong, &old_root, size, &top, &proof), "old size {wrong}");
        }
    }

    /// `tlog_tiles` makes the proofs that we make, `sigstore-merkle` takes those that we take, changed ones too.
    #[test]
    fn two_other_implementations_agree_about_random_trees(size in 1u64..1200, at in any::<prop::sample::Index>(), two in any::<prop::sample::Index>()) {
        let all = leaves(size);
        let mut stored = Stored(Vec::new());
        for (number, leaf) in (0u64..).zip(&all) {
            let leaf = tlog_tiles::tlog::Hash(*leaf.as_bytes());
            let new = tlog_tiles::tlog::stored_hashes_for_record_hash(number, leaf, &stored).unwrap();
            stored.0.extend(new);
        }
        let shelf = grown(&all);
        let top = root_of(&all);
        prop_assert_eq!(top.as_bytes(), &tlog_tiles::tlog::tree_hash(size, &stored).unwrap().0);
        let index = at.index(all.len()) as u64;
        let leaf = all[at.index(all.len())];
        let proof = inclusion_proof(index, size, &shelf).unwrap();
        prop_assert_eq!(&proof, &ours(tlog_tiles::tlog::prove_record(size, index, &stored).unwrap()));
        let their = |hash: &Hash| sigstore_types::Sha256Hash::new(*hash.as_bytes());
        let theirs = |proof: &[Hash]| proof.iter().map(their).collect::<Vec<_>>();
        for proof in changes(&proof).into_iter().chain([proof]) {
            let they = sigstore_merkle::verify_inclusion_proof(&their(&leaf), index, size, &theirs(&proof), &their(&top));
            let we = verify_inclusion(index, size, &leaf, &proof, &top);
            prop_assert_eq!(we.is_ok(), they.is_ok(), "{:?} {:?}", we, they);
        }
        // the smaller tree ends within a partial tile of the larger one
        let old = two.index(all.len()) as u64 + 1;
        let old_root = root_of(&all[..=two.index(all.len())]);
        let proof = consistency_proof(old, size, &shelf).unwrap();
        if old < size {
            prop_assert_eq!(&proof, &ours(tlog_tiles::tlog::prove_tree(size, old, &stored).unwrap()));
        }
        for proof in changes(&proof).into_iter().chain([proof]) {
            let they = sigstore_merkle::verify_consistency_proof(old, size, &theirs(&proof), &their(&old_root), &their(&top));
            let we = verify_consistency(old, &old_root, size, &top, &proof);
            prop_assert_eq!(we.is_ok(), they.is_ok(), "{:?} {:?}", we, they);
        }
    }

    #[test]
    fn a_tree_grown_in_any_steps_has_the_same_tiles(steps in prop::collection::vec(0usize..400, 1..8)) {
        let all = leaves(steps.iter().sum::<usize>() as u64);
        let mut shelf = Shelf::default();
        let mut frontier = Frontier::default();
        let mut size = 0;
        for step in steps {
            let old = size;
            size += step;
            let growth = frontier.grow(&all[old..size]).unwrap();
            prop_assert_eq!(growth.root, root_of(&all[..size]));
            prop_assert_eq!((growth.size, frontier.size()), (size as u64, size as u64));
            // exactly the tiles that are new or wider, each as a tree built in one step has it
            let at_once = grown(&all[..size]);
            let before = grown(&all[..old]);
            let mut changed = at_once.tiles.clone();
            changed.retain(|id, _| !before.tiles.contains_key(id));
            prop_assert_eq!(growth.tiles.iter().cloned().collect::<BTreeMap<_, _>>(), changed);
            shelf.tiles.extend(growth.tiles);
            prop_assert_eq!(&Frontier::load(size as u64, &growth.root, &shelf).unwrap(), &frontier);
            prop_assert_eq!(root(size as u64, &shelf).unwrap(), growth.root);
        }
    }

    #[test]
    fn bundles_are_read_back_and_only_whole(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..257)) {
        let bytes = encode_entries(&entries).unwrap();
        let width = u16::try_from(entries.len()).unwrap();
        prop_assert_eq!(decode_entries(&bytes, width).unwrap(), entries);
        let longer = [&bytes[..], &[0]].concat();
        for (bytes, width) in [(&bytes[1..], width), (&bytes[..bytes.len() - 1], width), (&longer, width), (&bytes, width - 1)] {
            prop_assert!(decode_entries(bytes, width).is_err());
        }
        prop_assert!(decode_entries(&bytes, width + 1).is_err());
    }

    #[test]
    fn paths_are_read_back(level in 0u8..64, index in any::<u64>(), width in 1u16..257) {
        let id = TileId::new(level, index, width).unwrap();
        prop_assert_eq!(id.to_string().parse::<TileId>().unwrap(), id);
        let bundle = BundleId::new(index, width).unwrap();
        prop_assert_eq!(bundle.to_string().parse::<BundleId>().unwrap(), bundle);
    }
}

fn flipped(hash: &Hash) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[17] ^= 4;
    Hash::from(bytes)
}

/// The proof with one hash changed, left out, doubled, added or swapped.
fn changes(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut changes = vec![[proof, &[EMPTY_ROOT]].concat(), [&[EMPTY_ROOT], proof].concat()];
    for i in 0..proof.len() {
        for change in [0, 1, 2, 3] {
            let mut wrong = proof.to_vec();
            match change {
                0 => wrong[i] = flipped(&wrong[i]),
                1 => drop(wrong.remove(i)),
                2 => wrong.insert(i, proof[i]),
                _ if i + 1 < proof.len() => wrong.swap(i, i + 1),
                _ => wrong.truncate(i),
            }
            changes.push(wrong);
        }
    }
    changes
}

/// Whether leaf `index` meets siblings on the same sides in trees of both sizes.
fn same_path(index: u64, one: u64, other: u64) -> bool {
    let sides = |size: u64| {
        let (mut start, mut end, mut sides) = (0, size, Vec::new());
        while end - start > 1 {
            let middle = start + (1 << (end - start - 1).ilog2());
            sides.push(index < middle);
            if index < middle { end = middle } else { start = middle }
        }
        sides
    };
    index < other && sides(one) == sides(other)
}

#[test]
fn proofs_of_trees_up_to_the_largest_number_are_made_and_checked() {
    /// The tree whose leaves are all alike, of any size.
    struct Endless(RefCell<usize>);
    impl TileReader for Endless {
        fn tile(&self, id: TileId) -> Result<Vec<Hash>> {
            *self.0.borrow_mut() += 1;
            let hash = (0..8 * u32::from(id.level())).fold(leaf_hash(b"same"), |h, _| node_hash(&h, &h));
            Ok(vec![hash; id.width().into()])
        }
    }
    let sizes = [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) + 1, (1 << 63) - 1, (1 << 56) + 255, 1 << 32];
    for size in sizes {
        let tiles = Endless(RefCell::default());
        let top = root(size, &tiles).unwrap();
        assert!(*tiles.0.borrow() <= 8);
        assert_eq!(Frontier::load(size, &top, &tiles).unwrap().root(), top);
        for index in [0, 1, size / 2, size - 2, size - 1] {
            *tiles.0.borrow_mut() = 0;
            let proof = inclusion_proof(index, size, &tiles).unwrap();
            assert!(*tiles.0.borrow() <= 16, "{} tiles", tiles.0.borrow());
            verify_inclusion(index, size, &leaf_hash(b"same"), &proof, &top).unwrap();
            assert!(verify_inclusion(index, size, &leaf_hash(b"other"), &proof, &top).is_err());
            let old = index.max(1);
            *tiles.0.borrow_mut() = 0;
            let proof = consistency_proof(old, size, &tiles).unwrap();
            assert!(*tiles.0.borrow() <= 16, "{} tiles", tiles.0.borrow());
            verify_consistency(old, &root(old, &tiles).unwrap(), size, &top, &proof).unwrap();
        }
        let long = vec![EMPTY_ROOT; 1000];
        assert!(verify_inclusion(size - 1, size, &EMPTY_ROOT, &long, &top).is_err());
        assert!(verify_consistency(size - 1, &EMPTY_ROOT, size, &top, &long).is_err());
        for proof in [&[][..], &long] {
            assert!(verify_inclusion(u64::MAX, u64::MAX, &EMPTY_ROOT, proof, &top).is_err());
        }
    }
    let top = root(u64::MAX, &Endless(RefCell::default())).unwrap();
    let mut full = Frontier::load(u64::MAX, &top, &Endless(RefCell::default())).unwrap();
    let before = full.clone();
    assert_eq!(full.grow(&[EMPTY_ROOT]).unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert_eq!(full, before);
}

#[test]
fn a_tree_is_consistent_with_itself_without_proof_and_an_empty_one_shows_nothing() {
    let top = root_of(&leaves(5));
    verify_consistency(0, &EMPTY_ROOT, 0, &EMPTY_ROOT, &[]).unwrap();
    verify_consistency(5, &top, 5, &top, &[]).unwrap();
    for refused in [
        verify_consistency(0, &top, 0, &top, &[]),
        verify_consistency(5, &top, 5, &EMPTY_ROOT, &[]),
        verify_consistency(5, &top, 5, &top, &[top]),
        verify_consistency(3, &root_of(&leaves(3)), 5, &top, &[]),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::LedgerForked);
    }
    assert_eq!(verify_consistency(6, &top, 5, &top, &[]).unwrap_err().kind(), ErrorKind::LedgerRolledBack);
    assert_eq!(verify_consistency(0, &EMPTY_ROOT, 5, &top, &[]).unwrap_err().kind(), ErrorKind::ApiMisuse);
    assert_eq!(consistency_proof(0, 5, &grown(&leaves(5))).unwrap_err().kind(), ErrorKind::ApiMisuse);
    assert_eq!(consistency_proof(6, 5, &grown(&leaves(5))).unwrap_err().kind(), ErrorKind::ApiMisuse);
}

#[test]
fn a_changed_tile_does_not_become_part_of_a_tree() {
    let all = leaves(70_000);
    let shelf = grown(&all);
    let top = root_of(&all);
    // the example of C2SP tlog-tiles, "Partial Tiles"
    let partial: Vec<String> = shelf.tiles.keys().filter(|id| id.width() < 256).map(ToString::to_string).collect();
    assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    assert_eq!(shelf.tiles.len(), 273 + 1 + 1 + 1 + 1);
    for path in partial {
        let id: TileId = path.parse().unwrap();
        for at in 0..usize::from(id.width()) {
            let mut changed = Shelf { tiles: shelf.tiles.clone(), ..Shelf::default() };
            let tile = changed.tiles.get_mut(&id).unwrap();
            tile[at] = flipped(&tile[at]);
            let refused = Frontier::load(70_000, &top, &changed).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::LedgerTampered);
        }
        let mut short = Shelf { tiles: shelf.tiles.clone(), ..Shelf::default() };
        short.tiles.get_mut(&id).unwrap().pop();
        assert_eq!(root(70_000, &short).unwrap_err().kind(), ErrorKind::LedgerTampered);
    }
    *shelf.reads.borrow_mut() = 0;
    let proof = inclusion_proof(12_345, 70_000, &shelf).unwrap();
    assert_eq!(*shelf.reads.borrow(), 4);
    verify_inclusion(12_345, 70_000, &all[12_345], &proof, &top).unwrap();
}

#[test]
fn paths_are_those_of_the_specification_and_have_one_spelling() {
    for (id, path) in [
        (TileId::new(0, 0, 256), "tile/0/000"),
        (TileId::new(0, 999, 256), "tile/0/999"),
        (TileId::new(7, 1000, 255), "tile/7/x001/000.p/255"),
        (TileId::new(63, 1_234_067, 256), "tile/63/x001/x234/067"),
    ] {
        assert_eq!(id.unwrap().to_string(), path);
    }
    for bad in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/xx01/000",
        "tile/0/x1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/0/../000",
        "tile/entries/000",
        "tile/data/000",
        "tile/0/ 00",
        "tile/0/+01",
        "tile/0/٠٠٠",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
    ] {
        assert_eq!(bad.parse::<TileId>().unwrap_err().kind(), ErrorKind::Malformed, "{bad}");
        let bundle = bad.replacen("tile/0/", "tile/entries/", 1);
        assert!(bundle == "tile/entries/000" || bundle.parse::<BundleId>().is_err(), "{bundle}");
    }
    assert!(TileId::new(64, 0, 1).is_err() && TileId::new(0, 0, 0).is_err() && TileId::new(0, 0, 257).is_err());
    assert!(TileId::containing(0, 5, 5).is_err() && TileId::containing(1, 0, 255).is_err());
    assert_eq!(TileId::containing(1, 0, 256).unwrap().to_string(), "tile/1/000.p/1");
    assert_eq!(TileId::containing(0, 256, 600).unwrap().to_string(), "tile/0/001");
}

#[test]
fn tiles_and_hashes_are_read_back_and_only_whole() {
    let hashes = leaves(3);
    let bytes = encode_tile(&hashes);
    assert_eq!(bytes.len(), 96);
    assert_eq!(decode_tile(&bytes, 3).unwrap(), hashes);
    for (bytes, width) in [(&bytes[..95], 3), (&bytes[..], 2), (&bytes[..], 4), (&[], 1)] {
        assert_eq!(decode_tile(bytes, width).unwrap_err().kind(), ErrorKind::LedgerTampered);
    }
    let text = hashes[0].to_string();
    assert_eq!(text.parse::<Hash>().unwrap(), hashes[0]);
    let unpadded = text.trim_end_matches('=').to_owned();
    for bad in [unpadded, format!(" {text}"), format!("{text}\n"), String::new(), "AAAA".into()] {
        assert_eq!(bad.parse::<Hash>().unwrap_err().kind(), ErrorKind::Malformed);
    }
    assert!("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=".parse::<Hash>().is_err(), "bits after the end");
    assert_eq!(encode_entries::<&[u8]>(&[]).unwrap_err().kind(), ErrorKind::ApiMisuse);
    assert_eq!(encode_entries(&vec![b""; 257]).unwrap_err().kind(), ErrorKind::ApiMisuse);
    assert_eq!(encode_entries(&[vec![0; 65_536]]).unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert_eq!(decode_entries(&encode_entries(&[vec![1; 65_535]]).unwrap(), 1).unwrap(), [vec![1; 65_535]]);
}
