//! JUnit reports that real tools wrote.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "helpers of tests")]

mod corpora;

use std::path::{Path, PathBuf};

use sealwright::ingest::junit;

use self::corpora::corpora;

/// Report; then tests, failures, errors, skipped as counted in it by another XML reader.
const COUNTED: &[(&str, [u64; 4])] = &[
    ("test-reporter/fixtures/external/java/pulsar-test-report.xml", [808, 1, 0, 14]),
    ("test-reporter/fixtures/external/java/junit4-complete.xml", [8, 1, 1, 1]),
    ("test-reporter/fixtures/external/java/TEST-org.apache.pulsar.AddMissingPatchVersionTest.xml", [2, 1, 0, 1]),
    ("test-reporter/fixtures/external/java/empty_failures.xml", [3, 1, 0, 0]),
    ("test-reporter/fixtures/external/phpunit/phpcheckstyle-phpunit.xml", [30, 2, 0, 0]),
    ("test-reporter/fixtures/phpunit/phpunit.xml", [12, 2, 0, 0]),
    ("test-reporter/fixtures/python-xunit-unittest.xml", [8, 1, 1, 2]),
    ("test-reporter/fixtures/python-xunit-pytest.xml", [10, 2, 0, 2]),
    ("test-reporter/fixtures/jest-junit.xml", [6, 4, 0, 1]),
    ("test-reporter/fixtures/test-errors/jest/jest-test-results.xml", [2, 0, 2, 0]),
    ("test-reporter/fixtures/nette-tester/tester-v1.7-report.xml", [65, 1, 0, 3]),
    ("test-reporter/fixtures/nette-tester/BootstrapFormRenderer-report.xml", [4, 0, 0, 0]),
    ("test-reporter/fixtures/swift-xunit.xml", [3, 1, 0, 0]),
    ("action-junit-report/nextest/basic.xml", [3, 1, 0, 0]),
    ("action-junit-report/nested/junit.xml", [5, 3, 0, 0]),
    ("action-junit-report/perl/result.xml", [1, 0, 0, 0]),
    ("action-junit-report/maven_surefire_flaky/surefire-report.xml", [1, 0, 0, 0]),
    ("action-junit-report/multiple_failures/test_multiple_failures.xml", [4, 2, 0, 1]),
];

/// Reports that contradict themselves, are cut, or are no JUnit, with the code of the refusal.
const REFUSED: &[(&str, &str)] = &[
    ("action-junit-report/container-structure/test.xml", "MALFORMED"), // declares 8 tests, shows 3
    ("action-junit-report/corrupt-junit/e2e-tests/corrupt/target/sf-reports/TEST-test.CorruptTest.xml", "MALFORMED"),
    ("action-junit-report/junit-web-test/expected.xml", "MALFORMED"), // a bare `<` in an attribute
    ("action-junit-report/junit-web-test/expectedRetries.xml", "MALFORMED"),
    ("action-junit-report/mocha/mocha.xml", "MALFORMED"), // declares 15515 tests, shows 1
    ("action-junit-report/multiple/test_10.xml", "MALFORMED"), // declare 8 tests, show 3
    ("action-junit-report/multiple/test_11.xml", "MALFORMED"),
    ("action-junit-report/multiple/test_12.xml", "MALFORMED"),
    ("action-junit-report/nested/multi-level.xml", "MALFORMED"), // declares 27 tests, shows 1
    ("test-reporter/fixtures/dotnet-nunit.xml", "UNSUPPORTED"),
    ("test-reporter/fixtures/external/nunit-sample.xml", "UNSUPPORTED"),
    ("test-reporter/fixtures/junit-with-message.xml", "MALFORMED"), // declares 6 tests, shows 1
];

#[test]
fn real_reports_are_counted_as_another_reader_counts_them() {
    let Some(dir) = corpora("junit") else { return };
    for (name, [tests, failures, errors, skipped]) in COUNTED {
        let report = junit::read(&std::fs::read(dir.join(name)).unwrap()).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert_eq!(
            (report.tests, report.failures, report.errors, report.skipped),
            (*tests, *failures, *errors, *skipped),
            "{name}"
        );
        assert_eq!(report.failed_names.len() as u64, failures + errors, "{name}");
        assert_eq!(report.passed(), failures + errors == 0, "{name}");
    }
}

#[test]
fn no_real_report_with_a_failure_passes_and_refusals_are_known() {
    let Some(dir) = corpora("junit") else { return };
    let mut refused = Vec::new();
    let mut seen = 0;
    // those with goldens have a test of their own
    for path in xml_files(&dir).into_iter().filter(|path| !path.starts_with(dir.join("publish-unit-test-result"))) {
        seen += 1;
        let bytes = std::fs::read(&path).unwrap();
        let name = path.strip_prefix(&dir).unwrap().to_str().unwrap().to_owned();
        match junit::read(&bytes) {
            Ok(report) => {
                let text = String::from_utf8(bytes).unwrap();
                let fails = ["<failure", "<error"].iter().any(|tag| text.contains(tag));
                assert!(!(fails && report.passed()), "{name}");
            }
            Err(e) => refused.push((name, e.code())),
        }
    }
    assert!(seen >= 60, "only {seen} reports");
    let refused: Vec<_> = refused.iter().map(|(name, code)| (&**name, *code)).collect();
    assert_eq!(refused, REFUSED);
}

/// Reports that we count otherwise than the golden beside them, or refuse, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("junit.multiresult.xml", "a test with several results is one test, and counts by the worst of them"),
    ("no-cases-but-tests.xml", "refused: it declares a failure and shows none"),
    ("non-junit.xml", "refused: it is none"),
    ("tst/disabled.xml", "a disabled test did not run, and counts as skipped"),
    ("xunit/xunit.xml", "refused: it declares 173 tests and shows 2"),
];

#[test]
fn dialects_are_counted_as_the_goldens_beside_them_say() {
    let Some(dir) = corpora("junit/publish-unit-test-result/junit-xml") else { return };
    let (mut agreed, mut differ) = (0, Vec::new());
    for path in xml_files(&dir) {
        let name = path.strip_prefix(&dir).unwrap().to_str().unwrap().to_owned();
        let Ok(golden) = std::fs::read(path.with_extension("results.json")) else { continue };
        let golden: sealwright::json::Value = serde_json::from_slice(&golden).unwrap();
        let stats = |name: &str| golden["stats"][name].as_u64().unwrap_or_default();
        let theirs = [stats("runs"), stats("runs_fail"), stats("runs_error"), stats("runs_skip")];
        let ours = match junit::read(&std::fs::read(&path).unwrap()) {
            Ok(report) => Ok([report.tests, report.failures, report.errors, report.skipped]),
            Err(e) => Err(e.to_string()),
        };
        if ours == Ok(theirs) {
            agreed += 1;
        } else if OTHERWISE.iter().all(|(known, _)| *known != name) {
            differ.push(format!("{name}: ours {ours:?}, theirs {theirs:?}"));
        }
    }
    println!("agreed {agreed}, otherwise {}", OTHERWISE.len());
    assert!(differ.is_empty(), "\n{}", differ.join("\n"));
    assert!(agreed > 10, "{agreed}");
}

fn xml_files(dir: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "xml") && path.file_name().is_some_and(|n| n != "pom.xml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
