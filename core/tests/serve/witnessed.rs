//! What witnesses said of checkpoints, seen through an address as in the folder.

use sealwright::checkpoint::{VerifierKey, WitnessKey};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{LogSource, Witness};

use crate::team::Team;

const NAME: &str = "witness.example.org/w1";

#[test]
fn witnesses_are_the_same_through_an_address_as_in_the_folder() {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let public = WitnessKey::new(NAME, key.public().clone()).unwrap();
    let mut team = Team::with_policy(|policy| {
        policy.witnesses.push(sealwright::predicate::Witness { name: NAME.to_owned(), key: public.to_string() });
        policy.quorum = 1;
    });
    let running = team.start();
    let mut ledger = team.connect(&running, "auditor").unwrap();
    assert!(ledger.witnessed().unwrap().cosignatures.is_empty());
    let witness = Witness::open(&team.dir().join("memory"), NAME, key).unwrap();
    let known: VerifierKey = team.pins().log_key.unwrap();
    let mut sizes = Vec::new();
    for n in 0..3 {
        team.submitter(&running, "build").unwrap().submit(&[team.note(&n.to_string())], team.now()).unwrap();
        let source = LogSource::folder(team.world.folder());
        let cosigned = witness.cosign(&source, Some(&known), team.now()).unwrap();
        team.world.ledger.refresh().unwrap();
        team.world.ledger.keep_cosigned(cosigned.note().as_bytes()).unwrap();
        sizes.push(cosigned.checkpoint().size());
    }
    assert_eq!(sizes, [2, 3, 4]);
    let waited = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        ledger.refresh().unwrap();
        ledger.witnessed().unwrap().has_quorum()
    });
    assert!(waited);
    assert_eq!(ledger.witnessed().unwrap(), team.folder().witnessed().unwrap());
    // those of before as well, and what an authority said, as it lies there
    let token = team.token("auditor");
    let folder = team.world.folder().join("checkpoints");
    std::fs::write(folder.join("003.tsr"), b"a token").unwrap();
    for name in ["002", "003", "004", "003.tsr"] {
        let answer = running.ask("GET", &format!("/checkpoints/{name}"), Some(&token), b"");
        assert_eq!((answer.status, answer.body), (200, std::fs::read(folder.join(name)).unwrap()), "{name}");
    }
    for name in ["001", "005", "004.tsr", "004.new.tsr", "3", "x", "../ledger.json", "%2e%2e/ledger.json"] {
        let answer = running.ask("GET", &format!("/checkpoints/{name}"), Some(&token), b"");
        assert_eq!(answer.status, 404, "{name}");
    }
    assert_eq!(running.ask("GET", "/checkpoints/003", Some(&team.token("monitor")), b"").status, 403);
    // an audit through the address reads what was said of the present checkpoint
    std::fs::write(folder.join("004.tsr"), b"no token").unwrap();
    let report = ledger.audit().unwrap();
    assert_eq!(report.findings.iter().map(|f| f.place.as_str()).collect::<Vec<_>>(), ["checkpoints/004.tsr"]);
    std::fs::remove_file(folder.join("004.tsr")).unwrap();
    std::fs::remove_file(folder.join("003.tsr")).unwrap();
    running.stop();
    assert!(team.folder().audit().unwrap().is_clean());
}
