//! What suppliers say about vulnerabilities of their products: OpenVEX, CycloneDX and CSAF, applied to findings.

use std::collections::{BTreeMap, BTreeSet};

use packageurl::PackageUrl;
use serde::Serialize;

use super::document::{Document, short};
use super::query::is_of;
use super::summary::{list, text};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::limits;
use crate::timestamp::Timestamp;

/// The `@context` of each version of OpenVEX that is read: 0.0.1, by either name, and 0.2.0.
pub(crate) const OPENVEX_CONTEXTS: [&str; 3] =
    ["https://openvex.dev/ns", "https://openvex.dev/ns/v0.0.1", "https://openvex.dev/ns/v0.2.0"];

/// Why OpenVEX may say that something is not affected (0.2.0, "Status Justifications"; the same in 0.0.1).
pub(crate) const OPENVEX_JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// What is said of a product and a vulnerability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VexStatus {
    /// The vulnerability does no harm there.
    NotAffected,
    /// It does.
    Affected,
    /// This version has a remedy.
    Fixed,
    /// It is not known yet.
    UnderInvestigation,
}

/// One statement, for one vulnerability and one product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VexStatement {
    /// The names of the vulnerability, such as `CVE-2021-44228`, the first its own and then others.
    pub vulnerabilities: Vec<String>,
    /// The product, by its package url or another identifier.
    pub product: String,
    /// The parts of the product that are meant; none means the product itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subcomponents: Vec<String>,
    /// What is said.
    pub status: VexStatus,
    /// Why it is not affected, in the words of the format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// When it was said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Statements of one or more documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Vex {
    /// The statements, in the order of the documents.
    pub statements: Vec<VexStatement>,
}

impl Vex {
    /// Reads a document: OpenVEX, CSAF 2.0 (category `csaf_vex`), or CycloneDX with `vulnerabilities`.
    ///
    /// ```
    /// use sealwright::sbom::{Vex, VexStatus};
    /// let vex = Vex::parse(br#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{"vulnerability":{"name":"CVE-1"},
    ///     "products":[{"@id":"pkg:npm/a@1.0.0"}],"status":"not_affected","justification":"component_not_present"}]}"#)?;
    /// let said = vex.status("CVE-1", "pkg:npm/a@1.0.0", None)?;
    /// assert_eq!(said.map(|s| s.status), Some(VexStatus::NotAffected));
    /// assert_eq!(vex.status("CVE-1", "pkg:npm/a@2.0.0", None)?, None);
    /// # Ok::<(), sealwright::Error>(())
    /// ```
    ///
    /// # Errors
    /// `MALFORMED` for another document, for an unknown status or justification, for `not_affected` without a reason
    /// (OpenVEX: "MUST"), and for a product that CSAF puts in groups which contradict each other; `UNSUPPORTED` for another version or category; `LIMIT_EXCEEDED` as [`Document::parse`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() as u64 > limits::SBOM_BYTES {
            let text = format!("the VEX document is longer than {} bytes; split it", limits::SBOM_BYTES);
            return Err(Error::new(ErrorKind::LimitExceeded, text));
        }
        let xml = bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<');
        let value: Value = if xml { Value::Null } else { json::parse("VEX document", bytes)? };
        let context = value.get("@context").and_then(Value::as_str).unwrap_or_default();
        let statements = if context.starts_with("https://openvex.dev/ns") {
            if !OPENVEX_CONTEXTS.contains(&context) {
                let text = format!(
                    "the VEX document is of the OpenVEX version `{}`; 0.0.1 and 0.2.0 are read",
                    short(context)
                );
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            openvex(&value)?
        } else if value.pointer("/document/csaf_version").is_some() {
            csaf(&value)?
        } else if xml || value.get("bomFormat").is_some() {
            cyclonedx(&Document::parse(bytes)?)?
        } else {
            return Err(malformed("it is neither OpenVEX, CSAF nor CycloneDX"));
        };
        Ok(Self { statements })
    }

    /// Reads several documents.
    ///
    /// # Errors
    /// As [`Vex::parse`].
    pub fn parse_all<'a>(documents: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let mut vex = Self::default();
        for document in documents {
            vex.statements.extend(Self::parse(document)?.statements);
        }
        Ok(vex)
    }

    /// What is said of a vulnerability of a product, and of its part `component` if one is given; the latest of several,
    /// by their times and then by their order. A product and a part are meant by what is said of them without a version,
    /// too. A statement on other parts of the product says nothing of this one.
    ///
    /// # Errors
    /// `MALFORMED` if `product` or `component` begins with `pkg:` and is no package url.
    pub fn status(&self, vulnerability: &str, product: &str, component: Option<&str>) -> Result<Option<&VexStatement>> {
        let product = Identifier::new(product)?;
        let component = component.map(Identifier::new).transpose()?;
        let of_part = |s: &VexStatement| match (&component, s.subcomponents.is_empty()) {
            // said of the product as a whole, or of the part as a product of its own
            (_, true) => {
                product.is_meant_by(&s.product) || component.as_ref().is_some_and(|c| c.is_meant_by(&s.product))
            }
            (Some(part), false) => {
                product.is_meant_by(&s.product) && s.subcomponents.iter().any(|c| part.is_meant_by(c))
            }
            (None, false) => false,
        };
        let said =
            self.statements.iter().filter(|s| s.vulnerabilities.iter().any(|v| v == vulnerability) && of_part(s));
        Ok(said.enumerate().max_by_key(|(n, s)| (s.at, *n)).map(|(_, s)| s))
    }

    /// Whether a finding may be passed over: the latest that is said is that the product is not affected, or has the
    /// remedy.
    ///
    /// # Errors
    /// As [`Vex::status`].
    pub fn dismisses(&self, vulnerability: &str, product: &str, component: Option<&str>) -> Result<bool> {
        let said = self.status(vulnerability, product, component)?;
        Ok(said.is_some_and(|s| matches!(s.status, VexStatus::NotAffected | VexStatus::Fixed)))
    }
}

