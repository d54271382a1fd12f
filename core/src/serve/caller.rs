//! Who asks: by a client certificate that TLS verified, or by a token of an issuer.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::certificate::CertificateName;
use super::config::{Caller, Config, IssuerConfig, KeySource, TokenMatch};
use super::jwks::Keys;
use super::token::{self, Claims, Issuer};
use crate::address::{Query, service_address};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::limits;
use crate::timestamp::Timestamp;

/// Least time between two fetches of one issuer's keys, however many unknown keys are shown.
const PAUSE: Duration = Duration::from_secs(10);

/// Everybody who is known, and who vouches for them.
pub(super) struct Callers {
    callers: Vec<Arc<Caller>>,
    issuers: Vec<Vouching>,
    keys_age: Duration,
}

/// An issuer with its keys of now.
struct Vouching {
    issuer: Issuer,
    url: Option<reqwest::Url>,
    keys: RwLock<Held>,
    /// When its keys were last asked for.
    asked: tokio::sync::Mutex<Option<Instant>>,
}

struct Held {
    keys: Option<Arc<Keys>>,
    /// When they came, none for those of a file, which hold until the process ends.
    since: Option<Instant>,
}

impl Callers {
    /// Reads the key files of the configuration. Keys behind addresses are not there yet.
    pub(super) fn new(config: &Config) -> Result<Self> {
        Ok(Self {
            callers: config.callers.iter().cloned().map(Arc::new).collect(),
            issuers: config.issuers.iter().map(Vouching::new).collect::<Result<_>>()?,
            keys_age: config.limits.keys_age,
        })
    }

    /// The caller of this name.
    pub(super) fn named(&self, name: &str) -> Option<Arc<Caller>> {
        self.callers.iter().find(|c| c.name == name).cloned()
    }

    /// Fetches the keys of all issuers that have an address, and gives the first fault.
    pub(super) async fn fetch_keys(&self) -> Result<()> {
        let mut first = Ok(());
        for vouching in &self.issuers {
            let fetched = vouching.fetch().await;
            if first.is_ok() {
                first = fetched;
            }
        }
        first
    }

    /// Who showed this certificate and these headers; none if nothing was shown.
    ///
    /// # Errors
    /// Why what was shown is not taken.
    pub(super) async fn identify(
        &self,
        certificate: &[CertificateName],
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<Arc<Caller>>, &'static str> {
        let by_certificate =
            self.callers.iter().find(|c| c.certificate.as_ref().is_some_and(|name| certificate.contains(name)));
        let by_token = match bearer(headers)? {
            Some(token) => {
                let mut claims = self.verify(token, now);
                if claims.as_ref().is_err_and(|why| *why == token::UNKNOWN_KEY) {
                    // the issuer may have new keys
                    for vouching in &self.issuers {
                        let _ = vouching.fetch().await;
                    }
                    claims = self.verify(token, now);
                }
                Some(self.of_claims(&claims?)?)
            }
            None => None,
        };
        match (by_token, by_certificate) {
            (Some(token), Some(certificate)) if token.name != certificate.name => {
                Err("token and certificate are of two callers")
            }
            (Some(caller), _) | (None, Some(caller)) => Ok(Some(Arc::clone(caller))),
            (None, None) if certificate.is_empty() => Ok(None),
            (None, None) => Err("nobody is known by this certificate"),
        }
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, &'static str> {
        let held: Vec<_> = self.issuers.iter().map(|v| (&v.issuer, v.keys(self.keys_age))).collect();
        let issuers: Vec<_> = held.iter().map(|(issuer, keys)| (*issuer, keys.as_deref())).collect();
        token::verify(token, &issuers, now)
    }

    fn of_claims(&self, claims: &Claims) -> Result<&Arc<Caller>, &'static str> {
        let mut matching = self.callers.iter().filter(|c| c.token.as_ref().is_some_and(|t| is_of(claims, t)));
        match (matching.next(), matching.next()) {
            (Some(caller), None) => Ok(caller),
            (None, _) => Err("nobody is known by this token"),
            // who of them it is would be a guess
            (Some(_), Some(_)) => Err("more than one caller is known by this token"),
        }
    }
}

fn is_of(claims: &Claims, demanded: &TokenMatch) -> bool {
    demanded.issuer == claims.issuer
        && demanded.subject.as_ref().is_none_or(|subject| *subject == claims.subject)
        && demanded.claims.iter().all(|(name, text)| claims.all.get(name).and_then(Value::as_str) == Some(text))
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, &'static str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return if headers.contains_key(AUTHORIZATION) {
            Err("more than one `Authorization` is shown")
        } else {
            Ok(None)
        };
    };
    let text = value.to_str().map_err(|_| "`Authorization` is not text")?;
    let (scheme, token) = text.split_once(' ').ok_or("`Authorization` is no bearer token")?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err("`Authorization` is no bearer token");
    }
    Ok(Some(token.trim()))
}

impl Vouching {
    fn new(config: &IssuerConfig) -> Result<Self> {
        let (url, keys) = match &config.keys {
            KeySource::File(path) => {
                let bytes = limits::read_file("keys of the issuer", path, limits::JWKS_BYTES)?;
                let keys = Keys::parse(&bytes).map_err(|e| e.while_doing(format_args!("`{}`", path.display())))?;
                (None, Some(Arc::new(keys)))
            }
            KeySource::Url(url) => (Some(service_address("issuer's key set", url, Query::Refused)?), None),
        };
        let keys = RwLock::new(Held { keys, since: None });
        Ok(Self { issuer: config.issuer.clone(), url, keys, asked: tokio::sync::Mutex::default() })
    }

    /// Its keys, unless they are too old to be believed.
    fn keys(&self, age: Duration) -> Option<Arc<Keys>> {
        let held = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        held.keys.clone().filter(|_| held.since.is_none_or(|since| since.elapsed() <= age))
    }

    /// Asks for its keys, unless that was done just now. Those it had stay until new ones are read whole.
    async fn fetch(&self) -> Result<()> {
        let Some(url) = &self.url else { return Ok(()) };
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < PAUSE) {
            return Ok(());
        }
        *asked = Some(Instant::now());
        let keys = Keys::parse(&get(url).await?)?;
        let mut held = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        *held = Held { keys: Some(Arc::new(keys)), since: Some(Instant::now()) };
        Ok(())
    }
}

async fn get(url: &reqwest::Url) -> Result<Vec<u8>> {
    let failed = |why: String| {
        Error::new(
            ErrorKind::ServiceUnavailable,
            format!("the keys at `{url}` could not be fetched: {why}; check the address and the issuer"),
        )
    };
    let unreachable = |e: reqwest::Error| failed(e.without_url().to_string());
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_millis(limits::SERVICE_CONNECT_MILLIS))
        .timeout(Duration::from_millis(limits::SERVICE_MILLIS))
        .build()
        .map_err(unreachable)?;
    let mut response = http.get(url.clone()).send().await.map_err(unreachable)?;
    if !response.status().is_success() {
        return Err(failed(format!("it answered {}", response.status().as_u16())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if (body.len() + chunk.len()) as u64 > limits::JWKS_BYTES {
            return Err(failed(format!("the answer is over {} bytes", limits::JWKS_BYTES)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
