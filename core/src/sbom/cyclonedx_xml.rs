//! CycloneDX XML brought to the JSON form of the same version.
//!
//! The two forms hold the same; what an element becomes is read from the JSON schema: a list, an object or a scalar.
//! Where the forms differ in more than notation, the tables below say so. What has no JSON form is left out of it:
//! attributes and elements of other namespaces, which XML allows anywhere, and XML signatures among them.

use std::borrow::Cow;

use super::document::{JsonForm, Places};
use super::schema::Schema;
use super::xml::Element;
use crate::error::Result;
use crate::json::Value;

type Map = serde_json::Map<String, Value>;

/// Elements that are called otherwise in JSON: parent (or any), element, key.
const RENAMED: [(&str, &str, &str); 6] = [
    ("", "cryptoRef", "cryptoRefArray"),
    ("", "details", "expressionDetails"),
    ("dependency", "dependency", "dependsOn"),
    ("analysis", "responses", "response"),
    ("", "content-type", "contentType"),
    ("", "license-identifier", "licenseIdentifier"),
];

/// Elements that stand once for each item of a list, without another element around them: parent (or any), element.
const REPEATED: [(&str, &str); 21] = [
    ("", "certificateState"),
    ("", "certificationLevel"),
    ("", "contact"),
    ("", "counterEvidence"),
    ("", "cryptoRef"),
    ("", "details"),
    ("", "energyProviders"),
    ("", "identity"),
    ("", "map"),
    ("", "omniborId"),
    ("", "openCre"),
    ("", "patentAssignee"),
    ("", "sensitiveData"),
    ("", "swhid"),
    ("", "url"),
    ("claim", "evidence"),
    ("component", "data"),
    ("dependency", "dependency"),
    ("dependency", "provides"),
    ("evidence", "data"),
    ("ikev2TransformTypes", ""),
];

/// The key that the text of an element with attributes gets, the first that the schema knows.
const TEXT: [&str; 5] = ["content", "value", "text", "classification", "expression"];

/// The JSON form of `root`, where each part of it stands, and what is wrong with the XML alone.
pub(super) fn to_json(root: &Element, version: &str, schema: &'static Schema) -> Result<JsonForm> {
    let schema = schema.value()?;
    let mut reading = Reading { schema, places: Places::default(), faults: Vec::new(), left: Vec::new() };
    let mut bom = Map::new();
    bom.insert("bomFormat".to_owned(), "CycloneDX".into());
    bom.insert("specVersion".to_owned(), version.into());
    let nodes = reading.nodes(&[schema]);
    if let Value::Object(read) = reading.element(root, &nodes, "") {
        bom.extend(read);
    }
    let Reading { places, faults, left, .. } = reading;
    Ok(JsonForm { json: Value::Object(bom), places, faults, left })
}

struct Reading {
    schema: &'static Value,
    places: Places,
    faults: Vec<(String, String)>,
    left: Vec<(String, String)>,
}

/// The parts of a schema that say something of one value, references followed and alternatives side by side.
type Nodes = Vec<&'static Value>;

