//! Which releases contain a package, and where they run (systems row 23).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod world;

use sealwright::affected::{Affected, AffectedArtifact, Asked, RunningBy, RunningIn, affected};
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::Digest;
use sealwright::ledger::{Ledger, Query};
use sealwright::predicate::{
    Coverage, Cyclonedx, DeploymentStatus, Environment, EnvironmentSnapshot, Observed, PredicateType as _, Spdx, Vulns,
};
use sealwright::release::Deploy;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use serde_json::{Value, json};
use world::{World, dev, prod};

fn world() -> World {
    World::with_policy(|policy| {
        let builder = policy.signers.iter_mut().find(|s| s.name == "builder").unwrap();
        builder.predicate_types.extend([Spdx::TYPE, Vulns::TYPE].map(str::to_owned));
    })
}

fn digest(name: &str) -> Digest {
    Digest::sha256(name.as_bytes())
}

fn subject(name: &str) -> Value {
    json!({"digest": {"sha256": digest(name).hex()}, "name": name, "uri": format!("pkg:generic/{name}@1.0.0")})
}

fn record(world: &mut World, name: &str, predicate_type: &str, predicate: &Value) -> u64 {
    let statement = json!({"_type": "https://in-toto.io/Statement/v1", "subject": [subject(name)],
        "predicateType": predicate_type, "predicate": predicate});
    let statement = Statement::parse(statement.to_string().into_bytes()).unwrap();
    world.record("builder", &statement).unwrap().index
}

fn npm(name: &str, version: &str) -> Value {
    let purl = format!("pkg:npm/{name}@{version}");
    json!({"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl})
}

/// An SBOM of an artifact; of each edge the second needs to be a component.
fn sbom(world: &mut World, name: &str, components: &[Value], edges: &[(&str, &[&str])]) -> u64 {
    let dependencies: Vec<_> = edges.iter().map(|(from, to)| json!({"ref": from, "dependsOn": to})).collect();
    let bom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components,
        "metadata": {"component": {"type": "application", "name": name, "bom-ref": "root"}}, "dependencies": dependencies});
    record(world, name, Cyclonedx::TYPE, &bom)
}

fn deploy(world: &mut World, name: &str, environment: &Environment, status: DeploymentStatus) -> Timestamp {
    let now = world.tick();
    let id = format!("{}/deployments/{name}-{}", environment.id, now.unix_millis());
    let subject: ResourceDescriptor = serde_json::from_value(subject(name)).unwrap();
    let by = world.actor("deployer");
    let mut deploy = Deploy::succeeded(id, "1.0.0", environment.clone(), vec![subject], by, now);
    deploy.status = status;
    deploy.resources = vec![format!("{}/{name}", environment.id)];
    world.deploy(deploy, None, None).unwrap();
    now
}

/// What somebody sees running: resource and artifact.
fn observe(world: &mut World, environment: &Environment, coverage: Coverage, state: &[(&str, &str)]) -> Timestamp {
    let now = world.tick();
    let mut state: Vec<Observed> = state
        .iter()
        .map(|(resource, artifact)| {
            let digest = json!({"sha256": digest(artifact).hex()});
            serde_json::from_value(json!({"resource": format!("{}/{resource}", environment.id), "digest": digest}))
                .unwrap()
        })
        .collect();
    state.sort_by(|a, b| (&a.resource, &a.digest).cmp(&(&b.resource, &b.digest)));
    let snapshot = EnvironmentSnapshot {
        environment: environment.clone(),
        observer: world.actor("observer"),
        observed_at: now,
        coverage,
        state,
        source_data: ResourceDescriptor::of(digest("raw")).named("state"),
    };
    let mut subjects = vec![ResourceDescriptor::of(snapshot.state_digest().unwrap())];
    subjects.extend(snapshot.state.iter().map(|seen| ResourceDescriptor::of(seen.digest.clone().unwrap())));
    world.record("records", &Statement::new(subjects, &snapshot).unwrap()).unwrap();
    now
}

/// The answer by the index; that by the whole log is the same.
fn ask(ledger: &Ledger, asked: &Value) -> Affected {
    let of = |complete: bool| {
        let mut asked = asked.clone();
        asked["complete"] = json!(complete);
        affected(ledger, &Asked::from_json(asked.to_string().as_bytes()).unwrap()).unwrap()
    };
    let found = of(false);
    assert_eq!(found, of(true));
    found
}

fn names(found: &Affected) -> Vec<&str> {
    found.artifacts.iter().map(|artifact| artifact.name.as_deref().unwrap()).collect()
}

fn running(world: &World, name: &str) -> Vec<RunningIn> {
    let found = ask(&world.ledger, &json!({"purl": "pkg:npm/lodash"}));
    let named = |artifact: &AffectedArtifact| artifact.name.as_deref() == Some(name);
    found.artifacts.into_iter().find(named).unwrap().running
}

