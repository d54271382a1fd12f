//! What is demanded of a build, met and unmet: each refusal names the field, what was expected and what was found.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

use sealwright::Error;
use sealwright::digest::Digest;
use sealwright::envelope::{Envelope, IN_TOTO};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::predicate::{Predicate, Provenance, Scai, Vsa};
use sealwright::provenance::{
    BUILD_REPRODUCED, Build, BuilderRef, ProvenanceExpectation, ProvenanceVersion, SummaryExpectation, TrustedBuilder,
    isolated, reproduced,
};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Expectation, Identity, Verified, Verifier};
use serde_json::{Value, json};

const BUILDER: &str = "https://github.com/acme/builders/.github/workflows/build.yml";
const COMMIT: &str = "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d";
const BASE: &[u8] = b"base image";

fn now() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    Digest::sha256(bytes).hex()
}

/// Provenance as GitHub's builders write it, with a base image and a package beside the source.
fn provenance() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "shop", "digest": {"sha256": hex(b"artifact")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                "externalParameters": {
                    "workflow": {
                        "ref": "refs/tags/v1.4.0",
                        "repository": "https://github.com/acme/shop",
                        "path": ".github/workflows/release.yml"
                    },
                    "inputs": {"profile": "release", "debug": false}
                },
                "internalParameters": {"github": {"event_name": "push", "runner_environment": "github-hosted"}},
                "resolvedDependencies": [
                    {"uri": "git+https://github.com/acme/shop@refs/tags/v1.4.0", "digest": {"gitCommit": COMMIT}},
                    {"uri": "pkg:docker/alpine@3.20", "digest": {"sha256": hex(BASE)}},
                    {"uri": "pkg:npm/leftpad@1.0.0", "digest": {"sha256": hex(b"leftpad")}}
                ]
            },
            "runDetails": {
                "builder": {
                    "id": format!("{BUILDER}@refs/tags/v2.1.0"),
                    "builderDependencies": [{"name": "runner image", "digest": {"sha256": hex(b"golden")}}]
                },
                "metadata": {"invocationId": "https://github.com/acme/shop/actions/runs/1/attempts/1"}
            }
        }
    })
}

/// Signs a statement by the key called `signer`, and verifies it.
fn verified_by(signer: &str, statement: &Value) -> Verified<Statement> {
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let statement = Statement::parse(serde_json::to_vec(statement).unwrap()).unwrap();
    let record = sign(&statement, &key).unwrap().to_json();
    let root = TrustRoot::new().with_key(signer, key.public().clone(), Window::ALWAYS).unwrap();
    Verifier::new(root).verify(&record, &Expectation::new(Artifact::AnyUnsafe, Identity::key(signer), now())).unwrap()
}

fn verified(statement: &Value) -> Verified<Statement> {
    verified_by("ci", statement)
}

/// The provenance with something changed in its predicate.
fn with(pointer: &str, value: Value) -> Verified<Statement> {
    let mut statement = provenance();
    *statement.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    verified(&statement)
}

fn demand() -> ProvenanceExpectation {
    ProvenanceExpectation::new()
}

fn builder() -> TrustedBuilder {
    TrustedBuilder::new(BUILDER).at(BuilderRef::Is("v2.1.0".to_owned())).signed_by("ci")
}

fn passes(expectation: &ProvenanceExpectation) {
    expectation.check(&verified(&provenance())).unwrap();
}

/// The refusal, after a look at its code and facts.
fn unmet(result: Result<impl Sized, Error>, field: &str, found: &str) -> Error {
    let e = result.err().unwrap_or_else(|| panic!("`{field}` passes"));
    assert_eq!(e.code(), "EXPECTATION_UNMET", "{e}");
    let fact = |name: &str| e.context().iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
    assert_eq!(fact("field"), Some(field), "{e}");
    assert!(fact("found").unwrap().contains(found), "{e:?}");
    assert!(fact("expected").is_some_and(|expected| !expected.is_empty()), "{e:?}");
    e
}

fn refuses(expectation: &ProvenanceExpectation, field: &str, found: &str) {
    unmet(expectation.check(&verified(&provenance())), field, found);
}

#[test]
fn nothing_demanded_is_misuse_and_no_pass() {
    let record = verified(&provenance());
    let only_a_finding = demand().compare_image_tag(COMMIT);
    for nothing in [demand(), only_a_finding] {
        assert_eq!(nothing.check(&record).unwrap_err().code(), "API_MISUSE");
    }
    assert_eq!(ProvenanceExpectation::from_json(b"{}").unwrap_err().code(), "API_MISUSE");
    assert_eq!(SummaryExpectation::from_json(b"{}").unwrap_err().code(), "API_MISUSE");
}

