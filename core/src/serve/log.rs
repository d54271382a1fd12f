//! The log of a sequencer: one JSON object a line. No token, no record, and no text of a request gets into it.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::timestamp::Timestamp;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warn,
    Error,
}

/// Where lines go.
pub(super) struct Log {
    out: Mutex<Box<dyn Write + Send>>,
}

impl Log {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out) }
    }

    /// Writes a line about `event` with these fields. A log that can't be written stops nothing.
    pub(super) fn write(&self, at: Timestamp, level: Level, event: &str, fields: &[(&str, Value)]) {
        let mut line = Map::new();
        line.insert("time".to_owned(), at.to_string().into());
        let level = match level {
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        line.insert("level".to_owned(), level.into());
        line.insert("event".to_owned(), event.into());
        line.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}
