//! `ledger mirror` and `ledger restore`: a copy that is pulled, and a ledger made of one.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::answer::{Answer, to_json};
use crate::cli::open::Known;
use crate::cli::output::ProgressLine;
use crate::cli::settings::{Settings, folder_for};
use crate::cli::text::Page;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Mirror, Mirrored};

/// Why a copy is not made elsewhere.
const IN_A_FOLDER: &str = "a copy is made in one; name a folder, and `ledger move` it there";

#[derive(Args)]
pub(crate) struct MirrorLedger {
    /// The ledger: its folder, the file that describes its bucket, or the URL of
    /// a server that serves it.
    #[arg(value_name = "DIR|URL")]
    source: String,
    /// Folder of the copy.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Pull nothing; only tell how far the copy is behind.
    #[arg(long)]
    lag: bool,
    #[command(flatten)]
    known: Known,
}

#[derive(Args)]
pub(crate) struct Restore {
    /// The copy: the folder of a mirror, the file that describes a bucket, or the
    /// URL of a server that serves it.
    #[arg(value_name = "DIR|URL")]
    copy: String,
    /// Go on without what the copy has lost; the audit of the ledger tells it
    /// for ever.
    #[arg(long)]
    incomplete_unsafe: bool,
    #[command(flatten)]
    known: Known,
}

impl MirrorLedger {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let to = folder_for(self.to, IN_A_FOLDER)?;
        let source = settings.log_source(&self.source)?;
        let mirror = self.known.mirror(settings, &to)?;
        if self.lag {
            let lag = mirror.lag(&source, settings.now()?)?;
            let mut page = Page::default();
            page.field("behind", format!("{} entries, {}", lag.entries, for_long(lag.millis)));
            if let Some(at) = lag.pulled_at {
                page.field("pulled", at);
            }
            return Ok(Answer::new(page.finish(), to_json(&lag)?));
        }
        let kek = settings.encryption_key(self.known.encryption_key())?;
        let (pins, now) = (self.known.pins()?, settings.now()?);
        let mut line = ProgressLine::new("entries mirrored");
        let mirrored = mirror.pull(&source, &pins, kek.as_deref(), now, &mut |p| line.show(p.done, p.of))?;
        drop(line);
        copied(&mirrored, "mirror", &to.display().to_string())
    }
}

impl Restore {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let folder = folder_for(settings.ledger(), IN_A_FOLDER)?;
        let copy = settings.log_source(&self.copy)?;
        let target = self.known.mirror(settings, &folder)?;
        let kek = settings.encryption_key(self.known.encryption_key())?;
        let pins = self.known.pins()?;
        let mut line = ProgressLine::new("entries restored");
        let restore = if self.incomplete_unsafe { Mirror::restore_incomplete_unsafe } else { Mirror::restore };
        let restored = restore(target, &copy, &pins, kek.as_deref(), &mut |p| line.show(p.done, p.of))?;
        drop(line);
        copied(&restored, "ledger", &folder.display().to_string())
    }
}

fn copied(copied: &Mirrored, what: &str, folder: &str) -> Result<Answer> {
    let mut page = Page::default();
    page.field(what, folder).field("origin", &copied.origin).field("entries", copied.size);
    page.field("new", copied.size - copied.had).field("root", &copied.root);
    for (count, told) in [
        (copied.disposed, "entries have no record any more: it was disposed of"),
        (copied.erased, "records were erased here, for they were disposed of"),
        (copied.archived, "records lie in the archive of the source"),
        (copied.without_body, "entries have no record there"),
        (copied.unproven, "records were not held against their entries; name the key for that"),
    ] {
        if count > 0 {
            page.line(format!("{count} {told}"));
        }
    }
    if copied.attachments_unseen {
        page.line("not all attachments were looked for: records lead to them; name the key, or the archive, for that");
    }
    if copied.keys_unproven {
        page.line("the keys were rotated; the new ones are kept beside the older until the key is named once");
    }
    if copied.attachments_missing > 0 {
        page.line(format!("{} attachments are not there as they must be", copied.attachments_missing));
    }
    let mut value = to_json(copied)?;
    crate::cli::sign::insert(&mut value, "folder", json!(folder));
    let answer = Answer::new(page.finish(), value);
    let Some(first) = copied.refused.first() else { return Ok(answer) };
    Ok(answer.refused(Error::new(
        ErrorKind::LedgerTampered,
        format!(
            "the records of {} entries, the first of them entry {first}, are not the ones committed to, and were not kept; \
             restore them at the source",
            copied.refused.len()
        ),
    )))
}

/// A time for people.
fn for_long(millis: i64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0 if millis == 0 => "nothing is missing".to_owned(),
        0..=119 => format!("for {seconds} s"),
        120..=7199 => format!("for {} min", seconds / 60),
        7200..=172_799 => format!("for {} h", seconds / 3600),
        _ => format!("for {} days", seconds / 86_400),
    }
}
