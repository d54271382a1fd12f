//! in-toto SCAI v0.3: claims about attributes (in-toto/attestation spec/predicates/scai.md).

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::PredicateType;
use super::field::{At, Check, ROOT};
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::json::Value;

/// Claims about attributes of the subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scai {
    /// One or more claims.
    pub attributes: Vec<Attribute>,
    /// Who made the subjects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producer: Option<ResourceDescriptor>,
}

/// One claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribute {
    /// What is claimed; only words of [`ATTRIBUTES`] satisfy anything.
    pub attribute: String,
    /// The resource it is claimed of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<ResourceDescriptor>,
    /// Under which conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Map<String, Value>>,
    /// What shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<ResourceDescriptor>,
}

/// The attributes that can satisfy a check (predicates section 2.2).
pub const ATTRIBUTES: &[&str] = &[
    "ENCRYPTED_AT_REST",
    "TLS_MIN_VERSION",
    "MTLS_ENFORCED",
    "CERTIFICATE_VALID",
    "BACKUP_FRESH",
    "BACKUP_ENCRYPTED",
    "MFA_ENFORCED",
    "NO_LONG_LIVED_CREDENTIALS",
    "CREDENTIAL_ROTATED",
    "SECRETS_FROM_MANAGER",
    "OBJECT_LOCK_ENABLED",
    "EVIDENCE_STORE_SEPARATE",
    "AUDIT_LOG_ENABLED",
    "NO_PUBLIC_EXPOSURE",
    "NETWORK_POLICY_PRESENT",
    "NETWORK_SEGREGATED",
    "REGION_ALLOWED",
    "NON_ROOT",
    "NOT_PRIVILEGED",
    "RESOURCE_LIMITS_SET",
    "REGISTRY_ALLOWED",
    "LEAST_PRIVILEGE_REVIEWED",
    "CI_CANNOT_DEPLOY",
    "SYNTHETIC_DATA_ONLY",
    "TIME_SYNCHRONISED",
    "BRANCH_PROTECTED",
    "BUILD_ISOLATED",
    "IDLE_SESSION_LOCKED",
    "WAF_ENABLED",
    "MONITORING_ACTIVE",
];

impl PredicateType for Scai {
    const TYPE: &'static str = "https://in-toto.io/attestation/scai/v0.3";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.some("attributes", &self.attributes)?;
        at.check("attributes", &self.attributes)?;
        at.check("producer", &self.producer)
    }
}

impl Check for Attribute {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("attribute", &self.attribute)?;
        at.check("target", &self.target)?;
        at.check("evidence", &self.evidence)
    }
}
