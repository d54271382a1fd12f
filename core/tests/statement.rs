//! The frame of a Statement, what it refuses, and Statements that others made.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "helpers of tests fail the test by panicking")]

mod corpora;

use std::path::{Path, PathBuf};

use base64::Engine as _;
use proptest::prelude::*;
use sealwright::ErrorKind;
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::{Algorithm, Digest};
use sealwright::limits;
use sealwright::predicate::{
    Cyclonedx, Predicate, PredicateType, Promotion, Provenance, Release, Scai, Spdx, Spdx3, TestResult, Vsa,
};
use sealwright::statement::Statement;
use serde_json::{Value, json};

use self::corpora::corpora;

const V1: &str = "https://in-toto.io/Statement/v1";

#[test]
fn the_payload_is_kept_byte_for_byte() {
    let payload = r#"{ "predicate" : { "b":1.0, "a":"\u00e9" },
        "subject":[{"digest":{"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}}],
        "predicateType":"https://example.org/x", "_type":"https://in-toto.io/Statement/v1", "more": true }"#;
    let statement = Statement::parse(payload.as_bytes().to_vec()).unwrap();
    assert_eq!(statement.payload(), payload.as_bytes());
    assert_eq!(statement.payload_digest(), Digest::sha256(payload.as_bytes()));
    assert_eq!(statement.predicate_bytes(), r#"{ "b":1.0, "a":"\u00e9" }"#.as_bytes());
    assert_eq!(statement.predicate_json().unwrap(), json!({"b": 1.0, "a": "é"}));
    assert_eq!(statement.predicate().unwrap(), Predicate::Unknown);
    assert!(statement.has_subject(&Digest::new(Algorithm::Sha256, [0; 32]).unwrap()));
    assert!(!statement.has_subject(&Digest::sha256(b"")));
    assert!(statement.is_v1());
}

#[test]
fn a_statement_without_predicate_has_an_empty_one() {
    for predicate in [None, Some(Value::Null)] {
        let mut value = frame("https://example.org/x", &json!({}));
        value.as_object_mut().unwrap().remove("predicate");
        if let Some(predicate) = predicate {
            value["predicate"] = predicate;
        }
        assert_eq!(read(&value).unwrap().predicate_json().unwrap(), json!({}));
    }
}

#[test]
fn an_older_statement_is_kept_and_says_so() {
    let mut value = frame("https://example.org/x", &json!({}));
    value["_type"] = json!("https://in-toto.io/Statement/v0.1");
    assert!(!read(&value).unwrap().is_v1());
}

#[test]
fn what_is_no_statement_is_refused() {
    let sha256 = json!({"sha256": "0".repeat(64)});
    let cases = [
        ("_type", json!("https://in-toto.io/Statement/v2")),
        ("_type", Value::Null),
        ("predicateType", json!("")),
        ("predicateType", json!(1)),
        ("predicate", json!([])),
        ("predicate", json!("{}")),
        ("subject", json!([])),
        ("subject", json!({"digest": sha256})),
        ("subject", json!([{"name": "x"}])),
        ("subject", json!([{"digest": sha256}, {"uri": "pkg:npm/x"}])),
        ("subject", json!([{"digest": {}}])),
        ("subject", json!([{"digest": {"sha256": "0".repeat(63)}}])),
        ("subject", json!([{"digest": {"sha256": "A".repeat(64)}}])),
        ("subject", json!([null])),
    ];
    for (member, value) in cases {
        let mut statement = frame("https://example.org/x", &json!({}));
        statement[member] = value.clone();
        assert_eq!(read(&statement).unwrap_err().code(), "MALFORMED", "{member} {value}");
    }
    for bytes in [&b""[..], b"[]", b"{}", b"null", b"\xff", br#"{"_type":"a","_type":"a"}"#] {
        assert_eq!(Statement::parse(bytes.to_vec()).unwrap_err().code(), "MALFORMED");
    }
}

#[test]
fn bounds_hold_for_length_depth_and_subjects() {
    let long = vec![b' '; limits::PAYLOAD_BYTES + 1];
    assert_eq!(Statement::parse(long).unwrap_err().kind(), ErrorKind::LimitExceeded);
    let deep = format!(r#"{{"predicate":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
    assert_eq!(Statement::parse(deep.into_bytes()).unwrap_err().kind(), ErrorKind::LimitExceeded);
    let mut many = frame("https://example.org/x", &json!({}));
    many["subject"] = json!(vec![json!({"digest": {"x": "y"}}); limits::SUBJECTS + 1]);
    assert_eq!(read(&many).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn another_type_than_demanded_is_the_wrong_type() {
    let statement = read(&frame(TestResult::TYPE, &json!({"result": "PASSED", "configuration": []}))).unwrap();
    let e = statement.predicate_as::<Promotion>().unwrap_err();
    assert_eq!(e.code(), "WRONG_TYPE");
    assert!(e.context().contains(&("actual", TestResult::TYPE.to_owned())));
    statement.predicate_as::<TestResult>().unwrap();
}

#[test]
fn a_new_statement_is_canonical_and_refuses_what_does_not_validate() {
    let artifact = || vec![ResourceDescriptor::of(Digest::sha256(b"x")).named("x")];
    let mut release = Release {
        purl: "pkg:npm/x@1.0.0".to_owned(),
        package_id: Some("7".to_owned()),
        release_id: None,
        release_kind: None,
    };
    let statement = Statement::new(artifact(), &release).unwrap();
    let expected = format!(
        r#"{{"_type":"{V1}","predicate":{{"packageId":"7","purl":"pkg:npm/x@1.0.0"}},"predicateType":"{}","subject":[{{"digest":{{"sha256":"{}"}},"name":"x"}}]}}"#,
        Release::TYPE,
        Digest::sha256(b"x").hex()
    );
    assert_eq!(std::str::from_utf8(statement.payload()).unwrap(), expected);
    assert_eq!(Statement::new(vec![], &release).unwrap_err().code(), "MALFORMED");
    assert_eq!(Statement::new(vec![ResourceDescriptor::at("x:y")], &release).unwrap_err().code(), "MALFORMED");
    release.purl = "pkg:npm/x".to_owned();
    assert!(Statement::new(artifact(), &release).unwrap_err().message().starts_with("`predicate.purl` has no version"));
}

#[test]
fn standard_predicates_are_read_by_their_aliases_and_refused_by_their_rules() {
    let build = json!({"buildDefinition": {"buildType": "https://example.org/b", "externalParameters": {},
        "internalParameters": null, "resolvedDependencies": [{"uri": "x:y", "name": "", "digest": {}}]},
        "runDetails": {"builder": {"id": "https://example.org/ci", "version": null}, "metadata": {"startedOn": ""}}});
    let old_release = json!({"purl": "pkg:npm/x@1", "releaseId": "7"});
    let bom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []});
    let summary = json!({"verifier": {"id": "x:v"}, "resourceUri": "x:r", "policy": {"uri": "x:p"},
        "verificationResult": "PASSED", "verifiedLevels": ["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_1"]});
    for (predicate_type, predicate) in [
        (Provenance::TYPE, &build),
        ("https://slsa.dev/provenance/v1.0", &build),
        (Release::TYPE, &old_release),
        ("https://in-toto.io/attestation/release/v0.1", &old_release),
        (Cyclonedx::TYPE, &bom),
        ("https://cyclonedx.org/bom/v1.4", &bom),
        (Vsa::TYPE, &summary),
        (Scai::TYPE, &json!({"attributes": [{"attribute": "NON_ROOT"}]})),
    ] {
        let read = read(&frame(predicate_type, predicate)).unwrap().predicate().unwrap();
        assert_ne!(read, Predicate::Unknown, "{predicate_type}");
    }
    let release = read(&frame(Release::TYPE, &old_release)).unwrap().predicate_as::<Release>().unwrap();
    assert_eq!(release.package_id.as_deref(), Some("7"));
    let kept = read(&frame(Cyclonedx::TYPE, &bom)).unwrap().predicate_as::<Cyclonedx>().unwrap();
    assert_eq!(serde_json::to_value(&kept).unwrap(), bom);

    let mut two_levels = summary.clone();
    two_levels["verifiedLevels"] = json!(["SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_3"]);
    let mut no_policy = summary;
    no_policy["policy"] = json!({"digest": {"sha256": "0".repeat(64)}});
    let report = json!({"result": "PASSED", "configuration": [], "sealwright_report": {"uri": "x:y"}});
    let times = json!({"result": "PASSED", "configuration": [], "sealwright_startedAt": "2026-01-02T00:00:00Z",
        "sealwright_finishedAt": "2026-01-01T00:00:00Z"});
    for (predicate_type, predicate, field) in [
        (Vsa::TYPE, two_levels, "verifiedLevels"),
        (Vsa::TYPE, no_policy, "policy.uri"),
        (Scai::TYPE, json!({"attributes": []}), "attributes"),
        (Release::TYPE, json!({"purl": "npm/x@1"}), "purl"),
        (Cyclonedx::TYPE, json!({"bomFormat": "SPDX", "specVersion": "1.6"}), "bomFormat"),
        (TestResult::TYPE, report, "sealwright_report.digest"),
        (TestResult::TYPE, times, "sealwright_finishedAt"),
    ] {
        let e = read(&frame(predicate_type, &predicate)).unwrap().predicate().expect_err(field);
        assert!(e.message().starts_with(&format!("`predicate.{field}` ")), "{e}");
    }
    for predicate in [json!({"result": "OK", "configuration": []}), json!({"result": "PASSED"})] {
        assert_eq!(read(&frame(TestResult::TYPE, &predicate)).unwrap().predicate().unwrap_err().code(), "MALFORMED");
    }
}

#[test]
fn an_sbom_is_signed_with_all_that_it_holds_and_kept_as_it_was_written() {
    let bom = r#"{"specVersion":"1.6", "z":1, "bomFormat":"CycloneDX","components":[{"type":"library","name":"a","x":[2.5]}]}"#;
    let spdx = r#"{"spdxVersion":"SPDX-2.3", "SPDXID":"SPDXRef-DOCUMENT", "packages":[{"name":"a"}]}"#;
    let spdx3 = r#"{"@graph":[{"a":1}], "@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","z":null}"#;
    fn holds<P: PredicateType + std::fmt::Debug>(text: &str, as_json: fn(&P) -> &str) {
        let value: Value = serde_json::from_str(text).unwrap();
        let predicate = P::parse(text.as_bytes()).unwrap();
        assert_eq!(as_json(&predicate), text);
        let subject = ResourceDescriptor::of(Digest::sha256(b"a"));
        let signed = Statement::new(vec![subject.clone()], &predicate).unwrap();
        assert_eq!(signed, Statement::from_json(P::TYPE, vec![subject], &value).unwrap());
        assert_eq!(signed.predicate_json().unwrap(), value);
        // what two readers could understand in two ways is refused wherever it stands
        let twice = text.replacen('{', r#"{"q":{"k":1,"k":2},"#, 1);
        assert_eq!(P::parse(twice.as_bytes()).unwrap_err().kind(), ErrorKind::Malformed);
    }
    holds::<Cyclonedx>(bom, |p| p.as_json());
    holds::<Spdx>(spdx, |p| p.as_json());
    holds::<Spdx3>(spdx3, |p| p.as_json());
}

#[test]
fn statements_of_archivista_are_read_or_refused_as_their_names_say() {
    let Some(dir) = corpora("in-toto/archivista") else { return };
    for (name, good) in [("build", true), ("package", true), ("fail", true), ("invalid_payload", false)] {
        let path = dir.join(format!("{name}.attestation.json"));
        let statement = payload(&path).map(Statement::parse);
        assert_eq!(matches!(statement, Some(Ok(_))), good, "{name}: {statement:?}");
    }
}

#[test]
fn statements_that_other_tools_signed_are_read_with_their_predicates() {
    // two bundles of npm's own tests whose names say what is wrong with them
    let broken = ["bad-dsse-payload-bundle.json", "no-provenance-subject-bundle.json"];
    let mut seen = 0;
    for folder in ["slsa-verifier/cli-testdata", "sigstore-bundles"] {
        let Some(dir) = corpora(folder) else { return };
        for path in files(&dir) {
            let Some(payload) = payload(&path) else { continue };
            if broken.iter().any(|name| path.ends_with(name)) {
                assert_eq!(Statement::parse(payload).unwrap_err().code(), "MALFORMED");
                continue;
            }
            let statement = Statement::parse(payload).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            seen += 1;
            if let Err(e) = statement.predicate() {
                // a few bundles of Sigstore's staging instance hold provenance without its required parameters
                let definition = &statement.predicate_json().unwrap()["buildDefinition"];
                assert!(definition.get("externalParameters").is_none(), "{}: {e}", path.display());
            }
        }
    }
    assert!(seen >= 150, "only {seen} statements");
}

proptest! {
    #[test]
    fn arbitrary_json_never_panics(predicate in any_json(), which in 0..TYPES.len()) {
        if let Ok(statement) = read(&frame(TYPES[which], &predicate)) {
            let _ = (statement.predicate(), statement.is_control(), statement.tags());
        }
        let _ = read(&predicate);
    }

    #[test]
    fn an_example_with_one_member_replaced_never_panics(value in any_json(), at in 0usize..400, which in 0..EXAMPLES.len()) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/predicates/{}.json", EXAMPLES[which]));
        let mut example: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut left = at;
        replace(&mut example, &mut left, &value);
        if let Ok(statement) = read(&example) {
            let _ = (statement.predicate(), statement.is_control(), statement.tags());
        }
    }

    #[test]
    fn what_is_written_of_arbitrary_json_is_its_canonical_form(value in any_json()) {
        let predicate = json!({ "v": value });
        let statement = Statement::from_json("t", vec![ResourceDescriptor::of(Digest::sha256(b"a"))], &predicate);
        match sealwright::json::canonical("predicate", &predicate) {
            Ok(canonical) => {
                let statement = statement.unwrap();
                prop_assert_eq!(statement.predicate_bytes(), canonical);
            }
            Err(e) => prop_assert_eq!(statement.unwrap_err().code(), e.code()),
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Statement::parse(bytes);
    }
}

const TYPES: &[&str] = &[
    Provenance::TYPE,
    TestResult::TYPE,
    Cyclonedx::TYPE,
    Vsa::TYPE,
    Scai::TYPE,
    Release::TYPE,
    Promotion::TYPE,
    "https://in-toto.io/attestation/vulns/v0.2",
    "https://openvex.dev/ns",
    "https://sealwright.dev/attestation/key-access/v0.1",
];

const EXAMPLES: &[&str] = &[
    "change-request",
    "approval",
    "policy-evaluation",
    "promotion",
    "deployment",
    "environment-snapshot",
    "drift-report",
    "evidence-pack",
    "trust-policy",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "pkg:.{0,20}".prop_map(Value::from),
    ];
    let names = prop_oneof![
        ".{0,6}",
        "(purl|result|scanner|attributes|statements|conditions|sealwright_counts|verifiedLevels|decision|digest|uri)"
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(names.clone(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Replaces the value that is number `left` of all, from the outside in.
fn replace(place: &mut Value, left: &mut usize, with: &Value) {
    if *left == 0 {
        *place = with.clone();
        *left = usize::MAX;
        return;
    }
    *left -= 1;
    match place {
        Value::Array(list) => list.iter_mut().for_each(|value| replace(value, left, with)),
        Value::Object(members) => members.values_mut().for_each(|value| replace(value, left, with)),
        _ => {}
    }
}

fn frame(predicate_type: &str, predicate: &Value) -> Value {
    json!({"_type": V1, "subject": [{"digest": {"sha256": "0".repeat(64)}}],
        "predicateType": predicate_type, "predicate": predicate})
}

fn read(value: &Value) -> sealwright::Result<Statement> {
    Statement::parse(serde_json::to_vec(value).unwrap())
}

/// The decoded payload of a DSSE envelope, or of a bundle or line that holds one; nothing if there is none.
fn payload(path: &Path) -> Option<Vec<u8>> {
    let text = std::fs::read(path).unwrap();
    let value: Value = serde_json::Deserializer::from_slice(&text).into_iter().next()?.ok()?;
    let envelope = value.get("dsseEnvelope").unwrap_or(&value);
    let media_type = envelope.get("payloadType")?.as_str()?;
    if media_type != "application/vnd.in-toto+json" {
        return None;
    }
    base64::engine::general_purpose::STANDARD.decode(envelope.get("payload")?.as_str()?).ok()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn a_new_statement_is_the_canonical_form_of_its_members_whatever_they_hold() {
    let digest = Digest::sha256(b"artifact");
    let plain = ResourceDescriptor::of(digest.clone()).named("a \"b\"\\ \u{7}\u{1f}\u{7f}\u{e9}\u{2028}\u{1f600}/\n");
    let full: ResourceDescriptor = serde_json::from_value(json!({
        "uri": "pkg:generic/a@1", "name": "a", "mediaType": "text/plain", "downloadLocation": "https://example.org/a",
        "digest": { "sha512": "ab".repeat(64), "sha256": digest.hex(), "blake3": "x" }, "content": "YQ==" }))
    .unwrap();
    let odd: ResourceDescriptor = serde_json::from_value(json!({
        "digest": { "\u{1f600}": "x", "\u{ff5e}": "y", "sha256": digest.hex() } }))
    .unwrap();
    let noted: ResourceDescriptor = serde_json::from_value(json!({
        "annotations": { "b": 1.0, "a": [{ "z": 1e3, "y": null }] }, "digest": { "sha256": digest.hex() } }))
    .unwrap();
    let predicate = json!({ "z": [1.0, 1e21, { "b": 1, "a": "\u{7}" }], "\u{e9}": {}, "a": null });
    for subjects in [
        vec![plain.clone()],
        vec![full.clone(), plain.clone()],
        vec![odd.clone()],
        vec![noted.clone()],
        vec![plain, full, odd, noted],
    ] {
        let statement = Statement::from_json("https://example.org/\u{e9}/v1", subjects.clone(), &predicate).unwrap();
        let whole = sealwright::json::canonical(
            "statement",
            &json!({ "_type": "https://in-toto.io/Statement/v1", "subject": subjects,
                "predicateType": "https://example.org/\u{e9}/v1", "predicate": predicate }),
        )
        .unwrap();
        assert_eq!(String::from_utf8_lossy(statement.payload()), String::from_utf8_lossy(&whole));
        assert_eq!(Statement::parse(whole).unwrap(), statement);
    }
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let subject = || vec![ResourceDescriptor::of(Digest::sha256(b"artifact"))];
    let code = |predicate_type: &str, subjects, predicate: &Value| {
        Statement::from_json(predicate_type, subjects, predicate).unwrap_err().code()
    };
    let nothing = json!({});
    assert_eq!(code("", subject(), &nothing), "MALFORMED");
    assert_eq!(code("t", vec![], &nothing), "MALFORMED");
    assert_eq!(code("t", vec![ResourceDescriptor::at("https://example.org/a")], &nothing), "MALFORMED");
    for no_object in [json!([]), json!("{}"), Value::Null] {
        assert_eq!(code("t", subject(), &no_object), "MALFORMED", "{no_object}");
    }
    let deep = |levels| (0..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
    assert_eq!(code("t", subject(), &deep(200)), "LIMIT_EXCEEDED");
    let statement = Statement::from_json("t", subject(), &deep(100)).unwrap();
    assert_eq!(Statement::parse(statement.payload().to_vec()).unwrap(), statement);
    for levels in 110..140 {
        let predicate = deep(levels);
        let whole = frame("t", &predicate).to_string().into_bytes();
        let written = Statement::from_json("t", subject(), &predicate);
        assert_eq!(written.is_ok(), Statement::parse(whole).is_ok(), "{levels}");
    }
    let long = json!({ "a": "x".repeat(limits::PAYLOAD_BYTES) });
    assert_eq!(code("t", subject(), &long), "LIMIT_EXCEEDED");
}
