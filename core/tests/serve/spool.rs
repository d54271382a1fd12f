//! Spool folders: added without a network, sent once, refused with a reason, drained by the server.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sealwright::Error;
use sealwright::digest::Digest;
use sealwright::spool::Spool;

use crate::team::Team;

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn records_are_sent_in_order_once_and_what_is_refused_is_put_aside_with_the_reason() {
    let team = Team::new();
    let folder = team.dir().join("spool");
    let spool = Spool::in_folder(&folder);
    assert!(spool.waiting().unwrap().is_empty());
    let records: Vec<_> = (0..5).map(|n| team.note(&n.to_string())).collect();
    for record in &records {
        spool.add(record, team.now()).unwrap();
    }
    // what waits is not added twice
    spool.add(&records[0], team.now().plus_millis(5)).unwrap();
    let stranger = sealwright::key::PrivateKey::generate(sealwright::key::KeyType::Ed25519).unwrap();
    let refused = sealwright::signer::sign(&crate::small::note("x"), &stranger).unwrap().to_json();
    spool.add(&refused, team.now()).unwrap();
    assert_eq!(spool.waiting().unwrap().len(), 6);
    for (bytes, code) in [(&b"{}"[..], "UNSUPPORTED"), (b"no record", "MALFORMED")] {
        assert_eq!(spool.add(bytes, team.now()).unwrap_err().code(), code);
    }

    // nobody is there: everything still waits
    let running = team.start();
    let mut submitter = team.submitter(&running, "build").unwrap();
    let now = team.now();
    running.stop();
    let sent = spool.send(|record| Ok(submitter.submit(&[record.to_vec()], now)?.remove(0))).unwrap();
    assert_eq!(sent.stopped.unwrap().code(), "SERVICE_UNAVAILABLE");
    assert_eq!((sent.delivered.len(), spool.waiting().unwrap().len()), (0, 6));

    let running = team.start();
    let mut submitter = team.submitter(&running, "build").unwrap();
    // cut short after the third was appended, before its receipt was kept
    let mut count = 0;
    let sent = spool
        .send(|record| {
            let receipt = submitter.submit(&[record.to_vec()], now)?.remove(0);
            count += 1;
            if count == 3 {
                return Err(Error::new(sealwright::ErrorKind::ServiceUnavailable, "cut"));
            }
            Ok(receipt)
        })
        .unwrap();
    assert_eq!((sent.delivered.len(), spool.waiting().unwrap().len()), (2, 4));
    let sent = spool.send(|record| Ok(submitter.submit(&[record.to_vec()], now)?.remove(0))).unwrap();
    assert_eq!((sent.delivered.len(), sent.refused.len(), spool.waiting().unwrap().len()), (3, 1, 0));
    assert!(sent.delivered[0].1.already_there);
    assert_eq!(sent.refused[0].1.code(), "UNTRUSTED_SIGNER");
    running.stop();
    let ledger = team.folder();
    assert_eq!(ledger.size(), 6);
    for (n, record) in records.iter().enumerate() {
        assert_eq!(ledger.record(1 + n as u64).unwrap().verified.record(), record);
        let kept = folder.join(format!("receipts/{}.json", Digest::sha256(record).hex()));
        let receipt: serde_json::Value = serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
        assert_eq!(receipt["index"], 1 + n as u64);
    }
    let aside = names(&folder.join("refused"));
    assert_eq!(aside.len(), 2);
    assert_eq!(std::fs::read(folder.join("refused").join(&aside[0])).unwrap(), refused);
    let reason: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("refused").join(&aside[1])).unwrap()).unwrap();
    assert_eq!(reason["code"], "UNTRUSTED_SIGNER");
}

