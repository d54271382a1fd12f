//! What is put into a pack, part by part.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::draft::{Draft, plain_name};
use super::gather::{self, Gathered};
use super::manifest::Role;
use super::{entry_name, proof_name};
use crate::bundle::Bundle;
use crate::checkpoint::TlogProof;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::key::certificate_pem;
use crate::ledger::{ATTACHMENT_LOCATION, Ledger, LedgerRecord};
use crate::merkle::leaf_hash;
use crate::predicate::{
    DriftAction, DriftKind, DriftReport, EvidencePack, Finding, Predicate, PredicateType as _, Window,
};
use crate::report::{policy_folder, record_name};
use crate::trust::{Matcher, TrustRoot};

pub(super) fn add_entries(draft: &mut Draft, ledger: &Ledger, gathered: &Gathered) -> Result<()> {
    for index in gathered.indexes() {
        let (entry, path) = ledger.proven_entry(index)?;
        let proof = TlogProof::new(index, &leaf_hash(&entry), path, ledger.checkpoint().clone())?.to_text();
        draft.add(&entry_name(index), Role::Entry, &entry)?.ledger_index = Some(index);
        draft.add(&proof_name(index), Role::Proof, proof.as_bytes())?.ledger_index = Some(index);
    }
    Ok(())
}

pub(super) fn add_records(
    draft: &mut Draft,
    ledger: &Ledger,
    gathered: &Gathered,
    controls: &BTreeMap<String, BTreeSet<String>>,
) -> Result<()> {
    for record in &gathered.records {
        let (_, body) = ledger.proven_body(record.index)?;
        let name = record_name(record.index, Bundle::parse(&body.record)?.material());
        let payload = record.statement().payload_digest().hex();
        let line = draft.add(&name, Role::Record, &body.record)?;
        line.ledger_index = Some(record.index);
        line.salt = Some(STANDARD.encode(body.salt));
        line.predicate_type = Some(record.statement().predicate_type().to_owned());
        line.controls = controls.get(&payload).into_iter().flatten().cloned().collect();
        line.payload_sha256 = Some(payload);
    }
    Ok(())
}

/// The records of each artifact in one file, as other tools take them.
pub(super) fn add_bundles(draft: &mut Draft, gathered: &Gathered) -> Result<()> {
    for (digest, name) in &gathered.artifacts {
        let mut lines = Vec::new();
        for record in gathered.records.iter().filter(|r| r.statement().has_subject(digest)) {
            lines.extend(Bundle::parse(record.verified.record())?.to_json());
            lines.push(b'\n');
        }
        let short: String = digest.hex().chars().take(12).collect();
        draft.add(&format!("bundles/{}-{short}.intoto.jsonl", plain_name(name)), Role::Report, &lines)?;
    }
    Ok(())
}

/// Public keys, certificates of authorities and a list of signers. Convenience: whoever verifies takes them from elsewhere.
pub(super) fn add_keys(draft: &mut Draft, ledger: &Ledger, gathered: &Gathered) -> Result<()> {
    let mut lines = BTreeMap::new();
    for (_, policy) in ledger.trust().versions() {
        let pack = |name: &str| {
            let types = policy.signer(name).map(|s| &s.predicate_types);
            if types.is_some_and(|types| types.iter().any(|t| t == EvidencePack::TYPE)) { " pack" } else { "" }
        };
        for trusted in policy.root().keys() {
            let id = trusted.key.id();
            let file = format!("{}-{}.pem", plain_name(&trusted.name), id.get(..12).unwrap_or_default());
            let line = format!("key {id} {} {file}{}", trusted.key.key_type(), pack(&trusted.name));
            // a later version of the trust policy says what counts for the key now
            lines.insert(id, (file, line, trusted.key.to_pem()));
        }
        for trusted in policy.root().identities() {
            let (Matcher::Exact(identity), issuer) = (trusted.identity.subject(), trusted.identity.issuer()) else {
                continue;
            };
            let authorities = authorities(policy.root())?;
            let file = format!("authorities-{}.pem", &short_hash(&authorities));
            for key_type in key_types(gathered, &trusted.name) {
                let line = format!("cert {identity} {issuer} {key_type} {file}{}", pack(&trusted.name));
                // blanks part the fields of a line
                let is_plain = !identity.contains(char::is_whitespace) && !issuer.contains(char::is_whitespace);
                let line = if is_plain { line } else { format!("# not for verify.sh: {}", line.escape_debug()) };
                lines.insert(format!("{identity} {issuer} {key_type}"), (file.clone(), line, authorities.clone()));
            }
        }
    }
    let mut list = String::from(
        "# Convenience only: this list comes from the pack itself, so a forged pack brings its own.\n\
         # Take the signers from the contract, the web page or the telephone, and compare them with these.\n\
         # Format: verify.sh. Paths are relative to the folder of this file.\n",
    );
    let mut files = BTreeMap::new();
    for (file, line, pem) in lines.into_values() {
        files.insert(file, pem);
        list.push_str(&line);
        list.push('\n');
    }
    for (file, pem) in files {
        draft.add(&format!("keys/{file}"), Role::Key, pem.as_bytes())?;
    }
    draft.add("keys/SIGNERS", Role::Key, list.as_bytes())?;
    draft.add("keys/log.pub", Role::Key, ledger.log_key().key().to_pem().as_bytes())?;
    Ok(())
}

