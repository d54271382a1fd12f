//! Data crosses as JSON: JavaScript's own writer and reader on one side, the core's strict reader on the other.

use napi::bindgen_prelude::Uint8Array;
use napi::bindgen_prelude::{
    FromNapiValue, Function, JsObjectValue, Object, ToNapiValue, TypeName, Unknown, ValidateNapiValue,
};
use napi::{Env, JsValue, Status, ValueType, sys};
use sealwright::ci::Environment;
use sealwright::timestamp::Timestamp;
use sealwright::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// Bytes, copied before work on another thread reads them.
pub struct Bytes(pub(crate) Vec<u8>);

/// The JSON text of a JavaScript value.
pub struct Json(String);

impl Json {
    /// The JSON of what the core gives.
    pub(crate) fn of<T: Serialize>(value: &T) -> Result<Self> {
        serde_json::to_string(value).map(Self).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("could not write a result as JSON: {e}; report it")).caused_by(e)
        })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Reads it as the core does; `what` names it in errors.
    pub(crate) fn read<T: DeserializeOwned>(&self, what: &str) -> Result<T> {
        sealwright::json::parse(what, self.as_bytes())
    }
}

/// What an argument object says, of one that may be left out.
pub(crate) fn bytes_of(options: Option<&Json>) -> &[u8] {
    options.map_or(b"{}", Json::as_bytes)
}

/// A variable of this process, for what the caller gives no variables.
pub(crate) fn variable(name: &str) -> Option<Zeroizing<String>> {
    #[expect(clippy::disallowed_methods, reason = "the edge of a binding is where the environment is read")]
    let value = std::env::var(name).ok();
    value.map(Zeroizing::new)
}

/// The variables given, else those of this process. With `variable`, the only environment of this binding.
pub(crate) fn environment(given: Option<&Json>) -> Result<Environment> {
    given.map_or_else(|| Ok(Environment::of_os(std::env::vars_os())), |json| Environment::from_json(json.as_bytes()))
}

/// The given time, else the clock's. The only clock of this binding.
pub(crate) fn now(given: Option<Json>) -> Result<Timestamp> {
    match given {
        Some(json) => json.read("time"),
        None => {
            #[expect(clippy::disallowed_methods, reason = "the edge of a binding is where the clock is read")]
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        }
    }
}

impl TypeName for Bytes {
    fn type_name() -> &'static str {
        "Bytes"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

#[expect(unsafe_code, reason = "the trait's functions are unsafe to call; Node gives value and environment together")]
impl FromNapiValue for Bytes {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller gives a value of this environment
        unsafe { Uint8Array::from_napi_value(env, value) }.map(|bytes| Self(bytes.to_vec()))
    }
}

impl TypeName for Json {
    fn type_name() -> &'static str {
        "Json"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

#[expect(unsafe_code, reason = "the trait's function is unsafe to call")]
impl ValidateNapiValue for Json {
    unsafe fn validate(_: sys::napi_env, _: sys::napi_value) -> napi::Result<sys::napi_value> {
        Ok(std::ptr::null_mut())
    }
}

#[expect(unsafe_code, reason = "the trait's functions are unsafe to call; Node gives value and environment together")]
impl FromNapiValue for Json {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller gives a value of this environment
        let value = unsafe { Unknown::from_napi_value(env, value)? };
        let json: Object<'_> = Env::from_raw(env).get_global()?.get_named_property_unchecked("JSON")?;
        let stringify: Function<'_, Unknown<'_>, Option<String>> = json.get_named_property_unchecked("stringify")?;
        let text = stringify.call(value)?;
        text.map(Self).ok_or_else(|| napi::Error::new(Status::InvalidArg, "the value has no JSON form"))
    }
}

#[expect(unsafe_code, reason = "the trait's functions are unsafe to call")]
impl ToNapiValue for Json {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        let json: Object<'_> = Env::from_raw(env).get_global()?.get_named_property_unchecked("JSON")?;
        let parse: Function<'_, String, Unknown<'_>> = json.get_named_property_unchecked("parse")?;
        Ok(parse.call(value.0)?.raw())
    }
}