#[test]
fn only_whole_files_of_the_spools_own_names_are_read() {
    let team = Team::new();
    let folder = team.dir().join("spool");
    let spool = Spool::in_folder(&folder);
    let path = spool.add(&team.note("good"), team.now()).unwrap();
    let waiting = folder.join("waiting");
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let hex = "a".repeat(64);
    for other in
        ["x", ".unfinished-1", "passwd", &format!("{hex}.json"), &format!("1-1-{hex}.json"), &format!("{name}.tmp")]
    {
        std::fs::write(waiting.join(other), b"{}").unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(team.dir().join("log.pem"), waiting.join(format!("{:015}-{:09}-{hex}.json", 1, 1)))
        .unwrap();
    std::fs::create_dir(waiting.join(format!("{:015}-{:09}-{hex}.json", 2, 2))).unwrap();
    assert_eq!(spool.waiting().unwrap(), [name]);
    // a file whose content is not what its name says is put aside, unsent
    let wrong = format!("{:015}-{:09}-{hex}.json", 3, 3);
    std::fs::write(waiting.join(&wrong), team.note("other")).unwrap();
    let mut delivered = 0;
    let sent = spool
        .send(|_| {
            delivered += 1;
            Err(Error::new(sealwright::ErrorKind::LedgerBusy, "not now"))
        })
        .unwrap();
    assert_eq!((delivered, sent.refused.len()), (1, 1));
    assert_eq!((sent.refused[0].0.as_str(), sent.refused[0].1.code()), (wrong.as_str(), "DIGEST_MISMATCH"));
}

#[test]
fn a_server_drains_a_spool_as_the_caller_it_was_told() {
    let team = Team::new();
    let spool = Spool::in_folder(team.dir().join("drop"));
    for n in 0..3 {
        spool.add(&team.note(&n.to_string()), team.now()).unwrap();
    }
    let running =
        team.start_with(&Team::config("spool-millis = 20", "[spool]\nfolder = \"drop\"\ncaller = \"build\"\n"));
    let done = |size: u64| {
        (0..300).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            team.folder().size() == size && spool.waiting().unwrap().is_empty()
        })
    };
    assert!(done(4), "{}", team.log.text());
    spool.add(&team.note("later"), team.now()).unwrap();
    assert!(done(5));
    running.stop();
    // whose credential may not write it puts it aside
    let other = Spool::in_folder(team.dir().join("other-drop"));
    other.add(&team.note("not a deployment"), team.now()).unwrap();
    let running =
        team.start_with(&Team::config("spool-millis = 20", "[spool]\nfolder = \"other-drop\"\ncaller = \"deploy\"\n"));
    let aside = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        names(&team.dir().join("other-drop/refused")).len() == 2
    });
    assert!(aside && other.waiting().unwrap().is_empty());
    running.stop();
    assert_eq!(team.folder().size(), 5);
    assert!(team.log.lines().iter().any(|l| l["event"] == "spooled-record-refused" && l["code"] == "APPEND_REFUSED"));
    // a spool for a caller who has no credential is no configuration
    let config = Team::config("", "[spool]\nfolder = \"drop\"\ncaller = \"auditor\"\n");
    assert_eq!(team.try_start(&config).map(|_| ()).unwrap_err().code(), "MALFORMED");
}

