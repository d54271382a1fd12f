//! Signed notes, checkpoints and proofs: against Go's vectors, another implementation, `openssl` and every one-byte change.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and says what it did not run"
)]

mod corpora;

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sealwright::ErrorKind;
use sealwright::checkpoint::{Checkpoint, SignedCheckpoint, TlogProof, VerifierKey, sign_note, verify_note};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::merkle::{EMPTY_ROOT, Frontier, Hash, TileId, TileReader, inclusion_proof, leaf_hash, root_of};
use serde_json::Value;

use self::corpora::corpora;

const ORIGIN: &str = "ledger.example/team";

fn signed(size: u64) -> (PrivateKey, VerifierKey, SignedCheckpoint) {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let trusted = VerifierKey::new(ORIGIN, key.public().clone()).unwrap();
    let checkpoint = Checkpoint::new(ORIGIN, size, root_of(&leaves(size))).unwrap();
    let signed = SignedCheckpoint::sign(checkpoint, &key).unwrap();
    (key, trusted, signed)
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn code(read: sealwright::Result<impl std::fmt::Debug>) -> &'static str {
    read.unwrap_err().code()
}

#[test]
fn gos_notes_get_gos_verdicts() {
    let Some(vectors) = vectors() else { return };
    let strings = |name: &str| -> Vec<String> {
        vectors[name].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    let text = vectors["text"].as_str().unwrap();
    let lines = strings("signatures");
    let keys: Vec<VerifierKey> = strings("verifier_keys_good").iter().map(|k| k.parse().unwrap()).collect();
    for (key, vkey) in keys.iter().zip(strings("verifier_keys_good")) {
        assert_eq!(key.to_string(), vkey);
        let line = lines.iter().find(|l| l.contains(key.name())).unwrap();
        let other = lines.iter().find(|l| !l.contains(key.name())).unwrap();
        // alone, beside a key that is not known, and twice
        for note in [
            format!("{text}\n{line}\n"),
            format!("{text}\n{line}\n{other}\n"),
            format!("{text}\n{other}\n{line}\n"),
            format!("{text}\n{line}\n{line}\n"),
        ] {
            assert_eq!(verify_note(note.as_bytes(), key).unwrap(), (note.as_str(), text));
        }
        let corrupt = line.replacen("Z", "Y", 1);
        assert_ne!(&corrupt, line);
        for bad in [
            format!("{text}\n{other}\n"),
            format!("{text}\n{corrupt}\n"),
            format!("{text}\n{line}\n{corrupt}\n"),
            format!("changed {text}\n{line}\n"),
        ] {
            assert_eq!(code(verify_note(bad.as_bytes(), key)), "BAD_SIGNATURE", "{bad}");
        }
        for bad in [
            text.to_owned(),
            format!("{text}{line}\n"),
            format!("{text}\n{line}"),
            format!("{text}\n"),
            format!("{text}\n{line}\n\n"),
            format!("{text}\n{line}\n{}\n", line.trim_start_matches("— ")),
            format!("{text}\n{line}\n— \n"),
            format!("{text}\n{line}\n— {}\n", key.name()),
            format!("{text}\n{line}\n— a+b AAAAAAA=\n"),
            format!("{text}\n{line}\n— name AAAA\n"),
            format!("{text}\n{line}\n— name AAAAAAA\n"),
            format!("{text}\n{}\n", line.replacen(' ', "  ", 1)),
            format!("{text}\n{line} \n"),
            format!("\u{1}{text}\n{line}\n"),
            format!("{text}\n{line}\n").replace('\n', "\r\n"),
        ] {
            assert_eq!(code(verify_note(bad.as_bytes(), key)), "MALFORMED", "{bad}");
        }
        assert_eq!(
            code(verify_note(&[text.as_bytes(), b"\xff\n\n", line.as_bytes(), b"\n"].concat(), key)),
            "MALFORMED"
        );
    }
    let [malformed, unsupported] = &strings("verifier_keys_bad")[..] else { panic!() };
    assert_eq!(code(malformed.parse::<VerifierKey>()), "MALFORMED");
    assert_eq!(code(unsupported.parse::<VerifierKey>()), "UNSUPPORTED");

    // Ed25519 signs alike everywhere
    for signer in strings("signer_keys") {
        let parts: Vec<&str> = signer.splitn(5, '+').collect();
        let seed = &STANDARD.decode(parts[4]).unwrap()[1..];
        let der = [&hex::decode("302e020100300506032b657004220420").unwrap(), seed].concat();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
        let key = PrivateKey::from_pem(pem.as_bytes(), None).unwrap();
        let line = lines.iter().find(|l| l.contains(parts[2])).unwrap();
        assert_eq!(sign_note(text, parts[2], &key).unwrap(), format!("{text}\n{line}\n"));
    }
    for body in strings("tree_good") {
        assert_eq!(body.parse::<Checkpoint>().unwrap().body(), body);
    }
    for body in strings("tree_bad") {
        assert_eq!(code(body.parse::<Checkpoint>()), "MALFORMED");
    }
}

#[test]
fn the_example_of_the_signed_note_specification_verifies() {
    let key: VerifierKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse().unwrap();
    let note = "This is an example message.\n\n— example.com/foo \
                Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    assert_eq!(verify_note(note.as_bytes(), &key).unwrap().1, "This is an example message.\n");
}

#[test]
fn checkpoints_that_tessera_signed_verify() {
    let Some(dir) = corpora("tlog/tessera-log") else { return };
    let key: VerifierKey = std::fs::read_to_string(dir.join("log.pub")).unwrap().trim().parse().unwrap();
    for size in [0, 8, 12, 15] {
        let note = std::fs::read(dir.join(format!("log/checkpoint.{size}"))).unwrap();
        let read = SignedCheckpoint::parse_and_verify(&note, &key).unwrap();
        assert_eq!((read.checkpoint().origin(), read.checkpoint().size()), ("example.com/log/testdata", size));
        assert_eq!(read.note().as_bytes(), note);
    }
}

#[test]
fn another_implementation_reads_our_notes_and_writes_notes_we_read() {
    use signed_note::{Note, Signer, StandardSigner, StandardVerifier, VerifierList};
    let (_, trusted, ours) = signed(7);
    let verifiers = VerifierList::new(vec![Box::new(StandardVerifier::new(&trusted.to_string()).unwrap())]);
    let note = Note::from_bytes(ours.note().as_bytes()).unwrap();
    let (verified, others) = note.verify(&verifiers).unwrap();
    assert_eq!((verified.len(), others.len()), (1, 0));
    assert_eq!(note.text(), ours.checkpoint().body().as_bytes());

    let Some(vectors) = vectors() else { return };
    let signer = StandardSigner::new(vectors["signer_keys"][0].as_str().unwrap()).unwrap();
    let key: VerifierKey = vectors["verifier_keys_good"][1].as_str().unwrap().parse().unwrap();
    let checkpoint = Checkpoint::new(signer.name(), 7, root_of(&leaves(7))).unwrap();
    let mut theirs = Note::new(checkpoint.body().as_bytes(), &[]).unwrap();
    theirs.add_sigs(&[&signer]).unwrap();
    assert_eq!(SignedCheckpoint::parse_and_verify(&theirs.to_bytes(), &key).unwrap().checkpoint(), &checkpoint);
}

#[test]
fn every_one_byte_change_of_a_signed_checkpoint_is_refused_but_in_foreign_signatures() {
    let (_, trusted, signed) = signed(23);
    let foreign = "— witness.example mJirIkljAAAAAAAA\n";
    let note = format!("{}{foreign}", signed.note());
    let read = SignedCheckpoint::parse_and_verify(note.as_bytes(), &trusted).unwrap();
    assert_eq!((read.checkpoint(), read.note()), (signed.checkpoint(), note.as_str()));
    let ours = signed.note().len();
    let mut ignored = 0;
    for at in 0..note.len() {
        for to in 0..=255u8 {
            let mut changed = note.clone().into_bytes();
            if changed[at] == to {
                continue;
            }
            changed[at] = to;
            match SignedCheckpoint::parse_and_verify(&changed, &trusted) {
                Err(e) => assert!(matches!(e.kind(), ErrorKind::BadSignature | ErrorKind::Malformed), "{e:?}"),
                // a line by a key that is not known says nothing, changed or not
                Ok(read) => {
                    assert!(at >= ours, "byte {at} to {to}");
                    assert_eq!(read.checkpoint(), signed.checkpoint());
                    ignored += 1;
                }
            }
        }
    }
    assert!(ignored > 0);
    for cut in 0..ours {
        assert!(SignedCheckpoint::parse_and_verify(&note.as_bytes()[..cut], &trusted).is_err());
    }
}

#[test]
fn another_key_another_name_and_another_origin_are_refused() {
    let (key, trusted, signed) = signed(3);
    let (_, other, _) = self::signed(3);
    let note = signed.note().as_bytes();
    assert_eq!(code(SignedCheckpoint::parse_and_verify(note, &other)), "BAD_SIGNATURE");
    let renamed = VerifierKey::new("ledger.example/other", key.public().clone()).unwrap();
    assert_eq!(code(SignedCheckpoint::parse_and_verify(note, &renamed)), "BAD_SIGNATURE");
    // the key of one ledger signs a checkpoint of another
    let checkpoint = Checkpoint::new("ledger.example/other", 3, root_of(&leaves(3))).unwrap();
    let crossed = sign_note(&checkpoint.body(), ORIGIN, &key).unwrap();
    assert_eq!(code(SignedCheckpoint::parse_and_verify(crossed.as_bytes(), &trusted)), "UNTRUSTED_SIGNER");
    let p256 = PrivateKey::generate(KeyType::P256).unwrap();
    assert_eq!(code(VerifierKey::new(ORIGIN, p256.public().clone())), "UNSUPPORTED");
    assert_eq!(code(SignedCheckpoint::sign(checkpoint, &p256)), "UNSUPPORTED");
    for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\tb"] {
        assert_eq!(code(VerifierKey::new(name, key.public().clone())), "MALFORMED", "{name:?}");
        assert_eq!(code(sign_note("text\n", name, &key)), "MALFORMED", "{name:?}");
    }
    assert_eq!(code(sign_note("text", ORIGIN, &key)), "MALFORMED");
    assert_eq!(code(sign_note("te\rxt\n", ORIGIN, &key)), "MALFORMED");
}

