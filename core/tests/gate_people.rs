//! Who counts for a gate: authors, reviewers, approvers, revoked signers, and people behind several ids.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod world;

use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::Digest;
use sealwright::ledger::Ledger;
use sealwright::predicate::*;
use sealwright::trust_policy::{GIT_ISSUER, KEY_ISSUER};
use world::*;

const DAY: i64 = 24 * 3_600_000;

#[test]
fn s074_a_promotion_approval_in_the_wrong_role_place_or_time_of_another_digest_or_by_an_author_is_refused() {
    let manager = "release-manager";
    type Change = fn(&mut Approval);
    let cases: [(&str, &str, Digest, Change, &[&str]); 8] = [
        ("wrong role", "reviewer", artifact(), |_| {}, &["EV-APPR-001"]),
        ("role claimed", "reviewer", artifact(), forge, &["EV-APPR-001"]),
        ("another environment", manager, artifact(), |a| a.environment = Some(staging()), &["EV-APPR-001"]),
        (
            "another prod",
            manager,
            artifact(),
            |a| a.environment = Some(Environment::new("urn:example:env:prod-2", EnvironmentClass::Prod)),
            &["EV-APPR-001", "EV-APPR-003"],
        ),
        ("stale", manager, artifact(), |a| a.decided_at = a.decided_at.plus_millis(-15 * DAY), &["EV-APPR-001"]),
        ("expired", manager, artifact(), |a| a.expires_at = Some(a.decided_at.plus_millis(1)), &["EV-APPR-001"]),
        ("another digest", manager, Digest::sha256(b"other"), |_| {}, &["EV-APPR-001", "EV-APPR-003"]),
        (
            "another change",
            manager,
            artifact(),
            |a| a.change_id = Some("https://example.org/shop/changes/18".to_owned()),
            &["EV-APPR-001", "EV-APPR-003"],
        ),
    ];
    for (what, signer, digest, change, checks) in cases {
        let mut world = for_prod();
        world
            .approve(signer, Stage::Promotion, Some(&digest), |a| {
                a.environment = Some(prod());
                change(a);
            })
            .unwrap();
        let decision = world.decide(&artifact(), &prod());
        assert_eq!(ids(&decision), checks, "{what}");
    }
}

/// Says of an approver what only the trust policy can say.
fn forge(approval: &mut Approval) {
    approval.in_role = "release-manager".to_owned();
    approval.approver.roles = vec!["release-manager".to_owned(), "risk-owner".to_owned()];
    approval.approver.canonical_id = Some("cleo".to_owned());
    approval.approver.id = "mailto:cleo@example.org".to_owned();
}

#[test]
fn s074_an_approval_by_an_author_is_refused_by_name_whatever_it_says_of_itself() {
    for forged in [false, true] {
        let mut world = for_prod();
        world.change_trust_policy(|p| p.people[0].roles.push("release-manager".to_owned())).unwrap();
        world
            .approve("author", Stage::Promotion, Some(&artifact()), |a| {
                a.environment = Some(prod());
                if forged {
                    forge(a);
                }
            })
            .unwrap();
        let message = refuses(&mut world, &prod(), &["EV-APPR-001", "EV-APPR-002"]);
        assert!(message.contains("ada is both author and approver (S1)"), "{message}");
        // beside a good one, it still refuses
        world.approval("release-manager", &artifact(), &prod());
        refuses(&mut world, &prod(), &["EV-APPR-002"]);
    }
}

#[test]
fn an_author_who_is_named_by_an_address_alone_is_still_an_author() {
    for (id, vouched) in [
        ("mailto:ada@example.org", None),
        ("mailto:ADA@Example.org", None),
        ("mailto:someone@example.org", Some((GIT_ISSUER, "Ada@example.org"))),
    ] {
        let mut world = World::new();
        world.change_with(|c| {
            let mut ada = Actor::human(id, "Ada");
            if let Some((issuer, subject)) = vouched {
                ada = ada.vouched_by(issuer, subject);
            }
            c.authors = vec![ada];
        });
        world.provenance(&artifact());
        world
            .approve("author", Stage::SourceReview, None, |a| a.approver.id = "mailto:x@example.org".to_owned())
            .unwrap();
        world.change_trust_policy(|p| p.people[0].roles.push("peer-reviewer".to_owned())).unwrap();
        let decision = world.decide(&artifact(), &staging());
        assert!(ids(&decision).contains(&"EV-APPR-002") && ids(&decision).contains(&"EV-SRC-001"), "{id}");
        let e = decision.enforce(&world.ledger).unwrap_err();
        assert!(e.message().contains("ada is both author and approver (S1)"), "{id}: {e}");
    }
}

