//! `sealwright demo`: the whole story on the repository one stands in, with nothing invented.
//!
//! The artifact is what was built, the commit and its author are real, so are the lock files and the test reports.
//! Only the people who review and approve are played: by keys made for the demo, labelled so, and forgotten after it.

mod cast;
mod handover;
mod refusals;
mod source;
mod story;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::answer::Answer;
use super::settings::Settings;
use crate::artifact::ResourceDescriptor;
use crate::digest::{Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::gate::{ArtifactReference, Decision, GateRequest, decide};
use crate::json;
use crate::key::PrivateKey;
use crate::ledger::{Anchors, Ledger};
use crate::policy::starter_bundle;
use crate::predicate::{
    Approval, ApprovalDecision, BuildDefinition, Builder, Capture, CaptureMethod, Category, CategorySource,
    ChangeRequest, CheckOutcome, Cyclonedx, Environment, EnvironmentClass, Impact, Observed, PredicateType, Provenance,
    RiskTier, RollbackMethod, RollbackPlan, RunDetails, Stage, TestKind, TestOutcome, nonce,
};
use crate::release::{self, Deploy};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::{ingest, limits, sbom};
use cast::Cast;
use source::Source;
use story::Story;

/// `demo`: what it works on.
#[derive(Args)]
pub(crate) struct Demo {
    /// The repository.
    #[arg(default_value = ".", value_name = "DIR")]
    root: PathBuf,
    /// A file that was built from it.
    #[arg(long, value_name = "FILE")]
    artifact: PathBuf,
    /// A test report in JUnit XML with the kind of its tests; once for each.
    #[arg(long = "report", value_name = "KIND=FILE", value_parser = kind_and_file, required = true)]
    reports: Vec<(TestKind, PathBuf)>,
    /// The folder to write everything to.
    #[arg(long, default_value = "sealwright-demo", value_name = "DIR")]
    out: PathBuf,
}

/// In every folder the demo made, so that it only ever removes its own.
const MARKER: &str = ".made-by-sealwright-demo";

impl Demo {
    /// Plays the story, telling it as it goes; with `--json` only its end is told.
    pub(crate) fn run(self, settings: &Settings, quiet: bool) -> Result<Answer> {
        let source = Source::read(&self.root)?;
        make_folder(&self.out)?;
        let cast = Cast::assemble(&source)?;
        let mut silence = std::io::sink();
        let mut stdout = std::io::stdout().lock();
        let story = Story::on(if quiet { &mut silence } else { &mut stdout });
        let artifact = Digest::of_file(&self.artifact)?;
        let mut play = Play { demo: &self, source, cast, settings, story, artifact };
        play.play()?;
        let pack = self.out.join("pack");
        let answer = json!({
            "artifact": play.artifact.to_string(),
            "release": play.release_id(),
            "ledger": self.out.join("ledger"),
            "pack": pack,
            "report": pack.join("reports/index.html"),
        });
        Ok(Answer::new("", answer))
    }
}

fn kind_and_file(text: &str) -> Result<(TestKind, PathBuf)> {
    let (kind, file) = text.split_once('=').ok_or_else(|| {
        Error::new(ErrorKind::ApiMisuse, format!("`{text}` is no report with its kind; write `unit=report.xml`"))
    })?;
    Ok((kind.parse()?, file.into()))
}

struct Play<'a> {
    demo: &'a Demo,
    source: Source,
    cast: Cast,
    settings: &'a Settings,
    story: Story<'a>,
    artifact: Digest,
}

