//! Versions of the trust policy in a ledger: who may bring one into force, and who was believed when.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod small;

use sealwright::artifact::ResourceDescriptor;
use sealwright::ledger::{Anchored, Anchors, Pins};
use sealwright::predicate::{
    Admin, Deployment, Person, PersonId, PredicateType, RecordRef, Revocation, TrustPolicy, Writer,
};
use sealwright::statement::Statement;
use sealwright::trust_policy::{self, KEY_ISSUER};
use sealwright::{Error, digest::Digest, ledger::Receipt};
use small::{NOTE, Small, note, start};

/// A ledger with two admins, both of whom must sign, and a third signer who may become one.
fn two_admins() -> Small {
    Small::with_policy(|policy, keys| {
        policy.signers.push(small::signer("admin-b", keys, &[]));
        policy.signers.push(small::signer("admin-c", keys, &[]));
        policy.admins.push(admin("admin-b"));
        policy.threshold = 2;
    })
}

fn admin(name: &str) -> Admin {
    Admin { signer: name.to_owned() }
}

fn revocation(target: &str, since_millis: i64) -> Revocation {
    Revocation {
        target: target.to_owned(),
        since: start().plus_millis(since_millis),
        reason: "the key was lost".to_owned(),
    }
}

/// The next version, changed.
fn next(small: &Small, change: impl FnOnce(&mut TrustPolicy)) -> Statement {
    let newest = small.ledger.trust_policy().unwrap();
    let mut policy = newest.predicate().clone();
    policy.version += 1;
    policy.supersedes = Some(RecordRef::to(newest.payload()));
    change(&mut policy);
    trust_policy::statement(&policy).unwrap()
}

fn version(small: &Small) -> u64 {
    small.ledger.trust_policy().unwrap().version()
}

fn refused(result: Result<Receipt, Error>, code: &str, small: &Small) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    let size = small.ledger.size();
    assert_eq!(small.open().unwrap().size(), size, "nothing was written");
}

/// The ledger as another process, one that never saw it, and an audit see it.
fn agree(small: &mut Small) {
    let expected = version(small);
    assert_eq!(small.open().unwrap().trust_policy().unwrap().version(), expected);
    let elsewhere = Anchors::in_folder(small.dir.path().join("elsewhere"));
    let fresh = small::opened(&small.folder(), &elsewhere, &Pins::none()).unwrap();
    assert_eq!((fresh.trust_policy().unwrap().version(), fresh.anchored()), (expected, Anchored::FirstUse));
    std::fs::remove_dir_all(small.dir.path().join("elsewhere")).unwrap();
    fresh.rebuild_index().unwrap();
    for index in 0..fresh.size() {
        fresh.record(index).unwrap();
    }
    let report = small.ledger.audit().unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
}

#[test]
fn a_version_is_in_force_from_the_entry_that_completes_both_thresholds() {
    let mut small = two_admins();
    let second = next(&small, |policy| {
        policy.admins = vec![admin("admin-b"), admin("admin-c")];
        policy.signers[2].predicate_types = vec!["https://example.org/attestation/other/v1".to_owned()];
    });
    // of the old admins `admin` and `admin-b`, of the new `admin-b` and `admin-c`
    for (signer, in_force) in [("admin", 1), ("admin-b", 1), ("admin-c", 2)] {
        small.record("second", &note(signer)).unwrap();
        small.record(signer, &second).unwrap();
        assert_eq!(version(&small), in_force, "{signer}");
    }
    // `second` may not say it any more, and what it said before stays
    let now_refused = small.record("second", &note("after"));
    refused(now_refused, "NOT_ENTITLED", &small);
    assert_eq!(small.ledger.record(6).unwrap().speaker.signer, "second");
    // the old admin counts no more
    let by_old = next(&small, |_| {});
    let result = small.record("admin", &by_old);
    refused(result, "UNTRUSTED_SIGNER", &small);
    assert!(small.record("admin-c", &second).unwrap().already_there, "a retry");
    agree(&mut small);
}

#[test]
fn one_threshold_alone_brings_nothing_into_force() {
    let mut small = two_admins();
    let only_old = next(&small, |policy| policy.admins = vec![admin("admin-b"), admin("admin-c")]);
    small.record("admin", &only_old).unwrap();
    small.record("admin-b", &only_old).unwrap();
    assert_eq!(version(&small), 1, "one of the new admins is missing");
    let only_new = next(&small, |policy| {
        policy.admins = vec![admin("admin-b"), admin("admin-c")];
        policy.profile.name = "other".to_owned();
    });
    small.record("admin-b", &only_new).unwrap();
    small.record("admin-c", &only_new).unwrap();
    assert_eq!(version(&small), 1, "one of the old admins is missing");
    // the same signature twice is one signature
    assert!(small.record("admin-b", &only_new).unwrap().already_there);
    assert_eq!(version(&small), 1);
    agree(&mut small);
}

