//! HTTP to logs and witnesses: each request in a bounded time, with an answer of a bounded size.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};

use super::source::too_long;
use crate::address::{Query, service_address};
use crate::error::{Error, ErrorKind, Result, with_causes};
use crate::limits;

/// One server, by the address that all its names lie below.
pub(super) struct Http {
    what: &'static str,
    base: Url,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Http {
    /// The `what` ("log", "witness") at `https`, or at `http` on this machine. It follows no redirect.
    pub(super) fn new(what: &'static str, address: &str) -> Result<Self> {
        let mut base = service_address(what, address, Query::Refused)?;
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        let fault = |e: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Internal, "the client for requests could not be made").caused_by(e)
        };
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_millis(limits::SERVICE_CONNECT_MILLIS))
            .timeout(Duration::from_millis(limits::MIRROR_REQUEST_MILLIS))
            .user_agent(concat!("sealwright/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| fault(e.into()))?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| fault(e.into()))?;
        Ok(Self { what, base, client, runtime })
    }

    /// The whole of a file; none if the server has none of this name.
    pub(super) fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some(response) = self.ask(name)? else { return Ok(None) };
        self.block_on(self.receive(response, name, limit)).map(Some)
    }

    /// A file as a stream; none if the server has none of this name.
    pub(super) fn open(&self, name: &str) -> Result<Option<HttpContent<'_>>> {
        let response = self.ask(name)?;
        Ok(response.map(|response| HttpContent { http: self, response, piece: Vec::new(), at: 0 }))
    }

    /// The answer to a request for a file; none if the server has none of this name.
    fn ask(&self, name: &str) -> Result<Option<Response>> {
        let request = self.client.get(self.below(name)?).header(ACCEPT_ENCODING, "identity");
        let response = self.block_on(self.send(request))?;
        match response.status().as_u16() {
            200 => self.plain(&response, name).map(|()| Some(response)),
            // 403 is how buckets of objects say that there is none
            403 | 404 | 410 => Ok(None),
            status => Err(self.wrong(&format!("it answered with status {status} for `{name}`"))),
        }
    }

    /// Sends `body` to a path; gives the status and the answer.
    pub(super) fn post(&self, path: &str, body: String, limit: u64) -> Result<(u16, Vec<u8>)> {
        let request = self.client.post(self.below(path)?).header(ACCEPT_ENCODING, "identity").body(body);
        self.block_on(async {
            let response = self.send(request).await?;
            let status = response.status().as_u16();
            self.plain(&response, path)?;
            Ok((status, self.receive(response, path, limit).await?))
        })
    }

    /// What a server that does not do what it should is told to whoever asked it.
    pub(super) fn wrong(&self, why: &str) -> Error {
        let (what, base) = (self.what, &self.base);
        Error::new(
            ErrorKind::ServiceUnavailable,
            format!("the {what} at `{base}` gave a wrong answer: {why}; check its address and try again"),
        )
        .with("service", base)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        request.send().await.map_err(|e| self.unreachable(e))
    }

    fn plain(&self, response: &Response, name: &str) -> Result<()> {
        let encoding = response.headers().get(CONTENT_ENCODING);
        if encoding.is_none_or(|encoding| encoding.as_bytes() == b"identity") {
            return Ok(());
        }
        Err(self.wrong(&format!("it sent `{name}` compressed, which was not asked for")))
    }

    async fn receive(&self, mut response: Response, name: &str, limit: u64) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|e| self.unreachable(e))? {
            if (whole.len() + piece.len()) as u64 > limit {
                return Err(too_long(name, limit));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    fn below(&self, name: &str) -> Result<Url> {
        self.base.join(name).map_err(|e| {
            Error::new(ErrorKind::Malformed, format!("`{}` gives no address: {e}", name.escape_debug())).caused_by(e)
        })
    }

    fn block_on<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "this call blocks, and was made within an async runtime; make it on a thread of its own",
            ));
        }
        self.runtime.block_on(work)
    }

    fn unreachable(&self, e: reqwest::Error) -> Error {
        let (what, base, e) = (self.what, &self.base, e.without_url());
        let why = with_causes(&e);
        Error::new(
            ErrorKind::ServiceUnavailable,
            format!("the {what} at `{base}` could not be reached: {why}; check its address and try again"),
        )
        .with("service", base)
        .caused_by(e)
    }
}

impl fmt::Display for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base.fmt(f)
    }
}

/// A file on its way.
pub(super) struct HttpContent<'a> {
    http: &'a Http,
    response: Response,
    piece: Vec<u8>,
    at: usize,
}

impl Read for HttpContent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.at >= self.piece.len() {
            let http = self.http;
            let next = http.block_on(async { self.response.chunk().await.map_err(|e| http.unreachable(e)) });
            match next.map_err(std::io::Error::other)? {
                Some(piece) => (self.piece, self.at) = (piece.to_vec(), 0),
                None => return Ok(0),
            }
        }
        let left = self.piece.get(self.at..).unwrap_or_default();
        let count = left.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), left.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}
