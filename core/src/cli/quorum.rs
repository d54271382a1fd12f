//! `--witness` and `--quorum`: who must have cosigned a checkpoint.

use clap::Args;

use crate::checkpoint::{WitnessKey, Witnesses};
use crate::error::Result;

#[derive(Args)]
pub(crate) struct Quorum {
    /// A witness who must have cosigned the checkpoint of its log, as a C2SP
    /// verifier key (NAME+ID+KEY).
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<WitnessKey>,
    /// How many of these must have cosigned it [default: all of them].
    #[arg(long, value_name = "COUNT", requires = "witnesses")]
    quorum: Option<usize>,
}

impl Quorum {
    /// What is demanded; nothing if no witness is named.
    pub(crate) fn demanded(&self) -> Result<Option<Witnesses>> {
        let named = Some(self.witnesses.clone()).filter(|witnesses| !witnesses.is_empty());
        Witnesses::demanded(named, self.quorum)
    }
}
