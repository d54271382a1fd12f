//! The view of an SPDX 3 document.

use std::collections::BTreeMap;

use super::summary::{ComponentSummary, Dataset, Edge, EdgeKind, Summary, list, text, texts};
use crate::error::Result;
use crate::json::Value;

/// The elements of a document, each with its path.
pub(super) fn elements(document: &Value) -> Vec<(String, &Value)> {
    match document.get("@graph").and_then(Value::as_array) {
        Some(graph) => graph.iter().enumerate().map(|(n, e)| (format!("/@graph/{n}"), e)).collect(),
        None => vec![(String::new(), document)],
    }
}

/// What an element is named by.
pub(super) fn id(element: &Value) -> Option<&str> {
    element.get("spdxId").or_else(|| element.get("@id")).and_then(Value::as_str)
}

fn kind(element: &Value) -> &str {
    element.get("type").or_else(|| element.get("@type")).and_then(Value::as_str).unwrap_or_default()
}

/// All that the view has, but for what is the same for all formats.
pub(super) fn summary(document: &Value) -> Result<Summary> {
    let elements = elements(document);
    let by_id: BTreeMap<&str, &Value> = elements.iter().filter_map(|(_, e)| Some((id(e)?, *e))).collect();
    let name_of = |id: &str| by_id.get(id).and_then(|e| e.get("name")?.as_str()).unwrap_or(id).to_owned();
    let mut summary = Summary::default();
    let mut roots = Vec::new();
    for (path, element) in &elements {
        let own_roots = texts(element, "rootElement", path)?;
        match kind(element) {
            "SpdxDocument" => {
                summary.identifier = id(element).map(str::to_owned);
                summary.name = text(element, "name", path)?.map(str::to_owned);
                if let Some(creation) = creation(element, &by_id) {
                    summary.created = text(creation, "created", path)?.map(str::to_owned);
                    summary.authors = texts(creation, "createdBy", path)?.into_iter().map(&name_of).collect();
                    summary.tools = texts(creation, "createdUsing", path)?.into_iter().map(&name_of).collect();
                }
                // a document is about its BOMs, and these about their own roots
                let is_bom = |id: &&&str| by_id.get(**id).is_some_and(|e| matches!(kind(e), "software_Sbom" | "Bom"));
                roots.extend(own_roots.iter().filter(|id| !is_bom(id)).copied());
            }
            "software_Sbom" | "Bom" => {
                roots.extend(own_roots);
                let kinds = texts(element, "software_sbomType", path)?;
                summary.lifecycles.extend(kinds.into_iter().map(str::to_owned));
            }
            _ => {}
        }
    }
    let mut components = Vec::new();
    for (path, element) in &elements {
        if let Some(type_name) = package_type(element) {
            components.push(component(element, type_name, path, &by_id)?);
        }
    }
    relate(&elements, &by_id, &mut components, &mut summary)?;
    roots.sort_unstable();
    roots.dedup();
    for component in components {
        match (&roots[..], component.bom_ref.as_deref()) {
            ([one], Some(own)) if *one == own => summary.subject = Some(component),
            _ => summary.components.push(component),
        }
    }
    Ok(summary)
}

/// Where and when an element was made, which stands in it or in an element of its own.
fn creation<'a>(element: &'a Value, by_id: &BTreeMap<&str, &'a Value>) -> Option<&'a Value> {
    match element.get("creationInfo")? {
        Value::String(id) => by_id.get(&**id).copied(),
        inline => Some(inline),
    }
}

fn package_type(element: &Value) -> Option<&'static str> {
    match kind(element) {
        "software_Package" => Some("library"),
        "ai_AIPackage" => Some("machine-learning-model"),
        "dataset_DatasetPackage" => Some("data"),
        _ => None,
    }
}

