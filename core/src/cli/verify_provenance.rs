//! `verify`: what a record must say of a build, or of another's verification.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::answer::to_json;
use super::text::Page;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::limits;
use crate::provenance::{ProvenanceExpectation, SummaryExpectation};
use crate::statement::Statement;
use crate::verifier::Verified;

/// What is demanded of the content of a record.
#[derive(Args)]
#[command(next_help_heading = "What it must say of the build")]
pub(crate) struct Content {
    /// Repository that was built.
    #[arg(long, value_name = "URI")]
    source_uri: Option<String>,
    /// Commit that was built.
    #[arg(long, value_name = "HEX")]
    source_commit: Option<String>,
    /// Branch that was built.
    #[arg(long, value_name = "NAME")]
    source_branch: Option<String>,
    /// Tag that was built.
    #[arg(long, value_name = "NAME")]
    source_tag: Option<String>,
    /// Version that was built: v1 is any tag v1.*, v1.2 any v1.2.*.
    #[arg(long, value_name = "VERSION")]
    source_versioned_tag: Option<String>,
    /// Builder; of a GitHub workflow without @REF any release does.
    #[arg(long, value_name = "ID")]
    builder_id: Option<String>,
    /// Build type.
    #[arg(long, value_name = "URI")]
    build_type: Option<String>,
    /// Input of a workflow that was started by hand.
    #[arg(long = "build-workflow-input", value_name = "NAME=VALUE")]
    inputs: Vec<String>,
    /// Tag that people read; a difference from the commit is told.
    #[arg(long, value_name = "TAG")]
    image_tag: Option<String>,
    /// All that can be demanded of provenance, a JSON file.
    #[arg(long, value_name = "FILE")]
    provenance_expectation: Option<PathBuf>,
    /// Of a verification summary: who verified.
    #[arg(long, value_name = "URI")]
    vsa_verifier: Option<String>,
    /// Of a verification summary: where the artifact is to be had.
    #[arg(long, value_name = "URI")]
    vsa_resource: Option<String>,
    /// Of a verification summary: a level, which or a higher one it has.
    #[arg(long = "vsa-level", value_name = "LEVEL")]
    vsa_levels: Vec<String>,
}

impl Content {
    /// Checks what is demanded, tells it, and gives it as members of the answer.
    pub(crate) fn check(&self, verified: &Verified<Statement>, page: &mut Page) -> Result<Vec<(&'static str, Value)>> {
        let mut members = Vec::new();
        if let Some(expectation) = self.provenance()? {
            let checked = expectation.check(verified)?;
            page.field("builder", &checked.build.builder_id);
            if let Some(source) = &checked.build.source {
                page.field("source", &source.repository);
                for (name, value) in [("ref", &source.reference), ("commit", &source.commit)] {
                    if let Some(value) = value {
                        page.field(name, value);
                    }
                }
            }
            for finding in &checked.findings {
                page.wrapped("warning: ", "  ", &finding.to_string());
            }
            members.push(("build", to_json(&checked.build)?));
            members.push(("findings", json!(checked.findings)));
        }
        if let Some(expectation) = self.summary() {
            let summary = expectation.check(verified)?;
            page.field("verifier", &summary.verifier.id).field("levels", summary.verified_levels.join(" "));
            members.push(("summary", to_json(&summary)?));
        }
        Ok(members)
    }

    /// Checks that nothing is demanded, where there is no content.
    pub(crate) fn check_none(&self) -> Result<()> {
        if self.provenance()?.is_none() && self.summary().is_none() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::ApiMisuse,
            "the signature of a file says nothing of a build; demand nothing of that, or give a record",
        ))
    }

    fn provenance(&self) -> Result<Option<ProvenanceExpectation>> {
        let mut expectation = match &self.provenance_expectation {
            Some(path) => {
                let bytes = limits::read_file("provenance expectation", path, limits::KEY_BYTES)?;
                ProvenanceExpectation::from_json(&bytes).map_err(|e| e.with("path", path.display()))?
            }
            None => ProvenanceExpectation::new(),
        };
        let set = |field: &mut Option<String>, flag: &Option<String>| {
            if flag.is_some() {
                field.clone_from(flag);
            }
        };
        set(&mut expectation.source_uri, &self.source_uri);
        set(&mut expectation.source_commit, &self.source_commit);
        set(&mut expectation.source_branch, &self.source_branch);
        set(&mut expectation.source_tag, &self.source_tag);
        set(&mut expectation.source_versioned_tag, &self.source_versioned_tag);
        set(&mut expectation.image_tag, &self.image_tag);
        if let Some(id) = &self.builder_id {
            expectation.builders = vec![id.parse()?];
        }
        if let Some(build_type) = &self.build_type {
            expectation.build_types = vec![build_type.clone()];
        }
        for input in &self.inputs {
            let (name, value) = input.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                Error::new(
                    ErrorKind::ApiMisuse,
                    format!("`{}` is no input `NAME=VALUE`; write both", input.escape_debug()),
                )
            })?;
            expectation = expectation.require_workflow_input(name, value);
        }
        Ok(Some(expectation).filter(|e| *e != ProvenanceExpectation::new()))
    }

    fn summary(&self) -> Option<SummaryExpectation> {
        let mut expectation = SummaryExpectation::new();
        expectation.verifier_id.clone_from(&self.vsa_verifier);
        expectation.resource_uri.clone_from(&self.vsa_resource);
        expectation.levels.clone_from(&self.vsa_levels);
        Some(expectation).filter(|e| *e != SummaryExpectation::new())
    }
}