/// A package url, or another identifier that is compared as it stands.
enum Identifier<'a> {
    Purl(Box<PackageUrl<'static>>),
    Other(&'a str),
}

impl<'a> Identifier<'a> {
    fn new(text: &'a str) -> Result<Self> {
        if !text.starts_with("pkg:") {
            return Ok(Self::Other(text));
        }
        let purl = text
            .parse()
            .map_err(|e| Error::new(ErrorKind::Malformed, format!("`{}` is no package url: {e}", short(text))))?;
        Ok(Self::Purl(Box::new(purl)))
    }

    fn is_meant_by(&self, said: &str) -> bool {
        match self {
            Self::Other(text) => *text == said,
            Self::Purl(own) => said.parse::<PackageUrl<'_>>().is_ok_and(|said| is_of(&said, own)),
        }
    }
}

fn malformed(fault: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, format!("the VEX document is not sound: {fault}; write it anew"))
}

fn time(object: &Value, keys: &[&str], path: &str) -> Result<Option<Timestamp>> {
    for key in keys {
        if let Some(said) = text(object, key, path)? {
            let time: jiff::Timestamp =
                said.parse().map_err(|_| malformed(format_args!("`{}` at `{path}/{key}` is no time", short(said))))?;
            return Timestamp::from_unix_millis(time.as_millisecond()).map(Some);
        }
    }
    Ok(None)
}

fn openvex(document: &Value) -> Result<Vec<VexStatement>> {
    let whole = time(document, &["last_updated", "timestamp"], "")?;
    let mut statements = Vec::new();
    for (n, said) in list(document, "statements", "")?.iter().enumerate() {
        let path = format!("/statements/{n}");
        let mut vulnerabilities = Vec::new();
        match said.get("vulnerability") {
            Some(Value::String(name)) => vulnerabilities.push(name.clone()),
            Some(vulnerability) => {
                let at = format!("{path}/vulnerability");
                vulnerabilities.extend(text(vulnerability, "name", &at)?.map(str::to_owned));
                let aliases = list(vulnerability, "aliases", &at)?.iter().filter_map(Value::as_str);
                vulnerabilities.extend(aliases.map(str::to_owned));
            }
            None => {}
        }
        if vulnerabilities.is_empty() {
            return Err(malformed(format_args!("`{path}` names no vulnerability")));
        }
        let status = match text(said, "status", &path)?.unwrap_or_default() {
            "not_affected" => VexStatus::NotAffected,
            "affected" => VexStatus::Affected,
            "fixed" => VexStatus::Fixed,
            "under_investigation" => VexStatus::UnderInvestigation,
            other => return Err(malformed(format_args!("`{path}/status` is `{}`", short(other)))),
        };
        let label = text(said, "justification", &path)?;
        if let Some(other) = label.filter(|label| !OPENVEX_JUSTIFICATIONS.contains(label)) {
            return Err(malformed(format_args!("`{path}/justification` is `{}`", short(other))));
        }
        let justification = label.or(text(said, "impact_statement", &path)?.filter(|said| !said.is_empty()));
        if status == VexStatus::NotAffected && justification.is_none() {
            return Err(malformed(format_args!(
                "`{path}` is `not_affected` without a justification or impact statement"
            )));
        }
        let at = time(said, &["last_updated", "timestamp"], &path)?.or(whole);
        for (m, product) in list(said, "products", &path)?.iter().enumerate() {
            let path = format!("{path}/products/{m}");
            let mut subcomponents = Vec::new();
            // 0.0.1 has those of all products beside them
            for part in list(product, "subcomponents", &path)?.iter().chain(list(said, "subcomponents", &path)?) {
                subcomponents.extend(named(part)?);
            }
            for product in named(product)? {
                statements.push(VexStatement {
                    vulnerabilities: vulnerabilities.clone(),
                    product,
                    subcomponents: subcomponents.clone(),
                    status,
                    justification: justification.map(str::to_owned),
                    at,
                });
            }
        }
    }
    Ok(statements)
}

