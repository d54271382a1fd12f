//! gitsign's signatures: some that gitsign made with a Sigstore instance of tests, and some of other makers of CMS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::commit::{Commit, CommitTrust, SignerKey, verify};
use sealwright::digest::{Algorithm, Digest};
use sealwright::error::Result;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::CertificateIdentity;

use crate::repository::{Repository, signature_lines};

const SIGNER: &str = "release@example.org";

/// A file of fixtures/gitsign.
fn fixture(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../fixtures/gitsign/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// After all that is signed there.
fn now() -> Timestamp {
    "2027-06-01T00:00:00Z".parse().unwrap()
}

fn trust(subject: &str, issuer: &str) -> CommitTrust {
    let identity = CertificateIdentity::new(subject, issuer);
    let root = TrustRoot::new().with_sigstore(fixture("trusted_root.json").as_bytes()).unwrap();
    CommitTrust::new().with_certificates(root.with_identity("release", identity, Window::ALWAYS).unwrap()).unwrap()
}

/// Reads a commit whatever its id is, which the parser tells.
fn commit(raw: &str) -> Result<Commit> {
    let none = Digest::from_hex(Algorithm::GitCommit, &"0".repeat(40)).unwrap();
    let e = Commit::parse(raw.as_bytes(), &none).unwrap_err();
    let found = e.context().iter().find(|(name, _)| *name == "found").map(|(_, id)| id.clone());
    let Some(found) = found else { return Err(e) };
    Commit::parse(raw.as_bytes(), &Digest::from_hex(Algorithm::GitCommit, &found)?)
}

fn verdict(raw: &str, trust: &CommitTrust) -> &'static str {
    commit(raw).and_then(|c| verify(&c, trust, now())).map_or_else(|e| e.code(), |_| "good")
}

fn with_cms(raw: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let header =
        format!("gpgsig -----BEGIN SIGNED MESSAGE-----\n {}\n -----END SIGNED MESSAGE-----\n", lines.join("\n "));
    raw.replace(signature_lines(raw), &header)
}

fn cms(raw: &str) -> Vec<u8> {
    let base64: String = signature_lines(raw).lines().filter(|l| !l.contains("-----")).map(str::trim).collect();
    STANDARD.decode(base64).unwrap()
}

#[test]
fn s035_a_commit_that_gitsign_signed_is_verified_without_a_network() {
    let (raw, issuer) = (fixture("commit"), fixture("issuer"));
    let own = trust(SIGNER, &issuer);
    let verified = verify(&commit(&raw).unwrap(), &own, now()).unwrap();
    let SignerKey::Certificate { subject, issuer: found, .. } = &verified.signer().key else { panic!("{verified:?}") };
    assert_eq!((subject.as_str(), found), (SIGNER, &issuer));
    assert!(verified.signer().vouches_for(&verified.commit().author().email));
    assert_eq!(verified.signer().signed_at.to_string(), "2026-11-27T09:23:31Z", "as the log says");
    assert_eq!(verdict(&raw.replace("Prices", "Prizes"), &own), "BAD_SIGNATURE");
    assert_eq!(verdict(&raw, &trust("eve@example.org", &issuer)), "UNTRUSTED_SIGNER");
    assert_eq!(verdict(&raw, &trust(SIGNER, "https://github.com/login/oauth")), "UNTRUSTED_SIGNER");
    assert_eq!(verdict(&raw, &CommitTrust::new()), "UNTRUSTED_SIGNER");
    let other = fixture("online.commit");
    assert_eq!(verdict(&other, &own), "BAD_LOG_ENTRY", "its entry is in the log alone");
    let swapped = raw.replace(signature_lines(&raw), signature_lines(&other));
    assert_eq!(verdict(&swapped, &own), "BAD_SIGNATURE");
}

#[test]
fn s035_a_gitsign_signature_is_refused_wherever_it_is_damaged() {
    let raw = fixture("commit");
    let own = trust(SIGNER, &fixture("issuer"));
    let der = cms(&raw);
    assert_eq!(verdict(&with_cms(&raw, &der), &own), "good");
    let mut survived = Vec::new();
    for at in 0..der.len() {
        let mut damaged = der.clone();
        damaged[at] ^= 1;
        if verdict(&with_cms(&raw, &damaged), &own) == "good" {
            survived.push(at);
        }
    }
    // versions, and names of algorithms that the certificate's key decides: nothing is done by them
    let untrusted = [25..=25, 32..=40, 838..=838, 1041..=1048];
    let more: Vec<_> = survived.iter().filter(|at| !untrusted.iter().any(|range| range.contains(*at))).collect();
    assert!(more.is_empty(), "of {} bytes: {more:?}", der.len());
}

#[test]
fn s035_other_cms_signatures_are_refused() {
    let place = Repository::new();
    let key = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"];
    let made = ["-out", "cert.pem", "-subj", "/CN=release@example.org", "-days", "9"];
    place.must("openssl", &[key.as_slice(), &made].concat(), b"");
    let raw = place.text(&place.commit(None));
    let sign = |payload: &str, more: &[&str]| {
        let words = ["cms", "-sign", "-binary", "-signer", "cert.pem", "-inkey", "key.pem", "-outform", "DER"];
        place.must("openssl", &[words.as_slice(), more].concat(), payload.as_bytes())
    };
    let with = |der: &[u8]| {
        let unsigned = raw.replacen("\n\n", "\ngpgsig -----END\n\n", 1);
        with_cms(&unsigned, der)
    };
    let own = trust(SIGNER, &fixture("issuer"));
    assert_eq!(verdict(&with(&sign(&raw, &[])), &own), "BAD_LOG_ENTRY");
    assert_eq!(verdict(&with(&sign("another object", &[])), &own), "BAD_SIGNATURE");
    assert_eq!(verdict(&with(&sign(&raw, &["-nodetach"])), &own), "MALFORMED");
    assert_eq!(verdict(&with(&sign(&raw, &["-noattr"])), &own), "MALFORMED");
    assert_eq!(verdict(&with(&sign(&raw, &["-nocerts"])), &own), "MALFORMED");
    assert_eq!(verdict(&with(&sign(&raw, &["-md", "sha1"])), &own), "MALFORMED");
    assert_eq!(verdict(&with(&sign(&raw, &["-stream"])), &own), "MALFORMED", "BER");
    assert_eq!(verdict(&with(b"\x30\x03\x02\x01\x00"), &own), "MALFORMED");
    assert_eq!(verdict(&with(b""), &own), "MALFORMED");
    let nobody = CommitTrust::new().with_certificates(TrustRoot::public_good().unwrap());
    assert_eq!(nobody.unwrap_err().code(), "API_MISUSE");
}
