//! The input document of a policy evaluation (policy section 9).
//!
//! The caller fills it from verified records only. `person` and `roles` are what the trust policy says of the
//! authenticated signer; what a record says of itself on this is left out. Every key is demanded when a stored
//! document is read again, those that may be null too.

use serde::{Deserialize, Serialize};

use super::bundle::Profile;

/// Everything a decision rests on.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The gate: `build`, or an environment's name such as `dev`, `staging`, `prod`; an unknown one is judged as prod.
    pub gate: String,
    /// The present, in Unix seconds.
    pub now_unix: i64,
    /// The profile of the bundle that decides; another one is an error.
    pub profile: Profile,
    /// The trust policy in force.
    pub trust_policy: TrustPolicyState,
    /// The environment the artifact is to go to.
    pub target: Environment,
    /// The release the artifact belongs to.
    pub release_id: String,
    /// `service`, `library`, `firmware` or `device`.
    pub release_kind: String,
    /// What is decided about.
    pub artifact: Artifact,
    /// Who will put it there; null where nobody deploys (gate `build`).
    #[serde(deserialize_with = "Option::deserialize")]
    pub deployer: Option<Deployer>,
    /// The newest change request; null if there is none, which refuses above dev.
    #[serde(deserialize_with = "Option::deserialize")]
    pub change: Option<Change>,
    /// All decisions of people about this change and artifact: approved, rejected and dismissed ones.
    pub approvals: Vec<Approval>,
    /// What machines said about the artifact.
    pub evidence: Evidence,
    /// Where the release has been.
    pub custody: Custody,
    /// What became of the records that matched the selection.
    pub records: Records,
    /// The ledger the records were read from.
    pub ledger: LedgerState,
    /// The bundle that decides, and who approved it.
    pub policy: PolicyState,
}

/// The trust policy in force at the checkpoint in use.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustPolicyState {
    /// Its version, from 1.
    pub version: u64,
    /// SHA-256 of its payload, as hex.
    pub payload: String,
    /// What is wrong with it: not pinned, a threshold missing, lower than one seen before. Any refuses.
    pub problems: Vec<String>,
    /// The builder ids it authorises, told to whoever used another one.
    pub builders: Vec<String>,
}

/// An environment as records name it.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// Its URI.
    pub id: String,
    /// `dev`, `test`, `staging` or `prod`.
    pub class: String,
}

/// The artifact that is decided about.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Artifact {
    /// Its SHA-256 as 64 hex digits; null if the caller named no digest.
    #[serde(deserialize_with = "Option::deserialize")]
    pub sha256: Option<String>,
    /// Its package URL, for display.
    #[serde(deserialize_with = "Option::deserialize")]
    pub purl: Option<String>,
    /// What the caller wrote.
    pub reference: String,
}

/// The identity that deploys.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deployer {
    /// Its name in the trust policy.
    pub signer: String,
    /// The id of its key.
    pub key: String,
    /// The person behind it, if it is one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub person: Option<String>,
}

/// The change request that the artifact answers.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// Its id in the system of record.
    pub id: String,
    /// SHA-256 of its payload, as hex.
    pub payload: String,
    /// Its place in the ledger.
    pub index: u64,
    /// `cosmetic`, `operational`, `data-processing`, `security-sensitive`, `clinical-risk`; an unknown one, or none,
    /// is judged as all five.
    pub categories: Vec<String>,
    /// `low`, `moderate`, `high` or `critical`; never judged lower than its categories say.
    pub tier: String,
    /// Whether its tier was raised by one (policy section 2).
    pub bumped: bool,
    /// Whether it asks for the emergency path, which the starter bundle does not have.
    pub emergency: bool,
    /// Everyone who wrote any part.
    pub authors: Vec<Author>,
    /// The source revisions it covers.
    pub revisions: Vec<Revision>,
    /// The repositories they are in, as `git+https://…`.
    pub repositories: Vec<String>,
}

/// Someone who wrote a part of the change or of the policy.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Author {
    /// The id in the record, such as `mailto:a@example.org`.
    pub id: String,
    /// The person the trust policy maps it to.
    #[serde(deserialize_with = "Option::deserialize")]
    pub person: Option<String>,
}

/// One source revision.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revision {
    /// The commit, as hex.
    pub commit: String,
    /// Its tree, as hex; null if the change request does not say.
    #[serde(deserialize_with = "Option::deserialize")]
    pub tree: Option<String>,
}