#[test]
fn files_are_sent_before_records_once_and_one_that_is_not_what_it_says_is_put_aside() {
    let team = Team::new();
    let folder = team.dir().join("spool");
    let spool = Spool::in_folder(&folder);
    let report = vec![7; 3_000_000];
    std::fs::write(team.dir().join("report"), &report).unwrap();
    let digest = spool.attach_file(&team.dir().join("report")).unwrap();
    assert_eq!(digest, Digest::sha256(&report));
    // one that waits already is not there twice, and nothing is half there
    assert_eq!(spool.attach(&report[..]).unwrap(), digest);
    let empty = spool.attach(&b""[..]).unwrap();
    assert_eq!(spool.attach_file(team.dir()).unwrap_err().code(), "MALFORMED");
    assert_eq!(spool.attach_file(&team.dir().join("none")).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(spool.attach(Breaks(5)).unwrap_err().code(), "IO");
    assert_eq!(names(&folder.join("attachments")).len(), 2);
    let wrong = Digest::sha256(b"another").hex();
    std::fs::write(folder.join("attachments").join(&wrong), b"not that").unwrap();
    for other in ["x", &wrong.to_uppercase(), &format!("{wrong}.json"), ".unfinished-00"] {
        std::fs::write(folder.join("attachments").join(other), b"x").unwrap();
    }
    spool.add(&team.note("about the report"), team.now()).unwrap();
    let running = team.start();
    let mut submitter = team.submitter(&running, "build").unwrap();
    // cut short after the first: what follows waits, records too
    let mut first = true;
    let sent = spool
        .send_attachments(|path| {
            if !std::mem::take(&mut first) {
                return Err(Error::new(sealwright::ErrorKind::ServiceUnavailable, "cut"));
            }
            submitter.attach_file(path)
        })
        .unwrap();
    assert_eq!(sent.stopped.unwrap().code(), "SERVICE_UNAVAILABLE");
    let mut delivered = sent.delivered.len();
    let mut refused = sent.refused;
    let sent = spool.send_attachments(|path| submitter.attach_file(path)).unwrap();
    delivered += sent.delivered.len();
    refused.extend(sent.refused);
    assert!(sent.stopped.is_none() && spool.attachments().unwrap().is_empty());
    assert_eq!(delivered, 2);
    assert_eq!(
        refused.iter().map(|(name, e)| (name.as_str(), e.code())).collect::<Vec<_>>(),
        [(wrong.as_str(), "DIGEST_MISMATCH")]
    );
    assert_eq!(names(&folder.join("refused")), [wrong.clone(), format!("{wrong}.reason.json")]);
    let now = team.now();
    let sent = spool.send(|record| Ok(submitter.submit(&[record.to_vec()], now)?.remove(0))).unwrap();
    assert_eq!(sent.delivered.len(), 1);
    let ledger = team.connect(&running, "auditor").unwrap();
    assert_eq!(ledger.attachment(&digest).unwrap(), report);
    assert_eq!(ledger.attachment(&empty).unwrap(), b"");
    running.stop();
}

/// A stream that fails after so many bytes.
struct Breaks(usize);

impl std::io::Read for Breaks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = buffer.len().min(self.0);
        self.0 -= read;
        if read == 0 { Err(std::io::Error::other("broken")) } else { Ok(read) }
    }
}

#[test]
fn a_server_drains_the_files_of_a_spool_too_for_a_caller_who_may_attach() {
    let team = Team::new();
    let running = |folder: &str, caller: &str| {
        let spool = format!("[spool]\nfolder = \"{folder}\"\ncaller = \"{caller}\"\n");
        let more = "[[caller]]\nname = \"filer\"\ncredential = \"ci-build\"\nroles = [\"writer\"]\n\
                    token = { issuer = \"https://issuer.example\", subject = \"filer\" }\n";
        let config = Team::config("spool-millis = 20\nattachment-bytes = 1000000", &(more.to_owned() + &spool));
        team.start_with(&config.replace("[roles]\n", "[roles]\nwriter = [\"append\"]\n"))
    };
    let emptied = |spool: &Spool| {
        (0..300).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            spool.attachments().unwrap().is_empty() && spool.waiting().unwrap().is_empty()
        })
    };
    let spool = Spool::in_folder(team.dir().join("drop"));
    let digest = spool.attach(&b"a report"[..]).unwrap();
    let long = spool.attach(&vec![1; 1_000_001][..]).unwrap();
    spool.add(&team.note("with a report"), team.now()).unwrap();
    let server = running("drop", "build");
    assert!(emptied(&spool), "{}", team.log.text());
    server.stop();
    assert_eq!(team.folder().attachment(&digest).unwrap(), b"a report");
    assert_eq!(names(&team.dir().join("drop/refused")), [long.hex(), format!("{}.reason.json", long.hex())]);
    assert!(team.log.lines().iter().any(|l| l["event"] == "spooled-file-refused" && l["code"] == "LIMIT_EXCEEDED"));
    let other = Spool::in_folder(team.dir().join("other-drop"));
    let digest = other.attach(&b"another report"[..]).unwrap();
    let server = running("other-drop", "filer");
    let waits = || team.log.lines().iter().any(|l| l["event"] == "spool-waits" && l["code"] == "PERMISSION_DENIED");
    assert!((0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        waits()
    }));
    server.stop();
    assert_eq!(team.folder().attachment(&digest).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(other.attachments().unwrap(), [digest], "it is sent once the caller has a role that may");
}

