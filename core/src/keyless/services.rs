//! Which services sign: from a signing configuration, or named one by one.

use reqwest::Url;
use sigstore_trust_root::{
    SIGNING_CONFIG_MEDIA_TYPE, SIGSTORE_PRODUCTION_SIGNING_CONFIG, SIGSTORE_STAGING_SIGNING_CONFIG,
    ServiceConfiguration, ServiceEndpoint, ServiceSelector, SigningConfig,
};

use super::http::service_url;
use super::token::AUDIENCE;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::timestamp::Timestamp;

/// Says that the caller knows what a signature by the public-good instance does: the e-mail address, or the identity of
/// the workflow, that the token names is written into public logs, which never forget. Demanded by name, so that it
/// can't happen by default.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "it is written down to be said, and says one thing")]
pub struct MyIdentityIsPublishedForEver;

impl MyIdentityIsPublishedForEver {
    /// How it is written where it is data.
    pub const WRITTEN: &str = "my-identity-is-published-for-ever";
}

impl std::str::FromStr for MyIdentityIsPublishedForEver {
    type Err = Error;

    /// Reads [`MyIdentityIsPublishedForEver::WRITTEN`]; anything else is `API_MISUSE`.
    fn from_str(text: &str) -> Result<Self> {
        if text == Self::WRITTEN {
            return Ok(Self);
        }
        Err(Error::new(
            ErrorKind::ApiMisuse,
            format!(
                "Sigstore's public-good instance publishes the signer's e-mail address or workflow for ever; say \
                 `{}` to ask for it, or use services of your own",
                Self::WRITTEN
            ),
        ))
    }
}

/// The services that make a keyless signature: a certificate authority, transparency logs, timestamp authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services {
    pub(super) authority: Url,
    pub(super) logs: Vec<(Url, LogVersion)>,
    pub(super) timestamp_authorities: Vec<Url>,
    pub(super) audience: String,
}

/// Which protocol a transparency log speaks.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogVersion {
    /// Rekor v1: a JSON service that signs a time into its answer.
    V1,
    /// Rekor v2: a tile log. It signs no time, so that a timestamp authority is needed.
    V2,
}

impl Services {
    /// These services: the addresses of a Fulcio, and of a Rekor that speaks `version`.
    ///
    /// # Errors
    /// `MALFORMED` for what is no address of a service: it is `https`, or `http` to this machine. `API_MISUSE` for the
    /// public-good instance, see [`Services::public_good`].
    pub fn new(authority: &str, log: &str, version: LogVersion) -> Result<Self> {
        Self {
            authority: service_url(AUTHORITY, authority)?,
            logs: vec![(service_url(LOG, log)?, version)],
            timestamp_authorities: Vec::new(),
            audience: AUDIENCE.to_owned(),
        }
        .not_public_good()
    }

    /// Asks this RFC 3161 timestamp authority, too; the whole address is given. Such an authority publishes nothing.
    ///
    /// # Errors
    /// `MALFORMED` for what is no address of a service.
    pub fn with_timestamp_authority(mut self, url: &str) -> Result<Self> {
        self.timestamp_authorities.push(service_url(TSA, url)?);
        Ok(self)
    }

    /// Wants tokens for this audience in place of [`AUDIENCE`].
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// The services of a signing configuration v0.2 (sigstore/protobuf-specs, sigstore_trustroot.proto) that are in use
    /// at `now`: of each operator the highest version, and of these as many as the configuration says.
    ///
    /// # Errors
    /// `MALFORMED`, `UNSUPPORTED` for another version, `NOT_FOUND` if not enough services are in use, `API_MISUSE` for
    /// the public-good instance, see [`Services::public_good`].
    pub fn from_signing_config(config: &[u8], now: Timestamp) -> Result<Self> {
        Self::select(config, now)?.not_public_good()
    }

    /// Sigstore's public-good instance, by `config` (such as a newer one that its TUF repository had), else by the copy
    /// that this library carries.
    ///
    /// # Errors
    /// As [`Services::from_signing_config`].
    pub fn public_good(_: MyIdentityIsPublishedForEver, config: Option<&[u8]>, now: Timestamp) -> Result<Self> {
        Self::select(config.unwrap_or(SIGSTORE_PRODUCTION_SIGNING_CONFIG.as_bytes()), now)
    }

    /// Sigstore's staging instance, by the copy that this library carries. It is public, and for tests; what it signed
    /// is trusted nowhere, and may be published as long as it lives.
    ///
    /// # Errors
    /// As [`Services::from_signing_config`].
    pub fn staging(now: Timestamp) -> Result<Self> {
        Self::select(SIGSTORE_STAGING_SIGNING_CONFIG.as_bytes(), now)
    }

