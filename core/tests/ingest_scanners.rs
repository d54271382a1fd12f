//! Reports that real scanners wrote, counted as others count them.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "helpers of tests")]

mod corpora;
mod ingested;

use std::path::{Path, PathBuf};

use sealwright::json::Value;

use self::corpora::corpora;
use self::ingested::{findings, read_as};

/// Folder of DefectDojo's samples, and the format that its files are of.
const FOLDERS: &[(&str, &str)] = &[
    ("anchore_grype", "grype"),
    ("checkov", "checkov"),
    ("gitleaks", "gitleaks"),
    ("npm_audit_7_plus", "npm-audit"),
    ("openvex", "openvex"),
    ("osv_scanner", "osv-scanner"),
    ("sarif", "sarif"),
    ("trivy", "trivy"),
];

/// Files that are refused, with the code, and why it must be so.
const REFUSED: &[(&str, &str)] = &[
    // nothing was checked, and the file says so
    ("checkov/checkov-report-0-vuln.json", "MALFORMED"),
    ("checkov/checkov2-report-0-vuln.json", "MALFORMED"),
    // `null` says nothing of a run
    ("gitleaks/no_findings.json", "MALFORMED"),
    ("trivy/legacy_no_vuln.json", "MALFORMED"),
    // made by hand: a moderate package that its own totals count as high
    ("npm_audit_7_plus/issue_10801.json", "MALFORMED"),
    // an empty file
    ("osv_scanner/no_findings.json", "MALFORMED"),
    // cut by hand: a package is vulnerable by another one that is not in the file
    ("npm_audit_7_plus/one_vuln.json", "MALFORMED"),
    ("npm_audit_7_plus/multiple_cwes_fabricated.json", "MALFORMED"),
    ("openvex/openvex_not_a_document.json", "UNSUPPORTED"),
    // made by hand: its last statement is of version 0.0.1, in a document of 0.2.0
    ("openvex/openvex_many_vuln.json", "MALFORMED"),
    // cut by hand: of eight failed checks that it counts five are listed
    ("trivy/kubernetes.json", "MALFORMED"),
];

/// Files that we count otherwise, with our number, and why.
const OTHERWISE: &[(&str, u64)] = &[
    // findings of one id and component, or of one place, that DefectDojo folds into one
    ("anchore_grype/same_cve_different_paths.json", 2),
    ("anchore_grype/check_all_fields.json", 6),
    ("gitleaks/version_7.5.0.json", 8),
    ("gitleaks/gitleaks8_many.json", 4),
    // an advisory is a finding; a package that depends on a vulnerable one is none of its own
    ("npm_audit_7_plus/many_vulns.json", 3),
    // suppressed results are counted as such
    ("sarif/appendix_k.sarif", 0),
    ("sarif/appendix_k4.sarif", 0),
    ("sarif/SuppressionTestCurrent.sarif", 1),
    // one result with several places, of which DefectDojo makes several
    ("sarif/njsscan.sarif", 2),
    ("sarif/mobsfscan.json", 9),
];

