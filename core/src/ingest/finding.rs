//! Findings, counted by how bad they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::predicate::TestOutcome;

/// How bad a finding is, the worst first. What nobody rated counts as bad as `high`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Critical.
    Critical,
    /// High.
    High,
    /// Nobody said.
    Unknown,
    /// Medium, or moderate.
    Medium,
    /// Low.
    Low,
    /// A remark.
    Info,
}

impl Level {
    /// The word by which findings are counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Unknown => "unknown",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }

    /// The level that a tool's own word stands for, in any case; a word that is not known is [`Level::Unknown`].
    pub(super) fn of_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "critical" | "emergency" | "alert" => Self::Critical,
            "high" | "error" | "important" => Self::High,
            "medium" | "moderate" | "warning" => Self::Medium,
            "low" | "minor" | "note" | "notice" => Self::Low,
            "info" | "informational" | "negligible" | "none" | "debug" => Self::Info,
            _ => Self::Unknown,
        }
    }

    /// The level of a CVSS base score (CVSS 3.1, section 5).
    pub(super) fn of_score(score: f64) -> Self {
        match score {
            s if s.is_nan() => Self::Unknown,
            s if s >= 9.0 => Self::Critical,
            s if s >= 7.0 => Self::High,
            s if s >= 4.0 => Self::Medium,
            s if s > 0.0 => Self::Low,
            _ => Self::Info,
        }
    }
}

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) failed: Vec<String>,
    pub(super) warned: Vec<String>,
    /// The run broke off, or left something out, so that it is no pass whatever it found.
    broken: bool,
}

/// Longest name of a finding in a record; the raw report has it whole.
const NAME_CHARS: usize = 300;

impl Findings {
    /// Counts one finding, which fails from the level `fail_at` on and warns below it.
    pub(super) fn add(&mut self, level: Level, fail_at: Level, name: impl Into<String>) {
        self.count(level.name(), 1);
        let name: String = name.into().chars().take(NAME_CHARS).collect();
        if level <= fail_at.max(Level::Unknown) { self.failed.push(name) } else { self.warned.push(name) }
    }

    /// Counts what is no finding and yet must not pass unseen, such as findings that were suppressed.
    pub(super) fn count(&mut self, word: &str, number: u64) {
        if number > 0 {
            *self.counts.entry(word.to_owned()).or_default() += number;
        }
    }

    /// Notes that the run did not do all it should have: then it fails.
    pub(super) fn broke(&mut self, word: &str, number: u64) {
        self.count(word, number);
        self.broken |= number > 0;
    }

    pub(super) fn outcome(&self) -> TestOutcome {
        if self.broken || !self.failed.is_empty() {
            TestOutcome::Failed
        } else if self.warned.is_empty() {
            TestOutcome::Passed
        } else {
            TestOutcome::Warned
        }
    }
}
