//! Versions of the trust policy in the order of the ledger, and who was believed at which entry.

use std::collections::BTreeSet;

use super::{Speaker, TrustPolicy, is_trust_policy, refused};
use crate::bundle::Bundle;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::verifier::{SignedBy, Verified};

/// All versions of the trust policy of one ledger that came into force, and the candidates that have not yet.
#[derive(Clone, Debug, Default)]
pub struct TrustChain {
    pin: Option<Digest>,
    in_force: Vec<Version>,
    candidates: Vec<Candidate>,
}

#[derive(Clone, Debug)]
struct Version {
    /// Index of the entry that completed the thresholds; the version judges all entries after it.
    since: u64,
    policy: TrustPolicy,
}

#[derive(Clone, Debug)]
struct Candidate {
    policy: TrustPolicy,
    /// Index of the entry that proposed it.
    entry: u64,
    /// Admins of the version before who signed it, as that version knows them.
    by_former: BTreeSet<String>,
    /// Its own admins who signed it, as it knows them itself.
    by_own: BTreeSet<String>,
}

impl TrustChain {
    /// An empty chain. With a `pin`, version 1 must have this payload digest; without, the first one is taken.
    pub fn pinned(pin: Option<Digest>) -> Self {
        Self { pin, ..Self::default() }
    }

    /// The version that judges a record at entry `index`.
    pub fn in_force_at(&self, index: u64) -> Option<&TrustPolicy> {
        self.in_force.iter().rev().find(|v| v.since < index).map(|v| &v.policy)
    }

    /// The newest version in force, whose revocations reach back.
    ///
    /// # Errors
    /// `TRUST_POLICY_REFUSED` if none is in force yet.
    pub fn newest(&self) -> Result<&TrustPolicy> {
        self.in_force.last().map(|v| &v.policy).ok_or_else(|| refused("none is in force yet"))
    }

    /// All versions in force, oldest first, with the index of the entry that completed each.
    pub fn versions(&self) -> impl Iterator<Item = (u64, &TrustPolicy)> {
        self.in_force.iter().map(|v| (v.since, &v.policy))
    }

    /// Verifies a record that stands, or is to stand, at entry `index` logged at `at`.
    ///
    /// # Errors
    /// Those of [`Verifier::verify`](crate::verifier::Verifier::verify); `NOT_ENTITLED` if the signer may not say this,
    /// `REVOKED` if the signer, its person or the record was revoked, `TRUST_POLICY_REFUSED` for a trust policy that
    /// may not follow or if none is in force.
    pub fn verify(&self, record: &[u8], index: u64, at: Timestamp) -> Result<Verified<Statement>> {
        self.verify_with(record, index, at, true)
    }

    /// As [`TrustChain::verify`], but lets pass what was revoked later: what such a record refuses, it still refuses.
    ///
    /// # Errors
    /// As [`TrustChain::verify`], without `REVOKED`.
    pub(crate) fn verify_despite_revocation(
        &self,
        record: &[u8],
        index: u64,
        at: Timestamp,
    ) -> Result<Verified<Statement>> {
        self.verify_with(record, index, at, false)
    }

    /// Whether a revocation of today reaches a verified record logged at `at`. Versions of the trust policy count by the
    /// revocations of their own time.
    pub(crate) fn is_revoked(&self, verified: &Verified<Statement>, at: Timestamp) -> Result<bool> {
        let is_policy = is_trust_policy(verified.value().predicate_type());
        Ok(!is_policy && check_not_revoked(self.newest()?, &self.policies(), verified, at).is_err())
    }

