// Command ctlog is a certificate transparency log for tests: a folder of C2SP static-ct-api tiles on the Tessera
// library, and the two calls by which a CA submits to it. It takes only chains that end in its one root.
//
//	ctlog LISTEN FOLDER KEY.pem ROOTS.pem
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	ctx509 "github.com/google/certificate-transparency-go/x509"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/ctonly"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

const maxChain = 128 << 10

type ctlog struct {
	key   *ecdsa.PrivateKey
	id    [32]byte
	roots *x509.CertPool
	add   func(context.Context, *ctonly.Entry) tessera.IndexFuture
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: ctlog LISTEN FOLDER KEY.pem ROOTS.pem")
	}
	if err := serve(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		log.Fatal(err)
	}
}

func serve(listen, folder, keyFile, rootsFile string) error {
	l, err := open(keyFile, rootsFile)
	if err != nil {
		return err
	}
	ctx := context.Background()
	driver, err := posix.New(ctx, posix.Config{Path: folder})
	if err != nil {
		return err
	}
	// Nobody in these tests reads the tree head; a log for the web would sign it with the key of the SCTs.
	noteKey, _, err := note.GenerateKey(rand.Reader, "ctlog.test")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(noteKey)
	if err != nil {
		return err
	}
	options := tessera.NewAppendOptions().WithCTLayout().WithCheckpointSigner(signer).WithBatching(1, 10*time.Millisecond)
	appender, _, _, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return err
	}
	l.add = tessera.NewCertificateTransparencyAppender(appender)

	mux := http.NewServeMux()
	mux.HandleFunc("POST /ct/v1/add-chain", l.handle(false))
	mux.HandleFunc("POST /ct/v1/add-pre-chain", l.handle(true))
	mux.Handle("GET /", http.FileServer(http.Dir(folder)))
	server := &http.Server{Addr: listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

func open(keyFile, rootsFile string) (*ctlog, error) {
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM", keyFile)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s: not an ECDSA key", keyFile)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	rootsPEM, err := os.ReadFile(rootsFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(rootsPEM) {
		return nil, fmt.Errorf("%s: no certificate", rootsFile)
	}
	return &ctlog{key: key, id: sha256.Sum256(spki), roots: roots}, nil
}

func (l *ctlog) handle(precert bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Chain [][]byte `json:"chain"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxChain)).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		entry, err := l.entry(request.Chain, precert)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		index, err := l.add(r.Context(), entry)()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		sct, err := l.sct(entry, index.Index)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(sct)
	}
}

// entry checks the chain up to a root and makes what RFC 6962 section 3.1 puts into the tree of it.
func (l *ctlog) entry(chain [][]byte, precert bool) (*ctonly.Entry, error) {
	if len(chain) < 2 {
		return nil, fmt.Errorf("a chain of %d certificates: expected the certificate and those above it", len(chain))
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, err
	}
	between := x509.NewCertPool()
	var above [][32]byte
	for _, der := range chain[1:] {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		between.AddCert(certificate)
		above = append(above, sha256.Sum256(der))
	}
	leaf.UnhandledCriticalExtensions = nil // the poison of a precertificate
	verified, err := leaf.Verify(x509.VerifyOptions{
		Roots:         l.roots,
		Intermediates: between,
		CurrentTime:   leaf.NotBefore,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	if err != nil {
		return nil, err
	}
	entry := &ctonly.Entry{
		Timestamp:         uint64(time.Now().UnixMilli()),
		IsPrecert:         precert,
		Certificate:       chain[0],
		FingerprintsChain: above,
	}
	if precert {
		issuer := sha256.Sum256(verified[0][1].RawSubjectPublicKeyInfo)
		entry.IssuerKeyHash = issuer[:]
		entry.Precertificate = chain[0]
		if entry.Certificate, err = ctx509.RemoveCTPoison(leaf.RawTBSCertificate); err != nil {
			return nil, err
		}
	}
	return entry, nil
}

type addChainResponse struct {
	Version    int    `json:"sct_version"`
	ID         []byte `json:"id"`
	Timestamp  uint64 `json:"timestamp"`
	Extensions string `json:"extensions"`
	Signature  []byte `json:"signature"`
}

// sct signs: what RFC 6962 section 3.2 lets a log sign has the very bytes of the leaf.
func (l *ctlog) sct(entry *ctonly.Entry, index uint64) (*addChainResponse, error) {
	digest := sha256.Sum256(entry.MerkleTreeLeaf(index))
	signature, err := ecdsa.SignASN1(rand.Reader, l.key, digest[:])
	if err != nil {
		return nil, err
	}
	signed := append([]byte{4 /* SHA-256 */, 3 /* ECDSA */}, binary.BigEndian.AppendUint16(nil, uint16(len(signature)))...)
	// c2sp.org/static-ct-api: extension leaf_index (0), five bytes of index
	extension := append([]byte{0, 0, 5}, binary.BigEndian.AppendUint64(nil, index)[3:]...)
	return &addChainResponse{
		ID:         l.id[:],
		Timestamp:  entry.Timestamp,
		Extensions: base64.StdEncoding.EncodeToString(extension),
		Signature:  append(signed, signature...),
	}, nil
}
