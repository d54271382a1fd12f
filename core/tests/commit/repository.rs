//! A repository of its own, with keys of its own, and what Git itself says of its commits.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sealwright::commit::{Commit, CommitTrust, Tag, VerifiedCommit, VerifiedTag, verify, verify_tag};
use sealwright::digest::{Algorithm, Digest};
use sealwright::error::Result;
use sealwright::timestamp::Timestamp;

pub(crate) struct Repository {
    dir: tempfile::TempDir,
}

/// When the tests verify: after all commits made without a date.
pub(crate) fn now() -> Timestamp {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    Timestamp::from_unix_millis(i64::try_from(seconds).unwrap() * 1000).unwrap()
}

impl Repository {
    pub(crate) fn new() -> Self {
        Self::with_format("sha1")
    }

    pub(crate) fn with_format(format: &str) -> Self {
        let repository = Self { dir: tempfile::tempdir().unwrap() };
        repository.git(&["init", "-q", &format!("--object-format={format}")]);
        for (name, value) in [
            ("user.name", "Ada Example"),
            ("user.email", "ada@example.org"),
            ("gpg.format", "ssh"),
            ("gpg.ssh.allowedSignersFile", "allowed_signers"),
        ] {
            repository.git(&["config", name, value]);
        }
        repository.write("allowed_signers", "");
        repository
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// What a program prints, run in the repository with nothing of this machine's settings.
    pub(crate) fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).args(arguments);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").env("TZ", "UTC");
        command.env("GNUPGHOME", self.path("gnupg")).env("HOME", self.dir.path()).env_remove("SSH_AUTH_SOCK");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{program} is needed: {e}"));
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    pub(crate) fn must(&self, program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let output = self.run(program, arguments, input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
        output.stdout
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.must("git", arguments, b"")).unwrap().trim().to_owned()
    }

    /// Makes an SSH key, and gives the words of its public half.
    pub(crate) fn ssh_key(&self, name: &str, kind: &[&str]) -> String {
        let words = ["-q", "-N", "", "-C", "test", "-f", name, "-t"];
        self.must("ssh-keygen", &[words.as_slice(), kind].concat(), b"");
        let public = self.read(&format!("{name}.pub"));
        let mut words = public.split(' ');
        format!("{} {}", words.next().unwrap(), words.next().unwrap())
    }

    /// A commit signed with this key (of `ssh-keygen` or `gpg`), or with none.
    pub(crate) fn commit(&self, key: Option<&str>) -> String {
        self.commit_as(key, &["-m", "Prices"])
    }

    pub(crate) fn commit_as(&self, key: Option<&str>, more: &[&str]) -> String {
        let sign = key.map_or("--no-gpg-sign".to_owned(), |key| format!("-S{key}"));
        self.git(&[&["commit", "-q", "--allow-empty", &sign], more].concat());
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn tag(&self, name: &str, key: &str) -> String {
        self.git(&["tag", "-s", "-u", key, "-m", "Release\n\nwith words", name]);
        self.git(&["rev-parse", &format!("refs/tags/{name}")])
    }

    pub(crate) fn raw(&self, id: &str) -> Vec<u8> {
        let kind = self.git(&["cat-file", "-t", id]);
        self.must("git", &["cat-file", &kind, id], b"")
    }

    pub(crate) fn text(&self, id: &str) -> String {
        String::from_utf8(self.raw(id)).unwrap()
    }

    /// Stores an object, whatever it says, and gives its id.
    pub(crate) fn store(&self, kind: &str, raw: impl AsRef<[u8]>) -> String {
        let words = ["hash-object", "-t", kind, "-w", "--literally", "--stdin"];
        String::from_utf8(self.must("git", &words, raw.as_ref())).unwrap().trim().to_owned()
    }

    pub(crate) fn verify(&self, id: &str, trust: &CommitTrust) -> Result<VerifiedCommit> {
        let digest = Digest::from_hex(Algorithm::GitCommit, id)?;
        verify(&Commit::parse(&self.raw(id), &digest)?, trust, now())
    }

    pub(crate) fn verify_tag(&self, id: &str, trust: &CommitTrust) -> Result<VerifiedTag> {
        verify_tag(&Tag::parse(&self.raw(id), id)?, trust, now())
    }

    /// The code of our verdict, `good` for none.
    pub(crate) fn verdict(&self, id: &str, trust: &CommitTrust) -> &'static str {
        match self.git(&["cat-file", "-t", id]).as_str() {
            "tag" => self.verify_tag(id, trust).map_or_else(|e| e.code(), |_| "good"),
            _ => self.verify(id, trust).map_or_else(|e| e.code(), |_| "good"),
        }
    }

    /// Whether Git itself takes the signature for good.
    pub(crate) fn git_accepts(&self, id: &str) -> bool {
        let command = if self.git(&["cat-file", "-t", id]) == "tag" { "verify-tag" } else { "verify-commit" };
        self.run("git", &[command, id], b"").status.success()
    }

    /// Demands our verdict, and that Git's is the same.
    #[track_caller]
    pub(crate) fn both(&self, expected: &str, id: &str, trust: &CommitTrust, what: &str) {
        let ours = self.verdict(id, trust);
        assert_eq!(ours, expected, "{what}");
        assert_eq!(self.git_accepts(id), ours == "good", "{what}: we say {ours}, and Git the opposite");
    }

    /// Believes what stands in `allowed_signers`, which Git reads too.
    pub(crate) fn allow(&self, lines: &str) -> CommitTrust {
        self.write("allowed_signers", lines);
        CommitTrust::new().with_allowed_signers(lines.as_bytes()).unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }
}

/// The signature of a commit as it stands in its header, continuation blanks and all.
pub(crate) fn signature_lines(raw: &str) -> &str {
    let begin = raw.find("gpgsig").unwrap();
    let end = raw[begin..].find("-----END").unwrap();
    let end = begin + end + raw[begin + end..].find('\n').unwrap();
    &raw[begin..=end]
}
