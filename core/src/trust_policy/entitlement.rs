//! What a signer may say, and who is speaking.

use serde::Serialize;

use super::{KEY_ISSUER, TrustPolicy};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::predicate::{ATTRIBUTES, CaptureMethod, PersonId, Predicate, SpeaksFor};
use crate::statement::Statement;
use crate::verifier::{SignedBy, Verified};

/// An authenticated signer, as the trust policy knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Speaker {
    /// Name among the signers.
    pub signer: String,
    /// Lower-case hex SHA-256 of its SubjectPublicKeyInfo. The key of a certificate is another one each time.
    pub key_id: String,
    /// What is the same each time: the id of a plain key, or SHA-256 over issuer, NUL and subject of a certificate
    /// identity, in lower-case hex.
    pub identity: String,
    /// The person behind it; none for a workload.
    pub person: Option<String>,
    /// The roles of that person.
    pub roles: Vec<String>,
}

impl TrustPolicy {
    /// Who is behind a checked signature.
    pub fn speaker(&self, signed_by: &SignedBy) -> Speaker {
        let id = id_of(signed_by);
        let person = self.person(&id.issuer, &id.subject);
        Speaker {
            signer: signed_by.name.clone(),
            key_id: signed_by.key_id.clone(),
            identity: identity(&id),
            person: person.map(|p| p.person.clone()),
            roles: person.map(|p| p.roles.clone()).unwrap_or_default(),
        }
    }

    /// Checks that one of the signers may say this, for whom it says it; gives the first who may.
    pub(super) fn check_entitled<'a>(&self, verified: &'a Verified<Statement>) -> Result<&'a SignedBy> {
        let mut refusal = None;
        for signed_by in verified.signers() {
            match self.may_say(signed_by, verified.value()) {
                Ok(()) => return Ok(signed_by),
                Err(e) => refusal = Some(e),
            }
        }
        Err(refusal
            .unwrap_or_else(|| Error::new(ErrorKind::NotEntitled, "the record has no signer of the trust policy")))
    }

    fn may_say(&self, signed_by: &SignedBy, statement: &Statement) -> Result<()> {
        let not_entitled = |r#for: &str| {
            Error::new(
                ErrorKind::NotEntitled,
                format!(
                    "signer `{}` may not issue `{}`{for} under trust policy version {}; use the listed identity, or have the \
                     trust policy changed by its admins",
                    signed_by.name,
                    statement.predicate_type(),
                    self.version()
                ),
            )
            .with("signer", &signed_by.name)
            .with("predicateType", statement.predicate_type())
        };
        let Some(signer) = self.signer(&signed_by.name) else { return Err(not_entitled("")) };
        if !signer.predicate_types.iter().any(|t| t == statement.predicate_type()) {
            return Err(not_entitled(""));
        }
        self.check_keyless(signed_by, statement.predicate_type())?;
        let pairs = &signer.speaks_for;
        let predicate = statement.predicate()?;
        // the builder a provenance names must be one that this signer speaks for (SLSA verifying-artifacts, step 1)
        if let Predicate::Provenance(p) = &predicate {
            let builder = &p.run_details.builder.id;
            if !pairs.iter().any(|pair| pair.builder.as_ref() == Some(builder)) {
                return Err(not_entitled(&format!(" for builder `{}`", builder.escape_debug())));
            }
        }
        // a platform or workload vouches for a person's decision only if it is listed for that platform
        if let Predicate::Approval(a) = &predicate
            && a.capture.method != CaptureMethod::DirectSignature
        {
            let system = a.capture.system.clone().unwrap_or_default();
            if !pairs.iter().any(|pair| pair.system.as_ref() == Some(&system)) {
                return Err(not_entitled(&format!(" for system `{}`", system.escape_debug())));
            }
        }
        if let Predicate::Scai(scai) = &predicate
            && let Some(claimed) = scai.attributes.iter().find(|claim| !may_claim(pairs, &claim.attribute))
        {
            return Err(not_entitled(&format!(" for the attribute `{}`", claimed.attribute.escape_debug())));
        }
        // who is listed for environments or collectors speaks for these alone
        if let Some(environment) = environment_of(&predicate) {
            let mut listed = pairs.iter().filter_map(|p| p.environment.as_deref()).peekable();
            if listed.peek().is_some() && !listed.any(|e| e == environment) {
                return Err(not_entitled(&format!(" for environment `{}`", environment.escape_debug())));
            }
        }
        if let Predicate::EnvironmentSnapshot(s) = &predicate {
            let mut listed = pairs.iter().filter_map(|p| p.collector.as_deref()).peekable();
            if listed.peek().is_some() && !listed.any(|c| c == s.observer.id) {
                return Err(not_entitled(&format!(" for collector `{}`", s.observer.id.escape_debug())));
            }
        }
        Ok(())
    }

    /// Where certificates are demanded, a static key does not count, nor does a certificate that lives long.
    fn check_keyless(&self, signed_by: &SignedBy, predicate_type: &str) -> Result<()> {
        let demand = self.predicate().keyless.as_ref();
        let Some(demand) = demand.filter(|d| d.predicate_types.iter().any(|t| t == predicate_type)) else {
            return Ok(());
        };
        let longest = demand.max_certificate_seconds;
        let found = match &signed_by.certificate {
            None => "a static key".to_owned(),
            Some(certificate) => {
                let seconds =
                    certificate.not_after.unix_seconds().saturating_sub(certificate.not_before.unix_seconds());
                if u64::try_from(seconds).is_ok_and(|seconds| seconds <= longest) {
                    return Ok(());
                }
                format!("one of {seconds} seconds")
            }
        };
        Err(Error::new(
            ErrorKind::NotEntitled,
            format!(
                "`{predicate_type}` must be signed with a certificate of at most {longest} seconds, and `{}` used {found}; \
                 have it signed keyless",
                signed_by.name
            ),
        )
        .with("signer", &signed_by.name)
        .with("expected", format_args!("a certificate of at most {longest} seconds"))
        .with("found", found))
    }
}

/// How `people` lists who made a checked signature.
pub(super) fn id_of(signed_by: &SignedBy) -> PersonId {
    match &signed_by.certificate {
        Some(certificate) => PersonId { issuer: certificate.issuer.clone(), subject: certificate.subject.clone() },
        None => PersonId { issuer: KEY_ISSUER.to_owned(), subject: signed_by.key_id.clone() },
    }
}

/// One text for a key or a certificate identity; see [`Speaker::identity`].
pub(crate) fn identity(id: &PersonId) -> String {
    match id.issuer.as_str() {
        KEY_ISSUER => id.subject.clone(),
        issuer => Digest::sha256(format!("{issuer}\0{}", id.subject).as_bytes()).hex(),
    }
}

/// An attribute that can satisfy a check is claimed by a collector that is listed for it (predicates section 2.2).
fn may_claim(pairs: &[SpeaksFor], attribute: &str) -> bool {
    !ATTRIBUTES.contains(&attribute) || pairs.iter().any(|p| p.attributes.iter().any(|a| a == attribute))
}

fn environment_of(predicate: &Predicate) -> Option<&str> {
    let environment = match predicate {
        Predicate::Approval(a) => a.environment.as_ref(),
        Predicate::PolicyEvaluation(e) => e.environment.as_ref(),
        Predicate::Promotion(p) => Some(&p.to),
        Predicate::Deployment(d) => Some(&d.environment),
        Predicate::EnvironmentSnapshot(s) => Some(&s.environment),
        _ => None,
    };
    environment.map(|e| e.id.as_str())
}