/// The certificates of all authorities that a trust root believes, as openssl takes them.
fn authorities(root: &TrustRoot) -> Result<String> {
    let ders: BTreeSet<&[u8]> = root.sigstore().certificate_authorities.iter().flat_map(|a| a.certificates()).collect();
    ders.into_iter().map(certificate_pem).collect()
}

fn short_hash(text: &str) -> String {
    Digest::sha256(text.as_bytes()).hex().chars().take(12).collect()
}

/// The types of key that this signer's certificates had, by the records in the pack.
fn key_types(gathered: &Gathered, signer: &str) -> BTreeSet<&'static str> {
    let signers = gathered.records.iter().flat_map(|r| r.verified.signers());
    let types = signers.filter(|s| s.name == signer && s.certificate.is_some()).map(|s| s.key_type.name());
    types.collect()
}

/// The trust policies as signed, for reading; their records are among the others.
pub(super) fn add_trust(draft: &mut Draft, gathered: &Gathered) -> Result<()> {
    for record in &gathered.records {
        if let Predicate::TrustPolicy(policy) = record.statement().predicate()? {
            let name = format!("trust/version-{}-{:06}.json", policy.version, record.index);
            draft.add(&name, Role::Trust, record.statement().payload())?;
        }
    }
    Ok(())
}

/// The bundles decided by, with their checks and tables cut out for reading. Gives the digests of those that are there.
pub(super) fn add_policies(draft: &mut Draft, ledger: &Ledger, gathered: &Gathered) -> Result<BTreeSet<Digest>> {
    let mut there = BTreeSet::new();
    for digest in &gathered.policies {
        let bytes = match ledger.policy_bundle(digest) {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            bytes => bytes?,
        };
        let folder = policy_folder(&digest.hex());
        let document: Value = json::parse("policy bundle", &bytes)?;
        draft.add(&format!("{folder}/bundle.json"), Role::Policy, &bytes)?;
        for part in ["checks", "tables"] {
            let value = document.get(part).cloned().unwrap_or_default();
            draft.add(&format!("{folder}/{part}.json"), Role::Policy, &pretty(part, &value)?)?;
        }
        there.insert(digest.clone());
    }
    Ok(there)
}

/// Files that records name. Gives a finding for each that the ledger no longer has.
pub(super) fn add_attachments(
    draft: &mut Draft,
    ledger: &Ledger,
    gathered: &Gathered,
    policies: &BTreeSet<Digest>,
) -> Result<Vec<Finding>> {
    let mut missing = Vec::new();
    for digest in gathered.attachments()?.difference(policies) {
        match ledger.attachment(digest) {
            Ok(bytes) => {
                draft.add(&format!("attachments/{}", digest.hex()), Role::Attachment, &bytes)?;
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {
                missing.push(gather::missing(format!("{ATTACHMENT_LOCATION}{}", digest.hex())));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(missing)
}

pub(super) fn gap_report(gathered: &Gathered, findings: Vec<Finding>) -> Result<DriftReport> {
    let report = DriftReport {
        kind: DriftKind::EvidenceGap,
        compared_at: gathered.last,
        snapshot: None,
        baseline: Vec::new(),
        window: Some(Window { from: gathered.first, to: gathered.last }),
        findings,
        action: DriftAction::None,
        action_reference: None,
    };
    report.validate()?;
    Ok(report)
}

/// Number of records by predicate type.
pub(super) fn counts(gathered: &Gathered) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for record in &gathered.records {
        *counts.entry(record.statement().predicate_type().to_owned()).or_default() += 1;
    }
    counts
}

/// Controls that a record is evidence for, by payload digest, as the decisions say.
pub(super) fn controls_by_record(gathered: &Gathered) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut controls: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in &gathered.records {
        let Predicate::PolicyEvaluation(evaluation) = record.statement().predicate()? else { continue };
        for check in evaluation.checks {
            for reference in &check.evidence {
                controls.entry(reference.payload()?.hex()).or_default().extend(check.controls.iter().cloned());
            }
        }
    }
    Ok(controls)
}

pub(super) fn pretty<T: serde::Serialize>(what: &str, value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|e| Error::new(ErrorKind::Internal, format!("{what} has no JSON form")).caused_by(e))?;
    bytes.push(b'\n');
    Ok(bytes)
}

pub(super) fn signer_of(record: &LedgerRecord) -> &str {
    &record.speaker.signer
}
