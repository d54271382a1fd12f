//! Predicates that are documents of their own: of an SBOM with ten thousand components only its head is read here, and the
//! text is kept as it is.

use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::json::Value;

/// A JSON document as it was written, and what its type needs of it.
#[derive(Clone, Debug)]
pub(super) struct Whole<H> {
    pub(super) head: H,
    text: Box<RawValue>,
}

impl<H> Whole<H> {
    pub(super) fn as_str(&self) -> &str {
        self.text.get()
    }
}

impl<H> PartialEq for Whole<H> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<'de, H: DeserializeOwned> Deserialize<'de> for Whole<H> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(from)?;
        let head = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        Ok(Self { head, text })
    }
}

impl<H> Serialize for Whole<H> {
    /// As a value, since the form in which it is signed has an order of its own.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: Value = serde_json::from_str(self.as_str()).map_err(S::Error::custom)?;
        value.serialize(serializer)
    }
}
