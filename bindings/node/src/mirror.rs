//! Copies of a ledger that are pulled, and ledgers made of them.

use std::path::Path;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi_derive::napi;
use sealwright::Result;
use sealwright::ledger::{self, Anchors, LogSource};

use crate::data::{Json, now as time};
use crate::opening::Opening;
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
    /// The mirror in `folder`, whether it was pulled before or not. `anchors` remember what was seen of its ledger;
    /// `archive` is the folder that bodies of the ledger were moved to.
    #[napi(constructor)]
    pub fn new(folder: String, anchors: String, archive: Option<String>) -> Self {
        Self(Arc::new(opened(&folder, anchors, archive.as_deref().map(Path::new))))
    }

    /// Makes a ledger of a copy, the folder of a mirror or a URL, in a new folder; it has the same root. Of
    /// `opening`, `encryptionKey`, `pins` and `archive` are used.
    #[napi(ts_return_type = "Promise<Mirrored>")]
    pub fn restore(folder: String, anchors: String, copy: String, opening: Option<Opening>) -> AsyncTask<Work<Json>> {
        later(move || restored(&folder, anchors, &copy, &opening.unwrap_or_default()))
    }

    /// As `restore`, at once.
    #[napi(ts_return_type = "Mirrored")]
    pub fn restore_sync(
        env: Env,
        folder: String,
        anchors: String,
        copy: String,
        opening: Option<Opening>,
    ) -> napi::Result<Json> {
        at_once(&env, || restored(&folder, anchors, &copy, &opening.unwrap_or_default()))
    }
}

fn opened(folder: &str, anchors: String, archive: Option<&Path>) -> ledger::Mirror {
    let mirror = ledger::Mirror::open(Path::new(folder), &Anchors::in_folder(anchors));
    archive.into_iter().fold(mirror, ledger::Mirror::with_archive)
}

fn restored(folder: &str, anchors: String, copy: &str, opening: &Opening) -> Result<Json> {
    let (read, copy) = (opening.read()?, LogSource::open(copy)?);
    let mirror = opened(folder, anchors, read.archive());
    Json::of(&mirror.restore(&copy, read.pins(), opening.kek(), &mut |_| {})?)
}

twins! { Mirror, mirror;
    "Pulls what the ledger at `source`, a folder or a URL, has and the copy has not, by `encryptionKey` and `pins` of `opening`."
    pull, pull_sync(
        source: String,
        opening: Option<Opening>,
        #[napi(ts_arg_type = "Time")] now: Option<Json>
    ) -> Json, "Promise<Mirrored>", "Mirrored" => {
        let opening = opening.unwrap_or_default();
        let (read, source) = (opening.read()?, LogSource::open(&source)?);
        Json::of(&mirror.pull(&source, read.pins(), opening.kek(), time(now)?, &mut |_| {})?)
    };

    "How far the copy is behind; nothing is pulled."
    lag, lag_sync(source: String, #[napi(ts_arg_type = "Time")] now: Option<Json>) -> Json, "Promise<Lag>", "Lag" =>
        Json::of(&mirror.lag(&LogSource::open(&source)?, time(now)?)?);
}