    /// The audience that a token must be for.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The addresses that a signature goes through, in this order, for those who want to see them before.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let logs = self.logs.iter().map(|(url, _)| url);
        std::iter::once(&self.authority).chain(&self.timestamp_authorities).chain(logs).map(Url::as_str)
    }

    fn select(config: &[u8], now: Timestamp) -> Result<Self> {
        let config: SigningConfig = json::parse("signing configuration", config)?;
        if config.media_type != SIGNING_CONFIG_MEDIA_TYPE {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "expected a signing configuration `{SIGNING_CONFIG_MEDIA_TYPE}`, found `{}`",
                    config.media_type.escape_debug()
                ),
            ));
        }
        let one = ServiceConfiguration::default();
        let authority = choose(AUTHORITY, &config.ca_urls, &[1], &one, now)?;
        let logs = choose(LOG, &config.rekor_tlog_urls, &[1, 2], &config.rekor_tlog_config, now)?;
        let stamps = match config.tsa_urls.is_empty() {
            true => Vec::new(),
            false => choose(TSA, &config.tsa_urls, &[1], &config.tsa_config, now)?,
        };
        let version = |e: &ServiceEndpoint| if e.major_api_version == 1 { LogVersion::V1 } else { LogVersion::V2 };
        let authority = authority.first().ok_or_else(|| none_in_use(AUTHORITY, 0, 1))?;
        Ok(Self {
            authority: service_url(AUTHORITY, &authority.url)?,
            logs: logs.into_iter().map(|e| Ok((service_url(LOG, &e.url)?, version(e)))).collect::<Result<_>>()?,
            timestamp_authorities: stamps.into_iter().map(|e| service_url(TSA, &e.url)).collect::<Result<_>>()?,
            audience: AUDIENCE.to_owned(),
        })
    }

    fn not_public_good(self) -> Result<Self> {
        let public = |url: &&Url| {
            let host = url.host_str().unwrap_or_default().trim_end_matches('.');
            host == PUBLIC_GOOD || host.strip_suffix(PUBLIC_GOOD).is_some_and(|rest| rest.ends_with('.'))
        };
        let found = self.logs.iter().map(|(url, _)| url).chain([&self.authority]).find(public).cloned();
        match found {
            Some(url) => Err(Error::new(
                ErrorKind::ApiMisuse,
                format!(
                    "`{url}` belongs to Sigstore's public-good instance, which publishes the signer's e-mail address or \
                     workflow for ever; ask for that instance by its name (`--public-good`), or use services of your own"
                ),
            )
            .with("found", url)),
            None => Ok(self),
        }
    }
}

pub(super) const AUTHORITY: &str = "certificate authority";
pub(super) const LOG: &str = "transparency log";
pub(super) const TSA: &str = "timestamp authority";

/// Below this domain lie all services of the public-good instance.
const PUBLIC_GOOD: &str = "sigstore.dev";

/// What the specification of the message says about choosing: of each operator the highest version that is in use and
/// that we speak, then all of these, one, or an exact number.
fn choose<'a>(
    service: &str,
    of: &'a [ServiceEndpoint],
    spoken: &[u32],
    wanted: &ServiceConfiguration,
    now: Timestamp,
) -> Result<Vec<&'a ServiceEndpoint>> {
    let now = now.unix_millis();
    let mut usable: Vec<&ServiceEndpoint> = of
        .iter()
        .filter(|e| spoken.contains(&e.major_api_version))
        .filter(|e| e.valid_for.start.as_millisecond() <= now)
        .filter(|e| e.valid_for.end.is_none_or(|end| now < end.as_millisecond()))
        .collect();
    // the sort is stable: within a version the configuration's own order holds, newest first
    usable.sort_by_key(|e| std::cmp::Reverse(e.major_api_version));
    let mut chosen: Vec<&ServiceEndpoint> = Vec::new();
    for endpoint in usable {
        if chosen.iter().all(|c| c.operator != endpoint.operator) {
            chosen.push(endpoint);
        }
    }
    let count = match wanted.selector {
        ServiceSelector::All => chosen.len().max(1),
        ServiceSelector::Any => 1,
        ServiceSelector::Exact => wanted.count.and_then(|c| usize::try_from(c).ok()).unwrap_or(1).max(1),
        _ => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the signing configuration does not say how to choose a {service}; expected ALL, ANY or EXACT"),
            ));
        }
    };
    if chosen.len() < count {
        return Err(none_in_use(service, chosen.len(), count));
    }
    chosen.truncate(count);
    Ok(chosen)
}