/// The identifiers of an OpenVEX product or part.
fn named(product: &Value) -> Result<Vec<String>> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    names.extend(product.as_str().map(str::to_owned));
    names.extend(product.get("@id").and_then(Value::as_str).map(str::to_owned));
    let identifiers = product.get("identifiers").and_then(Value::as_object);
    names.extend(identifiers.into_iter().flat_map(|map| map.values()).filter_map(Value::as_str).map(str::to_owned));
    if names.is_empty() {
        return Err(malformed("a product has no identifier"));
    }
    Ok(names.into_iter().collect())
}

fn cyclonedx(document: &Document) -> Result<Vec<VexStatement>> {
    let summary = document.summary()?;
    let purls: BTreeMap<_, _> = summary
        .subject
        .iter()
        .chain(&summary.components)
        .filter_map(|c| Some((c.bom_ref.as_deref()?, c.purl.as_deref()?)))
        .collect();
    let mut statements = Vec::new();
    for (n, vulnerability) in list(document.json(), "vulnerabilities", "")?.iter().enumerate() {
        let path = format!("/vulnerabilities/{n}");
        let Some(analysis) = vulnerability.get("analysis") else { continue };
        let at = format!("{path}/analysis");
        let status = match text(analysis, "state", &at)? {
            None => continue,
            Some("not_affected" | "false_positive") => VexStatus::NotAffected,
            Some("resolved" | "resolved_with_pedigree") => VexStatus::Fixed,
            Some("exploitable") => VexStatus::Affected,
            Some("in_triage") => VexStatus::UnderInvestigation,
            Some(other) => return Err(malformed(format_args!("`{at}/state` is `{}`", short(other)))),
        };
        let mut names: Vec<String> = text(vulnerability, "id", &path)?.map(str::to_owned).into_iter().collect();
        for (m, reference) in list(vulnerability, "references", &path)?.iter().enumerate() {
            names.extend(text(reference, "id", &format!("{path}/references/{m}"))?.map(str::to_owned));
        }
        let justification = text(analysis, "justification", &at)?.or(text(analysis, "detail", &at)?);
        let said_at = time(analysis, &["lastUpdated", "firstIssued"], &at)?;
        let said_at = said_at.or(time(vulnerability, &["updated", "published"], &path)?);
        for (m, affected) in list(vulnerability, "affects", &path)?.iter().enumerate() {
            let Some(reference) = text(affected, "ref", &format!("{path}/affects/{m}"))? else { continue };
            // a BOM-Link has the reference behind its `#`, percent-encoded as a package url mostly is not
            let local =
                reference.rsplit_once('#').filter(|_| reference.starts_with("urn:cdx:")).map(|(_, local)| local);
            let product = purls.get(local.unwrap_or(reference)).copied().or(local).unwrap_or(reference);
            statements.push(VexStatement {
                vulnerabilities: names.clone(),
                product: product.to_owned(),
                subcomponents: Vec::new(),
                status,
                justification: justification.map(str::to_owned),
                at: said_at,
            });
        }
    }
    Ok(statements)
}

