//! Artifact rules: how a layout says what a step may use and make (in-toto specification v1.0 section 4.3.3).

use std::collections::{BTreeMap, BTreeSet};

use super::pattern::Pattern;
use crate::error::{Error, ErrorKind, Result};

/// Paths of artifacts with their digests by algorithm, as a link states them.
pub type Artifacts = BTreeMap<String, BTreeMap<String, String>>;

/// One artifact rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Create(Pattern),
    Delete(Pattern),
    Modify(Pattern),
    Allow(Pattern),
    Disallow(Pattern),
    /// A path, not a pattern.
    Require(String),
    Match {
        pattern: Pattern,
        source_prefix: String,
        side: Side,
        prefix: String,
        step: String,
    },
}

/// Which artifacts of a step are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Materials,
    Products,
}

/// What a step used and made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Performed {
    pub(super) materials: Artifacts,
    pub(super) products: Artifacts,
}

impl Side {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Materials => "materials",
            Self::Products => "products",
        }
    }
}

impl Performed {
    pub(super) fn side(&self, side: Side) -> &Artifacts {
        match side {
            Side::Materials => &self.materials,
            Side::Products => &self.products,
        }
    }
}

impl Rule {
    /// Reads a rule. Its keywords are read in any case, as the specification demands.
    pub(super) fn parse(words: &[String]) -> Result<Self> {
        let lower: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let (Some(kind), Some(pattern)) = (lower.first(), words.get(1)) else { return Err(malformed(words)) };
        if *kind == "match" {
            return Self::parse_match(words, &lower);
        }
        if words.len() != 2 {
            return Err(malformed(words));
        }
        Ok(match *kind {
            "create" => Self::Create(Pattern::new(pattern)?),
            "delete" => Self::Delete(Pattern::new(pattern)?),
            "modify" => Self::Modify(Pattern::new(pattern)?),
            "allow" => Self::Allow(Pattern::new(pattern)?),
            "disallow" => Self::Disallow(Pattern::new(pattern)?),
            "require" => Self::Require(pattern.clone()),
            _ => return Err(malformed(words)),
        })
    }

    /// `MATCH <pattern> [IN <prefix>] WITH (MATERIALS|PRODUCTS) [IN <prefix>] FROM <step>`
    fn parse_match(words: &[String], lower: &[&str]) -> Result<Self> {
        let (pattern, source_prefix, side, prefix, step) = match (words, lower) {
            ([_, pattern, _, source, _, _, _, prefix, _, step], [_, _, "in", _, "with", side, "in", _, "from", _]) => {
                (pattern, source.as_str(), side, prefix.as_str(), step)
            }
            ([_, pattern, _, source, _, _, _, step], [_, _, "in", _, "with", side, "from", _]) => {
                (pattern, source.as_str(), side, "", step)
            }
            ([_, pattern, _, _, _, prefix, _, step], [_, _, "with", side, "in", _, "from", _]) => {
                (pattern, "", side, prefix.as_str(), step)
            }
            ([_, pattern, _, _, _, step], [_, _, "with", side, "from", _]) => (pattern, "", side, "", step),
            _ => return Err(malformed(words)),
        };
        let side = match *side {
            "materials" => Side::Materials,
            "products" => Side::Products,
            _ => return Err(malformed(words)),
        };
        Ok(Self::Match {
            pattern: Pattern::new(pattern)?,
            source_prefix: folder(source_prefix),
            side,
            prefix: folder(prefix),
            step: step.clone(),
        })
    }

    /// Applies the rule to what is left in `queue` of one side of a step, and takes out what it consumes.
    ///
    /// # Errors
    /// What of the queue broke the rule, in a few words.
    pub(super) fn apply(
        &self,
        queue: &mut BTreeSet<&str>,
        own: &Performed,
        own_side: Side,
        steps: &BTreeMap<String, Performed>,
    ) -> Result<(), String> {
        let (materials, products) = (&own.materials, &own.products);
        match self {
            Self::Create(p) => {
                queue.retain(|path| {
                    !(products.contains_key(*path) && !materials.contains_key(*path) && p.matches(path))
                });
            }
            Self::Delete(p) => {
                queue.retain(|path| {
                    !(materials.contains_key(*path) && !products.contains_key(*path) && p.matches(path))
                });
            }
            Self::Modify(p) => queue.retain(|path| {
                let changed = matches!((materials.get(*path), products.get(*path)), (Some(m), Some(p)) if m != p);
                !(changed && p.matches(path))
            }),
            Self::Allow(p) => queue.retain(|path| !p.matches(path)),
            Self::Disallow(p) => {
                if let Some(path) = queue.iter().find(|path| p.matches(path)) {
                    return Err(format!("`{path}` is left, which it forbids"));
                }
            }
            Self::Require(path) => {
                if !queue.contains(path.as_str()) {
                    return Err(format!("`{path}` is not there, or an earlier rule consumed it"));
                }
            }
            Self::Match { pattern, source_prefix, side, prefix, step } => {
                // a step that is not there matches nothing
                let Some(there) = steps.get(step).map(|s| s.side(*side)) else { return Ok(()) };
                let here = own.side(own_side);
                queue.retain(|path| {
                    let Some(rest) = path.strip_prefix(source_prefix.as_str()) else { return true };
                    let same = || {
                        let other = there.get(format!("{prefix}{rest}").as_str());
                        other.is_some() && here.get(*path) == other
                    };
                    !(pattern.matches(rest) && same())
                });
            }
        }
        Ok(())
    }
}

/// How a rule is written.
impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Create(p) => write!(f, "CREATE {}", p.text()),
            Self::Delete(p) => write!(f, "DELETE {}", p.text()),
            Self::Modify(p) => write!(f, "MODIFY {}", p.text()),
            Self::Allow(p) => write!(f, "ALLOW {}", p.text()),
            Self::Disallow(p) => write!(f, "DISALLOW {}", p.text()),
            Self::Require(path) => write!(f, "REQUIRE {path}"),
            Self::Match { pattern, side, step, .. } => {
                write!(f, "MATCH {} WITH {} FROM {step}", pattern.text(), side.name().to_uppercase())
            }
        }
    }
}

/// A prefix as the folder it means: with `/`, unless there is none.
fn folder(prefix: &str) -> String {
    let mut prefix = prefix.replace('\\', "/");
    if !prefix.is_empty() && !prefix.ends_with('/') {
        prefix.push('/');
    }
    prefix
}

fn malformed(words: &[String]) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!(
            "`{}` is no artifact rule; write CREATE, DELETE, MODIFY, ALLOW, DISALLOW or REQUIRE with a pattern, or \
             MATCH pattern [IN prefix] WITH (MATERIALS|PRODUCTS) [IN prefix] FROM step",
            words.join(" ")
        ),
    )
}
