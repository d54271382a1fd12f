//! Software bills of materials: made from lock files and images, read, validated, converted, compared and asked.
//!
//! [`generate_image`] reads container images, without running or unpacking them.
//!
//! [`generate`] reads what package managers wrote down, and the manifests beside it:
//!
//! - Rust: `Cargo.lock` (versions 1 to 4)
//! - JavaScript: `package-lock.json` and `npm-shrinkwrap.json` (versions 1 to 3), `pnpm-lock.yaml` (versions 5, 6 and 9),
//!   `yarn.lock` (version 1, and 4 to 10 of `__metadata`), `bun.lock` (versions 0 and 1)
//! - Python: `uv.lock` (version 1), `poetry.lock` (1.0 to 2.1), `pdm.lock` (2 to 4), `Pipfile.lock` (specification 6),
//!   `pylock.toml` and `pylock.*.toml` (version 1), and requirements files in which each requirement is pinned
//! - Go: `go.mod` and `go.sum`
//! - Java and Kotlin: `gradle.lockfile` and those of build scripts; `pom.xml`, which is none (model 4.0.0)
//! - Ruby: `Gemfile.lock` and `gems.locked`
//! - PHP: `composer.lock`
//! - .NET: `packages.lock.json` (versions 1 to 3)
//! - Swift: `Package.resolved` (versions 1 to 3)
//! - Elixir: `mix.lock`
//!
//! It asks no network and runs no tool, and the same tree gives the same bytes. What it can't read whole it refuses:
//! half an inventory looks like a whole one. Where a file by its nature does not tell everything, the SBOM says so
//! ([`Composition`]).
//!
//! A [`Document`] is an SBOM as somebody wrote it: CycloneDX 1.4 to 1.7 as JSON or XML, SPDX 2.3 as JSON or tag-value,
//! SPDX 3.0 as JSON-LD. Its bytes are kept; [`Document::summary`] is one view of all of them. [`validate`] holds it
//! against the official schema and against what a schema can't say.

mod advisory;
mod convert;
mod cyclonedx_rules;
mod cyclonedx_view;
mod cyclonedx_xml;
mod diff;
mod document;
mod graph;
mod image;
mod license;
mod license_policy;
mod lock;
mod merge;
mod model;
mod purl;
mod query;
mod schema;
mod score;
mod spdx3_rules;
mod spdx3_view;
mod spdx_rules;
mod spdx_view;
mod summary;
mod tag_value;
mod to_cyclonedx;
mod to_spdx;
mod tree;
mod validation;
mod version;
mod vex;
mod xml;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::timestamp::Timestamp;

pub use advisory::{Advisory, Vulnerable};
pub use convert::{Conversion, Loss, Target, convert};
pub use diff::{Change, Difference, diff};
pub use document::{Document, Format};
pub use image::{ImageOptions, generate_image};
pub use license::{License, LicenseChoice};
pub use license_policy::{LicenseFault, LicensePolicy};
pub use merge::{Merge, MergeLoss, MergeOptions, merge};
pub use model::{
    Aggregate, Component, ComponentKind, Composition, Dependency, Hash, Metadata, Property, Sbom, Scope, Tools,
};
pub use query::{Query, QueryResult};
pub use score::{Element, Lacking, Score, score};
pub(crate) use summary::read_statement;
pub use summary::{ComponentSummary, Dataset, Edge, EdgeKind, Summary, read};
pub use validation::{Finding, Rule, validate};
pub use version::VersionRange;
pub(crate) use vex::{OPENVEX_CONTEXTS, OPENVEX_JUSTIFICATIONS};
pub use vex::{Vex, VexStatement, VexStatus};

/// What [`generate`] is told beside the tree.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct GenerateOptions {
    /// Name of the product, a local package or a name of its own. Else the root manifest names it.
    pub name: Option<String>,
    /// Version of the product, else that of its manifest.
    pub version: Option<String>,
    /// Package url of the product, else made from its manifest.
    pub purl: Option<String>,
    /// `bom-ref` of the product, else its package url, else `name@version`.
    pub bom_ref: Option<String>,
    /// `metadata.timestamp`. Without it, the same tree gives the same bytes at any time.
    pub timestamp: Option<Timestamp>,
    /// Cargo's home, where the sources of crates are unpacked, to read their licences from. Without it, crates from
    /// registries have no licence in the BOM.
    pub cargo_home: Option<PathBuf>,
    /// Lock files that do not count, and folders of such, by their paths below the root with `/` between parts. The SBOM
    /// names them in `sealwright:excluded`.
    pub exclude: Vec<String>,
}

