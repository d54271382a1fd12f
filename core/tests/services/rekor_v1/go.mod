// Rekor's first version on Trillian, and gitsign, which speaks to no other. The module proxy lists no versions of gitsign,
// which `go install` would ask for; the others are those that gitsign is built with.
module sealwright.test/rekor_v1

go 1.26

require github.com/sigstore/gitsign v0.14.0

require (
	github.com/google/trillian v1.7.2 // indirect
	github.com/sigstore/rekor v1.5.0 // indirect
)
