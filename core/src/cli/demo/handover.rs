//! The pack, verified by the library and by the shell script that needs nothing of ours.

use std::path::Path;
use std::process::Command;

use super::Play;
use crate::error::{Error, ErrorKind, Result};
use crate::key::PublicKey;
use crate::ledger::Ledger;
use crate::pack::{self, PackDemand, PackRequest, Signers};

impl Play<'_> {
    pub(super) fn pack(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.story.heading("Show: an evidence pack, verified in two ways")?;
        let folder = self.path("pack");
        let request = PackRequest::new(self.release_id(), self.cast.actor("records"), self.now()?);
        let built = pack::build(ledger, &request, &folder, self.key("records")?, self.now()?)?;
        self.story.step(
            "pack",
            &format!("{} files, {} records", built.files, built.statement.contents.values().sum::<u64>()),
        )?;
        self.write_trusted()?;
        let trusted = self.path("trusted");
        let log_key = PublicKey::from_pem(self.cast.log_public_pem().as_bytes())?;
        let demand = PackDemand::new(Signers::read(&trusted.join("SIGNERS"))?, log_key)
            .no_older_than(ledger.checkpoint().note().as_bytes().to_vec());
        let verdict = pack::verify(&folder, &demand)?;
        self.story.step("by the library", &format!("{} records verified", verdict.records))?;
        let said = verify_by_shell(&folder)?;
        self.story.step("by verify.sh", &said)?;
        self.story.heading("Read the report, then check the pack yourself:")?;
        self.story.verbatim(&folder.join("reports/index.html").display().to_string())?;
        self.story
            .verbatim(&format!("(cd {} && bash verify.sh ../trusted/SIGNERS ../trusted/log.pub)", folder.display()))
    }

    /// What an auditor has from elsewhere: who may sign, the key of the log, the newest checkpoint.
    fn write_trusted(&self) -> Result<()> {
        let folder = self.path("trusted");
        std::fs::create_dir_all(&folder).map_err(|e| Error::io("make folder", &folder, e))?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|e| Error::io("write", &path, e))
        };
        let mut signers = "# who may sign, for verify.sh; keys of the demo, good for nothing else\n".to_owned();
        for (role, key_type, pem) in self.cast.public_keys() {
            write(&format!("{role}.pem"), &pem)?;
            let id = self.key(role)?.public().id();
            let may_pack = if role == "records" { " pack" } else { "" };
            // seen from the pack's folder and from this one, it is the same file
            signers.push_str(&format!("key {id} {key_type} ../trusted/{role}.pem{may_pack}\n"));
        }
        write("SIGNERS", &signers)?;
        write("log.pub", &self.cast.log_public_pem())
    }
}

/// Runs the pack's own script; its last line is the verdict.
fn verify_by_shell(folder: &Path) -> Result<String> {
    let output = Command::new("bash")
        .current_dir(folder)
        .args(["verify.sh", "../trusted/SIGNERS", "../trusted/log.pub"])
        .output()
        .map_err(|e| Error::new(ErrorKind::NotFound, format!("could not run `bash`: {e}; install it")).caused_by(e))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(ErrorKind::PackTampered, format!("verify.sh says: {}", why.trim())));
    }
    Ok(said.lines().last().unwrap_or_default().to_owned())
}
