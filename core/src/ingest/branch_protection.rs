//! Protection of branches: GitHub's `branches/…/protection` and GitLab's `protected_branches/…`.

use super::report::{Claim, Report};
use super::workloads::text;
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Scai};
use crate::statement::Statement;

pub(super) const GITHUB: Format = Format {
    name: "github-branch-protection",
    title: "GitHub branch protection",
    media_type: "application/json",
    recognised_by: "`enforce_admins` and `url`, or the message `Branch not protected`",
    says: "the branch in `url`; that of an unprotected one must be told as source",
    becomes: &[Scai::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is: is_github, read: github },
};

pub(super) const GITLAB: Format = Format {
    name: "gitlab-branch-protection",
    title: "GitLab protected branch",
    media_type: "application/json",
    recognised_by: "`push_access_levels`, `merge_access_levels` and `allow_force_push`",
    says: "the branch's address must be told as source",
    becomes: &[Scai::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is: is_gitlab, read: gitlab },
};

fn is_github(json: &Value) -> bool {
    (json.get("enforce_admins").is_some() && json.get("url").is_some()) || is_unprotected(json)
}

fn is_unprotected(json: &Value) -> bool {
    text(json, "/message") == "Branch not protected"
}

fn github(report: &Report<'_>) -> Result<Vec<Statement>> {
    let json = report.json;
    let on = |name: &str| json.pointer(&format!("/{name}/enabled")) == Some(&Value::Bool(true));
    let reviews =
        json.pointer("/required_pull_request_reviews/required_approving_review_count").and_then(Value::as_u64);
    let url = Some(text(json, "/url").to_owned()).filter(|url| !url.is_empty()).or_else(|| report.told.source.clone());
    let target = report.told.demand(&url, "source", "the answer does not say of which branch it is")?;
    let fault = if is_unprotected(json) {
        Some("it is not protected")
    } else if reviews.unwrap_or_default() == 0 {
        Some("it does not demand a review")
    } else if on("allow_force_pushes") {
        Some("it can be overwritten by force")
    } else if !on("enforce_admins") {
        Some("administrators are free of its rules")
    } else {
        None
    };
    let checks = json.pointer("/required_status_checks/checks").and_then(Value::as_array).map_or(0, Vec::len);
    let claim =
        Claim::of("BRANCH_PROTECTED", target).with("reviews", reviews.unwrap_or_default()).with("checks", checks);
    Ok(vec![report.claims(vec![claim.denied_if(fault.map(str::to_owned))])?])
}

fn is_gitlab(json: &Value) -> bool {
    ["push_access_levels", "merge_access_levels", "allow_force_push"].iter().all(|name| json.get(*name).is_some())
}

fn gitlab(report: &Report<'_>) -> Result<Vec<Statement>> {
    let json = report.json;
    let why = "the answer does not give the address of the branch";
    let target = report.told.demand(&report.told.source, "source", why)?;
    let pushes = json.get("push_access_levels").and_then(Value::as_array);
    // level 0 is nobody: what goes in, goes in by a merge request
    let direct = pushes.is_none_or(|levels| {
        levels.is_empty() || levels.iter().any(|level| level.get("access_level").and_then(Value::as_u64) != Some(0))
    });
    let fault = if json.get("allow_force_push") != Some(&Value::Bool(false)) {
        Some("it can be overwritten by force")
    } else if direct {
        Some("some may push to it without a merge request")
    } else {
        None
    };
    Ok(vec![report.claims(vec![Claim::of("BRANCH_PROTECTED", target).denied_if(fault.map(str::to_owned))])?])
}
