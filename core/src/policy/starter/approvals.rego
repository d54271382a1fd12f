# Approvals of the promotion: enough people in the right roles, for this digest and this place.
package sealwright

import rego.v1

# Everything offered for this change or this digest.
offered contains approval if {
	some approval in input.approvals
	approval.stage == "promotion"
	stands(approval, input.approvals)
	concerns(approval)
}

concerns(approval) if {
	approval.change == input.change.id
}

concerns(approval) if {
	subject in approval.subjects
}

right(approval) if {
	subject in approval.subjects
	approval.environment.id == input.target.id
	approval.environment.class == input.target.class
	approval.change == input.change.id
}

counted_approvals contains approval if {
	some approval in offered
	right(approval)
	input.nowUnix - approval.decidedAtUnix <= input.demand.maxAgeSeconds
	approval.approver.kind == "human"
	mapped(approval.approver)
	not is_author(approval.approver)
	count(author_names) > 0
}

approvers := people(counted_approvals)

# --- EV-APPR-001 ---

default appr001 := false

appr001 if {
	enough(approvers, input.demand.approvals)
}

appr001_fields := [fields |
	appr001 == false
	fields := {
		"have": have(approvers, input.demand.approvals),
		"need": input.demand.approvals.need,
		"role": missing_roles(approvers, input.demand.approvals),
		"environment": input.target.id,
	}
]

checks["EV-APPR-001"] := verdict(appr001, appr001_fields, sort({approval.payload | some approval in counted_approvals}))

# --- EV-APPR-003 ---

# An approval for a lower or higher environment is meant for that one.
meant_here(approval) if {
	approval.environment == null
}

meant_here(approval) if {
	approval.environment.class == input.target.class
}

wrong contains approval if {
	some approval in offered
	meant_here(approval)
	not right(approval)
}

rightly contains who(approval.approver) if {
	some approval in offered
	right(approval)
}

default appr003 := false

# Whoever approved something else has approved this one, too.
appr003 if {
	is_array(input.approvals)
	every approval in wrong {
		who(approval.approver) in rightly
	}
}

place_name(approval) := approval.environment.id if {
	is_string(approval.environment.id)
}

place_name(approval) := "no environment" if {
	approval.environment == null
}

appr003_fields contains fields if {
	some approval in wrong
	fields := {
		"record": approval.payload,
		"other": sprintf("%s in %s, change %s", [
			listed({named | some named in approval.subjects}, "nothing"),
			place_name(approval),
			or_unknown(approval.change),
		]),
		"environment": input.target.id,
	}
}

checks["EV-APPR-003"] := verdict(appr003, sort(appr003_fields), [])
