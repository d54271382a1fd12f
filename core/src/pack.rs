//! Evidence packs: everything the ledger holds about a release, in one folder that anybody can check without us.
//!
//! A pack holds records, their ledger entries, and proofs of these under one signed checkpoint; a signed manifest lists
//! every file. [`verify()`] checks one, and so does the shell script in it (`verify.sh`), with nothing but standard tools.
//! The same selection at the same ledger size gives the same bytes in every file but the manifest and its signature.
//!
//! Layout and rules: packs section 2 and 3. The statement over the manifest: predicates section 4.19.

mod draft;
mod gather;
mod manifest;
mod population;
mod prefix;
mod readme;
mod signers;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

use crate::artifact::ResourceDescriptor;
use crate::bundle::Bundle;
use crate::checkpoint::TlogProof;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::ledger::{ATTACHMENT_LOCATION, Ledger, LedgerRecord};
use crate::merkle::leaf_hash;
use crate::predicate::{
    Actor, Completeness, DriftAction, DriftKind, DriftReport, EvidencePack, PackLedger, PackSelection, Predicate,
    PredicateType as _, RecordRef, Window,
};
use crate::report::{self, ReleaseReport, record_name};
use crate::signer::{Signer, sign};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use draft::{Draft, plain_name};
use gather::Gathered;
use manifest::{Manifest, Role};

pub use prefix::Extension;
pub use signers::Signers;
pub use verify::{PackDemand, PackVerdict, verify};

const MANIFEST: &str = "manifest.json";
const MANIFEST_RECORD: &str = "manifest.sigstore.json";
const MANIFEST_TIMESTAMP: &str = "manifest.tsr";
const CHECKPOINT: &str = "checkpoint";
const VERIFY_SH: &str = include_str!("pack/verify.sh");

/// What a pack is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct PackRequest {
    /// The release it is about.
    pub release_id: String,
    /// Who asks.
    pub requested_by: Actor,
    /// When they asked.
    pub requested_at: Timestamp,
    /// Its name; made of the release id if not said.
    pub title: Option<String>,
}

impl PackRequest {
    /// Asks for everything about one release.
    pub fn new(release_id: impl Into<String>, requested_by: Actor, requested_at: Timestamp) -> Self {
        Self { release_id: release_id.into(), requested_by, requested_at, title: None }
    }

    /// Names the pack.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }
}

/// A pack that was written.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Built {
    /// Its identity; equal for the same selection of the same ledger at the same size.
    pub pack_id: String,
    /// SHA-256 of its manifest.
    pub manifest: Digest,
    /// What was signed over the manifest.
    pub statement: EvidencePack,
    /// The signed statement, to be appended to the ledger if the pack is handed over.
    #[serde(serialize_with = "as_text")]
    pub record: Vec<u8>,
    /// Number of files, the manifest and its signature included.
    pub files: usize,
}

/// A record is JSON, so it is text.
fn as_text<S: Serializer>(record: &[u8], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(record))
}

