//! Instants in UTC, as RFC 3339 text and as Unix time.
//!
//! Core never reads a clock: every function that depends on the present takes `now` as an argument. Only the
//! command line and the edge of the bindings ask the machine for it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// An instant with a precision of one millisecond, from the year 1970 to 9999.
///
/// Written as RFC 3339 with `Z`; fractions of a second appear only if there are any. Read from RFC 3339 with `Z`
/// alone, as predicates section 1.3 demands.
///
/// ```
/// use sealwright::timestamp::Timestamp;
/// let t: Timestamp = "2026-11-21T09:30:00Z".parse()?;
/// assert_eq!(t.unix_seconds(), 1_795_253_400);
/// assert_eq!(t.to_string(), "2026-11-21T09:30:00Z");
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const LATEST: i64 = 253_402_207_200_999;

impl Timestamp {
    /// The instant `millis` milliseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// `MALFORMED` before 1970 and after 9999.
    pub fn from_unix_millis(millis: i64) -> Result<Self> {
        if (0..=LATEST).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(Error::new(
                ErrorKind::Malformed,
                format!("`{millis}` ms is no time between 1970 and 9999; give Unix time in milliseconds"),
            ))
        }
    }

    /// Milliseconds after 1970-01-01T00:00:00Z.
    pub fn unix_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds after 1970-01-01T00:00:00Z.
    pub fn unix_seconds(self) -> i64 {
        self.0 / 1000
    }

    /// The instant `millis` later (earlier if negative), held within 1970 and 9999.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis).clamp(0, LATEST))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let malformed = || {
            Error::new(
                ErrorKind::Malformed,
                format!("`{}` is no RFC 3339 time in UTC; write it as `2026-11-21T09:30:00Z`", text.escape_debug()),
            )
        };
        let shape = text.as_bytes();
        let strict = shape.len() >= 20
            && shape.len() <= 35
            && shape.ends_with(b"Z")
            && shape.get(10) == Some(&b'T')
            && text.is_ascii();
        if !strict {
            return Err(malformed());
        }
        let t: jiff::Timestamp = text.parse().map_err(|_| malformed())?;
        Self::from_unix_millis(t.as_millisecond()).map_err(|_| malformed())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_utc_times_written_with_z_are_read() {
        for bad in [
            "",
            "2026-11-21",
            "2026-11-21T09:30:00",
            "2026-11-21T09:30:00+01:00",
            "2026-11-21 09:30:00Z",
            "2026-13-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "9999999-01-01T00:00:00Z",
        ] {
            assert_eq!(bad.parse::<Timestamp>().unwrap_err().code(), "MALFORMED", "{bad}");
        }
    }

    #[test]
    fn a_time_is_written_as_it_was_read() {
        for good in ["1970-01-01T00:00:00Z", "2026-02-28T23:59:59.125Z", "9999-12-30T21:59:59Z"] {
            assert_eq!(good.parse::<Timestamp>().unwrap().to_string(), good);
        }
    }
}
