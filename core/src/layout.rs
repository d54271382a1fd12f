//! Classic in-toto layouts: who performs which step, on what, and links that show it (in-toto specification v1.0).
//!
//! A layout is verified from what is given and nothing else: no file is looked for, and **no command is ever run**. A
//! layout or sublayout that asks for one, by an inspection, is refused as `INSPECTION_REFUSED`. Layouts and links are
//! read as metablocks with canonical JSON, and as DSSE envelopes.
//!
//! Where this is stricter than the tools of in-toto is said in docs/decisions/0016-layouts.md.

mod canonical;
mod key;
mod links;
mod metadata;
mod model;
mod parameter;
mod pattern;
mod rule;
mod walk;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::key::LayoutKey;
pub use self::links::Links;
use self::metadata::Metadata;
use self::parameter::{Parameters, is_name};
pub use self::rule::Artifacts;
use self::walk::Walk;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;
use crate::verifier::Artifact;
use crate::{json, limits};

/// What the verification of a layout demands beyond what the layout itself does, by builder calls or as data
/// ([`LayoutExpectation::from_json`]).
#[derive(Clone, Debug)]
pub struct LayoutExpectation {
    artifact: Artifact,
    now: Timestamp,
    parameters: Option<BTreeMap<String, String>>,
    commands: bool,
}

/// Proof that a layout holds. Made only by [`verify`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedLayout {
    layout: Digest,
    owners: Vec<String>,
    expires: Timestamp,
    steps: Vec<VerifiedStep>,
    materials: Artifacts,
    products: Artifacts,
    command_deviations: Vec<CommandDeviation>,
}

/// A step that was performed as its layout demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VerifiedStep {
    /// Its name.
    pub name: String,
    /// The ids of the keys by which it was performed, one for each functionary.
    pub key_ids: Vec<String>,
    /// How many functionaries it needs.
    pub threshold: usize,
    /// The steps of the sublayout by which it was performed; none if it was performed by a link.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<Self>,
}

/// A command that differs from the one the layout expects.
///
/// A functionary states it himself and may alias commands, so that the specification has it warned about and no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CommandDeviation {
    /// The step.
    pub step: String,
    /// The key of the functionary.
    pub key_id: String,
    /// The command of the layout.
    pub expected: Vec<String>,
    /// The command of the link.
    pub found: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExpectationWire {
    artifact: String,
    parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    require_commands: bool,
    at: Option<Timestamp>,
}

impl LayoutExpectation {
    /// Demands that `artifact` is a product of the last step, and that the layout is valid at `now`.
    pub fn new(artifact: Artifact, now: Timestamp) -> Self {
        Self { artifact, now, parameters: None, commands: false }
    }

    /// Reads what is demanded from JSON: `artifact` (`sha256:<hex>`, or `any-unsafe`), and if need be `parameters`,
    /// `requireCommands`, and `at`, when the layout must be valid: `now` if it is not said.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known or not said; `UNSUPPORTED` for an unknown digest algorithm;
    /// those of [`LayoutExpectation::with_parameters`].
    pub fn from_json(bytes: &[u8], now: Timestamp) -> Result<Self> {
        let wire: ExpectationWire = json::parse("layout expectation", bytes)?;
        let expectation = Self::new(wire.artifact.parse()?, wire.at.unwrap_or(now));
        let expectation = match wire.parameters {
            Some(parameters) => expectation.with_parameters(parameters)?,
            None => expectation,
        };
        Ok(Self { commands: wire.require_commands, ..expectation })
    }

    /// Fills in the parameters of the layout (not of its sublayouts): each `{name}` in a rule or a command.
    ///
    /// # Errors
    /// `API_MISUSE` if a name is something else than letters, digits, `_` and `-`.
    pub fn with_parameters(mut self, parameters: BTreeMap<String, String>) -> Result<Self> {
        if let Some(name) = parameters.keys().find(|name| !is_name(name)) {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("`{name}` is no name of a parameter; write it with letters, digits, `_` and `-`"),
            ));
        }
        self.parameters = Some(parameters);
        Ok(self)
    }

    /// Demands that each link states the command that the layout expects, where it expects one.
    #[must_use]
    pub fn require_commands(mut self) -> Self {
        self.commands = true;
        self
    }
}

impl VerifiedLayout {
    /// SHA-256 of the layout as it was signed: of its canonical JSON, or of what a DSSE signature is over.
    pub fn layout(&self) -> &Digest {
        &self.layout
    }

    /// The key ids of the owners, all of whom signed it.
    pub fn owners(&self) -> &[String] {
        &self.owners
    }

    /// Until when the layout may be used.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The steps, in the order of the layout.
    pub fn steps(&self) -> &[VerifiedStep] {
        &self.steps
    }

    /// What the first step used.
    pub fn materials(&self) -> &Artifacts {
        &self.materials
    }

    /// What the last step made.
    pub fn products(&self) -> &Artifacts {
        &self.products
    }

    /// Commands that differ from the expected ones, also of sublayouts.
    pub fn command_deviations(&self) -> &[CommandDeviation] {
        &self.command_deviations
    }
}

