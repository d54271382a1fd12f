//! What a version of the trust policy must not contradict in itself.

use std::collections::BTreeSet;

use super::{GIT_ISSUER, KEY_ISSUER, TrustPolicy, refused};
use crate::error::Result;
use crate::predicate::{PredicateType, TrustPolicy as Predicate};
use crate::statement::Statement;

impl TrustPolicy {
    /// The subject must be that of this predicate, or two versions could go by one name.
    pub(super) fn check_subject(&self, statement: &Statement) -> Result<()> {
        let own = Predicate::subject_digest_of(statement.predicate_json()?)?;
        match statement.subjects() {
            [subject] if subject.has(&own) => Ok(()),
            _ => Err(refused(&format!("its subject is not the one policy that it states, `{own}`"))),
        }
    }

    pub(super) fn check_consistent(&self) -> Result<()> {
        self.check_signers()?;
        self.check_admins()?;
        self.check_people()?;
        self.check_writers()
    }

    /// A key is held once by the trust root; an identity is one signer as well, whatever else its certificate must say.
    fn check_signers(&self) -> Result<()> {
        let mut identities = BTreeSet::new();
        for signer in &self.predicate.signers {
            let (Some(issuer), Some(identity)) = (&signer.issuer, &signer.identity) else { continue };
            if [KEY_ISSUER, GIT_ISSUER].contains(&issuer.as_str()) {
                return Err(refused(&format!(
                    "`{issuer}` is no issuer of certificates, and `{}` names it",
                    signer.name
                )));
            }
            if !identities.insert((issuer, identity)) {
                return Err(refused(&format!(
                    "the identity of `{}` stands under two names, and would count as two signers",
                    signer.name
                )));
            }
            if self.predicate.trusted_roots.is_empty() {
                return Err(refused(&format!(
                    "`{}` signs with certificates, and there is no trusted root to judge them by",
                    signer.name
                )));
            }
        }
        Ok(())
    }

    /// A threshold that needs an admin who is revoked could never be reached again.
    fn check_admins(&self) -> Result<()> {
        let admins = &self.predicate.admins;
        let live = admins.iter().filter(|admin| !self.is_revoked_for_good(&admin.signer)).count();
        if self.predicate.threshold > live as u64 {
            return Err(refused(&format!(
                "a threshold of {} is out of reach of the {live} admins who are not revoked",
                self.predicate.threshold
            )));
        }
        Ok(())
    }

    fn is_revoked_for_good(&self, name: &str) -> bool {
        let person = self.id_of(name).and_then(|id| self.person(&id.issuer, &id.subject));
        let targets = [Some(name), person.map(|p| p.person.as_str())];
        targets.into_iter().flatten().any(|target| self.revoked_since(target).is_some())
    }

    fn check_people(&self) -> Result<()> {
        let mut persons = BTreeSet::new();
        for person in &self.predicate.people {
            if !persons.insert(&person.person) {
                return Err(refused(&format!("the person `{}` is listed twice", person.person)));
            }
            let key = person.ids.iter().find(|id| id.issuer == KEY_ISSUER && !is_key_id(&id.subject));
            if let Some(id) = key {
                return Err(refused(&format!("`{}` of `{}` is no id of a key", id.subject, person.person)));
            }
        }
        Ok(())
    }

    fn check_writers(&self) -> Result<()> {
        let writers = &self.predicate.writers;
        let mut credentials = BTreeSet::new();
        if let Some(twice) = writers.iter().find(|w| !credentials.insert(&w.credential)) {
            return Err(refused(&format!("the credential `{}` is listed twice", twice.credential)));
        }
        let next = writers.iter().flat_map(|w| &w.predicate_types).any(|t| t == Predicate::TYPE);
        if !writers.is_empty() && !next {
            return Err(refused("none of its writers may append trust policies, so that it could never be changed"));
        }
        Ok(())
    }
}

fn is_key_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
