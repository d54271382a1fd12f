//! What the SPDX 3 schema can't say.

use std::collections::{BTreeMap, HashSet};

use super::spdx3_view::{elements, id};
use super::validation::{Findings, Rule, cycle, hash_fault, license_fault, purl_fault};
use crate::json::Value;

/// Keys that hold references to elements.
const REFERRING: [&str; 12] = [
    "createdBy",
    "createdUsing",
    "creationInfo",
    "element",
    "from",
    "originatedBy",
    "rootElement",
    "subject",
    "suppliedBy",
    "to",
    "verifiedUsing",
    "snippetFromFile",
];

/// Looks at a document.
pub(super) fn check(document: &Value, findings: &mut Findings) {
    let elements = elements(document);
    let mut known: HashSet<&str> = HashSet::new();
    for (path, element) in &elements {
        if let Some(id) = id(element)
            && !known.insert(id)
        {
            findings.tell(Rule::UniqueRef, path, format_args!("the id `{}` stands twice", id.escape_debug()));
        }
        // what the document imports from others
        for import in items(element, "import").iter().chain(items(element, "imports")) {
            known.extend(import.get("externalSpdxId").and_then(Value::as_str));
        }
    }
    let mut parts: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (path, element) in &elements {
        for key in REFERRING {
            let ends = element.get(key).into_iter();
            for end in ends.flat_map(|v| v.as_array().map_or(std::slice::from_ref(v), Vec::as_slice)) {
                let Some(end) = end.as_str() else { continue };
                // elements that SPDX itself defines, and licences of its list
                if !known.contains(end) && !end.starts_with("https://spdx.org/") && !end.starts_with("http://spdx.org/")
                {
                    let message = format_args!("`{}` is no element of this document, nor imported", end.escape_debug());
                    findings.tell(Rule::KnownRef, &format!("{path}/{key}"), message);
                }
            }
        }
        let text = |key: &str| element.get(key).and_then(Value::as_str);
        if let Some(purl) = text("software_packageUrl") {
            findings.fault(Rule::Purl, &format!("{path}/software_packageUrl"), purl_fault(purl));
        }
        if let Some(expression) = text("simplelicensing_licenseExpression") {
            let fault = license_fault(expression).filter(|_| !matches!(expression, "NONE" | "NOASSERTION"));
            findings.fault(Rule::License, &format!("{path}/simplelicensing_licenseExpression"), fault);
        }
        for (n, method) in items(element, "verifiedUsing").iter().enumerate() {
            let part = |key: &str| method.get(key).and_then(Value::as_str);
            if let (Some(algorithm), Some(value)) = (part("algorithm"), part("hashValue")) {
                let path = format!("{path}/verifiedUsing/{n}/hashValue");
                findings.fault(Rule::HashLength, &path, hash_fault(algorithm, value));
            }
        }
        for (n, reference) in items(element, "externalIdentifier").iter().enumerate() {
            if reference.get("externalIdentifierType").is_some_and(|t| t == "packageUrl")
                && let Some(purl) = reference.get("identifier").and_then(Value::as_str)
            {
                findings.fault(Rule::Purl, &format!("{path}/externalIdentifier/{n}/identifier"), purl_fault(purl));
            }
        }
        if let (Some(kind @ ("contains" | "ancestorOf" | "generates")), Some(from)) =
            (text("relationshipType"), text("from"))
        {
            let ends = items(element, "to").iter().filter_map(Value::as_str);
            parts.entry(kind).or_default().extend(ends.map(|to| (from, to)));
        }
    }
    for (kind, edges) in parts {
        if let Some(id) = cycle(&edges) {
            findings.tell(Rule::Cycle, "/@graph", format_args!("`{}` leads to itself by `{kind}`", id.escape_debug()));
        }
    }
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
