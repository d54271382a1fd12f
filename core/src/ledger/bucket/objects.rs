//! Objects of a bucket: bounded reads, conditional writes, removal that leaves no version behind.
//!
//! `object_store` reads, lists, uploads in parts, finds credentials and signs. What it can't say we send ourselves, signed
//! by it ([`super::signed`]): a lock on a new object, and what concerns versions. All writing of whole objects goes that
//! way, so that there is one rule for what is tried again.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::signer::{HeaderMap, HeaderName, HeaderValue, Method};
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, MultipartUpload, ObjectStore as _, ObjectStoreExt as _,
    RetryConfig,
};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use super::settings::{BucketPlace, Retain, RetainMode};
use crate::address::is_here;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::timestamp::Timestamp;

/// Objects under one prefix of one bucket. A copy is the same.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) s3: AmazonS3,
    pub(super) http: reqwest::Client,
    pub(super) place: String,
    pub(super) timeout: Duration,
    pub(super) retries: usize,
    prefix: String,
    retain: Option<Retain>,
    versioned: OnceCell<bool>,
    /// Whether it was seen that the bucket can lock.
    pub(super) lockable: OnceCell<()>,
}

/// Over what an object may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Nothing: there must be no object of the name (`If-None-Match: *`).
    Nothing,
    /// The object with this ETag (`If-Match`).
    This(String),
    /// Whatever is there.
    Anything,
}

/// How a write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It was written; the ETag, if the service told it.
    Written(Option<String>),
    /// What is there is not what it may be written over. After a lost answer that may be what was just written.
    Refused,
}

/// Whether an object is kept until a date, where the place says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// As many days from now as the place says.
    Retained,
    /// As long as what has its name now; from now on if there is none.
    AsBefore,
    Freely,
}

/// Names of one page of a list.
pub(super) const PAGE: usize = 1000;
/// Requests that are under way at once.
pub(super) const AT_ONCE: usize = 16;

