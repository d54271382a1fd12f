//! Bundles beside images, in their registry.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi_derive::napi;
use sealwright::{Result, oci};

use crate::data::{Json, bytes_of, now};
use crate::work::{Work, at_once, later};

/// A way to registries, with the credentials for one of them. Its calls touch the network.
///
/// An image is `REGISTRY/REPOSITORY` with `:TAG` or `@sha256:<hex>`.
#[napi(namespace = "oci")]
pub struct Registry(Arc<oci::Registry>);

/// A bundle that a registry keeps for an image. Nothing of it is verified.
#[napi(namespace = "oci")]
pub struct FoundBundle(oci::Found);

/// The bundles of an image, and what should be one and could not be read.
#[napi(namespace = "oci")]
pub struct Bundles(oci::Bundles);

#[napi(namespace = "oci")]
impl Registry {
    /// With the credentials given, or with none.
    #[napi(constructor)]
    pub fn new(env: Env, #[napi(ts_arg_type = "RegistryAccess")] access: Option<Json>) -> napi::Result<Self> {
        at_once(&env, || oci::Registry::from_json(bytes_of(access.as_ref())).map(|r| Self(Arc::new(r))))
    }

    /// What an image stands for at the moment. Go on with the digest.
    #[napi(ts_return_type = "Promise<ResolvedImage>")]
    pub fn resolve(&self, image: String) -> AsyncTask<Work<Json>> {
        let registry = Arc::clone(&self.0);
        later(move || Json::of(&registry.resolve(&image.parse()?)?))
    }

    /// As `resolve`, at once.
    #[napi(ts_return_type = "ResolvedImage")]
    pub fn resolve_sync(&self, env: Env, image: String) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.resolve(&image.parse()?)?))
    }

    /// Stores a bundle beside the image it is about, and gives the digest of the manifest made for it.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn attach(
        &self,
        image: String,
        bundle: &[u8],
        #[napi(ts_arg_type = "Time")] at: Option<Json>,
    ) -> AsyncTask<Work<String>> {
        let (registry, bundle) = (Arc::clone(&self.0), bundle.to_vec());
        later(move || attached(&registry, &image, &bundle, at))
    }

    /// As `attach`, at once.
    #[napi]
    pub fn attach_sync(
        &self,
        env: Env,
        image: String,
        bundle: &[u8],
        #[napi(ts_arg_type = "Time")] at: Option<Json>,
    ) -> napi::Result<String> {
        at_once(&env, || attached(&self.0, &image, bundle, at))
    }

    /// All bundles that the registry keeps for the image. Nothing of them is verified.
    #[napi(ts_return_type = "Promise<Bundles>")]
    pub fn bundles(&self, image: String) -> AsyncTask<Work<Bundles>> {
        let registry = Arc::clone(&self.0);
        later(move || registry.bundles(&image.parse()?).map(Bundles))
    }

    /// As `bundles`, at once.
    #[napi]
    pub fn bundles_sync(&self, env: Env, image: String) -> napi::Result<Bundles> {
        at_once(&env, || self.0.bundles(&image.parse()?).map(Bundles))
    }

    /// Copies the bundles of an image to where the same image lies, byte for byte. Gives the digests of their manifests.
    #[napi(ts_return_type = "Promise<string[]>")]
    pub fn copy_bundles(&self, image: String, to: String) -> AsyncTask<Work<Json>> {
        let registry = Arc::clone(&self.0);
        later(move || Json::of(&registry.copy_bundles(&image.parse()?, &to.parse()?)?))
    }

    /// As `copyBundles`, at once.
    #[napi(ts_return_type = "string[]")]
    pub fn copy_bundles_sync(&self, env: Env, image: String, to: String) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.copy_bundles(&image.parse()?, &to.parse()?)?))
    }
}

fn attached(registry: &oci::Registry, image: &str, bundle: &[u8], at: Option<Json>) -> Result<String> {
    registry.attach(&image.parse()?, bundle, now(at)?).map(|digest| digest.to_string())
}

#[napi(namespace = "oci")]
impl Bundles {
    /// Those that could be read.
    #[napi(getter)]
    pub fn found(&self) -> Vec<FoundBundle> {
        self.0.found.iter().cloned().map(FoundBundle).collect()
    }

    /// Those that could not.
    #[napi(getter, ts_return_type = "{ digest: string; code: string; message: string }[]")]
    pub fn unreadable(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.unreadable))
    }
}

#[napi(namespace = "oci")]
impl FoundBundle {
    /// The bundle, or a bare DSSE envelope that cosign wrote for a key.
    #[napi(getter)]
    pub fn bundle(&self) -> Buffer {
        self.0.bundle.clone().into()
    }

    /// What the bundle signs, if that is no Statement.
    #[napi(getter)]
    pub fn payload(&self) -> Option<Buffer> {
        self.0.payload.clone().map(Buffer::from)
    }

    /// Where it was found.
    #[napi(
        js_name = "toJSON",
        ts_return_type = "{ manifest: string; place: string; annotations: Record<string, string> }"
    )]
    pub fn to_json(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0))
    }
}

/// The digest of the image that a simple-signing payload of cosign is about. Only of one whose signature was verified.
#[napi(namespace = "oci", js_name = "signedImage")]
pub fn oci_signed_image(env: Env, payload: &[u8]) -> napi::Result<String> {
    at_once(&env, || oci::signed_image(payload).map(|digest| digest.to_string()))
}
