//! SSH signatures of commits and tags.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::commit::{CommitTrust, SignerKey};
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};

use crate::repository::{Repository, signature_lines};

#[test]
fn s035_commits_and_tags_of_every_ssh_key_type_are_verified_as_git_does() {
    for kind in [
        &["ed25519"] as &[&str],
        &["ecdsa", "-b", "256"],
        &["ecdsa", "-b", "384"],
        &["ecdsa", "-b", "521"],
        &["rsa", "-b", "3072"],
    ] {
        let place = Repository::new();
        let public = place.ssh_key("key", kind);
        let trust = place.allow(&format!("ada@example.org {public}\n"));
        for _ in 0..4 {
            let id = place.commit(Some("key"));
            place.both("good", &id, &trust, &format!("{kind:?}"));
        }
        place.both("good", &place.tag("v1", "key"), &trust, &format!("tag {kind:?}"));
        let verified = place.verify(&place.commit(Some("key")), &trust).unwrap();
        let SignerKey::Ssh { fingerprint, algorithm } = &verified.signer().key else { panic!("{verified:?}") };
        let listed = String::from_utf8(place.must("ssh-keygen", &["-l", "-f", "key.pub"], b"")).unwrap();
        assert_eq!(listed.split(' ').nth(1), Some(fingerprint.as_str()));
        assert_eq!(public.split(' ').next(), Some(algorithm.as_str()));
        assert_eq!(verified.signer().principals, ["ada@example.org"]);
        assert_eq!(verified.signer().signed_at, verified.commit().committed_at());
        assert_eq!(verified.signer().forge, None);
    }
}

#[test]
fn s035_a_commit_in_a_sha256_repository_is_verified() {
    let place = Repository::with_format("sha256");
    let public = place.ssh_key("key", &["ed25519"]);
    let trust = place.allow(&format!("ada@example.org {public}\n"));
    let id = place.commit(Some("key"));
    assert!(place.text(&id).contains("\ngpgsig-sha256 "));
    place.both("good", &id, &trust, "SHA-256");
    place.both("good", &place.tag("v1", "key"), &trust, "tag");
    let edited = place.store("commit", place.text(&id).replace("Prices", "Prizes"));
    place.both("BAD_SIGNATURE", &edited, &trust, "edited");
    // the header of the other format is no signature here
    let other = place.store("commit", place.text(&id).replace("\ngpgsig-sha256 ", "\ngpgsig "));
    place.both("BAD_SIGNATURE", &other, &trust, "other header");
}

