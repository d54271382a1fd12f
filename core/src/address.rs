//! Addresses of services, checked before anything is sent to them.

#[cfg(any(
    feature = "keyless",
    feature = "kms",
    feature = "object-store",
    feature = "oci",
    feature = "remote",
    feature = "witness"
))]
use std::net::IpAddr;

#[cfg(any(feature = "keyless", feature = "remote", feature = "witness"))]
use reqwest::Url;

#[cfg(any(feature = "keyless", feature = "remote", feature = "witness"))]
use crate::error::{Error, ErrorKind, Result};

/// Whether `place` is the address of a ledger's service, and no path.
///
/// ```
/// use sealwright::opening::is_address;
/// assert!(is_address("https://ledger.example.org") && !is_address("evidence/ledger") && !is_address("evidence.toml"));
/// ```
pub fn is_address(place: &str) -> bool {
    place.contains("://")
}

/// What is shown of an address that somebody named: a password that may stand in it is not for the terminal.
pub(crate) fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{}", rest.escape_debug().take(200).collect::<String>()),
        None => text.escape_debug().take(200).collect(),
    }
}

/// Whether nobody but this machine is on the way to `host`, as it stands in a URL or without the brackets of IPv6.
#[cfg(any(
    feature = "keyless",
    feature = "kms",
    feature = "object-store",
    feature = "oci",
    feature = "remote",
    feature = "witness"
))]
pub(crate) fn is_here(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Whether an address may have a query.
#[cfg(any(feature = "keyless", feature = "remote", feature = "witness"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    #[cfg(feature = "keyless")]
    Allowed,
    #[cfg(any(feature = "remote", feature = "witness"))]
    Refused,
}

/// The address of a service: `https`, or `http` within this machine; without a password and a fragment. `what` names the
/// service in errors (`MALFORMED`).
#[cfg(any(feature = "keyless", feature = "remote", feature = "witness"))]
pub(crate) fn service_address(what: &str, text: &str, query: Query) -> Result<Url> {
    let refused = |why: &str| {
        Error::new(
            ErrorKind::Malformed,
            format!("`{}` is no address of the {what}: {why}; write it as `https://host/path`", shown(text)),
        )
    };
    let url = Url::parse(text).map_err(|e| refused(&e.to_string()))?;
    let here = match url.host_str() {
        None => return Err(refused("it names no host")),
        Some(host) => is_here(host),
    };
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        "http" => return Err(refused("without TLS anybody on the way reads and changes what is sent")),
        _ => return Err(refused("it is neither https nor http")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("a password does not belong into an address"));
    }
    if url.fragment().is_some() {
        return Err(refused("it has a fragment"));
    }
    match query {
        #[cfg(feature = "keyless")]
        Query::Allowed => {}
        #[cfg(any(feature = "remote", feature = "witness"))]
        Query::Refused if url.query().is_some() => return Err(refused("it has a query")),
        #[cfg(any(feature = "remote", feature = "witness"))]
        Query::Refused => {}
    }
    Ok(url)
}

#[cfg(all(test, feature = "keyless", feature = "remote"))]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_here() {
        for here in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "::1"] {
            assert!(is_here(here), "{here}");
        }
        for there in [
            "",
            "a.example",
            "localhost.example",
            "127.0.0.1.example",
            "0.0.0.0",
            "[::]",
            "10.0.0.1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_here(there), "{there}");
        }
    }

    #[test]
    fn what_stands_before_the_host_of_an_address_is_not_shown() {
        assert_eq!(shown("https://a.example/b"), "https://a.example/b");
        for secret in ["https://user:hunter2@a.example", "user:hunter2@a.example", "https://user:hunter2/@x@a.example"]
        {
            assert_eq!(shown(secret), "…@a.example");
        }
        assert!(shown(&"x".repeat(1000)).len() == 200 && !shown("\u{1b}[31m@\u{1b}[31m").contains('\u{1b}'));
    }

    #[test]
    fn an_address_is_https_or_this_machine_and_holds_no_password() {
        for good in
            ["https://a.example", "https://a.example/b/", "http://localhost:1", "http://127.0.0.1:8", "http://[::1]:1"]
        {
            assert!(service_address("log", good, Query::Refused).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a.example",
            "http://a.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "ftp://localhost",
            "data:text/plain,x",
            "https://user:hunter2@a.example",
            "https://a.example/#f",
        ] {
            let e = service_address("log", bad, Query::Allowed).unwrap_err();
            assert!(e.code() == "MALFORMED" && !format!("{e:?}").contains("hunter2"), "{bad}: {e}");
        }
        let query = "https://a.example/?a=b";
        assert!(service_address("log", query, Query::Allowed).is_ok());
        assert_eq!(service_address("log", query, Query::Refused).unwrap_err().code(), "MALFORMED");
    }
}
