//! The configuration of a sequencer: strict TOML. What is not said is not allowed, and what is not understood is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::certificate::CertificateName;
use super::jwks::Algorithm;
use super::limits::{Limits, LimitsWire};
use crate::address::is_address;
use crate::error::{Error, ErrorKind, Result};

/// What a caller may do. Nobody may do what is not listed for them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Read the log: checkpoint, tiles, entries, and the records of the trust policy.
    ReadLog,
    /// Read records, their receipts and attachments.
    ReadRecords,
    /// Search.
    Search,
    /// Submit records of the types that the trust policy lists for the caller's credential.
    Append,
    /// Leave attachments.
    Attach,
    /// Read metrics.
    Metrics,
}

/// Where a sequencer listens.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address and a port; port 0 takes any that is free.
    Tcp(std::net::SocketAddr),
    /// A socket file.
    Unix(PathBuf),
}

/// How bytes come in.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Transport {
    /// TLS, ended here.
    Tls {
        /// Certificate chain, PEM.
        certificate: PathBuf,
        /// Its private key, PEM.
        key: PathBuf,
        /// Authorities of client certificates, PEM; without, no client certificate is asked for.
        client_authorities: Option<PathBuf>,
        /// Revoked client certificates, PEM.
        client_revocations: Option<PathBuf>,
    },
    /// Plain HTTP, within this machine, behind a proxy that ends TLS.
    PlainBehindProxy,
}

/// Who signs tokens that are taken.
#[derive(Clone, Debug)]
pub(super) struct IssuerConfig {
    pub(super) issuer: super::token::Issuer,
    pub(super) keys: KeySource,
}

#[derive(Clone, Debug)]
pub(super) enum KeySource {
    File(PathBuf),
    Url(String),
}

/// Somebody who is known, with what they show and what they may.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) name: String,
    /// What the trust policy calls them as a writer.
    pub(super) credential: Option<String>,
    pub(super) rights: BTreeSet<Right>,
    pub(super) certificate: Option<CertificateName>,
    pub(super) token: Option<TokenMatch>,
}

/// What a token must say to be this caller's.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TokenMatch {
    pub(super) issuer: String,
    pub(super) subject: Option<String>,
    /// Further claims, each with its exact text.
    #[serde(default)]
    pub(super) claims: BTreeMap<String, String>,
}

/// The folder of records that wait to be appended, and who is said to have left them there.
#[derive(Clone, Debug)]
pub(super) struct SpoolConfig {
    pub(super) folder: PathBuf,
    pub(super) caller: String,
}

