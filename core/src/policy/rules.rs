//! What a rule file may say, read from its syntax tree before anything runs.
//!
//! The engine aborts the process on a recursive function, looks at no clock within a built-in function, and gives
//! undefined for functions it does not have. So rules get one package, one import, a list of functions, and no cycle;
//! what cannot be understood here is refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;

/// Functions that rules may call: pure, the same on every machine, and no larger in their result than their input.
const FUNCTIONS: &[&str] = &[
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "ceil",
    "concat",
    "contains",
    "count",
    "endswith",
    "floor",
    "format_int",
    "indexof",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "lower",
    "max",
    "min",
    "object.get",
    "object.keys",
    "object.subset",
    "regex.match",
    "round",
    "sort",
    "split",
    "sprintf",
    "startswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "substring",
    "sum",
    "to_number",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
    "upper",
];

/// The rule that holds the outcomes.
const OUTCOMES: &str = "checks";

/// Checks the syntax trees of all rule files; gives the ids of the checks they decide.
///
/// # Errors
/// `MALFORMED` with file and line.
pub(super) fn require_sound(syntax: &Value) -> Result<BTreeSet<String>> {
    let mut files = Vec::new();
    let mut names = BTreeSet::new();
    for module in items(syntax) {
        let file = File {
            name: module.pointer("/source/file").and_then(Value::as_str).unwrap_or("rules"),
            tree: module.get("ast").unwrap_or(&Value::Null),
        };
        file.require_package()?;
        for rule in file.rules() {
            names.insert(rule.name()?);
        }
        files.push(file);
    }
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut decided = BTreeSet::new();
    for rule in files.iter().flat_map(File::rules) {
        let name = rule.name()?;
        if name == OUTCOMES {
            decided.insert(rule.require_outcome()?);
        }
        rule.require_no_passing_default()?;
        let used = uses.entry(name).or_default();
        rule.walk(rule.body, &names, used)?;
    }
    require_no_cycle(&uses)?;
    Ok(decided)
}

struct File<'a> {
    name: &'a str,
    tree: &'a Value,
}

struct Rule<'a> {
    file: &'a str,
    kind: &'a str,
    body: &'a Value,
}

impl<'a> File<'a> {
    fn require_package(&self) -> Result<()> {
        let package = self.tree.get("package").unwrap_or(&Value::Null);
        if path(package.get("refr").unwrap_or(&Value::Null)).as_deref() != Some(&["sealwright".to_owned()]) {
            return Err(fault(self.name, package, "its package is not `sealwright`; write `package sealwright`"));
        }
        for import in items(self.tree.get("imports").unwrap_or(&Value::Null)) {
            let what = path(import.get("refr").unwrap_or(&Value::Null)).unwrap_or_default().join(".");
            if what != "rego.v1" {
                return Err(fault(self.name, import, "it imports more than `rego.v1`; name things by their full path"));
            }
        }
        if self.tree.get("target").is_some_and(|target| !target.is_null()) {
            return Err(fault(self.name, package, "it names a target; take `__target__` out"));
        }
        Ok(())
    }

    fn rules(&self) -> impl Iterator<Item = Rule<'a>> {
        let file = self.name;
        items(self.tree.get("rules").unwrap_or(&Value::Null))
            .filter_map(Value::as_object)
            .flat_map(|rule| rule.iter())
            .map(move |(kind, body)| Rule { file, kind, body })
    }
}

