//! A CI system as data: how it is told from others, and which of its variables say what.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Map;

use super::environment::Environment;
use super::template::Template;
use super::{CiRun, Told, secret};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::limits;
use crate::predicate::Provenance;
use crate::provenance::Source;

const BUILT_IN: [&str; 5] = [
    include_str!("systems/github-actions.toml"),
    include_str!("systems/gitlab-ci.toml"),
    include_str!("systems/jenkins.toml"),
    include_str!("systems/buildkite.toml"),
    include_str!("systems/azure-pipelines.toml"),
];

/// A CI system.
#[derive(Clone, Debug)]
pub struct CiSystem {
    name: String,
    detect: BTreeMap<String, String>,
    build_type: Template,
    builder_id: Template,
    invocation_id: Option<Template>,
    started_on: Option<Template>,
    repository: Template,
    reference: Option<Template>,
    commit: Template,
    external: Tree,
    internal: Tree,
}

/// Templates in the shape of the object they make.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(Template),
    Node(BTreeMap<String, Tree>),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Wire {
    name: String,
    detect: BTreeMap<String, String>,
    build_type: Value,
    builder_id: Value,
    invocation_id: Option<Value>,
    started_on: Option<Value>,
    source: SourceWire,
    #[serde(default)]
    external: Map<String, Value>,
    #[serde(default)]
    internal: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceWire {
    repository: Value,
    #[serde(rename = "ref")]
    reference: Option<Value>,
    commit: Value,
}

impl CiSystem {
    /// Reads a system from TOML, in the shape of `core/src/ci/systems/*.toml`.
    ///
    /// # Errors
    /// `MALFORMED` if it is something else, tells itself by nothing, or names a variable that by its name holds a
    /// secret; `LIMIT_EXCEEDED` if it is too long.
    pub fn parse(toml: &[u8]) -> Result<Self> {
        if toml.len() > limits::CI_SYSTEM_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the CI system has {} bytes, over {}", toml.len(), limits::CI_SYSTEM_BYTES),
            ));
        }
        let text = std::str::from_utf8(toml).map_err(|e| malformed("is not UTF-8").caused_by(e))?;
        let wire: Wire = toml::from_str(text).map_err(|e| malformed(e.message()).caused_by(e))?;
        if wire.name.is_empty() || wire.detect.is_empty() || wire.detect.values().any(String::is_empty) {
            return Err(malformed("has no name, or nothing it is told from others by"));
        }
        let read = |value: Option<&Value>| value.map(Template::read).transpose();
        Ok(Self {
            build_type: Template::read(&wire.build_type)?,
            builder_id: Template::read(&wire.builder_id)?,
            invocation_id: read(wire.invocation_id.as_ref())?,
            started_on: read(wire.started_on.as_ref())?,
            repository: Template::read(&wire.source.repository)?,
            reference: read(wire.source.reference.as_ref())?,
            commit: Template::read(&wire.source.commit)?,
            external: Tree::read(&wire.external, 0)?,
            internal: Tree::read(&wire.internal, 0)?,
            name: wire.name,
            detect: wire.detect,
        })
    }

    /// The systems that are built in: GitHub Actions, GitLab CI, Jenkins, Buildkite and Azure Pipelines.
    ///
    /// # Errors
    /// Never in practice; each is read by a test.
    pub fn built_in() -> Result<Vec<Self>> {
        BUILT_IN.iter().map(|toml| Self::parse(toml.as_bytes())).collect()
    }

    /// Its name, such as `gitlab-ci`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this environment is one of its builds.
    pub fn is_of(&self, environment: &Environment) -> bool {
        self.detect.iter().all(|(name, wanted)| environment.value(name).is_some_and(|v| wanted == "*" || v == wanted))
    }

    /// The variables it reads, each once.
    pub fn variables(&self) -> std::collections::BTreeSet<&str> {
        let optional = [&self.invocation_id, &self.started_on, &self.reference];
        let mut all: Vec<&Template> = vec![&self.build_type, &self.builder_id, &self.repository, &self.commit];
        all.extend(optional.into_iter().flatten());
        self.external.templates(&mut all);
        self.internal.templates(&mut all);
        all.into_iter().flat_map(Template::variables).chain(self.detect.keys().map(String::as_str)).collect()
    }

    /// SLSA provenance v1 of the build whose environment this is.
    ///
    /// # Errors
    /// `NOT_FOUND` if a variable that must be set is not; `MALFORMED` if a value looks like a credential, the commit
    /// is none, or a time is none; `LIMIT_EXCEEDED` for a value that is too long; `API_MISUSE` if a parameter of
    /// `run` is one of the system's.
    pub fn provenance(&self, environment: &Environment, run: &CiRun) -> Result<Provenance> {
        let fill = |template: &Option<Template>| match template {
            Some(template) => template.fill(environment),
            None => Ok(None),
        };
        let started = fill(&self.started_on)?.map(|text| text.parse()).transpose()?;
        let told = Told {
            build_type: self.needed("build type", &self.build_type, environment)?,
            builder_id: self.needed("builder", &self.builder_id, environment)?,
            invocation_id: fill(&self.invocation_id)?,
            started,
            source: self.source(environment, fill(&self.reference)?)?,
            external: self.external.fill(environment)?,
            internal: self.internal.fill(environment)?,
        };
        run.provenance(told, environment)
    }

    fn source(&self, environment: &Environment, reference: Option<String>) -> Result<ResourceDescriptor> {
        let address = self.needed("repository", &self.repository, environment)?;
        let commit = self.needed("commit", &self.commit, environment)?;
        let commit = Digest::from_hex(Algorithm::GitCommit, &commit).map_err(|e| {
            e.while_doing(format_args!("the commit that `{}` names", self.name)).with("system", &self.name)
        })?;
        let repository = Source::new(&address, None).repository;
        let uri = match reference {
            Some(reference) => format!("{repository}@{reference}"),
            None => repository,
        };
        Ok(ResourceDescriptor::of(commit).with_uri(uri))
    }

    fn needed(&self, what: &str, template: &Template, environment: &Environment) -> Result<String> {
        template.fill(environment)?.ok_or_else(|| {
            let missing: Vec<_> = template.variables().filter(|name| environment.value(name).is_none()).collect();
            Error::new(
                ErrorKind::NotFound,
                format!(
                    "the environment of `{}` does not name the {what}: `{}` is not set; run this in a step of the build \
                     that has it",
                    self.name,
                    missing.join("`, `")
                ),
            )
            .with("variable", missing.join(", "))
        })
    }
}

