//! When what a record is about happened, as far as it says.

use super::Predicate;
use crate::timestamp::Timestamp;

impl Predicate {
    /// When the event that this tells of was over; none for predicates that tell of no event, or do not say.
    pub fn happened_at(&self) -> Option<Timestamp> {
        match self {
            Self::Provenance(p) => p.run_details.metadata.as_ref().and_then(|m| m.finished_on.or(m.started_on)),
            Self::ProvenanceV02(p) => p.metadata.build_finished_on.or(p.metadata.build_started_on),
            Self::TestResult(t) => t.finished_at.or(t.started_at),
            Self::ChangeRequest(c) => Some(c.created_at),
            Self::Approval(a) => Some(a.decided_at),
            Self::PolicyEvaluation(p) => Some(p.evaluated_at),
            Self::Promotion(p) => Some(p.promoted_at),
            Self::Deployment(d) => Some(d.finished_at.unwrap_or(d.started_at)),
            Self::EnvironmentSnapshot(s) => Some(s.observed_at),
            Self::DriftReport(d) => Some(d.compared_at),
            Self::EvidencePack(p) => Some(p.generated_at),
            _ => None,
        }
    }
}