/// Verifies a layout that all `owners` must have signed, and its links.
///
/// Order: (1) each owner's signature, (2) that neither inspection nor anything unknown stands in it, (3) its expiry,
/// (4) for each step enough links by different functionaries that agree, sublayouts by the same rules, (5) commands,
/// (6) the artifact rules of each step, (7) that the artifact is a product of the last step.
///
/// ```
/// use sealwright::layout::{LayoutExpectation, LayoutKey, Links, verify};
/// use sealwright::verifier::Artifact;
/// # let layout = br#"{"signed": {"_type": "layout"}, "signatures": []}"#;
/// let owner = LayoutKey::parse(
///     br#"{"keytype": "ed25519", "scheme": "ed25519",
///          "keyval": {"public": "32b2b597295d7a9ef4c5cfd2d588f6b02dc983a58cf5677b1d7d20af82c7e1a2"}}"#,
/// )?;
/// let expectation = LayoutExpectation::new(Artifact::AnyUnsafe, "2026-11-21T09:30:00Z".parse()?);
/// let refused = verify(layout, &[owner], &Links::new(), &expectation).unwrap_err();
/// assert_eq!(refused.code(), "BAD_SIGNATURE");
/// # Ok::<(), sealwright::Error>(())
/// ```
///
/// # Errors
/// `MALFORMED`, `UNSUPPORTED`, `LIMIT_EXCEEDED` for what is no layout or link; `BAD_SIGNATURE`, `UNTRUSTED_SIGNER` for
/// signatures of the layout or too few of a step; `INSPECTION_REFUSED`; `EXPIRED`; `EXPECTATION_UNMET` with `step` and
/// `rule` for a step that was not performed as demanded; `DIGEST_MISMATCH` for another artifact; `API_MISUSE` without
/// an owner or without a parameter that the layout takes.
pub fn verify(
    layout: &[u8],
    owners: &[LayoutKey],
    links: &Links,
    expectation: &LayoutExpectation,
) -> Result<VerifiedLayout> {
    if owners.is_empty() || owners.len() > limits::ENVELOPE_SIGNATURES {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            format!(
                "a layout needs 1 to {} owners; name the keys that must have signed it",
                limits::ENVELOPE_SIGNATURES
            ),
        ));
    }
    let metadata = Metadata::parse("the layout", layout)?;
    if let Some(owner) = owners.iter().find(|owner| !metadata.is_signed_by(owner)) {
        return Err(not_signed(&metadata, owner));
    }
    let mut walk = Walk::new(links, expectation.now);
    let done = walk.layout("the layout", &metadata, "", &Parameters(expectation.parameters.as_ref()))?;
    if let Some(deviation) = walk.deviations.first().filter(|_| expectation.commands) {
        return Err(Error::new(
            ErrorKind::ExpectationUnmet,
            format!(
                "step `{}` ran `{}`, expected `{}`; see why it ran another command",
                deviation.step,
                deviation.found.join(" "),
                deviation.expected.join(" ")
            ),
        )
        .with("step", &deviation.step)
        .with("expected", deviation.expected.join(" "))
        .with("found", deviation.found.join(" ")));
    }
    match &expectation.artifact {
        Artifact::Is(digest) => check_product(&done.performed.products, digest)?,
        Artifact::AnyUnsafe => {}
    }
    Ok(VerifiedLayout {
        layout: metadata.digest(),
        owners: owners.iter().map(|o| o.key_id().to_owned()).collect(),
        expires: done.expires,
        steps: done.steps,
        materials: done.performed.materials,
        products: done.performed.products,
        command_deviations: walk.deviations,
    })
}

/// Tells an edited layout from one that somebody else signed.
fn not_signed(metadata: &Metadata, owner: &LayoutKey) -> Error {
    let other = metadata.hints().find(|hint| *hint != owner.key_id() && !hint.is_empty());
    match other.filter(|_| metadata.hints().all(|hint| hint != owner.key_id())) {
        Some(other) => Error::new(
            ErrorKind::UntrustedSigner,
            format!("expected the layout signed by `{}`, found a signature by `{other}`", owner.key_id()),
        )
        .with("expected", owner.key_id())
        .with("found", other),
        None => Error::new(
            ErrorKind::BadSignature,
            format!(
                "no signature of the layout is valid for its owner `{}`; it was changed or never signed: get it again",
                owner.key_id()
            ),
        )
        .with("expected", owner.key_id()),
    }
}

fn check_product(products: &Artifacts, digest: &Digest) -> Result<()> {
    let algorithm = digest.algorithm().name();
    if products.values().any(|digests| digests.get(algorithm).is_some_and(|hex| *hex == digest.hex())) {
        return Ok(());
    }
    let found = products.values().next().and_then(|d| d.get(algorithm)).map_or("nothing", String::as_str);
    Err(Error::new(
        ErrorKind::DigestMismatch,
        format!("`{digest}` is no product of the last step, which made `{found}`; check the artifact, or its links"),
    )
    .with("expected", digest)
    .with("found", found))
}
