//! Who may say what: the signed, versioned trust policy, and who was believed at which entry of a ledger.
//!
//! People and roles come from the authenticated signer through this policy, never from a record's own words
//! (predicates section 4.21, policy section 1.11). Version 1 is pinned by its payload digest, on first use if nobody
//! gave the pin; version N+1 is in force from the entry at which it has the thresholds of N and of N+1.

mod chain;
mod consistency;
mod draft;
mod entitlement;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::artifact::ResourceDescriptor;
use crate::checkpoint::{WitnessKey, twin};
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::key::PublicKey;
use crate::predicate::{Actor, Person, PersonId, PredicateType, TrustPolicy as Predicate, TrustedSigner};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust::{TrustRoot, Window};
use crate::verifier::{Artifact, CertificateIdentity, Expectation, Extension, Identity, Matcher, Verified, Verifier};

pub use chain::{Proposal, Signatures, TrustChain};
pub use draft::{next, replace, revoke, rotate};
pub use entitlement::Speaker;
pub(crate) use entitlement::identity;

/// Issuer under which `people[].ids` names the id of a plain key as subject.
pub const KEY_ISSUER: &str = "urn:sealwright:key";
/// Issuer under which `people[].ids` names the lower-case e-mail address of a Git author as subject.
pub const GIT_ISSUER: &str = "urn:sealwright:git";

/// One version of the trust policy, consistent in itself. Whether it is in force, a [`TrustChain`] says.
#[derive(Clone, Debug)]
pub struct TrustPolicy {
    predicate: Predicate,
    payload: Digest,
    verifier: Verifier,
    witnesses: Vec<WitnessKey>,
}

