//! Versions of the trust policy in the order of the ledger, and who was believed at which entry.

use std::collections::BTreeSet;

use super::{TrustPolicy, is_trust_policy, refused};
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
    signed_by: BTreeSet<String>,
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

    fn verify_with(&self, record: &[u8], index: u64, at: Timestamp, revocations: bool) -> Result<Verified<Statement>> {
        // which rules judge a record depends on whether it is a trust policy; its own type decides only which of two
        // demands is made of it, and both of them verify before anything of it is believed
        let bundle = Bundle::parse(record)?;
        let claimed = Statement::parse(bundle.into_envelope().into_payload())?;
        if is_trust_policy(claimed.predicate_type()) {
            return self.verify_trust_policy(record, &claimed, at);
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

    /// Takes a verified trust policy at entry `index`; true if it brought a version into force.
    ///
    /// # Errors
    /// As [`TrustChain::verify`].
    pub(crate) fn take(&mut self, verified: &Verified<Statement>, index: u64) -> Result<bool> {
        let policy = self.successor(verified.value())?;
        let at = match self.candidates.iter().position(|c| c.policy.payload() == policy.payload()) {
            Some(at) => at,
            None => {
                self.candidates.push(Candidate { policy, signed_by: BTreeSet::new() });
                self.candidates.len() - 1
            }
        };
        let before = self.in_force.last().map(|v| &v.policy);
        let Some(candidate) = self.candidates.get_mut(at) else { return Ok(false) };
        // a signature counts by its key: a name may mean another key in the next version
        candidate.signed_by.extend(verified.signers().iter().map(|s| s.key_id.clone()));
        let complete =
            [before, Some(&candidate.policy)].into_iter().flatten().all(|p| p.is_met_by(&candidate.signed_by));
        if complete {
            let policy = candidate.policy.clone();
            self.in_force.push(Version { since: index, policy });
            // a candidate follows one version; when another took that place it can never come into force
            self.candidates.clear();
        }
        Ok(complete)
    }

    fn verify_trust_policy(&self, record: &[u8], claimed: &Statement, at: Timestamp) -> Result<Verified<Statement>> {
        let past = self.in_force.iter().position(|v| *v.policy.payload() == claimed.payload_digest());
        let (before, own) = match past {
            Some(at) => (at.checked_sub(1).and_then(|before| self.in_force.get(before)), self.in_force.get(at)),
            None => (self.in_force.last(), None),
        };
        let own = match own {
            Some(version) => version.policy.clone(),
            None => self.successor(claimed)?,
        };
        let mut refusal = None;
        for policy in before.map(|v| &v.policy).into_iter().chain([&own]) {
            let expectation = Expectation::new(Artifact::AnyUnsafe, policy.admins(), at);
            match policy.verifier().verify(record, &expectation) {
                Ok(verified) => return Ok(verified),
                Err(e) => refusal = Some(e),
            }
        }
        Err(refusal.unwrap_or_else(|| refused("nobody signed it")))
    }

    /// The policy of a statement, if it may follow what is in force.
    fn successor(&self, statement: &Statement) -> Result<TrustPolicy> {
        let policy = TrustPolicy::from_statement(statement)?;
        let Some(before) = self.in_force.last().map(|v| &v.policy) else {
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
    fn is_met_by(&self, key_ids: &BTreeSet<String>) -> bool {
        let admins = self.predicate().admins.iter();
        let signed =
            admins.filter(|a| self.root().keys().iter().any(|k| k.name == a.signer && key_ids.contains(&k.key.id())));
        signed.count() as u64 >= self.predicate().threshold
    }
}