#[test]
fn s015_a_builder_is_trusted_with_its_ref_and_its_signer() {
    passes(&demand().require_builder(builder()));
    passes(&demand().require_builder(TrustedBuilder::new(format!("{BUILDER}@refs/tags/v2.1.0"))));
    for reference in [BuilderRef::Release, BuilderRef::AnyUnsafe, BuilderRef::Is("refs/tags/v2.1.0".to_owned())] {
        passes(&demand().require_builder(TrustedBuilder::new(BUILDER).at(reference).signed_by("ci")));
    }
    for wrong in [
        TrustedBuilder::new(BUILDER),
        TrustedBuilder::new(BUILDER).at(BuilderRef::Is("v2.1".to_owned())),
        TrustedBuilder::new(BUILDER).at(BuilderRef::Is("refs/heads/v2.1.0".to_owned())),
        TrustedBuilder::new("https://github.com/acme/builders/.github/workflows/build.ym").at(BuilderRef::AnyUnsafe),
        TrustedBuilder::new("https://github.com/acme/builders/.github/workflows/other.yml").at(BuilderRef::Release),
    ] {
        refuses(&demand().require_builder(wrong.signed_by("ci")), "builderId", BUILDER);
    }
    for typed in [BUILDER.to_owned(), format!("{BUILDER}@v2.1.0"), format!("{BUILDER}@refs/tags/v2.1.0")] {
        passes(&demand().require_builder(typed.parse().unwrap()));
    }
    refuses(&demand().require_builder(format!("{BUILDER}@v2.0.0").parse().unwrap()), "builderId", BUILDER);
    let moving = with("/predicate/runDetails/builder/id", json!(format!("{BUILDER}@refs/heads/main")));
    let release = demand().require_builder(TrustedBuilder::new(BUILDER).at(BuilderRef::Release).signed_by("ci"));
    unmet(release.check(&moving), "builderId", "refs/heads/main");
}

#[test]
fn s015_a_builder_id_counts_only_from_its_own_signer() {
    let other = TrustedBuilder::new("https://example.org/builders/other").signed_by("other");
    let both = demand().require_builder(builder()).require_builder(other);
    both.check(&verified_by("ci", &provenance())).unwrap();
    // a trusted signer that signs for another builder
    unmet(both.check(&verified_by("other", &provenance())), "builderId", BUILDER);
    // a signer that signs for none
    let e = both.check(&verified_by("third", &provenance())).unwrap_err();
    assert_eq!(e.code(), "UNTRUSTED_SIGNER");
    assert!(e.message().contains("third") && e.message().contains(BUILDER), "{e}");
    // pairs are not left open where there are several
    let open = demand().require_builder(builder()).require_builder(TrustedBuilder::new("https://example.org/x"));
    assert_eq!(open.check(&verified(&provenance())).unwrap_err().code(), "API_MISUSE");
}

#[test]
fn s015_a_wrong_source_commit_branch_or_tag_is_refused_with_what_was_found() {
    for uri in ["github.com/acme/shop", "https://github.com/acme/shop.git", "git+https://github.com/acme/shop"] {
        passes(&demand().require_source(uri));
    }
    passes(&demand().require_commit(COMMIT).require_tag("v1.4.0").require_versioned_tag("v1"));
    for uri in ["github.com/acme/sho", "github.com/acme/shops", "github.com/Acme/shop", "http://github.com/acme/shop"] {
        refuses(&demand().require_source(uri), "sourceUri", "git+https://github.com/acme/shop");
    }
    refuses(&demand().require_commit("1".repeat(40)), "sourceCommit", COMMIT);
    refuses(&demand().require_branch("main"), "sourceBranch", "refs/tags/v1.4.0");
    refuses(&demand().require_tag("v1.4"), "sourceTag", "refs/tags/v1.4.0");
    refuses(&demand().require_versioned_tag("v1.5"), "sourceVersionedTag", "refs/tags/v1.4.0");
    for (misused, why) in
        [(demand().require_commit("abc"), "sourceCommit"), (demand().require_versioned_tag("1"), "version")]
    {
        let e = misused.check(&verified(&provenance())).unwrap_err();
        assert_eq!(e.code(), "API_MISUSE");
        assert!(e.message().contains(why), "{e}");
    }
    // the commit of another ref of the repository is not that of the one that was built
    let elsewhere = with(
        "/predicate/buildDefinition/resolvedDependencies/0/uri",
        json!("git+https://github.com/acme/shop@refs/heads/main"),
    );
    unmet(demand().require_commit(COMMIT).check(&elsewhere), "sourceCommit", "nothing");
}

