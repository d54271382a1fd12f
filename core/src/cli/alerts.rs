//! `alerts`: uses of keys and secrets that somebody should look at, and documents that end.

use clap::Args;

use super::answer::{Answer, to_json};
use super::open::Known;
use super::settings::Settings;
use super::text::{Page, to_the_second};
use crate::alert::{Watch, alerts};
use crate::error::Result;

#[derive(Args)]
pub(crate) struct Alerts {
    /// Hours up to now that are looked at [default: 24].
    #[arg(long, value_name = "N")]
    hours: Option<u64>,
    /// Stretches of that length before, which tell what is usual [default: 7].
    #[arg(long, value_name = "N")]
    before: Option<u64>,
    /// More than so many times the usual number of reads is unusual
    /// [default: 3],
    #[arg(long, value_name = "N")]
    times: Option<u64>,
    /// and at least so many more than it [default: 5].
    #[arg(long, value_name = "N")]
    more: Option<u64>,
    /// Days before its end from which on a document is told [default: 30].
    #[arg(long, value_name = "N")]
    days: Option<u64>,
    #[command(flatten)]
    known: Known,
}

impl Alerts {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let mut watch = Watch::default();
        for (given, kept) in [
            (self.hours, &mut watch.hours),
            (self.before, &mut watch.before),
            (self.times, &mut watch.times),
            (self.more, &mut watch.more),
            (self.days, &mut watch.days),
        ] {
            *kept = given.unwrap_or(*kept);
        }
        let found = alerts(&self.known.open(settings)?, &watch, settings.now()?)?;
        let mut page = Page::default();
        for alert in &found.alerts {
            page.wrapped("", "  ", &format!("{}  {}", to_the_second(alert.at), alert.message));
            page.wrapped("  about ", "    ", &alert.about);
            let entries: Vec<String> = alert.records.iter().map(u64::to_string).collect();
            page.wrapped("  entries ", "    ", &entries.join(", "));
        }
        if found.alerts.is_empty() {
            let from = to_the_second(found.from);
            page.wrapped("", "", &format!("nothing unusual since {from}, and no document that ends"));
        }
        for index in &found.unread {
            page.wrapped("", "  ", &format!("entry {index} can't be read: what it says nobody can tell"));
        }
        let quiet = found.alerts.is_empty() && found.unread.is_empty();
        Ok(Answer::new(page.finish(), to_json(&found)?).unless(!quiet))
    }
}