#[test]
fn a_spool_whose_writer_is_killed_at_any_moment_holds_whole_files_and_no_record_without_its_file() {
    let team = Team::new();
    let folder = team.dir().join("spool");
    let spool = Spool::in_folder(&folder);
    let mut cut = [0; 3];
    let rounds = 48;
    for round in 0..rounds {
        let content: Vec<u8> = (0..4_000_000u32).flat_map(|n| (n ^ round).to_le_bytes()).collect();
        std::fs::write(team.dir().join("report"), &content).unwrap();
        let record = team.note(&format!("round {round}"));
        std::fs::write(team.dir().join("record.json"), &record).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealwright"))
            .args(["ledger", "spool", "add", "record.json", "--attach", "report", "--spool", "spool"])
            .current_dir(team.dir())
            .env("HOME", team.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // while it writes the file, more or less of it; when the file has its name; at any moment; or not at all
        let being_written = || {
            let unfinished = names(&folder.join("attachments")).into_iter().find(|name| name.starts_with('.'));
            let length = |name| std::fs::metadata(folder.join("attachments").join(name)).map(|meta| meta.len());
            unfinished.and_then(|name| length(name).ok()).is_some_and(|n| n >= u64::from(round % 16) * 1_000_000)
        };
        let named = || !spool.attachments().unwrap().is_empty();
        let until = |child: &mut Child, seen: &dyn Fn() -> bool| {
            while !seen() && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
        };
        match round % 4 {
            0 => until(&mut child, &being_written),
            1 => until(&mut child, &named),
            2 => std::thread::sleep(Duration::from_millis(u64::from(round) * 10)),
            _ => _ = child.wait().unwrap(),
        }
        let _ = child.kill();
        let ended = child.wait().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        for digest in spool.attachments().unwrap() {
            let path = folder.join("attachments").join(digest.hex());
            assert_eq!(Digest::of_file(&path).unwrap(), digest);
        }
        let (file, waits) = (Digest::sha256(&content), Digest::sha256(&record).hex());
        let has_file = spool.attachments().unwrap().contains(&file);
        let has_record = spool.waiting().unwrap().iter().any(|name| name.contains(&waits));
        assert!(has_file || !has_record, "round {round}: a record waits without its file");
        assert!(!ended.success() || has_record, "round {round}: {said}");
        cut[usize::from(has_file) + usize::from(has_record)] += 1;
        for name in spool.waiting().unwrap() {
            std::fs::remove_file(folder.join("waiting").join(name)).unwrap();
        }
        if has_file {
            std::fs::remove_file(folder.join("attachments").join(file.hex())).unwrap();
        }
    }
    println!("of {rounds}: {} without a file, {} with the file alone, {} with both", cut[0], cut[1], cut[2]);
    assert!(cut[0] > 0 && cut[2] > 0, "{cut:?}");
    // what the killed ones were writing, the next one cleared
    spool.attach(&b"last"[..]).unwrap();
    spool.add(&team.note("last"), team.now()).unwrap();
    assert_eq!(names(&folder.join("attachments")), [Digest::sha256(b"last").hex()]);
    assert_eq!(names(&folder.join("waiting")).len(), 1);
}

#[test]
fn a_file_that_is_too_long_is_put_aside_before_it_is_read() {
    let dir = crate::small::tempdir();
    let folder = dir.path().join("spool");
    let spool = Spool::in_folder(&folder).with_longest_attachment(1000);
    let digest = spool.attach(&b"short"[..]).unwrap();
    // it would take minutes to read
    let long = Digest::sha256(b"long").hex();
    std::fs::File::create(folder.join("attachments").join(&long)).unwrap().set_len(1 << 37).unwrap();
    let begun = std::time::Instant::now();
    let mut given = Vec::new();
    let sent = spool
        .send_attachments(|path| {
            given.push(path.to_owned());
            Digest::of_file(path)
        })
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!((sent.delivered, given.len()), (vec![digest], 1));
    assert_eq!((sent.refused[0].0.as_str(), sent.refused[0].1.code()), (long.as_str(), "LIMIT_EXCEEDED"));
}
