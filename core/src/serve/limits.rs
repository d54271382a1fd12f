//! Bounds of a sequencer: each has a default, and one beyond which a configuration is refused.

use std::time::Duration;

use serde::Deserialize;

use super::config::refused;
use crate::error::Result;
use crate::limits;

/// Bounds, all within their own.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) connections: usize,
    pub(super) requests: usize,
    pub(super) submission_bytes: u64,
    /// Bytes of all submissions that are held at once.
    pub(super) pending_bytes: u64,
    pub(super) attachment_bytes: u64,
    pub(super) records: usize,
    pub(super) batch_records: usize,
    pub(super) header_time: Duration,
    pub(super) request_time: Duration,
    pub(super) upload_time: Duration,
    pub(super) stall_time: Duration,
    pub(super) stop_time: Duration,
    /// Requests of one caller: so many at once, and so many a second on average.
    pub(super) burst: u32,
    pub(super) per_second: u32,
    pub(super) lag: Duration,
    pub(super) spool_pause: Duration,
    pub(super) keys_refresh: Duration,
    pub(super) keys_age: Duration,
}

macro_rules! bounds {
    ($($(#[$doc:meta])* $name:ident: $default:expr, $least:expr, $most:expr;)+) => {
        /// The bounds as written; see the guide for what each means.
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub(super) struct LimitsWire { $($name: u64,)+ }

        impl Default for LimitsWire {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl LimitsWire {
            fn check(&self) -> Result<()> {
                $(if !($least..=$most).contains(&self.$name) {
                    let name = stringify!($name).replace('_', "-");
                    return Err(refused(&format!("`{name}` is {}, expected {} to {}", self.$name, $least, $most)));
                })+
                Ok(())
            }
        }
    };
}

bounds! {
    connections: 512, 1, 65_536;
    requests: 128, 1, 4096;
    submission_bytes: limits::SUBMISSION_BYTES, 1024, limits::SUBMISSION_BYTES;
    pending_bytes: 256 * 1024 * 1024, 1024, 1_u64 << 40;
    attachment_bytes: limits::ATTACHMENT_BYTES, 0, limits::ATTACHMENT_BYTES;
    records_per_submission: limits::SUBMISSION_RECORDS as u64, 1, limits::SUBMISSION_RECORDS as u64;
    records_per_batch: 1000, 1, 10_000;
    header_millis: 10_000, 10, 60_000;
    request_millis: 60_000, 10, 600_000;
    upload_millis: 600_000, 10, 7_200_000;
    stall_millis: 30_000, 10, 600_000;
    stop_millis: 30_000, 10, 600_000;
    burst: 200, 1, 100_000;
    requests_per_second: 50, 1, 100_000;
    lag_alert_seconds: 3600, 1, 31_536_000;
    spool_millis: 1000, 10, 3_600_000;
    keys_refresh_seconds: 300, 1, 86_400;
    keys_age_seconds: 86_400, 1, 604_800;
}

impl LimitsWire {
    pub(super) fn checked(self) -> Result<Limits> {
        self.check()?;
        if self.pending_bytes < self.submission_bytes {
            return Err(refused(
                "`pending-bytes` is less than `submission-bytes`, so that no submission of that size fits",
            ));
        }
        // all counts are within 32 bits, as checked
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let rate = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let millis = Duration::from_millis;
        Ok(Limits {
            connections: count(self.connections),
            requests: count(self.requests),
            submission_bytes: self.submission_bytes,
            pending_bytes: self.pending_bytes,
            attachment_bytes: self.attachment_bytes,
            records: count(self.records_per_submission),
            batch_records: count(self.records_per_batch),
            header_time: millis(self.header_millis),
            request_time: millis(self.request_millis),
            upload_time: millis(self.upload_millis),
            stall_time: millis(self.stall_millis),
            stop_time: millis(self.stop_millis),
            burst: rate(self.burst),
            per_second: rate(self.requests_per_second),
            lag: Duration::from_secs(self.lag_alert_seconds),
            spool_pause: millis(self.spool_millis),
            keys_refresh: Duration::from_secs(self.keys_refresh_seconds),
            keys_age: Duration::from_secs(self.keys_age_seconds),
        })
    }
}
