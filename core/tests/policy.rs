//! Bundles and the engine: what loads, what is refused, and that nothing undecided passes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what tests share may panic as they may")]

#[cfg(test)]
mod policy_input;

use std::collections::BTreeSet;

use policy_input::*;
use sealwright::policy::{CheckResult, Enforcement, EvaluationResult, PolicyBundle, evaluate_json, starter_bundle};
use serde_json::{Value, json};

fn document() -> Value {
    serde_json::from_slice(&starter_bundle().unwrap()).unwrap()
}

fn parse(document: &Value) -> sealwright::Result<PolicyBundle> {
    PolicyBundle::parse(&sealwright::json::canonical("bundle", document).unwrap())
}

/// The starter's metadata and tables for these checks, with one rule file of our own.
fn small(checks: &[&str], rego: &str) -> Value {
    let mut document = document();
    let keep = |check: &Value| checks.contains(&check["id"].as_str().unwrap());
    document["checks"].as_array_mut().unwrap().retain(keep);
    document["modules"] = json!({ "own.rego": format!("package sealwright\n\nimport rego.v1\n\n{rego}") });
    document
}

const PASS: &str = r#"{"outcome": "PASSED", "fields": [], "evidence": []}"#;

/// Why a bundle with this rule beside a sound one is refused.
fn refusal(rego: &str) -> String {
    let sound = format!("checks[\"EV-ART-001\"] := {PASS} if input.gate == \"dev\"\n\n{rego}");
    let e = parse(&small(&["EV-ART-001"], &sound)).unwrap_err();
    assert_eq!(e.code(), "MALFORMED", "{rego}");
    e.message().to_owned()
}

#[test]
fn the_starter_carries_or_names_every_default_check_once() {
    let bundle = starter();
    let (profile, left_out) = (bundle.profile(), bundle.left_out());
    assert_eq!((profile.name.as_str(), profile.single_operator), ("starter", true));
    let carried: Vec<&str> = bundle.checks().iter().map(|check| check.id.as_str()).collect();
    let whole: Vec<&str> = left_out.iter().filter(|l| l.part == "all").map(|l| l.check.as_str()).collect();
    let all: BTreeSet<&str> = carried.iter().chain(&whole).copied().collect();
    assert_eq!((carried.len(), whole.len(), all.len()), (21, 44, 65));
    assert!(left_out.iter().all(|l| !l.why.is_empty() && (l.part == "all" || carried.contains(&l.check.as_str()))));
    let why = |id: &str| left_out.iter().find(|l| l.check == id).unwrap().why.as_str();
    assert_eq!(why("EV-LOG-002"), "no witness and no time-stamp authority");
    assert_eq!(why("EV-VULN-001"), "this starter bundle does not carry it yet");
    assert!(left_out.iter().any(|l| l.check == "EV-APPR-002" && l.part == "S7: different administrators"));
}

#[test]
fn s056_the_same_input_gives_the_same_bytes_whatever_the_order_of_its_keys() {
    let bundle = starter();
    assert_eq!(starter_bundle().unwrap(), starter_bundle().unwrap());
    for (gate, code) in [("prod", "NOT_ENTITLED"), ("dev", "BAD_SIGNATURE")] {
        let mut input = good(&bundle, gate, "security-sensitive");
        let refused = json!([{ "index": 8, "payload": payload(8), "code": code, "signer": "x", "predicateType": null,
                               "actor": null, "why": "?" }]);
        set(&mut input, "/records/refused", refused);
        let bytes = |text: &str| serde_json::to_vec(&evaluate_json(&bundle, text.as_bytes())).unwrap();
        let first = bytes(&input.to_string());
        assert_eq!(first, bytes(&input.to_string()));
        assert_eq!(first, bytes(&reversed(&input)));
        assert_eq!(first, serde_json::to_vec(&decide(&starter(), &input)).unwrap());
        let result: Value = serde_json::from_slice(&first).unwrap();
        let canonical = sealwright::json::canonical("input", &input).unwrap();
        assert_eq!(result["inputDigest"], sealwright::digest::Digest::sha256(&canonical).hex());
        assert_eq!(result["engine"], "pkg:cargo/regorus@0.14.1");
    }
}

