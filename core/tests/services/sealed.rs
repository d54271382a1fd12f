//! A key that is elsewhere signs through our command, and everything that leaves us is searched for its private number.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use sealwright::bundle::Bundle;
use sealwright::digest::{Digest, DigestSet};
use sealwright::envelope::{IN_TOTO, pae};
use sealwright::key::{KeyType, read_private};
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, Expectation, Identity, Verifier};
use serde_json::Value;

use crate::harness::{Ran, Services, ran, ran_well};
use crate::planted::Planted;

/// What a predicate says that must not leave for whoever holds the key.
const PLAN: &str = "only the digest of this leaves";

/// One key elsewhere, as the command reaches it.
pub(crate) struct Sealed<'a> {
    pub(crate) services: &'a Services,
    pub(crate) reference: String,
    /// More words of a command line that signs, and variables of its environment.
    pub(crate) flags: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Sealed<'_> {
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = self.services.command(env!("CARGO_BIN_EXE_sealwright"));
        command.args(line.split_whitespace()).envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// Signs a record and verifies it; gives the digest that had to be signed. `planted` is the PEM of the private key.
    pub(crate) fn signs(&self, planted: &str) -> Vec<u8> {
        let planted = Planted::of(read_private(Path::new(planted), None).unwrap());
        let key_type = planted.key.public().key_type();
        let services = self.services;
        services.write("app", "what was built\n");
        services
            .write("scai.json", format!(r#"{{"attributes":[{{"attribute":"BUILT","conditions":{{"x":"{PLAN}"}}}}]}}"#));
        services.write("planted.pub", planted.key.public().to_pem());
        let sign = |line: &str| {
            let mut command = self.command(line);
            command.args(["--key", &self.reference]).args(&self.flags);
            ran_well(&mut command)
        };
        let mut printed = sign("attest scai --subject app --predicate scai.json --out record.json --json");
        printed.out += &ran_well(&mut self.command("verify app --bundle record.json --key planted.pub")).out;
        sign("sign app --bundle app.sigstore.json");
        // cosign 3.1.3 signs with P-384 over SHA-384, as we do, and verifies only what is over SHA-256
        if key_type == KeyType::P256 {
            let verify = "verify-blob app --key=planted.pub --bundle=app.sigstore.json --insecure-ignore-tlog";
            ran_well(services.command(services.text("/cosign")).args(verify.split(' ')));
        }
        let root = TrustRoot::new().with_key("planted", planted.key.public().clone(), Window::ALWAYS).unwrap();
        let (blob, at) = (services.read("app"), "2026-01-01T00:00:00Z".parse().unwrap());
        let expectation = Expectation::new(Artifact::Is(Digest::sha256(&blob)), Identity::Key("planted".into()), at);
        let bundle = services.read("app.sigstore.json");
        Verifier::new(root).verify_blob(&bundle, Blob::Bytes(&blob), &expectation).unwrap();
        let told: Value = serde_json::from_str(&printed.out[..=printed.out.find("\n}").unwrap() + 1]).unwrap();
        assert_eq!(told["keyId"], planted.key.public().id());

        planted.assert_absent("what was printed", format!("{}{}", printed.out, printed.err).as_bytes());
        for entry in std::fs::read_dir(services.dir()).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
            planted.assert_absent(&entry.path().display().to_string(), &std::fs::read(entry.path()).unwrap());
        }
        let record = Bundle::parse(&services.read("record.json")).unwrap();
        let message = pae(IN_TOTO, record.envelope().unwrap().payload());
        let mut message = message.as_slice();
        let algorithm = key_type.prehash().unwrap();
        let digests = DigestSet::of_reader(&mut message, &[algorithm]).unwrap();
        digests.get(algorithm).unwrap().bytes().to_vec()
    }

    /// The public half that the command tells is the planted one's.
    pub(crate) fn tells_its_public_half(&self, planted: &str) {
        let planted = read_private(Path::new(planted), None).unwrap();
        let told = ran_well(self.command("key public").arg(&self.reference));
        assert_eq!(told.out, planted.public().to_pem());
    }

    /// Fails to sign, and says why.
    pub(crate) fn refusal(&self) -> (String, Ran) {
        self.services.write("app", "what was built\n");
        self.services.write("scai.json", r#"{"attributes":[{"attribute":"BUILT"}]}"#);
        let mut command = self.command("attest scai --subject app --predicate scai.json --json");
        let told = ran(command.args(["--key", &self.reference]).args(&self.flags));
        let answer: Value = serde_json::from_str(&told.out).unwrap();
        (answer["error"]["code"].as_str().unwrap_or("signed").to_owned(), told)
    }
}

/// Stands before a server and keeps what is sent to it.
pub(crate) struct Recorder {
    pub(crate) address: String,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    /// Before the server at `http://host:port`.
    pub(crate) fn before(server: &str) -> Self {
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&sent);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else { continue };
                let (answers, asker) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let keeps = Arc::clone(&keeps);
                thread::spawn(move || copy(client, server, |bytes| keeps.lock().unwrap().extend_from_slice(bytes)));
                thread::spawn(move || copy(answers, asker, |_| ()));
            }
        });
        Self { address, sent }
    }

    /// Checks that the digest was sent, in base64, and neither what it is of nor the private number.
    pub(crate) fn assert_only_digest_left(&self, digest: &[u8], planted: &str) {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let sent = self.sent.lock().unwrap();
        let holds = |text: &[u8]| sent.windows(text.len()).any(|w| w == text);
        assert!(holds(STANDARD.encode(digest).as_bytes()), "{}", String::from_utf8_lossy(&sent));
        assert!(!holds(PLAN.as_bytes()) && !holds(&STANDARD.encode(PLAN).as_bytes()[..32]));
        Planted::of(read_private(Path::new(planted), None).unwrap()).assert_absent("what was sent", &sent);
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, keep: impl Fn(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read) = from.read(&mut buffer) {
        keep(&buffer[..read]);
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // the other side may have closed it first
    let _ = to.shutdown(std::net::Shutdown::Write);
}