impl Objects {
    pub(super) fn new(place: &BucketPlace) -> Result<Self> {
        let unusable = |e: object_store::Error| {
            let what = format!("the bucket `{place}` can't be used with these settings: {}", shown(&e.to_string()));
            Error::new(ErrorKind::Malformed, what)
        };
        let mut builder = AmazonS3Builder::new();
        for (key, value) in &place.variables {
            builder = builder.with_config(*key, value.as_str());
        }
        if let Some(region) = place.region() {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = place.endpoint() {
            builder = builder.with_endpoint(endpoint);
        }
        let endpoint = builder.get_config_value(&object_store::aws::AmazonS3ConfigKey::Endpoint);
        let host = endpoint.as_deref().and_then(|e| reqwest::Url::parse(e).ok());
        let here = host.as_ref().and_then(reqwest::Url::host_str).is_some_and(is_here);
        let timeout = place.timeout();
        let options = ClientOptions::new()
            .with_allow_http(here)
            .with_connect_timeout(Duration::from_millis(limits::SERVICE_CONNECT_MILLIS))
            // of each read: the whole of a large object may take longer
            .with_timeout_disabled()
            .with_read_timeout(timeout);
        let s3 = builder
            .with_bucket_name(place.bucket())
            .with_virtual_hosted_style_request(!(place.path_style() || here))
            .with_client_options(options)
            .with_retry(RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: Duration::from_millis(50),
                    max_backoff: Duration::from_secs(5),
                    base: 2.0,
                },
                max_retries: place.retries(),
                retry_timeout: timeout.saturating_mul(4),
            })
            .build()
            .map_err(unusable)?;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_millis(limits::SERVICE_CONNECT_MILLIS))
            .user_agent(concat!("sealwright/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Error::new(ErrorKind::Internal, "could not prepare to speak to a bucket").caused_by(e))?;
        let inner = Inner {
            s3,
            http,
            place: place.to_string(),
            timeout,
            retries: place.retries(),
            prefix: place.prefix().to_owned(),
            retain: place.retain(),
            versioned: OnceCell::new(),
            lockable: OnceCell::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.inner.prefix)
    }

    pub(super) fn path(&self, name: &str) -> Path {
        Path::from(self.key(name))
    }

    /// The whole object and its ETag, none if it is not there.
    pub(super) async fn get(&self, name: &str, limit: u64) -> Result<Option<(Bytes, Option<String>)>> {
        self.get_some(name, limit, None).await
    }

    /// What an object begins with.
    pub(super) async fn beginning(&self, name: &str, length: u64) -> Result<Option<Bytes>> {
        let range = Some(GetRange::Bounded(0..length));
        Ok(self.get_some(name, length, range).await?.map(|(bytes, _)| bytes))
    }

    async fn get_some(
        &self,
        name: &str,
        limit: u64,
        range: Option<GetRange>,
    ) -> Result<Option<(Bytes, Option<String>)>> {
        let mut tries = 0;
        loop {
            let options = GetOptions { range: range.clone(), ..GetOptions::default() };
            let found = match self.inner.s3.get_opts(&self.path(name), options).await {
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                found => found.map_err(|e| self.failed("read", name, e))?,
            };
            let length = found.range.end.saturating_sub(found.range.start);
            if length > limit {
                let what = format!("`{name}` in the bucket has {length} bytes, and at most {limit} are read");
                return Err(Error::new(ErrorKind::LimitExceeded, what));
            }
            let tag = found.meta.e_tag.clone();
            match collect(found.into_stream(), length).await {
                Ok(bytes) => return Ok(Some((bytes, tag))),
                Err(_) if tries < self.inner.retries => {}
                Err(e) => return Err(self.failed("read", name, e)),
            }
            tries += 1;
            tokio::time::sleep(pause(tries)).await;
        }
    }

    /// The object as a stream, with its length.
    pub(super) async fn stream(
        &self,
        name: &str,
    ) -> Result<Option<(BoxStream<'static, object_store::Result<Bytes>>, u64)>> {
        match self.inner.s3.get(&self.path(name)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            found => {
                let found = found.map_err(|e| self.failed("read", name, e))?;
                let size = found.meta.size;
                Ok(Some((found.into_stream(), size)))
            }
        }
    }

    pub(super) async fn size(&self, name: &str) -> Result<Option<u64>> {
        match self.inner.s3.head(&self.path(name)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            found => Ok(Some(found.map_err(|e| self.failed("look at", name, e))?.size)),
        }
    }

    /// Objects under `prefix` after the name `after`, in the order of names: one page.
    pub(super) async fn page(&self, prefix: &str, after: Option<String>) -> Result<Vec<(String, u64)>> {
        let under = self.path(prefix.trim_end_matches('/'));
        let found = match &after {
            Some(after) => self.inner.s3.list_with_offset(Some(&under), &self.path(after)),
            None => self.inner.s3.list(Some(&under)),
        };
        let found: Vec<_> = found.take(PAGE).try_collect().await.map_err(|e| self.failed("list", prefix, e))?;
        let name = |path: &Path| path.as_ref().strip_prefix(&self.inner.prefix).unwrap_or(path.as_ref()).to_owned();
        Ok(found.iter().map(|object| (name(&object.location), object.size)).collect())
    }

    /// All names under `prefix`.
    pub(super) async fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let page = self.page(prefix, names.last().cloned()).await?;
            let full = page.len() == PAGE;
            names.extend(page.into_iter().map(|(name, _)| name));
            if !full {
                return Ok(names);
            }
        }
    }

    /// Writes a whole object.
    ///
    /// A write is tried again after what may pass: no connection, no answer in time, 408, 409, 429 and 5xx.
    pub(super) async fn put(&self, name: &str, bytes: Bytes, over: Over, kept: Kept) -> Result<Put> {
        let mut headers = HeaderMap::new();
        let sum = STANDARD.encode(Sha256::digest(&bytes));
        self.set(&mut headers, "x-amz-checksum-sha256", &sum)?;
        match &over {
            Over::Nothing => self.set(&mut headers, "if-none-match", "*")?,
            Over::This(tag) => self.set(&mut headers, "if-match", tag)?,
            Over::Anything => {}
        }
        if let Some(retain) = self.inner.retain
            && let Some(until) = self.kept_until(name, &over, kept, retain).await?
        {
            self.set(&mut headers, "x-amz-object-lock-mode", retain.mode.name())?;
            self.set(&mut headers, "x-amz-object-lock-retain-until-date", &until)?;
        }
        let answer = self.send(Method::PUT, self.path(name), Vec::new(), headers, bytes).await?;
        match answer.status {
            200..=299 => Ok(Put::Written(answer.tag)),
            // 404 is what some say to If-Match where nothing is
            412 | 304 => Ok(Put::Refused),
            404 if matches!(over, Over::This(_)) && answer.code != "NoSuchBucket" => Ok(Put::Refused),
            _ => Err(self.refused("write", name, &answer)),
        }
    }

    /// Until when an object that is written now is kept, if it is.
    async fn kept_until(&self, name: &str, over: &Over, kept: Kept, retain: Retain) -> Result<Option<String>> {
        match kept {
            Kept::Freely => return Ok(None),
            Kept::AsBefore if *over != Over::Nothing => {}
            _ => return retain.until(0).map(Some),
        }
        let answer = self.send(Method::HEAD, self.path(name), Vec::new(), HeaderMap::new(), Bytes::new()).await?;
        match answer.status {
            404 => retain.until(0).map(Some),
            200..=299 => {
                let until: Option<Timestamp> = answer.locked_until.as_deref().and_then(|until| until.parse().ok());
                let now = present()?;
                Ok(until.filter(|until| *until > now).map(|until| until.to_string()))
            }
            _ => Err(self.refused("look at", name, &answer)),
        }
    }

    /// Begins an object of unknown length.
    pub(super) async fn begin(&self, name: &str) -> Result<Box<dyn MultipartUpload>> {
        self.inner.s3.put_multipart(&self.path(name)).await.map_err(|e| self.failed("write", name, e))
    }

    /// Whether objects are locked here.
    pub(super) fn locks(&self) -> bool {
        self.inner.retain.is_some()
    }

    /// Locks an object that is there, where the place says so, for so many days longer than one that is written now.
    pub(super) async fn retain(&self, name: &str, longer: u32) -> Result<()> {
        let Some(retain) = self.inner.retain else { return Ok(()) };
        let body = format!(
            "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>{}</Mode><RetainUntilDate>{}\
             </RetainUntilDate></Retention>",
            retain.mode.name(),
            retain.until(longer)?
        );
        let mut headers = HeaderMap::new();
        self.set(&mut headers, "x-amz-checksum-sha256", &STANDARD.encode(Sha256::digest(&body)))?;
        let query = vec![("retention".to_owned(), String::new())];
        let answer = self.send(Method::PUT, self.path(name), query, headers, body.into()).await?;
        if answer.is_success() { Ok(()) } else { Err(self.refused("lock", name, &answer)) }
    }

    /// Removes objects with all their versions. What is not there is no error.
    pub(super) async fn remove(&self, names: Vec<String>) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let versioned = *self.inner.versioned.get_or_try_init(|| self.is_versioned()).await?;
        let done: Vec<Result<()>> = stream::iter(names)
            .map(|name| {
                let own = self.clone();
                async move { if versioned { own.remove_versions(&name).await } else { own.delete(&name, None).await } }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        done.into_iter().collect()
    }

    async fn remove_versions(&self, name: &str) -> Result<()> {
        for version in self.versions(name).await? {
            self.delete(name, Some(version)).await?;
        }
        Ok(())
    }

    async fn delete(&self, name: &str, version: Option<String>) -> Result<()> {
        let query = version.into_iter().map(|version| ("versionId".to_owned(), version)).collect();
        let answer = self.send(Method::DELETE, self.path(name), query, HeaderMap::new(), Bytes::new()).await?;
        if answer.is_success() || answer.status == 404 {
            return Ok(());
        }
        Err(self.refused("remove", name, &answer))
    }

    pub(super) fn set(&self, headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<()> {
        let value = HeaderValue::from_str(value).map_err(|_| {
            let place = &self.inner.place;
            let what = format!("the bucket `{place}` gave an ETag that is no header value; see what is wrong with it");
            Error::new(ErrorKind::ServiceUnavailable, what)
        })?;
        headers.insert(HeaderName::from_static(name), value);
        Ok(())
    }

    pub(super) fn failed(&self, what: &str, name: &str, e: object_store::Error) -> Error {
        use object_store::Error as Cause;
        let place = &self.inner.place;
        let (kind, advice) = match &e {
            Cause::PermissionDenied { .. } | Cause::Unauthenticated { .. } => {
                (ErrorKind::PermissionDenied, "give credentials that may")
            }
            Cause::NotFound { .. } => (ErrorKind::NotFound, "see whether the bucket is there"),
            _ => (ErrorKind::ServiceUnavailable, "see whether the storage works, and try again"),
        };
        let of = if name.is_empty() { String::new() } else { format!(" `{name}`") };
        let text = format!("could not {what}{of} in `{place}`: {}; {advice}", told(&e));
        Error::new(kind, text).with("place", place).caused_by(e)
    }
}

impl RetainMode {
    fn name(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

impl Retain {
    /// The date until which an object that is written now is kept, and so many days longer.
    fn until(self, longer: u32) -> Result<String> {
        let days = i64::from(self.days) + i64::from(longer);
        let until = present()?.unix_millis().saturating_add(days * 86_400_000);
        Ok(Timestamp::from_unix_millis(until)?.to_string())
    }
}

fn present() -> Result<Timestamp> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a lock is counted from the present of the service, as is the signature of the same request"
    )]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis());
    Timestamp::from_unix_millis(i64::try_from(since).unwrap_or(i64::MAX))
}