#[test]
fn s015_build_type_trigger_runner_and_inputs_are_compared() {
    let good = demand()
        .require_build_type("https://actions.github.io/buildtypes/workflow/v1")
        .require_trigger("push")
        .require_runner_environment("github-hosted")
        .require_workflow_input("profile", "release")
        .require_workflow_input("debug", "false")
        .require_parameter("/workflow/path", ".github/workflows/release.yml");
    passes(&good);
    refuses(&demand().require_build_type("https://example.org/x"), "buildType", "actions.github.io");
    refuses(&demand().require_trigger("workflow_dispatch"), "trigger", "push");
    refuses(&demand().require_runner_environment("self-hosted"), "runnerEnvironment", "github-hosted");
    refuses(&demand().require_workflow_input("profile", "debug"), "workflowInputs.profile", "release");
    refuses(&demand().require_workflow_input("absent", "x"), "workflowInputs.absent", "nothing");
    refuses(&demand().require_parameter("/workflow/path", "other"), "externalParameters./workflow/path", "release.yml");
    let silent = with("/predicate/buildDefinition/internalParameters", json!({}));
    unmet(demand().require_trigger("push").check(&silent), "trigger", "nothing");
}

#[test]
fn s015_an_unexpected_parameter_is_refused_by_name() {
    passes(&demand().allow_parameters(["workflow", "/inputs/profile", "/inputs/debug"]));
    passes(
        &demand()
            .allow_parameters(["workflow"])
            .require_parameter("inputs", json!({"profile": "release", "debug": false})),
    );
    refuses(&demand().allow_parameters(["workflow"]), "externalParameters/inputs/debug", "false");
    refuses(&demand().allow_parameters(["workflow", "/inputs/profile"]), "externalParameters/inputs/debug", "false");
    refuses(&demand().allow_parameters(["work", "inputs"]), "externalParameters/workflow/path", "release.yml");
    refuses(&demand().allow_parameters(Vec::<String>::new()), "externalParameters/inputs/debug", "false");
    // a name with a slash is no way below an allowed one
    let odd = with(
        "/predicate/buildDefinition/externalParameters",
        json!({"inputs/evil": "x", "unset": {"a": null, "b": ""}}),
    );
    unmet(demand().allow_parameters(["inputs"]).check(&odd), "externalParameters/inputs~1evil", "x");
}

#[test]
fn s016_one_source_that_was_built_twice_into_two_digests_is_no_reproduction() {
    let mut rebuilt = provenance();
    rebuilt["subject"][0]["digest"]["sha256"] = json!(hex(b"built once more"));
    rebuilt["predicate"]["runDetails"]["metadata"]["invocationId"] =
        json!("https://github.com/acme/shop/actions/runs/2");
    unmet(reproduced(&verified(&provenance()), &verified(&rebuilt)), "subject", &hex(b"built once more"));
}

#[test]
fn s017_a_subject_that_is_named_by_a_tag_is_refused() {
    passes(&demand().refuse_tags());
    for tagged in ["registry.example/shop:latest", "shop:v1", "registry.example/shop:v1@sha256:0000"] {
        unmet(demand().refuse_tags().check(&with("/subject/0/name", json!(tagged))), "subject[0].name", tagged);
    }
    let mut statement = provenance();
    statement["subject"][0]["uri"] = json!("pkg:oci/shop?tag=v1");
    unmet(demand().refuse_tags().check(&verified(&statement)), "subject[0].uri", "tag=v1");
}

#[test]
fn s018_a_tag_for_people_that_is_not_the_commit_is_a_finding_and_no_refusal() {
    let found = |tag: &str| {
        let checked = demand().require_tag("v1.4.0").compare_image_tag(tag).check(&verified(&provenance())).unwrap();
        checked.findings.iter().map(|f| (f.field, f.found.clone(), f.expected.clone())).collect::<Vec<_>>()
    };
    for same in [COMMIT, &COMMIT[..7], &COMMIT[..12]] {
        assert_eq!(found(same), []);
    }
    for other in ["latest", "v1", &COMMIT[..6], &COMMIT[1..], ""] {
        assert_eq!(found(other), [("imageTag", other.to_owned(), COMMIT.to_owned())]);
    }
}

