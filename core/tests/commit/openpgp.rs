//! OpenPGP signatures of commits and tags, made by `gpg`.

use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::commit::{CommitTrust, SignerKey};

use crate::repository::{Repository, signature_lines};

/// A repository that signs with OpenPGP, and a `gpg` of its own.
struct Signing {
    place: Repository,
}

/// Options under which `gpg` does nothing but what it is told.
const QUIET: [&str; 6] = ["--batch", "--quiet", "--no-tty", "--pinentry-mode=loopback", "--passphrase=", "--yes"];

impl Signing {
    fn new() -> Self {
        let place = Repository::new();
        let home = place.path("gnupg");
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
        place.git(&["config", "gpg.format", "openpgp"]);
        let signing = Self { place };
        signing.sign_with(&[]);
        signing
    }

    /// The options of `gpg` when Git signs.
    fn sign_with(&self, options: &[&str]) {
        let line = [&QUIET, options].concat().join(" ");
        self.place.write("gpg.sh", format!("#!/bin/sh\nexec gpg {line} \"$@\"\n"));
        let program = self.place.path("gpg.sh");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        self.place.git(&["config", "gpg.program", program.to_str().unwrap()]);
    }

    fn gpg(&self, arguments: &[&str]) -> Vec<u8> {
        self.place.must("gpg", &[&QUIET, arguments].concat(), b"")
    }

    /// Makes a key with all rights, and gives its fingerprint.
    fn key(&self, address: &str, algorithm: &str, more: &[&str]) -> String {
        let user = format!("Ada Example <{address}>");
        self.gpg(&[more, &["--quick-gen-key", &user, algorithm, "sign,cert", "never"]].concat());
        self.fingerprints(address)[0].clone()
    }

    /// The fingerprints of a certificate, that of its primary key first.
    fn fingerprints(&self, of: &str) -> Vec<String> {
        let listed = String::from_utf8(self.gpg(&["--with-colons", "--list-keys", of])).unwrap();
        listed.lines().filter(|l| l.starts_with("fpr:")).map(|l| l.split(':').nth(9).unwrap().to_owned()).collect()
    }

    fn export(&self) -> Vec<u8> {
        self.gpg(&["--armor", "--export"])
    }

    fn trust(&self) -> CommitTrust {
        CommitTrust::new().with_openpgp_keyring(&self.export()).unwrap()
    }
}

impl Drop for Signing {
    fn drop(&mut self) {
        // each home has an agent of its own
        let _ = self.place.run("gpgconf", &["--kill", "all"], b"");
    }
}

#[test]
fn s035_commits_and_tags_of_openpgp_keys_are_verified_as_git_does() {
    for algorithm in ["ed25519", "nistp256", "nistp384", "nistp521", "rsa3072"] {
        let gpg = Signing::new();
        let key = gpg.key("ada@example.org", algorithm, &[]);
        let trust = gpg.trust();
        let id = gpg.place.commit(Some(&key));
        gpg.place.both("good", &id, &trust, algorithm);
        gpg.place.both("good", &gpg.place.tag("v1", &key), &trust, algorithm);
        let verified = gpg.place.verify(&id, &trust).unwrap();
        assert_eq!(key_of(&gpg.place, &id, &trust), (key.clone(), key.clone()));
        assert_eq!(verified.signer().principals, ["ada@example.org"]);
        let edited = gpg.place.store("commit", gpg.place.text(&id).replace("Prices", "Prizes"));
        gpg.place.both("BAD_SIGNATURE", &edited, &trust, algorithm);
    }
}

