//! Grype's JSON.

use serde::Deserialize;

use super::finding::Level;
use super::report::{Ran, Report, component, time, vulnerability};
use super::{Format, Reader};
use crate::digest::Digest;
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Vulns};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "grype",
    title: "Grype report",
    media_type: "application/json",
    recognised_by: "`matches` with a `descriptor` whose name is `grype`",
    says: "version, time and the database's date in `descriptor`",
    becomes: &[Vulns::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    matches: Vec<Match>,
    #[serde(default)]
    ignored_matches: Vec<Value>,
    descriptor: Descriptor,
    source: Option<Source>,
}

#[derive(Deserialize)]
struct Match {
    vulnerability: Flaw,
    artifact: Artifact,
}

#[derive(Deserialize)]
struct Flaw {
    id: String,
    severity: Option<String>,
    #[serde(default)]
    cvss: Vec<Cvss>,
}

#[derive(Deserialize)]
struct Cvss {
    metrics: Option<Metrics>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    base_score: Option<f64>,
}

#[derive(Deserialize)]
struct Artifact {
    name: String,
    version: String,
    #[serde(default)]
    purl: String,
}

#[derive(Deserialize)]
struct Descriptor {
    version: Option<String>,
    timestamp: Option<String>,
    db: Option<Value>,
}

#[derive(Deserialize)]
struct Source {
    target: Option<Value>,
}

fn is(json: &Value) -> bool {
    json.get("matches").is_some_and(Value::is_array)
        && json.pointer("/descriptor/name").and_then(Value::as_str) == Some("grype")
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let document: Document = report.typed()?;
    let db = document.descriptor.db.as_ref();
    // since database schema 6 it stands one level deeper
    let built = db.and_then(|db| db.pointer("/status/built").or_else(|| db.get("built"))).and_then(Value::as_str);
    let ran = Ran {
        tool: Some("grype".to_owned()),
        version: document.descriptor.version.filter(|version| version != "[not provided]"),
        database: report.time_if_any(built)?,
        finished_at: document.descriptor.timestamp.as_deref().and_then(time),
        started_at: None,
        about: document.source.and_then(|source| source.target).map(|target| about(&target)).unwrap_or_default(),
    };
    let found = document.matches.into_iter().map(|found| {
        let (flaw, artifact) = (found.vulnerability, found.artifact);
        let word = flaw.severity.unwrap_or_default().to_ascii_lowercase();
        let mut severity = vec![("grype", word.clone())];
        let scores = flaw.cvss.iter().filter_map(|cvss| cvss.metrics.as_ref()?.base_score);
        if let Some(worst) = scores.max_by(f64::total_cmp) {
            severity.push(("cvss_score", worst.to_string()));
        }
        let name = if artifact.purl.is_empty() { component(&artifact.name, &artifact.version) } else { artifact.purl };
        (Level::of_word(&word), vulnerability(&flaw.id, severity, &name))
    });
    let ignored = u64::try_from(document.ignored_matches.len()).unwrap_or(u64::MAX);
    Ok(vec![report.vulns(&ran, found.collect(), ignored)?])
}

/// The image by its id, its manifest and the digests it has in registries; a folder has none.
fn about(target: &Value) -> Vec<Digest> {
    let own = ["imageID", "manifestDigest"].iter().filter_map(|name| target.get(name)?.as_str());
    let references = target.get("repoDigests").and_then(Value::as_array).into_iter().flatten();
    let references = references.filter_map(|reference| Some(reference.as_str()?.rsplit_once('@')?.1));
    own.chain(references).filter_map(|digest| digest.parse().ok()).collect()
}
