//! Four things that must not pass, each tried for real.

use std::path::Path;

use super::{Play, append_byte};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::gate::Decision;
use crate::ledger::{Anchors, Ledger, Pins};
use crate::predicate::{Approval, ApprovalDecision, EnvironmentClass, RecordRef, Stage};
use crate::statement::Statement;

impl Play<'_> {
    /// A rebuild differs by a byte, so it is not what dev has tried.
    pub(super) fn rebuilt_digest(&mut self, ledger: &mut Ledger) -> Result<()> {
        let rebuilt = self.path("rebuilt");
        std::fs::copy(&self.demo.artifact, &rebuilt).map_err(|e| Error::io("write", &rebuilt, e))?;
        append_byte(&rebuilt)?;
        let other = Digest::of_file(&rebuilt)?;
        let decision = self.decide(ledger, &other, EnvironmentClass::Staging)?;
        self.story.attempt("A rebuild that differs by one byte asks to go to staging. Refused:")?;
        self.tell(&decision, "EV-PROM-002")
    }

    /// The author, who even holds the right role, approves their own change; and takes it back afterwards.
    pub(super) fn approval_by_the_author(&mut self, ledger: &mut Ledger) -> Result<()> {
        let environment = self.environment(EnvironmentClass::Prod);
        let own = self.approval("author", Stage::Promotion, Some(&environment), "Released for production")?;
        let statement = Statement::new(vec![self.subject()], &own)?;
        ledger.record_statement(&statement, self.key("author")?, self.now()?)?;
        let decision = self.decide(ledger, &self.artifact.clone(), EnvironmentClass::Prod)?;
        self.story.attempt("The author approves their own change for prod. Refused:")?;
        self.tell(&decision, "EV-APPR-002")?;
        let withdrawn = Approval {
            nonce: crate::predicate::nonce()?,
            decision: ApprovalDecision::Dismissed,
            dismisses: Some(RecordRef::to(&statement.payload_digest())),
            meaning: "I withdraw my approval of my own change".to_owned(),
            ..own
        };
        self.record(ledger, "author", vec![self.subject()], &withdrawn)
    }

    /// On copies: a record is edited, and the whole folder is put back to an older state.
    pub(super) fn tampering(&mut self, ledger: &Ledger) -> Result<()> {
        self.story.heading("Tamper with the ledger (on copies of its folder)")?;
        let copy = self.path("tampered-ledger");
        ledger.settle()?;
        copy_folder(Path::new(&ledger.place()), &copy)?;
        let state = self.path("state-of-the-tampered");
        copy_folder(&self.path("state"), &state)?;
        let index = ledger.size() - 1;
        edit_record(&copy, index)?;
        let mut tampered = Ledger::open(&copy, &Anchors::in_folder(&state), &Pins::none())?;
        let report = tampered.audit()?;
        let finding = report
            .findings
            .first()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the audit did not find the edited record"))?;
        self.story.attempt(&format!("One byte of the newest record ({index}) is edited. The audit says:"))?;
        self.story.refused(&format!("{}: {}", finding.place, finding.message))?;
        let older = self.path("older-ledger");
        self.story.attempt("The whole folder is put back to the state before prod. Opening it says:")?;
        match Ledger::open(&older, &Anchors::in_folder(self.path("state")), &Pins::none()) {
            Err(e) if e.kind() == ErrorKind::LedgerRolledBack => self.story.refused(&format!("{}: {e}", e.code())),
            Err(e) => Err(e),
            Ok(_) => Err(Error::new(ErrorKind::Internal, "the rolled back ledger was opened")),
        }
    }

    /// Shows the refusal of one check, and names the others.
    fn tell(&mut self, decision: &Decision, check: &str) -> Result<()> {
        let refusing = decision.refusals().find(|c| c.id == check).and_then(|c| c.message.clone());
        let message = refusing.ok_or_else(|| Error::new(ErrorKind::Internal, format!("{check} did not refuse")))?;
        self.story.refused(&message)?;
        let others: Vec<&str> = decision.refusals().map(|c| c.id.as_str()).filter(|id| *id != check).collect();
        if others.is_empty() {
            return Ok(());
        }
        self.story.refused(&format!("Also refused by {}. The refusal itself is on record.", others.join(", ")))
    }
}

/// Changes one byte in the middle of a record's body.
fn edit_record(ledger: &Path, index: u64) -> Result<()> {
    let path = ledger.join("bodies").join(format!("{index:03}"));
    let mut bytes = crate::limits::read_file("body", &path, crate::limits::RECORD_BYTES)?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    std::fs::write(&path, bytes).map_err(|e| Error::io("write", &path, e))
}

pub(super) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for (name, path) in crate::digest::files_below(from)? {
        let target = to.join(name);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(|e| Error::io("make folder", parent, e))?;
        }
        std::fs::copy(&path, &target).map_err(|e| Error::io("copy", &path, e))?;
    }
    Ok(())
}
