//! Interactive or break-glass access (predicates section 4.12).

use serde::{Deserialize, Serialize};

use super::field::ROOT;
use super::vocabulary::vocabulary;
use super::{Actor, Environment, PredicateType, RecordRef};
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// A session in a controlled system. Subject: the `uriSha256` of `session_id`. In production without incident and
/// approval it is an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrivilegedSession {
    /// 16 random bytes, hex.
    pub nonce: String,
    /// The session, a URI.
    pub session_id: String,
    /// The person.
    pub actor: Actor,
    /// System, pod or database, a URI.
    pub target: String,
    /// Where.
    pub environment: Environment,
    /// Kind of access.
    pub access_kind: AccessKind,
    /// Why.
    pub justification: String,
    /// The incident; needed for break-glass access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<RecordRef>,
    /// An approval given before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<RecordRef>,
    /// Start.
    pub started_at: Timestamp,
    /// End.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When access ends by itself.
    pub expires_at: Timestamp,
    /// What was run, by digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<ResourceDescriptor>,
    /// Who looked at it afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed_by: Option<Actor>,
}

vocabulary! {
    /// Kind of privileged access.
    AccessKind {
        /// Rights taken in an emergency.
        BreakGlass = "break-glass",
        /// A command or shell inside something that runs.
        Exec = "exec",
        /// A console of a provider.
        Console = "console",
        /// A session with a database.
        Database = "database",
        /// Calls to an administrative interface.
        AdminApi = "admin-api",
    }
}

impl PredicateType for PrivilegedSession {
    const TYPE: &'static str = "https://sealwright.dev/attestation/privileged-session/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.nonce(&self.nonce)?;
        at.uri("sessionId", &self.session_id)?;
        at.check("actor", &self.actor)?;
        at.uri("target", &self.target)?;
        at.check("environment", &self.environment)?;
        at.text("justification", &self.justification)?;
        let why = "`predicate.accessKind` is `break-glass`";
        at.needed("incident", self.access_kind != AccessKind::BreakGlass || self.incident.is_some(), why)?;
        at.check("incident", &self.incident)?;
        at.check("approval", &self.approval)?;
        at.not_before("endedAt", self.ended_at, "predicate.startedAt", Some(self.started_at))?;
        at.not_before("expiresAt", Some(self.expires_at), "predicate.startedAt", Some(self.started_at))?;
        at.check("transcript", &self.transcript)?;
        at.check("reviewedBy", &self.reviewed_by)
    }
}
