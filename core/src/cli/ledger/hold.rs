//! `ledger hold`: legal holds.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::artifact::ResourceDescriptor;
use crate::cli::answer::{Answer, to_json};
use crate::cli::open::{Act, By, Known};
use crate::cli::predicate_names::KnownType;
use crate::cli::settings::Settings;
use crate::cli::sign::appended;
use crate::cli::text::Page;
use crate::digest::{Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Hold, Ledger};
use crate::predicate::{HoldAction, HoldScope, LegalHold, RecordRef, Window, nonce};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

#[derive(Subcommand)]
pub(crate) enum HoldCommand {
    /// Stop the disposal of records.
    Place(Place),
    /// End a hold; nothing is disposed of by that.
    Release(Release),
    /// Show holds.
    List(List),
}

#[derive(Args)]
pub(crate) struct Place {
    /// Id of the hold, a URI nobody used before.
    #[arg(long, value_name = "URI")]
    id: String,
    /// Case reference; no details.
    #[arg(long, value_name = "TEXT")]
    matter: String,
    /// Hold the record of this entry; more than once for more.
    #[arg(long, value_name = "INDEX")]
    entry: Vec<u64>,
    /// Hold records of this service, a package URL without version.
    #[arg(long, value_name = "PURL")]
    service: Vec<String>,
    /// Hold records of this release.
    #[arg(long, value_name = "ID")]
    release: Vec<String>,
    /// Hold records about this environment, by name or id.
    #[arg(long, value_name = "NAME|ID")]
    environment: Vec<String>,
    /// Hold records of this type.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<KnownType>,
    /// Hold records logged at or after this.
    #[arg(long, value_name = "TIME", requires = "until")]
    since: Option<Timestamp>,
    /// Hold records logged at or before this.
    #[arg(long, value_name = "TIME", requires = "since")]
    until: Option<Timestamp>,
    /// Hold everything.
    #[arg(long, conflicts_with_all = ["entry", "service", "release", "environment", "types", "since"])]
    everything: bool,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    act: Act,
}

#[derive(Args)]
pub(crate) struct Release {
    /// Id of the hold.
    #[arg(long, value_name = "URI")]
    id: String,
    /// Case reference [default: that of the hold].
    #[arg(long, value_name = "TEXT")]
    matter: Option<String>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    act: Act,
}

#[derive(Args)]
pub(crate) struct List {
    /// Also those that were released.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    known: Known,
}

impl HoldCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Place(place) => place.run(settings),
            Self::Release(release) => release.run(settings),
            Self::List(list) => list.run(settings),
        }
    }
}

impl Place {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let environment = |name: &String| {
            if name.contains(':') { Ok(name.clone()) } else { settings.environment(name, None).map(|e| e.id) }
        };
        let scope = HoldScope {
            services: self.service,
            releases: self.release,
            environments: self.environment.iter().map(environment).collect::<Result<_>>()?,
            predicate_types: self.types.iter().map(|t| t.uri().to_owned()).collect(),
            window: self.since.zip(self.until).map(|(from, to)| Window { from, to }),
        };
        if scope.is_empty() && self.entry.is_empty() && !self.everything {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "nothing says what is held; name entries or a query, or say `--everything`",
            ));
        }
        let (mut ledger, key) = self.act.open(settings)?;
        let mut subjects = Vec::new();
        for index in &self.entry {
            subjects.push(ResourceDescriptor::of(ledger.record(*index)?.statement().payload_digest()));
        }
        // beside records, the query holds; alone, the hold itself is what it is about
        if subjects.is_empty() {
            subjects.push(hold_itself(&self.id)?);
        }
        let actor = self.by.actor(&ledger, &key)?;
        let now = settings.now()?;
        let hold = LegalHold {
            nonce: nonce()?,
            hold_id: self.id,
            action: HoldAction::Placed,
            matter: self.matter,
            custodian: actor.clone(),
            ordered_by: actor,
            at: now,
            scope,
            releases: None,
        };
        let statement = Statement::new(subjects, &hold)?;
        let receipt = ledger.record_statement(&statement, &key, now)?;
        appended(&statement, &receipt)
    }
}

impl Release {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let (mut ledger, key) = self.act.open(settings)?;
        let placed = find(&ledger, &self.id)?;
        let actor = self.by.actor(&ledger, &key)?;
        let now = settings.now()?;
        let hold = LegalHold {
            nonce: nonce()?,
            action: HoldAction::Released,
            matter: self.matter.unwrap_or_else(|| placed.placed.matter.clone()),
            ordered_by: actor,
            at: now,
            releases: Some(RecordRef::to(placed.payload())),
            ..placed.placed.clone()
        };
        let statement = Statement::new(ledger.record(placed.index)?.statement().subjects().to_vec(), &hold)?;
        let receipt = ledger.record_statement(&statement, &key, now)?;
        appended(&statement, &receipt)
    }
}

impl List {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let ledger = self.known.open(settings)?;
        let mut holds = ledger.holds()?;
        holds.retain(|hold| self.all || hold.released_by.is_none());
        let mut page = Page::default();
        for hold in &holds {
            let state = hold.released_by.map_or_else(|| "in force".to_owned(), |by| format!("released by entry {by}"));
            page.wrapped(
                "",
                "  ",
                &format!("{:>6}  {}: {}, {state}", hold.index, hold.placed.hold_id, hold.placed.matter),
            );
        }
        if holds.is_empty() {
            page.line("no holds");
        }
        Ok(Answer::new(page.finish(), json!({ "holds": to_json(&holds)?, "size": ledger.size() })))
    }
}

fn find(ledger: &Ledger, id: &str) -> Result<Hold> {
    let holds = ledger.holds()?;
    holds.into_iter().find(|hold| hold.placed.hold_id == id && hold.released_by.is_none()).ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("no hold `{}` is in force; `ledger hold list` shows those that are", id.escape_debug()),
        )
    })
}

/// A hold as a thing without bytes (predicates section 1.7).
fn hold_itself(id: &str) -> Result<ResourceDescriptor> {
    let set = serde_json::json!({ "uriSha256": Digest::sha256(id.as_bytes()).hex() });
    let set: DigestSet = serde_json::from_value(set)
        .map_err(|e| Error::new(ErrorKind::Internal, "the digest of a hold's id is none; report it").caused_by(e))?;
    Ok(ResourceDescriptor::of(set).with_uri(id))
}