/// Writes the pack of a release to `folder`, which must be new or empty, signed by `signer`.
///
/// Records are selected by walking all entries up to the checkpoint: what is tagged with the release, what is about its
/// artifacts, its changes and their sources, the policy it was decided by, every control entry that may concern it, and
/// every trust policy. Nothing of the pack is left behind if this fails.
///
/// # Errors
/// `ALREADY_EXISTS` if something is in the folder, `NOT_FOUND` if the ledger knows nothing of the release or pins no
/// policy bundle, `NOT_ENTITLED` or `UNTRUSTED_SIGNER` if the trust policy does not let `signer` issue packs; those of
/// [`Ledger::record`], `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`.
pub fn build(
    ledger: &mut Ledger,
    request: &PackRequest,
    folder: &Path,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Built> {
    ledger.refresh()?;
    let mut draft = Draft::begin(folder)?;
    let gathered = gather::release(ledger, &request.release_id)?;
    let custody = crate::release::custody_of(&gathered.records, &request.release_id)?;
    let mut gaps = crate::release::gaps_of(&gathered.records, &request.release_id)?;
    let title = request.title.clone().unwrap_or_else(|| format!("Release evidence: {}", request.release_id));

    let controls = controls_by_record(&gathered)?;
    draft.add(CHECKPOINT, Role::Checkpoint, ledger.checkpoint().note().as_bytes())?;
    add_entries(&mut draft, ledger, &gathered)?;
    add_records(&mut draft, ledger, &gathered, &controls)?;
    add_bundles(&mut draft, &gathered)?;
    add_keys(&mut draft, ledger)?;
    add_trust(&mut draft, &gathered)?;
    let bundles = add_policies(&mut draft, ledger, &gathered)?;
    gaps.extend(add_attachments(&mut draft, ledger, &gathered, &bundles)?);
    gaps.extend(gathered.bare.iter().map(|index| gather::lost(*index)));
    population::add(&mut draft, &gathered)?;
    draft.add("catalogue/controls.json", Role::Policy, report::CONTROLS.as_bytes())?;
    let gap_report = gap_report(&gathered, gaps)?;
    draft.add("gaps.json", Role::Report, &pretty("gap report", &gap_report)?)?;
    let html = report::html(&ReleaseReport {
        title: &title,
        release_id: &request.release_id,
        ledger,
        records: &gathered.records,
        bare: &gathered.bare,
        gaps: &gap_report.findings,
        custody: &custody,
    })?;
    draft.add("reports/index.html", Role::Report, html.as_bytes())?;
    draft.add("README.txt", Role::Report, readme::text(&title, ledger, &gathered)?.as_bytes())?;
    draft.add("verify.sh", Role::Tool, VERIFY_SH.as_bytes())?;

    let selection = PackSelection { release: Some(request.release_id.clone()), ..PackSelection::default() };
    let policy = ledger.trust_policy()?.predicate().policy_bundle.clone().ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "the trust policy pins no policy bundle; have its admins pin one, then pack again",
        )
    })?;
    let state = PackLedger {
        origin: ledger.origin().to_owned(),
        size: ledger.size(),
        root_hash: ledger.checkpoint().checkpoint().root().to_string(),
    };
    let pack_id = pack_id(&selection, &state)?;
    let manifest = Manifest {
        pack_id: pack_id.clone(),
        selection: selection.clone(),
        ledger: state.clone(),
        generated_at: now,
        profile: ledger.trust_policy()?.predicate().profile.clone(),
        trust_policy: RecordRef::to(ledger.trust_policy()?.payload()),
        files: draft.lines(),
        redactions: Vec::new(),
    };
    let manifest_bytes = pretty("manifest", &manifest)?;
    let statement = EvidencePack {
        pack_id: pack_id.clone(),
        title,
        selection,
        requested_by: request.requested_by.clone(),
        requested_at: request.requested_at,
        generated_at: now,
        generator: ResourceDescriptor::at(concat!("pkg:cargo/sealwright@", env!("CARGO_PKG_VERSION"))),
        ledger: state,
        profile: manifest.profile.clone(),
        contents: contents(&gathered),
        completeness: Completeness {
            expected: gathered.entries() as u64,
            present: gathered.records.len() as u64,
            gaps: gap_report.findings,
        },
        policy,
        catalogue: ResourceDescriptor::of(Digest::sha256(report::CONTROLS.as_bytes())).named("controls.json"),
        redactions: Vec::new(),
        previous_pack: None,
        custody: Vec::new(),
    };
    let digest = Digest::sha256(&manifest_bytes);
    let signed = Statement::new(vec![ResourceDescriptor::of(digest.clone()).named(MANIFEST)], &statement)?;
    let record = sign(&signed, signer)?.to_json();
    ledger.trust().verify(&record, ledger.size(), now)?;
    let files = draft.finish(&manifest_bytes, &record)?;
    Ok(Built { pack_id, manifest: digest, statement, record, files })
}

/// The same for the same selection of the same ledger state.
fn pack_id(selection: &PackSelection, ledger: &PackLedger) -> Result<String> {
    let digest = Digest::sha256(&json::canonical("pack identity", &(selection, ledger))?);
    Ok(format!("urn:sealwright:pack:{}", digest.hex()))
}

fn entry_name(index: u64) -> String {
    format!("entries/{index:06}.json")
}

fn proof_name(index: u64) -> String {
    format!("proofs/{index:06}.tlog-proof")
}

