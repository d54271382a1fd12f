//! Proofs of a verification.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::checkpoint::Cosignature;
use crate::digest::Digest;
use crate::error::Result;
use crate::key::KeyType;
use crate::predicate::PredicateType;
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust::CertificateClaims;

/// Proof that a value was signed as demanded. Made only by a [`Verifier`](super::Verifier).
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    facts: Arc<Facts>,
}

/// What was found out beside the value; all of it authenticated.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    pub(super) signers: Vec<SignedBy>,
    pub(super) log_entries: Vec<Logged>,
    pub(super) timestamps: Vec<Timestamped>,
    #[serde(skip)]
    pub(super) record: Box<[u8]>,
}

/// A signer whose signature was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SignedBy {
    /// The name the trust root gives it; of an identity that has none there, its subject.
    pub name: String,
    /// Lower-case hex SHA-256 of its SubjectPublicKeyInfo.
    pub key_id: String,
    /// Kind of key.
    pub key_type: KeyType,
    /// What its certificate says of it, if it signed with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateClaims>,
}

/// That a believed transparency log holds the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Logged {
    /// Address of the log, as the trusted root gives it.
    pub log: String,
    /// Index of the entry in its tree, or, if the log only promised to take it, in the log.
    pub index: u64,
    /// When the log says that it took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrated_at: Option<Timestamp>,
    /// Which of the demanded witnesses cosigned the checkpoint that it is proven by, and when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Cosignature>,
}

/// That a believed timestamp authority saw the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Timestamped {
    /// Address of the authority, as the trusted root gives it.
    pub authority: String,
    /// When it saw it.
    pub at: Timestamp,
}

impl<T> Verified<T> {
    pub(super) fn new(value: T, facts: Facts) -> Self {
        Self { value, facts: Arc::new(facts) }
    }

    /// What was signed.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// What was signed, without its proof.
    pub fn into_value(self) -> T {
        self.value
    }

    /// Those who signed, each once, at least one; all of them were demanded.
    pub fn signers(&self) -> &[SignedBy] {
        &self.facts.signers
    }

    /// When it was signed at the latest: the earliest time that a log or a timestamp authority vouches for.
    pub fn signed_at(&self) -> Option<Timestamp> {
        let logged = self.facts.log_entries.iter().filter_map(|e| e.integrated_at);
        logged.chain(self.facts.timestamps.iter().map(|t| t.at)).min()
    }

    /// The transparency logs that hold the signature.
    pub fn log_entries(&self) -> &[Logged] {
        &self.facts.log_entries
    }

    /// The timestamps over the signature.
    pub fn timestamps(&self) -> &[Timestamped] {
        &self.facts.timestamps
    }

    /// The record, byte for byte as it was given.
    pub fn record(&self) -> &[u8] {
        &self.facts.record
    }
}

impl Serialize for Verified<Digest> {
    /// The signature of a blob: its `digest`, `signers`, `logEntries`, `timestamps` and, if it is known, `signedAt`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            digest: &'a Digest,
            #[serde(flatten)]
            facts: &'a Facts,
            #[serde(skip_serializing_if = "Option::is_none")]
            signed_at: Option<Timestamp>,
        }
        Wire { digest: &self.value, facts: &self.facts, signed_at: self.signed_at() }.serialize(serializer)
    }
}

impl Verified<Statement> {
    /// The typed predicate, with the proof kept.
    ///
    /// # Errors
    /// `WRONG_TYPE` if it is of another type, `MALFORMED` if it breaks the rules of its type.
    pub fn predicate_as<P: PredicateType>(&self) -> Result<Verified<P>> {
        let value = self.value.predicate_as::<P>()?;
        Ok(Verified { value, facts: Arc::clone(&self.facts) })
    }
}
