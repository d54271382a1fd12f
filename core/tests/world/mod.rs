//! A small organisation for tests: people and machines with keys, a trust policy, a ledger, and their acts.
//!
//! Nobody in it is real. Time begins at a fixed instant and moves on by a second with each act.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared by tests that use parts of it"
)]

#[allow(clippy::duplicate_mod, reason = "some tests use both the small ledger and the world")]
#[path = "../opened/mod.rs"]
mod opened;
mod refusal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::{Algorithm, Digest, DigestSet};
use sealwright::gate::{ArtifactReference, Decision, GateRequest, Permit, decide};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, Ledger, Pins, Receipt};
use sealwright::policy::{PolicyBundle, starter_bundle};
use sealwright::predicate::*;
use sealwright::release::{self, Deploy, Recorded};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust_policy::{self, GIT_ISSUER, KEY_ISSUER};
use sealwright::{Error, gate};

pub(crate) use opened::{encrypts, kek, made, opened};
pub(crate) use refusal::*;

pub(crate) const ORIGIN: &str = "example.org/releases";
pub(crate) const RELEASE: &str = "shop-1.4.0";
pub(crate) const CHANGE: &str = "https://example.org/shop/changes/17";
pub(crate) const PURL: &str = "pkg:generic/shop@1.4.0";
pub(crate) const BUILDER: &str = "https://example.org/builders/main";
pub(crate) const REPOSITORY: &str = "git+https://example.org/shop";
pub(crate) const COMMIT: &str = "1111111111111111111111111111111111111111";
pub(crate) const TREE: &str = "2222222222222222222222222222222222222222";
pub(crate) const START: &str = "2026-11-21T08:00:00Z";

/// Everybody who signs, by the name the trust policy gives them.
pub(crate) const SIGNERS: [&str; 8] =
    ["admin", "builder", "tester", "author", "reviewer", "release-manager", "deployer", "records"];

pub(crate) struct World {
    pub dir: tempfile::TempDir,
    pub ledger: Ledger,
    pub keys: BTreeMap<&'static str, PrivateKey>,
    pub now: Timestamp,
}

/// Keys of the world, each type used by somebody.
pub(crate) fn keys() -> BTreeMap<&'static str, PrivateKey> {
    let of = |name: &str| if name.len().is_multiple_of(2) { KeyType::P256 } else { KeyType::Ed25519 };
    SIGNERS.iter().map(|name| (*name, PrivateKey::generate(of(name)).unwrap())).collect()
}

