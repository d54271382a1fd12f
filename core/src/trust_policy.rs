//! Who may say what: the signed, versioned trust policy, and who was believed at which entry of a ledger.
//!
//! People and roles come from the authenticated signer through this policy, never from a record's own words
//! (predicates section 4.21, policy section 1.11). Version 1 is pinned by its payload digest, on first use if nobody
//! gave the pin; version N+1 is in force from the entry at which it has the thresholds of N and of N+1.

mod chain;
mod entitlement;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::key::PublicKey;
use crate::predicate::{Actor, Person, PredicateType, TrustPolicy as Predicate, TrustedSigner};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust::{TrustRoot, Window};
use crate::verifier::{Identity, Verifier};

pub use chain::TrustChain;
pub use entitlement::Speaker;

/// Issuer under which `people[].ids` names the id of a plain key as subject.
pub const KEY_ISSUER: &str = "urn:sealwright:key";
/// Issuer under which `people[].ids` names the lower-case e-mail address of a Git author as subject.
pub const GIT_ISSUER: &str = "urn:sealwright:git";

/// One version of the trust policy, consistent in itself. Whether it is in force, a [`TrustChain`] says.
#[derive(Clone, Debug)]
pub struct TrustPolicy {
    predicate: Predicate,
    payload: Digest,
    root: TrustRoot,
}

impl TrustPolicy {
    /// Reads the trust policy of a statement and checks that it does not contradict itself.
    ///
    /// # Errors
    /// `WRONG_TYPE` or `MALFORMED` if it is none, `TRUST_POLICY_REFUSED` if it contradicts itself: a name or key twice,
    /// an id under two persons, an unknown admin, a threshold nobody can reach, one that its profile does not allow.
    pub fn from_statement(statement: &Statement) -> Result<Self> {
        let predicate: Predicate = statement.predicate_as()?;
        let mut root = TrustRoot::new();
        for signer in &predicate.signers {
            let Some(key) = public_key(signer)? else { continue };
            let window = Window::new(signer.valid_from, signer.valid_until)?;
            root = root.with_key(&signer.name, key, window).map_err(|e| refused(e.message()))?;
        }
        let policy = Self { predicate, payload: statement.payload_digest(), root };
        policy.check_admins()?;
        policy.check_people()?;
        Ok(policy)
    }

    /// The version, from 1.
    pub fn version(&self) -> u64 {
        self.predicate.version
    }

    /// The payload digest, by which a version is pinned and referred to.
    pub fn payload(&self) -> &Digest {
        &self.payload
    }

    /// What the policy says.
    pub fn predicate(&self) -> &Predicate {
        &self.predicate
    }

    /// A verifier that believes the keys of the policy's signers, each within its window.
    pub fn verifier(&self) -> Verifier {
        Verifier::new(self.root.clone())
    }

    /// The identity demanded of a trust policy: one of its admins.
    pub fn admins(&self) -> Identity {
        Identity::OneOf(self.predicate.admins.iter().map(|a| a.signer.clone()).collect())
    }

    /// Any of the signers whose key is known.
    pub(crate) fn anyone(&self) -> Identity {
        Identity::OneOf(self.root.keys().iter().map(|k| k.name.clone()).collect())
    }

    /// The signer of this name.
    pub fn signer(&self, name: &str) -> Option<&TrustedSigner> {
        self.predicate.signers.iter().find(|s| s.name == name)
    }

    /// The name of the signer who holds this key.
    pub fn signer_of_key(&self, key_id: &str) -> Option<&str> {
        self.root.keys().iter().find(|k| k.key.id() == key_id).map(|k| k.name.as_str())
    }

    /// The public keys by signer name.
    pub fn root(&self) -> &TrustRoot {
        &self.root
    }

    /// The person behind an issuer and its immutable subject.
    pub fn person(&self, issuer: &str, subject: &str) -> Option<&Person> {
        self.predicate.people.iter().find(|p| p.ids.iter().any(|id| id.issuer == issuer && id.subject == subject))
    }

    /// The person behind an actor that a record names, by issuer and subject; a bare id maps to nobody.
    pub fn person_of_actor(&self, actor: &Actor) -> Option<&Person> {
        self.person(actor.issuer.as_deref()?, actor.subject.as_deref()?)
    }

