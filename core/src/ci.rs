//! Provenance from what a CI system says of a build in its environment.
//!
//! A system is data ([`CiSystem`]): how it is told from others, which variables say what, and nothing else. Only the
//! variables that this data names are read. Five systems are built in, others are added by a file of the same shape.
//! The library reads no environment; whoever calls it gives one.
//!
//! What a build says of itself is a claim of that build. It is worth what its signer is: a key that the build's own
//! steps can reach makes provenance of SLSA build level 1.
//!
//! ```
//! use sealwright::ci::{CiRun, Environment, detect};
//! let environment = Environment::from_iter([
//!     ("BUILDKITE", "true"),
//!     ("BUILDKITE_ORGANIZATION_SLUG", "acme"),
//!     ("BUILDKITE_PIPELINE_SLUG", "shop"),
//!     ("BUILDKITE_REPO", "git@github.com:acme/shop.git"),
//!     ("BUILDKITE_COMMIT", "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d"),
//! ]);
//! let system = detect(&environment)?.ok_or_else(|| sealwright::Error::new(sealwright::ErrorKind::NotFound, "no CI"))?;
//! let provenance = system.provenance(&environment, &CiRun::finished("2026-11-21T09:30:00Z".parse()?))?;
//! assert_eq!(provenance.run_details.builder.id, "https://buildkite.com/acme/shop");
//! # Ok::<(), sealwright::Error>(())
//! ```

mod environment;
mod secret;
mod system;
mod template;

use serde::Deserialize;
use serde_json::Map;

use crate::artifact::ResourceDescriptor;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::predicate::{BuildDefinition, BuildMetadata, Builder, PredicateType, Provenance, RunDetails, is_uri};
use crate::timestamp::Timestamp;

pub use environment::Environment;
pub use system::CiSystem;

/// Build type of what was built on a machine that is no CI system.
pub const PLAIN_MACHINE: &str = "https://sealwright.dev/buildtypes/plain-machine/v1";

/// What the environment does not say of a run, by builder calls or as data ([`CiRun::from_json`]).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CiRun {
    /// When it started, if the system does not say.
    pub started: Option<Timestamp>,
    /// When it was done.
    pub finished: Timestamp,
    /// External parameters beside those of the system, such as the inputs of a workflow.
    pub parameters: Map<String, Value>,
    /// What was fetched beside the source.
    pub dependencies: Vec<ResourceDescriptor>,
}

impl CiRun {
    /// A run that was done at `finished`.
    pub fn finished(finished: Timestamp) -> Self {
        Self { started: None, finished, parameters: Map::new(), dependencies: Vec::new() }
    }

    /// Reads a run from JSON: `started`, `finished`, `parameters` and `dependencies` (ResourceDescriptors), each of which
    /// may be left out; it was done `now` if it does not say when.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known.
    pub fn from_json(bytes: &[u8], now: Timestamp) -> Result<Self> {
        let wire: RunWire = json::parse("CI run", bytes)?;
        Ok(Self {
            started: wire.started,
            finished: wire.finished.unwrap_or(now),
            parameters: wire.parameters,
            dependencies: wire.dependencies,
        })
    }

    /// It started at `started`.
    #[must_use]
    pub fn started(mut self, started: Timestamp) -> Self {
        self.started = Some(started);
        self
    }

    /// It was given this external parameter.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// It fetched this.
    #[must_use]
    pub fn with_dependency(mut self, dependency: ResourceDescriptor) -> Self {
        self.dependencies.push(dependency);
        self
    }

