//! What one version of the trust policy changes in another, for those who are to sign it.

use std::collections::BTreeMap;

use crate::cli::answer::to_json;
use crate::error::Result;
use crate::json::Value;
use crate::predicate::TrustPolicy;

/// Lists of the policy, each with what names its items, and what one of them is called.
const LISTS: [(&str, &str, &str); 7] = [
    ("admins", "signer", "admin"),
    ("signers", "name", "signer"),
    ("writers", "credential", "writer"),
    ("people", "person", "person"),
    ("revocations", "target", "revocation of"),
    ("witnesses", "name", "witness"),
    ("trustedRoots", "digest", "trusted root"),
];

/// One line for each thing that changes.
pub(crate) fn changes(before: &TrustPolicy, after: &TrustPolicy) -> Result<Vec<String>> {
    let (before, after) = (to_json(before)?, to_json(after)?);
    let mut lines = Vec::new();
    for (list, by, what) in LISTS {
        let (old, new) = (items(&before, list, by), items(&after, list, by));
        for (name, value) in &new {
            match old.get(name) {
                None => lines.push(format!("{what} {name} added")),
                Some(was) if was != value => lines.push(format!("{what} {name} changed: {}", members(was, value))),
                Some(_) => {}
            }
        }
        lines.extend(old.keys().filter(|name| !new.contains_key(*name)).map(|name| format!("{what} {name} removed")));
    }
    for member in ["threshold", "quorum", "profile", "policyBundle", "keyless"] {
        let (old, new) = (before.get(member), after.get(member));
        let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
        if old != new {
            lines.push(format!("{member}: {}, was {}", text(new), text(old)));
        }
    }
    Ok(lines)
}

/// The items of a list by name; several of one name, such as revocations, are one item.
fn items<'a>(policy: &'a Value, list: &str, by: &str) -> BTreeMap<String, Vec<&'a Value>> {
    let mut items = BTreeMap::<String, Vec<&Value>>::new();
    for item in policy.get(list).and_then(Value::as_array).into_iter().flatten() {
        let name = match item.get(by) {
            Some(Value::String(name)) => name.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        items.entry(name).or_default().push(item);
    }
    items
}

/// Names of the members that differ.
fn members(old: &[&Value], new: &[&Value]) -> String {
    let ([Value::Object(old)], [Value::Object(new)]) = (old, new) else { return "another number of them".to_owned() };
    let mut names: Vec<&str> =
        old.keys().chain(new.keys()).filter(|n| old.get(*n) != new.get(*n)).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