/// The key and the certificate that a verdict names.
fn key_of(place: &Repository, id: &str, trust: &CommitTrust) -> (String, String) {
    match &place.verify(id, trust).unwrap().signer().key {
        SignerKey::OpenPgp { fingerprint, certificate, .. } => (fingerprint.clone(), certificate.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn s035_a_keyring_is_read_armored_binary_and_in_several_blocks() {
    let gpg = Signing::new();
    let (ada, bob) = (gpg.key("ada@example.org", "ed25519", &[]), gpg.key("bob@example.org", "ed25519", &[]));
    let id = gpg.place.commit(Some(&bob));
    let alone = |of: &str| gpg.gpg(&["--armor", "--export", of]);
    let trust = |file: &[u8]| CommitTrust::new().with_openpgp_keyring(file).unwrap();
    for file in [gpg.export(), gpg.gpg(&["--export"]), [alone(&ada), alone(&bob)].concat()] {
        gpg.place.both("good", &id, &trust(&file), "all keys");
    }
    assert_eq!(gpg.place.verdict(&id, &trust(&alone(&ada))), "UNTRUSTED_SIGNER");
    let code = |file: &[u8]| CommitTrust::new().with_openpgp_keyring(file).unwrap_err().code();
    assert_eq!(code(b""), "MALFORMED");
    assert_eq!(code(b"keys"), "MALFORMED");
    assert_eq!(code(&gpg.gpg(&["--armor", "--export-secret-keys", &ada])), "MALFORMED");
    assert_eq!(code(&alone(&ada)[..200]), "MALFORMED");
}

#[test]
fn s035_a_subkey_signs_if_its_certificate_and_it_say_so() {
    let gpg = Signing::new();
    let primary = gpg.key("ada@example.org", "ed25519", &[]);
    gpg.gpg(&["--quick-add-key", &primary, "ed25519", "sign", "never"]);
    let subkey = gpg.fingerprints(&primary)[1].clone();
    let id = gpg.place.commit(Some(&subkey));
    gpg.place.both("good", &id, &gpg.trust(), "a signing subkey");
    assert_eq!(key_of(&gpg.place, &id, &gpg.trust()), (subkey, primary));
    // the certificate that the subkey is not bound to
    let other = gpg.key("eve@example.org", "ed25519", &[]);
    let eve = CommitTrust::new().with_openpgp_keyring(&gpg.gpg(&["--armor", "--export", &other])).unwrap();
    assert_eq!(gpg.place.verdict(&id, &eve), "UNTRUSTED_SIGNER");
}

#[test]
fn s035_a_stolen_subkey_under_another_certificate_is_refused() {
    let gpg = Signing::new();
    let ada = gpg.key("ada@example.org", "ed25519", &[]);
    gpg.gpg(&["--quick-add-key", &ada, "ed25519", "sign", "never"]);
    let subkey = gpg.fingerprints(&ada)[1].clone();
    let id = gpg.place.commit(Some(&subkey));
    // Eve's certificate with Ada's subkey and its binding behind it, as a forger would put it together
    let eve = gpg.key("eve@example.org", "ed25519", &[]);
    let packets = [gpg.gpg(&["--export", &eve]), subkey_packets(&gpg.gpg(&["--export", &ada]))].concat();
    let forged = CommitTrust::new().with_openpgp_keyring(&packets).unwrap();
    assert_eq!(gpg.place.verdict(&id, &forged), "NOT_ENTITLED");
}

/// The packets of a binary certificate from its first subkey on.
fn subkey_packets(certificate: &[u8]) -> Vec<u8> {
    let mut at = 0;
    while at < certificate.len() {
        // packets of `gpg` have headers of the old form, with a length of one or two bytes
        let tag = (certificate[at] >> 2) & 0xf;
        if tag == 14 {
            return certificate[at..].to_vec();
        }
        let (length, header) = match certificate[at] & 3 {
            0 => (usize::from(certificate[at + 1]), 2),
            _ => (usize::from(u16::from_be_bytes([certificate[at + 1], certificate[at + 2]])), 3),
        };
        at += header + length;
    }
    panic!("no subkey");
}

#[test]
fn s035_an_expired_openpgp_key_is_refused_for_what_it_signed_after() {
    let gpg = Signing::new();
    let key = gpg.key("ada@example.org", "ed25519", &["--faked-system-time=20200101T000000"]);
    gpg.sign_with(&["--faked-system-time=20200301T000000"]);
    let early = gpg.place.commit(Some(&key));
    gpg.sign_with(&[]);
    let late = gpg.place.commit(Some(&key));
    gpg.place.both("good", &late, &gpg.trust(), "no end");
    gpg.gpg(&["--faked-system-time=20200601T000000", "--quick-set-expire", &key, "2021-01-01"]);
    gpg.place.both("EXPIRED", &late, &gpg.trust(), "after the end");
    // signed while the key was valid: good for us, as a record must be in ten years; Git looks at the key of today
    assert_eq!(gpg.place.verdict(&early, &gpg.trust()), "good");
    assert!(!gpg.place.git_accepts(&early));
}

#[test]
fn s035_a_signature_older_than_its_key_is_refused() {
    let gpg = Signing::new();
    let key = gpg.key("ada@example.org", "ed25519", &[]);
    gpg.sign_with(&["--faked-system-time=20200301T000000", "--ignore-time-conflict", "--ignore-valid-from"]);
    let id = gpg.place.commit(Some(&key));
    assert_eq!(gpg.place.verdict(&id, &gpg.trust()), "NOT_YET_VALID");
}

#[test]
fn s035_a_revoked_openpgp_key_is_refused() {
    for (reason, before) in [("1", "REVOKED"), ("0", "REVOKED"), ("3", "good")] {
        let gpg = Signing::new();
        let key = gpg.key("ada@example.org", "ed25519", &["--faked-system-time=20200101T000000"]);
        gpg.sign_with(&["--faked-system-time=20200301T000000"]);
        let early = gpg.place.commit(Some(&key));
        gpg.sign_with(&[]);
        let late = gpg.place.commit(Some(&key));
        gpg.place.both("good", &early, &gpg.trust(), "not revoked");
        let script = format!("y\n{reason}\n\ny\n");
        let words = [
            "--no-tty",
            "--quiet",
            "--pinentry-mode=loopback",
            "--passphrase=",
            "--command-fd=0",
            "--status-fd=2",
            "--faked-system-time=20200601T000000",
            "--output",
            "revocation",
            "--gen-revoke",
            &key,
        ];
        gpg.place.must("gpg", &words, script.as_bytes());
        gpg.gpg(&["--import", "revocation"]);
        gpg.place.both("REVOKED", &late, &gpg.trust(), &format!("late, reason {reason}"));
        // one that was replaced or retired is nobody else's, so what it signed before stands
        assert_eq!(gpg.place.verdict(&early, &gpg.trust()), before, "early, reason {reason}");
        assert!(!gpg.place.git_accepts(&early), "Git refuses all of a revoked key");
    }
}

#[test]
fn s035_a_revoked_subkey_is_refused_and_its_certificate_is_not() {
    let gpg = Signing::new();
    let primary = gpg.key("ada@example.org", "ed25519", &[]);
    gpg.gpg(&["--quick-add-key", &primary, "ed25519", "sign", "never"]);
    let subkey = gpg.fingerprints(&primary)[1].clone();
    let by_subkey = gpg.place.commit(Some(&format!("{subkey}!")));
    let by_primary = gpg.place.commit(Some(&format!("{primary}!")));
    let words = [
        "--no-tty",
        "--quiet",
        "--pinentry-mode=loopback",
        "--passphrase=",
        "--command-fd=0",
        "--status-fd=2",
        "--edit-key",
        &primary,
    ];
    gpg.place.must("gpg", &words, b"key 1\nrevkey\ny\n1\n\ny\nsave\n");
    gpg.place.both("REVOKED", &by_subkey, &gpg.trust(), "by the subkey");
    gpg.place.both("good", &by_primary, &gpg.trust(), "by the primary key");
}

#[test]
fn s035_weak_hashes_and_keys_are_refused() {
    let gpg = Signing::new();
    let key = gpg.key("ada@example.org", "rsa3072", &[]);
    gpg.sign_with(&["--digest-algo=SHA1"]);
    let weak = gpg.place.commit(Some(&key));
    assert_eq!(gpg.place.verdict(&weak, &gpg.trust()), "BAD_SIGNATURE");
    assert!(gpg.place.verify(&weak, &gpg.trust()).unwrap_err().message().contains("SHA1"));
    for (algorithm, options) in [("rsa1024", &[] as &[&str]), ("dsa2048", &[])] {
        let gpg = Signing::new();
        let key = gpg.key("ada@example.org", algorithm, options);
        assert_eq!(gpg.place.verdict(&gpg.place.commit(Some(&key)), &gpg.trust()), "UNSUPPORTED", "{algorithm}");
    }
    let gpg = Signing::new();
    let key = gpg.key("ada@example.org", "ed25519", &["--cert-digest-algo=SHA1"]);
    assert_eq!(gpg.place.verdict(&gpg.place.commit(Some(&key)), &gpg.trust()), "UNTRUSTED_SIGNER");
}

#[test]
fn s035_a_signature_over_text_rather_than_bytes_is_refused() {
    let gpg = Signing::new();
    let key = gpg.key("ada@example.org", "ed25519", &[]);
    gpg.sign_with(&["--textmode"]);
    let id = gpg.place.commit(Some(&key));
    // it would be good over another object too: the same with other line ends
    assert_eq!(gpg.place.verdict(&id, &gpg.trust()), "MALFORMED");
}

#[test]
fn s035_signatures_are_not_moved_joined_or_wrapped() {
    let gpg = Signing::new();
    let key = gpg.key("ada@example.org", "ed25519", &[]);
    let place = &gpg.place;
    let trust = gpg.trust();
    let other = place.text(&place.commit_as(Some(&key), &["-m", "Other"]));
    let raw = place.text(&place.commit(Some(&key)));
    let (own, foreign) = (signature_lines(&raw), signature_lines(&other));
    let id = place.store("commit", raw.replace(own, foreign));
    place.both("BAD_SIGNATURE", &id, &trust, "that of another commit");
    let joined = format!("{}{}", own, foreign.replacen("gpgsig ", " ", 1));
    assert_eq!(place.verdict(&place.store("commit", raw.replace(own, &joined)), &trust), "MALFORMED", "two blocks");
    let crlf = own.replace('\n', "\r\n ").trim_end().replace("\r\n  ", "\r\n ");
    let id = place.store("commit", raw.replace(own, &format!("{crlf}\n")));
    assert!(["good", "MALFORMED"].contains(&place.verdict(&id, &trust)), "line ends of the armor");
}

#[test]
fn s035_damaged_openpgp_signatures_are_refused_wherever_they_are_damaged() {
    let gpg = Signing::new();
    let key = gpg.key("ada@example.org", "ed25519", &[]);
    let trust = gpg.trust();
    let raw = gpg.place.text(&gpg.place.commit(Some(&key)));
    let own = signature_lines(&raw);
    let base64: String = own.lines().filter(|l| !l.contains("-----") && !l.starts_with(" =")).map(str::trim).collect();
    let packet = STANDARD.decode(&base64).unwrap();
    let hashed = usize::from(u16::from_be_bytes([packet[6], packet[7]]));
    // behind the signed part stands a hint which key it was: no harm in another one, for the first says it too; and of
    // each number of the signature how many bits it has, of which the bytes alone are counted
    let hint = 8 + hashed + 2..8 + hashed + 2 + 10;
    let first = hint.end + 2;
    let bytes = usize::from(u16::from_be_bytes([packet[first], packet[first + 1]])).div_ceil(8);
    let untrusted: Vec<usize> = hint.chain([first + 1, first + 2 + bytes + 1]).collect();
    for at in 0..packet.len() {
        let mut damaged = packet.clone();
        damaged[at] ^= 1;
        let text = STANDARD.encode(&damaged);
        let header = format!("gpgsig -----BEGIN PGP SIGNATURE-----\n \n {text}\n -----END PGP SIGNATURE-----\n");
        let id = gpg.place.store("commit", raw.replace(own, &header));
        let verdict = gpg.place.verdict(&id, &trust);
        assert!(verdict != "good" || untrusted.contains(&at), "byte {at} of {}", packet.len());
    }
}

#[test]
fn s035_revoked_user_ids_vouch_for_nobody() {
    let gpg = Signing::new();
    let key = gpg.key("ada@example.org", "ed25519", &[]);
    gpg.gpg(&["--quick-add-uid", &key, "Ada <*@example.org>"]);
    gpg.gpg(&["--quick-add-uid", &key, "ada@lab.example"]);
    let id = gpg.place.commit(Some(&key));
    let mut principals = gpg.place.verify(&id, &gpg.trust()).unwrap().signer().principals.clone();
    principals.sort();
    assert_eq!(principals, ["*@example.org", "ada@example.org", "ada@lab.example"]);
    let signer = gpg.place.verify(&id, &gpg.trust()).unwrap().signer().clone();
    assert!(signer.vouches_for("ada@lab.example"));
    assert!(!signer.vouches_for("bob@example.org"), "an asterisk that its owner wrote is no pattern");
    gpg.gpg(&["--quick-revoke-uid", &key, "ada@lab.example"]);
    let signer = gpg.place.verify(&id, &gpg.trust()).unwrap().signer().clone();
    assert!(!signer.vouches_for("ada@lab.example"));
    assert!(signer.vouches_for("Ada@Example.org"));
}
