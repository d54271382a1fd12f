//! `root`: the trusted roots of Sigstore instances, and the archive of past ones.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::Answer;
use super::output::write_file;
use super::settings::Settings;
use super::text::{Page, to_the_second};
use crate::error::{Error, ErrorKind, Result};
use crate::keyless::{RootArchive, RootSource};
use crate::limits;

/// The name of Sigstore's public-good instance.
pub(crate) const PUBLIC_GOOD: &str = "public-good";

#[derive(Subcommand)]
pub(crate) enum RootCommand {
    /// Fetch the newest trusted root over the network, by TUF; past ones stay.
    Refresh(Refresh),
    /// Show which roots came in, and when; touches no network.
    Show(Show),
}

#[derive(Args)]
pub(crate) struct Refresh {
    /// public-good, staging, github, or a name of your own.
    #[arg(value_name = "INSTANCE", default_value = PUBLIC_GOOD)]
    instance: String,
    /// TUF repository of an instance of your own.
    #[arg(long, value_name = "URL", requires = "root")]
    url: Option<String>,
    /// Its root.json, which trust begins with; get it on a way you trust.
    #[arg(long, value_name = "FILE", requires = "url")]
    root: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Show {
    /// The name that it was fetched by.
    #[arg(value_name = "INSTANCE", default_value = PUBLIC_GOOD)]
    instance: String,
    /// Write one trusted root of all, for this and other tools.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl RootCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Refresh(refresh) => refresh.run(settings),
            Self::Show(show) => show.run(settings),
        }
    }
}

impl Refresh {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let source = match (self.instance.as_str(), self.url, self.root) {
            (PUBLIC_GOOD, None, None) => RootSource::public_good(),
            ("staging", None, None) => RootSource::staging(),
            ("github", None, None) => RootSource::github(),
            (_, Some(url), Some(root)) => {
                let limit = limits::TRUSTED_ROOT_BYTES as u64;
                RootSource::new(url, limits::read_file("root of the TUF repository", &root, limit)?)
            }
            (name, ..) => {
                return Err(Error::new(
                    ErrorKind::ApiMisuse,
                    format!(
                        "`{}` is none of public-good, staging and github; name its repository with `--url` and the root \
                         it begins with with `--root`",
                        name.escape_debug()
                    ),
                ));
            }
        };
        let (root, new) = archive(settings, &self.instance)?.refresh(&source, settings.now()?)?;
        let mut page = Page::default();
        page.line(if new { "a new trusted root came in" } else { "the newest trusted root is there already" });
        page.field("root", &root.digest).field("since", to_the_second(root.fetched_at));
        let value = json!({
            "instance": self.instance,
            "new": new,
            "root": root.digest.to_string(),
            "fetchedAt": root.fetched_at,
        });
        Ok(Answer::new(page.finish(), value))
    }
}

impl Show {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let archive = archive(settings, &self.instance)?;
        let whole = archive.trusted_root()?;
        if let Some(out) = &self.out {
            write_file(out, &whole)?;
        }
        let roots = archive.roots()?;
        let mut page = Page::default();
        page.line(format!("trusted roots of {}, the newest last", self.instance));
        for root in &roots {
            page.line(format!("  {}", to_the_second(root.fetched_at))).line(format!("    {}", root.digest));
        }
        let listed: Vec<_> =
            roots.iter().map(|r| json!({ "root": r.digest.to_string(), "fetchedAt": r.fetched_at })).collect();
        Ok(Answer::new(page.finish(), json!({ "instance": self.instance, "roots": listed })))
    }
}

/// Where the roots of an instance are kept.
pub(crate) fn archive(settings: &Settings, instance: &str) -> Result<RootArchive> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if instance.is_empty() || !instance.chars().all(plain) {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            format!("`{}` is no name of an instance; use letters, digits, - and _", instance.escape_debug()),
        ));
    }
    Ok(RootArchive::at(settings.state()?.join("roots").join(instance)))
}
