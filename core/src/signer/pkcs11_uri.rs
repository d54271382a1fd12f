//! `pkcs11:` URIs (RFC 7512), as far as they say which private key of which token, by which module, with which PIN.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};

/// Which private key of which token.
///
/// Read are the attributes `token`, `manufacturer`, `serial`, `model`, `slot-id`, `object`, `id` and `type`, and after
/// the `?` `module-path`, `pin-source` and `pin-value`. It is shown without what stands after the `?`.
///
/// ```
/// use sealwright::signer::Pkcs11Uri;
/// let uri: Pkcs11Uri = "pkcs11:token=ci;object=builder?module-path=/usr/lib/p11.so&pin-value=1234".parse()?;
/// assert_eq!(uri.to_string(), "pkcs11:token=ci;object=builder");
/// assert_eq!(format!("{uri:?}"), "Pkcs11Uri(pkcs11:token=ci;object=builder)");
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Default)]
pub struct Pkcs11Uri {
    path: String,
    pub(super) token: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) model: Option<String>,
    pub(super) slot_id: Option<u64>,
    pub(super) object: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) module_path: Option<PathBuf>,
    pub(super) pin: Pin,
}

/// Where the PIN is.
#[derive(Default)]
#[cfg_attr(not(feature = "hsm"), expect(dead_code, reason = "read everywhere, used with the feature `hsm`"))]
pub(super) enum Pin {
    #[default]
    Unknown,
    Value(Zeroizing<String>),
    File(PathBuf),
}

/// Longest URI, in bytes.
const LONGEST: usize = 4096;

impl FromStr for Pkcs11Uri {
    type Err = Error;

    /// Reads a URI.
    ///
    /// Fails with `MALFORMED`, `LIMIT_EXCEEDED`, or `UNSUPPORTED` for an attribute that is not looked at: a key must not
    /// be chosen by less than what was said.
    fn from_str(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the PKCS#11 URI has {} bytes, over {LONGEST}; name the key in fewer", text.len()),
            ));
        }
        let rest = text.strip_prefix("pkcs11:").ok_or_else(|| malformed("it does not begin with `pkcs11:`"))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self { path: path.to_owned(), ..Self::default() };
        for (name, value) in attributes(path, ';')? {
            uri.set(name, &value)?;
        }
        for (name, value) in attributes(query, '&')? {
            uri.set_query(name, &value)?;
        }
        if uri.object.is_none() && uri.id.is_none() {
            return Err(malformed("it names no key; say `object=LABEL` or `id=%01`"));
        }
        Ok(uri)
    }
}

impl Pkcs11Uri {
    fn set(&mut self, name: &str, value: &[u8]) -> Result<()> {
        match name {
            "token" => once(name, &mut self.token, text(name, value)?),
            "manufacturer" => once(name, &mut self.manufacturer, text(name, value)?),
            "serial" => once(name, &mut self.serial, text(name, value)?),
            "model" => once(name, &mut self.model, text(name, value)?),
            "object" => once(name, &mut self.object, text(name, value)?),
            "id" => once(name, &mut self.id, value.to_vec()),
            "slot-id" => {
                let number = text(name, value)?.parse().map_err(|_| malformed("its `slot-id` is no number"))?;
                once(name, &mut self.slot_id, number)
            }
            "type" if value == b"private" => Ok(()),
            "type" => Err(malformed("its `type` is not `private`; name the key that signs")),
            other => Err(unsupported(other)),
        }
    }

    fn set_query(&mut self, name: &str, value: &[u8]) -> Result<()> {
        let pin = match name {
            "module-path" => return once(name, &mut self.module_path, PathBuf::from(text(name, value)?)),
            "pin-value" => Pin::Value(Zeroizing::new(text(name, value)?)),
            "pin-source" => {
                let source = text(name, value)?;
                let path = source.strip_prefix("file://").or(source.strip_prefix("file:")).unwrap_or(&source);
                if !path.starts_with('/') {
                    return Err(malformed("its `pin-source` is no file by its whole path"));
                }
                Pin::File(PathBuf::from(path))
            }
            other => return Err(unsupported(other)),
        };
        if !matches!(self.pin, Pin::Unknown) {
            return Err(malformed("it says twice where the PIN is"));
        }
        self.pin = pin;
        Ok(())
    }
}

impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkcs11:{}", self.path)
    }
}

impl fmt::Debug for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pkcs11Uri({self})")
    }
}

type Attribute<'a> = (&'a str, Zeroizing<Vec<u8>>);

fn attributes(part: &str, separator: char) -> Result<Vec<Attribute<'_>>> {
    let written = part.split(separator).filter(|attribute| !attribute.is_empty());
    written
        .map(|attribute| {
            let (name, value) = attribute.split_once('=').ok_or_else(|| malformed("an attribute lacks its `=`"))?;
            Ok((name, decoded(value)?))
        })
        .collect()
}

/// Undoes percent-encoding (RFC 3986 section 2.1).
fn decoded(value: &str) -> Result<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
                let (Some(high), Some(low)) = (digit(), digit()) else {
                    return Err(malformed("a `%` stands before something else than two hex digits"));
                };
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
            }
            b'!'..=b'~' => out.push(byte),
            _ => return Err(malformed("it holds a character that must be percent-encoded")),
        }
    }
    Ok(out)
}

fn text(name: &str, value: &[u8]) -> Result<String> {
    std::str::from_utf8(value)
        .map(str::to_owned)
        .map_err(|_| malformed(&format!("its `{}` is not UTF-8", name.escape_debug())))
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed(&format!("it says `{}` twice", name.escape_debug()))),
    }
}

// neither quotes a value: it may be, or hold, the PIN
fn malformed(why: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("this is no PKCS#11 URI of a key: {why}; write `pkcs11:token=…;object=…?module-path=…`"),
    )
}

fn unsupported(name: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "the attribute `{}` of the PKCS#11 URI is not known here; choose the key by token, serial, object or id",
            name.escape_debug()
        ),
    )
    .with("found", name.escape_debug())
}
