//! What a Statement says: standard predicates, and ours (predicates sections 2 to 4).
//!
//! A known type is read strictly: every required field, every closed vocabulary, every condition. Fields it does not
//! know are ignored; what was signed is kept by [`crate::statement::Statement`]. An unknown type is kept and satisfies
//! nothing.
//!
//! The structs are open to literals on purpose, against the habit of this crate: a record is written field by field,
//! and a writer that forgets one that a new version demands should fail to compile, not to be believed. An SBOM, which is
//! a document of its own, is given whole, by [`PredicateType::parse`].

mod actor;
mod approval;
mod audit_log_segment;
mod change_request;
mod control;
mod cyclonedx;
mod deployment;
mod drift_report;
mod environment;
mod environment_snapshot;
mod evidence_pack;
mod field;
mod key_access;
mod kind;
mod legal_hold;
mod nonce;
mod policy_evaluation;
mod privileged_session;
mod profile;
mod promotion;
mod record_ref;
mod reference;
mod release;
mod retention_disposal;
mod scai;
mod slsa_provenance;
mod slsa_provenance_v01;
mod slsa_provenance_v02;
mod spdx;
mod tags;
mod test_result;
mod trust_policy;
mod unset;
mod vocabulary;
mod vsa;
mod vulns;
mod whole;
mod window;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::json;

pub use actor::{Actor, ActorKind, Authentication};
pub use approval::{Approval, ApprovalDecision, Capture, CaptureMethod, Stage};
pub use audit_log_segment::{AuditLogSegment, LockMode, LogKind, SegmentStorage};
pub use change_request::{
    Category, CategorySource, ChangeRequest, Emergency, Impact, RequiredApproval, RiskTier, RollbackMethod,
    RollbackPlan,
};
pub(crate) use control::{is_control, is_denied};
pub use cyclonedx::Cyclonedx;
pub use deployment::{Deployment, DeploymentStatus, Strategy, StrategyDetail};
pub use drift_report::{DriftAction, DriftKind, DriftReport, Finding, FindingType, Severity};
pub use environment::{DataClass, Environment, EnvironmentClass};
pub use environment_snapshot::{Coverage, EnvironmentSnapshot, Observed};
pub use evidence_pack::{Completeness, EvidencePack, Handover, PackLedger, PackSelection, Redaction};
pub(crate) use field::is_uri;
pub use key_access::{KeyAccess, KeyOperation, KeyOutcome, KeyResource};
pub use legal_hold::{HoldAction, HoldScope, LegalHold};
pub use nonce::nonce;
pub use policy_evaluation::{
    CheckOutcome, CheckResult, Enforcement, Engine, EvaluationResult, Gate, LedgerState, PolicyEvaluation, Selection,
};
pub use privileged_session::{AccessKind, PrivilegedSession};
pub use profile::{LeftOut, Profile};
pub use promotion::{Promotion, Relocation};
pub use record_ref::{RecordHints, RecordRef};
pub use reference::{Attester, Reference};
pub use release::{Release, ReleaseKind};
pub use retention_disposal::{DisposalMethod, DisposedItem, HoldsChecked, RetentionDisposal};
pub use scai::{ATTRIBUTES, Attribute, Scai};
pub use slsa_provenance::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
pub use slsa_provenance_v01::{ProvenanceV01, Recipe};
pub use slsa_provenance_v02::{ConfigSource, Invocation, InvocationMetadata, ProvenanceV02};
pub use spdx::{Spdx, Spdx3};
pub use tags::Tags;
pub(crate) use tags::{told, unversioned};
pub use test_result::{TestKind, TestOutcome, TestResult};
pub use trust_policy::{
    Admin, Keyless, Person, PersonId, Revocation, SpeaksFor, TrustPolicy, TrustedSigner, Witness, Writer,
};
pub use vsa::{VerificationResult, Vsa, VsaVerifier};
pub use vulns::{ScanMetadata, VulnDatabase, VulnScanner, VulnSeverity, Vulnerability, Vulns};
pub use window::Window;

/// Where our own predicate types begin.
pub const NAMESPACE: &str = "https://sealwright.dev/attestation/";

