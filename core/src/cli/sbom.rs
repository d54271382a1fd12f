//! `sbom`: software bills of materials.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::answer::{Answer, to_json};
use super::output::write_file;
use super::text::Page;
use crate::error::Result;
use crate::sbom::{GenerateOptions, generate, read, validate};
use crate::timestamp::Timestamp;
use crate::{json, limits};

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
    },
    /// Hold an SBOM against CycloneDX 1.6.
    Validate {
        /// The SBOM, JSON.
        file: PathBuf,
    },
}

impl SbomCommand {
    pub(crate) fn run(self) -> Result<Answer> {
        match self {
            Self::Generate { dir, out, timestamp, name, product_version, purl, cargo_home } => {
                let mut options = GenerateOptions::default();
                (options.timestamp, options.name, options.version) = (timestamp, name, product_version);
                (options.purl, options.cargo_home) = (purl, cargo_home);
                let bom = generate(&dir, &options)?;
                let bytes = bom.to_json()?;
                let Some(out) = out else {
                    let value = json::parse("SBOM", &bytes)?;
                    return Ok(Answer::document(bytes, value));
                };
                write_file(&out, &bytes)?;
                let listed = read(&bytes)?;
                let text = format!("{} components, in {}\n", listed.component_count, out.display());
                let value = json!({ "out": out.display().to_string(), "components": listed.component_count });
                Ok(Answer::new(text, value))
            }
            Self::Validate { file } => {
                let findings = validate(&limits::read_file("SBOM", &file, limits::DOCUMENT_BYTES)?)?;
                let mut page = Page::default();
                if findings.is_empty() {
                    page.line("valid CycloneDX 1.6");
                }
                for finding in &findings {
                    page.wrapped("", "  ", &format!("{}: {}", finding.path, finding.message));
                }
                let value = json!({ "valid": findings.is_empty(), "findings": to_json(&findings)? });
                Ok(Answer::new(page.finish(), value).unless(!findings.is_empty()))
            }
        }
    }
}
