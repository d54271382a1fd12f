//! The view of a CycloneDX document.

use super::summary::{ComponentSummary, Dataset, Edge, EdgeKind, Summary, list, text, texts};
use crate::error::Result;
use crate::json::Value;

/// All that the view has, but for what is the same for all formats.
pub(super) fn summary(bom: &Value) -> Result<Summary> {
    let mut summary = Summary { identifier: owned(text(bom, "serialNumber", "")?), ..Summary::default() };
    let none = Value::Null;
    let metadata = bom.get("metadata").unwrap_or(&none);
    summary.created = owned(text(metadata, "timestamp", "/metadata")?);
    for (n, author) in list(metadata, "authors", "/metadata")?.iter().enumerate() {
        let path = format!("/metadata/authors/{n}");
        let name = text(author, "name", &path)?.or(text(author, "email", &path)?);
        summary.authors.extend(owned(name));
    }
    for key in ["manufacturer", "manufacture", "supplier"] {
        if let Some(organisation) = metadata.get(key) {
            summary.authors.extend(owned(text(organisation, "name", &format!("/metadata/{key}"))?));
        }
    }
    summary.tools = tools(metadata)?;
    for (n, lifecycle) in list(metadata, "lifecycles", "/metadata")?.iter().enumerate() {
        let path = format!("/metadata/lifecycles/{n}");
        summary.lifecycles.extend(owned(text(lifecycle, "phase", &path)?.or(text(lifecycle, "name", &path)?)));
    }
    let mut components = Vec::new();
    if let Some(subject) = metadata.get("component").filter(|c| !c.is_null()) {
        let path = "/metadata/component";
        summary.subject = Some(component(subject, path)?);
        nested(subject, path, &mut components)?;
    }
    nested(bom, "", &mut components)?;
    summary.components = components;
    summary.edges = edges(bom)?;
    for (n, row) in list(bom, "compositions", "")?.iter().enumerate() {
        let path = format!("/compositions/{n}");
        if let None | Some("complete" | "not_specified") = text(row, "aggregate", &path)? {
            continue;
        }
        let (assemblies, needs) = (texts(row, "assemblies", &path)?, texts(row, "dependencies", &path)?);
        if assemblies.is_empty() && needs.is_empty() && texts(row, "vulnerabilities", &path)?.is_empty() {
            summary.incomplete.extend(summary.subject.as_ref().and_then(|subject| subject.bom_ref.clone()));
        }
        summary.incomplete.extend(assemblies.into_iter().chain(needs).map(str::to_owned));
    }
    Ok(summary)
}

/// The components below `holder`, and those below them.
fn nested(holder: &Value, path: &str, found: &mut Vec<ComponentSummary>) -> Result<()> {
    for (n, inner) in list(holder, "components", path)?.iter().enumerate() {
        let path = format!("{path}/components/{n}");
        found.push(component(inner, &path)?);
        // as deep as JSON is nested, which is bounded
        nested(inner, &path, found)?;
    }
    Ok(())
}

fn component(component: &Value, path: &str) -> Result<ComponentSummary> {
    let field = |key: &str| text(component, key, path).map(owned);
    let mut identifiers = Vec::new();
    for key in ["omniborId", "swhid"] {
        identifiers.extend(texts(component, key, path)?.into_iter().map(str::to_owned));
    }
    if let Some(swid) = component.get("swid") {
        identifiers.extend(owned(text(swid, "tagId", &format!("{path}/swid"))?));
    }
    Ok(ComponentSummary {
        kind: field("type")?,
        bom_ref: field("bom-ref")?,
        group: field("group")?,
        name: field("name")?.unwrap_or_default(),
        version: field("version")?,
        supplier: supplier(component, path)?,
        purl: field("purl")?,
        cpe: field("cpe")?,
        identifiers,
        scope: field("scope")?,
        licenses: licenses(component, path)?,
        copyright: field("copyright")?,
        hashes: hashes(component, path)?,
        datasets: datasets(component, path)?,
        path: path.to_owned(),
    })
}

/// The first of those that CycloneDX has for who supplies a component.
fn supplier(component: &Value, path: &str) -> Result<Option<String>> {
    for key in ["supplier", "manufacturer"] {
        if let Some(organisation) = component.get(key)
            && let Some(name) = text(organisation, "name", &format!("{path}/{key}"))?
        {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(owned(text(component, "publisher", path)?))
}

fn licenses(component: &Value, path: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (n, choice) in list(component, "licenses", path)?.iter().enumerate() {
        let path = format!("{path}/licenses/{n}");
        found.extend(owned(text(choice, "expression", &path)?));
        if let Some(license) = choice.get("license") {
            found.extend(owned(text(license, "id", &path)?.or(text(license, "name", &path)?)));
        }
    }
    Ok(found)
}

fn hashes(component: &Value, path: &str) -> Result<Vec<(String, String)>> {
    let hashes = list(component, "hashes", path)?.iter().enumerate();
    hashes
        .map(|(n, hash)| {
            let path = format!("{path}/hashes/{n}");
            let part = |key: &str| text(hash, key, &path).map(|t| t.unwrap_or_default().to_owned());
            Ok((part("alg")?, part("content")?))
        })
        .collect()
}

fn datasets(component: &Value, path: &str) -> Result<Vec<Dataset>> {
    let Some(parameters) = component.pointer("/modelCard/modelParameters") else { return Ok(Vec::new()) };
    let path = format!("{path}/modelCard/modelParameters");
    let sets = list(parameters, "datasets", &path)?.iter().enumerate();
    sets.map(|(n, set)| {
        let path = format!("{path}/datasets/{n}");
        let bom_ref = owned(text(set, "ref", &path)?.or(text(set, "bom-ref", &path)?));
        Ok(Dataset { name: owned(text(set, "name", &path)?), bom_ref, hashes: Vec::new() })
    })
    .collect()
}

fn tools(metadata: &Value) -> Result<Vec<String>> {
    let versioned = |tool: &Value, path: &str| -> Result<Option<String>> {
        let (name, version) = (text(tool, "name", path)?, text(tool, "version", path)?);
        Ok(name.map(|name| version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))))
    };
    let mut found = Vec::new();
    match metadata.get("tools") {
        // as it was before 1.5, and may be still
        Some(Value::Array(tools)) => {
            for (n, tool) in tools.iter().enumerate() {
                found.extend(versioned(tool, &format!("/metadata/tools/{n}"))?);
            }
        }
        Some(tools) => {
            for key in ["components", "services"] {
                for (n, tool) in list(tools, key, "/metadata/tools")?.iter().enumerate() {
                    found.extend(versioned(tool, &format!("/metadata/tools/{key}/{n}"))?);
                }
            }
        }
        None => {}
    }
    Ok(found)
}

fn edges(bom: &Value) -> Result<Vec<Edge>> {
    let mut edges = Vec::new();
    for (n, row) in list(bom, "dependencies", "")?.iter().enumerate() {
        let path = format!("/dependencies/{n}");
        let Some(from) = text(row, "ref", &path)? else { continue };
        for (key, kind) in [("dependsOn", EdgeKind::DependsOn), ("provides", EdgeKind::Provides)] {
            for to in texts(row, key, &path)? {
                edges.push(Edge { from: from.to_owned(), to: to.to_owned(), kind });
            }
        }
    }
    Ok(edges)
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}
