//! Reading reports in tests: with what must be told filled in.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests, each with its own part of it"
)]

use sealwright::Error;
use sealwright::ingest::{Ingested, Told, read};
use sealwright::json::Value;
use serde_json::json;

/// A moment after all reports of the fixtures.
pub(crate) const NOW: &str = "2026-11-21T09:30:00Z";

/// Something that reports are about.
pub(crate) fn subject() -> Value {
    json!({"name": "shop", "digest": {"sha256": "6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d"}})
}

pub(crate) fn told(value: &Value) -> Told {
    Told::from_json(&serde_json::to_vec(value).unwrap()).unwrap()
}

/// Reads it as this format, and tells what the report itself does not say.
pub(crate) fn read_as(format: &str, bytes: &[u8]) -> Result<Ingested, Error> {
    let mut ended = None;
    for (tool, subjects, database) in (0..8).map(|i| (i & 1 == 1, i & 2 == 2, i & 4 == 4)) {
        let mut said = json!({"format": format, "kind": "sast", "finishedAt": "2026-11-20T12:00:00Z"});
        if tool {
            said["tool"] = json!({"name": format.trim_end_matches("-audit"), "version": "1.0"});
            if ["pip-audit", "cargo-audit"].contains(&format) {
                said["tool"]["name"] = json!(format);
            }
        }
        if subjects {
            said["subjects"] = json!([subject()]);
        }
        if database {
            said["databaseDate"] = json!("2026-11-20T00:00:00Z");
        }
        let read = read(bytes, &told(&said), NOW.parse().unwrap());
        if read.is_ok() || read.as_ref().is_err_and(|e| e.code() != "API_MISUSE") {
            return read;
        }
        ended = Some(read);
    }
    ended.unwrap()
}

/// All findings of a report, of every level.
pub(crate) fn findings(taken: &Ingested) -> u64 {
    const LEVELS: [&str; 6] = ["critical", "high", "unknown", "medium", "low", "info"];
    let counts = |statement: &Value| {
        let counts = statement["sealwright_counts"].as_object().cloned().unwrap_or_default();
        counts.iter().filter(|(word, _)| LEVELS.contains(&word.as_str())).filter_map(|(_, n)| n.as_u64()).sum::<u64>()
    };
    taken.statements.iter().map(|statement| counts(&statement.predicate_json().unwrap())).sum()
}

/// The statements of a report as the cases of the fixtures write them: without the random nonce.
pub(crate) fn statements(taken: &Ingested) -> Value {
    let each = taken.statements.iter().map(|statement| {
        let mut predicate = statement.predicate_json().unwrap();
        if let Some(members) = predicate.as_object_mut() {
            members.remove("nonce");
        }
        json!({"predicateType": statement.predicate_type(), "subject": statement.subjects(), "predicate": predicate})
    });
    json!({"format": taken.format, "statements": each.collect::<Vec<_>>()})
}

/// What the case of this name gives, with `told` beside what it tells itself.
pub(crate) fn case_with(name: &str, told: &Value) -> Result<Ingested, Error> {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let case = std::fs::read(fixtures.join(format!("cases/ingest/{name}.json"))).unwrap();
    let mut case: Value = serde_json::from_slice(&case).unwrap();
    for (member, value) in told.as_object().unwrap() {
        case["input"]["told"][member] = value.clone();
    }
    let report = std::fs::read(fixtures.join(case["input"]["report"].as_str().unwrap())).unwrap();
    run_case(&case["input"], &report)
}

/// What the case of this name gives.
pub(crate) fn case(name: &str) -> Ingested {
    case_with(name, &json!({})).unwrap()
}

/// Each claim of a case: its attribute, and why it does not hold, if it does not.
pub(crate) fn claims(name: &str) -> Vec<(String, Option<String>)> {
    let mut claims = Vec::new();
    for statement in case(name).statements {
        let predicate = statement.predicate_json().unwrap();
        for claim in predicate["attributes"].as_array().into_iter().flatten() {
            let conditions = claim["conditions"].clone();
            let number = |name: &str| conditions[name].as_f64();
            let old = |limit: &str| number("ageSeconds").zip(number(limit)).is_some_and(|(age, limit)| age > limit);
            let denied = match conditions["denied"].as_str() {
                Some(why) => Some(why.to_owned()),
                None if old("rpoSeconds") || old("maxAgeSeconds") => Some("too old".to_owned()),
                None if conditions["enforced"] == json!(false) => Some("not enforced".to_owned()),
                None => None,
            };
            claims.push((claim["attribute"].as_str().unwrap().to_owned(), denied));
        }
    }
    claims
}

/// A case of `fixtures/cases/ingest`: its report, by its name below `fixtures`, with what is told of it.
pub(crate) fn run_case(input: &Value, report: &[u8]) -> Result<Ingested, Error> {
    let told = Told::from_json(&serde_json::to_vec(&input["told"]).unwrap())?;
    read(report, &told, input["now"].as_str().unwrap().parse()?)
}
