//! gitsign, signing commits and tags with certificates of Fulcio, entries in Rekor's first version, which is the only one
//! it speaks to, and timestamps.

use std::process::Command;

use sealwright::commit::{Commit, CommitTrust, SignerKey, Tag, VerifiedCommit, verify, verify_tag};
use sealwright::digest::{Algorithm, Digest};
use sealwright::error::Result;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::CertificateIdentity;
use serde_json::Value;

use crate::harness::{Services, Who, ran, ran_well};
use crate::keyless::{now, soon};

/// A repository whose commits and tags gitsign signs.
struct Repository {
    services: Services,
}

impl Repository {
    fn new() -> Self {
        let place = Self { services: Services::from_env() };
        place.git(&["init", "-q", "-b", "main"]);
        for (name, value) in [
            ("user.name", "Release"),
            ("user.email", place.services.text("/oidc/email")),
            ("gpg.format", "x509"),
            ("gpg.x509.program", place.services.text("/gitsign")),
            ("commit.gpgsign", "true"),
            ("gitsign.fulcio", place.services.text("/fulcio")),
            ("gitsign.issuer", &place.services.issuer(Who::Person)),
            ("gitsign.rekor", place.services.text("/rekor_v1")),
            ("gitsign.rekorMode", "offline"),
            ("gitsign.tokenProvider", "envvar"),
        ] {
            place.git(&["config", name, value]);
        }
        place
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut git = self.services.command("git");
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("GITSIGN_LOG", self.services.path("gitsign.log"));
        git.env("SIGSTORE_ID_TOKEN", self.services.token(Who::Person));
        git.env("SIGSTORE_REKOR_PUBLIC_KEY", self.services.text("/rekor_v1_public")).args(words);
        git
    }

    fn git(&self, words: &[&str]) -> String {
        ran_well(&mut self.command(words)).out.trim().to_owned()
    }

    /// A commit of a change, signed; gives its id and what it is.
    fn commit(&self, message: &str) -> (String, String) {
        self.services.write("file", message);
        self.git(&["add", "file"]);
        let done = ran(&mut self.command(&["commit", "-q", "-m", message]));
        let said = std::fs::read_to_string(self.services.path("gitsign.log")).unwrap_or_default();
        assert!(done.ok, "{}{said}", done.err);
        let id = self.git(&["rev-parse", "HEAD"]);
        let raw = self.raw("commit", &id);
        (id, raw)
    }

    /// An object as it is stored.
    fn raw(&self, kind: &str, id: &str) -> String {
        ran_well(&mut self.command(&["cat-file", kind, id])).out
    }

    fn trust(&self, subject: &str, issuer: &str) -> CommitTrust {
        let root = TrustRoot::new().with_sigstore(&self.services.file("/trusted_root_v1")).unwrap();
        let identity = CertificateIdentity::new(subject, issuer);
        CommitTrust::new().with_certificates(root.with_identity("ada", identity, Window::ALWAYS).unwrap()).unwrap()
    }

    fn own_trust(&self) -> CommitTrust {
        self.trust(&self.services.subject(Who::Person), &self.services.issuer(Who::Person))
    }
}

fn judged(id: &str, raw: &str, trust: &CommitTrust, at: Timestamp) -> Result<VerifiedCommit> {
    let id = Digest::from_hex(Algorithm::GitCommit, id)?;
    verify(&Commit::parse(raw.as_bytes(), &id)?, trust, at)
}

fn code<T>(result: Result<T>) -> &'static str {
    result.map_or_else(|e| e.code(), |_| "good")
}

