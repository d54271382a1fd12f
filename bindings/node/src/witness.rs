//! What others say of a checkpoint, forks, and keys that were replaced.

use std::path::Path;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi_derive::napi;
use sealwright::checkpoint::LogKeys;
use sealwright::ledger::{self, Fork, LogSource};
use sealwright::{Result, json, key, keyless};

use crate::data::{Bytes, Json, now as time};
use crate::encryption::KeyEncryptionKey;
use crate::key::PrivateKey;
use crate::ledger::Ledger;
use crate::work::{Work, at_once, later, twins};

twins! { Ledger, ledger;
    "What the witnesses and time-stamp authorities of the trust policy said of the present checkpoint."
    witnessed, witnessed_sync() -> Json, "Promise<Witnessed>", "Witnessed" => Json::of(&ledger.witnessed()?);

    "Asks witnesses of the trust policy over the network, each at its URL by its name, and keeps what they give."
    ask_witnesses, ask_witnesses_sync(#[napi(ts_arg_type = "Record<string, string>")] urls: Json)
        -> Json, "Promise<AskedWitnesses>", "AskedWitnesses" => Json::of(&ledger.ask_witnesses(&urls.read("witnesses")?)?);

    "Keeps the cosignatures of a checkpoint that was cosigned elsewhere."
    keep_cosigned, keep_cosigned_sync(checkpoint: String)
        -> Json, "Promise<Cosignature[]>", "Cosignature[]" => Json::of(&ledger.keep_cosigned(checkpoint.as_bytes())?);

    "Has the RFC 3161 authority at `url`, which the trust policy believes, sign the time of the present checkpoint."
    timestamp_checkpoint, timestamp_checkpoint_sync(url: String) -> Json, "Promise<Timestamped>", "Timestamped" => {
        let checkpoint = ledger.checkpoint().clone();
        let token = keyless::timestamp_of_bytes(checkpoint.log_note().as_bytes(), &url)?;
        Json::of(&ledger.keep_timestamp(&checkpoint, &token)?)
    };

    "Keeps an RFC 3161 token (DER) over the log's own note of a checkpoint."
    keep_timestamp, keep_timestamp_sync(checkpoint: String, #[napi(ts_arg_type = "Uint8Array")] token: Bytes)
        -> Json, "Promise<Timestamped>", "Timestamped" => {
        let checkpoint = ledger.log_keys().parse_and_verify(checkpoint.as_bytes())?;
        Json::of(&ledger.keep_timestamp(&checkpoint, &token.0)?)
    };

    "The notes by which the log key was replaced, each signed with the old and the new one, for those who pin the old one."
    rotations, rotations_sync() -> Json, "Promise<string[]>", "string[]" =>
        Json::of(&ledger.log_keys().rotations().iter().map(|rotation| rotation.note()).collect::<Vec<_>>());

    "The proofs kept on this machine that this log signed two histories."
    forks, forks_sync() -> Json, "Promise<ForkData[]>", "ForkData[]" =>
        Json::of(&ledger.forks()?.iter().map(fork).collect::<Result<Vec<_>>>()?);
}

#[napi]
impl Ledger {
    /// Replaces the key that signs checkpoints. Gives the note that says so, for those who pin the old one.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn rotate_log_key(&self, new_key: &PrivateKey) -> AsyncTask<Work<String>> {
        let new = Arc::clone(&new_key.0);
        self.later(move |ledger| rotated(ledger, &new))
    }

    /// As `rotateLogKey`, at once.
    #[napi]
    pub fn rotate_log_key_sync(&self, env: Env, new_key: &PrivateKey) -> napi::Result<String> {
        self.at_once(&env, |ledger| rotated(ledger, &new_key.0))
    }

    /// Puts an encrypted ledger under another key, or its keys anew under the same; no record is touched.
    #[napi(ts_return_type = "Promise<RotatedKeys>")]
    pub fn rotate_encryption_keys(&self, to: &KeyEncryptionKey) -> AsyncTask<Work<Json>> {
        let to = Arc::clone(&to.0);
        self.later(move |ledger| Json::of(&ledger.rotate_encryption_keys(&*to, &mut |_, _| {})?))
    }

    /// As `rotateEncryptionKeys`, at once.
    #[napi(ts_return_type = "RotatedKeys")]
    pub fn rotate_encryption_keys_sync(&self, env: Env, to: &KeyEncryptionKey) -> napi::Result<Json> {
        self.at_once(&env, |ledger| Json::of(&ledger.rotate_encryption_keys(&*to.0, &mut |_, _| {})?))
    }
}

fn rotated(ledger: &mut ledger::Ledger, new: &key::PrivateKey) -> Result<String> {
    ledger.rotate_log_key(PrivateKey::own(new)?).map(|rotation| rotation.note().to_owned())
}

fn fork(fork: &Fork) -> Result<json::Value> {
    json::parse("proof of a fork", &fork.to_json()?)
}

/// The keys of a log of which `known` is one, by the notes of its rotations.
pub(crate) fn log_keys(known: &str, rotations: Option<&[String]>) -> Result<LogKeys> {
    LogKeys::through(&known.parse()?, rotations.unwrap_or_default())
}

/// Checks a proof that a log signed two histories, by its key and the notes of its rotations: returns, or throws.
#[napi]
pub fn verify_fork(
    env: Env,
    #[napi(ts_arg_type = "ForkData")] proof: Json,
    log_key: String,
    rotations: Option<Vec<String>>,
) -> napi::Result<()> {
    at_once(&env, || Fork::parse_and_verify(proof.as_bytes(), &log_keys(&log_key, rotations.as_deref())?).map(drop))
}

/// A witness of our own: it remembers the highest checkpoint of each log, and cosigns only what extends it.
#[napi]
pub struct Witness(Arc<ledger::Witness>);

impl Witness {
    fn later<T: Send + ToNapiValue + TypeName + 'static>(
        &self,
        work: impl FnOnce(&ledger::Witness) -> Result<T> + Send + 'static,
    ) -> AsyncTask<Work<T>> {
        let witness = Arc::clone(&self.0);
        later(move || work(&witness))
    }

    fn at_once<T>(&self, env: &Env, work: impl FnOnce(&ledger::Witness) -> Result<T>) -> napi::Result<T> {
        at_once(env, || work(&self.0))
    }
}

