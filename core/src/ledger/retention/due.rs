//! What is due: each record with the end of its time, and what keeps it beyond that.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::closed::Newest;
use super::hold::Hold;
use super::schedule::{Rule, Schedule, StartsFrom};
use crate::digest::Digest;
use crate::error::{ErrorKind, Result};
use crate::ledger::{Entry, Ledger, LedgerRecord};
use crate::predicate::{Predicate, RecordRef};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// The retention of one record.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Due {
    /// Its entry.
    pub index: u64,
    /// Its predicate type.
    pub predicate_type: String,
    /// Payload digest, by which approvals and the disposal name it.
    pub payload: Digest,
    /// Bytes of the record.
    pub bytes: u64,
    /// When it was logged.
    pub logged_at: Timestamp,
    /// The rule whose period ends last.
    pub rule: Option<String>,
    /// Start of that period.
    pub retained_since: Option<Timestamp>,
    /// End of that period; none while it cannot be told.
    pub due_at: Option<Timestamp>,
    /// Why it may not go, whatever the time: holds, what it says is still open, what cannot be decided.
    pub obstacles: Vec<String>,
}

/// The retention of all records of a ledger.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Retention {
    /// Entries of the ledger that were looked at.
    pub size: u64,
    /// The present, as it was told.
    pub at: Timestamp,
    /// Each record that is still there, in order.
    pub records: Vec<Due>,
}

impl Due {
    /// Whether its time is over and nothing keeps it.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.obstacles.is_empty() && self.due_at.is_some_and(|due| due <= now)
    }
}

impl Retention {
    /// Records that may be disposed of now.
    pub fn due(&self) -> impl Iterator<Item = &Due> {
        self.records.iter().filter(|record| record.is_due(self.at))
    }

    /// Number and bytes of the records that may be disposed of now.
    pub fn due_total(&self) -> (u64, u64) {
        self.due().fold((0, 0), |(count, bytes), due| (count + 1, bytes + due.bytes))
    }
}

/// What is known of a release.
struct ReleaseFacts {
    made_at: Timestamp,
    subjects: BTreeSet<Digest>,
}

/// What the retention of one record may hang on.
struct Facts {
    releases: BTreeMap<String, ReleaseFacts>,
    newest: Newest,
    holds: Vec<Hold>,
    /// Payloads that explain earlier disposals.
    explaining: BTreeSet<Digest>,
}

impl Ledger {
    /// The retention of all records under a schedule, as of `now`.
    ///
    /// # Errors
    /// Those of [`Ledger::record`] for a record that is there: what cannot be read keeps everything.
    pub fn retention(&self, schedule: &Schedule, now: Timestamp) -> Result<Retention> {
        let records = self.remaining_records()?;
        let facts = self.facts(&records)?;
        let size = self.size();
        let due = records.iter().map(|record| facts.due(schedule, record, size)).collect::<Result<_>>()?;
        Ok(Retention { size, at: now, records: due })
    }

    /// All records that are still there. One that is only archived must be restored, or its archive named, first.
    pub(super) fn remaining_records(&self) -> Result<Vec<LedgerRecord>> {
        let mut records = Vec::new();
        for index in 0..self.size() {
            match self.record(index) {
                Ok(record) => records.push(record),
                Err(e) if e.kind() == ErrorKind::BodyDisposed => {}
                Err(e) => return Err(e),
            }
        }
        Ok(records)
    }

    fn facts(&self, records: &[LedgerRecord]) -> Result<Facts> {
        let mut facts = Facts {
            releases: BTreeMap::new(),
            newest: Newest::default(),
            holds: self.holds()?,
            explaining: BTreeSet::new(),
        };
        for record in records {
            facts.newest.learn(record);
            let statement = record.statement();
            match statement.predicate() {
                Ok(Predicate::Release(release)) if !record.revoked => {
                    let Some(id) = release.release_id else { continue };
                    let subjects = statement.subjects().iter().flat_map(|s| s.digests()).collect();
                    let made_at = record.logged_at()?;
                    facts.releases.entry(id).or_insert(ReleaseFacts { made_at, subjects });
                }
                Ok(Predicate::RetentionDisposal(disposal)) => {
                    let named = disposal.approvals.iter().chain([&disposal.decision]);
                    facts.explaining.extend(named.filter_map(|r: &RecordRef| r.payload().ok()));
                }
                _ => {}
            }
        }
        Ok(facts)
    }
}

