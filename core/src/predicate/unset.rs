//! Members that others write as `null` or empty instead of leaving them out; SLSA says that all three mean the same.

use serde::{Deserialize, Deserializer};

use crate::artifact::ResourceDescriptor;
use crate::digest::DigestSet;
use crate::json::Value;
use crate::timestamp::Timestamp;

/// `null` as the default of `T`.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}

/// `null` and empty text as no time.
pub(super) fn or_time<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Timestamp>, D::Error> {
    match Option::<String>::deserialize(d)? {
        Some(text) if !text.is_empty() => text.parse().map(Some).map_err(serde::de::Error::custom),
        _ => Ok(None),
    }
}

/// `null` and an empty set as no digests.
pub(super) fn or_digests<'de, D: Deserializer<'de>>(d: D) -> Result<Option<DigestSet>, D::Error> {
    match Option::<serde_json::Map<String, Value>>::deserialize(d)?.filter(|set| !set.is_empty()) {
        Some(set) => DigestSet::deserialize(Value::Object(set)).map(Some).map_err(serde::de::Error::custom),
        None => Ok(None),
    }
}

/// Resources, whose members may be `null` or empty.
pub(super) fn or_resources<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<ResourceDescriptor>, D::Error> {
    let list = Option::<Vec<serde_json::Map<String, Value>>>::deserialize(d)?.unwrap_or_default();
    let read = list.into_iter().map(|mut resource| {
        resource.retain(|_, value| !is_unset(value));
        ResourceDescriptor::deserialize(Value::Object(resource)).map_err(serde::de::Error::custom)
    });
    read.collect()
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
