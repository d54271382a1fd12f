//! Chooses an image of what `docker save` wrote before it wrote image layouts: `manifest.json`, a config for each image, and
//! layers by paths. Configs are named by their digest, and layers held against the digests in the config (moby
//! image/spec/v1.2, "Combined Image JSON + Filesystem Changeset Format").

use std::collections::BTreeSet;

use serde::Deserialize;

use super::choice::{self, Choice};
use super::layer::Layer;
use super::layout::Config;
use super::source::Source;
use super::{Chosen, Id, blob};
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

pub(super) fn choose(source: &mut Source, choice: &Choice) -> Result<Chosen> {
    let mut files = source.read(&BTreeSet::from(["manifest.json".to_owned()]), limits::OCI_MANIFEST_BYTES)?;
    let items: Vec<Item> = json::parse("`manifest.json`", &files.remove("manifest.json").unwrap_or_default())?;
    if items.len() > limits::OCI_ENTRIES {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the archive holds over {} images; write a smaller one", limits::OCI_ENTRIES),
        ));
    }
    let mut found = Vec::new();
    let mut listed = BTreeSet::new();
    let mut left = limits::IMAGE_MANIFESTS_BYTES;
    for item in items {
        let id = id_of(&item.config)?;
        let names: BTreeSet<String> = item.repo_tags.unwrap_or_default().into_iter().collect();
        let config = config(source, &item.config, &id, &mut left)?;
        let platform = config.platform();
        listed.insert(choice::line(&id, Some(&platform), &names));
        let is_meant = choice.has_digest(std::iter::once(&id))
            && choice.has_tag(&names)
            && choice.platform.as_ref().is_none_or(|asked| asked.is(&platform));
        if !is_meant || found.iter().any(|known: &Chosen| *known.id.digest() == id) {
            continue;
        }
        let places = item.layers.unwrap_or_default();
        let ids = config.diff_ids(places.len())?;
        let layers = places
            .iter()
            .zip(ids)
            .map(|(place, id)| Ok(Layer::of_path(source.find(place)?.ok_or_else(|| absent(place))?, id)));
        let layers = layers.collect::<Result<_>>()?;
        found.push(Chosen { id: Id::Config(id), names, platform, layers });
    }
    choice.only(found, &listed)
}

/// The id of the image whose config lies there: writers name it `<hex>.json`, `sha256:<hex>` or by its place as a blob.
fn id_of(path: &str) -> Result<Digest> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let hex = name.strip_suffix(".json").unwrap_or(name);
    let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
    Digest::from_hex(Algorithm::Sha256, hex).map_err(|_| {
        Error::new(
            ErrorKind::Malformed,
            format!(
                "the archive names a config `{}`; expected it to have its digest in its name, as `<hex>.json`",
                path.escape_debug()
            ),
        )
    })
}

fn config(source: &mut Source, path: &str, id: &Digest, left: &mut u64) -> Result<Config> {
    let place = source.find(path)?.ok_or_else(|| absent(path))?;
    let mut files = source.read(&BTreeSet::from([place.clone()]), (*left).min(limits::OCI_MANIFEST_BYTES))?;
    let bytes = files.remove(&place).ok_or_else(|| absent(path))?;
    *left = left.saturating_sub(bytes.len() as u64);
    blob::Hashed::new(&*bytes, id)?.finish("the config of the image", id)?;
    Config::parse(&bytes)
}

fn absent(path: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("the archive names `{}` and does not hold it; write it anew", path.escape_debug()),
    )
}
