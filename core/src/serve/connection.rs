//! Connections: taken up to a number, each with a bound on every wait.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::certificate::names;
use super::config::Listen;
use super::handle::{Peer, handle};
use super::log::Level;
use super::state::State;
use crate::error::{Error, ErrorKind, Result};

/// The head of a request: its line and headers, a token included.
const HEAD_BYTES: usize = 64 * 1024;
const HEADERS: usize = 64;

/// What a sequencer listens on.
pub(super) enum Listener {
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    pub(super) async fn bind(listen: &Listen) -> Result<Self> {
        let failed = |what: String, e: io::Error| {
            let kind = match e.kind() {
                io::ErrorKind::AddrInUse => ErrorKind::AlreadyExists,
                io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
                _ => ErrorKind::Io,
            };
            Error::new(kind, format!("can't listen at `{what}`: {e}; choose another place, or end who listens there"))
                .caused_by(e)
        };
        match listen {
            Listen::Tcp(address) => {
                let bound = tokio::net::TcpListener::bind(address).await;
                bound.map(Self::Tcp).map_err(|e| failed(address.to_string(), e))
            }
            #[cfg(unix)]
            Listen::Unix(path) => {
                // a socket that nobody answers at was left by a process that died
                if path.exists() && tokio::net::UnixStream::connect(path).await.is_err() {
                    use std::os::unix::fs::FileTypeExt as _;
                    if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
                        let _ = std::fs::remove_file(path);
                    }
                }
                tokio::net::UnixListener::bind(path).map(Self::Unix).map_err(|e| failed(path.display().to_string(), e))
            }
            #[cfg(not(unix))]
            Listen::Unix(path) => Err(Error::new(
                ErrorKind::Unsupported,
                format!("there are no socket files here; listen at an address instead of `{}`", path.display()),
            )),
        }
    }

    /// Where it listens: the port that was free, if any would do.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(|a| a.to_string()).unwrap_or_default(),
            #[cfg(unix)]
            Self::Unix(listener) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|a| a.as_pathname());
                path.map(|p| format!("unix:{}", p.display())).unwrap_or_default()
            }
        }
    }

    async fn accept(&self) -> io::Result<(Box<dyn Stream>, Option<std::net::IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), Some(address.ip())))
            }
            #[cfg(unix)]
            Self::Unix(listener) => Ok((Box::new(listener.accept().await?.0), None)),
        }
    }
}

/// Takes connections until `stop` says so, then waits for those there are, within the time for stopping.
pub(super) async fn serve(
    listener: Listener,
    tls: Option<Arc<rustls::ServerConfig>>,
    state: Arc<State>,
    mut stop: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(state.config.limits.connections));
    let tls = tls.map(TlsAcceptor::from);
    loop {
        // beyond the number nobody is taken; who waits, waits in the system's queue
        let slot =
            match select(Box::pin(Arc::clone(&slots).acquire_owned()), Box::pin(stop.wait_for(|stop| *stop))).await {
                Either::Left((Ok(slot), _)) => slot,
                _ => break,
            };
        let accepted = match select(Box::pin(listener.accept()), Box::pin(stop.wait_for(|stop| *stop))).await {
            Either::Left((accepted, _)) => accepted,
            Either::Right(_) => break,
        };
        match accepted {
            Ok((stream, address)) => {
                let work = connection(stream, address, tls.clone(), Arc::clone(&state), stop.clone(), slot);
                tokio::spawn(work);
            }
            // out of files, most likely: those that end give theirs back
            Err(e) => {
                state.log(Level::Warn, "accept-failed", &[("message", e.to_string().into())]);
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let all = u32::try_from(state.config.limits.connections).unwrap_or(u32::MAX);
    if timeout(state.config.limits.stop_time, slots.acquire_many(all)).await.is_err() {
        state.log(Level::Warn, "connections-cut", &[]);
    }
}

/// Counts up for as long as it is there.
pub(super) struct Counted<F: Fn() -> i64>(F);

impl<F: Fn() -> i64> Drop for Counted<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Counts `gauge` of `state` up until the value given is dropped, also where a request ends before its answer.
pub(super) fn count(state: &Arc<State>, gauge: fn(&State) -> &AtomicI64) -> Counted<impl Fn() -> i64> {
    gauge(state).fetch_add(1, Ordering::Relaxed);
    let state = Arc::clone(state);
    Counted(move || gauge(&state).fetch_sub(1, Ordering::Relaxed))
}

async fn connection(
    stream: Box<dyn Stream>,
    address: Option<std::net::IpAddr>,
    tls: Option<TlsAcceptor>,
    state: Arc<State>,
    mut stop: watch::Receiver<bool>,
    _slot: OwnedSemaphorePermit,
) {
    let _counted = count(&state, |s| &s.metrics.connections);
    let limits = &state.config.limits;
    let stream = Patient::new(stream, limits.stall_time);
    let (stream, certificate): (Box<dyn Stream>, _) = match tls {
        None => (Box::new(stream), Vec::new()),
        Some(tls) => match timeout(limits.header_time, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let own = stream.get_ref().1.peer_certificates().and_then(|c| c.first());
                let names = own.map(|c| names(c)).unwrap_or_default();
                (Box::new(stream), names)
            }
            failed => {
                let why = match failed {
                    Ok(Err(e)) => e.to_string(),
                    _ => "it took too long".to_owned(),
                };
                return state.log(Level::Warn, "tls-refused", &[("why", why.into())]);
            }
        },
    };
    let peer = Peer { address, certificate: certificate.into() };
    let answering = Arc::clone(&state);
    let service = service_fn(move |request| {
        let (state, peer) = (Arc::clone(&answering), peer.clone());
        async move { Ok::<_, std::convert::Infallible>(handle(state, peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = Box::pin(connection);
    // what goes wrong on a connection is over with it
    let ended = matches!(select(&mut connection, Box::pin(stop.wait_for(|stop| *stop))).await, Either::Left(_));
    if !ended {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// A stream on which the other side has to take what it is sent.
struct Patient<S> {
    stream: S,
    stall: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    fn new(stream: S, stall: Duration) -> Self {
        Self { stream, stall, stalled: None }
    }

    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stall = self.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + stall)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, ended)
    }
}