async fn collect(
    mut stream: BoxStream<'static, object_store::Result<Bytes>>,
    length: u64,
) -> object_store::Result<Bytes> {
    let cut = || object_store::Error::Generic { store: "S3", source: "the answer was cut short".into() };
    let mut all = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    while let Some(chunk) = stream.try_next().await? {
        if (all.len() as u64).saturating_add(chunk.len() as u64) > length {
            return Err(cut());
        }
        all.extend_from_slice(&chunk);
    }
    if all.len() as u64 == length { Ok(all.into()) } else { Err(cut()) }
}

/// How long to wait before the next of several tries: twice as long each time, up to five seconds.
pub(super) fn pause(tries: usize) -> Duration {
    let doubled = 50_u64.saturating_mul(1 << tries.min(7));
    Duration::from_millis(doubled.min(5_000))
}

/// What an error of a client says, and what it comes from in the end, such as a certificate that is not believed.
pub(super) fn told(e: &dyn std::error::Error) -> String {
    let text = shown(&e.to_string());
    let mut last = e;
    while let Some(cause) = last.source() {
        last = cause;
    }
    let root = shown(&last.to_string());
    if text.contains(&root) { text } else { format!("{text}: {root}") }
}

/// What somebody else said, short and printable.
pub(super) fn shown(text: &str) -> String {
    let mut plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    plain.truncate(plain.trim_end().len());
    plain
}