fn component(element: &Value, type_name: &str, path: &str, by_id: &BTreeMap<&str, &Value>) -> Result<ComponentSummary> {
    let field = |key: &str| text(element, key, path).map(|t| t.map(str::to_owned));
    let purpose = field("software_primaryPurpose")?;
    let mut component = ComponentSummary {
        path: path.to_owned(),
        kind: Some(if type_name == "library" { purpose.unwrap_or(type_name.to_owned()) } else { type_name.to_owned() }),
        bom_ref: id(element).map(str::to_owned),
        name: field("name")?.unwrap_or_default(),
        version: field("software_packageVersion")?,
        purl: field("software_packageUrl")?,
        copyright: field("software_copyrightText")?.filter(|text| text != "NOASSERTION"),
        ..ComponentSummary::default()
    };
    if let Some(supplier) = text(element, "suppliedBy", path)? {
        let name = by_id.get(supplier).and_then(|e| e.get("name")?.as_str());
        component.supplier = Some(name.unwrap_or(supplier).to_owned());
    }
    for (n, reference) in list(element, "externalIdentifier", path)?.iter().enumerate() {
        let path = format!("{path}/externalIdentifier/{n}");
        let Some(identifier) = text(reference, "identifier", &path)? else { continue };
        match text(reference, "externalIdentifierType", &path)?.unwrap_or_default() {
            "packageUrl" => component.purl = component.purl.or_else(|| Some(identifier.to_owned())),
            "cpe22" | "cpe23" => component.cpe = component.cpe.or_else(|| Some(identifier.to_owned())),
            "swid" | "swhid" | "gitoid" => component.identifiers.push(identifier.to_owned()),
            _ => {}
        }
    }
    for (n, method) in list(element, "verifiedUsing", path)?.iter().enumerate() {
        let path = format!("{path}/verifiedUsing/{n}");
        let method = method.as_str().and_then(|id| by_id.get(id).copied()).unwrap_or(method);
        if let (Some(algorithm), Some(value)) = (text(method, "algorithm", &path)?, text(method, "hashValue", &path)?) {
            component.hashes.push((cyclonedx_algorithm(algorithm), value.to_owned()));
        }
    }
    Ok(component)
}

/// What relationships say: edges and where some are missing, scopes, licences and data of models.
fn relate(
    elements: &[(String, &Value)],
    by_id: &BTreeMap<&str, &Value>,
    components: &mut [ComponentSummary],
    summary: &mut Summary,
) -> Result<()> {
    let places: BTreeMap<String, usize> =
        components.iter().enumerate().filter_map(|(n, c)| Some((c.bom_ref.clone()?, n))).collect();
    let mut declared: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (path, element) in elements {
        if !matches!(kind(element), "Relationship" | "LifecycleScopedRelationship") {
            continue;
        }
        let from = text(element, "from", path)?.unwrap_or_default();
        let component = places.get(from).copied();
        let own = component.and_then(|n| components.get_mut(n));
        let type_name = text(element, "relationshipType", path)?.unwrap_or_default();
        for to in texts(element, "to", path)? {
            let mut edge = |kind| summary.edges.push(Edge { from: from.to_owned(), to: to.to_owned(), kind });
            match (type_name, &component) {
                ("dependsOn" | "hasDynamicLink" | "hasStaticLink" | "hasPrerequisite", _) => edge(EdgeKind::DependsOn),
                ("hasOptionalDependency" | "hasOptionalComponent", _) => edge(EdgeKind::DependsOn),
                ("contains", _) => edge(EdgeKind::Contains),
                _ => {}
            }
        }
        let tells_all = !matches!(text(element, "completeness", path)?, Some("incomplete" | "noAssertion"));
        if !tells_all && matches!(type_name, "dependsOn" | "contains") {
            summary.incomplete.insert(from.to_owned());
        }
        let Some(own) = own else { continue };
        for to in texts(element, "to", path)? {
            match type_name {
                "hasConcludedLicense" => own.licenses.extend(license(to, by_id)),
                "hasDeclaredLicense" => {
                    declared.entry(component.unwrap_or_default()).or_default().extend(license(to, by_id));
                }
                "trainedOn" | "testedOn" => {
                    own.datasets.push(Dataset { name: None, bom_ref: Some(to.to_owned()), hashes: Vec::new() });
                }
                _ => {}
            }
        }
    }
    for (place, licenses) in declared {
        if let Some(component) = components.get_mut(place).filter(|c| c.licenses.is_empty()) {
            component.licenses = licenses;
        }
    }
    Ok(())
}

/// The expression, id or name of a licence element.
fn license(id: &str, by_id: &BTreeMap<&str, &Value>) -> Option<String> {
    if let Some(element) = by_id.get(id) {
        let keys = ["simplelicensing_licenseExpression", "name"];
        return keys.iter().find_map(|key| element.get(*key)?.as_str()).map(str::to_owned);
    }
    let name = id.rsplit(['/', '_']).next().unwrap_or(id);
    (name != "NoAssertionLicense" && name != "NoneLicense").then(|| name.to_owned())
}

/// The CycloneDX name of an SPDX 3 algorithm.
fn cyclonedx_algorithm(name: &str) -> String {
    match name {
        "sha1" => "SHA-1".to_owned(),
        "sha256" => "SHA-256".to_owned(),
        "sha384" => "SHA-384".to_owned(),
        "sha512" => "SHA-512".to_owned(),
        "sha3_256" => "SHA3-256".to_owned(),
        "sha3_384" => "SHA3-384".to_owned(),
        "sha3_512" => "SHA3-512".to_owned(),
        "md5" => "MD5".to_owned(),
        other => other.to_owned(),
    }
}
