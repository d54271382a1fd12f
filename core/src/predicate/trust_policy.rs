//! Who may say what, who is who, and what is no longer believed (predicates section 4.21).
//!
//! This is the record alone; what follows from it is judged elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use serde::{Deserialize, Serialize};

use super::field::{At, Check, ROOT};
use super::{Deployment, PredicateType, Profile, RecordRef};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest};
use crate::error::Result;
use crate::json::{self, Value};
use crate::timestamp::Timestamp;

/// All that a deployer's credential may append.
const DEPLOYER_WRITES: [&str; 3] = [
    Deployment::TYPE,
    "https://sealwright.dev/attestation/rollback/v0.1",
    "https://sealwright.dev/attestation/publication/v0.1",
];

/// One version of the trust policy. Subject: [`TrustPolicy::subject_digest`].
///
/// `policy_bundle`, `trusted_roots` and `keyless`, `extensions`, `valid_from` and `valid_until` of a signer, and
/// `attributes` of a collector are our addition to section 4.21 (decisions 0003 and 0014).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustPolicy {
    /// From 1, rising by one.
    pub version: u64,
    /// The version before; needed after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<RecordRef>,
    /// Who signs trust policies.
    pub admins: Vec<Admin>,
    /// How many of `admins` must sign.
    pub threshold: u64,
    /// Keys and certificate identities.
    pub signers: Vec<TrustedSigner>,
    /// Credentials that may append.
    pub writers: Vec<Writer>,
    /// Who is who.
    pub people: Vec<Person>,
    /// All so far; none is ever dropped.
    pub revocations: Vec<Revocation>,
    /// What the owner allows policy bundles to leave out.
    pub profile: Profile,
    /// Witnesses of the ledger.
    pub witnesses: Vec<Witness>,
    /// Cosignatures needed.
    pub quorum: u64,
    /// Policy bundle pinned with this version, by digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_bundle: Option<ResourceDescriptor>,
    /// Sigstore trusted roots by which certificate identities are judged: `content` is base64 of the JSON,
    /// `digest.sha256` is over that JSON.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_roots: Vec<ResourceDescriptor>,
    /// What no static key may say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyless: Option<Keyless>,
}

/// A demand that records be signed by short-lived certificates, whatever a key is listed for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keyless {
    /// The types it is demanded of; each in full.
    pub predicate_types: Vec<String>,
    /// Longest validity of a certificate that counts.
    pub max_certificate_seconds: u64,
}

/// One who signs trust policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Admin {
    /// Name of a signer.
    pub signer: String,
}

/// A key, or a certificate identity, and what it may say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustedSigner {
    /// Name, used once.
    pub name: String,
    /// Public key: `content` is base64 of its SPKI DER, `digest.sha256` is over that DER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ResourceDescriptor>,
    /// OIDC issuer or CA of a certificate identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Exact subject of a certificate identity; no pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What the certificate must say beside its subject, such as `sourceRepository`; each value exactly.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<String, String>,
    /// What it may say; each type in full.
    pub predicate_types: Vec<String>,
    /// For whom it may speak.
    #[serde(rename = "for", default, skip_serializing_if = "Vec::is_empty")]
    pub speaks_for: Vec<SpeaksFor>,
    /// Nothing of an entry before this counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Nothing of an entry after this counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

/// What a signer may speak for; one or more members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpeaksFor {
    /// A `builder.id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builder: Option<String>,
    /// A system of record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// A collector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collector: Option<String>,
    /// SCAI attributes that this collector may claim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// An environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// A credential that may append, and what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Writer {
    /// The submitter's credential.
    pub credential: String,
    /// What it may append; each type in full.
    pub predicate_types: Vec<String>,
}

/// One person with all their identities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The person.
    pub person: String,
    /// Their identities; each belongs to one person only.
    pub ids: Vec<PersonId>,
    /// Roles of the policy.
    pub roles: Vec<String>,
}

/// What an identity provider calls a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonId {
    /// Identity provider.
    pub issuer: String,
    /// Immutable subject there.
    pub subject: String,
}

