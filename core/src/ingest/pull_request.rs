//! Pull requests and reviews of GitHub, merge requests and approvals of GitLab, as their REST interfaces and webhooks give
//! them. A platform vouches for them: who a person is, the trust policy says by the platform's number for them.

use serde_json::{Map, json};

use super::report::{Report, time};
use super::workloads::text;
use super::{Format, Reader};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{
    Actor, Approval, ApprovalDecision, Capture, CaptureMethod, ChangeRequest, PredicateType as _, Stage, nonce,
};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

pub(super) const GITHUB: Format = Format {
    name: "github-pull-request",
    title: "GitHub pull request",
    media_type: "application/json",
    recognised_by: "a pull request with `number`, `head` and `user`, alone or in an event without `review`",
    says: "all of the request; categories, risk, impact and the way back must be told in `predicate`",
    becomes: &[ChangeRequest::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is: is_github, read: github },
};

pub(super) const GITHUB_REVIEWS: Format = Format {
    name: "github-reviews",
    title: "list of GitHub reviews",
    media_type: "application/json",
    recognised_by: "a list of objects with `state`, `commit_id`, `submitted_at` and `user`, or an event with `review`",
    says: "who, what and when; the tree that was read must be told",
    becomes: &[Approval::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is: is_reviews, read: reviews },
};

pub(super) const GITLAB: Format = Format {
    name: "gitlab-merge-request",
    title: "GitLab merge request",
    media_type: "application/json",
    recognised_by: "an object with `iid`, `web_url`, `sha` and `author`",
    says: "all of the request; categories, risk, impact and the way back must be told in `predicate`",
    becomes: &[ChangeRequest::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is: is_gitlab, read: gitlab },
};

pub(super) const GITLAB_APPROVALS: Format = Format {
    name: "gitlab-approvals",
    title: "list of GitLab approvals",
    media_type: "application/json",
    recognised_by: "an object with `iid`, `approved_by` and `approvals_required`",
    says: "who and when; commit and tree must be told, and the merge request's address as source",
    becomes: &[Approval::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is: is_approvals, read: approvals },
};

fn is_github(json: &Value) -> bool {
    let of = |pull: &Value| {
        pull.get("number").is_some() && pull.pointer("/head/sha").is_some() && pull.get("user").is_some()
    };
    of(json) || (json.get("pull_request").is_some_and(of) && json.get("review").is_none())
}

fn github(report: &Report<'_>) -> Result<Vec<Statement>> {
    let pull = report.json.get("pull_request").unwrap_or(report.json);
    let commit = commit(report, text(pull, "/head/sha"))?;
    request(report, pull, "/html_url", "/body", &github_actor(report, pull, "/user")?, commit)
}

fn is_gitlab(json: &Value) -> bool {
    ["iid", "web_url", "sha", "author"].iter().all(|name| json.get(*name).is_some())
}

fn gitlab(report: &Report<'_>) -> Result<Vec<Statement>> {
    let commit = commit(report, text(report.json, "/sha"))?;
    let author = gitlab_actor(report, report.json.get("author").unwrap_or(&Value::Null))?;
    request(report, report.json, "/web_url", "/description", &author, commit)
}

fn request(
    report: &Report<'_>,
    from: &Value,
    address: &str,
    reason: &str,
    author: &Actor,
    commit: Digest,
) -> Result<Vec<Statement>> {
    let mut members = Map::new();
    for (name, pointer) in [("changeId", address), ("title", "/title")] {
        let text = text(from, pointer);
        if text.is_empty() {
            return Err(report.malformed(format_args!("has no `{}`", pointer.trim_start_matches('/'))));
        }
        members.insert(name.to_owned(), json!(text));
    }
    // whoever writes no text may still say in the record why
    let reason = text(from, reason);
    if !reason.is_empty() {
        members.insert("reason".to_owned(), json!(reason));
    }
    members.insert("requestedBy".to_owned(), json!(author));
    members.insert("createdAt".to_owned(), json!(report.time(text(from, "/created_at"))?));
    // who asks is not all who wrote: those of the commits are told, and never lost
    let told = report.told.predicate.as_ref().and_then(|p| p.get("authors")).and_then(Value::as_array);
    if told.is_none_or(|authors| authors.iter().all(|one| one.get("subject") != Some(&json!(author.subject)))) {
        let authors = std::iter::once(json!(author)).chain(told.into_iter().flatten().cloned());
        members.insert("authors".to_owned(), authors.collect());
    }
    let mut subjects = report.told.subjects.clone();
    let set = ResourceDescriptor::of(DigestSet::new(std::iter::once(commit).chain(tree(report)))?);
    subjects.insert(0, set);
    let completed = report.completed_over(members, &["authors"])?;
    Ok(vec![Statement::from_json(ChangeRequest::TYPE, subjects, &completed)?])
}

fn tree(report: &Report<'_>) -> Option<Digest> {
    report.told.tree.as_ref()?.get(Algorithm::GitTree)
}

fn commit(report: &Report<'_>, hex: &str) -> Result<Digest> {
    Digest::from_hex(Algorithm::GitCommit, hex)
        .map_err(|_| report.malformed(format_args!("names the commit `{}`, which is none", hex.escape_debug())))
}

