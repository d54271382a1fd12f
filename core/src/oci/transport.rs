//! HTTP to a registry: bounded answers, redirects under control, and credentials for nobody else.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode, Url, redirect};
use zeroize::Zeroizing;

use super::access::{Challenge, Credentials, token};
use super::reference::Reference;
use crate::address::is_here;
use crate::error::{Error, ErrorKind, Result, with_causes};
use crate::limits;

/// Where HTTP without TLS is spoken.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// To this machine alone: `localhost` and loopback addresses.
    #[default]
    LoopbackOnly,
    /// To every registry. Whoever is on the way reads and changes what passes, credentials too.
    EverywhereUnsafe,
}

/// What one may do in a repository, as a token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    Pull,
    Push,
}

pub(super) struct Transport {
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    credentials: Credentials,
    plain: PlainHttp,
    /// `Authorization` by registry, repository and access.
    granted: Mutex<BTreeMap<(String, String, Access), Zeroizing<String>>>,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Where it came from in the end.
    pub(super) url: Url,
}

/// One request within a repository.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) accept: &'a str,
    /// Media type and content.
    pub(super) content: Option<(&'a str, &'a [u8])>,
    /// Most bytes of an answer.
    pub(super) limit: u64,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Transport {
    pub(super) fn new(credentials: Credentials, plain: PlainHttp) -> Result<Self> {
        let failed = |e: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Internal, "could not prepare to speak to a registry").caused_by(e)
        };
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_millis(limits::OCI_REQUEST_MILLIS))
            .user_agent(concat!("sealwright/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| failed(e.into()))?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(e.into()))?;
        Ok(Self { http, runtime, credentials, plain, granted: Mutex::default() })
    }

    /// `path` below the repository of `image`.
    pub(super) fn url(&self, image: &Reference, path: &str) -> Result<Url> {
        let host = image.host();
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let scheme = if self.plain == PlainHttp::EverywhereUnsafe || is_here(name) { "http" } else { "https" };
        Url::parse(&format!("{scheme}://{host}/v2/{}/{path}", image.repository()))
            .map_err(|e| Error::new(ErrorKind::Malformed, format!("`{image}` gives no address: {e}")).caused_by(e))
    }

    /// Sends a request, with a token if one is asked for, and follows redirects of a GET.
    pub(super) fn send(&self, image: &Reference, access: Access, ask: &Ask<'_>) -> Result<Answer> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "this call blocks, and was made within an async runtime; make it on a thread of its own",
            ));
        }
        let home = ask.url.clone();
        let mut answer = self.send_at_home(image, access, ask)?;
        for _ in 0..limits::OCI_REDIRECTS {
            if ask.method != Method::GET || !answer.status.is_redirection() {
                return Ok(answer);
            }
            let location = answer.headers.get(LOCATION).and_then(|l| l.to_str().ok()).unwrap_or_default();
            let next = self.follow(&answer.url, location)?;
            let again =
                Ask { url: next.clone(), accept: ask.accept, content: None, limit: ask.limit, method: Method::GET };
            // what is elsewhere is fetched as anybody would
            answer = if next.origin() == home.origin() {
                self.send_at_home(image, access, &again)?
            } else {
                self.block_on(&again, None)?
            };
        }
        Err(Error::new(
            ErrorKind::ServiceUnavailable,
            format!("the registry sent `{home}` around {} times; see what is wrong with it", limits::OCI_REDIRECTS),
        ))
    }

    /// Where `location` leads from `from`: never from TLS to plain HTTP.
    pub(super) fn follow(&self, from: &Url, location: &str) -> Result<Url> {
        let next = from.join(location).ok().filter(|next| self.may_visit(from, next));
        next.ok_or_else(|| {
            Error::new(
                ErrorKind::ServiceUnavailable,
                format!("the registry sent `{from}` on to `{location}`, where it is not safe to go"),
            )
        })
    }

    fn may_visit(&self, from: &Url, to: &Url) -> bool {
        let plain = to.scheme() == "http" && from.scheme() == "http";
        let local = to.host_str().is_some_and(is_here) || self.plain == PlainHttp::EverywhereUnsafe;
        (to.scheme() == "https" || (plain && local)) && to.username().is_empty() && to.password().is_none()
    }

    fn send_at_home(&self, image: &Reference, access: Access, ask: &Ask<'_>) -> Result<Answer> {
        let key = (image.registry().to_owned(), image.repository().to_owned(), access);
        let known = match &self.credentials {
            Credentials::Bearer(token) => Some(Zeroizing::new(format!("Bearer {}", token.as_str()))),
            _ => self.granted.lock().ok().and_then(|granted| granted.get(&key).cloned()),
        };
        let answer = self.block_on(ask, known.as_ref())?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let challenges = answer.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let Some(challenge) = challenges.filter_map(Challenge::parse).next() else { return Ok(answer) };
        let granted = match challenge {
            Challenge::Basic => match self.credentials.basic() {
                Some(basic) => basic,
                None => return Ok(answer),
            },
            Challenge::Bearer { .. } if matches!(self.credentials, Credentials::Bearer(_)) => return Ok(answer),
            Challenge::Bearer { realm, service, scope } => {
                self.token(image, access, &answer.url, &realm, service.as_deref(), scope)?
            }
        };
        let answer = self.block_on(ask, Some(&granted))?;
        if let Ok(mut all) = self.granted.lock() {
            all.insert(key, granted);
        }
        Ok(answer)
    }

    /// A token of the service that the registry names.
    fn token(
        &self,
        image: &Reference,
        access: Access,
        registry: &Url,
        realm: &str,
        service: Option<&str>,
        scope: Option<String>,
    ) -> Result<Zeroizing<String>> {
        let mut url = self.follow(registry, realm)?;
        let actions = if access == Access::Push { "pull,push" } else { "pull" };
        let scope = scope.unwrap_or_else(|| format!("repository:{}:{actions}", image.repository()));
        if let Some(service) = service {
            url.query_pairs_mut().append_pair("service", service);
        }
        url.query_pairs_mut().append_pair("scope", &scope);
        let ask = Ask { method: Method::GET, url, accept: "application/json", content: None, limit: limits::KEY_BYTES };
        let answer = self.block_on(&ask, self.credentials.basic().as_ref())?;
        if !answer.status.is_success() {
            return Err(refused(image, answer.status, "its token service gave no token"));
        }
        Ok(Zeroizing::new(format!("Bearer {}", token(&answer.body)?.as_str())))
    }

    fn block_on(&self, ask: &Ask<'_>, authorization: Option<&Zeroizing<String>>) -> Result<Answer> {
        let mut request = self.http.request(ask.method.clone(), ask.url.clone()).header(ACCEPT, ask.accept);
        if let Some(text) = authorization {
            let mut value = HeaderValue::from_str(text).map_err(|_| {
                Error::new(
                    ErrorKind::ServiceUnavailable,
                    "the credentials or the token hold characters that cannot be sent",
                )
            })?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some((media_type, content)) = ask.content {
            request = request.header(CONTENT_TYPE, media_type).body(content.to_vec());
        }
        let unreachable = |e: reqwest::Error| {
            let why = if e.is_timeout() { "did not answer in time" } else { "could not be reached" };
            let e = e.without_url();
            let text = format!("`{}` {why}: {}; look at the network and try again", ask.url, with_causes(&e));
            Error::new(ErrorKind::ServiceUnavailable, text).caused_by(e)
        };
        self.runtime.block_on(async {
            let mut response = request.send().await.map_err(unreachable)?;
            let too_long = || {
                Error::new(
                    ErrorKind::LimitExceeded,
                    format!("the answer of `{}` is longer than {} bytes; it is not read on", ask.url, ask.limit),
                )
                .with("limit", ask.limit)
            };
            if ask.method != Method::HEAD && response.content_length().is_some_and(|length| length > ask.limit) {
                return Err(too_long());
            }
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
                if (body.len() + chunk.len()) as u64 > ask.limit {
                    return Err(too_long());
                }
                body.extend_from_slice(&chunk);
            }
            let (status, url) = (response.status(), response.url().clone());
            Ok(Answer { status, headers: std::mem::take(response.headers_mut()), body, url })
        })
    }
}

/// The error about an answer that is no success.
pub(super) fn refused(image: &Reference, status: StatusCode, what: &str) -> Error {
    let (kind, advice) = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (ErrorKind::PermissionDenied, "log in, or ask who may"),
        StatusCode::NOT_FOUND => (ErrorKind::NotFound, "check the name and the digest"),
        _ => (ErrorKind::ServiceUnavailable, "try again, or see what is wrong with the registry"),
    };
    Error::new(kind, format!("`{image}`: {what}; the registry answered {status}; {advice}"))
        .with("status", status.as_u16())
}
