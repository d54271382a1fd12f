//! Signers elsewhere: what is sent to them, what is believed of them, and how they are opened by reference.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

mod planted;

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use planted::Planted;
use sealwright::Error;
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::{Algorithm, Digest};
use sealwright::envelope::{IN_TOTO, pae};
use sealwright::key::{KeyType, PrivateKey, PublicKey, write_private};
use sealwright::signer::{self, Access, CommandSigner, Pkcs11Uri, Secret, Signer, sign, sign_blob};
use sealwright::statement::Statement;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, Expectation, Identity, Verifier};
use serde_json::{Value, json};
use zeroize::Zeroizing;

const LIMIT: Duration = Duration::from_secs(30);

/// Hardware, as far as we see it: it keeps what it was sent.
struct Stub {
    key: PrivateKey,
    sent: RefCell<Vec<Digest>>,
}

impl Signer for Stub {
    fn public_key(&self) -> &PublicKey {
        self.key.public()
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        self.sent.borrow_mut().push(digest.clone());
        self.key.sign_digest(digest)
    }
}

fn statement() -> Statement {
    let subject = ResourceDescriptor::of(Digest::sha256(b"artifact")).named("artifact");
    let predicate = json!({ "secret plan": "only the digest of this leaves" });
    Statement::from_json("https://example.org/plan/v1", vec![subject], &predicate).unwrap()
}

#[test]
fn s020_only_a_digest_leaves_for_hardware() {
    for (key_type, algorithm) in [(KeyType::P256, Algorithm::Sha256), (KeyType::P384, Algorithm::Sha384)] {
        let stub = Stub { key: PrivateKey::generate(key_type).unwrap(), sent: RefCell::default() };
        let record = sign(&statement(), &stub).unwrap();
        let message = pae(IN_TOTO, statement().payload());
        let sent = stub.sent.borrow();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].algorithm(), algorithm);
        stub.key.public().verify_digest(&sent[0], &record.envelope().unwrap().signatures()[0].sig).unwrap();
        stub.key.public().verify(&message, &record.envelope().unwrap().signatures()[0].sig).unwrap();
    }
}

#[test]
fn a_signer_that_gets_only_digests_refuses_a_key_that_signs_messages() {
    let stub = Stub { key: PrivateKey::generate(KeyType::Ed25519).unwrap(), sent: RefCell::default() };
    assert_eq!(sign(&statement(), &stub).unwrap_err().code(), "UNSUPPORTED");
    assert!(stub.sent.borrow().is_empty());
}

#[test]
fn a_file_is_signed_as_it_is_and_verified_by_its_bytes_or_its_digest() {
    let at = "2026-01-01T00:00:00Z".parse().unwrap();
    for key_type in [KeyType::P256, KeyType::P384, KeyType::Ed25519] {
        let key = PrivateKey::generate(key_type).unwrap();
        let bundle = sign_blob(&mut b"what was built".as_slice(), &key).unwrap().to_json();
        let root = TrustRoot::new().with_key("builder", key.public().clone(), Window::ALWAYS).unwrap();
        let verifier = Verifier::new(root);
        let expectation =
            |bytes: &[u8]| Expectation::new(Artifact::Is(Digest::sha256(bytes)), Identity::Key("builder".into()), at);
        let verify = |bytes: &[u8]| verifier.verify_blob(&bundle, Blob::Bytes(bytes), &expectation(bytes));
        assert_eq!(verify(b"what was built").unwrap().signers()[0].key_id, key.public().id());
        assert_eq!(verify(b"what was not built").unwrap_err().code(), "DIGEST_MISMATCH");
        let theirs = sigstore_types::Bundle::from_json(std::str::from_utf8(&bundle).unwrap());
        assert!(theirs.is_ok(), "{:?}", theirs.err());
    }
}

#[test]
fn s020_of_a_file_only_the_digest_leaves() {
    for (key_type, algorithm) in [(KeyType::P256, Algorithm::Sha256), (KeyType::P384, Algorithm::Sha384)] {
        let stub = Stub { key: PrivateKey::generate(key_type).unwrap(), sent: RefCell::default() };
        sign_blob(&mut b"what was built".as_slice(), &stub).unwrap();
        let sent = stub.sent.borrow();
        assert_eq!((sent.len(), sent[0].algorithm()), (1, algorithm));
    }
}