#[test]
fn s023_a_seeded_component_is_found_in_exactly_the_right_services() {
    let mut world = world();
    for n in 0..40 {
        let mut components: Vec<Value> = (0..50).map(|c| npm(&format!("c{c}"), &format!("1.{n}.0"))).collect();
        if n % 10 == 3 {
            components.push(npm("lodash", if n == 13 { "4.17.21" } else { "4.17.20" }));
        }
        sbom(&mut world, &format!("s{n:02}"), &components, &[]);
        deploy(&mut world, &format!("s{n:02}"), &prod(), DeploymentStatus::Succeeded);
    }
    let found = ask(&world.ledger, &json!({"purl": "pkg:npm/lodash", "range": "<4.17.21"}));
    let mut told = names(&found);
    told.sort_unstable();
    assert_eq!(told, ["s03", "s23", "s33"]);
    for artifact in &found.artifacts {
        assert!(artifact.is_certain());
        assert_eq!(artifact.components[0].version.as_deref(), Some("4.17.20"));
        assert_eq!(artifact.running[0].environment, prod().id);
    }
    assert_eq!(names(&ask(&world.ledger, &json!({"purl": "pkg:npm/lodash@4.17.21"}))), ["s13"]);
    assert!(ask(&world.ledger, &json!({"purl": "pkg:npm/left-pad"})).artifacts.is_empty());
    assert_eq!(ask(&world.ledger, &json!({"purl": "pkg:npm/c7"})).artifacts.len(), 40);
}

#[test]
fn each_way_through_the_dependencies_begins_with_what_is_needed_directly() {
    let mut world = world();
    let components = ["a", "b", "c", "lodash"].map(|name| npm(name, "1.0.0"));
    let edges: [(&str, &[&str]); 4] = [
        ("root", &["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"]),
        ("pkg:npm/a@1.0.0", &["pkg:npm/c@1.0.0"]),
        ("pkg:npm/c@1.0.0", &["pkg:npm/lodash@1.0.0", "pkg:npm/a@1.0.0"]),
        ("pkg:npm/b@1.0.0", &["pkg:npm/lodash@1.0.0"]),
    ];
    sbom(&mut world, "shop", &components, &edges);
    let found = ask(&world.ledger, &json!({"purl": "pkg:npm/lodash"}));
    let ways: Vec<String> = found.artifacts[0].components[0].paths.iter().map(|way| way.join(" > ")).collect();
    assert_eq!(ways, ["b@1.0.0 > lodash@1.0.0", "a@1.0.0 > c@1.0.0 > lodash@1.0.0"]);
}

#[test]
fn what_can_not_be_told_is_in_the_answer() {
    let mut world = world();
    let nameless = json!({"type": "library", "name": "lodash", "version": "4.17.20"});
    sbom(&mut world, "by-name", &[nameless], &[]);
    let versionless = json!({"type": "library", "name": "lodash", "purl": "pkg:npm/lodash"});
    sbom(&mut world, "no-version", &[versionless], &[]);
    sbom(&mut world, "other", &[json!({"type": "library", "name": "lodash", "purl": "pkg:gem/lodash@1"})], &[]);
    let broken =
        record(&mut world, "broken", Cyclonedx::TYPE, &json!({"bomFormat": "CycloneDX", "specVersion": "9.9"}));
    let found = ask(&world.ledger, &json!({"purl": "pkg:npm/lodash", "range": "<4.17.21"}));
    let mut told = names(&found);
    told.sort_unstable();
    assert_eq!(told, ["by-name", "no-version"]);
    assert!(found.artifacts.iter().all(|artifact| !artifact.is_certain()));
    assert_eq!(found.unreadable, [broken]);
}

#[test]
fn boms_of_spdx_are_asked_as_well() {
    let mut world = world();
    let reference = json!([{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
        "referenceLocator": "pkg:npm/lodash@4.17.20"}]);
    let spdx = json!({"SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "name": "shop", "dataLicense": "CC0-1.0",
        "documentNamespace": "https://example.org/spdx/shop",
        "creationInfo": {"created": "2026-11-21T08:00:00Z", "creators": ["Tool: none"]},
        "packages": [{"SPDXID": "SPDXRef-a", "name": "lodash", "versionInfo": "4.17.20", "downloadLocation": "NOASSERTION",
            "externalRefs": reference}]});
    record(&mut world, "shop", Spdx::TYPE, &spdx);
    assert_eq!(names(&ask(&world.ledger, &json!({"purl": "pkg:npm/lodash"}))), ["shop"]);
}

