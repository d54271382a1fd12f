//! What a signer may say, and who is speaking.

use serde::Serialize;

use super::{KEY_ISSUER, TrustPolicy};
use crate::error::{Error, ErrorKind, Result};
use crate::predicate::{CaptureMethod, Predicate};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::verifier::{SignedBy, Verified};

/// An authenticated signer, as the trust policy knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Speaker {
    /// Name among the signers.
    pub signer: String,
    /// Lower-case hex SHA-256 of its SubjectPublicKeyInfo.
    pub key_id: String,
    /// The person behind it; none for a workload.
    pub person: Option<String>,
    /// The roles of that person.
    pub roles: Vec<String>,
}

impl TrustPolicy {
    /// Who is behind a checked signature.
    pub fn speaker(&self, signed_by: &SignedBy) -> Speaker {
        let person = self.person(KEY_ISSUER, &signed_by.key_id);
        Speaker {
            signer: signed_by.name.clone(),
            key_id: signed_by.key_id.clone(),
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

    /// Checks that no revocation of today reaches a record logged at `at`.
    pub(super) fn check_not_revoked(&self, verified: &Verified<Statement>, at: Timestamp) -> Result<()> {
        let payload = verified.value().payload_digest().hex();
        let speakers = verified.signers().iter().map(|s| self.speaker(s));
        let mut targets = vec![("the record", payload)];
        for speaker in speakers {
            targets.extend(speaker.person.map(|p| ("the person", p)));
            targets.push(("the signer", speaker.signer));
        }
        for (what, target) in targets {
            if let Some(since) = self.revoked_since(&target).filter(|since| at >= *since) {
                return Err(Error::new(
                    ErrorKind::Revoked,
                    format!("{what} `{target}` is revoked since `{since}`, and this was logged at `{at}`; have it signed anew"),
                )
                .with("since", since));
            }
        }
        Ok(())
    }

    /// Since when a signer, or the person behind it, is revoked, if it is.
    pub(super) fn revocation_of(&self, signed_by: &SignedBy) -> Option<Timestamp> {
        let speaker = self.speaker(signed_by);
        [Some(speaker.signer), speaker.person].iter().flatten().filter_map(|target| self.revoked_since(target)).min()
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
        let pairs = &signer.speaks_for;
        match statement.predicate()? {
            // the builder a provenance names must be one that this signer speaks for (SLSA verifying-artifacts, step 1)
            Predicate::Provenance(p) => {
                let builder = p.run_details.builder.id;
                if !pairs.iter().any(|pair| pair.builder.as_deref() == Some(builder.as_str())) {
                    return Err(not_entitled(&format!(" for builder `{}`", builder.escape_debug())));
                }
            }
            // a platform or workload vouches for a person's decision only if it is listed for that platform
            Predicate::Approval(a) if a.capture.method != CaptureMethod::DirectSignature => {
                let system = a.capture.system.unwrap_or_default();
                if !pairs.iter().any(|pair| pair.system.as_deref() == Some(system.as_str())) {
                    return Err(not_entitled(&format!(" for system `{}`", system.escape_debug())));
                }
            }
            // a deployer listed for environments speaks for these alone
            Predicate::Deployment(d) => check_environment(pairs, &d.environment.id, not_entitled)?,
            Predicate::EnvironmentSnapshot(s) => check_environment(pairs, &s.environment.id, not_entitled)?,
            _ => {}
        }
        Ok(())
    }
}

fn check_environment(
    pairs: &[crate::predicate::SpeaksFor],
    environment: &str,
    not_entitled: impl Fn(&str) -> Error,
) -> Result<()> {
    let mut listed = pairs.iter().filter_map(|p| p.environment.as_deref()).peekable();
    if listed.peek().is_some() && !listed.any(|e| e == environment) {
        return Err(not_entitled(&format!(" for environment `{}`", environment.escape_debug())));
    }
    Ok(())
}