    /// When a revocation reached `target` (a signer name, a person or a payload digest), if one did.
    pub fn revoked_since(&self, target: &str) -> Option<Timestamp> {
        self.predicate.revocations.iter().filter(|r| r.target == target).map(|r| r.since).min()
    }

    /// The digest of the policy bundle pinned with this version.
    pub fn pinned_bundle(&self) -> Option<Digest> {
        self.predicate.policy_bundle.as_ref()?.digest.as_ref()?.get(Algorithm::Sha256)
    }

    fn check_admins(&self) -> Result<()> {
        let names: BTreeSet<_> = self.predicate.admins.iter().map(|a| a.signer.as_str()).collect();
        if names.len() != self.predicate.admins.len() {
            return Err(refused("an admin is named twice, and would count twice"));
        }
        if let Some(unknown) = names.iter().find(|n| !self.root.keys().iter().any(|k| k.name == **n)) {
            return Err(refused(&format!("the admin `{unknown}` has no key among the signers")));
        }
        let threshold = self.predicate.threshold;
        if threshold == 0 || threshold > names.len() as u64 {
            return Err(refused(&format!("a threshold of {threshold} of {} admins is out of reach", names.len())));
        }
        if !self.predicate.profile.single_operator && (threshold < 2 || self.predicate.quorum == 0) {
            return Err(refused(&format!(
                "threshold {threshold} and quorum {} are for a single operator, and the profile `{}` says it is none",
                self.predicate.quorum, self.predicate.profile.name
            )));
        }
        Ok(())
    }

    fn check_people(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        let mut persons = BTreeSet::new();
        for person in &self.predicate.people {
            if !persons.insert(&person.person) {
                return Err(refused(&format!("the person `{}` is listed twice", person.person)));
            }
            if let Some(id) = person.ids.iter().find(|id| !seen.insert((&id.issuer, &id.subject))) {
                return Err(refused(&format!("the id `{}` of `{}` is listed twice", id.subject, id.issuer)));
            }
        }
        Ok(())
    }
}

/// The trust policy's subject: SHA-256 of the canonical form of the predicate without `supersedes`.
///
/// # Errors
/// `MALFORMED` if the predicate has no canonical form.
pub fn subject_of(predicate: &Predicate) -> Result<Digest> {
    let mut bare = predicate.clone();
    bare.supersedes = None;
    Ok(Digest::sha256(&crate::json::canonical("trust policy", &bare)?))
}

/// The statement of a trust policy, ready to be signed by its admins.
///
/// # Errors
/// `MALFORMED` or `TRUST_POLICY_REFUSED` if the policy contradicts itself.
pub fn statement(predicate: &Predicate) -> Result<Statement> {
    let subject = crate::artifact::ResourceDescriptor::of(subject_of(predicate)?)
        .named(format!("trust policy version {}", predicate.version));
    let statement = Statement::new(vec![subject], predicate)?;
    TrustPolicy::from_statement(&statement)?;
    Ok(statement)
}

/// How `signers[].key` carries a public key: digest and content of its SubjectPublicKeyInfo.
pub fn key_descriptor(key: &PublicKey) -> crate::artifact::ResourceDescriptor {
    let mut descriptor = crate::artifact::ResourceDescriptor::of(Digest::sha256(key.spki_der()));
    descriptor.content = Some(STANDARD.encode(key.spki_der()));
    descriptor
}

fn public_key(signer: &TrustedSigner) -> Result<Option<PublicKey>> {
    let Some(descriptor) = &signer.key else { return Ok(None) };
    let content = descriptor.content.as_deref().unwrap_or_default();
    let der = STANDARD.decode(content).map_err(|e| {
        refused(&format!("the key of signer `{}` is not base64 in `content`", signer.name)).caused_by(e)
    })?;
    if !descriptor.has(&Digest::sha256(&der)) {
        return Err(refused(&format!("the key of signer `{}` is not the one its digest names", signer.name)));
    }
    PublicKey::from_spki_der(&der).map(Some)
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::TrustPolicyRefused, format!("the trust policy is refused: {why}; have its admins mend it"))
}

/// Whether a statement is a trust policy, by its type.
pub(crate) fn is_trust_policy(predicate_type: &str) -> bool {
    predicate_type == Predicate::TYPE
}
