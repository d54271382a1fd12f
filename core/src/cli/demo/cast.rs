//! Who plays: keys made for the demo, one for each role, in memory only.

use std::collections::BTreeMap;

use super::source::{Author, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::gate::{policy_descriptor, profile};
use crate::key::{KeyType, PrivateKey};
use crate::policy::{PolicyBundle, starter_bundle};
use crate::predicate::{
    Actor, Admin, Approval, ChangeRequest, Cyclonedx, Deployment, DriftReport, EnvironmentSnapshot, EvidencePack,
    Person, PersonId, PolicyEvaluation, PredicateType, Promotion, Provenance, Release, SpeaksFor, TestResult,
    TrustPolicy, TrustedSigner,
};
use crate::signer::sign;
use crate::trust_policy::{GIT_ISSUER, KEY_ISSUER, key_descriptor, statement};

/// The builder that provenance names.
pub(super) const BUILDER: &str = "https://sealwright.dev/demo/builder";

/// Role, key type, and what the key may say.
const ROLES: [(&str, KeyType, &[&str]); 7] = [
    ("trust-admin", KeyType::P256, &[TrustPolicy::TYPE]),
    ("builder", KeyType::P256, &[Provenance::TYPE, Cyclonedx::TYPE, TestResult::TYPE]),
    ("author", KeyType::Ed25519, &[ChangeRequest::TYPE, Approval::TYPE]),
    ("reviewer", KeyType::Ed25519, &[Approval::TYPE]),
    ("release-manager", KeyType::P256, &[Approval::TYPE]),
    ("deployer", KeyType::P256, &[Deployment::TYPE]),
    (
        "records",
        KeyType::Ed25519,
        &[
            Release::TYPE,
            PolicyEvaluation::TYPE,
            Promotion::TYPE,
            EnvironmentSnapshot::TYPE,
            DriftReport::TYPE,
            EvidencePack::TYPE,
        ],
    ),
];

pub(super) struct Cast {
    keys: BTreeMap<&'static str, PrivateKey>,
    log: PrivateKey,
    author: Actor,
    policy: TrustPolicy,
}

impl Cast {
    pub(super) fn assemble(source: &Source) -> Result<Self> {
        let mut keys = BTreeMap::new();
        for (role, key_type, _) in ROLES {
            keys.insert(role, PrivateKey::generate(key_type)?);
        }
        let policy = trust_policy(&keys, source)?;
        Ok(Self { keys, log: PrivateKey::generate(KeyType::Ed25519)?, author: played(&source.author), policy })
    }

    pub(super) fn key(&self, role: &str) -> Result<&PrivateKey> {
        self.keys.get(role).ok_or_else(|| Error::new(ErrorKind::Internal, format!("the demo has no role `{role}`")))
    }

    /// The key of the log once more, for another handle.
    pub(super) fn log_key(&self) -> Result<PrivateKey> {
        PrivateKey::from_pem(self.log.to_pem()?.as_bytes(), None)
    }

    pub(super) fn log_public_pem(&self) -> String {
        self.log.public().to_pem()
    }

    /// Public keys by role, with their types.
    pub(super) fn public_keys(&self) -> impl Iterator<Item = (&'static str, KeyType, String)> {
        self.keys.iter().map(|(role, key)| (*role, key.public().key_type(), key.public().to_pem()))
    }

    pub(super) fn actor(&self, role: &str) -> Actor {
        match role {
            "author" => self.author.clone(),
            "reviewer" => Actor::human("urn:sealwright:demo:person:reviewer", "Demo reviewer (key made for the demo)"),
            "release-manager" => Actor::human(
                "urn:sealwright:demo:person:release-manager",
                "Demo release manager (key made for the demo)",
            ),
            machine => Actor::workload(format!("urn:sealwright:demo:workload:{machine}")),
        }
    }

    /// Its name, and whether one operator runs everything.
    pub(super) fn profile(&self) -> String {
        let profile = &self.policy.profile;
        format!("{}{}", profile.name, if profile.single_operator { " (single operator)" } else { "" })
    }

    /// How many default checks the profile leaves out as a whole.
    pub(super) fn left_out(&self) -> usize {
        self.policy.profile.leaves_out.iter().filter(|l| l.part == "all").count()
    }

    pub(super) fn trust_policy_record(&self) -> Result<Vec<u8>> {
        Ok(sign(&statement(&self.policy)?, self.key("trust-admin")?)?.to_json())
    }
}

/// The real author, whose key is none of theirs.
fn played(author: &Author) -> Actor {
    let mut actor = author.actor();
    actor.display_name = Some(format!("{} (key made for the demo)", author.name));
    actor
}

fn trust_policy(keys: &BTreeMap<&'static str, PrivateKey>, source: &Source) -> Result<TrustPolicy> {
    let bundle = PolicyBundle::parse(&starter_bundle()?)?;
    let mut signers = Vec::new();
    for (role, _, types) in ROLES {
        let key = keys.get(role).ok_or_else(|| Error::new(ErrorKind::Internal, "a role has no key"))?;
        let builder =
            (role == "builder").then(|| SpeaksFor { builder: Some(BUILDER.to_owned()), ..SpeaksFor::default() });
        signers.push(TrustedSigner {
            name: role.to_owned(),
            key: Some(key_descriptor(key.public())),
            predicate_types: types.iter().map(|t| (*t).to_owned()).collect(),
            speaks_for: builder.into_iter().collect(),
            ..TrustedSigner::default()
        });
    }
    let of_key =
        |role: &str| keys.get(role).map(|key| PersonId { issuer: KEY_ISSUER.to_owned(), subject: key.public().id() });
    let of_git = |address: &str| PersonId { issuer: GIT_ISSUER.to_owned(), subject: address.to_owned() };
    let person = |name: &str, ids: Vec<PersonId>, roles: &[&str]| Person {
        person: name.to_owned(),
        ids,
        roles: roles.iter().map(|r| (*r).to_owned()).collect(),
    };
    let mut people = vec![
        person("reviewer", of_key("reviewer").into_iter().collect(), &["peer-reviewer"]),
        person("release-manager", of_key("release-manager").into_iter().collect(), &["release-manager"]),
    ];
    for (number, author) in source.authors.iter().enumerate() {
        // the author's own key belongs to the person behind the first address
        let own = (number == 0).then(|| of_key("author")).flatten();
        let ids = own.into_iter().chain([of_git(&author.address)]).collect();
        people.push(person(&author.address, ids, &["engineer", "release-manager"]));
    }
    Ok(TrustPolicy {
        version: 1,
        supersedes: None,
        admins: vec![Admin { signer: "trust-admin".to_owned() }],
        threshold: 1,
        signers,
        writers: Vec::new(),
        people,
        revocations: Vec::new(),
        profile: profile(&bundle),
        witnesses: Vec::new(),
        quorum: 0,
        policy_bundle: Some(policy_descriptor(&bundle)),
        trusted_roots: Vec::new(),
        keyless: None,
    })
}
