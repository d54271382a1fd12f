//! The view of an SPDX 2 document.

use std::collections::{BTreeMap, BTreeSet};

use super::summary::{ComponentSummary, Edge, EdgeKind, Summary, list, text, texts};
use crate::error::Result;
use crate::json::Value;

/// The id that stands for the document itself.
pub(super) const DOCUMENT: &str = "SPDXRef-DOCUMENT";

/// All that the view has, but for what is the same for all formats.
pub(super) fn summary(document: &Value) -> Result<Summary> {
    let mut summary = Summary {
        name: text(document, "name", "")?.map(str::to_owned),
        identifier: text(document, "documentNamespace", "")?.map(str::to_owned),
        ..Summary::default()
    };
    if let Some(creation) = document.get("creationInfo") {
        summary.created = text(creation, "created", "/creationInfo")?.map(str::to_owned);
        for creator in texts(creation, "creators", "/creationInfo")? {
            match creator.split_once(':') {
                Some(("Tool", name)) => summary.tools.push(name.trim().to_owned()),
                Some(("Person" | "Organization", name)) if asserted(Some(name.trim())).is_some() => {
                    summary.authors.push(name.trim().to_owned());
                }
                _ => {}
            }
        }
    }
    let described = described(document)?;
    let Edges { edges, scopes, incomplete } = edges(document)?;
    summary.incomplete = incomplete;
    let packages = list(document, "packages", "")?;
    for (n, package) in packages.iter().enumerate() {
        let mut component = component(package, &format!("/packages/{n}"))?;
        component.scope = component.bom_ref.as_deref().and_then(|r| scopes.get(r)).map(|scope| (*scope).to_owned());
        match (&described[..], &component.bom_ref) {
            // of several, none alone is what the document is about
            ([one], Some(own)) if one == own => summary.subject = Some(component),
            _ => summary.components.push(component),
        }
    }
    summary.edges = edges;
    Ok(summary)
}

/// The packages that the document says it is about, each once.
pub(super) fn described(document: &Value) -> Result<Vec<String>> {
    let mut found: Vec<String> = texts(document, "documentDescribes", "")?.into_iter().map(str::to_owned).collect();
    for (n, row) in list(document, "relationships", "")?.iter().enumerate() {
        let path = format!("/relationships/{n}");
        let end = |key: &str| text(row, key, &path).map(Option::unwrap_or_default);
        let (from, to) = (end("spdxElementId")?, end("relatedSpdxElement")?);
        match end("relationshipType")? {
            "DESCRIBES" if from == DOCUMENT => found.push(to.to_owned()),
            "DESCRIBED_BY" if to == DOCUMENT => found.push(from.to_owned()),
            _ => {}
        }
    }
    let packages = list(document, "packages", "")?.iter().filter_map(|p| p.get("SPDXID")?.as_str());
    let packages: BTreeSet<_> = packages.collect();
    found.retain(|id| packages.contains(&**id));
    found.sort();
    found.dedup();
    Ok(found)
}

struct Edges {
    edges: Vec<Edge>,
    /// Scopes of what is needed only in part.
    scopes: BTreeMap<String, &'static str>,
    /// What needs or holds things that are not told.
    incomplete: BTreeSet<String>,
}

