//! The `sealwright` command: parse, call, print.
//!
//! The only place with a terminal, an environment and a clock; what is decided is decided in the modules above. Settings
//! come from `sealwright.toml` in the current folder or one above it, then from `SEALWRIGHT_*`, then from flags.
//!
//! Exit codes: 0 passed, 1 refused, 2 could not be decided or done. Errors go to stderr, and with `--json` as
//! `{"error":{"code","message","context"}}` to stdout, with the codes of [`crate::ErrorKind`].

mod affected;
mod alerts;
mod answer;
mod attest;
mod attest_ci;
mod commits;
mod demo;
mod deploy;
mod environment;
mod gate;
mod git;
mod ingest;
mod input;
mod key;
mod layout;
mod ledger;
#[cfg(feature = "oci")]
mod oci;
mod open;
mod output;
mod pack;
mod predicate_names;
mod quorum;
mod record;
mod release;
#[cfg(feature = "keyless")]
mod root;
mod sbom;
mod sbom_use;
mod settings;
mod sign;
mod sign_file;
#[cfg(feature = "keyless")]
mod sign_keyless;
mod text;
mod trust;
mod verify;
mod verify_provenance;
mod verify_signer;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::error::{Error, ErrorKind, Result};
use answer::Answer;
use settings::{Global, Settings};

/// Runs the command with these arguments, the first of which is the name of the program, and gives its exit code.
///
/// Prints to stdout and stderr, and asks for a passphrase only on a terminal. It never ends the process.
///
/// ```
/// assert_eq!(sealwright::cli::run(["sealwright", "--version"]), 0);
/// assert_eq!(sealwright::cli::run(["sealwright", "no-such-command"]), 2);
/// ```
pub fn run<I, T>(args: I) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString>,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    // a command line that can't be read can't say either how it wants its errors
    let json = args.iter().any(|a| a == "--json");
    let answer = match Cli::try_parse_from(args) {
        Ok(cli) => Settings::load(&cli.global).and_then(|settings| cli.command.run(&settings, json)),
        Err(e) if !e.use_stderr() => return output::print_help(&e.to_string()),
        Err(e) if !json => return output::print_usage(&e.to_string()),
        Err(e) => Err(Error::new(ErrorKind::ApiMisuse, e.to_string().trim().trim_start_matches("error: "))),
    };
    output::print(answer, json)
}

/// Signed release evidence: attest, keep, decide and show how software was
/// built, checked, approved and shipped.
#[derive(Parser)]
#[command(name = "sealwright", version, max_term_width = 80, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Subcommand)]
enum Command {
    /// Make key files.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Build and sign a statement about artifacts.
    Attest(attest::Attest),
    /// Sign a file as it is.
    Sign(sign_file::Sign),
    /// Verify a record of an artifact, or a signed file, against signers you name.
    Verify(verify::Verify),
    /// Classic in-toto layouts: who performs which step, and links that show it.
    #[command(subcommand)]
    Layout(layout::LayoutCommand),
    /// Bundles beside images in OCI registries.
    #[cfg(feature = "oci")]
    #[command(subcommand)]
    Oci(oci::OciCommand),
    /// Make and validate software bills of materials.
    #[command(subcommand)]
    Sbom(sbom::SbomCommand),
    /// Turn what a tool, a platform or a log wrote into signed records.
    Ingest(Box<ingest::Ingest>),
    /// Who wrote what, by the signatures of Git commits.
    #[command(subcommand)]
    Commits(commits::CommitsCommand),
    /// The trust policy: who may say what.
    #[command(subcommand)]
    Trust(trust::TrustCommand),
    /// Trusted roots of Sigstore instances, newest and past.
    #[cfg(feature = "keyless")]
    #[command(subcommand)]
    Root(root::RootCommand),
    /// The ledger: append, search, prove, audit.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Sign what a person decided or asked for, and append it.
    #[command(subcommand)]
    Record(record::RecordCommand),
    /// Releases, and what happened to them.
    #[command(subcommand)]
    Release(release::ReleaseCommand),
    /// Ask whether an artifact may go to an environment, and record the answer.
    Gate(gate::GateCommand),
    /// Promote what a passed gate allows into its environment.
    Promote(deploy::Promote),
    /// Record a deployment.
    Deploy(deploy::Deployment),
    /// Record what was seen running in an environment.
    Snapshot(environment::Snapshot),
    /// Compare the newest snapshot of an environment with what was deployed.
    Drift(environment::Drift),
    /// Which releases contain a package or have a vulnerability, and where they
    /// run.
    Affected(affected::Affected),
    /// Tell which uses of keys and secrets somebody should look at, and which
    /// documents end.
    Alerts(alerts::Alerts),
    /// Evidence packs for auditors.
    #[command(subcommand)]
    Pack(pack::PackCommand),
    /// Play the whole story on the repository you stand in, with nothing invented.
    Demo(demo::Demo),
}

impl Command {
    fn run(self, settings: &Settings, json: bool) -> Result<Answer> {
        match self {
            Self::Key(command) => command.run(settings),
            Self::Attest(command) => command.run(settings),
            Self::Sign(command) => command.run(settings),
            Self::Verify(command) => command.run(settings),
            Self::Layout(command) => command.run(settings),
            #[cfg(feature = "oci")]
            Self::Oci(command) => command.run(settings),
            Self::Sbom(command) => command.run(),
            Self::Ingest(command) => command.run(settings),
            Self::Commits(command) => command.run(settings),
            Self::Trust(command) => command.run(settings),
            #[cfg(feature = "keyless")]
            Self::Root(command) => command.run(settings),
            Self::Ledger(command) => command.run(settings),
            Self::Record(command) => command.run(settings),
            Self::Release(command) => command.run(settings),
            Self::Gate(command) => command.run(settings),
            Self::Promote(command) => command.run(settings),
            Self::Deploy(command) => command.run(settings),
            Self::Snapshot(command) => command.run(settings),
            Self::Drift(command) => command.run(settings),
            Self::Affected(command) => command.run(settings),
            Self::Alerts(command) => command.run(settings),
            Self::Pack(command) => command.run(settings),
            Self::Demo(command) => command.run(settings, json),
        }
    }
}
