//! `key`: key files.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::answer::Answer;
use super::settings::Settings;
use super::sign::insert;
use super::text::Page;
use crate::error::{ErrorKind, Result};
use crate::key::{KeyType, PrivateKey, PublicKey, read_public, write_private};

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a private key, encrypted with a passphrase.
    Generate {
        /// p256 or ed25519; the key of a log must be ed25519.
        #[arg(long = "type", value_name = "TYPE", default_value = "p256")]
        key_type: KeyType,
        /// The new file; nothing is overwritten.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Leave the key unencrypted.
        #[arg(long)]
        no_passphrase: bool,
    },
    /// Show the public half and the id of a key.
    Public {
        /// A private or public key.
        file: PathBuf,
    },
}

impl KeyCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Generate { key_type, out, no_passphrase } => {
                let passphrase = if no_passphrase { None } else { Some(settings.new_passphrase()?) };
                let key = PrivateKey::generate(key_type)?;
                write_private(&out, &key, passphrase.as_ref().map(|p| p.as_str()))?;
                let mut value = described(key.public());
                insert(&mut value, "out", out.display().to_string().into());
                let mut page = Page::default();
                page.field("key id", key.public().id()).field("private", out.display());
                Ok(Answer::new(page.finish(), value))
            }
            Self::Public { file } => {
                // a file that is no public key is a private one, or is told what is wrong with it as one
                let public = match read_public(&file) {
                    Err(e) if e.kind() == ErrorKind::Malformed => settings.key(Some(&file))?.public().clone(),
                    read => read?,
                };
                Ok(Answer::document(public.to_pem().into_bytes(), described(&public)))
            }
        }
    }
}

fn described(key: &PublicKey) -> serde_json::Value {
    json!({ "keyId": key.id(), "type": key.key_type().name(), "publicKey": key.to_pem() })
}
