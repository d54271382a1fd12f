//! gitsign's signatures: some that gitsign made with Sigstore's public services, and some of other makers of CMS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::commit::{Commit, CommitTrust, SignerKey, verify};
use sealwright::digest::{Algorithm, Digest};
use sealwright::error::Result;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::CertificateIdentity;

use crate::corpora::corpora;
use crate::repository::{Repository, now, signature_lines};

const BILLY: &str = "billy@chainguard.dev";
const GOOGLE: &str = "https://accounts.google.com";

fn trust(subject: &str, issuer: &str) -> CommitTrust {
    let identity = CertificateIdentity::new(subject, issuer);
    let root = TrustRoot::public_good().unwrap().with_identity("billy", identity, Window::ALWAYS).unwrap();
    CommitTrust::new().with_certificates(root).unwrap()
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
    let Some(folder) = corpora("git-commits") else { return };
    let raw = std::fs::read_to_string(folder.join("gitsign-offline.commit")).unwrap();
    let billy = trust(BILLY, GOOGLE);
    let verified = verify(&commit(&raw).unwrap(), &billy, now()).unwrap();
    let SignerKey::Certificate { subject, issuer, .. } = &verified.signer().key else { panic!("{verified:?}") };
    assert_eq!((subject.as_str(), issuer.as_str()), (BILLY, GOOGLE));
    assert!(verified.signer().vouches_for(&verified.commit().author().email));
    assert_eq!(verified.signer().signed_at.to_string(), "2023-06-05T16:11:20Z", "as the log says");
    assert_eq!(verdict(&raw.replace("Billy Lynch", "Billy Linch"), &billy), "BAD_SIGNATURE");
    assert_eq!(verdict(&raw, &trust("eve@example.org", GOOGLE)), "UNTRUSTED_SIGNER");
    assert_eq!(verdict(&raw, &trust(BILLY, "https://github.com/login/oauth")), "UNTRUSTED_SIGNER");
    assert_eq!(verdict(&raw, &CommitTrust::new()), "UNTRUSTED_SIGNER");
    let other = std::fs::read_to_string(folder.join("gitsign-online.commit")).unwrap();
    assert_eq!(verdict(&other, &billy), "BAD_LOG_ENTRY", "its entry is in the log alone");
    let swapped = raw.replace(signature_lines(&raw), signature_lines(&other));
    assert_eq!(verdict(&swapped, &billy), "BAD_SIGNATURE");
}

#[test]
fn s035_a_gitsign_signature_is_refused_wherever_it_is_damaged() {
    let Some(folder) = corpora("git-commits") else { return };
    let raw = std::fs::read_to_string(folder.join("gitsign-offline.commit")).unwrap();
    let billy = trust(BILLY, GOOGLE);
    let der = cms(&raw);
    assert_eq!(verdict(&with_cms(&raw, &der), &billy), "good");
    let mut survived = Vec::new();
    for at in 0..der.len() {
        let mut damaged = der.clone();
        damaged[at] ^= 1;
        if verdict(&with_cms(&raw, &damaged), &billy) == "good" {
            survived.push(at);
        }
    }
    // versions, and names of algorithms that the certificate's key decides: nothing is done by them
    let untrusted = [25..=25, 32..=40, 788..=788, 994..=1001];
    let more: Vec<_> = survived.iter().filter(|at| !untrusted.iter().any(|range| range.contains(*at))).collect();
    assert!(more.is_empty(), "of {} bytes: {more:?}", der.len());
}

#[test]
fn s035_other_cms_signatures_are_refused() {
    let place = Repository::new();
    let key = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"];
    let made = ["-out", "cert.pem", "-subj", "/CN=billy@chainguard.dev", "-days", "9"];
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
    let billy = trust(BILLY, GOOGLE);
    assert_eq!(verdict(&with(&sign(&raw, &[])), &billy), "BAD_LOG_ENTRY");
    assert_eq!(verdict(&with(&sign("another object", &[])), &billy), "BAD_SIGNATURE");
    assert_eq!(verdict(&with(&sign(&raw, &["-nodetach"])), &billy), "MALFORMED");
    assert_eq!(verdict(&with(&sign(&raw, &["-noattr"])), &billy), "MALFORMED");
    assert_eq!(verdict(&with(&sign(&raw, &["-nocerts"])), &billy), "MALFORMED");
    assert_eq!(verdict(&with(&sign(&raw, &["-md", "sha1"])), &billy), "MALFORMED");
    assert_eq!(verdict(&with(&sign(&raw, &["-stream"])), &billy), "MALFORMED", "BER");
    assert_eq!(verdict(&with(b"\x30\x03\x02\x01\x00"), &billy), "MALFORMED");
    assert_eq!(verdict(&with(b""), &billy), "MALFORMED");
    let nobody = CommitTrust::new().with_certificates(TrustRoot::public_good().unwrap());
    assert_eq!(nobody.unwrap_err().code(), "API_MISUSE");
}
