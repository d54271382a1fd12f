//! `trust show`: the trust policy in force, and the versions that wait for signatures.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::changes::changes;
use crate::cli::answer::{Answer, to_json};
use crate::cli::open::Known;
use crate::cli::output::write_file;
use crate::cli::predicate_names::short;
use crate::cli::settings::Settings;
use crate::cli::text::Page;
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{TrustPolicy, TrustedSigner};
use crate::trust_policy::{Proposal, Signatures};

#[derive(Args)]
pub(crate) struct Show {
    /// Write the policy to this file, to be edited for `trust sign --from`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    known: Known,
}

impl Show {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let ledger = self.known.open(settings)?;
        let policy = ledger.trust_policy()?;
        let since = ledger.trust().versions().last().map_or(0, |(since, _)| since);
        if let Some(out) = &self.out {
            let mut text = serde_json::to_vec_pretty(&to_json(policy.predicate())?).unwrap_or_default();
            text.push(b'\n');
            write_file(out, &text)?;
        }
        let mut page = Page::default();
        page.line(format!("trust policy version {} of {}, since entry {since}", policy.version(), ledger.origin()));
        page.field("payload", policy.payload());
        write_policy(&mut page, policy.predicate());
        let mut proposals = Vec::new();
        for proposal in ledger.trust().proposals() {
            let changed = changes(policy.predicate(), proposal.policy.predicate())?;
            page.line("").line(format!("version {} waits for signatures", proposal.policy.version()));
            page.field("payload", proposal.policy.payload());
            for change in &changed {
                page.wrapped("  ", "    ", change);
            }
            write_signatures(&mut page, &proposal);
            proposals.push(json!({
                "version": proposal.policy.version(),
                "payload": proposal.policy.payload().to_string(),
                "changes": changed,
                "signatures": proposal_json(&proposal)?,
                "policy": to_json(proposal.policy.predicate())?,
            }));
        }
        let value = json!({
            "origin": ledger.origin(),
            "version": policy.version(),
            "payload": policy.payload().to_string(),
            "since": since,
            "policy": to_json(policy.predicate())?,
            "proposals": proposals,
        });
        Ok(Answer::new(page.finish(), value))
    }
}

fn write_policy(page: &mut Page, policy: &TrustPolicy) {
    page.field("profile", &policy.profile.name);
    if let Some(bundle) = policy.policy_bundle.as_ref().and_then(|b| b.digests().next()) {
        page.field("bundle", bundle);
    }
    let admins: Vec<_> = policy.admins.iter().map(|a| a.signer.as_str()).collect();
    page.field("admins", format!("{}, {} of whom must sign", admins.join(", "), policy.threshold));
    page.line("signers");
    for signer in &policy.signers {
        page.wrapped("  ", "    ", &format!("{}: {}", signer.name, says(signer)));
    }
    if let Some(keyless) = &policy.keyless {
        let types: Vec<_> = keyless.predicate_types.iter().map(|t| short(t)).collect();
        let seconds = keyless.max_certificate_seconds;
        page.wrapped("keyless  ", "         ", &format!("{}, by certificates of {seconds} s", types.join(", ")));
    }
    for root in policy.trusted_roots.iter().filter_map(|root| root.digests().next()) {
        page.field("root", root);
    }
    page.line("people");
    for person in &policy.people {
        page.wrapped("  ", "    ", &format!("{}: {}", person.person, person.roles.join(", ")));
    }
    for writer in &policy.writers {
        let types: Vec<_> = writer.predicate_types.iter().map(|t| short(t)).collect();
        page.wrapped("writer   ", "         ", &format!("{}: {}", writer.credential, types.join(", ")));
    }
    for revocation in &policy.revocations {
        let text = format!("{} since {}: {}", revocation.target, revocation.since, revocation.reason);
        page.wrapped("revoked  ", "         ", &text);
    }
}

/// What a signer may say, how it signs, and when.
fn says(signer: &TrustedSigner) -> String {
    let types: Vec<_> = signer.predicate_types.iter().map(|t| short(t)).collect();
    let mut text = types.join(", ");
    if let (Some(issuer), Some(identity)) = (&signer.issuer, &signer.identity) {
        text.push_str(&format!("; as {identity} of {issuer}"));
    }
    for (name, value) in &signer.extensions {
        text.push_str(&format!(", {name} {value}"));
    }
    if let Some(from) = signer.valid_from {
        text.push_str(&format!("; from {from}"));
    }
    if let Some(until) = signer.valid_until {
        text.push_str(&format!("; until {until}"));
    }
    text
}

/// Who signed a proposal, and how many are missing on each side.
pub(crate) fn write_signatures(page: &mut Page, proposal: &Proposal<'_>) {
    let version = proposal.policy.version();
    let sides = proposal.former.iter().map(|former| (version - 1, former)).chain([(version, &proposal.own)]);
    for (version, side) in sides {
        let signed = if side.signed.is_empty() { "nobody".to_owned() } else { side.signed.join(", ") };
        let text = match side.missing {
            0 => format!("admins of version {version}: enough, by {signed}"),
            missing => {
                format!(
                    "admins of version {version}: {missing} missing, of {}; signed by {signed}",
                    side.open.join(", ")
                )
            }
        };
        page.wrapped("  ", "    ", &text);
    }
}

pub(crate) fn proposal_json(proposal: &Proposal<'_>) -> Result<Value> {
    let side = |side: &Signatures<'_>| json!({ "signed": side.signed, "open": side.open, "missing": side.missing });
    Ok(json!({ "former": proposal.former.as_ref().map(side), "own": side(&proposal.own) }))
}
