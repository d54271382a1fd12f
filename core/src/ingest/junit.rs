//! JUnit XML reports, as Surefire, pytest, Jest, PHPUnit, nextest and many others write them.
//!
//! There is no one schema. What they share is `testsuites` and `testsuite` elements that hold `testcase` elements,
//! which hold `failure`, `error` or `skipped`. What counts here are the testcases themselves. The totals that a suite
//! writes about itself are held against them.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde::Serialize;

use super::Format;
use super::report::Report;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::predicate::{PredicateType as _, TestKind, TestOutcome, TestResult};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "junit",
    title: "JUnit report",
    media_type: "application/xml",
    recognised_by: "XML with the root element `testsuites` or `testsuite`",
    says: "nothing of tool, version and times; its kind must be told",
    becomes: &[TestResult::TYPE],
    holds_secrets: false,
    reader: super::Reader::Xml(statement),
};

/// Most names of passed tests that a record lists; the raw report has them all.
const LISTED: usize = 2000;
/// Deepest nesting of elements.
const DEPTH: usize = 64;

/// What a JUnit report says, each test counted once: as an error, else a failure, else skipped, else passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JUnitReport {
    /// Number of tests, skipped ones included.
    pub tests: u64,
    /// Tests that failed.
    pub failures: u64,
    /// Tests that broke, and suites that did.
    pub errors: u64,
    /// Tests that did not run.
    pub skipped: u64,
    /// Names of what failed or broke, `classname::name`, in the order of the report.
    pub failed_names: Vec<String>,
    /// Names of what passed, if they are few enough to be listed in a record; else none.
    #[serde(skip)]
    pub passed_names: Vec<String>,
    /// Sum of the times of the tests, in milliseconds; a time that is no number counts for nothing.
    pub duration_millis: u64,
}

impl JUnitReport {
    /// Whether at least one test ran, and none failed or broke.
    pub fn passed(&self) -> bool {
        self.tests > self.skipped && self.failures == 0 && self.errors == 0
    }

    /// The report as a test result of tests of this kind; who adds to it knows the tool, the time and the raw report.
    pub fn test_result(&self, kind: TestKind) -> TestResult {
        let failed = self.failures.saturating_add(self.errors);
        TestResult {
            result: if self.passed() { TestOutcome::Passed } else { TestOutcome::Failed },
            configuration: Vec::new(),
            url: None,
            passed_tests: self.passed_names.clone(),
            warned_tests: Vec::new(),
            failed_tests: self.failed_names.clone(),
            test_kind: Some(kind),
            tool: None,
            report: None,
            // a count that is not zero makes a control record, so only what went wrong is counted
            counts: [("failed".to_owned(), failed)].into_iter().filter(|(_, n)| *n > 0).collect(),
            requirements: Vec::new(),
            started_at: None,
            finished_at: None,
        }
    }
}

/// Reads a JUnit report.
///
/// A suite is refused that declares more tests than it shows, or more failures or errors than it shows of both
/// together: something was cut out. Fewer are taken, for tools differ in whether they count nested suites, skipped
/// tests and repetitions, and in what is a failure or an error; none of that can make a failed test pass. Suites named
/// `pytest` may declare more tests, as pytest counts subtests that it does not list.
///
/// ```
/// let report = br#"<testsuite tests="2"><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite>"#;
/// let report = sealwright::ingest::junit::read(report)?;
/// assert!(!report.passed());
/// assert_eq!(report.failed_names, ["b"]);
/// # Ok::<(), sealwright::Error>(())
/// ```
///
/// # Errors
/// `MALFORMED` if it is no well-formed XML, is cut, has a document type or entities of its own, or contradicts itself;
/// `UNSUPPORTED` for another root element or an encoding other than UTF-8; `LIMIT_EXCEEDED` if it is too long or too
/// deep.
pub fn read(bytes: &[u8]) -> Result<JUnitReport> {
    if bytes.len() as u64 > limits::DOCUMENT_BYTES {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the report is longer than {} bytes; split it", limits::DOCUMENT_BYTES),
        ));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(encoding("UTF-16"));
    }
    let declared = declared_encoding(bytes);
    if let Some(name) =
        declared.as_deref().filter(|n| !matches!(n.to_ascii_lowercase().as_str(), "utf-8" | "us-ascii" | "ascii"))
    {
        return Err(encoding(name));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| malformed(format_args!("is not UTF-8: {e}")))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut reading = Reading::default();
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Start(start) => reading.open(&start)?,
            Event::Empty(start) => {
                reading.open(&start)?;
                reading.close()?;
            }
            Event::End(_) => reading.close()?,
            Event::DocType(_) => return Err(malformed("has a document type, which is not read")),
            Event::GeneralRef(entity) => {
                let known = matches!(&*entity.borrow().into_inner(), "lt" | "gt" | "amp" | "quot" | "apos");
                if !known && !entity.is_char_ref() {
                    return Err(malformed("has an entity of its own, which is not read"));
                }
            }
            Event::Text(text) if reading.open.is_empty() && !text.borrow().into_inner().trim().is_empty() => {
                return Err(malformed("has text outside of its root element"));
            }
            Event::CData(_) if reading.open.is_empty() => {
                return Err(malformed("has text outside of its root element"));
            }
            Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return reading.end(),
        }
    }
}

