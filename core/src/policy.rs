//! Policy: what must be shown before a release may go on, as executable rules, and the decision they give.
//!
//! A [`PolicyBundle`] carries the checks (question, message, fix, controls), the tables that say which check is asked
//! where, and the Rego that decides each. [`evaluate`] runs it over an [`Input`] that the caller built from verified
//! records alone. The result is pure: same bundle and same input give the same bytes, on every machine.
//!
//! Everything fails closed: a rule that is undefined, of the wrong shape, too slow or broken is an
//! [`Error`](CheckResult::Error) of its check, never a pass, and an empty rule set refuses.
//!
//! ```
//! use sealwright::policy::{PolicyBundle, starter_bundle};
//! let bundle = PolicyBundle::parse(&starter_bundle()?)?;
//! assert_eq!(bundle.profile().name, "starter");
//! assert!(bundle.check("EV-SIG-001").is_some());
//! # Ok::<(), sealwright::Error>(())
//! ```
//!
//! # Contract of the rules
//!
//! Every file is `package sealwright` with `import rego.v1`. A check is decided by
//! `checks["EV-…"] := {"outcome": "PASSED" | "FAILED", "fields": [{placeholder: text or integer}], "evidence": [payload]}`.
//! One line of the check's message is written per element of `fields`; those of a passed check are told as a warning.
//! Rules see the input document, what the tables demand as `input.demand` ([`Demand`]), and `data.tables`.
//! They read no clock, no network and no randomness, and call only the functions listed in the source of this module.

mod bundle;
mod engine;
mod evaluation;
mod input;
mod message;
mod need;
mod permit;
mod rules;
mod starter;

pub use bundle::{Check, EmergencyRule, LeftOut, PolicyBundle, Profile, Severity, Waivable};
pub use evaluation::{
    CheckOutcome, CheckResult, ENGINE, Enforcement, Evaluation, EvaluationResult, evaluate, evaluate_json,
};
pub use input::{
    Approval, Approver, Artifact, Author, Change, Custody, Decision, Deployer, Deployment, Environment, Evidence,
    Input, LedgerState, PolicyState, Promotion, Provenance, Records, RefusedRecord, Revision, Sbom, TestResult,
    TrustPolicyState,
};
pub use need::{ApprovalDemand, Demand, SeatGroup, TestKinds};
pub use starter::starter_bundle;
