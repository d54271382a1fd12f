//! Reading reports in tests: with what must be told filled in.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests, each with its own part of it")]

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

/// A case of `fixtures/cases/ingest`: its report, by its name below `fixtures`, with what is told of it.
pub(crate) fn run_case(input: &Value, report: &[u8]) -> Result<Ingested, Error> {
    let told = Told::from_json(&serde_json::to_vec(&input["told"]).unwrap())?;
    read(report, &told, input["now"].as_str().unwrap().parse()?)
}
