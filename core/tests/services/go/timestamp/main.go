// Command timestamp is Sigstore's timestamp authority without the metrics server of its own command, which insists on
// port 2112 and ends the authority when another has it.
//
//	timestamp HOST PORT KEY.pem PASSWORD CHAIN.pem
package main

import (
	"log"
	"os"
	"strconv"
	"time"

	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
)

const policy = "1.3.6.1.4.1.57264.2"

func main() {
	if len(os.Args) != 6 {
		log.Fatal("usage: timestamp HOST PORT KEY.pem PASSWORD CHAIN.pem")
	}
	port, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	viper.Set("timestamp-signer", "file")
	viper.Set("timestamp-signer-hash", "sha256")
	viper.Set("file-signer-key-path", os.Args[3])
	viper.Set("file-signer-passwd", os.Args[4])
	viper.Set("certificate-chain-path", os.Args[5])
	viper.Set("enforce-intermediate-eku", true)
	viper.Set("default-policy-oid", policy)
	viper.Set("accepted-policy-oids", []string{policy})
	viper.Set("max-request-body-size", uint64(1<<20))
	authority := server.NewRestAPIServer(os.Args[1], port, []string{"http"}, false, 10*time.Second, 10*time.Second)
	defer func() { _ = authority.Shutdown() }()
	if err := authority.Serve(); err != nil {
		log.Print(err)
	}
}
