//! Keys on PKCS#11 tokens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as TokenError, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use pkcs8::der::asn1::{OctetStringRef, UintRef};
use pkcs8::der::{Decode as _, Encode as _};
use zeroize::Zeroizing;

use super::external::{checked, failed, require_ecdsa};
use super::pkcs11_uri::Pin;
use super::{Pkcs11Uri, Signer};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PublicKey};
use crate::limits;

/// Asks for the PIN of the token with this label.
pub(crate) type AskPin<'a> = &'a dyn Fn(&str) -> Result<Option<Zeroizing<String>>>;

/// Signs with a key on a token, in a session that is closed when the signer is dropped; the last one closed logs out.
pub(super) struct Pkcs11Signer {
    // one thread at a time may use a session (PKCS#11 v3.1 section 6.7.6)
    session: Mutex<Session>,
    private: ObjectHandle,
    public: PublicKey,
    /// The URI, without its PIN.
    name: String,
}

/// Loaded modules, kept until the process ends: a module is initialised once for a whole process, and whoever finalises
/// it ends the sessions of everybody else, too.
static MODULES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

impl Pkcs11Signer {
    pub(super) fn open(uri: &Pkcs11Uri, ask: AskPin<'_>, public: Option<&PublicKey>) -> Result<Self> {
        let name = format!("the token key `{uri}`");
        let session = session(uri, ask, &name)?;
        let private = find_key(&session, uri, ObjectClass::PRIVATE_KEY, &name)?;
        let public = match public {
            Some(given) => given.clone(),
            None => public_half(&session, private, &name)?,
        };
        require_ecdsa(&name, &public)?;
        Ok(Self { session: Mutex::new(session), private, public, name })
    }
}

impl Signer for Pkcs11Signer {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>> {
        if self.public.key_type().prehash() != Some(digest.algorithm()) {
            let found = digest.algorithm().name();
            let why =
                format!("a key of type {} does not sign {found} digests; hash with its own", self.public.key_type());
            return Err(Error::new(ErrorKind::ApiMisuse, why));
        }
        // CKM_ECDSA takes the digest as it is; tokens differ in which of the hashing mechanisms they have
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let fixed = session
            .sign(&Mechanism::Ecdsa, self.private, digest.bytes())
            .map_err(|e| failed(&self.name, &format!("could not sign: {e}")))?;
        drop(session);
        let signature = asn1(&fixed).ok_or_else(|| failed(&self.name, "answered with something else than r and s"))?;
        checked(&self.name, &self.public, digest, signature)
    }
}

/// A session with the token, logged in where it asks for that; `name` names the key in errors.
pub(crate) fn session(uri: &Pkcs11Uri, ask: AskPin<'_>, name: &str) -> Result<Session> {
    let refused = |what: &'static str| move |e: TokenError| failed(name, &format!("could not {what}: {e}"));
    let module = uri.module_path.as_deref().filter(|path| path.is_absolute()).ok_or_else(|| {
        Error::new(
            ErrorKind::ApiMisuse,
            format!("nothing says which module opens {name}; add `?module-path=` with the whole path of the library"),
        )
    })?;
    let context = loaded(module)?;
    let (slot, token) = find_token(&context, uri, name)?;
    let session = context.open_ro_session(slot).map_err(refused("open a session"))?;
    if token.login_required() {
        let pin = pin(uri, &token, ask)?;
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(TokenError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(TokenError::Pkcs11(RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid, _)) => {
                return Err(Error::new(
                    ErrorKind::WrongPassphrase,
                    format!("the PIN does not open {name}; check it before the token locks itself"),
                ));
            }
            Err(e) => return Err(refused("log in")(e)),
        }
    }
    Ok(session)
}

fn loaded(module: &Path) -> Result<Pkcs11> {
    let unusable = |e: TokenError| {
        Error::new(
            ErrorKind::SignerFailed,
            format!("could not use the PKCS#11 module `{}`: {e}; check that it is one", module.display()),
        )
    };
    if !module.exists() {
        let missing = format!("there is no PKCS#11 module `{}`; check `module-path`", module.display());
        return Err(Error::new(ErrorKind::NotFound, missing));
    }
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(context) = modules.get(module) {
        return Ok(context.clone());
    }
    let context = Pkcs11::new(module).map_err(unusable)?;
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // another user of the module in this process was here first
        Ok(()) | Err(TokenError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(e) => return Err(unusable(e)),
    }
    modules.insert(module.to_path_buf(), context.clone());
    Ok(context)
}

fn find_token(context: &Pkcs11, uri: &Pkcs11Uri, name: &str) -> Result<(Slot, TokenInfo)> {
    let unreadable = |e: TokenError| failed(name, &format!("could not be looked for: {e}"));
    let mut found = Vec::new();
    for slot in context.get_slots_with_initialized_token().map_err(unreadable)? {
        // a token that was taken out meanwhile is none of those that are there
        let Ok(token) = context.get_token_info(slot) else { continue };
        let is = |demanded: &Option<String>, found: &str| demanded.as_deref().is_none_or(|demanded| demanded == found);
        if is(&uri.token, token.label())
            && is(&uri.manufacturer, token.manufacturer_id())
            && is(&uri.serial, token.serial_number())
            && is(&uri.model, token.model())
            && uri.slot_id.is_none_or(|id| id == slot.id())
        {
            found.push((slot, token));
        }
    }
    only(found, "token", name)
}

