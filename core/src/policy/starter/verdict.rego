# What several checks need: the form of an outcome, people, and which decisions of people still stand.
package sealwright

import rego.v1

verdict(ok, fields, evidence) := {"outcome": "PASSED", "fields": fields, "evidence": evidence} if {
	ok == true
}

verdict(ok, fields, evidence) := {"outcome": "FAILED", "fields": fields, "evidence": evidence} if {
	ok == false
}

# Undefined if no digest was named, and then nothing below can match it.
sha256 := input.artifact.sha256 if {
	is_string(input.artifact.sha256)
	regex.match("^[0-9a-f]{64}$", input.artifact.sha256)
}

subject := concat(":", ["sha256", sha256])

default shown_digest := "no digest"

shown_digest := subject

# --- people (rule S8) ---

# A person if the trust policy knows one, else the id alone.
who(actor) := actor.person if {
	is_string(actor.person)
}

who(actor) := concat("", ["id:", actor.id]) if {
	actor.person == null
}

mapped(actor) if {
	is_string(actor.person)
}

mapped(actor) if {
	input.demand.mappedOnly == false
}

author_names contains who(author) if {
	some author in input.change.authors
}

author_ids contains author.id if {
	some author in input.change.authors
}

is_author(actor) if {
	who(actor) in author_names
}

is_author(actor) if {
	actor.id in author_ids
}

# --- decisions that stand ---

withdrawn(approval, all_of_them) if {
	some other in all_of_them
	other.decision == "DISMISSED"
	other.dismisses == approval.payload
}

# A later no of the same person about the same matter.
withdrawn(approval, all_of_them) if {
	some other in all_of_them
	other.decision == "REJECTED"
	other.stage == approval.stage
	other.index > approval.index
	who(other.approver) == who(approval.approver)
	same_matter(other, approval)
	same_place(other, approval)
}

same_matter(other, approval) if {
	other.change == approval.change
}

same_matter(other, approval) if {
	some named in other.subjects
	named in approval.subjects
}

same_place(other, approval) if {
	other.environment == null
}

same_place(other, approval) if {
	other.environment.id == approval.environment.id
}

expired(approval) if {
	is_number(approval.expiresAtUnix)
	approval.expiresAtUnix <= input.nowUnix
}

stands(approval, all_of_them) if {
	approval.decision == "APPROVED"
	approval.decidedAtUnix <= input.nowUnix
	not expired(approval)
	not withdrawn(approval, all_of_them)
}

# --- counting: one person fills one seat ---

# The people behind approvals, each with the roles the trust policy gives.
people(approvals) := {name: roles |
	some approval in approvals
	name := who(approval.approver)
	roles := {role |
		some other in approvals
		who(other.approver) == name
		some role in other.approver.roles
	}
}

fills(roles, seat) if {
	every role in seat {
		role in roles
	}
}

able(team, group) := {name |
	some name, roles in team
	some seat in group.seats
	fills(roles, seat)
}

# Every set of seats has enough people, which by Hall's theorem is when each seat can have its own person.
enough(team, wanted) if {
	is_number(wanted.need)
	every group in wanted.groups {
		count(able(team, group)) >= group.count
	}
}

# How many seats can be filled: all but the largest shortage of any set of them.
have(team, wanted) := wanted.need - max({0} | {lack |
	some group in wanted.groups
	lack := group.count - count(able(team, group))
})

short_seats(team, wanted) := {text |
	some group in wanted.groups
	count(group.seats) == 1
	count(able(team, group)) < group.count
	some seat in group.seats
	text := concat(" and ", seat)
}

missing_roles(team, wanted) := concat(", ", sort(short_seats(team, wanted))) if {
	count(short_seats(team, wanted)) > 0
}

missing_roles(team, wanted) := "of its own for each person" if {
	count(short_seats(team, wanted)) == 0
}

listed(names, otherwise) := concat(", ", sort(names)) if {
	count(names) > 0
}

listed(names, otherwise) := otherwise if {
	count(names) == 0
}
