//! Two builds of one source, and claims about a build that others make.

use std::collections::BTreeSet;

use serde::Serialize;

use super::build::Build;
use super::unmet;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::predicate::{Scai, is_denied};
use crate::statement::Statement;
use crate::verifier::Verified;

/// What SCAI calls a build that nothing else could reach.
const ISOLATED: &str = "BUILD_ISOLATED";

/// Proof that two builds of one commit made the same artifacts. Made only by [`reproduced`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reproduction {
    /// SHA-256 of each artifact.
    pub artifacts: Vec<Digest>,
    /// The two builders.
    pub builders: [String; 2],
    /// Payload digests of the two records.
    pub provenance: [Digest; 2],
}

/// Checks that two provenances tell of two builds of one commit that made the same artifacts, all of them.
///
/// # Errors
/// `EXPECTATION_UNMET`: `subject` if the artifacts differ, which names both builders; `sourceCommit` if the commits
/// differ or one is not named; `invocationId` if it may be one and the same build. `WRONG_TYPE` and `MALFORMED` as
/// [`Build::of`].
pub fn reproduced(first: &Verified<Statement>, second: &Verified<Statement>) -> Result<Reproduction> {
    let (one, other) = (Build::of(first.value())?, Build::of(second.value())?);
    let run = |b: &Build| format!("{} {}", b.builder_id, b.invocation_id.as_deref().unwrap_or("without an invocation"));
    let told_apart =
        one.invocation_id.is_some() && other.invocation_id.is_some() && one.invocation_id != other.invocation_id;
    if one.builder_id == other.builder_id && !told_apart {
        return Err(unmet("invocationId", format_args!("another build than {}", run(&one)), run(&other)));
    }
    let commit = |b: &Build| b.source.as_ref().and_then(|s| s.commit.clone());
    match (commit(&one), commit(&other)) {
        (Some(a), Some(b)) if a == b => {}
        (a, b) => {
            let said = |c: Option<String>| c.unwrap_or_else(|| "no commit".to_owned());
            return Err(unmet("sourceCommit", said(a), said(b)));
        }
    }
    let (made, again) = (artifacts(first.value())?, artifacts(second.value())?);
    if made != again {
        let difference = |a: &BTreeSet<Digest>, b: &BTreeSet<Digest>, builder: &str| match a.difference(b).next() {
            Some(digest) => format!("{digest} by {builder}"),
            None => format!("nothing else by {builder}"),
        };
        return Err(unmet(
            "subject",
            difference(&made, &again, &one.builder_id),
            difference(&again, &made, &other.builder_id),
        )
        .with("builder", one.builder_id)
        .with("otherBuilder", other.builder_id));
    }
    Ok(Reproduction {
        artifacts: made.into_iter().collect(),
        builders: [one.builder_id, other.builder_id],
        provenance: [first.value().payload_digest(), second.value().payload_digest()],
    })
}

/// SHA-256 of each subject; each must have one, so that none is left out of the comparison.
fn artifacts(statement: &Statement) -> Result<BTreeSet<Digest>> {
    let of = |(index, subject): (usize, &crate::artifact::ResourceDescriptor)| {
        subject.digests().find(|d| d.algorithm() == Algorithm::Sha256).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("`subject[{index}]` has no sha256; two builds are compared by the SHA-256 of all they made"),
            )
        })
    };
    statement.subjects().iter().enumerate().map(of).collect()
}

/// Checks that a SCAI record claims `BUILD_ISOLATED` about an artifact of this build, and denies it nowhere. Who may make that claim is
/// demanded when the record is verified.
///
/// # Errors
/// `EXPECTATION_UNMET`: `attribute` if it does not claim that, `subject` if it is about something else; `WRONG_TYPE`
/// and `MALFORMED` if it is no SCAI record.
pub fn isolated(provenance: &Verified<Statement>, claim: &Verified<Statement>) -> Result<()> {
    let scai = claim.value().predicate_as::<Scai>()?;
    for attribute in scai.attributes.iter().filter(|a| a.attribute == ISOLATED) {
        if is_denied(&serde_json::to_value(attribute).unwrap_or_default()) {
            return Err(unmet("attribute", ISOLATED, "its denial"));
        }
    }
    let names: Vec<_> = scai.attributes.iter().map(|a| a.attribute.as_str()).collect();
    if !names.contains(&ISOLATED) {
        return Err(unmet("attribute", ISOLATED, names.join("`, `")));
    }
    let built: Vec<Digest> = provenance.value().subjects().iter().flat_map(|s| s.digests()).collect();
    if built.iter().any(|digest| claim.value().has_subject(digest)) {
        return Ok(());
    }
    let first = |digests: &[Digest]| digests.first().map_or_else(|| "nothing".to_owned(), Digest::to_string);
    let claimed: Vec<Digest> = claim.value().subjects().iter().flat_map(|s| s.digests()).collect();
    Err(unmet("subject", first(&built), first(&claimed)))
}
