//! A folder of its own, and the command run in it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub(crate) struct Place {
    dir: tempfile::TempDir,
}

/// What a run of the command gave.
pub(crate) struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The command with the words of `line`, in an environment that says nothing about it but `vars`.
    pub(crate) fn run_with(&self, vars: &[(&str, &str)], line: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealwright"));
        command.current_dir(self.dir.path()).args(line.split_whitespace()).stdin(Stdio::null());
        let inherited: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
        for name in inherited.iter().filter(|n| n.to_string_lossy().starts_with("SEALWRIGHT_")) {
            command.env_remove(name);
        }
        command.env_remove("XDG_STATE_HOME").env("HOME", self.dir.path()).envs(vars.iter().copied());
        ran(&command.output().unwrap())
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_with(&[], line)
    }

    /// A run that must pass; gives what it printed.
    pub(crate) fn pass(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, 0, "{line}\n{}{}", ran.out, ran.err);
        ran.out
    }

    /// A run with `--json` that must end with this exit code; gives its answer.
    pub(crate) fn json(&self, code: i32, line: &str) -> Value {
        let ran = self.run(&format!("{line} --json"));
        let answer: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{line}: {e}: {}", ran.out));
        assert_eq!(ran.code, code, "{line}\n{:#}\n{}", answer["error"], ran.err);
        answer
    }

    /// Makes a key with its public half beside it, and gives its id.
    pub(crate) fn key(&self, name: &str, key_type: &str) -> String {
        let made = self.json(0, &format!("key generate --type {key_type} --out {name}.pem --no-passphrase"));
        self.write(&format!("{name}.pub"), made["publicKey"].as_str().unwrap());
        made["keyId"].as_str().unwrap().to_owned()
    }

    /// Names of everything in the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn git(&self, line: &str) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.dir.path()).args(line.split_whitespace());
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_AUTHOR_NAME", "Ada Example"),
            ("GIT_AUTHOR_EMAIL", "ada@example.org"),
            ("GIT_COMMITTER_NAME", "Ada Example"),
            ("GIT_COMMITTER_EMAIL", "ada@example.org"),
        ] {
            command.env(name, value);
        }
        let ran = ran(&command.output().unwrap());
        assert_eq!(ran.code, 0, "git {line}: {}", ran.err);
        ran.out.trim().to_owned()
    }
}

fn ran(output: &Output) -> Ran {
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout.clone()).unwrap(),
        err: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}
