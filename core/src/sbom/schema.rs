//! The official schemas, compiled once each.

use std::sync::OnceLock;

use jsonschema::{Draft, Registry, Validator};

use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;

/// The licence ids that CycloneDX takes.
pub(super) const LICENSE_IDS: &str = include_str!("schema/spdx.schema.json");
const JSF: &str = include_str!("schema/jsf-0.82.schema.json");
const CRYPTOGRAPHY: &str = include_str!("schema/cryptography-defs.schema.json");

/// The CycloneDX schemas name each other by these; `README.md` beside them says where they come from.
const BASE: &str = "http://cyclonedx.org/schema/";

/// A schema, as it stands and compiled.
pub(super) struct Schema {
    /// What it is of, for errors: `CycloneDX 1.6`.
    pub(super) name: &'static str,
    text: &'static str,
    draft: Draft,
    compiled: OnceLock<Result<(Value, Validator), String>>,
}

macro_rules! schema {
    ($file:literal, $name:literal, $draft:ident) => {
        Schema {
            name: $name,
            text: include_str!(concat!("schema/", $file, ".schema.json")),
            draft: Draft::$draft,
            compiled: OnceLock::new(),
        }
    };
}

static CYCLONEDX_1_4: Schema = schema!("bom-1.4", "CycloneDX 1.4", Draft7);
static CYCLONEDX_1_5: Schema = schema!("bom-1.5", "CycloneDX 1.5", Draft7);
static CYCLONEDX_1_6: Schema = schema!("bom-1.6", "CycloneDX 1.6", Draft7);
static CYCLONEDX_1_7: Schema = schema!("bom-1.7", "CycloneDX 1.7", Draft7);
static SPDX_2_3: Schema = schema!("spdx-2.3", "SPDX 2.3", Draft7);
static SPDX_3_0_1: Schema = schema!("spdx-3.0.1", "SPDX 3.0.1", Draft202012);

/// The schema of a version of CycloneDX, `1.4` to `1.7`.
pub(super) fn cyclonedx(version: &str) -> Option<&'static Schema> {
    Some(match version {
        "1.4" => &CYCLONEDX_1_4,
        "1.5" => &CYCLONEDX_1_5,
        "1.6" => &CYCLONEDX_1_6,
        "1.7" => &CYCLONEDX_1_7,
        _ => return None,
    })
}

/// The schema of a version of SPDX, `2.3` or `3.0.1`.
pub(super) fn spdx(version: &str) -> Option<&'static Schema> {
    match version {
        "2.3" => Some(&SPDX_2_3),
        "3.0.1" => Some(&SPDX_3_0_1),
        _ => None,
    }
}

impl Schema {
    /// The schema as JSON.
    pub(super) fn value(&self) -> Result<&Value> {
        self.compiled().map(|(value, _)| value)
    }

    /// What decides by it.
    pub(super) fn validator(&self) -> Result<&Validator> {
        self.compiled().map(|(_, validator)| validator)
    }

    fn compiled(&self) -> Result<&(Value, Validator)> {
        self.compiled
            .get_or_init(|| self.compile().map_err(|e| e.to_string()))
            .as_ref()
            .map_err(|e| Error::new(ErrorKind::Internal, format!("the schema of {} can't be used: {e}", self.name)))
    }

    fn compile(&self) -> Result<(Value, Validator), Box<dyn std::error::Error>> {
        let mut registry = Registry::new();
        for (name, text) in [("spdx", LICENSE_IDS), ("jsf-0.82", JSF), ("cryptography-defs", CRYPTOGRAPHY)] {
            registry = registry.add(format!("{BASE}{name}.schema.json"), serde_json::from_str::<Value>(text)?)?;
        }
        let registry = registry.prepare()?;
        let schema = serde_json::from_str(self.text)?;
        let options = jsonschema::options().with_draft(self.draft).should_validate_formats(true);
        let validator = options.with_registry(&registry).build(&schema)?;
        Ok((schema, validator))
    }
}
