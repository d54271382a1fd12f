//! `attest`: build and sign a statement of a known type.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde_json::json;

use super::answer::Answer;
use super::attest_ci::Ci;
use super::input::{Subjects, json_file};
use super::predicate_names::KnownType;
use super::settings::Settings;
use super::sign::{Signing, fill};
use crate::artifact::ResourceDescriptor;
use crate::error::{Error, ErrorKind, Result};
use crate::guard::Guard;
use crate::json::Value;
use crate::predicate::{
    Approval, BuildDefinition, BuildMetadata, Builder, ChangeRequest, Deployment, KeyAccess, NAMESPACE, PredicateType,
    PrivilegedSession, Promotion, Provenance, RunDetails, nonce,
};
use crate::statement::Statement;

#[derive(Args)]
#[command(group = ArgGroup::new("told_by").args(["git", "ci"]))]
pub(crate) struct Attest {
    /// provenance, sbom, test-result, vsa, scai, release, change-request,
    /// approval, …, or the URI of a known type.
    #[arg(value_name = "TYPE")]
    known: KnownType,
    #[command(flatten)]
    body: Body,
    /// For provenance: take the source from Git.
    #[arg(long, conflicts_with = "predicate", requires_all = ["builder_id", "build_type"])]
    git: bool,
    #[command(flatten)]
    ci: Ci,
    /// Builder of the provenance, a URI.
    #[arg(long, value_name = "URI", requires = "told_by")]
    builder_id: Option<String>,
    /// Build type of the provenance, a URI.
    #[arg(long, value_name = "URI", requires = "git")]
    build_type: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// What a statement says, and of what.
#[derive(Args)]
pub(crate) struct Body {
    #[command(flatten)]
    pub(crate) subjects: Subjects,
    /// The predicate, a JSON file; a nonce and the time are filled in.
    #[arg(long, value_name = "FILE")]
    predicate: Option<PathBuf>,
}

impl Attest {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let statement = if self.git || self.ci.is_asked() {
            self.provenance(settings)?
        } else {
            self.body.statement(settings, self.known)?
        };
        self.signing.finish(settings, &statement, self.signing.open(settings)?)
    }

    fn provenance(&self, settings: &Settings) -> Result<Statement> {
        if self.known != KnownType::of::<Provenance>() {
            return Err(Error::new(ErrorKind::ApiMisuse, "`--git` and `--ci` are for provenance; name that type"));
        }
        if self.ci.is_asked() {
            let provenance = self.ci.provenance(settings, &self.body.subjects, self.builder_id.as_deref())?;
            return Statement::new(self.body.subjects.read()?, &provenance);
        }
        let source = self.body.subjects.repository.revision("HEAD")?.source();
        let provenance = Provenance {
            build_definition: BuildDefinition {
                build_type: self.build_type.clone().unwrap_or_default(),
                external_parameters: [("source".to_owned(), json!(source.uri))].into_iter().collect(),
                internal_parameters: serde_json::Map::new(),
                resolved_dependencies: vec![source],
            },
            run_details: RunDetails {
                builder: Builder {
                    id: self.builder_id.clone().unwrap_or_default(),
                    builder_dependencies: Vec::new(),
                    version: std::collections::BTreeMap::new(),
                },
                metadata: Some(BuildMetadata { finished_on: Some(settings.now()?), ..BuildMetadata::default() }),
                byproducts: Vec::new(),
            },
        };
        Statement::new(self.body.subjects.read()?, &provenance)
    }
}

impl Body {
    /// The statement, with what only this moment can know filled in where it is absent.
    pub(crate) fn statement(&self, settings: &Settings, known: KnownType) -> Result<Statement> {
        self.statement_with(settings, known, Vec::new(), |_| Ok(()))
    }

    /// The statement about `more`, too, with a predicate that `complete` has added to.
    pub(crate) fn statement_with(
        &self,
        settings: &Settings,
        known: KnownType,
        more: Vec<ResourceDescriptor>,
        complete: impl FnOnce(&mut Value) -> Result<()>,
    ) -> Result<Statement> {
        let path = self.predicate.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::ApiMisuse, "nothing says what to attest; name a JSON file with `--predicate`")
        })?;
        let mut predicate: Value = json_file("predicate", path)?;
        let nonced = [
            Approval::TYPE,
            ChangeRequest::TYPE,
            Deployment::TYPE,
            KeyAccess::TYPE,
            PrivilegedSession::TYPE,
            Promotion::TYPE,
        ];
        if nonced.contains(&known.uri()) {
            fill(&mut predicate, "nonce", || nonce().map(Value::from))?;
        }
        let timed = [(Approval::TYPE, "decidedAt"), (ChangeRequest::TYPE, "createdAt")];
        if let Some((_, name)) = timed.iter().find(|(uri, _)| *uri == known.uri()) {
            fill(&mut predicate, name, || Ok(settings.now()?.to_string().into()))?;
        }
        complete(&mut predicate)?;
        let statement = Statement::from_json(known.uri(), self.subjects.read_with(more)?, &predicate)?;
        // what people write in records of ours (predicates section 1.9); documents of others are what they are
        if known.uri().starts_with(NAMESPACE) {
            Guard::built_in().check(&statement)?;
        }
        Ok(statement)
    }
}
