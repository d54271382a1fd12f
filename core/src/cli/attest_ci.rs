//! `attest provenance --ci`: provenance from what the CI system says.

use std::path::PathBuf;

use clap::Args;

use super::input::{Subjects, resource};
use super::settings::Settings;
use crate::ci::{self, CiRun, CiSystem, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::predicate::Provenance;
use crate::timestamp::Timestamp;

/// A machine that is no CI system.
const PLAIN: &str = "plain";

#[derive(Args)]
pub(crate) struct Ci {
    /// For provenance: take it from what the CI system says: auto,
    /// github-actions, gitlab-ci, jenkins, buildkite, azure-pipelines, the name
    /// of a `--ci-system`, or plain, which needs `--builder-id`.
    #[arg(long, value_name = "SYSTEM", conflicts_with = "predicate")]
    ci: Option<String>,
    /// Description of another CI system, a TOML file.
    #[arg(long = "ci-system", value_name = "FILE", requires = "ci")]
    systems: Vec<PathBuf>,
    /// External parameter of the build beside those of the system.
    #[arg(long = "ci-parameter", value_name = "NAME=VALUE", requires = "ci")]
    parameters: Vec<String>,
    /// What the build fetched, such as pkg:docker/alpine=sha256:HEX.
    #[arg(long = "ci-dependency", value_name = "URI=FILE|DIGEST", requires = "ci")]
    dependencies: Vec<String>,
    /// When the build started, if the system does not say.
    #[arg(long = "ci-started", value_name = "TIME", requires = "ci")]
    started: Option<Timestamp>,
}

impl Ci {
    pub(crate) fn is_asked(&self) -> bool {
        self.ci.is_some()
    }

    pub(crate) fn provenance(
        &self,
        settings: &Settings,
        subjects: &Subjects,
        builder_id: Option<&str>,
    ) -> Result<Provenance> {
        let name = self.ci.as_deref().unwrap_or_default();
        let run = self.run(settings)?;
        if name == PLAIN {
            let builder = builder_id.ok_or_else(|| {
                Error::new(ErrorKind::ApiMisuse, "a plain machine has no id of its own; name it with `--builder-id`")
            })?;
            return ci::plain_machine(builder, subjects.repository.revision("HEAD")?.source(), &run);
        }
        if builder_id.is_some() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "a CI system says itself which builder it is; leave `--builder-id` out, or name `--ci plain`",
            ));
        }
        let environment = Environment::of_os(std::env::vars_os());
        self.system(name, &environment)?.provenance(&environment, &run)
    }

    fn run(&self, settings: &Settings) -> Result<CiRun> {
        let mut run = CiRun::finished(settings.now()?);
        if let Some(started) = self.started {
            run = run.started(started);
        }
        for text in &self.parameters {
            let (name, value) = text
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| Error::new(ErrorKind::ApiMisuse, "`--ci-parameter` is no `NAME=VALUE`; write both"))?;
            run = run.with_parameter(name, value);
        }
        for text in &self.dependencies {
            let mut dependency = resource(text)?;
            let uri = dependency.name.take().unwrap_or_default();
            run = run.with_dependency(dependency.with_uri(uri));
        }
        Ok(run)
    }

    fn system(&self, name: &str, environment: &Environment) -> Result<CiSystem> {
        let more = self.systems.iter().map(|path| {
            let limit = u64::try_from(limits::CI_SYSTEM_BYTES).unwrap_or(u64::MAX);
            let toml = limits::read_file("CI system", path, limit)?;
            CiSystem::parse(&toml).map_err(|e| e.with("path", path.display()))
        });
        ci::system(name, environment, more.collect::<Result<Vec<_>>>()?)
    }
}
