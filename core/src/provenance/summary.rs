//! Verification summaries (SLSA VSA): written from what was checked, and demanded of those that others wrote.

use serde::Deserialize;

use super::{Checked, Reproduction, unmet};
use crate::artifact::ResourceDescriptor;
use crate::bundle::Bundle;
use crate::digest::Digest;
use crate::envelope::IN_TOTO;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::predicate::{PredicateType, VerificationResult, Vsa, VsaVerifier};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::verifier::Verified;

/// The property of an artifact that two builds made alike.
pub const BUILD_REPRODUCED: &str = "SLSA_BUILD_REPRODUCED";

/// Words that SLSA keeps for itself; levels of a track are beside.
const PROPERTIES: [&str; 2] = [BUILD_REPRODUCED, "SLSA_SOURCE_TWO_PARTY_REVIEWED"];

/// What is demanded of a verification summary, beside who signed and for which artifact.
///
/// As data ([`SummaryExpectation::from_json`]) the members are those of the struct in lowerCamelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SummaryExpectation {
    /// Who verified.
    pub verifier_id: Option<String>,
    /// Where the artifact is to be had.
    pub resource_uri: Option<String>,
    /// By which policy.
    pub policy_uri: Option<String>,
    /// Levels and properties. A higher level of the same track does as well; levels not known are ignored.
    pub levels: Vec<String>,
    /// The level that each dependency has at least.
    pub dependency_level: Option<String>,
    /// Digests that its subjects have, as `<algorithm>:<value>`, of algorithms not known here as well.
    pub subjects: Vec<String>,
    /// It was verified then or later.
    pub verified_from: Option<Timestamp>,
    /// It was verified before then.
    pub verified_until: Option<Timestamp>,
    /// The key id that a signature of the envelope bears.
    pub key_id: Option<String>,
}

