//! The database beside a bucket: whose turn it is to write, and the search index. Neither is believed.
//!
//! A turn is an advisory lock of the session, so the database gives it on when the session ends, however that ends. It
//! keeps sequencers from working against each other, and no more: what two of them can't both do, replace the checkpoint,
//! the bucket decides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls_platform_verifier::BuilderVerifierExt as _;
use sha2::{Digest as _, Sha256};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::objects::{pause, shown};
use super::settings::BucketPlace;
use crate::address::is_here;
use crate::error::{Error, ErrorKind, Result, with_causes};
use crate::limits;

/// A database and the place in it of one ledger.
#[derive(Clone)]
pub(super) struct Database {
    config: Config,
    tls: MakeRustlsConnect,
    /// Name of the schema, which needs no quoting.
    pub(super) schema: String,
    /// What the turn of this ledger is known by.
    turn: i64,
    place: String,
    pub(super) timeout: Duration,
    retries: usize,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Mine,
    AnotherHas,
}

/// What every session is set to. Without the keepalives a holder that lost its network would keep its turn for hours.
const SESSION: &str = "SET client_min_messages = warning; SET synchronous_commit = off; SET lock_timeout = '30s'; \
    SET idle_in_transaction_session_timeout = '60s'; \
    SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";

/// Between two looks whether another has given its turn back.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

impl Database {
    pub(super) fn new(place: &BucketPlace) -> Result<Self> {
        let unusable = |why: &str| Error::new(ErrorKind::Malformed, format!("the database of `{place}`: {why}"));
        let mut config: Config = place.database().parse().map_err(|_| unusable("its address can't be read"))?;
        if !is_reached_here(&config) {
            // without TLS anybody on the way reads the index and takes a password
            config.ssl_mode(SslMode::Require);
        }
        if let Some(password) = &place.password {
            config.password(password.as_str());
        }
        config
            .application_name("sealwright")
            .connect_timeout(Duration::from_millis(limits::SERVICE_CONNECT_MILLIS))
            .tcp_user_timeout(place.timeout())
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
        let failed = |e: rustls::Error| Error::new(ErrorKind::Internal, "could not prepare TLS").caused_by(e);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_platform_verifier()
            .map_err(failed)?
            .with_no_client_auth();
        let name = Sha256::digest(place.to_string());
        let number = name.first_chunk().copied().unwrap_or_default();
        let schema = format!("sealwright_{}", hex::encode(name.get(..8).unwrap_or_default()));
        Ok(Self {
            config,
            tls: MakeRustlsConnect::new(tls),
            schema: place.schema().map_or(schema, str::to_owned),
            turn: i64::from_be_bytes(number),
            place: place.to_string(),
            timeout: place.timeout(),
            retries: place.retries(),
        })
    }

    /// A session of its own, tried again while the database starts or is away.
    pub(super) async fn connect(&self) -> Result<Client> {
        let mut tries = 0;
        loop {
            match self.connect_once().await {
                Err(e) if e.kind() == ErrorKind::ServiceUnavailable && tries < self.retries => {}
                done => return done,
            }
            tries += 1;
            tokio::time::sleep(pause(tries)).await;
        }
    }

    async fn connect_once(&self) -> Result<Client> {
        let connecting = self.config.connect(self.tls.clone());
        let (client, connection) = self.within(async { connecting.await.map_err(|e| self.failed(e)) }).await?;
        tokio::spawn(async move {
            // how it ended, the next query tells
            let _ = connection.await;
        });
        self.within(async { client.batch_execute(SESSION).await.map_err(|e| self.failed(e)) }).await?;
        Ok(client)
    }

    /// Waits for the turn of this ledger, in `kept` or a new session, and gives the session.
    pub(super) async fn take_turn(
        &self,
        mut kept: Option<Client>,
        begun: Instant,
        patience: Duration,
    ) -> Result<(Client, Turn)> {
        loop {
            let (client, used) = match kept.take().filter(|client| !client.is_closed()) {
                Some(client) => (client, true),
                None => (self.connect().await?, false),
            };
            let asked = async {
                let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&self.turn]).await;
                row.and_then(|row| row.try_get::<_, bool>(0)).map_err(|e| self.failed(e))
            };
            match self.within(asked).await {
                Ok(true) => return Ok((client, Turn::Mine)),
                Ok(false) if begun.elapsed() >= patience => return Ok((client, Turn::AnotherHas)),
                Ok(false) => {
                    kept = Some(client);
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                // one that was used before may have ended since, with the database or the way to it
                Err(e) if !used => return Err(e),
                Err(_) => {}
            }
        }
    }

    /// Gives the turn back, and the session if it can be used again.
    pub(super) async fn give_turn(&self, client: Client) -> Option<Client> {
        let given = async {
            client.query_one("SELECT pg_advisory_unlock($1)", &[&self.turn]).await.map_err(|e| self.failed(e))
        };
        // a session that ends gives it back as well
        self.within(given).await.is_ok().then_some(client)
    }

    /// Bounds the time of a request.
    pub(super) async fn within<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::time::timeout(self.timeout, work).await.unwrap_or_else(|_| {
            let what = format!("the database of `{}` did not answer within {} s", self.place, self.timeout.as_secs());
            Err(Error::new(ErrorKind::ServiceUnavailable, what).with("place", &self.place))
        })
    }

    pub(super) fn failed(&self, e: tokio_postgres::Error) -> Error {
        let (kind, advice) = match e.as_db_error().map(|e| e.code().code()) {
            Some("28000" | "28P01" | "42501") => (ErrorKind::PermissionDenied, "give a role and a password that may"),
            Some("53100") => (ErrorKind::StorageFull, "make room on its disk"),
            _ => (ErrorKind::ServiceUnavailable, "see whether it works, and try again"),
        };
        let said = match e.as_db_error() {
            Some(said) => shown(said.message()),
            None => shown(&with_causes(&e)),
        };
        Error::new(kind, format!("the database of `{}` failed: {said}; {advice}", self.place))
            .with("place", &self.place)
            .caused_by(e)
    }
}

/// Whether nobody but this machine is on the way, by the name and by the number it is reached at, if that is told.
fn is_reached_here(config: &Config) -> bool {
    let named = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(host) => is_here(host),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    named && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("schema", &self.schema).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_spoken_to_this_machine_alone_whatever_a_name_says() {
        for (address, here) in [
            ("postgres://ann@localhost/x", true),
            ("postgres://ann@127.0.0.1,[::1]/x", true),
            ("postgres:///x?host=/run/postgresql", true),
            ("postgres://ann@db.example.org/x", false),
            ("postgres://ann@localhost,db.example.org/x", false),
            ("postgres://ann@localhost/x?hostaddr=192.0.2.1", false),
            ("postgres://ann@db.example.org/x?hostaddr=127.0.0.1", false),
        ] {
            let config: Config = address.parse().unwrap();
            assert_eq!(is_reached_here(&config), here, "{address}");
            let text = format!("bucket = \"s3://evidence\"\ndatabase = \"{address}&sslmode=disable\"");
            let text = if address.contains('?') { text } else { text.replace('&', "?") };
            let database = Database::new(&BucketPlace::from_toml(text.as_bytes()).unwrap()).unwrap();
            let mode = if here { SslMode::Disable } else { SslMode::Require };
            assert_eq!(database.config.get_ssl_mode(), mode, "{address}");
        }
    }
}