/// The trust policy of the world.
pub(crate) fn trust_policy(keys: &BTreeMap<&'static str, PrivateKey>) -> TrustPolicy {
    let bundle = PolicyBundle::parse(&starter_bundle().unwrap()).unwrap();
    let signer = |name: &str, types: &[&str], speaks_for: Vec<SpeaksFor>| TrustedSigner {
        name: name.to_owned(),
        key: Some(trust_policy::key_descriptor(keys[name].public())),
        predicate_types: types.iter().map(|t| (*t).to_owned()).collect(),
        speaks_for,
        ..TrustedSigner::default()
    };
    let pair = |builder: &str| SpeaksFor { builder: Some(builder.to_owned()), ..SpeaksFor::default() };
    let key_id = |name: &str| PersonId { issuer: KEY_ISSUER.to_owned(), subject: keys[name].public().id() };
    let person = |person: &str, ids: Vec<PersonId>, roles: &[&str]| Person {
        person: person.to_owned(),
        ids,
        roles: roles.iter().map(|r| (*r).to_owned()).collect(),
    };
    let git = |address: &str| PersonId { issuer: GIT_ISSUER.to_owned(), subject: address.to_owned() };
    TrustPolicy {
        version: 1,
        supersedes: None,
        admins: vec![Admin { signer: "admin".to_owned() }],
        threshold: 1,
        signers: vec![
            signer("admin", &[TrustPolicy::TYPE], vec![]),
            signer("builder", &[Provenance::TYPE, Cyclonedx::TYPE], vec![pair(BUILDER)]),
            signer("tester", &[TestResult::TYPE], vec![]),
            signer("author", &[ChangeRequest::TYPE, Approval::TYPE], vec![]),
            signer("reviewer", &[Approval::TYPE], vec![]),
            signer("release-manager", &[Approval::TYPE], vec![]),
            signer("deployer", &[Deployment::TYPE], vec![]),
            signer(
                "records",
                &[
                    Release::TYPE,
                    PolicyEvaluation::TYPE,
                    Promotion::TYPE,
                    EnvironmentSnapshot::TYPE,
                    DriftReport::TYPE,
                    EvidencePack::TYPE,
                    "https://example.org/attestation/something-else/v1",
                ],
                vec![],
            ),
        ],
        writers: vec![],
        people: vec![
            person("ada", vec![key_id("author"), git("ada@example.org")], &["engineer"]),
            person("ben", vec![key_id("reviewer"), git("ben@example.org")], &["peer-reviewer", "engineer"]),
            person("cleo", vec![key_id("release-manager")], &["release-manager", "policy-owner"]),
        ],
        revocations: vec![],
        profile: gate::profile(&bundle),
        witnesses: vec![],
        quorum: 0,
        policy_bundle: Some(gate::policy_descriptor(&bundle)),
        trusted_roots: vec![],
        keyless: None,
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_policy(|_| {})
    }

    /// A world whose trust policy is changed before it is signed.
    pub(crate) fn with_policy(change: impl FnOnce(&mut TrustPolicy)) -> Self {
        Self::made_by(change, made)
    }

    /// A world whose ledger is encrypted under this key, or plain.
    pub(crate) fn encrypted_with(kek: Option<&sealwright::encryption::KeyFile>) -> Self {
        Self::made_by(
            |_| {},
            |folder, anchors, origin, log_key, trust, now| match kek {
                Some(kek) => Ledger::init_encrypted(folder, anchors, origin, log_key, trust, kek, now),
                None => Ledger::init(folder, anchors, origin, log_key, trust, now),
            },
        )
    }

    pub(crate) fn made_by(
        change: impl FnOnce(&mut TrustPolicy),
        make: impl FnOnce(&Path, &Anchors, &str, PrivateKey, &[Vec<u8>], Timestamp) -> Result<Ledger, Error>,
    ) -> Self {
        let keys = keys();
        let mut policy = trust_policy(&keys);
        change(&mut policy);
        let statement = trust_policy::statement(&policy).unwrap();
        let record = sign(&statement, &keys["admin"]).unwrap().to_json();
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = START.parse().unwrap();
        let log_key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        std::fs::write(dir.path().join("log.pem"), log_key.to_pem().unwrap().as_bytes()).unwrap();
        let ledger = make(
            &dir.path().join("ledger"),
            &Anchors::in_folder(dir.path().join("state")),
            ORIGIN,
            log_key,
            &[record],
            now,
        )
        .unwrap();
        ledger.attach(&starter_bundle().unwrap()).unwrap();
        Self { dir, ledger, keys, now }
    }

    /// The folder, with all that was appended in its own files.
    pub(crate) fn folder(&self) -> PathBuf {
        let _ = self.ledger.settle();
        self.dir.path().join("ledger")
    }

    pub(crate) fn anchors(&self) -> Anchors {
        Anchors::in_folder(self.dir.path().join("state"))
    }

    pub(crate) fn log_key(&self) -> PrivateKey {
        sealwright::key::read_private(&self.dir.path().join("log.pem"), None).unwrap()
    }

    /// Opens the ledger once more, as another process would.
    pub(crate) fn open(&self) -> Result<Ledger, Error> {
        opened(&self.folder(), &self.anchors(), &Pins::none())
    }

    pub(crate) fn tick(&mut self) -> Timestamp {
        self.now = self.now.plus_millis(1000);
        self.now
    }

    /// Signs and appends a statement.
    pub(crate) fn record(&mut self, signer: &str, statement: &Statement) -> Result<Receipt, Error> {
        let now = self.tick();
        self.ledger.record_statement(statement, &self.keys[signer], now)
    }

    pub(crate) fn actor(&self, name: &str) -> Actor {
        match name {
            "author" => Actor::human("mailto:ada@example.org", "Ada Example").vouched_by(GIT_ISSUER, "ada@example.org"),
            "reviewer" => {
                Actor::human("mailto:ben@example.org", "Ben Example").vouched_by(GIT_ISSUER, "ben@example.org")
            }
            "release-manager" => Actor::human("mailto:cleo@example.org", "Cleo Example"),
            other => Actor::workload(format!("urn:example:workload:{other}")),
        }
    }

    pub(crate) fn provenance(&mut self, artifact: &Digest) -> Receipt {
        self.provenance_of(artifact, BUILDER, COMMIT).unwrap()
    }

    pub(crate) fn provenance_of(&mut self, artifact: &Digest, builder: &str, commit: &str) -> Result<Receipt, Error> {
        let source =
            ResourceDescriptor::of(Digest::from_hex(Algorithm::GitCommit, commit).unwrap()).with_uri(REPOSITORY);
        let provenance = Provenance {
            build_definition: BuildDefinition {
                build_type: "https://example.org/build/v1".to_owned(),
                external_parameters: [("target".to_owned(), "shop".into())].into_iter().collect(),
                internal_parameters: serde_json::Map::new(),
                resolved_dependencies: vec![source],
            },
            run_details: RunDetails {
                builder: Builder { id: builder.to_owned(), builder_dependencies: vec![], version: BTreeMap::new() },
                metadata: None,
                byproducts: vec![],
            },
        };
        self.record("builder", &Statement::new(vec![self.subject(artifact)], &provenance).unwrap())
    }

    pub(crate) fn subject(&self, artifact: &Digest) -> ResourceDescriptor {
        ResourceDescriptor::of(artifact.clone()).named("shop").with_uri(PURL)
    }

    pub(crate) fn sbom(&mut self, artifact: &Digest) -> Receipt {
        self.sbom_with(
            artifact,
            r#"[{"type":"library","name":"leftpad","version":"1.0.0","purl":"pkg:npm/leftpad@1.0.0"}]"#,
        )
    }

    pub(crate) fn sbom_with(&mut self, artifact: &Digest, components: &str) -> Receipt {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}},"name":"shop","uri":"{PURL}"}}],
                "predicateType":"https://cyclonedx.org/bom","predicate":{{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,
                "components":{components}}}}}"#,
            artifact.hex()
        );
        self.record("builder", &Statement::parse(statement.into_bytes()).unwrap()).unwrap()
    }

    pub(crate) fn tests(&mut self, artifact: &Digest, kind: TestKind, result: TestOutcome) -> Receipt {
        self.tests_with(artifact, |t| (t.test_kind, t.result) = (Some(kind), result))
    }

    /// A test result about `artifact`, changed before it is signed.
    pub(crate) fn tests_with(&mut self, artifact: &Digest, change: impl FnOnce(&mut TestResult)) -> Receipt {
        let mut test = test_result(self, TestOutcome::Passed);
        change(&mut test);
        self.record("tester", &Statement::new(vec![self.subject(artifact)], &test).unwrap()).unwrap()
    }

    pub(crate) fn change(&mut self) -> Receipt {
        self.change_with(|_| {})
    }

    pub(crate) fn change_with(&mut self, change: impl FnOnce(&mut ChangeRequest)) -> Receipt {
        let mut request = ChangeRequest {
            nonce: nonce().unwrap(),
            change_id: CHANGE.to_owned(),
            title: "Show prices with tax".to_owned(),
            reason: "Customers ask for it".to_owned(),
            requested_by: self.actor("author"),
            authors: vec![self.actor("author")],
            created_at: self.now,
            categories: vec![Category::Operational],
            category_source: CategorySource::Declared,
            risk_tier: RiskTier::Moderate,
            classifier: None,
            emergency: None,
            impact: Impact {
                summary: "Prices on one page".to_owned(),
                data_classes: vec![],
                affected_controls: vec![],
                safety: None,
            },
            intended_use: None,
            problem_reports: vec![],
            risks: vec![],
            test_plan: vec![],
            rollback_plan: RollbackPlan {
                method: RollbackMethod::RedeployPrevious,
                description: None,
                previous_digest: None,
            },
            required_approvals: vec![],
            supersedes: None,
        };
        change(&mut request);
        let statement = Statement::new(vec![self.revision()], &request).unwrap();
        self.record("author", &statement).unwrap()
    }

    /// The reviewed commit with its tree.
    pub(crate) fn revision(&self) -> ResourceDescriptor {
        let commit = Digest::from_hex(Algorithm::GitCommit, COMMIT).unwrap();
        ResourceDescriptor::of(DigestSet::new([commit, tree()]).unwrap()).with_uri(REPOSITORY)
    }

    pub(crate) fn review(&mut self) -> Receipt {
        self.approve("reviewer", Stage::SourceReview, None, |_| {}).unwrap()
    }

    /// An approval for promotion into `environment`.
    pub(crate) fn approval(&mut self, signer: &str, artifact: &Digest, environment: &Environment) -> Receipt {
        let environment = environment.clone();
        self.approve(signer, Stage::Promotion, Some(artifact), |a| a.environment = Some(environment)).unwrap()
    }

    /// An approval, changed before it is signed.
    pub(crate) fn approve(
        &mut self,
        signer: &str,
        stage: Stage,
        artifact: Option<&Digest>,
        change: impl FnOnce(&mut Approval),
    ) -> Result<Receipt, Error> {
        let mut approval = Approval {
            nonce: nonce().unwrap(),
            stage,
            decision: ApprovalDecision::Approved,
            approver: self.actor(signer),
            in_role: signer.to_owned(),
            meaning: "approval".to_owned(),
            decided_at: self.now,
            change_id: Some(CHANGE.to_owned()),
            environment: None,
            considered: vec![],
            conditions: vec![],
            comment: None,
            review_uri: None,
            over_tree: (stage == Stage::SourceReview).then(|| tree().into()),
            expires_at: None,
            dismisses: None,
            capture: Capture { method: CaptureMethod::DirectSignature, system: None, source_event: None },
        };
        change(&mut approval);
        let subject = artifact.map_or_else(|| self.revision(), |a| self.subject(a));
        self.record(signer, &Statement::new(vec![subject], &approval).unwrap())
    }

    /// All evidence that the gates up to prod ask of the starter profile, but for the promotion approval.
    pub(crate) fn build(&mut self, artifact: &Digest) {
        self.change();
        self.review();
        self.provenance(artifact);
        self.sbom(artifact);
        for kind in [TestKind::Unit, TestKind::Integration, TestKind::Contract] {
            self.tests(artifact, kind, TestOutcome::Passed);
        }
        let now = self.tick();
        let subject = self.subject(artifact);
        release::begin(&mut self.ledger, RELEASE, PURL, vec![subject], &self.keys["records"], now).unwrap();
    }

    pub(crate) fn request(&self, artifact: &Digest, environment: &Environment) -> GateRequest {
        GateRequest::new(ArtifactReference::of(artifact.clone()).unwrap(), environment.clone(), RELEASE, "deployer")
            .for_change(CHANGE)
    }

    pub(crate) fn decide(&mut self, artifact: &Digest, environment: &Environment) -> Decision {
        let request = self.request(artifact, environment);
        self.decide_on(&request)
    }

    pub(crate) fn decide_on(&mut self, request: &GateRequest) -> Decision {
        let now = self.tick();
        decide(&mut self.ledger, request, &self.keys["records"], now).unwrap()
    }

    /// A decision that must pass.
    pub(crate) fn permit(&mut self, artifact: &Digest, environment: &Environment) -> Permit {
        let decision = self.decide(artifact, environment);
        decision.enforce(&self.ledger).unwrap()
    }

    pub(crate) fn promote(&mut self, permit: &Permit) -> Result<Recorded, Error> {
        let now = self.tick();
        let by = self.actor("records");
        release::promote(&mut self.ledger, permit, RELEASE, by, &self.keys["records"], now)
    }

    pub(crate) fn deployment(&self, artifact: &Digest, environment: &Environment) -> Deploy {
        let id = format!("{}/deployments/{}", environment.id, self.now.unix_millis());
        let mut deploy = Deploy::succeeded(
            id,
            RELEASE,
            environment.clone(),
            vec![self.subject(artifact)],
            self.actor("deployer"),
            self.now,
        );
        deploy.change_ids = vec![CHANGE.to_owned()];
        deploy.resources = vec![format!("{}/shop", environment.id)];
        deploy.configuration = vec![ResourceDescriptor::of(Digest::sha256(b"replicas: 2\n")).named("values.yaml")];
        deploy
    }

    pub(crate) fn deploy(
        &mut self,
        deploy: Deploy,
        permit: Option<&Permit>,
        promotion: Option<&Digest>,
    ) -> Result<Recorded, Error> {
        let now = self.tick();
        release::deploy(&mut self.ledger, deploy, permit, promotion, &self.keys["deployer"], now)
    }

    /// Gate, promotion and deployment into one environment.
    pub(crate) fn go(&mut self, artifact: &Digest, environment: &Environment) {
        let permit = self.permit(artifact, environment);
        let promotion = self.promote(&permit).unwrap();
        let deploy = self.deployment(artifact, environment);
        self.deploy(deploy, Some(&permit), Some(&promotion.payload)).unwrap();
    }

    /// A new version of the trust policy, signed by its admin.
    pub(crate) fn change_trust_policy(&mut self, change: impl FnOnce(&mut TrustPolicy)) -> Result<Receipt, Error> {
        let before = self.ledger.trust_policy()?;
        let mut policy = before.predicate().clone();
        policy.version += 1;
        policy.supersedes = Some(RecordRef::to(before.payload()));
        change(&mut policy);
        self.record("admin", &trust_policy::statement(&policy)?)
    }

    /// What drift finds after `state` was observed: type and resource of each finding.
    pub(crate) fn drift(&mut self, environment: &Environment, state: Vec<Observed>) -> Vec<(FindingType, String)> {
        let now = self.tick();
        let (observer, key) = (self.actor("observer"), &self.keys["records"]);
        release::snapshot(&mut self.ledger, environment.clone(), observer, state, b"{}", key, now).unwrap();
        let now = self.tick();
        let drift = release::drift(&mut self.ledger, &environment.id, &self.keys["records"], now).unwrap();
        let named = |f: Finding| (f.finding_type, f.resource.unwrap_or_default());
        drift.report.findings.into_iter().map(named).collect()
    }

    /// A release that went all the way.
    pub(crate) fn released(artifact: &Digest) -> Self {
        let mut world = Self::new();
        world.build(artifact);
        world.go(artifact, &dev());
        world.go(artifact, &staging());
        world.approval("release-manager", artifact, &prod());
        world.go(artifact, &prod());
        world
    }
}

