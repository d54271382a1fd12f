# The artifact: one digest, how it was made, what is in it.
package sealwright

import rego.v1

# --- EV-ART-001 ---

default art001 := false

art001 if {
	is_string(sha256)
}

art001_fields := [{"reference": input.artifact.reference, "digest": "it stands for"} | art001 == false]

checks["EV-ART-001"] := verdict(art001, art001_fields, [])

# --- EV-PROV-001 ---

# All provenance of this digest, and the newest of it.
provenance contains record if {
	some record in input.evidence.provenance
	subject in record.subjects
}

newest_provenance := record if {
	some record in provenance
	record.index == max({other.index | some other in provenance})
}

default prov001 := false

prov001 if {
	count(provenance) > 0
}

checks["EV-PROV-001"] := verdict(
	prov001,
	[{"digest": shown_digest} | prov001 == false],
	sort({record.payload | some record in provenance}),
)

# --- EV-PROV-002 ---

default prov002 := false

prov002 if {
	newest_provenance.builderAuthorised == true
}

allowed_builders := listed({builder | some builder in input.trustPolicy.builders}, "the builders of the trust policy")

default builder_name := "of no provenance"

builder_name := newest_provenance.builderId

checks["EV-PROV-002"] := verdict(
	prov002,
	[{"builder": builder_name, "allowed": allowed_builders} | prov002 == false],
	[newest_provenance.payload | prov002],
)

# --- EV-PROV-003 ---

revision_commits contains revision.commit if {
	some revision in input.change.revisions
}

repositories contains repository if {
	some repository in input.change.repositories
}

default prov003 := false

prov003 if {
	newest_provenance.repository in repositories
	newest_provenance.commit in revision_commits
}

default built_repository := "no repository"

built_repository := newest_provenance.repository if {
	is_string(newest_provenance.repository)
}

default built_commit := "no commit"

built_commit := newest_provenance.commit if {
	is_string(newest_provenance.commit)
}

prov003_fields := [fields |
	prov003 == false
	fields := {
		"repo": built_repository,
		"commit": built_commit,
		"expectedRepo": listed(repositories, "no repository"),
		"expectedCommit": listed(revision_commits, "no commit"),
	}
]

checks["EV-PROV-003"] := verdict(prov003, prov003_fields, [newest_provenance.payload | prov003])

# --- EV-SBOM-001 ---

sboms contains record if {
	some record in input.evidence.sbom
	subject in record.subjects
}

newest_sbom := record if {
	some record in sboms
	record.index == max({other.index | some other in sboms})
}

default sbom001 := false

sbom001 if {
	newest_sbom.components > 0
}

checks["EV-SBOM-001"] := verdict(
	sbom001,
	[{"digest": shown_digest} | sbom001 == false],
	[newest_sbom.payload | sbom001],
)