/// Makes one BOM of all lock files in the tree below `root`.
///
/// Folders named `target` or `node_modules`, hidden folders and links are left out. Packages that several lock files
/// have become one component, and their edges are united. A development dependency has the scope `excluded`, an
/// optional one `optional`, any other `required` (CycloneDX 1.6, `component.scope`: excluded components "document
/// component usage for test and other non-runtime purposes"). `Cargo.lock`, `go.mod`, requirements files, `Gemfile.lock`,
/// `packages.lock.json`, `Package.resolved` and `mix.lock` do not tell which are which, so their packages are all
/// `required`. What Gradle has only to compile with, and what Maven calls `provided`, is `optional`: at run time the
/// environment brings it, or nobody. Of pnpm's and Yarn's packages it is the strongest scope of the ways that lead to them;
/// for a `yarn.lock` the `package.json` beside it says where these begin.
///
/// Some do not tell what needs what, such as `gradle.lockfile`, `go.mod` and `Pipfile.lock`, and a `pom.xml` names direct
/// dependencies alone. Then `compositions` say which parts may have more needs, and a property `sealwright:incomplete` says
/// why.
///
/// ```
/// use sealwright::sbom::{GenerateOptions, generate};
/// # let dir = tempfile::tempdir().map_err(|e| sealwright::Error::io("make", "".as_ref(), e))?;
/// # std::fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"app\"\nversion = \"1.0.0\"\n").unwrap();
/// # let lock = "version = 4\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n";
/// # std::fs::write(dir.path().join("Cargo.lock"), lock).unwrap();
/// let sbom = generate(dir.path(), &GenerateOptions::default())?;
/// assert_eq!(sbom.metadata.component.purl.as_deref(), Some("pkg:cargo/app@1.0.0"));
/// # Ok::<(), sealwright::Error>(())
/// ```
///
/// # Errors
/// `NOT_FOUND` if there is no lock file; `MALFORMED` for one that is cut, edited, in a merge conflict, needs a package
/// it does not hold, or asks for a package in no one version; `UNSUPPORTED` for an unknown version of one, and for a
/// `pom.xml` that leaves to poms outside of the tree, or to the command line, what it needs; `DIGEST_MISMATCH` if two of
/// them give a
/// package different hashes; `LIMIT_EXCEEDED` for too many files or bytes; `API_MISUSE` if the product has no name, or what is to be left out is no
/// lock file;
/// `IO` and its kin if a file can't be read.
pub fn generate(root: &Path, options: &GenerateOptions) -> Result<Sbom> {
    let (found, excluded) = tree::without(tree::lock_files(root)?, &options.exclude)?;
    if found.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "found no lock file below `{}`; expected one of {}, so lock the dependencies and commit that file",
                root.display(),
                lock::names()
            ),
        ));
    }
    let mut graph = graph::Graph::default();
    let mut products = BTreeSet::new();
    let mut at_root = None;
    let mut left = limits::DOCUMENT_BYTES;
    for file in &found {
        let text = file.read(left)?;
        left = left.saturating_sub(text.len() as u64);
        let product = graph.add((file.format.read)(file, &text, options)?, file.format.coverage)?;
        products.extend(product);
        if file.is_at_root() {
            at_root = at_root.or(product);
        }
    }
    let only = if products.len() == 1 { products.first().copied() } else { None };
    let place = match &options.name {
        Some(name) => graph.local(name),
        None => at_root.or(only),
    };
    let product = product(&graph, place, options)?;
    let product_ref = product.bom_ref.clone().unwrap_or_default();
    let (components, dependencies) = graph.write(&product_ref, place)?;
    let (compositions, mut properties) = graph.unknowns(&product_ref, place);
    properties.extend(excluded.into_iter().map(|value| Property { name: "sealwright:excluded", value }));
    Ok(Sbom {
        bom_format: "CycloneDX",
        spec_version: "1.6",
        version: 1,
        metadata: Metadata {
            timestamp: options.timestamp,
            tools: Tools {
                components: vec![plain("sealwright".to_owned(), Some(env!("CARGO_PKG_VERSION").to_owned()))],
            },
            component: product,
            properties,
        },
        components,
        dependencies,
        compositions,
    })
}

fn product(graph: &graph::Graph, place: Option<usize>, options: &GenerateOptions) -> Result<Component> {
    let mut product = match (place.and_then(|p| graph.product(p)), &options.name) {
        (Some(product), _) => product,
        (None, Some(name)) => plain(name.clone(), None),
        (None, None) => {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "no manifest in the root names the product; give its name, and its version",
            ));
        }
    };
    if let Some(version) = &options.version {
        product.purl = product.purl.map(|purl| purl::with_version(&purl, version)).transpose()?;
        product.bom_ref.clone_from(&product.purl);
        product.version = Some(version.clone());
    }
    if let Some(purl) = &options.purl {
        purl::check(purl)?;
        product.purl = Some(purl.clone());
        product.bom_ref = Some(purl.clone());
    }
    if options.bom_ref.is_some() {
        product.bom_ref.clone_from(&options.bom_ref);
    }
    product.bom_ref.get_or_insert_with(|| match &product.version {
        Some(version) => format!("{}@{version}", product.name),
        None => product.name.clone(),
    });
    Ok(product)
}

fn plain(name: String, version: Option<String>) -> Component {
    Component {
        kind: ComponentKind::Application,
        bom_ref: None,
        group: None,
        name,
        version,
        scope: None,
        hashes: BTreeSet::new(),
        licenses: Vec::new(),
        purl: None,
        properties: Vec::new(),
    }
}