#[test]
fn a_proposal_that_another_version_overtook_stays_readable() {
    let mut small = two_admins();
    let overtaken = next(&small, |policy| policy.profile.name = "overtaken".to_owned());
    let taken = next(&small, |policy| policy.profile.name = "taken".to_owned());
    let proposal = small.record("admin", &overtaken).unwrap();
    for signer in ["admin", "admin-b"] {
        small.record(signer, &taken).unwrap();
    }
    assert_eq!(version(&small), 2);
    assert_eq!(small.ledger.record(proposal.index).unwrap().speaker.signer, "admin");
    // it can never be completed
    let result = small.record("admin-b", &overtaken);
    refused(result, "TRUST_POLICY_REFUSED", &small);
    small.note("the ledger goes on");
    agree(&mut small);
}

#[test]
fn nobody_proposes_a_version_that_makes_only_themselves_an_admin() {
    let mut small = two_admins();
    for signer in ["admin-c", "stranger"] {
        let keys = small.keys[signer].public().clone();
        let usurped = next(&small, |policy| {
            if signer == "stranger" {
                let mut own = policy.signers[0].clone();
                (own.name, own.key) = (signer.to_owned(), Some(trust_policy::key_descriptor(&keys)));
                policy.signers.push(own);
            }
            policy.admins = vec![admin(signer)];
            policy.threshold = 1;
        });
        let result = small.record(signer, &usurped);
        refused(result, "NOT_ENTITLED", &small);
    }
    assert_eq!(version(&small), 1);
}

#[test]
fn an_expired_admin_key_does_not_come_back_by_its_own_proposal() {
    let mut small = Small::with_policy(|policy, keys| {
        policy.signers.push(small::signer("admin-b", keys, &[]));
        policy.admins.push(admin("admin-b"));
        // one live admin and one whose key ran out; two must sign
        policy.signers.last_mut().unwrap().valid_until = Some(start().plus_millis(1));
        policy.threshold = 2;
    });
    let renewed = next(&small, |policy| policy.signers.last_mut().unwrap().valid_until = None);
    small.record("admin", &renewed).unwrap();
    small.record("admin-b", &renewed).unwrap();
    assert_eq!(version(&small), 1, "the old threshold counts the expired key by the old window");
    let alone = next(&small, |policy| {
        policy.signers.last_mut().unwrap().valid_until = None;
        policy.admins = vec![admin("admin-b")];
        policy.threshold = 1;
    });
    let result = small.record("admin-b", &alone);
    refused(result, "NOT_ENTITLED", &small);
    agree(&mut small);
}

#[test]
fn a_revoked_admin_brings_nothing_into_force() {
    let mut small = two_admins();
    let revoked = next(&small, |policy| {
        policy.revocations.push(revocation("admin-b", 0));
        policy.admins.push(admin("admin-c"));
    });
    small.record("admin", &revoked).unwrap();
    small.record("admin-b", &revoked).unwrap();
    assert_eq!(version(&small), 1, "its own signature does not count in the version that revokes it");
    small.record("admin-c", &revoked).unwrap();
    assert_eq!(version(&small), 2, "the old version counts it still, or a thief could block the way out");

    let mut small = two_admins();
    let revoked = next(&small, |policy| {
        policy.revocations.push(revocation("admin-b", 60_000));
        policy.admins.push(admin("admin-c"));
    });
    small.record("admin", &revoked).unwrap();
    small.record("admin-b", &revoked).unwrap();
    assert_eq!(version(&small), 2);
    small.now = start().plus_millis(60_000);
    let third = next(&small, |policy| policy.profile.name = "third".to_owned());
    let result = small.record("admin-b", &third);
    refused(result, "REVOKED", &small);
    small.record("admin", &third).unwrap();
    assert_eq!(version(&small), 2);
    small.record("admin-c", &third).unwrap();
    assert_eq!(version(&small), 3);
    agree(&mut small);
}

#[test]
fn an_admin_whom_the_next_version_drops_does_not_sign_it_alone_and_is_nobody_after_it() {
    let mut small = Small::with_policy(|policy, keys| {
        policy.signers.push(small::signer("admin-b", keys, &[]));
        policy.admins.push(admin("admin-b"));
    });
    assert_eq!((version(&small), small.ledger.size()), (1, 2), "one admin more than it takes signed, too");
    let without = next(&small, |policy| policy.admins = vec![admin("admin-b")]);
    small.record("admin", &without).unwrap();
    assert_eq!(version(&small), 1, "enough for the old version, and for the new one nobody");
    small.record("admin-b", &without).unwrap();
    assert_eq!(version(&small), 2);
    let back = next(&small, |policy| policy.admins.push(admin("admin")));
    let result = small.record("admin", &back);
    refused(result, "NOT_ENTITLED", &small);
    agree(&mut small);
}