#[napi]
impl Witness {
    /// The witness of this name and key (Ed25519), whose state lies in `folder`.
    #[napi(constructor)]
    pub fn new(env: Env, folder: String, name: String, key: &PrivateKey) -> napi::Result<Self> {
        at_once(&env, || {
            ledger::Witness::open(Path::new(&folder), &name, PrivateKey::own(&key.0)?).map(|w| Self(Arc::new(w)))
        })
    }

    /// Its key, to be named in trust policies.
    #[napi(getter)]
    pub fn key(&self) -> String {
        self.0.key().to_string()
    }
}

twins! { Witness, witness;
    "Cosigns the checkpoint of a log, in a folder or at a URL, if it extends what was cosigned before. `logKey` is needed"
    "the first time. Gives the cosigned checkpoint."
    cosign, cosign_sync(log: String, log_key: Option<String>, #[napi(ts_arg_type = "Time")] now: Option<Json>)
        -> String, "Promise<string>", "string" => {
        let known = log_key.map(|key| key.parse()).transpose()?;
        witness.cosign(&LogSource::open(&log)?, known.as_ref(), time(now)?).map(|cosigned| cosigned.note().to_owned())
    };

    "Believes the checkpoints of a log that this key signs, and those that follow it by the notes of its rotations."
    trust_log, trust_log_sync(log_key: String, #[napi(ts_arg_type = "string[]")] rotations: Option<Json>)
        -> (), "Promise<void>", "void" => {
        let rotations: Option<Vec<String>> = rotations.map(|notes| notes.read("rotations")).transpose()?;
        witness.trust_log(&log_keys(&log_key, rotations.as_deref())?)
    };

    "Answers a request `add-checkpoint` of C2SP tlog-witness, as an HTTP server says it."
    add_checkpoint, add_checkpoint_sync(
        #[napi(ts_arg_type = "Uint8Array")] request: Bytes,
        #[napi(ts_arg_type = "Time")] now: Option<Json>
    ) -> Json, "Promise<WitnessAnswer>", "WitnessAnswer" => Json::of(&witness.add_checkpoint(&request.0, time(now)?)?);
}