impl SummaryExpectation {
    /// Demands nothing but that it passed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what is demanded from JSON.
    ///
    /// # Errors
    /// `MALFORMED`, also for a member that is not known; `API_MISUSE` if it demands nothing.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let expectation: Self = json::parse("summary expectation", bytes)?;
        expectation.validate()?;
        Ok(expectation)
    }

    /// Demands who verified.
    #[must_use]
    pub fn require_verifier(mut self, id: impl Into<String>) -> Self {
        self.verifier_id = Some(id.into());
        self
    }

    /// Demands where the artifact is to be had.
    #[must_use]
    pub fn require_resource(mut self, uri: impl Into<String>) -> Self {
        self.resource_uri = Some(uri.into());
        self
    }

    /// Demands the policy.
    #[must_use]
    pub fn require_policy(mut self, uri: impl Into<String>) -> Self {
        self.policy_uri = Some(uri.into());
        self
    }

    /// Demands a level or a property.
    #[must_use]
    pub fn require_level(mut self, level: impl Into<String>) -> Self {
        self.levels.push(level.into());
        self
    }

    /// Demands a level that each dependency has at least.
    #[must_use]
    pub fn require_dependency_level(mut self, level: impl Into<String>) -> Self {
        self.dependency_level = Some(level.into());
        self
    }

    /// Demands a subject, `<algorithm>:<value>`.
    #[must_use]
    pub fn require_subject(mut self, digest: impl Into<String>) -> Self {
        self.subjects.push(digest.into());
        self
    }

    /// Demands that it was verified at `from` or later.
    #[must_use]
    pub fn require_verified_from(mut self, from: Timestamp) -> Self {
        self.verified_from = Some(from);
        self
    }

    /// Demands the key id that a signature of the envelope bears.
    #[must_use]
    pub fn require_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    /// Checks a verified summary: it passed, and says what is demanded.
    ///
    /// # Errors
    /// `EXPECTATION_UNMET` with `field`, `expected` and `found`; `BAD_SIGNATURE` if no signature bears the key id;
    /// `WRONG_TYPE` if it is no summary, `MALFORMED` if it breaks its rules; `API_MISUSE` if nothing is demanded.
    pub fn check(&self, summary: &Verified<Statement>) -> Result<Vsa> {
        self.validate()?;
        if let Some(key_id) = &self.key_id {
            bears(summary.record(), key_id)?;
        }
        let vsa = summary.value().predicate_as::<Vsa>()?;
        if vsa.verification_result != VerificationResult::Passed {
            return Err(unmet("verificationResult", VerificationResult::Passed, vsa.verification_result));
        }
        for (field, wanted, found) in [
            ("verifierId", &self.verifier_id, Some(vsa.verifier.id.as_str())),
            ("resourceUri", &self.resource_uri, Some(vsa.resource_uri.as_str())),
            ("policyUri", &self.policy_uri, vsa.policy.uri.as_deref()),
        ] {
            if let Some(wanted) = wanted.as_deref().filter(|w| Some(*w) != found) {
                return Err(unmet(field, wanted, found.unwrap_or("nothing")));
            }
        }
        for level in &self.levels {
            if !vsa.verified_levels.iter().any(|found| reaches(found, level)) {
                return Err(unmet("verifiedLevels", level, vsa.verified_levels.join(", ")));
            }
        }
        self.check_dependencies(&vsa)?;
        self.check_subjects(summary.value())?;
        self.check_time(&vsa)?;
        Ok(vsa)
    }

    fn check_dependencies(&self, vsa: &Vsa) -> Result<()> {
        let Some(wanted) = &self.dependency_level else { return Ok(()) };
        let Some(counts) = &vsa.dependency_levels else {
            return Err(unmet("dependencyLevels", wanted, "nothing"));
        };
        // each dependency is counted once, at the highest level it has
        match counts.iter().find(|(level, count)| **count > 0 && !reaches(level, wanted)) {
            Some((level, count)) => Err(unmet("dependencyLevels", wanted, format_args!("{count} at {level}"))),
            None => Ok(()),
        }
    }

    fn check_subjects(&self, statement: &Statement) -> Result<()> {
        for wanted in &self.subjects {
            let mut all = statement.subjects().iter().filter_map(|s| s.digest.as_ref()).flat_map(|set| set.entries());
            if !all.any(|(algorithm, value)| wanted.split_once(':') == Some((algorithm, value))) {
                let first = statement.subjects().iter().find_map(|s| s.digest.as_ref()?.entries().next());
                let found = first.map_or_else(|| "nothing".to_owned(), |(name, value)| format!("{name}:{value}"));
                return Err(unmet("subject", wanted, found));
            }
        }
        Ok(())
    }

    fn check_time(&self, vsa: &Vsa) -> Result<()> {
        let found = || vsa.time_verified.map_or_else(|| "no time".to_owned(), |t| t.to_string());
        if let Some(from) = self.verified_from.filter(|from| vsa.time_verified.is_none_or(|t| t < *from)) {
            return Err(unmet("timeVerified", format_args!("{from} or later"), found()));
        }
        if let Some(until) = self.verified_until.filter(|until| vsa.time_verified.is_none_or(|t| t >= *until)) {
            return Err(unmet("timeVerified", format_args!("before {until}"), found()));
        }
        Ok(())
    }

    fn validate(&self) -> Result<()> {
        if *self == Self::default() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "nothing is demanded of the summary; demand its verifier, its resource and a level",
            ));
        }
        Ok(())
    }
}

/// Checks that a signature of the record bears this key id.
fn bears(record: &[u8], key_id: &str) -> Result<()> {
    let bundle = Bundle::parse(record)?;
    let mut ids = bundle.envelope()?.signatures().iter().map(|s| s.keyid.as_deref().unwrap_or_default());
    if ids.any(|id| id == key_id) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::BadSignature,
        format!("no signature of the record bears the key id `{}`; name the id its signer uses", key_id.escape_debug()),
    )
    .with("field", "keyId")
    .with("expected", key_id))
}

/// The track and number of `<TRACK>_LEVEL_<N>` or `<TRACK>_L<N>`.
fn level(text: &str) -> Option<(&str, u32)> {
    let (track, number) = text.rsplit_once("_LEVEL_").or_else(|| text.rsplit_once("_L"))?;
    let plain = !number.is_empty() && number.len() <= 4 && number.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| number.parse().ok()).flatten().map(|number| (track, number))
}

