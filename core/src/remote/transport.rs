//! HTTP to a ledger's service: bounded answers, no redirects, and attempts that can be made again.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, Url, redirect};

use super::access::Access;
use super::wire::Refusal;
use crate::address::{Query, service_address};
use crate::error::{Error, ErrorKind, Result, with_causes};
use crate::{json, limits};

/// Requests to one service. All that are ever made may be made twice: they read, or they append what is appended once.
pub(super) struct Transport {
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    base: Url,
    authorization: Option<HeaderValue>,
}

/// One attempt that came to no answer, or to one that asks to come again.
struct Later {
    why: String,
    after: Option<Duration>,
}

/// How an attempt ended.
enum Outcome {
    Done(Vec<u8>),
    Refused(Error),
    Later(Later),
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Transport {
    pub(super) fn new(url: &str, access: &Access) -> Result<Self> {
        let base = service_address("ledger", url, Query::Refused)?;
        let unusable = |what: &str, e: reqwest::Error| {
            Error::new(ErrorKind::Malformed, format!("the {what} can't be used: {}; give it as PEM", with_causes(&e)))
        };
        let internal = |e: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Internal, "could not prepare to speak to a ledger's service").caused_by(e)
        };
        let mut http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(Duration::from_millis(limits::SERVICE_CONNECT_MILLIS))
            .read_timeout(Duration::from_millis(limits::SERVICE_MILLIS))
            .timeout(Duration::from_millis(limits::REMOTE_MILLIS))
            .user_agent(concat!("sealwright/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = &access.identity {
            http = http.identity(reqwest::Identity::from_pem(pem).map_err(|e| unusable("client certificate", e))?);
        }
        if let Some(pem) = &access.authorities {
            let authorities = reqwest::Certificate::from_pem_bundle(pem);
            http = http.tls_certs_only(authorities.map_err(|e| unusable("list of authorities", e))?);
        }
        let http = http.build().map_err(|e| unusable("client certificate or the list of authorities", e))?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| internal(e.into()))?;
        let authorization = match &access.token {
            Some(token) => {
                let text = zeroize::Zeroizing::new(format!("Bearer {}", token.as_str()));
                let mut value = HeaderValue::from_str(&text).map_err(|e| internal(e.into()))?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        Ok(Self { http, runtime, base, authorization })
    }

    /// The address, as errors name it.
    pub(super) fn address(&self) -> &str {
        self.base.as_str()
    }

    pub(super) fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        self.send(&Method::GET, path, limit, Ok)
    }

    pub(super) fn post(&self, path: &str, content: &[u8], limit: u64) -> Result<Vec<u8>> {
        self.send(&Method::POST, path, limit, |request| {
            Ok(request.header(CONTENT_TYPE, "application/json").body(content.to_vec()))
        })
    }

    /// Sends what `content` gives, anew for each attempt.
    pub(super) fn put(&self, path: &str, content: impl Fn() -> Result<Body>) -> Result<Vec<u8>> {
        self.send(&Method::PUT, path, limits::REMOTE_ANSWER_BYTES, |request| {
            let request = request.timeout(Duration::from_millis(limits::REMOTE_FILE_MILLIS));
            Ok(request.header(CONTENT_TYPE, "application/octet-stream").body(content()?))
        })
    }

    /// Begins to read an object bit by bit: how long it is, and the answer that holds it. Its length must be told.
    pub(super) fn stream(&self, path: &str) -> Result<(u64, Response)> {
        let mut begun = None;
        self.attempts(path, |url| {
            let request = self.request(Method::GET, url.clone());
            let request = request.timeout(Duration::from_millis(limits::REMOTE_FILE_MILLIS));
            let outcome = self.runtime.block_on(async {
                let response = match request.send().await {
                    Ok(response) if response.status().is_success() => response,
                    Ok(mut response) => return refusal_of(&mut response, url).await,
                    Err(e) => return later(&e.without_url()),
                };
                begun = response.content_length().map(|length| (length, response));
                Outcome::Done(Vec::new())
            });
            Ok(outcome)
        })?;
        begun.ok_or_else(|| {
            Error::new(
                ErrorKind::ServiceUnavailable,
                format!("the ledger's service at `{}` does not say how long a file is; check the address", self.base),
            )
        })
    }

    /// The next bit of an answer, none at its end.
    pub(super) fn next(&self, response: &mut Response) -> std::io::Result<Option<Vec<u8>>> {
        let chunk = self.runtime.block_on(response.chunk());
        chunk
            .map(|chunk| chunk.map(|bytes| bytes.to_vec()))
            .map_err(|e| std::io::Error::other(with_causes(&e.without_url())))
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value.clone()),
            None => request,
        }
    }

    fn send(
        &self,
        method: &Method,
        path: &str,
        limit: u64,
        fill: impl Fn(RequestBuilder) -> Result<RequestBuilder>,
    ) -> Result<Vec<u8>> {
        self.attempts(path, |url| {
            let request = fill(self.request(method.clone(), url.clone()))?;
            Ok(self.runtime.block_on(attempt(request, url, limit)))
        })
    }

    /// Attempts a request, anew where that may help.
    fn attempts(&self, path: &str, mut attempt: impl FnMut(&Url) -> Result<Outcome>) -> Result<Vec<u8>> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "this call blocks, and was made within an async runtime; make it on a thread of its own",
            ));
        }
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        let mut last = String::new();
        for number in 0..limits::REMOTE_ATTEMPTS {
            match attempt(&url)? {
                Outcome::Done(body) => return Ok(body),
                Outcome::Refused(e) => return Err(e),
                Outcome::Later(later) => {
                    if number + 1 < limits::REMOTE_ATTEMPTS {
                        std::thread::sleep(pause(number, later.after));
                    }
                    last = later.why;
                }
            }
        }
        Err(Error::new(
            ErrorKind::ServiceUnavailable,
            format!(
                "the ledger's service at `{url}` {last} in {} attempts; look at the network and the service, and run it \
                 again",
                limits::REMOTE_ATTEMPTS
            ),
        ))
    }
}