#[test]
fn s024_manifests_and_policy_bundles_are_checked_by_the_same_demands_and_refused_unsigned() {
    for file in [&b"kind: Deployment\nimage: registry.example/shop@sha256:00"[..], b"package policy\n"] {
        let mut statement = provenance();
        statement["subject"][0] = json!({"name": "config", "digest": {"sha256": hex(file)}});
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let root = TrustRoot::new().with_key("ci", key.public().clone(), Window::ALWAYS).unwrap();
        let about = |bytes: &[u8]| Expectation::new(Artifact::Is(Digest::sha256(bytes)), Identity::key("ci"), now());
        let verifier = Verifier::new(root);
        let payload = serde_json::to_vec(&statement).unwrap();
        let record = sign(&Statement::parse(payload.clone()).unwrap(), &key).unwrap().to_json();
        let verified = verifier.verify(&record, &about(file)).unwrap();
        demand().require_source("github.com/acme/shop").require_builder(builder()).check(&verified).unwrap();
        // changed by a byte, unsigned, and signed by nobody who is trusted
        let changed = [file, b" "].concat();
        assert_eq!(verifier.verify(&record, &about(&changed)).unwrap_err().code(), "DIGEST_MISMATCH");
        assert_eq!(verifier.verify(file, &about(file)).unwrap_err().code(), "MALFORMED");
        assert_eq!(verifier.verify(&payload, &about(file)).unwrap_err().code(), "UNSUPPORTED", "a bare statement");
        let stranger = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let forged = sign(&Statement::parse(payload.clone()).unwrap(), &stranger).unwrap().to_json();
        assert_eq!(verifier.verify(&forged, &about(file)).unwrap_err().code(), "UNTRUSTED_SIGNER");
    }
}

#[test]
fn s025_a_dependency_from_a_foreign_source_is_named() {
    let sources = ["git+https://github.com/acme/", "pkg:docker/alpine", "pkg:npm/"];
    passes(&demand().allow_dependencies_from(sources));
    refuses(
        &demand().allow_dependencies_from([sources[0], sources[1]]),
        "resolvedDependencies[2].uri",
        "pkg:npm/leftpad@1.0.0",
    );
    for foreign in
        ["git+https://github.com/acme-evil/shop", "git+https://github.com/acme/../evil/shop", "pkg:pypi/leftpad@1"]
    {
        let record = with("/predicate/buildDefinition/resolvedDependencies/2/uri", json!(foreign));
        unmet(demand().allow_dependencies_from(sources).check(&record), "resolvedDependencies[2].uri", foreign);
    }
    let nameless = with("/predicate/buildDefinition/resolvedDependencies/2/uri", json!(null));
    unmet(demand().allow_dependencies_from(sources).check(&nameless), "resolvedDependencies[2].uri", "no URI");
}

#[test]
fn s028_two_builders_that_made_the_same_make_a_reproduced_summary() {
    let mut other = provenance();
    other["predicate"]["runDetails"]["builder"]["id"] = json!("https://example.org/rebuilders/1");
    let (first, second) = (verified(&provenance()), verified_by("rebuilder", &other));
    let reproduction = reproduced(&first, &second).unwrap();
    assert_eq!(reproduction.artifacts, [Digest::sha256(b"artifact")]);
    let policy = sealwright::artifact::ResourceDescriptor::at("https://example.org/policies/rebuild");
    let levels = ["SLSA_BUILD_LEVEL_3".to_owned()];
    let vsa =
        reproduction.summary("https://example.org/verifier", "pkg:generic/shop@1.4.0", policy, &levels, now()).unwrap();
    assert_eq!(vsa.verified_levels, ["SLSA_BUILD_LEVEL_3", BUILD_REPRODUCED]);
    assert_eq!(vsa.input_attestations.len(), 2);
    let statement = Statement::new(first.value().subjects().to_vec(), &vsa).unwrap();
    let record = verified(&serde_json::from_slice(statement.payload()).unwrap());
    SummaryExpectation::new()
        .require_level(BUILD_REPRODUCED)
        .require_level("SLSA_BUILD_LEVEL_2")
        .check(&record)
        .unwrap();
    assert_eq!(statement.tags().kind, ["build.reproduced", "build.vsa"]);
}

#[test]
fn s028_unequal_builds_fail_with_both_builders_named() {
    let mut other = provenance();
    other["predicate"]["runDetails"]["builder"]["id"] = json!("https://example.org/rebuilders/1");
    let change = |pointer: &str, value: Value| {
        let mut changed = other.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        reproduced(&verified(&provenance()), &verified(&changed))
    };
    let e = unmet(change("/subject/0/digest/sha256", json!(hex(b"different"))), "subject", &hex(b"different"));
    assert!(e.message().contains(BUILDER) && e.message().contains("https://example.org/rebuilders/1"), "{e}");
    let more = json!([{"digest": {"sha256": hex(b"artifact")}}, {"digest": {"sha256": hex(b"more")}}]);
    unmet(change("/subject", more), "subject", &hex(b"more"));
    let commit = "/predicate/buildDefinition/resolvedDependencies/0/digest/gitCommit";
    unmet(change(commit, json!("1".repeat(40))), "sourceCommit", &"1".repeat(40));
    // one build proves nothing about itself, however often it is signed
    unmet(reproduced(&verified(&provenance()), &verified(&provenance())), "invocationId", "runs/1");
    let mut unnamed = provenance();
    unnamed["predicate"]["runDetails"]["metadata"] = json!({});
    unmet(reproduced(&verified(&provenance()), &verified(&unnamed)), "invocationId", "without an invocation");
}

