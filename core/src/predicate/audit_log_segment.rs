//! A sealed run of entries of an outside log (predicates section 4.13).

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::field::ROOT;
use super::vocabulary::vocabulary;
use super::{Actor, PredicateType};
use crate::artifact::ResourceDescriptor;
use crate::digest::DigestSet;
use crate::error::Result;
use crate::json::Value;
use crate::timestamp::Timestamp;

/// A closed segment of a log. Subject: SHA-256 of its bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditLogSegment {
    /// The log, a URI.
    pub source: String,
    /// Kind of log.
    pub source_kind: LogKind,
    /// Media type of the bytes.
    pub format: String,
    /// Where the bytes are.
    pub segment: ResourceDescriptor,
    /// Time of the oldest entry.
    pub first_event_at: Timestamp,
    /// Time of the newest entry.
    pub last_event_at: Timestamp,
    /// Number of entries.
    pub event_count: u64,
    /// Number of the segment within its source, from 0, without holes.
    pub sequence: u64,
    /// Digest of the segment before; needed from 1 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_segment: Option<DigestSet>,
    /// Root of an RFC 6962 tree over the entries, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merkle_root: Option<String>,
    /// Who sealed it.
    pub collector: Actor,
    /// When.
    pub sealed_at: Timestamp,
    /// How the bytes are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<SegmentStorage>,
    /// Counts, to search without the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Map<String, Value>>,
}

/// How the bytes of a segment are held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentStorage {
    /// End of the lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<Timestamp>,
    /// Kind of lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<LockMode>,
}

vocabulary! {
    /// Kind of log.
    LogKind {
        /// Of a Kubernetes API server.
        KubernetesAudit = "kubernetes-audit",
        /// Of a cloud account.
        CloudAudit = "cloud-audit",
        /// Of a forge.
        ScmAudit = "scm-audit",
        /// Of a CI system.
        CiAudit = "ci-audit",
        /// Of an identity provider.
        IdpAudit = "idp-audit",
        /// Of a key service or secrets manager.
        KmsAudit = "kms-audit",
        /// Of a registry.
        RegistryAudit = "registry-audit",
        /// Of an application.
        ApplicationAccess = "application-access",
        /// Of an operating system or what watches it.
        OsAudit = "os-audit",
        /// Out of a SIEM.
        SiemExport = "siem-export",
        /// Of something else.
        Other = "other",
    }
}

vocabulary! {
    /// Kind of lock on stored bytes.
    LockMode {
        /// Nobody may shorten it.
        Compliance = "compliance",
        /// Some may.
        Governance = "governance",
        /// On the bucket.
        BucketLock = "bucket-lock",
        /// There is none.
        None = "none",
    }
}

impl PredicateType for AuditLogSegment {
    const TYPE: &'static str = "https://sealwright.dev/attestation/audit-log-segment/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.uri("source", &self.source)?;
        at.text("format", &self.format)?;
        at.digested("segment", &self.segment)?;
        at.not_before("lastEventAt", Some(self.last_event_at), "predicate.firstEventAt", Some(self.first_event_at))?;
        at.needed(
            "previousSegment",
            self.sequence == 0 || self.previous_segment.is_some(),
            "`predicate.sequence` is not 0",
        )?;
        at.text("merkleRoot", &self.merkle_root)?;
        at.check("collector", &self.collector)
    }
}