/// A folder with a planted key and a script that signs with it by `openssl`, keeping what it was asked.
struct Script {
    dir: tempfile::TempDir,
    planted: Planted,
}

impl Script {
    fn new(key_type: KeyType) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("not run, no openssl command");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let planted = Planted::new(key_type);
        std::fs::create_dir(dir.path().join("hsm")).unwrap();
        write_private(&dir.path().join("hsm/key.pem"), &planted.key, None).unwrap();
        let script = Self { dir, planted };
        script.write(
            "sign.sh",
            "set -e; cd \"$(dirname \"$0\")/hsm\"; cat > asked; echo \"$*\" > arguments\n\
             sed 's/.*\"digest\":\"\\([0-9a-f]*\\)\".*/\\1/' asked | xxd -r -p > digest\n\
             openssl pkeyutl -sign -inkey key.pem -in digest | base64\n",
        );
        Some(script)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn signer(&self, words: &[&str], limit: Duration) -> CommandSigner {
        let script = self.dir.path().join(words[0]).to_str().unwrap().to_owned();
        let words = ["bash".to_owned(), script].into_iter().chain(words[1..].iter().map(|w| (*w).to_owned()));
        CommandSigner::new(words.collect(), self.planted.key.public().clone(), limit).unwrap()
    }

    /// What the signer says about being asked by a script with this text.
    fn refusal(&self, text: &str, limit: Duration) -> Error {
        self.write("bad.sh", text);
        sign(&statement(), &self.signer(&["bad.sh"], limit)).unwrap_err()
    }
}

#[test]
fn s020_a_signer_command_is_sent_the_digest_and_nothing_else() {
    for (key_type, algorithm) in
        [(KeyType::P256, "PKIX_ECDSA_P256_SHA_256"), (KeyType::P384, "PKIX_ECDSA_P384_SHA_384")]
    {
        let Some(script) = Script::new(key_type) else { return };
        let signer = script.signer(&["sign.sh", "--slot", "two words; $(touch no)"], LIMIT);
        let record = sign(&statement(), &signer).unwrap();
        let message = pae(IN_TOTO, statement().payload());
        script.planted.key.public().verify(&message, &record.envelope().unwrap().signatures()[0].sig).unwrap();

        let asked = std::fs::read_to_string(script.dir.path().join("hsm/asked")).unwrap();
        assert!(asked.ends_with('\n') && asked.lines().count() == 1, "{asked}");
        let asked: Value = serde_json::from_str(&asked).unwrap();
        let members: Vec<_> = asked.as_object().unwrap().keys().collect();
        assert_eq!(members, ["algorithm", "digest", "keyId"]);
        assert_eq!(asked["algorithm"], algorithm);
        assert_eq!(asked["keyId"], script.planted.key.public().id());
        let digest = Digest::from_hex(key_type.prehash().unwrap(), asked["digest"].as_str().unwrap()).unwrap();
        script.planted.key.public().verify_digest(&digest, &record.envelope().unwrap().signatures()[0].sig).unwrap();
        // each word arrived as one, and no shell read it
        let arguments = std::fs::read_to_string(script.dir.path().join("hsm/arguments")).unwrap();
        assert_eq!(arguments, "--slot two words; $(touch no)\n");

        script.planted.assert_absent("the record", &record.to_json());
        script.planted.assert_absent("what was asked", asked.to_string().as_bytes());
        script.planted.assert_absent("the signer", format!("{signer:?}").as_bytes());
    }
}

#[test]
fn a_private_byte_that_leaves_would_be_seen() {
    let planted = Planted::new(KeyType::P256);
    for text in planted.forms() {
        assert!(planted.is_in(&[b"x".as_slice(), &text, b"y"].concat()));
        assert!(planted.is_in(&text[..text.len() - 1]), "half of it is enough");
    }
    assert!(planted.is_in(planted.key.to_pem().unwrap().as_bytes()));
    planted.assert_absent("the public half", planted.key.public().to_pem().as_bytes());
}

