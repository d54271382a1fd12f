//! The input document of the policy, from verified records only (policy section 9).
//!
//! Who acted is what the trust policy says of the authenticated signer. What a record says of its own author's roles
//! does not get here. A record that was revoked since supports nothing; what it refuses, it still refuses.

use super::select::Evidence;
use super::{GateRequest, is_anchored};
use crate::digest::Algorithm;
use crate::error::Result;
use crate::ledger::{Ledger, LedgerRecord};
use crate::policy::{self, Input, PolicyBundle};
use crate::predicate::{self, ActorKind, ApprovalDecision, CaptureMethod, Predicate, RiskTier, Stage, TestOutcome};
use crate::timestamp::Timestamp;
use crate::trust_policy::TrustPolicy;

pub(super) fn input(
    ledger: &Ledger,
    request: &GateRequest,
    bundle: &PolicyBundle,
    evidence: &Evidence,
    now: Timestamp,
) -> Result<Input> {
    let trust = ledger.trust_policy()?;
    let mut gathered = Gathered::default();
    for record in &evidence.records {
        gathered.add(record, trust)?;
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
            // a chain that is not pinned or breaks a threshold does not load, so there is no gate to get here
            problems: Vec::new(),
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
        change: newest_change(&gathered.changes, request.change_id.as_deref()),
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
            disposed: 0,
            missing: evidence.missing.clone(),
            anchored: is_anchored(ledger),
            // records that do not prove are refused one by one; a walk that does not prove ends the gate
            proven: true,
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
    changes: Vec<(policy::Change, RiskTier)>,
    approvals: Vec<policy::Approval>,
    evidence: policy::Evidence,
    custody: policy::Custody,
}

impl Gathered {
    fn add(&mut self, record: &LedgerRecord, trust: &TrustPolicy) -> Result<()> {
        let payload = record.statement().payload_digest().hex();
        let index = record.index;
        let subjects = || subjects(record);
        match record.statement().predicate()? {
            Predicate::Approval(a) if !record.revoked || a.decision != ApprovalDecision::Approved => {
                self.approvals.push(approval(record, *a, trust)?);
            }
            Predicate::ChangeRequest(c) => self.changes.push((change(record, &c, trust), c.risk_tier)),
            Predicate::Provenance(p) if !record.revoked => {
                let source = p.build_definition.resolved_dependencies.iter().find_map(|d| {
                    d.digest.as_ref()?.get(Algorithm::GitCommit).map(|commit| (d.uri.clone(), commit.hex()))
                });
                let (repository, commit) = source.unzip();
                self.evidence.provenance.push(policy::Provenance {
                    payload,
                    index,
                    builder_authorised: speaks_for_builder(trust, &record.speaker.signer, &p.run_details.builder.id),
                    builder_id: p.run_details.builder.id,
                    signer: record.speaker.signer.clone(),
                    key: record.speaker.key_id.clone(),
                    person: record.speaker.person.clone(),
                    repository: repository.flatten(),
                    commit,
                    build_type: p.build_definition.build_type,
                    subjects: subjects(),
                });
            }
            Predicate::Cyclonedx(_) if !record.revoked => {
                let bom = record.statement().predicate_json()?;
                let components = bom.get("components").and_then(|c| c.as_array()).map_or(0, Vec::len);
                self.evidence.sbom.push(policy::Sbom {
                    payload,
                    index,
                    format: "CycloneDX".to_owned(),
                    components: components as u64,
                    subjects: subjects(),
                });
            }
            // a failing result of a signer revoked since still refuses
            Predicate::TestResult(t) if !record.revoked || t.result != TestOutcome::Passed => {
                let Some(kind) = t.test_kind else { return Ok(()) };
                let tool = t.tool.and_then(|tool| tool.name.or(tool.uri)).unwrap_or_else(|| "unnamed".to_owned());
                self.evidence.tests.push(policy::TestResult {
                    payload,
                    index,
                    kind: kind.name().to_owned(),
                    tool,
                    result: t.result.name().to_owned(),
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
                key: record.speaker.key_id.clone(),
                person: record.speaker.person.clone(),
            }),
            _ => {}
        }
        Ok(())
    }
}

/// The newest request of a change by ledger order; a later one of a lower tier replaces nothing.
fn newest_change(changes: &[(policy::Change, RiskTier)], asked: Option<&str>) -> Option<policy::Change> {
    let asked = asked?;
    let mut newest: Option<&(policy::Change, RiskTier)> = None;
    for change in changes.iter().filter(|(c, _)| c.id == asked) {
        if newest.is_none_or(|(_, tier)| change.1 >= *tier) {
            newest = Some(change);
        }
    }
    newest.map(|(change, _)| change.clone())
}

fn change(record: &LedgerRecord, change: &predicate::ChangeRequest, trust: &TrustPolicy) -> policy::Change {
    let revisions = record.statement().subjects().iter().filter_map(|s| {
        let digest = s.digest.as_ref()?;
        let commit = digest.get(Algorithm::GitCommit)?.hex();
        Some(policy::Revision { commit, tree: digest.get(Algorithm::GitTree).map(|t| t.hex()) })
    });
    let mut repositories: Vec<String> = record.statement().subjects().iter().filter_map(|s| s.uri.clone()).collect();
    repositories.dedup();
    policy::Change {
        id: change.change_id.clone(),
        payload: record.statement().payload_digest().hex(),
        index: record.index,
        categories: change.categories.iter().map(|c| c.name().to_owned()).collect(),
        tier: change.risk_tier.name().to_owned(),
        bumped: false,
        emergency: change.emergency.is_some(),
        authors: change
            .authors
            .iter()
            .map(|a| policy::Author { id: a.id.clone(), person: trust.person_of_actor(a).map(|p| p.person.clone()) })
            .collect(),
        revisions: revisions.collect(),
        repositories,
    }
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
            key: record.speaker.key_id.clone(),
        },
        decided_at_unix: approval.decided_at.unix_seconds(),
        expires_at_unix: approval.expires_at.map(Timestamp::unix_seconds),
        dismisses: approval.dismisses.map(|d| d.payload()).transpose()?.map(|d| d.hex()),
        display_name: approval.approver.display_name.unwrap_or_default(),
        meaning: approval.meaning,
    })
}

fn deployer(name: &str, trust: &TrustPolicy) -> Option<policy::Deployer> {
    let key = trust.root().keys().iter().find(|k| k.name == name)?;
    let key_id = key.key.id();
    let person = trust.person(crate::trust_policy::KEY_ISSUER, &key_id).map(|p| p.person.clone());
    Some(policy::Deployer { signer: name.to_owned(), key: key_id, person })
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