#[test]
fn what_waits_for_signatures_says_whose() {
    let mut small = two_admins();
    let second = next(&small, |policy| policy.admins = vec![admin("admin-b"), admin("admin-c")]);
    assert_eq!(small.ledger.trust().proposals().count(), 0);
    let receipt = small.record("admin-b", &second).unwrap();
    {
        let proposal = small.ledger.trust().proposals().next().unwrap();
        assert_eq!((proposal.policy.version(), proposal.entry), (2, receipt.index));
        let former = proposal.former.unwrap();
        assert_eq!((former.signed, former.open, former.missing), (vec!["admin-b"], vec!["admin"], 1));
        assert_eq!((proposal.own.open, proposal.own.missing), (vec!["admin-c"], 1));
    }
    small.record("admin", &second).unwrap();
    small.record("admin-c", &second).unwrap();
    assert_eq!((version(&small), small.ledger.trust().proposals().count()), (2, 0));
}

#[test]
fn a_revoked_key_does_not_return_under_another_name() {
    let mut small = Small::new();
    let revoked = next(&small, |policy| policy.revocations.push(revocation("second", 0)));
    small.record("admin", &revoked).unwrap();
    let returned = next(&small, |policy| policy.signers.last_mut().unwrap().name = "third".to_owned());
    let result = small.record("admin", &returned);
    refused(result, "TRUST_POLICY_REFUSED", &small);
    let both = next(&small, |policy| {
        policy.revocations.push(revocation("maker", 0));
        policy.signers[1].name = "other".to_owned();
    });
    let result = small.record("admin", &both);
    refused(result, "TRUST_POLICY_REFUSED", &small);
    agree(&mut small);
}

#[test]
fn a_revocation_reaches_a_key_by_every_name_it_had_and_a_person_who_was_taken_off_the_list() {
    let mut small = Small::with_policy(|policy, keys| {
        let ids = vec![PersonId { issuer: KEY_ISSUER.to_owned(), subject: keys["second"].public().id() }];
        policy.people.push(Person { person: "eve".to_owned(), ids, roles: vec![] });
    });
    let made = small.note("by maker, who is called smith now");
    let by_eve = small.record("second", &note("by eve")).unwrap();
    let renamed = next(&small, |policy| {
        policy.signers[1].name = "smith".to_owned();
        policy.people.clear();
    });
    small.record("admin", &renamed).unwrap();
    small.note("as smith");
    let revoked = next(&small, |policy| policy.revocations.extend([revocation("smith", 0), revocation("eve", 0)]));
    small.record("admin", &revoked).unwrap();
    for index in [made.index, by_eve.index] {
        assert!(small.ledger.record(index).unwrap().revoked, "entry {index}");
    }
    for signer in ["maker", "second"] {
        let result = small.record(signer, &note("later"));
        refused(result, "REVOKED", &small);
    }
    agree(&mut small);
}

#[test]
fn a_version_under_the_subject_of_another_is_refused() {
    let mut small = Small::new();
    let mut policy = small.ledger.trust_policy().unwrap().predicate().clone();
    policy.version = 2;
    policy.supersedes = Some(RecordRef::to(small.ledger.trust_policy().unwrap().payload()));
    let own = policy.subject_digest().unwrap();
    let of = |digests: &[Digest]| {
        let subjects = digests.iter().map(|d| ResourceDescriptor::of(d.clone())).collect();
        Statement::new(subjects, &policy).unwrap()
    };
    for subjects in [vec![Digest::sha256(b"another")], vec![own.clone(), Digest::sha256(b"another")]] {
        let result = small.record("admin", &of(&subjects));
        refused(result, "TRUST_POLICY_REFUSED", &small);
    }
    // `supersedes` is no part of it, and what this version does not know is
    let mut unknown = serde_json::to_value(&policy).unwrap();
    unknown["com.example.extra"] = serde_json::json!(1);
    let with = |digest: &Digest| {
        Statement::from_json(TrustPolicy::TYPE, vec![ResourceDescriptor::of(digest.clone())], &unknown).unwrap()
    };
    let result = small.record("admin", &with(&own));
    refused(result, "TRUST_POLICY_REFUSED", &small);
    let mut bare = unknown.clone();
    bare.as_object_mut().unwrap().remove("supersedes");
    small.record("admin", &with(&Digest::sha256(&sealwright::json::canonical("policy", &bare).unwrap()))).unwrap();
    assert_eq!(version(&small), 2);
    agree(&mut small);
}

