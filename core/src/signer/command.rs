//! A signer that is a command: the digest goes out, the signature comes back.

use std::io::{ErrorKind as Os, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::Signer;
use super::external::{checked, failed, require_ecdsa};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PublicKey};
use crate::limits;

const BY: &str = "the signer command";

/// Signs with a command that holds the private key, or knows who does.
///
/// For each signature the command is run once, without a shell. It gets one line of JSON on its standard input, with the
/// algorithm by its name in Sigstore's registry, the digest to sign in hex, and the key id:
///
/// ```json
/// {"algorithm":"PKIX_ECDSA_P256_SHA_256","digest":"b5bb…944c","keyId":"1f3a…90cd"}
/// ```
///
/// It answers with the signature over that digest (ASN.1 DER) in base64 on its standard output, blanks and line breaks
/// allowed, and exit code 0. What it says on its standard error goes where ours goes.
#[derive(Debug)]
pub struct CommandSigner {
    program: String,
    arguments: Vec<String>,
    key: PublicKey,
    time_limit: Duration,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    algorithm: &'a str,
    digest: String,
    key_id: String,
}

impl CommandSigner {
    /// A signer that runs `command`, a program with its arguments, which must sign with `key` within `time_limit`.
    ///
    /// # Errors
    /// `API_MISUSE` if there is no program, `UNSUPPORTED` for a key that is neither P-256 nor P-384.
    pub fn new(command: Vec<String>, key: PublicKey, time_limit: Duration) -> Result<Self> {
        require_ecdsa(BY, &key)?;
        let mut words = command.into_iter();
        let program = words.next().filter(|program| !program.is_empty()).ok_or_else(|| {
            Error::new(ErrorKind::ApiMisuse, "the signer command is empty; name a program, and its arguments")
        })?;
        Ok(Self { program, arguments: words.collect(), key, time_limit })
    }

    fn question(&self, digest: &Digest) -> Result<Vec<u8>> {
        let algorithm = match self.key.key_type() {
            KeyType::P384 => "PKIX_ECDSA_P384_SHA_384",
            _ => "PKIX_ECDSA_P256_SHA_256",
        };
        let question = Question { algorithm, digest: digest.hex(), key_id: self.key.id() };
        let mut line = serde_json::to_vec(&question)
            .map_err(|e| Error::new(ErrorKind::Internal, "could not ask the signer command").caused_by(e))?;
        line.push(b'\n');
        Ok(line)
    }

    fn run(&self, question: Vec<u8>) -> Result<Vec<u8>> {
        let deadline = Instant::now() + self.time_limit;
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| {
                let kind = if e.kind() == Os::NotFound { ErrorKind::NotFound } else { ErrorKind::SignerFailed };
                let program = self.program.escape_debug();
                Error::new(kind, format!("could not run the signer command `{program}`: {e}; check its path"))
                    .caused_by(e)
            })?;
        let answer = converse(&mut child, question, deadline);
        let status = answer.is_ok().then(|| wait(&mut child, deadline)).flatten();
        if status.is_none() {
            // it may have ended by itself meanwhile
            let _ = child.kill();
            let _ = child.wait();
        }
        let answer = answer.map_err(|why| failed(BY, &why))?;
        match status {
            Some(status) if status.success() => Ok(answer),
            Some(status) => Err(failed(BY, &format!("ended with {status}")).with("status", status)),
            None => Err(failed(BY, &too_late())),
        }
    }
}

impl Signer for CommandSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>> {
        let mut answer = self.run(self.question(digest)?)?;
        answer.retain(|b| !b.is_ascii_whitespace());
        let signature =
            STANDARD.decode(answer).map_err(|e| failed(BY, "answered with something else than base64").caused_by(e))?;
        checked(BY, &self.key, digest, signature)
    }
}

/// Hands over the question and reads the answer, on threads, so that a command that does neither is given up in time.
fn converse(child: &mut Child, question: Vec<u8>, deadline: Instant) -> Result<Vec<u8>, String> {
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("has no input or output".to_owned());
    };
    // a command that answers without reading is judged by its answer
    thread::spawn(move || drop(input.write_all(&question)));
    let (give, take) = mpsc::channel();
    thread::spawn(move || {
        let mut answer = Vec::new();
        let read = output.take(limits::SIGNER_ANSWER_BYTES + 1).read_to_end(&mut answer);
        // nobody listens any more after the deadline
        let _ = give.send(read.map(|_| answer));
    });
    match take.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Ok(answer)) if answer.len() as u64 > limits::SIGNER_ANSWER_BYTES => {
            Err(format!("answered with more than {} bytes", limits::SIGNER_ANSWER_BYTES))
        }
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(e)) => Err(format!("could not be heard: {e}")),
        Err(_) => Err(too_late()),
    }
}

fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    const PAUSE: Duration = Duration::from_millis(5);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(PAUSE),
            _ => return None,
        }
    }
}

fn too_late() -> String {
    "did not answer in time".to_owned()
}
