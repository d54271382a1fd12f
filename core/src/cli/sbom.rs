//! `sbom`: software bills of materials.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::answer::{Answer, to_json};
use super::output::write_file;
use super::sbom_use::{Convert, Diff, Find, Licenses, MergeAll, Said, ScoreOf, open};
use super::text::{Page, harmless};
use crate::digest::Digest;
use crate::error::Result;
use crate::json;
use crate::sbom::{Document, GenerateOptions, ImageOptions, Sbom, generate, generate_image, read};
use crate::timestamp::Timestamp;

#[derive(Subcommand)]
pub(crate) enum SbomCommand {
    /// Make a CycloneDX 1.6 SBOM of the lock files in a folder.
    Generate {
        /// The folder.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Where it goes [default: stdout].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Time it is given; without, the same folder gives the same bytes.
        #[arg(long, value_name = "TIME")]
        timestamp: Option<Timestamp>,
        /// Name of the product [default: that of the root manifest].
        #[arg(long)]
        name: Option<String>,
        /// Version of the product.
        #[arg(long)]
        product_version: Option<String>,
        /// Package URL of the product.
        #[arg(long)]
        purl: Option<String>,
        /// Cargo's home, to read licences of crates from.
        #[arg(long, value_name = "DIR")]
        cargo_home: Option<PathBuf>,
        /// A lock file that does not count, or a folder of such.
        #[arg(long, value_name = "PATH")]
        exclude: Vec<String>,
    },
    /// Make a CycloneDX 1.6 SBOM of a container image: an OCI image layout or what `docker save` wrote, nothing is run.
    Image {
        /// The layout, as a folder or tarball, or the archive.
        path: PathBuf,
        /// Where it goes [default: stdout].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Time it is given; without, the same image gives the same bytes.
        #[arg(long, value_name = "TIME")]
        timestamp: Option<Timestamp>,
        /// Digest of the image, if there are several, or of an index that lists it.
        #[arg(long)]
        digest: Option<Digest>,
        /// Its tag, or all of its reference.
        #[arg(long)]
        tag: Option<String>,
        /// What it runs on, as `linux/amd64`.
        #[arg(long)]
        platform: Option<String>,
        /// Name of the product [default: that of its reference].
        #[arg(long)]
        name: Option<String>,
        /// Version of the product [default: its digest].
        #[arg(long)]
        product_version: Option<String>,
        /// Package URL of the product.
        #[arg(long)]
        purl: Option<String>,
    },
    /// Hold an SBOM against the schema of its format, and more.
    Validate {
        /// The SBOM: CycloneDX 1.4 to 1.7 or SPDX 2.3 or 3.0.1.
        file: PathBuf,
    },
    /// Convert an SBOM, and tell what could not be carried over.
    Convert(Convert),
    /// Tell what changed from one SBOM to another.
    Diff(Diff),
    /// Tell which of the minimum elements an SBOM lacks.
    Score(ScoreOf),
    /// Find components by package URL, name, version or licence.
    Query(Find),
    /// Hold the licences of components against a list.
    Licenses(Licenses),
    /// Tell what VEX documents say of a vulnerability of a product.
    Vex(Said),
    /// Make one SBOM of several.
    Merge(MergeAll),
}

impl SbomCommand {
    pub(crate) fn run(self) -> Result<Answer> {
        match self {
            Self::Generate { dir, out, timestamp, name, product_version, purl, cargo_home, exclude } => {
                let mut options = GenerateOptions::default();
                (options.timestamp, options.name, options.version) = (timestamp, name, product_version);
                (options.purl, options.cargo_home, options.exclude) = (purl, cargo_home, exclude);
                written(&generate(&dir, &options)?, out.as_deref())
            }
            Self::Image { path, out, timestamp, digest, tag, platform, name, product_version, purl } => {
                let mut options = ImageOptions::default();
                (options.digest, options.tag, options.platform) = (digest, tag, platform);
                (options.name, options.version, options.purl) = (name, product_version, purl);
                options.timestamp = timestamp;
                written(&generate_image(&path, &options)?, out.as_deref())
            }
            Self::Validate { file } => {
                let document = Document::parse(&open(&file)?)?;
                let (format, version) = (document.format().name(), document.version());
                let findings = document.validate()?;
                let mut page = Page::default();
                if findings.is_empty() {
                    page.line(format!("valid {format} {version}"));
                }
                for finding in &findings {
                    let place = finding.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
                    let path = if finding.path.is_empty() { "the document" } else { &finding.path };
                    page.wrapped("", "  ", &format!("{path}{place}: {}", finding.message));
                }
                let value = json!({ "valid": findings.is_empty(), "format": format, "version": version,
                    "findings": to_json(&findings)? });
                Ok(Answer::new(page.finish(), value).unless(!findings.is_empty()))
            }
            Self::Convert(convert) => convert.run(),
            Self::Diff(diff) => diff.run(),
            Self::Score(score) => score.run(),
            Self::Query(find) => find.run(),
            Self::Licenses(licenses) => licenses.run(),
            Self::Vex(said) => said.run(),
            Self::Merge(merge) => merge.run(),
        }
    }
}

/// The BOM as the answer, or written to a file.
fn written(bom: &Sbom, out: Option<&Path>) -> Result<Answer> {
    let bytes = bom.to_json()?;
    let Some(out) = out else {
        let value = json::parse("SBOM", &bytes)?;
        return Ok(Answer::document(bytes, value));
    };
    write_file(out, &bytes)?;
    let listed = read(&bytes)?;
    let mut page = Page::default();
    page.line(format!("{} components, in {}", listed.component_count, out.display()));
    let untold = bom.metadata.properties.iter().filter(|property| property.name == "sealwright:incomplete");
    let untold: Vec<_> = untold.map(|property| &property.value).collect();
    for file in &untold {
        page.wrapped("", "  ", &harmless(&format!("not whole: {file}")));
    }
    let value = json!({ "out": out.display().to_string(), "components": listed.component_count, "incomplete": untold });
    Ok(Answer::new(page.finish(), value))
}
