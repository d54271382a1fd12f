//go:build tools

// Package tools names the programs that are built.
package tools

import (
	_ "github.com/google/trillian/cmd/trillian_log_server"
	_ "github.com/google/trillian/cmd/trillian_log_signer"
	_ "github.com/sigstore/gitsign"
	_ "github.com/sigstore/rekor/cmd/rekor-server"
)
