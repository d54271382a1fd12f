//! What opening a ledger takes: an object with keys and data.

use std::sync::Arc;

use napi::bindgen_prelude::{ClassInstance, FromNapiValue, JsObjectValue, Object, TypeName, ValidateNapiValue};
use napi::{Env, JsValue, ValueType, sys};
use sealwright::encryption::KeyEncryptionKey as Kek;
use sealwright::{Result, key, opening};

use crate::data::{Json, variable};
use crate::encryption::KeyEncryptionKey;
use crate::key::PrivateKey;

/// Keys are handles, and all else crosses as JSON, so that what is not known is refused.
#[derive(Default)]
pub struct Opening {
    log_key: Option<Arc<key::PrivateKey>>,
    kek: Option<Arc<dyn Kek>>,
    rest: Option<Json>,
}

impl Opening {
    pub(crate) fn read(&self) -> Result<opening::Opening> {
        opening::Opening::from_json(crate::data::bytes_of(self.rest.as_ref()), variable)
    }

    pub(crate) fn log_key(&self) -> Result<Option<key::PrivateKey>> {
        self.log_key.as_deref().map(PrivateKey::own).transpose()
    }

    pub(crate) fn kek(&self) -> Option<&dyn Kek> {
        self.kek.as_deref()
    }
}

impl TypeName for Opening {
    fn type_name() -> &'static str {
        "Opening"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ValidateNapiValue for Opening {}

#[expect(unsafe_code, reason = "the trait's functions are unsafe to call; Node gives value and environment together")]
impl FromNapiValue for Opening {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller gives a value of this environment
        let given = unsafe { Object::from_napi_value(env, value)? };
        let mut rest = Object::new(&Env::from_raw(env))?;
        for name in Object::keys(&given)?.iter().filter(|name| !["logKey", "encryptionKey"].contains(&name.as_str())) {
            rest.set_named_property(name, given.get_named_property_unchecked::<napi::Unknown<'_>>(name)?)?;
        }
        let log_key: Option<ClassInstance<'_, PrivateKey>> = given.get("logKey")?;
        let kek: Option<ClassInstance<'_, KeyEncryptionKey>> = given.get("encryptionKey")?;
        Ok(Self {
            log_key: log_key.map(|key| Arc::clone(&key.0)),
            kek: kek.map(|key| Arc::clone(&key.0)),
            // SAFETY: the object was made in this environment
            rest: Some(unsafe { Json::from_napi_value(env, rest.raw())? }),
        })
    }
}