#[test]
fn real_reports_have_as_many_findings_as_defectdojo_counts() {
    let Some(dir) = corpora("scanner-outputs/defectdojo") else { return };
    let expected: Vec<Value> =
        serde_json::from_slice(&std::fs::read(dir.join("expected-counts.json")).unwrap()).unwrap();
    let (mut wrong, mut agreed, mut refused, mut absent) = (Vec::new(), 0, Vec::new(), 0);
    for case in &expected {
        let file = case["file"].as_str().unwrap();
        let Some((_, format)) = FOLDERS.iter().find(|(folder, _)| file.starts_with(&format!("{folder}/"))) else {
            continue;
        };
        let Ok(bytes) = std::fs::read(dir.join(file)) else {
            absent += 1;
            continue;
        };
        match read_as(format, &bytes) {
            Err(e) if REFUSED.contains(&(file, e.code())) => refused.push(file),
            Err(e) => wrong.push(format!("{file}: {e}")),
            Ok(taken) => {
                let ours = findings(&taken);
                let otherwise = OTHERWISE.iter().find(|(name, _)| *name == file).map(|(_, number)| *number);
                let theirs = otherwise.unwrap_or_else(|| case["findings"].as_u64().unwrap());
                if ours == theirs { agreed += 1 } else { wrong.push(format!("{file}: ours {ours}, theirs {theirs}")) }
            }
        }
    }
    println!("agreed {agreed}, refused {}, absent here {absent}", refused.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(agreed >= 20, "only {agreed} were compared");
}

#[test]
fn no_sarif_log_without_results_passes_and_every_valid_one_is_read() {
    let Some(dir) = corpora("scanner-outputs") else { return };
    let mut outcomes = Vec::new();
    for path in files(&dir) {
        let name = path.strip_prefix(&dir).unwrap().to_str().unwrap().to_owned();
        let sarif =
            name.contains(".sarif") && !name.contains("sarif-spec") || name.contains("/sarif/testdata/snapshot");
        if !sarif {
            continue;
        }
        let ended = match read_as("sarif", &std::fs::read(&path).unwrap()) {
            Ok(taken) => {
                let results: Vec<_> =
                    taken.statements.iter().map(|s| s.predicate_json().unwrap()["result"].clone()).collect();
                format!("{} {results:?}", findings(&taken))
            }
            Err(e) => e.code().to_owned(),
        };
        outcomes.push((name, ended));
    }
    for (name, ended) in &outcomes {
        println!("{name}: {ended}");
    }
    let refused: Vec<_> =
        outcomes.iter().filter(|(_, ended)| ended.chars().all(|c| c.is_uppercase() || c == '_')).collect();
    assert!(outcomes.len() > 40, "only {} logs", outcomes.len());
    assert!(refused.len() < outcomes.len() / 3, "{refused:#?}");
}

/// Reports of scanners that no list counts, with our number of findings, read by eye.
const COUNTED: &[(&str, &str, u64)] = &[
    ("grype-golden/grype/presenter/json/testdata/snapshot/TestJsonImgsPresenter.golden", "grype", 2),
    ("grype-golden/grype/presenter/json/testdata/snapshot/TestJsonDirsPresenter.golden", "grype", 2),
    ("gitleaks/expected/report/json_simple.json", "gitleaks", 1),
    ("gitleaks/expected/report/empty.json", "gitleaks", 0),
];

#[test]
fn reports_of_the_scanners_own_tests_are_counted() {
    let Some(dir) = corpora("scanner-outputs") else { return };
    for (file, format, number) in COUNTED {
        let bytes = std::fs::read(dir.join(file)).unwrap();
        let taken = read_as(format, &bytes).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!(findings(&taken), *number, "{file}");
    }
}

/// Documents without statements, without the `version` that both specifications demand, or with a statement of another
/// version.
const NO_VEX: &[&str] = &[
    "openvex_no_vuln.json",
    "openvex_many_vuln.json",
    "images.vex.json",
    "test.vex.json",
    "v001-1.vex.json",
    "v001-2.vex.json",
    "v020-1.vex.json",
    "v020-2.vex.json",
];

#[test]
fn every_published_openvex_document_is_kept_as_it_is_or_refused_with_a_reason() {
    let Some(dir) = corpora("scanner-outputs") else { return };
    let (mut read, mut refused) = (0, Vec::new());
    for path in files(&dir) {
        let bytes = std::fs::read(&path).unwrap();
        let Ok(json) = serde_json::from_slice::<Value>(&bytes) else { continue };
        if !json["@context"].as_str().is_some_and(|context| context.starts_with("https://openvex.dev/ns")) {
            continue;
        }
        match read_as("openvex", &bytes) {
            Ok(taken) => {
                read += 1;
                assert_eq!(taken.statements[0].predicate_json().unwrap(), json, "{}", path.display());
            }
            Err(e) => refused.push((path.file_name().unwrap().to_str().unwrap().to_owned(), e.code())),
        }
    }
    println!("read {read}, refused {}", refused.len());
    assert!(read > 5, "{read} were read");
    refused.retain(|(name, code)| !NO_VEX.contains(&name.as_str()) || *code != "MALFORMED");
    assert!(refused.is_empty(), "{refused:#?}");
}

pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
