//! Bundles with one leaf changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::json::Value;

/// A bundle with one leaf changed, and which.
pub(crate) struct Mutant {
    /// Names and indexes from the root of the document, joined with `/`.
    pub(crate) leaf: String,
    pub(crate) change: String,
    pub(crate) bundle: Vec<u8>,
}

/// How far apart the bytes are that are changed in a leaf of base64.
const STRIDE: usize = 7;

/// Every leaf of the document taken out, and changed in turn: a text by one character, a number by one, and of base64
/// also one bit of every `STRIDE`th byte.
pub(crate) fn mutants(bundle: &[u8]) -> Vec<Mutant> {
    let json: Value = serde_json::from_slice(bundle).unwrap();
    let mut found = Vec::new();
    for leaf in leaves(&json, String::new()) {
        let old = json.pointer(&format!("/{leaf}")).unwrap().clone();
        for (change, new) in changes(&old) {
            let mut mutant = json.clone();
            *mutant.pointer_mut(&format!("/{leaf}")).unwrap() = new;
            found.push(Mutant { leaf: leaf.clone(), change, bundle: serde_json::to_vec(&mutant).unwrap() });
        }
    }
    found
}

fn leaves(json: &Value, path: String) -> Vec<String> {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    match json {
        Value::Object(members) => members.iter().flat_map(|(name, value)| leaves(value, below(name))).collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(n, value)| leaves(value, below(&n.to_string()))).collect()
        }
        _ => vec![path],
    }
}

fn changes(old: &Value) -> Vec<(String, Value)> {
    let mut new = vec![("null".to_owned(), Value::Null)];
    match old {
        Value::String(text) => {
            if let Ok(number) = text.parse::<i64>() {
                new.push(("one more".to_owned(), (number + 1).to_string().into()));
            }
            let characters: Vec<char> = text.chars().collect();
            let middle = characters.len() / 2;
            let other = if characters.get(middle) == Some(&'A') { 'B' } else { 'A' };
            let changed: String =
                characters.iter().enumerate().map(|(n, c)| if n == middle { other } else { *c }).collect();
            new.push((format!("character {middle}"), changed.into()));
            new.push(("one character more".to_owned(), format!("{text}A").into()));
            match STANDARD.decode(text) {
                Ok(bytes) if bytes.len() > 16 => {
                    for place in (0..bytes.len()).step_by(STRIDE) {
                        let mut bytes = bytes.clone();
                        bytes[place] ^= 1;
                        new.push((format!("byte {place}"), STANDARD.encode(bytes).into()));
                    }
                }
                _ => {}
            }
        }
        Value::Number(number) => new.push(("one more".to_owned(), (number.as_i64().unwrap() + 1).into())),
        _ => new.push(("a text".to_owned(), "A".into())),
    }
    new
}
