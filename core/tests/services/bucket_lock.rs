//! Object Lock: bodies, attachments and what opens them can't be removed before their date, and nothing else is held.

use std::process::Command;

use super::grounds::{Ground, Way, fact};
use super::places::assert_clean;
use super::small::{Small, append_at, kek, note};

/// The lock of an object, as another client of S3 sees it.
#[derive(Debug, PartialEq)]
struct Lock {
    name: String,
    /// Mode, and days from when it was written.
    held: String,
    until: String,
}

/// The locks of all objects under the prefix; each that is locked was tried to be removed.
fn locks(ground: Ground, small: &Small) -> Vec<Lock> {
    let prefix = small.dir.path().file_name().unwrap().to_str().unwrap().trim_start_matches('.').to_owned();
    let script = "
import sys, boto3
from botocore.config import Config
c = boto3.client('s3', endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3],
                 region_name='us-east-1', config=Config(s3={'addressing_style': 'path'}))
for o in c.list_objects_v2(Bucket='locked', Prefix=sys.argv[4] + '/')['Contents']:
    h = c.head_object(Bucket='locked', Key=o['Key'])
    until = h.get('ObjectLockRetainUntilDate')
    days = round((until - h['LastModified']).total_seconds() / 86400) if until else 0
    print(o['Key'][len(sys.argv[4]) + 1:], until.isoformat() if until else '-', h.get('ObjectLockMode') or '-', days)
    if h.get('ObjectLockMode') and h['ObjectLockMode'] != '-':
        try:
            c.delete_object(Bucket='locked', Key=o['Key'], VersionId=h['VersionId'])
            print('REMOVED', o['Key'])
        except c.exceptions.ClientError as e:
            assert e.response['ResponseMetadata']['HTTPStatusCode'] == 403, e
";
    let ran = Command::new(fact("/python"))
        .args(["-c", script, &ground.endpoint(), &fact("/buckets/access_key"), &fact("/buckets/secret_key"), &prefix])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let out = String::from_utf8(ran.stdout).unwrap();
    out.lines()
        .map(|line| {
            let parts: Vec<&str> = line.splitn(3, ' ').map(str::trim).collect();
            Lock { name: parts[0].to_owned(), until: parts[1].to_owned(), held: parts[2].to_owned() }
        })
        .collect()
}

#[test]
#[ignore = "needs make test-services"]
fn s009_bodies_and_attachments_are_locked_until_their_date_and_nothing_else_is() {
    for ground in [Ground::Versitygw, Ground::Seaweedfs] {
        let mut small = Small::at(|dir| ground.place_by(dir, &locked()));
        for n in 0..3 {
            small.note(&format!("note {n}"));
        }
        small.ledger.attach(b"small").unwrap();
        small.ledger.attach_stream(&vec![7; 17 * 1024 * 1024][..]).unwrap();
        assert_clean(&mut small.open().unwrap());
        let found = locks(ground, &small);
        for Lock { name, held, .. } in &found {
            let kept = name.starts_with("bodies/") || name.starts_with("attachments/");
            assert_eq!(held, if kept { "GOVERNANCE 3" } else { "- 0" }, "{ground:?} {name}");
        }
        assert_eq!(found.iter().filter(|lock| lock.name.starts_with("bodies/")).count(), 4);
        assert_eq!(found.iter().filter(|lock| lock.name.starts_with("attachments/")).count(), 2);
        // nothing is left of what was pending or replaced
        assert!(found.iter().all(|lock| !lock.name.starts_with("pending/") && !lock.name.starts_with("incoming/")));
    }
}

fn locked() -> Way {
    Way { bucket: "locked", more: "retain-days = 3\nretain-mode = \"governance\"", ..Way::default() }
}

#[test]
#[ignore = "needs make test-services"]
fn s009_what_opens_an_encrypted_body_is_locked_as_long_as_the_body_and_a_rotation_goes_on() {
    for ground in [Ground::Versitygw, Ground::Seaweedfs] {
        let mut small = Small::encrypted_at(|dir| ground.place_by(dir, &locked()));
        for n in 0..3 {
            small.note(&format!("note {n}"));
        }
        let attached = small.ledger.attach(b"small").unwrap();
        let check = |small: &Small, keyring: &str| {
            let found = locks(ground, small);
            for Lock { name, held, .. } in &found {
                let kept = ["bodies/", "attachments/", "keys/"].iter().any(|part| name.starts_with(part));
                let right = if name == "keyring.json" {
                    keyring
                } else if kept {
                    "GOVERNANCE 3"
                } else {
                    "- 0"
                };
                assert_eq!(held, right, "{ground:?} {name}");
            }
            assert_eq!(found.iter().filter(|lock| lock.name.starts_with("keys/")).count(), 5);
            found
        };
        let before = check(&small, "GOVERNANCE 4");
        // the keyring is replaced, and headers are held no longer than what they open
        small.ledger.rotate_encryption_keys(&kek(), &mut |_, _| {}).unwrap();
        let after = check(&small, "GOVERNANCE 3");
        for lock in before.iter().filter(|lock| lock.name.starts_with("keys/")) {
            assert!(after.contains(lock), "{ground:?} {lock:?}: {after:?}");
        }
        // the next append holds the keyring for longer than itself
        small.note("later");
        let mut again = small.open().unwrap();
        assert_eq!(again.attachment(&attached).unwrap(), b"small");
        assert_clean(&mut again);
        let keyring = locks(ground, &small).into_iter().find(|lock| lock.name == "keyring.json").unwrap();
        assert_eq!(keyring.held, "GOVERNANCE 4", "{ground:?}");
        // the same file once more takes nothing new
        small.ledger.attach(b"small").unwrap();
        assert_clean(&mut small.open().unwrap());
    }
}

#[test]
#[ignore = "needs make test-services"]
fn s009_a_bucket_without_locks_takes_nothing_that_must_be_locked() {
    for ground in [Ground::Versitygw, Ground::Seaweedfs] {
        let mut small = Small::at(|dir| ground.place(dir));
        small.note("unlocked");
        let way = Way { bucket: "plain", ..locked() };
        let mut ledger = append_at(&ground.place_by(small.dir.path(), &way), small.dir.path()).unwrap();
        let refused = ledger.record_statement(&note("locked"), &small.keys["maker"], small.now).unwrap_err();
        assert_eq!(refused.code(), "UNSUPPORTED", "{ground:?} {refused}");
        assert_eq!(small.open().unwrap().size(), 2);
    }
}
