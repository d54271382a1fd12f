//! Requests to services that are named: each in a bounded time, with an answer of a bounded size.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
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

/// The address of a service, checked before anything is sent to it: `https`, or `http` to this machine.
pub(super) fn service_url(service: &str, text: &str) -> Result<Url> {
    let refused = |why: &str| {
        Error::new(
            ErrorKind::Malformed,
            format!("`{text}` is no address of the {service}: {why}; write it as `https://host/path`"),
        )
    };
    let url = Url::parse(text).map_err(|e| refused(&e.to_string()))?;
    let here = match url.host_str() {
        None => return Err(refused("it names no host")),
        Some(host) => {
            host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
    };
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        "http" => return Err(refused("without TLS anybody on the way reads the token")),
        _ => return Err(refused("it is neither https nor http")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("a password does not belong into an address"));
    }
    if url.fragment().is_some() {
        return Err(refused("it has a fragment"));
    }
    Ok(url)
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
            format!("the {service} could not be reached: {}; check its address and try again", chain(&e)),
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

/// What an error says, with its causes.
pub(super) fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut cause = e.source();
    while let Some(e) = cause {
        text.push_str(": ");
        text.push_str(&e.to_string());
        cause = e.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_over_tls_or_within_this_machine() {
        for good in ["https://fulcio.example/a", "http://localhost:1", "http://127.0.0.1:5555/x", "http://[::1]:80"] {
            assert!(service_url("CA", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "fulcio.example",
            "http://fulcio.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "ftp://localhost",
            "https://user:secret@fulcio.example",
            "https://fulcio.example/#f",
            "data:text/plain,x",
        ] {
            assert_eq!(service_url("CA", bad).unwrap_err().code(), "MALFORMED", "{bad}");
        }
    }

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
