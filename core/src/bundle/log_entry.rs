//! What a transparency log gave for a signature, not verified.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize};

use super::{base64, malformed, over};
use crate::error::Result;
use crate::merkle::Hash;
use crate::{json, limits};

/// An entry of a transparency log (Rekor v1 or v2) with the evidence that it is there. Not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// Index in the whole log: of Rekor v1 across its trees, of v2 the same as in its tree.
    pub log_index: u64,
    /// Which log.
    pub log_id: Vec<u8>,
    /// Kind of the entry, such as `hashedrekord`.
    pub kind: String,
    /// Version of the kind, such as `0.0.1`.
    pub version: String,
    /// When the log took it, in Unix seconds; Rekor v2 does not say.
    pub integrated_time: Option<i64>,
    /// The log's signature over entry and time, a promise that it will be in the tree.
    pub inclusion_promise: Option<Vec<u8>>,
    /// The proof that it is in the tree.
    pub inclusion_proof: Option<InclusionProof>,
    /// The entry itself, as the log has it.
    pub canonicalized_body: Vec<u8>,
}

/// A proof that an entry is in a tree, with the checkpoint of the tree. Not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InclusionProof {
    /// Index in the tree.
    pub log_index: u64,
    /// Root of the tree.
    pub root_hash: Vec<u8>,
    /// Size of the tree.
    pub tree_size: u64,
    /// Hashes from the leaf to the root.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, as text.
    pub checkpoint: Option<String>,
}

impl LogEntry {
    /// Reads the JSON form of a `TransparencyLogEntry` (sigstore_rekor.proto), which is also what Rekor v2 answers.
    ///
    /// # Errors
    /// `MALFORMED`, `LIMIT_EXCEEDED`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::from_wire(json::parse("log entry", bytes)?)
    }

    pub(super) fn from_wire(wire: EntryWire<'_>) -> Result<Self> {
        Ok(Self {
            log_index: wire.log_index.map_or(Ok(0), |n| index("logIndex", n))?,
            log_id: base64("logId", &wire.log_id.key_id)?,
            kind: wire.kind_version.kind.into_owned(),
            version: wire.kind_version.version.into_owned(),
            // as in all of proto3, 0 is the same as not said
            integrated_time: wire.integrated_time.map(|n| n.0).filter(|n| *n != 0),
            inclusion_promise: wire
                .inclusion_promise
                .map(|p| base64("inclusionPromise", &p.signed_entry_timestamp))
                .transpose()?,
            inclusion_proof: wire.inclusion_proof.map(InclusionProof::from_wire).transpose()?,
            canonicalized_body: base64("canonicalizedBody", &wire.canonicalized_body)?,
        })
    }

    pub(super) fn to_wire(&self) -> EntryWire<'_> {
        EntryWire {
            log_index: Some(Number(i64::try_from(self.log_index).unwrap_or(i64::MAX))),
            log_id: IdWire { key_id: STANDARD.encode(&self.log_id).into() },
            kind_version: KindWire {
                kind: Cow::Borrowed(self.kind.as_str()),
                version: Cow::Borrowed(self.version.as_str()),
            },
            integrated_time: self.integrated_time.map(Number),
            inclusion_promise: self
                .inclusion_promise
                .as_ref()
                .map(|p| PromiseWire { signed_entry_timestamp: STANDARD.encode(p).into() }),
            inclusion_proof: self.inclusion_proof.as_ref().map(InclusionProof::to_wire),
            canonicalized_body: STANDARD.encode(&self.canonicalized_body).into(),
        }
    }
}

impl InclusionProof {
    fn from_wire(wire: ProofWire<'_>) -> Result<Self> {
        if wire.hashes.len() > limits::PROOF_HASHES {
            return Err(over("hashes in an inclusion proof", limits::PROOF_HASHES));
        }
        let hashes = wire.hashes.iter().map(|h| {
            let bytes: [u8; 32] = base64("hashes", h)?.try_into().map_err(|_| malformed("a hash has 32 bytes"))?;
            Ok(Hash::from(bytes))
        });
        Ok(Self {
            log_index: wire.log_index.map_or(Ok(0), |n| index("logIndex", n))?,
            root_hash: wire.root_hash.map_or(Ok(Vec::new()), |h| base64("rootHash", &h))?,
            tree_size: wire.tree_size.map_or(Ok(0), |n| index("treeSize", n))?,
            hashes: hashes.collect::<Result<_>>()?,
            checkpoint: wire.checkpoint.map(|c| c.envelope.into_owned()),
        })
    }

    fn to_wire(&self) -> ProofWire<'_> {
        let number = |n| Some(Number(i64::try_from(n).unwrap_or(i64::MAX)));
        ProofWire {
            log_index: number(self.log_index),
            root_hash: Some(STANDARD.encode(&self.root_hash).into()),
            tree_size: number(self.tree_size),
            hashes: self.hashes.iter().map(|h| STANDARD.encode(h.as_bytes()).into()).collect(),
            checkpoint: self.checkpoint.as_deref().map(|c| CheckpointWire { envelope: Cow::Borrowed(c) }),
        }
    }
}

fn index(what: &str, number: Number) -> Result<u64> {
    u64::try_from(number.0).map_err(|_| malformed(&format!("`{what}` is below zero")))
}

/// A 64-bit number, which JSON of Protocol Buffers writes as a text.
#[derive(Clone, Copy, Serialize)]
#[serde(into = "String")]
pub(super) struct Number(pub(super) i64);

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.0.to_string()
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<'a> {
            Number(i64),
            #[serde(borrow)]
            Text(Cow<'a, str>),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryWire<'a> {
    #[serde(default)]
    log_index: Option<Number>,
    #[serde(borrow)]
    log_id: IdWire<'a>,
    #[serde(borrow)]
    kind_version: KindWire<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    integrated_time: Option<Number>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    inclusion_promise: Option<PromiseWire<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    inclusion_proof: Option<ProofWire<'a>>,
    #[serde(borrow)]
    canonicalized_body: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdWire<'a> {
    #[serde(borrow)]
    key_id: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct KindWire<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromiseWire<'a> {
    #[serde(borrow)]
    signed_entry_timestamp: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProofWire<'a> {
    #[serde(default)]
    log_index: Option<Number>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    root_hash: Option<Cow<'a, str>>,
    #[serde(default)]
    tree_size: Option<Number>,
    #[serde(borrow, default)]
    hashes: Vec<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<CheckpointWire<'a>>,
}

#[derive(Serialize, Deserialize)]
struct CheckpointWire<'a> {
    #[serde(borrow)]
    envelope: Cow<'a, str>,
}