fn statement(report: &Report<'_>) -> Result<Vec<Statement>> {
    let told = report.told;
    let mut result = read(report.bytes)?.test_result(report.told_kind()?);
    result.configuration = told.configuration.clone();
    result.tool = told.tool.as_ref().map(super::Tool::descriptor);
    result.report = Some(report.descriptor.clone());
    (result.started_at, result.finished_at) = (told.started_at, told.finished_at);
    Ok(vec![Statement::new(report.subjects(&[])?, &result)?])
}

/// An element whose end was not read yet.
enum Open {
    Suite(Suite),
    Case(Case),
    Other,
}

/// A `testsuites` or `testsuite`.
#[derive(Default)]
struct Suite {
    name: String,
    declared_tests: Option<u64>,
    /// The larger of its `failures` and `errors`; some tools count a test in both.
    declared_faults: Option<u64>,
    tests: u64,
    /// `failure` and `error` elements, of which one test may have several.
    faults: u64,
}

#[derive(Default)]
struct Case {
    name: String,
    millis: u64,
    failures: u64,
    errors: u64,
    skipped: bool,
}

#[derive(Default)]
struct Reading {
    report: JUnitReport,
    open: Vec<Open>,
    closed: bool,
}

impl Reading {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<()> {
        if self.open.len() >= DEPTH {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the report is nested deeper than {DEPTH} elements"),
            ));
        }
        let local = start.local_name();
        let element: &str = local.as_ref();
        if self.open.is_empty() {
            if self.closed {
                return Err(malformed("has a second root element"));
            }
            if !matches!(element, "testsuites" | "testsuite") {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "the report has the root element `{}`; a JUnit report has `testsuites` or `testsuite`",
                        element.escape_debug()
                    ),
                ));
            }
        }
        let attributes = attributes(start)?;
        let value = |name: &str| attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let opened = match element {
            "testsuites" | "testsuite" => {
                let number = |name| value(name).map(|v| count(name, v)).transpose();
                let faults = [number("failures")?, number("errors")?];
                Open::Suite(Suite {
                    name: value("name").unwrap_or_default().to_owned(),
                    declared_tests: number("tests")?,
                    declared_faults: faults.into_iter().flatten().max(),
                    ..Suite::default()
                })
            }
            "testcase" => Open::Case(Case::new(&value)),
            "failure" | "error" | "skipped" => {
                self.mark(element);
                Open::Other
            }
            _ => Open::Other,
        };
        self.open.push(opened);
        Ok(())
    }

    /// Takes a `failure`, `error` or `skipped` to the test it stands in, or the suite, which then broke as a whole.
    fn mark(&mut self, element: &str) {
        match self.open.iter_mut().rev().find(|open| !matches!(open, Open::Other)) {
            Some(Open::Case(case)) => match element {
                "failure" => case.failures += 1,
                "error" => case.errors += 1,
                _ => case.skipped = true,
            },
            Some(Open::Suite(suite)) if element != "skipped" => {
                suite.faults += 1;
                self.report.errors += 1;
                self.report.failed_names.push(suite.name.clone());
            }
            _ => {}
        }
    }

    fn close(&mut self) -> Result<()> {
        let (tests, faults) = match self.open.pop() {
            Some(Open::Suite(suite)) => {
                suite.check()?;
                (suite.tests, suite.faults)
            }
            Some(Open::Case(case)) => {
                let faults = case.failures + case.errors;
                self.count(case);
                (1, faults)
            }
            Some(Open::Other) | None => (0, 0),
        };
        if let Some(Open::Suite(above)) = self.open.iter_mut().rev().find(|open| matches!(open, Open::Suite(_))) {
            above.tests += tests;
            above.faults += faults;
        }
        self.closed = self.open.is_empty();
        Ok(())
    }

    fn count(&mut self, case: Case) {
        let report = &mut self.report;
        report.tests += 1;
        report.duration_millis = report.duration_millis.saturating_add(case.millis);
        if case.errors > 0 {
            report.errors += 1;
        } else if case.failures > 0 {
            report.failures += 1;
        } else if case.skipped {
            report.skipped += 1;
        }
        if case.errors + case.failures > 0 {
            report.failed_names.push(case.name);
        } else if !case.skipped {
            report.passed_names.push(case.name);
        }
    }

    fn end(self) -> Result<JUnitReport> {
        if !self.open.is_empty() {
            return Err(malformed("ends before its root element does; it is cut"));
        }
        if !self.closed {
            return Err(malformed("holds no element"));
        }
        let mut report = self.report;
        if report.passed_names.len() > LISTED {
            report.passed_names.clear();
        }
        Ok(report)
    }
}

