//! A small instance of Sigstore: an authority, a log of certificates and logs of signatures, with all their keys at hand,
//! so that a test can have them say what no real one would.
#![allow(dead_code, clippy::unwrap_used, reason = "shared by tests that use parts of it")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::Encode as _;
use der::asn1::ObjectIdentifier;
use sealwright::bundle::{Bundle, LogEntry};
use sealwright::digest::Digest;
use sealwright::envelope::{Envelope, IN_TOTO, Signature, pae};
use sealwright::key::{KeyType, PrivateKey, PublicKey};
use sealwright::merkle::{Hash, leaf_hash, root_of};
use sealwright::timestamp::Timestamp;
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const FROM: &str = "2026-01-01T00:00:00Z";
pub(crate) const UNTIL: &str = "2028-01-01T00:00:00Z";
const LOG_NAME: &str = "log.example";

pub(crate) struct Instance {
    root: PrivateKey,
    middle: PrivateKey,
    issuing: PrivateKey,
    pub(crate) certificate_log: PrivateKey,
    pub(crate) log: PrivateKey,
    /// Certificates in DER, from the one that signs to the root.
    pub(crate) chain: Vec<Vec<u8>>,
}

/// What a certificate is asked for.
pub(crate) struct Asked {
    /// Tags and content of its alternative names.
    pub(crate) names: Vec<(u8, Vec<u8>)>,
    pub(crate) issuer: String,
    /// A second issuer, in the other of its two places.
    pub(crate) other_issuer: Option<String>,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) spki: Vec<u8>,
    pub(crate) with_sct: bool,
}

impl Asked {
    /// For this URI, from a minute before `at` for ten minutes.
    pub(crate) fn of(uri: &str, key: &PublicKey, at: Timestamp) -> Self {
        Self {
            names: vec![(0x86, uri.as_bytes().to_vec())],
            issuer: ISSUER.to_owned(),
            other_issuer: None,
            from: at.plus_millis(-60_000),
            until: at.plus_millis(540_000),
            spki: key.spki_der().to_vec(),
            with_sct: true,
        }
    }
}

impl Instance {
    /// An instance with an authority of three certificates, one in the middle.
    pub(crate) fn new() -> Self {
        Self::with_middle(&[])
    }

    /// The same with more extensions in the certificate in the middle.
    pub(crate) fn with_middle(more: &[Vec<u8>]) -> Self {
        let key = || PrivateKey::generate(KeyType::P256).unwrap();
        let (root, middle, issuing) = (key(), key(), key());
        let chain = vec![
            authority("issuing", &issuing, "middle", &middle, &[]),
            authority("middle", &middle, "root", &root, more),
            authority("root", &root, "root", &root, &[]),
        ];
        Self { root, middle, issuing, certificate_log: key(), log: key(), chain }
    }