/// Something no longer believed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revocation {
    /// Signer name, person, or payload digest of a record.
    pub target: String,
    /// From when nothing of it counts.
    pub since: Timestamp,
    /// Why.
    pub reason: String,
}

/// A witness that cosigns checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Witness {
    /// Name of its key in signed notes.
    pub name: String,
    /// Its verifier key, as a C2SP vkey.
    pub key: String,
}

impl TrustPolicy {
    /// The subject of the record: SHA-256 of the RFC 8785 form without `supersedes`.
    ///
    /// # Errors
    /// `MALFORMED` if a number is beyond RFC 8785.
    pub fn subject_digest(&self) -> Result<Digest> {
        let subject = Self { supersedes: None, ..self.clone() };
        Ok(Digest::sha256(&json::canonical("trust policy", &subject)?))
    }

    /// As [`TrustPolicy::subject_digest`], of a predicate as it was signed, with what this version does not know.
    pub(crate) fn subject_digest_of(mut predicate: Value) -> Result<Digest> {
        if let Value::Object(members) = &mut predicate {
            members.remove("supersedes");
        }
        Ok(Digest::sha256(&json::canonical("trust policy", &predicate)?))
    }
}

impl PredicateType for TrustPolicy {
    const TYPE: &'static str = "https://sealwright.dev/attestation/trust-policy/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.at_least_one("version", self.version)?;
        at.needed("supersedes", self.version <= 1 || self.supersedes.is_some(), "`predicate.version` is above 1")?;
        at.check("supersedes", &self.supersedes)?;
        at.check("profile", &self.profile)?;
        at.check("signers", &self.signers)?;
        let names: BTreeSet<_> = self.signers.iter().map(|s| s.name.as_str()).collect();
        if names.len() != self.signers.len() {
            return Err(at.field("signers").wrong("uses a name twice; give each signer a name of its own"));
        }
        self.check_admins(&names)?;
        at.check("writers", &self.writers)?;
        at.check("people", &self.people)?;
        let mut ids = BTreeSet::new();
        for (i, person) in self.people.iter().enumerate() {
            for (j, id) in person.ids.iter().enumerate() {
                if !ids.insert(id) {
                    let people = at.field("people");
                    let person = people.index(i);
                    let field = person.field("ids");
                    return Err(field.index(j).wrong("stands under a person already; keep it under one"));
                }
            }
        }
        at.check("revocations", &self.revocations)?;
        at.check("witnesses", &self.witnesses)?;
        if self.quorum == 0 && !self.profile.single_operator {
            return Err(at.field("quorum").wrong("is 0, which only a profile of a single operator may have; raise it"));
        }
        if self.quorum > self.witnesses.len() as u64 {
            return Err(at.field("quorum").wrong("is more than there are witnesses; lower it or name more"));
        }
        if let Some(bundle) = &self.policy_bundle {
            at.digested("policyBundle", bundle)?;
        }
        for (i, root) in self.trusted_roots.iter().enumerate() {
            carried(&at.field("trustedRoots").index(i), root)?;
        }
        at.check("keyless", &self.keyless)
    }
}

impl TrustPolicy {
    fn check_admins(&self, names: &BTreeSet<&str>) -> Result<()> {
        let at = ROOT;
        let mut admins = BTreeSet::new();
        for (i, admin) in self.admins.iter().enumerate() {
            let list = at.field("admins");
            let place = list.index(i);
            if !names.contains(admin.signer.as_str()) {
                return Err(place.field("signer").wrong("is no name in `predicate.signers`; add it there"));
            }
            if !admins.insert(&admin.signer) {
                return Err(place.field("signer").wrong("stands twice; a signer counts once"));
            }
        }
        at.at_least_one("threshold", self.threshold)?;
        if self.threshold > self.admins.len() as u64 {
            return Err(at.field("threshold").wrong("is more than there are admins; lower it or name more"));
        }
        if self.threshold == 1 && !self.profile.single_operator {
            return Err(at
                .field("threshold")
                .wrong("is 1, which only a profile of a single operator may have; demand two signatures or more"));
        }
        Ok(())
    }
}

