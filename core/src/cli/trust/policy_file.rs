//! A trust policy as people write it: a JSON file with short names, and keys beside it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::json;

use crate::artifact::ResourceDescriptor;
use crate::cli::answer::to_json;
use crate::cli::input::{json_file, named};
use crate::cli::predicate_names::KnownType;
use crate::cli::sign::fill;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::gate::{policy_descriptor, profile};
use crate::json::Value;
use crate::key::{PublicKey, read_public};
use crate::limits;
use crate::policy::{PolicyBundle, starter_bundle};
use crate::predicate::{PredicateType, TrustPolicy};
use crate::trust_policy::{KEY_ISSUER, TrustPolicy as InForce, key_descriptor, next};

/// Files that a policy names.
#[derive(Args)]
pub(crate) struct Keys {
    /// One who signs trust policies, with the public key.
    #[arg(long = "admin", value_name = "NAME=PUB")]
    admins: Vec<String>,
    /// Public key of a signer of the JSON file.
    #[arg(long = "signer", value_name = "NAME=PUB")]
    signers: Vec<String>,
    /// Public key of a person of the JSON file.
    #[arg(long = "person", value_name = "NAME=PUB")]
    people: Vec<String>,
    /// A Sigstore trusted root by which certificates are judged.
    #[arg(long = "trusted-root", value_name = "FILE")]
    trusted_roots: Vec<PathBuf>,
}

/// What stands in the JSON file.
pub(crate) struct PolicyFile(Value);

impl PolicyFile {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        json_file("trust policy", path).map(Self)
    }

    /// A version as it is.
    pub(crate) fn of(policy: &InForce) -> Result<Self> {
        to_json(policy.predicate()).map(Self)
    }

    /// Version 1, whatever it was before, with what is absent filled in.
    pub(crate) fn first(self, keys: &Keys) -> Result<TrustPolicy> {
        let mut policy = self.0;
        let bundle = PolicyBundle::parse(&starter_bundle()?)?;
        fill(&mut policy, "profile", || to_json(&profile(&bundle)))?;
        fill(&mut policy, "policyBundle", || to_json(&policy_descriptor(&bundle)))?;
        // what `trust show --out` wrote of another ledger begins anew
        if let Value::Object(members) = &mut policy {
            members.insert("version".to_owned(), 1.into());
            members.remove("supersedes");
        }
        fill(&mut policy, "quorum", || Ok(0.into()))?;
        for list in ["admins", "signers", "writers", "people", "revocations", "witnesses"] {
            fill(&mut policy, list, || Ok(json!([])))?;
        }
        complete(policy, keys)
    }

    /// The version after the one in force, on which the file must stand.
    pub(crate) fn after(self, policy: &InForce, keys: &Keys) -> Result<TrustPolicy> {
        let stands_on = self.0.get("version").and_then(Value::as_u64);
        if stands_on != Some(policy.version()) {
            let found = stands_on.map_or_else(|| "no version".to_owned(), |v| format!("version {v}"));
            return Err(Error::new(
                ErrorKind::TrustPolicyRefused,
                format!(
                    "the file is made from {found}, and version {} is in force; get that with `trust show --out`, and \
                     make the changes there",
                    policy.version()
                ),
            )
            .with("expected", policy.version())
            .with("found", found));
        }
        let draft = next(policy);
        Ok(TrustPolicy { version: draft.version, supersedes: draft.supersedes, ..complete(self.0, keys)? })
    }
}

impl Keys {
    pub(crate) fn is_empty(&self) -> bool {
        let lists = [&self.admins, &self.signers, &self.people];
        lists.iter().all(|list| list.is_empty()) && self.trusted_roots.is_empty()
    }
}

fn complete(mut policy: Value, keys: &Keys) -> Result<TrustPolicy> {
    for (name, key) in named_keys(&keys.admins)? {
        add(&mut policy, "admins", json!({ "signer": name }));
        let signer =
            json!({ "name": name, "key": to_json(&key_descriptor(&key))?, "predicateTypes": [TrustPolicy::TYPE] });
        add(&mut policy, "signers", signer);
    }
    for list in ["signers", "writers"] {
        policy.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().for_each(spell_out);
    }
    policy.get_mut("keyless").into_iter().for_each(spell_out);
    for (name, key) in named_keys(&keys.signers)? {
        let signer = find(&mut policy, "signers", "name", &name)?;
        fill(signer, "key", || to_json(&key_descriptor(&key)))?;
    }
    for (name, key) in named_keys(&keys.people)? {
        let person = find(&mut policy, "people", "person", &name)?;
        fill(person, "ids", || Ok(json!([])))?;
        add(person, "ids", json!({ "issuer": KEY_ISSUER, "subject": key.id() }));
    }
    for path in &keys.trusted_roots {
        fill(&mut policy, "trustedRoots", || Ok(json!([])))?;
        add(&mut policy, "trustedRoots", to_json(&trusted_root(path)?)?);
    }
    let admins = policy.get("admins").and_then(Value::as_array).map_or(0, Vec::len);
    // nobody said that fewer are enough
    fill(&mut policy, "threshold", || Ok(admins.into()))?;
    TrustPolicy::parse(&serde_json::to_vec(&policy).unwrap_or_default())
}

/// Public keys by name, from `NAME=PUB`.
pub(crate) fn named_keys(named_keys: &[String]) -> Result<Vec<(String, PublicKey)>> {
    let read = |text: &String| {
        let (name, path) = named(text)?;
        Ok((name.to_owned(), read_public(path)?))
    };
    named_keys.iter().map(read).collect()
}

fn trusted_root(path: &Path) -> Result<ResourceDescriptor> {
    let bytes = limits::read_file("trusted root", path, limits::DOCUMENT_BYTES)?;
    let mut descriptor = ResourceDescriptor::of(Digest::sha256(&bytes));
    descriptor.content = Some(STANDARD.encode(bytes));
    Ok(descriptor)
}

fn add(object: &mut Value, list: &str, value: Value) {
    if let Some(items) = object.get_mut(list).and_then(Value::as_array_mut) {
        items.push(value);
    }
}

/// Puts the URI of each type in the place of its short name; the policy that is signed holds no short ones.
fn spell_out(signer: &mut Value) {
    for name in signer.get_mut("predicateTypes").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(known) = name.as_str().and_then(|n| n.parse::<KnownType>().ok()) {
            *name = known.uri().into();
        }
    }
}

fn find<'a>(policy: &'a mut Value, list: &str, by: &str, name: &str) -> Result<&'a mut Value> {
    let items = policy.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
    items.into_iter().find(|item| item.get(by).and_then(Value::as_str) == Some(name)).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("`{list}` of the trust policy does not name `{name}`; add it there"))
    })
}