impl Rule<'_> {
    /// What stands left of `:=`, `contains` or `if`, without arguments.
    fn reference(&self) -> &Value {
        let head = self.body.get("head").and_then(Value::as_object).and_then(|head| head.values().next());
        head.unwrap_or(self.body).get("refr").unwrap_or(&Value::Null)
    }

    fn name(&self) -> Result<String> {
        let mut reference = self.reference();
        while let Some(inner) = ["RefDot", "RefBrack"].iter().find_map(|kind| reference.get(kind)?.get("refr")) {
            reference = inner;
        }
        match variable(reference) {
            Some(name) if name == "input" || name == "data" || FUNCTIONS.contains(&name) => {
                Err(self.fault(self.body, &format!("it defines `{name}`, a name of the engine; take another name")))
            }
            Some(name) => Ok(name.to_owned()),
            None => Err(self.fault(self.body, "it has a rule without a name; write `name := … if { … }`")),
        }
    }

    /// The id in `checks["id"] := …`, which is the only form of that rule.
    fn require_outcome(&self) -> Result<String> {
        let id = self.reference().get("RefBrack").filter(|brackets| variable(&brackets["refr"]).is_some());
        let id = id.and_then(|brackets| brackets.pointer("/index/String/value")).and_then(Value::as_str);
        let plain = self.kind == "Spec" && self.body.pointer("/head/Compr").is_some();
        match id {
            Some(id) if plain => {
                if items(self.body.get("bodies").unwrap_or(&Value::Null)).next().is_none()
                    && holds_pass(self.body.get("head").unwrap_or(&Value::Null))
                {
                    return Err(self.fault(self.body, &format!("`{id}` passes without a condition; give it one")));
                }
                Ok(id.to_owned())
            }
            _ => Err(self.fault(self.body, "an outcome is not written as `checks[\"EV-…\"] := …`; write it so")),
        }
    }

    fn require_no_passing_default(&self) -> Result<()> {
        match self.body.get("value") {
            Some(value) if self.kind == "Default" && holds_pass(value) => {
                Err(self.fault(self.body, "it has a default that passes; let the default be `false` or \"FAILED\""))
            }
            _ => Ok(()),
        }
    }

    /// Goes through an expression: collects the rules it names, refuses what it may not do.
    fn walk(&self, node: &Value, names: &BTreeSet<String>, used: &mut BTreeSet<String>) -> Result<()> {
        match node {
            Value::Array(parts) => parts.iter().try_for_each(|part| self.walk(part, names, used)),
            Value::Object(parts) => {
                if items(parts.get("with_mods").unwrap_or(&Value::Null)).next().is_some() {
                    return Err(self.fault(node, "it uses `with`, which could replace the evidence; take it out"));
                }
                if let Some(call) = parts.get("Call") {
                    self.require_function(call, names)?;
                }
                if let Some(name) = variable(node) {
                    if name == "data" {
                        return Err(self.fault(node, "it reads `data` elsewhere than below `data.tables`"));
                    }
                    if names.contains(name) {
                        used.insert(name.to_owned());
                    }
                }
                if path(node)
                    .is_some_and(|path| matches!(&path[..], [data, tables] if data == "data" && tables == "tables"))
                {
                    return Ok(());
                }
                // in the head the rule names itself
                let own = parts.contains_key("head");
                parts.iter().try_for_each(|(key, part)| match key.as_str() {
                    "head" if own => self.walk_head(part, names, used),
                    "refr" if self.kind == "Default" && std::ptr::eq(node, self.body) => Ok(()),
                    _ => self.walk(part, names, used),
                })
            }
            _ => Ok(()),
        }
    }

    fn walk_head(&self, head: &Value, names: &BTreeSet<String>, used: &mut BTreeSet<String>) -> Result<()> {
        for (key, part) in head.as_object().and_then(|head| head.values().next()?.as_object()).into_iter().flatten() {
            if key == "refr" {
                // brackets of a reference may hold expressions; its root is the rule's own name
                let mut reference = part;
                while let Some(outer) = ["RefDot", "RefBrack"].iter().find_map(|kind| reference.get(kind)) {
                    let index = outer.get("index").unwrap_or(&Value::Null);
                    if !(index.is_null() || index.get("String").is_some() || index.get("Var").is_some()) {
                        // the engine would find out only when it runs
                        return Err(
                            self.fault(head, "the brackets left of `:=` hold more than a name; name it in the body")
                        );
                    }
                    self.walk(index, names, used)?;
                    reference = outer.get("refr").unwrap_or(&Value::Null);
                }
            } else {
                self.walk(part, names, used)?;
            }
        }
        Ok(())
    }

    fn require_function(&self, call: &Value, names: &BTreeSet<String>) -> Result<()> {
        let name = path(call.get("fcn").unwrap_or(&Value::Null)).unwrap_or_default().join(".");
        if !names.contains(&name) && !FUNCTIONS.contains(&name.as_str()) {
            return Err(self.fault(
                call,
                &format!("it calls `{name}`, which is not among the functions rules may call; take it out"),
            ));
        }
        if name == "sprintf" {
            let format = call.pointer("/params/0/String/value").and_then(Value::as_str);
            if !format.is_some_and(plain_format) {
                return Err(
                    self.fault(call, "`sprintf` takes a literal format of %s, %d, %v, %q and %% here; write one")
                );
            }
        }
        Ok(())
    }

    fn fault(&self, at: &Value, what: &str) -> Error {
        fault(self.file, at, what)
    }
}