#[test]
fn s029_an_unknown_golden_image_an_unlisted_builder_and_an_unproven_isolation_are_refused() {
    let golden = Digest::sha256(b"golden");
    passes(&demand().approve_environment_images([golden.clone()]).require_builder(builder()));
    refuses(&demand().approve_environment_images([Digest::sha256(b"newer")]), "environmentImage", &golden.to_string());
    let none = with("/predicate/runDetails/builder/builderDependencies", json!([]));
    unmet(demand().approve_environment_images([golden]).check(&none), "environmentImage", "no image");
    let unlisted = with("/predicate/runDetails/builder/id", json!("https://example.org/laptop"));
    unmet(demand().require_builder(builder()).check(&unlisted), "builderId", "laptop");
    let scai = |artifact: &[u8], attribute: &str, conditions: Value| {
        verified_by(
            "collector",
            &json!({
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{"digest": {"sha256": hex(artifact)}}],
                "predicateType": "https://in-toto.io/attestation/scai/v0.3",
                "predicate": {"attributes": [{"attribute": attribute, "conditions": conditions}]},
            }),
        )
    };
    let build = verified(&provenance());
    isolated(&build, &scai(b"artifact", "BUILD_ISOLATED", json!({}))).unwrap();
    unmet(isolated(&build, &scai(b"other", "BUILD_ISOLATED", json!({}))), "subject", &hex(b"other"));
    unmet(isolated(&build, &scai(b"artifact", "NON_ROOT", json!({}))), "attribute", "NON_ROOT");
    unmet(isolated(&build, &scai(b"artifact", "BUILD_ISOLATED", json!({"ephemeral": false}))), "attribute", "denial");
    assert_eq!(isolated(&build, &build).unwrap_err().code(), "WRONG_TYPE");
    assert!(build.value().predicate_as::<Scai>().is_err());
}

#[test]
fn s030_an_unapproved_base_image_is_refused() {
    let approved = Digest::sha256(BASE);
    passes(&demand().approve_base_images([approved.clone(), Digest::sha256(b"older")]));
    refuses(&demand().approve_base_images([Digest::sha256(b"older")]), "baseImage", "pkg:docker/alpine@3.20");
    // a name that is approved is no digest that is
    let moved = with("/predicate/buildDefinition/resolvedDependencies/1/digest/sha256", json!(hex(b"moved")));
    unmet(demand().approve_base_images([approved.clone()]).check(&moved), "baseImage", &hex(b"moved"));
    let none = with("/predicate/buildDefinition/resolvedDependencies/1", json!({"uri": "pkg:npm/x@1"}));
    unmet(demand().approve_base_images([approved]).check(&none), "baseImage", "no image");
}

#[test]
fn s089_provenance_that_cannot_be_verified_refuses_before_any_demand_is_looked_at() {
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let root = TrustRoot::new().with_key("ci", key.public().clone(), Window::ALWAYS).unwrap();
    let expectation = Expectation::new(Artifact::Is(Digest::sha256(b"artifact")), Identity::key("ci"), now());
    let bare = |signatures| Envelope::new(IN_TOTO, serde_json::to_vec(&provenance()).unwrap(), signatures);
    let forged = bare(vec![sealwright::envelope::Signature::new(None, vec![7; 64])]).unwrap().to_json();
    assert_eq!(Verifier::new(root).verify(&forged, &expectation).unwrap_err().code(), "BAD_SIGNATURE");
    assert!(bare(vec![]).is_err(), "an envelope without a signature is none");
}

