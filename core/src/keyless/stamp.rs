//! RFC 3161 timestamps: somebody else's word for when a signature existed.

use der::asn1::OctetString;
use der::{Encode as _, Sequence};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::http::{block_on, client, send, service_url};
use super::services::TSA;
use crate::bundle::{Bundle, Content};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::trust::TrustRoot;
use crate::verifier::timestamp::{check, unknown};

/// `TimeStampReq` (RFC 3161, section 2.4.1). Without a nonce: it keeps an old answer from being taken for a new one, and
/// an old timestamp over the very same signature says nothing that is not true.
#[derive(Sequence)]
struct Request {
    version: u8,
    imprint: Imprint,
    /// The answer is to hold the certificate of its signer, so that it can be verified when nobody asks for it any more.
    certificate: bool,
}

#[derive(Sequence)]
struct Imprint {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

/// Has the time of `signature` signed; gives the answer in DER, not verified.
pub(super) async fn stamp(client: &Client, authority: &Url, signature: &[u8]) -> Result<Vec<u8>> {
    let request = client.post(authority.clone()).header(CONTENT_TYPE, "application/timestamp-query").body(
        query(signature).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("the timestamp query could not be written: {e}")).caused_by(e)
        })?,
    );
    Ok(send(TSA, request, "").await?.to_vec())
}

/// Adds a timestamp of the RFC 3161 authority at `url` to a signed `record`. A bare envelope becomes a Sigstore bundle.
///
/// # Errors
/// `MALFORMED` for what is no record or no address; `UNSUPPORTED` for an envelope with several signatures;
/// `SIGNER_FAILED` if the authority refuses, `SERVICE_UNAVAILABLE` if it can't be reached; `BAD_TIMESTAMP` if no
/// authority that `trust` believes made what came back.
pub fn timestamp(record: &[u8], url: &str, trust: &TrustRoot) -> Result<Vec<u8>> {
    let url = service_url(TSA, url)?;
    let bundle = Bundle::parse(record)?;
    let signature = match bundle.content() {
        Content::Message(message) => &message.signature,
        Content::Envelope(envelope) => match envelope.signatures() {
            [one] => &one.sig,
            several => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "a timestamp is over one signature, and the record has {}; give one with one",
                        several.len()
                    ),
                ));
            }
        },
    };
    let response = block_on(async { stamp(&client()?, &url, signature).await })?;
    check(&response, signature, trust)?.ok_or_else(unknown)?;
    Ok(bundle.with_timestamp(response).to_json())
}

/// Has the RFC 3161 authority at `url` sign the time of `bytes`, such as the note of a checkpoint; gives its answer in DER,
/// not verified.
///
/// # Errors
/// `MALFORMED` for what is no address, `SIGNER_FAILED` if the authority refuses, `SERVICE_UNAVAILABLE` if it can't be
/// reached.
pub fn timestamp_of_bytes(bytes: &[u8], url: &str) -> Result<Vec<u8>> {
    let url = service_url(TSA, url)?;
    block_on(async { stamp(&client()?, &url, bytes).await })
}

fn query(signature: &[u8]) -> der::Result<Vec<u8>> {
    let algorithm = AlgorithmIdentifierOwned { oid: der::oid::db::rfc5912::ID_SHA_256, parameters: None };
    let digest = OctetString::new(Digest::sha256(signature).bytes())?;
    Request { version: 1, imprint: Imprint { algorithm, digest }, certificate: true }.to_der()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_that_of_rfc_3161() {
        // as `openssl ts -query -sha256 -no_nonce -cert` writes it, but for the NULL after the algorithm
        let expected = "3037020101302f300b06096086480165030402010420\
                        ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0101ff";
        assert_eq!(hex::encode(query(b"abc").unwrap()), expected.replace(' ', ""));
    }
}
