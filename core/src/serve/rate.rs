//! How often one caller may ask: a bucket that fills at a constant rate.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets by whose they are; a full one is forgotten, which changes nothing.
pub(super) struct Rates<K> {
    burst: f64,
    per_second: f64,
    most: usize,
    buckets: Mutex<HashMap<K, Bucket>>,
}

struct Bucket {
    left: f64,
    at: Instant,
}

impl<K: Eq + Hash> Rates<K> {
    /// At most `burst` at once and `per_second` on average, for at most `most` at a time.
    pub(super) fn new(burst: u32, per_second: u32, most: usize) -> Self {
        Self { burst: f64::from(burst), per_second: f64::from(per_second), most, buckets: Mutex::default() }
    }

    /// Takes one, or tells after which time there is one.
    pub(super) fn take(&self, whose: K, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= self.most && !buckets.contains_key(&whose) {
            buckets.retain(|_, bucket| self.filled(bucket, now) < self.burst);
            // so many at once are too many to tell apart
            if buckets.len() >= self.most {
                return Err(Duration::from_secs(1));
            }
        }
        let bucket = buckets.entry(whose).or_insert(Bucket { left: self.burst, at: now });
        bucket.left = self.filled(bucket, now);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.left) / self.per_second));
        }
        bucket.left -= 1.0;
        Ok(())
    }

    fn filled(&self, bucket: &Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + since * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_followed_by_the_rate_and_each_has_its_own() {
        let rates = Rates::new(3, 2, 10);
        let now = Instant::now();
        assert!((0..3).all(|_| rates.take("a", now).is_ok()));
        let wait = rates.take("a", now).unwrap_err();
        assert_eq!(wait, Duration::from_millis(500));
        assert!(rates.take("b", now).is_ok());
        assert!(rates.take("a", now + wait).is_ok() && rates.take("a", now + wait).is_err());
    }

    #[test]
    fn what_is_remembered_of_strangers_is_bounded() {
        let rates = Rates::new(1, 1, 100);
        let now = Instant::now();
        let taken = (0..1000).filter(|n| rates.take(*n, now).is_ok()).count();
        assert_eq!((taken, rates.buckets.lock().unwrap().len()), (100, 100));
        assert!(rates.take(5000, now + Duration::from_secs(2)).is_ok());
        assert_eq!(rates.buckets.lock().unwrap().len(), 1);
    }
}
