//! `affected`: which releases contain a package or have a vulnerability, and where they run.

use std::path::PathBuf;

use clap::Args;

use super::answer::{Answer, to_json};
use super::open::Known;
use super::settings::Settings;
use super::text::{Page, to_the_second};
use crate::affected::{self, AffectedArtifact, AffectedComponent, Asked};
use crate::error::Result;
use crate::{json, limits};

#[derive(Args)]
pub(crate) struct Affected {
    /// Package URL, or the id of a vulnerability that scanners name.
    #[arg(required_unless_present = "advisory")]
    what: Option<String>,
    /// Versions of the package, such as "<4.17.21".
    #[arg(long)]
    range: Option<String>,
    /// An advisory in the format of OSV, as it was published.
    #[arg(long, value_name = "FILE")]
    advisory: Option<PathBuf>,
    /// Read every entry instead of asking the index: nothing is left out.
    #[arg(long)]
    complete: bool,
    #[command(flatten)]
    known: Known,
}

impl Affected {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let mut asked = Asked::default();
        (asked.range, asked.complete) = (self.range, self.complete);
        match self.what {
            Some(what) if what.starts_with("pkg:") => asked.purl = Some(what),
            what => asked.vulnerability = what,
        }
        if let Some(path) = &self.advisory {
            let bytes = limits::read_file("advisory", path, limits::DOCUMENT_BYTES)?;
            asked.advisory = Some(json::parse("advisory", &bytes)?);
        }
        let found = affected::affected(&self.known.open(settings)?, &asked)?;
        let mut page = Page::default();
        let running = found.artifacts.iter().filter(|artifact| !artifact.running.is_empty()).count();
        page.line(match found.artifacts.len() {
            0 => "no artifact is known to contain it".to_owned(),
            1 => format!("1 artifact contains it or may, {running} of them runs"),
            count => format!("{count} artifacts contain it or may, {running} of them run"),
        });
        for artifact in &found.artifacts {
            write(&mut page, artifact);
        }
        for index in &found.unreadable {
            page.wrapped("", "  ", &format!("the SBOM of entry {index} can't be read: what is in it nobody can tell"));
        }
        Ok(Answer::new(page.finish(), to_json(&found)?))
    }
}

fn write(page: &mut Page, artifact: &AffectedArtifact) {
    page.line("").line(artifact.name.as_deref().unwrap_or("without a name"));
    page.wrapped("  ", "  ", &artifact.digest);
    if !artifact.releases.is_empty() {
        let releases: Vec<&str> = artifact.releases.iter().map(String::as_str).collect();
        page.wrapped("  of release ", "    ", &releases.join(", "));
    }
    for component in &artifact.components {
        page.wrapped("  ", "    ", &told(component));
        for way in &component.paths {
            page.wrapped("    by ", "      ", &way.join(" > "));
        }
    }
    for place in &artifact.running {
        let since = to_the_second(place.since);
        let how = to_json(&place.by).ok().and_then(|by| by.as_str().map(str::to_owned)).unwrap_or_default();
        page.wrapped("  runs in ", "    ", &format!("{} ({}) since {since}, {how}", place.environment, place.class));
    }
    if artifact.running.is_empty() {
        page.line("  runs nowhere that the ledger knows of");
    }
}

fn told(component: &AffectedComponent) -> String {
    let mut text = component.name.clone();
    if let Some(version) = &component.version {
        text.push_str(&format!(" {version}"));
    }
    if let Some(scope) = component.scope.as_deref().filter(|scope| *scope != "required") {
        text.push_str(&format!(" ({scope})"));
    }
    if !component.vulnerabilities.is_empty() {
        let ids: Vec<&str> = component.vulnerabilities.iter().map(String::as_str).collect();
        text.push_str(&format!(", found for {}", ids.join(", ")));
    }
    if !component.certain {
        text.push_str(", perhaps: the SBOM says too little to tell");
    }
    text
}