#[test]
fn signed_text_that_is_no_checkpoint_is_refused() {
    let (key, trusted, _) = signed(1);
    let root = root_of(&leaves(5));
    let read =
        |body: &str| SignedCheckpoint::parse_and_verify(sign_note(body, ORIGIN, &key).unwrap().as_bytes(), &trusted);
    read(&format!("{ORIGIN}\n5\n{root}\n")).unwrap();
    for bad in [
        format!("{ORIGIN}\n5\n"),
        format!("{ORIGIN}\n05\n{root}\n"),
        format!("{ORIGIN}\n+5\n{root}\n"),
        format!("{ORIGIN}\n-5\n{root}\n"),
        format!("{ORIGIN}\n 5\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n\n{root}\n"),
        format!("{ORIGIN}\n5\n{root}=\n"),
        format!("{ORIGIN}\n5\nAAAA\n"),
        format!("{ORIGIN}\n0\n{root}\n"),
        format!("{ORIGIN}\n5\n{root}\n\n"),
        format!("\n5\n{root}\n"),
    ] {
        assert_eq!(code(read(&bad)), "MALFORMED", "{bad}");
    }
    assert_eq!(code(read(&format!("{ORIGIN}\n5\n{root}\nextension\n"))), "UNSUPPORTED");
    assert_eq!(read(&format!("{ORIGIN}\n18446744073709551615\n{root}\n")).unwrap().checkpoint().size(), u64::MAX);
    assert_eq!(read(&format!("{ORIGIN}\n0\n{EMPTY_ROOT}\n")).unwrap().checkpoint().root(), &EMPTY_ROOT);
    assert_eq!(code(Checkpoint::new("a\nb", 5, root)), "MALFORMED");
}

