//! The input document of the policy, from verified records only (policy section 9).
//!
//! Who acted is what the trust policy says of the authenticated signer. What a record says of its own author's roles
//! does not get here. A record that was revoked since supports nothing; what it refuses, it still refuses.

use super::select::Evidence;
use super::{GateRequest, change, is_anchored};
use crate::digest::Algorithm;
use crate::error::Result;
use crate::ledger::{Ledger, LedgerRecord, Witnessed};
use crate::policy::{self, Input, PolicyBundle};
use crate::predicate::{self, ActorKind, ApprovalDecision, CaptureMethod, Predicate, Stage, TestOutcome, TestResult};
use crate::sbom;
use crate::timestamp::Timestamp;
use crate::trust_policy::{self, TrustPolicy};

pub(super) fn input(
    ledger: &Ledger,
    request: &GateRequest,
    bundle: &PolicyBundle,
    evidence: &Evidence,
    witnessed: &Witnessed,
    now: Timestamp,
) -> Result<Input> {
    let trust = ledger.trust_policy()?;
    let mut gathered = Gathered::default();
    for record in &evidence.records {
        let then = ledger.trust().in_force_at(record.index).unwrap_or(trust);
        gathered.add(record, trust, then)?;
    }
    let (policy_approvals, approvals) = gathered.approvals.into_iter().partition(|a: &policy::Approval| {
        a.stage == Stage::Policy.name() && a.subjects.contains(&bundle.digest().to_string())
    });
    let pinned = trust.pinned_bundle().as_ref() == Some(bundle.digest());
    Ok(Input {
        gate: request.gate().name().to_owned(),
        now_unix: now.unix_seconds(),
        profile: bundle.profile().clone(),
        trust_policy: policy::TrustPolicyState {
            version: trust.version(),
            payload: trust.payload().hex(),
            // a chain that is not pinned or breaks a threshold does not load, so there is no gate to get here; what is
            // left to compare is what the owner allows a bundle to leave out
            problems: profile_problems(bundle, trust),
            builders: builders(trust),
        },
        target: environment(&request.environment),
        release_id: request.release_id.clone(),
        release_kind: "service".to_owned(),
        artifact: policy::Artifact {
            sha256: request.artifact.digest().map(|d| d.hex()),
            purl: request.purl.clone(),
            reference: request.artifact.to_string(),
        },
        deployer: deployer(&request.deployer, trust),
        change: change::in_force(&gathered.changes, request.change_id.as_deref()),
        approvals,
        evidence: gathered.evidence,
        custody: gathered.custody,
        records: policy::Records { read: evidence.records.len() as u64, refused: evidence.refused.clone() },
        ledger: policy::LedgerState {
            origin: ledger.origin().to_owned(),
            size: ledger.size(),
            root_hash: hex::encode(ledger.checkpoint().checkpoint().root().as_bytes()),
            last_entry_unix: evidence.last.map_or(0, Timestamp::unix_seconds),
            matched: evidence.matched,
            control: evidence.controls,
            disposed: evidence.disposed,
            missing: evidence.missing.clone(),
            anchored: is_anchored(ledger)?,
            // records that do not prove are refused one by one; a walk that does not prove ends the gate
            proven: true,
            cosignatures: witnessed.cosignatures.len() as u64,
            quorum: witnessed.quorum,
            anchored_at_unix: witnessed.anchored_at().map(Timestamp::unix_seconds),
        },
        policy: policy::PolicyState {
            digest: bundle.digest().hex(),
            // the admins of the trust policy sign the digest they pin
            signed: pinned,
            pinned,
            approvals: policy_approvals,
            authors: Vec::new(),
        },
    })
}

#[derive(Default)]
struct Gathered {
    changes: Vec<change::Request>,
    approvals: Vec<policy::Approval>,
    evidence: policy::Evidence,
    custody: policy::Custody,
}

