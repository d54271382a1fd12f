//! `key`: key files.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::Answer;
use super::settings::Settings;
use super::sign::insert;
use super::text::Page;
use crate::checkpoint::WitnessKey;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyFormat, KeyType, PrivateKey, PublicKey, write_private_as};

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a private key, encrypted with a passphrase.
    Generate {
        /// p256, p384 or ed25519; the key of a log must be ed25519.
        #[arg(long = "type", value_name = "TYPE", default_value = "p256", value_parser = signing_type)]
        key_type: KeyType,
        #[command(flatten)]
        new: NewFile,
    },
    /// Write a private key of another tool to a new file, encrypted with a
    /// passphrase; the old file stays as it is.
    Import {
        /// The key: PKCS#8, SEC1, or cosign's.
        file: PathBuf,
        #[command(flatten)]
        new: NewFile,
    },
    /// Show the public half and the id of a key.
    Public {
        /// A private or public key: a file, its role in sealwright.toml,
        /// pkcs11:…, awskms://…, or hashivault://….
        key: PathBuf,
        /// Show it as the C2SP verifier key of a witness of this name.
        #[arg(long, value_name = "NAME")]
        witness: Option<String>,
    },
}

/// Where a private key goes, and how.
#[derive(Args)]
pub(crate) struct NewFile {
    /// The new file; nothing is overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// pkcs8, or cosign for cosign's own format.
    #[arg(long, value_name = "FORMAT", default_value = "pkcs8")]
    format: KeyFormat,
    /// Leave the key unencrypted.
    #[arg(long)]
    no_passphrase: bool,
}

impl KeyCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Generate { key_type, new } => new.write(settings, || PrivateKey::generate(key_type)),
            Self::Import { file, new } => new.write(settings, || settings.private_key(&file)),
            Self::Public { key, witness } => {
                let public = settings.public_key(&key)?;
                if let Some(name) = witness {
                    let vkey = WitnessKey::new(name, public.clone())?.to_string();
                    let mut value = described(&public);
                    insert(&mut value, "witness", vkey.as_str().into());
                    return Ok(Answer::document(format!("{vkey}\n").into_bytes(), value));
                }
                Ok(Answer::document(public.to_pem().into_bytes(), described(&public)))
            }
        }
    }
}

impl NewFile {
    fn write(self, settings: &Settings, key: impl FnOnce() -> Result<PrivateKey>) -> Result<Answer> {
        let Self { out, format, no_passphrase } = self;
        let passphrase = if no_passphrase { None } else { Some(settings.new_passphrase()?) };
        let key = key()?;
        write_private_as(&out, &key, format, passphrase.as_ref().map(|p| p.as_str()))?;
        let mut value = described(key.public());
        insert(&mut value, "out", out.display().to_string().into());
        let mut page = Page::default();
        page.field("key id", key.public().id()).field("private", out.display());
        Ok(Answer::new(page.finish(), value))
    }
}

/// A type of key that signs.
fn signing_type(name: &str) -> Result<KeyType> {
    match name.parse()? {
        KeyType::Rsa => Err(Error::new(
            ErrorKind::Unsupported,
            "keys of type `rsa` are verified, not made; use `p256`, `p384` or `ed25519`",
        )),
        key_type => Ok(key_type),
    }
}

fn described(key: &PublicKey) -> serde_json::Value {
    json!({ "keyId": key.id(), "type": key.key_type().name(), "publicKey": key.to_pem() })
}