/// Whether a level is the one demanded, or a higher one of its track.
fn reaches(found: &str, wanted: &str) -> bool {
    match (level(found), level(wanted)) {
        (Some((track, is)), Some((of, at_least))) => track == of && is >= at_least,
        _ => found == wanted,
    }
}

impl Checked {
    /// A summary that says the build passed `policy` (which has a `uri`) with these levels at `at`, by this verifier.
    /// Its subjects are those of the provenance, its input the provenance.
    ///
    /// # Errors
    /// `MALFORMED` for a level that begins with `SLSA_` and is none of SLSA's, two levels of one track, or a policy
    /// without `uri`.
    pub fn summary(
        &self,
        verifier_id: impl Into<String>,
        resource_uri: impl Into<String>,
        policy: ResourceDescriptor,
        levels: &[String],
        at: Timestamp,
    ) -> Result<Vsa> {
        summary(
            verifier_id.into(),
            resource_uri.into(),
            policy,
            levels.to_vec(),
            at,
            std::slice::from_ref(&self.provenance),
        )
    }
}

impl Reproduction {
    /// A summary that says the artifacts were reproduced: `levels`, and [`BUILD_REPRODUCED`].
    ///
    /// # Errors
    /// As [`Checked::summary`].
    pub fn summary(
        &self,
        verifier_id: impl Into<String>,
        resource_uri: impl Into<String>,
        policy: ResourceDescriptor,
        levels: &[String],
        at: Timestamp,
    ) -> Result<Vsa> {
        let mut levels = levels.to_vec();
        if !levels.iter().any(|l| l == BUILD_REPRODUCED) {
            levels.push(BUILD_REPRODUCED.to_owned());
        }
        summary(verifier_id.into(), resource_uri.into(), policy, levels, at, &self.provenance)
    }
}

fn summary(
    verifier_id: String,
    resource_uri: String,
    policy: ResourceDescriptor,
    levels: Vec<String>,
    at: Timestamp,
    inputs: &[Digest],
) -> Result<Vsa> {
    let own = |l: &&String| l.starts_with("SLSA_") && !PROPERTIES.contains(&l.as_str()) && !l.contains("_LEVEL_");
    if let Some(level) = levels.iter().find(own) {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "`{}` begins with `SLSA_` and is no level or property of SLSA; give a property of your own another name",
                level.escape_debug()
            ),
        ));
    }
    let input = |digest: &Digest| ResourceDescriptor::of(digest.clone()).with_media_type(IN_TOTO);
    let vsa = Vsa {
        verifier: VsaVerifier { id: verifier_id, version: std::collections::BTreeMap::new() },
        time_verified: Some(at),
        resource_uri,
        policy,
        input_attestations: inputs.iter().map(input).collect(),
        verification_result: VerificationResult::Passed,
        verified_levels: levels,
        dependency_levels: None,
        slsa_version: Some("1.2".to_owned()),
    };
    vsa.validate()?;
    Ok(vsa)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_level_of_the_same_track_does_and_nothing_else() {
        for (found, wanted) in
            [("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_2"), ("BCID_L1", "BCID_L1"), (BUILD_REPRODUCED, BUILD_REPRODUCED)]
        {
            assert!(reaches(found, wanted), "{found} {wanted}");
        }
        for (found, wanted) in [
            ("SLSA_BUILD_LEVEL_1", "SLSA_BUILD_LEVEL_2"),
            ("SLSA_SOURCE_LEVEL_3", "SLSA_BUILD_LEVEL_2"),
            ("SLSA_BUILD_LEVEL_UNEVALUATED", "SLSA_BUILD_LEVEL_1"),
            ("SLSA_BUILD_LEVEL_+9", "SLSA_BUILD_LEVEL_1"),
            ("SLSA_BUILD_LEVEL_99999", "SLSA_BUILD_LEVEL_1"),
            ("", "SLSA_BUILD_LEVEL_1"),
        ] {
            assert!(!reaches(found, wanted), "{found} {wanted}");
        }
    }
}
