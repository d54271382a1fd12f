//! What is told of a bucket and its database.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use object_store::aws::AmazonS3ConfigKey;
use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::address::is_here;
use crate::error::{Error, ErrorKind, Result};

/// A bucket of S3-compatible storage and the database beside it, as a file in TOML describes them.
///
/// ```
/// use sealwright::ledger::BucketPlace;
///
/// let place = BucketPlace::from_toml(
///     br#"
///     bucket = "s3://evidence/shop"
///     database = "postgres://sequencer@db.example.org/sealwright"
///     region = "eu-central-1"
///     retain-days = 3650
///     retain-mode = "compliance"
///     "#,
/// )?
/// .with_variable("AWS_ACCESS_KEY_ID", "an id")?
/// .with_variable("AWS_SECRET_ACCESS_KEY", "a secret")?;
/// assert_eq!(place.to_string(), "s3://evidence/shop");
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone)]
pub struct BucketPlace {
    wire: Wire,
    bucket: String,
    /// Empty, or ending in `/`.
    prefix: String,
    pub(super) variables: Vec<(AmazonS3ConfigKey, Zeroizing<String>)>,
    pub(super) password: Option<Zeroizing<String>>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Wire {
    bucket: String,
    database: String,
    schema: Option<String>,
    endpoint: Option<String>,
    region: Option<String>,
    #[serde(default)]
    path_style: bool,
    retain_days: Option<u32>,
    retain_mode: Option<RetainMode>,
    #[serde(default = "timeout")]
    timeout_seconds: u64,
    #[serde(default = "retries")]
    retries: usize,
}

/// Who may shorten a lock on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RetainMode {
    /// Who has the right to.
    Governance,
    /// Nobody.
    Compliance,
}

/// How long bodies and attachments can't be removed once they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retain {
    pub(super) mode: RetainMode,
    pub(super) days: u32,
}

fn timeout() -> u64 {
    30
}

fn retries() -> usize {
    5
}

impl BucketPlace {
    /// Variables that say what a description does not: credentials, and what AWS's own tools read beside them.
    pub const VARIABLES: &[&str] = &[
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "PGPASSWORD",
    ];

    /// Reads a description: `bucket` (`s3://name/prefix`) and `database` (`postgres://user@host/name`), and, where the
    /// defaults are not right, `schema`, `endpoint`, `region`, `path-style`, `retain-days` with `retain-mode`
    /// (`governance` or `compliance`), `timeout-seconds` (30) and `retries` (5).
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known and for a password in an address.
    pub fn from_toml(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let wire: Wire = toml::from_str(text).map_err(|e| malformed(e.message()))?;
        let place = wire
            .bucket
            .strip_prefix("s3://")
            .ok_or_else(|| malformed("`bucket` is written as `s3://name` or `s3://name/prefix`"))?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_end_matches('/');
        let plain = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.=".contains(c))
                && !part.chars().all(|c| c == '.')
        };
        if !plain(bucket) || !(prefix.is_empty() || prefix.split('/').all(plain)) {
            return Err(malformed("the parts of `bucket` are letters, digits, `-`, `_`, `.` and `=`"));
        }
        if !(1..=3600).contains(&wire.timeout_seconds) || wire.retries > 100 {
            return Err(malformed("`timeout-seconds` is from 1 to 3600, and `retries` at most 100"));
        }
        if wire.retain_days.is_some() != wire.retain_mode.is_some() || wire.retain_days == Some(0) {
            return Err(malformed("`retain-days`, from 1, and `retain-mode` belong together"));
        }
        if let Some(schema) = &wire.schema {
            let own = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if schema.is_empty() || schema.len() > 63 || !schema.chars().all(own) || schema.starts_with("pg_") {
                return Err(malformed(
                    "`schema` is up to 63 lower-case letters, digits and `_`, not beginning with `pg_`",
                ));
            }
        }
        if let Some(endpoint) = &wire.endpoint {
            check_endpoint(endpoint)?;
        }
        let database: tokio_postgres::Config = wire.database.parse().map_err(|_| {
            // what can't be read may hold a password, so neither it nor the reason is repeated
            malformed("`database` is no address of a PostgreSQL database; write it as `postgres://user@host/name`")
        })?;
        if database.get_password().is_some() {
            return Err(malformed("a password does not belong into `database`; give it as `PGPASSWORD`"));
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let bucket = bucket.to_owned();
        Ok(Self { wire, bucket, prefix, variables: Vec::new(), password: None })
    }