#[test]
fn notes_are_bounded() {
    let (_, trusted, signed) = signed(3);
    let foreign = "— witness.example mJirIkljAAAAAAAA\n";
    let note = |count: usize| format!("{}{}", signed.note(), foreign.repeat(count)).into_bytes();
    SignedCheckpoint::parse_and_verify(&note(63), &trusted).unwrap();
    assert_eq!(code(SignedCheckpoint::parse_and_verify(&note(64), &trusted)), "LIMIT_EXCEEDED");
    assert_eq!(code(SignedCheckpoint::parse_and_verify(&note(5000), &trusted)), "LIMIT_EXCEEDED");
    let file = vec![b'\n'; 200_000];
    assert_eq!(code(TlogProof::parse_and_verify(&file, &EMPTY_ROOT, &trusted)), "LIMIT_EXCEEDED");
}

struct Shelf(std::collections::BTreeMap<TileId, Vec<Hash>>);

impl TileReader for Shelf {
    fn tile(&self, id: TileId) -> sealwright::Result<Vec<Hash>> {
        Ok(self.0[&id].clone())
    }
}

fn proof(size: u64, index: u64) -> (PrivateKey, VerifierKey, Hash, TlogProof) {
    let (key, trusted, signed) = signed(size);
    let all = leaves(size);
    let shelf = Shelf(Frontier::default().grow(&all).unwrap().tiles.into_iter().collect());
    let leaf = all[usize::try_from(index).unwrap()];
    let hashes = inclusion_proof(index, size, &shelf).unwrap();
    (key, trusted, leaf, TlogProof::new(index, &leaf, hashes, signed).unwrap())
}

