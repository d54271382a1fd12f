//! `oci`: bundles beside images in their registries.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, to_json};
use super::input::record;
use super::output::{note, write_file};
use super::settings::Settings;
use super::text::Page;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::json::Value;
use crate::limits;
use crate::oci::{Bundles, Credentials, Kind, Place, PlainHttp, Reference, Registry};

#[derive(Subcommand)]
pub(crate) enum OciCommand {
    /// Look up what a tag or digest stands for: an image, or an index of some.
    Resolve(Resolve),
    /// Store a bundle beside the image it is about.
    Attach(Attach),
    /// List the bundles of an image; nothing of them is verified.
    List(List),
    /// Copy the bundles of an image to another repository that has it.
    Copy(Copy),
}

#[derive(Args)]
pub(crate) struct Resolve {
    /// The image: REGISTRY/REPOSITORY, with :TAG or @sha256:HEX.
    image: Reference,
    #[command(flatten)]
    way: Way,
}

#[derive(Args)]
pub(crate) struct Attach {
    /// The image: REGISTRY/REPOSITORY@sha256:HEX.
    image: Reference,
    /// The bundle.
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    #[command(flatten)]
    way: Way,
}

#[derive(Args)]
pub(crate) struct List {
    /// The image: REGISTRY/REPOSITORY@sha256:HEX.
    image: Reference,
    /// Write the bundles into this folder, to verify them from there.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    #[command(flatten)]
    way: Way,
}

#[derive(Args)]
pub(crate) struct Copy {
    /// The image: REGISTRY/REPOSITORY@sha256:HEX.
    from: Reference,
    /// The same image elsewhere, in the same registry or one that takes the same credentials.
    to: Reference,
    #[command(flatten)]
    way: Way,
}

/// How the registry is spoken to.
#[derive(Args)]
struct Way {
    /// Use no credentials [default: those of `docker login`].
    #[arg(long)]
    anonymous: bool,
    /// Speak plain HTTP, also to other machines: whoever is on the way reads
    /// and changes what passes.
    #[arg(long)]
    plain_http_unsafe: bool,
}

impl Way {
    fn registry(&self, settings: &Settings, image: &Reference) -> Result<Registry> {
        let plain = if self.plain_http_unsafe { PlainHttp::EverywhereUnsafe } else { PlainHttp::LoopbackOnly };
        let config = settings.docker_config().filter(|path| !self.anonymous && path.is_file());
        let credentials = match config {
            Some(path) => {
                let config = limits::read_file("Docker configuration", &path, limits::KEY_BYTES)?;
                Credentials::from_docker_config(&zeroize::Zeroizing::new(config), image.registry())?
            }
            None => Credentials::Anonymous,
        };
        Registry::new(credentials, plain)
    }
}

impl OciCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Resolve(command) => command.run(settings),
            Self::Attach(command) => command.run(settings),
            Self::List(command) => command.run(settings),
            Self::Copy(command) => command.run(settings),
        }
    }
}

impl Resolve {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let resolved = self.way.registry(settings, &self.image)?.resolve(&self.image)?;
        let mut page = Page::default();
        page.field("digest", &resolved.digest);
        match &resolved.kind {
            Kind::Manifest => page.field("kind", "one image"),
            Kind::Index { members } => {
                page.field("kind", format!("an index of {}, each with a digest of its own", members.len()));
                for member in members {
                    let platform = member.platform.as_ref().map(|p| format!("{}/{}", p.os, p.architecture));
                    page.field("member", &member.digest).field("", platform.unwrap_or_default());
                }
                &mut page
            }
        };
        Ok(Answer::new(page.finish(), to_json(&resolved)?))
    }
}

impl Attach {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let registry = self.way.registry(settings, &self.image)?;
        let manifest = registry.attach(&self.image, &record(&self.bundle)?, settings.now()?)?;
        let mut page = Page::default();
        page.field("image", &self.image).field("attached", &manifest);
        Ok(Answer::new(page.finish(), json!({ "image": self.image.to_string(), "manifest": manifest })))
    }
}

impl List {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let bundles = self.way.registry(settings, &self.image)?.bundles(&self.image)?;
        if let Some(folder) = &self.into {
            std::fs::create_dir_all(folder).map_err(|e| Error::io("make folder", folder, e))?;
            for found in &bundles.found {
                write_file(&folder.join(file_name(&found.bundle)), &found.bundle)?;
                if let Some(payload) = &found.payload {
                    write_file(&folder.join(format!("{}.payload", Digest::sha256(payload).hex())), payload)?;
                }
            }
        }
        bundles.unreadable.iter().for_each(|u| note(&format!("`{}` is not read: {}", u.digest, u.error)));
        Ok(answer(&bundles))
    }
}

impl Copy {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let copied = self.way.registry(settings, &self.from)?.copy_bundles(&self.from, &self.to)?;
        let mut page = Page::default();
        copied.iter().for_each(|digest| {
            page.field("copied", digest);
        });
        Ok(Answer::new(page.finish(), json!({ "to": self.to.to_string(), "manifests": copied })))
    }
}

/// Under which name a bundle is written.
fn file_name(bundle: &[u8]) -> String {
    format!("{}.sigstore.json", Digest::sha256(bundle).hex())
}

fn answer(bundles: &Bundles) -> Answer {
    let mut page = Page::default();
    let mut listed = Vec::new();
    for found in &bundles.found {
        let place = match found.place {
            Place::Referrer => "refers to the image",
            Place::CosignAttestation => "older attestation of cosign",
            Place::CosignSignature => "older signature of cosign",
        };
        page.field("bundle", Digest::sha256(&found.bundle)).field("", place);
        // whoever may write there says so; what is true stands in the bundle, once it is verified
        found.annotations.get("dev.sigstore.bundle.predicateType").inspect(|said| {
            page.field("", format!("said to be {said}"));
        });
        listed.push(json!({
            "bundle": Digest::sha256(&found.bundle), "file": file_name(&found.bundle), "manifest": found.manifest,
            "place": found.place, "annotations": found.annotations,
        }));
    }
    if bundles.found.is_empty() {
        page.line("The registry keeps no bundle of this image.");
    }
    let unreadable: Vec<Value> =
        bundles.unreadable.iter().map(|u| json!({ "digest": u.digest, "code": u.error.code() })).collect();
    let shown = Answer::new(page.finish(), json!({ "bundles": listed, "unreadable": unreadable }));
    shown.unless(!bundles.unreadable.is_empty())
}