/// A whole configuration, consistent in itself.
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) ledger: PathBuf,
    pub(super) state: PathBuf,
    pub(super) log_key: PathBuf,
    pub(super) next_log_key: Option<PathBuf>,
    pub(super) encryption_key: Option<PathBuf>,
    pub(super) archive: Option<PathBuf>,
    pub(super) uploads: PathBuf,
    pub(super) listen: Listen,
    pub(super) transport: Transport,
    pub(super) issuers: Vec<IssuerConfig>,
    pub(super) callers: Vec<Caller>,
    pub(super) spool: Option<SpoolConfig>,
    pub(super) limits: Limits,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Wire {
    ledger: PathBuf,
    state: PathBuf,
    log_key: PathBuf,
    next_log_key: Option<PathBuf>,
    encryption_key: Option<PathBuf>,
    archive: Option<PathBuf>,
    uploads: Option<PathBuf>,
    listen: String,
    transport: TransportWire,
    tls: Option<TlsWire>,
    #[serde(default, rename = "issuer")]
    issuers: Vec<IssuerWire>,
    #[serde(default)]
    roles: BTreeMap<String, BTreeSet<Right>>,
    #[serde(default, rename = "caller")]
    callers: Vec<CallerWire>,
    spool: Option<SpoolWire>,
    #[serde(default)]
    limits: LimitsWire,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TransportWire {
    Tls,
    PlainBehindProxy,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct TlsWire {
    certificate: PathBuf,
    key: PathBuf,
    client_authorities: Option<PathBuf>,
    client_revocations: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct IssuerWire {
    issuer: String,
    audience: String,
    algorithms: Vec<Algorithm>,
    keys_file: Option<PathBuf>,
    keys_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct CallerWire {
    name: String,
    credential: Option<String>,
    roles: Vec<String>,
    certificate: Option<CertificateName>,
    token: Option<TokenMatch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SpoolWire {
    folder: PathBuf,
    caller: String,
}

impl Config {
    /// Reads a configuration file. Relative paths in it begin at its folder.
    ///
    /// # Errors
    /// Those of reading a file, and of [`Config::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = crate::limits::read_file("configuration", path, crate::limits::KEY_BYTES)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| refused("it is not UTF-8"))?;
        Self::parse(text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads a configuration, relative paths in it beginning at `base`.
    ///
    /// # Errors
    /// `MALFORMED`, with what is wrong: something unknown or missing, a name twice, a caller who shows nothing, a role
    /// or issuer that is not there, plain HTTP beyond this machine, a bound beyond its own.
    pub fn parse(text: &str, base: &Path) -> Result<Self> {
        let wire: Wire = toml::from_str(text).map_err(|e| refused(e.message()))?;
        let at = |path: PathBuf| base.join(path);
        let listen = listen(&wire.listen, base)?;
        let transport = transport(wire.transport, wire.tls, &listen, at)?;
        let asks_for_certificates = matches!(&transport, Transport::Tls { client_authorities: Some(_), .. });
        let issuers = wire.issuers.into_iter().map(|i| issuer(i, at)).collect::<Result<Vec<_>>>()?;
        unique("issuer", issuers.iter().map(|i| i.issuer.name.as_str()))?;
        let callers = wire
            .callers
            .into_iter()
            .map(|c| caller(c, &wire.roles, &issuers, asks_for_certificates))
            .collect::<Result<Vec<_>>>()?;
        unique("caller", callers.iter().map(|c| c.name.as_str()))?;
        for (n, caller) in callers.iter().enumerate() {
            let Some(certificate) = &caller.certificate else { continue };
            if callers.iter().skip(n + 1).any(|other| other.certificate.as_ref() == Some(certificate)) {
                return Err(refused(&format!("another caller shows the certificate of `{}`", caller.name)));
            }
        }
        let spool = wire.spool.map(|s| SpoolConfig { folder: at(s.folder), caller: s.caller });
        if let Some(spool) = &spool {
            let may = |c: &Caller| c.credential.is_some() && c.rights.contains(&Right::Append);
            let known = callers.iter().any(|c| c.name == spool.caller && may(c));
            if !known {
                return Err(refused(&format!(
                    "the spool's caller `{}` is none with a credential and a role that may append",
                    spool.caller
                )));
            }
        }
        if wire.ledger.to_str().is_some_and(is_address) {
            return Err(refused("`ledger` is an address; serve a ledger where it lies"));
        }
        let state = at(wire.state);
        Ok(Self {
            ledger: at(wire.ledger),
            uploads: wire.uploads.map_or_else(|| state.join("uploads"), at),
            state,
            log_key: at(wire.log_key),
            next_log_key: wire.next_log_key.map(at),
            encryption_key: wire.encryption_key.map(|key| if is_file(&key) { at(key) } else { key }),
            archive: wire.archive.map(at),
            listen,
            transport,
            issuers,
            callers,
            spool,
            limits: wire.limits.checked()?,
        })
    }

    /// Reads the files it names, but for keys and ledger, and says what is wrong with them. Nothing is fetched.
    ///
    /// # Errors
    /// `MALFORMED`, or those of reading a file.
    pub fn check(&self) -> Result<()> {
        super::tls::server(&self.transport)?;
        super::caller::Callers::new(self).map(|_| ())
    }

    /// The file of the log's private key.
    pub fn log_key(&self) -> &Path {
        &self.log_key
    }

    /// The file of the private key that is to replace it, if one is at hand.
    pub fn next_log_key(&self) -> Option<&Path> {
        self.next_log_key.as_deref()
    }

    /// The key that the ledger is encrypted with, if it is: a file, or the URI of a key elsewhere.
    pub fn encryption_key(&self) -> Option<&Path> {
        self.encryption_key.as_deref()
    }

    /// The folder that bodies were moved to, if there is one.
    pub fn archive(&self) -> Option<&Path> {
        self.archive.as_deref()
    }

    /// The folder that remembers the ledger's highest checkpoint.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The folder of the ledger, or the file that describes its bucket
    /// ([`Place::find`](crate::ledger::Place::find)).
    pub fn ledger(&self) -> &Path {
        &self.ledger
    }
}

/// Whether a key is named by its file.
fn is_file(key: &Path) -> bool {
    key.to_str().is_none_or(crate::signer::is_key_file)
}

fn listen(text: &str, base: &Path) -> Result<Listen> {
    match text.strip_prefix("unix:") {
        Some(path) if !path.is_empty() => Ok(Listen::Unix(base.join(path))),
        _ => text.parse().map(Listen::Tcp).map_err(|_| {
            refused(&format!("`{text}` is no place to listen; write `127.0.0.1:8443` or `unix:ledger.sock`"))
        }),
    }
}

fn transport(
    transport: TransportWire,
    tls: Option<TlsWire>,
    listen: &Listen,
    at: impl Fn(PathBuf) -> PathBuf,
) -> Result<Transport> {
    match (transport, tls, listen) {
        (TransportWire::Tls, Some(tls), Listen::Tcp(_)) => {
            if tls.client_revocations.is_some() && tls.client_authorities.is_none() {
                return Err(refused("`client-revocations` are of no use without `client-authorities`"));
            }
            Ok(Transport::Tls {
                certificate: at(tls.certificate),
                key: at(tls.key),
                client_authorities: tls.client_authorities.map(&at),
                client_revocations: tls.client_revocations.map(&at),
            })
        }
        (TransportWire::Tls, Some(_), Listen::Unix(_)) => {
            Err(refused("a socket file is for a proxy; say `transport = \"plain-behind-proxy\"`"))
        }
        (TransportWire::Tls, None, _) => Err(refused("TLS needs `[tls]` with `certificate` and `key`")),
        (TransportWire::PlainBehindProxy, Some(_), _) => {
            Err(refused("`[tls]` is of no use with `plain-behind-proxy`; the proxy ends TLS"))
        }
        (TransportWire::PlainBehindProxy, None, Listen::Tcp(address)) if !address.ip().is_loopback() => Err(refused(
            &format!("plain HTTP is spoken within this machine alone, and `{address}` can be reached from outside"),
        )),
        (TransportWire::PlainBehindProxy, None, _) => Ok(Transport::PlainBehindProxy),
    }
}

fn issuer(wire: IssuerWire, at: impl Fn(PathBuf) -> PathBuf) -> Result<IssuerConfig> {
    let wrong = |why: &str| refused(&format!("issuer `{}`: {why}", wire.issuer));
    if wire.issuer.is_empty() || wire.audience.is_empty() {
        return Err(wrong("it has no name, or no audience"));
    }
    if wire.algorithms.is_empty() {
        return Err(wrong("no algorithm is allowed"));
    }
    let keys = match (&wire.keys_file, &wire.keys_url) {
        (Some(file), None) => KeySource::File(at(file.clone())),
        (None, Some(url)) => KeySource::Url(url.clone()),
        _ => return Err(wrong("give either `keys-file` or `keys-url`")),
    };
    let issuer =
        super::token::Issuer { name: wire.issuer.clone(), audience: wire.audience, algorithms: wire.algorithms };
    Ok(IssuerConfig { issuer, keys })
}

fn caller(
    wire: CallerWire,
    roles: &BTreeMap<String, BTreeSet<Right>>,
    issuers: &[IssuerConfig],
    asks_for_certificates: bool,
) -> Result<Caller> {
    let wrong = |why: &str| refused(&format!("caller `{}`: {why}", wire.name));
    if wire.name.is_empty() || wire.name.len() > 128 {
        return Err(wrong("a name has 1 to 128 characters"));
    }
    let mut rights = BTreeSet::new();
    for role in &wire.roles {
        rights.extend(roles.get(role).ok_or_else(|| wrong(&format!("there is no role `{role}`")))?);
    }
    if wire.certificate.is_none() && wire.token.is_none() {
        return Err(wrong("it shows neither a certificate nor a token, so nobody could be it"));
    }
    if wire.certificate.is_some() && !asks_for_certificates {
        return Err(wrong("it shows a certificate, and none is asked for; give `client-authorities` in `[tls]`"));
    }
    if rights.contains(&Right::Append) && wire.credential.as_deref().unwrap_or_default().is_empty() {
        return Err(wrong("it may append, and has no `credential` that the trust policy could list as a writer"));
    }
    if let Some(token) = &wire.token {
        if !issuers.iter().any(|i| i.issuer.name == token.issuer) {
            return Err(wrong(&format!("there is no issuer `{}`", token.issuer)));
        }
        if token.subject.is_none() && token.claims.is_empty() {
            return Err(wrong("any token of the issuer would do; demand a `subject` or `claims`"));
        }
        let taken = ["iss", "sub", "aud", "exp", "nbf", "iat"];
        if token.claims.keys().any(|name| taken.contains(&name.as_str())) {
            return Err(wrong(
                "`claims` are for further claims; issuer, subject and audience have fields of their own",
            ));
        }
    }
    Ok(Caller {
        name: wire.name,
        credential: wire.credential,
        rights,
        certificate: wire.certificate,
        token: wire.token,
    })
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(refused(&format!("the {what} `{name}` stands twice")));
        }
    }
    Ok(())
}

pub(super) fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("the configuration of the sequencer is refused: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        ledger = "ledger"
        state = "state"
        log-key = "log.pem"
        listen = "0.0.0.0:8443"
        transport = "tls"
        [tls]
        certificate = "server.pem"
        key = "server.key"
        client-authorities = "clients.pem"
        [roles]
        ci = ["append", "read-log"]
        [[issuer]]
        issuer = "https://issuer.example"
        audience = "ledger.example"
        algorithms = ["RS256"]
        keys-file = "keys.json"
        [[caller]]
        name = "build"
        credential = "ci-build"
        roles = ["ci"]
        token = { issuer = "https://issuer.example", subject = "repo:a/b" }
        [[caller]]
        name = "deploy"
        credential = "ci-deploy"
        roles = ["ci"]
        certificate = { uri = "spiffe://example.org/deploy" }
        [limits]
        connections = 10
    "#;

    #[test]
    fn paths_begin_at_the_folder_of_the_file() {
        let config = Config::parse(GOOD, Path::new("/etc/sealwright")).unwrap();
        assert_eq!(config.log_key(), Path::new("/etc/sealwright/log.pem"));
        assert_eq!(config.callers.len(), 2);
    }

    #[test]
    fn a_configuration_that_says_something_wrong_is_refused_with_what_it_is() {
        for (from, to, why) in [
            ("ledger = \"ledger\"", "", "ledger"),
            ("ledger = \"ledger\"", "leger = \"ledger\"", "leger"),
            ("state = \"state\"", "state = 7", "string"),
            ("0.0.0.0:8443", "everywhere", "no place to listen"),
            ("0.0.0.0:8443", "unix:l.sock", "socket file"),
            ("\"tls\"", "\"plain\"", "plain"),
            ("\"tls\"", "\"plain-behind-proxy\"", "`[tls]` is of no use"),
            ("client-authorities", "#", "none is asked for"),
            ("client-authorities", "client-revocations", "of no use"),
            ("\"append\"", "\"everything\"", "everything"),
            ("roles = [\"ci\"]", "roles = [\"root\"]", "no role `root`"),
            ("credential = \"ci-build\"", "", "no `credential`"),
            ("name = \"deploy\"", "name = \"build\"", "stands twice"),
            ("certificate = { uri", "#", "shows neither"),
            ("certificate = { uri", "certificate = { cn", "cn"),
            (", subject = \"repo:a/b\"", "", "any token"),
            ("subject = \"repo:a/b\"", "claims = { aud = \"x\" }", "further claims"),
            ("{ issuer = \"https://issuer.example\"", "{ issuer = \"https://x\"", "no issuer"),
            ("\"RS256\"", "\"HS256\"", "HS256"),
            ("\"RS256\"", "\"none\"", "none"),
            ("[\"RS256\"]", "[]", "no algorithm"),
            ("keys-file = \"keys.json\"", "", "keys-file"),
            ("audience = \"ledger.example\"", "audience = \"\"", "no audience"),
            ("connections = 10", "connections = 0", "connections"),
            ("connections = 10", "connections = 10000000", "connections"),
            ("connections = 10", "conections = 10", "conections"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let e = Config::parse(&GOOD.replace(from, to), Path::new("")).unwrap_err();
            assert!(e.code() == "MALFORMED" && e.message().contains(why), "{from} → {to}: {e}");
        }
    }

    #[test]
    fn plain_http_is_spoken_within_this_machine_alone() {
        let plain = |listen: &str| {
            format!("ledger=\"l\"\nstate=\"s\"\nlog-key=\"k\"\nlisten=\"{listen}\"\ntransport=\"plain-behind-proxy\"")
        };
        for good in ["127.0.0.1:0", "[::1]:80", "unix:ledger.sock"] {
            Config::parse(&plain(good), Path::new("")).unwrap();
        }
        for bad in ["0.0.0.0:80", "10.0.0.1:80", "[::]:80"] {
            let e = Config::parse(&plain(bad), Path::new("")).unwrap_err();
            assert!(e.message().contains("within this machine"), "{e}");
        }
    }
}
