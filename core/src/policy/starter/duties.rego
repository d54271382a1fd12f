# Separation of duties.
package sealwright

import rego.v1

# --- EV-APPR-002 ---

# S1: no approver is an author.
duty_faults contains {"person": who(approval.approver), "dutyA": "author", "dutyB": "approver", "rule": "S1", "role": listed(
	{role | some role in approval.approver.roles},
	"of an approver",
)} if {
	duties_of_people
	some approval in input.approvals
	approval.stage in {"source-review", "promotion"}
	stands(approval, input.approvals)
	matters(approval)
	is_author(approval.approver)
}

# What approvals there are can only be told from authors that are known.
duty_faults contains {"person": "an unknown author", "dutyA": "author", "dutyB": "possibly approver", "rule": "S1", "role": "author"} if {
	duties_of_people
	count(author_names) == 0
}

# S8: behind an id that is not mapped could be an approver.
duty_faults contains {"person": author.id, "dutyA": "author", "dutyB": "possibly, being mapped to no person, approver", "rule": "S8", "role": "author"} if {
	duties_of_people
	some author in input.change.authors
	not mapped(author)
}

# S2: one of those who let it into production did not review its source.
duty_faults contains {"person": name, "dutyA": "source reviewer", "dutyB": "approver", "rule": "S2", "role": listed(approvers[name], "of an approver")} if {
	not second_look
	some name, _ in approvers
}

duty_faults contains {"person": "nobody", "dutyA": "approver", "dutyB": "no source reviewer", "rule": "S2", "role": "release-manager"} if {
	not second_look
	count(approvers) == 0
}

# S3: who built does not deploy.
duty_faults contains {"person": name, "dutyA": "builder", "dutyB": "deployer", "rule": "S3", "role": "deployer"} if {
	some name in both_sides
}

duties_of_people if {
	input.gate != "build"
}

matters(approval) if {
	about_change(approval)
}

matters(approval) if {
	concerns(approval)
}

source_reviewers contains who(approval.approver) if {
	some approval in reviews
}

second_look if {
	input.demand.secondLook == false
}

second_look if {
	some name, _ in approvers
	not name in source_reviewers
}

builder_keys contains record.key if {
	some record in input.evidence.provenance
}

builder_people contains record.person if {
	some record in input.evidence.provenance
	is_string(record.person)
}

both_sides contains input.deployer.signer if {
	input.deployer.key in builder_keys
}

both_sides contains input.deployer.person if {
	input.deployer.person in builder_people
}

both_sides contains deployment.signer if {
	some deployment in input.custody.deployments
	deployment.key in builder_keys
}

both_sides contains deployment.person if {
	some deployment in input.custody.deployments
	deployment.person in builder_people
}

default appr002 := false

appr002 if {
	is_array(input.approvals)
	is_array(input.evidence.provenance)
	is_array(input.custody.deployments)
	count(duty_faults) == 0
}

checks["EV-APPR-002"] := verdict(appr002, sort(duty_faults), [])

# --- EV-DEP-001 ---

builder_signers contains record.signer if {
	some record in provenance
}

deploying contains {"signer": input.deployer.signer, "key": input.deployer.key} if {
	is_string(input.deployer.key)
}

deploying contains {"signer": deployment.signer, "key": deployment.key} if {
	some deployment in input.custody.deployments
	sha256 in deployment.digests
}

same_identity contains one.signer if {
	some one in deploying
	one.signer in builder_signers
}

same_identity contains one.signer if {
	some one in deploying
	one.key in {record.key | some record in provenance}
}

default dep001 := false

dep001 if {
	is_string(input.deployer.key)
	count(builder_signers) > 0
	count(same_identity) == 0
}

dep001_fields contains {"identity": name} if {
	some name in same_identity
}

dep001_fields contains {"identity": "An unknown identity"} if {
	dep001 == false
	count(same_identity) == 0
}

checks["EV-DEP-001"] := verdict(dep001, sort(dep001_fields), [])
