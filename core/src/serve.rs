//! The sequencer: a small HTTP service through which a team appends to one ledger, and reads it.
//!
//! It holds the log key and the order; who submits holds neither. "May write" is the submitter's credential, shown by a
//! client certificate or a token of an issuer and listed by the trust policy; "may say" is the record's signer. Whoever
//! reads verifies everything themselves, so this service is believed in nothing but being there.
//!
//! | request | right | answer |
//! |---|---|---|
//! | `GET /healthz`, `/readyz` | | whether it runs, whether it can append |
//! | `GET /metrics` | `metrics` | counts, in the text format of Prometheus |
//! | `GET /ledger.json`, `/checkpoint`, `/tile/…`, `/tile/entries/…` | `read-log` | the log, as C2SP tlog-tiles |
//! | `GET /rotations/<N>`, `/checkpoints/<N>` | `read-log` | notes of replaced keys, and what witnesses said |
//! | `GET /archived/<N>` | `read-log` | that a body lies in an archive |
//! | `GET /bodies/<N>` | `read-records`; `read-log` for the trust policy | salt and record of an entry |
//! | `GET /keyring.json` | `read-records` | the keys of an encrypted ledger, under one that is elsewhere |
//! | `GET /v1/trust-policy` | `read-log` | the entries that hold the trust policy |
//! | `GET /v1/receipts/<index>` | `read-records` | the receipt of an entry |
//! | `POST /v1/search` | `search` | entries that a [`Query`](crate::ledger::Query) finds |
//! | `POST /v1/records` | `append` | receipts of the records submitted, all or none |
//! | `GET`, `PUT /attachments/<sha256>` | `read-records`, `attach` | a file by its digest, streamed |

mod answer;
mod caller;
mod certificate;
mod config;
mod connection;
mod drain;
mod handle;
mod jwks;
mod limits;
mod log;
mod metrics;
mod rate;
mod read;
mod route;
mod sequencer;
mod state;
mod tls;
mod token;
mod write;

use std::io::Write;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::watch;

pub use certificate::CertificateName;
pub use config::{Config, Listen, Right, Transport};
pub use jwks::Algorithm;

use crate::error::{Error, ErrorKind, Result};
use crate::key::PrivateKey;
use crate::ledger::Ledger;
use crate::timestamp::Timestamp;
use caller::Callers;
use connection::Listener;
use log::{Level, Log};
use sequencer::{Appending, Queue};
use state::State;

/// Tells the time.
pub type Clock = Box<dyn Fn() -> Result<Timestamp> + Send + Sync>;

/// Submissions that may wait for a commit.
const QUEUE: usize = 4096;