/// What a person decided.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Decision {
    /// Yes.
    Approved,
    /// No; takes back an earlier yes of the same person about the same.
    Rejected,
    /// Withdraws the approval named in `dismisses`.
    Dismissed,
}

/// An approval record.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    /// SHA-256 of its payload, as hex.
    pub payload: String,
    /// Its place in the ledger.
    pub index: u64,
    /// `source-review`, `promotion`, `policy`, or another stage of predicates section 4.2.
    pub stage: String,
    /// What was decided.
    pub decision: Decision,
    /// What was looked at: `sha256:…`, `gitCommit:…`, `gitTree:…`.
    pub subjects: Vec<String>,
    /// The tree a reviewer read, as hex.
    #[serde(deserialize_with = "Option::deserialize")]
    pub over_tree: Option<String>,
    /// The environment it is for.
    #[serde(deserialize_with = "Option::deserialize")]
    pub environment: Option<Environment>,
    /// The change it is about.
    #[serde(deserialize_with = "Option::deserialize")]
    pub change: Option<String>,
    /// Who decided.
    pub approver: Approver,
    /// When, in Unix seconds.
    pub decided_at_unix: i64,
    /// When it stops to count, in Unix seconds.
    #[serde(deserialize_with = "Option::deserialize")]
    pub expires_at_unix: Option<i64>,
    /// The payload of the approval it withdraws.
    #[serde(deserialize_with = "Option::deserialize")]
    pub dismisses: Option<String>,
    /// The approver's printed name.
    pub display_name: String,
    /// What the signature means, in words.
    pub meaning: String,
}

/// Who decided, by the trust policy.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approver {
    /// The authenticated id.
    pub id: String,
    /// The person it is mapped to.
    #[serde(deserialize_with = "Option::deserialize")]
    pub person: Option<String>,
    /// `human` or `workload`.
    pub kind: String,
    /// The roles the trust policy gives.
    pub roles: Vec<String>,
    /// The signer's name in the trust policy.
    pub signer: String,
    /// The id of the key.
    pub key: String,
}

/// What machines said about the artifact.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// SLSA provenance records.
    pub provenance: Vec<Provenance>,
    /// SBOM records.
    pub sbom: Vec<Sbom>,
    /// Test results, about the artifact or its commits.
    pub tests: Vec<TestResult>,
}

/// A provenance record.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provenance {
    /// SHA-256 of its payload, as hex.
    pub payload: String,
    /// Its place in the ledger.
    pub index: u64,
    /// `builder.id` of the record.
    pub builder_id: String,
    /// Whether the trust policy lists that builder for this signer.
    pub builder_authorised: bool,
    /// The signer's name in the trust policy.
    pub signer: String,
    /// The id of the key.
    pub key: String,
    /// The person behind the signer, if it is one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub person: Option<String>,
    /// The source repository, as `git+https://…`.
    #[serde(deserialize_with = "Option::deserialize")]
    pub repository: Option<String>,
    /// The source commit, as hex.
    #[serde(deserialize_with = "Option::deserialize")]
    pub commit: Option<String>,
    /// Its tree, as hex, if the builder says; the author's word binds no tree to a commit.
    #[serde(deserialize_with = "Option::deserialize")]
    pub tree: Option<String>,
    /// `buildType` of the record.
    pub build_type: String,
    /// What was built: `sha256:…`.
    pub subjects: Vec<String>,
}

/// An SBOM record.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sbom {
    /// SHA-256 of its payload, as hex.
    pub payload: String,
    /// Its place in the ledger.
    pub index: u64,
    /// `CycloneDX` or `SPDX`.
    pub format: String,
    /// How many components it names.
    pub components: u64,
    /// What it is about: `sha256:…`.
    pub subjects: Vec<String>,
}

/// A test result.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestResult {
    /// SHA-256 of its payload, as hex.
    pub payload: String,
    /// Its place in the ledger.
    pub index: u64,
    /// `unit`, `integration`, `contract`, `schema`, `system`, `environment`, or another; `unspecified` if it says none.
    pub kind: String,
    /// What ran it.
    pub tool: String,
    /// `PASSED`, `WARNED` or `FAILED`.
    pub result: String,
    /// What was tested: `sha256:…`, `gitCommit:…`.
    pub subjects: Vec<String>,
}