#[test]
fn a_proof_file_is_read_back_for_its_leaf_alone() {
    for (size, index) in [(1, 0), (2, 1), (5, 4), (300, 299), (300, 17)] {
        let (_, trusted, leaf, proof) = proof(size, index);
        let file = proof.to_text();
        assert_eq!(TlogProof::parse_and_verify(file.as_bytes(), &leaf, &trusted).unwrap(), proof);
        assert_eq!(code(TlogProof::parse_and_verify(file.as_bytes(), &leaf_hash(b"x"), &trusted)), "LEDGER_TAMPERED");
        let (_, other, ..) = self::proof(1, 0);
        assert_eq!(code(TlogProof::parse_and_verify(file.as_bytes(), &leaf, &other)), "BAD_SIGNATURE");
        let extra = file.replacen("index", "extra AAAA\nindex", 1);
        assert_eq!(TlogProof::parse_and_verify(extra.as_bytes(), &leaf, &trusted).unwrap(), proof);
    }
}

#[test]
fn every_one_byte_change_of_a_proof_file_is_refused() {
    let (_, trusted, leaf, proof) = proof(11, 6);
    let file = proof.to_text();
    for at in 0..file.len() {
        for to in (0..=255u8).step_by(5).chain(*b"\n 0123456789=A") {
            let mut changed = file.clone().into_bytes();
            if changed[at] != to {
                changed[at] = to;
                let read = TlogProof::parse_and_verify(&changed, &leaf, &trusted);
                assert!(read.is_err(), "byte {at} to {to}");
            }
        }
    }
    for (from, to) in [
        ("@v1\n", "@v1\nextra a\n"),
        ("@v1\n", "@v1\nextra AAAA\nextra AAAA\n"),
        ("@v1\n", "@v1\n\n"),
        ("index 6\n", "index 06\n"),
        ("index 6\n", "index +6\n"),
        ("index 6\n", "index 6 \n"),
        ("index 6\n", "index 6\nindex 6\n"),
        ("index 6\n", "index 6\nextra AAAA\n"),
        ("index 6\n", ""),
        ("\n\n", "\n\n\n"),
        ("\n", "\r\n"),
    ] {
        let changed = file.replacen(from, to, 1);
        assert_ne!(changed, file);
        let refused = code(TlogProof::parse_and_verify(changed.as_bytes(), &leaf, &trusted));
        assert!(matches!(refused, "MALFORMED" | "BAD_SIGNATURE"), "{to:?}: {refused}");
    }
}

#[test]
fn openssl_verifies_our_checkpoints() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("not run, no openssl command");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (key, _, signed) = signed(9);
    let (body, line) = signed.note().split_once("\n\n").unwrap();
    let signature = STANDARD.decode(line.trim_end().rsplit_once(' ').unwrap().1).unwrap();
    std::fs::write(dir.path().join("body"), format!("{body}\n")).unwrap();
    std::fs::write(dir.path().join("signature"), &signature[4..]).unwrap();
    std::fs::write(dir.path().join("key.pub"), key.public().to_pem()).unwrap();
    let arguments = "pkeyutl -verify -pubin -inkey key.pub -rawin -in body -sigfile signature";
    let out = Command::new("openssl").args(arguments.split(' ')).current_dir(dir.path()).output().unwrap();
    assert!(out.status.success(), "{out:?}");
}

fn vectors() -> Option<Value> {
    let path = corpora("tlog")?.join("golang-note-vectors.json");
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}
