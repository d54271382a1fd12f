//! A use of a key or secret (predicates section 4.11).

use serde::{Deserialize, Serialize};

use super::field::ROOT;
use super::vocabulary::vocabulary;
use super::{Actor, PredicateType, Window};
use crate::artifact::ResourceDescriptor;
use crate::digest::DigestSet;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// A key or secret was used, read, rotated or changed in policy. Subject: the `uriSha256` of its identity, never
/// anything made of its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyAccess {
    /// 16 random bytes, hex.
    pub nonce: String,
    /// Key or secret, a URI.
    pub resource: String,
    /// What it is.
    pub resource_kind: KeyResource,
    /// What was done.
    pub operation: KeyOperation,
    /// Who did it.
    pub actor: Actor,
    /// When; of summarised uses, the last one.
    pub at: Timestamp,
    /// How it went.
    pub outcome: KeyOutcome,
    /// Pipeline stage or incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// What was signed; needed for `sign`, unless uses are summarised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_digest: Option<DigestSet>,
    /// How many uses this record sums up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// From the first to the last of them; needed with `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Usual number for such a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_count: Option<u64>,
    /// The entry of the log, or the segment it lies in.
    pub source_event: ResourceDescriptor,
}

vocabulary! {
    /// What was accessed.
    KeyResource {
        /// Signs.
        SigningKey = "signing-key",
        /// Encrypts.
        EncryptionKey = "encryption-key",
        /// A password, token or the like.
        Secret = "secret",
        /// A certificate with its key.
        Certificate = "certificate",
    }
}

vocabulary! {
    /// What was done with it.
    KeyOperation {
        /// Signed.
        Sign = "sign",
        /// Verified a signature.
        Verify = "verify",
        /// Encrypted, or made a data key.
        Encrypt = "encrypt",
        /// Decrypted.
        Decrypt = "decrypt",
        /// Read it.
        Read = "read",
        /// Made it.
        Create = "create",
        /// Replaced it.
        Rotate = "rotate",
        /// Stopped its use.
        Disable = "disable",
        /// Destroyed it.
        Destroy = "destroy",
        /// Changed who may use it.
        PolicyChange = "policy-change",
    }
}

vocabulary! {
    /// How an access went.
    KeyOutcome {
        /// It was done.
        Succeeded = "SUCCEEDED",
        /// It was refused.
        Denied = "DENIED",
        /// It broke.
        Failed = "FAILED",
    }
}

impl PredicateType for KeyAccess {
    const TYPE: &'static str = "https://sealwright.dev/attestation/key-access/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.nonce(&self.nonce)?;
        at.uri("resource", &self.resource)?;
        at.check("actor", &self.actor)?;
        at.text("purpose", &self.purpose)?;
        // a service that logs a use does not always log what was signed, and of a refused use nothing was
        let single = self.count.is_none() && self.outcome == KeyOutcome::Succeeded;
        let needed = single && self.operation == KeyOperation::Sign;
        at.needed("signedDigest", !needed || self.signed_digest.is_some(), "`predicate.operation` is `sign`")?;
        at.needed("window", self.count.is_none() || self.window.is_some(), "`predicate.count` is present")?;
        if let Some(window) = self.window {
            at.check("window", &window)?;
        }
        at.digested("sourceEvent", &self.source_event)
    }
}
