//! Keys in AWS KMS.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};

use super::Signer;
use super::external::{checked, failed, require_ecdsa};
use super::service::{unreachable, wait};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PublicKey};

/// Signs with a key of AWS KMS. Credentials and region are found as AWS's SDK finds them; an ARN says its region itself.
pub(super) struct AwsKmsSigner {
    client: Client,
    /// The ARN: an alias may point to another key tomorrow.
    key_id: String,
    public: PublicKey,
    name: String,
    time_limit: Duration,
}

impl AwsKmsSigner {
    /// Opens the key that `rest` of `awskms:REST` names: `//[ENDPOINT]/KEY`.
    pub(super) fn open(rest: &str, time_limit: Duration) -> Result<Self> {
        let (endpoint, key) = parse(rest)?;
        let name = format!("the KMS key `{key}`");
        let request = async {
            let client = client(endpoint, key).await;
            let answer = client.get_public_key().key_id(key).send().await.map_err(|e| refusal(&name, &e))?;
            Ok((client, answer))
        };
        let (client, answer) = wait(&name, time_limit, request)?;
        let der = answer.public_key().map(Blob::as_ref).unwrap_or_default();
        let public = PublicKey::from_spki_der(der).map_err(|e| e.while_doing(&name))?;
        require_ecdsa(&name, &public)?;
        let key_id = answer.key_id().unwrap_or(key).to_owned();
        Ok(Self { client, key_id, public, name, time_limit })
    }
}

impl Signer for AwsKmsSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>> {
        let algorithm = match self.public.key_type() {
            KeyType::P384 => SigningAlgorithmSpec::EcdsaSha384,
            _ => SigningAlgorithmSpec::EcdsaSha256,
        };
        let request = self
            .client
            .sign()
            .key_id(&self.key_id)
            .message(Blob::new(digest.bytes()))
            .message_type(MessageType::Digest)
            .signing_algorithm(algorithm);
        let answer =
            wait(&self.name, self.time_limit, async { request.send().await.map_err(|e| refusal(&self.name, &e)) })?;
        let signature = answer.signature().map(|s| s.as_ref().to_vec()).unwrap_or_default();
        checked(&self.name, &self.public, digest, signature)
    }
}

/// A client for the region and endpoint of the key.
pub(crate) async fn client(endpoint: &str, key: &str) -> Client {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = region_of(key) {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if !endpoint.is_empty() {
        loader = loader.endpoint_url(format!("https://{endpoint}"));
    }
    Client::new(&loader.load().await)
}

/// Endpoint (empty: AWS's own) and key of a reference as cosign writes it.
pub(crate) fn parse(rest: &str) -> Result<(&str, &str)> {
    let fits = |text: &str, others: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c));
    rest.strip_prefix("//")
        .and_then(|rest| rest.split_once('/'))
        .filter(|(endpoint, key)| fits(endpoint, ".-:[]") && !key.is_empty() && fits(key, ":/_-"))
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                format!(
                    "expected `awskms://[ENDPOINT]/` with a key id, an `alias/…` or an ARN, found `awskms:{}`",
                    rest.escape_debug()
                ),
            )
        })
}

/// The region that an ARN names: `arn:aws:kms:REGION:ACCOUNT:key/ID`.
fn region_of(key: &str) -> Option<&str> {
    key.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

pub(crate) fn refusal<E>(name: &str, error: &SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let Some(told) = error.as_service_error() else {
        let mut why = String::new();
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            why = format!("{why}: {error}");
            cause = error.source();
        }
        return unreachable(name, &format!("could not be asked{why}"));
    };
    let code = told.code().unwrap_or("no code");
    let why = format!("answered `{}`: `{}`", code.escape_debug(), told.message().unwrap_or_default().escape_debug());
    let refused = failed(name, &why).with("code", code.escape_debug());
    if code == "NotFoundException" {
        return Error::new(ErrorKind::NotFound, format!("{name} is not there; check its id and region"))
            .caused_by(refused);
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_those_of_cosign() {
        for (reference, endpoint, key, region) in [
            ("///1234abcd-12ab-34cd-56ef-1234567890ab", "", "1234abcd-12ab-34cd-56ef-1234567890ab", None),
            ("///alias/ExampleAlias", "", "alias/ExampleAlias", None),
            ("//localhost:4566/alias/x", "localhost:4566", "alias/x", None),
            (
                "///arn:aws:kms:us-east-2:111122223333:key/1234abcd",
                "",
                "arn:aws:kms:us-east-2:111122223333:key/1234abcd",
                Some("us-east-2"),
            ),
        ] {
            assert_eq!(parse(reference).unwrap(), (endpoint, key));
            assert_eq!(region_of(key), region);
        }
        for bad in ["", "/", "//", "//host", "//host/", "alias/x", "//user@host/alias/x", "///a b", "//ho st/a"] {
            assert_eq!(parse(bad).unwrap_err().code(), "MALFORMED", "{bad}");
        }
    }
}