impl Suite {
    fn check(&self) -> Result<()> {
        let name = self.name.escape_debug();
        if let Some(declared) = self.declared_faults.filter(|d| *d > self.faults) {
            let shown = self.faults;
            return Err(malformed(format_args!(
                "declares {declared} failures or errors in the suite `{name}` and shows {shown}"
            )));
        }
        if let Some(declared) = self.declared_tests.filter(|d| *d > self.tests && self.name != "pytest") {
            let shown = self.tests;
            return Err(malformed(format_args!("declares {declared} tests in the suite `{name}` and shows {shown}")));
        }
        Ok(())
    }
}

impl Case {
    fn new<'a>(value: &impl Fn(&str) -> Option<&'a str>) -> Self {
        let name = value("name").unwrap_or_default();
        let mut case = Self {
            name: match value("classname").filter(|class| !class.is_empty()) {
                Some(class) => format!("{class}::{name}"),
                None => name.to_owned(),
            },
            millis: value("time").map(millis).unwrap_or_default(),
            ..Self::default()
        };
        // CTest and GoogleTest say it in an attribute, some without an element inside
        for said in [value("status"), value("result")].into_iter().flatten() {
            match said.to_ascii_lowercase().as_str() {
                "fail" | "failed" | "failure" => case.failures = 1,
                "error" | "broken" => case.errors = 1,
                "notrun" | "skipped" | "disabled" | "suppressed" | "ignored" => case.skipped = true,
                _ => {}
            }
        }
        case
    }
}

fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(malformed)?;
        if attribute.value.contains('<') {
            return Err(malformed("has a bare `<` in an attribute"));
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(malformed)?;
        let name = attribute.key.local_name();
        let name: &str = name.as_ref();
        found.push((name.to_owned(), value.into_owned()));
    }
    Ok(found)
}

fn count(name: &str, text: &str) -> Result<u64> {
    match text.trim() {
        "" => Ok(0),
        text => text.parse().map_err(|_| {
            malformed(format_args!("has the number `{}` for `{name}`, which is none", text.escape_debug()))
        }),
    }
}

/// Seconds as tools write them, also with a comma between thousands.
fn millis(text: &str) -> u64 {
    let seconds: f64 = text.trim().replace(',', "").parse().unwrap_or_default();
    if !(0.0..1e12).contains(&seconds) {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked above")]
    let millis = (seconds * 1000.0).round() as u64;
    millis
}

fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(bytes.get(..bytes.len().min(200)).unwrap_or_default()).into_owned();
    let declaration = start.trim_start_matches('\u{feff}').strip_prefix("<?xml")?.split("?>").next()?.to_owned();
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next()?;
    Some(value.get(1..)?.split(quote).next()?.to_owned())
}

fn encoding(name: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("the report is in the encoding `{}`; only UTF-8 is read, so write it in that", name.escape_debug()),
    )
}

