//! What a trust policy may say, and what follows from it for a record and its signer.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod small;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
        ("certificates without a trusted root", "TRUST_POLICY_REFUSED", |p, _| p.signers.push(identity("one", CI, "job"))),
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
        ("writers of whom none may change the policy", "TRUST_POLICY_REFUSED", |p, _| p.writers = vec![writer("ci", &[NOTE])]),
        ("a deployer's credential for more than deployments", "MALFORMED", |p, _| {
            p.writers = vec![writer("all", &[TrustPolicy::TYPE, Deployment::TYPE])];
        }),
        ("a deployer who watches what is deployed", "MALFORMED", |p, _| {
            p.signers[1].predicate_types.push(Deployment::TYPE.to_owned());
            p.signers[1].speaks_for.push(SpeaksFor { collector: Some("urn:example:watch".to_owned()), ..SpeaksFor::default() });
        }),
        ("attributes of no collector", "MALFORMED", |p, _| {
            p.signers[1].speaks_for[0].attributes.push("MFA_ENFORCED".to_owned());
        }),
        ("certificates demanded of trust policies", "MALFORMED", |p, _| {
            p.keyless = Some(Keyless { predicate_types: vec![TrustPolicy::TYPE.to_owned()], max_certificate_seconds: 600 });
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