#[test]
fn older_provenance_is_read_in_the_same_view() {
    let v02 = json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [{"name": "shop", "digest": {"sha256": hex(b"artifact")}}],
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "predicate": {
            "builder": {"id": format!("{BUILDER}@refs/tags/v2.1.0")},
            "buildType": "https://example.org/generic@v1",
            "invocation": {
                "configSource": {"uri": "git+https://github.com/acme/shop@refs/tags/v1.4.0", "digest": {"sha1": COMMIT}, "entryPoint": "r.yml"},
                "parameters": {"event_inputs": {"profile": "release"}},
                "environment": {"github_event_name": "push"}
            },
            "metadata": {"buildInvocationId": "1-1", "buildStartedOn": "2022-11-21T09:30:00Z", "completeness": {}},
            "materials": [{"uri": "git+https://github.com/acme/shop@refs/tags/v1.4.0", "digest": {"sha1": COMMIT}}]
        }
    });
    let v01 = json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [{"name": "shop", "digest": {"sha256": hex(b"artifact")}}],
        "predicateType": "https://slsa.dev/provenance/v0.1",
        "predicate": {
            "builder": {"id": format!("{BUILDER}@refs/tags/v2.1.0")},
            "recipe": {"type": "https://example.org/generic@v1", "definedInMaterial": 0, "entryPoint": "r.yml", "arguments": {"a": 1}},
            "metadata": {"buildInvocationId": "1-1", "buildStartedOn": ""},
            "materials": [{"uri": "git+https://github.com/acme/shop@refs/tags/v1.4.0", "digest": {"sha1": COMMIT}}]
        }
    });
    let demanded = demand()
        .require_builder(builder())
        .require_source("github.com/acme/shop")
        .require_commit(COMMIT)
        .require_versioned_tag("v1.4")
        .require_build_type("https://example.org/generic@v1");
    for (statement, version) in [(&v02, ProvenanceVersion::V02), (&v01, ProvenanceVersion::V01)] {
        let checked = demanded.check(&verified(statement)).unwrap();
        assert_eq!(checked.build.version, version);
        assert_eq!(checked.build.invocation_id.as_deref(), Some("1-1"));
        unmet(demand().require_tag("v2").check(&verified(statement)), "sourceTag", "v1.4.0");
    }
    demand().require_trigger("push").require_workflow_input("profile", "release").check(&verified(&v02)).unwrap();
    demand().allow_parameters(["configSource", "parameters"]).check(&verified(&v02)).unwrap();
    unmet(demand().allow_parameters(["entryPoint"]).check(&verified(&v01)), "externalParameters/arguments/a", "1");
    // each is read as strictly as v1
    for (mut statement, pointer, value) in [
        (v02.clone(), "/predicate/buildType", json!("")),
        (v02.clone(), "/predicate/builder", json!({})),
        (v02.clone(), "/predicate/invocation/configSource/digest", json!({"sha1": "1".repeat(40)})),
        (v01.clone(), "/predicate/recipe", json!({})),
        (v01.clone(), "/predicate/recipe/definedInMaterial", json!(7)),
    ] {
        *statement.pointer_mut(pointer).unwrap() = value;
        assert_eq!(demanded.check(&verified(&statement)).unwrap_err().code(), "MALFORMED", "{pointer}");
    }
    let sbom = json!({"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"sha256": hex(b"a")}}],
        "predicateType": "https://cyclonedx.org/bom", "predicate": {"bomFormat": "CycloneDX", "specVersion": "1.6"}});
    assert_eq!(demanded.check(&verified(&sbom)).unwrap_err().code(), "WRONG_TYPE");
}

#[test]
fn aliases_of_other_tools_are_read_and_provenance_under_one_is_a_finding() {
    let mut witness = provenance();
    witness["predicateType"] = json!("https://slsa.dev/provenance/v1.0");
    let checked = demand().require_tag("v1.4.0").check(&verified(&witness)).unwrap();
    assert_eq!(checked.findings[0].field, "predicateType");
    assert_eq!(checked.findings[0].found, "https://slsa.dev/provenance/v1.0");
    assert!(demand().require_tag("v1.4.0").check(&verified(&provenance())).unwrap().findings.is_empty());
    let kinds = |predicate_type: &str, predicate: Value| {
        let statement = json!({"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"sha256": hex(b"a")}}],
            "predicateType": predicate_type, "predicate": predicate});
        let statement = Statement::parse(serde_json::to_vec(&statement).unwrap()).unwrap();
        statement.tags().kind
    };
    let bom = json!({"bomFormat": "CycloneDX", "specVersion": "1.4"});
    for alias in ["https://cyclonedx.org/bom", "https://cyclonedx.org/bom/v1.4"] {
        assert_eq!(kinds(alias, bom.clone()), ["sbom"], "{alias}");
        assert!(matches!(Predicate::parse(alias, bom.to_string().as_bytes()), Ok(Predicate::Cyclonedx(_))), "{alias}");
    }
    for alias in ["https://spdx.dev/Document", "https://spdx.dev/Document/v2.3", "https://spdx.dev/Document/v3"] {
        assert_eq!(kinds(alias, json!({"spdxVersion": "SPDX-2.3"})), ["sbom"], "{alias}");
    }
    assert_eq!(kinds("https://slsa.dev/provenance/v1.0", provenance()["predicate"].clone()), ["build.provenance"]);
    assert!(kinds("https://slsa.dev/provenance/v1.1", provenance()["predicate"].clone()).is_empty());
}

