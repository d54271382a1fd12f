//! `ledger serve`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::answer::Answer;
use crate::cli::settings::{Settings, clock};
use crate::error::Result;
use crate::ledger::{Anchors, Ledger, Pins};
use crate::serve::{Config, Sequencer};

#[derive(Args)]
pub(crate) struct Serve {
    /// Configuration: what to serve, to whom, within which bounds.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Check the configuration and the files it names, and do not serve.
    #[arg(long)]
    check: bool,
}

impl Serve {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let config = Config::read(&self.config)?;
        let place = settings.place_of(config.ledger())?;
        if self.check {
            config.check()?;
            return Ok(Answer::new("the configuration can be served\n", json!({ "checked": true })));
        }
        let log_keys = [Some(config.log_key()), config.next_log_key()];
        let log_keys = log_keys.into_iter().flatten().map(|path| settings.private_key(path)).collect::<Result<_>>()?;
        let kek = config.encryption_key().map(|key| settings.key_encryption_key(key)).transpose()?;
        let anchors = Anchors::in_folder(config.state());
        let mut ledger = Ledger::open_at(&place, &anchors, &Pins::none(), kek.as_deref())?;
        drop(kek);
        if let Some(archive) = config.archive() {
            ledger = ledger.with_archive(archive)?;
        }
        let sequencer = Sequencer::start(config, ledger, log_keys, Box::new(clock), Box::new(std::io::stderr()))?;
        sequencer.stop_on_signals()?;
        let address = sequencer.address().to_owned();
        sequencer.wait()?;
        Ok(Answer::new("stopped\n", json!({ "address": address, "stopped": true })))
    }
}