/// The one key of this class that the URI names.
pub(crate) fn find_key(session: &Session, uri: &Pkcs11Uri, class: ObjectClass, name: &str) -> Result<ObjectHandle> {
    let what = if class == ObjectClass::PRIVATE_KEY { "private key" } else { "secret key" };
    let mut template = vec![Attribute::Class(class)];
    template.extend(uri.object.as_ref().map(|label| Attribute::Label(label.clone().into_bytes())));
    template.extend(uri.id.as_ref().map(|id| Attribute::Id(id.clone())));
    let found = session.find_objects(&template).map_err(|e| failed(name, &format!("could not be looked for: {e}")))?;
    only(found, what, name)
}

/// The one thing that was found: a signer is never chosen by chance.
fn only<T>(mut found: Vec<T>, what: &str, name: &str) -> Result<T> {
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(Error::new(ErrorKind::NotFound, format!("no {what} is there for {name}; check its names"))),
        (Some(_), false) => Err(Error::new(
            ErrorKind::ApiMisuse,
            format!("more than one {what} is there for {name}; say more of it, such as `serial` or `id`"),
        )),
    }
}

fn pin(uri: &Pkcs11Uri, token: &TokenInfo, ask: AskPin<'_>) -> Result<AuthPin> {
    let pin = match &uri.pin {
        Pin::Value(pin) => Some(pin.clone()),
        Pin::File(path) => {
            let bytes = Zeroizing::new(limits::read_file("PIN file", path, limits::KEY_BYTES)?);
            let text = std::str::from_utf8(&bytes)
                .map_err(|_| Error::new(ErrorKind::Malformed, "the PIN file is not UTF-8; write the PIN as text"))?;
            Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        Pin::Unknown => ask(token.label())?,
    };
    let pin = pin.ok_or_else(|| {
        Error::new(
            ErrorKind::WrongPassphrase,
            format!("the token `{}` needs a PIN and none was given; add `pin-source`", token.label().escape_debug()),
        )
    })?;
    Ok(AuthPin::from(pin.as_str()))
}

/// The public key beside the private one: with the same id and label.
fn public_half(session: &Session, private: ObjectHandle, name: &str) -> Result<PublicKey> {
    let unreadable = |e: TokenError| failed(name, &format!("could not tell its public half: {e}"));
    let mut template = vec![Attribute::Class(ObjectClass::PUBLIC_KEY)];
    for attribute in session.get_attributes(private, &[AttributeType::Id, AttributeType::Label]).map_err(unreadable)? {
        let empty = matches!(&attribute, Attribute::Id(bytes) | Attribute::Label(bytes) if bytes.is_empty());
        if !empty {
            template.push(attribute);
        }
    }
    let public = only(session.find_objects(&template).map_err(unreadable)?, "public key", name)?;
    let wanted = [AttributeType::EcParams, AttributeType::EcPoint];
    let (mut curve, mut point) = (Vec::new(), Vec::new());
    for attribute in session.get_attributes(public, &wanted).map_err(unreadable)? {
        match attribute {
            Attribute::EcParams(bytes) => curve = bytes,
            Attribute::EcPoint(bytes) => point = bytes,
            _ => {}
        }
    }
    let key_type = match curve.as_slice() {
        b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" => KeyType::P256,
        b"\x06\x05\x2b\x81\x04\x00\x22" => KeyType::P384,
        _ => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("expected a key of type p256 or p384, found another at {name}; make one of these"),
            ));
        }
    };
    // some tokens leave out the OCTET STRING around the point
    let raw = <&OctetStringRef>::from_der(&point).map_or(point.as_slice(), |inner| inner.as_bytes());
    PublicKey::from_raw(key_type, raw).map_err(|e| e.while_doing(name))
}

/// `r ‖ s` as `ECDSA-Sig-Value` (RFC 3279 section 2.2.3).
fn asn1(fixed: &[u8]) -> Option<Vec<u8>> {
    if fixed.is_empty() || !fixed.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = fixed.split_at_checked(fixed.len() / 2)?;
    [UintRef::new(r).ok()?, UintRef::new(s).ok()?].to_der().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::PrivateKey;

    #[test]
    fn r_and_s_in_fixed_length_are_the_signature_in_asn1() {
        let key = PrivateKey::generate(KeyType::P256).unwrap();
        let mut seen_short = false;
        // one number in 256 has leading zeros: 20,000 signatures without one are none that anybody sees
        for n in 0..20_000u32 {
            if n >= 600 && seen_short {
                break;
            }
            let message = n.to_be_bytes();
            let signature = key.sign(&message).unwrap();
            let numbers = Vec::<UintRef<'_>>::from_der(&signature).unwrap();
            let [r, s] = numbers.try_into().unwrap();
            let padded = |number: UintRef<'_>| {
                let bytes = number.as_bytes();
                [vec![0; 32 - bytes.len()], bytes.to_vec()].concat()
            };
            seen_short |= r.as_bytes().len() < 32 || s.as_bytes().len() < 32;
            assert_eq!(asn1(&[padded(r), padded(s)].concat()).unwrap(), signature);
        }
        assert!(seen_short, "no number had leading zeros");
        assert_eq!(asn1(&[]), None);
        assert_eq!(asn1(&[1; 63]), None);
    }
}
