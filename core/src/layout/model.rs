//! Layouts and links as they are signed (in-toto specification v1.0 sections 4.3 and 4.4), read strictly.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::key::{KeyWire, LayoutKey};
use super::metadata::Metadata;
use super::parameter::Parameters;
use super::rule::{Artifacts, Performed, Rule};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::limits;
use crate::timestamp::Timestamp;

/// A layout whose owners signed it.
pub(super) struct Layout {
    pub(super) expires: Timestamp,
    pub(super) steps: Vec<Step>,
}

pub(super) struct Step {
    pub(super) name: String,
    /// The functionaries, in the order of the layout.
    pub(super) keys: Vec<LayoutKey>,
    pub(super) threshold: usize,
    pub(super) command: Vec<String>,
    pub(super) materials: Vec<Rule>,
    pub(super) products: Vec<Rule>,
}

/// A link whose functionary signed it.
pub(super) struct Link {
    pub(super) name: String,
    pub(super) command: Vec<String>,
    pub(super) performed: Performed,
}

/// Read by itself before the rest, which an inspection makes void.
#[derive(Deserialize)]
struct InspectionsWire {
    inspect: Vec<Value>,
}

#[derive(Deserialize)]
struct LayoutWire {
    expires: Timestamp,
    keys: BTreeMap<String, KeyWire>,
    steps: Vec<StepWire>,
}

#[derive(Deserialize)]
struct StepWire {
    #[serde(rename = "_type")]
    kind: String,
    name: String,
    pubkeys: Vec<String>,
    threshold: u32,
    #[serde(default)]
    expected_command: Vec<String>,
    expected_materials: Vec<Vec<String>>,
    expected_products: Vec<Vec<String>>,
}

#[derive(Deserialize)]
struct LinkWire {
    #[serde(rename = "_type")]
    kind: String,
    name: String,
    #[serde(default)]
    command: Vec<String>,
    materials: Artifacts,
    products: Artifacts,
}

impl Layout {
    /// Reads a verified layout.
    ///
    /// # Errors
    /// `INSPECTION_REFUSED` before anything else of it is looked at, if it has an inspection.
    pub(super) fn of(what: &str, metadata: &Metadata, parameters: &Parameters<'_>) -> Result<Self> {
        if metadata.kind(what)? != "layout" {
            return Err(malformed(format!("{what} is not of type `layout`")));
        }
        let inspections: InspectionsWire = metadata.content(what)?;
        if let Some(inspection) = inspections.inspect.first() {
            let name = inspection.get("name").and_then(Value::as_str).unwrap_or("without a name");
            return Err(Error::new(
                ErrorKind::InspectionRefused,
                format!(
                    "{what} asks to run a command here, by its inspection `{name}`, and no command is ever run; make a \
                     step of it that a functionary signs, or verify with a tool that runs inspections"
                ),
            )
            .with("inspection", name));
        }
        Self::read(what, metadata.content(what)?, parameters)
    }

    fn read(what: &str, wire: LayoutWire, parameters: &Parameters<'_>) -> Result<Self> {
        if wire.steps.is_empty() {
            return Err(malformed(format!("{what} has no step, so that nothing would be verified")));
        }
        if wire.steps.len() > limits::LAYOUT_STEPS || wire.keys.len() > limits::LAYOUT_STEPS {
            return Err(over(what, "steps or keys", limits::LAYOUT_STEPS));
        }
        let mut keys = BTreeMap::new();
        for (id, key) in &wire.keys {
            keys.insert(id.as_str(), LayoutKey::listed(id, key).map_err(|e| e.while_doing(what))?);
        }
        let mut names = BTreeSet::new();
        let mut steps = Vec::new();
        for step in wire.steps {
            if !names.insert(step.name.clone()) {
                return Err(malformed(format!("{what} has two steps called `{}`", step.name)));
            }
            steps.push(Step::read(step, &keys, parameters).map_err(|e| e.while_doing(what))?);
        }
        Ok(Self { expires: wire.expires, steps })
    }
}

impl Step {
    fn read(wire: StepWire, keys: &BTreeMap<&str, LayoutKey>, parameters: &Parameters<'_>) -> Result<Self> {
        let StepWire { kind, name, pubkeys, threshold, .. } = wire;
        // the name is part of a path
        if kind != "step" || name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            return Err(malformed(format!("`{name}` is no name of a step, or not of type `step`")));
        }
        let threshold = usize::try_from(threshold).unwrap_or(usize::MAX);
        if threshold == 0 {
            return Err(malformed(format!("the step `{name}` has a threshold of 0, which demands nothing")));
        }
        let mut authorised: Vec<LayoutKey> = Vec::new();
        for id in pubkeys {
            let key = keys.get(id.as_str()).ok_or_else(|| {
                malformed(format!("the step `{name}` names the key `{id}`, which the layout does not list"))
            })?;
            if !authorised.iter().any(|other| other.key_id() == key.key_id()) {
                authorised.push(key.clone());
            }
        }
        let rules = |rules: Vec<Vec<String>>| -> Result<Vec<Rule>> {
            if rules.len() > limits::LAYOUT_RULES {
                return Err(over(&format!("the step `{name}`"), "rules", limits::LAYOUT_RULES));
            }
            rules.iter().map(|words| Rule::parse(&parameters.fill_all(words)?)).collect()
        };
        let within = |e: Error| e.while_doing(format_args!("step `{name}`"));
        let materials = rules(wire.expected_materials).map_err(within)?;
        let products = rules(wire.expected_products).map_err(within)?;
        let command = parameters.fill_all(&wire.expected_command).map_err(within)?;
        Ok(Self { keys: authorised, threshold, command, materials, products, name })
    }
}

impl Link {
    /// Reads a verified link.
    pub(super) fn of(what: &str, metadata: &Metadata) -> Result<Self> {
        let wire: LinkWire = metadata.content(what)?;
        if wire.kind != "link" {
            return Err(malformed(format!("{what} is of type `{}`, expected `link` or `layout`", wire.kind)));
        }
        for artifacts in [&wire.materials, &wire.products] {
            if artifacts.len() > limits::LAYOUT_ARTIFACTS {
                return Err(over(what, "artifacts", limits::LAYOUT_ARTIFACTS));
            }
            if let Some((path, _)) = artifacts.iter().find(|(p, d)| d.is_empty() || p.len() > limits::LAYOUT_PATH_BYTES)
            {
                return Err(malformed(format!("{what} names `{path}` without a digest, or by too long a path")));
            }
        }
        let performed = Performed { materials: wire.materials, products: wire.products };
        Ok(Self { name: wire.name, command: wire.command, performed })
    }
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Malformed, message)
}

fn over(what: &str, of: &str, limit: usize) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("{what} has more than {limit} {of}; split it")).with("limit", limit)
}
