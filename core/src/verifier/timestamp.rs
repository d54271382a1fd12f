//! RFC 3161 timestamps over a signature.
//!
//! The authority's certificate is in the trusted root, so nothing in a token is believed but what that certificate's key
//! signed: neither the certificates it brings nor its status.

use der::Decode;
use der::asn1::ObjectIdentifier;

use super::verified::Timestamped;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;
use crate::trust::tlv::{INTEGER, OCTETS, SEQUENCE, SET, expect, next, only, optional, time};
use crate::trust::{TimestampAuthority, TrustRoot};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// Whether and when a believed authority saw `signature`; none if the token is of an authority that is not believed.
pub(crate) fn check(token: &[u8], signature: &[u8], trust: &TrustRoot) -> Result<Option<Timestamped>> {
    let token = Token::read(token)
        .ok_or_else(|| bad("is no granted RFC 3161 timestamp with one signer", "give it as its authority answered"))?;
    let mut candidates = trust.sigstore().timestamp_authorities.iter().filter(|a| token.names(a)).peekable();
    if candidates.peek().is_none() {
        return Ok(None);
    }
    if !token.imprint.holds_for(signature) {
        return Err(bad("is over something else than the signature", "get the bundle again"));
    }
    let mut window = None;
    for authority in candidates.filter(|a| token.is_signed_by(a)) {
        if authority.is_chained() && authority.window().contains(token.at) {
            return Ok(Some(Timestamped { authority: authority.name.clone(), at: token.at }));
        }
        window = Some(authority.window());
    }
    Err(match window {
        None => bad("is not signed by the authority it names", "get the bundle again"),
        Some(window) => bad("was given when its authority did not count", "check the authority in the trusted root")
            .with("expected", window)
            .with("found", token.at),
    })
}

/// That it is of nobody who is believed.
pub(crate) fn unknown() -> Error {
    bad("is of no believed authority", "if the authority is right, give the trusted root that holds it")
}

fn bad(what: &str, next: &str) -> Error {
    Error::new(ErrorKind::BadTimestamp, format!("a timestamp of the record {what}; {next}"))
}

/// What counts of a TimeStampResp, or of the TimeStampToken in it. Unauthenticated until its signature is checked.
struct Token<'a> {
    at: Timestamp,
    imprint: Imprint<'a>,
    signer: Signer<'a>,
    digest: Algorithm,
    /// The signed attributes as a SET, which is what the signature is over.
    attributes: Vec<u8>,
    signature: &'a [u8],
}

struct Imprint<'a> {
    algorithm: Algorithm,
    digest: &'a [u8],
}

enum Signer<'a> {
    IssuerAndSerial(&'a [u8], &'a [u8]),
    KeyId(&'a [u8]),
}

impl<'a> Token<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut outer = only(bytes, SEQUENCE)?;
        // a TimeStampResp begins with its status, a TimeStampToken with its type
        let mut content = if outer.first() == Some(&SEQUENCE) {
            let mut status = expect(&mut outer, SEQUENCE)?;
            // 0 is granted, 1 is granted with modifications
            expect(&mut status, INTEGER).filter(|s| matches!(s, [0 | 1]))?;
            only(outer, SEQUENCE)?
        } else {
            outer
        };
        (oid(&mut content)? == SIGNED_DATA).then_some(())?;
        let mut data = only(only(content, 0xa0)?, SEQUENCE)?;
        expect(&mut data, INTEGER)?;
        expect(&mut data, SET)?;
        let mut encapsulated = expect(&mut data, SEQUENCE)?;
        (oid(&mut encapsulated)? == TST_INFO).then_some(())?;
        let info = only(only(encapsulated, 0xa0)?, OCTETS)?;
        optional(&mut data, 0xa0); // certificates
        optional(&mut data, 0xa1); // revocation lists
        let mut signer = only(only(data, SET)?, SEQUENCE)?;
        expect(&mut signer, INTEGER)?;
        let sid = next(&mut signer)?;
        let sid = match sid.tag {
            SEQUENCE => {
                let mut parts = sid.content;
                let issuer = next(&mut parts)?.whole;
                Signer::IssuerAndSerial(issuer, only(parts, INTEGER)?)
            }
            0x80 => Signer::KeyId(sid.content),
            _ => return None,
        };
        let digest = algorithm(&mut signer)?;
        let attributes = optional(&mut signer, 0xa0)?;
        expect(&mut signer, SEQUENCE)?;
        let signature = expect(&mut signer, OCTETS)?;
        binds(attributes.content, digest, info)?;
        let mut whole = attributes.whole.to_vec();
        *whole.first_mut()? = SET;
        let mut info = only(info, SEQUENCE)?;
        (expect(&mut info, INTEGER)? == [1]).then_some(())?;
        oid(&mut info)?;
        let mut imprint = expect(&mut info, SEQUENCE)?;
        let imprint = Imprint { algorithm: algorithm(&mut imprint)?, digest: only(imprint, OCTETS)? };
        expect(&mut info, INTEGER)?;
        let at = time(next(&mut info).filter(|t| t.tag == 0x18)?)?;
        Some(Self { at, imprint, signer: sid, digest, attributes: whole, signature })
    }

    /// Whether it says that it is of this authority.
    fn names(&self, authority: &TimestampAuthority) -> bool {
        match self.signer {
            Signer::IssuerAndSerial(issuer, serial) => authority.issuer == issuer && authority.serial == serial,
            Signer::KeyId(id) => authority.key_id.as_deref() == Some(id),
        }
    }

    fn is_signed_by(&self, authority: &TimestampAuthority) -> bool {
        authority.key.verifies_with(self.digest, &self.attributes, self.signature)
    }
}

impl Imprint<'_> {
    fn holds_for(&self, message: &[u8]) -> bool {
        Digest::of_bytes(self.algorithm, message).is_ok_and(|d| d.bytes() == self.digest)
    }
}

/// Whether the signed attributes are of a TSTInfo with this content, each said once.
fn binds(mut attributes: &[u8], digest: Algorithm, info: &[u8]) -> Option<()> {
    let (mut of_type, mut of_content) = (None, None);
    while !attributes.is_empty() {
        let mut attribute = expect(&mut attributes, SEQUENCE)?;
        let (kind, value) = (oid(&mut attribute)?, only(attribute, SET)?);
        match kind {
            CONTENT_TYPE if of_type.is_none() => of_type = Some(ObjectIdentifier::from_der(value).ok()?),
            MESSAGE_DIGEST if of_content.is_none() => of_content = Some(only(value, OCTETS)?),
            CONTENT_TYPE | MESSAGE_DIGEST => return None,
            _ => {}
        }
    }
    let expected = Digest::of_bytes(digest, info).ok()?;
    (of_type == Some(TST_INFO) && of_content == Some(expected.bytes())).then_some(())
}

fn oid(input: &mut &[u8]) -> Option<ObjectIdentifier> {
    ObjectIdentifier::from_der(next(input)?.whole).ok()
}

/// The digest algorithm of an AlgorithmIdentifier.
fn algorithm(input: &mut &[u8]) -> Option<Algorithm> {
    let mut identifier = expect(input, SEQUENCE)?;
    match oid(&mut identifier)? {
        SHA256 => Some(Algorithm::Sha256),
        SHA384 => Some(Algorithm::Sha384),
        SHA512 => Some(Algorithm::Sha512),
        _ => None,
    }
}
