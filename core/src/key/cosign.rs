//! The key files of cosign: PKCS#8 in NaCl's secretbox under scrypt, as JSON in PEM
//! (sigstore/cosign `pkg/cosign/keys.go`, go-securesystemslib `encrypted`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::encrypted::{check_scrypt, given, wrong_passphrase};
use super::private::{damaged, internal};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::random;

/// What we write, and cosign since 2.0.
pub(super) const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
/// What cosign wrote before.
pub(super) const OLD_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";

const KDF: &str = "scrypt";
const CIPHER: &str = "nacl/secretbox";

// cosign opens keys of its own parameters only; these are what it writes today
const SCRYPT_LOG_N: u8 = 16;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    kdf: KdfWire,
    cipher: CipherWire,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KdfWire {
    name: String,
    params: ScryptWire,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScryptWire {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CipherWire {
    name: String,
    nonce: String,
}

/// Encrypts PKCS#8 into what stands in the PEM block.
pub(super) fn encrypt(pkcs8: &[u8], passphrase: &str) -> Result<Vec<u8>> {
    let (mut salt, mut nonce) = ([0u8; 32], [0u8; 24]);
    random::fill(&mut salt)?;
    random::fill(&mut nonce)?;
    let params = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P).map_err(|_| internal("encrypt the key"))?;
    let ciphertext = secretbox(passphrase, &salt, &params)?
        .encrypt(&nonce.into(), pkcs8)
        .map_err(|_| internal("encrypt the key"))?;
    let wire = Wire {
        kdf: KdfWire {
            name: KDF.to_owned(),
            params: ScryptWire { n: params.n(), r: params.r(), p: params.p() },
            salt: STANDARD.encode(salt),
        },
        cipher: CipherWire { name: CIPHER.to_owned(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode(ciphertext),
    };
    serde_json::to_vec(&wire).map_err(|e| internal("write the key").caused_by(e))
}

/// Opens what stands in the PEM block; the result is PKCS#8.
pub(super) fn decrypt(block: &[u8], passphrase: Option<&str>) -> Result<Zeroizing<Vec<u8>>> {
    let wire: Wire = json::parse("cosign key", block)?;
    if wire.kdf.name != KDF || wire.cipher.name != CIPHER {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "expected a cosign key under `{KDF}` and `{CIPHER}`, found `{}` and `{}`",
                wire.kdf.name.escape_debug(),
                wire.cipher.name.escape_debug()
            ),
        ));
    }
    let bytes = |text: &str| STANDARD.decode(text).map_err(damaged);
    let (salt, nonce, ciphertext) = (bytes(&wire.kdf.salt)?, bytes(&wire.cipher.nonce)?, bytes(&wire.ciphertext)?);
    let nonce: [u8; 24] = nonce.try_into().map_err(|_| damaged("the nonce has not 24 bytes"))?;
    let ScryptWire { n, r, p } = wire.kdf.params;
    check_scrypt(n, r.into(), p.into())?;
    if !n.is_power_of_two() || n < 2 {
        return Err(damaged("the cost of scrypt is no power of two"));
    }
    let log_n = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
    let params = scrypt::Params::new(log_n, r, p).map_err(damaged)?;
    let opened = secretbox(given(passphrase)?, &salt, &params)?.decrypt(&nonce.into(), ciphertext.as_slice());
    opened.map(Zeroizing::new).map_err(|_| wrong_passphrase())
}

fn secretbox(passphrase: &str, salt: &[u8], params: &scrypt::Params) -> Result<XSalsa20Poly1305> {
    let mut key = Zeroizing::new([0u8; 32]);
    scrypt::scrypt(passphrase.as_bytes(), salt, params, key.as_mut()).map_err(|_| internal("open the key"))?;
    XSalsa20Poly1305::new_from_slice(key.as_ref()).map_err(|_| internal("open the key"))
}