#[test]
fn two_ids_of_one_person_count_once() {
    // a clinical change needs three people for prod; one who holds every role and two keys is one
    let mut world = for_prod();
    world
        .change_trust_policy(|p| {
            let all = ["release-manager", "clinical-safety", "quality", "peer-reviewer", "code-owner"];
            p.people[2].roles = all.iter().map(|r| (*r).to_owned()).collect();
            let ben = std::mem::take(&mut p.people[1].ids);
            p.people[2].ids.extend(ben);
        })
        .unwrap();
    world.change_with(|c| {
        c.categories = vec![Category::ClinicalRisk];
        c.risk_tier = RiskTier::Critical;
        c.intended_use = Some("shows prices".to_owned());
    });
    for signer in ["reviewer", "release-manager"] {
        world.approve(signer, Stage::SourceReview, None, |_| {}).unwrap();
        world.approval(signer, &artifact(), &prod());
    }
    let decision = world.decide(&artifact(), &prod());
    let e = decision.enforce(&world.ledger).unwrap_err();
    assert!(ids(&decision).contains(&"EV-APPR-001") && e.message().contains("1 of 3"), "{e}");
}

#[test]
fn a_later_change_request_of_a_lower_tier_replaces_nothing_and_a_stricter_one_applies() {
    let mut world = for_prod();
    world.approval("release-manager", &artifact(), &prod());
    world.change_with(|c| (c.categories, c.risk_tier) = (vec![Category::Cosmetic], RiskTier::Low));
    let decision = world.decide(&artifact(), &prod());
    assert!(decision.passed(), "{:?}", ids(&decision));
    // the same tier with fewer categories takes none away
    world.change_with(|c| (c.categories, c.risk_tier) = (vec![Category::SecuritySensitive], RiskTier::High));
    let stricter = ids(&world.decide(&artifact(), &prod())).join(" ");
    assert!(stricter.contains("EV-APPR-001") && stricter.contains("EV-SRC-001"), "{stricter}");
    world.change_with(|c| (c.categories, c.risk_tier) = (vec![Category::Cosmetic], RiskTier::High));
    assert_eq!(ids(&world.decide(&artifact(), &prod())).join(" "), stricter);
}

#[test]
fn an_author_who_is_left_out_of_a_later_change_request_is_still_an_author() {
    let mut world = World::new();
    let ben = world.actor("reviewer");
    world.change_with(|c| c.authors.push(ben));
    world.build(&artifact());
    world.go(&artifact(), &dev());
    let message = refuses(&mut world, &staging(), &["EV-SRC-001", "EV-SRC-002", "EV-APPR-002"]);
    assert!(message.contains("ben is both author and approver (S1)"), "{message}");
}

#[test]
fn a_dismissed_review_and_a_later_rejection_take_an_approval_back() {
    let mut world = for_staging();
    let review = world.ledger.select_newest_review();
    world
        .approve("reviewer", Stage::SourceReview, None, |a| {
            (a.decision, a.dismisses) = (ApprovalDecision::Dismissed, Some(RecordRef::to(&review)));
        })
        .unwrap();
    refuses(&mut world, &staging(), &["EV-SRC-001", "EV-SRC-002"]);
    // a new one counts, until it is rejected
    world.review();
    assert!(world.decide(&artifact(), &staging()).passed());
    world.approve("reviewer", Stage::SourceReview, None, |a| a.decision = ApprovalDecision::Rejected).unwrap();
    refuses(&mut world, &staging(), &["EV-SRC-001", "EV-SRC-002"]);
}

trait NewestReview {
    fn select_newest_review(&self) -> Digest;
}

impl NewestReview for Ledger {
    fn select_newest_review(&self) -> Digest {
        let records = (0..self.size()).rev().filter_map(|index| self.record(index).ok());
        let mut reviews = records.filter(|r| matches!(r.statement().predicate(), Ok(Predicate::Approval(_))));
        reviews.next().unwrap().statement().payload_digest()
    }
}

fn revoke(world: &mut World, target: &str) {
    let since = START.parse().unwrap();
    let revocation = Revocation { target: target.to_owned(), since, reason: "stolen".to_owned() };
    world.change_trust_policy(|p| p.revocations.push(revocation)).unwrap();
}

