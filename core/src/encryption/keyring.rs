//! The keyring of a ledger: the keys that wrap data keys, and the tag key, all under one root.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::header::decoded;
use super::{DataKey, Header, KEY_LEN, Key, KeyEncryptionKey, TagKey, new_key, unwrap, unwrap_key, wrap, wrong_key};
use crate::error::{Error, ErrorKind, Result};
use crate::random;
use crate::{json, limits};

const FORMAT: &str = "sealwright-keyring/v1";

/// The keys of a ledger, opened. The root lies under the key-encryption key; all others lie under the root.
pub struct Keyring {
    origin: String,
    /// Which key-encryption key the root is under.
    kek: String,
    sealed_root: Vec<u8>,
    root: Key,
    tag: Key,
    tag_key: Arc<TagKey>,
    /// Keys that wrap data keys, the newest last; more than one only while a rotation is under way.
    keys: Vec<(String, Key)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: String,
    kek: String,
    root: String,
    tag: String,
    keys: Vec<WrappingKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrappingKey {
    id: String,
    key: String,
}

impl Keyring {
    /// New keys for a new ledger of this origin.
    ///
    /// # Errors
    /// Those of [`KeyEncryptionKey::encrypt`].
    pub(crate) fn generate(origin: &str, kek: &dyn KeyEncryptionKey) -> Result<Self> {
        let keys = vec![(new_id()?, new_key()?)];
        Self::under(origin, kek, new_key()?, keys)
    }

    /// Opens the keyring of the ledger of this origin.
    ///
    /// # Errors
    /// `WRONG_KEY` if another key-encryption key is needed, `LEDGER_TAMPERED` if it is not as it was written, and those
    /// of [`KeyEncryptionKey::decrypt`] and [`Keyring::check`].
    pub fn open(bytes: &[u8], origin: &str, kek: &dyn KeyEncryptionKey) -> Result<Self> {
        let wire = read(bytes)?;
        let sealed_root = decoded("root key", &wire.root)?;
        let opened = kek.decrypt(&sealed_root, origin).map_err(|e| match e.kind() {
            ErrorKind::WrongKey if wire.kek == kek.id() => tampered().caused_by(e),
            // services differ in how they refuse what another key of theirs encrypted
            ErrorKind::WrongKey | ErrorKind::SignerFailed if wire.kek != kek.id() => wrong_key(&format!(
                "the ledger is encrypted under the key `{}`, and `{}` was given",
                wire.kek.escape_debug(),
                kek.id().escape_debug()
            ))
            .with("expected", &wire.kek)
            .with("found", kek.id())
            .caused_by(e),
            _ => e,
        })?;
        let root = <[u8; KEY_LEN]>::try_from(opened.as_slice()).map(Zeroizing::new).map_err(|_| tampered())?;
        let tag = unwrap_key(&root[..], &decoded("tag key", &wire.tag)?, &bound(origin, "tag", &wire.kek))?;
        let tag = tag.ok_or_else(tampered)?;
        let mut keys = Vec::new();
        for WrappingKey { id, key } in wire.keys {
            let opened = unwrap_key(&root[..], &decoded("key", &key)?, &bound(origin, "key", &id))?;
            keys.push((id, opened.ok_or_else(tampered)?));
        }
        let tag_key = Arc::new(TagKey::new(&tag));
        Ok(Self { origin: origin.to_owned(), kek: wire.kek, sealed_root, root, tag, tag_key, keys })
    }

    /// Checks that bytes have the form of a keyring; needs no key.
    ///
    /// # Errors
    /// `MALFORMED`, `UNSUPPORTED` for another version, `LIMIT_EXCEEDED`.
    pub fn check(bytes: &[u8]) -> Result<()> {
        read(bytes).map(drop)
    }

    /// Ids of the keys in it that wrap headers; needs no key.
    ///
    /// # Errors
    /// As [`Keyring::check`].
    pub(crate) fn ids(bytes: &[u8]) -> Result<std::collections::BTreeSet<String>> {
        Ok(read(bytes)?.keys.into_iter().map(|key| key.id).collect())
    }

