//! Short names of predicate types, as they are typed.

use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};
use crate::predicate::{
    Approval, AuditLogSegment, ChangeRequest, Cyclonedx, Deployment, DriftReport, EnvironmentSnapshot, EvidencePack,
    KeyAccess, LegalHold, PolicyEvaluation, PredicateType, PrivilegedSession, Promotion, Provenance, Release,
    RetentionDisposal, Scai, Spdx, Spdx3, TestResult, TrustPolicy, Vsa, Vulns,
};

const TYPES: [(&str, &str); 23] = [
    ("provenance", Provenance::TYPE),
    ("sbom", Cyclonedx::TYPE),
    ("spdx", Spdx::TYPE),
    ("spdx3", Spdx3::TYPE),
    ("test-result", TestResult::TYPE),
    ("vulns", Vulns::TYPE),
    ("vsa", Vsa::TYPE),
    ("scai", Scai::TYPE),
    ("release", Release::TYPE),
    ("change-request", ChangeRequest::TYPE),
    ("approval", Approval::TYPE),
    ("policy-evaluation", PolicyEvaluation::TYPE),
    ("promotion", Promotion::TYPE),
    ("deployment", Deployment::TYPE),
    ("environment-snapshot", EnvironmentSnapshot::TYPE),
    ("drift-report", DriftReport::TYPE),
    ("key-access", KeyAccess::TYPE),
    ("privileged-session", PrivilegedSession::TYPE),
    ("audit-log-segment", AuditLogSegment::TYPE),
    ("legal-hold", LegalHold::TYPE),
    ("retention-disposal", RetentionDisposal::TYPE),
    ("evidence-pack", EvidencePack::TYPE),
    ("trust-policy", TrustPolicy::TYPE),
];

/// A known predicate type, by its short name or its URI.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownType(&'static str);

impl KnownType {
    pub(crate) fn of<P: PredicateType>() -> Self {
        Self(P::TYPE)
    }

    pub(crate) fn uri(self) -> &'static str {
        self.0
    }
}

impl FromStr for KnownType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        TYPES.iter().find(|(name, uri)| text == *name || text == *uri).map(|(_, uri)| Self(uri)).ok_or_else(|| {
            let names: Vec<_> = TYPES.iter().map(|(name, _)| *name).collect();
            Error::new(
                ErrorKind::Unsupported,
                format!("the type `{}` is not known; write one of {}", text.escape_debug(), names.join(", ")),
            )
        })
    }
}

/// The short name of a type, if it has one.
pub(crate) fn short(uri: &str) -> &str {
    TYPES.iter().find(|(_, known)| *known == uri).map_or(uri, |(name, _)| name)
}