#[test]
fn a_revocation_takes_away_what_a_record_supports_and_not_what_it_refuses() {
    for (target, checks) in [
        ("reviewer", &["EV-SRC-001", "EV-SRC-002"][..]),
        ("ben", &["EV-SRC-001", "EV-SRC-002"]),
        ("tester", &["EV-TEST-001", "EV-TEST-002"]),
        ("author", &["EV-PROV-003", "EV-CHG-001"]),
    ] {
        let mut world = for_staging();
        revoke(&mut world, target);
        let decision = world.decide(&artifact(), &staging());
        let found = ids(&decision);
        assert!(checks.iter().all(|c| found.contains(c)), "{target}: {found:?}");
    }
    // a failing result of a revoked tester, with an older pass by another one, still refuses
    let mut world = for_staging();
    world.tests(&artifact(), TestKind::Unit, TestOutcome::Failed);
    let failing = world.ledger.record(world.ledger.size() - 1).unwrap().statement().payload_digest().hex();
    revoke(&mut world, &failing);
    refuses(&mut world, &staging(), &["EV-TEST-001"]);
}

#[test]
fn a_person_for_whom_a_platform_vouches_is_told_by_the_trust_policy_and_can_be_revoked() {
    let platform = "https://forge.example";
    let vouched = |world: &mut World, subject: &str| {
        let subject = subject.to_owned();
        world
            .approve("records", Stage::Promotion, Some(&artifact()), |a| {
                a.environment = Some(prod());
                a.approver = Actor::human("mailto:cleo@example.org", "Cleo").vouched_by(platform, subject);
                a.approver.roles = vec!["release-manager".to_owned()];
                let event = ResourceDescriptor::of(Digest::sha256(b"event"));
                a.capture = Capture {
                    method: CaptureMethod::SystemOfRecord,
                    system: Some(platform.to_owned()),
                    source_event: Some(event),
                };
            })
            .map(drop)
    };
    let mut world = for_prod();
    assert_eq!(vouched(&mut world, "7").unwrap_err().code(), "NOT_ENTITLED");
    world
        .change_trust_policy(|p| {
            p.signers[7].predicate_types.push(Approval::TYPE.to_owned());
            p.signers[7].speaks_for.push(SpeaksFor { system: Some(platform.to_owned()), ..SpeaksFor::default() });
        })
        .unwrap();
    // a platform not listed, and a subject nobody knows
    vouched(&mut world, "7").unwrap();
    refuses(&mut world, &prod(), &["EV-APPR-001"]);
    // who is known from now on was not known then
    let id = PersonId { issuer: platform.to_owned(), subject: "7".to_owned() };
    world.change_trust_policy(|p| p.people[2].ids.push(id)).unwrap();
    refuses(&mut world, &prod(), &["EV-APPR-001"]);
    vouched(&mut world, "7").unwrap();
    assert!(world.decide(&artifact(), &prod()).passed());
    revoke(&mut world, "cleo");
    refuses(&mut world, &prod(), &["EV-APPR-001"]);
}

#[test]
fn an_approval_dated_ahead_does_not_count_for_longer() {
    let mut world = for_prod();
    let ahead = world.now.plus_millis(10 * DAY);
    world
        .approve("release-manager", Stage::Promotion, Some(&artifact()), |a| {
            (a.environment, a.decided_at) = (Some(prod()), ahead);
        })
        .unwrap();
    world.now = world.now.plus_millis(15 * DAY);
    refuses(&mut world, &prod(), &["EV-APPR-001"]);
}

#[test]
fn a_signer_that_is_no_person_approves_nothing() {
    let mut world = for_prod();
    world
        .change_trust_policy(|p| {
            p.people[2].ids.retain(|id| id.issuer != KEY_ISSUER);
            p.people[2].ids.push(PersonId { issuer: GIT_ISSUER.to_owned(), subject: "cleo@example.org".to_owned() });
        })
        .unwrap();
    world
        .approve("release-manager", Stage::Promotion, Some(&artifact()), |a| {
            a.environment = Some(prod());
            a.approver = Actor::human("mailto:cleo@example.org", "Cleo").vouched_by(GIT_ISSUER, "cleo@example.org");
            a.approver.roles = vec!["release-manager".to_owned()];
        })
        .unwrap();
    refuses(&mut world, &prod(), &["EV-APPR-001"]);
}
