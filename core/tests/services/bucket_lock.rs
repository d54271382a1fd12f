//! Object Lock: bodies and attachments can't be removed before their date, and nothing else is held.

use std::process::Command;

use super::grounds::{Ground, Way, fact};
use super::places::assert_clean;
use super::small::Small;

/// The lock of each object under the prefix, as another client of S3 sees it: `name mode` a line.
fn locks(ground: Ground, prefix: &str) -> Vec<(String, String)> {
    let script = "
import sys, boto3
from botocore.config import Config
c = boto3.client('s3', endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3],
                 region_name='us-east-1', config=Config(s3={'addressing_style': 'path'}))
for o in c.list_objects_v2(Bucket='locked', Prefix=sys.argv[4] + '/')['Contents']:
    h = c.head_object(Bucket='locked', Key=o['Key'])
    until = h.get('ObjectLockRetainUntilDate')
    days = round((until - h['LastModified']).total_seconds() / 86400) if until else 0
    print(o['Key'][len(sys.argv[4]) + 1:], h.get('ObjectLockMode', '-'), days)
    if h.get('ObjectLockMode') and h['ObjectLockMode'] != '-':
        try:
            c.delete_object(Bucket='locked', Key=o['Key'], VersionId=h['VersionId'])
            print('REMOVED', o['Key'])
        except c.exceptions.ClientError as e:
            assert e.response['ResponseMetadata']['HTTPStatusCode'] == 403, e
";
    let ran = Command::new(fact("/python"))
        .args(["-c", script, &ground.endpoint(), &fact("/buckets/access_key"), &fact("/buckets/secret_key"), prefix])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let out = String::from_utf8(ran.stdout).unwrap();
    out.lines().filter_map(|line| line.split_once(' ')).map(|(n, l)| (n.to_owned(), l.to_owned())).collect()
}

#[test]
#[ignore = "needs make test-services"]
fn bodies_and_attachments_are_locked_until_their_date_and_nothing_else_is() {
    for ground in [Ground::Versitygw, Ground::Seaweedfs] {
        let way = Way { bucket: "locked", more: "retain-days = 3\nretain-mode = \"governance\"", ..Way::default() };
        let mut small = Small::at(|dir| ground.place_by(dir, &way));
        for n in 0..3 {
            small.note(&format!("note {n}"));
        }
        small.ledger.attach(b"small").unwrap();
        small.ledger.attach_stream(&vec![7; 17 * 1024 * 1024][..]).unwrap();
        assert_clean(&mut small.open().unwrap());
        let prefix = small.dir.path().file_name().unwrap().to_str().unwrap().trim_start_matches('.').to_owned();
        let found = locks(ground, &prefix);
        for (name, lock) in &found {
            let kept = name.starts_with("bodies/") || name.starts_with("attachments/");
            assert_eq!(lock, if kept { "GOVERNANCE 3" } else { "- 0" }, "{ground:?} {name}");
        }
        assert_eq!(found.iter().filter(|(name, _)| name.starts_with("bodies/")).count(), 4);
        assert_eq!(found.iter().filter(|(name, _)| name.starts_with("attachments/")).count(), 2);
        // nothing is left of what was pending or replaced
        assert!(found.iter().all(|(name, _)| !name.starts_with("pending/") && !name.starts_with("incoming/")));
    }
}
