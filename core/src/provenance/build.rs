//! One view of a build, whichever version of SLSA provenance tells of it.

use serde::Serialize;
use serde_json::{Map, json};

use super::parameter;
use super::source::Source;
use crate::artifact::ResourceDescriptor;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::predicate::{Builder, Predicate, Provenance, ProvenanceV01, ProvenanceV02};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// The version of SLSA provenance a build was told in.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ProvenanceVersion {
    /// `https://slsa.dev/provenance/v1`.
    #[serde(rename = "v1")]
    V1,
    /// `https://slsa.dev/provenance/v0.2`.
    #[serde(rename = "v0.2")]
    V02,
    /// `https://slsa.dev/provenance/v0.1`.
    #[serde(rename = "v0.1")]
    V01,
}

/// A build, as its provenance tells of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Build {
    /// The version of SLSA provenance that tells of it.
    pub version: ProvenanceVersion,
    /// The platform that ran it.
    pub builder_id: String,
    /// What the platform itself depends on, such as the image of its machines.
    pub builder_dependencies: Vec<ResourceDescriptor>,
    /// Template of the build, a URI.
    pub build_type: String,
    /// Where the source came from, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Parameters from outside: of v1 as they are; of v0.2 `configSource`, `parameters` and `buildConfig`; of v0.1
    /// `entryPoint` and `arguments`.
    pub external_parameters: Map<String, Value>,
    /// Parameters of the platform.
    pub internal_parameters: Map<String, Value>,
    /// What was fetched, as far as known.
    pub dependencies: Vec<ResourceDescriptor>,
    /// The run, as the platform names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
    /// Start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_on: Option<Timestamp>,
    /// End.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<Timestamp>,
}

impl Build {
    /// The build a statement tells of: SLSA provenance v1 (also under its alias `v1.0`), v0.2 or v0.1.
    ///
    /// # Errors
    /// `WRONG_TYPE` if it is no provenance, `MALFORMED` if it breaks the rules of its version, or names two commits of
    /// one source.
    pub fn of(statement: &Statement) -> Result<Self> {
        match statement.predicate()? {
            Predicate::Provenance(p) => Self::of_v1(*p),
            Predicate::ProvenanceV02(p) => Self::of_v02(*p),
            Predicate::ProvenanceV01(p) => Self::of_v01(*p),
            _ => Err(Error::new(
                ErrorKind::WrongType,
                format!(
                    "expected SLSA provenance v1, v0.2 or v0.1, found a `{}`; give the provenance of the artifact",
                    statement.predicate_type().escape_debug()
                ),
            )
            .with("expected", <Provenance as crate::predicate::PredicateType>::TYPE)
            .with("found", statement.predicate_type())),
        }
    }

    fn of_v1(p: Provenance) -> Result<Self> {
        let (definition, run) = (p.build_definition, p.run_details);
        let metadata = run.metadata.unwrap_or_default();
        let declared = declared(&definition.external_parameters);
        Ok(Self {
            version: ProvenanceVersion::V1,
            builder_id: run.builder.id,
            builder_dependencies: run.builder.builder_dependencies,
            build_type: definition.build_type,
            source: source(declared, &definition.resolved_dependencies)?,
            external_parameters: definition.external_parameters,
            internal_parameters: definition.internal_parameters,
            dependencies: definition.resolved_dependencies,
            invocation_id: metadata.invocation_id,
            started_on: metadata.started_on,
            finished_on: metadata.finished_on,
        })
    }

    fn of_v02(p: ProvenanceV02) -> Result<Self> {
        let config = p.invocation.config_source;
        let declared = config.uri.as_deref().map(|uri| Source::new(uri, config.digest.as_ref()));
        let mut external = Map::new();
        external.insert("configSource".to_owned(), json!(config));
        external.extend(p.invocation.parameters.map(|v| ("parameters".to_owned(), v)));
        external.extend(p.build_config.map(|v| ("buildConfig".to_owned(), v)));
        let source = source(declared, &p.materials)?;
        Ok(Self {
            version: ProvenanceVersion::V02,
            build_type: p.build_type,
            source,
            external_parameters: external,
            internal_parameters: p.invocation.environment,
            dependencies: p.materials,
            invocation_id: p.metadata.build_invocation_id,
            started_on: p.metadata.build_started_on,
            finished_on: p.metadata.build_finished_on,
            ..Self::by(p.builder)
        })
    }

