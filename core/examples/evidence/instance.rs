//! An instance of Sigstore made by openssl: a certificate authority and a timestamp authority, and no logs.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::bundle::{Bundle, MessageSignature};
use sealwright::digest::Digest;
use sealwright::json::Value;
use sealwright::key::{PrivateKey, read_private};
use serde_json::json;

pub(super) const SUBJECT: &str = "ada@example.org";
pub(super) const ISSUER: &str = "https://issuer.example";
pub(super) const REPOSITORY: &str = "https://git.example/acme/shop";

const LEAF: &str = "
[leaf]
keyUsage = critical,digitalSignature
extendedKeyUsage = codeSigning
subjectAltName = critical,email:ada@example.org
1.3.6.1.4.1.57264.1.8 = ASN1:UTF8String:https://issuer.example
1.3.6.1.4.1.57264.1.12 = ASN1:UTF8String:https://git.example/acme/shop
[stamper]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = authority
[authority]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
";

pub(super) struct Instance {
    folder: tempfile::TempDir,
    leaf_key: PrivateKey,
}

impl Instance {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config"), LEAF).unwrap();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        for name in ["ca", "tsa-ca"] {
            let subject = format!("/O=example.org/CN={name}");
            let usage = ["-addext", "keyUsage=critical,keyCertSign", "-days", "36500", "-subj", &subject];
            let (private, public) = (format!("{name}.key"), format!("{name}.pem"));
            let to = ["-keyout", &private, "-out", &public];
            openssl(folder.path(), &[&["req", "-x509"], &key[..], &usage, &to].concat());
        }
        for (name, by, section) in [("leaf", "ca", "leaf"), ("tsa", "tsa-ca", "stamper")] {
            let (private, request, public) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
            let subject = ["-subj", "/O=example.org", "-keyout", &private, "-out", &request];
            openssl(folder.path(), &[&["req"], &key[..], &subject].concat());
            let (ca, ca_key) = (format!("{by}.pem"), format!("{by}.key"));
            let by = ["-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-extfile", "config", "-extensions", section];
            let what = ["x509", "-req", "-in", &request, "-out", &public, "-days", "36500"];
            openssl(folder.path(), &[&what[..], &by].concat());
        }
        let leaf_key = read_private(&folder.path().join("leaf.key"), None).unwrap();
        Self { folder, leaf_key }
    }

    /// A bundle with the signature of `blob` by the leaf, and its timestamp.
    pub(super) fn sign(&self, blob: &[u8]) -> Bundle {
        let signature = self.leaf_key.sign(blob).unwrap();
        fs::write(self.folder.path().join("signature"), &signature).unwrap();
        let query = ["ts", "-query", "-data", "signature", "-sha256", "-cert", "-no_nonce", "-out", "query"];
        openssl(self.folder.path(), &query);
        fs::write(self.folder.path().join("serial"), "01\n").unwrap();
        let by = ["-config", "config", "-signer", "tsa.pem", "-inkey", "tsa.key"];
        openssl(self.folder.path(), &[&["ts", "-reply", "-queryfile", "query", "-out", "reply"], &by[..]].concat());
        let message = MessageSignature::new(Some(Digest::sha256(blob)), signature);
        let stamp = fs::read(self.folder.path().join("reply")).unwrap();
        Bundle::of_certificate(message, self.der("leaf")).with_timestamp(stamp)
    }

    pub(super) fn trusted_root(&self) -> Value {
        let chain = |names: &[&str]| {
            let all: Vec<_> = names.iter().map(|n| json!({"rawBytes": STANDARD.encode(self.der(n))})).collect();
            json!({ "certificates": all })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [{"uri": "https://ca.example", "certChain": chain(&["ca"])}],
            "timestampAuthorities": [{"uri": "https://tsa.example", "certChain": chain(&["tsa", "tsa-ca"])}],
        })
    }

    fn der(&self, name: &str) -> Vec<u8> {
        let pem = fs::read_to_string(self.folder.path().join(format!("{name}.pem"))).unwrap();
        STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
    }
}

fn openssl(folder: &Path, words: &[&str]) {
    let ran = Command::new("openssl").args(words).current_dir(folder).output().unwrap();
    assert!(ran.status.success(), "openssl {words:?}: {}", String::from_utf8_lossy(&ran.stderr));
}
