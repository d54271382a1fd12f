# The change: its request, and who reviewed its source.
package sealwright

import rego.v1

# --- EV-CHG-001 ---

uncovered contains commit if {
	some record in provenance
	commit := record.commit
	not commit in revision_commits
}

default chg001 := false

chg001 if {
	is_string(input.change.id)
	count(provenance) > 0
	count(uncovered) == 0
}

chg001_fields := [{"commits": listed({text | some commit in uncovered; text := or_unknown(commit)}, "of this artifact")} |
	chg001 == false
]

checks["EV-CHG-001"] := verdict(chg001, chg001_fields, [input.change.payload | chg001])

# --- EV-SRC-001 ---

about_change(approval) if {
	approval.change == input.change.id
}

about_change(approval) if {
	some revision in input.change.revisions
	concat(":", ["gitCommit", revision.commit]) in approval.subjects
}

about_change(approval) if {
	some revision in input.change.revisions
	is_string(revision.tree)
	concat(":", ["gitTree", revision.tree]) in approval.subjects
}

reviews contains approval if {
	some approval in input.approvals
	approval.stage == "source-review"
	approval.decision == "APPROVED"
	about_change(approval)
}

counted_reviews contains approval if {
	some approval in reviews
	stands(approval, input.approvals)
	approval.approver.kind == "human"
	mapped(approval.approver)
	not is_author(approval.approver)
	count(author_names) > 0
}

reviewers := people(counted_reviews)

default src001 := false

src001 if {
	input.demand.sourceReview.need > 0
	enough(reviewers, input.demand.sourceReview)
}

excluded contains {"name": who(approval.approver), "reason": "they wrote the change"} if {
	some approval in reviews
	is_author(approval.approver)
}

excluded contains {"name": who(approval.approver), "reason": "the trust policy knows no person behind the id"} if {
	some approval in reviews
	not mapped(approval.approver)
}

excluded contains {"name": who(approval.approver), "reason": "no human decided"} if {
	some approval in reviews
	approval.approver.kind != "human"
}

excluded contains {"name": who(approval.approver), "reason": "the review was taken back or expired"} if {
	some approval in reviews
	not stands(approval, input.approvals)
	not who(approval.approver) in object.keys(reviewers)
}

src001_fields := [fields |
	src001 == false
	fields := {
		"have": have(reviewers, input.demand.sourceReview),
		"need": input.demand.sourceReview.need,
		"excluded": listed({one.name | some one in excluded}, "nobody"),
		"reason": listed({one.reason | some one in excluded}, "nobody else reviewed"),
		"role": missing_roles(reviewers, input.demand.sourceReview),
	}
]

checks["EV-SRC-001"] := verdict(src001, src001_fields, sort({approval.payload | some approval in counted_reviews}))

# --- EV-SRC-002 ---

built_tree := revision.tree if {
	some revision in input.change.revisions
	revision.commit == newest_provenance.commit
	is_string(revision.tree)
}

# That a commit has a tree says the reviewer, who looked at both, or the builder; the author's word would not do.
final_reviews contains approval if {
	some approval in counted_reviews
	approval.overTree == built_tree
	concat(":", ["gitCommit", newest_provenance.commit]) in approval.subjects
}

final_reviews contains approval if {
	some approval in counted_reviews
	approval.overTree == built_tree
	approval.overTree == newest_provenance.tree
}

default src002 := false

# Enough people saw the final revision; a further one who saw an older one does no harm.
src002 if {
	count(final_reviews) > 0
	enough(people(final_reviews), input.demand.sourceReview)
}

# Too few people is for EV-SRC-001 to say, if all of them saw the final revision.
src002 if {
	count(final_reviews) > 0
	count(final_reviews) == count(counted_reviews)
}

default shown_tree := "unknown"

shown_tree := built_tree

src002_fields contains {"tree": or_unknown(approval.overTree), "built": shown_tree} if {
	src002 == false
	some approval in counted_reviews
	not approval in final_reviews
}

src002_fields contains {"tree": "none", "built": shown_tree} if {
	src002 == false
	count(counted_reviews) == 0
}

checks["EV-SRC-002"] := verdict(src002, sort(src002_fields), sort({approval.payload | some approval in final_reviews}))