/// Each pause is twice the one before; one that the service asks for is kept to, within its bound.
fn pause(attempt: u32, asked: Option<Duration>) -> Duration {
    let own = Duration::from_millis(100 << attempt.min(10));
    asked.unwrap_or(own).clamp(own, Duration::from_millis(limits::REMOTE_PAUSE_MILLIS))
}

async fn attempt(request: RequestBuilder, url: &Url, limit: u64) -> Outcome {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(e) => return later(&e.without_url()),
    };
    if !response.status().is_success() {
        return refusal_of(&mut response, url).await;
    }
    match read(&mut response, limit).await {
        Ok(Some(body)) => Outcome::Done(body),
        Ok(None) => Outcome::Refused(
            Error::new(
                ErrorKind::LimitExceeded,
                format!("the answer of `{url}` is longer than {limit} bytes; it is not read on"),
            )
            .with("limit", limit),
        ),
        Err(e) => later(&e.without_url()),
    }
}

fn later(e: &reqwest::Error) -> Outcome {
    let why = if e.is_timeout() { "did not answer in time" } else { "could not be reached" };
    Outcome::Later(Later { why: format!("{why} ({})", with_causes(e)), after: None })
}

/// What an answer that is no success says.
async fn refusal_of(response: &mut Response, url: &Url) -> Outcome {
    let status = response.status();
    let after =
        response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok()).map(Duration::from_secs);
    let body = read(response, limits::REMOTE_ANSWER_BYTES).await.ok().flatten().unwrap_or_default();
    let refusal = json::parse::<Refusal>("answer of the ledger's service", &body).ok();
    if matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504) {
        return Outcome::Later(Later { why: format!("answered {}", said(status, refusal.as_ref())), after });
    }
    Outcome::Refused(refused(url, status, refusal.as_ref()))
}

async fn read(response: &mut Response, limit: u64) -> reqwest::Result<Option<Vec<u8>>> {
    if response.content_length().is_some_and(|length| length > limit) {
        return Ok(None);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn said(status: StatusCode, refusal: Option<&Refusal>) -> String {
    let quoted = |text: &str| text.replace('`', "'").escape_debug().to_string();
    match refusal {
        Some(r) => format!("{} `{}`: `{}`", status.as_u16(), quoted(&r.error.code), quoted(&r.error.message)),
        None => format!("{} without saying why", status.as_u16()),
    }
}

/// A refusal in our own words and with our own codes; what the service says of it is quoted, and no fact.
fn refused(url: &Url, status: StatusCode, refusal: Option<&Refusal>) -> Error {
    let named = refusal.and_then(|r| ErrorKind::ALL.iter().find(|kind| kind.code() == r.error.code));
    // what is wrong with the service's own machine, or with its ledger, is no verdict about ours
    let kind = named.copied().filter(|kind| may_cross(*kind)).unwrap_or(ErrorKind::ServiceUnavailable);
    let mut e =
        Error::new(kind, format!("the ledger's service refuses `{}`: it says {}", url.path(), said(status, refusal)))
            .with("service", url.origin().ascii_serialization())
            .with("status", status.as_u16());
    if let Some(code) = named.filter(|code| **code != kind) {
        e = e.with("serviceCode", code.code());
    }
    e
}

/// Kinds that a service may say of a request.
fn may_cross(kind: ErrorKind) -> bool {
    use ErrorKind as K;
    match kind {
        K::Malformed | K::LimitExceeded | K::Unsupported | K::NotFound | K::AlreadyExists | K::PermissionDenied => true,
        K::AppendRefused | K::PermitRefused | K::LedgerBusy => true,
        // of a search, whose index can't be made without them; of a body itself it says that it is not there, no more
        K::BodyLost | K::BodyArchived => true,
        // what it says of a record's signature, signer or policy: it was not appended for that reason
        K::PackTampered => false,
        other => other.class() == crate::error::ErrorClass::VerificationFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_the_services_own_machine_is_no_verdict_about_the_ledger() {
        let url = service_address("ledger", "https://ledger.example", Query::Refused).unwrap();
        let of = |code: &str| {
            let refusal = Refusal {
                error: crate::remote::wire::Refused {
                    code: code.to_owned(),
                    message: "a `quoted`\u{1b}[31m word".to_owned(),
                    context: serde_json::Map::new(),
                },
            };
            refused(&url, StatusCode::UNPROCESSABLE_ENTITY, Some(&refusal))
        };
        for code in ["APPEND_REFUSED", "BAD_SIGNATURE", "NOT_ENTITLED", "REVOKED", "LEDGER_BUSY", "PERMIT_REFUSED"] {
            assert_eq!(of(code).code(), code);
        }
        for code in ["LEDGER_FORKED", "INTERNAL", "IO", "POLICY_DENIED", "PACK_TAMPERED", "NO_SUCH_CODE", ""] {
            assert_eq!(of(code).code(), "SERVICE_UNAVAILABLE", "{code}");
        }
        assert!(!of("REVOKED").message().contains('\u{1b}'));
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        assert!(pause(1, None) > pause(0, None));
        assert_eq!(pause(0, Some(Duration::from_secs(1_000_000))), Duration::from_millis(limits::REMOTE_PAUSE_MILLIS));
        assert_eq!(pause(0, Some(Duration::ZERO)), pause(0, None));
    }
}