#[test]
fn demands_are_read_from_data_and_mean_the_same() {
    let data = json!({
        "builders": [{"id": BUILDER, "ref": "release", "signers": ["ci"]}],
        "sourceUri": "github.com/acme/shop",
        "sourceCommit": COMMIT,
        "sourceTag": "v1.4.0",
        "sourceVersionedTag": "v1",
        "trigger": "push",
        "runnerEnvironment": "github-hosted",
        "buildTypes": ["https://actions.github.io/buildtypes/workflow/v1"],
        "workflowInputs": {"profile": "release"},
        "parameters": {"/workflow/path": ".github/workflows/release.yml"},
        "allowedParameters": ["workflow", "inputs"],
        "dependencySources": ["git+https://github.com/acme/", "pkg:docker/alpine", "pkg:npm/"],
        "baseImages": [Digest::sha256(BASE)],
        "environmentImages": [Digest::sha256(b"golden")],
        "refuseTags": true,
        "imageTag": COMMIT,
    });
    let read = |data: &Value| ProvenanceExpectation::from_json(data.to_string().as_bytes());
    passes(&read(&data).unwrap());
    for (member, value, field) in [
        ("sourceUri", json!("github.com/acme/other"), "sourceUri"),
        ("sourceBranch", json!("main"), "sourceBranch"),
        ("trigger", json!("schedule"), "trigger"),
        ("workflowInputs", json!({"profile": "debug"}), "workflowInputs.profile"),
        ("baseImages", json!([]), "baseImage"),
    ] {
        let mut changed = data.clone();
        changed[member] = value;
        refuses(&read(&changed).unwrap(), field, "");
    }
    for (member, value, code) in [
        ("sourceUrl", json!("x"), "MALFORMED"),
        ("sourceTag", json!(1), "MALFORMED"),
        ("baseImages", json!(["alpine:3.20"]), "MALFORMED"),
        ("dependencySources", json!(["github.com"]), "API_MISUSE"),
        ("allowedParameters", json!([""]), "API_MISUSE"),
        ("builders", json!([{"id": "a@b", "ref": "c"}]), "API_MISUSE"),
    ] {
        let mut changed = data.clone();
        changed[member] = value;
        assert_eq!(read(&changed).unwrap_err().code(), code, "{member}");
    }
}

fn summary() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": hex(b"artifact"), "image_id": "17"}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": "https://example.org/verifier"},
            "timeVerified": "2026-11-21T09:00:00Z",
            "resourceUri": "pkg:generic/shop@1.4.0",
            "policy": {"uri": "https://example.org/policies/7"},
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_3", "ACME_SCANNED"],
            "dependencyLevels": {"SLSA_BUILD_LEVEL_3": 5, "SLSA_BUILD_LEVEL_2": 1, "SLSA_BUILD_LEVEL_0": 0}
        }
    })
}

#[test]
fn a_summary_is_taken_for_what_it_says_and_no_more() {
    let record = verified(&summary());
    let demanded = || SummaryExpectation::new();
    let vsa = demanded()
        .require_verifier("https://example.org/verifier")
        .require_resource("pkg:generic/shop@1.4.0")
        .require_policy("https://example.org/policies/7")
        .require_level("SLSA_BUILD_LEVEL_2")
        .require_level("ACME_SCANNED")
        .require_dependency_level("SLSA_BUILD_LEVEL_2")
        .require_subject("image_id:17")
        .require_verified_from("2026-11-21T09:00:00Z".parse().unwrap())
        .check(&record)
        .unwrap();
    assert_eq!(vsa, record.value().predicate_as::<Vsa>().unwrap());
    for (demand, field, found) in [
        (demanded().require_verifier("https://example.org/other"), "verifierId", "https://example.org/verifier"),
        (demanded().require_resource("pkg:generic/shop@1.4.1"), "resourceUri", "shop@1.4.0"),
        (demanded().require_policy("https://example.org/policies/8"), "policyUri", "policies/7"),
        (demanded().require_level("SLSA_BUILD_LEVEL_4"), "verifiedLevels", "SLSA_BUILD_LEVEL_3"),
        (demanded().require_level("SLSA_SOURCE_LEVEL_1"), "verifiedLevels", "SLSA_BUILD_LEVEL_3"),
        (demanded().require_dependency_level("SLSA_BUILD_LEVEL_3"), "dependencyLevels", "1 at SLSA_BUILD_LEVEL_2"),
        (demanded().require_subject("image_id:18"), "subject", ":"),
        (demanded().require_verified_from(now()), "timeVerified", "09:00"),
    ] {
        unmet(demand.check(&record), field, found);
    }
    let mut failed = summary();
    failed["predicate"]["verificationResult"] = json!("FAILED");
    unmet(demanded().require_level("ACME_SCANNED").check(&verified(&failed)), "verificationResult", "FAILED");
    let mut silent = summary();
    silent["predicate"].as_object_mut().unwrap().remove("dependencyLevels");
    unmet(
        demanded().require_dependency_level("SLSA_BUILD_LEVEL_1").check(&verified(&silent)),
        "dependencyLevels",
        "nothing",
    );
    assert_eq!(demanded().require_level("X").check(&verified(&provenance())).unwrap_err().code(), "WRONG_TYPE");
    let e = demanded().require_key_id("another").check(&record).unwrap_err();
    assert_eq!(e.code(), "BAD_SIGNATURE");
}