impl TrustPolicy {
    /// Reads the trust policy of a statement and checks that it does not contradict itself.
    ///
    /// # Errors
    /// `WRONG_TYPE` or `MALFORMED` if it is none, `TRUST_POLICY_REFUSED` if it contradicts itself: a subject that is not
    /// its own, a key, identity or person twice, a threshold that only revoked admins could reach, writers of whom
    /// nobody could append the next version, a witness whose key is no C2SP vkey of cosignatures, or stands twice.
    pub fn from_statement(statement: &Statement) -> Result<Self> {
        let predicate: Predicate = statement.predicate_as()?;
        let mut root = TrustRoot::new();
        for (place, trusted) in predicate.trusted_roots.iter().enumerate() {
            let content = carried(trusted, &format!("trusted root {place}"))?;
            root = root.with_sigstore(&content).map_err(|e| refused(e.message()).caused_by(e))?;
        }
        for signer in &predicate.signers {
            let window = Window::new(signer.valid_from, signer.valid_until).map_err(|e| refused(e.message()))?;
            root = match (public_key(signer)?, certificate_identity(signer)?) {
                (Some(key), _) => root.with_key(&signer.name, key, window),
                (None, Some(identity)) => root.with_identity(&signer.name, identity, window),
                (None, None) => Ok(root),
            }
            .map_err(|e| refused(e.message()).caused_by(e))?;
        }
        let witnesses = witnesses(&predicate)?;
        let verifier = Verifier::new(root.remembering_signatures());
        let policy = Self { predicate, payload: statement.payload_digest(), verifier, witnesses };
        policy.check_subject(statement)?;
        policy.check_consistent()?;
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

    /// The witnesses whose cosignatures count; how many are needed says `quorum` of the predicate.
    pub fn witnesses(&self) -> &[WitnessKey] {
        &self.witnesses
    }

    /// A verifier that believes the keys and the certificate identities of the policy's signers, each within its window,
    /// and the policy's trusted roots.
    pub fn verifier(&self) -> Verifier {
        self.verifier.clone()
    }

    /// The identity demanded of a trust policy: one of its admins.
    pub fn admins(&self) -> Identity {
        Identity::OneOf(self.predicate.admins.iter().map(|a| a.signer.clone()).collect())
    }

    /// Any of the signers.
    pub(crate) fn anyone(&self) -> Identity {
        Identity::OneOf(self.root().names().map(str::to_owned).collect())
    }

    /// Verifies a record logged at `at`. Of a certificate the verifier holds the time of signing against the signer's
    /// window; the time of the entry must lie within it as well, as it must of a key.
    fn verify(&self, record: &[u8], identity: Identity, at: Timestamp) -> Result<Verified<Statement>> {
        let verified = self.verifier.verify(record, &Expectation::new(Artifact::AnyUnsafe, identity, at))?;
        for signer in verified.signers().iter().filter(|s| s.certificate.is_some()) {
            for trusted in self.root().identities().iter().filter(|i| i.name == signer.name) {
                trusted.window.check(&format!("the identity `{}`", signer.name), at)?;
            }
        }
        Ok(verified)
    }

    /// The signer of this name.
    pub fn signer(&self, name: &str) -> Option<&TrustedSigner> {
        self.predicate.signers.iter().find(|s| s.name == name)
    }

    /// How `people` lists the key or the certificate identity of a signer.
    pub fn id_of(&self, signer: &str) -> Option<PersonId> {
        let signer = self.signer(signer)?;
        let (issuer, subject) = match (&signer.issuer, &signer.identity) {
            (Some(issuer), Some(identity)) => (issuer.clone(), identity.clone()),
            _ => (KEY_ISSUER.to_owned(), self.root().keys().iter().find(|k| k.name == signer.name)?.key.id()),
        };
        Some(PersonId { issuer, subject })
    }

    /// The name of the signer who holds this key.
    pub fn signer_of_key(&self, key_id: &str) -> Option<&str> {
        self.root().keys().iter().find(|k| k.key.id() == key_id).map(|k| k.name.as_str())
    }

    /// What the policy's verifier believes: keys and certificate identities by signer name.
    pub fn root(&self) -> &TrustRoot {
        self.verifier.trust()
    }

    /// The person behind an issuer and its immutable subject.
    pub fn person(&self, issuer: &str, subject: &str) -> Option<&Person> {
        self.predicate.people.iter().find(|p| p.ids.iter().any(|id| id.issuer == issuer && id.subject == subject))
    }

    /// The person behind an actor that a record names, by issuer and subject; a bare id maps to nobody.
    pub fn person_of_actor(&self, actor: &Actor) -> Option<&Person> {
        self.person(actor.issuer.as_deref()?, actor.subject.as_deref()?)
    }

    /// Checks that a submitter with this credential may append records of a type. A policy without writers leaves that
    /// to whoever has the ledger.
    ///
    /// # Errors
    /// `APPEND_REFUSED` if it may not, or if there are writers and none is named.
    pub fn check_may_append(&self, credential: Option<&str>, predicate_type: &str) -> Result<()> {
        let writers = &self.predicate.writers;
        if writers.is_empty() {
            return Ok(());
        }
        let Some(credential) = credential else {
            return Err(Error::new(
                ErrorKind::AppendRefused,
                "the trust policy lists who may append what, and no credential is named; name the submitter's",
            ));
        };
        let mut own = writers.iter().filter(|w| w.credential == credential).flat_map(|w| &w.predicate_types);
        if own.any(|t| t == predicate_type) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::AppendRefused,
            format!(
                "the credential `{}` may not append `{}` under trust policy version {}; have it appended by one that may",
                credential.escape_debug(),
                predicate_type.escape_debug(),
                self.version()
            ),
        )
        .with("credential", credential)
        .with("predicateType", predicate_type))
    }

    /// When a revocation reached `target` (a signer name, a person or a payload digest), if one did.
    pub fn revoked_since(&self, target: &str) -> Option<Timestamp> {
        self.predicate.revocations.iter().filter(|r| r.target == target).map(|r| r.since).min()
    }

    /// The digest of the policy bundle pinned with this version.
    pub fn pinned_bundle(&self) -> Option<Digest> {
        self.predicate.policy_bundle.as_ref()?.digest.as_ref()?.get(Algorithm::Sha256)
    }
}

