//! Pointers from one record to another.

use serde::{Deserialize, Serialize};

use super::field::{At, Check};
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};

/// The media type that says a digest is over a Statement, not over an envelope.
const STATEMENT_MEDIA_TYPE: &str = "application/vnd.in-toto+json";

/// Pointer to another record, by the digest of its payload (predicates section 3).
///
/// The payload is the Statement as signed, so a second signature does not break the link.
///
/// ```
/// use sealwright::digest::Digest;
/// use sealwright::predicate::RecordRef;
/// let payload = Digest::sha256(b"{}");
/// assert_eq!(RecordRef::to(&payload).payload()?, payload);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordRef {
    /// Digests of the payload bytes; `sha256` counts.
    pub digest: DigestSet,
    /// Always `application/vnd.in-toto+json`.
    pub media_type: String,
    /// Where the record can be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Short label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Hints, never relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<RecordHints>,
}

/// Hints of a [`RecordRef`], proven elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordHints {
    /// Zero-based index of its ledger entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_index: Option<u64>,
    /// Its predicate type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
}

impl RecordRef {
    /// The record whose payload has this SHA-256.
    pub fn to(payload_sha256: &Digest) -> Self {
        Self {
            digest: payload_sha256.clone().into(),
            media_type: STATEMENT_MEDIA_TYPE.to_owned(),
            uri: None,
            name: None,
            annotations: None,
        }
    }

    /// SHA-256 of the payload it points to.
    ///
    /// # Errors
    /// `MALFORMED` if it holds no SHA-256.
    pub fn payload(&self) -> Result<Digest> {
        self.digest.get(Algorithm::Sha256).ok_or_else(|| {
            Error::new(ErrorKind::Malformed, "a reference to a record has no `sha256`; give the digest of its payload")
        })
    }
}

impl Check for RecordRef {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.holds("digest", Some(&self.digest), Algorithm::Sha256)?;
        if self.media_type != STATEMENT_MEDIA_TYPE {
            return Err(at.field("mediaType").wrong(format_args!(
                "is `{}`, expected `{STATEMENT_MEDIA_TYPE}`; refer to the Statement, not to its envelope",
                self.media_type.escape_debug()
            )));
        }
        at.uri("uri", &self.uri)?;
        at.text("name", &self.name)?;
        match &self.annotations {
            Some(hints) => at.field("annotations").uri("predicateType", &hints.predicate_type),
            None => Ok(()),
        }
    }
}
