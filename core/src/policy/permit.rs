//! How long a decision may be used (policy section 1.10; `permit` of the tables).

use super::PolicyBundle;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;

impl PolicyBundle {
    /// For how many milliseconds after it was recorded a decision into an environment of `class` may be used. An
    /// unknown class has the shortest of all.
    ///
    /// # Errors
    /// `MALFORMED` if the tables of the bundle do not say.
    pub fn permit_valid_millis(&self, class: &str) -> Result<i64> {
        let table = self.tables_value().pointer("/permit/validFor").and_then(Value::as_object);
        let mut spans = Vec::new();
        for (of, span) in table.into_iter().flatten() {
            let millis = span.as_str().and_then(millis).ok_or_else(|| unsaid(&format!("`{span}` is no duration")))?;
            if of == class {
                return Ok(millis);
            }
            spans.push(millis);
        }
        spans.into_iter().min().ok_or_else(|| unsaid("`permit.validFor` is not there"))
    }
}

/// An ISO 8601 duration of weeks, days, hours, minutes and seconds; a day has 24 hours here.
fn millis(text: &str) -> Option<i64> {
    let span: jiff::Span = text.parse().ok()?;
    let seconds = span.total((jiff::Unit::Millisecond, jiff::SpanRelativeTo::days_are_24_hours())).ok()?;
    // a whole number of milliseconds below 2^53 for any duration that makes sense
    (seconds > 0.0 && seconds < 9e15).then_some(seconds as i64)
}

fn unsaid(why: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("the policy bundle does not say how long a decision counts: {why}; complete its tables"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::starter_bundle;

    #[test]
    fn a_decision_counts_a_day_into_dev_and_four_hours_above() {
        let bundle = PolicyBundle::parse(&starter_bundle().unwrap()).unwrap();
        let hours = |class| bundle.permit_valid_millis(class).unwrap() / 3_600_000;
        assert_eq!((hours("dev"), hours("staging"), hours("prod"), hours("moon")), (24, 4, 4, 4));
    }
}