impl Gathered {
    /// `trust` is the trust policy of today, whose revocations reach back; `then` is that at the record's index.
    fn add(&mut self, record: &LedgerRecord, trust: &TrustPolicy, then: &TrustPolicy) -> Result<()> {
        let payload = record.statement().payload_digest().hex();
        let index = record.index;
        let subjects = || subjects(record);
        match record.statement().predicate()? {
            Predicate::Approval(a) => {
                let approval = approval(record, *a, then)?;
                let revoked = record.revoked || is_revoked(approval.approver.person.as_deref(), record, trust)?;
                if !revoked || approval.decision != policy::Decision::Approved {
                    self.approvals.push(approval);
                }
            }
            Predicate::ChangeRequest(c) => self.changes.push(change::request(record, &c, [trust, then])),
            Predicate::Provenance(p) if !record.revoked => {
                let source = p.build_definition.resolved_dependencies.iter().find_map(|d| {
                    let digests = d.digest.as_ref()?;
                    Some((d.uri.clone(), digests.get(Algorithm::GitCommit)?, digests.get(Algorithm::GitTree)))
                });
                let (repository, commit, tree) = match source {
                    Some((repository, commit, tree)) => (repository, Some(commit.hex()), tree.map(|t| t.hex())),
                    None => (None, None, None),
                };
                self.evidence.provenance.push(policy::Provenance {
                    payload,
                    index,
                    builder_authorised: speaks_for_builder(trust, &record.speaker.signer, &p.run_details.builder.id),
                    builder_id: p.run_details.builder.id,
                    signer: record.speaker.signer.clone(),
                    key: record.speaker.identity.clone(),
                    person: record.speaker.person.clone(),
                    repository,
                    commit,
                    tree,
                    build_type: p.build_definition.build_type,
                    subjects: subjects(),
                });
            }
            Predicate::Cyclonedx(_) | Predicate::Spdx(_) | Predicate::Spdx3(_) if !record.revoked => {
                // what can't be read lists nothing
                let bom = sbom::read_statement(record.statement()).unwrap_or_default();
                self.evidence.sbom.push(policy::Sbom {
                    payload,
                    index,
                    format: bom.format,
                    components: bom.component_count as u64,
                    subjects: subjects(),
                });
            }
            // a failing result of a signer revoked since still refuses
            Predicate::TestResult(t) if !record.revoked || outcome(&t) != TestOutcome::Passed => {
                self.evidence.tests.push(policy::TestResult {
                    payload,
                    index,
                    // it counts for none of the kinds, and against all if it failed
                    kind: t.test_kind.map_or("unspecified", |kind| kind.name()).to_owned(),
                    result: outcome(&t).name().to_owned(),
                    tool: t.tool.and_then(|tool| tool.name.or(tool.uri)).unwrap_or_else(|| "unnamed".to_owned()),
                    subjects: subjects(),
                });
            }
            Predicate::Promotion(p) if !record.revoked => self.custody.promotions.push(policy::Promotion {
                payload,
                index,
                from: p.from.as_ref().map(environment),
                to: environment(&p.to),
                digests: artifacts(record),
                release_id: p.release_id,
                decision: p.decision.payload()?.hex(),
            }),
            Predicate::Deployment(d) => self.custody.deployments.push(policy::Deployment {
                payload,
                index,
                environment: environment(&d.environment),
                digests: artifacts(record),
                release_id: d.release_id,
                status: d.status.name().to_owned(),
                // a revoked deployer did deploy, and what it did counts as done without a decision
                decision: d.decision.filter(|_| !record.revoked).map(|r| r.payload()).transpose()?.map(|d| d.hex()),
                signer: record.speaker.signer.clone(),
                key: record.speaker.identity.clone(),
                person: record.speaker.person.clone(),
            }),
            _ => {}
        }
        Ok(())
    }
}

/// What a test result comes to: one that names a failed test has not passed, whatever it says above.
fn outcome(test: &TestResult) -> TestOutcome {
    match test.result {
        TestOutcome::Passed if !test.failed_tests.is_empty() => TestOutcome::Failed,
        result => result,
    }
}

/// Whether a person for whom another one signed is revoked; whether the signer is, the record says.
fn is_revoked(person: Option<&str>, record: &LedgerRecord, trust: &TrustPolicy) -> Result<bool> {
    let since = person.and_then(|person| trust.revoked_since(person));
    let at = record.logged_at()?;
    Ok(since.is_some_and(|since| at >= since))
}

