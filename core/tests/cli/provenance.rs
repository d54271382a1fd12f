//! Provenance from a CI system's variables, and what is demanded of it when it is verified.

use serde_json::{Value, json};

use crate::place::Place;

const COMMIT: &str = "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d";
/// What tells each built-in system; empty, a variable is not set.
const TOLD_BY: [&str; 5] = ["GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "BUILDKITE", "TF_BUILD"];

/// A place with a key and an artifact, and the variables of a build on this system.
fn place(system: &str) -> (Place, Vec<(String, String)>) {
    let place = Place::new();
    place.key("ci", "p256");
    place.write("shop.bin", "the artifact");
    let fixture = format!("{}/../fixtures/ci/{system}.json", env!("CARGO_MANIFEST_DIR"));
    let fixture: Value = serde_json::from_slice(&std::fs::read(fixture).unwrap()).unwrap();
    let mut variables: Vec<_> = TOLD_BY.iter().map(|name| ((*name).to_owned(), String::new())).collect();
    for (name, value) in fixture["environment"].as_object().unwrap() {
        variables.push((name.clone(), value.as_str().unwrap().to_owned()));
    }
    (place, variables)
}

fn attest(place: &Place, variables: &[(String, String)], more: &str) -> (i32, Value) {
    let vars: Vec<_> = variables.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let line = format!("attest provenance {more} --subject shop.bin --key ci.pem --out p.json --json");
    let ran = place.run_with(&vars, &line);
    (ran.code, serde_json::from_str(&ran.out).unwrap())
}

const VERIFY: &str = "verify shop.bin --bundle p.json --key ci.pub";

#[test]
fn what_the_ci_system_says_is_signed_and_demanded() {
    let (place, variables) = place("github-actions");
    let (code, answer) = attest(&place, &variables, "--ci auto --ci-parameter profile=release");
    assert_eq!(code, 0, "{answer:#}");
    let workflow = "https://github.com/octocat/shop/.github/workflows/release.yml";
    let answer = place.json(
        0,
        &format!(
            "{VERIFY} --source-uri github.com/octocat/shop --source-tag v1.4.0 --source-versioned-tag v1 \
             --source-commit {COMMIT} --builder-id {workflow}@v1.4.0 --image-tag latest \
             --build-type https://actions.github.io/buildtypes/workflow/v1"
        ),
    );
    assert_eq!(answer["build"]["source"]["commit"], COMMIT);
    assert_eq!(answer["build"]["externalParameters"]["profile"], "release");
    assert_eq!(answer["findings"][0]["field"], "imageTag");
    let text = place.pass(&format!("{VERIFY} --source-tag v1.4.0 --image-tag latest"));
    assert!(text.contains("warning: imageTag") && text.contains("refs/tags/v1.4.0"), "{text}");
    for (flags, field) in [
        ("--source-uri github.com/octocat/other", "sourceUri"),
        ("--source-branch main", "sourceBranch"),
        ("--source-tag v1.4.1", "sourceTag"),
        ("--source-versioned-tag v2", "sourceVersionedTag"),
        ("--builder-id https://example.org/builder", "builderId"),
        ("--build-type https://example.org/type", "buildType"),
        ("--build-workflow-input a=b", "workflowInputs.a"),
    ] {
        let answer = place.json(1, &format!("{VERIFY} {flags}"));
        assert_eq!(answer["error"]["code"], "EXPECTATION_UNMET", "{flags}");
        assert_eq!(answer["error"]["context"]["field"], field, "{flags}");
    }
    place.write("demands.json", json!({"allowedParameters": ["workflow"]}).to_string());
    let answer = place.json(1, &format!("{VERIFY} --provenance-expectation demands.json"));
    assert_eq!(answer["error"]["context"]["field"], "externalParameters/profile");
}

#[test]
fn each_system_is_found_by_the_command_and_no_secret_is_in_what_it_signs() {
    for system in ["gitlab-ci", "jenkins", "buildkite", "azure-pipelines"] {
        let (place, variables) = place(system);
        let (code, answer) = attest(&place, &variables, "--ci auto");
        assert_eq!(code, 0, "{system}: {answer:#}");
        let answer = place.json(0, &format!("{VERIFY} --source-branch main --source-commit {COMMIT}"));
        assert!(!answer.to_string().contains("planted-secret"), "{system}");
        assert!(!String::from_utf8(place.read("p.json")).unwrap().contains("planted-secret"), "{system}");
    }
}

#[test]
fn another_system_and_a_plain_machine_are_named() {
    let (place, mut variables) = place("buildkite");
    variables.retain(|(name, _)| name != "BUILDKITE");
    variables.push(("BUILDKITE".to_owned(), String::new()));
    let (code, answer) = attest(&place, &variables, "--ci auto");
    assert_eq!((code, answer["error"]["code"].as_str()), (2, Some("NOT_FOUND")), "{answer:#}");
    place.write(
        "forge.toml",
        "name = 'forge'\nbuild-type = 'https://example.org/forge/v1'\nbuilder-id = 'https://example.org/forge'\n\
         [detect]\nBUILDKITE_TIMEOUT = '15'\n[source]\nrepository = '{BUILDKITE_REPO|repository}'\ncommit = '{BUILDKITE_COMMIT}'\n",
    );
    let (code, answer) = attest(&place, &variables, "--ci auto --ci-system forge.toml");
    assert_eq!(code, 0, "{answer:#}");
    place.json(0, &format!("{VERIFY} --builder-id https://example.org/forge"));
    place.git("init -q");
    place.git("remote add origin https://ann:secret@example.org/shop.git");
    place.git("add shop.bin");
    place.git("commit -qm First");
    let (code, answer) = attest(&place, &variables, "--ci plain");
    assert_eq!((code, answer["error"]["code"].as_str()), (2, Some("API_MISUSE")), "{answer:#}");
    let machine = "--ci plain --builder-id https://example.org/machines/7 --ci-dependency pkg:npm/x@1=sha256:";
    let (code, answer) = attest(&place, &variables, &format!("{machine}{}", "0".repeat(64)));
    assert_eq!(code, 0, "{answer:#}");
    let head = place.git("rev-parse HEAD");
    let flags = "--builder-id https://example.org/machines/7 --source-uri example.org/shop";
    let answer = place.json(0, &format!("{VERIFY} {flags} --source-commit {}", head.trim()));
    assert_eq!(answer["build"]["dependencies"][1]["uri"], "pkg:npm/x@1");
}

#[test]
fn a_summary_is_written_and_demanded() {
    let (place, _) = place("jenkins");
    let summary = json!({
        "verifier": {"id": "https://example.org/verifier"},
        "resourceUri": "pkg:generic/shop@1.4.0",
        "policy": {"uri": "https://example.org/policies/7"},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
    });
    place.write("vsa.json", summary.to_string());
    place.pass("attest vsa --predicate vsa.json --subject shop.bin --key ci.pem --out p.json");
    let verifier = "--vsa-verifier https://example.org/verifier --vsa-resource pkg:generic/shop@1.4.0";
    let answer = place.json(0, &format!("{VERIFY} {verifier} --vsa-level SLSA_BUILD_LEVEL_2"));
    assert_eq!(answer["summary"]["verifiedLevels"], json!(["SLSA_BUILD_LEVEL_3"]));
    let answer = place.json(1, &format!("{VERIFY} --vsa-level SLSA_BUILD_LEVEL_4"));
    assert_eq!(answer["error"]["context"]["field"], "verifiedLevels");
    assert_eq!(place.json(1, &format!("{VERIFY} --source-tag v1"))["error"]["code"], "WRONG_TYPE");
}
