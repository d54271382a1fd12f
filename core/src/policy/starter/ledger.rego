# Signatures, entitlement, and the ledger the records were read from.
package sealwright

import rego.v1

# Codes that speak of who signed; every other one speaks of the record itself.
signer_codes := {
	"NOT_ENTITLED",
	"UNTRUSTED_SIGNER",
	"REVOKED",
	"EXPIRED",
	"NOT_YET_VALID",
	"WRONG_TYPE",
	"TRUST_POLICY_REFUSED",
}

record_name(record) := record.payload if {
	is_string(record.payload)
}

record_name(record) := sprintf("at entry %d", [record.index]) if {
	record.payload == null
}

# --- EV-SIG-001 ---

unsigned contains record if {
	some record in input.records.refused
	not record.code in signer_codes
}

default sig001 := false

sig001 if {
	is_array(input.records.refused)
	input.records.read > 0
	count(unsigned) == 0
}

sig001_fields contains {"record": record_name(record)} if {
	some record in unsigned
}

sig001_fields contains {"record": "at any entry"} if {
	not input.records.read > 0
}

checks["EV-SIG-001"] := verdict(sig001, sort(sig001_fields), [])

# --- EV-SIG-002 ---

default sig002 := false

sig002 if {
	is_array(input.records.refused)
	input.trustPolicy.version >= 1
	count(input.trustPolicy.problems) == 0
	count([record | some record in input.records.refused; record.code in signer_codes]) == 0
}

or_unknown(text) := text if {
	is_string(text)
}

or_unknown(text) := "unknown" if {
	text == null
}

sig002_fields contains fields if {
	some record in input.records.refused
	record.code in signer_codes
	fields := {
		"signer": or_unknown(record.signer),
		"predicateType": or_unknown(record.predicateType),
		"actor": or_unknown(record.actor),
		"version": input.trustPolicy.version,
	}
}

sig002_fields contains fields if {
	some problem in input.trustPolicy.problems
	fields := {
		"signer": "of any record",
		"predicateType": "anything",
		"actor": "anybody",
		"version": sprintf("%d (%s)", [input.trustPolicy.version, problem]),
	}
}

checks["EV-SIG-002"] := verdict(sig002, sort(sig002_fields), [])

# --- EV-LOG-001 ---

default log001 := false

log001 if {
	input.ledger.size > 0
	input.ledger.proven == true
	is_array(input.ledger.missing)
	count(input.ledger.missing) == 0
	input.nowUnix >= input.ledger.lastEntryUnix
	anchored
}

anchored if {
	input.ledger.anchored == true
}

anchored if {
	input.demand.anchored == false
}

log001_causes contains {"record": "at the entry", "index": index} if {
	some index in input.ledger.missing
}

log001_causes contains {"record": "of this decision"} if {
	not input.ledger.proven == true
}

log001_causes contains {"record": "of any kind"} if {
	not input.ledger.size > 0
}

log001_causes contains {"record": "of the last entry, which is later than now,"} if {
	not input.nowUnix >= input.ledger.lastEntryUnix
}

log001_causes contains {"record": "of the highest checkpoint seen"} if {
	not anchored
}

log001_fields := [{
	"record": cause.record,
	"origin": input.ledger.origin,
	"size": input.ledger.size,
	"index": object.get(cause, "index", "unknown"),
} |
	some cause in sort(log001_causes)
]

checks["EV-LOG-001"] := verdict(log001, log001_fields, [])

# --- EV-POL-001 ---

# No age and no change here: the rules stay approved until they are replaced.
policy_counted contains approval if {
	some approval in input.policy.approvals
	approval.stage == "policy"
	stands(approval, input.policy.approvals)
	concat(":", ["sha256", input.policy.digest]) in approval.subjects
	approval.approver.kind == "human"
	is_string(approval.approver.person)
	not wrote_policy(approval.approver)
}

wrote_policy(actor) if {
	some author in input.policy.authors
	who(author) == who(actor)
}

wrote_policy(actor) if {
	some author in input.policy.authors
	author.id == actor.id
}

policy_approved if {
	input.policy.pinned == true
}

policy_approved if {
	input.demand.policyApprovals.need > 0
	enough(people(policy_counted), input.demand.policyApprovals)
}

default pol001 := false

pol001 if {
	input.policy.digest == input.demand.bundle
	input.policy.signed == true
	policy_approved
}

pol001_fields := [{"digest": concat(":", ["sha256", input.policy.digest])} | pol001 == false]

checks["EV-POL-001"] := verdict(pol001, pol001_fields, sort({approval.payload | some approval in policy_counted}))