fn none_in_use(service: &str, found: usize, expected: usize) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!(
            "the signing configuration has {found} in use of the kind `{service}`, and {expected} must sign; get its newest \
             version"
        ),
    )
    .with("service", service)
    .with("expected", expected)
    .with("found", found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-06-01T00:00:00Z".parse().unwrap()
    }

    fn config(logs: &str, more: &str) -> Vec<u8> {
        format!(
            r#"{{"mediaType":"{SIGNING_CONFIG_MEDIA_TYPE}","oidcUrls":[],
                "caUrls":[{{"url":"https://ca.example","majorApiVersion":1,"validFor":{{"start":"2026-01-01T00:00:00Z"}}}}],
                "rekorTlogUrls":[{logs}]{more}}}"#
        )
        .into_bytes()
    }

    fn log(url: &str, version: u32, operator: &str, start: &str, end: &str) -> String {
        let end = if end.is_empty() { String::new() } else { format!(r#","end":"{end}""#) };
        format!(
            r#"{{"url":"{url}","majorApiVersion":{version},"operator":"{operator}","validFor":{{"start":"{start}"{end}}}}}"#
        )
    }

    fn logs_of(config: &[u8]) -> Result<Vec<String>> {
        let services = Services::from_signing_config(config, now())?;
        Ok(services.logs.iter().map(|(url, _)| url.to_string()).collect())
    }

    #[test]
    fn the_public_good_instance_must_be_asked_for_by_name() {
        let config = SIGSTORE_PRODUCTION_SIGNING_CONFIG.as_bytes();
        for refused in [
            Services::from_signing_config(config, now()),
            Services::new("https://fulcio.sigstore.dev", "https://log.example", LogVersion::V1),
            Services::new("https://ca.example", "https://REKOR.sigstore.dev.", LogVersion::V1),
        ] {
            let e = refused.unwrap_err();
            assert_eq!(e.code(), "API_MISUSE");
            assert!(e.message().contains("--public-good"), "{e}");
        }
        assert!(Services::public_good(MyIdentityIsPublishedForEver, None, now()).is_ok());
        let said = |text: &str| text.parse::<MyIdentityIsPublishedForEver>().map_err(|e| e.code());
        assert!(said("my-identity-is-published-for-ever").is_ok());
        assert_eq!(said("true").unwrap_err(), "API_MISUSE");
        let own = Services::new("https://ca.example", "https://notsigstore.dev", LogVersion::V1).unwrap();
        assert!(own.with_timestamp_authority("https://timestamp.sigstore.dev/api/v1/timestamp").is_ok());
        assert!(Services::staging(now()).is_ok());
    }

    #[test]
    fn of_each_operator_the_highest_version_in_use_is_taken() {
        let logs = [
            log("https://old.example", 1, "a", "2020-01-01T00:00:00Z", ""),
            log("https://new.example", 2, "a", "2026-01-01T00:00:00Z", ""),
            log("https://newer.example", 2, "a", "2026-07-01T00:00:00Z", ""),
            log("https://gone.example", 2, "b", "2020-01-01T00:00:00Z", "2026-06-01T00:00:00Z"),
            log("https://future.example", 9, "c", "2020-01-01T00:00:00Z", ""),
            log("https://other.example", 1, "d", "2020-01-01T00:00:00Z", ""),
        ]
        .join(",");
        assert_eq!(logs_of(&config(&logs, "")).unwrap(), ["https://new.example/"]);
        for (selector, taken) in [
            (r#"{"selector":"ANY"}"#, 1),
            (r#"{"selector":"ALL"}"#, 2),
            (r#"{"selector":"EXACT","count":2}"#, 2),
            (r#"{"selector":"EXACT","count":1}"#, 1),
        ] {
            let config = config(&logs, &format!(r#","rekorTlogConfig":{selector}"#));
            assert_eq!(logs_of(&config).unwrap().len(), taken, "{selector}");
        }
        for (selector, code) in [
            (r#"{"selector":"EXACT","count":3}"#, "NOT_FOUND"),
            (r#"{"selector":"SERVICE_SELECTOR_UNDEFINED"}"#, "UNSUPPORTED"),
        ] {
            let config = config(&logs, &format!(r#","rekorTlogConfig":{selector}"#));
            assert_eq!(logs_of(&config).unwrap_err().code(), code, "{selector}");
        }
        assert_eq!(logs_of(&config("", "")).unwrap_err().code(), "NOT_FOUND");
    }

    #[test]
    fn what_is_no_signing_configuration_is_refused() {
        for (bad, code) in [
            ("", "MALFORMED"),
            ("{}", "MALFORMED"),
            (r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.1+json"}"#, "UNSUPPORTED"),
        ] {
            assert_eq!(Services::from_signing_config(bad.as_bytes(), now()).unwrap_err().code(), code, "{bad}");
        }
        let plain = log("http://log.example", 2, "a", "2020-01-01T00:00:00Z", "");
        assert_eq!(logs_of(&config(&plain, "")).unwrap_err().code(), "MALFORMED");
    }
}