fn approval(record: &LedgerRecord, approval: predicate::Approval, trust: &TrustPolicy) -> Result<policy::Approval> {
    // who signed directly is the signer; a platform that vouches names the person, and the trust policy maps them
    let (person, roles, kind) = match approval.capture.method {
        CaptureMethod::DirectSignature => {
            let kind = if record.speaker.person.is_some() { ActorKind::Human } else { ActorKind::Workload };
            (record.speaker.person.clone(), record.speaker.roles.clone(), kind)
        }
        _ => {
            let person = trust.person_of_actor(&approval.approver);
            (
                person.map(|p| p.person.clone()),
                person.map(|p| p.roles.clone()).unwrap_or_default(),
                approval.approver.kind,
            )
        }
    };
    Ok(policy::Approval {
        payload: record.statement().payload_digest().hex(),
        index: record.index,
        stage: approval.stage.name().to_owned(),
        decision: match approval.decision {
            ApprovalDecision::Approved => policy::Decision::Approved,
            ApprovalDecision::Dismissed => policy::Decision::Dismissed,
            _ => policy::Decision::Rejected,
        },
        subjects: subjects(record),
        over_tree: approval.over_tree.and_then(|t| t.get(Algorithm::GitTree)).map(|t| t.hex()),
        environment: approval.environment.as_ref().map(environment),
        change: approval.change_id,
        approver: policy::Approver {
            id: approval.approver.id,
            person,
            kind: kind.name().to_owned(),
            roles,
            signer: record.speaker.signer.clone(),
            key: record.speaker.identity.clone(),
        },
        // the entry bounds a claimed time from above, or an approval dated ahead would count for longer
        decided_at_unix: approval.decided_at.min(record.logged_at()?).unix_seconds(),
        expires_at_unix: approval.expires_at.map(Timestamp::unix_seconds),
        dismisses: approval.dismisses.map(|d| d.payload()).transpose()?.map(|d| d.hex()),
        display_name: approval.approver.display_name.unwrap_or_default(),
        meaning: approval.meaning,
    })
}

fn deployer(name: &str, trust: &TrustPolicy) -> Option<policy::Deployer> {
    let id = trust.id_of(name)?;
    let person = trust.person(&id.issuer, &id.subject).map(|p| p.person.clone());
    Some(policy::Deployer { signer: name.to_owned(), key: trust_policy::identity(&id), person })
}

/// What the bundle leaves out and the trust policy does not allow it to (predicates section 4.21, `profile`).
fn profile_problems(bundle: &PolicyBundle, trust: &TrustPolicy) -> Vec<String> {
    let (profile, allowed) = (bundle.profile(), &trust.predicate().profile);
    let mut problems = Vec::new();
    if profile.single_operator && !allowed.single_operator {
        problems.push("the bundle is for a single operator, which the trust policy does not allow".to_owned());
    }
    for left in &profile.leaves_out {
        if !allowed.leaves_out.iter().any(|a| a.check == left.check && a.part == left.part) {
            problems.push(format!("the trust policy does not allow to leave out {} ({})", left.check, left.part));
        }
    }
    problems
}

fn builders(trust: &TrustPolicy) -> Vec<String> {
    let pairs = trust.predicate().signers.iter().flat_map(|s| &s.speaks_for);
    let mut builders: Vec<String> = pairs.filter_map(|p| p.builder.clone()).collect();
    builders.sort();
    builders.dedup();
    builders
}

fn speaks_for_builder(trust: &TrustPolicy, signer: &str, builder: &str) -> bool {
    trust.signer(signer).is_some_and(|s| s.speaks_for.iter().any(|p| p.builder.as_deref() == Some(builder)))
}

fn environment(environment: &predicate::Environment) -> policy::Environment {
    policy::Environment { id: environment.id.clone(), class: environment.class.name().to_owned() }
}

fn subjects(record: &LedgerRecord) -> Vec<String> {
    record.statement().subjects().iter().flat_map(|s| s.digests()).map(|d| d.to_string()).collect()
}

fn artifacts(record: &LedgerRecord) -> Vec<String> {
    let digests = record.statement().subjects().iter().flat_map(|s| s.digests());
    digests.filter(|d| d.algorithm() == Algorithm::Sha256).map(|d| d.hex()).collect()
}