/// Whether records of this type are SBOMs.
pub(crate) fn is_sbom(predicate_type: &str) -> bool {
    Cyclonedx::reads(predicate_type) || Spdx::reads(predicate_type) || Spdx3::reads(predicate_type)
}

/// A predicate this library can read, write and check.
pub trait PredicateType: Serialize + DeserializeOwned {
    /// The exact `predicateType` it is written with.
    const TYPE: &'static str;

    /// Checks what the types alone do not: conditions between fields, shapes of texts, order of times.
    ///
    /// # Errors
    /// `MALFORMED`, naming the field by its path.
    fn validate(&self) -> Result<()>;

    /// Whether a record of this `predicateType` is read as this one; other than `TYPE` only for aliases in the field.
    fn reads(predicate_type: &str) -> bool {
        predicate_type == Self::TYPE
    }

    /// Reads and validates the JSON of a predicate.
    ///
    /// # Errors
    /// `MALFORMED`, naming the field at fault; `LIMIT_EXCEEDED` for too deep nesting.
    fn parse(raw: &[u8]) -> Result<Self> {
        json::check("predicate", raw)?;
        parse_checked(raw)
    }
}

/// As [`PredicateType::parse`], of JSON that is known to be strict: a part of what was checked as a whole.
pub(crate) fn parse_checked<P: PredicateType>(raw: &[u8]) -> Result<P> {
    let predicate: P = json::parse_checked("predicate", raw)?;
    predicate.validate()?;
    Ok(predicate)
}

/// Declares [`Predicate`] with a variant for each type.
macro_rules! predicates {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// A predicate of any type.
        #[non_exhaustive]
        #[derive(Clone, Debug, PartialEq)]
        pub enum Predicate {
            $($(#[$doc])* $name(Box<$name>),)+
            /// Of a type not known here; it satisfies nothing.
            Unknown,
        }

        impl Predicate {
            /// Reads and validates the JSON of a predicate of this `predicateType`.
            ///
            /// # Errors
            /// `MALFORMED` if a known type is not what its specification demands, `LIMIT_EXCEEDED` for too deep
            /// nesting. An unknown type is never an error.
            pub fn parse(predicate_type: &str, raw: &[u8]) -> Result<Self> {
                if !(false $(|| $name::reads(predicate_type))+) {
                    return Ok(Self::Unknown);
                }
                json::check("predicate", raw)?;
                Self::parse_checked(predicate_type, raw)
            }

            /// As [`Predicate::parse`], of JSON that is known to be strict.
            pub(crate) fn parse_checked(predicate_type: &str, raw: &[u8]) -> Result<Self> {
                $(if $name::reads(predicate_type) {
                    return parse_checked(raw).map(|p| Self::$name(Box::new(p)));
                })+
                Ok(Self::Unknown)
            }
        }
    };
}

predicates! {
    /// How artifacts were built.
    Provenance,
    /// How artifacts were built, in the words of v0.2.
    ProvenanceV02,
    /// How artifacts were built, in the words of v0.1.
    ProvenanceV01,
    /// A run of tests or of a scanner.
    TestResult,
    /// A scan for known vulnerabilities.
    Vulns,
    /// A CycloneDX BOM.
    Cyclonedx,
    /// An SPDX document of version 2.
    Spdx,
    /// An SPDX document of version 3.
    Spdx3,
    /// What a verifier found.
    Vsa,
    /// Claims about attributes.
    Scai,
    /// A release.
    Release,
    /// What is to change.
    ChangeRequest,
    /// A decision of a person.
    Approval,
    /// A decision of a gate.
    PolicyEvaluation,
    /// A move to the next environment.
    Promotion,
    /// What was put into an environment.
    Deployment,
    /// What ran in an environment.
    EnvironmentSnapshot,
    /// What is not as it ought to be.
    DriftReport,
    /// A use of a key or secret.
    KeyAccess,
    /// Privileged access.
    PrivilegedSession,
    /// A sealed run of entries of a log.
    AuditLogSegment,
    /// A stop to disposal, or its end.
    LegalHold,
    /// What was disposed of.
    RetentionDisposal,
    /// Index of an evidence pack.
    EvidencePack,
    /// Who may say what.
    TrustPolicy,
}