#[test]
fn a_summary_that_we_write_meets_what_we_demand_of_one() {
    let record = verified(&provenance());
    let checked = demand().require_builder(builder()).require_source("github.com/acme/shop").check(&record).unwrap();
    let policy = || sealwright::artifact::ResourceDescriptor::at("https://example.org/policies/7");
    let write = |levels: &[&str]| {
        let levels: Vec<_> = levels.iter().map(|l| (*l).to_owned()).collect();
        checked.summary("https://example.org/verifier", "pkg:generic/shop@1.4.0", policy(), &levels, now())
    };
    let vsa = write(&["SLSA_BUILD_LEVEL_3", "ACME_SCANNED"]).unwrap();
    let statement = Statement::new(record.value().subjects().to_vec(), &vsa).unwrap();
    let written = verified_by("verifier", &serde_json::from_slice(statement.payload()).unwrap());
    let demanded = SummaryExpectation::from_json(
        br#"{"verifierId":"https://example.org/verifier","levels":["SLSA_BUILD_LEVEL_2"],"verifiedFrom":"2026-11-21T09:30:00Z"}"#,
    );
    let read = demanded.unwrap().check(&written).unwrap();
    assert!(read.input_attestations[0].has(&record.value().payload_digest()));
    for wrong in [&["SLSA_SECURE"][..], &["SLSA_BUILD_LEVEL_1", "SLSA_BUILD_LEVEL_2"]] {
        assert_eq!(write(wrong).unwrap_err().code(), "MALFORMED");
    }
    assert!(serde_json::to_value(&checked).unwrap()["build"]["builderId"].is_string());
    assert_eq!(Build::of(record.value()).unwrap(), checked.build);
    assert!(record.value().predicate_as::<Provenance>().is_ok());
}

#[test]
fn an_ecdsa_signature_of_two_numbers_side_by_side_is_read_and_no_other_length() {
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let payload = serde_json::to_vec(&summary()).unwrap();
    let record = sign(&Statement::parse(payload.clone()).unwrap(), &key).unwrap();
    let der = record.envelope().unwrap().signatures()[0].sig.clone();
    // SEQUENCE { INTEGER r, INTEGER s }
    let (r, rest) = der[4..].split_at(usize::from(der[3]));
    let number = |bytes: &[u8]| {
        let bare: Vec<u8> = bytes.iter().copied().skip_while(|b| *b == 0).collect();
        [vec![0; 32 - bare.len()], bare].concat()
    };
    let fixed = [number(r), number(&rest[2..])].concat();
    let root = TrustRoot::new().with_key("verifier", key.public().clone(), Window::ALWAYS).unwrap();
    let verify = |sig: Vec<u8>| {
        let signature = sealwright::envelope::Signature::new(Some("verifier".to_owned()), sig);
        let bytes = Envelope::new(IN_TOTO, payload.clone(), vec![signature]).unwrap().to_json();
        let expectation = Expectation::new(Artifact::AnyUnsafe, Identity::key("verifier"), now());
        Verifier::new(root.clone()).verify(&bytes, &expectation)
    };
    verify(der).unwrap();
    SummaryExpectation::new().require_level("SLSA_BUILD_LEVEL_3").check(&verify(fixed.clone()).unwrap()).unwrap();
    let mut changed = fixed.clone();
    changed[40] ^= 1;
    for bad in [changed, fixed[..63].to_vec(), [fixed, vec![0, 0]].concat(), vec![0; 64]] {
        assert_eq!(verify(bad).unwrap_err().code(), "BAD_SIGNATURE");
    }
}