    /// The provenance of this run, once nothing in it looks like a credential.
    fn provenance(&self, mut told: Told, environment: &Environment) -> Result<Provenance> {
        if !is_uri(&told.builder_id) || !is_uri(&told.build_type) {
            return Err(Error::new(
                ErrorKind::Malformed,
                "the builder id or the build type is no URI with its scheme; correct the variables or the call",
            ));
        }
        for (name, value) in &self.parameters {
            if told.external.insert(name.clone(), value.clone()).is_some() {
                return Err(Error::new(
                    ErrorKind::ApiMisuse,
                    format!("the parameter `{}` is set by the system; give yours another name", name.escape_debug()),
                ));
            }
        }
        let started_on = told.started.or(self.started);
        if started_on.is_some_and(|started| started > self.finished) {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("the build is said to have ended at `{}`, before it started; check the clock", self.finished),
            ));
        }
        let mut dependencies = vec![told.source];
        dependencies.extend(self.dependencies.iter().cloned());
        let provenance = Provenance {
            build_definition: BuildDefinition {
                build_type: told.build_type,
                external_parameters: told.external,
                internal_parameters: told.internal,
                resolved_dependencies: dependencies,
            },
            run_details: RunDetails {
                builder: Builder {
                    id: told.builder_id,
                    builder_dependencies: Vec::new(),
                    version: std::collections::BTreeMap::new(),
                },
                metadata: Some(BuildMetadata {
                    invocation_id: told.invocation_id,
                    started_on,
                    finished_on: Some(self.finished),
                }),
                byproducts: Vec::new(),
            },
        };
        provenance.validate()?;
        secret::refuse_in(&provenance, environment)?;
        Ok(provenance)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RunWire {
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    parameters: Map<String, Value>,
    dependencies: Vec<ResourceDescriptor>,
}

/// What a system, or the owner of a machine, tells of a build.
struct Told {
    build_type: String,
    builder_id: String,
    invocation_id: Option<String>,
    started: Option<Timestamp>,
    source: ResourceDescriptor,
    external: Map<String, Value>,
    internal: Map<String, Value>,
}

/// The built-in system that this environment is of, if any.
///
/// # Errors
/// `API_MISUSE` if it looks like several, as where one system starts another.
pub fn detect(environment: &Environment) -> Result<Option<CiSystem>> {
    detect_among(environment, CiSystem::built_in()?)
}

/// The system of `systems` that this environment is of, if any.
///
/// # Errors
/// As [`detect`].
pub fn detect_among(
    environment: &Environment,
    systems: impl IntoIterator<Item = CiSystem>,
) -> Result<Option<CiSystem>> {
    let mut found: Vec<_> = systems.into_iter().filter(|system| system.is_of(environment)).collect();
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(CiSystem::name).collect();
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            format!("the environment looks like `{}`; say which of them runs the build", names.join("`, `")),
        ));
    }
    Ok(found.pop())
}

/// The system called `name` among the built-in ones and `more`, or, if it is `auto`, the one that this environment is of.
///
/// # Errors
/// `NOT_FOUND` if there is none; as [`detect`].
pub fn system(name: &str, environment: &Environment, more: impl IntoIterator<Item = CiSystem>) -> Result<CiSystem> {
    let mut systems = CiSystem::built_in()?;
    systems.extend(more);
    let names: Vec<_> = systems.iter().map(|s| s.name().to_owned()).collect();
    let found = match name {
        "auto" => detect_among(environment, systems)?,
        _ => systems.into_iter().find(|system| system.name() == name),
    };
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!(
                "`{}` finds no CI system here; run it in a build of {}, or name a plain machine (`--ci plain`) and its \
                 builder",
                name.escape_debug(),
                names.join(", ")
            ),
        )
    })
}

/// Provenance of a build on a machine that is no CI system, in the words of its owner: who it is, and the source, which
/// has a URI and a digest.
///
/// # Errors
/// `MALFORMED` if the builder is no URI, the source has no URI or no digest, or something looks like a credential.
pub fn plain_machine(builder_id: &str, source: ResourceDescriptor, run: &CiRun) -> Result<Provenance> {
    let Some(uri) = source.uri.clone().filter(|_| source.digest.is_some()) else {
        return Err(Error::new(
            ErrorKind::Malformed,
            "the source has no URI or no digest; name the repository and the commit that was built",
        ));
    };
    let told = Told {
        build_type: PLAIN_MACHINE.to_owned(),
        builder_id: builder_id.to_owned(),
        invocation_id: None,
        started: None,
        source,
        external: Map::from_iter([("source".to_owned(), Value::String(uri))]),
        internal: Map::new(),
    };
    run.provenance(told, &Environment::default())
}
