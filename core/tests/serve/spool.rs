//! Spool folders: added without a network, sent once, refused with a reason, drained by the server.

use std::path::Path;

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
            std::thread::sleep(std::time::Duration::from_millis(20));
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
        std::thread::sleep(std::time::Duration::from_millis(20));
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
