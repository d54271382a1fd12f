//! `ledger serve`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::answer::Answer;
use crate::cli::settings::{Settings, clock};
use crate::error::Result;
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
        if self.check {
            config.check()?;
            return Ok(Answer::new("the configuration can be served\n", json!({ "checked": true })));
        }
        let log_key = settings.private_key(config.log_key())?;
        let sequencer = Sequencer::start(config, log_key, Box::new(clock), Box::new(std::io::stderr()))?;
        sequencer.stop_on_signals()?;
        let address = sequencer.address().to_owned();
        sequencer.wait()?;
        Ok(Answer::new("stopped\n", json!({ "address": address, "stopped": true })))
    }
}
