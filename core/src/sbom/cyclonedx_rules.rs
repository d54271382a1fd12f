//! What the CycloneDX schemas can't say.

use std::collections::HashSet;

use super::document::Format;
use super::validation::{Findings, Rule, hash_fault, license_fault, purl_fault};
use crate::json::Value;

/// Where a BOM refers to its parts, beside its dependencies: a list, and the keys of each item that hold references.
const REFERRING: [(&str, &[&str]); 2] =
    [("compositions", &["assemblies", "dependencies", "vulnerabilities"]), ("annotations", &["subjects"])];

/// Looks at a BOM of `version`.
pub(super) fn check(bom: &Value, version: &str, format: Format, findings: &mut Findings) {
    // 1.7 lets expressions stand beside licences, and the JSON schema of 1.4 did not forbid it
    let mixed = version == "1.7" || (version == "1.4" && format == Format::CycloneDxJson);
    let mut walk = Walk { refs: HashSet::new(), steps: Vec::new(), mixed, findings };
    walk.visit(bom);
    walk.check_edges(bom);
}

/// A step into a value.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

struct Walk<'a, 'f> {
    refs: HashSet<&'a str>,
    /// The way to the value that is looked at.
    steps: Vec<Step<'a>>,
    mixed: bool,
    findings: &'f mut Findings,
}

impl<'a> Walk<'a, '_> {
    /// Looks at `value` and all in it, as deep as JSON is nested, which is bounded.
    fn visit(&mut self, value: &'a Value) {
        match value {
            Value::Object(map) => {
                self.object(map);
                for (key, inner) in map {
                    if inner.is_object() || inner.is_array() {
                        self.steps.push(Step::Key(key));
                        if key == "licenses" {
                            self.licenses(inner);
                        }
                        self.visit(inner);
                        self.steps.pop();
                    }
                }
            }
            Value::Array(list) => {
                for (n, inner) in list.iter().enumerate() {
                    if inner.is_object() || inner.is_array() {
                        self.steps.push(Step::Index(n));
                        self.visit(inner);
                        self.steps.pop();
                    }
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, map: &'a serde_json::Map<String, Value>) {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        if let Some(name) = text("bom-ref")
            && !self.refs.insert(name)
        {
            let path = self.path("");
            let message = format_args!("the bom-ref `{}` stands twice", name.escape_debug());
            self.findings.tell(Rule::UniqueRef, &path, message);
        }
        if let Some(fault) = text("purl").and_then(purl_fault) {
            let path = self.path("/purl");
            self.findings.fault(Rule::Purl, &path, Some(fault));
        }
        if let (Some(algorithm), Some(content)) = (text("alg"), text("content"))
            && let Some(fault) = hash_fault(algorithm, content)
        {
            let path = self.path("/content");
            self.findings.fault(Rule::HashLength, &path, Some(fault));
        }
    }

    fn licenses(&mut self, licenses: &'a Value) {
        let items = licenses.as_array().map(Vec::as_slice).unwrap_or_default();
        for (n, item) in items.iter().enumerate() {
            if let Some(expression) = item.get("expression").and_then(Value::as_str) {
                let path = self.path(&format!("/{n}/expression"));
                self.findings.fault(Rule::License, &path, license_fault(expression));
                if items.len() > 1 && !self.mixed {
                    let path = self.path("");
                    let message = format_args!("an expression stands beside other licences; it must be the only one");
                    self.findings.tell(Rule::License, &path, message);
                }
            }
        }
    }

    /// Looks at what refers to parts of the BOM.
    fn check_edges(&mut self, bom: &'a Value) {
        fn texts<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
            value.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        }
        let rows = |name: &str| bom.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (n, row) in rows("dependencies").iter().enumerate() {
            let own = row.get("ref").and_then(Value::as_str);
            for end in own.into_iter().chain(texts(row, "dependsOn")).chain(texts(row, "provides")) {
                self.end(end, &format!("/dependencies/{n}"));
            }
        }
        for (list, keys) in REFERRING {
            for (n, row) in rows(list).iter().enumerate() {
                for key in keys {
                    for (at, end) in texts(row, key).enumerate() {
                        self.end(end, &format!("/{list}/{n}/{key}/{at}"));
                    }
                }
            }
        }
    }

    fn end(&mut self, end: &str, path: &str) {
        // a BOM-Link leads to another BOM
        if !self.refs.contains(end) && !end.starts_with("urn:cdx:") {
            let message = format_args!("`{}` is no bom-ref of this BOM", end.escape_debug());
            self.findings.tell(Rule::KnownRef, path, message);
        }
    }

    fn path(&self, tail: &str) -> String {
        let mut path = String::new();
        for step in &self.steps {
            path.push('/');
            match step {
                Step::Key(key) => path.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Step::Index(n) => path.push_str(&n.to_string()),
            }
        }
        path.push_str(tail);
        path
    }
}
