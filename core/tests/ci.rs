//! Provenance from what a CI system says: each system on its documented variables, and secrets that stay out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

use std::collections::BTreeMap;

use sealwright::artifact::ResourceDescriptor;
use sealwright::ci::{CiRun, CiSystem, Environment, PLAIN_MACHINE, detect, detect_among, plain_machine, system};
use sealwright::digest::{Algorithm, Digest};
use sealwright::predicate::{PredicateType, Provenance};
use sealwright::provenance::Build;
use sealwright::statement::Statement;
use serde_json::{Value, json};

const SYSTEMS: [&str; 5] = ["github-actions", "gitlab-ci", "jenkins", "buildkite", "azure-pipelines"];
const COMMIT: &str = "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d";
/// In no variable that a record may hold.
const SECRET: &str = "planted-secret-";

fn fixture(system: &str) -> (BTreeMap<String, String>, Value) {
    let path = format!("{}/../fixtures/ci/{system}.json", env!("CARGO_MANIFEST_DIR"));
    let mut fixture: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    (serde_json::from_value(fixture["environment"].take()).unwrap(), fixture["provenance"].take())
}

fn environment(variables: &BTreeMap<String, String>) -> Environment {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn run() -> CiRun {
    CiRun::finished("2026-11-21T09:30:00Z".parse().unwrap())
}

fn of(variables: &BTreeMap<String, String>) -> sealwright::Result<Provenance> {
    let environment = environment(variables);
    detect(&environment)?.unwrap().provenance(&environment, &run())
}

fn statement(provenance: &Provenance) -> Statement {
    Statement::new(vec![ResourceDescriptor::of(Digest::sha256(b"artifact"))], provenance).unwrap()
}

#[test]
fn each_system_is_told_by_its_variables_and_its_provenance_says_what_they_say() {
    for system in SYSTEMS {
        let (variables, expected) = fixture(system);
        let environment = environment(&variables);
        let found = detect(&environment).unwrap().unwrap();
        assert_eq!(found.name(), system);
        let provenance = found.provenance(&environment, &run()).unwrap();
        assert_eq!(serde_json::to_value(&provenance).unwrap(), expected, "{system}");
    }
}

#[test]
fn what_is_written_is_read_by_the_view_of_a_build_as_source_ref_and_commit() {
    for system in SYSTEMS {
        let (variables, expected) = fixture(system);
        let build = Build::of(&statement(&of(&variables).unwrap())).unwrap();
        let source = build.source.unwrap();
        let uri = expected["buildDefinition"]["resolvedDependencies"][0]["uri"].as_str().unwrap();
        assert_eq!(format!("{}@{}", source.repository, source.reference.unwrap()), uri, "{system}");
        assert_eq!(source.commit.as_deref(), Some(COMMIT), "{system}");
    }
}

#[test]
fn a_tag_a_branch_and_a_change_are_told_apart() {
    let reference = |system: &str, set: &[(&str, &str)]| {
        let (mut variables, _) = fixture(system);
        for (name, value) in set {
            variables.insert((*name).to_owned(), (*value).to_owned());
        }
        Build::of(&statement(&of(&variables).unwrap())).unwrap().source.unwrap().reference.unwrap()
    };
    assert_eq!(reference("gitlab-ci", &[("CI_COMMIT_TAG", "v2"), ("CI_COMMIT_BRANCH", "")]), "refs/tags/v2");
    let request = [("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/1/head"), ("CI_COMMIT_BRANCH", "")];
    assert_eq!(reference("gitlab-ci", &request), "refs/merge-requests/1/head");
    assert_eq!(reference("jenkins", &[("TAG_NAME", "v2")]), "refs/tags/v2");
    assert_eq!(reference("jenkins", &[("BRANCH_NAME", "PR-12"), ("CHANGE_ID", "12")]), "change/12");
    assert_eq!(reference("jenkins", &[("BRANCH_NAME", "")]), "refs/heads/main", "from `origin/main`");
    assert_eq!(reference("buildkite", &[("BUILDKITE_TAG", "v2")]), "refs/tags/v2");
}

#[test]
fn no_secret_of_any_documented_variable_is_in_a_record() {
    for system in SYSTEMS {
        let (variables, _) = fixture(system);
        assert!(variables.values().any(|v| v.contains(SECRET)), "{system} has planted secrets");
        let payload = statement(&of(&variables).unwrap());
        assert!(!String::from_utf8_lossy(payload.payload()).contains(SECRET), "{system}");
    }
}

#[test]
fn a_secret_planted_into_any_variable_refuses_or_stays_out_and_is_told_by_nobody() {
    let tokens = [
        "ghp_0123456789abcdefghijABCDEFGHIJ456789",
        "https://ann:correcthorse@example.org/x",
        "https://correcthorse@example.org/x",
        "glpat-correcthorse0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLW9mLWFubg",
        "-----BEGIN EC PRIVATE KEY-----\ncorrecthorse",
        "main xoxb-123456789012-correcthorse",
    ];
    for system in SYSTEMS {
        let (variables, _) = fixture(system);
        let mut refused = 0;
        for name in variables.keys() {
            for token in tokens {
                let mut planted = variables.clone();
                planted.insert(name.clone(), token.to_owned());
                let environment = environment(&planted);
                let found = match detect(&environment) {
                    Ok(Some(found)) => found,
                    Ok(None) => continue,
                    Err(e) => panic!("{e}"),
                };
                match found.provenance(&environment, &run()) {
                    Ok(provenance) => {
                        let bytes = serde_json::to_string(&provenance).unwrap();
                        assert!(!bytes.contains(token) && !bytes.contains("correcthorse"), "{system} {name} {token}");
                    }
                    Err(e) => {
                        let said = format!("{e:?} {e}");
                        assert!(!said.contains(token) && !said.contains("correcthorse"), "{system} {name}: {said}");
                        refused += 1;
                    }
                }
            }
            // what the system reads of it, it does not take from a variable that holds a secret by its name
            let mut planted = variables.clone();
            planted.insert("DEPLOY_TOKEN".to_owned(), "correct-horse-battery".to_owned());
            planted.insert(name.clone(), "correct-horse-battery".to_owned());
            if let Ok(provenance) = of_any(system, &planted) {
                assert!(!serde_json::to_string(&provenance).unwrap().contains("correct-horse"), "{system} {name}");
            }
        }
        assert!(refused > 20, "{system}: {refused}");
    }
}

fn of_any(system: &str, variables: &BTreeMap<String, String>) -> sealwright::Result<Provenance> {
    let all = CiSystem::built_in().unwrap();
    all.iter().find(|s| s.name() == system).unwrap().provenance(&environment(variables), &run())
}

#[test]
fn each_variable_that_must_be_there_is_named_when_it_is_missing() {
    for system in SYSTEMS {
        let (variables, _) = fixture(system);
        let named: Vec<String> = CiSystem::built_in()
            .unwrap()
            .iter()
            .find(|s| s.name() == system)
            .map(|s| s.variables().into_iter().map(str::to_owned).collect())
            .unwrap();
        assert!(named.len() >= 8);
        let mut needed = 0;
        for name in named {
            let mut without = variables.clone();
            without.remove(&name);
            if let Err(e) = of_any(system, &without) {
                assert_eq!(e.code(), "NOT_FOUND", "{system} without {name}: {e}");
                assert!(e.message().contains(&name), "{e}");
                needed += 1;
            }
        }
        assert!(needed >= 3, "{system}: {needed}");
    }
    let (mut variables, _) = fixture("buildkite");
    variables.insert("BUILDKITE_COMMIT".to_owned(), "HEAD".to_owned());
    assert_eq!(of(&variables).unwrap_err().code(), "MALFORMED");
}

#[test]
fn an_environment_of_two_systems_must_be_told_which_and_one_of_none_is_none() {
    let (mut both, _) = fixture("jenkins");
    both.extend(fixture("github-actions").0);
    let e = detect(&environment(&both)).unwrap_err();
    assert_eq!(e.code(), "API_MISUSE");
    assert!(e.message().contains("jenkins") && e.message().contains("github-actions"), "{e}");
    let none = Environment::from_iter([("CI", "true"), ("PATH", "/bin")]);
    assert!(detect(&none).unwrap().is_none());
}

#[test]
fn another_system_is_added_as_data() {
    let toml = br#"
name = "forge"
build-type = "https://example.org/buildtypes/forge/v1"
builder-id = "https://forge.example/{FORGE_RUNNER|encode}"
[detect]
FORGE = "*"
[source]
repository = "{FORGE_REPO}"
commit = "{FORGE_COMMIT}"
[external]
target = ["{FORGE_TARGET}", "all"]
"#;
    let forge = CiSystem::parse(toml).unwrap();
    let environment = Environment::from_iter([
        ("FORGE", "1"),
        ("FORGE_RUNNER", "big one"),
        ("FORGE_REPO", "https://forge.example/acme/shop"),
        ("FORGE_COMMIT", COMMIT),
    ]);
    let found = detect_among(&environment, [forge]).unwrap().unwrap();
    let provenance = found.provenance(&environment, &run().with_parameter("profile", "release")).unwrap();
    assert_eq!(provenance.run_details.builder.id, "https://forge.example/big%20one");
    assert_eq!(
        Value::Object(provenance.build_definition.external_parameters),
        json!({"target": "all", "profile": "release"})
    );
    let text = String::from_utf8(toml.to_vec()).unwrap();
    for (from, to) in [
        ("{FORGE_REPO}", "{FORGE_TOKEN}"),
        ("{FORGE_REPO}", "{FORGE_REPO"),
        ("{FORGE_REPO}", "FORGE_REPO}"),
        ("{FORGE_REPO}", "{}"),
        ("|encode", "|shout"),
        ("FORGE = \"*\"", ""),
        ("[source]", "[source]\nbranch = \"x\""),
        ("name = \"forge\"", "name = \"\""),
        ("target =", "password ="),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert_eq!(CiSystem::parse(changed.as_bytes()).unwrap_err().code(), "MALFORMED", "{to}");
    }
}

#[test]
fn a_plain_machine_says_what_its_owner_says_and_no_secret_either() {
    let source = ResourceDescriptor::of(Digest::from_hex(Algorithm::GitCommit, COMMIT).unwrap());
    let named = source.clone().with_uri("git+https://example.org/shop@refs/heads/main");
    let provenance = plain_machine("https://example.org/machines/7", named.clone(), &run()).unwrap();
    assert_eq!(provenance.build_definition.build_type, PLAIN_MACHINE);
    provenance.validate().unwrap();
    let build = Build::of(&statement(&provenance)).unwrap();
    assert_eq!(build.source.unwrap().branch(), Some("main"));
    let secret = run().with_parameter("registry", "https://ann:secret@example.org");
    let late = run().started("2026-11-22T00:00:00Z".parse().unwrap());
    for e in [
        plain_machine("seven", named.clone(), &run()),
        plain_machine("https://example.org/machines/7", source, &run()),
        plain_machine("https://example.org/machines/7", named.clone(), &secret),
        plain_machine("https://example.org/machines/7", named.clone(), &late),
    ] {
        assert_eq!(e.unwrap_err().code(), "MALFORMED");
    }
    let taken = run().with_parameter("source", "x");
    assert_eq!(plain_machine("https://example.org/m", named, &taken).unwrap_err().code(), "API_MISUSE");
}

#[test]
fn an_environment_as_json_is_read_strictly_and_never_shown() {
    let environment = Environment::from_json(br#"{"A_TOKEN":"correct-horse"}"#).unwrap();
    assert_eq!(format!("{environment:?}"), "Environment(1 variables)");
    for bad in [&br#"{"A":1}"#[..], b"[]", b"", br#"{"A":"correct-horse","A":"b"}"#, br#"correct-horse"#] {
        let e = Environment::from_json(bad).unwrap_err();
        assert_eq!(e.code(), "MALFORMED");
        assert!(!format!("{e:?}").contains("correct-horse"), "{e:?}");
    }
}

#[test]
fn a_system_is_taken_by_its_name_or_found_and_a_run_is_read_from_data() {
    let (variables, expected) = fixture("buildkite");
    let environment = environment(&variables);
    let at = "2026-11-21T09:30:00Z".parse().unwrap();
    let run = CiRun::from_json(br#"{"parameters":{"profile":"release"}}"#, at).unwrap();
    for name in ["auto", "buildkite"] {
        let found = system(name, &environment, []).unwrap().provenance(&environment, &run).unwrap();
        assert_eq!(found.run_details.builder.id, expected["runDetails"]["builder"]["id"]);
        assert_eq!(found.build_definition.external_parameters["profile"], "release");
    }
    let nowhere = Environment::default();
    assert_eq!(system("auto", &nowhere, []).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(system("plain", &environment, []).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(CiRun::from_json(br#"{"ended":"now"}"#, at).unwrap_err().code(), "MALFORMED");
    let bytes = |text: &[u8]| std::os::unix::ffi::OsStringExt::from_vec(text.to_vec());
    let all = [(bytes(b"BUILDKITE"), bytes(b"true")), (bytes(b"OTHER"), bytes(b"\xff"))];
    assert_eq!(format!("{:?}", Environment::of_os(all)), "Environment(1 variables)");
}
