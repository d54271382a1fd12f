//! The in-toto Statement: subjects, a predicate type and a predicate (in-toto/attestation spec/v1/statement.md).

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::artifact::ResourceDescriptor;
use crate::digest::{Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::limits;
use crate::predicate::{self, Predicate, PredicateType, Tags};

/// `_type` of a Statement that counts.
const V1: &str = "https://in-toto.io/Statement/v1";
/// `_type` of an older Statement, which is kept but does not count.
const V0_1: &str = "https://in-toto.io/Statement/v0.1";

/// A Statement, with its payload kept byte for byte.
///
/// Reading one checks its frame only; the predicate is read by [`Statement::predicate`] or
/// [`Statement::predicate_as`].
///
/// ```
/// use sealwright::statement::Statement;
/// let payload = br#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://example.org/x/v1",
///   "subject":[{"digest":{"gitCommit":"d20ace7968ba43c0219f62d71334c1095bab1602"}}],"predicate":{}}"#;
/// let statement = Statement::parse(payload.to_vec())?;
/// assert_eq!(statement.payload(), payload);
/// assert_eq!(statement.predicate_type(), "https://example.org/x/v1");
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    payload: Vec<u8>,
    v1: bool,
    subjects: Vec<ResourceDescriptor>,
    predicate_type: String,
    /// Where the predicate stands in the payload; `None` if there is none.
    predicate: Option<Range<usize>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadWire<'a> {
    #[serde(rename = "_type")]
    version: String,
    subject: Vec<ResourceDescriptor>,
    predicate_type: String,
    #[serde(borrow, default)]
    predicate: Option<&'a RawValue>,
}

impl Statement {
    /// A new Statement about `subjects`, in its RFC 8785 form.
    ///
    /// # Errors
    /// `MALFORMED` if the predicate does not validate, or a subject has no digest, or there is none;
    /// `LIMIT_EXCEEDED` if it is too long.
    pub fn new<P: PredicateType>(subjects: Vec<ResourceDescriptor>, predicate: &P) -> Result<Self> {
        predicate.validate()?;
        let predicate = json::canonical("predicate", predicate)?;
        // a type may write a member twice, and as a part of a statement it stands one level deeper
        json::check("statement", &[br#"{"predicate":"#, &predicate[..], b"}"].concat())?;
        Self::write(P::TYPE, subjects, &predicate)
    }

    /// A new Statement of any type from plain JSON, in its RFC 8785 form. A known type is held against its
    /// specification; an unknown one is taken as it is, and satisfies nothing.
    ///
    /// # Errors
    /// As [`Statement::new`].
    pub fn from_json(predicate_type: &str, subjects: Vec<ResourceDescriptor>, predicate: &Value) -> Result<Self> {
        // keys of a value stand once
        let statement = Self::write(predicate_type, subjects, &json::canonical_member("predicate", predicate)?)?;
        statement.predicate()?;
        Ok(statement)
    }

    /// Puts a statement together of a predicate in its RFC 8785 form, which was checked. Members stand in the order of
    /// that form.
    fn write(predicate_type: &str, subjects: Vec<ResourceDescriptor>, predicate: &[u8]) -> Result<Self> {
        check_subjects(&subjects)?;
        let head = format!(r#"{{"_type":"{V1}","predicate":"#);
        let (head, subject) = (head.as_bytes(), canonical_subjects(&subjects)?);
        let place = head.len()..head.len() + predicate.len();
        check_type(predicate_type)?;
        check_object(predicate)?;
        let predicate_type_json = json::to_vec(&predicate_type, predicate_type.len() + 2);
        let payload =
            [head, predicate, br#","predicateType":"#, &predicate_type_json, br#","subject":"#, &subject, b"}"]
                .concat();
        // annotations may read back in another form than they were given in
        if subjects.iter().any(|subject| subject.annotations.is_some()) {
            return Self::parse(payload);
        }
        check_length(&payload)?;
        Ok(Self { payload, v1: true, subjects, predicate_type: predicate_type.to_owned(), predicate: Some(place) })
    }

    /// Reads a payload as it was signed.
    ///
    /// # Errors
    /// `MALFORMED` if it is no strict JSON, no Statement of v1 or v0.1, or names no subject by digest;
    /// `LIMIT_EXCEEDED` if it is too long, too deep or has too many subjects.
    pub fn parse(payload: Vec<u8>) -> Result<Self> {
        check_length(&payload)?;
        json::check("statement", &payload)?;
        let wire: ReadWire<'_> = serde_json::from_slice(&payload).map_err(|e| {
            Error::new(
                ErrorKind::Malformed,
                format!("the statement is not what in-toto demands: {e}; correct that field"),
            )
            .caused_by(e)
        })?;
        if wire.version != V1 && wire.version != V0_1 {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`_type` is `{}`, expected `{V1}`; give an in-toto Statement", wire.version.escape_debug()),
            ));
        }
        check_type(&wire.predicate_type)?;
        check_subjects(&wire.subject)?;
        let predicate = wire.predicate.map(|raw| place(&payload, raw)).transpose()?;
        let (v1, subjects, predicate_type) = (wire.version == V1, wire.subject, wire.predicate_type);
        Ok(Self { v1, subjects, predicate_type, predicate, payload })
    }

    /// The bytes that were or will be signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// SHA-256 of the payload, by which other records refer to this one.
    pub fn payload_digest(&self) -> Digest {
        Digest::sha256(&self.payload)
    }

    /// Whether it is a Statement v1; an older one is kept and counts for nothing.
    pub fn is_v1(&self) -> bool {
        self.v1
    }