#[test]
fn s008_a_credential_appends_what_the_trust_policy_lets_it_write_and_nothing_else() {
    let mut small = Small::with_policy(|policy, _| {
        let writer = |credential: &str, types: &[&str]| Writer {
            credential: credential.to_owned(),
            predicate_types: types.iter().map(|t| (*t).to_owned()).collect(),
        };
        policy.writers = vec![
            writer("admins", &[TrustPolicy::TYPE]),
            writer("ci", &[NOTE]),
            writer("deployer", &[Deployment::TYPE]),
        ];
    });
    let result = small.record("maker", &note("by nobody"));
    refused(result, "APPEND_REFUSED", &small);
    let mut as_submitter = |credential: &str, statement: &Statement, signer: &str| {
        let ledger = small::open_to_append(small.dir.path()).unwrap();
        let now = small.tick();
        ledger.with_submitter(credential).record_statement(statement, &small.keys[signer], now)
    };
    // the record is good and its signer entitled: what is refused is that this one brings it
    for credential in ["deployer", "admins", "somebody"] {
        let refused = as_submitter(credential, &note("x"), "maker").unwrap_err();
        assert_eq!(refused.code(), "APPEND_REFUSED", "{refused}");
    }
    as_submitter("ci", &note("x"), "maker").unwrap();
    // to be allowed to write is not to be allowed to say
    let refused = as_submitter("ci", &note("x"), "stranger").unwrap_err();
    assert_eq!(refused.code(), "UNTRUSTED_SIGNER", "{refused}");
}

#[test]
fn versions_out_of_order_and_dropped_revocations_are_refused() {
    let mut small = Small::new();
    let first = small.ledger.trust_policy().unwrap().payload().clone();
    let skipped = next(&small, |policy| policy.version = 3);
    let other = next(&small, |policy| policy.supersedes = Some(RecordRef::to(&Digest::sha256(b"another"))));
    for statement in [skipped, other] {
        let result = small.record("admin", &statement);
        refused(result, "TRUST_POLICY_REFUSED", &small);
    }
    let second = next(&small, |policy| policy.revocations.push(revocation("second", 0)));
    small.record("admin", &second).unwrap();
    let dropped = next(&small, |policy| policy.revocations.clear());
    let weakened = next(&small, |policy| policy.revocations[0].since = start().plus_millis(1_000_000));
    let lower = next(&small, |policy| {
        policy.version = 2;
        policy.supersedes = Some(RecordRef::to(&first));
        policy.profile.name = "lower".to_owned();
    });
    for statement in [dropped, weakened, lower] {
        let result = small.record("admin", &statement);
        refused(result, "TRUST_POLICY_REFUSED", &small);
    }
    assert_eq!(version(&small), 2);
    agree(&mut small);
}

#[test]
fn the_first_version_is_pinned_on_first_use_and_another_pin_is_refused() {
    let small = Small::new();
    let own = small.ledger.trust_policy().unwrap().payload().clone();
    let fresh = || Anchors::in_folder(small.dir.path().join("fresh"));
    let mut pins = Pins::none();
    pins.trust_policy = Some(Digest::sha256(b"another policy"));
    for anchors in [fresh(), small.anchors()] {
        let refused = small::opened(&small.folder(), &anchors, &pins).unwrap_err();
        assert_eq!(refused.code(), "TRUST_POLICY_REFUSED", "{refused}");
    }
    assert!(!small.dir.path().join("fresh").exists(), "what is refused is not remembered");
    pins.trust_policy = Some(own);
    pins.log_key = Some(small.ledger.log_key().clone());
    assert_eq!(small::opened(&small.folder(), &fresh(), &pins).unwrap().anchored(), Anchored::FirstUse);
    assert_eq!(small::opened(&small.folder(), &fresh(), &Pins::none()).unwrap().anchored(), Anchored::Extends);
    pins.log_key = Some(Small::new().ledger.log_key().clone());
    assert_eq!(small::opened(&small.folder(), &fresh(), &pins).unwrap_err().code(), "LEDGER_FORKED");
}

#[test]
fn a_checkpoint_from_elsewhere_is_demanded_of_a_first_use() {
    let mut small = Small::new();
    let copy = small::tempdir();
    small::copy(&small.folder(), copy.path());
    small.note("newer");
    let mut pins = Pins::none();
    pins.min_checkpoint = Some(small.ledger.checkpoint().note().as_bytes().to_vec());
    let anchors = Anchors::in_folder(small.dir.path().join("fresh"));
    assert_eq!(small::opened(copy.path(), &anchors, &pins).unwrap_err().code(), "LEDGER_ROLLED_BACK");
}

