//! How much of what an SBOM is expected to tell it tells: the NTIA minimum elements of 2021, and what CISA's draft of 2025
//! adds to them.

use serde::Serialize;

use super::document::Document;
use super::summary::ComponentSummary;
use crate::error::Result;

/// Something that an SBOM is expected to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Element {
    /// Who made the SBOM (NTIA "Author of SBOM Data").
    Author,
    /// When it was made (NTIA "Timestamp").
    Timestamp,
    /// What is in or needs what (NTIA "Dependency Relationship").
    Relationships,
    /// Who supplies a component (NTIA "Supplier Name").
    Supplier,
    /// Its name (NTIA "Component Name").
    Name,
    /// Its version (NTIA "Version of the Component").
    Version,
    /// A package url, CPE or another identifier (NTIA "Other Unique Identifiers").
    Identifier,
    /// What made the SBOM (CISA "Tool Name").
    Tool,
    /// When in the life of the product it was made (CISA "Generation Context").
    GenerationContext,
    /// All that is inside, what is needed in turn too (CISA "Coverage"). That some is missing, only the SBOM itself can say.
    Coverage,
    /// A hash of a component (CISA "Component Hash").
    Hash,
    /// Its licence (CISA "License").
    License,
}

/// What an SBOM lacks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Score {
    /// Whether it has all NTIA minimum elements, and a component.
    pub ntia: bool,
    /// Whether it has the elements of CISA's draft as well.
    pub cisa: bool,
    /// Of all that is asked of the document and each component, the share that is there, in percent, rounded down.
    pub percent: u32,
    /// What the document itself lacks.
    pub missing: Vec<Element>,
    /// The components that lack something, and what; the subject first.
    pub components: Vec<Lacking>,
}

/// A component that lacks something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lacking {
    /// Where it stands, as a JSON pointer into [`Document::json`].
    pub path: String,
    /// Its name.
    pub name: String,
    /// What it lacks.
    pub missing: Vec<Element>,
}

const CISA: [Element; 5] =
    [Element::Tool, Element::GenerationContext, Element::Coverage, Element::Hash, Element::License];

/// How much of the minimum elements `document` tells.
///
/// # Errors
/// As [`Document::summary`], but a component may lack its name.
pub fn score(document: &Document) -> Result<Score> {
    let summary = document.lenient_summary()?;
    let mut missing = Vec::new();
    for (element, there) in [
        (Element::Author, summary.authors.iter().any(|a| !a.trim().is_empty())),
        (Element::Timestamp, summary.created.as_ref().is_some_and(|t| !t.trim().is_empty())),
        (Element::Relationships, !summary.edges.is_empty() || document.relates()),
        (Element::Tool, !summary.tools.is_empty()),
        (Element::GenerationContext, !summary.lifecycles.is_empty()),
        (Element::Coverage, summary.incomplete.is_empty()),
    ] {
        if !there {
            missing.push(element);
        }
    }
    let all: Vec<_> = summary.subject.iter().chain(&summary.components).collect();
    let components: Vec<_> = all
        .iter()
        .map(|c| Lacking { path: c.path.clone(), name: c.name.clone(), missing: lacks(c) })
        .filter(|c| !c.missing.is_empty())
        .collect();
    let lacking = || missing.iter().chain(components.iter().flat_map(|c| &c.missing));
    let asked = 6 + 6 * all.len();
    let percent = (asked - lacking().count()) * 100 / asked;
    Ok(Score {
        ntia: !all.is_empty() && lacking().all(|element| CISA.contains(element)),
        cisa: !all.is_empty() && lacking().next().is_none(),
        percent: u32::try_from(percent).unwrap_or(0),
        missing,
        components,
    })
}

fn lacks(component: &ComponentSummary) -> Vec<Element> {
    let told = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.trim().is_empty());
    let identified = told(&component.purl) || told(&component.cpe) || !component.identifiers.is_empty();
    [
        (Element::Supplier, told(&component.supplier)),
        (Element::Name, !component.name.trim().is_empty()),
        (Element::Version, told(&component.version)),
        (Element::Identifier, identified),
        (Element::Hash, !component.hashes.is_empty()),
        (Element::License, !component.licenses.is_empty()),
    ]
    .into_iter()
    .filter(|(_, there)| !there)
    .map(|(element, _)| element)
    .collect()
}