impl Tree {
    fn read(members: &Map<String, Value>, depth: usize) -> Result<Self> {
        if depth > 8 {
            return Err(malformed("nests its parameters too deeply"));
        }
        let one = |(name, value): (&String, &Value)| {
            let tree = match value {
                Value::Object(members) => Self::read(members, depth + 1)?,
                leaf => Self::Leaf(Template::read(leaf)?),
            };
            if secret::is_secret_name(name) {
                return Err(malformed("has a parameter that by its name holds a secret"));
            }
            Ok((name.clone(), tree))
        };
        members.iter().map(one).collect::<Result<_>>().map(Self::Node)
    }

    fn fill(&self, environment: &Environment) -> Result<Map<String, Value>> {
        let Self::Node(members) = self else { return Ok(Map::new()) };
        let mut out = Map::new();
        for (name, tree) in members {
            let value = match tree {
                Self::Leaf(template) => template.fill(environment)?.map(Value::String),
                Self::Node(_) => Some(tree.fill(environment)?).filter(|m| !m.is_empty()).map(Value::Object),
            };
            out.extend(value.map(|value| (name.clone(), value)));
        }
        Ok(out)
    }

    fn templates<'a>(&'a self, all: &mut Vec<&'a Template>) {
        match self {
            Self::Leaf(template) => all.push(template),
            Self::Node(members) => members.values().for_each(|tree| tree.templates(all)),
        }
    }
}

fn malformed(problem: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("the CI system {problem}; write it in the shape of those in `core/src/ci/systems`"),
    )
}