    pub(crate) fn trusted_root(&self) -> Vec<u8> {
        let certificates: Vec<Value> =
            self.chain.iter().map(|der| json!({ "rawBytes": STANDARD.encode(der) })).collect();
        serde_json::to_vec(&json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log_of("https://log.example", self.log.public())],
            "ctlogs": [log_of("https://ct.example", self.certificate_log.public())],
            "certificateAuthorities": [
                { "uri": "https://ca.example", "certChain": { "certificates": certificates }, "validFor": { "start": FROM } }
            ],
            "timestampAuthorities": [],
        }))
        .unwrap()
    }

    /// The authority's certificates as PEM.
    pub(crate) fn chain_pem(&self) -> String {
        self.chain.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }

    /// A certificate as asked for, vouched for by the log of certificates.
    pub(crate) fn certificate(&self, asked: &Asked) -> Vec<u8> {
        let mut extensions = vec![
            extension("2.5.29.15", true, &[3, 2, 7, 0x80]),
            extension("2.5.29.37", false, &tlv(0x30, &[&oid("1.3.6.1.5.5.7.3.3")])),
            extension("2.5.29.14", false, &tlv(4, &[&Digest::sha256(&asked.spki).bytes()[..20]])),
            authority_key(self.issuing.public()),
        ];
        let names: Vec<_> = asked.names.iter().map(|(tag, content)| tlv(*tag, &[content])).collect();
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        extensions.push(extension("2.5.29.17", true, &tlv(0x30, &names)));
        extensions.push(extension("1.3.6.1.4.1.57264.1.1", false, asked.issuer.as_bytes()));
        let other = asked.other_issuer.as_ref().unwrap_or(&asked.issuer);
        extensions.push(extension("1.3.6.1.4.1.57264.1.8", false, &tlv(0x0c, &[other.as_bytes()])));
        let tbs = |extensions: &[Vec<u8>]| {
            to_be_signed(&name("issuing"), &tlv(0x30, &[]), &asked.spki, asked.from, asked.until, extensions)
        };
        if asked.with_sct {
            let sct = self.sct(&tbs(&extensions), asked.from);
            extensions.push(extension("1.3.6.1.4.1.11129.2.4.2", false, &tlv(4, &[&sct])));
        }
        signed(&tbs(&extensions), &self.issuing)
    }

    /// A list of one signed certificate timestamp.
    fn sct(&self, precertificate: &[u8], at: Timestamp) -> Vec<u8> {
        let millis = at.unix_millis().to_be_bytes();
        let issuer = Digest::sha256(self.issuing.public().spki_der());
        let length = u32::try_from(precertificate.len()).unwrap().to_be_bytes();
        let message = [&[0, 0][..], &millis, &[0, 1], issuer.bytes(), &length[1..], precertificate, &[0, 0]].concat();
        let signature = self.certificate_log.sign(&message).unwrap();
        let id = log_id(self.certificate_log.public());
        let sct = [&[0][..], &id, &millis, &[0, 0, 4, 3], &long(&signature)].concat();
        long(&long(&sct))
    }

    /// A record of a payload, signed with the key of this certificate and logged at `at`.
    pub(crate) fn record(&self, payload: &[u8], certificate: Vec<u8>, key: &PrivateKey, at: Timestamp) -> Bundle {
        let sig = key.sign(&pae(IN_TOTO, payload)).unwrap();
        let entry = self.entry(payload, &sig, &pem("CERTIFICATE", &certificate), at);
        let envelope = Envelope::new(IN_TOTO, payload.to_vec(), vec![Signature::new(None, sig)]).unwrap();
        Bundle::of_certificate(envelope, certificate).with_log_entry(entry)
    }

    /// An entry of the log as Rekor v1 gives it, with a promise and a proof.
    pub(crate) fn entry(&self, payload: &[u8], sig: &[u8], verifier: &str, at: Timestamp) -> LogEntry {
        let body = json!({ "apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "payloadHash": { "algorithm": "sha256", "value": Digest::sha256(payload).hex() },
            "signatures": [{ "signature": STANDARD.encode(sig), "verifier": STANDARD.encode(verifier) }] } });
        let body = serde_json::to_vec(&body).unwrap();
        let (id, seconds) = (log_id(self.log.public()), at.unix_seconds());
        let promised = format!(
            r#"{{"body":"{}","integratedTime":{seconds},"logID":"{}","logIndex":0}}"#,
            STANDARD.encode(&body),
            hex::encode(id)
        );
        let promise = self.log.sign(promised.as_bytes()).unwrap();
        let root = root_of(&[leaf_hash(&body)]);
        let note = checkpoint(&format!("{LOG_NAME} - 1"), 1, &root);
        let note = format!("{note}\n{}", line(LOG_NAME, &id[..4], &self.log.sign(note.as_bytes()).unwrap()));
        log_entry("dsse", "0.0.1", &body, &id, 0, (1, &root, &[]), &note, Some((seconds, &promise)))
    }
}

/// A log as Rekor v2 is, of Ed25519, whose checkpoints name it by its address.
pub(crate) struct Tiled {
    pub(crate) key: PrivateKey,
    pub(crate) name: String,
}

impl Tiled {
    pub(crate) fn new(name: &str) -> Self {
        Self { key: PrivateKey::generate(KeyType::Ed25519).unwrap(), name: name.to_owned() }
    }

