//! The part of CycloneDX 1.6 that this library writes.

use std::collections::BTreeSet;

use serde::Serialize;

use super::license::LicenseChoice;
use crate::error::Result;
use crate::json;
use crate::timestamp::Timestamp;

/// A software bill of materials, CycloneDX 1.6.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Sbom {
    /// Always `CycloneDX`.
    pub bom_format: &'static str,
    /// Always `1.6`.
    pub spec_version: &'static str,
    /// Always 1: a changed BOM is another document.
    pub version: u32,
    /// What the BOM is about, and how it was made.
    pub metadata: Metadata,
    /// The packages, sorted by `bom-ref`.
    pub components: Vec<Component>,
    /// What each package needs, one row for each `bom-ref`, sorted.
    pub dependencies: Vec<Dependency>,
    /// What of the rest may not be all there is; empty if the lock files tell everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compositions: Vec<Composition>,
}

impl Sbom {
    /// The BOM as canonical JSON (RFC 8785): the same BOM always gives the same bytes.
    ///
    /// # Errors
    /// `INTERNAL` if it can't be written, which would be a fault of this library.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        json::canonical("SBOM", self)
    }
}

/// What a BOM is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Metadata {
    /// When it was made, if the caller says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// What made it.
    pub tools: Tools,
    /// The product that the packages go into.
    pub component: Component,
    /// `sealwright:incomplete` for each file that does not tell everything, with what it does not tell;
    /// `sealwright:excluded` for each that was left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
}

/// The tools that made a BOM.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tools {
    /// This library.
    pub components: Vec<Component>,
}

/// A package, or the product itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Component {
    /// `application`, `library`, or of an image `container` and `operating-system`.
    #[serde(rename = "type")]
    pub kind: ComponentKind,
    /// What edges name it by; the purl, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bom_ref: Option<String>,
    /// The npm scope, the group of Maven, the vendor of Composer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its name, without the group.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it is needed at run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Hashes of its archive, or of each of the files that it is published as, as the lock file has them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub hashes: BTreeSet<Hash>,
    /// Its licences as declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<LicenseChoice>,
    /// Its package url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// `sealwright:lockfile` for each lock file that has it; `sealwright:relationship`, `direct` or `transitive`, where a lock
    /// file tells it; `sealwright:go-sum`, the `h1` that `go.sum` has for a module, which is the hash of no archive.
    /// Of a package of an image `sealwright:layer` and `sealwright:path`, where it was found, `sealwright:source-package`, what
    /// it was built from, and `sealwright:python-record`, whether an installer listed its files; of the image
    /// `sealwright:platform` and `sealwright:reference`, what names it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
}

/// How much of some parts a BOM tells (CycloneDX 1.6, `compositions`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Composition {
    /// How much it is.
    pub aggregate: Aggregate,
    /// The `bom-ref`s of components of which the parts are meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assemblies: Vec<String>,
    /// The `bom-ref`s of components of which the needs are meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
}

/// The completeness of relationships (CycloneDX 1.6, `aggregateType`), as far as it is in use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Aggregate {
    /// There are more.
    Incomplete,
    /// Those of our own components are told, and no others.
    IncompleteFirstPartyOnly,
    /// There may be more.
    Unknown,
}

/// The CycloneDX component types in use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ComponentKind {
    /// The product, and the tool that made the BOM.
    Application,
    /// A package.
    Library,
    /// The product, if it is an image.
    Container,
    /// The distribution that an image is of.
    OperatingSystem,
}

/// Whether a component is needed at run time (CycloneDX 1.6, `component.scope`), the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Scope {
    /// Needed at run time, or the lock file does not tell.
    Required,
    /// May be missing at run time: npm `optional` and `devOptional`, extras of Python.
    Optional,
    /// For tests and other purposes beside run time: npm `dev`, dependency groups of Python.
    Excluded,
}

/// A hash of a component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Hash {
    /// The algorithm by its CycloneDX name, such as `SHA-256`.
    pub alg: &'static str,
    /// Lower-case hex.
    pub content: String,
}

/// A name and a value beside what CycloneDX has fields for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Property {
    /// The name.
    pub name: &'static str,
    /// The value.
    pub value: String,
}

/// What one component needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Dependency {
    /// The `bom-ref` of the component.
    #[serde(rename = "ref")]
    pub component: String,
    /// The `bom-ref`s of what it needs, sorted; empty if nothing.
    pub depends_on: BTreeSet<String>,
}