/// That no rule or function leads back to itself.
fn require_no_cycle(uses: &BTreeMap<String, BTreeSet<String>>) -> Result<()> {
    let mut left: BTreeMap<&str, BTreeSet<&str>> =
        uses.iter().map(|(name, used)| (name.as_str(), used.iter().map(String::as_str).collect())).collect();
    while let Some(done) = left.iter().find(|(_, used)| used.is_empty()).map(|(name, _)| *name) {
        left.remove(done);
        for used in left.values_mut() {
            used.remove(done);
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = left.into_keys().collect();
    Err(Error::new(
        ErrorKind::Malformed,
        format!(
            "the rules are refused: recursion through `{}`; rules and functions must not lead back to themselves, \
             and a local variable must not bear the name of a rule",
            names.join("`, `")
        ),
    ))
}

/// Whether a value is or holds what a check says when it passes.
fn holds_pass(node: &Value) -> bool {
    match node {
        Value::Object(parts) => {
            parts.get("Bool").is_some_and(|node| node.get("value") == Some(&Value::Bool(true)))
                || ["String", "RawString"].iter().any(|kind| {
                    parts.get(*kind).and_then(|node| node.get("value")?.as_str()).is_some_and(|text| text == "PASSED")
                })
                || parts.values().any(holds_pass)
        }
        Value::Array(parts) => parts.iter().any(holds_pass),
        _ => false,
    }
}

/// A format whose result is no longer than its arguments: no widths.
fn plain_format(format: &str) -> bool {
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c == '%' && !matches!(chars.next(), Some('s' | 'd' | 'v' | 'q' | '%')) {
            return false;
        }
    }
    true
}

fn variable(node: &Value) -> Option<&str> {
    node.pointer("/Var/value")?.as_str()
}

/// The parts of a reference such as `data.tables` or `rego.v1`, if all are literal.
fn path(node: &Value) -> Option<Vec<String>> {
    if let Some(name) = variable(node) {
        return Some(vec![name.to_owned()]);
    }
    let (outer, last) = match (node.get("RefDot"), node.get("RefBrack")) {
        (Some(dot), _) => (dot, dot.pointer("/field/1")?.as_str()?),
        (_, Some(brackets)) => (brackets, brackets.pointer("/index/String/value")?.as_str()?),
        _ => return None,
    };
    let mut parts = path(outer.get("refr")?)?;
    parts.push(last.to_owned());
    Some(parts)
}

fn items(node: &Value) -> impl Iterator<Item = &Value> {
    node.as_array().into_iter().flatten()
}

/// The first line number below a node.
fn line(node: &Value) -> Option<u64> {
    match node {
        Value::Object(parts) => parts
            .get("span")
            .and_then(|span| span.get("line")?.as_u64())
            .or_else(|| parts.get("line").and_then(Value::as_u64))
            .or_else(|| parts.values().find_map(line)),
        Value::Array(parts) => parts.iter().find_map(line),
        _ => None,
    }
}

fn fault(file: &str, at: &Value, what: &str) -> Error {
    let line = line(at).unwrap_or(1);
    Error::new(ErrorKind::Malformed, format!("the rules at `{file}:{line}` are refused: {what}"))
        .with("file", file)
        .with("line", line)
}