#[test]
fn an_advisory_is_asked_by_its_packages_and_its_names() {
    let mut world = world();
    sbom(&mut world, "old", &[npm("lodash", "4.17.20")], &[]);
    sbom(&mut world, "new", &[npm("lodash", "4.17.21")], &[]);
    scan(&mut world, "scanned", "trivy", &[("CVE-2021-23337", "pkg:npm/lodash@4.0.0")]);
    let advisory = json!({"id": "GHSA-35jh-r3h4-6jhm", "aliases": ["CVE-2021-23337"], "affected": [{
        "package": {"ecosystem": "npm", "name": "lodash"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.21"}]}]}]});
    let found = ask(&world.ledger, &json!({"advisory": advisory}));
    let mut told = names(&found);
    told.sort_unstable();
    assert_eq!(told, ["old", "scanned"]);
}

#[test]
fn the_newest_scan_by_each_scanner_holds() {
    let mut world = world();
    let flaw = ("CVE-1", "pkg:npm/lodash@4.0.0");
    scan(&mut world, "shop", "trivy", &[flaw]);
    let ask_flaw = |world: &World| ask(&world.ledger, &json!({"vulnerability": "CVE-1"}));
    let found = ask_flaw(&world);
    assert_eq!(names(&found), ["shop"]);
    assert_eq!(found.artifacts[0].components[0].purl.as_deref(), Some("pkg:npm/lodash@4.0.0"));
    scan(&mut world, "shop", "grype", &[]);
    assert_eq!(names(&ask_flaw(&world)), ["shop"], "another scanner takes nothing back");
    scan(&mut world, "other", "trivy", &[]);
    assert_eq!(names(&ask_flaw(&world)), ["shop"], "nor does a scan of something else");
    scan(&mut world, "shop", "trivy", &[]);
    assert!(ask_flaw(&world).artifacts.is_empty());
    scan(&mut world, "shop", "trivy", &[flaw]);
    assert_eq!(names(&ask_flaw(&world)), ["shop"]);
}

fn scan(world: &mut World, name: &str, scanner: &str, found: &[(&str, &str)]) {
    let result: Vec<_> = found
        .iter()
        .map(|(id, component)| json!({"id": id, "severity": [], "annotations": [{"component": component}]}))
        .collect();
    let scanner = json!({"uri": format!("pkg:generic/{scanner}@1.0.0"), "db": {"lastUpdate": "2026-11-20T00:00:00Z"}, "result": result});
    let now = world.tick();
    let times = json!({"scanStartedOn": now, "scanFinishedOn": now});
    record(world, name, Vulns::TYPE, &json!({"scanner": scanner, "metadata": times}));
}

#[test]
fn an_artifact_runs_until_another_takes_its_place() {
    let mut world = world();
    // the second is the same service
    for name in ["shop", "shop2"] {
        sbom(&mut world, name, &[npm("lodash", "1.0.0")], &[]);
    }
    assert!(running(&world, "shop").is_empty());
    let since = deploy(&mut world, "shop", &prod(), DeploymentStatus::Succeeded);
    deploy(&mut world, "shop", &dev(), DeploymentStatus::Succeeded);
    deploy(&mut world, "elsewhere", &prod(), DeploymentStatus::Succeeded);
    let now = running(&world, "shop");
    assert_eq!(
        now.iter().map(|r| (r.class.as_str(), r.by)).collect::<Vec<_>>(),
        [("prod", RunningBy::Deployed), ("dev", RunningBy::Deployed)]
    );
    assert_eq!(now[0].since, since);
    // the same again does not begin anew
    deploy(&mut world, "shop", &prod(), DeploymentStatus::Succeeded);
    assert_eq!(running(&world, "shop")[0].since, since);
    // a failed attempt of the next one leaves it there, a successful one does not
    replace(&mut world, "shop2", "shop", DeploymentStatus::Failed);
    assert_eq!(running(&world, "shop").len(), 2);
    assert_eq!(running(&world, "shop2")[0].by, RunningBy::Attempted);
    replace(&mut world, "shop2", "shop", DeploymentStatus::Succeeded);
    assert_eq!(running(&world, "shop").iter().map(|r| r.class.as_str()).collect::<Vec<_>>(), ["dev"]);
    assert_eq!(running(&world, "shop2")[0].by, RunningBy::Deployed);
    let back = deploy(&mut world, "shop", &prod(), DeploymentStatus::Succeeded);
    assert_eq!(running(&world, "shop")[0].since, back);
}

/// A deployment into production with the resource of another one.
fn replace(world: &mut World, name: &str, resource: &str, status: DeploymentStatus) {
    let subject: ResourceDescriptor = serde_json::from_value(subject(name)).unwrap();
    let now = world.tick();
    let id = format!("{}/deployments/{name}-{}", prod().id, now.unix_millis());
    let by = world.actor("deployer");
    let mut deploy = Deploy::succeeded(id, "1.0.0", prod(), vec![subject], by, now);
    deploy.status = status;
    deploy.resources = vec![format!("{}/{resource}", prod().id)];
    world.deploy(deploy, None, None).unwrap();
}

#[test]
fn the_newest_snapshot_tells_what_runs() {
    let mut world = world();
    sbom(&mut world, "shop", &[npm("lodash", "1.0.0")], &[]);
    // seen, and deployed by nobody
    let seen = observe(&mut world, &prod(), Coverage::Full, &[("shop", "shop"), ("x", "x")]);
    let now = running(&world, "shop");
    assert_eq!((now.len(), now[0].by, now[0].since), (1, RunningBy::Observed, seen));
    // a partial one that does not show it says nothing
    let since = deploy(&mut world, "shop", &prod(), DeploymentStatus::Succeeded);
    observe(&mut world, &prod(), Coverage::Partial, &[("x", "x")]);
    assert_eq!(running(&world, "shop")[0].by, RunningBy::Deployed);
    observe(&mut world, &prod(), Coverage::Full, &[("shop", "shop")]);
    let now = running(&world, "shop");
    assert_eq!((now[0].by, now[0].since), (RunningBy::Observed, since));
    // replaced after it was seen
    replace(&mut world, "next", "shop", DeploymentStatus::Succeeded);
    assert!(running(&world, "shop").is_empty());
    // and seen again, whatever was deployed
    observe(&mut world, &prod(), Coverage::Full, &[("shop", "shop")]);
    assert_eq!(running(&world, "shop")[0].by, RunningBy::Observed);
    observe(&mut world, &prod(), Coverage::Full, &[]);
    assert!(running(&world, "shop").is_empty());
}

#[test]
fn what_a_revoked_signer_said_is_inside_nothing() {
    let mut world = world();
    sbom(&mut world, "shop", &[npm("lodash", "1.0.0")], &[]);
    assert_eq!(names(&ask(&world.ledger, &json!({"purl": "pkg:npm/lodash"}))), ["shop"]);
    world
        .change_trust_policy(|policy| {
            let revocation = json!({"target": "builder", "since": "2020-01-01T00:00:00Z", "reason": "key stolen"});
            policy.revocations.push(serde_json::from_value(revocation).unwrap());
        })
        .unwrap();
    assert!(ask(&world.ledger, &json!({"purl": "pkg:npm/lodash"})).artifacts.is_empty());
}

#[test]
fn components_and_vulnerabilities_are_keys_of_a_search() {
    let mut world = world();
    let first = sbom(&mut world, "a", &[npm("lodash", "1.0.0"), npm("x", "1")], &[]);
    let second = sbom(&mut world, "b", &[npm("lodash", "2.0.0")], &[]);
    scan(&mut world, "a", "trivy", &[("CVE-1", "lodash@1.0.0")]);
    let found = |change: &dyn Fn(&mut Query)| {
        let mut query = Query::everything();
        change(&mut query);
        let found: Vec<u64> = world.ledger.search(&query).unwrap().records.iter().map(|r| r.index).collect();
        let complete: Vec<u64> = world.ledger.complete(&query).unwrap().records.iter().map(|r| r.index).collect();
        assert_eq!(found, complete);
        found
    };
    assert_eq!(found(&|q| q.component = Some("pkg:npm/lodash".to_owned())), [first, second]);
    assert_eq!(found(&|q| q.component = Some("pkg:npm/lodash@1.0.0".to_owned())), [0; 0]);
    assert_eq!(found(&|q| q.vulnerability = Some("CVE-1".to_owned())), [second + 1]);
    let digest = format!("sha256:{}", digest("a").hex());
    assert_eq!(
        found(&|q| (q.component, q.digest) = (Some("pkg:npm/lodash".to_owned()), Some(digest.clone()))),
        [first]
    );
}

#[test]
fn a_question_that_asks_nothing_or_nonsense_is_refused() {
    let world = world();
    for (asked, code) in [
        (json!({}), "API_MISUSE"),
        (json!({"range": "<1"}), "API_MISUSE"),
        (json!({"purl": "pkg:npm/a@1", "range": "<1"}), "API_MISUSE"),
        (json!({"purl": "lodash"}), "MALFORMED"),
        (json!({"purl": "pkg:npm/a", "range": "^1"}), "MALFORMED"),
        (json!({"advisory": {"id": "X", "affected": []}}), "MALFORMED"),
        (json!({"package": "a"}), "MALFORMED"),
    ] {
        let e = Asked::from_json(asked.to_string().as_bytes()).and_then(|asked| affected(&world.ledger, &asked));
        assert_eq!(e.unwrap_err().code(), code, "{asked}");
    }
}