fn malformed(fault: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, format!("the JUnit report is not sound: {fault}; run the tests again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        read(text.as_bytes()).map(|r| if r.passed() { "passed" } else { "failed" }).unwrap_or_else(|e| e.code())
    }

    #[test]
    fn a_report_passes_only_if_a_test_ran_and_none_failed() {
        for (text, verdict) in [
            ("<testsuites><testsuite tests='1'><testcase name='a'/></testsuite></testsuites>", "passed"),
            (
                "<testsuite><testcase name='a'><system-out><![CDATA[<failure/>]]></system-out></testcase></testsuite>",
                "passed",
            ),
            ("<testsuite><testcase name='a'/><testcase name='b'><skipped/></testcase></testsuite>", "passed"),
            ("<testsuite/>", "failed"),
            ("<testsuites tests='0'></testsuites>", "failed"),
            ("<testsuite><testcase name='a'><skipped/></testcase></testsuite>", "failed"),
            ("<testsuite><testcase name='a' status='notrun'/></testsuite>", "failed"),
            ("<testsuite><testcase name='a' status='failed'/></testsuite>", "failed"),
            ("<testsuite><testcase name='a'/><testcase><failure/></testcase></testsuite>", "failed"),
            ("<testsuite><testcase name='a'><x><error/></x></testcase></testsuite>", "failed"),
            ("<testsuite><error/><testcase name='a'/></testsuite>", "failed"),
            ("<testsuite failures='0'><testcase name='a'><skipped/><failure/></testcase></testsuite>", "failed"),
        ] {
            assert_eq!(code(text), verdict, "{text}");
        }
    }

    #[test]
    fn a_suite_that_declares_more_than_it_shows_is_refused() {
        for text in [
            "<testsuite tests='2'><testcase name='a'/></testsuite>",
            "<testsuite tests='1' failures='1'><testcase name='a'/></testsuite>",
            "<testsuites errors='1'><testsuite><testcase name='a'/></testsuite></testsuites>",
            "<testsuite tests='one'><testcase name='a'/></testsuite>",
            "<testsuite tests='-1'><testcase name='a'/></testsuite>",
        ] {
            assert_eq!(code(text), "MALFORMED", "{text}");
        }
        assert_eq!(code("<testsuite name='pytest' tests='5'><testcase name='a'/></testsuite>"), "passed");
    }

    #[test]
    fn documents_that_are_cut_bombs_or_no_junit_are_refused() {
        let whole = "<?xml version=\"1.0\"?><testsuite name='s'><testcase name='a'></testcase></testsuite>";
        for end in 0..whole.len() {
            assert!(!matches!(code(&whole[..end]), "passed" | "failed"), "{}", &whole[..end]);
        }
        assert_eq!(code(whole), "passed");
        let deep = format!("<testsuite>{}", "<a>".repeat(100_000));
        for (text, expected) in [
            ("<!DOCTYPE x [<!ENTITY a 'b'>]><testsuite><testcase/></testsuite>", "MALFORMED"),
            ("<testsuite>&a;<testcase/></testsuite>", "MALFORMED"),
            ("<testsuite name='&a;'><testcase/></testsuite>", "MALFORMED"),
            ("<testsuite name='a' name='b'><testcase/></testsuite>", "MALFORMED"),
            ("<testsuite name='a<b'><testcase/></testsuite>", "MALFORMED"),
            ("<testsuite><testcase/></testsuite><testsuite/>", "MALFORMED"),
            ("<testsuite><testcase/></testsuite>x", "MALFORMED"),
            ("<testsuite><testcase></testsuite></testcase>", "MALFORMED"),
            ("<?xml version='1.0' encoding='UTF-16'?><testsuite><testcase/></testsuite>", "UNSUPPORTED"),
            ("<test-run><testcase/></test-run>", "UNSUPPORTED"),
            (&*deep, "LIMIT_EXCEEDED"),
            ("{}", "MALFORMED"),
        ] {
            assert_eq!(code(text), expected, "{}", &text[..text.len().min(80)]);
        }
        assert_eq!(read(b"\xff\xfe<\0t\0").unwrap_err().code(), "UNSUPPORTED");
        assert_eq!(read(b"<testsuite><testcase name='\xe9'/></testsuite>").unwrap_err().code(), "MALFORMED");
    }

    #[test]
    fn names_counts_and_times_come_from_the_tests() {
        let text = "<testsuites><testsuite name='s' tests='2'><testcase classname='c' name='a &lt;1&gt;' time='1,000.5'>\
                    <error/><failure/></testcase><testcase name='b' time='0.0005'/></testsuite>\
                    <testsuite><testcase name='d' time='x'><failure/></testcase></testsuite></testsuites>";
        let report = read(text.as_bytes()).unwrap();
        assert_eq!((report.tests, report.failures, report.errors, report.skipped), (3, 1, 1, 0));
        assert_eq!(report.failed_names, ["c::a <1>", "d"]);
        assert_eq!(report.duration_millis, 1_000_501);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic_or_pass_for_nothing(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60),
            parts in "(<testsuite>|</testsuite>|<testcase|<failure/>|/>|>| name='|'|&lt;|<!\\[CDATA\\[|\\]\\]>|<!--|-->){0,12}",
        ) {
            let _ = read(&bytes);
            if let Ok(report) = read(parts.as_bytes()) {
                proptest::prop_assert!(!report.passed() || parts.contains("<testcase"));
            }
        }
    }
}