fn github_actor(report: &Report<'_>, from: &Value, pointer: &str) -> Result<Actor> {
    let user = from.pointer(pointer).unwrap_or(&Value::Null);
    let (login, id) = (text(user, "/login"), user.get("id").and_then(Value::as_u64));
    let (false, Some(id)) = (login.is_empty(), id) else {
        return Err(report.malformed("names a person without login or number"));
    };
    let address = text(user, "/html_url");
    let (address, issuer) = match address.strip_suffix(login) {
        Some(issuer) => (address.to_owned(), issuer.trim_end_matches('/').to_owned()),
        None => (format!("https://github.com/{login}"), "https://github.com".to_owned()),
    };
    let actor = if text(user, "/type") == "Bot" { Actor::workload(address) } else { Actor::human(address, login) };
    Ok(actor.vouched_by(issuer, id.to_string()))
}

fn gitlab_actor(report: &Report<'_>, user: &Value) -> Result<Actor> {
    let (name, address, id) = (text(user, "/username"), text(user, "/web_url"), user.get("id").and_then(Value::as_u64));
    let (Some(issuer), Some(id)) = (address.strip_suffix(name).filter(|_| !name.is_empty()), id) else {
        return Err(report.malformed("names a person without name, address or number"));
    };
    let shown = Some(text(user, "/name")).filter(|n| !n.is_empty()).unwrap_or(name);
    Ok(Actor::human(address, shown).vouched_by(issuer.trim_end_matches('/'), id.to_string()))
}

fn is_reviews(json: &Value) -> bool {
    let of = |r: &Value| ["state", "commit_id", "submitted_at", "user"].iter().all(|name| r.get(*name).is_some());
    json.get("review").is_some_and(of) || json.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(of))
}

fn reviews(report: &Report<'_>) -> Result<Vec<Statement>> {
    let one = report.json.get("review").map(std::slice::from_ref);
    let reviews = one.or_else(|| report.json.as_array().map(Vec::as_slice)).unwrap_or_default();
    let mut statements = Vec::new();
    for review in reviews {
        // an event writes the state in small letters
        let (decision, meaning) = match text(review, "/state").to_ascii_uppercase().as_str() {
            "APPROVED" => (ApprovalDecision::Approved, "review: the change was approved"),
            "CHANGES_REQUESTED" => (ApprovalDecision::Rejected, "review: changes were asked for"),
            // which record it takes back, the platform does not know
            "DISMISSED" => (ApprovalDecision::Rejected, "review: it was dismissed and counts no more"),
            "COMMENTED" | "PENDING" => continue,
            other => {
                return Err(report.malformed(format_args!("has a review of the state `{}`", other.escape_debug())));
            }
        };
        let address = text(review, "/html_url");
        // `…/pull/17#pullrequestreview-9`
        let change = address.split_once('#').map_or(address, |(change, _)| change);
        let made = Made {
            decision,
            meaning,
            approver: github_actor(report, review, "/user")?,
            at: report.time(text(review, "/submitted_at"))?,
            change: change.to_owned(),
            review: address,
        };
        statements.push(made.statement(report, commit(report, text(review, "/commit_id"))?)?);
    }
    Ok(statements)
}

fn is_approvals(json: &Value) -> bool {
    ["iid", "approved_by", "approvals_required"].iter().all(|name| json.get(*name).is_some())
}

fn approvals(report: &Report<'_>) -> Result<Vec<Statement>> {
    let told = report.told;
    let change = told.demand(&told.source, "source", "the list does not give the address of its merge request")?;
    let subject = told.subjects.iter().find_map(|subject| subject.digest.as_ref()?.get(Algorithm::GitCommit));
    let commit =
        subject.ok_or_else(|| super::told::missing("subjects", "the list does not say which commit was approved"))?;
    let mut statements = Vec::new();
    for approval in report.json.get("approved_by").and_then(Value::as_array).into_iter().flatten() {
        let at = time(text(approval, "/approved_at")).or(told.finished_at);
        let made = Made {
            decision: ApprovalDecision::Approved,
            meaning: "review: the change was approved",
            approver: gitlab_actor(report, approval.get("user").unwrap_or(&Value::Null))?,
            at: *told.demand(&at, "finishedAt", "the list does not say when it was approved")?,
            change: change.clone(),
            review: change,
        };
        statements.push(made.statement(report, commit.clone())?);
    }
    Ok(statements)
}

/// A decision as a platform shows it.
struct Made<'a> {
    decision: ApprovalDecision,
    meaning: &'static str,
    approver: Actor,
    at: Timestamp,
    change: String,
    review: &'a str,
}

impl Made<'_> {
    fn statement(self, report: &Report<'_>, commit: Digest) -> Result<Statement> {
        let tree = tree(report)
            .ok_or_else(|| super::told::missing("tree", "a platform does not say which tree was read (`gitTree`)"))?;
        let approval = Approval {
            nonce: nonce()?,
            stage: Stage::SourceReview,
            decision: self.decision,
            in_role: "peer-reviewer".to_owned(),
            meaning: self.meaning.to_owned(),
            decided_at: self.at,
            change_id: Some(self.change),
            environment: None,
            considered: Vec::new(),
            conditions: Vec::new(),
            comment: None,
            review_uri: Some(self.review.to_owned()).filter(|uri| !uri.is_empty()),
            over_tree: Some(tree.clone().into()),
            expires_at: None,
            dismisses: None,
            capture: Capture {
                method: CaptureMethod::SystemOfRecord,
                system: self.approver.issuer.clone(),
                source_event: Some(report.descriptor.clone()),
            },
            approver: self.approver,
        };
        Statement::new(vec![ResourceDescriptor::of(DigestSet::new([commit, tree])?)], &approval)
    }
}