impl Check for TrustedSigner {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("name", &self.name)?;
        at.types("predicateTypes", &self.predicate_types)?;
        at.check("for", &self.speaks_for)?;
        at.not_before("validUntil", self.valid_until, "validFrom", self.valid_from)?;
        at.uri("issuer", &self.issuer)?;
        at.text("identity", &self.identity)?;
        for (name, value) in &self.extensions {
            at.field("extensions").text(name, value)?;
        }
        // who deploys does not watch what was deployed
        let collects = self.speaks_for.iter().any(|pair| pair.collector.is_some());
        if collects && self.predicate_types.iter().any(|t| t == Deployment::TYPE) {
            return Err(at.wrong("is a deployer and speaks for a collector; make two signers of it"));
        }
        match &self.key {
            Some(_) if self.issuer.is_some() || self.identity.is_some() || !self.extensions.is_empty() => {
                Err(at.wrong("has both a `key` and a certificate identity; make two signers of it"))
            }
            Some(key) => carried(&at.field("key"), key),
            None => {
                at.needed("issuer", self.issuer.is_some(), "the signer has no `key`")?;
                at.needed("identity", self.identity.is_some(), "the signer has no `key`")
            }
        }
    }
}

/// Something that the policy carries whole: base64 in `content`, its SHA-256 in `digest`.
fn carried(at: &At<'_>, descriptor: &ResourceDescriptor) -> Result<()> {
    at.holds("digest", descriptor.digest.as_ref(), Algorithm::Sha256)?;
    let content = descriptor.content.as_ref();
    let Some(bytes) = content.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok()) else {
        return Err(at
            .field("content")
            .wrong("is no base64; give the bytes themselves, SPKI DER for a key, in base64"));
    };
    if descriptor.has(&Digest::sha256(&bytes)) {
        return Ok(());
    }
    Err(at.field("digest").wrong("is not that of `content`; give the sha256 of the bytes"))
}

impl Check for Keyless {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.some("predicateTypes", &self.predicate_types)?;
        at.types("predicateTypes", &self.predicate_types)?;
        at.at_least_one("maxCertificateSeconds", self.max_certificate_seconds)?;
        if self.predicate_types.iter().any(|t| t == TrustPolicy::TYPE) {
            let types = at.field("predicateTypes");
            return Err(types.wrong("names trust policies, whose signers are the admins; list these as certificates"));
        }
        Ok(())
    }
}

impl Check for SpeaksFor {
    fn check(&self, at: &At<'_>) -> Result<()> {
        let named = [&self.builder, &self.system, &self.collector, &self.environment];
        if named.iter().all(|name| name.is_none()) {
            return Err(at.wrong("names nothing; give it a `builder`, `system`, `collector` or `environment`"));
        }
        at.text("attributes", &self.attributes)?;
        if self.collector.is_none() && !self.attributes.is_empty() {
            return Err(at.field("attributes").wrong("is for a `collector`; name it, or leave them out"));
        }
        at.uri("builder", &self.builder)?;
        at.uri("system", &self.system)?;
        at.uri("collector", &self.collector)?;
        at.uri("environment", &self.environment)
    }
}

impl Check for Writer {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("credential", &self.credential)?;
        at.types("predicateTypes", &self.predicate_types)?;
        // predicates section 4.7
        let deploys = self.predicate_types.iter().any(|t| t == Deployment::TYPE);
        let others = self.predicate_types.iter().find(|t| !DEPLOYER_WRITES.contains(&t.as_str()));
        match others.filter(|_| deploys) {
            Some(other) => Err(at.wrong(format_args!(
                "may append deployments and `{}`; give who deploys a credential for that alone",
                other.escape_debug()
            ))),
            None => Ok(()),
        }
    }
}

impl Check for Person {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("person", &self.person)?;
        at.check("ids", &self.ids)?;
        at.text("roles", &self.roles)
    }
}

impl Check for PersonId {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("issuer", &self.issuer)?;
        at.text("subject", &self.subject)
    }
}

impl Check for Revocation {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("target", &self.target)?;
        at.text("reason", &self.reason)
    }
}

impl Check for Witness {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("name", &self.name)?;
        at.text("key", &self.key)
    }
}