    /// The versions that wait for signatures, oldest first.
    pub fn proposals(&self) -> impl Iterator<Item = Proposal<'_>> {
        let before = self.in_force.last().map(|v| &v.policy);
        self.candidates.iter().map(move |candidate| Proposal {
            policy: &candidate.policy,
            entry: candidate.entry,
            former: before.map(|before| Signatures::of(before, &candidate.by_former)),
            own: Signatures::of(&candidate.policy, &candidate.by_own),
        })
    }

    fn policies(&self) -> Vec<&TrustPolicy> {
        self.in_force.iter().map(|v| &v.policy).collect()
    }

    fn verify_with(&self, record: &[u8], index: u64, at: Timestamp, revocations: bool) -> Result<Verified<Statement>> {
        // which rules judge a record depends on whether it is a trust policy; its own type decides only which of two
        // demands is made of it, and both of them verify before anything of it is believed
        let bundle = Bundle::parse(record)?;
        let claimed = Statement::parse(bundle.into_envelope()?.into_payload())?;
        if is_trust_policy(claimed.predicate_type()) {
            return self.verify_trust_policy(record, &claimed, index, at);
        }
        let policy = self.in_force_at(index).ok_or_else(|| refused("none is in force yet"))?;
        let verified = policy.verify(record, policy.anyone(), at)?;
        policy.check_entitled(&verified)?;
        if revocations {
            check_not_revoked(self.newest()?, &self.policies(), &verified, at)?;
        }
        Ok(verified)
    }

    /// Takes a verified trust policy at entry `index`, logged at `at`; true if it brought a version into force.
    ///
    /// # Errors
    /// As [`TrustChain::verify`]; `NOT_ENTITLED` if it is proposed by nobody but admins it makes itself.
    pub(crate) fn take(&mut self, verified: &Verified<Statement>, index: u64, at: Timestamp) -> Result<bool> {
        let versions = self.policies();
        let before = versions.last().copied();
        if before.is_some_and(|before| *before.payload() == verified.value().payload_digest()) {
            // one admin more than it takes
            return Ok(false);
        }
        let policy = self.successor(&versions, verified.value())?;
        // each version counts the signatures that it believes at this time: the same key may have another name or
        // another window in the other version, and a key that expired in one must not return by the other
        let by_former =
            before.map(|before| before.admins_who_signed(&versions, verified.record(), at)).unwrap_or_default();
        let by_own = policy.admins_who_signed(&versions, verified.record(), at);
        let (threshold_before, threshold) = (before.map_or(0, TrustPolicy::threshold), policy.threshold());
        let known = self.candidates.iter().position(|c| c.policy.payload() == policy.payload());
        if known.is_none() && before.is_some() && by_former.is_empty() {
            return Err(Error::new(
                ErrorKind::NotEntitled,
                format!(
                    "version {} of the trust policy is proposed by no admin of the version in force; have one of them sign it first",
                    policy.version()
                ),
            ));
        }
        let known = known.unwrap_or_else(|| {
            let candidate = Candidate { policy, entry: index, by_former: BTreeSet::new(), by_own: BTreeSet::new() };
            self.candidates.push(candidate);
            self.candidates.len() - 1
        });
        let Some(candidate) = self.candidates.get_mut(known) else { return Ok(false) };
        candidate.by_former.extend(by_former);
        candidate.by_own.extend(by_own);
        let complete =
            candidate.by_former.len() as u64 >= threshold_before && candidate.by_own.len() as u64 >= threshold;
        if complete {
            let policy = candidate.policy.clone();
            self.in_force.push(Version { since: index, policy });
            // a candidate follows one version; when another took that place it can never come into force
            self.candidates.clear();
        }
        Ok(complete)
    }

    /// Who speaks in a verified record at entry `index`: the first of its signers who may say this.
    pub(crate) fn speaker(&self, verified: &Verified<Statement>, index: u64) -> Result<Speaker> {
        let policy = match self.in_force_at(index) {
            Some(policy) => policy,
            None => self.newest()?,
        };
        let signer = match is_trust_policy(verified.value().predicate_type()) {
            true => verified.signers().first(),
            false => Some(policy.check_entitled(verified)?),
        };
        signer
            .map(|signer| policy.speaker(signer))
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a verified record has no signer"))
    }

    /// Verifies a trust policy as it stood at entry `index`, whatever came into force after it.
    fn verify_trust_policy(
        &self,
        record: &[u8],
        claimed: &Statement,
        index: u64,
        at: Timestamp,
    ) -> Result<Verified<Statement>> {
        let versions: Vec<&TrustPolicy> = self.in_force.iter().filter(|v| v.since < index).map(|v| &v.policy).collect();
        let past = versions.iter().position(|p| *p.payload() == claimed.payload_digest());
        let (before, own) = match past {
            Some(at) => (at.checked_sub(1).and_then(|before| versions.get(before)), versions.get(at)),
            None => (versions.last(), None),
        };
        let own = match own {
            Some(version) => (*version).clone(),
            None => self.successor(&versions, claimed)?,
        };
        let mut refusal = None;
        for policy in before.copied().into_iter().chain([&own]) {
            let verified = policy.verify(record, policy.admins(), at).and_then(|verified| {
                check_not_revoked(policy, &versions, &verified, at)?;
                Ok(verified)
            });
            match verified {
                Ok(verified) => return Ok(verified),
                // what the version in force says of it tells more than what the new one says
                Err(e) => refusal = refusal.or(Some(e)),
            }
        }
        Err(refusal.unwrap_or_else(|| refused("nobody signed it")))
    }

    /// The policy of a statement, if it may follow the last of `versions`.
    fn successor(&self, versions: &[&TrustPolicy], statement: &Statement) -> Result<TrustPolicy> {
        let policy = TrustPolicy::from_statement(statement)?;
        let Some(before) = versions.last() else {
            if policy.version() != 1 {
                return Err(refused(&format!("the first version must be 1, found {}", policy.version())));
            }
            if let Some(pin) = self.pin.as_ref().filter(|p| *p != policy.payload()) {
                return Err(Error::new(
                    ErrorKind::TrustPolicyRefused,
                    format!(
                        "version 1 of the trust policy is `{}`, pinned is `{pin}`; ask its admins which is right",
                        policy.payload()
                    ),
                )
                .with("expected", pin)
                .with("found", policy.payload()));
            }
            return Ok(policy);
        };
        let expected = before.version() + 1;
        if policy.version() != expected {
            return Err(refused(&format!("expected version {expected}, found {}", policy.version())));
        }
        let supersedes = policy.predicate().supersedes.as_ref().map(|r| r.payload()).transpose()?;
        if supersedes.as_ref() != Some(before.payload()) {
            return Err(refused(&format!("version {expected} must supersede `{}`", before.payload())));
        }
        if let Some(dropped) =
            before.predicate().revocations.iter().find(|r| !policy.predicate().revocations.contains(r))
        {
            return Err(refused(&format!("version {expected} drops the revocation of `{}`", dropped.target)));
        }
        if let Some((key, revoked)) = policy.returning_key(versions) {
            return Err(refused(&format!(
                "version {expected} gives `{key}` the key of `{revoked}`, which is revoked and does not come back"
            )));
        }
        Ok(policy)
    }
}

