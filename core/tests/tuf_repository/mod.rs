//! A TUF repository on loopback, with one key for all roles.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sigstore_crypto::KeyPair;
use sigstore_tuf::Key;

use crate::loopback::Loopback;

pub(crate) struct Repository {
    key: KeyPair,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    server: Loopback,
}

impl Repository {
    pub(crate) fn new() -> Self {
        let files = Arc::new(Mutex::new(BTreeMap::<String, Vec<u8>>::new()));
        let served = Arc::clone(&files);
        let server = Loopback::new(move |request| {
            let path = request.line.trim_start_matches("GET /");
            served.lock().unwrap().get(path).map_or((404, Vec::new()), |file| (200, file.clone()))
        });
        Self { key: KeyPair::generate_ecdsa_p256().unwrap(), files, server }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("/")
    }

    /// Version 1 of the root, to be pinned.
    pub(crate) fn root(&self) -> Vec<u8> {
        let (id, key) = self.key_entry();
        let role = json!({ "keyids": [id], "threshold": 1 });
        self.signed(&json!({
            "_type": "root",
            "spec_version": "1.0.0",
            "version": 1,
            "expires": "2999-01-01T00:00:00Z",
            "consistent_snapshot": false,
            "keys": { &id: key },
            "roles": { "root": role, "timestamp": role, "snapshot": role, "targets": role },
        }))
    }

    /// Puts up `trusted_root` as version `version` of everything, to be believed until `expires`.
    pub(crate) fn publish(&self, trusted_root: &[u8], version: u64, expires: &str) {
        let role =
            |kind: &str| json!({ "_type": kind, "spec_version": "1.0.0", "version": version, "expires": expires });
        let with = |mut role: Value, member: &str, value: Value| {
            role[member] = value;
            self.signed(&role)
        };
        let target = json!({ "length": trusted_root.len(), "hashes": { "sha256": sha256(trusted_root) } });
        let targets = with(role("targets"), "targets", json!({ "trusted_root.json": target }));
        let snapshot = with(role("snapshot"), "meta", json!({ "targets.json": described(&targets, version) }));
        let timestamp = with(role("timestamp"), "meta", json!({ "snapshot.json": described(&snapshot, version) }));
        for (name, bytes) in [("targets.json", targets), ("snapshot.json", snapshot), ("timestamp.json", timestamp)] {
            self.put(name, bytes);
        }
        self.put("targets/trusted_root.json", trusted_root.to_vec());
    }

    /// Puts up a file as it is.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        self.files.lock().unwrap().insert(name.to_owned(), bytes);
    }

    fn key_entry(&self) -> (String, Value) {
        let pem = self.key.public_key_der().unwrap().to_pem();
        let entry = json!({ "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": pem } });
        let key: Key = serde_json::from_value(entry.clone()).unwrap();
        (key.key_id().unwrap(), entry)
    }

    fn signed(&self, role: &Value) -> Vec<u8> {
        let sig = self.key.sign(&sigstore_tuf::canonical_json::to_canonical_bytes(role).unwrap()).unwrap();
        let signature = json!({ "keyid": self.key_entry().0, "sig": hex::encode(sig.as_bytes()) });
        serde_json::to_vec(&json!({ "signed": role, "signatures": [signature] })).unwrap()
    }
}

fn described(metadata: &[u8], version: u64) -> Value {
    json!({ "version": version, "length": metadata.len(), "hashes": { "sha256": sha256(metadata) } })
}

fn sha256(bytes: &[u8]) -> String {
    sealwright::digest::Digest::sha256(bytes).hex()
}