/// A test result of no kind.
pub(crate) fn test_result(world: &World, result: TestOutcome) -> TestResult {
    TestResult {
        result,
        configuration: vec![ResourceDescriptor::at("https://example.org/tests/suite")],
        url: None,
        passed_tests: vec![],
        warned_tests: vec![],
        failed_tests: vec![],
        test_kind: None,
        tool: Some(ResourceDescriptor::at("pkg:cargo/cargo@1.95.0").named("cargo test")),
        report: None,
        counts: BTreeMap::new(),
        requirements: vec![],
        started_at: None,
        finished_at: Some(world.now),
    }
}

/// Where the body of an entry lies in the folder of a ledger.
pub(crate) fn body_name(index: u64) -> String {
    format!("bodies/{index:03}")
}

pub(crate) fn tree() -> Digest {
    Digest::from_hex(Algorithm::GitTree, TREE).unwrap()
}

pub(crate) fn dev() -> Environment {
    Environment::new("urn:example:env:dev", EnvironmentClass::Dev)
}

pub(crate) fn staging() -> Environment {
    Environment::new("urn:example:env:staging", EnvironmentClass::Staging)
}

pub(crate) fn prod() -> Environment {
    Environment::new("urn:example:env:prod", EnvironmentClass::Prod)
}

pub(crate) fn artifact() -> Digest {
    Digest::sha256(b"the built artifact")
}
