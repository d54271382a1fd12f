//! Records that wait for a network.

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi_derive::napi;
use sealwright::{Result, spool};

use crate::attachment::AnyContent;
use crate::data::{Bytes, Json, now as time};
use crate::ledger::Ledger;
use crate::work::{Work, at_once, later, twins};

/// A folder of signed records that wait to be appended, for runners without a network.
#[napi]
pub struct Spool(spool::Spool);

impl Spool {
    fn later<T: Send + ToNapiValue + TypeName + 'static>(
        &self,
        work: impl FnOnce(&spool::Spool) -> Result<T> + Send + 'static,
    ) -> AsyncTask<Work<T>> {
        let spool = self.0.clone();
        later(move || work(&spool))
    }

    fn at_once<T>(&self, env: &Env, work: impl FnOnce(&spool::Spool) -> Result<T>) -> napi::Result<T> {
        at_once(env, || work(&self.0))
    }
}

twins! { Spool, spool;
    "Adds a record, on disk when this is done; gives its path. Its form is looked at, not its signature."
    add, add_sync(
        #[napi(ts_arg_type = "Uint8Array")] record: Bytes,
        #[napi(ts_arg_type = "Time")] now: Option<Json>
    ) -> String, "Promise<string>", "string" => Ok(spool.add(&record.0, time(now)?)?.display().to_string());

    "Keeps bytes, or a file of any length, that records name by its SHA-256, which is returned; on disk when this is done."
    "Attach it before the records that name it are added."
    attach, attach_sync(#[napi(ts_arg_type = "Uint8Array | BlobFile")] content: AnyContent)
        -> String, "Promise<string>", "string" => content.0.attach_to(spool);

    "SHA-256 of the attachments that wait."
    attachments, attachments_sync() -> Vec<String>, "Promise<string[]>", "string[]" =>
        Ok(spool.attachments()?.iter().map(ToString::to_string).collect());

    "Names of the records that wait, oldest first."
    waiting, waiting_sync() -> Vec<String>, "Promise<string[]>", "string[]" => spool.waiting();
}

#[napi]
impl Spool {
    /// The spool in `folder`, which is made when a first record is added.
    #[napi(constructor)]
    pub fn new(folder: String) -> Self {
        Self(spool::Spool::in_folder(folder))
    }

    /// Sends what waits to a ledger, attachments before records, and these oldest first. What is refused is put aside with
    /// the reason.
    #[napi(ts_return_type = "Promise<Sent>")]
    pub fn send(&self, ledger: &Ledger, #[napi(ts_arg_type = "Time")] now: Option<Json>) -> AsyncTask<Work<Json>> {
        let spool = self.0.clone();
        ledger.later(move |ledger| Json::of(&spool.send_to(ledger, time(now)?)?))
    }

    /// As `send`, at once.
    #[napi(ts_return_type = "Sent")]
    pub fn send_sync(
        &self,
        env: Env,
        ledger: &Ledger,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> napi::Result<Json> {
        ledger.at_once(&env, |ledger| Json::of(&self.0.send_to(ledger, time(now)?)?))
    }
}