impl Facts {
    fn due(&self, schedule: &Schedule, record: &LedgerRecord, size: u64) -> Result<Due> {
        let statement = record.statement();
        let payload = statement.payload_digest();
        let logged_at = record.logged_at()?;
        let kinds = statement.tags().kind.into_iter().collect();
        let mut obstacles = Vec::new();
        let mut last: Option<(&str, Timestamp, Timestamp)> = None;
        for (id, rule) in schedule.applying(&kinds, statement.predicate_type()) {
            match self.term(schedule, rule, record)? {
                Ok((since, due)) if last.is_none_or(|(_, _, before)| due > before) => last = Some((id, since, due)),
                Ok(_) => {}
                Err(why) => obstacles.push(format!("rule `{id}`: {why}")),
            }
        }
        if last.is_none() && obstacles.is_empty() {
            obstacles.push("no rule says how long it is kept".to_owned());
        }
        let holds = self.holds.iter().filter(|hold| hold.is_in_force_at(size) && hold.covers(&record.entry, &payload));
        obstacles
            .extend(holds.map(|hold| format!("the hold `{}` (entry {}) is in force", hold.placed.hold_id, hold.index)));
        if self.explaining.contains(&payload) {
            obstacles.push("a disposal rests on it".to_owned());
        }
        obstacles.extend(self.newest.obstacle(record));
        let decided = obstacles.iter().all(|o| !o.starts_with("rule `"));
        Ok(Due {
            index: record.index,
            predicate_type: statement.predicate_type().to_owned(),
            payload,
            bytes: record.entry.size,
            logged_at,
            rule: last.map(|(id, _, _)| id.to_owned()),
            retained_since: last.map(|(_, since, _)| since),
            due_at: last.filter(|_| decided).map(|(_, _, due)| due),
            obstacles,
        })
    }

    /// Start and end of the period of a rule, or why they cannot be told.
    fn term(
        &self,
        schedule: &Schedule,
        rule: &Rule,
        record: &LedgerRecord,
    ) -> Result<std::result::Result<(Timestamp, Timestamp), String>> {
        let Some(period) = &rule.period else {
            return Ok(Err("it is left to you how long; give it a period in the schedule".to_owned()));
        };
        let logged = record.logged_at()?;
        let since = match rule.starts_from {
            StartsFrom::Creation => logged,
            StartsFrom::LastEffective => last_effective(record.statement()).map_or(logged, |t| t.max(logged)),
            StartsFrom::EndOfSupport | StartsFrom::Release => {
                let mut latest = logged;
                let releases = self.releases_of(record.statement());
                if releases.is_empty() {
                    match (rule.starts_from, schedule.support_end("")) {
                        (StartsFrom::EndOfSupport, Some(end)) => latest = latest.max(end),
                        _ => return Ok(Err("it is not known which release it belongs to".to_owned())),
                    }
                }
                for id in releases {
                    let start = match rule.starts_from {
                        StartsFrom::EndOfSupport => schedule.support_end(&id),
                        _ => self.releases.get(&id).map(|release| release.made_at),
                    };
                    match start {
                        Some(start) => latest = latest.max(start),
                        None if rule.starts_from == StartsFrom::EndOfSupport => {
                            return Ok(Err(format!(
                                "the end of support of `{id}` is not known; say it in the schedule"
                            )));
                        }
                        None => return Ok(Err(format!("the ledger has no record of the release `{id}`"))),
                    }
                }
                latest
            }
        };
        Ok(Ok((since, period.after(since)?)))
    }

    /// The releases a record names, or whose artifacts it is about.
    fn releases_of(&self, statement: &Statement) -> BTreeSet<String> {
        let mut releases: BTreeSet<String> = statement.tags().release.into_iter().collect();
        for (id, release) in &self.releases {
            if statement.subjects().iter().flat_map(|s| s.digests()).any(|d| release.subjects.contains(&d)) {
                releases.insert(id.clone());
            }
        }
        releases
    }
}

/// Until when what a record says is in effect, if it says so.
fn last_effective(statement: &Statement) -> Option<Timestamp> {
    let predicate = statement.predicate_json().ok()?;
    ["/expiresAt", "/validUntil", "/supportUntil", "/reviewDueBy"]
        .iter()
        .filter_map(|path| predicate.pointer(path)?.as_str()?.parse().ok())
        .max()
}

/// The least a record of this entry must have been kept since it was logged, by what the entry alone tells. None if a
/// rule that applies gives no period.
pub(super) fn least_due(schedule: &Schedule, entry: &Entry) -> Result<Option<Timestamp>> {
    let kinds: BTreeSet<&str> = Schedule::known_kinds().into_iter().chain(schedule.named_kinds()).collect();
    let own: BTreeSet<String> = match entry.has_more_tags() {
        // it may be of any kind
        true => kinds.into_iter().map(str::to_owned).collect(),
        false => kinds.into_iter().filter(|kind| entry.has_tag("kind", kind)).map(str::to_owned).collect(),
    };
    let named = schedule.named_types().find(|t| entry.is_of_type(t)).unwrap_or_default();
    let logged = entry.logged_at()?;
    let mut latest = None;
    for (_, rule) in schedule.applying(&own, named) {
        let Some(period) = &rule.period else { return Ok(None) };
        latest = latest.max(Some(period.after(logged)?));
    }
    Ok(latest)
}