fn add_entries(draft: &mut Draft, ledger: &Ledger, gathered: &Gathered) -> Result<()> {
    for index in gathered.indexes() {
        let (entry, path) = ledger.proven_entry(index)?;
        let proof = TlogProof::new(index, &leaf_hash(&entry), path, ledger.checkpoint().clone())?.to_text();
        draft.add(&entry_name(index), Role::Entry, &entry)?.ledger_index = Some(index);
        draft.add(&proof_name(index), Role::Proof, proof.as_bytes())?.ledger_index = Some(index);
    }
    Ok(())
}

fn add_records(
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
fn add_bundles(draft: &mut Draft, gathered: &Gathered) -> Result<()> {
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

/// Public keys and a list of signers. Convenience: whoever verifies takes both from elsewhere.
fn add_keys(draft: &mut Draft, ledger: &Ledger) -> Result<()> {
    let mut lines = BTreeMap::new();
    for (_, policy) in ledger.trust().versions() {
        for trusted in policy.root().keys() {
            let id = trusted.key.id();
            let file = format!("{}-{}.pem", plain_name(&trusted.name), id.get(..12).unwrap_or_default());
            let may_pack =
                policy.signer(&trusted.name).is_some_and(|s| s.predicate_types.iter().any(|t| t == EvidencePack::TYPE));
            let pack = if may_pack { " pack" } else { "" };
            // a later version of the trust policy says what counts for the key now
            lines.insert(
                id.clone(),
                (file.clone(), format!("key {id} {} {file}{pack}", trusted.key.key_type()), trusted.key.to_pem()),
            );
        }
    }
    let mut list = String::from(
        "# Convenience only: this list comes from the pack itself, so a forged pack brings its own.\n\
         # Take the signers from the contract, the web page or the telephone, and compare them with these.\n\
         # Format: verify.sh. Paths are relative to the folder of this file.\n",
    );
    for (file, line, pem) in lines.into_values() {
        draft.add(&format!("keys/{file}"), Role::Key, pem.as_bytes())?;
        list.push_str(&line);
        list.push('\n');
    }
    draft.add("keys/SIGNERS", Role::Key, list.as_bytes())?;
    draft.add("keys/log.pub", Role::Key, ledger.log_key().key().to_pem().as_bytes())?;
    Ok(())
}

/// The trust policies as signed, for reading; their records are among the others.
fn add_trust(draft: &mut Draft, gathered: &Gathered) -> Result<()> {
    for record in &gathered.records {
        if let Predicate::TrustPolicy(policy) = record.statement().predicate()? {
            let name = format!("trust/version-{}-{:06}.json", policy.version, record.index);
            draft.add(&name, Role::Trust, record.statement().payload())?;
        }
    }
    Ok(())
}

/// The bundles decided by, with their checks and tables cut out for reading. Gives the digests of those that are there.
fn add_policies(draft: &mut Draft, ledger: &Ledger, gathered: &Gathered) -> Result<BTreeSet<Digest>> {
    let mut there = BTreeSet::new();
    for digest in &gathered.policies {
        let bytes = match ledger.policy_bundle(digest) {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            bytes => bytes?,
        };
        let hex = digest.hex();
        let folder = format!("policy/{}", hex.get(..12).unwrap_or(&hex));
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
fn add_attachments(
    draft: &mut Draft,
    ledger: &Ledger,
    gathered: &Gathered,
    policies: &BTreeSet<Digest>,
) -> Result<Vec<crate::predicate::Finding>> {
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

fn gap_report(gathered: &Gathered, findings: Vec<crate::predicate::Finding>) -> Result<DriftReport> {
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
fn contents(gathered: &Gathered) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for record in &gathered.records {
        *counts.entry(record.statement().predicate_type().to_owned()).or_default() += 1;
    }
    counts
}

/// Controls that a record is evidence for, by payload digest, as the decisions say.
fn controls_by_record(gathered: &Gathered) -> Result<BTreeMap<String, BTreeSet<String>>> {
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

fn pretty<T: Serialize>(what: &str, value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|e| Error::new(ErrorKind::Internal, format!("{what} has no JSON form")).caused_by(e))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn signer_of(record: &LedgerRecord) -> &str {
    &record.speaker.signer
}