    /// What it is about; each has a digest.
    pub fn subjects(&self) -> &[ResourceDescriptor] {
        &self.subjects
    }

    /// Whether one of its subjects has `digest`.
    pub fn has_subject(&self, digest: &Digest) -> bool {
        self.subjects.iter().any(|subject| subject.has(digest))
    }

    /// The type of the predicate, as signed.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The predicate, by its type.
    ///
    /// # Errors
    /// `MALFORMED` if a known type is not what its specification demands.
    pub fn predicate(&self) -> Result<Predicate> {
        Predicate::parse_checked(&self.predicate_type, self.predicate_bytes())
    }

    /// The predicate, which must be a `P`.
    ///
    /// # Errors
    /// `WRONG_TYPE` if it is another type, `MALFORMED` if it is not what its specification demands.
    pub fn predicate_as<P: PredicateType>(&self) -> Result<P> {
        if !P::reads(&self.predicate_type) {
            return Err(Error::new(
                ErrorKind::WrongType,
                format!(
                    "the statement is a `{}`, expected a `{}`; give one of that type",
                    self.predicate_type.escape_debug(),
                    P::TYPE
                ),
            )
            .with("expected", P::TYPE)
            .with("actual", &self.predicate_type));
        }
        predicate::parse_checked(self.predicate_bytes())
    }

    /// The predicate as plain JSON, of whatever type.
    ///
    /// # Errors
    /// `MALFORMED` never in practice; the payload was checked when it was read.
    pub fn predicate_json(&self) -> Result<Value> {
        json::parse_checked("predicate", self.predicate_bytes())
    }

    /// The bytes of the predicate within the payload; `{}` where it has none, which means the same.
    pub fn predicate_bytes(&self) -> &[u8] {
        self.predicate.clone().and_then(|range| self.payload.get(range)).unwrap_or(b"{}")
    }
}

/// What its ledger entry says of it (predicates sections 1.1 and 1.2).
impl Statement {
    /// Whether it is a control record, one that can turn a pass into a refusal.
    ///
    /// What cannot be read, and a type of ours not known here, is one.
    pub fn is_control(&self) -> bool {
        // an SBOM is none, whatever it says
        !predicate::is_sbom(&self.predicate_type)
            && self.predicate_json().map_or(true, |json| predicate::is_control(&self.predicate_type, &json))
    }

    /// What one selects it by.
    pub fn tags(&self) -> Tags {
        Tags::of(&self.subjects, &self.predicate_type, &predicate::told(&self.predicate_type, self.predicate_bytes()))
    }
}

/// The members of a subject in the order of RFC 8785, but for its annotations.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlainSubject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a DigestSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    download_location: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
}

/// The RFC 8785 form of subjects. Of texts alone, with names of ASCII, it is what any JSON writer makes of them in the
/// right order, which is much faster where there are thousands.
fn canonical_subjects(subjects: &[ResourceDescriptor]) -> Result<Vec<u8>> {
    let is_plain = |subject: &ResourceDescriptor| {
        let names_are_ascii = |set: &DigestSet| set.entries().all(|(name, _)| name.is_ascii());
        subject.annotations.is_none() && subject.digest.as_ref().is_none_or(names_are_ascii)
    };
    if !subjects.iter().all(is_plain) {
        return json::canonical("subject", &subjects);
    }
    let plain = subjects.iter().map(|subject| PlainSubject {
        content: subject.content.as_deref(),
        digest: subject.digest.as_ref(),
        download_location: subject.download_location.as_deref(),
        media_type: subject.media_type.as_deref(),
        name: subject.name.as_deref(),
        uri: subject.uri.as_deref(),
    });
    Ok(json::to_vec(&plain.collect::<Vec<_>>(), subjects.len() * 128))
}

/// Where `raw`, borrowed from `payload`, stands in it.
fn place(payload: &[u8], raw: &RawValue) -> Result<Range<usize>> {
    let text = raw.get();
    check_object(text.as_bytes())?;
    let start = (text.as_ptr() as usize).wrapping_sub(payload.as_ptr() as usize);
    Ok(start..start.saturating_add(text.len()))
}

fn check_length(payload: &[u8]) -> Result<()> {
    if payload.len() > limits::PAYLOAD_BYTES {
        return Err(too_much("is longer", limits::PAYLOAD_BYTES, "bytes"));
    }
    Ok(())
}

fn check_type(predicate_type: &str) -> Result<()> {
    if predicate_type.is_empty() {
        return Err(Error::new(ErrorKind::Malformed, "`predicateType` is empty; name the type by its URI"));
    }
    Ok(())
}

fn check_object(predicate: &[u8]) -> Result<()> {
    if !predicate.starts_with(b"{") {
        return Err(Error::new(ErrorKind::Malformed, "`predicate` is no JSON object; give it as one, or leave it out"));
    }
    Ok(())
}

fn check_subjects(subjects: &[ResourceDescriptor]) -> Result<()> {
    if subjects.is_empty() {
        return Err(Error::new(ErrorKind::Malformed, "`subject` is empty; name what the statement is about by digest"));
    }
    if subjects.len() > limits::SUBJECTS {
        return Err(too_much("has more", limits::SUBJECTS, "subjects"));
    }
    match subjects.iter().position(|subject| subject.digest.is_none()) {
        Some(i) => Err(Error::new(
            ErrorKind::Malformed,
            format!("`subject[{i}]` has no `digest`; a subject is known by digest alone, give one"),
        )),
        None => Ok(()),
    }
}

fn too_much(how: &str, limit: usize, of: &str) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("the statement {how} than {limit} {of}; split it"))
        .with("limit", limit)
}
