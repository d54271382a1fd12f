//! Where the services are, a folder for one test, and tokens of the test issuer.

use std::cell::OnceCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// The services that `run.py` started, and a folder that is this test's alone.
pub(crate) struct Services {
    facts: Value,
    dir: tempfile::TempDir,
    /// Held from when a test asks for the token until it ends.
    token: OnceCell<MutexGuard<'static, ()>>,
}

/// SoftHSM keeps objects in files, and now and then reads one that another process is still writing.
static TOKEN: Mutex<()> = Mutex::new(());

/// What a program gave.
pub(crate) struct Ran {
    pub(crate) ok: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Who asks the test issuer for a token, and what a verifier then demands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    /// A person, known by e-mail.
    Person,
    /// A workflow of GitHub Actions, known by its URI.
    Workflow,
}

pub(crate) const WORKFLOW: &str = "https://github.com/example/shop/.github/workflows/release.yml@refs/heads/main";

impl Services {
    /// The services that `SEALWRIGHT_SERVICES` names.
    pub(crate) fn from_env() -> Self {
        let file = std::env::var_os("SEALWRIGHT_SERVICES")
            .expect("SEALWRIGHT_SERVICES names no services.json: run `make test-services`");
        let facts = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        Self { facts, dir: tempfile::tempdir().unwrap(), token: OnceCell::new() }
    }

    /// One text of `services.json`, by JSON pointer: `/fulcio`, `/kms/keys/p256`.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        if pointer.starts_with("/pkcs11/") {
            self.token.get_or_init(|| TOKEN.lock().unwrap_or_else(PoisonError::into_inner));
        }
        self.facts.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("services.json has no {pointer}"))
    }

    /// A file that `services.json` names.
    pub(crate) fn file(&self, pointer: &str) -> Vec<u8> {
        std::fs::read(self.text(pointer)).unwrap()
    }

    /// A token for Fulcio, valid for ten minutes.
    pub(crate) fn token(&self, who: Who) -> String {
        let identity = if who == Who::Person { "email" } else { "ci" };
        self.token_of(&format!("identity={identity}"))
    }

    /// A token by the query that `issuer.py` documents.
    pub(crate) fn token_of(&self, query: &str) -> String {
        get(self.text("/oidc/url"), &format!("/token?{query}"))
    }

    /// The subject of the certificates that Fulcio gives for this one's tokens.
    pub(crate) fn subject(&self, who: Who) -> String {
        if who == Who::Person { self.text("/oidc/email").to_owned() } else { WORKFLOW.to_owned() }
    }

    /// The issuer in them.
    pub(crate) fn issuer(&self, who: Who) -> String {
        self.text(if who == Who::Person { "/oidc/email_issuer" } else { "/oidc/ci_issuer" }).to_owned()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// A program in this test's folder, which is also its home, so that it finds no configuration of anybody's.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir()).env("HOME", self.dir()).stdin(Stdio::null());
        command
    }
}

/// Runs to the end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    finished(&command.output().unwrap_or_else(|e| panic!("{command:?}: {e}")))
}

/// Runs to the end, and must succeed.
pub(crate) fn ran_well(command: &mut Command) -> Ran {
    let ran = ran(command);
    assert!(ran.ok, "{command:?} failed:\n{}\n{}", ran.out, ran.err);
    ran
}

/// Runs to the end with `input` as its standard input.
pub(crate) fn ran_with_input(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    finished(&child.wait_with_output().unwrap())
}

fn finished(output: &std::process::Output) -> Ran {
    Ran {
        ok: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The body of a plain answer from `http://host:port`.
fn get(base: &str, path: &str) -> String {
    asked(base, path, "GET", "")
}

/// The answer of `http://host:port` to a document.
pub(crate) fn post(base: &str, path: &str, document: &str) -> String {
    asked(base, path, "POST", document)
}

fn asked(base: &str, path: &str, method: &str, body: &str) -> String {
    let host = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let mut head = format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\n");
    if !body.is_empty() {
        head += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    }
    write!(stream, "{head}\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.lines().next().unwrap().contains(" 20"), "{path}: {answer}");
    body.to_owned()
}
