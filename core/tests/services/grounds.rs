//! Places for ledgers in tests: a folder, and buckets of real servers with a real database.

use std::path::Path;

use sealwright::ledger::{BucketPlace, Place};
use serde_json::Value;

/// Where a ledger is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    Folder,
    Versitygw,
    /// Versitygw, with a ledger that is encrypted.
    Encrypted,
    Seaweedfs,
}

/// How a bucket is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) bucket: &'static str,
    /// In the place of the server itself, such as a proxy before it.
    pub(crate) endpoint: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) timeout: u64,
    pub(crate) retries: usize,
    pub(crate) more: &'static str,
}

impl Default for Way {
    fn default() -> Self {
        Self { bucket: "plain", endpoint: None, database: None, timeout: 20, retries: 5, more: "" }
    }
}

impl Ground {
    /// A place that belongs to whoever has `dir`.
    pub(crate) fn place(self, dir: &Path) -> Place {
        self.place_by(dir, &Way::default())
    }

    pub(crate) fn place_by(self, dir: &Path, way: &Way) -> Place {
        if self == Self::Folder {
            return Place::Folder(dir.join("ledger"));
        }
        Place::Bucket(Box::new(bucket(&self.description(dir, way))))
    }

    /// The same as a file in TOML describes it.
    pub(crate) fn description(self, dir: &Path, way: &Way) -> String {
        let name = dir.file_name().unwrap().to_str().unwrap().trim_start_matches('.').to_owned();
        let endpoint = way.endpoint.clone().unwrap_or_else(|| self.endpoint());
        let database = way.database.clone().unwrap_or_else(|| fact("/postgres/url"));
        format!(
            "bucket = \"s3://{}/{name}\"\ndatabase = \"{database}\"\nendpoint = \"{endpoint}\"\nregion = \"us-east-1\"\n\
             path-style = true\ntimeout-seconds = {}\nretries = {}\n{}",
            way.bucket, way.timeout, way.retries, way.more
        )
    }

    pub(crate) fn endpoint(self) -> String {
        fact(match self {
            Self::Folder => panic!("a folder has no endpoint"),
            Self::Versitygw | Self::Encrypted => "/buckets/versitygw",
            Self::Seaweedfs => "/buckets/seaweedfs",
        })
    }
}

/// A bucket by its description, with the credentials of the test's servers.
pub(crate) fn bucket(description: &str) -> BucketPlace {
    BucketPlace::from_toml(description.as_bytes())
        .unwrap()
        .with_variable("AWS_ACCESS_KEY_ID", &fact("/buckets/access_key"))
        .unwrap()
        .with_variable("AWS_SECRET_ACCESS_KEY", &fact("/buckets/secret_key"))
        .unwrap()
}

/// One text of `services.json`.
pub(crate) fn fact(pointer: &str) -> String {
    facts(pointer).as_str().unwrap_or_else(|| panic!("{pointer} is no text")).to_owned()
}

/// The same, of any kind.
pub(crate) fn facts(pointer: &str) -> Value {
    let file = std::env::var_os("SEALWRIGHT_SERVICES")
        .expect("SEALWRIGHT_SERVICES names no services.json: run `make test-services`");
    let facts: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    facts.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}")).clone()
}