/// The statement of a trust policy, ready to be signed by its admins.
///
/// # Errors
/// `MALFORMED` or `TRUST_POLICY_REFUSED` if the policy contradicts itself.
pub fn statement(predicate: &Predicate) -> Result<Statement> {
    let subject = ResourceDescriptor::of(predicate.subject_digest()?)
        .named(format!("trust policy version {}", predicate.version));
    let statement = Statement::new(vec![subject], predicate)?;
    TrustPolicy::from_statement(&statement)?;
    Ok(statement)
}

/// How `signers[].key` carries a public key: digest and content of its SubjectPublicKeyInfo.
pub fn key_descriptor(key: &PublicKey) -> ResourceDescriptor {
    let mut descriptor = ResourceDescriptor::of(Digest::sha256(key.spki_der()));
    descriptor.content = Some(STANDARD.encode(key.spki_der()));
    descriptor
}

/// A policy of one operator, `ci`, with this key, who says what these types hold.
#[cfg(test)]
pub(crate) fn of_one(key: &PublicKey, predicate_types: &[&str]) -> Predicate {
    use crate::predicate::{Admin, Profile};
    Predicate {
        version: 1,
        supersedes: None,
        admins: vec![Admin { signer: "ci".to_owned() }],
        threshold: 1,
        signers: vec![TrustedSigner {
            name: "ci".to_owned(),
            key: Some(key_descriptor(key)),
            predicate_types: predicate_types.iter().map(|kind| (*kind).to_owned()).collect(),
            ..TrustedSigner::default()
        }],
        writers: vec![],
        people: vec![],
        revocations: vec![],
        profile: Profile { name: "starter".to_owned(), single_operator: true, leaves_out: vec![] },
        witnesses: vec![],
        quorum: 0,
        policy_bundle: None,
        trusted_roots: vec![],
        keyless: None,
    }
}

fn public_key(signer: &TrustedSigner) -> Result<Option<PublicKey>> {
    let Some(descriptor) = &signer.key else { return Ok(None) };
    let der = carried(descriptor, &format!("key of signer `{}`", signer.name))?;
    PublicKey::from_spki_der(&der).map(Some)
}

/// The witnesses that a policy names. It may demand none of them, so they are no [`crate::checkpoint::Witnesses`].
fn witnesses(predicate: &Predicate) -> Result<Vec<WitnessKey>> {
    let mut witnesses: Vec<WitnessKey> = Vec::new();
    for listed in &predicate.witnesses {
        let witness: WitnessKey = listed.key.parse().map_err(|e: Error| refused(e.message()).caused_by(e))?;
        if witness.name() != listed.name {
            let (found, name) = (witness.name(), listed.name.escape_debug());
            return Err(refused(&format!("the key of the witness `{name}` is one of `{found}`")));
        }
        witnesses.push(witness);
    }
    match twin(&witnesses) {
        Some(twin) => Err(refused(&format!("the witness `{}` or its key is listed twice", twin.name()))),
        None => Ok(witnesses),
    }
}

fn certificate_identity(signer: &TrustedSigner) -> Result<Option<CertificateIdentity>> {
    let (Some(issuer), Some(subject)) = (&signer.issuer, &signer.identity) else { return Ok(None) };
    let identity = CertificateIdentity::new(Matcher::Exact(subject.clone()), issuer);
    let demanded = signer.extensions.iter().try_fold(identity, |identity, (name, value)| {
        let extension: Extension = name.parse().map_err(|e: Error| refused(e.message()))?;
        Ok(identity.require_extension(extension, Matcher::Exact(value.clone())))
    });
    demanded.map(Some)
}

/// The bytes that a descriptor carries; its type has checked already that they are those of its digest.
fn carried(descriptor: &ResourceDescriptor, what: &str) -> Result<Vec<u8>> {
    let content = descriptor.content.as_deref().unwrap_or_default();
    STANDARD.decode(content).map_err(|e| refused(&format!("the {what} is not base64 in `content`")).caused_by(e))
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::TrustPolicyRefused, format!("the trust policy is refused: {why}; have its admins mend it"))
}

/// Whether a statement is a trust policy, by its type.
pub(crate) fn is_trust_policy(predicate_type: &str) -> bool {
    predicate_type == Predicate::TYPE
}
