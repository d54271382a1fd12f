//! Periods as ISO 8601 writes them, by the calendar.

use std::fmt;
use std::str::FromStr;

use jiff::Span;
use jiff::tz::TimeZone;

use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;

/// Years, months, weeks and days, such as `P6Y` or `P12M`; at least a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Period {
    years: u16,
    months: u16,
    days: u32,
}

impl Period {
    /// The instant so much after `since`, by the calendar in UTC.
    pub(super) fn after(&self, since: Timestamp) -> Result<Timestamp> {
        let too_far = || Error::new(ErrorKind::Malformed, format!("the period `{self}` after {since} has no date"));
        let span = Span::new()
            .try_years(self.years)
            .and_then(|s| s.try_months(self.months))
            .and_then(|s| s.try_days(self.days))
            .map_err(|_| too_far())?;
        let begun = jiff::Timestamp::from_millisecond(since.unix_millis()).map_err(|_| too_far())?;
        let end = begun.to_zoned(TimeZone::UTC).checked_add(span).map_err(|_| too_far())?;
        Timestamp::from_unix_millis(end.timestamp().as_millisecond())
    }
}

impl FromStr for Period {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::new(
                ErrorKind::Malformed,
                format!("`{}` is no period; write years, months, weeks or days, such as `P6Y`", text.escape_debug()),
            )
        };
        let mut rest = text.strip_prefix('P').ok_or_else(wrong)?;
        let mut period = Self { years: 0, months: 0, days: 0 };
        let mut units = "YMWD".chars();
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at_checked(digits).ok_or_else(wrong)?;
            let unit = tail.chars().next().ok_or_else(wrong)?;
            // each unit once, in this order
            if !units.any(|u| u == unit) || number.len() > 4 {
                return Err(wrong());
            }
            let number: u16 = number.parse().map_err(|_| wrong())?;
            match unit {
                'Y' => period.years = number,
                'M' => period.months = number,
                'W' => period.days += u32::from(number) * 7,
                _ => period.days += u32::from(number),
            }
            rest = tail.get(1..).unwrap_or_default();
        }
        if period == (Self { years: 0, months: 0, days: 0 }) {
            return Err(wrong());
        }
        Ok(period)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        for (number, unit) in [(self.years.into(), 'Y'), (self.months.into(), 'M'), (self.days, 'D')] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_follow_the_calendar() {
        for (since, period, end) in [
            ("2026-11-21T08:00:00Z", "P6Y", "2032-11-21T08:00:00Z"),
            ("2024-02-29T00:00:00Z", "P1Y", "2025-02-28T00:00:00Z"),
            ("2026-01-31T00:00:00Z", "P1M", "2026-02-28T00:00:00Z"),
            ("2026-01-31T00:00:00Z", "P12M", "2027-01-31T00:00:00Z"),
            ("2026-01-01T00:00:00Z", "P1Y2M1W3D", "2027-03-11T00:00:00Z"),
        ] {
            let found = period.parse::<Period>().unwrap().after(since.parse().unwrap()).unwrap();
            assert_eq!(found.to_string(), end.parse::<Timestamp>().unwrap().to_string(), "{since} {period}");
        }
        for bad in
            ["", "P", "6Y", "P6", "PY", "P-1Y", "P1.5Y", "PT1H", "P1M1Y", "P1Y1Y", "P0Y", "P99999Y", "P6Y ", "p6y"]
        {
            assert_eq!(bad.parse::<Period>().unwrap_err().code(), "MALFORMED", "{bad}");
        }
    }
}
