//! Copies of a ledger that are pulled, and ledgers made of them.

use std::path::Path;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi_derive::napi;
use sealwright::Result;
use sealwright::ledger::{self, Anchors, LogSource, Pins};

use crate::data::{Json, bytes_of, now as time};
use crate::work::{Work, at_once, later, twins};

/// A copy of a ledger in a folder of its own, which is pulled over and over.
#[napi]
pub struct Mirror(Arc<ledger::Mirror>);

impl Mirror {
    fn later<T: Send + ToNapiValue + TypeName + 'static>(
        &self,
        work: impl FnOnce(&ledger::Mirror) -> Result<T> + Send + 'static,
    ) -> AsyncTask<Work<T>> {
        let mirror = Arc::clone(&self.0);
        later(move || work(&mirror))
    }

    fn at_once<T>(&self, env: &Env, work: impl FnOnce(&ledger::Mirror) -> Result<T>) -> napi::Result<T> {
        at_once(env, || work(&self.0))
    }
}

#[napi]
impl Mirror {
    /// The mirror in `folder`, whether it was pulled before or not. `anchors` remember what was seen of its ledger.
    #[napi(constructor)]
    pub fn new(folder: String, anchors: String) -> Self {
        Self(Arc::new(ledger::Mirror::open(Path::new(&folder), &Anchors::in_folder(anchors))))
    }

    /// Makes a ledger of a copy, the folder of a mirror or a URL, in a new folder; it has the same root.
    #[napi(ts_return_type = "Promise<Mirrored>")]
    pub fn restore(
        folder: String,
        anchors: String,
        copy: String,
        #[napi(ts_arg_type = "Pins")] pins: Option<Json>,
    ) -> AsyncTask<Work<Json>> {
        later(move || restored(&folder, &anchors, &copy, pins.as_ref()))
    }

    /// As `restore`, at once.
    #[napi(ts_return_type = "Mirrored")]
    pub fn restore_sync(
        env: Env,
        folder: String,
        anchors: String,
        copy: String,
        #[napi(ts_arg_type = "Pins")] pins: Option<Json>,
    ) -> napi::Result<Json> {
        at_once(&env, || restored(&folder, &anchors, &copy, pins.as_ref()))
    }
}

fn restored(folder: &str, anchors: &str, copy: &str, pins: Option<&Json>) -> Result<Json> {
    let (anchors, pins) = (Anchors::in_folder(anchors), Pins::from_json(bytes_of(pins))?);
    Json::of(&ledger::Mirror::restore(Path::new(folder), &anchors, &LogSource::open(copy)?, &pins, &mut |_| {})?)
}

twins! { Mirror, mirror;
    "Pulls what the ledger at `source`, a folder or a URL, has and the copy has not; all of it is checked."
    pull, pull_sync(
        source: String,
        #[napi(ts_arg_type = "Pins")] pins: Option<Json>,
        #[napi(ts_arg_type = "Time")] now: Option<Json>
    ) -> Json, "Promise<Mirrored>", "Mirrored" => {
        let pins = Pins::from_json(bytes_of(pins.as_ref()))?;
        Json::of(&mirror.pull(&LogSource::open(&source)?, &pins, time(now)?, &mut |_| {})?)
    };

    "How far the copy is behind; nothing is pulled."
    lag, lag_sync(source: String, #[napi(ts_arg_type = "Time")] now: Option<Json>) -> Json, "Promise<Lag>", "Lag" =>
        Json::of(&mirror.lag(&LogSource::open(&source)?, time(now)?)?);
}