impl Reading {
    fn nodes(&self, schemas: &[&'static Value]) -> Nodes {
        let mut open: Vec<(&'static Value, usize)> = schemas.iter().rev().map(|s| (*s, 0)).collect();
        let mut nodes = Vec::new();
        while let Some((schema, depth)) = open.pop() {
            // the official schemas refer three deep at most
            if depth > 8 {
                continue;
            }
            for key in ["allOf", "anyOf", "oneOf"] {
                let inner = schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                open.extend(inner.iter().rev().map(|s| (s, depth + 1)));
            }
            let target = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
            open.extend(target.and_then(|t| self.schema.pointer(t)).map(|s| (s, depth + 1)));
            nodes.push(schema);
        }
        nodes
    }

    /// What the schema says of the key `name` of an object; none if it knows no such key.
    fn key(&self, nodes: &Nodes, name: &str) -> Option<Nodes> {
        let found: Vec<_> = nodes.iter().filter_map(|n| n.get("properties")?.get(name)).collect();
        if found.is_empty() { None } else { Some(self.nodes(&found)) }
    }

    /// What it says of the items of a list; none if it is no list.
    fn items(&self, nodes: &Nodes) -> Option<Nodes> {
        let is_list = |n: &&'static Value| n.get("items").is_some() || n.get("type").is_some_and(|t| t == "array");
        if !nodes.iter().any(is_list) {
            return None;
        }
        let mut found = Vec::new();
        for items in nodes.iter().filter_map(|n| n.get("items")) {
            match items {
                Value::Array(several) => found.extend(several),
                one => found.push(one),
            }
        }
        Some(self.nodes(&found))
    }

    fn element(&mut self, element: &Element, nodes: &Nodes, path: &str) -> Value {
        self.places.note(path, &element.name, element.line);
        for foreign in element.children.iter().filter(|child| child.namespace != element.namespace) {
            let reason = format!("the element `{}` is of another namespace", foreign.name.escape_debug());
            self.left.push((path.to_owned(), reason));
        }
        let is_object = nodes.iter().any(|n| n.get("properties").is_some());
        let old_tools = element.name == "tools" && element.own().any(|child| child.name == "tool");
        if let Some(items) = self.items(nodes).filter(|_| !is_object || old_tools) {
            let list = element.own().enumerate().map(|(n, child)| self.item(child, &items, &format!("{path}/{n}")));
            return Value::Array(list.collect());
        }
        // 1.7 says of a party in an element of its own whether it is an organisation, a person or named elsewhere
        let mut inner = element.own();
        if let (true, Some(only), None) = (is_object, inner.next(), inner.next())
            && matches!(&*only.name, "organization" | "individual" | "ref")
            && self.key(nodes, &only.name).is_none()
        {
            return if only.name == "ref" { only.text.trim().into() } else { self.element(only, nodes, path) };
        }
        let bare = element.own().next().is_none() && element.attributes.is_empty() && !element.text.trim().is_empty();
        if is_object && !(bare && wants(nodes, "string")) {
            return Value::Object(self.object(element, nodes, path));
        }
        let text = match element.attribute("ref") {
            Some(target) if element.text.trim().is_empty() => target,
            _ => &element.text,
        };
        if element.own().next().is_some() {
            self.fault(path, format_args!("`{}` holds elements where a text is expected", element.name.escape_debug()));
        }
        scalar(text, nodes)
    }

    fn object(&mut self, element: &Element, nodes: &Nodes, path: &str) -> Map {
        let mut object = Map::new();
        for (name, value) in &element.attributes {
            let name = renamed("", name);
            // XML allows further attributes anywhere
            if let Some(nodes) = self.key(nodes, &name) {
                object.insert(name.into_owned(), scalar(value, &nodes));
            } else if name != "flow" && name != "expression" {
                let reason = format!("the attribute `{}` is none of CycloneDX", name.escape_debug());
                self.left.push((path.to_owned(), reason));
            }
        }
        for child in element.own() {
            let name = renamed(&element.name, &child.name);
            let known = self.key(nodes, &name).unwrap_or_default();
            let inner = format!("{path}/{name}");
            let items = self.items(&known);
            let repeated = REPEATED.iter().any(|(parent, name)| {
                (parent.is_empty() || *parent == element.name) && (name.is_empty() || *name == child.name)
            });
            match (object.get(&*name).and_then(Value::as_array).map(Vec::len), items) {
                (here, Some(items)) if repeated => {
                    let item = self.item(child, &items, &format!("{inner}/{}", here.unwrap_or(0)));
                    if let Value::Array(list) = object.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                        list.push(item);
                    }
                }
                _ if object.contains_key(&*name) => {
                    self.fault(path, format_args!("`{}` stands twice", child.name.escape_debug()));
                }
                _ => {
                    let value = self.element(child, &known, &inner);
                    object.insert(name.into_owned(), value);
                }
            }
            if child.name == "classification" && element.name == "dataflow" {
                // JSON has it beside the classification
                object.extend(child.attribute("flow").map(|flow| ("flow".to_owned(), flow.into())));
            }
        }
        if element.own().next().is_none() && !element.text.trim().is_empty() {
            let name = TEXT.iter().find(|n| !object.contains_key(**n) && self.key(nodes, n).is_some());
            let name = name.unwrap_or(&"content");
            let known = self.key(nodes, name).unwrap_or_default();
            object.insert((*name).to_owned(), scalar(&element.text, &known));
        }
        object
    }

    /// An item of a list.
    fn item(&mut self, element: &Element, nodes: &Nodes, path: &str) -> Value {
        let name = match &*element.name {
            "expression-detailed" => "expression",
            name => name,
        };
        let choice = matches!(name, "license" | "expression" | "workspace");
        if let Some(known) = choice.then(|| self.key(nodes, name)).flatten() {
            let mut object = Map::new();
            let inner = format!("{path}/{name}");
            if name == "expression" {
                // JSON has its attributes and elements beside it
                object = self.object(element, nodes, path);
                object
                    .entry(name)
                    .or_insert_with(|| scalar(element.attribute("expression").unwrap_or(&element.text), &known));
                self.places.note(path, name, element.line);
            } else {
                let value = self.element(element, &known, &inner);
                object.insert(name.to_owned(), value);
            }
            return Value::Object(object);
        }
        // of environment variables, which are pairs or plain values
        if name == "value" {
            return element.text.trim().into();
        }
        self.element(element, nodes, path)
    }

    fn fault(&mut self, path: &str, message: std::fmt::Arguments<'_>) {
        self.faults.push((path.to_owned(), message.to_string()));
    }
}

fn renamed<'a>(parent: &str, name: &'a str) -> Cow<'a, str> {
    let found = RENAMED.iter().find(|(p, n, _)| *n == name && (p.is_empty() || *p == parent));
    found.map_or(Cow::Borrowed(name), |(_, _, key)| Cow::Borrowed(*key))
}

/// Whether the schema takes a value of that type.
fn wants(nodes: &Nodes, name: &str) -> bool {
    let types = nodes.iter().filter_map(|n| n.get("type"));
    types.into_iter().any(|t| t == name || t.as_array().is_some_and(|t| t.iter().any(|t| t == name)))
}

/// `text` as the schema wants it; as a text if it can't be that, which the schema then refuses.
fn scalar(text: &str, nodes: &Nodes) -> Value {
    let text = text.trim();
    if wants(nodes, "string") {
        return text.into();
    }
    if wants(nodes, "boolean") {
        match text {
            "true" | "1" => return true.into(),
            "false" | "0" => return false.into(),
            _ => {}
        }
    }
    if wants(nodes, "integer")
        && let Ok(number) = text.parse::<i64>()
    {
        return number.into();
    }
    if wants(nodes, "number")
        && let Ok(number) = text.parse::<f64>()
    {
        return number.into();
    }
    text.into()
}