fn csaf(document: &Value) -> Result<Vec<VexStatement>> {
    let head = document.get("document").unwrap_or(&Value::Null);
    let unsupported = |what: &str, found: &str| {
        let found = short(found);
        Error::new(
            ErrorKind::Unsupported,
            format!("the CSAF document has the {what} `{found}`; 2.0 and `csaf_vex` are read"),
        )
    };
    let version = text(head, "csaf_version", "/document")?.unwrap_or_default();
    if version != "2.0" {
        return Err(unsupported("version", version));
    }
    let category = text(head, "category", "/document")?.unwrap_or_default();
    if category != "csaf_vex" {
        return Err(unsupported("category", category));
    }
    let tracking = head.get("tracking").unwrap_or(&Value::Null);
    let at = time(tracking, &["current_release_date", "initial_release_date"], "/document/tracking")?;
    let products = csaf_products(document.get("product_tree").unwrap_or(&Value::Null));
    let mut statements = Vec::new();
    for (n, vulnerability) in list(document, "vulnerabilities", "")?.iter().enumerate() {
        let path = format!("/vulnerabilities/{n}");
        let mut names: Vec<String> = text(vulnerability, "cve", &path)?.map(str::to_owned).into_iter().collect();
        for (m, id) in list(vulnerability, "ids", &path)?.iter().enumerate() {
            names.extend(text(id, "text", &format!("{path}/ids/{m}"))?.map(str::to_owned));
        }
        let mut reasons: BTreeMap<&str, &str> = BTreeMap::new();
        for flag in list(vulnerability, "flags", &path)? {
            let label = flag.get("label").and_then(Value::as_str).unwrap_or_default();
            let ids = flag.get("product_ids").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            reasons.extend(ids.map(|id| (id, label)));
        }
        let groups = vulnerability.get("product_status").and_then(Value::as_object);
        let mut said: BTreeMap<&str, VexStatus> = BTreeMap::new();
        for (group, ids) in groups.into_iter().flatten() {
            let status = match &**group {
                "known_not_affected" => VexStatus::NotAffected,
                "fixed" | "first_fixed" => VexStatus::Fixed,
                "known_affected" | "first_affected" | "last_affected" => VexStatus::Affected,
                "under_investigation" => VexStatus::UnderInvestigation,
                // what to use instead says nothing of what is used
                "recommended" => continue,
                other => return Err(malformed(format_args!("`{path}/product_status` has `{}`", short(other)))),
            };
            for id in ids.as_array().into_iter().flatten().filter_map(Value::as_str) {
                if said.insert(id, status).is_some_and(|before| before != status) {
                    // CSAF 2.0, 6.1.6
                    return Err(malformed(format_args!(
                        "`{path}/product_status` has `{}` in groups that contradict each other",
                        short(id)
                    )));
                }
                let none = Vec::new();
                let (product, subcomponents) = products.get(id).unwrap_or(&(Vec::new(), none)).clone();
                let product = if product.is_empty() { vec![id.to_owned()] } else { product };
                for product in product {
                    statements.push(VexStatement {
                        vulnerabilities: names.clone(),
                        product,
                        subcomponents: subcomponents.clone(),
                        status,
                        justification: reasons.get(id).map(|reason| (*reason).to_owned()),
                        at,
                    });
                }
            }
        }
    }
    Ok(statements)
}

/// Identifiers of CSAF products by their local ids, and those of the part that is meant of a product.
fn csaf_products(tree: &Value) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let mut found: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    let mut open: Vec<&Value> = vec![tree];
    let mut related = Vec::new();
    while let Some(node) = open.pop() {
        let inner = |key: &str| node.get(key).and_then(Value::as_array).into_iter().flatten();
        open.extend(inner("branches").chain(inner("full_product_names")));
        open.extend(node.get("product"));
        related.extend(inner("relationships"));
        if let Some(id) = node.get("product_id").and_then(Value::as_str) {
            let helper = node.get("product_identification_helper");
            let purl = helper.and_then(|h| h.get("purl")?.as_str()).map(str::to_owned);
            let cpe = helper.and_then(|h| h.get("cpe")?.as_str()).map(str::to_owned);
            found.insert(id.to_owned(), (purl.into_iter().chain(cpe).collect(), Vec::new()));
        }
    }
    for relation in related {
        let end = |key: &str| relation.get(key).and_then(Value::as_str).unwrap_or_default();
        let Some(id) = relation.pointer("/full_product_name/product_id").and_then(Value::as_str) else { continue };
        // what has no name of its own, or is a part itself, is told by its local id: an empty list would mean the whole
        let own = |end: &str| found.get(end).filter(|(names, parts)| !names.is_empty() && parts.is_empty());
        let names = |end: &str| own(end).map_or_else(|| vec![end.to_owned()], |(names, _)| names.clone());
        let entry = (names(end("relates_to_product_reference")), names(end("product_reference")));
        found.insert(id.to_owned(), entry);
    }
    found
}