    /// The bytes of its file: RFC 8785 JSON.
    ///
    /// # Errors
    /// `INTERNAL` if it can't be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let keys = self.keys.iter().map(|(id, key)| {
            let key = STANDARD.encode(wrap(&self.root[..], &key[..], &bound(&self.origin, "key", id))?);
            Ok(WrappingKey { id: id.clone(), key })
        });
        let wire = Wire {
            v: FORMAT.to_owned(),
            kek: self.kek.clone(),
            root: STANDARD.encode(&self.sealed_root),
            tag: STANDARD.encode(wrap(&self.root[..], &self.tag[..], &bound(&self.origin, "tag", &self.kek))?),
            keys: keys.collect::<Result<_>>()?,
        };
        json::canonical("keyring", &wire)
    }

    /// Name of the key-encryption key it is under.
    pub fn kek(&self) -> &str {
        &self.kek
    }

    /// Id of the key that wraps new data keys.
    pub fn newest(&self) -> &str {
        self.keys.last().map(|(id, _)| id.as_str()).unwrap_or_default()
    }

    /// Whether these bytes are this keyring as it was written: the same root and the same keys.
    ///
    /// Fails as [`Keyring::check`].
    pub(crate) fn is_of(&self, bytes: &[u8]) -> Result<bool> {
        let wire = read(bytes)?;
        let same_keys = wire.keys.iter().map(|k| k.id.as_str()).eq(self.keys.iter().map(|(id, _)| id.as_str()));
        Ok(same_keys && decoded("root key", &wire.root)? == self.sealed_root)
    }

    /// Whether headers may still lie under older keys.
    pub fn is_rotating(&self) -> bool {
        self.keys.len() > 1
    }

    pub(crate) fn tag_key(&self) -> &Arc<TagKey> {
        &self.tag_key
    }

    /// The header of the object that `context` names: its data key, and a note that only this keyring reads.
    pub(crate) fn new_header(&self, key: &DataKey, context: &[u8], note: &[u8]) -> Result<Header> {
        self.wrapped(&Zeroizing::new([&key.0[..], note].concat()), context)
    }

    /// Data key and note of a header.
    pub(crate) fn open_header(&self, header: &Header, context: &[u8]) -> Result<(DataKey, Vec<u8>)> {
        let secret = self.opened(header, context)?;
        let (key, note) = secret.split_first_chunk::<KEY_LEN>().ok_or_else(tampered_header)?;
        Ok((DataKey(Zeroizing::new(*key)), note.to_vec()))
    }

    fn opened(&self, header: &Header, context: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (id, by) = self.keys.iter().find(|(id, _)| *id == header.wrapped_by).ok_or_else(|| {
            wrong_key(&format!(
                "a header is wrapped by the key `{}`, which this keyring does not have: the keys of the ledger were \
                 rotated since it was opened, or the header is another's",
                header.wrapped_by.escape_debug()
            ))
        })?;
        unwrap(&by[..], &header.wrapped, &self.object(id, context))?.ok_or_else(tampered_header)
    }

    /// The header under the newest key; none if it is already.
    pub(crate) fn rewrap(&self, header: &Header, context: &[u8]) -> Result<Option<Header>> {
        if header.wrapped_by == self.newest() {
            return Ok(None);
        }
        self.wrapped(&self.opened(header, context)?, context).map(Some)
    }

    /// The same keys and one more, which wraps from now on, all under a new root and `kek`.
    pub(crate) fn rotated(&self, kek: &dyn KeyEncryptionKey) -> Result<Self> {
        if self.keys.len() >= limits::KEYRING_KEYS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                "too many rotations of this ledger were cut short; let one come to its end",
            ));
        }
        let mut keys = self.keys.clone();
        keys.push((new_id()?, new_key()?));
        Self::under(&self.origin, kek, self.tag.clone(), keys)
    }

    /// Without the keys that wrap no header any more.
    pub(crate) fn settled(&self) -> Self {
        Self {
            origin: self.origin.clone(),
            kek: self.kek.clone(),
            sealed_root: self.sealed_root.clone(),
            root: self.root.clone(),
            tag: self.tag.clone(),
            tag_key: Arc::clone(&self.tag_key),
            keys: self.keys.last().cloned().into_iter().collect(),
        }
    }

    fn under(origin: &str, kek: &dyn KeyEncryptionKey, tag: Key, keys: Vec<(String, Key)>) -> Result<Self> {
        let root = new_key()?;
        let sealed_root = kek.encrypt(&root[..], origin)?;
        // a key that cannot open what it encrypted would lose the ledger
        if *kek.decrypt(&sealed_root, origin)? != root[..] {
            return Err(Error::new(
                ErrorKind::SignerFailed,
                format!("the key `{}` does not open what it encrypts; look after it", kek.id()),
            ));
        }
        let tag_key = Arc::new(TagKey::new(&tag));
        Ok(Self { origin: origin.to_owned(), kek: kek.id().to_owned(), sealed_root, root, tag, tag_key, keys })
    }

    fn wrapped(&self, secret: &[u8], context: &[u8]) -> Result<Header> {
        let (id, by) =
            self.keys.last().ok_or_else(|| Error::new(ErrorKind::Internal, "the keyring is empty; report it"))?;
        Ok(Header { wrapped_by: id.clone(), wrapped: wrap(&by[..], secret, &self.object(id, context))? })
    }

    /// What a wrapped data key is bound to, so that it is of no use elsewhere.
    fn object(&self, id: &str, context: &[u8]) -> Vec<u8> {
        [&bound(&self.origin, "object", id)[..], &[0], context].concat()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("kek", &self.kek).field("newest", &self.newest()).finish_non_exhaustive()
    }
}

