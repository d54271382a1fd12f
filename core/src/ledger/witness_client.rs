//! Asking witnesses for cosignatures (C2SP tlog-witness, `add-checkpoint`).

use std::collections::BTreeMap;

use serde::Serialize;

use super::Ledger;
use super::http::Http;
use super::walk::lost_tile;
use super::witness::request;
use super::witnessed::{Unwitnessed, Witnessed};
use crate::checkpoint::{SignedCheckpoint, WitnessKey};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::merkle::consistency_proof;

/// What a round among the witnesses came to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Asked {
    /// What the ledger's checkpoint has now.
    pub witnessed: Witnessed,
    /// Witnesses that gave no cosignature, and why.
    pub failed: Vec<Unwitnessed>,
}

/// How often one witness is asked in one round: once without knowing what it has, and again if others ask it meanwhile.
const TRIES: usize = 4;

impl Ledger {
    /// Asks the witnesses of the trust policy to cosign the present checkpoint, each at its URL in `urls` (by the name of
    /// its key), and keeps what they give. Those without a URL are not asked. A witness that fails holds no other up.
    ///
    /// # Errors
    /// `API_MISUSE` if a URL is of nobody whom the trust policy lists; those of [`Ledger::keep_cosigned`].
    pub fn ask_witnesses(&mut self, urls: &BTreeMap<String, String>) -> Result<Asked> {
        self.refresh()?;
        let witnesses = self.trust_policy()?.witnesses().to_vec();
        if let Some(unknown) = urls.keys().find(|name| witnesses.iter().all(|w| w.name() != *name)) {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!(
                    "`{}` is no witness of the trust policy; have its admins list it first",
                    unknown.escape_debug()
                ),
            ));
        }
        let mut failed = Vec::new();
        let mut cosigned = self.checkpoint.clone();
        let mut gained = false;
        for witness in &witnesses {
            let Some(url) = urls.get(witness.name()) else { continue };
            match self.ask_witness(witness, url, &cosigned) {
                Ok(more) => (cosigned, gained) = (more, true),
                Err(e) => failed.push(Unwitnessed {
                    witness: witness.name().to_owned(),
                    code: e.code(),
                    message: e.message().to_owned(),
                }),
            }
        }
        if gained {
            self.keep_cosigned(cosigned.note().as_bytes())?;
        }
        Ok(Asked { witnessed: self.witnessed()?, failed })
    }

    /// The checkpoint with the cosignature of one witness added.
    fn ask_witness(&self, witness: &WitnessKey, url: &str, checkpoint: &SignedCheckpoint) -> Result<SignedCheckpoint> {
        let http = Http::new("witness", url)?;
        let state = checkpoint.checkpoint();
        let mut old = 0;
        for _ in 0..TRIES {
            let proof = match old {
                0 => Vec::new(),
                old => consistency_proof(old, state.size(), &self.store).map_err(lost_tile)?,
            };
            let (status, answer) =
                http.post("add-checkpoint", request(old, &proof, checkpoint), limits::WITNESS_BYTES as u64)?;
            let text = std::str::from_utf8(&answer).map_err(|_| http.wrong("it is not UTF-8"))?;
            match status {
                200 => {
                    let own = std::slice::from_ref(witness);
                    let signed = checkpoint.with_cosignatures(text, own).map_err(|e| http.wrong(e.message()))?;
                    if signed.cosignatures(own)?.is_empty() {
                        return Err(http.wrong(&format!("it holds no cosignature by `{witness}`")));
                    }
                    return Ok(signed);
                }
                409 => {
                    let size = text.strip_suffix('\n').unwrap_or_default();
                    old = size
                        .parse()
                        .ok()
                        .filter(|n: &u64| n.to_string() == size)
                        .ok_or_else(|| http.wrong("it says 409, and no size"))?;
                    if old > state.size() {
                        return Err(Error::new(
                            ErrorKind::LedgerRolledBack,
                            format!(
                                "the witness `{}` has seen {old} entries of this ledger, which has {}; restore the newer \
                                 state from a copy, and find out who replaced it",
                                witness.name(),
                                state.size()
                            ),
                        )
                        .with("expected", old)
                        .with("found", state.size()));
                    }
                }
                422 => {
                    return Err(Error::new(
                        ErrorKind::LedgerForked,
                        format!(
                            "the witness `{}` has cosigned another history of this ledger: {}; keep the ledger as it is, \
                             and compare both checkpoints",
                            witness.name(),
                            said(text)
                        ),
                    ));
                }
                400..=499 => {
                    return Err(Error::new(
                        ErrorKind::SignerFailed,
                        format!(
                            "the witness `{}` refused with status {status}: {}; have its operator list the key of this ledger",
                            witness.name(),
                            said(text)
                        ),
                    )
                    .with("status", status));
                }
                _ => return Err(http.wrong(&format!("status {status}"))),
            }
        }
        Err(Error::new(
            ErrorKind::LedgerBusy,
            format!("the witness `{}` was asked by others all the while; try again", witness.name()),
        ))
    }
}

fn said(text: &str) -> String {
    format!("`{}`", text.trim().escape_debug().take(200).collect::<String>())
}
