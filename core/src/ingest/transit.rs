//! Encryption in transit: scans by testssl.sh (`--jsonfile`), and what Istio demands between services.

use std::collections::BTreeMap;

use super::report::{Claim, Report};
use super::workloads::{items, kind_of, text};
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Scai};
use crate::statement::Statement;

pub(super) const TESTSSL: Format = Format {
    name: "testssl",
    title: "testssl.sh report",
    media_type: "application/json",
    recognised_by: "a list of objects with `id`, `ip`, `port`, `severity` and `finding`",
    says: "address and port in each",
    becomes: &[Scai::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is: is_testssl, read: testssl },
};

pub(super) const ISTIO: Format = Format {
    name: "istio-peer-authentication",
    title: "list of Istio's peer authentications",
    media_type: "application/json",
    recognised_by: "a `List` of, or one, `PeerAuthentication` of security.istio.io",
    says: "the cluster's URI must be told as source",
    becomes: &[Scai::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is: is_istio, read: istio },
};

/// Protocols by their id in a report, oldest first, with their version.
const PROTOCOLS: [(&str, &str); 6] =
    [("SSLv2", "SSLv2"), ("SSLv3", "SSLv3"), ("TLS1", "1.0"), ("TLS1_1", "1.1"), ("TLS1_2", "1.2"), ("TLS1_3", "1.3")];

fn is_testssl(json: &Value) -> bool {
    let of = |f: &Value| ["id", "ip", "port", "severity", "finding"].iter().all(|name| f.get(*name).is_some());
    json.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(of))
}

fn testssl(report: &Report<'_>) -> Result<Vec<Statement>> {
    let least = report.limits().tls_version.as_deref().unwrap_or("1.2");
    let order = |version: &str| PROTOCOLS.iter().position(|(_, known)| *known == version);
    let Some(least_place) = order(least).filter(|place| *place >= 4) else {
        return Err(report.unsupported(
            "is to be held against another version than 1.2 or 1.3; say one of them in `limits.tlsVersion`",
        ));
    };
    let mut ends: BTreeMap<(&str, &str), BTreeMap<&str, bool>> = BTreeMap::new();
    for finding in report.json.as_array().into_iter().flatten() {
        let end = ends.entry((text(finding, "/ip"), text(finding, "/port"))).or_default();
        let Some((id, _)) = PROTOCOLS.iter().find(|(id, _)| *id == text(finding, "/id")) else { continue };
        let said = text(finding, "/finding");
        // "not offered", "not offered + …", "supported but couldn't …", "offered (deprecated)", "offered with final"
        let offered = match said {
            said if said.starts_with("not offered") => false,
            said if said.starts_with("offered") || said.contains("offered with") => true,
            other => {
                return Err(report.malformed(format_args!(
                    "says of `{id}` that it is `{}`, which is neither yes nor no",
                    other.escape_debug()
                )));
            }
        };
        // one that is offered at any of several places is offered
        *end.entry(id).or_default() |= offered;
    }
    let mut claims = Vec::new();
    for ((ip, port), offered) in ends {
        // findings about the scan itself name no port
        if offered.is_empty() && port.is_empty() {
            continue;
        }
        let host = ip.split('/').next().unwrap_or(ip);
        let target = format!("tls://{}:{}", super::log::encoded(host), super::log::encoded(port));
        if let Some((missing, _)) = PROTOCOLS.iter().find(|(id, _)| !offered.contains_key(id)) {
            return Err(report.malformed(format_args!("does not say of `{target}` whether it offers `{missing}`")));
        }
        let lowest = PROTOCOLS.iter().position(|(id, _)| offered.get(id) == Some(&true));
        let version = lowest.and_then(|place| PROTOCOLS.get(place)).map_or("none", |(_, version)| version);
        let fault = match lowest {
            None => Some("it offers no encryption".to_owned()),
            Some(place) if place < least_place => Some(format!("it offers {version}; the least is {least}")),
            Some(_) => None,
        };
        claims.push(Claim::of("TLS_MIN_VERSION", target).with("version", version).denied_if(fault));
    }
    if claims.is_empty() {
        return Err(report.malformed("names no server, so nothing was looked at"));
    }
    Ok(vec![report.claims(claims)?])
}

fn is_istio(json: &Value) -> bool {
    let items = items(json);
    !items.is_empty() && items.iter().all(|item| kind_of(json, item) == "PeerAuthentication")
}

fn istio(report: &Report<'_>) -> Result<Vec<Statement>> {
    let told = report.told;
    let cluster = told.demand(&told.source, "source", "the list does not say of which cluster it is")?;
    let claims = items(report.json).iter().map(|item| {
        let (namespace, name) = (text(item, "/metadata/namespace"), text(item, "/metadata/name"));
        let target =
            format!("{}/{namespace}/peerauthentications/{}", cluster.trim_end_matches('/'), super::log::encoded(name));
        let mode = text(item, "/spec/mtls/mode");
        let ports = item.pointer("/spec/portLevelMtls").and_then(Value::as_object).into_iter().flatten();
        let loose = ports.filter(|(_, port)| text(port, "/mode") != "STRICT").map(|(port, _)| port.as_str()).next();
        let fault = match (mode, loose) {
            ("STRICT", None) => None,
            ("STRICT", Some(port)) => Some(format!("its port {port} is not STRICT")),
            (mode, _) => Some(format!("its mode is `{mode}`, not STRICT")),
        };
        Claim::of("MTLS_ENFORCED", target).denied_if(fault)
    });
    Ok(vec![report.claims(claims.collect())?])
}
