//! Holds an SBOM against the official schema of its format, and against what a schema can't say.

use serde::Serialize;

use super::document::{Document, Format};
use super::license;
use super::{cyclonedx_rules, purl, spdx_rules, spdx3_rules};
use crate::error::Result;

/// Findings that are told of one SBOM; one with so many needs no longer list.
const FINDINGS: usize = 100;
/// Longest message of a finding, in characters.
const MESSAGE: usize = 300;

/// A fault of an SBOM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// Where in [`Document::json`], as a JSON pointer.
    pub path: String,
    /// Where in an XML or tag-value file: its line, and the element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What is wrong there.
    pub message: String,
}

/// What an SBOM is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// The official JSON schema of the format and version.
    Schema,
    /// What is named is named once: `bom-ref` (CycloneDX: "Every bom-ref must be unique within the BOM"), `SPDXID`,
    /// `spdxId`.
    UniqueRef,
    /// What is referred to is there, or is in another document that is named.
    KnownRef,
    /// A package url is one.
    Purl,
    /// A licence expression is one (SPDX specification, annex D), and stands where its format lets it.
    License,
    /// A hash is as long as its algorithm makes it, in hex.
    HashLength,
    /// Nothing contains itself, and nothing is made from itself.
    Cycle,
    /// A text has the form that its specification gives in words.
    Form,
    /// The notation of an XML or tag-value file, where it shows more than the JSON form.
    Notation,
}

/// Every fault of an SBOM, the first 100 at most; none means valid.
///
/// CycloneDX 1.4 to 1.7, SPDX 2.3 and SPDX 3.0.1 are validated. XML and tag-value files are held, in their JSON form,
/// against the JSON schema of the same version.
///
/// ```
/// let bom = br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library"}]}"#;
/// let findings = sealwright::sbom::validate(bom)?;
/// assert_eq!(findings[0].path, "/components/0");
/// # Ok::<(), sealwright::Error>(())
/// ```
///
/// # Errors
/// As [`Document::parse`], and `UNSUPPORTED` for SPDX 2.2 and 3.0.0.
pub fn validate(bytes: &[u8]) -> Result<Vec<Finding>> {
    Document::parse(bytes)?.validate()
}

impl Document {
    /// Every fault of it, as [`validate`] tells them.
    ///
    /// # Errors
    /// `UNSUPPORTED` for SPDX 2.2 and 3.0.0.
    pub fn validate(&self) -> Result<Vec<Finding>> {
        let schema = self.schema()?.validator()?;
        let mut findings = Findings::default();
        for (path, message) in &self.faults {
            findings.tell(Rule::Notation, path, format_args!("{message}"));
        }
        // asking for a verdict alone is much faster than asking for reasons
        if !schema.is_valid(self.json()) {
            for e in schema.iter_errors(self.json()).take(FINDINGS) {
                findings.tell(Rule::Schema, e.instance_path().as_str(), format_args!("{}", e.masked()));
            }
        }
        match self.format() {
            Format::CycloneDxJson | Format::CycloneDxXml => {
                cyclonedx_rules::check(self.json(), self.version(), self.format(), &mut findings);
            }
            Format::SpdxJson | Format::SpdxTagValue => spdx_rules::check(self.json(), &mut findings),
            Format::SpdxJsonLd => spdx3_rules::check(self.json(), &mut findings),
        }
        let mut findings = findings.0;
        if !self.format().is_json() {
            for finding in &mut findings {
                finding.place = self.places.find(&finding.path);
            }
        }
        Ok(findings)
    }
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn tell(&mut self, rule: Rule, path: &str, message: std::fmt::Arguments<'_>) {
        if self.0.len() < FINDINGS {
            let message = short(&message.to_string());
            self.0.push(Finding { rule, path: path.to_owned(), place: None, message });
        }
    }

    /// Tells what is wrong with the text at `path`, if anything is.
    pub(super) fn fault(&mut self, rule: Rule, path: &str, fault: Option<String>) {
        if let Some(fault) = fault {
            self.tell(rule, path, format_args!("{fault}"));
        }
    }
}

