//! One trusted root of many: what a newer root dropped counts until it was dropped.

use crate::json::Value;
use crate::timestamp::Timestamp;

/// The members of a `TrustedRoot` (sigstore_trustroot.proto), and where each of their entries has its validity.
const MEMBERS: [(&str, &str); 4] =
    [("tlogs", "/publicKey"), ("ctlogs", "/publicKey"), ("certificateAuthorities", ""), ("timestampAuthorities", "")];

/// The last of `roots`, which are in the order they came in, with those entries of the others that it does not have.
pub(super) fn merged(roots: &[(Timestamp, Value)]) -> Option<Value> {
    let mut whole = roots.last()?.1.clone();
    for pair in roots.windows(2).rev() {
        let [(_, older), (dropped_at, _)] = pair else { continue };
        for (member, place) in MEMBERS {
            let Some(Value::Array(entries)) = older.get(member) else { continue };
            for entry in entries {
                keep(&mut whole, member, place, entry, *dropped_at);
            }
        }
    }
    Some(whole)
}

fn keep(whole: &mut Value, member: &str, place: &str, entry: &Value, until: Timestamp) {
    let Value::Object(whole) = whole else { return };
    let Value::Array(kept) = whole.entry(member).or_insert_with(|| Value::Array(Vec::new())) else { return };
    if kept.iter().any(|k| key_of(k) == key_of(entry)) {
        return;
    }
    let mut entry = entry.clone();
    if let Some(Value::Object(holder)) = entry.pointer_mut(place) {
        let window = holder.entry("validFor").or_insert_with(|| Value::Object(serde_json::Map::new()));
        let end = window.get("end").and_then(Value::as_str).and_then(|end| end.parse::<Timestamp>().ok());
        if let Value::Object(window) = window
            && end.is_none_or(|end| until < end)
        {
            window.insert("end".to_owned(), until.to_string().into());
        }
    }
    kept.push(entry);
}

/// What makes an entry the same in two roots: its key, or its chain of certificates.
fn key_of(entry: &Value) -> Option<&Value> {
    entry.pointer("/publicKey/rawBytes").or_else(|| entry.pointer("/certChain/certificates"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1000).unwrap()
    }

    fn log(key: &str, end: Option<&str>) -> Value {
        let mut window = json!({ "start": "1970-01-01T00:00:00Z" });
        if let Some(end) = end {
            window["end"] = end.into();
        }
        json!({ "publicKey": { "rawBytes": key, "validFor": window } })
    }

    #[test]
    fn the_newest_root_decides_about_what_it_names() {
        let old = json!({ "tlogs": [log("a", None)] });
        let new = json!({ "tlogs": [log("a", Some("1970-01-01T00:00:05Z"))] });
        assert_eq!(merged(&[(at(1), old), (at(10), new.clone())]), Some(new));
    }

    #[test]
    fn what_was_dropped_counts_until_then_and_no_longer_than_it_ever_did() {
        let authority = json!({ "certChain": { "certificates": [{ "rawBytes": "x" }] } });
        let first = json!({ "tlogs": [log("a", None), log("b", Some("1970-01-01T00:00:05Z"))],
                            "certificateAuthorities": [authority] });
        let second = json!({ "tlogs": [log("a", None)] });
        let third = json!({ "tlogs": [log("c", None)], "mediaType": "m" });
        let whole = merged(&[(at(1), first), (at(10), second), (at(20), third)]).unwrap();
        assert_eq!(
            whole,
            json!({
                "mediaType": "m",
                "tlogs": [log("c", None), log("a", Some("1970-01-01T00:00:20Z")), log("b", Some("1970-01-01T00:00:05Z"))],
                "certificateAuthorities": [{
                    "certChain": { "certificates": [{ "rawBytes": "x" }] },
                    "validFor": { "end": "1970-01-01T00:00:10Z" },
                }],
            })
        );
        assert_eq!(merged(&[]), None);
    }
}
