//! Answering a request: who asks, how often, what they may, and then the work, each within its bounds.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use super::answer::{self, Answer};
use super::certificate::CertificateName;
use super::config::{Caller, Right};
use super::log::Level;
use super::route::{NoRoute, Route};
use super::state::State;
use super::{read, write};
use crate::error::ErrorKind;

/// Where a request comes from.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) address: Option<IpAddr>,
    /// Names of the client certificate, none without.
    pub(super) certificate: Arc<[CertificateName]>,
}

/// Answers a request and writes a line about it.
pub(super) async fn handle(state: Arc<State>, peer: Peer, request: Request<Incoming>) -> Answer {
    let begun = Instant::now();
    // also given back where whoever asked goes before the answer
    let _counted = super::connection::count(&state, |s| &s.metrics.in_flight);
    let route = Route::of(request.method(), request.uri().path());
    let name = route.as_ref().map_or("none", Route::name);
    let method = request.method().clone();
    let mut who = None;
    let answer = answer(&state, &peer, route, request, &mut who).await;
    let status = answer.status();
    state.metrics.request(name, status.as_u16(), begun.elapsed());
    let level = if status.is_server_error() { Level::Warn } else { Level::Info };
    let method = match method.as_str() {
        known @ ("GET" | "POST" | "PUT") => known,
        _ => "other",
    };
    let fields = [
        ("method", method.into()),
        ("route", name.into()),
        ("status", status.as_u16().into()),
        ("millis", u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX).into()),
        ("caller", who.map_or(serde_json::Value::Null, |caller: Arc<Caller>| caller.name.clone().into())),
        ("address", peer.address.map_or(serde_json::Value::Null, |a| a.to_string().into())),
    ];
    state.log(level, "request", &fields);
    answer
}

async fn answer(
    state: &Arc<State>,
    peer: &Peer,
    route: Result<Route, NoRoute>,
    request: Request<Incoming>,
    who: &mut Option<Arc<Caller>>,
) -> Answer {
    let Ok(_permit) = state.requests.try_acquire() else {
        return answer::later(StatusCode::SERVICE_UNAVAILABLE, "too many requests are being answered; come again", 1);
    };
    let caller = match &route {
        // asked often, by probes that show nothing
        Ok(Route::Health | Route::Ready) => None,
        _ => match known(state, peer, &request).await {
            Ok(caller) => Some(caller),
            Err(refusal) => return refusal,
        },
    };
    let rate = match &caller {
        Some(caller) => state.rates.take(caller.name.clone(), Instant::now()),
        None => stranger(state, peer),
    };
    if let Err(after) = rate {
        return too_often(state, after);
    }
    who.clone_from(&caller);
    let route = match route {
        Ok(route) => route,
        Err(NoRoute::NotFound) => {
            return answer::refusal(StatusCode::NOT_FOUND, ErrorKind::NotFound, "there is nothing of this name");
        }
        Err(NoRoute::WrongMethod) => {
            return answer::refusal(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::Malformed, "that is not done to it");
        }
    };
    if let Some(right) = route.right()
        && !caller.as_ref().is_some_and(|c| c.rights.contains(&right))
    {
        return forbidden();
    }
    let time = match &route {
        Route::Attach(_) => state.config.limits.upload_time,
        _ => state.config.limits.request_time,
    };
    let work = work(state, caller, route, request);
    match tokio::time::timeout(time, work).await {
        Ok(answer) => answer,
        Err(_) => {
            let mut answer = answer::later(StatusCode::REQUEST_TIMEOUT, "it took too long; send it again", 1);
            // what of it is still to come is not waited for
            answer.headers_mut().insert(hyper::header::CONNECTION, hyper::header::HeaderValue::from_static("close"));
            answer
        }
    }
}

async fn work(state: &Arc<State>, caller: Option<Arc<Caller>>, route: Route, request: Request<Incoming>) -> Answer {
    let may = |right: Right| caller.as_ref().is_some_and(|c| c.rights.contains(&right));
    match route {
        Route::Health => answer::bytes("text/plain", "ok\n"),
        Route::Ready if state.is_ready() => answer::bytes("text/plain", "ready\n"),
        Route::Ready => answer::later(StatusCode::SERVICE_UNAVAILABLE, "not ready", 1),
        Route::Metrics => answer::bytes(super::metrics::MEDIA_TYPE, state.metrics.text()),
        Route::Body(index) => read::body(state, index, may(Right::ReadRecords)).await,
        Route::Receipt(index) => read::receipt(state, index).await,
        Route::Attachment(digest) => read::attachment(state, digest).await,
        Route::Search => read::search(state, request).await,
        Route::TrustPolicy => read::trust_policy(state),
        Route::Config
        | Route::Keyring
        | Route::Rotation(_)
        | Route::Checkpoint
        | Route::Witnessed(_)
        | Route::Tile(_)
        | Route::Entries(_)
        | Route::Archived(_) => read::log(state, route).await,
        Route::Submit => match caller.as_ref().and_then(|c| c.credential.clone()) {
            Some(credential) => write::submit(state, credential, request).await,
            None => forbidden(),
        },
        Route::Attach(digest) => write::attach(state, digest, request).await,
    }
}

/// Who asks, or the answer to somebody who is not known.
async fn known(state: &State, peer: &Peer, request: &Request<Incoming>) -> Result<Arc<Caller>, Answer> {
    let now = state.now().map_err(|e| answer::of_error(&e))?;
    let why = match state.callers.identify(&peer.certificate, request.headers(), now).await {
        Ok(Some(caller)) => return Ok(caller),
        Ok(None) => "show a token or a client certificate",
        Err(why) => why,
    };
    state.metrics.refused_callers.fetch_add(1, Ordering::Relaxed);
    if let Err(after) = stranger(state, peer) {
        return Err(too_often(state, after));
    }
    state.log(Level::Warn, "caller-refused", &[("why", why.into())]);
    Err(answer::refusal(StatusCode::UNAUTHORIZED, ErrorKind::PermissionDenied, why))
}

fn stranger(state: &State, peer: &Peer) -> Result<(), Duration> {
    // behind a proxy, or on a socket file, all strangers are one
    let address = peer.address.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    state.strangers.take(address, Instant::now())
}

fn too_often(state: &State, after: Duration) -> Answer {
    state.metrics.refused_rates.fetch_add(1, Ordering::Relaxed);
    let seconds = after.as_secs().saturating_add(1);
    answer::later(StatusCode::TOO_MANY_REQUESTS, "asked too often; come again later", seconds)
}

pub(super) fn forbidden() -> Answer {
    answer::refusal(
        StatusCode::FORBIDDEN,
        ErrorKind::PermissionDenied,
        "this caller may not do that; ask the operator of the ledger for a role that may",
    )
}
