// Command tlog reads a tiled log over HTTP with the clients of two other projects: filippo.io/torchwood, on Go's own
// sumdb/tlog, and transparency-dev/tessera, on transparency-dev/merkle. It proves every entry with each of them, and that
// the log continues the checkpoints given.
//
//	tlog read URL VKEY [OLD_CHECKPOINT…]
//	tlog cosigned CHECKPOINT VKEY WITNESS_VKEY
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"filippo.io/torchwood"
	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	log.SetFlags(0)
	var found any
	var err error
	switch {
	case len(os.Args) >= 4 && os.Args[1] == "read":
		found, err = read(os.Args[2], os.Args[3], os.Args[4:])
	case len(os.Args) == 5 && os.Args[1] == "cosigned":
		found, err = cosigned(os.Args[2], os.Args[3], os.Args[4])
	default:
		log.Fatal("usage: tlog read URL VKEY [OLD_CHECKPOINT…] | tlog cosigned CHECKPOINT VKEY WITNESS_VKEY")
	}
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}

type report struct {
	Origin     string `json:"origin"`
	Size       int64  `json:"size"`
	Root       string `json:"root"`
	Entries    int64  `json:"entries"`
	Torchwood  int    `json:"torchwood"`
	Tessera    int    `json:"tessera"`
	Continuing int    `json:"continuing"`
}

func read(base, vkey string, olds []string) (*report, error) {
	ctx := context.Background()
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	fetcher, err := torchwood.NewTileFetcher(base)
	if err != nil {
		return nil, err
	}
	raw, err := fetcher.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return nil, err
	}
	now, err := open(raw, verifier)
	if err != nil {
		return nil, err
	}
	found := &report{Origin: now.Origin, Size: now.N, Root: now.Hash.String()}
	reader, err := torchwood.NewClient(fetcher)
	if err != nil {
		return nil, err
	}
	// one call stops before the partial bundle at the end, the next one brings it
	for found.Entries < now.N {
		before := found.Entries
		for index := range reader.Entries(ctx, now.Tree, found.Entries) {
			if index != found.Entries {
				return nil, fmt.Errorf("entry %d came for entry %d", index, found.Entries)
			}
			found.Entries++
		}
		if err := reader.Err(); err != nil {
			return nil, err
		}
		if found.Entries == before {
			return nil, fmt.Errorf("no entry came after %d", before)
		}
	}

	root, err := url.Parse(base + "/")
	if err != nil {
		return nil, err
	}
	other, err := client.NewHTTPFetcher(root, &http.Client{Timeout: 10 * time.Second})
	if err != nil {
		return nil, err
	}
	builder, err := client.NewProofBuilder(ctx, uint64(now.N), other.ReadTile)
	if err != nil {
		return nil, err
	}
	step := max(now.N/100, 1)
	for index := int64(0); index < now.N; index += step {
		entry, _, err := reader.Entry(ctx, now.Tree, index)
		if err != nil {
			return nil, err
		}
		found.Torchwood++
		path, err := builder.InclusionProof(ctx, uint64(index))
		if err != nil {
			return nil, err
		}
		leaf := rfc6962.DefaultHasher.HashLeaf(entry)
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(now.N), leaf, path, now.Hash[:]); err != nil {
			return nil, err
		}
		found.Tessera++
	}
	for _, file := range olds {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		old, err := open(raw, verifier)
		if err != nil {
			return nil, err
		}
		tree, err := tlog.ProveTree(now.N, old.N, torchwood.TileHashReaderWithContext(ctx, now.Tree, fetcher))
		if err != nil {
			return nil, err
		}
		if err := tlog.CheckTree(tree, now.N, now.Hash, old.N, old.Hash); err != nil {
			return nil, err
		}
		path, err := builder.ConsistencyProof(ctx, uint64(old.N), uint64(now.N))
		if err != nil {
			return nil, err
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(old.N), uint64(now.N), path, old.Hash[:], now.Hash[:]); err != nil {
			return nil, err
		}
		found.Continuing++
	}
	return found, nil
}

func open(raw []byte, verifier note.Verifier) (*torchwood.Checkpoint, error) {
	opened, err := note.Open(raw, note.VerifierList(verifier))
	if err != nil {
		return nil, err
	}
	checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
	return &checkpoint, err
}

// cosigned tells when a witness cosigned, as transparency-dev's library reads it.
func cosigned(file, vkey, witness string) (map[string]int64, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	ofLog, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	ofWitness, err := f_note.NewVerifierForCosignatureV1(witness)
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(raw, note.VerifierList(ofLog, ofWitness))
	if err != nil {
		return nil, err
	}
	if len(opened.Sigs) != 2 {
		return nil, fmt.Errorf("%d of 2 signatures are known", len(opened.Sigs))
	}
	at, err := torchwood.CosignatureTimestamp(opened.Sigs[1])
	if err != nil {
		return nil, err
	}
	return map[string]int64{"unix": at}, nil
}
