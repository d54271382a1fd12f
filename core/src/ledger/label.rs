//! What stands in an entry for its type and tags: themselves, or in an encrypted ledger labels that only the tag key
//! makes (predicates section 1.1).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::encryption::TagKey;
use crate::error::{Error, ErrorKind, Result};
use crate::statement::Statement;

/// Name under which a predicate type is labelled.
pub(crate) const TYPE: &str = "type";

/// How the entries of a ledger are labelled.
#[derive(Clone, Default)]
pub(crate) enum Labels {
    /// With the values themselves.
    #[default]
    Plain,
    /// By the tag key of an encrypted ledger.
    Keyed(Arc<TagKey>),
    /// As somebody with the tag key listed them: name, value, label.
    Listed(Arc<Listing>),
    /// Not known here: the ledger is encrypted, and read through its service without its key.
    Hidden,
}

/// Labels by name and value. What it lists, and nothing else, can be labelled.
pub(crate) type Listing = BTreeMap<String, BTreeMap<String, String>>;

impl Labels {
    /// What stands for `value` under `name`.
    ///
    /// Fails with `LEDGER_TAMPERED` if a listing does not have it, with `WRONG_KEY` if labels are not known.
    pub(crate) fn of<'v>(&self, name: &str, value: &'v str) -> Result<Cow<'v, str>> {
        match self {
            Self::Plain => Ok(Cow::Borrowed(value)),
            Self::Keyed(key) => Ok(Cow::Owned(key.label(name, value))),
            Self::Hidden => Err(Error::new(
                ErrorKind::WrongKey,
                "the ledger is encrypted, and what its entries are about is told only with its key; give the key, or do it \
                 where the ledger lies",
            )),
            Self::Listed(listing) => {
                let label = listing.get(name).and_then(|labels| labels.get(value)).ok_or_else(|| {
                    Error::new(
                        ErrorKind::LedgerTampered,
                        format!("no label is listed for the {name} `{}`; ask for the pack again", value.escape_debug()),
                    )
                })?;
                Ok(Cow::Owned(label.clone()))
            }
        }
    }

    /// Whether `label` stands for `value` under `name`.
    pub(crate) fn is(&self, label: &str, name: &str, value: &str) -> bool {
        self.of(name, value).is_ok_and(|own| own == label)
    }

    /// The labels of these statements, for somebody without the tag key; none where labels are the values.
    pub(crate) fn listing<'s>(&self, statements: impl Iterator<Item = &'s Statement>) -> Option<Listing> {
        let Self::Keyed(key) = self else { return None };
        let mut listing = Listing::new();
        let mut add = |name: &str, value: String| {
            let label = key.label(name, &value);
            listing.entry(name.to_owned()).or_default().insert(value, label);
        };
        for statement in statements {
            add(TYPE, statement.predicate_type().to_owned());
            for (name, values) in named(statement) {
                values.into_iter().for_each(|value| add(name, value));
            }
        }
        Some(listing)
    }

    /// Refuses where nobody can tell what an entry is about: what walks the log would miss what it looks for.
    pub(crate) fn require_known(&self) -> Result<()> {
        if self.are_known() { Ok(()) } else { self.of(TYPE, "").map(|_| ()) }
    }

    /// Whether entries can be told by them.
    pub(crate) fn are_known(&self) -> bool {
        !matches!(self, Self::Hidden)
    }

    /// Whether labels are other than the values.
    pub(crate) fn hides(&self) -> bool {
        !matches!(self, Self::Plain)
    }
}

/// How an entry is read is no part of what it says.
impl PartialEq for Labels {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Labels {}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Keyed(_) => "Keyed",
            Self::Listed(_) => "Listed",
            Self::Hidden => "Hidden",
        })
    }
}

/// The tags of an entry, by name.
pub(crate) fn named(statement: &Statement) -> [(&'static str, Vec<String>); 7] {
    let tags = statement.tags();
    [
        ("subject", tags.subject),
        ("change", tags.change),
        ("service", tags.service),
        ("release", tags.release),
        ("environment", tags.environment),
        ("decision", tags.decision),
        ("kind", tags.kind),
    ]
}

/// Checks that a listing can be one: each label is 16 bytes in hex, and none stands for two values.
///
/// Fails with `MALFORMED`.
pub(crate) fn check_listing(listing: &Listing) -> Result<()> {
    for (name, labels) in listing {
        let mut seen = std::collections::BTreeSet::new();
        for label in labels.values() {
            let is_hex = label.len() == 32 && label.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            if !is_hex || !seen.insert(label) {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    format!("a label of `{}` is not 16 bytes in hex, or stands for two values", name.escape_debug()),
                ));
            }
        }
    }
    Ok(())
}
