//! `sbom convert`, `diff`, `score`, `query`, `licenses`, `vex` and `merge`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::answer::{Answer, to_json};
use super::output::write_file;
use super::text::Page;
use crate::error::Result;
use crate::limits;
use crate::sbom::{
    Change, ComponentSummary, Document, LicensePolicy, MergeOptions, Query, Target, Vex, convert, diff, merge, read,
    score,
};
use crate::timestamp::Timestamp;

/// Most components of a kind that are listed for people.
const LISTED: usize = 50;

#[derive(Args)]
pub(crate) struct Convert {
    /// The SBOM.
    file: PathBuf,
    /// The format: cyclonedx or spdx, as JSON.
    #[arg(long, value_name = "FORMAT")]
    to: Target,
    /// Where it goes; then what was lost is listed [default: stdout].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// When it was made [default: as the SBOM says].
    #[arg(long, value_name = "TIME")]
    timestamp: Option<Timestamp>,
}

#[derive(Args)]
pub(crate) struct Diff {
    /// The earlier SBOM.
    before: PathBuf,
    /// The later SBOM.
    after: PathBuf,
}

#[derive(Args)]
pub(crate) struct ScoreOf {
    /// The SBOM.
    file: PathBuf,
}

#[derive(Args)]
pub(crate) struct Find {
    /// The SBOM.
    file: PathBuf,
    /// Package URL; what it does not say may be anything.
    #[arg(long)]
    purl: Option<String>,
    /// Name, or group/name.
    #[arg(long)]
    name: Option<String>,
    /// Versions, such as ">=1.2.0, <2".
    #[arg(long)]
    range: Option<String>,
    /// SPDX id of a licence.
    #[arg(long)]
    license: Option<String>,
}

#[derive(Args)]
pub(crate) struct Licenses {
    /// The SBOM.
    file: PathBuf,
    /// SPDX id, or name, that may be there.
    #[arg(long)]
    allow: Vec<String>,
    /// SPDX id, or name, that must not be there.
    #[arg(long)]
    deny: Vec<String>,
    /// Pass components without a licence.
    #[arg(long)]
    allow_unlicensed: bool,
}

#[derive(Args)]
pub(crate) struct MergeAll {
    /// The SBOMs, CycloneDX.
    #[arg(required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    /// Name of the product that holds them.
    #[arg(long)]
    name: String,
    /// Version of the product.
    #[arg(long)]
    product_version: Option<String>,
    /// Where it goes; then what was lost is listed [default: stdout].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Time it is given; without, the same SBOMs give the same bytes.
    #[arg(long, value_name = "TIME")]
    timestamp: Option<Timestamp>,
}

#[derive(Args)]
pub(crate) struct Said {
    /// The vulnerability, by any of its names.
    #[arg(value_name = "ID")]
    vulnerability: String,
    /// The VEX documents: OpenVEX, CSAF 2.0 or CycloneDX.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The product: its package URL, or as the documents name it.
    #[arg(long, value_name = "PURL")]
    product: String,
    /// A part of the product.
    #[arg(long, value_name = "PURL")]
    part: Option<String>,
}

/// Reads the bytes of an SBOM.
pub(crate) fn open(file: &Path) -> Result<Vec<u8>> {
    limits::read_file("SBOM", file, limits::SBOM_BYTES)
}

impl Convert {
    pub(crate) fn run(self) -> Result<Answer> {
        let made = convert(&Document::parse(&open(&self.file)?)?, self.to, self.timestamp)?;
        let lost: Vec<_> = made.lost.iter().map(|loss| (String::new(), &*loss.path, &*loss.reason)).collect();
        written(&made.document, self.out.as_deref(), &lost)
    }
}

impl MergeAll {
    pub(crate) fn run(self) -> Result<Answer> {
        let read = |file: &PathBuf| Document::parse(&open(file)?);
        let documents = self.files.iter().map(read).collect::<Result<Vec<_>>>()?;
        let mut options = MergeOptions::default();
        (options.name, options.version, options.timestamp) = (self.name, self.product_version, self.timestamp);
        let made = merge(&documents, &options)?;
        let name = |n: usize| self.files.get(n).map(|file| format!("{} ", file.display())).unwrap_or_default();
        let lost = made.lost.iter().map(|loss| (name(loss.source), &*loss.path, &*loss.reason));
        let lost: Vec<_> = lost.collect();
        written(&made.document, self.out.as_deref(), &lost)
    }
}

/// A document that was made, and what is not in it.
fn written(document: &Document, out: Option<&Path>, lost: &[(String, &str, &str)]) -> Result<Answer> {
    let told = lost
        .iter()
        .map(|(source, path, reason)| json!({ "source": source.trim_end(), "path": path, "reason": reason }));
    let told: Vec<_> = told.collect();
    let Some(out) = out else {
        let value = json!({ "document": document.json(), "lost": told });
        return Ok(Answer::document(document.bytes().to_vec(), value));
    };
    write_file(out, document.bytes())?;
    let mut page = Page::default();
    let components = document.summary()?.component_count;
    page.line(format!("{} {}: {components} components", document.format().name(), document.version()));
    page.wrapped("", "  ", &format!("in {}", out.display()));
    if !lost.is_empty() {
        page.line(format!("{} parts were not carried over:", lost.len()));
    }
    for (source, path, reason) in lost.iter().take(LISTED) {
        page.wrapped("  ", "    ", &format!("{source}{path}: {reason}"));
    }
    more(&mut page, lost.len());
    let value = json!({ "out": out.display().to_string(), "format": document.format().name(),
        "version": document.version(), "components": components, "lost": told });
    Ok(Answer::new(page.finish(), value))
}

