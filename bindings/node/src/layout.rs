//! Classic in-toto layouts.

use std::collections::HashMap;
use std::path::Path;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Either, Uint8Array};
use napi_derive::napi;
use sealwright::Result;
use sealwright::layout::{self, LayoutExpectation, LayoutKey};

use crate::data::{Json, now};
use crate::work::{Work, at_once, later};

/// A folder of links, or links by name.
enum Links {
    Folder(String),
    Named(layout::Links),
}

impl From<Either<String, HashMap<String, Uint8Array>>> for Links {
    fn from(given: Either<String, HashMap<String, Uint8Array>>) -> Self {
        match given {
            Either::A(folder) => Self::Folder(folder),
            Either::B(links) => {
                let all = layout::Links::new();
                Self::Named(links.into_iter().fold(all, |all, (name, link)| all.with(name, link.to_vec())))
            }
        }
    }
}

/// Verifies a layout that all `owners` must have signed, and its links. No command of it is ever run.
///
/// `owners` are key files as text: PEM, or the JSON of securesystemslib. `links` is the folder they lie in, or their bytes
/// by name.
#[napi(namespace = "layout", js_name = "verify", ts_return_type = "Promise<VerifiedLayout>")]
pub fn layout_verify(
    layout: &[u8],
    owners: Vec<String>,
    links: Either<String, HashMap<String, Uint8Array>>,
    #[napi(ts_arg_type = "LayoutExpectation")] expectation: Json,
) -> AsyncTask<Work<Json>> {
    let (layout, links) = (layout.to_vec(), Links::from(links));
    later(move || verified(&layout, &owners, links, &expectation))
}

/// As `verify`, at once.
#[napi(namespace = "layout", js_name = "verifySync", ts_return_type = "VerifiedLayout")]
pub fn layout_verify_sync(
    env: Env,
    layout: &[u8],
    owners: Vec<String>,
    links: Either<String, HashMap<String, Uint8Array>>,
    #[napi(ts_arg_type = "LayoutExpectation")] expectation: Json,
) -> napi::Result<Json> {
    at_once(&env, || verified(layout, &owners, links.into(), &expectation))
}

fn verified(layout: &[u8], owners: &[String], links: Links, expectation: &Json) -> Result<Json> {
    let owners = owners.iter().map(|key| LayoutKey::parse(key.as_bytes())).collect::<Result<Vec<_>>>()?;
    let links = match links {
        Links::Folder(folder) => layout::Links::of_folder(Path::new(&folder))?,
        Links::Named(links) => links,
    };
    let expectation = LayoutExpectation::from_json(expectation.as_bytes(), now(None)?)?;
    Json::of(&layout::verify(layout, &owners, &links, &expectation)?)
}
