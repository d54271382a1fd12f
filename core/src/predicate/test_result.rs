//! in-toto test-result v0.1 (in-toto/attestation spec/predicates/test-result.md), with our extension fields
//! (predicates section 2.1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::field::ROOT;
use super::vocabulary::vocabulary;
use super::{PredicateType, unset};
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// One run of tests or of a scanner. Subjects: what was tested; gates match the artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// How it went.
    pub result: TestOutcome,
    /// What configured it.
    pub configuration: Vec<ResourceDescriptor>,
    /// Link to the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Tests that passed.
    #[serde(default, deserialize_with = "unset::or_default", skip_serializing_if = "Vec::is_empty")]
    pub passed_tests: Vec<String>,
    /// Tests that passed with warnings.
    #[serde(default, deserialize_with = "unset::or_default", skip_serializing_if = "Vec::is_empty")]
    pub warned_tests: Vec<String>,
    /// Tests that failed.
    #[serde(default, deserialize_with = "unset::or_default", skip_serializing_if = "Vec::is_empty")]
    pub failed_tests: Vec<String>,
    /// Kind of test; without it, it counts for none. `sealwright_testKind` in JSON.
    #[serde(rename = "sealwright_testKind", default, skip_serializing_if = "Option::is_none")]
    pub test_kind: Option<TestKind>,
    /// Tool with version. `sealwright_tool` in JSON.
    #[serde(rename = "sealwright_tool", default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<ResourceDescriptor>,
    /// Raw report, by digest. `sealwright_report` in JSON.
    #[serde(rename = "sealwright_report", default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ResourceDescriptor>,
    /// Findings by severity. `sealwright_counts` in JSON.
    #[serde(rename = "sealwright_counts", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
    /// Requirements or risk controls verified. `sealwright_requirements` in JSON.
    #[serde(rename = "sealwright_requirements", default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<String>,
    /// Start. `sealwright_startedAt` in JSON.
    #[serde(rename = "sealwright_startedAt", default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// End. `sealwright_finishedAt` in JSON.
    #[serde(rename = "sealwright_finishedAt", default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

vocabulary! {
    /// How a run of tests went.
    TestOutcome {
        /// All passed.
        Passed = "PASSED",
        /// Passed with warnings.
        Warned = "WARNED",
        /// Some failed.
        Failed = "FAILED",
    }
}

vocabulary! {
    /// Kind of test or scan.
    TestKind {
        /// Of one unit.
        Unit = "unit",
        /// Of units together.
        Integration = "integration",
        /// Of an interface against its contract.
        Contract = "contract",
        /// Of data against its schema.
        Schema = "schema",
        /// Of the whole.
        System = "system",
        /// Of the environment it runs in.
        Environment = "environment",
        /// Of backup and return.
        Recovery = "recovery",
        /// Static analysis.
        Sast = "sast",
        /// Probing of what runs.
        Dast = "dast",
        /// Search for secrets.
        Secrets = "secrets",
        /// Search for health data.
        Phi = "phi",
        /// Licences.
        License = "license",
        /// Infrastructure as code.
        Iac = "iac",
        /// Container configuration.
        ContainerConfig = "container-config",
        /// Penetration test.
        Pentest = "pentest",
    }
}

impl PredicateType for TestResult {
    const TYPE: &'static str = "https://in-toto.io/attestation/test-result/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.check("configuration", &self.configuration)?;
        at.check("sealwright_tool", &self.tool)?;
        if let Some(report) = &self.report {
            at.digested("sealwright_report", report)?;
        }
        at.uri("sealwright_requirements", &self.requirements)?;
        at.not_before("sealwright_finishedAt", self.finished_at, "predicate.sealwright_startedAt", self.started_at)
    }
}
