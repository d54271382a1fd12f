//! `ledger key` and `ledger rotate encryption-key`: the key a ledger is encrypted with.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::answer::{Answer, to_json};
use crate::cli::open::Known;
use crate::cli::output::ProgressLine;
use crate::cli::settings::Settings;
use crate::cli::text::Page;
use crate::encryption::{KeyEncryptionKey as _, KeyFile};
use crate::error::{ErrorKind, Result};

#[derive(Args)]
pub(crate) struct Key {
    /// The new file; nothing is overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave the key without a passphrase.
    #[arg(long)]
    no_passphrase: bool,
}

#[derive(Args)]
pub(crate) struct EncryptionKey {
    /// Key that the ledger is encrypted with from now on: a file, pkcs11:…,
    /// awskms://…, or hashivault://… [default: the present one].
    #[arg(long, value_name = "KEY")]
    to: Option<PathBuf>,
    #[command(flatten)]
    known: Known,
}

impl Key {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let passphrase = if self.no_passphrase { None } else { Some(settings.new_passphrase()?) };
        let key = KeyFile::generate()?;
        key.write(&self.out, passphrase.as_ref().map(|p| p.as_str()))?;
        let mut page = Page::default();
        page.field("key id", key.id()).field("file", self.out.display());
        page.wrapped(
            "",
            "",
            "Without this file and its passphrase nobody reads the ledger any more. Keep a copy elsewhere.",
        );
        Ok(Answer::new(page.finish(), json!({ "keyId": key.id(), "out": self.out.display().to_string() })))
    }
}

impl EncryptionKey {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let to = match &self.to {
            Some(to) => settings.encryption_key(Some(to))?,
            None => settings.encryption_key(self.known.encryption_key())?,
        };
        let to =
            to.ok_or_else(|| crate::Error::new(ErrorKind::ApiMisuse, "no key is named; name the new one with `--to`"))?;
        let ledger = match self.known.open(settings) {
            // a rotation that was cut short has put it under the new key already
            Err(e) if e.kind() == ErrorKind::WrongKey && self.to.is_some() => {
                self.known.open_with(settings, Some(to.as_ref())).map_err(|_| e)
            }
            opened => opened,
        };
        let mut line = ProgressLine::new("headers under the new key");
        let rotated = ledger?.rotate_encryption_keys(to.as_ref(), &mut |done, of| line.show(done, of))?;
        drop(line);
        let mut page = Page::default();
        page.field("key id", &rotated.key).field("headers", rotated.headers);
        if rotated.resumed {
            page.wrapped("", "", "An earlier rotation, which was cut short, is at its end.");
        }
        Ok(Answer::new(page.finish(), to_json(&rotated)?))
    }
}
