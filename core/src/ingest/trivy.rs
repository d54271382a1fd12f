//! Trivy's JSON: of an artifact (schema 2), of a cluster, and the bare list that came before.
//!
//! What it found of packages becomes a vulnerability scan; configuration, secrets and licences become test results. It
//! does not say which scanners ran: a class of results that is not there is not taken for clean.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::finding::{Findings, Level};
use super::report::{Ran, Report, component, vulnerability};
use super::{Format, Reader};
use crate::digest::Digest;
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, TestKind, TestResult, Vulnerability, Vulns};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "trivy",
    title: "Trivy report",
    media_type: "application/json",
    recognised_by: "`SchemaVersion` with `ArtifactName`, `ClusterName`, or a list of results with `Target`",
    says: "version in `Trivy.Version` and time in `CreatedAt` since 0.69; the database's date must be told",
    becomes: &[Vulns::TYPE, TestResult::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    schema_version: Option<u64>,
    trivy: Option<Version>,
    created_at: Option<String>,
    metadata: Option<Metadata>,
    results: Option<Vec<Part>>,
    cluster_name: Option<String>,
    resources: Option<Vec<Resource>>,
    vulnerabilities: Option<Vec<Resource>>,
    misconfigurations: Option<Vec<Resource>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    #[serde(rename = "ImageID")]
    image_id: Option<String>,
    repo_digests: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    #[serde(default)]
    error: String,
    results: Option<Vec<Part>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    target: String,
    #[serde(default)]
    class: String,
    #[serde(rename = "Type", default)]
    of_type: String,
    vulnerabilities: Option<Vec<Flaw>>,
    misconfigurations: Option<Vec<Misconfiguration>>,
    secrets: Option<Vec<Secret>>,
    licenses: Option<Vec<License>>,
    experimental_modified_findings: Option<Vec<Value>>,
    misconf_summary: Option<Summary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    failures: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Flaw {
    #[serde(rename = "VulnerabilityID")]
    id: String,
    pkg_name: String,
    installed_version: Option<String>,
    pkg_identifier: Option<Identifier>,
    severity: String,
    #[serde(rename = "CVSS")]
    cvss: Option<BTreeMap<String, Cvss>>,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(rename = "PURL")]
    purl: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cvss {
    v3_score: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Misconfiguration {
    #[serde(rename = "ID")]
    id: String,
    severity: String,
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Secret {
    #[serde(rename = "RuleID")]
    rule_id: String,
    severity: String,
    start_line: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct License {
    severity: String,
    name: String,
    #[serde(default)]
    pkg_name: String,
    #[serde(default)]
    file_path: String,
}

fn is(json: &Value) -> bool {
    match json {
        Value::Object(members) => {
            (members.contains_key("SchemaVersion") && members.contains_key("ArtifactName"))
                || (members.contains_key("ClusterName")
                    && ["Resources", "Vulnerabilities", "Misconfigurations"].iter().any(|n| members.contains_key(*n)))
        }
        Value::Array(parts) => {
            !parts.is_empty() && parts.iter().all(|p| p.get("Target").is_some() && p.get("Type").is_some())
        }
        _ => false,
    }
}

/// What the parts of one report found, by what they looked for.
#[derive(Default)]
struct Found {
    vulnerabilities: Option<Vec<(Level, Vulnerability)>>,
    tests: BTreeMap<TestKind, Findings>,
    suppressed: u64,
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let (document, mut parts) = match report.json {
        Value::Array(_) => (None, report.typed::<Vec<Part>>()?),
        _ => (Some(report.typed::<Document>()?), Vec::new()),
    };
    let mut ran = Ran { tool: Some("trivy".to_owned()), ..Ran::default() };
    if let Some(document) = document {
        if document.cluster_name.is_none() && document.schema_version != Some(2) {
            return Err(report.unsupported("is of another schema than 2; use a Trivy that writes that"));
        }
        ran.version = document.trivy.map(|trivy| trivy.version);
        ran.finished_at = report.time_if_any(document.created_at.as_deref())?;
        ran.about = document.metadata.map(about).unwrap_or_default();
        parts.extend(document.results.into_iter().flatten());
        let resources = [document.resources, document.vulnerabilities, document.misconfigurations];
        for resource in resources.into_iter().flatten().flatten() {
            if !resource.error.is_empty() {
                return Err(report.malformed("says of a resource that it could not be scanned, so it is not whole"));
            }
            parts.extend(resource.results.into_iter().flatten());
        }
    }
    let mut found = Found::default();
    for part in parts {
        take(report, part, &mut found)?;
    }
    let mut statements = Vec::new();
    if let Some(vulnerabilities) = found.vulnerabilities {
        statements.push(report.vulns(&ran, vulnerabilities, found.suppressed)?);
    }
    for (kind, findings) in found.tests {
        statements.push(report.test_result(kind, &ran, findings)?);
    }
    if statements.is_empty() {
        return Err(report.malformed("holds no result, so it says of nothing that it was looked at"));
    }
    Ok(statements)
}

/// The image by its own id, and by the digests it has in registries.
fn about(metadata: Metadata) -> Vec<Digest> {
    let references = metadata.repo_digests.unwrap_or_default();
    let digests =
        references.iter().filter_map(|reference| reference.rsplit_once('@')).map(|(_, digest)| digest.to_owned());
    metadata.image_id.into_iter().chain(digests).filter_map(|digest| digest.parse().ok()).collect()
}

fn take(report: &Report<'_>, part: Part, found: &mut Found) -> Result<()> {
    let fail_at = report.fail_at();
    let target = &part.target;
    unread(report, &part)?;
    let suppressed = part.experimental_modified_findings.as_ref().map_or(0, Vec::len);
    let suppressed = u64::try_from(suppressed).unwrap_or(u64::MAX);
    let kind = match (part.class.as_str(), part.of_type.as_str()) {
        // the list of old has no classes and knew packages only
        ("os-pkgs" | "lang-pkgs" | "", _) => {
            let all = found.vulnerabilities.get_or_insert_default();
            all.extend(
                part.vulnerabilities.into_iter().flatten().map(|flaw| (Level::of_word(&flaw.severity), flaw.into())),
            );
            found.suppressed += suppressed;
            return Ok(());
        }
        ("config", "dockerfile") => TestKind::ContainerConfig,
        ("config", _) => TestKind::Iac,
        ("secret", _) => TestKind::Secrets,
        ("license" | "license-file", _) => TestKind::License,
        (other, _) => {
            let other = other.escape_debug();
            return Err(report.unsupported(format_args!("holds results of the class `{other}`, which is not known")));
        }
    };
    let findings = found.tests.entry(kind).or_default();
    findings.count("suppressed", suppressed);
    let listed = part.misconfigurations.iter().flatten().filter(|fault| fault.status == "FAIL").count();
    if let Some(said) = part.misconf_summary.map(|summary| summary.failures)
        && u64::try_from(listed) != Ok(said)
    {
        return Err(report.malformed(format_args!("counts {said} failed checks of one target and lists {listed}")));
    }
    for fault in part.misconfigurations.into_iter().flatten() {
        match fault.status.as_str() {
            "FAIL" => findings.add(Level::of_word(&fault.severity), fail_at, format!("{} {target}", fault.id)),
            "PASS" => {}
            "EXCEPTION" => findings.count("suppressed", 1),
            other => {
                return Err(report.malformed(format_args!("has a check of the status `{}`", other.escape_debug())));
            }
        }
    }
    for secret in part.secrets.into_iter().flatten() {
        // any secret is one too many, whatever it is rated
        let level = Level::of_word(&secret.severity).min(Level::High);
        findings.add(level, fail_at, format!("{} {target}:{}", secret.rule_id, secret.start_line));
    }
    for license in part.licenses.into_iter().flatten() {
        // a licence is listed whether it is allowed or not, and rated low if nothing is known against it
        let level = Level::of_word(&license.severity);
        let at = if license.pkg_name.is_empty() { &license.file_path } else { &license.pkg_name };
        findings.add(level, fail_at, format!("{} {at}", license.name));
    }
    Ok(())
}

/// Refuses a part that holds what is not looked for in its class, and so would be lost.
fn unread(report: &Report<'_>, part: &Part) -> Result<()> {
    let own = match part.class.as_str() {
        "os-pkgs" | "lang-pkgs" | "" => "Vulnerabilities",
        "config" => "Misconfigurations",
        "secret" => "Secrets",
        "license" | "license-file" => "Licenses",
        _ => return Ok(()),
    };
    let lists = [
        ("Vulnerabilities", part.vulnerabilities.as_ref().map(Vec::len)),
        ("Misconfigurations", part.misconfigurations.as_ref().map(Vec::len)),
        ("Secrets", part.secrets.as_ref().map(Vec::len)),
        ("Licenses", part.licenses.as_ref().map(Vec::len)),
    ];
    let lost = lists.into_iter().find(|(name, length)| *name != own && length.is_some_and(|length| length > 0));
    lost.map_or(Ok(()), |(name, _)| {
        Err(report.malformed(format_args!("holds `{name}` in a part of the class `{}`", part.class)))
    })
}

impl From<Flaw> for Vulnerability {
    fn from(flaw: Flaw) -> Self {
        let purl = flaw.pkg_identifier.and_then(|id| id.purl).filter(|purl| !purl.is_empty());
        let version = flaw.installed_version.unwrap_or_default();
        let mut severity = vec![("trivy", flaw.severity.to_ascii_lowercase())];
        let cvss = flaw.cvss.unwrap_or_default();
        if let Some(score) = cvss.get("nvd").and_then(|cvss| cvss.v3_score) {
            severity.push(("nvd", score.to_string()));
        }
        vulnerability(&flaw.id, severity, &purl.unwrap_or_else(|| component(&flaw.pkg_name, &version)))
    }
}