fn read(bytes: &[u8]) -> Result<Wire> {
    if bytes.len() > limits::KEYRING_FILE_BYTES {
        return Err(Error::new(ErrorKind::LimitExceeded, "the keyring is too long to be one"));
    }
    let wire: Wire = json::parse("keyring", bytes)?;
    if wire.v != FORMAT {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("a keyring of format `{}`, expected `{FORMAT}`; use a newer version", wire.v.escape_debug()),
        ));
    }
    let ids: std::collections::BTreeSet<_> = wire.keys.iter().map(|k| &k.id).collect();
    if wire.keys.is_empty() || ids.len() != wire.keys.len() || wire.keys.len() > limits::KEYRING_KEYS {
        return Err(Error::new(ErrorKind::Malformed, "the keyring has no key, too many, or one twice"));
    }
    if json::canonical("keyring", &wire)? != bytes {
        return Err(Error::new(ErrorKind::Malformed, "the keyring is not written canonically"));
    }
    Ok(wire)
}

/// What a wrapped key of the keyring is bound to.
fn bound(origin: &str, what: &str, id: &str) -> Vec<u8> {
    [FORMAT, origin, what, id].join("\0").into_bytes()
}

fn new_id() -> Result<String> {
    let mut id = [0; 8];
    random::fill(&mut id)?;
    Ok(hex::encode(id))
}

fn tampered_header() -> Error {
    Error::new(
        ErrorKind::LedgerTampered,
        "the header of what was encrypted is not as it was written, or is another's; restore it from a copy",
    )
}

fn tampered() -> Error {
    Error::new(
        ErrorKind::LedgerTampered,
        "the keyring of the ledger is not as it was written, or is another ledger's; restore it from a copy",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encryption::KeyFile;

    const ORIGIN: &str = "example.org/log";

    #[test]
    fn a_keyring_opens_with_its_own_key_and_no_other() {
        let (kek, other) = (KeyFile::generate().unwrap(), KeyFile::generate().unwrap());
        let ring = Keyring::generate(ORIGIN, &kek).unwrap();
        let bytes = ring.to_bytes().unwrap();
        let again = Keyring::open(&bytes, ORIGIN, &kek).unwrap();
        assert_eq!(again.tag_key().label("a", "b"), ring.tag_key().label("a", "b"));
        let wrong = Keyring::open(&bytes, ORIGIN, &other).unwrap_err();
        assert_eq!(wrong.code(), "WRONG_KEY");
        assert!(wrong.message().contains(kek.id()) && wrong.message().contains(other.id()), "{wrong}");
        // the right key, and a keyring that is another ledger's or was changed
        assert_eq!(Keyring::open(&bytes, "example.org/other", &kek).unwrap_err().code(), "LEDGER_TAMPERED");
        let text = String::from_utf8(bytes.clone()).unwrap();
        let renamed = text.replace(ring.newest(), "0123456789abcdef");
        assert_eq!(Keyring::open(renamed.as_bytes(), ORIGIN, &kek).unwrap_err().code(), "LEDGER_TAMPERED");
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(Keyring::open(&changed, ORIGIN, &kek).is_err(), "a changed byte {place} opens");
        }
        let shown = format!("{ring:?}");
        assert!(!shown.contains(&STANDARD.encode(&ring.root[..])) && shown.len() < 100, "{shown}");
    }

    #[test]
    fn a_rotation_keeps_what_headers_open_and_drops_the_older_keys_at_its_end() {
        let (old, new) = (KeyFile::generate().unwrap(), KeyFile::generate().unwrap());
        let ring = Keyring::generate(ORIGIN, &old).unwrap();
        let key = DataKey::generate().unwrap();
        let header = ring.new_header(&key, b"body\x007", b"note").unwrap();
        let opened = |ring: &Keyring, header: &Header| ring.open_header(header, b"body\x007").map(|(k, n)| (*k.0, n));
        let expected = (*key.0, b"note".to_vec());
        let between = ring.rotated(&new).unwrap();
        assert!(between.is_rotating() && between.kek() == new.id());
        let between = Keyring::open(&between.to_bytes().unwrap(), ORIGIN, &new).unwrap();
        assert_eq!(opened(&between, &header).unwrap(), expected);
        let rewrapped = between.rewrap(&header, b"body\x007").unwrap().unwrap();
        assert_eq!(between.rewrap(&rewrapped, b"body\x007").unwrap(), None);
        let after = between.settled();
        assert_eq!(opened(&after, &rewrapped).unwrap(), expected);
        assert_eq!(opened(&after, &header).unwrap_err().code(), "WRONG_KEY");
        assert_eq!(after.open_header(&rewrapped, b"body\x008").err().unwrap().code(), "LEDGER_TAMPERED");
        assert_eq!(after.tag_key().label("a", "b"), ring.tag_key().label("a", "b"), "entries stay what they are");
        assert_eq!(Keyring::open(&after.to_bytes().unwrap(), ORIGIN, &old).unwrap_err().code(), "WRONG_KEY");
    }
}
