//! Versions of the trust policy in the order of the ledger, and who was believed at which entry.

use std::collections::BTreeSet;

use super::{Speaker, TrustPolicy, is_trust_policy, refused};
use crate::bundle::Bundle;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::verifier::{Artifact, Expectation, Verified};

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
        Ok(!is_policy && self.newest()?.check_not_revoked(verified, at).is_err())
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
        let expectation = Expectation::new(Artifact::AnyUnsafe, policy.anyone(), at);
        let verified = policy.verifier().verify(record, &expectation)?;
        policy.check_entitled(&verified)?;
        if revocations {
            self.newest()?.check_not_revoked(&verified, at)?;
        }
        Ok(verified)
    }

    /// Takes a verified trust policy at entry `index`, logged at `at`; true if it brought a version into force.
    ///
    /// # Errors
    /// As [`TrustChain::verify`]; `NOT_ENTITLED` if it is proposed by nobody but admins it makes itself.
    pub(crate) fn take(&mut self, verified: &Verified<Statement>, index: u64, at: Timestamp) -> Result<bool> {
        let before = self.in_force.last().map(|v| &v.policy);
        let policy = self.successor(before, verified.value())?;
        // each version counts the signatures that it believes at this time: the same key may have another name or
        // another window in the other version, and a key that expired in one must not return by the other
        let by_former = before.map(|before| before.admins_who_signed(verified.record(), at)).unwrap_or_default();
        let by_own = policy.admins_who_signed(verified.record(), at);
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
            let candidate = Candidate { policy, by_former: BTreeSet::new(), by_own: BTreeSet::new() };
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
            None => self.successor(before.copied(), claimed)?,
        };
        let mut refusal = None;
        for policy in before.copied().into_iter().chain([&own]) {
            let expectation = Expectation::new(Artifact::AnyUnsafe, policy.admins(), at);
            let verified = policy.verifier().verify(record, &expectation).and_then(|verified| {
                policy.check_not_revoked(&verified, at)?;
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

    /// The policy of a statement, if it may follow the version `before` it.
    fn successor(&self, before: Option<&TrustPolicy>, statement: &Statement) -> Result<TrustPolicy> {
        let policy = TrustPolicy::from_statement(statement)?;
        let Some(before) = before else {
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
        Ok(policy)
    }
}

impl TrustPolicy {
    fn threshold(&self) -> u64 {
        self.predicate().threshold
    }

    /// Names of the admins with a valid signature, whose keys are valid at `at` and not revoked by then.
    fn admins_who_signed(&self, record: &[u8], at: Timestamp) -> BTreeSet<String> {
        let expectation = Expectation::new(Artifact::AnyUnsafe, self.admins(), at);
        let Ok(verified) = self.verifier().verify(record, &expectation) else { return BTreeSet::new() };
        let signers = verified.signers().iter().filter(|s| self.revocation_of(s).is_none_or(|since| at < since));
        signers.map(|s| s.name.clone()).collect()
    }
}
