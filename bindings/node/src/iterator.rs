//! What an async iterator gives: a value, or that there is none any more.

use napi::bindgen_prelude::{JsObjectValue, Object, ToNapiValue, TypeName};
use napi::{Env, JsValue, ValueType, sys};

/// The next value of an iterator.
pub struct Next<T>(pub(crate) Option<T>);

impl<T> TypeName for Next<T> {
    fn type_name() -> &'static str {
        "IteratorResult"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

#[expect(unsafe_code, reason = "the trait's functions are unsafe to call")]
impl<T: ToNapiValue> ToNapiValue for Next<T> {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        let mut next = Object::new(&Env::from_raw(env))?;
        next.set_named_property("done", value.0.is_none())?;
        if let Some(value) = value.0 {
            next.set_named_property("value", value)?;
        }
        Ok(next.raw())
    }
}
