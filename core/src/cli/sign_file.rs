//! `sign`: the signature of a file, beside it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::answer::Answer;
use super::output::write_file;
use super::settings::Settings;
use super::sign::{SigningKey, insert, signer};
#[cfg(feature = "keyless")]
use super::sign_keyless::{Content, Keyless};
use super::text::Page;
use crate::digest::Digest;
use crate::error::Result;
use crate::json::{self, Value};
use crate::limits;
use crate::signer::sign_blob;

#[derive(Args)]
pub(crate) struct Sign {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    key: SigningKey,
    /// Where the signature goes, a Sigstore bundle [default: stdout].
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[cfg(feature = "keyless")]
    #[command(flatten)]
    keyless: Keyless,
}

impl Sign {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let digest = Digest::of_file(&self.file)?;
        let (bundle, signer) = self.signed(settings, &digest)?;
        let mut value = json!({ "digest": digest.to_string() });
        for (name, who) in signer.as_object().into_iter().flatten() {
            insert(&mut value, name, who.clone());
        }
        let Some(out) = &self.bundle else {
            insert(&mut value, "bundle", json::parse("bundle", &bundle)?);
            return Ok(Answer::document(bundle, value));
        };
        write_file(out, &bundle)?;
        insert(&mut value, "out", out.display().to_string().into());
        let mut page = Page::default();
        page.line(format!("signed {}", self.file.display()));
        page.field("digest", &digest).field("bundle", out.display());
        Ok(Answer::new(page.finish(), value))
    }

    /// The bundle, and who signed it.
    #[cfg_attr(not(feature = "keyless"), expect(unused_variables, reason = "a key hashes the file by itself"))]
    fn signed(&self, settings: &Settings, digest: &Digest) -> Result<(Vec<u8>, Value)> {
        #[cfg(feature = "keyless")]
        if let Some(signed) = self.keyless.sign(settings, &Content::Blob(digest))? {
            return Ok(signed);
        }
        let key = self.key.open(settings)?;
        let mut file = limits::open_file("a file", &self.file)?;
        let bundle = sign_blob(&mut file, &key)?.to_json();
        #[cfg(feature = "keyless")]
        let bundle = self.keyless.stamped(settings, bundle)?;
        Ok((bundle, signer(&key)))
    }
}