    /// A trusted root of these logs alone.
    pub(crate) fn trusted_root(logs: &[&Self]) -> Vec<u8> {
        let logs: Vec<_> = logs.iter().map(|log| log_of(&format!("https://{}", log.name), log.key.public())).collect();
        serde_json::to_vec(&json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": logs
        }))
        .unwrap()
    }

    /// The body of an entry about a signature by a key over an envelope.
    pub(crate) fn body(message: &[u8], sig: &[u8], key: &PublicKey) -> Value {
        json!({ "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": { "hashedRekordV002": {
            "data": { "algorithm": "SHA2_256", "digest": STANDARD.encode(Digest::sha256(message).bytes()) },
            "signature": { "content": STANDARD.encode(sig), "verifier": {
                "keyDetails": "PKIX_ECDSA_P256_SHA_256", "publicKey": { "rawBytes": STANDARD.encode(key.spki_der()) } } }
        } } })
    }

    /// An entry with this body, after `before` others; `sign` gives the lines below the checkpoint.
    pub(crate) fn entry(&self, body: &Value, before: u64, sign: impl Fn(&Self, &str) -> Vec<String>) -> LogEntry {
        let body = serde_json::to_vec(body).unwrap();
        let mut leaves: Vec<Hash> = (0..before).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        leaves.push(leaf_hash(&body));
        let root = root_of(&leaves);
        // of one or two leaves, which are as many as a test needs
        let path: Vec<Hash> = leaves[..leaves.len() - 1].to_vec();
        assert!(before < 2);
        let text = checkpoint(&self.name, before + 1, &root);
        let note = format!("{text}\n{}", sign(self, &text).concat());
        let id = log_id(self.key.public());
        log_entry("hashedrekord", "0.0.2", &body, &id, before, (before + 1, &root, &path), &note, None)
    }

    /// The log's own line below a checkpoint.
    pub(crate) fn own_line(&self, text: &str) -> String {
        line(&self.name, &log_id(self.key.public())[..4], &self.key.sign(text.as_bytes()).unwrap())
    }
}

/// A witness of checkpoints (C2SP tlog-cosignature), by the words of its specification.
pub(crate) struct Witness {
    pub(crate) key: PrivateKey,
    pub(crate) name: String,
}

impl Witness {
    pub(crate) fn new(name: &str) -> Self {
        Self { key: PrivateKey::generate(KeyType::Ed25519).unwrap(), name: name.to_owned() }
    }

    pub(crate) fn id(&self) -> Vec<u8> {
        let hashed = [self.name.as_bytes(), b"\n", &[4], self.key.public().raw()].concat();
        Digest::sha256(&hashed).bytes()[..4].to_vec()
    }

    pub(crate) fn vkey(&self) -> String {
        let key = STANDARD.encode([&[4][..], self.key.public().raw()].concat());
        format!("{}+{}+{key}", self.name, hex::encode(self.id()))
    }

    /// Its line below a checkpoint, signed at `at`.
    pub(crate) fn line(&self, text: &str, at: Timestamp) -> String {
        let seconds = u64::try_from(at.unix_seconds()).unwrap();
        let message = format!("cosignature/v1\ntime {seconds}\n{text}");
        let signature = [&seconds.to_be_bytes()[..], &self.key.sign(message.as_bytes()).unwrap()].concat();
        line(&self.name, &self.id(), &signature)
    }
}

fn checkpoint(origin: &str, size: u64, root: &Hash) -> String {
    format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.as_bytes()))
}

fn line(name: &str, id: &[u8], signature: &[u8]) -> String {
    format!("— {name} {}\n", STANDARD.encode([id, signature].concat()))
}

fn log_id(key: &PublicKey) -> [u8; 32] {
    Digest::sha256(key.spki_der()).bytes().try_into().unwrap()
}

fn log_of(url: &str, key: &PublicKey) -> Value {
    json!({
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": { "rawBytes": STANDARD.encode(key.spki_der()), "keyDetails": "X", "validFor": { "start": FROM } },
        "logId": { "keyId": STANDARD.encode(log_id(key)) },
    })
}

