//! The workflow of a verification (in-toto specification v1.0 section 5.2), without inspections.

use std::collections::{BTreeMap, BTreeSet};

use super::links::Links;
use super::metadata::Metadata;
use super::model::{Layout, Link, Step};
use super::parameter::Parameters;
use super::rule::{Performed, Rule, Side};
use super::{CommandDeviation, VerifiedStep};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::timestamp::Timestamp;

/// One verification, of a layout and all sublayouts.
pub(super) struct Walk<'a> {
    links: &'a Links,
    now: Timestamp,
    /// Layouts that lead to the one being verified.
    ancestors: Vec<Digest>,
    links_left: usize,
    matches_left: usize,
    pub(super) deviations: Vec<CommandDeviation>,
}

/// A layout that holds.
pub(super) struct Done {
    pub(super) expires: Timestamp,
    pub(super) steps: Vec<VerifiedStep>,
    /// Materials of the first step, products of the last.
    pub(super) performed: Performed,
}

/// A link that counts, or the summary of a sublayout.
struct Counted {
    performed: Performed,
    within: Vec<VerifiedStep>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(links: &'a Links, now: Timestamp) -> Self {
        let (links_left, matches_left) = (limits::LAYOUT_LINKS, limits::LAYOUT_MATCHES);
        Self { links, now, ancestors: Vec::new(), links_left, matches_left, deviations: Vec::new() }
    }

    /// Verifies a layout whose signatures were checked, with its links in `folder`.
    pub(super) fn layout(
        &mut self,
        what: &str,
        metadata: &Metadata,
        folder: &str,
        parameters: &Parameters<'_>,
    ) -> Result<Done> {
        let digest = metadata.digest();
        if self.ancestors.contains(&digest) {
            return Err(Error::new(ErrorKind::Malformed, format!("{what} is a sublayout of itself; a step must end")));
        }
        if self.ancestors.len() > limits::LAYOUT_DEPTH {
            return Err(too_much(what, "sublayouts within sublayouts", limits::LAYOUT_DEPTH));
        }
        let layout = Layout::of(what, metadata, parameters)?;
        if layout.expires <= self.now {
            return Err(Error::new(
                ErrorKind::Expired,
                format!(
                    "{what} expired at `{}`, and it is `{}`; its owners must sign it anew",
                    layout.expires, self.now
                ),
            )
            .with("until", layout.expires)
            .with("at", self.now));
        }
        self.ancestors.push(digest);
        let mut performed = BTreeMap::new();
        let mut steps = Vec::new();
        for step in &layout.steps {
            let (verified, own) = self.step(step, folder)?;
            steps.push(verified);
            performed.insert(step.name.clone(), own);
        }
        for step in &layout.steps {
            self.rules(step, Side::Materials, &step.materials, &performed)?;
            self.rules(step, Side::Products, &step.products, &performed)?;
        }
        self.ancestors.pop();
        let of = |step: Option<&Step>| step.and_then(|s| performed.get(&s.name)).cloned().unwrap_or_default();
        let (first, last) = (of(layout.steps.first()), of(layout.steps.last()));
        let performed = Performed { materials: first.materials, products: last.products };
        Ok(Done { expires: layout.expires, steps, performed })
    }