impl Play<'_> {
    fn play(&mut self) -> Result<()> {
        let digest = self.artifact.hex();
        let shortened = short(&digest);
        self.story.title("One release of this repository, from commit to evidence pack")?;
        self.story.say(&format!(
            "Artifact {} (sha256:{shortened}…), built from commit {} by {}{}. Everything is real but the keys: builder, author, \
             reviewer, release manager, deployer and records each sign with one made for this demo and forgotten after it.",
            shown(&self.demo.root, &self.demo.artifact),
            short(&self.source.commit),
            self.source.author.name,
            if self.source.modified { ", with changes that are not committed" } else { "" }
        ))?;
        let mut ledger = self.begin()?;
        self.attest(&mut ledger)?;
        self.promote(&mut ledger)?;
        self.tampering(&ledger)?;
        self.drift(&mut ledger)?;
        self.pack(&mut ledger)
    }

    fn now(&self) -> Result<Timestamp> {
        self.settings.now()
    }

    fn key(&self, role: &str) -> Result<&PrivateKey> {
        self.cast.key(role)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.demo.out.join(name)
    }

    fn begin(&mut self) -> Result<Ledger> {
        let anchors = Anchors::in_folder(self.path("state"));
        let trust = self.cast.trust_policy_record()?;
        let mut ledger = Ledger::init(
            &self.path("ledger"),
            &anchors,
            "sealwright.dev/demo",
            self.cast.log_key()?,
            &[trust],
            self.now()?,
        )?;
        ledger.attach(&starter_bundle()?)?;
        let purl = self.purl();
        let subject = self.subject();
        release::begin(&mut ledger, &self.release_id(), &purl, vec![subject], self.key("records")?, self.now()?)?;
        Ok(ledger)
    }

    /// What machines and people say of the artifact before any gate is asked.
    fn attest(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.story.heading("Attest: each step signs what it did")?;
        let provenance = self.provenance()?;
        self.record(ledger, "builder", vec![self.subject()], &provenance)?;
        self.story.step("provenance", &format!("commit {} → {}", short(&self.source.commit), self.artifact_name()))?;
        let bom = self.bom()?;
        let listed = sbom::read(&bom)?;
        self.record_bom(ledger, &bom)?;
        let licensed = listed.components.iter().filter(|c| !c.licenses.is_empty()).count();
        self.story.step("SBOM", &format!("{} components, {licensed} with a licence", listed.component_count))?;
        for (kind, path) in self.demo.reports.clone() {
            let (counts, outcome) = self.record_tests(ledger, kind, &path)?;
            self.story.step(&format!("{kind} tests"), &format!("{counts}, {outcome}"))?;
        }
        let change = self.change()?;
        self.record(ledger, "author", vec![self.revision()?], &change)?;
        self.story.step("change", &format!("{} ({}, {})", change.title, Category::Operational, RiskTier::Moderate))?;
        let review = self.approval("reviewer", Stage::SourceReview, None, "I read this tree and agree with it")?;
        self.record(ledger, "reviewer", vec![self.revision()?], &review)?;
        self.story.step("source review", &format!("tree {} by the demo reviewer", short(&self.source.tree)))?;
        Ok(())
    }

    /// dev, staging, prod: one digest, and two attempts that must not pass.
    fn promote(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.story.heading("Decide and promote: one digest, three environments")?;
        let left_out = self.cast.left_out();
        self.story.note(&format!(
            "By the profile {}: {left_out} default checks are left out, each named with its reason in every decision and in the \
             report.",
            self.cast.profile()
        ))?;
        self.go(ledger, EnvironmentClass::Dev)?;
        self.rebuilt_digest(ledger)?;
        self.go(ledger, EnvironmentClass::Staging)?;
        ledger.settle()?;
        refusals::copy_folder(Path::new(&ledger.place()), &self.path("older-ledger"))?;
        self.approval_by_the_author(ledger)?;
        let environment = self.environment(EnvironmentClass::Prod);
        let approval =
            self.approval("release-manager", Stage::Promotion, Some(&environment), "Released for production")?;
        self.record(ledger, "release-manager", vec![self.subject()], &approval)?;
        self.story.step("approval", "for prod, by the demo release manager")?;
        self.go(ledger, EnvironmentClass::Prod)
    }

    /// Gate, promotion and a real deployment: the artifact is copied into the environment's folder.
    fn go(&mut self, ledger: &mut Ledger, class: EnvironmentClass) -> Result<()> {
        let decision = self.decide(ledger, &self.artifact.clone(), class)?;
        let permit = decision.enforce(ledger)?;
        let environment = self.environment(class);
        let promotion = release::promote(
            ledger,
            &permit,
            &self.release_id(),
            self.cast.actor("records"),
            self.key("records")?,
            self.now()?,
        )?;
        let started = self.now()?;
        let place = self.path(&format!("environments/{class}"));
        std::fs::create_dir_all(&place).map_err(|e| Error::io("make folder", &place, e))?;
        let target = place.join(self.artifact_name());
        std::fs::copy(&self.demo.artifact, &target).map_err(|e| Error::io("deploy to", &target, e))?;
        let mut deploy = Deploy::succeeded(
            format!("{}/deployments/{}", environment.id, started.unix_millis()),
            self.release_id(),
            environment,
            vec![self.subject()],
            self.cast.actor("deployer"),
            started,
        );
        deploy.finished_at = Some(self.now()?);
        deploy.change_ids = vec![self.source.change_id()];
        deploy.resources = vec![self.resource(class)];
        deploy.earliest_commit_at = Some(self.source.committed_at);
        release::deploy(ledger, deploy, Some(&permit), Some(&promotion.payload), self.key("deployer")?, self.now()?)?;
        let count = |outcome| decision.evaluation.checks.iter().filter(|c| c.result == outcome).count();
        self.story.step(
            class.name(),
            &format!(
                "{} checks passed, {} not asked here; promoted, deployed, permit spent",
                count(CheckOutcome::Passed),
                count(CheckOutcome::NotApplicable)
            ),
        )
    }

    fn decide(&self, ledger: &mut Ledger, artifact: &Digest, class: EnvironmentClass) -> Result<Decision> {
        let request = GateRequest::new(
            ArtifactReference::of(artifact.clone())?,
            self.environment(class),
            self.release_id(),
            "deployer",
        )
        .for_change(self.source.change_id());
        decide(ledger, &request, self.key("records")?, self.now()?)
    }

    /// Looks at what really lies in the environment, after somebody changed it.
    fn drift(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.story.heading("Compare what runs with what was approved")?;
        let class = EnvironmentClass::Prod;
        self.observe(ledger, class)?;
        let clean = release::drift(ledger, &self.environment(class).id, self.key("records")?, self.now()?)?;
        self.story.step("snapshot", &format!("prod as deployed: {} findings", clean.report.findings.len()))?;
        let file = self.path("environments/prod").join(self.artifact_name());
        append_byte(&file)?;
        self.observe(ledger, class)?;
        let drifted = release::drift(ledger, &self.environment(class).id, self.key("records")?, self.now()?)?;
        self.story.step("changed", "one byte of the file in prod, past every gate")?;
        for finding in &drifted.report.findings {
            let shown = |side: &Option<serde_json::Map<String, json::Value>>| {
                let hex = side.as_ref().and_then(|s| s.get("sha256")).and_then(|v| v.as_str()).unwrap_or("nothing");
                hex.chars().take(12).collect::<String>()
            };
            self.story.refused(&format!(
                "{} ({}): expected sha256:{}…, runs sha256:{}…",
                finding.finding_type,
                finding.severity,
                shown(&finding.expected),
                shown(&finding.observed)
            ))?;
        }
        if drifted.report.findings.is_empty() {
            return Err(Error::new(ErrorKind::Internal, "the drifted digest in prod was not found"));
        }
        Ok(())
    }

    fn observe(&self, ledger: &mut Ledger, class: EnvironmentClass) -> Result<()> {
        let file = self.path(&format!("environments/{class}")).join(self.artifact_name());
        let digest: DigestSet = Digest::of_file(&file)?.into();
        let observed = Observed {
            resource: self.resource(class),
            digest: Some(digest.clone()),
            configuration: None,
            started_at: None,
            replicas: None,
        };
        let raw = json::canonical("observed state", &[(self.artifact_name(), digest)])?;
        let (environment, observer) = (self.environment(class), self.cast.actor("records"));
        release::snapshot(ledger, environment, observer, vec![observed], &raw, self.key("records")?, self.now()?)
            .map(|_| ())
    }

    fn provenance(&self) -> Result<Provenance> {
        let commit = Digest::from_hex(crate::digest::Algorithm::GitCommit, &self.source.commit)?;
        let parameters = [("artifact".to_owned(), shown(&self.demo.root, &self.demo.artifact).into())];
        let tree = if self.source.modified { "modified" } else { "clean" };
        Ok(Provenance {
            build_definition: BuildDefinition {
                build_type: "https://sealwright.dev/demo/build/v1".to_owned(),
                external_parameters: parameters.into_iter().collect(),
                internal_parameters: [("workingTree".to_owned(), tree.into())].into_iter().collect(),
                resolved_dependencies: vec![
                    ResourceDescriptor::of(commit).with_uri(&self.source.repository).named("source"),
                ],
            },
            run_details: RunDetails {
                builder: Builder {
                    id: cast::BUILDER.to_owned(),
                    builder_dependencies: Vec::new(),
                    version: [("sealwright".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into_iter().collect(),
                },
                // when the build ended, only the builder could say
                metadata: None,
                byproducts: Vec::new(),
            },
        })
    }

    fn bom(&self) -> Result<Vec<u8>> {
        let options = sbom::GenerateOptions { cargo_home: self.settings.cargo_home(), ..Default::default() };
        let bom = sbom::generate(&self.demo.root, &options)?.to_json()?;
        match sbom::validate(&bom)?.first() {
            None => Ok(bom),
            Some(finding) => Err(Error::new(
                ErrorKind::Internal,
                format!("the SBOM is not valid at `{}`: {}", finding.path, finding.message),
            )),
        }
    }

    fn record_bom(&self, ledger: &mut Ledger, bom: &[u8]) -> Result<()> {
        let predicate = Cyclonedx::parse(bom)?;
        self.record(ledger, "builder", vec![self.subject()], &predicate)
    }

    fn record_tests(&self, ledger: &mut Ledger, kind: TestKind, path: &Path) -> Result<(String, TestOutcome)> {
        let bytes = limits::read_file("test report", path, limits::DOCUMENT_BYTES)?;
        let report = ingest::junit::read(&bytes)?;
        let mut test = report.test_result(kind);
        let tested = if kind == TestKind::Integration { "the artifact itself" } else { "the library it is built from" };
        test.configuration =
            vec![ResourceDescriptor::at("https://doc.rust-lang.org/cargo/commands/cargo-test.html").named(tested)];
        test.tool = Some(ResourceDescriptor::at("https://doc.rust-lang.org/test/").named("libtest"));
        test.report = Some(release::attach(ledger, &bytes, "JUnit report", "application/xml")?);
        let (ran, failed) = (report.tests - report.skipped, report.failures + report.errors);
        let outcome = test.result;
        self.record(ledger, "builder", vec![self.subject(), self.revision()?], &test)?;
        Ok((format!("{ran} run, {failed} failed"), outcome))
    }

    fn change(&self) -> Result<ChangeRequest> {
        Ok(ChangeRequest {
            nonce: nonce()?,
            change_id: self.source.change_id(),
            title: self.source.title.clone(),
            reason: "the newest commit of this repository goes out with the demo".to_owned(),
            requested_by: self.source.author.actor(),
            authors: self.source.authors.iter().map(source::Author::actor).collect(),
            created_at: self.now()?,
            categories: vec![Category::Operational],
            category_source: CategorySource::Declared,
            risk_tier: RiskTier::Moderate,
            classifier: None,
            emergency: None,
            impact: Impact {
                summary: "a copy of the built file in three folders of this machine".to_owned(),
                data_classes: Vec::new(),
                affected_controls: Vec::new(),
                safety: None,
            },
            intended_use: None,
            problem_reports: Vec::new(),
            risks: Vec::new(),
            test_plan: Vec::new(),
            rollback_plan: RollbackPlan {
                method: RollbackMethod::RedeployPrevious,
                description: None,
                previous_digest: None,
            },
            required_approvals: Vec::new(),
            supersedes: None,
        })
    }

    fn approval(&self, role: &str, stage: Stage, environment: Option<&Environment>, meaning: &str) -> Result<Approval> {
        Ok(Approval {
            nonce: nonce()?,
            stage,
            decision: ApprovalDecision::Approved,
            approver: self.cast.actor(role),
            in_role: role.to_owned(),
            meaning: meaning.to_owned(),
            decided_at: self.now()?,
            change_id: Some(self.source.change_id()),
            environment: environment.cloned(),
            considered: Vec::new(),
            conditions: Vec::new(),
            comment: None,
            review_uri: None,
            over_tree: (stage == Stage::SourceReview).then(|| self.source.tree_digest()).transpose()?,
            expires_at: None,
            dismisses: None,
            capture: Capture { method: CaptureMethod::DirectSignature, system: None, source_event: None },
        })
    }

    fn record<P: PredicateType>(
        &self,
        ledger: &mut Ledger,
        role: &str,
        subjects: Vec<ResourceDescriptor>,
        predicate: &P,
    ) -> Result<()> {
        let statement = Statement::new(subjects, predicate)?;
        ledger.record_statement(&statement, self.key(role)?, self.now()?).map(|_| ())
    }

    fn subject(&self) -> ResourceDescriptor {
        ResourceDescriptor::of(self.artifact.clone()).named(self.artifact_name()).with_uri(self.purl())
    }

    fn revision(&self) -> Result<ResourceDescriptor> {
        let commit = Digest::from_hex(crate::digest::Algorithm::GitCommit, &self.source.commit)?;
        let tree = Digest::from_hex(crate::digest::Algorithm::GitTree, &self.source.tree)?;
        Ok(ResourceDescriptor::of(DigestSet::new([commit, tree])?).with_uri(&self.source.repository))
    }

    fn artifact_name(&self) -> String {
        self.demo.artifact.file_name().map_or_else(|| "artifact".to_owned(), |n| n.to_string_lossy().into_owned())
    }

    fn purl(&self) -> String {
        format!("pkg:generic/{}@{}", self.artifact_name(), self.source.commit)
    }

    fn release_id(&self) -> String {
        format!("{}-{}", self.artifact_name(), short(&self.source.commit))
    }

    fn environment(&self, class: EnvironmentClass) -> Environment {
        Environment::new(format!("urn:sealwright:demo:{class}"), class)
    }

    fn resource(&self, class: EnvironmentClass) -> String {
        format!("urn:sealwright:demo:{class}:{}", self.artifact_name())
    }
}

/// Makes the folder anew; an older one goes only if the demo made it.
fn make_folder(folder: &Path) -> Result<()> {
    let marker = folder.join(MARKER);
    if marker.is_file() {
        std::fs::remove_dir_all(folder).map_err(|e| Error::io("remove the folder of an earlier demo", folder, e))?;
    } else if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::new(
            ErrorKind::AlreadyExists,
            format!("`{}` holds something that no demo made; name another folder with `--out`", folder.display()),
        ));
    }
    std::fs::create_dir_all(folder).map_err(|e| Error::io("make folder", folder, e))?;
    std::fs::write(&marker, "").map_err(|e| Error::io("write", &marker, e))
}

fn append_byte(path: &Path) -> Result<()> {
    use std::io::Write as _;
    let file = std::fs::OpenOptions::new().append(true).open(path);
    file.and_then(|mut f| f.write_all(b"\0")).map_err(|e| Error::io("write", path, e))
}

/// The first twelve digits, enough for people.
fn short(hex: &str) -> &str {
    hex.get(..12).unwrap_or(hex)
}

/// A path as the repository sees it.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