#[test]
fn s035_whatever_is_changed_in_a_signed_commit_is_refused() {
    let place = Repository::new();
    let public = place.ssh_key("key", &["ed25519"]);
    let trust = place.allow(&format!("ada@example.org {public}\n"));
    place.commit(None);
    place.write("file", "content");
    place.git(&["add", "file"]);
    let first = place.commit(Some("key"));
    let id = place.commit_as(Some("key"), &["--cleanup=verbatim", "-m", "Prices\n\nwith CR\r\nand more\n"]);
    let raw = place.text(&id);
    let (tree, empty) = (place.git(&["rev-parse", "HEAD^{tree}"]), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    let parent = place.git(&["rev-parse", "HEAD^"]);
    let root = place.git(&["rev-parse", "HEAD~2"]);
    place.both("good", &id, &trust, "unchanged");
    for (what, changed) in [
        ("message", raw.replace("Prices", "Prizes")),
        ("author", raw.replacen("author Ada Example <ada", "author Ada Example <bob", 1)),
        ("committer", raw.replacen("committer Ada", "committer Bob", 1)),
        ("tree", raw.replace(&tree, empty)),
        ("parent", raw.replace(&parent, &root)),
        ("no parent", raw.replacen(&format!("parent {parent}\n"), "", 1)),
        ("line ends of the message", raw.replace("CR\r\n", "CR\n")),
        ("line ends added", raw.replace("and more\n", "and more\r\n")),
        ("text added", format!("{raw}more\n")),
        ("an encoding", raw.replacen("\ngpgsig", "\nencoding latin-1\ngpgsig", 1)),
        ("the signature of another commit", raw.replace(signature_lines(&raw), signature_lines(&place.text(&first)))),
    ] {
        assert_ne!(changed, raw, "{what}");
        place.both("BAD_SIGNATURE", &place.store("commit", &changed), &trust, what);
    }
    let unsigned = raw.replace(signature_lines(&raw), "");
    place.both("BAD_SIGNATURE", &place.store("commit", unsigned), &trust, "signature taken out");
}

#[test]
fn s035_whatever_is_changed_in_a_signed_tag_is_refused() {
    let place = Repository::new();
    let public = place.ssh_key("key", &["ed25519"]);
    let trust = place.allow(&format!("ada@example.org {public}\n"));
    let first = place.commit(Some("key"));
    let second = place.commit(None);
    let id = place.tag("v1", "key");
    let raw = place.text(&id);
    assert_eq!(place.verify_tag(&id, &trust).unwrap().tag().target().hex(), second);
    for (what, changed) in [
        ("name", raw.replace("\ntag v1\n", "\ntag v2\n")),
        ("target", raw.replace(&second, &first)),
        ("tagger", raw.replace("tagger Ada", "tagger Bob")),
        ("message", raw.replace("with words", "with swords")),
    ] {
        assert_ne!(changed, raw, "{what}");
        place.both("BAD_SIGNATURE", &place.store("tag", &changed), &trust, what);
    }
    let (words, signature) = raw.split_once("-----BEGIN").unwrap();
    place.both("BAD_SIGNATURE", &place.store("tag", words), &trust, "signature taken out");
    let twice = format!("{words}-----BEGIN{signature}-----BEGIN{signature}");
    assert_eq!(place.verdict(&place.store("tag", twice), &trust), "MALFORMED");
}

#[test]
fn s035_a_key_nobody_named_is_refused() {
    let place = Repository::new();
    let (ada, bob) = (place.ssh_key("ada", &["ed25519"]), place.ssh_key("bob", &["ed25519"]));
    let id = place.commit(Some("bob"));
    place.both("UNTRUSTED_SIGNER", &id, &place.allow(&format!("ada@example.org {ada}\n")), "another key");
    let authority = place.allow(&format!("bob@example.org cert-authority {bob}\n"));
    place.both("UNTRUSTED_SIGNER", &id, &authority, "an authority's key");
    assert_eq!(place.verdict(&id, &CommitTrust::new()), "UNTRUSTED_SIGNER");
}

#[test]
fn s035_a_signature_by_an_ssh_certificate_is_refused_clearly() {
    let place = Repository::new();
    let (authority, _) = (place.ssh_key("ca", &["ed25519"]), place.ssh_key("key", &["ed25519"]));
    place.must("ssh-keygen", &["-q", "-s", "ca", "-I", "ada", "-n", "ada@example.org", "key.pub"], b"");
    place.write("key.pub", place.read("key-cert.pub"));
    let id = place.commit(Some("key"));
    let trust = place.allow(&format!("ada@example.org cert-authority {authority}\n"));
    assert!(place.git_accepts(&id), "the certificate is good");
    let e = place.verify(&id, &trust).unwrap_err();
    assert_eq!(e.code(), "UNSUPPORTED", "{e}");
    assert!(e.message().contains("certificate"), "{e}");
}

#[test]
fn s035_allowed_signers_bound_what_for_and_when() {
    let place = Repository::new();
    let public = place.ssh_key("key", &["ed25519"]);
    let made = |at: &str| {
        let date = format!("{at}T12:00:00Z");
        let ran = std::process::Command::new("git")
            .current_dir(place.folder())
            .args(["commit", "-q", "--allow-empty", "-m", "x", "-Skey"])
            .env("GIT_COMMITTER_DATE", &date)
            .env("GIT_AUTHOR_DATE", &date)
            .status();
        assert!(ran.unwrap().success());
        place.git(&["rev-parse", "HEAD"])
    };
    let (early, good, late) = (made("2025-12-30"), made("2026-03-01"), made("2026-07-02"));
    let trust = place.allow(&format!(
        "ada@example.org namespaces=\"file,git\",valid-after=\"20260101\",valid-before=\"20260701\" {public}\n"
    ));
    place.both("NOT_YET_VALID", &early, &trust, "early");
    place.both("good", &good, &trust, "in time");
    place.both("EXPIRED", &late, &trust, "late");
    let trust = place.allow(&format!("ada@example.org namespaces=\"file\" {public}\n"));
    place.both("NOT_ENTITLED", &good, &trust, "for files alone");
    // a second line for the key holds too, as it does for whoever reads the file
    let two = format!(
        "ada@example.org valid-before=\"20260101\" {public}\nada@example.org valid-after=\"20260101\" {public}\n"
    );
    assert_eq!(place.verdict(&good, &place.allow(&two)), "good");
}

#[test]
fn s035_a_revoked_ssh_key_is_refused_whenever_it_signed() {
    let place = Repository::new();
    let (ada, bob) = (place.ssh_key("ada", &["ed25519"]), place.ssh_key("bob", &["ed25519"]));
    let id = place.commit(Some("ada"));
    let trust = place.allow(&format!("ada@example.org {ada}\nbob@example.org {bob}\n"));
    place.git(&["config", "gpg.ssh.revocationFile", "revoked"]);
    place.write("revoked", format!("{bob}\n"));
    place.both("good", &id, &trust.clone().with_revoked_ssh_keys(place.read("revoked").as_bytes()).unwrap(), "Bob's");
    place.write("revoked", format!("# lost\n{ada} Ada's laptop\n"));
    place.both("REVOKED", &id, &trust.with_revoked_ssh_keys(place.read("revoked").as_bytes()).unwrap(), "Ada's");
}

#[test]
fn s035_a_signature_made_for_something_else_is_none_of_a_commit() {
    let place = Repository::new();
    let public = place.ssh_key("key", &["ed25519"]);
    let trust = place.allow(&format!("ada@example.org {public}\n"));
    let id = place.commit(Some("key"));
    let raw = place.text(&id);
    let payload = raw.replace(signature_lines(&raw), "");
    let signed_for = |namespace: &str| {
        let made = place.must("ssh-keygen", &["-q", "-Y", "sign", "-n", namespace, "-f", "key"], payload.as_bytes());
        let lines = String::from_utf8(made).unwrap().trim_end().replace('\n', "\n ");
        place.store("commit", raw.replace(signature_lines(&raw), &format!("gpgsig {lines}\n")))
    };
    place.both("good", &signed_for("git"), &trust, "the right namespace");
    place.both("BAD_SIGNATURE", &signed_for("file"), &trust, "another namespace");
}

#[test]
fn s035_a_signature_from_the_future_is_refused() {
    let place = Repository::new();
    let public = place.ssh_key("key", &["ed25519"]);
    let trust = place.allow(&format!("ada@example.org {public}\n"));
    let status = std::process::Command::new("git")
        .current_dir(place.folder())
        .args(["commit", "-q", "--allow-empty", "-m", "x", "-Skey"])
        .env("GIT_COMMITTER_DATE", "2090-01-01T00:00:00Z")
        .status();
    assert!(status.unwrap().success());
    assert_eq!(place.verdict("HEAD", &trust), "MALFORMED", "a name is no id");
    assert_eq!(place.verdict(&place.git(&["rev-parse", "HEAD"]), &trust), "NOT_YET_VALID");
}

/// Data behind its length, as SSH writes it.
fn field(bytes: &[u8]) -> Vec<u8> {
    [u32::try_from(bytes.len()).unwrap().to_be_bytes().as_slice(), bytes].concat()
}

/// A commit signed by a FIDO key, as PROTOCOL.u2f says: nothing here has such a key, so its part is played.
fn fido_commit(place: &Repository, key: &PrivateKey, application: &str, claimed: &str, flags: u8) -> String {
    let payload = place.raw(&place.commit(None));
    let (kind, public) = match key.public().key_type() {
        KeyType::Ed25519 => ("sk-ssh-ed25519@openssh.com", field(key.public().raw())),
        _ => ("sk-ecdsa-sha2-nistp256@openssh.com", [field(b"nistp256"), field(key.public().raw())].concat()),
    };
    let message = [
        b"SSHSIG".as_slice(),
        &field(b"git"),
        &field(b""),
        &field(b"sha256"),
        &field(Digest::sha256(&payload).bytes()),
    ];
    let counter = [flags, 0, 0, 0, 7];
    let hashes = [Digest::sha256(application.as_bytes()), Digest::sha256(&message.concat())];
    let signed = [hashes[0].bytes(), &counter, hashes[1].bytes()].concat();
    let signature = key.sign(&signed).unwrap();
    let signature = if kind.starts_with("sk-ssh") { signature } else { both_halves(&signature) };
    let blob = [
        b"SSHSIG\0\0\0\x01".to_vec(),
        field(&[field(kind.as_bytes()), public, field(claimed.as_bytes())].concat()),
        field(b"git"),
        field(b""),
        field(b"sha256"),
        field(&[field(kind.as_bytes()), field(&signature), counter.to_vec()].concat()),
    ];
    let base64 = STANDARD.encode(blob.concat());
    let lines: Vec<&str> = base64.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let header =
        format!("gpgsig -----BEGIN SSH SIGNATURE-----\n {}\n -----END SSH SIGNATURE-----\n", lines.join("\n "));
    let text = String::from_utf8(payload).unwrap();
    place.store("commit", text.replacen("\n\n", &format!("\n{header}\n"), 1))
}

/// The two numbers of a DER signature, as SSH writes them.
fn both_halves(der: &[u8]) -> Vec<u8> {
    let first = usize::from(der[3]);
    [field(&der[4..4 + first]), field(&der[6 + first..])].concat()
}

#[test]
fn s035_fido_keys_sign_for_their_application_and_when_touched() {
    for key_type in [KeyType::Ed25519, KeyType::P256] {
        let place = Repository::new();
        let key = PrivateKey::generate(key_type).unwrap();
        let (kind, public) = match key_type {
            KeyType::Ed25519 => ("sk-ssh-ed25519@openssh.com", field(key.public().raw())),
            _ => ("sk-ecdsa-sha2-nistp256@openssh.com", [field(b"nistp256"), field(key.public().raw())].concat()),
        };
        let line = |application: &str| {
            let blob = [field(kind.as_bytes()), public.clone(), field(application.as_bytes())].concat();
            format!("ada@example.org {kind} {}\n", STANDARD.encode(blob))
        };
        let trust = place.allow(&line("ssh:"));
        place.both("good", &fido_commit(&place, &key, "ssh:", "ssh:", 0x01), &trust, "touched");
        place.both("good", &fido_commit(&place, &key, "ssh:", "ssh:", 0x05), &trust, "touched and verified");
        place.both("BAD_SIGNATURE", &fido_commit(&place, &key, "web:", "ssh:", 0x01), &trust, "signed for another");
        place.both("UNTRUSTED_SIGNER", &fido_commit(&place, &key, "web:", "web:", 0x01), &trust, "another application");
        // Git does not look at the touch: OpenSSH leaves that to whoever logs in
        assert_eq!(place.verdict(&fido_commit(&place, &key, "ssh:", "ssh:", 0x00), &trust), "NOT_ENTITLED");
    }
}

#[test]
fn damaged_ssh_signatures_are_refused_wherever_they_are_damaged() {
    let place = Repository::new();
    let public = place.ssh_key("key", &["ed25519"]);
    let trust = place.allow(&format!("ada@example.org {public}\n"));
    let raw = place.text(&place.commit(Some("key")));
    let lines = signature_lines(&raw);
    let base64: String = lines.lines().filter(|l| !l.contains("-----")).map(str::trim).collect();
    let blob = STANDARD.decode(&base64).unwrap();
    for at in 0..blob.len() {
        let mut damaged = blob.clone();
        damaged[at] ^= 1;
        let text = STANDARD.encode(&damaged);
        let text: Vec<&str> = text.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let header =
            format!("gpgsig -----BEGIN SSH SIGNATURE-----\n {}\n -----END SSH SIGNATURE-----\n", text.join("\n "));
        let id = place.store("commit", raw.replace(lines, &header));
        assert_ne!(place.verdict(&id, &trust), "good", "byte {at}");
    }
}