/// The same JSON with the keys of each object in reverse.
fn reversed(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let parts = map.iter().rev().map(|(key, value)| format!("{} : {}", json!(key), reversed(value)));
            format!("{{ {} }}", parts.collect::<Vec<_>>().join(" , "))
        }
        Value::Array(list) => format!("[ {} ]", list.iter().map(reversed).collect::<Vec<_>>().join(" , ")),
        plain => plain.to_string(),
    }
}

#[test]
fn s057_each_key_of_the_input_removed_in_turn_refuses() {
    let bundle = starter();
    let whole = good(&bundle, "prod", "security-sensitive");
    let mut keys = Vec::new();
    pointers(&whole, "", &mut keys);
    assert!(keys.len() > 300, "{}", keys.len());
    for pointer in keys {
        let mut input = whole.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        input.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
        let evaluation = decide(&bundle, &input);
        assert_eq!(evaluation.result, EvaluationResult::Error, "{pointer}");
        assert!(evaluation.checks.iter().all(|check| check.result == CheckResult::Error), "{pointer}");
        assert!(evaluation.problem.is_some());
    }
}

fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            found.push(format!("{at}/{key}"));
            pointers(value, &format!("{at}/{key}"), found);
        }),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, value)| pointers(value, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

#[test]
fn no_value_of_the_input_makes_the_starters_rules_fail_instead_of_decide() {
    let bundle = starter();
    let mut whole = good(&bundle, "prod", "security-sensitive");
    let refused = json!([{ "index": 8, "payload": null, "code": "EXPIRED", "signer": null, "predicateType": null,
                           "actor": null, "why": "?" }]);
    set(&mut whole, "/records/refused", refused);
    set(&mut whole, "/approvals/-", approval(70, "promotion", "erin", &[], &[], &Value::Null));
    let (mut keys, mut decided) = (Vec::new(), 0);
    pointers(&whole, "", &mut keys);
    // a payload that is no digest cannot be named as evidence, which is an error and has its own test
    keys.retain(|pointer| !pointer.starts_with("/profile") && !pointer.ends_with("/payload"));
    for pointer in &keys {
        for value in [Value::Null, json!(""), json!("REJECTED"), json!(0), json!([]), json!(false)] {
            let mut input = whole.clone();
            set(&mut input, pointer, value.clone());
            let evaluation = decide(&bundle, &input);
            match evaluation.problem {
                // it is no input at all
                Some(problem) => {
                    assert!(problem.starts_with("policy input is not what"), "{pointer} {value}: {problem}");
                }
                None => {
                    assert_ne!(evaluation.result, EvaluationResult::Error, "{pointer} {value}");
                    decided += 1;
                }
            }
        }
    }
    assert!(decided > 300, "{decided}");
}

#[test]
fn s057_each_list_of_evidence_emptied_in_turn_refuses() {
    let bundle = starter();
    for pointer in [
        "/evidence/provenance",
        "/evidence/sbom",
        "/evidence/tests",
        "/custody/deployments",
        "/approvals",
        "/custody/promotions",
        "/change/revisions",
        "/change/repositories",
        "/change/authors",
        "/policy/digest",
    ] {
        let mut input = good(&bundle, "prod", "security-sensitive");
        set(&mut input, pointer, if pointer == "/policy/digest" { json!("") } else { json!([]) });
        assert_eq!(decide(&bundle, &input).result, EvaluationResult::Failed, "{pointer}");
    }
    for pointer in ["/change", "/deployer", "/artifact/sha256"] {
        let mut input = good(&bundle, "prod", "security-sensitive");
        set(&mut input, pointer, Value::Null);
        assert_eq!(decide(&bundle, &input).result, EvaluationResult::Failed, "{pointer}");
    }
}

#[test]
fn s057_a_rule_that_is_undefined_or_of_another_shape_is_an_error_and_never_a_pass() {
    let shapes = [
        (r#"{"outcome": "PASSED", "fields": [], "evidence": []} if input.gate == "prod""#, "undefined for this input"),
        (r#"true if input.gate == "dev""#, "wrong shape"),
        (r#""PASSED" if input.gate == "dev""#, "wrong shape"),
        (r#"{"outcome": "PASS", "fields": [], "evidence": []}"#, "wrong shape"),
        (r#"{"outcome": "EXCEPTED", "fields": [], "evidence": []}"#, "wrong shape"),
        (r#"{"outcome": "PASSED", "evidence": []} if input.gate == "dev""#, "missing field `fields`"),
        (
            r#"{"outcome": "PASSED", "fields": [], "evidence": [], "more": 1} if input.gate == "dev""#,
            "unknown field `more`",
        ),
        (r#"{"outcome": "PASSED", "fields": [{"a": [1]}], "evidence": []} if input.gate == "dev""#, "wrong shape"),
        (r#"{"outcome": "PASSED", "fields": [], "evidence": ["x"]} if input.gate == "dev""#, "no payload digest"),
    ];
    for (shape, cause) in shapes {
        let rego =
            format!("checks[\"EV-ART-001\"] := {shape}\n\nchecks[\"EV-SIG-001\"] := {PASS} if input.gate == \"dev\"\n");
        let bundle = parse(&small(&["EV-ART-001", "EV-SIG-001", "EV-POL-002"], &rego)).unwrap();
        let evaluation = decide(&bundle, &good(&bundle, "dev", "operational"));
        assert_eq!(evaluation.result, EvaluationResult::Error, "{shape}");
        assert_eq!(refused(&evaluation), ["EV-ART-001", "EV-POL-002"], "{shape}");
        let check = outcome(&evaluation, "EV-ART-001");
        assert_eq!(check.result, CheckResult::Error);
        assert!(check.message.as_deref().unwrap().contains(cause), "{:?}", check.message);
        // EV-POL-002 names the check that was not decided
        let message = outcome(&evaluation, "EV-POL-002").message.clone().unwrap();
        assert!(message.contains("Check EV-ART-001 could not be evaluated: "), "{message}");
        assert!(message.ends_with("Fix: Fix the input or rule; an error never passes."), "{message}");
    }
}

#[test]
fn s057_an_engine_error_leaves_all_undecided() {
    for rego in [
        // a builtin that fails, two rules that contradict each other
        "checks[\"EV-ART-001\"] := {\"outcome\": \"PASSED\", \"fields\": [], \"evidence\": []} if to_number(input.gate) > 0",
        "checks[\"EV-ART-001\"] := {\"outcome\": \"PASSED\", \"fields\": [], \"evidence\": []} if input.gate == \"dev\"\n\n\
         checks[\"EV-ART-001\"] := {\"outcome\": \"FAILED\", \"fields\": [], \"evidence\": []} if input.gate == \"dev\"",
    ] {
        let bundle = parse(&small(&["EV-ART-001", "EV-POL-002"], rego)).unwrap();
        let evaluation = decide(&bundle, &good(&bundle, "dev", "operational"));
        assert_eq!(refused(&evaluation), ["EV-ART-001", "EV-POL-002"]);
        assert_eq!(evaluation.result, EvaluationResult::Error);
        assert!(evaluation.problem.as_deref().unwrap().starts_with("the rules failed: "), "{:?}", evaluation.problem);
    }
}

#[test]
fn s057_an_input_that_does_not_belong_to_the_bundle_is_undecided() {
    let bundle = starter();
    let of = |broken: &dyn Fn(&mut Value)| {
        let mut input = good(&bundle, "prod", "operational");
        broken(&mut input);
        let evaluation = decide(&bundle, &input);
        assert_eq!(evaluation.result, EvaluationResult::Error);
        evaluation.problem.unwrap()
    };
    assert!(of(&|i| set(i, "/profile/name", json!("default"))).contains("is for profile `default`"));
    assert!(of(&|i| set(i, "/profile/leavesOut", json!([]))).contains("is for profile"));
    assert!(of(&|i| set(i, "/gate", json!("dispose"))).contains("does not decide the gate `dispose`"));
    assert!(of(&|i| set(i, "/gate", json!("policy"))).contains("does not decide the gate `policy`"));
    assert!(of(&|i| set(i, "/approval", json!([]))).contains("unknown field `approval`"));
    assert!(of(&|i| set(i, "/ledger/size", json!("90"))).contains("expected u64"));
    assert_eq!(evaluate_json(&bundle, b"{}").result, EvaluationResult::Error);
    assert_eq!(evaluate_json(&bundle, &vec![b' '; 17 << 20]).result, EvaluationResult::Error);
}

#[test]
fn s059_a_check_without_a_part_of_its_metadata_does_not_load() {
    let whole = document();
    assert!(parse(&whole).is_ok());
    let parts: Vec<String> = whole["checks"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(parts.len(), 12);
    for part in parts {
        let mut without = whole.clone();
        without["checks"][3].as_object_mut().unwrap().remove(&part);
        assert!(parse(&without).unwrap_err().message().contains(&format!("missing field `{part}`")), "{part}");
        let mut empty = whole.clone();
        let list = matches!(part.as_str(), "controls" | "gates");
        empty["checks"][3][&part] = if list { json!([]) } else { json!(" ") };
        assert_eq!(parse(&empty).unwrap_err().code(), "MALFORMED", "{part}");
    }
}

#[test]
fn s059_checks_and_rules_go_together() {
    let told = |document: &Value| parse(document).unwrap_err().message().to_owned();
    // a rule without metadata, metadata without a rule, a check twice, a check no table asks, no check at all
    let mut one = document();
    one["checks"].as_array_mut().unwrap().remove(3);
    assert!(told(&one).contains("a rule defines the check `EV-ART-001`, which has no metadata"));
    assert!(told(&small(&["EV-ART-001"], "x := 1")).contains("the check `EV-ART-001` has no rule"));
    let mut twice = document();
    let first = twice["checks"][0].clone();
    twice["checks"].as_array_mut().unwrap().push(first);
    assert!(told(&twice).contains("the check `EV-SIG-001` stands twice"));
    let mut unasked = document();
    unasked["tables"]["evidence"].as_array_mut().unwrap().retain(|row| row["check"] != "EV-SRC-002");
    assert!(told(&unasked).contains("`EV-SRC-002` stands in no row"));
    assert!(told(&small(&[], "x := 1")).contains("it carries no check"));
    let mut own = small(&["EV-POL-002"], &format!("checks[\"EV-POL-002\"] := {PASS} if input.gate == \"dev\""));
    assert!(told(&own).contains("which the core decides"));
    own["profile"]["leavesOut"][0] = json!({ "check": "EV-POL-002", "part": "all", "why": "?" });
    assert!(told(&own).contains("leaves out all of `EV-POL-002`, which the bundle carries"));
}

#[test]
fn rules_that_could_abort_the_process_or_read_the_world_do_not_load() {
    for (rego, why) in [
        ("f(x) := f(x + 1)", "recursion through `f`"),
        ("f(x) := g(x)\n\ng(x) := f(x)", "recursion through `f`, `g`"),
        ("a if b\n\nb if not a", "recursion through `a`, `b`"),
        ("a if { count([1 | a]) > 0 }", "recursion through `a`"),
        ("a[x] := y if { x := \"k\"; y := a.other }", "recursion through `a`"),
        ("x := http.send({\"url\": \"https://example.org\"})", "`own.rego:7` are refused: it calls `http.send`"),
        ("x := time.now_ns()", "it calls `time.now_ns`"),
        ("x := rand.intn(\"a\", 5)", "it calls `rand.intn`"),
        ("x := opa.runtime()", "it calls `opa.runtime`"),
        ("x := numbers.range(1, 60000000)", "it calls `numbers.range`"),
        ("x := no_such_function(1)", "it calls `no_such_function`"),
        ("x := sprintf(\"%900000000d\", [1])", "`sprintf` takes a literal format"),
        ("x := sprintf(input.gate, [1])", "`sprintf` takes a literal format"),
        ("x if { checks[\"EV-ART-001\"] with input as {} }", "it uses `with`"),
        ("x := data", "it reads `data` elsewhere"),
        ("x := data.sealwright.checks", "it reads `data` elsewhere"),
        ("x := data[input.gate]", "it reads `data` elsewhere"),
        ("default x := true", "it has a default that passes"),
        ("default x := {\"outcome\": \"PASSED\"}", "it has a default that passes"),
        ("default checks[\"EV-ART-001\"] := false", "an outcome is not written as"),
        ("checks contains \"EV-ART-001\"", "an outcome is not written as"),
        ("checks[x] := 1 if x := \"EV-ART-001\"", "an outcome is not written as"),
        ("checks.x := 1", "an outcome is not written as"),
        (&format!("checks[\"EV-SIG-001\"] := {PASS}"), "`EV-SIG-001` passes without a condition"),
        ("input := {}", "input cannot be shadowed"),
        ("count(x) := 1", "it defines `count`"),
        ("x[concat(\"\", [\"a\"])] := 1", "hold more than a name"),
        ("x := 1 if {", "own.rego:"),
        ("x if { y == 1 }", "own.rego:7:"),
    ] {
        let message = refusal(rego);
        assert!(message.contains(why), "{rego}: {message}");
    }
    let mut other = small(&["EV-ART-001"], "x := 1");
    for (text, why) in [
        ("package other\nimport rego.v1\nx := 1", "its package is not `sealwright`"),
        ("package sealwright.more\nimport rego.v1\nx := 1", "its package is not `sealwright`"),
        (
            "package sealwright\nimport rego.v1\nimport data.tables as t\nx := 1",
            "`more.rego:3` are refused: it imports",
        ),
    ] {
        other["modules"]["more.rego"] = json!(text);
        let message = parse(&other).unwrap_err().message().to_owned();
        assert!(message.contains(why), "{text}: {message}");
    }
    let deep = format!("x := {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(refusal(&deep).contains("own.rego"));
}

#[test]
fn a_bundle_is_read_strictly_and_in_one_form() {
    let bytes = starter_bundle().unwrap();
    let bundle = PolicyBundle::parse(&bytes).unwrap();
    assert_eq!(*bundle.digest(), sealwright::digest::Digest::sha256(&bytes));
    let pretty = serde_json::to_vec_pretty(&document()).unwrap();
    assert!(PolicyBundle::parse(&pretty).unwrap_err().message().contains("not in canonical form"));
    let mut more = document();
    more["more"] = json!(1);
    assert!(parse(&more).unwrap_err().message().contains("unknown field `more`"));
    let mut open = document();
    open["tables"]["evidence"][0].as_object_mut().unwrap().remove("prod");
    assert!(parse(&open).unwrap_err().message().contains("has no column `prod`"));
    assert_eq!(PolicyBundle::parse(&vec![b' '; 17 << 20]).unwrap_err().code(), "LIMIT_EXCEEDED");
}

#[test]
fn a_bundle_in_which_nothing_is_asked_or_nothing_passed_refuses() {
    let rego = format!("checks[\"EV-PROM-001\"] := {PASS} if input.gate == \"prod\"");
    let bundle = parse(&small(&["EV-PROM-001", "EV-POL-002"], &rego)).unwrap();
    let evaluation = decide(&bundle, &good(&bundle, "dev", "operational"));
    assert_eq!(outcome(&evaluation, "EV-PROM-001").result, CheckResult::NotApplicable);
    assert_eq!(outcome(&evaluation, "EV-POL-002").result, CheckResult::Passed);
    assert_eq!(evaluation.result, EvaluationResult::Failed);
    // all before their day: told, and not enough to pass
    let mut future = small(&["EV-PROM-001"], &rego);
    future["checks"][0]["effectiveOn"] = json!("2099-01-01T00:00:00Z");
    let bundle = parse(&future).unwrap();
    let evaluation = decide(&bundle, &good(&bundle, "prod", "operational"));
    let check = outcome(&evaluation, "EV-PROM-001");
    assert_eq!((check.result, check.enforcement), (CheckResult::Passed, Enforcement::Advisory));
    assert_eq!(evaluation.result, EvaluationResult::Failed);
    // a day that cannot be read is past
    future["checks"][0]["effectiveOn"] = json!("some day");
    let bundle = parse(&future).unwrap();
    assert_eq!(decide(&bundle, &good(&bundle, "prod", "operational")).result, EvaluationResult::Passed);
}

#[test]
fn every_cell_of_the_tables_is_asked_as_it_says() {
    let (bundle, tables) = (starter(), document()["tables"].clone());
    let mut required = 0;
    for class in ["dev", "staging", "prod"] {
        for category in CATEGORIES {
            let evaluation = decide(&bundle, &good(&bundle, class, category));
            for check in bundle.checks() {
                let rows =
                    tables["evidence"].as_array().unwrap().iter().filter(|row| row["check"] == check.id.as_str());
                let cell = |row: &Value| {
                    let column = &row[class];
                    let cell = if column["any"].is_null() { &column[category] } else { &column["any"] };
                    cell["need"].as_str().unwrap().to_owned()
                };
                let cells: Vec<String> = rows.map(cell).collect();
                let got = outcome(&evaluation, &check.id);
                let wanted = if cells.contains(&"R".to_owned()) {
                    required += 1;
                    (CheckResult::Passed, Enforcement::Enforced)
                } else if cells.contains(&"W".to_owned()) {
                    (CheckResult::Passed, Enforcement::Advisory)
                } else {
                    (CheckResult::NotApplicable, Enforcement::Enforced)
                };
                assert_eq!((got.result, got.enforcement), wanted, "{} {class} {category}", check.id);
            }
        }
    }
    // counted from the tables by hand: 8 checks into dev, 20 into staging, 21 into prod, in five categories
    assert_eq!(required, 5 * (8 + 20 + 21));
}

#[test]
fn each_kind_of_test_that_a_cell_demands_is_missed() {
    let (bundle, tables) = (starter(), document()["tables"].clone());
    for class in ["staging", "prod"] {
        for category in CATEGORIES {
            for row in tables["evidence"].as_array().unwrap() {
                for kind in row["testKinds"].as_array().into_iter().flatten() {
                    let mut input = good(&bundle, class, category);
                    input["evidence"]["tests"].as_array_mut().unwrap().retain(|test| test["kind"] != *kind);
                    let wanted = if row[class][category]["need"] == "R" { &["EV-TEST-001"][..] } else { &[] };
                    let evaluation = decide(&bundle, &input);
                    let missed: Vec<&str> =
                        refused(&evaluation).into_iter().filter(|id| *id != "EV-TEST-002").collect();
                    assert_eq!(missed, wanted, "{class} {category} {kind}");
                }
            }
        }
    }
}

#[test]
fn each_person_the_tables_demand_is_missed() {
    let bundle = starter();
    for class in ["staging", "prod"] {
        for category in CATEGORIES {
            let whole = good(&bundle, class, category);
            for place in 0..whole["approvals"].as_array().unwrap().len() {
                let mut input = whole.clone();
                let taken = input["approvals"].as_array_mut().unwrap().remove(place);
                // the one seat the starter fills without need: `auto` into production for a cosmetic change
                if class == "prod" && category == "cosmetic" && taken["stage"] == "promotion" {
                    continue;
                }
                let wanted = if taken["stage"] == "promotion" { "EV-APPR-001" } else { "EV-SRC-001" };
                assert!(refused(&decide(&bundle, &input)).contains(&wanted), "{class} {category} {place}");
            }
        }
    }
}

#[test]
fn what_is_unknown_is_judged_as_the_strictest() {
    let bundle = starter();
    let of = |broken: &dyn Fn(&mut Value)| {
        let mut input = good(&bundle, "prod", "cosmetic");
        set(&mut input, "/approvals", reviews("cosmetic").into());
        assert!(refused(&decide(&bundle, &input)).is_empty());
        broken(&mut input);
        refused(&decide(&bundle, &input)).iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()
    };
    let all = ["EV-SRC-001", "EV-APPR-001", "EV-APPR-002"];
    assert_eq!(of(&|i| set(i, "/change/categories", json!(["harmless"]))), all);
    assert_eq!(of(&|i| set(i, "/change/categories", json!([]))), all);
    assert_eq!(of(&|i| set(i, "/change/categories", json!(["cosmetic", "harmless"]))), all);
    assert_eq!(of(&|i| set(i, "/change/bumped", json!(true))), ["EV-APPR-001"]);
    assert_eq!(of(&|i| set(i, "/change/emergency", json!(true))), Vec::<String>::new());
    // an unknown gate is prod, and so is a gate that names less than its target
    for gate in ["production-eu", "dev", "staging", "test"] {
        let mut input = good(&bundle, "prod", "operational");
        set(&mut input, "/gate", json!(gate));
        assert!(refused(&decide(&bundle, &input)).is_empty());
        set(&mut input, "/custody/promotions", json!([]));
        assert_eq!(refused(&decide(&bundle, &input)), ["EV-PROM-001"], "{gate}");
    }
    // a tier below that of the categories is not believed
    let mut input = good(&bundle, "prod", "security-sensitive");
    set(&mut input, "/change/tier", json!("low"));
    set(&mut input, "/approvals/2/approver/person", Value::Null);
    assert_eq!(refused(&decide(&bundle, &input)), ["EV-APPR-001"]);
}
