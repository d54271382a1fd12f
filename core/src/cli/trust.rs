//! `trust`: who may say what.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, to_json};
use super::input::{json_file, named};
use super::open::Known;
use super::output::write_file;
use super::predicate_names::{KnownType, short};
use super::settings::Settings;
use super::sign::{fill, signed, signer};
use super::text::Page;
use crate::error::{Error, ErrorKind, Result};
use crate::gate::{policy_descriptor, profile};
use crate::json::Value;
use crate::key::{PublicKey, read_public};
use crate::policy::{PolicyBundle, starter_bundle};
use crate::predicate::{PredicateType, TrustPolicy};
use crate::signer::sign;
use crate::trust_policy::{KEY_ISSUER, key_descriptor, statement};

#[derive(Subcommand)]
pub(crate) enum TrustCommand {
    /// Make and sign version 1 of a trust policy.
    Init(Init),
    /// Show the trust policy in force.
    Show {
        #[command(flatten)]
        known: Known,
    },
}

#[derive(Args)]
pub(crate) struct Init {
    /// The policy, a JSON file; types may have their short names. What is
    /// absent is filled in, profile and policy bundle from the starter bundle.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// One who signs trust policies, with the public key.
    #[arg(long = "admin", value_name = "NAME=PUB")]
    admins: Vec<String>,
    /// Public key of a signer of the JSON file.
    #[arg(long = "signer", value_name = "NAME=PUB")]
    signers: Vec<String>,
    /// Public key of a person of the JSON file.
    #[arg(long = "person", value_name = "NAME=PUB")]
    people: Vec<String>,
    /// Private key of an admin, which signs.
    #[arg(long, value_name = "FILE|ROLE")]
    key: Option<PathBuf>,
    /// Where the record goes [default: stdout].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl TrustCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Init(init) => init.run(settings),
            Self::Show { known } => show(&known, settings),
        }
    }
}

impl Init {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let mut policy: Value = json_file("trust policy", &self.from)?;
        let bundle = PolicyBundle::parse(&starter_bundle()?)?;
        fill(&mut policy, "profile", || to_json(&profile(&bundle)))?;
        fill(&mut policy, "policyBundle", || to_json(&policy_descriptor(&bundle)))?;
        fill(&mut policy, "version", || Ok(1.into()))?;
        fill(&mut policy, "quorum", || Ok(0.into()))?;
        for list in ["admins", "signers", "writers", "people", "revocations", "witnesses"] {
            fill(&mut policy, list, || Ok(json!([])))?;
        }
        for (name, key) in keys(&self.admins)? {
            add(&mut policy, "admins", json!({ "signer": name }));
            let signer =
                json!({ "name": name, "key": to_json(&key_descriptor(&key))?, "predicateTypes": [TrustPolicy::TYPE] });
            add(&mut policy, "signers", signer);
        }
        for signer in policy.get_mut("signers").and_then(Value::as_array_mut).into_iter().flatten() {
            spell_out(signer);
        }
        for (name, key) in keys(&self.signers)? {
            let signer = find(&mut policy, "signers", "name", &name)?;
            fill(signer, "key", || to_json(&key_descriptor(&key)))?;
        }
        for (name, key) in keys(&self.people)? {
            let person = find(&mut policy, "people", "person", &name)?;
            fill(person, "ids", || Ok(json!([])))?;
            add(person, "ids", json!({ "issuer": KEY_ISSUER, "subject": key.id() }));
        }
        let admins = policy.get("admins").and_then(Value::as_array).map_or(0, Vec::len);
        // nobody said that fewer are enough
        fill(&mut policy, "threshold", || Ok(admins.into()))?;
        let text = serde_json::to_vec(&policy).unwrap_or_default();
        let statement = statement(&TrustPolicy::parse(&text)?)?;
        let key = settings.key(self.key.as_deref())?;
        let record = sign(&statement, &key)?.to_json();
        if let Some(out) = &self.out {
            write_file(out, &record)?;
        }
        signed(&statement, &record, &signer(&key), self.out.as_deref())
    }
}

fn keys(named_keys: &[String]) -> Result<Vec<(String, PublicKey)>> {
    let read = |text: &String| {
        let (name, path) = named(text)?;
        Ok((name.to_owned(), read_public(path)?))
    };
    named_keys.iter().map(read).collect()
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

fn show(known: &Known, settings: &Settings) -> Result<Answer> {
    let ledger = known.open(settings)?;
    let policy = ledger.trust_policy()?;
    let since = ledger.trust().versions().last().map_or(0, |(since, _)| since);
    let says = policy.predicate();
    let mut page = Page::default();
    page.line(format!("trust policy version {} of {}, since entry {since}", policy.version(), ledger.origin()));
    page.field("payload", policy.payload()).field("profile", &says.profile.name);
    if let Some(bundle) = policy.pinned_bundle() {
        page.field("bundle", bundle);
    }
    let admins: Vec<_> = says.admins.iter().map(|a| a.signer.as_str()).collect();
    page.field("admins", format!("{}, {} of whom must sign", admins.join(", "), says.threshold));
    page.line("signers");
    for signer in &says.signers {
        let types: Vec<_> = signer.predicate_types.iter().map(|t| short(t)).collect();
        page.wrapped("  ", "    ", &format!("{}: {}", signer.name, types.join(", ")));
    }
    page.line("people");
    for person in &says.people {
        page.wrapped("  ", "    ", &format!("{}: {}", person.person, person.roles.join(", ")));
    }
    for revocation in &says.revocations {
        page.wrapped(
            "revoked  ",
            "         ",
            &format!("{} since {}: {}", revocation.target, revocation.since, revocation.reason),
        );
    }
    let value = json!({
        "origin": ledger.origin(),
        "version": policy.version(),
        "payload": policy.payload().to_string(),
        "since": since,
        "policy": to_json(says)?,
    });
    Ok(Answer::new(page.finish(), value))
}