    fn of_v01(p: ProvenanceV01) -> Result<Self> {
        let recipe = p.recipe;
        let declared = recipe.defined_in_material.and_then(|i| p.materials.get(i)).and_then(Source::of);
        let mut external = Map::new();
        external.extend(recipe.entry_point.map(|v| ("entryPoint".to_owned(), v.into())));
        external.extend(recipe.arguments.map(|v| ("arguments".to_owned(), v)));
        let source = source(declared, &p.materials)?;
        let internal_parameters = match recipe.environment {
            Some(Value::Object(members)) => members,
            Some(other) => Map::from_iter([("environment".to_owned(), other)]),
            None => Map::new(),
        };
        Ok(Self {
            version: ProvenanceVersion::V01,
            build_type: recipe.build_type,
            source,
            external_parameters: external,
            internal_parameters,
            dependencies: p.materials,
            invocation_id: p.metadata.build_invocation_id,
            started_on: p.metadata.build_started_on,
            finished_on: p.metadata.build_finished_on,
            ..Self::by(p.builder)
        })
    }

    /// Nothing but its builder.
    fn by(builder: Builder) -> Self {
        Self {
            version: ProvenanceVersion::V1,
            builder_id: builder.id,
            builder_dependencies: builder.builder_dependencies,
            build_type: String::new(),
            source: None,
            external_parameters: Map::new(),
            internal_parameters: Map::new(),
            dependencies: Vec::new(),
            invocation_id: None,
            started_on: None,
            finished_on: None,
        }
    }

    /// The inputs a person gave to a workflow that was started by hand, where this builder writes them.
    pub fn workflow_inputs(&self) -> Option<&Map<String, Value>> {
        [
            (&self.external_parameters, &["inputs"][..]),
            (&self.external_parameters, &["workflow", "inputs"]),
            (&self.external_parameters, &["parameters", "event_inputs"]),
            (&self.internal_parameters, &["github_event_payload", "inputs"]),
            (&self.internal_parameters, &["GITHUB_EVENT_PAYLOAD", "inputs"]),
        ]
        .into_iter()
        .find_map(|(map, path)| at(map, path)?.as_object())
    }

    /// The external parameter of this name or JSON pointer (RFC 6901).
    pub fn parameter(&self, name: &str) -> Option<&Value> {
        parameter::find(&self.external_parameters, name)
    }

    /// The event that started the build, where this builder writes it, such as `push`.
    pub fn trigger(&self) -> Option<&str> {
        [&["github", "event_name"][..], &["github_event_name"], &["GITHUB_EVENT_NAME"]]
            .into_iter()
            .find_map(|path| at(&self.internal_parameters, path)?.as_str())
    }

    /// Whose machine it ran on, where this builder writes it, such as `github-hosted`.
    pub fn runner_environment(&self) -> Option<&str> {
        at(&self.internal_parameters, &["github", "runner_environment"])?.as_str()
    }
}

fn at<'a>(map: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(map.get(*first)?, |value, step| value.get(step))
}

/// The source that external parameters of v1 name: `source` as a URI or a resource, or `workflow` with a repository.
fn declared(external: &Map<String, Value>) -> Option<Source> {
    match external.get("source") {
        Some(Value::String(uri)) => return Some(Source::new(uri, None)),
        Some(Value::Object(resource)) => {
            let digest = resource.get("digest").and_then(|d| serde_json::from_value(d.clone()).ok());
            return resource.get("uri").and_then(Value::as_str).map(|uri| Source::new(uri, digest.as_ref()));
        }
        _ => {}
    }
    let workflow = external.get("workflow")?;
    let mut source = Source::new(workflow.get("repository")?.as_str()?, None);
    source.reference = workflow.get("ref").and_then(Value::as_str).filter(|r| !r.is_empty()).map(str::to_owned);
    Some(source)
}

/// The source: what was declared, completed by the dependency that is the same repository; else the first dependency
/// with a commit.
fn source(declared: Option<Source>, dependencies: &[ResourceDescriptor]) -> Result<Option<Source>> {
    let mut fetched = dependencies.iter().filter_map(Source::of);
    let Some(mut source) = declared else { return Ok(fetched.find(|d| d.commit.is_some())) };
    // one repository may be fetched at several refs; the declared one is meant
    let meant = |d: &Source| {
        d.repository == source.repository
            && (d.reference.is_none() || source.reference.is_none() || d.reference == source.reference)
    };
    if let Some(dependency) = fetched.find(meant) {
        let known = (source.commit.clone(), dependency.commit.clone());
        match known {
            (Some(said), Some(was)) if said != was => {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    format!(
                        "the provenance names the commits `{said}` and `{was}` for one source `{}`; \
                         it contradicts itself, get it again from its builder",
                        source.repository.escape_debug()
                    ),
                ));
            }
            (None, was) => source.commit = was,
            _ => {}
        }
        if source.reference.is_none() {
            source.reference = dependency.reference;
        }
    }
    Ok(Some(source))
}
