//! Who acted.

use serde::{Deserialize, Serialize};

use super::field::{At, Check};
use super::vocabulary::vocabulary;
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// A person or workload as a record names it (predicates section 3).
///
/// `canonical_id` and `roles` are for display. Who it is and what they may do comes from `issuer` and `subject`
/// through the trust policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// Identity as the issuer knows it, a URI.
    pub id: String,
    /// Whether it is a person.
    pub kind: ActorKind,
    /// Printed name; approvals by people need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Identity provider that vouched for `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What stays the same at the issuer when a login or an address changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The person as the writer knew it, for display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical_id: Option<String>,
    /// Roles as the writer knew them, for display.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The file the roles were read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles_source: Option<ResourceDescriptor>,
    /// What is known of the log-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
}

/// The log-in behind an act.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    /// RFC 8176 `amr` values, such as `mfa` or `hwk`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// When they logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_at: Option<Timestamp>,
}

vocabulary! {
    /// Whether an actor is a person; only people count towards approvals.
    ActorKind {
        /// A person.
        Human = "human",
        /// A program.
        Workload = "workload",
    }
}

impl Actor {
    /// A person with their printed name.
    pub fn human(id: impl Into<String>, display_name: impl Into<String>) -> Self {
        Self { display_name: Some(display_name.into()), ..Self::bare(id.into(), ActorKind::Human) }
    }

    /// A program.
    pub fn workload(id: impl Into<String>) -> Self {
        Self::bare(id.into(), ActorKind::Workload)
    }

    /// Sets the identity provider and what it calls the actor for good.
    #[must_use]
    pub fn vouched_by(mut self, issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self.subject = Some(subject.into());
        self
    }

    fn bare(id: String, kind: ActorKind) -> Self {
        Self {
            id,
            kind,
            display_name: None,
            issuer: None,
            subject: None,
            canonical_id: None,
            roles: Vec::new(),
            roles_source: None,
            authentication: None,
        }
    }
}

impl Check for Actor {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.uri("id", &self.id)?;
        at.text("displayName", &self.display_name)?;
        at.uri("issuer", &self.issuer)?;
        at.text("subject", &self.subject)?;
        at.text("canonicalId", &self.canonical_id)?;
        at.text("roles", &self.roles)?;
        at.check("rolesSource", &self.roles_source)?;
        match &self.authentication {
            Some(authentication) => at.field("authentication").text("methods", &authentication.methods),
            None => Ok(()),
        }
    }
}
