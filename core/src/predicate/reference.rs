//! in-toto reference v0.1: documents that lie elsewhere (in-toto/attestation spec/predicates/reference.md).

use serde::{Deserialize, Serialize};

use super::PredicateType;
use super::field::ROOT;
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// Documents about the subjects, such as a procedure, an analysis or the certificate of a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// Who refers to them.
    pub attester: Attester,
    /// One document or more, each with its digest, where it lies and its media type.
    pub references: Vec<ResourceDescriptor>,
}

/// Who refers to a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attester {
    /// A URI.
    pub id: String,
}

impl Reference {
    /// The member of a document's annotations that holds the instant from which on it no longer counts.
    pub const EXPIRES_AT: &str = "expiresAt";

    /// From when on a document no longer counts, if it says so.
    ///
    /// # Errors
    /// `MALFORMED` if that is no time.
    pub fn expires_at(document: &ResourceDescriptor) -> Result<Option<Timestamp>> {
        let told = document.annotations.as_ref().and_then(|notes| notes.get(Self::EXPIRES_AT));
        told.map(|told| told.as_str().unwrap_or_default().parse()).transpose()
    }
}

impl PredicateType for Reference {
    const TYPE: &'static str = "https://in-toto.io/attestation/reference/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.field("attester").uri("id", &self.attester.id)?;
        at.some("references", &self.references)?;
        at.check("references", &self.references)?;
        let list = at.field("references");
        for (index, document) in self.references.iter().enumerate() {
            let at = list.index(index);
            at.needed("digest", document.digest.is_some(), "only a digest says which bytes are meant")?;
            at.needed("downloadLocation", document.download_location.is_some(), "the document lies elsewhere")?;
            at.needed("mediaType", document.media_type.is_some(), "whoever gets it has to know what it is")?;
            Self::expires_at(document).map_err(|e| {
                at.field("annotations").field(Self::EXPIRES_AT).wrong(format_args!("is no time: {}", e.message()))
            })?;
        }
        Ok(())
    }
}