#[allow(clippy::too_many_arguments, reason = "the parts of an entry")]
fn log_entry(
    kind: &str,
    version: &str,
    body: &[u8],
    id: &[u8],
    index: u64,
    (size, root, path): (u64, &Hash, &[Hash]),
    note: &str,
    promise: Option<(i64, &[u8])>,
) -> LogEntry {
    let path: Vec<_> = path.iter().map(|h| STANDARD.encode(h.as_bytes())).collect();
    let mut entry = json!({
        "logIndex": index.to_string(),
        "logId": { "keyId": STANDARD.encode(id) },
        "kindVersion": { "kind": kind, "version": version },
        "inclusionProof": {
            "logIndex": index.to_string(), "rootHash": STANDARD.encode(root.as_bytes()), "treeSize": size.to_string(),
            "hashes": path, "checkpoint": { "envelope": note } },
        "canonicalizedBody": STANDARD.encode(body),
    });
    if let Some((seconds, promise)) = promise {
        entry["integratedTime"] = seconds.to_string().into();
        entry["inclusionPromise"] = json!({ "signedEntryTimestamp": STANDARD.encode(promise) });
    }
    LogEntry::parse(&serde_json::to_vec(&entry).unwrap()).unwrap()
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|c| std::str::from_utf8(c).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The certificate of an authority with a key of its own, given by another.
fn authority(subject: &str, key: &PrivateKey, issuer: &str, by: &PrivateKey, more: &[Vec<u8>]) -> Vec<u8> {
    let mut extensions = vec![
        extension("2.5.29.19", true, &tlv(0x30, &[&[1, 1, 0xff]])),
        extension("2.5.29.15", true, &[3, 2, 1, 6]),
        extension("2.5.29.14", false, &tlv(4, &[&Digest::sha256(key.public().spki_der()).bytes()[..20]])),
    ];
    if subject != issuer {
        extensions.push(authority_key(by.public()));
    }
    extensions.extend_from_slice(more);
    let (from, until) = (FROM.parse().unwrap(), UNTIL.parse().unwrap());
    let tbs = to_be_signed(&name(issuer), &name(subject), key.public().spki_der(), from, until, &extensions);
    signed(&tbs, by)
}

fn to_be_signed(
    issuer: &[u8],
    subject: &[u8],
    spki: &[u8],
    from: Timestamp,
    until: Timestamp,
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    let extensions: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
    let serial = Digest::sha256(spki);
    tlv(
        0x30,
        &[
            &[0xa0, 3, 2, 1, 2],
            &tlv(2, &[&[0x11], &serial.bytes()[..8]]),
            &ecdsa_with_sha256(),
            issuer,
            &tlv(0x30, &[&time(from), &time(until)]),
            subject,
            spki,
            &tlv(0xa3, &[&tlv(0x30, &extensions)]),
        ],
    )
}

fn signed(tbs: &[u8], by: &PrivateKey) -> Vec<u8> {
    let signature = by.sign(tbs).unwrap();
    tlv(0x30, &[tbs, &ecdsa_with_sha256(), &tlv(3, &[&[0], &signature])])
}

fn ecdsa_with_sha256() -> Vec<u8> {
    tlv(0x30, &[&oid("1.2.840.10045.4.3.2")])
}

fn name(text: &str) -> Vec<u8> {
    let attribute = tlv(0x30, &[&oid("2.5.4.3"), &tlv(0x0c, &[text.as_bytes()])]);
    tlv(0x30, &[&tlv(0x31, &[&attribute])])
}

fn time(at: Timestamp) -> Vec<u8> {
    let digits: String = at.to_string().chars().filter(char::is_ascii_digit).collect();
    tlv(0x17, &[&digits.as_bytes()[2..14], b"Z"])
}

fn authority_key(key: &PublicKey) -> Vec<u8> {
    extension("2.5.29.35", false, &tlv(0x30, &[&tlv(0x80, &[&Digest::sha256(key.spki_der()).bytes()[..20]])]))
}

/// An extension; `value` is what its octets hold.
pub(crate) fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    tlv(0x30, &[&oid(id), critical, &tlv(4, &[value])])
}

/// Name constraints that let nothing but these DNS names, e-mail addresses or URIs pass.
pub(crate) fn only_uris_of(host: &str) -> Vec<u8> {
    extension("2.5.29.30", true, &tlv(0x30, &[&tlv(0xa0, &[&tlv(0x30, &[&tlv(0x86, &[host.as_bytes()])])])]))
}

fn oid(text: &str) -> Vec<u8> {
    ObjectIdentifier::new_unwrap(text).to_der().unwrap()
}

fn long(content: &[u8]) -> Vec<u8> {
    [&u16::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
}

/// A DER value of these parts.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = match content.len() {
        n if n < 0x80 => vec![u8::try_from(n).unwrap()],
        n if n < 0x100 => vec![0x81, u8::try_from(n).unwrap()],
        n => [&[0x82][..], &u16::try_from(n).unwrap().to_be_bytes()].concat(),
    };
    [&[tag][..], &length, &content].concat()
}