/// Where the release has been.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Custody {
    /// Promotion records.
    pub promotions: Vec<Promotion>,
    /// Deployment records.
    pub deployments: Vec<Deployment>,
}

/// A promotion record.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Promotion {
    /// SHA-256 of its payload, as hex.
    pub payload: String,
    /// Its place in the ledger.
    pub index: u64,
    /// Where it came from; null into the first environment.
    #[serde(deserialize_with = "Option::deserialize")]
    pub from: Option<Environment>,
    /// Where it went.
    pub to: Environment,
    /// SHA-256 of what was promoted, as hex.
    pub digests: Vec<String>,
    /// The release.
    pub release_id: String,
    /// The payload of the decision it spent.
    pub decision: String,
}

/// A deployment record.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deployment {
    /// SHA-256 of its payload, as hex.
    pub payload: String,
    /// Its place in the ledger.
    pub index: u64,
    /// Where.
    pub environment: Environment,
    /// SHA-256 of what was deployed, as hex.
    pub digests: Vec<String>,
    /// The release.
    pub release_id: String,
    /// `STARTED`, `SUCCEEDED`, `FAILED` or `ABORTED`.
    pub status: String,
    /// The payload of the decision it spent; null if it happened without one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub decision: Option<String>,
    /// The signer's name in the trust policy.
    pub signer: String,
    /// The id of the key.
    pub key: String,
    /// The person behind the signer, if it is one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub person: Option<String>,
}

/// What became of the records that matched the selection.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Records {
    /// How many were read and verified.
    pub read: u64,
    /// Those that were not, which are no evidence.
    pub refused: Vec<RefusedRecord>,
}

/// A record that is no evidence.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefusedRecord {
    /// Its place in the ledger.
    pub index: u64,
    /// SHA-256 of its payload, as hex, if it could be read at all.
    #[serde(deserialize_with = "Option::deserialize")]
    pub payload: Option<String>,
    /// The code of the error ([`ErrorKind::code`](crate::ErrorKind::code)). `NOT_ENTITLED`, `UNTRUSTED_SIGNER`,
    /// `REVOKED`, `EXPIRED`, `NOT_YET_VALID`, `WRONG_TYPE` and `TRUST_POLICY_REFUSED` are faults of who signed
    /// (EV-SIG-002), every other one of the record itself (EV-SIG-001).
    pub code: String,
    /// Who signed it, if that is known.
    #[serde(deserialize_with = "Option::deserialize")]
    pub signer: Option<String>,
    /// What it says it is.
    #[serde(deserialize_with = "Option::deserialize")]
    pub predicate_type: Option<String>,
    /// For whom it speaks.
    #[serde(deserialize_with = "Option::deserialize")]
    pub actor: Option<String>,
    /// What is wrong, in words.
    pub why: String,
}

/// The ledger the records were read from.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LedgerState {
    /// The origin of its checkpoints.
    pub origin: String,
    /// Entries up to the checkpoint in use.
    pub size: u64,
    /// Root hash of that checkpoint, as hex.
    pub root_hash: String,
    /// Time of its last entry, in Unix seconds.
    pub last_entry_unix: i64,
    /// Entries that matched the selection.
    pub matched: u64,
    /// Control entries.
    pub control: u64,
    /// Entries in a valid disposal.
    pub disposed: u64,
    /// Entries selected whose record is missing.
    pub missing: Vec<u64>,
    /// Whether the checkpoint extends the highest one seen, remembered outside the ledger.
    pub anchored: bool,
    /// Whether each record used was proven to be in the checkpoint.
    pub proven: bool,
    /// Witnesses of the trust policy that cosigned the checkpoint.
    pub cosignatures: u64,
    /// How many the trust policy demands.
    pub quorum: u64,
    /// The newest time, in Unix seconds, at which a witness or a time-stamp authority saw the checkpoint.
    #[serde(deserialize_with = "Option::deserialize")]
    pub anchored_at_unix: Option<i64>,
}

/// The bundle that decides.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyState {
    /// SHA-256 of the bundle, as hex.
    pub digest: String,
    /// Whether its signature was verified.
    pub signed: bool,
    /// Whether the trust policy pins this digest.
    pub pinned: bool,
    /// Decisions of stage `policy` about it.
    pub approvals: Vec<Approval>,
    /// Who wrote it.
    pub authors: Vec<Author>,
}

/// Whether `text` is 64 lower-case hex digits.
pub(super) fn is_sha256_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
