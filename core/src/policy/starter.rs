//! The starter bundle: the first one for a ledger on one machine, part of this library.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::bundle::{Check, Document, LeftOut, Profile};
use crate::error::Result;
use crate::json::{self, Value};

/// The checks it carries.
const CARRIED: &[&str] = &[
    "EV-SIG-001",
    "EV-SIG-002",
    "EV-LOG-001",
    "EV-ART-001",
    "EV-PROV-001",
    "EV-PROV-002",
    "EV-PROV-003",
    "EV-SBOM-001",
    "EV-TEST-001",
    "EV-TEST-002",
    "EV-SRC-001",
    "EV-SRC-002",
    "EV-CHG-001",
    "EV-APPR-001",
    "EV-APPR-002",
    "EV-APPR-003",
    "EV-PROM-001",
    "EV-PROM-002",
    "EV-DEP-001",
    "EV-POL-001",
    "EV-POL-002",
];

/// Tables the core and the rules read; the others belong to checks that are left out.
const TABLES: &[&str] = &[
    "schemaVersion",
    "vocabulary",
    "evidence",
    "otherGates",
    "approvals",
    "duties",
    "tiers",
    "releaseKinds",
    "permit",
];

/// Parts of carried checks that the table of profiles does not name, because they need records it has no reader for.
const PARTS: &[(&str, &str, &str)] = &[
    (
        "EV-APPR-002",
        "S4, S6, the week of S5, and S7 for the key of the ledger",
        "no exceptions, no emergency path and no history of rules yet; the ledger proves its own key",
    ),
    ("EV-CHG-001", "commits before the one that was built", "no walk over the history since the last release yet"),
    ("EV-SRC-002", "replay records", "no replay of a merge yet; the reviewed tree has to be the one built"),
];

const CHECKS: &str = include_str!("starter/checks.json");
const DEFAULT_TABLES: &str = include_str!("starter/tables.json");
const MODULES: &[(&str, &str)] = &[
    ("approvals.rego", include_str!("starter/approvals.rego")),
    ("artifact.rego", include_str!("starter/artifact.rego")),
    ("duties.rego", include_str!("starter/duties.rego")),
    ("ledger.rego", include_str!("starter/ledger.rego")),
    ("promotion.rego", include_str!("starter/promotion.rego")),
    ("source.rego", include_str!("starter/source.rego")),
    ("tests.rego", include_str!("starter/tests.rego")),
    ("verdict.rego", include_str!("starter/verdict.rego")),
];

#[derive(Deserialize)]
struct DefaultChecks {
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Named {
    check: String,
    part: String,
    why: String,
}

/// The bytes of the starter bundle, to be signed and then given to [`PolicyBundle::parse`](super::PolicyBundle::parse).
///
/// It is for a first ledger on one machine with one operator. Its profile names each default check, and each part of
/// one, that it does not ask, and why (policy section 8.2). The same version of this library gives the same bytes.
///
/// # Errors
/// `MALFORMED` only if the library itself was built from broken data.
pub fn starter_bundle() -> Result<Vec<u8>> {
    let DefaultChecks { checks } = json::parse("default checks", CHECKS.as_bytes())?;
    let mut tables: BTreeMap<String, Value> = json::parse("default tables", DEFAULT_TABLES.as_bytes())?;
    let starter = tables.get("profiles").and_then(|profiles| profiles.pointer("/starter/leavesOut"));
    let named: Vec<Named> = starter.and_then(|list| Vec::deserialize(list).ok()).unwrap_or_default();
    let leaves_out = leaves_out(&checks, &named);
    tables.retain(|name, _| TABLES.contains(&name.as_str()));
    if let Some(Value::Array(rows)) = tables.get_mut("evidence") {
        rows.retain(|row| row.get("check").and_then(Value::as_str).is_some_and(|id| CARRIED.contains(&id)));
    }
    let document = Document {
        name: "sealwright-starter".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        profile: Profile { name: "starter".to_owned(), single_operator: true, leaves_out },
        checks: checks.into_iter().filter(|check| CARRIED.contains(&check.id.as_str())).collect(),
        tables: serde_json::to_value(tables).unwrap_or_default(),
        modules: MODULES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
    };
    json::canonical("starter bundle", &document)
}

/// Everything the default policy has and this bundle has not.
fn leaves_out(checks: &[Check], named: &[Named]) -> Vec<LeftOut> {
    let mut left_out = Vec::new();
    for check in checks.iter().filter(|check| !CARRIED.contains(&check.id.as_str())) {
        let why = named.iter().find(|entry| entry.check == check.id).map(|entry| entry.why.as_str());
        left_out.push(LeftOut {
            check: check.id.clone(),
            part: "all".to_owned(),
            why: why.unwrap_or("this starter bundle does not carry it yet").to_owned(),
        });
    }
    let carried: BTreeSet<&str> = CARRIED.iter().copied().collect();
    let parts = named.iter().map(|entry| (entry.check.as_str(), entry.part.as_str(), entry.why.as_str()));
    for (check, part, why) in parts.chain(PARTS.iter().copied()).filter(|(check, ..)| carried.contains(check)) {
        left_out.push(LeftOut { check: check.to_owned(), part: part.to_owned(), why: why.to_owned() });
    }
    left_out
}
