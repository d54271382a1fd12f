# The way through the environments: every stage, in order, with one and the same digest.
package sealwright

import rego.v1

# dev, staging or prod; an environment of another class is none of them.
class_of(environment) := data.tables.vocabulary.environments[environment.class]

# --- EV-PROM-001 ---

deployed contains record if {
	some record in input.custody.deployments
	record.releaseId == input.releaseId
	record.status == "SUCCEEDED"
	is_string(record.decision)
	sha256 in record.digests
}

promoted contains record if {
	some record in input.custody.promotions
	record.releaseId == input.releaseId
	is_string(record.decision)
	sha256 in record.digests
}

passed_stages contains "dev" if {
	some record in deployed
	class_of(record.environment) == "dev"
}

# Into staging by a promotion from dev, after it was deployed there and before it was deployed here.
passed_stages contains "staging" if {
	some first in deployed
	class_of(first.environment) == "dev"
	some step in promoted
	step.index > first.index
	class_of(step.from) == "dev"
	class_of(step.to) == "staging"
	some second in deployed
	second.index > step.index
	second.environment.id == step.to.id
}

holes contains stage if {
	some stage in input.demand.lower
	not stage in passed_stages
}

default prom001 := false

prom001 if {
	count(input.demand.lower) > 0
	count(holes) == 0
}

prom001_fields := [{"digest": shown_digest, "environment": stage} |
	some stage in sort(holes)
]

prom001_evidence contains record.payload if {
	some record in deployed
	class_of(record.environment) in input.demand.lower
}

prom001_evidence contains record.payload if {
	some record in promoted
	class_of(record.to) in input.demand.lower
}

checks["EV-PROM-001"] := verdict(prom001, prom001_fields, sort(prom001_evidence))

# --- EV-PROM-002 ---

below contains record if {
	some record in input.custody.deployments
	record.releaseId == input.releaseId
	class_of(record.environment) in input.demand.lower
}

replaced(record) if {
	some other in below
	other.environment.id == record.environment.id
	other.index > record.index
}

running contains record if {
	some record in below
	not replaced(record)
}

validated contains record if {
	some record in running
	class_of(record.environment) == input.demand.previous
	record.status == "SUCCEEDED"
	sha256 in record.digests
}

differing contains record if {
	some record in running
	not sha256 in record.digests
}

default prom002 := false

prom002 if {
	count(validated) > 0
	count(differing) == 0
}

prom002_fields contains {"environment": record.environment.id, "other": listed({text | some digest in record.digests; text := concat(":", ["sha256", digest])}, "none")} if {
	some record in differing
}

prom002_fields contains {"environment": input.demand.previous, "other": "not known to run there"} if {
	count(validated) == 0
	count(differing) == 0
}

checks["EV-PROM-002"] := verdict(prom002, sort(prom002_fields), sort({record.payload | some record in validated}))
