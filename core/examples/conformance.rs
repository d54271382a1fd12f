//! The client that Sigstore's conformance suite runs (sigstore-conformance, docs/cli_protocol.md).
//!
//! ```text
//! conformance sign-bundle [--staging] [--in-toto] --identity-token JWT --bundle FILE
//!             [--trusted-root FILE] [--signing-config FILE] FILE
//! conformance verify-bundle [--staging] --bundle FILE
//!             (--certificate-identity ID --certificate-oidc-issuer URL | --key FILE) [--trusted-root FILE] FILE_OR_DIGEST
//! ```
//!
//! Without `--staging` it signs with the public-good instance: the suite's own token is published, as the suite wants.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use sealwright::bundle::{Bundle, Content};
use sealwright::digest::Digest;
use sealwright::key::read_public;
use sealwright::keyless::{MyIdentityIsPublishedForEver, Services, Token, sign_blob, sign_statement};
use sealwright::limits::{DOCUMENT_BYTES, RECORD_BYTES, read_file};
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, CertificateIdentity, Expectation, Identity, Verifier};
use sealwright::{Error, ErrorKind, Result};

#[expect(clippy::print_stderr, reason = "this is a command")]
fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{}: {}", e.code(), e.message());
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<()> {
    let command = args.next().unwrap_or_default();
    let options = Options::read(args)?;
    match command.as_str() {
        "sign-bundle" => sign(&options),
        "verify-bundle" => verify(&options),
        other => Err(misuse(format!("`{other}` is neither sign-bundle nor verify-bundle"))),
    }
}

fn sign(options: &Options) -> Result<()> {
    let now = now()?;
    let config = options.given("--signing-config").map(|path| document("signing configuration", path)).transpose()?;
    let services = match (config, options.has("--staging")) {
        (None, true) => Services::staging(now)?,
        (config, _) => Services::public_good(MyIdentityIsPublishedForEver, config.as_deref(), now)?,
    };
    let token = Token::parse(options.demanded("--identity-token")?)?;
    let trust = options.trust()?;
    let bundle = if options.has("--in-toto") {
        let statement = Statement::parse(document("statement", &options.operand)?)?;
        sign_statement(&statement, &services, &token, &trust, now)?
    } else {
        sign_blob(&Digest::of_file(Path::new(&options.operand))?, &services, &token, &trust, now)?
    };
    let path = Path::new(options.demanded("--bundle")?);
    std::fs::write(path, bundle).map_err(|e| Error::io("write", path, e))
}

fn verify(options: &Options) -> Result<()> {
    let bundle = read_file("bundle", Path::new(options.demanded("--bundle")?), RECORD_BYTES)?;
    let mut trust = options.trust()?;
    let identity = match options.given("--key") {
        Some(path) => {
            trust = trust.with_key("key", read_public(Path::new(path))?, Window::ALWAYS)?;
            Identity::key("key")
        }
        None => {
            let issuer = options.demanded("--certificate-oidc-issuer")?;
            CertificateIdentity::new(options.demanded("--certificate-identity")?, issuer).into()
        }
    };
    let verifier = Verifier::new(trust);
    let path = Path::new(&options.operand);
    // what is no path and looks like a digest is one
    let digest = options.operand.parse::<Digest>().ok().filter(|_| !path.exists());
    if let Content::Envelope(_) = Bundle::parse(&bundle)?.content() {
        let digest = digest.map_or_else(|| Digest::of_file(path), Ok)?;
        let expectation = Expectation::new(Artifact::Is(digest), identity, now()?);
        return verifier.verify(&bundle, &expectation).map(drop);
    }
    let expectation = Expectation::of_signer(identity, now()?);
    let verified = match digest {
        Some(digest) => verifier.verify_blob(&bundle, Blob::Digest(digest), &expectation),
        None => {
            let mut file = File::open(path).map_err(|e| Error::io("read", path, e))?;
            verifier.verify_blob(&bundle, Blob::Reader(&mut file), &expectation)
        }
    };
    verified.map(drop)
}

/// The options of a command line, and what stands behind them.
struct Options {
    values: BTreeMap<String, String>,
    operand: String,
}

impl Options {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut values = BTreeMap::new();
        let mut operand = None;
        while let Some(arg) = args.next() {
            if matches!(arg.as_str(), "--staging" | "--in-toto") {
                values.insert(arg, String::new());
            } else if arg.starts_with("--") {
                let value = args.next().ok_or_else(|| misuse(format!("`{arg}` has no value")))?;
                values.insert(arg, value);
            } else if operand.replace(arg).is_some() {
                return Err(misuse("there are two artifacts".to_owned()));
            }
        }
        Ok(Self { values, operand: operand.ok_or_else(|| misuse("there is no artifact".to_owned()))? })
    }

    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    fn given(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    fn demanded(&self, name: &str) -> Result<&str> {
        self.given(name).ok_or_else(|| misuse(format!("`{name}` is missing")))
    }

    fn trust(&self) -> Result<TrustRoot> {
        match self.given("--trusted-root") {
            Some(path) => TrustRoot::new().with_sigstore(&document("trusted root", path)?),
            None if self.has("--staging") => TrustRoot::staging(),
            None => TrustRoot::public_good(),
        }
    }
}

fn document(what: &str, path: &str) -> Result<Vec<u8>> {
    read_file(what, Path::new(path), DOCUMENT_BYTES)
}

fn now() -> Result<Timestamp> {
    #[expect(clippy::disallowed_methods, reason = "a command reads the clock")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis());
    Timestamp::from_unix_millis(i64::try_from(since).unwrap_or(i64::MAX))
}

fn misuse(message: String) -> Error {
    Error::new(ErrorKind::ApiMisuse, message)
}