/// A version of the trust policy that waits for signatures.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Proposal<'a> {
    /// What it would bring into force.
    pub policy: &'a TrustPolicy,
    /// Index of the entry that proposed it.
    pub entry: u64,
    /// Signatures by admins of the version in force; none if there is no version before it.
    pub former: Option<Signatures<'a>>,
    /// Signatures by its own admins.
    pub own: Signatures<'a>,
}

/// Who of the admins of one version signed a proposal, by the names that version gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signatures<'a> {
    /// Those who did.
    pub signed: Vec<&'a str>,
    /// Those who did not yet.
    pub open: Vec<&'a str>,
    /// How many more it takes.
    pub missing: u64,
}

impl<'a> Signatures<'a> {
    fn of(policy: &'a TrustPolicy, signed: &BTreeSet<String>) -> Self {
        let admins = policy.predicate().admins.iter().map(|admin| admin.signer.as_str());
        let (signed, open): (Vec<_>, Vec<_>) = admins.partition(|name| signed.contains(*name));
        let missing = policy.threshold().saturating_sub(signed.len() as u64);
        Self { signed, open, missing }
    }
}

impl TrustPolicy {
    fn threshold(&self) -> u64 {
        self.predicate().threshold
    }

    /// Names of the admins with a valid signature, whose keys are valid at `at` and not revoked by then.
    fn admins_who_signed(&self, versions: &[&Self], record: &[u8], at: Timestamp) -> BTreeSet<String> {
        let Ok(verified) = self.verify(record, self.admins(), at) else { return BTreeSet::new() };
        let counts = |signer: &&SignedBy| {
            let revoked =
                reach(versions, self, signer).iter().filter_map(|(_, target)| self.revoked_since(target)).min();
            revoked.is_none_or(|since| at < since)
        };
        verified.signers().iter().filter(counts).map(|s| s.name.clone()).collect()
    }

    /// A signer whose key is that of a revoked one of another name.
    fn returning_key(&self, versions: &[&Self]) -> Option<(&str, &str)> {
        self.predicate().revocations.iter().find_map(|revocation| {
            let revoked = versions.iter().flat_map(|v| v.root().keys()).filter(|k| k.name == revocation.target);
            let mut returning = revoked.filter_map(|k| self.signer_of_key(&k.key.id()));
            Some((returning.find(|name| *name != revocation.target)?, revocation.target.as_str()))
        })
    }
}

/// Checks that no revocation of `policy` reaches a record logged at `at`.
fn check_not_revoked(
    policy: &TrustPolicy,
    versions: &[&TrustPolicy],
    verified: &Verified<Statement>,
    at: Timestamp,
) -> Result<()> {
    let mut targets = vec![("record", verified.value().payload_digest().hex())];
    targets.extend(verified.signers().iter().flat_map(|signer| reach(versions, policy, signer)));
    for (what, target) in targets {
        if let Some(since) = policy.revoked_since(&target).filter(|since| at >= *since) {
            return Err(Error::new(
                ErrorKind::Revoked,
                format!(
                    "the {what} `{}` is revoked since `{since}`, and this was logged at `{at}`; have it signed anew",
                    target.escape_debug()
                ),
            )
            .with("since", since));
        }
    }
    Ok(())
}

/// Whom a revocation must name to reach a signer: its name, the person behind it in any version, so that nobody gets away
/// by being taken off a list, and all names a key ever had. Keys of certificates live minutes, so that an identity which
/// was won back goes on under a new name.
fn reach(versions: &[&TrustPolicy], policy: &TrustPolicy, signer: &SignedBy) -> BTreeSet<(&'static str, String)> {
    let mut targets = BTreeSet::from([("signer", signer.name.clone())]);
    for version in versions.iter().copied().chain([policy]) {
        targets.extend(version.speaker(signer).person.map(|person| ("person", person)));
        targets.extend(version.signer_of_key(&signer.key_id).map(|name| ("signer", name.to_owned())));
    }
    targets
}