#[test]
fn a_signer_command_that_does_not_sign_is_refused_by_what_it_did() {
    let Some(script) = Script::new(KeyType::P256) else { return };
    let other = PrivateKey::generate(KeyType::P256).unwrap();
    write_private(&script.dir.path().join("other.pem"), &other, None).unwrap();
    let dir = script.dir.path().to_str().unwrap();
    let with_other = format!(
        "cd {dir}; sed 's/.*\"digest\":\"\\([0-9a-f]*\\)\".*/\\1/' | xxd -r -p > d; \
         openssl pkeyutl -sign -inkey other.pem -in d | base64"
    );
    for (text, told) in [
        (with_other.as_str(), "no signature of the key"),
        ("echo AAAA", "no signature of the key"),
        ("true", "no signature of the key"),
        ("echo 'not base64!'", "something else than base64"),
        ("exit 3", "exit status: 3"),
        ("echo AAAA; exit 1", "exit status: 1"),
        ("kill -9 $$", "signal: 9"),
        ("head -c 100000 /dev/zero | base64", "more than 65536 bytes"),
        ("cat /dev/zero", "more than 65536 bytes"),
    ] {
        let refused = script.refusal(text, LIMIT);
        assert_eq!(refused.code(), "SIGNER_FAILED", "{text}: {refused}");
        assert!(refused.message().contains(told), "{text}: {refused}");
    }
    let none = CommandSigner::new(vec!["/no/such/program".into()], other.public().clone(), LIMIT).unwrap();
    assert_eq!(sign(&statement(), &none).unwrap_err().code(), "NOT_FOUND");
}

