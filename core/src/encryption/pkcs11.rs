//! AES keys on PKCS#11 tokens, by `CKM_AES_GCM`.

use std::sync::{Mutex, PoisonError};

use aws_lc_rs::aead::NONCE_LEN;
use cryptoki::error::{Error as TokenError, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use zeroize::Zeroizing;

use super::{KeyEncryptionKey, TAG_LEN, wrong_key};
use crate::error::Result;
use crate::random;
use crate::signer::Pkcs11Uri;
use crate::signer::external::failed;
use crate::signer::pkcs11::{AskPin, find_key, session};

/// A secret key that never leaves its token. What it encrypts is nonce, ciphertext and tag.
pub(super) struct TokenKey {
    // one thread at a time may use a session (PKCS#11 v3.1 section 6.7.6)
    session: Mutex<Session>,
    key: ObjectHandle,
    id: String,
}

impl TokenKey {
    pub(super) fn open(uri: &Pkcs11Uri, ask: AskPin<'_>) -> Result<Self> {
        let id = uri.to_string();
        let name = format!("the token key `{id}`");
        let session = session(uri, ask, &name)?;
        let key = find_key(&session, uri, ObjectClass::SECRET_KEY, &name)?;
        Ok(Self { session: Mutex::new(session), key, id })
    }

    /// `run` with the session, and the mechanism for this nonce.
    fn with_gcm<T>(
        &self,
        nonce: &mut [u8; NONCE_LEN],
        context: &str,
        run: impl FnOnce(&Session, &Mechanism<'_>) -> std::result::Result<T, TokenError>,
    ) -> std::result::Result<T, TokenError> {
        let bits = u64::try_from(TAG_LEN * 8).unwrap_or(128);
        let params = GcmParams::new(nonce, context.as_bytes(), bits.into())?;
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        run(&session, &Mechanism::AesGcm(params))
    }
}

impl KeyEncryptionKey for TokenKey {
    fn id(&self) -> &str {
        &self.id
    }

    fn encrypt(&self, secret: &[u8], context: &str) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        random::fill(&mut nonce)?;
        let drawn = nonce;
        let sealed = self
            .with_gcm(&mut nonce, context, |session, gcm| session.encrypt(gcm, self.key, secret))
            .map_err(|e| failed(&format!("the token key `{}`", self.id), &format!("could not encrypt: {e}")))?;
        if nonce != drawn {
            return Err(failed(
                &format!("the token key `{}`", self.id),
                "took another nonce than the one it was given",
            ));
        }
        Ok([&nonce[..], &sealed].concat())
    }

    fn decrypt(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>> {
        let wrong = || wrong_key(&format!("the token key `{}` does not open the keyring", self.id));
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(wrong)?;
        let mut nonce = *nonce;
        let opened = self.with_gcm(&mut nonce, context, |session, gcm| session.decrypt(gcm, self.key, sealed));
        opened.map(Zeroizing::new).map_err(|e| match e {
            // tokens differ in what they call a tag that does not fit
            TokenError::Pkcs11(
                RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange | RvError::GeneralError,
                _,
            ) => wrong().caused_by(e),
            e => failed(&format!("the token key `{}`", self.id), &format!("could not decrypt: {e}")),
        })
    }
}
