//! Requests to services that are named: each in a bounded time, with an answer of a bounded size.

use std::future::Future;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use zeroize::Zeroizing;

use crate::address::{Query, service_address};
use crate::error::{Error, ErrorKind, Result, with_causes};
use crate::limits;

/// Runs `work` to its end on a runtime of its own.
///
/// It has a thread of its own, too: a caller may stand in another runtime, where blocking on a second one panics.
pub(super) fn block_on<T: Send>(work: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let fault = || Error::new(ErrorKind::Internal, "the runtime for requests to services could not be started");
    std::thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(|e| fault().caused_by(e))?.block_on(work)
        };
        let thread = std::thread::Builder::new().spawn_scoped(scope, run).map_err(|e| fault().caused_by(e))?;
        thread.join().map_err(|_| fault())?
    })
}

/// A client that follows no redirect: a token goes where its owner sent it, and nowhere else.
pub(super) fn client() -> Result<Client> {
    Client::builder()
        .redirect(Policy::none())
        .connect_timeout(Duration::from_millis(limits::SERVICE_CONNECT_MILLIS))
        .timeout(Duration::from_millis(limits::SERVICE_MILLIS))
        .user_agent(concat!("sealwright/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| Error::new(ErrorKind::Internal, "the client for requests could not be made").caused_by(e))
}

/// The address of a service, which may hold a query: `MALFORMED` if it is none.
pub(super) fn service_url(service: &str, text: &str) -> Result<Url> {
    service_address(service, text, Query::Allowed)
}

/// `url` with `path` after its own path.
pub(super) fn below(url: &Url, path: &str) -> Url {
    let mut whole = url.clone();
    whole.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
    whole
}

/// Sends `request` to `service`, and gives the answer to it if it is one of success. What a refusal says is quoted,
/// unless it repeats a part of `secret`, which the request holds.
///
/// # Errors
/// `SIGNER_FAILED` if the service refuses, `SERVICE_UNAVAILABLE` if it can't be reached or answers wrongly.
pub(super) async fn send(service: &str, request: RequestBuilder, secret: &str) -> Result<Zeroizing<Vec<u8>>> {
    let unreachable = |e: reqwest::Error| {
        let e = e.without_url();
        Error::new(
            ErrorKind::ServiceUnavailable,
            format!("the {service} could not be reached: {}; check its address and try again", with_causes(&e)),
        )
        .with("service", service)
        .caused_by(e)
    };
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > limits::SERVICE_ANSWER_BYTES {
            return Err(wrong_answer(service, &format!("it is over {} bytes", limits::SERVICE_ANSWER_BYTES)));
        }
        body.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return Ok(body);
    }
    // 408 and 429 ask to come again; all others of this class say that it is the request
    let refused = status.is_client_error() && !matches!(status.as_u16(), 408 | 429);
    let kind = if refused { ErrorKind::SignerFailed } else { ErrorKind::ServiceUnavailable };
    let text = String::from_utf8_lossy(&body);
    let said: String = match secret.split('.').any(|part| repeats(&text, part)) {
        true => "(it repeats the secret that was sent)".to_owned(),
        false => text.trim().chars().take(200).map(|c| if c == '`' { '\'' } else { c }).collect(),
    };
    let hint = if refused { "correct the request" } else { "try again later" };
    Err(Error::new(
        kind,
        format!("the {service} refused with status {}: `{}`; {hint}", status.as_u16(), said.escape_debug()),
    )
    .with("service", service)
    .with("status", status.as_u16()))
}

/// Whether `text` holds the beginning of `secret`, or all of it if it is short.
fn repeats(text: &str, secret: &str) -> bool {
    const TELLING: usize = 16;
    !secret.is_empty() && text.contains(secret.get(..TELLING).unwrap_or(secret))
}

/// The fault of a service that answers what it must not.
pub(super) fn wrong_answer(service: &str, why: &str) -> Error {
    Error::new(
        ErrorKind::ServiceUnavailable,
        format!("the {service} gave a wrong answer: {why}; check that this is its address"),
    )
    .with("service", service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_put_after_the_path_of_the_address() {
        for base in ["https://h.example/a", "https://h.example/a/"] {
            assert_eq!(below(&service_url("x", base).unwrap(), "b/c").as_str(), "https://h.example/a/b/c");
        }
        assert_eq!(below(&service_url("x", "https://h.example").unwrap(), "b").as_str(), "https://h.example/b");
    }

    #[test]
    fn a_caller_within_another_runtime_is_served() {
        let outer = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(outer.block_on(async { block_on(async { Ok(7) }) }).unwrap(), 7);
    }
}
