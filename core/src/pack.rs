//! Evidence packs: everything the ledger holds about a release, in one folder that anybody can check without us.
//!
//! A pack holds records, their ledger entries, and proofs of these under one signed checkpoint; a signed manifest lists
//! every file. [`verify()`] checks one, and so does the shell script in it (`verify.sh`), with nothing but standard tools.
//! The same selection of the same ledger state gives the same bytes in every file but the manifest and its signature; who
//! cosigned the checkpoint meanwhile shows in the checkpoint and the proofs under it.
//!
//! Layout and rules: packs section 2 and 3. The statement over the manifest: predicates section 4.19.

mod contents;
mod demand;
mod draft;
mod gather;
mod manifest;
mod population;
mod prefix;
mod readme;
mod signers;
mod verify;

use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

use crate::artifact::ResourceDescriptor;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::ledger::Ledger;
use crate::predicate::{Actor, Completeness, EvidencePack, PackLedger, PackSelection, RecordRef};
use crate::report::{self, ReleaseReport};
use crate::signer::{Signer, sign};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use draft::Draft;
use manifest::{Manifest, Role};

pub use demand::{PackDemand, PackVerdict};
pub use prefix::Extension;
pub use signers::Signers;
pub use verify::verify;

const MANIFEST: &str = "manifest.json";
const MANIFEST_RECORD: &str = "manifest.sigstore.json";
const MANIFEST_TIMESTAMP: &str = "manifest.tsr";
const CHECKPOINT: &str = "checkpoint";
const CHECKPOINT_TIMESTAMP: &str = "checkpoint.tsr";
/// Notes by which the key of the ledger was replaced, numbered from 1.
const ROTATIONS: &str = "rotations";
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

    let controls = contents::controls_by_record(&gathered)?;
    draft.add(CHECKPOINT, Role::Checkpoint, ledger.checkpoint().note().as_bytes())?;
    if let Some(token) = ledger.checkpoint_token()? {
        draft.add(CHECKPOINT_TIMESTAMP, Role::Checkpoint, &token)?;
    }
    for (number, rotation) in (1..).zip(ledger.log_keys().rotations()) {
        draft.add(&format!("{ROTATIONS}/{number}"), Role::Key, rotation.note().as_bytes())?;
    }
    contents::add_entries(&mut draft, ledger, &gathered)?;
    contents::add_records(&mut draft, ledger, &gathered, &controls)?;
    contents::add_bundles(&mut draft, &gathered)?;
    contents::add_keys(&mut draft, ledger, &gathered)?;
    contents::add_trust(&mut draft, &gathered)?;
    let bundles = contents::add_policies(&mut draft, ledger, &gathered)?;
    gaps.extend(contents::add_attachments(&mut draft, ledger, &gathered, &bundles)?);
    let lost = gathered.bare.iter().filter(|index| !gathered.disposed.contains(index));
    gaps.extend(lost.map(|index| gather::lost(*index)));
    population::add(&mut draft, &gathered)?;
    draft.add("catalogue/controls.json", Role::Policy, report::CONTROLS.as_bytes())?;
    let gap_report = contents::gap_report(&gathered, gaps)?;
    draft.add("gaps.json", Role::Report, &contents::pretty("gap report", &gap_report)?)?;
    let shown = ReleaseReport {
        title: &title,
        release_id: &request.release_id,
        ledger,
        records: &gathered.records,
        bare: &gathered.bare,
        gaps: &gap_report.findings,
        custody: &custody,
    };
    draft.add("reports/index.html", Role::Report, report::html(&shown)?.as_bytes())?;
    draft.add("reports/oscal-ar.json", Role::Report, &report::oscal(&shown)?)?;
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
        labels: ledger.labels().listing(gathered.records.iter().map(|r| r.statement())),
    };
    let manifest_bytes = contents::pretty("manifest", &manifest)?;
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
        contents: contents::counts(&gathered),
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