    /// Gives one of [`Self::VARIABLES`]. A later one of the same name wins; what the description says itself wins over it.
    ///
    /// # Errors
    /// `API_MISUSE` for another name, `MALFORMED` for an endpoint that is no safe address.
    pub fn with_variable(mut self, name: &str, value: &str) -> Result<Self> {
        let value = Zeroizing::new(value.to_owned());
        if !Self::VARIABLES.contains(&name) {
            let what = format!("`{}` is not among the variables of a bucket", name.escape_debug());
            return Err(Error::new(ErrorKind::ApiMisuse, what));
        }
        if name == "PGPASSWORD" {
            self.password = Some(value);
            return Ok(self);
        }
        if name == "AWS_ENDPOINT_URL" {
            check_endpoint(&value)?;
        }
        let key = AmazonS3ConfigKey::from_str(&name.to_ascii_lowercase()).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("the variable `{name}` is not known to the client")).caused_by(e)
        })?;
        self.variables.push((key, value));
        Ok(self)
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn endpoint(&self) -> Option<&str> {
        self.wire.endpoint.as_deref()
    }

    pub(super) fn region(&self) -> Option<&str> {
        self.wire.region.as_deref()
    }

    pub(super) fn path_style(&self) -> bool {
        self.wire.path_style
    }

    pub(super) fn database(&self) -> &str {
        &self.wire.database
    }

    pub(super) fn schema(&self) -> Option<&str> {
        self.wire.schema.as_deref()
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.wire.timeout_seconds)
    }

    pub(super) fn retries(&self) -> usize {
        self.wire.retries
    }

    pub(super) fn retain(&self) -> Option<Retain> {
        Some(Retain { mode: self.wire.retain_mode?, days: self.wire.retain_days? })
    }
}

/// Addresses without credentials, and no more.
impl fmt::Display for BucketPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        match self.prefix.trim_end_matches('/') {
            "" => Ok(()),
            prefix => write!(f, "/{prefix}"),
        }
    }
}

impl fmt::Debug for BucketPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BucketPlace").field(&self.to_string()).finish()
    }
}

fn check_endpoint(endpoint: &str) -> Result<()> {
    // what is refused may hold a password, so it is not repeated
    let refused = |why| malformed(&format!("the endpoint is no address of a storage service: {why}"));
    let url = Url::parse(endpoint).map_err(|_| refused("write it as `https://host`"))?;
    let here = url.host_str().is_some_and(is_here);
    if !(url.scheme() == "https" || (url.scheme() == "http" && here)) {
        return Err(refused("it must be `https`; `http` is spoken to this machine alone"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it holds more than a host and a path"));
    }
    Ok(())
}

fn malformed(why: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("the description of the ledger's place can't be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &str) -> Result<BucketPlace> {
        let text = format!("bucket = \"s3://evidence/a/b\"\ndatabase = \"postgres://ann@db.example.org/x\"\n{more}");
        BucketPlace::from_toml(text.as_bytes())
    }

    #[test]
    fn a_description_is_read_strictly() {
        let place =
            read("endpoint = \"http://127.0.0.1:9000\"\nretain-days = 7\nretain-mode = \"compliance\"").unwrap();
        assert_eq!((place.bucket(), place.prefix()), ("evidence", "a/b/"));
        assert_eq!(place.retain(), Some(Retain { mode: RetainMode::Compliance, days: 7 }));
        for bad in [
            "unknown = 1",
            "endpoint = \"http://storage.example.org\"",
            "endpoint = \"https://ann:secret@storage.example.org\"",
            "retain-days = 7",
            "retain-mode = \"governance\"",
            "retain-days = 0\nretain-mode = \"governance\"",
            "schema = \"a; drop table x\"",
            "schema = \"pg_catalog\"",
            "timeout-seconds = 0",
            "retries = 1000",
        ] {
            assert_eq!(read(bad).unwrap_err().code(), "MALFORMED", "{bad}");
        }
        for bucket in ["evidence", "s3://", "s3:///a", "s3://a/../b", "s3://a/b//c", "s3://a b", "https://a/b"] {
            let text = format!("bucket = \"{bucket}\"\ndatabase = \"postgres://db.example.org/x\"");
            assert_eq!(BucketPlace::from_toml(text.as_bytes()).unwrap_err().code(), "MALFORMED", "{bucket}");
        }
    }

    #[test]
    fn a_variable_that_is_none_of_a_bucket_is_refused() {
        let place = read("").unwrap();
        assert_eq!(place.clone().with_variable("HOME", "/").unwrap_err().code(), "API_MISUSE");
        let endpoint = place.clone().with_variable("AWS_ENDPOINT_URL", "http://storage.example.org");
        assert_eq!(endpoint.unwrap_err().code(), "MALFORMED");
        for name in BucketPlace::VARIABLES.iter().filter(|name| **name != "AWS_ENDPOINT_URL") {
            place.clone().with_variable(name, "value").unwrap();
        }
    }
}