impl Diff {
    pub(crate) fn run(self) -> Result<Answer> {
        let difference = diff(&read(&open(&self.before)?)?, &read(&open(&self.after)?)?);
        let mut page = Page::default();
        if difference.is_empty() {
            page.line("no difference");
        }
        for (title, changes) in [
            ("added", &difference.added),
            ("removed", &difference.removed),
            ("newer", &difference.upgraded),
            ("older", &difference.downgraded),
            ("other licences", &difference.licenses),
            ("other content under the same version", &difference.replaced),
            ("other datasets", &difference.datasets),
        ] {
            if changes.is_empty() {
                continue;
            }
            page.line(format!("{title} ({})", changes.len()));
            for change in changes.iter().take(LISTED) {
                page.wrapped("  ", "    ", &told(change));
            }
            more(&mut page, changes.len());
        }
        let value = to_json(&difference)?;
        Ok(Answer::new(page.finish(), value))
    }
}

fn told(change: &Change) -> String {
    let [before, after] =
        [&change.before, &change.after].map(|v| v.as_deref().map(|v| if v.is_empty() { "none" } else { v }));
    match (before, after) {
        (Some(before), Some(after)) => format!("{} {before} -> {after}", change.component),
        (one, other) => format!("{} {}", change.component, one.or(other).unwrap_or_default()),
    }
}

impl ScoreOf {
    pub(crate) fn run(self) -> Result<Answer> {
        let score = score(&Document::parse(&open(&self.file)?)?)?;
        let value = to_json(&score)?;
        let words = |elements: &crate::json::Value| {
            let words = elements.as_array().into_iter().flatten().filter_map(|e| e.as_str());
            words.collect::<Vec<_>>().join(", ")
        };
        let has = |all: bool| if all { "all there" } else { "not all there" };
        let mut page = Page::default();
        page.line(format!("{} % of the minimum elements", score.percent));
        page.line(format!("NTIA 2021: {}", has(score.ntia)));
        page.line(format!("with CISA's draft of 2025: {}", has(score.cisa)));
        if !score.missing.is_empty() {
            page.wrapped("", "  ", &format!("the document lacks: {}", words(&to_json(&score.missing)?)));
        }
        for component in score.components.iter().take(LISTED) {
            let name = if component.name.is_empty() { &component.path } else { &component.name };
            page.wrapped("  ", "    ", &format!("{name} lacks: {}", words(&to_json(&component.missing)?)));
        }
        more(&mut page, score.components.len());
        Ok(Answer::new(page.finish(), value).unless(!score.ntia))
    }
}

impl Find {
    pub(crate) fn run(self) -> Result<Answer> {
        let mut query = Query::default();
        (query.purl, query.name, query.range, query.license) = (self.purl, self.name, self.range, self.license);
        let result = query.find(&read(&open(&self.file)?)?)?;
        let mut page = Page::default();
        if result.found.is_empty() {
            page.line("nothing found");
        }
        let list = |page: &mut Page, components: &[ComponentSummary]| {
            for component in components.iter().take(LISTED) {
                let version = component.version.as_deref().map(|v| format!(" {v}")).unwrap_or_default();
                let purl = component.purl.as_deref().map(|p| format!(", {p}")).unwrap_or_default();
                page.wrapped("", "  ", &format!("{}{version}{purl}", component.name));
            }
            more(page, components.len());
        };
        list(&mut page, &result.found);
        if !result.undecided.is_empty() {
            page.line("these say too little to tell:");
            list(&mut page, &result.undecided);
        }
        Ok(Answer::new(page.finish(), to_json(&result)?))
    }
}

impl Licenses {
    pub(crate) fn run(self) -> Result<Answer> {
        let mut policy = LicensePolicy::default();
        (policy.allow, policy.deny, policy.allow_unlicensed) = (self.allow, self.deny, self.allow_unlicensed);
        let faults = policy.check(&read(&open(&self.file)?)?)?;
        let mut page = Page::default();
        if faults.is_empty() {
            page.line("all licences are allowed");
        }
        for fault in faults.iter().take(LISTED) {
            let license = fault.license.as_deref().map(|l| format!(" {l}:")).unwrap_or_default();
            page.wrapped("", "  ", &format!("{}:{license} {}", fault.component, fault.reason));
        }
        more(&mut page, faults.len());
        let value = json!({ "allowed": faults.is_empty(), "faults": to_json(&faults)? });
        Ok(Answer::new(page.finish(), value).unless(!faults.is_empty()))
    }
}

impl Said {
    /// Refuses unless the latest that is said is that it does no harm there.
    pub(crate) fn run(self) -> Result<Answer> {
        let mut vex = Vex::default();
        for file in &self.files {
            vex.statements.extend(Vex::parse(&open(file)?)?.statements);
        }
        let (product, part) = (&self.product, self.part.as_deref());
        let said = vex.status(&self.vulnerability, product, part)?;
        let dismissed = vex.dismisses(&self.vulnerability, product, part)?;
        let mut page = Page::default();
        match said {
            None => page.line("nothing is said of it"),
            Some(said) => {
                let status = to_json(&said.status)?;
                let status = status.as_str().unwrap_or_default().replace('_', " ");
                let why = said.justification.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                page.wrapped("", "  ", &format!("{status}{why}"))
            }
        };
        let value = json!({ "dismissed": dismissed, "statement": to_json(&said)? });
        Ok(Answer::new(page.finish(), value).unless(!dismissed))
    }
}

fn more(page: &mut Page, count: usize) {
    if count > LISTED {
        page.line(format!("  and {} more; --json lists all", count - LISTED));
    }
}
