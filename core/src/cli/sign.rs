//! Signing a statement or a file, and handing on what was made: to a file, to stdout, to the ledger.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::answer::{Answer, to_json};
use super::open::Append;
use super::output::write_file;
use super::predicate_names::short;
use super::settings::{OpenSigner, Settings};
#[cfg(feature = "keyless")]
use super::sign_keyless::{Content, Keyless};
use super::text::Page;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::ledger::{Ledger, Receipt};
use crate::predicate::PredicateType;
use crate::release::Recorded;
use crate::signer::{Signer, sign};
use crate::statement::Statement;

/// Which key signs.
#[derive(Args)]
pub(crate) struct SigningKey {
    /// Key that signs: a file, its role in sealwright.toml, pkcs11:…,
    /// awskms://…, or hashivault://….
    #[arg(long, value_name = "KEY")]
    key: Option<PathBuf>,
    /// Command that signs digests in place of a private key; --key is then the
    /// file of its public half.
    #[arg(long, value_name = "COMMAND")]
    signer_command: Option<String>,
}

/// How a statement is signed, and where the record goes.
#[derive(Args)]
pub(crate) struct Signing {
    #[command(flatten)]
    key: SigningKey,
    /// Where the record goes [default: stdout].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Append the record to the ledger, too.
    #[arg(long)]
    pub(crate) append: bool,
    #[command(flatten)]
    log: Append,
    #[cfg(feature = "keyless")]
    #[command(flatten)]
    keyless: Keyless,
}

impl SigningKey {
    pub(crate) fn open(&self, settings: &Settings) -> Result<OpenSigner> {
        match &self.signer_command {
            Some(command) => settings.signer_command(command, self.key.as_deref()),
            None => settings.key(self.key.as_deref()),
        }
    }
}

impl Signing {
    /// The ledger, if the record is to be appended.
    pub(crate) fn open(&self, settings: &Settings) -> Result<Option<Ledger>> {
        if self.append { self.log.open(settings).map(Some) } else { Ok(None) }
    }

    /// Where the record goes.
    pub(crate) fn out(&self) -> Option<&Path> {
        self.out.as_deref()
    }

    /// Signs one of several statements, writes it to `out` and appends it; what an answer says of it.
    pub(crate) fn one(
        &self,
        settings: &Settings,
        statement: &Statement,
        ledger: Option<&mut Ledger>,
        out: Option<&Path>,
    ) -> Result<Value> {
        let (record, signer) = self.record(settings, statement)?;
        if let Some(out) = out {
            write_file(out, &record)?;
        }
        let Some(ledger) = ledger else { return Ok(signed(statement, &record, &signer, out)?.json) };
        let now = settings.now()?;
        let receipt = ledger.append(&ledger.verify(&record, now)?, now)?;
        Ok(appended(statement, &receipt)?.json)
    }

    pub(crate) fn finish(&self, settings: &Settings, statement: &Statement, ledger: Option<Ledger>) -> Result<Answer> {
        let (record, signer) = self.record(settings, statement)?;
        // a record that is kept can be appended later, should the ledger refuse it now
        if let Some(out) = &self.out {
            write_file(out, &record)?;
        }
        match ledger {
            Some(mut ledger) => {
                let now = settings.now()?;
                let verified = ledger.verify(&record, now)?;
                let receipt = ledger.append(&verified, now)?;
                Ok(appended(statement, &receipt)?)
            }
            None => signed(statement, &record, &signer, self.out.as_deref()),
        }
    }

    /// The signed record, and who signed it.
    fn record(&self, settings: &Settings, statement: &Statement) -> Result<(Vec<u8>, Value)> {
        #[cfg(feature = "keyless")]
        if let Some(signed) = self.keyless.sign(settings, &Content::Statement(statement))? {
            return Ok(signed);
        }
        let key = self.key.open(settings)?;
        let record = sign(statement, &key)?.to_json();
        #[cfg(feature = "keyless")]
        let record = self.keyless.stamped(settings, record)?;
        Ok((record, signer(&key)))
    }
}

/// Who signs with this key, as an answer says it.
pub(crate) fn signer(key: &dyn Signer) -> Value {
    json!({ "keyId": key.public_key().id() })
}

/// Shows a record that was signed by `signer` and not appended.
pub(crate) fn signed(statement: &Statement, record: &[u8], signer: &Value, out: Option<&Path>) -> Result<Answer> {
    let mut value = json!({
        "type": statement.predicate_type(),
        "payload": statement.payload_digest().to_string(),
    });
    for (name, who) in signer.as_object().into_iter().flatten() {
        insert(&mut value, name, who.clone());
    }
    let Some(out) = out else {
        insert(&mut value, "record", json::parse("record", record)?);
        return Ok(Answer::document(record.to_vec(), value));
    };
    insert(&mut value, "out", out.display().to_string().into());
    let mut page = Page::default();
    page.line(format!("signed a statement of type {}", short(statement.predicate_type())));
    page.field("payload", statement.payload_digest()).field("record", out.display());
    Ok(Answer::new(page.finish(), value))
}

/// Shows a record that is in the ledger now.
pub(crate) fn appended(statement: &Statement, receipt: &Receipt) -> Result<Answer> {
    shown(statement.predicate_type(), &statement.payload_digest(), receipt)
}

/// Shows the record that an act left in the ledger.
pub(crate) fn recorded<P: PredicateType>(recorded: &Recorded) -> Result<Answer> {
    shown(P::TYPE, &recorded.payload, &recorded.receipt)
}

fn shown(predicate_type: &str, payload: &Digest, receipt: &Receipt) -> Result<Answer> {
    let value = json!({ "type": predicate_type, "payload": payload.to_string(), "receipt": to_json(receipt)? });
    let mut page = Page::default();
    let already = if receipt.already_there { " was there already" } else { "" };
    page.line(format!("entry {}{already}: {}", receipt.index, short(predicate_type)));
    page.field("payload", payload);
    Ok(Answer::new(page.finish(), value))
}

/// Sets a member of an object.
pub(crate) fn insert(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}

/// Sets a member of an object unless it is there.
pub(crate) fn fill(object: &mut Value, name: &str, value: impl FnOnce() -> Result<Value>) -> Result<()> {
    match object {
        Value::Object(members) if members.contains_key(name) => Ok(()),
        Value::Object(members) => {
            members.insert(name.to_owned(), value()?);
            Ok(())
        }
        _ => Err(Error::new(ErrorKind::Malformed, "the predicate is no JSON object; write its fields in `{…}`")),
    }
}