#[test]
fn a_signer_command_that_hangs_is_given_up_in_time() {
    let Some(script) = Script::new(KeyType::P256) else { return };
    // one that says nothing, one that closed its output and stays, one that left a child behind which holds it
    for text in ["sleep 10", "exec >&-; sleep 10", "sleep 10 & exit 0"] {
        let begun = Instant::now();
        let refused = script.refusal(text, Duration::from_millis(300));
        assert_eq!(refused.code(), "SIGNER_FAILED", "{refused}");
        assert!(refused.message().contains("in time"), "{refused}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{text}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_signer_command_needs_a_program_and_a_key_that_signs_digests() {
    let public = |key_type| PrivateKey::generate(key_type).unwrap().public().clone();
    for empty in [vec![], vec![String::new()]] {
        assert_eq!(CommandSigner::new(empty, public(KeyType::P256), LIMIT).unwrap_err().code(), "API_MISUSE");
    }
    let ed25519 = CommandSigner::new(vec!["sign".into()], public(KeyType::Ed25519), LIMIT).unwrap_err();
    assert_eq!(ed25519.code(), "UNSUPPORTED");
}

#[test]
fn a_key_file_is_opened_by_its_path_and_asks_for_its_passphrase_only_if_it_has_one() {
    let dir = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let (plain, encrypted) = (dir.path().join("plain.pem"), dir.path().join("encrypted.pem"));
    write_private(&plain, &key, None).unwrap();
    write_private(&encrypted, &key, Some("correct horse")).unwrap();
    let asked = RefCell::new(0);
    let secrets = |secret: Secret<'_>| {
        *asked.borrow_mut() += 1;
        assert!(matches!(secret, Secret::Passphrase(path) if path == encrypted), "{secret:?}");
        Ok(Some(Zeroizing::new("correct horse".to_owned())))
    };
    let access = Access::default().with_secrets(&secrets);
    for path in [&plain, &encrypted] {
        assert_eq!(signer::open(path.to_str().unwrap(), &access).unwrap().public_key(), key.public());
    }
    assert_eq!(*asked.borrow(), 1);
    assert_eq!(code(encrypted.to_str().unwrap(), &Access::default()), "WRONG_PASSPHRASE");
    assert_eq!(code("no/such/file", &access), "NOT_FOUND");

    let other = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let access = Access::default().with_public_key(other.public().clone());
    assert_eq!(code(plain.to_str().unwrap(), &access), "UNTRUSTED_SIGNER");
}

fn code(reference: &str, access: &Access<'_>) -> &'static str {
    match signer::open(reference, access) {
        Ok(_) => "opened",
        Err(e) => e.code(),
    }
}

#[test]
fn references_that_name_no_key_are_refused_by_what_is_wrong() {
    let access = Access::default();
    for (reference, expected) in [
        ("gcpkms://projects/x", "UNSUPPORTED"),
        ("https://example.org/key.pem", "UNSUPPORTED"),
        ("pkcs11:", "MALFORMED"),
        ("pkcs11:token=ci", "MALFORMED"),
        ("command:sign", "API_MISUSE"),
        ("command:[\"sign\"", "API_MISUSE"),
        ("", "NOT_FOUND"),
    ] {
        let expected = if reference.contains('[') { "MALFORMED" } else { expected };
        assert_eq!(code(reference, &access), expected, "{reference}");
    }
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let access = Access::default().with_public_key(key.public().clone());
    for (reference, expected) in [
        ("command:", "API_MISUSE"),
        ("command:[]", "API_MISUSE"),
        ("command:sign --slot 1", "opened"),
        ("command:[\"a b\"]", "opened"),
    ] {
        assert_eq!(code(reference, &access), expected, "{reference}");
    }
}

#[cfg(not(feature = "hsm"))]
#[test]
fn a_token_is_refused_with_the_name_of_the_feature_it_needs() {
    let refused = signer::open("pkcs11:object=x?module-path=/p11.so", &Access::default()).err().unwrap();
    assert_eq!((refused.code(), refused.message().contains("`hsm`")), ("UNSUPPORTED", true), "{refused}");
}

#[cfg(not(feature = "kms"))]
#[test]
fn a_key_service_is_refused_with_the_name_of_the_feature_it_needs() {
    for reference in ["awskms:///alias/x", "hashivault://x"] {
        let refused = signer::open(reference, &Access::default()).err().unwrap();
        assert_eq!((refused.code(), refused.message().contains("`kms`")), ("UNSUPPORTED", true), "{refused}");
    }
}

#[cfg(feature = "kms")]
#[test]
fn a_key_service_is_asked_only_by_a_reference_and_an_address_that_are_sound() {
    use sealwright::signer::VaultAccess;
    for (reference, address, mount, expected) in [
        ("hashivault://x", "http://vault.example.org:8200", "transit", "API_MISUSE"),
        ("hashivault://x", "ftp://127.0.0.1", "transit", "API_MISUSE"),
        ("hashivault://x", "vault", "transit", "API_MISUSE"),
        ("hashivault://x", "https://127.0.0.1:1", "../sys", "API_MISUSE"),
        ("hashivault://../sys/seal", "https://127.0.0.1:1", "transit", "MALFORMED"),
        ("hashivault://", "https://127.0.0.1:1", "transit", "MALFORMED"),
        ("hashivault:x", "https://127.0.0.1:1", "transit", "MALFORMED"),
        // nobody listens there
        ("hashivault://x", "https://127.0.0.1:1", "transit", "SERVICE_UNAVAILABLE"),
        ("hashivault://x", "http://[::1]:1", "team/transit", "SERVICE_UNAVAILABLE"),
    ] {
        let vault = VaultAccess::new(address, "the-token").with_mount(mount);
        let refused = signer::open(reference, &Access::default().with_vault(vault)).err().unwrap();
        assert_eq!(refused.code(), expected, "{reference} {address}: {refused}");
        assert!(!format!("{refused:?}").contains("the-token"), "{refused:?}");
    }
    assert_eq!(code("hashivault://x", &Access::default()), "API_MISUSE");
    assert_eq!(code("awskms://no-key", &Access::default()), "MALFORMED");
}

#[cfg(feature = "hsm")]
#[test]
fn a_module_is_named_by_its_whole_path_and_must_be_one() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    for (module, expected) in [
        ("", "API_MISUSE"),
        ("p11.so", "API_MISUSE"),
        ("/no/such/p11.so", "NOT_FOUND"),
        (here.to_str().unwrap(), "SIGNER_FAILED"),
    ] {
        let reference = format!("pkcs11:token=ci;object=x?module-path={module}&pin-value=739104");
        let refused = signer::open(&reference, &Access::default()).err().unwrap();
        assert_eq!(refused.code(), expected, "{module}: {refused}");
        assert!(!format!("{refused:?}").contains("739104"), "{refused:?}");
    }
}

#[test]
fn pkcs11_uris_are_read_as_rfc_7512_writes_them() {
    for good in [
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil;model=1.0;object=my-key;type=private;id=%69%95%3E%5C%F4%BD%EC%91;serial=",
        "pkcs11:object=x?module-path=/usr/lib/p11.so&pin-source=file:/etc/token_pin",
        "pkcs11:object=x?pin-source=/etc/token_pin",
        "pkcs11:id=%00;slot-id=327",
        "pkcs11:object=x;?",
    ] {
        good.parse::<Pkcs11Uri>().unwrap_or_else(|e| panic!("{good}: {e}"));
    }
    for (bad, expected) in [
        ("pkcs11:", "MALFORMED"),
        ("PKCS11:object=x", "MALFORMED"),
        ("pkcs11:token=x", "MALFORMED"),
        ("pkcs11:object", "MALFORMED"),
        ("pkcs11:object=%4", "MALFORMED"),
        ("pkcs11:object=%zz", "MALFORMED"),
        ("pkcs11:object=%ff", "MALFORMED"),
        ("pkcs11:object=\u{e4}", "MALFORMED"),
        ("pkcs11:object=a b", "MALFORMED"),
        ("pkcs11:object=x;object=y", "MALFORMED"),
        ("pkcs11:object=x;type=cert", "MALFORMED"),
        ("pkcs11:object=x;slot-id=one", "MALFORMED"),
        ("pkcs11:object=x;library-version=3", "UNSUPPORTED"),
        ("pkcs11:object=x?module-name=softhsm", "UNSUPPORTED"),
        ("pkcs11:object=x?pin-source=|/bin/cat", "MALFORMED"),
        ("pkcs11:object=x?pin-value=1&pin-source=/x", "MALFORMED"),
    ] {
        assert_eq!(bad.parse::<Pkcs11Uri>().unwrap_err().code(), expected, "{bad}");
    }
    let long = format!("pkcs11:object={}", "x".repeat(5000));
    assert_eq!(long.parse::<Pkcs11Uri>().unwrap_err().code(), "LIMIT_EXCEEDED");
}

#[test]
fn a_pin_in_a_uri_is_in_no_error_and_not_shown() {
    for text in [
        "pkcs11:object=x?pin-value=739104",
        "pkcs11:object=x?pin-value=739104&pin-value=739104",
        "pkcs11:object=x?pin-value=739104&other=739104",
        "pkcs11:object=x?pin-value=739104%zz",
        "pkcs11:object=x?pin-value=739104 ",
        "pkcs11:?pin-value=739104",
        "PKCS11:object=x?pin-value=739104",
    ] {
        let shown = match text.parse::<Pkcs11Uri>() {
            Ok(uri) => format!("{uri} {uri:?}"),
            Err(e) => format!("{e} {e:?}"),
        };
        assert!(!shown.contains("739104"), "{text}: {shown}");
    }
}

#[test]
fn an_access_is_read_from_data_and_its_secrets_are_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.pem");
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    write_private(&path, &key, Some("correct horse")).unwrap();
    let open = |access: &str| {
        signer::open(path.to_str().unwrap(), &Access::from_json(access.as_bytes())?).map(|s| s.public_key().clone())
    };
    assert_eq!(open(r#"{"passphrase":"correct horse"}"#).unwrap(), *key.public());
    assert_eq!(open(r#"{"passphrase":"battery staple"}"#).unwrap_err().code(), "WRONG_PASSPHRASE");
    assert_eq!(open(r#"{"pin":"correct horse"}"#).unwrap_err().code(), "WRONG_PASSPHRASE");
    for bad in
        [r#"{"passPhrase":"correct horse"}"#, r#"{"passphrase":["correct horse"]}"#, r#"{"vault":{"token":"correct"}}"#]
    {
        let e = open(bad).unwrap_err();
        assert!(e.code() == "MALFORMED" && !format!("{e:?}").contains("correct"), "{e:?}");
    }
    let other = PrivateKey::generate(KeyType::P256).unwrap().public().to_pem().replace('\n', "\\n");
    let told = format!(r#"{{"passphrase":"correct horse","publicKey":"{other}","timeLimitMillis":1}}"#);
    assert_eq!(open(&told).unwrap_err().code(), "UNTRUSTED_SIGNER");
}
