//! What a trust policy may say, and what follows from it for a record and its signer.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

mod corpora;
mod small;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use corpora::corpora;
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::Digest;
use sealwright::key::PrivateKey;
use sealwright::predicate::*;
use sealwright::trust_policy::{self, GIT_ISSUER, KEY_ISSUER};
use serde_json::json;
use small::{BUILDER, NOTE, Small, note, of};

type Change = fn(&mut TrustPolicy, &BTreeMap<&'static str, PrivateKey>);

/// How a policy with this change ends.
fn ends(change: Change) -> String {
    let (mut policy, keys) = (Small::new().policy, Small::new().keys);
    change(&mut policy, &keys);
    trust_policy::statement(&policy).map_or_else(|e| format!("{}: {}", e.code(), e.message()), |_| "ok".to_owned())
}

fn identity(name: &str, issuer: &str, subject: &str) -> TrustedSigner {
    TrustedSigner {
        name: name.to_owned(),
        issuer: Some(issuer.to_owned()),
        identity: Some(subject.to_owned()),
        predicate_types: vec![NOTE.to_owned()],
        ..TrustedSigner::default()
    }
}

fn person(name: &str, issuer: &str, subject: &str) -> Person {
    let ids = vec![PersonId { issuer: issuer.to_owned(), subject: subject.to_owned() }];
    Person { person: name.to_owned(), ids, roles: vec![] }
}

fn writer(credential: &str, types: &[&str]) -> Writer {
    Writer { credential: credential.to_owned(), predicate_types: types.iter().map(|t| (*t).to_owned()).collect() }
}

fn carried(bytes: &[u8]) -> ResourceDescriptor {
    let mut descriptor = ResourceDescriptor::of(Digest::sha256(bytes));
    descriptor.content = Some(STANDARD.encode(bytes));
    descriptor
}

#[test]
fn a_policy_that_contradicts_itself_is_refused() {
    const CI: &str = "https://ci.example.org";
    let cases: [(&str, &str, Change); 16] = [
        ("a key under two names", "TRUST_POLICY_REFUSED", |p, keys| {
            let mut twin = small::signer("maker", keys, &[NOTE]);
            twin.key = p.signers[1].key.clone();
            twin.name = "twin".to_owned();
            p.signers.push(twin);
        }),
        ("an identity under two names", "TRUST_POLICY_REFUSED", |p, _| {
            p.signers.extend([identity("one", CI, "job"), identity("two", CI, "job")]);
        }),
        ("an identity under two names, told apart by an extension", "TRUST_POLICY_REFUSED", |p, _| {
            let mut two = identity("two", CI, "job");
            two.extensions.insert("sourceRepositoryRef".to_owned(), "refs/heads/main".to_owned());
            p.signers.extend([identity("one", CI, "job"), two]);
        }),
        ("certificates without a trusted root", "TRUST_POLICY_REFUSED", |p, _| {
            p.signers.push(identity("one", CI, "job"));
        }),
        ("an issuer that is ours", "TRUST_POLICY_REFUSED", |p, _| p.signers.push(identity("one", KEY_ISSUER, "job"))),
        ("extensions of a key", "MALFORMED", |p, _| {
            p.signers[1].extensions.insert("sourceRepository".to_owned(), "x".to_owned());
        }),
        ("a trusted root that is not its digest", "MALFORMED", |p, _| {
            let mut root = carried(b"{}");
            root.content = Some(STANDARD.encode(b"{ }"));
            p.trusted_roots.push(root);
        }),
        ("a person twice", "TRUST_POLICY_REFUSED", |p, _| {
            p.people = vec![person("ann", GIT_ISSUER, "a@example.org"), person("ann", GIT_ISSUER, "b@example.org")];
        }),
        ("an id under two persons", "MALFORMED", |p, _| {
            p.people = vec![person("ann", GIT_ISSUER, "a@example.org"), person("ben", GIT_ISSUER, "a@example.org")];
        }),
        ("a person with a key that is none", "TRUST_POLICY_REFUSED", |p, keys| {
            p.people = vec![person("ann", KEY_ISSUER, &keys["maker"].public().id().to_uppercase())];
        }),
        ("a credential twice", "TRUST_POLICY_REFUSED", |p, _| {
            p.writers = vec![writer("ci", &[NOTE]), writer("ci", &[TrustPolicy::TYPE])];
        }),
        ("writers of whom none may change the policy", "TRUST_POLICY_REFUSED", |p, _| {
            p.writers = vec![writer("ci", &[NOTE])];
        }),
        ("a deployer's credential for more than deployments", "MALFORMED", |p, _| {
            p.writers = vec![writer("all", &[TrustPolicy::TYPE, Deployment::TYPE])];
        }),
        ("a deployer who watches what is deployed", "MALFORMED", |p, _| {
            p.signers[1].predicate_types.push(Deployment::TYPE.to_owned());
            p.signers[1]
                .speaks_for
                .push(SpeaksFor { collector: Some("urn:example:watch".to_owned()), ..SpeaksFor::default() });
        }),
        ("attributes of no collector", "MALFORMED", |p, _| {
            p.signers[1].speaks_for[0].attributes.push("MFA_ENFORCED".to_owned());
        }),
        ("certificates demanded of trust policies", "MALFORMED", |p, _| {
            p.keyless =
                Some(Keyless { predicate_types: vec![TrustPolicy::TYPE.to_owned()], max_certificate_seconds: 600 });
        }),
    ];
    assert_eq!(ends(|_, _| {}), "ok");
    for (what, code, change) in cases {
        let ended = ends(change);
        assert!(ended.starts_with(&format!("{code}: ")), "{what}: {ended}");
    }
}

#[test]
fn a_collector_claims_the_attributes_it_is_listed_for_and_no_others() {
    let claim = |attribute: &str| of(Scai::TYPE, b"host", &json!({ "attributes": [{ "attribute": attribute }] }));
    let mut small = Small::with_policy(|policy, keys| {
        let mut watch = small::signer("second", keys, &[Scai::TYPE]);
        watch.speaks_for = vec![SpeaksFor {
            collector: Some("urn:example:watch".to_owned()),
            attributes: vec!["MFA_ENFORCED".to_owned()],
            ..SpeaksFor::default()
        }];
        policy.signers[2] = watch;
        policy.signers[1].predicate_types.push(Scai::TYPE.to_owned());
    });
    small.record("second", &claim("MFA_ENFORCED")).unwrap();
    // what is in no vocabulary satisfies nothing, whoever says it
    small.record("second", &claim("com.example.PAINTED_BLUE")).unwrap();
    for (signer, attribute) in [("second", "ENCRYPTED_AT_REST"), ("maker", "MFA_ENFORCED")] {
        let refused = small.record(signer, &claim(attribute)).unwrap_err();
        assert_eq!(refused.code(), "NOT_ENTITLED", "{refused}");
        assert!(refused.message().contains(attribute), "{refused}");
    }
}

#[test]
fn an_observer_who_is_listed_speaks_for_itself_and_for_its_environments() {
    let snapshot = |observer: &str, environment: &str| {
        let predicate = json!({
            "environment": { "id": environment, "class": "prod" },
            "observer": { "id": observer, "kind": "workload" },
            "observedAt": small::START,
            "coverage": "full",
            "state": [],
            "sourceData": { "digest": { "sha256": Digest::sha256(b"raw").hex() } },
        });
        of(EnvironmentSnapshot::TYPE, b"state", &predicate)
    };
    let mut small = Small::with_policy(|policy, keys| {
        let mut watch = small::signer("second", keys, &[EnvironmentSnapshot::TYPE]);
        let pair = |c: Option<&str>, e: Option<&str>| SpeaksFor {
            collector: c.map(str::to_owned),
            environment: e.map(str::to_owned),
            ..SpeaksFor::default()
        };
        watch.speaks_for = vec![pair(Some("urn:example:watch"), None), pair(None, Some("urn:example:prod"))];
        policy.signers[2] = watch;
    });
    small.record("second", &snapshot("urn:example:watch", "urn:example:prod")).unwrap();
    for (observer, environment) in
        [("urn:example:other", "urn:example:prod"), ("urn:example:watch", "urn:example:staging")]
    {
        let refused = small.record("second", &snapshot(observer, environment)).unwrap_err();
        assert_eq!(refused.code(), "NOT_ENTITLED", "{refused}");
    }
}

#[test]
fn s111_a_static_key_is_refused_where_a_certificate_is_demanded() {
    let provenance = of(
        Provenance::TYPE,
        b"artifact",
        &json!({
            "buildDefinition": { "buildType": "https://example.org/build/v1", "externalParameters": {} },
            "runDetails": { "builder": { "id": BUILDER } },
        }),
    );
    let mut free = Small::new();
    free.record("maker", &provenance).unwrap();
    let mut small = Small::with_policy(|policy, _| {
        policy.keyless =
            Some(Keyless { predicate_types: vec![Provenance::TYPE.to_owned()], max_certificate_seconds: 600 });
    });
    let refused = small.record("maker", &provenance).unwrap_err();
    assert_eq!(refused.code(), "NOT_ENTITLED", "{refused}");
    assert!(refused.context().contains(&("found", "a static key".to_owned())), "{:?}", refused.context());
    small.record("maker", &note("of other types it is as it was")).unwrap();
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const JOB: &str = "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main";

/// A real record, keyless by a workflow of GitHub, and the trusted root of Sigstore's public instance.
fn keyless() -> Option<(Vec<u8>, ResourceDescriptor)> {
    let record = corpora("sigstore-bundles/gh-cli/sigstore-js-2.1.0-bundle.json")?;
    let root = corpora("sigstore-trust-roots/public-good/targets/trusted_root.json")?;
    Some((small::read(record), carried(&small::read(root))))
}

/// That job among the signers, under the name `job`.
fn job() -> TrustedSigner {
    TrustedSigner {
        predicate_types: vec![Provenance::TYPE.to_owned()],
        speaks_for: vec![SpeaksFor {
            builder: Some("https://github.com/actions/runner/github-hosted".to_owned()),
            ..SpeaksFor::default()
        }],
        ..identity("job", GITHUB, JOB)
    }
}

/// How an append of the record ends, in a ledger whose trust policy lists the job, changed.
fn appended(
    record: &[u8],
    root: &ResourceDescriptor,
    change: impl FnOnce(&mut TrustPolicy, &BTreeMap<&'static str, PrivateKey>),
) -> (Small, Result<u64, String>) {
    let mut small = Small::with_policy(|policy, keys| {
        policy.signers.push(job());
        policy.trusted_roots.push(root.clone());
        change(policy, keys);
    });
    let ended = append(&mut small, record);
    (small, ended)
}

fn append(small: &mut Small, record: &[u8]) -> Result<u64, String> {
    let now = small.tick();
    let verified = small.ledger.verify(record, now).map_err(|e| e.code().to_owned())?;
    small.ledger.append(&verified, now).map(|receipt| receipt.index).map_err(|e| e.code().to_owned())
}

/// The next version, changed, in force.
fn change(small: &mut Small, change: impl FnOnce(&mut TrustPolicy)) {
    let mut draft = trust_policy::next(small.ledger.trust_policy().unwrap());
    change(&mut draft);
    small.record("admin", &trust_policy::statement(&draft).unwrap()).unwrap();
}

fn last(policy: &mut TrustPolicy) -> &mut TrustedSigner {
    policy.signers.last_mut().unwrap()
}

#[test]
fn s019_a_record_of_the_listed_job_counts_and_one_of_any_other_identity_is_refused() {
    let Some((record, root)) = keyless() else { return };
    let (mut small, ended) = appended(&record, &root, |_, _| {});
    let index = ended.unwrap();
    let speaker = small.ledger.record(index).unwrap().speaker;
    assert_eq!((speaker.signer.as_str(), speaker.person), ("job", None));
    // the key of a certificate is another one each time, and who may not be the builder as well is asked by this
    assert_eq!(speaker.identity, Digest::sha256(format!("{GITHUB}\0{JOB}").as_bytes()).hex());
    assert_ne!(speaker.identity, speaker.key_id);
    assert_eq!(append(&mut small, &record), Ok(index), "it is there once");

    type Case = (&'static str, &'static str, fn(&mut TrustPolicy));
    let cases: [Case; 9] = [
        ("another issuer", "UNTRUSTED_SIGNER", |p| last(p).issuer = Some("https://gitlab.com".to_owned())),
        ("another workflow", "UNTRUSTED_SIGNER", |p| last(p).identity = Some(JOB.replace("release.yml", "test.yml"))),
        ("another repository", "UNTRUSTED_SIGNER", |p| last(p).identity = Some(JOB.replace("sigstore-js", "other"))),
        ("another ref", "UNTRUSTED_SIGNER", |p| {
            last(p).extensions.insert("sourceRepositoryRef".to_owned(), "refs/heads/other".to_owned());
        }),
        ("a name that is the subject of nobody", "UNTRUSTED_SIGNER", |p| last(p).identity = Some(format!("{JOB}x"))),
        ("another builder", "NOT_ENTITLED", |p| last(p).speaks_for[0].builder = Some(BUILDER.to_owned())),
        ("another type", "NOT_ENTITLED", |p| last(p).predicate_types = vec![NOTE.to_owned()]),
        ("signed too early", "NOT_YET_VALID", |p| last(p).valid_from = Some("2023-08-30T00:00:00Z".parse().unwrap())),
        ("logged too late", "EXPIRED", |p| last(p).valid_until = Some(small::start())),
    ];
    for (what, code, change) in cases {
        let (_, ended) = appended(&record, &root, |policy, _| change(policy));
        assert_eq!(ended, Err(code.to_owned()), "{what}");
    }
    let (_, ended) = appended(&record, &root, |policy, _| {
        let demanded = [
            ("sourceRepositoryUri", "https://github.com/sigstore/sigstore-js"),
            ("sourceRepositoryRef", "refs/heads/main"),
            ("runnerEnvironment", "github-hosted"),
        ];
        last(policy).extensions = demanded.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    });
    ended.unwrap();
    let staging = small::read(corpora("sigstore-trust-roots/staging/targets/trusted_root.json").unwrap());
    let (_, ended) = appended(&record, &carried(&staging), |_, _| {});
    assert_eq!(ended, Err("UNTRUSTED_CERTIFICATE".to_owned()), "by another authority");
}

#[test]
fn s111_a_certificate_counts_where_one_is_demanded_unless_it_lives_too_long() {
    let Some((record, root)) = keyless() else { return };
    for (seconds, ended) in [(600, Ok(1)), (599, Err("NOT_ENTITLED".to_owned()))] {
        let demand = Keyless { predicate_types: vec![Provenance::TYPE.to_owned()], max_certificate_seconds: seconds };
        assert_eq!(appended(&record, &root, |policy, _| policy.keyless = Some(demand)).1, ended, "{seconds}");
    }
}

#[test]
fn a_record_is_judged_by_the_trusted_roots_of_its_time() {
    let Some((record, root)) = keyless() else { return };
    let (mut small, ended) = appended(&record, &root, |_, _| {});
    let index = ended.unwrap();
    change(&mut small, |policy| {
        let empty = json!({ "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1" });
        policy.trusted_roots = vec![carried(empty.to_string().as_bytes())];
    });
    // the version at its index still has the root, in the ledger itself
    let kept = small.open().unwrap().record(index).unwrap();
    assert_eq!((kept.speaker.signer.as_str(), kept.revoked), ("job", false));
    assert!(small.ledger.audit().unwrap().is_clean());
    // and nothing new is believed by it
    assert_eq!(append(&mut small, &record), Err("UNTRUSTED_CERTIFICATE".to_owned()));
}

#[test]
fn a_person_is_one_by_key_and_by_certificate_and_revoked_with_both() {
    let Some((record, root)) = keyless() else { return };
    let (mut small, ended) = appended(&record, &root, |policy, keys| {
        let mut eve = person("eve", GITHUB, JOB);
        eve.ids.push(PersonId { issuer: KEY_ISSUER.to_owned(), subject: keys["second"].public().id() });
        eve.roles.push("peer-reviewer".to_owned());
        // the same subject at another issuer is another person
        policy.people = vec![eve, person("mallory", "https://gitlab.com", JOB)];
    });
    let by_certificate = ended.unwrap();
    let by_key = small.record("second", &note("by key")).unwrap().index;
    for index in [by_certificate, by_key] {
        let speaker = small.ledger.record(index).unwrap().speaker;
        assert_eq!((speaker.person.as_deref(), speaker.roles.len()), (Some("eve"), 1), "entry {index}");
    }
    change(&mut small, |policy| {
        let (target, since) = ("eve".to_owned(), small::start());
        trust_policy::revoke(policy, Revocation { target, since, reason: "gone".to_owned() });
        policy.people.clear();
    });
    for index in [by_certificate, by_key] {
        assert!(small.ledger.record(index).unwrap().revoked, "entry {index}");
    }
    assert_eq!(append(&mut small, &record), Err("REVOKED".to_owned()));
}

#[test]
fn an_identity_that_was_won_back_goes_on_under_a_new_name_without_what_was_held_back() {
    let Some((record, root)) = keyless() else { return };
    let (mut small, ended) = appended(&record, &root, |_, _| {});
    let index = ended.unwrap();
    let now = small.now;
    change(&mut small, |policy| {
        trust_policy::replace(policy, "job", "job-2", None, now).unwrap();
        let (target, since) = ("job".to_owned(), small::start());
        trust_policy::revoke(policy, Revocation { target, since, reason: "a token leaked".to_owned() });
    });
    assert!(small.ledger.record(index).unwrap().revoked);
    assert_eq!(append(&mut small, &record), Err("NOT_YET_VALID".to_owned()));
    assert_eq!(small.ledger.trust_policy().unwrap().id_of("job-2").unwrap().subject, JOB);
}