fn edges(document: &Value) -> Result<Edges> {
    let mut edges = Vec::new();
    let mut incomplete = BTreeSet::new();
    let mut scopes: BTreeMap<String, &'static str> = BTreeMap::new();
    for (n, row) in list(document, "relationships", "")?.iter().enumerate() {
        let path = format!("/relationships/{n}");
        let end = |key: &str| text(row, key, &path).map(Option::unwrap_or_default);
        let (from, to) = (end("spdxElementId")?, end("relatedSpdxElement")?);
        let kind = end("relationshipType")?;
        let (needs, needed, edge) = match kind {
            "DEPENDS_ON" | "HAS_PREREQUISITE" | "STATIC_LINK" | "DYNAMIC_LINK" => (from, to, EdgeKind::DependsOn),
            "DEPENDENCY_OF"
            | "PREREQUISITE_FOR"
            | "RUNTIME_DEPENDENCY_OF"
            | "PROVIDED_DEPENDENCY_OF"
            | "BUILD_DEPENDENCY_OF"
            | "DEV_DEPENDENCY_OF"
            | "TEST_DEPENDENCY_OF"
            | "OPTIONAL_DEPENDENCY_OF" => (to, from, EdgeKind::DependsOn),
            "CONTAINS" => (from, to, EdgeKind::Contains),
            "CONTAINED_BY" => (to, from, EdgeKind::Contains),
            _ => continue,
        };
        if [needs, needed].iter().any(|end| matches!(*end, "NONE" | "NOASSERTION" | "")) {
            if needed == "NOASSERTION" {
                incomplete.insert(needs.to_owned());
            }
            continue;
        }
        let scope = match kind {
            "BUILD_DEPENDENCY_OF" | "DEV_DEPENDENCY_OF" | "TEST_DEPENDENCY_OF" => "excluded",
            "OPTIONAL_DEPENDENCY_OF" => "optional",
            _ => "required",
        };
        if edge == EdgeKind::DependsOn {
            // the strongest of several counts, and that is also the last in the alphabet
            let known = scopes.entry(needed.to_owned()).or_insert(scope);
            *known = (*known).max(scope);
        }
        edges.push(Edge { from: needs.to_owned(), to: needed.to_owned(), kind: edge });
    }
    scopes.retain(|_, scope| *scope != "required");
    Ok(Edges { edges, scopes, incomplete })
}

fn component(package: &Value, path: &str) -> Result<ComponentSummary> {
    let field = |key: &str| text(package, key, path).map(|t| t.map(str::to_owned));
    let mut component = ComponentSummary {
        path: path.to_owned(),
        kind: field("primaryPackagePurpose")?.map(|purpose| purpose.to_ascii_lowercase().replace('_', "-")),
        bom_ref: field("SPDXID")?,
        name: field("name")?.unwrap_or_default(),
        version: field("versionInfo")?,
        supplier: asserted(text(package, "supplier", path)?).map(|s| person(s).to_owned()),
        copyright: asserted(text(package, "copyrightText", path)?).map(str::to_owned),
        ..ComponentSummary::default()
    };
    let concluded = asserted(text(package, "licenseConcluded", path)?);
    let license = concluded.or(asserted(text(package, "licenseDeclared", path)?));
    component.licenses.extend(license.map(str::to_owned));
    for (n, sum) in list(package, "checksums", path)?.iter().enumerate() {
        let path = format!("{path}/checksums/{n}");
        let part = |key: &str| text(sum, key, &path).map(|t| t.unwrap_or_default().to_owned());
        component.hashes.push((cyclonedx_algorithm(&part("algorithm")?), part("checksumValue")?));
    }
    for (n, reference) in list(package, "externalRefs", path)?.iter().enumerate() {
        let path = format!("{path}/externalRefs/{n}");
        let Some(locator) = text(reference, "referenceLocator", &path)? else { continue };
        match text(reference, "referenceType", &path)?.unwrap_or_default() {
            "purl" => component.purl = component.purl.or_else(|| Some(locator.to_owned())),
            "cpe23Type" | "cpe22Type" => component.cpe = component.cpe.or_else(|| Some(locator.to_owned())),
            "swh" | "gitoid" | "swid" => component.identifiers.push(locator.to_owned()),
            _ => {}
        }
    }
    Ok(component)
}

/// What is neither left open nor empty.
pub(super) fn asserted(text: Option<&str>) -> Option<&str> {
    text.filter(|t| !matches!(*t, "" | "NOASSERTION"))
}

/// The name in `Organization: name (mail)`.
pub(super) fn person(text: &str) -> &str {
    let name = text.split_once(':').filter(|(kind, _)| matches!(*kind, "Person" | "Organization" | "Tool"));
    name.map_or(text, |(_, name)| name).trim()
}

/// The CycloneDX name of an SPDX algorithm.
pub(super) fn cyclonedx_algorithm(name: &str) -> String {
    match name {
        "SHA1" => "SHA-1".to_owned(),
        "SHA256" => "SHA-256".to_owned(),
        "SHA384" => "SHA-384".to_owned(),
        "SHA512" => "SHA-512".to_owned(),
        other => other.to_owned(),
    }
}
