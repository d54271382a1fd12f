//! Acts of retention: placing and releasing legal holds, and approving a disposal.

use serde::Deserialize;

use super::{Recorded, recorded};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::ledger::{Ledger, Schedule};
use crate::predicate::{
    Actor, ActorKind, Approval, ApprovalDecision, Capture, CaptureMethod, HoldAction, HoldScope, LegalHold, RecordRef,
    Stage, Window, nonce,
};
use crate::signer::Signer;
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// A legal hold to be placed: which records may not be disposed of. Of the query all that is said must hold, and of a list
/// one value; records named by their entries are held in any case.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct HoldOrder {
    /// Identity of the hold, a URI that nobody used before.
    pub hold_id: String,
    /// Case reference; no details.
    pub matter: String,
    /// Who ordered it.
    pub ordered_by: Actor,
    /// Who answers for it, if it is another.
    pub custodian: Option<Actor>,
    /// Records, by the index of their entries.
    #[serde(default)]
    pub entries: Vec<u64>,
    /// Services: purls without version.
    #[serde(default)]
    pub services: Vec<String>,
    /// Release ids.
    #[serde(default)]
    pub releases: Vec<String>,
    /// Environment ids.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Predicate types.
    #[serde(default)]
    pub predicate_types: Vec<String>,
    /// When they were logged, both ends included.
    pub window: Option<Window>,
    /// That everything is held; nothing else may be said then.
    #[serde(default)]
    pub everything: bool,
}

impl HoldOrder {
    /// An order that names nothing yet; the fields say what is held.
    pub fn new(hold_id: impl Into<String>, matter: impl Into<String>, ordered_by: Actor) -> Self {
        Self {
            hold_id: hold_id.into(),
            matter: matter.into(),
            ordered_by,
            custodian: None,
            entries: Vec::new(),
            services: Vec::new(),
            releases: Vec::new(),
            environments: Vec::new(),
            predicate_types: Vec::new(),
            window: None,
            everything: false,
        }
    }

    /// Reads an order from JSON, whose members are named like the fields: `holdId`, `matter`, `orderedBy`, `entries` …
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        json::parse("hold", bytes)
    }
}

/// Places a legal hold: from then on nothing that it covers is disposed of.
///
/// # Errors
/// `API_MISUSE` if nothing says what is held, or more than everything; `NOT_FOUND` for an entry that is not there;
/// `APPEND_REFUSED` if the id was used before; those of the ledger.
pub fn place_hold(ledger: &mut Ledger, order: HoldOrder, signer: &dyn Signer, now: Timestamp) -> Result<Recorded> {
    let scope = HoldScope {
        services: order.services,
        releases: order.releases,
        environments: order.environments,
        predicate_types: order.predicate_types,
        window: order.window,
    };
    if order.everything != (scope.is_empty() && order.entries.is_empty()) {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            "a hold is of entries and a query, or of everything; name what is held, or say that it is everything",
        ));
    }
    let mut subjects = Vec::new();
    for index in order.entries {
        subjects.push(ResourceDescriptor::of(ledger.record(index)?.statement().payload_digest()));
    }
    // beside records, the query holds; alone, the hold itself is what it is about
    if subjects.is_empty() {
        subjects.push(hold_itself(&order.hold_id)?);
    }
    let hold = LegalHold {
        nonce: nonce()?,
        hold_id: order.hold_id,
        action: HoldAction::Placed,
        matter: order.matter,
        custodian: order.custodian.unwrap_or_else(|| order.ordered_by.clone()),
        ordered_by: order.ordered_by,
        at: now,
        scope,
        releases: None,
    };
    recorded(ledger, &Statement::new(subjects, &hold)?, signer, now)
}

/// Releases the hold of this id; nothing is disposed of by that. `matter` is that of the hold if none is given.
///
/// # Errors
/// `NOT_FOUND` if no such hold is in force; those of the ledger.
pub fn release_hold(
    ledger: &mut Ledger,
    hold_id: &str,
    matter: Option<String>,
    ordered_by: Actor,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Recorded> {
    let holds = ledger.holds()?;
    let in_force = holds.into_iter().find(|hold| hold.placed.hold_id == hold_id && hold.released_by.is_none());
    let found = in_force.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!(
                "no hold `{}` is in force; check its id among those that are, or it was released already",
                hold_id.escape_debug()
            ),
        )
    })?;
    let hold = LegalHold {
        nonce: nonce()?,
        action: HoldAction::Released,
        matter: matter.unwrap_or_else(|| found.placed.matter.clone()),
        ordered_by,
        at: now,
        releases: Some(RecordRef::to(found.payload())),
        ..found.placed.clone()
    };
    let subjects = ledger.record(found.index)?.statement().subjects().to_vec();
    recorded(ledger, &Statement::new(subjects, &hold)?, signer, now)
}

/// Approves the disposal of `entries`, or of all records that are due under `schedule`, as a records officer. `approver`
/// is a person, who says how they logged in if the trust policy demands a second factor.
///
/// # Errors
/// `POLICY_DENIED` if nothing is due, or something of it may not go; those of [`Ledger::plan_disposal`] and of the ledger.
pub fn approve_disposal(
    ledger: &mut Ledger,
    schedule: &Schedule,
    entries: Option<&[u64]>,
    approver: Actor,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Recorded> {
    let plan = ledger.plan_disposal(schedule, entries, now)?;
    if plan.items.is_empty() || !plan.refused.is_empty() {
        return Err(Error::new(
            ErrorKind::PolicyDenied,
            "there is nothing to approve, or something of it may not go; look at the plan of the disposal",
        ));
    }
    if approver.kind != ActorKind::Human {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            "a disposal is approved by a person; give their id, kind `human` and printed name",
        ));
    }
    let approval = Approval {
        nonce: nonce()?,
        stage: Stage::Disposal,
        decision: ApprovalDecision::Approved,
        approver,
        in_role: "records-officer".to_owned(),
        meaning: "approval of the disposal of these records".to_owned(),
        decided_at: now,
        change_id: None,
        environment: None,
        considered: Vec::new(),
        conditions: Vec::new(),
        comment: None,
        review_uri: None,
        over_tree: None,
        expires_at: None,
        dismisses: None,
        capture: Capture { method: CaptureMethod::DirectSignature, system: None, source_event: None },
    };
    recorded(ledger, &Statement::new(plan.subjects(), &approval)?, signer, now)
}

/// A hold as a thing without bytes (predicates section 1.7).
fn hold_itself(id: &str) -> Result<ResourceDescriptor> {
    let set = serde_json::json!({ "uriSha256": Digest::sha256(id.as_bytes()).hex() });
    let set: DigestSet = serde_json::from_value(set)
        .map_err(|e| Error::new(ErrorKind::Internal, "the digest of a hold's id is none; report it").caused_by(e))?;
    Ok(ResourceDescriptor::of(set).with_uri(id))
}