#[test]
fn a_revocation_reaches_what_was_logged_since_and_spares_what_was_logged_before() {
    let mut small = Small::with_policy(|policy, keys| {
        let ids = vec![PersonId { issuer: KEY_ISSUER.to_owned(), subject: keys["second"].public().id() }];
        policy.people.push(Person { person: "eve".to_owned(), ids, roles: vec![] });
    });
    let before = small.record("maker", &note("before")).unwrap();
    let since = small.now.plus_millis(500).unix_millis() - start().unix_millis();
    let after = small.record("maker", &note("after")).unwrap();
    let by_eve = small.record("second", &note("by eve")).unwrap();
    let single = small.ledger.record(before.index).unwrap().statement().payload_digest();
    let second = next(&small, |policy| {
        policy.revocations.extend([revocation("maker", since), revocation("eve", 0)]);
    });
    small.record("admin", &second).unwrap();
    let revoked = |small: &Small, index| small.ledger.record(index).unwrap().revoked;
    assert!(!revoked(&small, before.index));
    assert!(revoked(&small, after.index), "what was logged since supports nothing, and stays readable");
    assert!(revoked(&small, by_eve.index), "by the person behind the key");
    for (signer, text) in [("maker", "later"), ("second", "later")] {
        let result = small.record(signer, &note(text));
        refused(result, "REVOKED", &small);
    }
    let third = next(&small, |policy| policy.revocations.push(revocation(&single.hex(), 0)));
    small.record("admin", &third).unwrap();
    assert!(revoked(&small, before.index), "one record by its payload digest");
    agree(&mut small);
}

#[test]
fn a_record_is_judged_by_the_policy_at_its_index() {
    let mut small = Small::new();
    let old = small.record("second", &note("allowed then")).unwrap();
    let without = next(&small, |policy| policy.signers.retain(|s| s.name != "second"));
    small.record("admin", &without).unwrap();
    let record = small.ledger.record(old.index).unwrap();
    assert_eq!((record.speaker.signer.as_str(), record.revoked), ("second", false));
    let result = small.record("second", &note("not now"));
    refused(result, "UNTRUSTED_SIGNER", &small);
    let key = small.keys["late"].public().clone();
    let with = next(&small, |policy| {
        let mut late = policy.signers[0].clone();
        (late.name, late.key) = ("late".to_owned(), Some(trust_policy::key_descriptor(&key)));
        late.predicate_types = vec![NOTE.to_owned()];
        policy.signers.push(late);
    });
    let result = small.record("late", &note("too early"));
    refused(result, "UNTRUSTED_SIGNER", &small);
    small.record("admin", &with).unwrap();
    small.record("late", &note("allowed now")).unwrap();
    agree(&mut small);
}

#[test]
fn a_handle_learns_of_versions_that_another_process_appended() {
    let mut small = Small::new();
    let mut other = small::open_to_append(small.dir.path()).unwrap();
    let without = next(&small, |policy| policy.signers.retain(|s| s.name != "second"));
    small.record("admin", &without).unwrap();
    let late = other.record_statement(&note("stale"), &small.keys["second"], small.now);
    assert_eq!(late.unwrap_err().code(), "UNTRUSTED_SIGNER");
    assert_eq!(other.trust_policy().unwrap().version(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_ledger_that_could_not_be_made_leaves_nothing_in_the_way_of_making_it() {
    let dir = tempfile::tempdir().unwrap();
    // so deep that its configuration and bodies can still be named, and its tiles can't
    let mut folder = dir.path().to_path_buf();
    let depth = |folder: &std::path::Path| folder.as_os_str().len();
    while depth(&folder) < 4082 {
        folder.push("d".repeat((4082 - depth(&folder) - 1).clamp(1, 200)));
    }
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    let record = Small::new().ledger.record(0).unwrap().verified.record().to_vec();
    let init = |folder: &std::path::Path| {
        let log_key = sealwright::key::PrivateKey::generate(sealwright::key::KeyType::Ed25519).unwrap();
        let anchors = Anchors::in_folder(dir.path().join("state"));
        small::made(folder, &anchors, "example.org/again", log_key, std::slice::from_ref(&record), start())
    };
    assert_eq!(init(&folder).unwrap_err().code(), "IO");
    assert!(!folder.exists());
    // the origin is not taken either
    init(&dir.path().join("ledger")).unwrap();
}