    /// The links of one step: enough of them, by different functionaries, and of one mind.
    fn step(&mut self, step: &Step, folder: &str) -> Result<(VerifiedStep, Performed)> {
        let mut counted: Vec<Counted> = Vec::new();
        let mut signers = BTreeMap::new();
        let mut not_counted = Vec::new();
        for key in &step.keys {
            let links = self.links;
            let Some((name, bytes)) = links.find(folder, &step.name, key) else { continue };
            self.links_left = self.links_left.checked_sub(1).ok_or_else(|| {
                too_much("the verification", "links, also counted by way of sublayouts", limits::LAYOUT_LINKS)
            })?;
            let what = format!("the link `{name}`");
            let metadata = Metadata::parse(&what, bytes)?;
            if !metadata.is_signed_by(key) {
                not_counted.push((ErrorKind::BadSignature, format!("`{name}` is not signed by `{}`", key.key_id())));
                continue;
            }
            let found = if metadata.kind(&what)? == "layout" {
                let what = format!("the sublayout `{name}`");
                let inner = Links::folder_of_sublayout(folder, &step.name, key);
                let done = self.layout(&what, &metadata, &inner, &Parameters(None))?;
                Counted { performed: done.performed, within: done.steps }
            } else {
                let link = Link::of(&what, &metadata)?;
                if link.name != step.name {
                    let why = format!("`{name}` is a link of the step `{}`", link.name);
                    not_counted.push((ErrorKind::ExpectationUnmet, why));
                    continue;
                }
                if !step.command.is_empty() && link.command != step.command {
                    self.deviations.push(CommandDeviation {
                        step: step.name.clone(),
                        key_id: key.key_id().to_owned(),
                        expected: step.command.clone(),
                        found: link.command,
                    });
                }
                Counted { performed: link.performed, within: Vec::new() }
            };
            counted.push(found);
            // one key under two ids is one functionary
            signers.entry(key.identity().clone()).or_insert_with(|| key.key_id().to_owned());
        }
        if signers.len() < step.threshold {
            return Err(self.too_few(step, folder, signers.len(), not_counted));
        }
        let mut counted = counted.into_iter();
        let Some(first) = counted.next() else { return Err(self.too_few(step, folder, 0, not_counted)) };
        if step.threshold > 1 && counted.any(|other| other.performed != first.performed) {
            return Err(Error::new(
                ErrorKind::ExpectationUnmet,
                format!(
                    "the functionaries of step `{}` state different artifacts, and {} of them must agree; compare their \
                     links",
                    step.name, step.threshold
                ),
            )
            .with("step", &step.name));
        }
        let verified = VerifiedStep {
            name: step.name.clone(),
            key_ids: signers.into_values().collect(),
            threshold: step.threshold,
            within: first.within,
        };
        Ok((verified, first.performed))
    }

    fn too_few(&self, step: &Step, folder: &str, found: usize, not_counted: Vec<(ErrorKind, String)>) -> Error {
        let authorised: BTreeSet<_> =
            step.keys.iter().filter_map(|k| self.links.find(folder, &step.name, k)).map(|(name, _)| name).collect();
        let stranger = self.links.of_step(folder, &step.name).find(|name| !authorised.contains(*name));
        let (kind, why) = match (not_counted.into_iter().next(), stranger) {
            (Some((kind, why)), _) => (kind, why),
            (None, Some(name)) => (ErrorKind::UntrustedSigner, format!("`{name}` is of a key that may not perform it")),
            (None, None) => (ErrorKind::ExpectationUnmet, "there are no others".to_owned()),
        };
        Error::new(
            kind,
            format!(
                "the step `{}` needs links by {} of its functionaries, and {found} count; {why}",
                step.name, step.threshold
            ),
        )
        .with("step", &step.name)
        .with("expected", step.threshold)
        .with("found", found)
    }

    /// Applies the rules of one side of a step, in order.
    fn rules(
        &mut self,
        step: &Step,
        side: Side,
        rules: &[Rule],
        performed: &BTreeMap<String, Performed>,
    ) -> Result<()> {
        let Some(own) = performed.get(&step.name) else { return Ok(()) };
        let mut queue: BTreeSet<&str> = own.side(side).keys().map(String::as_str).collect();
        for rule in rules {
            self.matches_left = self
                .matches_left
                .checked_sub(queue.len())
                .ok_or_else(|| too_much("the verification", "artifacts under rules", limits::LAYOUT_MATCHES))?;
            rule.apply(&mut queue, own, side, performed).map_err(|why| {
                Error::new(
                    ErrorKind::ExpectationUnmet,
                    format!("the {} of step `{}` break its rule `{rule}`: {why}", side.name(), step.name),
                )
                .with("step", &step.name)
                .with("rule", rule)
            })?;
        }
        Ok(())
    }
}

fn too_much(what: &str, of: &str, limit: usize) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("{what} has more than {limit} {of}; split it")).with("limit", limit)
}
