//! Logs and witnesses of other projects: their clients read our log over HTTP, their witness cosigns it, and they read
//! what our witness cosigns.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::artifact::ResourceDescriptor;
use sealwright::checkpoint::WitnessKey;
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{LogSource, Witness};
use sealwright::predicate;
use sealwright::signer::sign;
use sealwright::timestamp::Timestamp;
use serde_json::Value;

use crate::harness::{Ran, Services, ran, ran_well};
use crate::small::{self, Small, copy, note, open_to_append};

/// A static file server that knows nothing of logs.
struct Static(Child, String);

impl Static {
    fn of(folder: &Path) -> Self {
        let mut command = Command::new("python3");
        command.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory"]).arg(folder).arg("0");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split(['(', ')']).nth(1).unwrap().trim_end_matches('/').to_owned();
        Self(child, url)
    }
}

impl Drop for Static {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn append(small: &mut Small, count: usize) {
    let now = small.tick();
    let records: Vec<_> = (0..count)
        .map(|n| {
            let record = sign(&note(&format!("{n} at {now}")), &small.keys["maker"]).unwrap().to_json();
            small.ledger.verify(&record, now).unwrap()
        })
        .collect();
    small.ledger.append_all(&records, now).unwrap();
}

fn read(services: &Services, server: &Static, vkey: &str, olds: &[PathBuf]) -> Ran {
    ran(services.command(services.text("/tlog")).args(["read", &server.1, vkey]).args(olds))
}

fn read_well(services: &Services, server: &Static, vkey: &str, olds: &[PathBuf]) -> Value {
    let ran = read(services, server, vkey, olds);
    assert!(ran.ok, "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
#[ignore = "needs make test-services"]
fn two_other_clients_read_our_log_over_http_and_prove_every_entry_and_that_it_continues() {
    let services = Services::from_env();
    let mut small = Small::new();
    let server = Static::of(&small.folder());
    let vkey = small.ledger.log_key().to_string();
    let mut olds = Vec::new();
    for more in [0, 1, 99, 155, 1, 1, 300, 142] {
        append(&mut small, more);
        small.ledger.settle().unwrap();
        let found = read_well(&services, &server, &vkey, &olds);
        assert_eq!(found["size"], small.ledger.size());
        assert_eq!(found["entries"], small.ledger.size());
        assert_eq!(found["root"], small.ledger.checkpoint().checkpoint().root().to_string());
        assert_eq!(found["continuing"], olds.len());
        assert_eq!(found["torchwood"], found["tessera"]);
        assert!(found["tessera"].as_u64().unwrap() >= small.ledger.size().min(100));
        olds.push(services.write(&format!("checkpoint-{}", small.ledger.size()), small.ledger.checkpoint().note()));
    }
    assert_eq!(small.ledger.size(), 700);

    // they would notice: a byte of an entry, a byte of a tile, another key, another history
    let forked = small::tempdir();
    copy(small.dir.path(), forked.path());
    for name in ["tile/entries/001", "tile/0/002.p/188", "tile/1/000.p/2"] {
        let path = small.folder().join(name);
        let right = small::read(&path);
        let mut wrong = right.clone();
        *wrong.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &wrong).unwrap();
        assert!(!read(&services, &server, &vkey, &[]).ok, "{name}");
        std::fs::write(&path, &right).unwrap();
    }
    let other = Small::new().ledger.log_key().to_string();
    assert!(!read(&services, &server, &other, &[]).ok);
    append(&mut small, 1);
    let seen = services.write("seen", small.ledger.checkpoint().note());
    let mut rival = open_to_append(forked.path()).unwrap();
    for text in ["another", "history"] {
        rival.record_statement(&note(text), &small.keys["maker"], small.now).unwrap();
    }
    rival.settle().unwrap();
    let theirs = Static::of(&forked.path().join("ledger"));
    assert!(read(&services, &theirs, &vkey, &[olds[3].clone()]).ok);
    assert!(!read(&services, &theirs, &vkey, &[seen]).ok);
}

/// A ledger whose trust policy lists this witness.
fn witnessed(name: &str, vkey: &str) -> Small {
    let witness = predicate::Witness { name: name.to_owned(), key: vkey.to_owned() };
    Small::with_policy(|policy, _| {
        policy.witnesses = vec![witness];
        policy.quorum = 1;
    })
}

/// Adds a log to litewitness as its operator would, whose own tool for that can't be built here.
fn introduce(services: &Services, origin: &str, vkey: &str) {
    let db = rusqlite::Connection::open(services.text("/witness/db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let empty = sealwright::merkle::EMPTY_ROOT.to_string();
    db.execute("INSERT INTO log (origin, tree_size, tree_hash) VALUES (?1, 0, ?2)", [origin, &empty]).unwrap();
    db.execute("INSERT INTO key (origin, key) VALUES (?1, ?2)", [origin, vkey]).unwrap();
}

#[test]
#[ignore = "needs make test-services"]
fn s003_another_projects_witness_cosigns_our_ledger_and_refuses_a_forked_one() {
    let services = Services::from_env();
    let (name, url) = (services.text("/witness/name").to_owned(), services.text("/witness/url").to_owned());
    let mut small = witnessed(&name, services.text("/witness/vkey"));
    let urls = BTreeMap::from([(name, url)]);
    let asked = small.ledger.ask_witnesses(&urls).unwrap();
    let codes = |asked: &sealwright::ledger::Asked| asked.failed.iter().map(|f| f.code).collect::<Vec<_>>();
    assert_eq!(codes(&asked), ["SIGNER_FAILED"], "it does not know this log yet");

    introduce(&services, small.ledger.origin(), &small.ledger.log_key().to_string());
    let mut cosigned = 0;
    for more in [0, 1, 0, 254, 45, 400] {
        append(&mut small, more);
        let asked = small.ledger.ask_witnesses(&urls).unwrap();
        assert!(asked.failed.is_empty(), "{:?}", asked.failed);
        assert!(asked.witnessed.has_quorum() && asked.witnessed.is_fresh(present()));
        cosigned += asked.witnessed.cosignatures.len();
    }
    assert_eq!((small.ledger.size(), cosigned), (701, 6));
    assert!(small.ledger.audit().unwrap().is_clean());
    let receipt = small.ledger.prove(300).unwrap();
    let witnesses = small.ledger.trust_policy().unwrap().witnesses().to_vec();
    let checkpoint = receipt.verify_with(&small.bytes(300), small.ledger.log_keys()).unwrap();
    assert_eq!(checkpoint.cosignatures(&witnesses).unwrap().len(), 1);

    let (older, forked) = (small::tempdir(), small::tempdir());
    copy(small.dir.path(), older.path());
    copy(small.dir.path(), forked.path());
    append(&mut small, 1);
    assert!(small.ledger.ask_witnesses(&urls).unwrap().failed.is_empty());
    let mut rolled_back = open_to_append(older.path()).unwrap();
    assert_eq!(codes(&rolled_back.ask_witnesses(&urls).unwrap()), ["LEDGER_ROLLED_BACK"]);
    let mut rival = open_to_append(forked.path()).unwrap();
    for (text, expected) in [("of one size", "LEDGER_FORKED"), ("of a larger one", "LEDGER_FORKED")] {
        rival.record_statement(&note(text), &small.keys["maker"], small.now).unwrap();
        assert_eq!(codes(&rival.ask_witnesses(&urls).unwrap()), [expected], "{text}");
        assert!(!rival.witnessed().unwrap().has_quorum());
    }
    // and goes on with the one it knows
    append(&mut small, 2);
    assert!(small.ledger.ask_witnesses(&urls).unwrap().failed.is_empty());
}

fn present() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap()).unwrap()
}

#[test]
#[ignore = "needs make test-services"]
fn another_projects_library_reads_what_our_witness_cosigns() {
    let services = Services::from_env();
    let small = Small::new();
    let (key, stranger) =
        (PrivateKey::generate(KeyType::Ed25519).unwrap(), PrivateKey::generate(KeyType::Ed25519).unwrap());
    let witness = Witness::open(&services.path("memory"), "witness.example.org/ours", key).unwrap();
    let vkey = small.ledger.log_key().to_string();
    let cosigned = witness.cosign(&LogSource::folder(small.folder()), Some(small.ledger.log_key()), small.now).unwrap();
    let file = services.write("cosigned", cosigned.note());
    let tlog =
        |witness: &str| ran(services.command(services.text("/tlog")).arg("cosigned").arg(&file).args([&vkey, witness]));
    let found = tlog(&witness.key().to_string());
    assert!(found.ok, "{}", found.err);
    let found: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(found["unix"], small.now.unix_seconds());
    let stranger = WitnessKey::new("witness.example.org/ours", stranger.public().clone()).unwrap();
    assert!(!tlog(&stranger.to_string()).ok);
}

#[test]
#[cfg(feature = "keyless")]
#[ignore = "needs make test-services"]
fn a_timestamp_authority_dates_a_checkpoint_and_openssl_agrees() {
    let services = Services::from_env();
    let root = services.file("/trusted_root");
    let mut carried = ResourceDescriptor::of(Digest::sha256(&root));
    carried.content = Some(STANDARD.encode(&root));
    let mut small = Small::with_policy(|policy, _| policy.trusted_roots = vec![carried]);
    small.note("one");
    assert!(small.ledger.witnessed().unwrap().anchored_at().is_none());
    let checkpoint = small.ledger.checkpoint().clone();
    let stamp = |bytes: &[u8]| sealwright::keyless::timestamp_of_bytes(bytes, services.text("/tsa")).unwrap();
    let token = stamp(checkpoint.log_note().as_bytes());
    let believed = small.ledger.keep_timestamp(&checkpoint, &token).unwrap();
    let witnessed = small.ledger.witnessed().unwrap();
    assert_eq!(
        (witnessed.timestamps.as_slice(), witnessed.anchored_at()),
        ([believed.clone()].as_slice(), Some(believed.at))
    );
    assert!(witnessed.is_fresh(present()) && !witnessed.is_fresh(present().plus_millis(600_000)));
    assert!(small.ledger.audit().unwrap().is_clean());
    // over something else, and by nobody who is believed
    let other = stamp(b"something else");
    assert_eq!(small.ledger.keep_timestamp(&checkpoint, &other).unwrap_err().code(), "BAD_TIMESTAMP");
    let mut unbelieving = Small::new();
    let theirs = unbelieving.ledger.checkpoint().clone();
    let token_of_theirs = stamp(theirs.log_note().as_bytes());
    assert_eq!(unbelieving.ledger.keep_timestamp(&theirs, &token_of_theirs).unwrap_err().code(), "BAD_TIMESTAMP");
    // the first one dates the entries and stays; a later one says that it is still so
    let again = stamp(checkpoint.log_note().as_bytes());
    small.ledger.keep_timestamp(&checkpoint, &again).unwrap();
    assert_eq!(small::read(small.folder().join("checkpoints/002.tsr")), token);
    assert_eq!(small::read(small.folder().join("checkpoints/002.new.tsr")), again);
    assert!(small.ledger.audit().unwrap().is_clean());

    // a handle from before a move keeps none any more
    let mut old = small.open_to_append().unwrap();
    let to = sealwright::ledger::Place::Folder(small.dir.path().join("moved"));
    let none = sealwright::ledger::Pins::none();
    sealwright::ledger::Ledger::move_to(&small.place, &to, &small.anchors(), &none, None, &mut |_| {}).unwrap();
    assert_eq!(old.keep_timestamp(&checkpoint, &again).unwrap_err().code(), "APPEND_REFUSED");

    services.write("note", checkpoint.log_note());
    services.write("token", &token);
    let chain = format!("{}/keys/tsa-chain.pem", services.text("/folder"));
    ran_well(services.command("openssl").args(["ts", "-verify", "-data", "note", "-in", "token", "-CAfile", &chain]));
    services.write("note", small.ledger.checkpoint().checkpoint().body());
    assert!(
        !ran(services.command("openssl").args(["ts", "-verify", "-data", "note", "-in", "token", "-CAfile", &chain]))
            .ok
    );

    // every changed byte of a token is named by the audit
    let path = small.folder().join("checkpoints/002.tsr");
    let mut named = 0;
    for place in (0..token.len()).step_by(7) {
        let mut wrong = token.clone();
        wrong[place] ^= 1;
        std::fs::write(&path, &wrong).unwrap();
        named += usize::from(!small.ledger.audit().unwrap().is_clean());
    }
    assert!(named > 40, "{named}");
}
