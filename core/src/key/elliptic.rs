//! Private keys on NIST curves: their scalar, and its encodings in SEC1 and PKCS#8.

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair};
use pkcs8::ObjectIdentifier;
use pkcs8::der::asn1::{BitStringRef, OctetStringRef};
use pkcs8::der::{self, Decode, Reader, SliceReader, TagMode, TagNumber};
use zeroize::Zeroizing;

use super::private::damaged;
use super::{KeyType, PublicKey};
use crate::error::Result;

/// A private key that was checked: usable, and in its one PKCS#8 form.
pub(super) struct Elliptic {
    pub(super) pair: EcdsaKeyPair,
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
    pub(super) public: PublicKey,
}

/// A SEC1 `ECPrivateKey` (RFC 5915 section 3).
pub(super) struct Sec1<'a> {
    scalar: &'a [u8],
    pub(super) curve: Option<ObjectIdentifier>,
    point: Option<BitStringRef<'a>>,
}

impl<'a> Sec1<'a> {
    pub(super) fn parse(der: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let parsed = reader.sequence(|fields| {
            let version = u8::decode(fields)?;
            if version != 1 {
                return Err(der::Tag::Integer.value_error().into());
            }
            let scalar = <&OctetStringRef>::decode(fields)?.as_bytes();
            let curve = fields.context_specific(TagNumber(0), TagMode::Explicit)?;
            let point = fields.context_specific(TagNumber(1), TagMode::Explicit)?;
            Ok::<_, der::Error>(Self { scalar, curve, point })
        })?;
        reader.finish()?;
        Ok(parsed)
    }

    /// The key of this scalar, if it is one of the curve, and if the public half beside it is its own.
    pub(super) fn into_key(self, key_type: KeyType) -> Result<Elliptic> {
        let key = of_scalar(key_type, self.scalar)?;
        match self.point.map(|point| point.as_bytes()) {
            Some(point) if point != Some(key.public.raw()) => Err(damaged("halves differ")),
            _ => Ok(key),
        }
    }
}

/// The key of a big-endian scalar of the curve's length. It fails for zero and for numbers over the group's order.
pub(super) fn of_scalar(key_type: KeyType, scalar: &[u8]) -> Result<Elliptic> {
    let (agreement, signing) = match key_type {
        KeyType::P384 => (&ECDH_P384, &ECDSA_P384_SHA384_ASN1_SIGNING),
        _ => (&ECDH_P256, &ECDSA_P256_SHA256_ASN1_SIGNING),
    };
    let point = agreement::PrivateKey::from_private_key(agreement, scalar)
        .map_err(damaged)?
        .compute_public_key()
        .map_err(damaged)?;
    let public = PublicKey::from_raw(key_type, point.as_ref())?;
    let pair = EcdsaKeyPair::from_private_key_and_public_key(signing, scalar, public.raw()).map_err(damaged)?;
    let (head, middle) = pkcs8_parts(key_type);
    let pkcs8 = Zeroizing::new([head, scalar, middle, public.raw()].concat());
    Ok(Elliptic { pair, pkcs8, public })
}

/// Bytes of the scalar.
pub(super) fn scalar_length(key_type: KeyType) -> usize {
    if key_type == KeyType::P384 { 48 } else { 32 }
}

/// PKCS#8 (RFC 5958) before the scalar, and between it and the public point.
fn pkcs8_parts(key_type: KeyType) -> (&'static [u8], &'static [u8]) {
    match key_type {
        KeyType::P384 => (
            b"\x30\x81\xb6\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\
              \x04\x81\x9e\x30\x81\x9b\x02\x01\x01\x04\x30",
            b"\xa1\x64\x03\x62\x00",
        ),
        _ => (
            b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\
              \x04\x6d\x30\x6b\x02\x01\x01\x04\x20",
            b"\xa1\x44\x03\x42\x00",
        ),
    }
}
