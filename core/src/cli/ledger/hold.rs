//! `ledger hold`: legal holds.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::answer::{Answer, to_json};
use crate::cli::open::{Act, By, Known};
use crate::cli::predicate_names::KnownType;
use crate::cli::settings::Settings;
use crate::cli::sign::recorded;
use crate::cli::text::Page;
use crate::error::Result;
use crate::predicate::{LegalHold, Window};
use crate::release::{HoldOrder, place_hold, release_hold};
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
        let environments = self.environment.iter().map(environment).collect::<Result<_>>()?;
        let (mut ledger, key) = self.act.open(settings)?;
        let mut order = HoldOrder::new(self.id, self.matter, self.by.actor(&ledger, &key)?);
        order.entries = self.entry;
        order.services = self.service;
        order.releases = self.release;
        order.environments = environments;
        order.predicate_types = self.types.iter().map(|t| t.uri().to_owned()).collect();
        order.window = self.since.zip(self.until).map(|(from, to)| Window { from, to });
        order.everything = self.everything;
        recorded::<LegalHold>(&place_hold(&mut ledger, order, &key, settings.now()?)?)
    }
}

impl Release {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let (mut ledger, key) = self.act.open(settings)?;
        let actor = self.by.actor(&ledger, &key)?;
        recorded::<LegalHold>(&release_hold(&mut ledger, &self.id, self.matter, actor, &key, settings.now()?)?)
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