#[test]
#[ignore = "needs make test-services"]
fn s035_commits_and_tags_that_gitsign_signs_are_verified_and_others_are_not() {
    let place = Repository::new();
    for authority in [None, Some(place.services.text("/tsa"))] {
        if let Some(url) = authority {
            place.git(&["config", "gitsign.timestampServerURL", url]);
        }
        let before = now();
        let (id, raw) = place.commit(authority.unwrap_or("no authority"));
        let verified = judged(&id, &raw, &place.own_trust(), soon()).unwrap();
        let SignerKey::Certificate { subject, issuer, .. } = &verified.signer().key else { panic!("{verified:?}") };
        let (own_subject, own_issuer) = (place.services.subject(Who::Person), place.services.issuer(Who::Person));
        assert_eq!((subject, issuer), (&own_subject, &own_issuer));
        assert!(verified.signer().vouches_for(&verified.commit().author().email));
        let signed_at = verified.signer().signed_at;
        assert!(signed_at >= before.plus_millis(-1000) && signed_at <= soon(), "{signed_at}");

        for (subject, issuer) in
            [("mallory@example.org", own_issuer.as_str()), (&own_subject, "https://issuer.example.net")]
        {
            assert_eq!(code(judged(&id, &raw, &place.trust(subject, issuer), soon())), "UNTRUSTED_SIGNER");
        }
        let changed = raw.replacen("author Release", "author Mallory", 1);
        let e = Commit::parse(changed.as_bytes(), &Digest::from_hex(Algorithm::GitCommit, &id).unwrap()).unwrap_err();
        let found = e.context().iter().find(|(name, _)| *name == "found").map(|(_, id)| id.clone()).unwrap();
        assert_eq!(code(judged(&found, &changed, &place.own_trust(), soon())), "BAD_SIGNATURE");
        // whoever does not believe this log
        let root = TrustRoot::new().with_sigstore(&place.services.file("/trusted_root")).unwrap();
        let own = CertificateIdentity::new(&*own_subject, &*own_issuer);
        let root = root.with_identity("ada", own, Window::ALWAYS).unwrap();
        let stranger = CommitTrust::new().with_certificates(root).unwrap();
        assert_eq!(code(judged(&id, &raw, &stranger, soon())), "BAD_LOG_ENTRY");

        let name = if authority.is_some() { "v2" } else { "v1" };
        place.git(&["tag", "-s", "-m", "a release", name]);
        let tag_id = place.git(&["rev-parse", name]);
        let raw = place.raw("tag", &tag_id);
        let tag = Tag::parse(raw.as_bytes(), &tag_id).unwrap();
        let verified = verify_tag(&tag, &place.own_trust(), soon()).unwrap();
        assert_eq!((verified.tag().name(), verified.signer().principals.as_slice()), (name, &[own_subject][..]));
        let mallory = place.trust("mallory@example.org", &own_issuer);
        assert_eq!(code(verify_tag(&tag, &mallory, soon())), "UNTRUSTED_SIGNER");
    }
}

#[test]
#[ignore = "needs make test-services"]
fn s035_a_commit_whose_entry_is_in_the_log_alone_is_refused() {
    let place = Repository::new();
    place.git(&["config", "gitsign.rekorMode", "online"]);
    let (id, raw) = place.commit("logged online");
    assert_eq!(code(judged(&id, &raw, &place.own_trust(), soon())), "BAD_LOG_ENTRY");
}

#[test]
#[ignore = "needs make test-services"]
fn s035_the_command_tells_who_wrote_what_gitsign_signed() {
    let place = Repository::new();
    place.commit("first");
    place.commit("second");
    let (subject, issuer) = (place.services.subject(Who::Person), place.services.issuer(Who::Person));
    let verify = |subject: &str| {
        let mut command = place.services.command(env!("CARGO_BIN_EXE_sealwright"));
        command.args(["commits", "verify", "HEAD", "--identity", subject, "--issuer", &issuer]);
        let ran = ran(command.args(["--trusted-root", place.services.text("/trusted_root_v1"), "--json"]));
        (ran.ok, serde_json::from_str::<Value>(&ran.out).unwrap())
    };
    let (good, answer) = verify(&subject);
    assert!(good, "{answer}");
    assert_eq!((&answer["clear"], &answer["doubtful"]), (&2.into(), &0.into()));
    let (other, answer) = verify("mallory@example.org");
    assert!(!other, "{answer}");
    assert_eq!(answer["doubtful"], 2);
}

/// The commit that gitsign keeps for its own tests, signed with Sigstore's public services.
#[test]
#[ignore = "needs make test-services"]
fn s035_the_commit_that_gitsign_tests_itself_with_is_verified() {
    let services = Services::from_env();
    let raw = services.file("/gitsign_commit");
    let none = Digest::from_hex(Algorithm::GitCommit, &"0".repeat(40)).unwrap();
    let e = Commit::parse(&raw, &none).unwrap_err();
    let found = e.context().iter().find(|(name, _)| *name == "found").map(|(_, id)| id.clone()).unwrap();
    let commit = Commit::parse(&raw, &Digest::from_hex(Algorithm::GitCommit, &found).unwrap()).unwrap();
    let trust = |subject: &str| {
        let identity = CertificateIdentity::new(subject, "https://accounts.google.com");
        let root = TrustRoot::public_good().unwrap().with_identity("author", identity, Window::ALWAYS).unwrap();
        CommitTrust::new().with_certificates(root).unwrap()
    };
    let author = commit.author().email.clone();
    let verified = verify(&commit, &trust(&author), now()).unwrap();
    assert_eq!(verified.signer().signed_at.to_string(), "2023-06-05T16:11:20Z", "as the log says");
    assert_eq!(code(verify(&commit, &trust("mallory@example.org"), now())), "UNTRUSTED_SIGNER");
}