/// A sequencer that runs.
pub struct Sequencer {
    address: String,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Sequencer {
    /// Serves `ledger`, opened in any place and with its encryption key if it has one, and answers on threads of its own
    /// until it is stopped.
    ///
    /// `log_keys` are the key of the log and any that may replace it while it is served: after a rotation to one of them
    /// it goes on with that. `clock` tells the time of entries, and judges tokens. Lines of the log, each a JSON object, go
    /// to `log`.
    ///
    /// # Errors
    /// `MALFORMED` or those of reading a file for what `config` names; `UNTRUSTED_SIGNER` if none of `log_keys` is the
    /// ledger's; `API_MISUSE` for a mirror, or a ledger behind an address; `APPEND_REFUSED` if it was moved away;
    /// `SERVICE_UNAVAILABLE` if an issuer's keys can't be fetched; `ALREADY_EXISTS`, `PERMISSION_DENIED` or `IO` if it
    /// can't listen.
    pub fn start(
        config: Config,
        mut ledger: Ledger,
        log_keys: Vec<PrivateKey>,
        clock: Clock,
        log: Box<dyn Write + Send>,
    ) -> Result<Self> {
        let tls = tls::server(&config.transport)?;
        let callers = Callers::new(&config)?;
        if ledger.is_behind_address() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("`{}` is served already; serve a ledger where it lies", ledger.place()),
            ));
        }
        let keys: Vec<_> = log_keys.into_iter().map(Arc::new).collect();
        ledger.sign_with_one_of(&keys)?;
        ledger.check_here()?;
        let internal = |what: &str| Error::new(ErrorKind::Internal, format!("the {what} could not be started"));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|e| internal("runtime of the sequencer").caused_by(e))?;
        let (stop, stopped) = watch::channel(false);
        let (queue, submissions) = Queue::new(QUEUE);
        let reader = ledger.reader();
        let state = Arc::new(State::new(config, callers, queue, reader, clock, Log::new(log)));
        runtime.block_on(state.callers.fetch_keys())?;
        let listener = runtime.block_on(Listener::bind(&state.config.listen))?;
        let address = listener.address();
        let appending =
            sequencer::start(Appending { ledger, keys, unsettled: false }, submissions, Arc::clone(&state))?;
        let run = move || {
            runtime.block_on(run(listener, tls, Arc::clone(&state), stopped));
            // what was taken is appended and answered before the end
            state.queue.close();
            let _ = appending.join();
            runtime.shutdown_timeout(state.config.limits.stop_time);
            state.log(Level::Info, "stopped", &[("entries", state.ledger().size().into())]);
        };
        let thread = std::thread::Builder::new()
            .name("serve".to_owned())
            .spawn(run)
            .map_err(|e| internal("thread of the sequencer").caused_by(e))?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens, `host:port` or `unix:path`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Has it finish what it is at, and take nothing new. Does not wait.
    pub fn stop(&self) {
        let _ = self.stop.send(true);
    }

    /// Waits until it has stopped, by [`Sequencer::stop`] or by the system's signal to end (SIGTERM, SIGINT).
    ///
    /// # Errors
    /// `INTERNAL` if it ended by a fault.
    pub fn wait(mut self) -> Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_)) => Err(Error::new(ErrorKind::Internal, "the sequencer ended by a fault")),
            _ => Ok(()),
        }
    }

    /// Has the system's signals to end (SIGTERM, SIGINT) stop it, from now on and for the whole process.
    ///
    /// # Errors
    /// `INTERNAL` if the system lets nobody listen for signals.
    pub fn stop_on_signals(&self) -> Result<()> {
        let stop = self.stop.clone();
        let fault = |e: std::io::Error| Error::new(ErrorKind::Internal, "signals can't be listened for").caused_by(e);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fault)?;
        let (ready, listening) = std::sync::mpsc::channel();
        let listen = move || {
            runtime.block_on(async {
                let signals = Signals::listen();
                let _ = ready.send(signals.as_ref().map(|_| ()).map_err(|e| std::io::Error::from(e.kind())));
                if let Ok(signals) = signals {
                    signals.wait().await;
                    let _ = stop.send(true);
                }
            });
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(fault)?;
        listening.recv().unwrap_or(Ok(())).map_err(fault)
    }
}

impl Drop for Sequencer {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequencer").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(mut self) {
        futures_util::future::select(Box::pin(self.terminate.recv()), Box::pin(self.interrupt.recv())).await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn wait(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

async fn run(
    listener: Listener,
    tls: Option<Arc<rustls::ServerConfig>>,
    state: Arc<State>,
    mut stopped: watch::Receiver<bool>,
) {
    let fields = [
        ("address", listener.address().into()),
        ("tls", tls.is_some().into()),
        ("origin", state.ledger().origin().into()),
        ("entries", state.ledger().size().into()),
    ];
    state.log(Level::Info, "listening", &fields);
    for repair in state.ledger().repairs() {
        state.log(Level::Warn, "ledger-repaired", &[("message", repair.message.into())]);
    }
    if state.ledger().trust_policy().is_ok_and(|policy| policy.predicate().writers.is_empty()) {
        state.log(
            Level::Warn,
            "no-writers",
            &[("message", "the trust policy lists no writers; nothing is appended".into())],
        );
    }
    let refreshing = Arc::clone(&state);
    let keys = tokio::spawn(async move {
        loop {
            tokio::time::sleep(refreshing.config.limits.keys_refresh).await;
            if let Err(e) = refreshing.callers.fetch_keys().await {
                refreshing.log(Level::Warn, "keys-not-fetched", &[("message", e.message().into())]);
            }
        }
    });
    if let Some(spool) = state.config.spool.clone()
        && let Some(caller) = state.callers.named(&spool.caller)
    {
        tokio::spawn(drain::drain(Arc::clone(&state), spool, caller, stopped.clone()));
    }
    let serving = connection::serve(listener, tls, Arc::clone(&state), stopped.clone());
    let ending = Arc::clone(&state);
    let watching = async move {
        if stopped.wait_for(|stop| *stop).await.is_ok() {
            ending.stop();
            ending.log(Level::Info, "stopping", &[]);
        }
    };
    futures_util::future::join(serving, watching).await;
    keys.abort();
}
