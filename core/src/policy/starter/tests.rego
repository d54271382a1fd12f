# Test results: newest wins by the order of the ledger, for each kind, tool and subject.
package sealwright

import rego.v1

demanded_kinds contains kind if {
	some kind in input.demand.testKinds.required
}

demanded_kinds contains kind if {
	some kind in input.demand.testKinds.advised
}

outdated(test) if {
	some other in input.evidence.tests
	other.kind == test.kind
	other.tool == test.tool
	other.subjects == test.subjects
	other.index > test.index
}

results contains test if {
	some test in input.evidence.tests
	test.kind in demanded_kinds
	not outdated(test)
}

# A failure that does not say of what kind could be of any.
failures_of_no_kind contains test if {
	some test in input.evidence.tests
	test.kind == "unspecified"
	test.result != "PASSED"
	not outdated(test)
}

# --- EV-TEST-001 ---

passed_kinds contains kind if {
	some kind in demanded_kinds
	found := [test | some test in results; test.kind == kind]
	count(found) > 0
	every test in found {
		test.result == "PASSED"
	}
}

default test001 := false

test001 if {
	count(input.demand.testKinds.required) > 0
	count(failures_of_no_kind) == 0
	every kind in input.demand.testKinds.required {
		kind in passed_kinds
	}
}

# Kinds that are only advised are told, too.
test001_fields contains {"kind": kind, "state": "missing"} if {
	some kind in demanded_kinds
	count([test | some test in results; test.kind == kind]) == 0
}

test001_fields contains {"kind": test.kind, "state": sprintf("%s by %s", [test.result, test.tool])} if {
	some test in results
	test.result != "PASSED"
}

test001_fields contains {"kind": "of no kind", "state": sprintf("%s by %s", [test.result, test.tool])} if {
	some test in failures_of_no_kind
}

checks["EV-TEST-001"] := verdict(test001, sort(test001_fields), sort({test.payload | some test in results}))

# --- EV-TEST-002 ---

# A tool that never tested this digest tested something else.
elsewhere contains test if {
	some test in results
	count([other | some other in results; other.kind == test.kind; other.tool == test.tool; subject in other.subjects]) == 0
}

bound contains test if {
	some test in results
	subject in test.subjects
}

default test002 := false

test002 if {
	count(bound) > 0
	count(elsewhere) == 0
}

test002_fields contains {"record": test.payload, "other": concat(", ", test.subjects)} if {
	some test in elsewhere
}

test002_fields contains {"record": "of no test", "other": shown_digest} if {
	count(results) == 0
}

checks["EV-TEST-002"] := verdict(test002, sort(test002_fields), sort({test.payload | some test in bound}))
