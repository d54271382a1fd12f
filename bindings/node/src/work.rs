//! Work off the event loop or at once, and the core's errors with `code` and `context`.

use napi::bindgen_prelude::{AsyncTask, Object, ToNapiValue, TypeName};
use napi::{Env, JsValue, Status, Task};
use sealwright::{Error, ErrorKind, Result};

/// One piece of work of the core, done once.
pub struct Work<T>(Option<Box<dyn FnOnce() -> Result<T> + Send>>);

impl<T: Send + ToNapiValue + TypeName + 'static> Task for Work<T> {
    type Output = Result<T>;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let done_before = || Err(Error::new(ErrorKind::Internal, "a piece of work was asked for twice; report it"));
        Ok(self.0.take().map_or_else(done_before, |work| work()))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<T> {
        output.map_err(|e| thrown(&env, &e))
    }
}

/// Methods that work for long: of one body each a promise, and its twin `…Sync`. What is given is owned, so that both can
/// have it. What they do is said as texts, for a doc comment that went through a macro is written as it stands in Rust.
macro_rules! twins {
    ($class:ident, $core:ident; $(
        $($doc:literal)+
        $name:ident, $sync:ident($($(#[$($of:tt)*])* $given:ident: $type:ident $(<$inner:ident>)?),*)
            -> $out:ty, $promised:literal, $said:literal => $body:expr;
    )*) => {
        #[napi]
        impl $class {
            $(
                $(#[doc = $doc])+
                #[napi(ts_return_type = $promised)]
                pub fn $name(&self, $($(#[$($of)*])* $given: $type $(<$inner>)?),*) -> AsyncTask<Work<$out>> {
                    self.later(move |$core| $body)
                }

                $(#[doc = $doc])+
                #[napi(ts_return_type = $said)]
                pub fn $sync(&self, env: Env, $($(#[$($of)*])* $given: $type $(<$inner>)?),*) -> napi::Result<$out> {
                    self.at_once(&env, move |$core| $body)
                }
            )*
        }
    };
}
pub(crate) use twins;

/// Does the work off the event loop, and gives a promise of what comes of it.
pub(crate) fn later<T>(work: impl FnOnce() -> Result<T> + Send + 'static) -> AsyncTask<Work<T>>
where
    T: Send + ToNapiValue + TypeName + 'static,
{
    AsyncTask::new(Work(Some(Box::new(work))))
}

/// Does the work at once.
pub(crate) fn at_once<T>(env: &Env, work: impl FnOnce() -> Result<T>) -> napi::Result<T> {
    work().map_err(|e| thrown(env, &e))
}

/// The JavaScript `Error` of an error, with `code` and `context`.
fn thrown(env: &Env, error: &Error) -> napi::Error {
    let made = || -> napi::Result<napi::Error> {
        let mut thrown = env.create_error(napi::Error::new(Status::GenericFailure, error.message()))?;
        let mut context = Object::new(env)?;
        for (name, value) in error.context() {
            context.set(name, value)?;
        }
        thrown.set("code", error.code())?;
        thrown.set("context", context)?;
        thrown.set("name", "SealwrightError")?;
        Ok(napi::Error::from_unknown_without_coercion(thrown.to_unknown()))
    };
    made().unwrap_or_else(|e| e)
}
