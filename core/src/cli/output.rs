//! Printing answers and errors, and writing files whole.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, json};

use super::answer::{Answer, Shown, Verdict};
use super::text;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;

const PASSED: u8 = 0;
const REFUSED: u8 = 1;
const FAILED: u8 = 2;

/// Prints the outcome of a command and gives the exit code.
pub(crate) fn print(answer: Result<Answer>, json: bool) -> u8 {
    let (shown, value, error, code) = match answer {
        Ok(Answer { shown, json, verdict }) => {
            let (error, code) = match verdict {
                Verdict::Passed => (None, PASSED),
                Verdict::Found => (None, REFUSED),
                Verdict::Refused(e) => {
                    let code = code_of(&e);
                    (Some(e), code)
                }
            };
            (shown, json, error, code)
        }
        Err(e) => {
            let code = code_of(&e);
            (Shown::Text(String::new()), Value::Object(Map::new()), Some(e), code)
        }
    };
    let printed = if json { to_stdout(&with_error(value, error.as_ref())) } else { to_stdout(&for_people(shown)) };
    if let Some(e) = error.filter(|_| !json) {
        to_stderr(&text::wrapped(&format!("sealwright: {} [{}]", e.message(), e.code())));
    }
    printed.map_or(FAILED, |()| code)
}

/// Prints a help text or a version.
pub(crate) fn print_help(help: &str) -> u8 {
    to_stdout(help.as_bytes()).map_or(FAILED, |()| PASSED)
}

/// Prints what is wrong with a command line.
pub(crate) fn print_usage(problem: &str) -> u8 {
    to_stderr(problem);
    FAILED
}

/// Says something beside the answer.
pub(crate) fn note(message: &str) {
    to_stderr(&text::wrapped(&format!("sealwright: {message}")));
}

/// A line on a terminal that says how far long work is. Where stderr is none, it says nothing.
pub(crate) struct ProgressLine {
    what: &'static str,
    shown_at: Option<Instant>,
    on_terminal: bool,
}

impl ProgressLine {
    /// Shows "`what`: done of all".
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, shown_at: None, on_terminal: io::stderr().is_terminal() }
    }

    pub(crate) fn show(&mut self, done: u64, of: u64) {
        let recent = self.shown_at.is_some_and(|at| at.elapsed() < Duration::from_millis(100));
        if self.on_terminal && !recent {
            let _ = write!(io::stderr().lock(), "\r{}: {done} of {of}\u{1b}[K", self.what);
            self.shown_at = Some(Instant::now());
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.shown_at.is_some() {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}

/// Writes a file whole: beside its place first, on disk, and then under its name. What stood there is replaced at once.
pub(crate) fn write_file(path: &Path, mut bytes: &[u8]) -> Result<()> {
    write_stream(path, &mut bytes)
}

/// The same with what a reader gives to its end. If it fails, nothing is written.
pub(crate) fn write_stream(path: &Path, from: &mut dyn Read) -> Result<()> {
    if path.symlink_metadata().is_ok_and(|m| !m.is_file()) {
        return Err(Error::new(
            ErrorKind::AlreadyExists,
            format!("`{}` is there and is no plain file; name another one", path.display()),
        ));
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}.unfinished", std::process::id()));
    let unfinished = Path::new(&unfinished);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(unfinished)
        .and_then(|mut file| {
            io::copy(from, &mut file)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(unfinished, path));
    written.map_err(|e| {
        if e.kind() != io::ErrorKind::AlreadyExists {
            // best effort: it is named after what it is
            let _ = std::fs::remove_file(unfinished);
        }
        // what was read may be refused at its end
        e.downcast::<Error>().unwrap_or_else(|e| Error::io("write", path, e))
    })
}

fn code_of(error: &Error) -> u8 {
    if error.kind().is_refusal() { REFUSED } else { FAILED }
}

fn for_people(shown: Shown) -> Vec<u8> {
    match shown {
        Shown::Text(text) => text::harmless(&text).into_bytes(),
        Shown::Document(bytes) => bytes,
    }
}

fn with_error(value: Value, error: Option<&Error>) -> Vec<u8> {
    let mut value = value;
    if let (Some(e), Value::Object(object)) = (error, &mut value) {
        let context: Map<_, _> = e.context().iter().map(|(k, v)| ((*k).to_owned(), Value::from(v.as_str()))).collect();
        object.insert("error".to_owned(), json!({ "code": e.code(), "message": e.message(), "context": context }));
    }
    let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// A reader that went away is no fault of the command; a full disk is.
fn to_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            to_stderr(&format!("sealwright: could not print: {e} [IO]\n"));
            Err(e)
        }
        _ => Ok(()),
    }
}

fn to_stderr(message: &str) {
    // there is no place left to say that stderr is gone
    let _ = io::stderr().lock().write_all(text::harmless(message).as_bytes());
}