/// What is wrong with `text` as a package url, if anything.
pub(super) fn purl_fault(text: &str) -> Option<String> {
    purl::fault(text).map(|fault| format!("`{}` is no package url: {fault}", text.escape_debug()))
}

/// What is wrong with `text` as a licence expression, if anything.
pub(super) fn license_fault(text: &str) -> Option<String> {
    license::fault(text).map(|fault| format!("`{}` is no licence expression: {fault}", text.escape_debug()))
}

/// What is wrong with a hash of an algorithm, by any of the names that the formats have for it, if anything.
pub(super) fn hash_fault(algorithm: &str, content: &str) -> Option<String> {
    let name: String = algorithm.to_ascii_uppercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let bits = match &*name {
        "MD2" | "MD4" | "MD5" => 128,
        "SHA1" => 160,
        "SHA224" | "SHA3224" => 224,
        "SHA256" | "SHA3256" | "BLAKE2B256" | "BLAKE3" | "STREEBOG256" => 256,
        "SHA384" | "SHA3384" | "BLAKE2B384" => 384,
        "SHA512" | "SHA3512" | "BLAKE2B512" | "STREEBOG512" => 512,
        "ADLER32" => 32,
        _ => return None,
    };
    let hex = content.bytes().all(|b| b.is_ascii_hexdigit());
    if hex && content.len() * 4 == bits {
        return None;
    }
    let found = if hex { format!("{} hex digits", content.len()) } else { "something else".to_owned() };
    Some(format!("a hash of {algorithm} has {} hex digits, found {found}", bits / 4))
}

fn short(message: &str) -> String {
    match message.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
        None => message.to_owned(),
    }
}

/// A node that can be reached from itself over `edges`, if there is one.
pub(super) fn cycle<'a>(edges: &[(&'a str, &'a str)]) -> Option<&'a str> {
    use std::collections::{HashMap, HashSet};
    let mut next: HashMap<&str, Vec<&'a str>> = HashMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().push(to);
    }
    let mut done: HashSet<&str> = HashSet::new();
    for (start, _) in edges {
        // each node with those it leads to which were not walked yet
        let mut open: Vec<(&str, Vec<&'a str>)> = Vec::new();
        let mut on_path: HashSet<&str> = HashSet::new();
        if done.contains(start) {
            continue;
        }
        on_path.insert(start);
        open.push((start, next.get(start).cloned().unwrap_or_default()));
        while let Some((node, left)) = open.last_mut() {
            let Some(to) = left.pop() else {
                on_path.remove(*node);
                done.insert(node);
                open.pop();
                continue;
            };
            if on_path.contains(to) {
                return Some(to);
            }
            if !done.contains(to) {
                on_path.insert(to);
                open.push((to, next.get(to).cloned().unwrap_or_default()));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_found_and_a_diamond_is_none() {
        assert_eq!(cycle(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]), None);
        assert!(cycle(&[("a", "b"), ("b", "c"), ("c", "b")]).is_some());
        assert_eq!(cycle(&[("a", "a")]), Some("a"));
        let long: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
        let chain: Vec<_> = long.windows(2).map(|w| (&*w[0], &*w[1])).collect();
        assert_eq!(cycle(&chain), None);
    }

    #[test]
    fn the_length_of_a_hash_is_that_of_its_algorithm() {
        let faults = |algorithm: &str, content: &str| usize::from(hash_fault(algorithm, content).is_some());
        let zeros = |n: usize| "0".repeat(n);
        for (algorithm, digits) in [("SHA-1", 40), ("SHA256", 64), ("sha3_512", 128), ("BLAKE2b-384", 96), ("MD5", 32)]
        {
            assert_eq!(faults(algorithm, &zeros(digits)), 0, "{algorithm}");
            assert_eq!(faults(algorithm, &zeros(digits - 2)), 1, "{algorithm}");
        }
        assert_eq!(faults("SHA-1", &"x".repeat(40)), 1);
        assert_eq!(faults("unheard-of", "00"), 0);
    }
}
