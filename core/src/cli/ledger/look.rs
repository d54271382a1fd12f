//! `ledger search`, `show` and `prove`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::answer::{Answer, to_json};
use crate::cli::open::Known;
use crate::cli::output::write_file;
use crate::cli::predicate_names::{KnownType, short};
use crate::cli::settings::Settings;
use crate::cli::sign::insert;
use crate::cli::text::{Page, to_the_second};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::ledger::{LedgerRecord, Query};
use crate::timestamp::Timestamp;

#[derive(Args)]
pub(crate) struct Search {
    /// Of this release.
    #[arg(long, value_name = "ID")]
    release: Option<String>,
    /// About this Git commit.
    #[arg(long, value_name = "HEX")]
    commit: Option<String>,
    /// About this artifact.
    #[arg(long, value_name = "sha256:HEX")]
    digest: Option<String>,
    /// For this environment, by name or id.
    #[arg(long, value_name = "NAME|ID")]
    environment: Option<String>,
    /// For this service, a package URL without version.
    #[arg(long, value_name = "PURL")]
    service: Option<String>,
    /// For this change.
    #[arg(long, value_name = "ID")]
    change: Option<String>,
    /// Kind of evidence, such as build.provenance or test.unit.
    #[arg(long)]
    kind: Option<String>,
    /// Listing this package in an SBOM, a package URL without version.
    #[arg(long, value_name = "PURL")]
    component: Option<String>,
    /// Naming this vulnerability in a scan.
    #[arg(long, value_name = "ID")]
    vulnerability: Option<String>,
    /// Deploying to this resource, a URI.
    #[arg(long, value_name = "URI")]
    resource: Option<String>,
    /// Type of statement.
    #[arg(long = "type", value_name = "TYPE")]
    known: Option<KnownType>,
    /// Logged at or after this.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Logged before this.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Only after this entry, for the next page.
    #[arg(long, value_name = "INDEX")]
    after: Option<u64>,
    /// Most results [default: 100].
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Read every entry instead of asking the index: nothing that matches is left out.
    #[arg(long)]
    complete: bool,
    /// Only records that belong to no release the ledger knows; reads every record.
    #[arg(long)]
    unlinked: bool,
    #[command(flatten)]
    known_of_ledger: Known,
}

#[derive(Args)]
pub(crate) struct Show {
    /// Index of the entry.
    index: u64,
    /// Write the record to this file, as it was signed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    known: Known,
}

#[derive(Args)]
pub(crate) struct Prove {
    /// Index of the entry.
    index: u64,
    /// Write the receipt to this file [default: stdout].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    known: Known,
}

impl Search {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let ledger = self.known_of_ledger.open(settings)?;
        if self.limit == Some(0) {
            return Err(Error::new(ErrorKind::ApiMisuse, "a page of 0 results shows nothing; ask for at least one"));
        }
        let mut query = Query::everything();
        (query.release, query.commit, query.digest) = (self.release, self.commit, self.digest);
        (query.service, query.change, query.kind) = (self.service, self.change, self.kind);
        (query.component, query.vulnerability, query.resource) = (self.component, self.vulnerability, self.resource);
        query.environment = match self.environment {
            Some(name) if !name.contains(':') => Some(settings.environment(&name, None)?.id),
            id => id,
        };
        query.predicate_type = self.known.map(|k| k.uri().to_owned());
        (query.since, query.until, query.after, query.limit) = (self.since, self.until, self.after, self.limit);
        let (found, without_body) = match self.complete || self.unlinked {
            true => {
                let unlinked = self.unlinked.then(|| ledger.unlinked()).transpose()?;
                let mut found = ledger.complete(&query)?;
                if let Some(unlinked) = unlinked {
                    let is_unlinked = |record: &LedgerRecord| unlinked.binary_search(&record.index).is_ok();
                    // a page of linked ones must not look like the end
                    while found.more && !found.records.iter().any(is_unlinked) {
                        query.after = found.records.last().map(|record| record.index);
                        found = ledger.complete(&query)?;
                    }
                    found.records.retain(is_unlinked);
                }
                ((found.records, found.more, found.size), Some(found.without_body))
            }
            false => {
                let found = ledger.search(&query)?;
                ((found.records, found.more, found.size), None)
            }
        };
        let (records, more, size) = found;
        let mut page = Page::default();
        for record in &records {
            let at = to_the_second(record.logged_at()?).to_string();
            let mut line = format!(
                "{:>6}  {at:<20}  {:<20}  {}",
                record.index,
                short(record.statement().predicate_type()),
                record.speaker.signer
            );
            if record.revoked {
                line.push_str(" (revoked)");
            }
            page.line(line);
        }
        if let Some(last) = records.last().filter(|_| more) {
            page.line(format!("there is more: add --after {}", last.index));
        }
        if records.is_empty() {
            page.line(format!("nothing in {size} entries"));
        }
        let summaries = records.iter().map(summary).collect::<Result<Vec<_>>>()?;
        let mut value = json!({ "records": summaries, "more": more, "size": size });
        if let Some(without_body) = without_body {
            if !more {
                page.line(format!("complete up to entry {}, by the log itself", size.saturating_sub(1)));
            }
            for index in &without_body {
                page.line(format!("{index:>6}  may match, and has no body"));
            }
            insert(&mut value, "complete", json!(!more));
            insert(&mut value, "withoutBody", json!(without_body));
        }
        Ok(Answer::new(page.finish(), value))
    }
}

impl Show {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let record = self.known.open(settings)?.record(self.index)?;
        if let Some(out) = &self.out {
            write_file(out, record.verified.record())?;
        }
        let statement = record.statement();
        let mut value = summary(&record)?;
        insert(&mut value, "statement", crate::json::parse("statement", statement.payload())?);
        let mut page = Page::default();
        page.field("entry", record.index).field("logged", record.logged_at()?);
        page.field("type", statement.predicate_type()).field("signer", &record.speaker.signer);
        if let Some(person) = &record.speaker.person {
            page.field("person", person);
        }
        if record.revoked {
            page.field("revoked", "what it supports no longer counts");
        }
        page.field("payload", statement.payload_digest());
        for subject in statement.subjects() {
            for digest in subject.digests() {
                page.field("subject", digest);
            }
        }
        page.line(format!("{:#}", statement.predicate_json()?));
        Ok(Answer::new(page.finish(), value))
    }
}

impl Prove {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let receipt = to_json(&self.known.open(settings)?.prove(self.index)?)?;
        let bytes = format!("{receipt:#}\n").into_bytes();
        match self.out {
            None => Ok(Answer::document(bytes, receipt)),
            Some(out) => {
                write_file(&out, &bytes)?;
                let text = format!("receipt of entry {}, in {}\n", self.index, out.display());
                Ok(Answer::new(text, json!({ "index": self.index, "out": out.display().to_string() })))
            }
        }
    }
}

/// A record without its content.
fn summary(record: &LedgerRecord) -> Result<Value> {
    Ok(json!({
        "index": record.index,
        "loggedAt": record.logged_at()?.to_string(),
        "type": record.statement().predicate_type(),
        "signer": record.speaker.signer,
        "person": record.speaker.person,
        "keyId": record.speaker.key_id,
        "payload": record.statement().payload_digest().to_string(),
        "subjects": to_json(&record.statement().subjects())?,
        "tags": to_json(&record.statement().tags())?,
        "control": record.entry.control,
        "revoked": record.revoked,
    }))
}
