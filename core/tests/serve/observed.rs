//! What an operator sees: the log, metrics, readiness; and what of it nobody may see.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use sealwright::predicate::TestOutcome;
use sealwright::statement::Statement;

use crate::team::{PLANTED, Team, submission};
use crate::world::{artifact, test_result};

#[test]
fn each_line_of_the_log_is_json_and_tells_no_secret() {
    let team = Team::new();
    let running = team.start();
    let token = team.token("build");
    assert_eq!(running.ask("POST", "/v1/records", Some(&token), &submission(&[team.note("x")])).status, 200);
    running.ask("POST", "/v1/records", Some(&token), format!("{{\"{PLANTED}\":1}}").as_bytes());
    running.ask("GET", &format!("/{PLANTED}?token={token}"), Some(&token), b"");
    running.ask("GET", "/checkpoint", Some(&format!("{token}{PLANTED}")), b"");
    running.ask_with("GET", "/checkpoint", &format!("Authorization: Basic {PLANTED}\r\n"), b"");
    running.ask(PLANTED, "/checkpoint", Some(&token), b"");
    running.stop();
    let text = team.log.text();
    let lines = team.log.lines();
    assert!(lines.len() >= 8, "{text}");
    for line in &lines {
        for field in ["time", "level", "event"] {
            assert!(line[field].is_string(), "{line}");
        }
        line["time"].as_str().unwrap().parse::<sealwright::timestamp::Timestamp>().unwrap();
    }
    assert!(
        lines
            .iter()
            .any(|l| l["event"] == "request" && l["route"] == "submit" && l["caller"] == "build" && l["status"] == 200)
    );
    assert!(lines.iter().any(|l| l["event"] == "caller-refused"));
    assert!(lines.iter().any(|l| l["event"] == "stopped"));
    for part in token.split('.').chain([PLANTED]) {
        assert!(!text.contains(part), "{part} in {text}");
    }
}

/// The samples of a metrics text, by name with labels.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut typed = BTreeMap::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(typed.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.split_once(' ').is_some_and(|(_, help)| !help.is_empty()), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let bare = name.split('{').next().unwrap();
            assert!(bare.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|s| bare.strip_suffix(s))
                .filter(|f| typed.contains_key(*f));
            assert!(typed.contains_key(family.unwrap_or(bare)), "no type: {line}");
            assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
    }
    samples
}

#[test]
fn the_metrics_are_prometheus_text_and_count_what_happened() {
    let team = Team::new();
    let running = team.start();
    let token = team.token("build");
    for n in 0..3 {
        running.ask("POST", "/v1/records", Some(&token), &submission(&[team.note(&n.to_string())]));
    }
    running.ask("POST", "/v1/records", Some(&token), &submission(&[team.note("0")]));
    running.ask("POST", "/v1/records", Some(&team.token("deploy")), &submission(&[team.note("9")]));
    running.ask("GET", "/checkpoint", None, b"");
    let answer = running.ask("GET", "/metrics", Some(&team.token("monitor")), b"");
    assert!(answer.headers["content-type"].starts_with("text/plain; version=0.0.4"));
    let samples = samples(&answer.text());
    let of = |name: &str| samples[&format!("sealwright_ledger_{name}")];
    assert_eq!(of("records_appended_total"), 3.0);
    assert_eq!(of("records_already_there_total"), 1.0);
    assert_eq!(of("callers_refused_total"), 1.0);
    assert_eq!(of("requests_total{route=\"submit\",status=\"200\"}"), 4.0);
    assert_eq!(of("requests_total{route=\"submit\",status=\"403\"}"), 1.0);
    assert_eq!(of("entries"), 4.0);
    assert_eq!(of("requests_in_flight"), 1.0);
    assert_eq!(of("request_seconds_count"), of("request_seconds_bucket{le=\"+Inf\"}"));
    let buckets: Vec<f64> =
        samples.iter().filter(|(n, _)| n.contains("request_seconds_bucket")).map(|(_, v)| *v).collect();
    assert_eq!(buckets.len(), 11);
}

#[test]
fn s011_evidence_that_comes_late_raises_the_lag_and_is_told() {
    let team = Team::new();
    let running = team.start_with(&Team::config("lag-alert-seconds = 600", ""));
    let submit = |seconds: i64| {
        let mut test = test_result(&team.world, TestOutcome::Passed);
        test.finished_at = Some(team.now().plus_millis(-seconds * 1000));
        let statement = Statement::new(vec![team.world.subject(&artifact())], &test).unwrap();
        let record = team.signed("tester", &statement);
        let answer = running.ask("POST", "/v1/records", Some(&team.token("build")), &submission(&[record]));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let metrics = running.ask("GET", "/metrics", Some(&team.token("monitor")), b"").text();
        let samples = samples(&metrics);
        let of = |name: &str| samples[&format!("sealwright_ledger_{name}")];
        (of("evidence_lag_last_seconds"), of("late_records_total"), of("evidence_lag_seconds_bucket{le=\"300\"}"))
    };
    assert_eq!(submit(5), (5.0, 0.0, 1.0));
    assert_eq!(submit(601), (601.0, 1.0, 1.0));
    // a clock ahead of the ledger's makes no record early
    assert_eq!(submit(-3600), (0.0, 1.0, 2.0));
    let late: Vec<_> = team.log.lines().into_iter().filter(|line| line["event"] == "late-evidence").collect();
    assert_eq!((late.len(), late[0]["lagSeconds"].as_u64()), (1, Some(601)));
    running.stop();
}

#[test]
fn a_ledger_that_can_no_longer_be_read_is_not_ready() {
    let team = Team::new();
    let running = team.start();
    assert_eq!(running.ask("GET", "/readyz", None, b"").status, 200);
    let checkpoint = team.world.folder().join("checkpoint");
    std::fs::rename(&checkpoint, team.dir().join("aside")).unwrap();
    let ready = |expected: u16| {
        (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            running.ask("GET", "/readyz", None, b"").status == expected
        })
    };
    assert!(ready(503));
    assert_eq!(running.ask("GET", "/healthz", None, b"").status, 200);
    assert!(team.log.lines().iter().any(|line| line["event"] == "ledger-refused"));
    std::fs::rename(team.dir().join("aside"), &checkpoint).unwrap();
    assert!(ready(200));
    let _ = team.clock.load(Ordering::Relaxed);
}

#[test]
fn a_record_that_was_there_before_does_not_tell_that_the_disk_takes_something_again() {
    let team = Team::new();
    let running = team.start();
    let submit = |text: &str| {
        let records = submission(&[team.note(text)]);
        running.ask("POST", "/v1/records", Some(&team.token("build")), &records).status
    };
    let ready = || running.ask("GET", "/readyz", None, b"").status;
    assert_eq!(submit("first"), 200);
    // where the next record would be written something else lies
    let place = team.world.folder().join("journal");
    std::fs::create_dir_all(place.join("in the way")).unwrap();
    assert_eq!((submit("second"), ready()), (503, 503));
    std::fs::remove_dir_all(&place).unwrap();
    assert_eq!((submit("first"), ready()), (200, 503), "it was looked up");
    assert!(team.log.lines().iter().all(|line| line["event"] != "recovered"));
    assert_eq!((submit("second"), ready()), (200, 200));
    assert_eq!(team.log.lines().iter().filter(|line| line["event"] == "recovered").count(), 1);
    running.stop();
}
